"""TensorBoard projector: tab-separated values, and a second file with one word per line.

The words of X.tsv are in X_metadata.tsv.  gensim names the files X_tensor.tsv and X_metadata.tsv.
"""

import itertools
import os
from os import PathLike

from fastw2v.base.atomic import atomic_group, not_replaced
from fastw2v.base.compression import begin_text, open_unpacked, packing
from fastw2v.base.content import HEAD_BYTES, check_start
from fastw2v.errors import ModelFormatError
from fastw2v.formats.head import Head, first_line
from fastw2v.formats.header import MAX_WORD_BYTES
from fastw2v.formats.opened import open_vectors
from fastw2v.formats.records import TSV
from fastw2v.formats.text_rows import Layout, RowReader, is_number_text, row_text
from fastw2v.formats.word_vectors import WordVectors, decode_words, drop_repeated, encode_words

LAYOUT = Layout(separator="\t", has_words=False)


def looks_like(head: Head) -> bool:
    """Return whether the first line holds only numbers and the file of words exists."""
    first = head.lines[0].rstrip(b"\r\n").replace(b"\t", b" ")
    return is_number_text(first) and os.path.isfile(TSV.files(head.path)[1])


def write(path: str | PathLike[str], word_vectors: WordVectors) -> None:
    """Write values and words, without a header.  Raises SaveError naming a word with a tab."""
    name = os.fspath(path)
    words = encode_words(name, word_vectors.words, TSV)
    values, metadata = TSV.files(name)
    check_start(metadata, b"".join(word + b"\n" for word in words[:HEAD_BYTES])[:HEAD_BYTES])
    with atomic_group() as group:
        # The values first, since read() opens them first.
        with group.open(values) as raw, packing(values, raw) as file:
            for block in row_text(word_vectors.vectors, None, LAYOUT):
                file.write(block)
        with group.open(metadata) as raw, packing(metadata, raw) as file:
            for word in words:
                file.write(word + b"\n")


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the first `limit` rows, or all if None, and their words.

    If the file of words has several columns, its first line is a header and its first column is
    used.
    Raises ReadError, or ModelFormatError naming the file and the problem.
    """
    name = os.fspath(path)
    with not_replaced(name), open_vectors(name) as opened:
        words = _read_words(TSV.files(name)[1])
        first = first_line(name, opened.file)
        opened.rewind()
        dim = first.count(b"\t") + 1
        n_wanted = len(words) if limit is None else min(limit, len(words))
        reader = RowReader(name, opened.file, dim, LAYOUT, first_line=1)
        n_expected = min(opened.rows_to_expect(n_wanted, 4 * dim), len(words))
        _, vectors = reader.read(
            n_wanted, n_expected=n_expected, announced=True, to_the_end=limit is None
        )
    return drop_repeated(name, WordVectors(decode_words(words[:n_wanted]), vectors))


def _read_words(name: str) -> list[bytes]:
    """Return the first column of the file of words."""
    words: list[bytes] = []
    is_table = False
    with open_unpacked(name, ModelFormatError) as (file, _):
        begin_text(file, name, ModelFormatError)
        for number in itertools.count(1):
            line = file.readline(MAX_WORD_BYTES)
            if not line:
                return words
            if len(line) == MAX_WORD_BYTES and not line.endswith(b"\n"):
                raise ModelFormatError(
                    f"{name}: line {number}: longer than {MAX_WORD_BYTES:,} bytes"
                )
            if number == 1 and b"\t" in line:
                is_table = True
                continue
            word = line.removesuffix(b"\n").partition(b"\t" if is_table else b"\n")[0]
            words.append(word.removesuffix(b"\r"))
            if not words[-1]:
                raise ModelFormatError(f"{name}: line {number} is empty")
    return words
