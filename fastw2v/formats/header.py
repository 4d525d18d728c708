"""The first line of the word2vec formats: `n_words dim`."""

import re

from fastw2v.errors import ModelFormatError
from fastw2v.formats.opened import OpenedFile

# Two 64-bit numbers have at most 40 characters; a longer line is not a header.
MAX_HEADER_BYTES = 64
# A longer word is an error, so that damaged files do not fill the memory.
MAX_WORD_BYTES = 1 << 20
# Far above any real dimension.  It rejects a damaged header with 0 words and an absurd dimension.
MAX_DIM = 1 << 24
_HEADER = re.compile(rb"(\d{1,19})[ \t]+(\d{1,19})[ \t\r]*\n")


def parse_header(line: bytes) -> tuple[int, int] | None:
    """Return (n_words, dim) if the line is a header, else None."""
    match = _HEADER.fullmatch(line)
    return (int(match[1]), int(match[2])) if match else None


def read_header(name: str, opened: OpenedFile, value_bytes: int) -> tuple[int, int]:
    """Read (n_words, dim) from the header, checked against the file size if known.

    value_bytes: minimum number of bytes per value in this format; a word takes at least one byte.
    Raises ModelFormatError if the line is not a header or the file is too small for it.
    """
    line = opened.file.readline(MAX_HEADER_BYTES)
    shape = parse_header(line)
    if shape is None:
        raise ModelFormatError(f"{name}: line 1 must be `n_words dim`, got {line[:40]!r}")
    n_words, dim = shape
    if not 1 <= dim <= MAX_DIM:
        raise ModelFormatError(f"{name}: line 1 announces an invalid dimension: {dim}")
    n_left = None if opened.n_bytes is None else opened.n_bytes - len(line)
    if n_left is not None and n_words * (value_bytes * dim + 1) > n_left:
        raise ModelFormatError(
            f"{name}: line 1 announces {n_words} vectors of dimension {dim}, but the remaining "
            f"{n_left} bytes cannot hold them; the file is truncated or damaged"
        )
    return n_words, dim
