"""The folder of a run's checkpoints: the newest two, each a model that tells where the run stood.

The second is there in case the disk damages the first.
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
FILE_NAME = "checkpoint-{:015}.safetensors"  # numbered by the tokens trained
FILE_PATTERN = re.compile(r"checkpoint-\d{15}\.safetensors")
ABANDONED = re.compile(
    r"\.fastw2v-[0-9a-f]+\.tmp"
)  # what a killed process leaves, see files.atomic


class CheckpointFolder:
    """The checkpoints of one run, which holds the folder while it trains."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def make(self) -> None:
        """Make the folder if need be; raise SaveError if that cannot be."""
        with writing(self.path):
            os.makedirs(self.path, exist_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if need be and keep other runs out of it for the block.

        Raises SaveError if it cannot be made, CheckpointError if another run holds it.
        """
        self.make()
        with _locked(self.path):
            for name in os.listdir(self.path):
                if ABANDONED.fullmatch(name):
                    os.unlink(os.path.join(self.path, name))
            yield

    def files(self) -> list[str]:
        """Return the checkpoints, newest first."""
        with reading(self.path), suppress(FileNotFoundError):
            names = [name for name in os.listdir(self.path) if FILE_PATTERN.fullmatch(name)]
            return [os.path.join(self.path, name) for name in sorted(names, reverse=True)]
        return []

    def write(self, n_tokens: int, word_vectors: WordVectors, previous: str | None) -> str:
        """Write a checkpoint, then remove all others but the previous one; return its path.

        n_tokens: trained so far, over all epochs.  previous: path of the run's last one.  The
        file appears whole or not at all, so that whatever happens, the previous one stays good.
        Raises SaveError.
        """
        path = os.path.join(self.path, FILE_NAME.format(n_tokens))
        write_vectors(path, word_vectors, "native")
        if path == previous:  # the run has not moved, but ended
            return path
        for other in self.files():
            if other not in (path, previous):
                with suppress(OSError):
                    os.unlink(other)
        return path

    def newest(self, warn: Callable[[str], None]) -> tuple[str, WordVectors] | None:
        """Return the newest sound checkpoint, None if there is none.

        warn: told of every one that is passed over.  Raises CheckpointError if all are unsound.
        """
        files, problem = self.files(), ""
        for path in files:
            try:
                return path, read_checkpoint(path)
            except (ReadError, ModelFormatError, CheckpointError) as error:
                problem = str(error)
                warn(f"{problem}; trying the checkpoint before it")
        if files:
            raise CheckpointError(f"no checkpoint in {self.path} can be read: {problem}")
        return None


class CheckpointWriter(Listener):
    """Writes checkpoints of a run: at times, at the end of each epoch, and when it is cut short."""

    def __init__(
        self,
        folder: CheckpointFolder,
        every_seconds: float,
        content: Callable[[Run], WordVectors],
        asked_to_end: threading.Event,
    ) -> None:
        """Write content(run) to the folder; content may raise DivergedError.

        asked_to_end: set when the process shall end after a last checkpoint.
        """
        self.folder, self.every_seconds, self.content = folder, every_seconds, content
        self.asked_to_end = asked_to_end
        self.last: str | None = None  # the newest checkpoint that was written whole
        self.is_current = False  # it holds the run as it stands
        self._written: RunState | None = None
        self._next = time.monotonic() + every_seconds

    def continue_from(self, path: str, state: RunState) -> None:
        """Know the checkpoint that the run goes on from."""
        self.last, self._written, self.is_current = path, state, True

    def wants_pause(self) -> bool:
        """Say whether the next checkpoint is due."""
        return self.asked_to_end.is_set() or time.monotonic() >= self._next

    def on_pause(self, run: Run) -> None:
        """Write a checkpoint."""
        self.write(run)

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Write a checkpoint."""
        self.write(run)

    def on_train_end(self, run: Run) -> None:
        """Write how the run ended, if it has changed since the last checkpoint."""
        self.write(run)

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Write a last checkpoint, unless the error leaves nothing that is worth it."""
        if isinstance(error, DivergedError) or not run.at_chunk_boundary:
            return
        try:
            self.write(run)
        except (DivergedError, KeyboardInterrupt) as second:
            warnings.warn(f"no last checkpoint: {second or 'interrupted'}", stacklevel=2)
        except SystemExit:  # the run ends as it is
            pass

    def write(self, run: Run) -> None:
        """Write a checkpoint; if that fails, warn and go on with the one before."""
        state = run.state()
        if state != self._written:
            n_tokens = state.counts.n_tokens
            try:
                self.last = self.folder.write(n_tokens, self.content(run), self.last)
                self._written, self.is_current = state, True
            except SaveError as error:
                self.is_current = False
                kept = f"the last good one is {self.last}" if self.last else "there is none yet"
                warnings.warn(f"no checkpoint: {error}; {kept}; training goes on", stacklevel=2)
        self._next = time.monotonic() + self.every_seconds
        if self.asked_to_end.is_set():
            raise SystemExit(TERMINATED)


def read_checkpoint(path: str) -> WordVectors:
    """Return the content of a checkpoint; raise CheckpointError if it is another kind of file."""
    found = native.read(path, adds_pending=False)
    if CHECKPOINT_KEY not in found.settings:
        raise CheckpointError(f"{path}: a model, but not a checkpoint of a run")
    return found


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold a lock on a folder; it ends with the process, however that ends."""
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


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what differs between two mappings, each as `name was X, is now Y`."""
    names = [*then, *(name for name in now if name not in then)]
    return [
        f"{name} was {then.get(name)!r}, is now {now.get(name)!r}"
        for name in names
        if then.get(name) != now.get(name)
    ]
