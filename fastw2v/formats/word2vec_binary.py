"""The binary format of word2vec.c and gensim: a line `n_words dim`, then word, space, floats.

word2vec.c ends each vector with a newline, gensim does not. Both their readers (and the tools
distance and word-analogy) skip newlines before a word, so both accept both.
"""

import mmap
import os
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import ModelFormatError, reading
from fastw2v.files.atomic import atomic_write
from fastw2v.formats.header import read_header
from fastw2v.formats.word_vectors import WordVectors
from fastw2v.formats.words import decode_words, drop_repeated, encode_plain_words


def write(path: str | PathLike[str], word_vectors: WordVectors, *, newline: bool = True) -> None:
    """Write the words and vectors.

    newline: end each vector with a newline: byte for byte as word2vec.c does; False: as gensim.
    """
    words = encode_plain_words(os.fspath(path), word_vectors.words)
    end = b"\n" if newline else b""
    with atomic_write(path) as file:
        file.write(b"%d %d\n" % word_vectors.vectors.shape)
        for word, row in zip(words, word_vectors.vectors, strict=True):
            file.write(b"%b %b%b" % (word, row.astype("<f4", copy=False).tobytes(), end))


def read(
    path: str | PathLike[str],
    *,
    limit: int | None = None,
    encoding: str = "utf-8",
    errors: str = "surrogateescape",
) -> WordVectors:
    """Read the first `limit` rows, or all, with or without newlines between them.

    Raises ReadError, or ModelFormatError naming the file and the byte.
    """
    name = os.fspath(path)
    with reading(name), open(name, "rb") as file:
        n_rows, dim = read_header(name, file, value_bytes=4)
        n_wanted = n_rows if limit is None else min(n_rows, limit)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            words, vectors, end = _read_rows(name, data, file.tell(), (n_wanted, dim))
            if n_wanted == n_rows and data[end : end + 64].strip(b"\n"):
                raise ModelFormatError(f"{name}: byte {end}: goes on after {n_rows} vectors")
    return drop_repeated(name, WordVectors(decode_words(words, encoding, errors), vectors))


def _read_rows(
    name: str, data: mmap.mmap, start: int, shape: tuple[int, int]
) -> tuple[list[bytes], NDArray[np.float32], int]:
    """Return the words, the vectors of this shape, and the place after the last of them."""
    n_rows, dim = shape
    row_bytes = 4 * dim
    words = []
    floats = bytearray(n_rows * row_bytes)
    place = start
    for row in range(n_rows):
        space = data.find(b" ", place)
        end = space + 1 + row_bytes
        if space < 0 or end > len(data):
            raise ModelFormatError(
                f"{name}: byte {place}: the file ends within vector {row + 1} of {n_rows}"
            )
        words.append(data[place:space].lstrip(b"\n"))
        floats[row * row_bytes : (row + 1) * row_bytes] = data[space + 1 : end]
        place = end
    vectors = np.frombuffer(floats, "<f4").astype(np.float32, copy=False)
    return words, vectors.reshape(n_rows, dim), place
