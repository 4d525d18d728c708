"""What the corpus paths stand for, and the bytes in them."""

import glob
import io
import os
import select
import stat
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from fastw2v.base.compression import MAGIC_BYTES, SUFFIXES, compression_of, unpacked, zstd_module
from fastw2v.corpus.remote import RemoteFile, find_remote, is_url, read_some
from fastw2v.errors import ReadError, UsageError, reading

PathLike = str | os.PathLike[str]
Paths = PathLike | Iterable[PathLike]

STDIN = "-"
PIECE_BYTES = 1 << 20  # what a stream is read by
FILE_BUFFER_BYTES = 1 << 18  # compressed bytes fetched at once
POLL_SECONDS = 0.1  # how soon a reader that waits for a pipe sees that it should stop

PARQUET = "parquet"  # a table, not a text, so it has a reader of its own
PARQUET_MAGIC = b"PAR1\x15"


class Stopped(Exception):
    """Reading was called off by another thread."""


@dataclass(frozen=True)
class Source:
    """A file, a pipe, standard input or a URL.  n_bytes: size, None where there is none."""

    path: str
    n_bytes: int | None
    compression: str | None  # None: not known before it is read
    remote: RemoteFile | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path == STDIN else self.path

    @property
    def is_plain_file(self) -> bool:
        """Whether any range of its text can be read on its own."""
        return bool(self.n_bytes) and self.compression == "" and self.remote is None

    def open(self) -> IO[bytes]:
        """Open a file or URL to read; raise OSError if that fails."""
        return self.remote.open() if self.remote else open(self.path, "rb")


def find_sources(paths: Paths) -> list[Source]:
    """Resolve paths and globs, in order, and check that each can be opened.

    paths: one path or many; `*?[` are wildcards unless a file has that very name, and match
    files only, sorted; "-" is standard input, and URLs are what fsspec can open.
    Raises ReadError for what is missing, a directory or unreadable, UsageError for no path.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found = [source for path in given for source in _expand(os.fspath(path))]
    if not found:
        raise UsageError("no corpus path was given")
    if sum(source.path == STDIN for source in found) > 1:
        raise UsageError("'-' (standard input) is given twice, but can be read only once")
    return found


def _expand(path: str) -> list[Source]:
    if path == STDIN:
        return [Source(path, None, None)]
    if is_url(path) and not os.path.lexists(path):
        return [_checked_remote(remote) for remote in find_remote(path)]
    if not glob.has_magic(path) or os.path.lexists(path):
        return [_checked(path)]
    matches = sorted(match for match in glob.glob(path, recursive=True) if not os.path.isdir(match))
    if not matches:
        raise ReadError(f"no file matches {path}")
    return [_checked(match) for match in matches]


def _checked(path: str) -> Source:
    """Look at a path without reading past its first bytes."""
    with reading(path):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ReadError(f"cannot read {path}: it is a directory; did you mean {path}/* ?")
        if not stat.S_ISREG(status.st_mode):
            return Source(path, None, None)
        with open(path, "rb", buffering=0) as file:
            compression = _compression(file.read(MAGIC_BYTES), path)
    if compression == "zstd":
        zstd_module(path)
    return Source(path, status.st_size, compression)


def _checked_remote(remote: RemoteFile) -> Source:
    with reading(remote.url), remote.open() as file:
        compression = _compression(file.read(MAGIC_BYTES), remote.url)
    if compression == "zstd":
        zstd_module(remote.url)
    return Source(remote.url, remote.n_bytes, compression, remote)


def _compression(head: bytes, path: str) -> str:
    if head.startswith(PARQUET_MAGIC):
        return PARQUET
    return compression_of(head) or SUFFIXES.get(os.path.splitext(path)[1].lower(), "")


class SourceReader:
    """The text of one source from its start to its end, decompressed."""

    def __init__(self, source: Source, stop: threading.Event) -> None:
        """Open it; a set `stop` ends any read with Stopped."""
        self._source = source
        self._n_bytes = 0
        with reading(source.name):
            self._raw = _RawFile(source, stop)
            compression = source.compression
            if compression is None:
                compression = _compression(self._raw.peek(MAGIC_BYTES), source.path)
        if compression == PARQUET:
            raise ReadError(
                f"cannot read {source.name}: Parquet is read from files, not from pipes"
            )
        self._compression = compression
        file = io.BufferedReader(self._raw, FILE_BUFFER_BYTES)
        self._text, self._damage = unpacked(compression, file, source.name)

    @property
    def n_raw_bytes(self) -> int:
        """Bytes taken from the file so far, before decompression."""
        return self._raw.n_bytes

    def read(self, n_bytes: int = PIECE_BYTES) -> bytes:
        """Return the next piece of text, of up to n_bytes, b"" at the end."""
        try:
            piece = self._text.read(n_bytes)
        except self._damage as error:
            raise self._read_error(error) from error
        self._n_bytes += len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()

    def _read_error(self, error: Exception) -> ReadError:
        start = f"cannot read {self._source.name} after {self._n_bytes} bytes of text: "
        if isinstance(error, EOFError):
            return ReadError(f"{start}the {self._compression} data is truncated")
        if self._compression and getattr(error, "errno", None) is None:
            return ReadError(f"{start}the {self._compression} data is damaged: {error}")
        return ReadError(f"{start}{getattr(error, 'strerror', None) or error}")


class _RawFile(io.RawIOBase):
    """An open file that counts its bytes, and gives up when told to stop."""

    def __init__(self, source: Source, stop: threading.Event) -> None:
        self.n_bytes = 0
        self._head = b""
        self._ended = False
        self._stop = stop
        self._remote = source.remote.open() if source.remote else None
        self._polled = source.n_bytes is None and self._remote is None
        self._owned = source.path != STDIN and self._remote is None
        self._fd = _descriptor(source) if self._remote is None else -1

    def readable(self) -> bool:
        return True

    def peek(self, n_bytes: int) -> bytes:
        """Return the first bytes, which will be read again."""
        while len(self._head) < n_bytes and (more := self._read(n_bytes - len(self._head))):
            self._head += more
        return self._head

    def readinto(self, buffer: Any) -> int:
        data, self._head = self._head or self._read(len(buffer)), b""
        buffer[: len(data)] = data
        return len(data)

    def _read(self, n_bytes: int) -> bytes:
        if self._ended:  # a terminal would wait for a second Ctrl-D
            return b""
        while not self._stop.is_set():
            # A pipe may stay silent for ever; a file never makes select() wait.
            if not self._polled or select.select([self._fd], [], [], POLL_SECONDS)[0]:
                remote = self._remote
                data = read_some(remote, n_bytes) if remote else os.read(self._fd, n_bytes)
                self.n_bytes += len(data)
                self._ended = not data
                return data
        raise Stopped

    def close(self) -> None:
        if self._remote:
            self._remote.close()
        elif self._owned and not self.closed:
            os.close(self._fd)
        super().close()


def _descriptor(source: Source) -> int:
    if source.path != STDIN:
        return os.open(source.path, os.O_RDONLY)
    if sys.stdin is None:
        raise ReadError("cannot read standard input: it is closed")
    return sys.stdin.fileno()
