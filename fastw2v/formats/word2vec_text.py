"""The text format of word2vec.c and gensim: a line `n_words dim`, then one line per word."""

from os import PathLike

from fastw2v.formats.head import Head
from fastw2v.formats.records import TEXT
from fastw2v.formats.text_lines import read_lines, write_lines
from fastw2v.formats.word_vectors import WordVectors


def looks_like(head: Head) -> bool:
    """Return whether the file has a header."""
    return head.shape is not None


def write(path: str | PathLike[str], word_vectors: WordVectors) -> None:
    """Write the words and vectors, byte for byte like gensim: no space at the end of a line."""
    write_lines(path, word_vectors, TEXT, header=True)


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the first `limit` rows, or all if None; word2vec.c's trailing spaces are accepted."""
    return read_lines(path, header=True, limit=limit)
