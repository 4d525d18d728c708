"""Flags and configuration files that describe a run, and what it measures and logs."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from fastw2v.base.checks import check_path
from fastw2v.errors import UsageError, reading

# name: (type, help); the names are Word2Vec's, and so are the defaults, which stand in brackets
Flags = dict[str, tuple[Callable[[str], Any], str]]


def window(text: str) -> int | list[int]:
    """Return the window that `5` or `5,2` stands for."""
    sides = [int(side) for side in text.split(",")]
    return sides if len(sides) > 1 else sides[0]


TEXT_FLAGS: Flags = {
    "lowercase": (bool, "turn upper case into lower case"),
    "column": (str, "the column of Parquet files that holds texts or lists of words"),
    "tokenizer": (str, "a Python function from a line to its words, as module:function"),
    "min_count": (int, "drop words seen less than N times (5)"),
    "max_final_vocab": (int, "keep at most the N most frequent words (all)"),
}
MODEL_FLAGS: Flags = {
    "vector_size": (int, "numbers in each vector (100)"),
    "window": (window, "context words on either side, at most (5), or as 5,2 left and right"),
    "shrink_windows": (bool, "use whole windows, not 1 to N words drawn for each centre"),
    "negative": (int, "negative sampling with N negative samples (5)"),
    "ns_exponent": (float, "draw negative samples by their count to the power of X (0.75)"),
    "hs": (bool, "hierarchical softmax, not negative sampling"),
    "softmax": (bool, "full softmax, not negative sampling; for at most 50,000 words"),
    "bias": (bool, "train a bias per output"),
    "cbow_mean": (bool, "add CBOW's context words up, instead of taking their mean"),
    "cbow_update": (str, "corrected: divide CBOW's gradient by the window; word2vec: do not "
                         "(corrected, but word2vec with --hs and for few words)"),
}  # fmt: skip
TRAINING_FLAGS: Flags = {
    "epochs": (int, "passes over the corpus (5)"),
    "alpha": (float, "learning rate at the start (0.025; CBOW 0.1, less for larger "
                     "windows; CBOW with --hs 0.05)"),
    "min_alpha": (float, "learning rate at the end (0.0001)"),
    "schedule": (str, "how it gets there: linear, cosine, constant (it stays), or a Python "
                      "function of the progress from 0 to 1, as module:function (linear)"),
    "sample": (float, "thin out words that make up more than X of the text; 0: none (0.001)"),
    "seed": (int, "start of all random draws (1); with --workers 1 a run repeats exactly"),
    "deterministic": (bool, "repeat exactly with several workers too, for as many of them; slower"),
}  # fmt: skip
START_FLAGS: Flags = {
    "init_from": (os.fspath, "start from the vectors in FILE, of any format, word by word"),
    "grow": (bool, "keep words of --init-from that the corpus lacks, and add its counts"),
    "freeze": (os.fspath, "leave word vectors as they are: all, known (those of --init-from), or "
                          "the words in FILE, one a line"),
}  # fmt: skip
SPEED_FLAGS: Flags = {
    "workers": (int, "threads (one for each core)"),
    "backend": (str, "scalar, vec128, avx2, avx512, avx512bf16 or amx (the fastest here)"),
    "block_centres": (int, "words trained at once (as many as train well)"),
    "block_noise": (int, "negative samples that these share (as many as train well)"),
    "noise_reuse": (int, "steps that a negative sample serves (as many as train well)"),
    "loss_every": (int, "measure the loss on every N-th step (16)"),
}
CHECKPOINT_FLAGS: Flags = {
    "checkpoint": (str, "save the run in this folder at the end of each epoch, at Ctrl-C and at "
                        "SIGTERM; the two newest checkpoints are kept"),
    "checkpoint_every": (str, "and after so much time within an epoch, as 90s, 10m or 1h (10m)"),
    "resume": (bool, "go on from the newest checkpoint; start if there is none"),
}  # fmt: skip
SETTING_FLAGS = (
    TEXT_FLAGS | MODEL_FLAGS | TRAINING_FLAGS | START_FLAGS | SPEED_FLAGS | CHECKPOINT_FLAGS
)
METAVARS: dict[Any, str] = {int: "N", float: "X", str: "NAME", window: "N[,N]", os.fspath: "FILE"}
# Values that flags without one accept after `=` only: the next word may be a corpus.
OTHER_VALUES: dict[str, tuple[str, str]] = {
    "bias": ("both", "and one of the input side, which the vectors contain"),
}
ON_BY_DEFAULT = {"shrink_windows", "cbow_mean"}  # so that help shows what turns it off


def add_flags(parser: argparse._ArgumentGroup, flags: Flags) -> None:
    """Add a flag for each entry; one that is not given leaves no trace in the result."""
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
    """Return the settings of a TOML file, whose keys are the flags' names.

    Raises ReadError if it cannot be read, UsageError if it is not TOML or has another key.
    """
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        with reading(path), open(path, "rb") as file:
            settings = tomllib.load(file)
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name not in accepted:
            raise UsageError(
                f"{path}: unknown setting {key!r}; accepted are {', '.join(sorted(accepted))}"
            )
        if name in found:
            raise UsageError(f"{path}: {name} is set twice, also as {name.replace('_', '-')}")
        found[name] = value
    return found


def load_freeze(freeze: Any) -> Any:
    """Return what Word2Vec is to freeze: the words of a file, one a line, if this is a path."""
    from fastw2v.base.compression import open_text
    from fastw2v.run.saved_model import FREEZE_KEYWORDS

    if not isinstance(freeze, str) or freeze in FREEZE_KEYWORDS:
        return freeze
    with open_text(freeze) as file:
        words = [word for line in file if (word := line.rstrip("\r\n"))]
    if not words:
        raise UsageError(f"{freeze}: holds no words to freeze")
    return words


def load_functions(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with functions, and words, in the place of what names them."""
    loaded = dict(settings)
    if settings.get("tokenizer"):
        loaded["tokenizer"] = load_function("tokenizer", settings["tokenizer"])
    if ":" in str(settings.get("schedule", "")):
        loaded["schedule"] = load_function("schedule", settings["schedule"])
    if "freeze" in settings:
        loaded["freeze"] = load_freeze(settings["freeze"])
    return loaded


def load_function(setting: str, name: str) -> Callable[..., Any]:
    """Return the function that module:name stands for; modules in this folder are found too."""
    module_name, _, function_name = str(name).partition(":")
    if not module_name or not function_name:
        raise UsageError(f"{setting} must be given as module:function, got {name!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # a module runs whatever code it likes
        kind = type(error).__name__
        raise UsageError(f"{setting} {name!r} cannot be imported: {kind}: {error}") from error
    if not callable(function):
        raise UsageError(f"{setting} {name!r} is not callable")
    return function  # type: ignore[no-any-return]


def file_or_share(text: str) -> str | float:
    """Return the share that a number stands for, or else the path."""
    try:
        return float(text)
    except ValueError:
        return text


def folder(text: str) -> str:
    """Return the path of a folder."""
    return text


WATCH_FLAGS: Flags = {
    "validation": (file_or_share, "measure the loss after each epoch on the text in FILE, or on "
                                  "the share X of the sentences, which are then not trained on"),
    "metric_pairs": (os.fspath, "after each epoch, correlate with the scores of the word pairs in "
                                "FILE"),
    "metric_analogies": (os.fspath, "after each epoch, answer the analogy questions in FILE"),
    "patience": (int, "stop after N epochs in a row without a better metric, or without a metric, "
                      "held-out loss (train all epochs)"),
    "restore_best": (bool, "write the vectors of the best epoch instead of the last"),
    "log": (os.fspath, "add settings, loss and speed to FILE, one JSON object a line"),
    "tensorboard": (folder, "write curves for TensorBoard into FOLDER"),
}  # fmt: skip
METAVARS |= {file_or_share: "FILE|X", folder: "FOLDER"}
METRICS = ("metric_pairs", "metric_analogies")


def load_watchers(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with the metric and the callbacks that WATCH_FLAGS name."""
    rest = {name: v for name, v in settings.items() if name not in (*METRICS, "tensorboard")}
    metrics = [name for name in METRICS if name in settings]
    for name in (*metrics, *(name for name in ("tensorboard", "log") if name in settings)):
        check_path(name, settings[name])
    if len(metrics) > 1:
        raise UsageError(f"{' and '.join(metrics)} contradict each other; leave one out")
    if metrics:
        from fastw2v.callbacks import Analogies, WordPairs

        kind = WordPairs if metrics == ["metric_pairs"] else Analogies
        rest["metric"] = kind(settings[metrics[0]])
    if "tensorboard" in settings:
        from fastw2v.callbacks import TensorBoard

        rest["callbacks"] = [TensorBoard(settings["tensorboard"])]
    return rest


def files_read(settings: dict[str, Any]) -> dict[str, str]:
    """Return the files that WATCH_FLAGS read, by the setting's name."""
    given = {name: settings.get(name) for name in (*METRICS, "validation")}
    return {name: path for name, path in given.items() if isinstance(path, str)}
