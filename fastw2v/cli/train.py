"""fastw2v train: from text files to a vectors file."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from fastw2v.base.checks import check_flag
from fastw2v.base.compression import SUFFIXES
from fastw2v.cli.files import RunFiles, write_or_rescue
from fastw2v.cli.settings import (
    CHECKPOINT_FLAGS,
    MODEL_FLAGS,
    SETTING_FLAGS,
    SPEED_FLAGS,
    START_FLAGS,
    TEXT_FLAGS,
    TRAINING_FLAGS,
    WATCH_FLAGS,
    add_flags,
    files_read,
    load_functions,
    load_watchers,
    read_config,
)
from fastw2v.cli.summary import format_summary
from fastw2v.errors import UsageError
from fastw2v.formats.records import FORMATS, NATIVE, format_of_suffix, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastw2v.word2vec import Word2Vec


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train word vectors on text files",
        usage="%(prog)s CORPUS [CORPUS ...] -o OUT [settings]",
        description="Train word vectors on text: one sentence a line, words split at white space.",
        epilog="Defaults stand in brackets. --hs and all others without a value have a --no- "
        "form, to undo what a --config file sets.",
    )
    add_file_flags(parser)
    add_flags(parser.add_argument_group("text"), TEXT_FLAGS)
    model = parser.add_argument_group("model")
    architecture = model.add_mutually_exclusive_group()
    architecture.add_argument(
        "--sg",
        action="store_true",
        default=argparse.SUPPRESS,
        help="skip-gram: learn to tell the words around a word",
    )
    architecture.add_argument(
        "--cbow",
        dest="sg",
        action="store_false",
        default=argparse.SUPPRESS,
        help="CBOW: learn to tell a word from those around it (default)",
    )
    add_flags(model, MODEL_FLAGS)
    add_flags(parser.add_argument_group("training"), TRAINING_FLAGS)
    add_flags(parser.add_argument_group("start"), START_FLAGS)
    add_flags(parser.add_argument_group("measure and stop"), WATCH_FLAGS)
    add_flags(parser.add_argument_group("speed"), SPEED_FLAGS)
    add_flags(parser.add_argument_group("checkpoints"), CHECKPOINT_FLAGS)
    parser.set_defaults(run=run)


def add_file_flags(parser: argparse.ArgumentParser) -> None:
    """Add what says which files are read and written, and what is shown."""
    parser.add_argument(
        "corpus",
        nargs="+",
        metavar="CORPUS",
        help=f"files and globs, also {' '.join(SUFFIXES)}; - for standard input",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="the vectors file to write"
    )
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        metavar="NAME",
        help=f"{listed(FORMATS, 'or')} (by the end of OUT: {_endings_help()})",
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings; flags override it")
    parser.add_argument("--save-vocab", metavar="FILE", help="write the words and their counts")
    parser.add_argument(
        "--read-vocab",
        metavar="FILE",
        help="take words and counts from FILE, as far as --min-count and --max-final-vocab allow",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--progress", action="store_true", help="show progress where there is no terminal, too"
    )
    shown.add_argument("-q", "--quiet", action="store_true", help="show errors only")


def _endings_help() -> str:
    """Return which ends of a path stand for which format, where NATIVE is the default."""
    others = [f"{end} {f.name}" for f in FORMATS.values() for end in f.endings if f is not NATIVE]
    return f"{', '.join(others)}, all others {NATIVE.name}"


def run(args: argparse.Namespace) -> int:
    """Train as the flags and the configuration file say; flags win."""
    accepted = {"sg", "cbow", *SETTING_FLAGS, *WATCH_FLAGS}
    settings = read_config(args.config, accepted) if args.config else {}
    given = {name: value for name, value in vars(args).items() if name in accepted}
    if "cbow" in settings:
        if "sg" in settings:
            raise UsageError(f"{args.config}: sg and cbow contradict each other; leave one out")
        check_flag("cbow", settings["cbow"])
        settings["sg"] = not settings.pop("cbow")
    format = args.format or format_of(args.output)
    settings |= given
    files = RunFiles(
        args.corpus, args.output, format, args.read_vocab, args.save_vocab, settings.get("log"),
        files_read(settings),
    )  # fmt: skip
    train_to_file(
        files,
        settings,
        write=lambda model, path: model.save(path, format),
        progress=False if args.quiet else True if args.progress else None,
        quiet=args.quiet,
    )
    return 0


def format_of(path: str) -> str:
    """Return the format that a path's suffix names, native if it names none.

    Raises UsageError if it names a compression: vectors are written plain.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix in SUFFIXES:
        raise UsageError(f"{path}: vectors cannot be written compressed; leave out {suffix}")
    try:
        return format_of_suffix(path)
    except UsageError:
        return NATIVE.name


def train_to_file(
    files: RunFiles,
    settings: dict[str, Any],
    *,
    write: "Callable[[Word2Vec, str], None]",
    progress: bool | None = None,
    quiet: bool = False,
) -> None:
    """Check all that can be checked, then read, train and write.

    settings: of Word2Vec, functions by name, and WATCH_FLAGS.
    write: called with the trained model and the output's path; without one, nothing is trained.
    """
    from fastw2v.corpus.sources import STDIN
    from fastw2v.word2vec import Word2Vec

    model = Word2Vec(**load_watchers(load_functions(settings)), progress=progress)
    sources = files.check()
    if STDIN in files.corpus and sys.stdin is not None and sys.stdin.isatty() and not quiet:
        print("reading standard input: type text, end with Ctrl-D on a new line", file=sys.stderr)
    vocabulary = files.load_vocabulary(model.rules)
    model.build_vocab(corpus_file=[*sources], vocabulary=vocabulary)
    assert model.vocabulary is not None
    if model.start is not None and not quiet:
        print(f"started from {model.init_from}: {model.start}")
    files.check_result(model.vocabulary.words, model.parameters.vector_size)
    if files.save_vocab:
        model.vocabulary.save(files.save_vocab)
    if files.output is None:
        return
    with files.room_held(model.vocabulary.words, model.parameters.vector_size):
        summary = model.train()
    write_or_rescue(model, files.output, write)
    if not quiet:
        print(f"{format_summary(summary)}\nwritten to {files.output}, format {files.format}")
