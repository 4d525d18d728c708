"""Vectors files opened for reading, plain or compressed."""

import bz2
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, BinaryIO, cast

from fastw2v.errors import ModelFormatError, ReadError, reading

# First bytes that such a file cannot lack, and that no vectors file begins with.
_MAGIC: list[tuple[re.Pattern[bytes], Callable[[BinaryIO], Any]]] = [
    (re.compile(rb"\x1f\x8b\x08"), lambda file: gzip.GzipFile(fileobj=file)),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.BZ2File),
    (re.compile(rb"\xfd7zXZ\x00"), lzma.LZMAFile),
]
_MAGIC_BYTES = 10
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
    """Open a file, decompressing .gz, .bz2 and .xz by their content.

    Raises ReadError, or ModelFormatError for compressed data that is damaged or cut off.
    """
    name = os.fspath(path)
    with reading(name), open(name, "rb") as raw:
        if not raw.seekable():
            raise ReadError(f"cannot read {name}: it is a pipe, and vectors are read from files")
        head = raw.read(_MAGIC_BYTES)
        raw.seek(0)
        opener = next((opener for magic, opener in _MAGIC if magic.match(head)), None)
        if opener is None:
            yield OpenedFile(raw, os.fstat(raw.fileno()).st_size)
            return
        try:
            with opener(raw) as file:
                yield OpenedFile(cast(BinaryIO, io.BufferedReader(file)), None)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise _damaged(name, error) from error
        except OSError as error:  # what bz2 raises has no number
            if error.errno is not None:
                raise
            raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ModelFormatError:
    return ModelFormatError(f"{name}: the compressed data is damaged or cut off: {error}")
