"""Detect the format of a vectors file from its content."""

import os
from os import PathLike

from fastw2v.errors import ModelFormatError
from fastw2v.formats.head import Head, first_line
from fastw2v.formats.opened import open_vectors
from fastw2v.formats.records import (
    BIN,
    FASTTEXT,
    FORMATS,
    GENSIM,
    GLOVE,
    HF,
    NATIVE,
    PARQUET,
    TEXT,
    TSV,
    VEC,
)

# The first match is the format.  Formats with magic bytes come first.  After a `n_words dim` header
# come either floats or text.  Only the suffix distinguishes .vec from word2vec's text.
ORDER = (HF, NATIVE, FASTTEXT, PARQUET, GENSIM, BIN, VEC, TEXT, TSV, GLOVE)


def detect_format(path: str | PathLike[str]) -> str:
    """Return the name of a file's format.

    The content decides.  The suffix only distinguishes .vec from word2vec's text, which are read
    in the same way.
    Raises ReadError, or ModelFormatError if the content matches no format or has no line end.
    """
    name = os.fspath(path)
    found = _first_like(Head(name), is_folder=True) if os.path.isdir(name) else None
    if found is not None:
        return found
    with open_vectors(name) as opened:
        head = Head(name, opened)
        found = _first_like(head, is_folder=False)
        if found is not None:
            return found
        first_line(name, opened.file)
    problem = "not a vectors file of a known format" if head.first_bytes else "empty"
    raise ModelFormatError(f"{name}: {problem} ({', '.join(FORMATS)})")


def is_gensim(path: str | PathLike[str]) -> bool:
    """Return whether a file is a model that gensim saved.  Raises as detect_format does."""
    name = os.fspath(path)
    with open_vectors(name) as opened:
        return bool(GENSIM.load().looks_like(Head(name, opened)))


def _first_like(head: Head, *, is_folder: bool) -> str | None:
    formats = (format for format in ORDER if format.is_folder == is_folder)
    return next((format.name for format in formats if format.load().looks_like(head)), None)
