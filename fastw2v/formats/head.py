"""The beginning of a vectors file, for detecting its format."""

import io
import os
from dataclasses import dataclass
from functools import cached_property

from fastw2v.formats.header import MAX_HEADER_BYTES, parse_header
from fastw2v.formats.opened import OpenedFile

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
    def shape(self) -> tuple[int, int] | None:
        """(n_words, dim) if the first line is a header of the word2vec formats."""
        first = self.lines[0]
        return parse_header(first) if len(first) <= MAX_HEADER_BYTES else None
