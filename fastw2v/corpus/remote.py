"""Read files behind URLs with fsspec, an optional package."""

import glob
from functools import partial
from typing import IO, Any, NamedTuple

from fastw2v.base.optional import import_optional
from fastw2v.errors import ReadError


class RemoteFile(NamedTuple):
    """A file on an fsspec file system."""

    url: str
    n_bytes: int | None
    file_system: Any
    path: str

    def open(self) -> IO[bytes]:
        """Open the file for reading; raise ReadError on failure."""
        return _called(self.url, partial(self.file_system.open, self.path, "rb"))  # type: ignore[no-any-return]


def find_remote(url: str) -> list[RemoteFile]:
    """Return the file of a URL, or the files that its wildcards match, sorted.

    Raises MissingPackageError if fsspec is not installed. Raises ReadError if no file exists, the
    file system fails, or fsspec needs a missing package for this URL.
    """
    core = import_optional("fsspec.core", "remote", f"cannot read {url}: a URL")
    file_system, path = _called(url, partial(core.url_to_fs, url))
    if not glob.has_magic(path):
        return [_described(url, file_system, path)]
    found = _called(url, partial(file_system.glob, path, detail=True))
    names = sorted(name for name, details in found.items() if details["type"] == "file")
    if not names:
        raise ReadError(f"no file matches {url}")
    return [_described(file_system.unstrip_protocol(name), file_system, name) for name in names]


def read_some(file: IO[bytes], n_bytes: int) -> bytes:
    """Read up to n_bytes; convert any error of the file system to OSError."""
    try:
        return file.read(n_bytes)
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _described(url: str, file_system: Any, path: str) -> RemoteFile:
    details = _called(url, partial(file_system.info, path))
    if details.get("type") == "directory":
        raise ReadError(f"cannot read {url}: it is a directory; did you mean {url}/* ?")
    return RemoteFile(url, details.get("size"), file_system, path)


def _called(url: str, call: Any) -> Any:
    try:
        return call()
    except Exception as error:  # each file system raises its own errors
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, FileNotFoundError):
            text = "No such file or directory"
        raise ReadError(f"cannot read {url}: {text}") from error
