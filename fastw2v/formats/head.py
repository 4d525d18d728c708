"""The beginning of a vectors file, from which its format is found out."""

import io
import os
from dataclasses import dataclass
from functools import cached_property

from fastw2v.formats.header import MAX_HEADER_BYTES, parse_header
from fastw2v.formats.opened import OpenedFile

# A first row longer than this (a million values) is judged by its beginning.
MAX_ROW_BYTES = 16 << 20


@dataclass(frozen=True)
class Head:
    """What the formats look at.

    path: a file or folder.  opened: the file, unpacked; empty for a folder.
    """

    path: str
    opened: OpenedFile = OpenedFile(io.BytesIO(), 0)  # noqa: RUF009 - nothing is read from it

    @property
    def suffix(self) -> str:
        """The suffix of the path, in lower case."""
        return os.path.splitext(self.path)[1].lower()

    @cached_property
    def start(self) -> bytes:
        """The first 16 bytes, or all of a shorter file."""
        self.opened.file.seek(0)
        return self.opened.file.read(16)

    @cached_property
    def lines(self) -> tuple[bytes, bytes]:
        """The first two lines with their newlines, each up to MAX_ROW_BYTES."""
        file = self.opened.file
        file.seek(0)
        return file.readline(MAX_ROW_BYTES), file.readline(MAX_ROW_BYTES)

    @cached_property
    def shape(self) -> tuple[int, int] | None:
        """(n_words, dim) if the first line is a header of the word2vec formats."""
        first = self.lines[0]
        return parse_header(first) if len(first) <= MAX_HEADER_BYTES else None
