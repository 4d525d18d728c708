"""Open vectors files, plain or compressed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO

from fastw2v.base.compression import open_unpacked
from fastw2v.errors import ModelFormatError, ReadError, reading

# Initial allocation for a matrix whose announced size cannot be checked against the file size.
UNCHECKED_BYTES = 1 << 24


@dataclass(frozen=True)
class OpenedFile:
    """A file opened at its start.  n_bytes: its size, None if unknown (compressed)."""

    file: BinaryIO
    n_bytes: int | None

    def rows_to_expect(self, n_rows: int, row_bytes: int) -> int:
        """Return how many of the announced rows to allocate at first."""
        if self.n_bytes is not None:
            return n_rows
        return min(n_rows, max(1, UNCHECKED_BYTES // row_bytes))


@contextmanager
def open_vectors(path: str | PathLike[str]) -> Iterator[OpenedFile]:
    """Open a file, decompressing it if needed.

    Raises ReadError, MissingPackageError, or ModelFormatError if the compressed data is damaged or
    truncated.
    """
    name = os.fspath(path)
    with reading(name):
        if stat.S_ISFIFO(os.stat(name).st_mode):
            raise ReadError(f"cannot read {name}: it is a pipe; vectors are read from files only")
    with open_unpacked(name, ModelFormatError) as (file, n_bytes):
        yield OpenedFile(file, n_bytes)
