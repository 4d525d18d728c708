"""`fastw2v word2vec`: the command line of the original C program."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli.output import progress
from fastw2v.cli.train import CLASSES, RunFiles, train_to_file
from fastw2v.errors import UsageError

if TYPE_CHECKING:
    from fastw2v.word2vec import Word2Vec

# word2vec.c's flag: (setting, type, help). 0 means off, 1 means on.
RENAMED: dict[str, tuple[str, type, str]] = {
    "size": ("vector_size", int, "dimension of the vectors (100)"),
    "window": ("window", int, "maximum number of context words on each side (5)"),
    "sample": ("sample", float, "subsample words whose share of the text exceeds X (0.001)"),
    "hs": ("hs", int, "1: use hierarchical softmax"),
    "negative": ("negative", int, "use negative sampling with N negative samples (5)"),
    "threads": ("workers", int, "threads (one per core)"),
    "iter": ("epochs", int, "passes over the text (5)"),
    "min-count": ("min_count", int, "drop words that occur fewer than N times (5)"),
    "alpha": ("alpha", float, "initial learning rate (0.05; skip-gram 0.025)"),
}
ALPHA = {True: 0.05, False: 0.025}  # word2vec.c's initial learning rates; True for CBOW


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "word2vec",
        help="train with the flags of word2vec.c",
        usage="%(prog)s -train FILE -output FILE [settings]",
        description="Train with the flags of word2vec.c. Defaults are in brackets.",
    )
    parser.add_argument("-train", metavar="FILE", required=True, help="text to train on")
    parser.add_argument(
        "-output", metavar="FILE", help="vectors file to write; without it, only a vocabulary"
    )
    for flag, (name, kind, text) in RENAMED.items():
        metavar = "X" if kind is float else "N"
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS, "metavar": metavar}
        parser.add_argument(f"-{flag}", type=kind, help=text, **options)
    parser.add_argument("-cbow", type=int, default=1, metavar="N", help="1: CBOW, 0: skip-gram (1)")
    parser.add_argument(
        "-binary", type=int, default=0, metavar="N", help="1: write binary vectors (0)"
    )
    parser.add_argument(
        "-classes", type=int, default=0, metavar="N", help="write N word classes instead of vectors"
    )
    parser.add_argument("-debug", type=int, default=2, metavar="N", help="0: quiet")
    parser.add_argument("-save-vocab", metavar="FILE", help="write the vocabulary to FILE")
    parser.add_argument("-read-vocab", metavar="FILE", help="read the vocabulary from FILE")
    parser.named = {"n_classes": "-classes"}
    parser.set_defaults(run=run, imports="fastw2v.word2vec")


def run(args: argparse.Namespace) -> int:
    """Train as word2vec.c does."""
    names = {name for name, *_ in RENAMED.values()}
    settings = {name: value for name, value in vars(args).items() if name in names}
    settings["sg"] = not args.cbow
    settings.setdefault("alpha", ALPHA[bool(args.cbow)])
    if args.classes < 0:
        raise UsageError(f"classes must be at least 0, got {args.classes}")
    if args.output is None and args.save_vocab is None:
        raise UsageError("nothing to write: give -output, -save-vocab or both")
    format = CLASSES if args.classes else "bin" if args.binary else "text"
    train_to_file(
        RunFiles(
            [args.train],
            args.output,
            format,
            args.read_vocab,
            args.save_vocab,
            n_classes=args.classes,
        ),
        settings,
        write=lambda model, path: write_result(model, path, format, args.classes),
        progress=None if args.debug else False,
        quiet=not args.debug,
    )
    return 0


def write_result(model: "Word2Vec", path: str, format: str, n_classes: int) -> None:
    """Write vectors or, with -classes, one line `word class` per word."""
    if n_classes == 0:
        model.save(path, format)
        return
    from fastw2v.vectors.classes import word_classes, write_classes

    with progress("classes") as show:
        classes = word_classes(model.wv.vectors, n_classes, show)
    write_classes(path, model.wv.index_to_key, classes)
