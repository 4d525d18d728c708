"""By what a run's epochs are compared: part of the run, as it may decide where that ends."""

import os
from collections.abc import Mapping
from typing import Any

from fastw2v.corpus.sources import STDIN
from fastw2v.errors import CheckpointError
from fastw2v.run.options import RunOptions

ITERABLE = "a Python iterable or standard input"
SAME_NAMES = ("patience", "restore_best")  # as the options are called


def criterion_of(options: RunOptions, n_held_out: int | None, digest: str) -> dict[str, Any]:
    """Return, for JSON, what two runs of the same criterion have in common.

    n_held_out, digest: tokens of the text that is not trained on, and of its ids.
    """
    metric = options.metric
    return {
        "validation": options.validation_share or ("text" if n_held_out is not None else None),
        "tokens to validate on": n_held_out,
        "metric": None if metric is None else getattr(metric, "__name__", type(metric).__name__),
        "patience": options.patience,
        "restore_best": options.restore_best,
        "digest": digest,
    }


def source_of_validation(options: RunOptions) -> Any:
    """Return, for JSON, how the text to validate on can be had again."""
    if options.validation is None or options.validation_share is not None:
        return options.validation
    paths = options.validation_paths
    return ITERABLE if not paths or STDIN in paths else [os.path.abspath(path) for path in paths]


def options_again(
    path: str, state: Mapping[str, Any], given: Mapping[str, Any], metric: object
) -> dict[str, Any]:
    """Return by what a checkpoint's run compares its epochs, with what is given instead.

    Raises CheckpointError if one is missing that no file can hold.
    """
    then = state.get("criterion", {})
    options = {name: then[name] for name in SAME_NAMES if name in then}
    options["validation"] = state["source"].get("validation")
    options |= given
    if options["validation"] == ITERABLE:
        raise CheckpointError(f"{path}: its validation was {ITERABLE}; pass it to resume again")
    if then.get("metric") and metric is None:
        raise CheckpointError(f"{path}: pass the run's metric, {then['metric']}")
    return options
