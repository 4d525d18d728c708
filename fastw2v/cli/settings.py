"""Flags and configuration files that describe a run."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from fastw2v.errors import UsageError, reading

FLAG = argparse.BooleanOptionalAction

# name: (type or action, help); the names are Word2Vec's, the defaults are its own
MODEL_FLAGS: dict[str, tuple[Any, str]] = {
    "vector_size": (int, "dimension of the vectors (100)"),
    "window": (int, "context words on either side (5)"),
    "shrink_windows": (FLAG, "draw each centre's window from 1..window (on)"),
    "negative": (int, "negative sampling with this many noise words (5)"),
    "ns_exponent": (float, "power of the counts that noise words follow (0.75)"),
    "hs": (FLAG, "hierarchical softmax instead of negative sampling"),
    "softmax": (FLAG, "full softmax, for up to about 50,000 words"),
    "bias": (FLAG, "train a bias per output"),
    "sample": (float, "subsampling threshold, 0 for none (0.001)"),
    "alpha": (float, "first learning rate (what measured best for the model)"),
    "min_alpha": (float, "last learning rate (0.0001)"),
    "epochs": (int, "passes over the corpus (5)"),
    "cbow_update": (str, "corrected or word2vec: the gradient of CBOW's context words"),
    "min_count": (int, "drop words seen less often (5)"),
    "max_final_vocab": (int, "keep at most this many words"),
    "seed": (int, "seed of every draw (1)"),
    "workers": (int, "threads (all cores)"),
    "block_centres": (int, "centres per block"),
    "block_noise": (int, "noise words that a block shares"),
    "backend": (str, "scalar, vec128, avx2 or avx512 (the fastest this CPU has)"),
}
CORPUS_FLAGS: dict[str, tuple[Any, str]] = {
    "lowercase": (FLAG, "lower-case every word"),
    "tokenizer": (str, "a Python function from a line to tokens, as module:name"),
}


def add_flags(parser: argparse.ArgumentParser, flags: dict[str, tuple[Any, str]]) -> None:
    """Add a flag for each entry; one that is not given leaves no trace in the result."""
    for name, (kind, text) in flags.items():
        options: dict[str, Any] = {"action": FLAG} if kind is FLAG else {"type": kind}
        if kind is not FLAG:
            options["metavar"] = {int: "N", float: "X", str: "NAME"}[kind]
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, dest=name, default=argparse.SUPPRESS, help=text, **options)


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
    settings = {key.replace("-", "_"): value for key, value in settings.items()}
    for key in settings:
        if key not in accepted:
            raise UsageError(
                f"{path}: unknown setting {key!r}; accepted are {', '.join(sorted(accepted))}"
            )
    return settings


def load_tokenizer(name: str) -> Callable[[str], list[str]]:
    """Return the function that module:name stands for; modules in this folder are found too."""
    module_name, _, function_name = str(name).partition(":")
    if not module_name or not function_name:
        raise UsageError(f"tokenizer must be given as module:function, got {name!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # a module runs whatever code it likes
        kind = type(error).__name__
        raise UsageError(f"tokenizer {name!r} cannot be imported: {kind}: {error}") from error
    if not callable(function):
        raise UsageError(f"tokenizer {name!r} is not callable")
    return function  # type: ignore[no-any-return]
