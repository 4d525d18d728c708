"""`fastw2v classes`: cluster words by k-means, as word2vec.c does."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli.output import print_json, progress

if TYPE_CHECKING:
    from fastw2v.keyed_vectors import KeyedVectors


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "classes",
        help="cluster the words into classes",
        description="Cluster the words into N classes by k-means and print one line `word class` "
        "per word, as word2vec.c does with -classes.",
    )
    parser.add_argument("vectors", metavar="VECTORS", help="vectors file, in any format")
    parser.add_argument("n_classes", metavar="N", type=int, help="number of classes")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the lines to FILE")
    parser.add_argument("--sort", action="store_true", help="sort the words by class")
    parser.add_argument("--json", action="store_true", help="print the words of each class as JSON")
    parser.set_defaults(run=run, imports="fastw2v.keyed_vectors")


def run(args: argparse.Namespace) -> int:
    """Read the vectors, cluster the words and print the classes."""
    import numpy as np

    from fastw2v.base.atomic import check_writable
    from fastw2v.keyed_vectors import KeyedVectors
    from fastw2v.vectors.classes import check_classes, word_classes, write_classes

    check_classes(args.n_classes, max(args.n_classes, 1))  # before the words are known
    if args.output:
        check_writable(args.output)
    wv = KeyedVectors.read(args.vectors)
    with progress("classes") as show:
        classes = word_classes(wv.vectors, args.n_classes, show)
    order = np.argsort(classes, kind="stable") if args.sort else np.arange(len(wv))
    words = [wv.index_to_key[row] for row in order]
    if args.output:
        write_classes(args.output, words, classes[order])
    if args.json:
        print_json(_as_json(args, wv, classes.tolist()))
    elif not args.output:
        for word, number in zip(words, classes[order].tolist(), strict=True):
            print(word, number)
    return 0


def _as_json(args: argparse.Namespace, wv: "KeyedVectors", classes: list[int]) -> dict[str, Any]:
    """Return the words of each class, most frequent first."""
    members: list[list[str]] = [[] for _ in range(args.n_classes)]
    for word, number in zip(wv.index_to_key, classes, strict=True):
        members[number].append(word)
    return {"vectors": args.vectors, "n_classes": args.n_classes, "classes": members}
