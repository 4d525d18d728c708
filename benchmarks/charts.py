"""Draw the two charts of a comparison as SVG: words per second, and quality against seconds.

The background is transparent.  All colours have medium lightness, to be legible on white and on
black.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastw2v.base.optional import import_optional
from fastw2v.errors import MissingPackageError

Summary = dict[str, Any]
Figure = Any  # of matplotlib, which is imported on first use

TEXT, GRID = "#6e7781", "#8c959f44"  # contrast 4.6 on white, 4.1 on #0d1117
COLOURS = {"fastw2v": "#e8590c", "gensim": "#4c86c6", "fasttext": "#2f9e6b"}
OTHERS = ["#a371d8", "#b8860b", "#c2556f"]  # programs given with --word2vec-c
NAMES = {"fasttext": "fastText"}
MODEL_NAMES = {
    "sg-ns": "skip-gram",
    "cbow-ns": "CBOW",
    "sg-hs": "skip-gram, hierarchical softmax",
    "cbow-hs": "CBOW, hierarchical softmax",
}
MARKERS = {
    "sg-ns": ("o", "full"),
    "cbow-ns": ("o", "none"),
    "sg-hs": ("s", "full"),
    "cbow-hs": ("s", "none"),
}
STYLE = {
    "font.size": 10,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "grid.color": GRID,
    "legend.frameon": False,
    "svg.fonttype": "none",  # keep text as text
    "svg.hashsalt": "fastw2v",  # give elements the same ids in every run
}
NO_METADATA = {"Date": None, "Creator": None}
WIDTH = 7.5  # inches of 72 points


class Bar(NamedTuple):
    """The speed of one system, in millions of words per second."""

    system: str
    job: float
    train: float | None  # None if its training time cannot be separated


class Point(NamedTuple):
    """The quality of one system's model, and its training time."""

    system: str
    model: str
    seconds: float  # of the whole job
    share: float  # analogies answered correctly, in percent


def bars(summaries: Sequence[Summary], model: str) -> list[Bar]:
    """Return the bars of the speed chart, the fastest first."""
    found = [
        Bar(s["system"], millions(s["job_words_per_second"]), millions(s["words_per_second"]))
        for s in summaries
        if s["model"] == model
    ]
    return sorted(found, key=lambda bar: -bar.job)


def points(summaries: Sequence[Summary], models: Sequence[str]) -> list[Point]:
    """Return the points of the quality chart."""
    return [
        Point(
            s["system"],
            s["model"],
            s["job_seconds"]["median"],
            s["quality"]["analogies"]["median"],
        )
        for s in summaries
        if s["model"] in models and s["quality"].get("analogies")
    ]


def millions(spread: dict[str, float] | None) -> Any:
    """Return the median of a measure in millions, None if the system does not report it."""
    return None if spread is None else spread["median"] / 1e6


def name_of(system: str) -> str:
    """Return the name of a system as its authors write it."""
    return NAMES.get(system, system)


def colours_of(systems: Sequence[str]) -> dict[str, str]:
    """Return a colour for each system, the same in every chart."""
    others = [system for system in systems if system not in COLOURS]
    return COLOURS | {system: OTHERS[i % len(OTHERS)] for i, system in enumerate(others)}


def label_of(bar: Bar) -> str:
    """Return the numbers of a bar as text."""
    return f"{bar.job:.2f}" + (f", training {bar.train:.2f}" if bar.train else "")


def new_figure(height: float, title: str, subtitle: str) -> tuple[Figure, Any]:
    """Return a figure and its axes; raise MissingPackageError without matplotlib."""
    library = import_optional("matplotlib.figure", "bench", "drawing charts")
    figure = library.Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    figure.suptitle(title, x=0.012, ha="left", fontweight="bold")
    axes.set_title(subtitle, loc="left", fontsize="medium")
    return figure, axes


def speed_chart(summaries: Sequence[Summary], model: str = "sg-ns") -> Figure:
    """Return a bar chart of words per second: the whole job, and training alone in a paler tone."""
    rows = bars(summaries, model)
    colours = colours_of([row.system for row in rows])
    title = f"Words per second, {MODEL_NAMES.get(model, model)}"
    subtitle = "solid: whole job, text file to saved vectors; pale: its training phase alone"
    figure, axes = new_figure(1.3 + 0.35 * len(rows), title, subtitle)
    for place, row in enumerate(rows):
        colour, end = colours[row.system], max(row.job, row.train or 0)
        if row.train:
            axes.barh(place, row.train, color=colour, alpha=0.4)
        axes.barh(place, row.job, color=colour)
        at = {"textcoords": "offset points", "va": "center"}
        axes.annotate(label_of(row), (end, place), (6, 0), **at)
    axes.set_yticks(range(len(rows)), [name_of(row.system) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.3)  # room for the longest bar's label
    axes.set_xlabel("million words per second")
    return figure


def quality_chart(
    summaries: Sequence[Summary], models: Sequence[str] = ("sg-ns", "cbow-ns")
) -> Figure:
    """Return a chart of analogies answered correctly against seconds of the whole job."""
    rows = points(summaries, models)
    colours = colours_of([row.system for row in rows])
    title = "Analogies answered against seconds of the whole job"
    figure, axes = new_figure(3.9, title, "questions-words within the first 30,000 words")
    for row in rows:
        marker, fill = MARKERS.get(row.model, ("o", "full"))
        axes.plot(
            row.seconds,
            row.share,
            marker,
            fillstyle=fill,
            color=colours[row.system],
            markersize=8,
            markeredgewidth=2,
            label=f"{name_of(row.system)}, {MODEL_NAMES.get(row.model, row.model)}",
        )
    axes.set_xscale("log")
    ticker = import_optional("matplotlib.ticker", "bench", "drawing charts")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.margins(0.1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("whole job, seconds (logarithmic scale)")
    axes.set_ylabel("analogies answered correctly, %")
    axes.grid()
    figure.legend(loc="outside right upper")
    return figure


def draw(path: Path, summaries: Sequence[Summary], model: str, models: Sequence[str]) -> list[Path]:
    """Write the charts next to a results file, named after it, and return their paths.

    model: shown in the speed chart.  models: shown in the quality chart, if quality was measured.
    Raises MissingPackageError without matplotlib.
    """
    matplotlib = import_optional("matplotlib", "bench", "drawing charts")
    written = []
    with matplotlib.rc_context(STYLE):
        charts = {"speed": speed_chart(summaries, model)}
        if points(summaries, models):
            charts["quality"] = quality_chart(summaries, models)
        for name, figure in charts.items():
            written.append(path.with_name(f"{path.stem}-{name}.svg"))
            figure.savefig(written[-1], transparent=True, metadata=NO_METADATA)
    return written


def main() -> None:
    """Read a results file and draw its charts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="JSON file written by run.py")
    parser.add_argument("--model", default="sg-ns", help="model in the speed chart (sg-ns)")
    parser.add_argument("--models", default="sg-ns,cbow-ns", help="in the other (%(default)s)")
    args = parser.parse_args()
    summaries = json.loads(args.results.read_text())["summary"]
    try:
        written = draw(args.results, summaries, args.model, args.models.split(","))
    except MissingPackageError as error:
        sys.exit(str(error))
    for path in written:
        print(path)


if __name__ == "__main__":
    main()
