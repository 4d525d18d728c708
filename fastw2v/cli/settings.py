"""Flags and configuration files: the settings, metrics and logs of a run."""

import argparse
import contextlib
import errno
import functools
import importlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Any

from fastw2v.base.checks import check_path, shown
from fastw2v.base.compression import begin_text
from fastw2v.base.threads import stop_signal
from fastw2v.errors import Fastw2vError, ReadError, SaveError, UsageError, reading

# name: (type, help). Names and defaults are those of Word2Vec; the help gives defaults in brackets.
Flags = dict[str, tuple[Callable[[str], Any], str]]


MAX_CONFIG_BYTES = 1 << 20


def window(text: str) -> int | list[int]:
    """Parse a window such as `5` or `5,2`."""
    sides = [int(side) for side in text.split(",")]
    return sides if len(sides) > 1 else sides[0]


def folder(text: str) -> str:
    """Return the path of a folder."""
    return text


def time(text: str) -> str:
    """Return a time such as `10m`."""
    return text


TEXT_FLAGS: Flags = {
    "lowercase": (bool, "convert words to lower case"),
    "column": (str, "column of Parquet, JSON lines, CSV or TSV files that holds the texts"),
    "allow_binary": (bool, "train on files that are not text, and on text with NUL bytes"),
    "tokenizer": (
        str,
        "split text by words (lower case, without punctuation), simple (gensim's "
        "simple_preprocess; options as simple:deacc,min_len=2,max_len=15), or a Python function "
        "of a line, as module:function (whitespace)",
    ),
    "min_count": (int, "drop words that occur fewer than N times (5)"),
    "max_final_vocab": (int, "keep at most the N most frequent words (all)"),
}
MODEL_FLAGS: Flags = {
    "vector_size": (int, "dimension of the vectors (100)"),
    "window": (window, "maximum number of context words on each side (5); 5,2 sets left and "
                       "right separately"),
    "shrink_windows": (bool, "always use the full window instead of a random size from 1 to N"),
    "negative": (int, "use negative sampling with N negative samples (5)"),
    "ns_exponent": (float, "draw negative samples in proportion to their count to the power of X "
                           "(0.75)"),
    "hs": (bool, "use hierarchical softmax instead of negative sampling; both with --hs "
                 "--negative N"),
    "softmax": (bool, "use full softmax instead of negative sampling; at most 50,000 words"),
    "bias": (bool, "train a bias for each output"),
    "cbow_mean": (bool, "sum CBOW's context vectors instead of averaging them"),
    "cbow_update": (str, "corrected: divide CBOW's gradient by the number of context words; "
                         "word2vec: do not divide it (corrected; word2vec with --hs and for small "
                         "vocabularies)"),
}  # fmt: skip
TRAINING_FLAGS: Flags = {
    "epochs": (int, "passes over the corpus (5)"),
    "alpha": (float, "initial learning rate (0.025; CBOW 0.1, less for larger windows; CBOW "
                     "with --hs 0.05)"),
    "min_alpha": (float, "final learning rate (0.0001)"),
    "schedule": (str, "learning rate schedule: linear, cosine, constant, or a Python function of "
                      "the progress from 0 to 1, as module:function (linear)"),
    "sample": (float, "subsample words whose share of the text exceeds X; 0: none (0.001)"),
    "seed": (int, "random seed (1); with --workers 1, runs are bit-identical"),
    "deterministic": (bool, "make runs with the same number of workers bit-identical; slower"),
}  # fmt: skip
START_FLAGS: Flags = {
    "init_from": (os.fspath, "start each word from its vector in FILE, in any format"),
    "grow": (bool, "keep words of --init-from that the corpus lacks, and add its counts"),
    "freeze": (os.fspath, "do not train some word vectors: all, known (those of --init-from), or "
                          "the words in FILE, one per line"),
}  # fmt: skip
SPEED_FLAGS: Flags = {
    "workers": (int, "threads (one per core)"),
    "backend": (str, "scalar, vec128, avx2, avx512, avx512bf16 or amx (fastest available)"),
    "block_centres": (int, "centre words trained in one step (chosen automatically)"),
    "block_noise": (int, "negative samples shared by these words (chosen automatically)"),
    "noise_reuse": (int, "steps that reuse each negative sample (chosen automatically)"),
    "loss_every": (int, "measure the loss every N steps (16)"),
}
CHECKPOINT_FLAGS: Flags = {
    "checkpoint": (folder, "save checkpoints in this folder after each epoch, at Ctrl-C and at "
                        "SIGTERM; keep the two newest"),
    "checkpoint_every": (time, "also save a checkpoint at this interval within an epoch, such as "
                              "90s, 10m or 1h (10m)"),
    "resume": (bool, "resume from the newest checkpoint, or start if there is none"),
}  # fmt: skip
SETTING_FLAGS = (
    TEXT_FLAGS | MODEL_FLAGS | TRAINING_FLAGS | START_FLAGS | SPEED_FLAGS | CHECKPOINT_FLAGS
)
METAVARS: dict[Any, str] = {
    int: "N", float: "X", str: "NAME", window: "N[,N]", os.fspath: "FILE", folder: "FOLDER",
    time: "TIME",
}  # fmt: skip
# Optional values of flags. They must follow `=`, since the next argument may be a corpus.
OTHER_VALUES: dict[str, tuple[str, str]] = {
    "bias": ("both", "also train a bias for each input, contained in the vectors"),
}
ON_BY_DEFAULT = {"shrink_windows", "cbow_mean"}  # the help shows their --no- form


def add_flags(parser: argparse._ArgumentGroup, flags: Flags) -> None:
    """Add a flag for each entry; a flag that is not given is absent from the result."""
    for name, (kind, text) in flags.items():
        flag = "--" + name.replace("_", "-")
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
        if kind is not bool:
            metavar = METAVARS[kind]
            parser.add_argument(flag, type=kind, metavar=metavar, help=text, **options)
            continue
        on, off = text, argparse.SUPPRESS
        if name in ON_BY_DEFAULT:
            on, off = off, on
        parser.add_argument(flag, action="store_true", help=on, **options)
        if name in OTHER_VALUES:
            value, more = OTHER_VALUES[name]
            parser.add_argument(
                f"{flag}={value}", action="store_const", const=value, help=more, **options
            )
        parser.add_argument(f"--no-{flag[2:]}", action="store_false", help=off, **options)


def read_config(path: str, accepted: set[str]) -> dict[str, Any]:
    """Return the settings in a TOML file, whose keys are flag names.

    Raises ReadError if the file cannot be read, UsageError if it is not valid TOML or has an
    unknown key.
    """
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        with reading(path), open(path, "rb") as file:
            begin_text(file, path, UsageError)
            text = file.read(MAX_CONFIG_BYTES + 1)
        if len(text) > MAX_CONFIG_BYTES:
            raise UsageError(
                f"{path}: larger than {MAX_CONFIG_BYTES:,} bytes; it holds settings only"
            )
        settings = tomllib.loads(text.decode())
    except UsageError:
        raise
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name not in accepted:
            from fastw2v.base.spelling import did_you_mean

            hint = did_you_mean(key, accepted) or f"; accepted are {', '.join(sorted(accepted))}"
            if isinstance(value, dict):
                hint = "; settings are not in a [section], but at the top of the file"
            raise UsageError(f"{path}: unknown setting {key!r}{hint}")
        if name in found:
            raise UsageError(f"{path}: {name!r} is set twice, also as {name.replace('_', '-')!r}")
        found[name] = value
    return found


def load_freeze(freeze: Any) -> Any:
    """Return Word2Vec's freeze argument; read the words of a file, one per line, from a path."""
    from fastw2v.base.compression import open_text, short_lines
    from fastw2v.run.saved_model import FREEZE_KEYWORDS

    if not isinstance(freeze, str) or freeze in FREEZE_KEYWORDS:
        return freeze
    with open_text(freeze) as file:
        lines = short_lines(file, freeze, ReadError)
        words = [word for line in lines if (word := line.rstrip("\r\n"))]
    if not words:
        raise UsageError(f"{freeze} contains no words to freeze")
    return words


def load_functions(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with function names and word files replaced by their contents."""
    loaded = dict(settings)
    if "tokenizer" in settings:
        loaded["tokenizer"] = load_tokenizer(settings["tokenizer"])
    if ":" in str(settings.get("schedule", "")):
        loaded["schedule"] = load_function("schedule", settings["schedule"])
    if "freeze" in settings:
        loaded["freeze"] = load_freeze(settings["freeze"])
    return loaded


def load_tokenizer(name: Any) -> Any:
    """Return a built-in tokenizer, or the function that is named as module:function."""
    from fastw2v.corpus.tokenizers import RULES, Tokenizer

    if isinstance(name, str):
        built_in = Tokenizer.named(name)
        if built_in is not None:
            return built_in
        if ":" not in name:
            raise UsageError(
                f"tokenizer must be {', '.join(RULES)} or module:function, got {shown(name)}"
            )
    return load_function("tokenizer", name)


def load_function(setting: str, name: str) -> Callable[..., Any]:
    """Import module:function; the working directory is on the path, too."""
    module_name, _, function_name = str(name).partition(":")
    if not module_name or not function_name:
        raise UsageError(f"{setting} must be given as module:function, got {name!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (Exception, SystemExit, GeneratorExit) as error:  # importing runs arbitrary code
        kind = type(error).__name__
        raise UsageError(f"{setting} {name!r} cannot be imported: {kind}: {error}") from error
    if not callable(function):
        raise UsageError(f"{setting} {name!r} is not callable")

    @functools.wraps(function)
    def called(*args: Any) -> Any:
        with _blaming(setting, name, Exception, GeneratorExit):
            result = function(*args)
        return _each(setting, name, result) if isinstance(result, Iterator) else result

    # Files name a schedule by it; an object has none of its own.
    called.__qualname__ = getattr(function, "__qualname__", type(function).__qualname__)
    return called


@contextlib.contextmanager
def _blaming(setting: str, name: str, *kinds: type[BaseException]) -> Iterator[None]:
    """Convert errors of these kinds that a user's function raises to a UsageError naming it."""
    try:
        yield
    except (Fastw2vError, MemoryError):
        raise
    except kinds as error:
        if stop_signal() is not None:
            raise
        raise UsageError(f"{setting} {name!r} raised {shown(error)}") from error


def _each(setting: str, name: str, items: Iterator[Any]) -> Iterator[Any]:
    """Yield the items of an iterator that a user's function returned."""
    with _blaming(setting, name, Exception):  # closing this raises GeneratorExit
        yield from items


def file_or_share(text: str) -> str | float:
    """Return a number as a share, anything else as a path."""
    try:
        return float(text)
    except ValueError:
        return text


MAY_BE_EMPTY = ("delimiter", "words")  # arguments of subcommands for which '' can be right
WRITTEN = ("output", "target", "save_vocab", "list")  # arguments that name a file to write


def check_names(args: argparse.Namespace, open_files: contextlib.ExitStack) -> None:
    """Refuse empty names and pipes without a reader; keep standard output free for a result.

    open_files: keeps the pipes to write open, or their readers would end.
    Raises UsageError or SaveError.
    """
    for name, value in vars(args).items():
        if "" in (value if isinstance(value, list) else [value]) and name not in MAY_BE_EMPTY:
            raise UsageError(f"{name} must not be empty, got ''")
    for path in (path for name in WRITTEN if (path := getattr(args, name, None))):
        open_files.enter_context(pipe_held(path))
        if is_standard_output(path):
            open_files.enter_context(contextlib.redirect_stdout(sys.stderr))


def is_standard_output(path: str) -> bool:
    """Return whether the path, such as /dev/stdout, is the file or pipe of standard output."""
    try:
        target, output = os.stat(path), os.fstat(1)
    except OSError:  # a new file
        return False
    return os.path.samestat(target, output) and not stat.S_ISCHR(target.st_mode)


@contextlib.contextmanager
def pipe_held(path: str) -> Iterator[None]:
    """Hold a pipe open for writing during the block; raise SaveError if no program reads it.

    Without a reader, opening it for the result would wait, for ever if none comes.
    """
    with contextlib.ExitStack() as open_files:
        try:
            if stat.S_ISFIFO(os.stat(path).st_mode):
                open_files.callback(os.close, os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise SaveError(
                    f"cannot write {path}: no program reads this pipe; start its reader first, or "
                    "write to a file"
                ) from None
        yield


WATCH_FLAGS: Flags = {
    "validation": (file_or_share, "measure the loss after each epoch on the text in FILE, or on "
                                  "a share X of the sentences, held out from training"),
    "metric_pairs": (os.fspath, "after each epoch, evaluate on the word pairs in FILE"),
    "metric_analogies": (os.fspath, "after each epoch, evaluate on the analogies in FILE"),
    "patience": (int, "stop after N epochs without improvement of the metric or, if there is "
                      "none, of the held-out loss (train all epochs)"),
    "restore_best": (bool, "write the vectors of the best epoch instead of the last"),
    "log": (os.fspath, "append settings, loss and speed to FILE, one JSON object per line"),
    "tensorboard": (folder, "write TensorBoard logs to FOLDER"),
}  # fmt: skip
METAVARS |= {file_or_share: "FILE|X"}
METRICS = ("metric_pairs", "metric_analogies")


def load_watchers(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with WATCH_FLAGS replaced by the metric and callbacks they name."""
    rest = {name: v for name, v in settings.items() if name not in (*METRICS, "tensorboard")}
    metrics = [name for name in METRICS if name in settings]
    for name in (*metrics, *(name for name in ("tensorboard", "log") if name in settings)):
        check_path(name, settings[name])
    if len(metrics) > 1:
        raise UsageError(f"{' and '.join(metrics)} cannot be combined; leave one out")
    if metrics:
        from fastw2v.callbacks import Analogies, WordPairs

        kind = WordPairs if metrics == ["metric_pairs"] else Analogies
        rest["metric"] = kind(settings[metrics[0]])
    if "tensorboard" in settings:
        from fastw2v.callbacks import TensorBoard

        rest["callbacks"] = [TensorBoard(settings["tensorboard"])]
    return rest


def files_read(settings: dict[str, Any]) -> dict[str, str]:
    """Return the files to be read for WATCH_FLAGS, by setting name."""
    given = {name: settings.get(name) for name in (*METRICS, "validation")}
    return {name: path for name, path in given.items() if isinstance(path, str)}
