"""The folder of a run's two newest checkpoints, each a model file with the state of the run.

The second is a backup, in case the first is damaged.
"""

import contextlib
import os
import re
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from fastw2v.base.atomic import sweep
from fastw2v.errors import (
    CheckpointError,
    DivergedError,
    ModelFormatError,
    ReadError,
    SaveError,
    reading,
    writing,
)
from fastw2v.formats import WordVectors, native, write_vectors
from fastw2v.training.events import CHECKPOINT_KEY, EpochRecord, Listener, Run, RunState

TERMINATED = 143  # 128 + SIGTERM, as shells count
FILE_NAME = "checkpoint-{:015}.safetensors"  # the number of tokens trained
FILE_PATTERN = re.compile(r"checkpoint-\d{15}\.safetensors")


class CheckpointFolder:
    """The checkpoints of one run, which locks the folder while it trains."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def make(self) -> None:
        """Create the folder if needed.  Raises SaveError."""
        with writing(self.path):
            os.makedirs(self.path, exist_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder if needed, and lock it against other runs during the with block.

        Raises SaveError if it cannot be created, CheckpointError if another run has locked it.
        """
        self.make()
        with _locked(self.path):
            sweep(self.path, is_owned=True)
            yield

    def files(self) -> list[str]:
        """Return the checkpoints, newest first."""
        with reading(self.path), suppress(FileNotFoundError):
            names = [name for name in os.listdir(self.path) if FILE_PATTERN.fullmatch(name)]
            return [os.path.join(self.path, name) for name in sorted(names, reverse=True)]
        return []

    def write(self, n_tokens: int, word_vectors: WordVectors, previous: str | None) -> str:
        """Write a checkpoint, then delete all but the previous one; return the new path.

        The file is written atomically: if writing fails, the previous checkpoint stays valid.

        n_tokens: number of tokens trained so far, over all epochs.
        previous: path of the run's last checkpoint, or None.
        Raises SaveError.
        """
        path = os.path.join(self.path, FILE_NAME.format(n_tokens))
        write_vectors(path, word_vectors, "native")
        if path != previous:  # else the run ended without further training
            self.keep(path, previous)
        return path

    def keep(self, path: str, other: str | None) -> None:
        """Delete all checkpoints but these two."""
        for file in self.files():
            if file not in (path, other):
                with suppress(OSError):
                    os.unlink(file)

    def newest(self, warn: Callable[[str], None]) -> tuple[str, WordVectors] | None:
        """Return the path and content of the newest valid checkpoint, or None without any.

        warn: called with a message for each damaged checkpoint.
        Raises CheckpointError if all checkpoints are damaged.
        """
        files, problem = self.files(), ""
        for path in files:
            try:
                return path, read_checkpoint(path)
            except (ReadError, ModelFormatError, CheckpointError) as error:
                problem = str(error)
                warn(f"{problem}; trying the previous checkpoint")
        if files:
            raise CheckpointError(f"no checkpoint in {self.path} can be read: {problem}")
        return None


class CheckpointWriter(Listener):
    """Write checkpoints at intervals, after each epoch, and when a run is interrupted."""

    def __init__(
        self,
        folder: CheckpointFolder,
        every_seconds: float,
        content: Callable[[Run], WordVectors],
        asked_to_end: threading.Event,
    ) -> None:
        """Write content(run) to the folder; content may raise DivergedError.

        asked_to_end: set when the process must exit after a last checkpoint.
        """
        self.folder, self.every_seconds, self.content = folder, every_seconds, content
        self.asked_to_end = asked_to_end
        self.last: str | None = None  # path of the newest complete checkpoint
        self.is_current = False  # whether it matches the state of the run
        self._written: RunState | None = None
        self._next = time.monotonic() + every_seconds

    def continue_from(self, path: str, state: RunState) -> None:
        """Record the checkpoint that the run resumes from.

        A run that was killed between writing it and deleting older ones has left a third.
        """
        others = [file for file in self.folder.files() if file != path]
        self.folder.keep(path, next(iter(others), None))
        self.last, self._written, self.is_current = path, state, True

    def wants_pause(self) -> bool:
        """Return whether the next checkpoint is due."""
        return self.asked_to_end.is_set() or time.monotonic() >= self._next

    def on_pause(self, run: Run) -> None:
        """Write a checkpoint."""
        self.write(run)

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Write a checkpoint."""
        self.write(run)

    def on_train_end(self, run: Run) -> None:
        """Write a final checkpoint, if the run has changed since the last one."""
        self.write(run)

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Write a last checkpoint, unless training diverged or stopped within a chunk."""
        if isinstance(error, DivergedError) or not run.at_chunk_boundary:
            return
        try:
            self.write(run)
        except (DivergedError, KeyboardInterrupt) as second:
            warnings.warn(f"no last checkpoint: {second or 'interrupted'}", stacklevel=2)
        except SystemExit:  # the original error ends the run
            pass

    def write(self, run: Run) -> None:
        """Write a checkpoint; if that fails, warn and keep the previous one."""
        state = run.state()
        if state != self._written:
            n_tokens = state.counts.n_tokens
            try:
                self.last = self.folder.write(n_tokens, self.content(run), self.last)
                self._written, self.is_current = state, True
            except SaveError as error:
                self.is_current = False
                last = f"the last good one is {self.last}" if self.last else "there is none yet"
                warnings.warn(f"no checkpoint: {error}; {last}; training continues", stacklevel=2)
        self._next = time.monotonic() + self.every_seconds
        if self.asked_to_end.is_set():
            raise SystemExit(TERMINATED)


def read_checkpoint(path: str) -> WordVectors:
    """Return the content of a checkpoint.

    Raises ReadError, ModelFormatError for a damaged file, or CheckpointError for a plain model or
    a checkpoint that was edited.
    """
    from fastw2v.run.checkpoints.contents import check_contents  # only resuming needs it

    found = native.read(path, adds_pending=False)
    if CHECKPOINT_KEY not in found.settings:
        raise CheckpointError(f"{path}: a model, but not a checkpoint")
    try:
        check_contents(found)
    except ValueError as error:
        raise CheckpointError(f"{path}: not a checkpoint of fastw2v: {error}") from error
    return found


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Lock a folder during the with block; the system releases the lock if the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CheckpointError(f"{path} is in use by another run") from error
        yield
    finally:
        os.close(folder)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the differences between two mappings, each as `name was X, is now Y`."""
    names = [*old, *(name for name in new if name not in old)]
    return [
        f"{name} was {old.get(name)!r}, is now {new.get(name)!r}"
        for name in names
        if old.get(name) != new.get(name)
    ]
