"""fastw2v word2vec: the command line of the original C program."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli.files import RunFiles
from fastw2v.cli.train import train_to_file
from fastw2v.errors import UsageError

if TYPE_CHECKING:
    from fastw2v.word2vec import Word2Vec

# word2vec.c's flag: (setting, type); 0 and 1 stand for off and on
RENAMED: dict[str, tuple[str, type]] = {
    "size": ("vector_size", int),
    "window": ("window", int),
    "sample": ("sample", float),
    "hs": ("hs", int),
    "negative": ("negative", int),
    "threads": ("workers", int),
    "iter": ("epochs", int),
    "min-count": ("min_count", int),
    "alpha": ("alpha", float),
}
ALPHA = {True: 0.05, False: 0.025}  # word2vec.c's own rates, by is CBOW


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "word2vec",
        help="the flags of word2vec.c, unchanged",
        description="Train with the flags of word2vec.c.",
        allow_abbrev=False,
    )
    parser.add_argument("-train", metavar="FILE", required=True, help="text to train on")
    parser.add_argument("-output", metavar="FILE", help="vectors; without it only a vocabulary")
    for flag, (name, kind) in RENAMED.items():
        parser.add_argument(
            f"-{flag}", dest=name, type=kind, default=argparse.SUPPRESS, metavar="N", help=name
        )
    parser.add_argument("-cbow", type=int, default=1, metavar="N", help="1: CBOW, 0: skip-gram")
    parser.add_argument("-binary", type=int, default=0, metavar="N", help="1: binary vectors")
    parser.add_argument("-classes", type=int, default=0, metavar="N", help="write word classes")
    parser.add_argument("-debug", type=int, default=2, metavar="N", help="0: quiet")
    parser.add_argument("-save-vocab", metavar="FILE", help="write the vocabulary")
    parser.add_argument("-read-vocab", metavar="FILE", help="use this vocabulary")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train as word2vec.c would."""
    names = {name for name, _ in RENAMED.values()}
    settings = {name: value for name, value in vars(args).items() if name in names}
    settings["sg"] = not args.cbow
    settings.setdefault("alpha", ALPHA[bool(args.cbow)])
    if args.classes < 0:
        raise UsageError(f"classes must be at least 0, got {args.classes}")
    if args.output is None and args.save_vocab is None:
        raise UsageError("nothing to write: give -output, -save-vocab or both")
    format = "bin" if args.binary else "text"
    train_to_file(
        RunFiles([args.train], args.output, format, args.read_vocab, args.save_vocab),
        settings,
        write=lambda model, path: write_result(model, path, format, args.classes),
        progress=None if args.debug else False,
        quiet=not args.debug,
    )
    return 0


def write_result(model: "Word2Vec", path: str, format: str, n_classes: int) -> None:
    """Write vectors, or with -classes a line `word class` per word."""
    if n_classes == 0:
        model.save(path, format)
        return
    from fastw2v.classes import word_classes
    from fastw2v.files.atomic import atomic_write

    classes = word_classes(model.wv.vectors, n_classes)
    with atomic_write(path) as file:
        for word, number in zip(model.wv.index_to_key, classes.tolist(), strict=True):
            file.write(f"{word} {number}\n".encode("utf-8", "surrogateescape"))
