"""The binary format of word2vec.c and gensim: a line `n_words dim`, then word, space, floats.

word2vec.c ends each vector with a newline; gensim does not.  Their readers, and the tools distance
and word-analogy, skip newlines before a word and therefore accept both.
"""

import os
from os import PathLike
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.compression import write_packed
from fastw2v.errors import ModelFormatError
from fastw2v.formats.head import Head
from fastw2v.formats.header import MAX_HEADER_BYTES, MAX_WORD_BYTES, read_header
from fastw2v.formats.opened import open_vectors
from fastw2v.formats.records import BIN
from fastw2v.formats.text_rows import SAMPLE_BYTES, SURE_BYTES, is_text, is_text_row
from fastw2v.formats.word_vectors import WordVectors, decode_words, drop_repeated, encode_words

BLOCK_BYTES = 1 << 19  # bytes per read, which are checked in the cache


def looks_like(head: Head) -> bool:
    """Return whether a header is followed by non-text, or by nothing in a file ending in .bin."""
    if head.shape is None:
        return False
    row = head.lines[1]
    if not row:
        return head.suffix in BIN.suffixes
    return not is_text_row(row, head.shape[1]) and not is_text(head.sample)


def write(path: str | PathLike[str], word_vectors: WordVectors, *, newline: bool = True) -> None:
    """Write the words and vectors.

    newline: end each vector with a newline, as word2vec.c does; False: no newline, as in gensim.
    """
    words = encode_words(os.fspath(path), word_vectors.words, BIN)
    end = b"\n" if newline else b""
    with write_packed(path) as file:
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
    """Read the first `limit` rows, or all if None, with or without newlines between them.

    Raises ReadError, or ModelFormatError naming the file and the byte.
    """
    name = os.fspath(path)
    with open_vectors(name) as opened:
        n_rows, dim = read_header(name, opened, value_bytes=BIN.min_value_bytes)
        n_wanted = n_rows if limit is None else min(n_rows, limit)
        reader = _RowReader(name, opened.file, dim)
        reader.refuse_text()
        n_expected = opened.rows_to_expect(n_wanted, 4 * dim)
        words, vectors = reader.read(n_wanted, n_expected, n_rows)
        if n_wanted == n_rows:
            reader.check_end(n_rows)
    found = decode_words(words, encoding, errors)
    return drop_repeated(name, WordVectors(found, vectors, is_finite=reader.is_finite))


class _RowReader:
    """Read rows from a file positioned after its header."""

    def __init__(self, name: str, file: BinaryIO, dim: int) -> None:
        self.name = name
        self.file = file
        self.row_bytes = 4 * dim
        self.data = b""
        self.position = 0
        self.is_finite = True  # all values so far
        self.data_offset = file.tell()  # file offset of data[0]

    def refuse_text(self) -> None:
        """Raise ModelFormatError if the rows are surely text."""
        self.data = self.file.read(SAMPLE_BYTES)
        if len(self.data) >= SURE_BYTES and is_text(self.data):
            raise ModelFormatError(f"{self.name}: line 2 is text, not binary; read it as text")

    def read(
        self, n_wanted: int, n_expected: int, n_rows: int
    ) -> tuple[list[bytes], NDArray[np.float32]]:
        """Return n_wanted of n_rows words and their vectors; allocate n_expected rows at first."""
        words: list[bytes] = []
        vectors = np.empty((n_expected, self.row_bytes // 4), "<f4")
        while len(words) < n_wanted:
            if len(words) == len(vectors):
                n_room = min(n_wanted, 2 * len(words))
                vectors.resize((n_room, vectors.shape[1]), refcheck=False)
            rows = vectors[len(words) :]
            used = self._take(rows.reshape(-1).view(np.uint8).data, words)
            if used == 0:
                self._fill(f"vector {len(words) + 1} of {n_rows}")
            elif self.is_finite:
                self.is_finite = bool(np.isfinite(rows[: used // self.row_bytes]).all())
        return words, vectors.astype(np.float32, copy=False)

    def _take(self, room: memoryview, words: list[bytes]) -> int:
        """Parse complete rows while there is data and room; return the number of bytes used."""
        data, position, used = self.data, self.position, 0
        row_bytes = self.row_bytes
        last = len(data) - row_bytes - 1  # the last place of a space before a whole row
        while used < len(room):
            space = data.find(b" ", position)
            if not 0 <= space <= last:
                break
            end = space + 1 + row_bytes
            words.append(data[position:space].lstrip(b"\n"))
            room[used : used + row_bytes] = data[space + 1 : end]
            used, position = used + row_bytes, end
        self.position = position
        return used

    def _fill(self, row: str) -> None:
        """Append more data to the unparsed rest."""
        rest = self.data[self.position :]
        self.data_offset += self.position
        if len(rest) >= MAX_WORD_BYTES and rest.find(b" ", 0, MAX_WORD_BYTES) < 0:
            raise ModelFormatError(
                f"{self.name}: byte {self.data_offset}: a word longer than {MAX_WORD_BYTES:,} bytes"
            )
        more = self.file.read(max(BLOCK_BYTES, self.row_bytes, len(rest)))
        if not more:
            raise ModelFormatError(
                f"{self.name}: byte {self.data_offset}: the file ends within {row}"
            )
        self.data, self.position = rest + more, 0

    def check_end(self, n_rows: int) -> None:
        """Raise ModelFormatError if more than a newline is left."""
        rest = self.data[self.position :] or self.file.read(MAX_HEADER_BYTES)
        if rest.strip(b"\n"):
            offset = self.data_offset + self.position
            raise ModelFormatError(f"{self.name}: byte {offset}: continues after {n_rows} vectors")
