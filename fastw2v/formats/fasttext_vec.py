"""fastText's .vec: word2vec's text with a space after every value."""

from os import PathLike

from fastw2v.formats.head import Head
from fastw2v.formats.records import VEC
from fastw2v.formats.text_lines import read_lines, write_lines
from fastw2v.formats.text_rows import Layout
from fastw2v.formats.word_vectors import WordVectors


def looks_like(head: Head) -> bool:
    """Return whether the file has a header and the suffix of this format."""
    return head.shape is not None and head.suffix in VEC.suffixes


def write(path: str | PathLike[str], word_vectors: WordVectors) -> None:
    """Write the words and vectors in fastText's layout, but at full precision."""
    write_lines(path, word_vectors, VEC, header=True, layout=Layout(separator_at_end=True))


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the first `limit` rows, or all if None."""
    return read_lines(path, header=True, limit=limit)
