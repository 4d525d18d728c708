"""The criterion that compares epochs; it belongs to a run because it can end training early."""

import os
from collections.abc import Mapping
from typing import Any

from fastw2v.corpus.sources import STDIN
from fastw2v.errors import CheckpointError
from fastw2v.run.checkpoints.contents import ITERABLE, SAME_NAMES
from fastw2v.run.options import RunOptions


def criterion_of(options: RunOptions, n_held_out: int | None, digest: str) -> dict[str, Any]:
    """Return the criterion for JSON; runs with equal results compare epochs in the same way.

    n_held_out: number of tokens of the validation text.  digest: a digest of its word ids.
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
    """Return how to read the validation text again, for JSON."""
    if options.validation is None or options.validation_share is not None:
        return options.validation
    paths = options.validation_paths
    return ITERABLE if not paths or STDIN in paths else [os.path.abspath(path) for path in paths]


def options_again(
    path: str, state: Mapping[str, Any], given: Mapping[str, Any], metric: object
) -> dict[str, Any]:
    """Return the validation options of a checkpoint's run, overridden by those given.

    Raises CheckpointError if the caller must pass the validation text or the metric, because no
    file can hold them.
    """
    saved = state.get("criterion", {})
    options = {name: saved[name] for name in SAME_NAMES if name in saved}
    options["validation"] = state["source"].get("validation")
    options |= given
    if options["validation"] == ITERABLE:
        raise CheckpointError(f"{path}: its validation was {ITERABLE}; pass it again to resume")
    if saved.get("metric") and metric is None:
        raise CheckpointError(f"{path}: pass the run's metric, {saved['metric']}")
    return options
