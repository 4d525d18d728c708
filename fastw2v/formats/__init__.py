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
    parquet,
    projector_tsv,
    static_embedding,
    word2vec_binary,
    word2vec_text,
)
from fastw2v.formats.precision import check_dtype
from fastw2v.formats.sniff import detect_format
from fastw2v.formats.word_vectors import WordVectors

__all__ = [
    "FORMATS",
    "OTHER_FORMATS",
    "SUFFIXES",
    "WordVectors",
    "check_target",
    "detect_format",
    "files_of",
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
# Of a folder, of two files, and of an optional package: to convert to and from.
OTHER_FORMATS: dict[str, VectorsFormat] = {
    "hf": static_embedding,
    "tsv": projector_tsv,
    "parquet": parquet,
}
SMALLER = {"native": native, "hf": static_embedding, "parquet": parquet}  # float16, int8
SUFFIXES = {
    ".safetensors": "native",
    ".txt": "text",
    ".bin": "bin",
    ".vec": "vec",
    ".tsv": "tsv",
    ".parquet": "parquet",
}


def read_vectors(
    path: str | PathLike[str],
    format: str | None = None,
    mmap: bool = False,
    limit: int | None = None,
) -> WordVectors:
    """Read a vectors file of any format.

    format: a name in FORMATS or OTHER_FORMATS; None finds it out from the content.
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


def write_vectors(
    path: str | PathLike[str], word_vectors: WordVectors, format: str, dtype: str = "float32"
) -> None:
    """Write a vectors file.

    format: a name in FORMATS or OTHER_FORMATS.  dtype: float32; native and parquet also hold
    float16 and int8, hf float16.  Raises SaveError or UsageError.
    """
    check_target(format, dtype)
    if dtype == "float32":
        get_format(format).write(path, word_vectors)
    else:
        SMALLER[format].write(path, word_vectors, dtype=dtype)


def check_target(format: str, dtype: str) -> None:
    """Raise UsageError unless there is such a format, can be written, and holds this dtype."""
    get_format(format)
    check_dtype(dtype)
    if format == "parquet":
        parquet.check_installed()
    if dtype != "float32" and (format not in SMALLER or (format, dtype) == ("hf", "int8")):
        raise UsageError(f"format {format!r} holds float32 only for {dtype}; use native or parquet")


def files_of(path: str | PathLike[str], format: str) -> list[str]:
    """Return the files that a format writes for a path."""
    module = {"hf": static_embedding, "tsv": projector_tsv}.get(format)
    return [os.fspath(path)] if module is None else module.files(path)


def format_of_suffix(path: str | PathLike[str]) -> str:
    """Return the format that a file name's suffix stands for, or raise UsageError."""
    if os.fspath(path).endswith("/") or os.path.isdir(path):
        return "hf"
    suffix = PurePath(path).suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(f"{suffix} ({name})" for suffix, name in SUFFIXES.items())
        raise UsageError(f"{os.fspath(path)}: no format has the suffix {suffix!r}; known: {known}")
    return SUFFIXES[suffix]


def get_format(name: str) -> VectorsFormat:
    """Return the module of a format or raise UsageError."""
    known = FORMATS | OTHER_FORMATS
    if name not in known:
        raise UsageError(f"format must be one of {', '.join(known)}, got {name!r}")
    return known[name]
