"""Files with one line per word, `word value value ...`: shared by the three text formats."""

import os
from os import PathLike

from fastw2v.base.compression import write_packed
from fastw2v.base.content import check_start
from fastw2v.errors import ModelFormatError
from fastw2v.formats.head import MAX_ROW_BYTES, first_line
from fastw2v.formats.header import read_header
from fastw2v.formats.opened import UNCHECKED_BYTES, OpenedFile, open_vectors
from fastw2v.formats.records import Format
from fastw2v.formats.text_rows import Layout, RowReader, row_text
from fastw2v.formats.word_vectors import WordVectors, decode_words, drop_repeated, encode_words

MIN_VALUE_BYTES = 2  # a space and a digit
PLAIN = Layout()


def write_lines(
    path: str | PathLike[str],
    word_vectors: WordVectors,
    format: Format,
    *,
    header: bool,
    layout: Layout = PLAIN,
) -> None:
    """Write one line per word, each value with the fewest digits that restore its float32."""
    words = encode_words(os.fspath(path), word_vectors.words, format)
    if not header:
        check_start(os.fspath(path), b"".join(words[:1]))
    with write_packed(path) as file:
        if header:
            file.write(b"%d %d\n" % word_vectors.vectors.shape)
        for block in row_text(word_vectors.vectors, words, layout):
            file.write(block)


def read_lines(
    path: str | PathLike[str],
    *,
    header: bool,
    limit: int | None = None,
    encoding: str = "utf-8",
    errors: str = "surrogateescape",
) -> WordVectors:
    """Read one line per word; spaces or a carriage return at the end of a line are ignored.

    A word is everything before the last dim fields, so it may contain spaces.
    The file may be compressed.
    header: whether the first line is `n_words dim`.  Without it, rows are read to the end.
    limit: maximum number of rows to read; None reads all.
    encoding, errors: how to decode the words.
    Raises ReadError, or ModelFormatError naming the file and the line.
    """
    name = os.fspath(path)
    with open_vectors(name) as opened:
        if header:
            n_rows, dim = read_header(name, opened, MIN_VALUE_BYTES)
            n_wanted: int | None = n_rows if limit is None else min(n_rows, limit)
            n_expected = opened.rows_to_expect(n_wanted or 0, 4 * dim)
        else:
            n_wanted = limit
            n_expected, dim = _first_row(name, opened, limit)
        reader = RowReader(name, opened.file, dim, PLAIN, first_line=2 if header else 1)
        words, vectors = reader.read(
            n_wanted,
            n_expected=n_expected,
            announced=header,
            to_the_end=header and limit is None,
        )
    found = decode_words(words, encoding, errors)
    return drop_repeated(name, WordVectors(found, vectors, is_finite=reader.is_finite))


def _first_row(name: str, opened: OpenedFile, limit: int | None) -> tuple[int, int]:
    """Return (rows to expect, dim) of a file without a header, and rewind it."""
    first = first_line(name, opened.file)
    dim = first.rstrip(b" \r\n").count(b" ")
    if dim < 1 or _is_header(first, opened.file.readline(MAX_ROW_BYTES)):
        raise ModelFormatError(f"{name}: line 1 must be `word value value ...`, got {first[:40]!r}")
    opened.rewind()
    n_guessed = (opened.n_bytes or UNCHECKED_BYTES) // len(first) + 1
    return n_guessed if limit is None else min(n_guessed, limit), dim


def _is_header(first: bytes, second: bytes) -> bool:
    """Return whether the first line is a header, such as `n_words dim` or `n_words dim more`."""
    numbers = first.split()
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers):
        return False
    n_values = len(second.split()) - 1
    is_first_row = n_values in (-1, len(numbers) - 1) and numbers[1] != b"%d" % n_values
    return len(numbers) == 2 or not is_first_row
