"""Flags that say what a run measures and logs, and when it stops."""

import os
from typing import Any

from fastw2v.base.checks import check_path
from fastw2v.cli.settings import METAVARS, Flags
from fastw2v.errors import UsageError


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
