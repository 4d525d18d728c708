"""Files behind URLs, opened by fsspec where it is installed."""

import glob
from functools import partial
from typing import IO, Any, NamedTuple

from fastw2v.base.optional import import_optional
from fastw2v.errors import ReadError


class RemoteFile(NamedTuple):
    """A file on a file system of fsspec's."""

    url: str
    n_bytes: int | None
    file_system: Any
    path: str

    def open(self) -> IO[bytes]:
        """Open it to read; raise ReadError if that fails."""
        return _called(self.url, partial(self.file_system.open, self.path, "rb"))  # type: ignore[no-any-return]


def find_remote(url: str) -> list[RemoteFile]:
    """Return the file of a URL, or those that its wildcards match, sorted.

    Raises MissingPackageError without fsspec; ReadError if there is no file, a package that fsspec
    needs for this URL is not installed, or the file system answers with an error.
    """
    core = import_optional("fsspec.core", "remote", f"cannot read {url}: a URL")
    file_system, path = _called(url, partial(core.url_to_fs, url))
    if not glob.has_magic(path):
        return [_described(url, file_system, path)]
    found = _called(url, partial(file_system.glob, path, detail=True))
    names = sorted(name for name, about in found.items() if about["type"] == "file")
    if not names:
        raise ReadError(f"no file matches {url}")
    return [_described(file_system.unstrip_protocol(name), file_system, name) for name in names]


def read_some(file: IO[bytes], n_bytes: int) -> bytes:
    """Read up to n_bytes; raise OSError whatever the file system raises."""
    try:
        return file.read(n_bytes)
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _described(url: str, file_system: Any, path: str) -> RemoteFile:
    about = _called(url, partial(file_system.info, path))
    if about.get("type") == "directory":
        raise ReadError(f"cannot read {url}: it is a directory; did you mean {url}/* ?")
    return RemoteFile(url, about.get("size"), file_system, path)


def _called(url: str, call: Any) -> Any:
    try:
        return call()
    except Exception as error:  # every file system has errors of its own
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, FileNotFoundError):
            text = "No such file or directory"
        raise ReadError(f"cannot read {url}: {text}") from error
