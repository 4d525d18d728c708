"""`fastw2v nn`: the nearest words."""

import argparse
from typing import Any

from fastw2v.cli.output import print_table


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "nn", help="show the words nearest to each of some words"
    )
    parser.add_argument("vectors", metavar="VECTORS", help="a vectors file of any format")
    parser.add_argument("words", metavar="WORD", nargs="+", help="words to look up")
    parser.add_argument(
        "-n", metavar="N", type=int, default=10, help="how many (default %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print."""
    from fastw2v.errors import UsageError
    from fastw2v.formats import detect_format
    from fastw2v.keyed_vectors import KeyedVectors

    if args.n < 1:
        raise UsageError(f"-n must be at least 1, got {args.n}")
    format = detect_format(args.vectors)
    wv = KeyedVectors.read(args.vectors, format, mmap=format == "native")
    unknown = [word for word in args.words if word not in wv]
    if unknown:
        raise UsageError(f"{args.vectors}: no vector for {', '.join(map(repr, unknown))}")
    for word in args.words:
        near = wv.most_similar(word, topn=args.n)
        rows = [(word, "cosine"), *((other, f"{cosine:.4f}") for other, cosine in near)]
        if word != args.words[0]:
            print()
        print_table(rows)
    return 0
