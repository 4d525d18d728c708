"""Vectors files, one format a module."""

import os
from os import PathLike
from pathlib import PurePath
from typing import Protocol

from fastw2v.errors import UsageError
from fastw2v.formats import (
    fasttext_bin,
    fasttext_vec,
    glove,
    native,
    word2vec_binary,
    word2vec_text,
)
from fastw2v.formats.sniff import detect_format
from fastw2v.formats.word_vectors import WordVectors

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "WordVectors",
    "detect_format",
    "format_of_suffix",
    "get_format",
    "read_vectors",
    "write_vectors",
]


class VectorsFormat(Protocol):
    """What a module of a format offers."""

    def write(self, path: str | PathLike[str], word_vectors: WordVectors) -> None:
        """Write a file."""

    def read(self, path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
        """Read a file."""


FORMATS: dict[str, VectorsFormat] = {
    "native": native,
    "text": word2vec_text,
    "bin": word2vec_binary,
    "vec": fasttext_vec,
    "fasttext": fasttext_bin,
    "glove": glove,
}
SUFFIXES = {".safetensors": "native", ".txt": "text", ".bin": "bin", ".vec": "vec"}


def read_vectors(
    path: str | PathLike[str],
    format: str | None = None,
    mmap: bool = False,
    limit: int | None = None,
) -> WordVectors:
    """Read a vectors file of any format.

    format: a name in FORMATS; None finds it out from the content.
    mmap: map the matrices read-only instead of reading them; native format only.
    limit: rows to read at most, >= 0.
    Raises ReadError, ModelFormatError, or UsageError for an impossible request.
    """
    if limit is not None and limit < 0:
        raise UsageError(f"limit must be at least 0, got {limit}")
    format = detect_format(path) if format is None else format
    reader = get_format(format)
    if not mmap:
        return reader.read(path, limit=limit)
    if format != "native":
        raise UsageError(f"only native files can be mapped; {os.fspath(path)} is {format!r}")
    return native.read(path, mmap=True, limit=limit)


def write_vectors(path: str | PathLike[str], word_vectors: WordVectors, format: str) -> None:
    """Write a vectors file; format: a name in FORMATS.  Raises SaveError or UsageError."""
    get_format(format).write(path, word_vectors)


def format_of_suffix(path: str | PathLike[str]) -> str:
    """Return the format that a file name's suffix stands for, or raise UsageError."""
    suffix = PurePath(path).suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(f"{suffix} ({name})" for suffix, name in SUFFIXES.items())
        raise UsageError(f"{os.fspath(path)}: no format has the suffix {suffix!r}; known: {known}")
    return SUFFIXES[suffix]


def get_format(name: str) -> VectorsFormat:
    """Return the module of a format or raise UsageError."""
    if name not in FORMATS:
        raise UsageError(f"format must be one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]
