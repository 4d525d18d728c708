"""`fastw2v info`: describe a vectors file."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from fastw2v.cli.output import print_json, print_table

if TYPE_CHECKING:
    from fastw2v.formats import WordVectors

N_FIRST_WORDS = 10


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser("info", help="describe a vectors file")
    parser.add_argument("file", metavar="FILE", help="vectors file, in any format")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, imports="fastw2v.formats.word_vectors")


def run(args: argparse.Namespace) -> int:
    """Read the file and print its properties."""
    from fastw2v.formats import FORMATS, detect_format, read_vectors

    format = detect_format(args.file)
    mmap = FORMATS[format].can_be_mapped
    found = read_vectors(args.file, format, mmap, allow_non_finite=True)
    facts = _facts(args.file, format, found)
    if args.json:
        print_json(facts)
        return 0
    first_words = facts.pop("first_words")
    settings = facts.pop("settings")
    rows = [(name.replace("_", " "), _shown(value)) for name, value in facts.items()]
    print_table(rows, left=2)
    for title, items in (("settings", settings.items()), ("first words", first_words)):
        if items:
            print(f"\n{title}")
            print_table([(f"  {key}", _shown(value)) for key, value in items], left=2)
    return 0


def _facts(path: str, format: str, found: "WordVectors") -> dict[str, Any]:
    """Return the properties of a file by name."""
    counts = [None] * len(found.words) if found.counts is None else found.counts.tolist()
    n_zero, n_not_finite = _odd_rows(found)
    return {
        "file": path,
        "format": format,
        "bytes": _n_bytes(path, format),
        "words": len(found.words),
        "dimension": found.dim,
        "dtype": str(found.vectors.dtype),
        "verified": found.is_verified,
        "counts": found.counts is not None,
        "output_vectors": found.output_vectors is not None,
        "output_bias": found.output_bias is not None,
        "input_bias": found.input_bias is not None,
        "rows_of_zeros": n_zero,
        "rows_not_finite": n_not_finite,
        "settings": found.settings,
        "first_words": list(zip(found.words, counts, strict=True))[:N_FIRST_WORDS],
    }


def _n_bytes(path: str, format: str) -> int:
    """Return the size of all files of the vectors."""
    from fastw2v.formats import FORMATS

    files = FORMATS[format].files(path)
    if os.path.isdir(path):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sum(os.path.getsize(file) for file in files if os.path.exists(file))


def _odd_rows(found: "WordVectors") -> tuple[int, int]:
    """Return the number of all-zero rows and the number of rows with a non-finite value."""
    import numpy as np

    from fastw2v.formats.word_vectors import BLOCK_ROWS

    n_zero = n_not_finite = 0
    for first in range(0, len(found.words), BLOCK_ROWS):
        rows = found.vectors[first : first + BLOCK_ROWS]
        n_zero += int((~rows.any(axis=1)).sum())
        n_not_finite += int((~np.isfinite(rows).all(axis=1)).sum())
    return n_zero, n_not_finite


def _shown(value: Any) -> str:
    """Format a value for display."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)
