"""fastw2v demo: train on text that every Python has, and show what came of it."""

import argparse
from typing import Any

EPOCHS = 30  # the corpus is small: some 0.3 million words
SHOWN_WORDS = ("list", "integer", "exception", "directory", "thread", "true")
N_NEIGHBOURS = 5


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="train on Python's own documentation, in seconds",
        description="Train on the documentation of Python's standard library and show neighbours.",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="keep the vectors in this file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train skip-gram vectors and print the neighbours of a few words."""
    from fastw2v.cli.stdlib_text import stdlib_sentences
    from fastw2v.cli.train import format_summary
    from fastw2v.files.atomic import check_writable
    from fastw2v.word2vec import Word2Vec

    if args.output:
        check_writable(args.output)
    print("Reading the documentation of Python's standard library ...", flush=True)
    model = Word2Vec(sg=1, epochs=EPOCHS, sample=1e-4, progress=True)
    model.build_vocab(stdlib_sentences())
    summary = model.train()
    print(format_summary(summary), end="\n\n")
    for word in SHOWN_WORDS:
        if word in model.wv:
            near = model.wv.most_similar(word, topn=N_NEIGHBOURS)
            print(f"{word:>12}:  {'  '.join(f'{other} {s:.2f}' for other, s in near)}")
    if args.output:
        model.save(args.output)
        print(f"\nVectors in {args.output}. Next: fastw2v nn {args.output} list")
    else:
        print("\nNext, on text of your own:  fastw2v train corpus.txt -o vectors.safetensors")
    return 0
