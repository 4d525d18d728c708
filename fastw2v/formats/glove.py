"""GloVe's text: one line per word, no header."""

from os import PathLike

from fastw2v.formats.head import Head
from fastw2v.formats.records import GLOVE
from fastw2v.formats.text_lines import read_lines, write_lines
from fastw2v.formats.text_rows import is_number_text
from fastw2v.formats.word_vectors import WordVectors


def looks_like(head: Head) -> bool:
    """Return whether the first line is a word and at least one number."""
    fields = head.lines[0].rstrip(b" \r\n").split(b" ")
    return len(fields) > 1 and fields[-1] != b"" and is_number_text(fields[-1])


def write(path: str | PathLike[str], word_vectors: WordVectors) -> None:
    """Write the words and vectors, without a header."""
    write_lines(path, word_vectors, GLOVE, header=False)


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the first `limit` rows, or all if None; the first line sets the dimension.

    Words after the first line may contain spaces: glove.840B has tokens such as `. . .`.
    """
    return read_lines(path, header=False, limit=limit)
