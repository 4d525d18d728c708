"""Vectors files opened for reading, plain or compressed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO

from fastw2v.base.compression import open_unpacked
from fastw2v.errors import ModelFormatError, ReadError, reading

# A matrix whose size cannot be checked against that of the file starts with so many bytes.
UNCHECKED_BYTES = 1 << 24


@dataclass(frozen=True)
class OpenedFile:
    """A file at its start.  n_bytes: its size, None where it is not known before it is read."""

    file: BinaryIO
    n_bytes: int | None

    def rows_to_expect(self, n_rows: int, row_bytes: int) -> int:
        """Return how many of the rows announced to make room for at once."""
        if self.n_bytes is not None:
            return n_rows
        return min(n_rows, max(1, UNCHECKED_BYTES // row_bytes))


@contextmanager
def open_vectors(path: str | PathLike[str]) -> Iterator[OpenedFile]:
    """Open a file, unpacking it if its content is compressed.

    Raises ReadError, MissingPackageError, or ModelFormatError for compressed data that is damaged
    or cut off.
    """
    name = os.fspath(path)
    with reading(name):
        if stat.S_ISFIFO(os.stat(name).st_mode):
            raise ReadError(f"cannot read {name}: it is a pipe, and vectors are read from files")
    with open_unpacked(name, ModelFormatError) as (file, n_bytes):
        yield OpenedFile(file, n_bytes)
