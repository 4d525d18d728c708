"""Files of one line a word, `word value value ...`: what the three text formats share."""

import os
from os import PathLike
from typing import BinaryIO

from fastw2v.errors import ModelFormatError, reading
from fastw2v.files.atomic import atomic_write
from fastw2v.formats.header import parse_header, read_header
from fastw2v.formats.text_rows import BLOCK_BYTES, RowReader
from fastw2v.formats.word_vectors import WordVectors
from fastw2v.formats.words import decode_words, drop_repeated, encode_plain_words

MIN_VALUE_BYTES = 2  # a space and a digit


def write_lines(
    path: str | PathLike[str],
    word_vectors: WordVectors,
    *,
    header: bool,
    line_end: bytes = b"\n",
) -> None:
    """Write one line a word, each value in the fewest digits that give back its float32."""
    words = encode_plain_words(os.fspath(path), word_vectors.words)
    with atomic_write(path) as file:
        if header:
            file.write(b"%d %d\n" % word_vectors.vectors.shape)
        for word, row in zip(words, word_vectors.vectors, strict=True):
            file.write(b"%b %b%b" % (word, " ".join(map(str, row)).encode("ascii"), line_end))


def read_lines(
    path: str | PathLike[str],
    *,
    header: bool,
    limit: int | None = None,
    spaces_in_words: bool = False,
    encoding: str = "utf-8",
    errors: str = "surrogateescape",
) -> WordVectors:
    """Read what write_lines writes, also with spaces or a carriage return at the ends of lines.

    header: whether the first line says `n_words dim`; without it, the lines are counted first.
    limit: rows to read at most.  spaces_in_words: a word is all before the last dim fields.
    Raises ReadError, or ModelFormatError naming the file and the line.
    """
    name = os.fspath(path)
    with reading(name), open(name, "rb") as file:
        shape = read_header(name, file, MIN_VALUE_BYTES) if header else _count_shape(name, file)
        n_rows, dim = shape
        n_wanted = n_rows if limit is None else min(n_rows, limit)
        first_line = 2 if header else 1
        reader = RowReader(name, file, dim, spaces_in_words=spaces_in_words, first_line=first_line)
        words, vectors = reader.read(n_wanted, to_the_end=limit is None)
    return drop_repeated(name, WordVectors(decode_words(words, encoding, errors), vectors))


def _count_shape(name: str, file: BinaryIO) -> tuple[int, int]:
    """Return (n_rows, dim) of a file without header, and go back to its start."""
    first = file.readline()
    dim = first.rstrip(b" \r\n").count(b" ")
    if dim < 1 or parse_header(first) is not None:
        raise ModelFormatError(f"{name}: line 1 must be `word value value ...`, got {first[:40]!r}")
    n_rows = 1
    last = first
    while block := file.read(BLOCK_BYTES):
        n_rows += block.count(b"\n")
        last = block
    if not last.endswith(b"\n") and last is not first:
        n_rows += 1
    file.seek(0)
    return n_rows, dim
