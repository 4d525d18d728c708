"""Where, how often and whence: what a caller asks of checkpoints, and whether it fits them."""

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastw2v import __version__
from fastw2v._core import backends
from fastw2v.base.checks import check_finite, check_flag
from fastw2v.errors import CheckpointError, UsageError
from fastw2v.formats import WordVectors
from fastw2v.run.checkpoints.files import CheckpointFolder, differences, read_checkpoint
from fastw2v.training.events import CHECKPOINT_KEY

UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Checkpoints:
    """Where and how often a run is saved, and whether it goes on from there.

    path: a folder, made if need be, of the two newest checkpoints; or, to go on from a certain
    one, that file.
    every: least time between two within an epoch, in seconds >= 0 or as "90s", "10m", "1h";
    there is one at the end of every epoch too, and when Ctrl-C, SIGTERM or an error that is not
    training's own ends the run.
    resume: go on from the newest; if there is none, start with a warning.
    Raises UsageError if a value is impossible.
    """

    path: Path
    every: float | str = "10m"
    resume: bool = False

    def __post_init__(self) -> None:
        check_flag("resume", self.resume)
        assert self.every_seconds >= 0

    @property
    def every_seconds(self) -> float:
        """Least time between two checkpoints within an epoch."""
        return seconds_of(self.every)

    @property
    def folder(self) -> CheckpointFolder:
        """Where checkpoints are written."""
        is_file = os.path.isfile(self.path)
        return CheckpointFolder(
            os.path.dirname(os.path.abspath(self.path)) if is_file else self.path
        )

    def find(self) -> tuple[str, WordVectors] | None:
        """Return the checkpoint to go on from, None to start.

        Raises CheckpointError if none can be read, or if there are some and resume is not set.
        """
        folder = self.folder
        if not self.resume:
            if folder.files():
                raise CheckpointError(
                    f"{folder.path} holds checkpoints of another run; resume it, or use another "
                    "folder"
                )
            return None
        if os.path.isfile(self.path):
            return os.fspath(self.path), read_checkpoint(os.fspath(self.path))
        return folder.newest(lambda text: warnings.warn(text, stacklevel=2))

    def found(self) -> tuple[str, WordVectors]:
        """Return the checkpoint to go on from; raise CheckpointError if there is none."""
        found = self.find()
        if found is None:
            raise CheckpointError(f"{self.folder.path} holds no checkpoint")
        if (backend := found[1].settings["backend"]) not in backends():
            raise CheckpointError(
                f"cannot go on from {found[0]}: its backend is {backend}, and this CPU has "
                f"{', '.join(backends())}"
            )
        return found

    def check(self, settings: Mapping[str, Any]) -> None:
        """Look before the corpus is read whether the run can go on from here.

        settings: some of those that the model's file holds.  Raises CheckpointError,
        or SaveError if there can be no such folder.
        """
        self.folder.make()
        found = self.find()
        if found is not None:
            check_settings(*found, settings)
        elif self.resume:
            text = f"{self.folder.path} holds no checkpoint: training starts at the beginning"
            warnings.warn(text, stacklevel=2)


def checkpoints_asked(
    path: Path | None, every: float | str | None, resume: bool
) -> Checkpoints | None:
    """Return the checkpoints that a caller asks for; UsageError if only half of it is said."""
    if path is not None:
        return Checkpoints(path, "10m" if every is None else every, resume)
    if resume or every is not None:
        name = "resume" if resume else "checkpoint_every"
        raise UsageError(f"{name} needs a folder of checkpoints: set checkpoint")
    return None


def seconds_of(duration: float | str) -> float:
    """Return a duration in seconds: a number of them, or a text such as 90s, 10m or 1.5h."""
    seconds: float | None = None
    if not isinstance(duration, str):
        seconds = check_finite("checkpoint_every", duration)
    elif match := re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", duration.strip()):
        seconds = float(match[1]) * UNIT_SECONDS[match[2]]
    if seconds is None or seconds < 0:
        raise UsageError(
            f"checkpoint_every must be a time such as 90s, 10m or 1h, at least 0, got {duration!r}"
        )
    return seconds


def check_settings(path: str, found: WordVectors, settings: Mapping[str, Any]) -> None:
    """Raise CheckpointError if a checkpoint's run had another value in one of these settings.

    The version of fastw2v is compared too, as another one may compute other bits.
    """
    now = json.loads(json.dumps(dict(settings))) | {"fastw2v": __version__}
    stored = settings_then(found) | {"fastw2v": found.settings[CHECKPOINT_KEY]["fastw2v"]}
    then = {name: stored.get(name) for name in now}
    different = differences(then, now)
    if different:
        raise CheckpointError(f"cannot go on from {path}: {'; '.join(different)}")


def settings_then(found: WordVectors) -> dict[str, Any]:
    """Return the settings of a checkpoint's run."""
    return {name: value for name, value in found.settings.items() if name != CHECKPOINT_KEY}
