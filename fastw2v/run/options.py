"""Options for measuring, reporting and stopping a run; none of them changes the training."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from types import ModuleType
from typing import Any, Final

from fastw2v.base.atomic import check_writable
from fastw2v.base.checks import check_finite, check_flag, check_integer, check_path, shown
from fastw2v.corpus.sources import find_sources
from fastw2v.errors import UsageError
from fastw2v.run.checkpoints.options import Checkpoints, checkpoints_asked
from fastw2v.training.events import check_callbacks

Path = str | os.PathLike[str]


class Unset(Enum):
    """The type of UNSET."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"  # in the signature that help() shows


UNSET: Final = Unset.UNSET  # the default of options for which None is a valid value


def without_unset(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that are not UNSET."""
    return {name: value for name, value in given.items() if value is not UNSET}


def facts_if_logged() -> ModuleType | None:
    """Return run.facts if the program logs at INFO; without `logging`, nothing can listen."""
    if "logging" not in sys.modules:
        return None
    from fastw2v.run import facts

    return facts if facts.is_logged() else None


@dataclass(frozen=True)
class RunOptions:
    """The options of a run.

    callbacks: objects with any of the methods of fastw2v.callbacks.Callback, or of gensim's
    CallbackAny2Vec.
    validation: held-out text, whose loss is measured after each epoch: a path, a list of paths, an
    iterable of token lists, or a fraction in (0, 1) of the corpus's sentences to hold out.
    metric: a function of the model, called after each epoch, that returns a number; greater is
    better.  See WordPairs and Analogies in fastw2v.callbacks.
    patience: stop after this many epochs in a row without improvement, >= 1; None trains all.
    The metric decides, or the held-out loss if there is no metric.
    restore_best: return to the best epoch after training; keeps a copy of the model's arrays.
    checkpoint: a folder to save the run in.  checkpoint_every: how often.  resume: whether to
    continue from a checkpoint there.  See Checkpoints.
    log: a file to which settings, intervals, epochs and the summary are appended, one JSON object
    per line.
    Raises UsageError for contradictory or invalid options, ReadError or SaveError for files.
    """

    callbacks: Iterable[Any] = ()
    validation: Any = None
    metric: Callable[[Any], float] | None = None
    patience: int | None = None
    restore_best: bool = False
    log: Path | None = None
    checkpoint: Path | None = None
    checkpoint_every: float | str | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "callbacks", check_callbacks(self.callbacks))
        if self.patience is not None:
            object.__setattr__(self, "patience", check_integer("patience", self.patience, 1))
        check_flag("restore_best", self.restore_best)
        if self.metric is not None and (isinstance(self.metric, type) or not callable(self.metric)):
            raise UsageError(f"metric must be a function of the model, got {shown(self.metric)}")
        for name in ("patience", "restore_best"):
            if getattr(self, name) and self.validation is None and self.metric is None:
                raise UsageError(f"{name} needs validation or metric, to know which epoch is best")
        if self.validation_share is not None:
            if not 0 < check_finite("validation", self.validation) < 1:
                raise UsageError(
                    "validation must be a share between 0 and 1, a path, or an iterable of token "
                    f"lists, got {shown(self.validation)}"
                )
        elif self.validation_paths:
            find_sources(self.validation_paths)
        if self.log is not None:
            check_path("log", self.log)
            check_writable(self.log)
        _ = self.checkpoints  # raises UsageError for invalid options

    @property
    def checkpoints(self) -> Checkpoints | None:
        """The checkpoint options, or None if checkpoints are off."""
        check_flag("resume", self.resume)
        if self.checkpoint is None and self.checkpoint_every is None and not self.resume:
            return None
        return checkpoints_asked(self.checkpoint, self.checkpoint_every, self.resume)

    @property
    def validation_share(self) -> float | None:
        """The fraction of the corpus to hold out, or None."""
        is_share = isinstance(self.validation, int | float)
        return self.validation if is_share else None

    @property
    def validation_paths(self) -> list[Path]:
        """The validation files; empty if validation is not a path or a list of paths."""
        paths = self.validation if isinstance(self.validation, list) else [self.validation]
        return paths if all(isinstance(path, str | os.PathLike) for path in paths) else []

    @property
    def is_compared(self) -> bool:
        """Whether a metric or a held-out loss compares epochs."""
        return self.validation is not None or self.metric is not None

    def changed(self, **others: Any) -> "RunOptions":
        """Return the options, replaced by those of `others` that are not UNSET."""
        return replace(self, **without_unset(others))
