"""Finding out the format of a vectors file from its content."""

import os
from os import PathLike

from fastw2v.errors import ModelFormatError
from fastw2v.formats.head import Head
from fastw2v.formats.opened import open_vectors
from fastw2v.formats.pickled import refuse_pickle
from fastw2v.formats.records import (
    BIN,
    FASTTEXT,
    FORMATS,
    GLOVE,
    HF,
    NATIVE,
    PARQUET,
    TEXT,
    TSV,
    VEC,
)

# The first that a file looks like is its format.  Those with magic bytes come first.  After a
# header stand either floats or text, and only the suffix tells .vec from word2vec's text.
ORDER = (HF, NATIVE, FASTTEXT, PARQUET, BIN, VEC, TEXT, TSV, GLOVE)


def detect_format(path: str | PathLike[str]) -> str:
    """Return the name of the format.

    Content decides; the suffix only tells .vec from word2vec's text, which read alike.
    Raises ReadError, or ModelFormatError if the content is none of them.
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
        refuse_pickle(name, opened.file)
    problem = "not a vectors file of any format known here" if head.start else "empty"
    raise ModelFormatError(f"{name}: {problem} ({', '.join(FORMATS)})")


def _first_like(head: Head, *, is_folder: bool) -> str | None:
    formats = (format for format in ORDER if format.is_folder == is_folder)
    return next((format.name for format in formats if format.load().looks_like(head)), None)
