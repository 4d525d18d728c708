"""fastText's .vec: word2vec's text with a space after every value."""

from os import PathLike

from fastw2v.formats.text_lines import read_lines, write_lines
from fastw2v.formats.text_rows import Layout
from fastw2v.formats.word_vectors import WordVectors


def write(path: str | PathLike[str], word_vectors: WordVectors) -> None:
    """Write the words and vectors laid out as fastText does, but with all digits, not five."""
    write_lines(path, word_vectors, header=True, layout=Layout(separator_at_end=True))


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the first `limit` rows, or all."""
    return read_lines(path, header=True, limit=limit)
