"""Rows of text, `word value value ...`, parsed and written in C, one block at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.errors import ModelFormatError
from fastw2v.formats.header import MAX_WORD_BYTES

# Bytes parsed or written per call: large enough to make calls cheap, small enough for the cache.
BLOCK_BYTES = 1 << 20
# Maximum rows, and numbers that C leaves to Python, per call.
CALL_ROWS = 1 << 14
CALL_HARD = 1 << 12
# A longer line is an error: MAX_WORD_BYTES for the word, and this for each value.
MAX_NUMBER_BYTES = 64
# The characters of a number, including `nan`, `inf` and `infinity`.
NUMBER_BYTES = b"0123456789+-.eEnNaAiIfFtTyY"
# What tells binary rows from text: a tenth of the low bytes of floats are control characters.
CONTROL_BYTES = bytes({*range(32), 127} - {*b"\t\n\r"})
SAMPLE_BYTES = 1 << 12
SURE_BYTES = 1 << 8  # this much of binary rows is never without any


@dataclass(frozen=True)
class Layout:
    """The layout of a line.

    separator: one ASCII character.  has_words: whether a line starts with a word.
    separator_at_end: whether to write a separator after the last value.  Readers accept any number
    of them.
    """

    separator: str = " "
    has_words: bool = True
    separator_at_end: bool = False


def is_number_text(values: bytes) -> bool:
    """Return whether the bytes hold only number characters and single spaces."""
    return b"  " not in values and not values.translate(None, NUMBER_BYTES + b" ")


def is_text_row(row: bytes, dim: int) -> bool:
    """Return whether the bytes are a word and dim numbers, or a truncated line of them."""
    values = row.rstrip(b" \r\n").partition(b" ")[2]
    complete = values.count(b" ") + 1 == dim or not row.endswith(b"\n")
    return values != b"" and complete and is_number_text(values)


def is_text(sample: bytes) -> bool:
    """Return whether rows that start with these bytes are text, well-formed or not.

    sample: up to SAMPLE_BYTES; fewer if they are all rows of the file.
    """
    if sample.translate(None, CONTROL_BYTES) != sample:
        return False
    if len(sample) >= SURE_BYTES:
        return True
    line = sample.partition(b"\n")[0]
    values = line.partition(b" ")[2]
    is_blank = b" " in line and not values.strip()  # a word of binary, and a newline in its floats
    return not is_blank and (values.isascii() or _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def row_text(
    rows: NDArray[np.float32], words: Sequence[bytes] | None, layout: Layout
) -> Iterator[memoryview]:
    """Yield the text of the rows in blocks; a block is valid until the next is requested.

    Each value has the fewest digits that restore its float32, like str() of a NumPy scalar.
    rows: (n_rows, dim) float32.  words: n_rows words, or None to write values only.
    """
    if len(rows) == 0 or rows.shape[1] == 0:
        return
    offsets = arena = None
    longest = 0
    if words is not None:
        lengths = [len(word) for word in words]
        longest = max(lengths)
        offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        arena = np.frombuffer(b"".join(words), np.uint8)
    text = memoryview(bytearray(longest + 2 * _core.VALUE_BYTES + BLOCK_BYTES))
    source = _core.RowText(rows, arena, offsets, layout)
    code = _core.ROWS_FULL
    while code != _core.ROWS_DONE:
        code, n_bytes = source.write(text)
        yield text[:n_bytes]
        if code == _core.ROWS_HARD:
            row, column = source.place
            is_last = column + 1 == rows.shape[1]
            end = layout.separator if layout.separator_at_end or not is_last else ""
            value = f"{rows[row, column]!s}{end}" + "\n" * is_last
            yield memoryview(value.encode("ascii"))
            source.skip()


class RowReader:
    """Read rows from an open file and track the line number.

    first_line: the number of the next line in the file, for messages.
    """

    def __init__(
        self, name: str, file: BinaryIO, dim: int, layout: Layout, *, first_line: int
    ) -> None:
        self.name = name
        self.file = file
        self.dim = dim
        self.layout = layout
        self.line_number = first_line
        self._text = b""
        self._position = 0
        self.is_finite = True  # all values so far
        self._max_line_bytes = MAX_WORD_BYTES + MAX_NUMBER_BYTES * dim
        self._spans = np.empty((CALL_ROWS, 2), np.int64)
        self._hard = np.empty((dim + CALL_HARD, 3), np.int64)

    def read(
        self, n_rows: int | None, *, n_expected: int, announced: bool, to_the_end: bool
    ) -> tuple[list[bytes], NDArray[np.float32]]:
        """Return the next n_rows words, or all if None, and their (n_rows, dim) values.

        n_expected: rows to allocate at first.
        announced: whether fewer than n_rows rows are an error.
        to_the_end: whether anything but blank lines after n_rows rows is an error.
        Raises ModelFormatError naming the file and the line.
        """
        words: list[bytes] = []
        vectors = np.empty((n_expected, self.dim), np.float32)
        while n_rows is None or len(words) < n_rows:
            if len(words) == len(vectors):
                n_more = 2 * len(words) + 1
                n_room = n_more if n_rows is None else min(n_more, n_rows)
                vectors.resize((n_room, self.dim), refcheck=False)
            if self._parse(vectors[len(words) :], words) or self._fill():
                continue
            if not announced:
                break
            self._complain(f"the file ends after {len(words)} of {n_rows} vectors")
        if n_rows is not None and to_the_end:
            self._check_end(n_rows)
        return words, vectors[: len(words)]

    def _parse(self, vectors: NDArray[np.float32], words: list[bytes]) -> int:
        """Parse complete lines into the given rows; return the number of rows."""
        text, rows = self._text, vectors[: len(self._spans)]
        code, self._position, n_rows, n_hard = _core.parse_rows(
            text, self._position, rows, self._spans[: len(rows)], self._hard, self.layout
        )
        values = rows.reshape(-1)
        for index, begin, end in self._hard[:n_hard].tolist():
            with np.errstate(over="ignore", under="ignore"):
                values[index] = np.float32(float(text[begin:end]))
        if self.is_finite:
            self.is_finite = bool(np.isfinite(rows[:n_rows]).all())
        if self.layout.has_words:
            words += [text[begin:end] for begin, end in self._spans[:n_rows].tolist()]
        else:
            words += [b""] * n_rows
        self.line_number += n_rows
        if code == _core.ROWS_BAD_LINE and n_rows == 0:
            self._complain_of_line()
        return n_rows

    def _fill(self) -> bool:
        """Append more text to the unparsed rest; return whether there was any."""
        rest = self._text[self._position :]
        if len(rest) > self._max_line_bytes:
            self._complain(f"longer than {self._max_line_bytes:,} bytes")
        more = self.file.read(max(BLOCK_BYTES, len(rest)))
        if not more and rest.strip(b" \r\n"):
            self._complain("no newline at its end: the file is truncated (or add the newline)")
        self._text, self._position = rest + more, 0
        return bool(more)

    def _check_end(self, n_rows: int) -> None:
        """Raise ModelFormatError unless nothing but blank lines is left."""
        rest = self._text[self._position :]
        while rest:
            n_blank = len(rest) - len(rest.lstrip())
            self.line_number += rest[:n_blank].count(b"\n")
            if n_blank < len(rest):
                self._complain(f"the file continues after {n_rows} vectors")
            rest = self.file.read(BLOCK_BYTES)

    def _complain_of_line(self) -> NoReturn:
        """Raise ModelFormatError describing the problem of the current line."""
        line = self._text[self._position :].partition(b"\n")[0]
        separator = self.layout.separator.encode("ascii")
        text = line.rstrip(b" \r" + separator)
        values = text.split(separator)[self.layout.has_words :]
        is_spaced = b"" in values or text.startswith(separator)
        is_word = self.layout.has_words and not is_spaced and not is_number_text(b" ".join(values))
        if len(values) < self.dim or (len(values) > self.dim and not is_word):
            word = "a word and " if self.layout.has_words else ""
            hint = ", with a separator too many" if is_spaced else ""
            hint = ", with tabs instead of spaces" if b"\t" in text and not values else hint
            self._complain(f"expected {word}{self.dim} values, got {len(values)} values{hint}")
        self._complain(f"not {self.dim} numbers: {separator.join(values[-self.dim :])[:60]!r}")

    def _complain(self, problem: str) -> NoReturn:
        """Raise ModelFormatError for the current line."""
        raise ModelFormatError(f"{self.name}: line {self.line_number}: {problem}")
