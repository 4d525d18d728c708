"""Open vectors files, plain or compressed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO

from fastw2v.base.compression import open_unpacked
from fastw2v.base.content import HEAD_BYTES, mark_bytes, not_vectors
from fastw2v.errors import ModelFormatError, ReadError, reading

# Initial allocation for a matrix whose announced size cannot be checked against the file size.
UNCHECKED_BYTES = 1 << 24


@dataclass(frozen=True)
class OpenedFile:
    """A file opened at its start.

    n_bytes: its size, None if unknown (compressed).  start: offset of the first byte after a
    UTF-8 byte order mark.
    """

    file: BinaryIO
    n_bytes: int | None
    start: int = 0

    def rewind(self) -> None:
        """Return to the start."""
        self.file.seek(self.start)

    def rows_to_expect(self, n_rows: int, row_bytes: int) -> int:
        """Return how many of the announced rows to allocate at first."""
        if self.n_bytes is not None:
            return n_rows
        return min(n_rows, max(1, UNCHECKED_BYTES // row_bytes))


def refuse_pipe(name: str) -> None:
    """Raise ReadError for a pipe, which would be waited for."""
    with reading(name):
        if stat.S_ISFIFO(os.stat(name).st_mode):
            raise ReadError(f"cannot read {name}: it is a pipe; vectors are read from files only")


@contextmanager
def open_vectors(path: str | PathLike[str]) -> Iterator[OpenedFile]:
    """Open a file, decompressing it if needed, after its UTF-8 byte order mark, if it has one.

    Raises ReadError, MissingPackageError, or ModelFormatError if the compressed data is damaged or
    truncated, or if the content is known and cannot be vectors.
    """
    name = os.fspath(path)
    refuse_pipe(name)
    with open_unpacked(name, ModelFormatError) as (file, n_bytes):
        head = file.peek(HEAD_BYTES)[:HEAD_BYTES]
        if found := not_vectors(head):
            raise ModelFormatError(f"{name}: {found}")
        start = len(file.read(mark_bytes(head)))
        yield OpenedFile(file, None if n_bytes is None else n_bytes - start, start)
