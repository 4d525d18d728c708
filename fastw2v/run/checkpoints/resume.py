"""Save a run during training, and restore its state later."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fastw2v import __version__
from fastw2v.base.threads import interrupt
from fastw2v.corpus import VocabularyRules
from fastw2v.corpus.sources import STDIN
from fastw2v.corpus.tokenizers import AnyTokenizer, Tokenizer
from fastw2v.errors import CheckpointError, DivergedError
from fastw2v.formats import WordVectors
from fastw2v.formats.native import PENDING_BIAS
from fastw2v.run.checkpoints.files import CheckpointWriter, differences
from fastw2v.run.checkpoints.options import Checkpoints, check_settings
from fastw2v.run.saved_model import BLOCKS, RunCounts, fill_arrays, settings_of
from fastw2v.run.validation import BestEpoch
from fastw2v.training.divergence import check_rows
from fastw2v.training.events import CHECKPOINT_KEY, Run, RunState
from fastw2v.training.parameters import OWN, Parameters
from fastw2v.training.trainer import Trainer

Path = str | os.PathLike[str]
OF_ONE_CALL = ("epochs", "alpha", "min_alpha")  # each call of train() may override these


def settings_to_check(parameters: Parameters, rules: VocabularyRules) -> dict[str, Any]:
    """Return the settings of a run that are known before the corpus is read."""
    settings = settings_of(parameters, rules)
    open_ones = () if parameters.cbow_update else ("cbow_update",)
    return {k: v for k, v in settings.items() if k not in (*OF_ONE_CALL, *open_ones)}


@dataclass(frozen=True)
class AboutRun:
    """The identity of a run besides its settings, for JSON.

    corpus: the identity of the corpus.  criterion: how epochs are compared.
    source: how to read the corpus and the validation text again.
    """

    corpus: dict[str, Any]
    criterion: dict[str, Any]
    source: dict[str, Any]

    def check(self, path: str, state: Mapping[str, Any]) -> None:
        """Raise CheckpointError if the checkpoint has another corpus or criterion."""
        saved = state.get("criterion", self.criterion)
        # A different corpus also changes the ids of the validation text, and is reported instead.
        # A different validation fraction changes the corpus, and is reported first.
        if state["corpus"] == self.corpus or saved["validation"] != self.criterion["validation"]:
            self._check(path, "", saved, self.criterion, "the validation text is different")
        other = "its words or their order are different"
        self._check(path, "the corpus differs: ", state["corpus"], self.corpus, other)

    @staticmethod
    def _check(
        path: str, prefix: str, saved: Mapping[str, Any], given: Mapping[str, Any], other: str
    ) -> None:
        different = differences(saved, given)
        if different:
            what = "; ".join(text for text in different if not text.startswith("digest")) or other
            raise CheckpointError(f"cannot resume from {path}: {prefix}{what}")


class CheckpointedRun:
    """A run that saves checkpoints and can resume from one."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        to_file: Callable[[], WordVectors],
        description: "AboutRun",
        best: BestEpoch | None,
    ) -> None:
        """Prepare a run.

        to_file: returns the content of a model file, without the state of the run.
        description: the identity of the run.  best: the listener that compares epochs, or None.
        """
        self.checkpoints, self.to_file = checkpoints, to_file
        self.description, self.best = description, best

    @contextlib.contextmanager
    def running(self, trainer: Trainer) -> Iterator[CheckpointWriter]:
        """Restore arrays and trainer from a checkpoint, if any; save checkpoints in the block.

        The caller must register the yielded writer as a listener.  SIGTERM ends the process after
        the with block.
        Raises CheckpointError if the newest checkpoint belongs to a different run, or if another
        run has locked the folder.
        """
        folder, writer = self.checkpoints.folder, None
        try:
            with folder.locked(), deferred_termination() as asked_to_end:
                every_seconds = self.checkpoints.every_seconds
                writer = CheckpointWriter(folder, every_seconds, self.content, asked_to_end)
                path = self.restore(trainer)
                if path is not None:
                    writer.continue_from(path, trainer.state())
                yield writer
        except DivergedError as error:
            if writer is None or writer.last is None:
                raise
            text = f"{error}; the last good checkpoint is {writer.last}"
            raise DivergedError(text) from error
        except KeyboardInterrupt as interrupt:  # also the deferred termination
            if writer is None or writer.last is None:
                raise
            raise KeyboardInterrupt(f"resume from {writer.last}") from interrupt

    def restore(self, trainer: Trainer) -> str | None:
        """Restore the checkpoint to resume from, if any, and return its path."""
        found = self.checkpoints.find()
        if found is None:
            return None
        path, data = found
        model = self.to_file()
        settings = model.settings
        left_out = (*RunCounts._fields, BLOCKS)  # description.check() compares the corpus
        compared = (name for name in settings if name not in left_out)
        check_settings(path, data, {name: settings[name] for name in compared})
        state = data.settings[CHECKPOINT_KEY]
        self.description.check(path, state)
        assert data.counts is not None and model.counts is not None
        if data.words != model.words or (data.counts != model.counts).any():
            raise CheckpointError(f"cannot resume from {path}: its words or counts are different")
        saved_run = RunState.from_json(state["run"])
        try:
            trainer.restore(saved_run)
            fill_arrays(trainer.model_arrays, data)
        except ValueError as error:
            raise CheckpointError(f"cannot resume from {path}: {error}") from error
        if trainer.model_arrays.in_bias is not None:
            pending = data.extra_arrays.pop(PENDING_BIAS, np.zeros(data.dim, np.float32))
            trainer.model_arrays.in_bias[:, : data.dim] = pending
        if self.best is not None:
            self.best.kept_before, self.best.kept_in = data.extra_arrays, path
        return path

    def content(self, run: Run) -> WordVectors:
        """Return the content of a checkpoint of the current state.

        Raises DivergedError if a value is not finite.
        """
        check_rows(run.model_arrays, "training diverged")
        data = self.to_file()
        data.settings[CHECKPOINT_KEY] = {
            "fastw2v": __version__,
            **asdict(self.description),
            "run": run.state().as_json(),
        }
        if self.best is not None:
            data.extra_arrays = self.best.to_keep(run)
        pending = run.model_arrays.in_bias
        if pending is not None and pending.any():
            data.extra_arrays[PENDING_BIAS] = pending[0, : data.dim]
        return data


def files_to_read(found: tuple[str, WordVectors]) -> list[str]:
    """Return the corpus files of a checkpoint's run.

    Raises CheckpointError if the caller must pass the corpus.
    """
    path, data = found
    source = data.settings[CHECKPOINT_KEY]["source"]
    paths: list[str] | None = source["corpus_file"]
    if paths is None or STDIN in paths:
        what = "a Python iterable" if paths is None else "standard input"
        raise CheckpointError(f"{path}: its corpus was {what}; pass it again to resume")
    return paths


def tokenizer_again(
    found: tuple[str, WordVectors], tokenizer: AnyTokenizer | None, is_needed: bool
) -> AnyTokenizer | None:
    """Return the given tokenizer, or that of a checkpoint's run, which it names.

    Raises CheckpointError if the run's was a function, none is given and one is needed.
    """
    path, data = found
    name: str | None = data.settings[CHECKPOINT_KEY]["source"]["tokenizer"]
    if name is None or tokenizer is not None:
        return tokenizer
    built_in = Tokenizer.named(name)
    if built_in is None and is_needed:
        raise CheckpointError(f"{path}: pass the run's tokenizer, {name}")
    return built_in


def with_own_schedule(
    path: str, settings: Mapping[str, Any], schedule: Callable[[float], float] | None
) -> dict[str, Any]:
    """Return the settings of a checkpoint, with a custom schedule that a file cannot store.

    Raises CheckpointError if the run had a custom schedule and none is given.
    """
    saved_name = settings.get("schedule")
    if not isinstance(saved_name, str) or not saved_name.startswith(OWN):
        return dict(settings)
    if schedule is None:
        raise CheckpointError(f"{path}: pass the run's schedule, {saved_name.removeprefix(OWN)}")
    return {**settings, "schedule": schedule}


@contextlib.contextmanager
def deferred_termination() -> Iterator[threading.Event]:
    """Delay SIGTERM until the end of the with block; the yielded event is set when it arrives.

    Does nothing outside the main thread, or if the caller has installed a SIGTERM handler other
    than the command's.
    """
    asked = threading.Event()
    in_main = threading.current_thread() is threading.main_thread()
    given = signal.getsignal(signal.SIGTERM)
    if not in_main or given not in (signal.SIG_DFL, interrupt):
        yield asked
        return
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, given)
        if asked.is_set():
            signal.raise_signal(signal.SIGTERM)
