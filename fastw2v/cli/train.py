"""`fastw2v train`: train a vectors file on text files."""

import argparse
import os
import secrets
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastw2v.base.checks import check_flag
from fastw2v.base.content import SUFFIXES, suffix_of
from fastw2v.cli.command import print_early, print_fitted, print_line
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
    pipe_held,
    read_config,
)
from fastw2v.errors import CorpusError, Fastw2vError, ModelFormatError, SaveError, UsageError
from fastw2v.formats.records import (
    FORMATS,
    NATIVE,
    TEXT,
    WRITTEN,
    Format,
    check_target,
    format_of_suffix,
    listed,
    places_of,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fastw2v.corpus import Vocabulary, VocabularyRules
    from fastw2v.corpus.sources import Source
    from fastw2v.training.events import Summary
    from fastw2v.word2vec import Word2Vec

CLASSES = "classes"  # the output of word2vec.c's -classes: one line `word number` per word


@dataclass(frozen=True)
class RunFiles:
    """The files that a run reads and writes; None for those not requested.

    corpus: paths and globs.  output: the file to write.  format: its format, CLASSES or the name
    of a vectors format.  read_vocab, save_vocab: files of words and counts.  log: file to append
    to.  also_read: other files to read, by setting name.  n_classes: word classes to write.
    """

    corpus: list[str]
    output: str | None
    format: str
    read_vocab: str | None
    save_vocab: str | None
    log: str | None = None
    also_read: dict[str, str] = field(default_factory=dict)
    n_classes: int = 0

    def check(self) -> "list[Source]":
        """Check all files before training and return the corpus, with its files open.

        Each file to write must differ from every file that is read and from the other outputs.
        Raises SaveError, ReadError or UsageError.
        """
        from fastw2v.base.atomic import check_writable, is_special
        from fastw2v.corpus.sources import STDIN, find_sources

        given = [("output", self.output), ("save_vocab", self.save_vocab), ("log", self.log)]
        written = [(name, path) for name, path in given if path]
        if self.output and self.format != CLASSES:
            check_target(self.format, "float32", self.output)
            paths = places_of(self.output, self.format)
            written += [("output", target) for target in paths if target != self.output]
        for _, path in written:
            check_writable(path)
        sources = find_sources(self.corpus)
        if self.also_read.get("validation") == STDIN:
            find_sources([*sources, STDIN])  # raises if STDIN is given twice
        roles = {os.path.realpath(source.path): "the corpus" for source in sources}
        if self.read_vocab:
            roles[os.path.realpath(self.read_vocab)] = "read_vocab"
        roles |= {os.path.realpath(path): name for name, path in self.also_read.items()}
        for name, path in written:
            if is_special(path):
                continue
            taken = roles.setdefault(os.path.realpath(path), name)
            if taken != name:
                raise UsageError(f"{path} is both {name} and {taken}; write to another file")
        return sources

    def load_vocabulary(self, rules: "VocabularyRules") -> "Vocabulary | None":
        """Return the words of read_vocab that the rules keep, or None without read_vocab.

        Raises ReadError, ModelFormatError, or UsageError if no word is kept.
        """
        import numpy as np

        from fastw2v.corpus import Vocabulary

        if self.read_vocab is None:
            return None
        found = Vocabulary.load(self.read_vocab)
        if not len(found):
            raise ModelFormatError(f"{self.read_vocab} contains no words")
        least = rules.effective_min_count(found.counts)
        n_kept = int(np.count_nonzero(found.counts >= least))
        if n_kept == 0:
            raise UsageError(
                f"{self.read_vocab}: 0 of {len(found)} words have a count of at least {least} "
                f"(most frequent: {found.words[0]!r}, {found.counts[0]}); lower min_count"
            )
        return Vocabulary(found.words[:n_kept], found.counts[:n_kept])

    def check_result(self, words: list[str], vector_size: int) -> None:
        """Raise SaveError if the format cannot hold some word or the disk lacks space.

        Raises UsageError if there are fewer words than classes.
        """
        from fastw2v.base.atomic import check_room
        from fastw2v.formats.word_vectors import encode_words

        if self.output is None:
            return
        if self.n_classes:
            from fastw2v.vectors.classes import check_classes

            check_classes(self.n_classes, len(words))
        format, dim = self._layout(vector_size)
        if format.refused:
            encode_words(self.output, words, format)
        if not suffix_of(self.output):
            check_room(self.output, format.min_bytes(len(words), dim))

    def room_held(self, words: list[str], vector_size: int) -> "AbstractContextManager[None]":
        """Reserve disk space for the largest possible output during the block, where possible."""
        from fastw2v.base.atomic import is_special, room_held

        if self.output is None or is_special(self.output):
            return nullcontext()
        format, dim = self._layout(vector_size)
        return room_held(self.output, format.max_bytes(words, dim))

    def _layout(self, vector_size: int) -> tuple[Format, int]:
        """Return the output's format and its number of values per word."""
        return (TEXT, 0) if self.format == CLASSES else (FORMATS[self.format], vector_size)


def write_or_rescue(model: "Word2Vec", path: str, write: Callable[["Word2Vec", str], None]) -> None:
    """Write the model to `path`; if that fails, rescue the complete model elsewhere.

    A model that is already in a checkpoint is not copied.
    Raises SaveError, which names the failure and the location of the rescued model.
    """
    try:
        with pipe_held(path):  # its reader may be gone
            write(model, path)
    except SaveError as error:
        raise SaveError(f"{error}; {rescue(model)}") from error


def rescue(model: "Word2Vec") -> str:
    """Save the model to the first writable folder and return a message with its path."""
    saved_in = model.last_checkpoint
    for folder in () if saved_in else (os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~")):
        path = os.path.join(folder, f"fastw2v-rescued-{secrets.token_hex(4)}.safetensors")
        with suppress(Fastw2vError, OSError):
            model.save(path)
            saved_in = path
            break
    if saved_in is None:
        return "the model could not be saved anywhere else either and is lost"
    return f"the trained model was saved in {saved_in}; `fastw2v convert` writes other formats"


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train word vectors on text files",
        usage="%(prog)s CORPUS [CORPUS ...] -o OUT [settings]",
        description="Train word vectors on text: one sentence per line, words separated by white "
        "space.",
        epilog="Defaults are in brackets. Every flag without a value, such as --hs, has a --no- "
        "form that overrides a --config file.",
    )
    add_file_flags(parser)
    add_flags(parser.add_argument_group("text"), TEXT_FLAGS)
    model = parser.add_argument_group("model")
    architecture = model.add_mutually_exclusive_group()
    architecture.add_argument(
        "--sg",
        action="store_true",
        default=argparse.SUPPRESS,
        help="skip-gram: predict the context words from a word",
    )
    architecture.add_argument(
        "--cbow",
        dest="sg",
        action="store_false",
        default=argparse.SUPPRESS,
        help="CBOW: predict a word from its context words (default)",
    )
    add_flags(model, MODEL_FLAGS)
    add_flags(parser.add_argument_group("training"), TRAINING_FLAGS)
    add_flags(parser.add_argument_group("start"), START_FLAGS)
    add_flags(parser.add_argument_group("measure and stop"), WATCH_FLAGS)
    add_flags(parser.add_argument_group("speed"), SPEED_FLAGS)
    add_flags(parser.add_argument_group("checkpoints"), CHECKPOINT_FLAGS)
    parser.named = {"metric": "--metric-pairs or --metric-analogies"}
    parser.set_defaults(run=run, imports="fastw2v.word2vec")


def add_file_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags for files and for output on the terminal."""
    parser.add_argument(
        "corpus",
        nargs="+",
        metavar="CORPUS",
        help=f"files and globs, also {' '.join(SUFFIXES)}; - for standard input",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="vectors file to write"
    )
    parser.add_argument(
        "--format",
        choices=tuple(WRITTEN),
        metavar="NAME",
        help=f"{listed(WRITTEN, 'or')} (by the suffix of OUT: {_endings_help()})",
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings; flags override it")
    parser.add_argument(
        "--save-vocab", metavar="FILE", help="write the words and their counts to FILE"
    )
    parser.add_argument(
        "--read-vocab",
        metavar="FILE",
        help="read words and counts from FILE; --min-count and --max-final-vocab apply to them",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--progress", action="store_true", help="show progress even without a terminal"
    )
    shown.add_argument("-q", "--quiet", action="store_true", help="show errors only")


def _endings_help() -> str:
    """Return the suffixes of each format; NATIVE is the default for all others."""
    others = [f"{end} {f.name}" for f in FORMATS.values() for end in f.endings if f is not NATIVE]
    return f"{', '.join(others)}, all others {NATIVE.name}"


def run(args: argparse.Namespace) -> int:
    """Train with the settings of the flags and the configuration file; flags win."""
    accepted = {"sg", "cbow", *SETTING_FLAGS, *WATCH_FLAGS}
    settings = read_config(args.config, accepted) if args.config else {}
    given = {name: value for name, value in vars(args).items() if name in accepted}
    args.named |= {name: f"{name} in {args.config}" for name in settings.keys() - given.keys()}
    if "cbow" in settings:
        if "sg" in settings:
            raise UsageError(f"{args.config}: 'sg' and 'cbow' cannot be combined; leave one out")
        check_flag("cbow", settings["cbow"])
        settings["sg"] = not settings.pop("cbow")
    format = args.format or format_of_suffix(args.output)
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


def train_something(model: "Word2Vec") -> "Summary":
    """Train; raise CorpusError if nothing was, unless the vectors are those of another file."""
    from fastw2v.training.events import NOTHING_TRAINED

    if model.start is not None:
        return model.train()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", NOTHING_TRAINED, UserWarning)
        try:
            return model.train()
        except UserWarning as warning:
            raise CorpusError(str(warning)) from None


def train_to_file(
    files: RunFiles,
    settings: dict[str, Any],
    *,
    write: Callable[["Word2Vec", str], None],
    progress: bool | None = None,
    quiet: bool = False,
) -> None:
    """Check the settings and files, then read the corpus, train and write the result.

    settings: those of Word2Vec, with functions given by name, and WATCH_FLAGS.
    write: called with the trained model and the output path. Without an output path, only the
    vocabulary is written.
    """
    from fastw2v.corpus.sources import STDIN
    from fastw2v.word2vec import Word2Vec

    model = Word2Vec(**load_watchers(load_functions(settings)), progress=progress)
    sources = files.check()
    if STDIN in files.corpus and sys.stdin is not None and sys.stdin.isatty() and not quiet:
        print_line("reading standard input; press Ctrl-D on a new line to end it")
    vocabulary = files.load_vocabulary(model.rules)
    model.build_vocab(corpus_file=[*sources], vocabulary=vocabulary)
    assert model.vocabulary is not None
    if model.start is not None and not quiet:
        print_early(f"started from {model.init_from}: {model.start}")
    files.check_result(model.vocabulary.words, model.parameters.vector_size)
    if files.save_vocab:
        model.vocabulary.save(files.save_vocab)
        if files.output is None and not quiet:
            print(f"{len(model.vocabulary):,} words written to {files.save_vocab}")
    if files.output is None:
        return
    with files.room_held(model.vocabulary.words, model.parameters.vector_size):
        summary = train_something(model)
    write_or_rescue(model, files.output, write)
    if not quiet:
        print_fitted(f"{summary}\nwritten to {files.output}, format {files.format}")
