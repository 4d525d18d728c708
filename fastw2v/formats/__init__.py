"""Formats of vectors files: described in `records`, read and written by one module each."""

import os
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from fastw2v.base.checks import check_integer, check_path
from fastw2v.errors import UsageError
from fastw2v.formats.records import FORMATS, get_format, listed

if TYPE_CHECKING:
    from fastw2v.formats.sniff import detect_format
    from fastw2v.formats.word_vectors import WordVectors, write_vectors

__all__ = ["FORMATS", "WordVectors", "detect_format", "read_vectors", "write_vectors"]

# Imported on first use, because help texts need the records but not NumPy.
_LAZY = {"WordVectors": "word_vectors", "write_vectors": "word_vectors", "detect_format": "sniff"}


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'fastw2v.formats' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"fastw2v.formats.{_LAZY[name]}"), name)
    return value


def read_vectors(
    path: str | PathLike[str],
    format: str | None = None,
    mmap: bool = False,
    limit: int | None = None,
    *,
    verify: bool = True,
    allow_non_finite: bool = False,
) -> "WordVectors":
    """Read a vectors file of any format.

    format: a name in FORMATS; None detects the format from the content.
    mmap: map the matrices read-only instead of reading them; native format only.
    limit: maximum number of rows to read, >= 0; None reads all.
    verify: compare a native file with its checksums; see native.read.
    allow_non_finite: also read NaN, infinities and numbers beyond float32.  Mapped values are not
    checked, because that would read them all.
    Raises ReadError, ModelFormatError, or UsageError for an invalid argument.
    """
    check_path("path", path)
    if limit is not None:
        check_integer("limit", limit, 0, 2**63 - 1)
    if format is None:
        from fastw2v.formats.sniff import detect_format

        format = detect_format(path)
    record = get_format(format)
    if mmap and not record.can_be_mapped:
        able = listed((f.name for f in FORMATS.values() if f.can_be_mapped), "and")
        raise UsageError(f"only {able} files can be memory-mapped; {os.fspath(path)} is {format!r}")
    options = {"mmap": mmap, "verify": verify} if record.can_be_mapped else {}
    found: WordVectors = record.load().read(path, limit=limit, **options)
    return found if mmap or allow_non_finite else found.check_read(path)
