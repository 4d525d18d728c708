"""Compute medians, spreads and ratios from runs, and format tables."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

BASELINE = "gensim"
MEASURES = (
    "words_per_second",
    "job_words_per_second",
    "job_seconds",
    "train_seconds",
    "peak_bytes",
)
# Column titles of the quality measures, in order; other word-pair files come after these.
TITLES = {"analogies": "analogies", "ws353": "WS353", "simlex999": "SimLex", "men3000": "MEN"}
NONE = "-"

Run = dict[str, Any]


def summarise(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return one record per model and system, in the order of the runs.

    Each measure has median, min, max and n.  Ratios to the baseline are computed repeat by repeat,
    from runs made close in time, and then summarised in the same way.
    """
    cases = list(dict.fromkeys((run["model"], run["system"]) for run in runs))
    return [_summary(runs, model, system) for model, system in cases]


def _summary(runs: Sequence[Run], model: str, system: str) -> dict[str, Any]:
    mine = [run for run in runs if (run["model"], run["system"]) == (model, system)]
    peers = [run for run in runs if (run["model"], run["system"]) == (model, BASELINE)]
    summary: dict[str, Any] = {"model": model, "system": system}
    for name in MEASURES:
        summary[name] = spread(run[name] for run in mine)
    pairs = in_turns(mine, peers)
    for name, seconds in (("train_ratio", "train_seconds"), ("job_ratio", "job_seconds")):
        summary[name] = spread(_ratio(peer[seconds], run[seconds]) for run, peer in pairs)
    names = dict.fromkeys(name for run in mine for name in run["quality"])
    summary["quality"] = {name: spread(run["quality"].get(name) for run in mine) for name in names}
    return summary


def in_turns(runs: Iterable[Run], others: Iterable[Run]) -> list[tuple[Run, Run]]:
    """Pair each run with the other run of the same repeat, if there is one."""
    of_turn = {run["repeat"]: run for run in others}
    return [(run, of_turn[run["repeat"]]) for run in runs if run["repeat"] in of_turn]


def _ratio(baseline_seconds: float | None, seconds: float | None) -> float | None:
    return baseline_seconds / seconds if baseline_seconds and seconds else None


def spread(values: Iterable[float | None]) -> dict[str, float] | None:
    """Return median, min, max and n of the values that are not None, or None if there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"median": median(known), "min": min(known), "max": max(known), "n": len(known)}


def table_rows(summaries: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the cells of the table; the first row has the column titles."""
    found = dict.fromkeys(name for s in summaries for name in s["quality"])
    names = [n for n in TITLES if n in found] + [n for n in found if n not in TITLES]
    heads = ["system", "model", "runs", "M words/s", "whole job s", "MiB"]
    heads += [TITLES.get(name, name) for name in names]
    heads += [f"training / {BASELINE}", f"whole job / {BASELINE}"]
    return [heads, *(_table_row(summary, names) for summary in summaries)]


def _table_row(s: dict[str, Any], quality_names: Sequence[str]) -> list[str]:
    cells = [s["system"], s["model"], str(s["job_seconds"]["n"])]
    cells.append(_cell(s["words_per_second"], 1e6, 2))
    cells.append(_cell(s["job_seconds"], 1, 1))
    cells.append(_cell(s["peak_bytes"], 2**20, 0, with_range=False))
    cells += [_cell(s["quality"].get(name), 1, 1, with_range=False) for name in quality_names]
    return [*cells, _cell(s["train_ratio"], 1, 1), _cell(s["job_ratio"], 1, 1)]


def _cell(value: dict[str, float] | None, unit: float, digits: int, with_range: bool = True) -> str:
    if value is None:
        return NONE
    middle, low, high = (f"{value[k] / unit:.{digits}f}" for k in ("median", "min", "max"))
    return f"{middle} ({low}..{high})" if with_range and low != high else middle


def plain_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as aligned text: the first two columns to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as a Markdown table."""
    rule = ["---" if i < 2 else "---:" for i in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
