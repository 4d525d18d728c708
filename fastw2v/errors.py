"""The errors that a run can raise, each with a permanent exit code."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike, fspath


class Fastw2vError(Exception):
    """Base class of all errors that a user can fix; the message is a single line."""

    exit_code = 1


class UsageError(Fastw2vError, ValueError):
    """A parameter or flag has an invalid value, or two of them conflict."""

    exit_code = 2


class MissingPackageError(UsageError, ImportError):
    """A required optional package is not installed; the message gives the pip command."""


class CorpusError(Fastw2vError, ValueError):
    """The corpus was read, but its contents cannot be trained on."""

    exit_code = 3


class ReadError(Fastw2vError, OSError):
    """A file cannot be read."""

    exit_code = 4


class SaveError(Fastw2vError, OSError):
    """A file cannot be written."""

    exit_code = 5


class DivergedError(Fastw2vError, ArithmeticError):
    """Training diverged: a value is not finite, or the loss is above its initial value."""

    exit_code = 6


class ModelFormatError(Fastw2vError, ValueError):
    """A vectors or vocabulary file violates its format."""

    exit_code = 7


class OutOfMemoryError(Fastw2vError, MemoryError):
    """The model does not fit into memory, or the system cannot start another thread."""

    exit_code = 8


class CheckpointError(Fastw2vError, RuntimeError):
    """A checkpoint cannot be used for this run."""

    exit_code = 9


@contextmanager
def _naming(path: str | PathLike[str], verb: str, kind: type[Fastw2vError]) -> Iterator[None]:
    """Convert any OSError raised in the block to `kind`, with the path in the message."""
    try:
        yield
    except Fastw2vError:
        raise
    except OSError as error:
        raise kind(f"cannot {verb} {fspath(path)}: {error.strerror or error}") from error
    except ValueError as error:
        is_surrogate = isinstance(error, UnicodeEncodeError) and error.object == fspath(path)
        if "null byte" not in str(error) and not is_surrogate:  # in the path itself
            raise
        raise kind(f"cannot {verb} {fspath(path)!r:.200}: {error}") from error


def reading(path: str | PathLike[str]) -> AbstractContextManager[None]:
    """Convert any OSError raised in the block to a ReadError that names the path."""
    return _naming(path, "read", ReadError)


def writing(path: str | PathLike[str]) -> AbstractContextManager[None]:
    """Convert any OSError raised in the block to a SaveError that names the path."""
    return _naming(path, "write", SaveError)
