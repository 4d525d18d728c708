"""The beginning of a vectors file, for detecting its format."""

import io
import os
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from fastw2v.errors import ModelFormatError
from fastw2v.formats.header import MAX_HEADER_BYTES, parse_header
from fastw2v.formats.opened import OpenedFile
from fastw2v.formats.text_rows import SAMPLE_BYTES

# Only this much of a row is read, enough for about a million values.
MAX_ROW_BYTES = 16 << 20


@dataclass(frozen=True)
class Head:
    """The beginning of a file, as the looks_like functions see it.

    path: a file or folder.  opened: the decompressed file; empty for a folder.
    """

    path: str
    opened: OpenedFile = OpenedFile(io.BytesIO(), 0)  # noqa: RUF009 - nothing is read from it

    @property
    def suffix(self) -> str:
        """The lower-case suffix of the path."""
        return os.path.splitext(self.path)[1].lower()

    @cached_property
    def first_bytes(self) -> bytes:
        """The first 16 bytes, or the whole file if it is shorter."""
        self.opened.rewind()
        return self.opened.file.read(16)

    @cached_property
    def lines(self) -> tuple[bytes, bytes]:
        """The first two lines with their newlines, each at most MAX_ROW_BYTES long."""
        self.opened.rewind()
        file = self.opened.file
        return file.readline(MAX_ROW_BYTES), file.readline(MAX_ROW_BYTES)

    @cached_property
    def sample(self) -> bytes:
        """The beginning of what follows the first line."""
        self.opened.file.seek(len(self.lines[0]))
        return self.opened.file.read(SAMPLE_BYTES)

    @cached_property
    def shape(self) -> tuple[int, int] | None:
        """(n_words, dim) if the first line is a header of the word2vec formats."""
        first = self.lines[0]
        return parse_header(first) if len(first) <= MAX_HEADER_BYTES else None


def first_line(name: str, file: BinaryIO) -> bytes:
    """Return the first line of rows without a header.

    Raises ModelFormatError if it has more than MAX_ROW_BYTES.
    """
    line = file.readline(MAX_ROW_BYTES)
    if len(line) == MAX_ROW_BYTES and not line.endswith(b"\n"):
        raise ModelFormatError(f"{name}: line 1: longer than {MAX_ROW_BYTES:,} bytes")
    return line
