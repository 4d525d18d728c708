"""Vectors files: `records` says what each format is, its module reads and writes it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastw2v.formats.records import FORMATS, read_vectors, write_vectors

if TYPE_CHECKING:
    from fastw2v.formats.sniff import detect_format
    from fastw2v.formats.word_vectors import WordVectors

__all__ = ["FORMATS", "WordVectors", "detect_format", "read_vectors", "write_vectors"]

# Imported on first use: help texts need the records, and no NumPy.
_LAZY = {"WordVectors": "word_vectors", "detect_format": "sniff"}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'fastw2v.formats' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"fastw2v.formats.{_LAZY[name]}"), name)
    return value
