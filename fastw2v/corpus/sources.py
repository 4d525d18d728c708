"""Resolve corpus paths and read their bytes."""

import glob
import io
import os
import re
import select
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, Any, NamedTuple, NoReturn

from fastw2v.base.checks import check_path, shown
from fastw2v.base.compression import unpacked, zstd_module
from fastw2v.base.content import (
    HEAD_BYTES,
    PARQUET_MAGIC,
    SUFFIXES,
    compression_of,
    mark_bytes,
    not_text,
)
from fastw2v.corpus.remote import RemoteFile, find_remote, read_some
from fastw2v.errors import CorpusError, ReadError, UsageError, reading

PathLike = str | os.PathLike[str]
Paths = PathLike | Iterable[PathLike]

STDIN = "-"
PIECE_BYTES = 1 << 20  # bytes of a stream read at a time
FILE_BUFFER_BYTES = 1 << 18  # compressed bytes read at a time
# A process may open 1,024 files by default. Files beyond this many are closed and opened again.
MAX_HELD_FILES = 100
POLL_SECONDS = 0.1  # interval at which a reader that waits for a pipe checks `stop`

# s3://bucket/text.gz, memory://text, simplecache::https://host/text
URL = re.compile(r"[A-Za-z][\w+.-]+(::[A-Za-z][\w+.-]+)*://")

PARQUET = "parquet"  # a table instead of text, read by its own reader


class Stopped(Exception):
    """Another thread has stopped the reading."""


class FileState(NamedTuple):
    """What changes when a file is replaced or written to."""

    device: int
    inode: int
    n_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "FileState | None":
        """Return the state of a regular file, or None for a pipe or device."""
        if not stat.S_ISREG(status.st_mode):
            return None
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Source(os.PathLike[str]):
    """A file, pipe, standard input or URL; accepted wherever a path is.

    n_bytes: size; None if unknown.  compression: its name, "" for none, None if unknown before
    reading.  remote: the file of a URL.
    open_file: the open file, which ensures that the file read is the file that was checked. It is
    closed after the first read; later reads open the path again.
    state: of a regular file when it was found.  content: what a plain file is, if it is not text.
    text_start: offset in a plain file of the text after a UTF-8 byte order mark.
    allow_binary: whether any bytes are accepted as text.
    """

    path: str
    n_bytes: int | None
    compression: str | None
    remote: RemoteFile | None = None
    open_file: "OpenFile | None" = field(default=None, compare=False, repr=False)
    state: FileState | None = None
    content: str = ""
    text_start: int = 0
    allow_binary: bool = False

    def __fspath__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """The name in messages."""
        return "standard input" if self.path == STDIN else self.path

    @property
    def is_plain_file(self) -> bool:
        """Whether any range of its text can be read independently."""
        return bool(self.n_bytes) and self.compression == "" and self.remote is None

    def open(self) -> IO[bytes]:
        """Open the file or URL for reading; raise OSError on failure."""
        open_file = self.open_file.take() if self.open_file else None
        if isinstance(open_file, int):
            return open(open_file, "rb", buffering=0)
        if open_file is not None:
            return open_file
        if self.remote:
            return self.remote.open()
        file = open(self.path, "rb", buffering=0)  # noqa: SIM115 - the caller closes it
        try:
            self.check_unchanged(file.fileno())
        except CorpusError:
            file.close()
            raise
        return file

    @contextmanager
    def descriptor(self) -> Iterator[int]:
        """Open a plain file; any number of threads may read ranges of it concurrently."""
        if self.open_file is not None and isinstance(self.open_file.file, int):
            yield self.open_file.file
        else:
            with open(self.path, "rb", buffering=0) as file:
                self.check_unchanged(file.fileno())
                yield file.fileno()

    def check_unchanged(self, file: int | None = None) -> None:
        """Raise CorpusError if the file is not in the state in which it was found.

        file: its descriptor; None for what the path names now.
        """
        if self.state is None:
            return
        try:
            found = FileState.of(os.stat(self._place if file is None else file))
        except OSError:
            found = None
        if found == self.state:
            return
        n_before = self.state.n_bytes
        if found is None or found[:2] != self.state[:2]:
            change = "replaced or deleted"
        elif found.n_bytes != n_before:
            verb = "shortened" if found.n_bytes < n_before else "extended"
            change = f"{verb} from {n_before} to {found.n_bytes} bytes"
        else:
            change = "overwritten"
        raise CorpusError(
            f"{self.name} was {change} while it was read; start again once it no longer changes"
        )

    @property
    def _place(self) -> int | str:
        """The descriptor or path to ask for the state."""
        return sys.stdin.fileno() if self.path == STDIN else self.path

    def check_content(self, content: str) -> None:
        """Raise CorpusError if content, as not_text() returns it, names anything."""
        if content and not self.allow_binary:
            self._refuse(content)

    def check_nul(self, text: bytes | bytearray, n_bytes: int, offset: int) -> None:
        """Raise CorpusError if one of the first n_bytes, which begin at offset, is NUL."""
        position = -1 if self.allow_binary else text.find(b"\0", 0, n_bytes)
        if position >= 0:
            self.check_unchanged()
            where = " after decompression" if self.compression else ""
            self._refuse(f"byte {offset + position}{where} is NUL, which text does not contain")

    def _refuse(self, problem: str) -> NoReturn:
        raise CorpusError(f"{self.name}: {problem} (set allow_binary to read it as text)")

    def close(self) -> None:
        """Close the open file, if any."""
        if self.open_file is not None:
            self.open_file.close()


class OpenFile:
    """An open descriptor or remote file, closed at garbage collection unless it was taken."""

    def __init__(self, file: int | IO[bytes]) -> None:
        self.file: int | IO[bytes] | None = file

    def take(self) -> int | IO[bytes] | None:
        """Return the file and pass its ownership to the caller; None if it was already taken."""
        file, self.file = self.file, None
        return file

    def close(self) -> None:
        """Close the file, unless it was taken."""
        file = self.take()
        if isinstance(file, int):
            os.close(file)
        elif file is not None:
            file.close()

    __del__ = close


def find_sources(paths: Paths) -> list[Source]:
    """Resolve paths and globs, in order, and check that each file can be opened.

    paths: one or more paths. `*?[` are wildcards unless a file with exactly that name exists;
    they match only files, in sorted order. "-" is standard input; URLs are opened by fsspec. A
    Source is returned unchanged.
    Raises ReadError for a missing or unreadable file or a directory, UsageError if there is no
    path or "-" is given twice.
    """
    try:
        given = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
    except TypeError:
        raise UsageError(
            f"a corpus must be a path or a list of paths, got {shown(paths)}"
        ) from None
    for path in given:
        if not isinstance(path, Source):
            check_path("a corpus", path)
    found: list[Source] = []
    for path in given:
        for source in [path] if isinstance(path, Source) else _expand(os.fspath(path)):
            found.append(source)
            if len(found) > MAX_HELD_FILES:
                source.close()
    if not found:
        raise UsageError("no corpus path was given")
    if sum(source.path == STDIN for source in found) > 1:
        raise UsageError("'-' (standard input) is given twice, but can be read only once")
    return found


def is_url(path: str) -> bool:
    """Return whether a path has the form of a URL for fsspec."""
    return URL.match(path) is not None


def _expand(path: str) -> Iterator[Source]:
    if path == STDIN:
        yield Source(path, None, None)
    elif is_url(path) and not os.path.lexists(path):
        yield from map(_checked_remote, find_remote(path))
    elif not glob.has_magic(path) or os.path.lexists(path):
        yield _checked(path)
    else:
        found = glob.glob(path, recursive=True)
        matches = sorted(match for match in found if not os.path.isdir(match))
        if not matches:
            raise ReadError(f"no file matches {path}")
        yield from map(_checked, matches)


def _checked(path: str) -> Source:
    """Return the source of a path; read only its first bytes."""
    with reading(path):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ReadError(f"cannot read {path}: it is a directory; did you mean {path}/* ?")
        if not stat.S_ISREG(status.st_mode):
            return Source(path, None, None)
        fd = os.open(path, os.O_RDONLY)
        open_file = OpenFile(fd)
        status = os.fstat(fd)
        head = os.pread(fd, HEAD_BYTES, 0)
        compression = _compression(head, path)
    return Source(
        path,
        status.st_size,
        compression,
        open_file=open_file,
        state=FileState.of(status),
        content="" if compression else not_text(head),
        text_start=0 if compression else mark_bytes(head),
    )


def _checked_remote(remote: RemoteFile) -> Source:
    with reading(remote.url):
        file = remote.open()
        open_file = OpenFile(file)
        compression = _compression(file.read(HEAD_BYTES), remote.url)
        file.seek(0)
    return Source(remote.url, remote.n_bytes, compression, remote, open_file)


def _compression(head: bytes, path: str) -> str:
    if head.startswith(PARQUET_MAGIC):
        return PARQUET
    compression = compression_of(head)
    if not (compression or not_text(head)):
        compression = SUFFIXES.get(os.path.splitext(path)[1].lower(), "")
    if compression == "zstd":
        zstd_module(path)
    return compression


class SourceReader:
    """Reads the text of one source, decompressed, from start to end."""

    def __init__(self, source: Source, stop: threading.Event) -> None:
        """Open the source; once `stop` is set, reads raise Stopped."""
        self._n_bytes = 0
        self._rest = b""  # read already
        with reading(source.name):
            self._raw = _RawFile(source, stop)
            compression = source.compression
            if compression is None:
                compression = _compression(self._raw.peek(HEAD_BYTES), source.path)
        if compression == PARQUET:
            raise ReadError(
                f"cannot read {source.name}: Parquet can be read only from files, not from pipes"
            )
        # Standard input can be a regular file, too.
        is_stdin = source.path == STDIN
        state = FileState.of(os.fstat(sys.stdin.fileno())) if is_stdin else source.state
        self._source = replace(source, compression=compression, state=state)
        file = io.BufferedReader(self._raw, FILE_BUFFER_BYTES)
        self._text, self._damage = unpacked(compression, file, source.name)

    @property
    def name(self) -> str:
        """The name of the source in messages."""
        return self._source.name

    @property
    def n_raw_bytes(self) -> int:
        """The number of bytes read from the file so far, before decompression."""
        return self._raw.n_bytes

    def read(self, n_bytes: int = PIECE_BYTES) -> bytes:
        """Return the next piece of text, up to n_bytes; b"" at the end.

        Raises ReadError, or CorpusError if it is not text or the file has changed at its end.
        """
        if self._n_bytes == 0:
            head = self._read_more(max(n_bytes, HEAD_BYTES))
            self._rest = head[mark_bytes(head) :]
        text, self._rest = self._rest[:n_bytes], self._rest[n_bytes:]
        return text or self._read_more(n_bytes)

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()

    def _read_more(self, n_bytes: int) -> bytes:
        """Return the next n_bytes, or fewer at the end."""
        try:
            text = self._text.read(n_bytes)
        except self._damage as error:
            self._source.check_unchanged()
            raise self._read_error(error) from error
        if not text:
            self._source.check_unchanged()
        if self._n_bytes == 0:
            self._source.check_content(not_text(text[:HEAD_BYTES]))
        self._source.check_nul(text, len(text), self._n_bytes)
        self._n_bytes += len(text)
        return text

    def _read_error(self, error: Exception) -> ReadError:
        prefix = f"cannot read {self._source.name} after {self._n_bytes} bytes of text: "
        if isinstance(error, EOFError):
            return ReadError(f"{prefix}the {self._source.compression} data is truncated")
        if self._source.compression and getattr(error, "errno", None) is None:
            return ReadError(f"{prefix}the {self._source.compression} data is damaged: {error}")
        return ReadError(f"{prefix}{getattr(error, 'strerror', None) or error}")


class _RawFile(io.RawIOBase):
    """An open file that counts the bytes read and raises Stopped once `stop` is set."""

    def __init__(self, source: Source, stop: threading.Event) -> None:
        self.n_bytes = 0
        self._head = b""
        self._ended = False
        self._stop = stop
        self._polled = source.n_bytes is None and source.remote is None
        self._owned = False  # until it is open: close() is called even if opening fails
        self._file = _standard_input() if source.path == STDIN else source.open()
        self._owned = source.path != STDIN
        self._read_some = partial(read_some, self._file) if source.remote else self._file.read

    def readable(self) -> bool:
        return True

    def peek(self, n_bytes: int) -> bytes:
        """Return the first bytes without consuming them."""
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
            # A pipe may never deliver data; select() never waits for a regular file.
            if not self._polled or select.select([self._file], [], [], POLL_SECONDS)[0]:
                data = self._read_some(n_bytes)
                self.n_bytes += len(data)
                self._ended = not data
                return data
        raise Stopped

    def close(self) -> None:
        if self._owned:
            self._file.close()
        super().close()


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:
        raise ReadError("cannot read standard input: it is closed")
    return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
