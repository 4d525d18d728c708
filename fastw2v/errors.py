"""What can go wrong in a run, and the exit code of each: these numbers stay for good."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike, fspath


class Fastw2vError(Exception):
    """Base of every error that a user can mend; its text is one clear line."""

    exit_code = 1


class UsageError(Fastw2vError, ValueError):
    """A parameter or flag is impossible, or two of them contradict each other."""

    exit_code = 2


class MissingPackageError(UsageError, ImportError):
    """An optional package is needed and not installed; the text names the pip command."""


class CorpusError(Fastw2vError, ValueError):
    """The corpus was read, but what is in it cannot be trained on."""

    exit_code = 3


class ReadError(Fastw2vError, OSError):
    """A file cannot be read."""

    exit_code = 4


class SaveError(Fastw2vError, OSError):
    """A file cannot be written."""

    exit_code = 5


class DivergedError(Fastw2vError, ArithmeticError):
    """Training diverged: a value is not finite, or the loss is above that at the start."""

    exit_code = 6


class ModelFormatError(Fastw2vError, ValueError):
    """A vectors or vocabulary file is not what its format says."""

    exit_code = 7


class OutOfMemoryError(Fastw2vError, MemoryError):
    """The model does not fit into memory."""

    exit_code = 8


class CheckpointError(Fastw2vError, RuntimeError):
    """A checkpoint cannot be used for this run."""

    exit_code = 9


@contextmanager
def _naming(path: str | PathLike[str], verb: str, kind: type[Fastw2vError]) -> Iterator[None]:
    """Turn every OSError of the block into an error of this kind that names the path."""
    try:
        yield
    except Fastw2vError:
        raise
    except OSError as error:
        raise kind(f"cannot {verb} {fspath(path)}: {error.strerror or error}") from error


def reading(path: str | PathLike[str]) -> AbstractContextManager[None]:
    """Turn every OSError of the block into a ReadError that names the path."""
    return _naming(path, "read", ReadError)


def writing(path: str | PathLike[str]) -> AbstractContextManager[None]:
    """Turn every OSError of the block into a SaveError that names the path."""
    return _naming(path, "write", SaveError)
