"""Shared by the subcommands that answer queries: arguments, input lines and output."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fastw2v.cli.command import print_line
from fastw2v.cli.output import print_table
from fastw2v.errors import ReadError

if TYPE_CHECKING:
    from fastw2v.keyed_vectors import KeyedVectors


def add_arguments(parser: argparse.ArgumentParser, metavar: str, help: str) -> None:
    """Add the arguments VECTORS, the query words, -n and --json."""
    parser.add_argument("vectors", metavar="VECTORS", help="vectors file, in any format")
    parser.add_argument("words", metavar=metavar, nargs="*", help=help)
    parser.add_argument(
        "-n", metavar="N", type=int, default=10, help="number of results (default %(default)s)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON; one line per query from standard input"
    )


def open_vectors(args: argparse.Namespace) -> "KeyedVectors":
    """Return the vectors to search; raise UsageError if -n is less than 1."""
    import numpy as np

    from fastw2v.errors import UsageError
    from fastw2v.formats import FORMATS, detect_format
    from fastw2v.keyed_vectors import KeyedVectors

    if args.n < 1:
        raise UsageError(f"-n must be at least 1, got {args.n}")
    format = detect_format(args.vectors)
    wv = KeyedVectors.read(args.vectors, format, mmap=FORMATS[format].can_be_mapped)
    if not np.isfinite(wv.norms).all():  # mapped vectors are not checked yet
        wv.to_word_vectors().check_read(args.vectors)
    return wv


def check_known(wv: "KeyedVectors", path: str, words: Sequence[str]) -> None:
    """Raise UsageError naming the words that have no vector."""
    from fastw2v.errors import UsageError

    unknown = [word for word in dict.fromkeys(words) if word not in wv]
    if unknown:
        raise UsageError(f"{path}: no vector for {', '.join(map(repr, unknown))}")


def input_queries(prompt: str) -> Iterator[list[str]]:
    """Yield the words of each non-blank line of standard input; show the prompt on a terminal."""
    if sys.stdin is None:
        raise ReadError("cannot read standard input: it is closed")
    is_asked = sys.stdin.isatty()
    mark = "\ufeff"  # before the first line
    while True:
        if is_asked:
            print_line(prompt, end="")
        line = sys.stdin.readline()
        if not line:
            return
        line, mark = line.removeprefix(mark), ""
        if line.strip():
            yield line.split()


def complain(message: str) -> None:
    """Report on stderr that a line of input cannot be answered."""
    print_line(f"fastw2v: {message}")


def print_similar(title: str, near: Sequence[tuple[str, float]]) -> None:
    """Print a table of words and their cosines."""
    print_table([(title, "cosine"), *((word, f"{cosine:.4f}") for word, cosine in near)])


def similar_as_json(near: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """Return words and cosines in a JSON-compatible form."""
    return [{"word": word, "cosine": cosine} for word, cosine in near]
