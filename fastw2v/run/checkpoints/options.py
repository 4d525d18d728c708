"""Checkpoint options, and the check that a checkpoint matches the settings of a run."""

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastw2v import __version__
from fastw2v._core import backends
from fastw2v.base.checks import check_finite, check_flag, check_path, shown
from fastw2v.errors import CheckpointError, UsageError
from fastw2v.formats import WordVectors
from fastw2v.run.checkpoints.files import CheckpointFolder, differences, read_checkpoint
from fastw2v.training.events import CHECKPOINT_KEY

UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Checkpoints:
    """Options for saving and resuming a run.

    path: a folder for the two newest checkpoints, created if needed; or a checkpoint file to
    resume from.
    every: minimum time between checkpoints within an epoch: seconds >= 0, or "90s", "10m", "1h".
    A checkpoint is also written after every epoch, and when Ctrl-C, SIGTERM or an error ends the
    run, except if training diverged.
    resume: continue from the newest checkpoint; without one, warn and start from the beginning.
    Raises UsageError for an invalid value.
    """

    path: Path
    every: float | str = "10m"
    resume: bool = False

    def __post_init__(self) -> None:
        check_path("checkpoint", self.path)
        check_flag("resume", self.resume)
        assert self.every_seconds >= 0

    @property
    def every_seconds(self) -> float:
        """Minimum time between checkpoints within an epoch, in seconds."""
        return seconds_of(self.every)

    @property
    def folder(self) -> CheckpointFolder:
        """The folder that checkpoints are written to."""
        is_file = os.path.isfile(self.path)
        return CheckpointFolder(
            os.path.dirname(os.path.abspath(self.path)) if is_file else self.path
        )

    def find(self) -> tuple[str, WordVectors] | None:
        """Return the checkpoint to resume from, or None to start from the beginning.

        Raises CheckpointError if no checkpoint can be read, or if the folder holds checkpoints but
        resume is not set.
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
        """Return the checkpoint to resume from.  Raises CheckpointError if there is none."""
        found = self.find()
        if found is None:
            raise CheckpointError(f"{self.folder.path} holds no checkpoint")
        if (backend := found[1].settings["backend"]) not in backends():
            raise CheckpointError(
                f"cannot resume from {found[0]}: its backend is {backend}, but this CPU supports "
                f"{', '.join(backends())}"
            )
        return found

    def check(self, settings: Mapping[str, Any]) -> None:
        """Check whether the run can resume, before the corpus is read.

        settings: the settings known so far, as in a model file.
        Raises CheckpointError, or SaveError if the folder cannot be created.
        """
        self.folder.make()
        found = self.find()
        if found is not None:
            check_settings(*found, settings)
        elif self.resume:
            text = f"{self.folder.path} holds no checkpoint: training starts from the beginning"
            warnings.warn(text, stacklevel=2)


def checkpoints_asked(
    path: Path | None, every: float | str | None, resume: bool
) -> Checkpoints | None:
    """Return the checkpoint options, or None.  Raises UsageError if the folder is missing."""
    if path is not None:
        return Checkpoints(path, "10m" if every is None else every, resume)
    if resume or every is not None:
        name = "resume" if resume else "checkpoint_every"
        raise UsageError(f"{name} needs a checkpoint folder: set checkpoint")
    return None


def seconds_of(duration: float | str) -> float:
    """Convert a duration to seconds: a number of seconds, or text such as 90s, 10m or 1.5h."""
    seconds: float | None = None
    if not isinstance(duration, str):
        seconds = check_finite("checkpoint_every", duration)
    elif match := re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", duration.strip()):
        seconds = float(match[1]) * UNIT_SECONDS[match[2]]
    if seconds is None or seconds < 0:
        raise UsageError(
            "checkpoint_every must be a time such as 90s, 10m or 1h, at least 0, "
            f"got {shown(duration)}"
        )
    return seconds


def check_settings(path: str, found: WordVectors, settings: Mapping[str, Any]) -> None:
    """Raise CheckpointError if a checkpoint's run had a different value for one of these settings.

    The fastw2v version is compared, too, because results are bit-identical only within a version.
    """
    given = json.loads(json.dumps(dict(settings))) | {"fastw2v": __version__}
    stored = settings_then(found) | {"fastw2v": found.settings[CHECKPOINT_KEY]["fastw2v"]}
    saved = {name: stored.get(name) for name in given}
    different = differences(saved, given)
    if different:
        if given.get("epochs", 0) > saved.get("epochs", 0) == _epochs_done(found):
            different.append(
                f"that run is finished; to train its vectors further, pass init_from={path} and "
                "another folder of checkpoints"
            )
        raise CheckpointError(f"cannot resume from {path}: {'; '.join(different)}")


def _epochs_done(found: WordVectors) -> object:
    return found.settings[CHECKPOINT_KEY]["run"]["epoch"]


def settings_then(found: WordVectors) -> dict[str, Any]:
    """Return the settings of a checkpoint's run."""
    return {name: value for name, value in found.settings.items() if name != CHECKPOINT_KEY}
