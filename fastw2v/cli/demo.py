"""`fastw2v demo`: train on text found in every installation and show the result."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli.command import print_early, print_fitted
from fastw2v.cli.demo_text import TEXT_NAME, demo_sentences
from fastw2v.cli.output import print_table

if TYPE_CHECKING:
    from fastw2v.keyed_vectors import KeyedVectors

# The text has only about 1.3 million words: ten epochs are too few for rarer words.
SETTINGS: dict[str, Any] = {"sg": 1, "epochs": 10, "min_count": 30, "progress": True}
SHOWN_WORDS = (
    "list", "dictionary", "true", "directory", "thread", "server", "month", "row", "mean", "larger",
)  # fmt: skip
N_NEIGHBOURS = 4


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="train on text that is already installed, in seconds",
        description=f"Train on {TEXT_NAME}, and show the nearest neighbours of a few words.",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write the vectors to FILE")
    parser.set_defaults(run=run, imports="fastw2v.word2vec")


def run(args: argparse.Namespace) -> int:
    """Train skip-gram vectors and print the neighbours of a few words."""
    from fastw2v.base.atomic import check_writable
    from fastw2v.formats.records import check_target, format_of_suffix, places_of

    if args.output:
        format = format_of_suffix(args.output)
        check_target(format, "float32", args.output)
        for path in places_of(args.output, format):
            check_writable(path)
    print_early(f"Training on {TEXT_NAME}.")

    from fastw2v.word2vec import Word2Vec

    model = Word2Vec(**SETTINGS)
    model.build_vocab(demo_sentences())
    summary = model.train()
    if args.output:
        model.save(args.output, format)
    print_fitted(f"\n{summary}\n")
    print_neighbours(model.wv)
    if args.output:
        print(f"\nVectors written to {args.output}. Next:  fastw2v nn {args.output} list")
    else:
        print("\nNext, with your own text:  fastw2v train corpus.txt -o vectors.safetensors")
    return 0


def print_neighbours(wv: "KeyedVectors") -> None:
    """Print one line per word in SHOWN_WORDS: its neighbours and their cosines."""
    rows = [("word", "nearest words and their cosine")]
    for word in SHOWN_WORDS:
        if word in wv:
            near = wv.most_similar(word, topn=N_NEIGHBOURS)
            rows.append((word, "".join(f"{other:13} {cosine:.2f}  " for other, cosine in near)))
    print_table(rows, left=2)
