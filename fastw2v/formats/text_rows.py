"""Parsing rows of text, `word value value ...`, many at a time and with their line numbers."""

import warnings
from collections.abc import Sequence
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import ModelFormatError

# Lines parsed at once: large enough that the calls cost nothing, small beside the matrix.
BLOCK_BYTES = 4 << 20
# All that a number may consist of, `nan`, `inf` and `infinity` included.
NUMBER_BYTES = b"0123456789+-.eEnNaAiIfFtTyY"


def is_number_text(values: bytes) -> bool:
    """Say whether nothing but number characters and single spaces stands in the bytes."""
    return b"  " not in values and not values.translate(None, NUMBER_BYTES + b" ")


class RowReader:
    """Reads rows from an open file and knows at which line it is.

    spaces_in_words: whether a word is all that stands before the last dim fields.
    first_line: the number of the next line in the file, for messages.
    """

    def __init__(
        self, name: str, file: BinaryIO, dim: int, *, spaces_in_words: bool, first_line: int
    ) -> None:
        self.name = name
        self.file = file
        self.dim = dim
        self.spaces_in_words = spaces_in_words
        self.line_number = first_line

    def read(self, n_rows: int, *, to_the_end: bool) -> tuple[list[bytes], NDArray[np.float32]]:
        """Return the next n_rows words and their (n_rows, dim) values.

        to_the_end: whether anything but blank lines after them is an error.
        Raises ModelFormatError naming the file and the line.
        """
        words: list[bytes] = []
        vectors = np.empty((n_rows, self.dim), np.float32)
        lines: list[bytes] = []
        while len(words) < n_rows:
            n_left = n_rows - len(words)
            lines = lines or self.file.readlines(BLOCK_BYTES)
            block, lines = lines[:n_left], lines[n_left:]
            if not block:
                self._complain(0, f"the file ends after {len(words)} of {n_rows} vectors")
            vectors[n_rows - n_left :][: len(block)] = self._parse_block(block, words)
            self.line_number += len(block)
        while to_the_end and (lines := lines or self.file.readlines(BLOCK_BYTES)):
            if lines.pop(0).strip():
                self._complain(0, f"the file goes on after {n_rows} vectors")
            self.line_number += 1
        return words, vectors

    def _parse_block(self, lines: Sequence[bytes], words: list[bytes]) -> NDArray[np.float32]:
        """Append the words of the lines to `words` and return their (n_lines, dim) values."""
        rows: list[bytes] = []
        for line in lines:
            word, values = self._split(line, len(rows))
            words.append(word)
            rows.append(values)
        numbers = _parse_numbers(b" ".join(rows))
        if numbers is None or len(numbers) != len(rows) * self.dim:
            for row, values in enumerate(rows):
                single = _parse_numbers(values)
                if single is None or len(single) != self.dim:
                    self._complain(row, f"not {self.dim} numbers: {values[:60]!r}")
        assert numbers is not None
        return numbers.reshape(len(rows), self.dim)

    def _split(self, line: bytes, row: int) -> tuple[bytes, bytes]:
        """Return the word of a line and the text of its dim values."""
        if not line.endswith(b"\n"):
            self._complain(row, "no newline at its end: the file was cut off (or add the newline)")
        text = line.rstrip(b" \r\n")
        n_values = text.count(b" ")
        if n_values == self.dim:
            word, _, values = text.partition(b" ")
        elif n_values > self.dim and self.spaces_in_words:
            word, *fields = text.rsplit(b" ", self.dim)
            values = b" ".join(fields)
        else:
            self._complain(row, f"a word and {self.dim} values expected, got {n_values} values")
        return word, values

    def _complain(self, row: int, problem: str) -> NoReturn:
        """Raise ModelFormatError for a row counted from the current line."""
        raise ModelFormatError(f"{self.name}: line {self.line_number + row}: {problem}")


def _parse_numbers(text: bytes) -> NDArray[np.float32] | None:
    """Return the numbers in the text, or None if anything else stands in it."""
    if not is_number_text(text):
        return None
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("error")  # before NumPy 2.3 unmatched text is only a warning
        try:
            return np.fromstring(text, np.float32, sep=" ")
        except (ValueError, DeprecationWarning):
            return None
