"""Draw a comparison's two charts as SVG: words per second, and quality against seconds.

All colours are of middle lightness, so that they read on white and on black.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Summary = dict[str, Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom

TEXT, LINE = "#6e7781", "#8c959f44"  # contrast 4.6 on white, 4.1 on #0d1117
OWN, PEER = "#e8590c", "#7d8da1"
NAMES = {"fasttext": "fastText"}
MODEL_NAMES = {
    "sg-ns": "skip-gram",
    "cbow-ns": "CBOW",
    "sg-hs": "skip-gram, hierarchical",
    "cbow-hs": "CBOW, hierarchical",
}
WIDTH, LEFT, RIGHT, TOP = 720, 90, 190, 56
BAR, GAP = 22, 14
PLOT_HEIGHT, PLOT_RIGHT = 280, 30
DOT, LABEL_HEIGHT, LETTER_WIDTH = 15, 15, 7.2  # pixels that points and their labels take


def svg(height: float, title: str, subtitle: str, parts: Sequence[str]) -> str:
    """Return a whole picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}" '
            'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" '
            f'font-size="13" fill="{TEXT}">',
            f"<title>{escape(title)}</title>",
            text(0, 18, title, 'font-size="16" font-weight="600"'),
            text(0, 38, subtitle),
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, content: str, more: str = "") -> str:
    """Return a line of text that starts at x, on the baseline y."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a thin line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{LINE}"/>'


def bar(y: float, width: float, colour: str, opacity: float) -> str:
    """Return a bar from the left edge of the plot."""
    return (
        f'<rect x="{LEFT}" y="{y:.1f}" width="{width:.1f}" height="{BAR}" rx="2" '
        f'fill="{colour}" fill-opacity="{opacity}"/>'
    )


def colour_of(summary: Summary) -> str:
    """Return the colour of a system."""
    return OWN if summary["system"] == "fastw2v" else PEER


def name_of(summary: Summary) -> str:
    """Return the name of a system as its authors write it."""
    return NAMES.get(summary["system"], summary["system"])


def middle(spread: dict[str, float] | None) -> float | None:
    """Return the median of a measure, None if the system has not got it."""
    return None if spread is None else spread["median"]


def millions(value: float | None) -> str:
    """Return words per second as text."""
    return "" if value is None else f"{value / 1e6:.2f} M"


def speed_chart(summaries: Sequence[Summary], model: str = "sg-ns") -> str:
    """Return bars of words per second: the whole job, and paler, the training phase alone."""
    rows = [s for s in summaries if s["model"] == model]
    rows.sort(key=lambda s: -s["job_words_per_second"]["median"])
    most = max(
        s[name]["median"]
        for s in rows
        for name in ("words_per_second", "job_words_per_second")
        if s[name]
    )
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = []
    for i, row in enumerate(rows):
        y = TOP + i * (BAR + GAP)
        job, train = middle(row["job_words_per_second"]), middle(row["words_per_second"])
        assert job is not None
        parts.append(text(LEFT - 8, y + 16, name_of(row), 'text-anchor="end"'))
        parts += [bar(y, max(train or 0, job) * scale, colour_of(row), 0.4)] if train else []
        parts.append(bar(y, job * scale, colour_of(row), 1))
        label = millions(job) + (f", training {millions(train)}" if train else "")
        parts.append(text(LEFT + max(train or 0, job) * scale + 8, y + 16, label))
    title = f"Words per second, {MODEL_NAMES.get(model, model)}"
    subtitle = "Solid: whole job, text file to saved vectors. Pale: its training phase alone."
    return svg(TOP + len(rows) * (BAR + GAP), title, subtitle, parts)


def quality_chart(
    summaries: Sequence[Summary], models: Sequence[str] = ("sg-ns", "cbow-ns")
) -> str:
    """Return points of analogies answered against the seconds of the whole job."""
    rows = [s for s in summaries if s["model"] in models and s["quality"].get("analogies")]
    seconds = [s["job_seconds"]["median"] for s in rows]
    shares = [s["quality"]["analogies"]["median"] for s in rows]
    x_ticks, y_ticks = seconds_ticks(min(seconds), max(seconds)), share_ticks(max(shares))
    bottom, right = TOP + PLOT_HEIGHT, WIDTH - PLOT_RIGHT

    def x_of(value: float) -> float:
        whole = math.log(x_ticks[-1] / x_ticks[0])
        return LEFT + (right - LEFT) * math.log(value / x_ticks[0]) / whole

    def y_of(value: float) -> float:
        return bottom - PLOT_HEIGHT * value / y_ticks[-1]

    parts = []
    for tick in y_ticks:
        parts.append(line(LEFT, y_of(tick), right, y_of(tick)))
        parts.append(text(LEFT - 8, y_of(tick) + 4, f"{tick:g} %", 'text-anchor="end"'))
    for tick in x_ticks:
        parts.append(line(x_of(tick), bottom, x_of(tick), bottom + 5))
        parts.append(text(x_of(tick), bottom + 20, f"{tick:g} s", 'text-anchor="middle"'))
    points = [(x_of(x), y_of(y)) for x, y in zip(seconds, shares, strict=True)]
    parts += [dot(x, y, row) for row, (x, y) in zip(rows, points, strict=True)]
    parts += labels(rows, points)
    title = "Analogies answered against seconds of the whole job, on a logarithmic scale"
    names = {"filled": "sg", "ring": "cbow"}
    told = [f"{MODEL_NAMES[m]}: {k}" for k, v in names.items() for m in models if m.startswith(v)]
    subtitle = f"Questions-words within the first 30,000 words. {', '.join(told)}."
    return svg(bottom + 30, title, subtitle, parts)


def dot(x: float, y: float, row: Summary) -> str:
    """Return a point: filled for skip-gram, a ring for CBOW."""
    fill = colour_of(row) if row["model"].startswith("sg") else "none"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{fill}" '
        f'stroke="{colour_of(row)}" stroke-width="2.5"/>'
    )


def box(x: float, y: float, width: float, height: float) -> Box:
    """Return a box around its middle."""
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(a: Box, b: Box) -> bool:
    """Return whether two boxes share area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def labels(rows: Sequence[Summary], points: Sequence[tuple[float, float]]) -> list[str]:
    """Return each point's name, on the first side where nothing is in the way."""
    outside = [(-WIDTH, 0, LEFT, 2 * WIDTH), (WIDTH, 0, 2 * WIDTH, 2 * WIDTH)]
    taken = outside + [box(x, y, DOT, DOT) for x, y in points]
    parts = []
    for row, (x, y) in zip(rows, points, strict=True):
        width = LETTER_WIDTH * len(name_of(row))
        aside = (DOT + width) / 2 + 3
        sides = [(aside, 0), (-aside, 0), (0, -LABEL_HEIGHT), (0, LABEL_HEIGHT)]
        sides += [(dx, dy * n) for n in (1, 2, 3) for dx in (aside, -aside)
                  for dy in (-LABEL_HEIGHT, LABEL_HEIGHT)]  # fmt: skip
        places = [box(x + dx, y + dy, width, LABEL_HEIGHT) for dx, dy in sides]
        free = [place for place in places if not any(overlap(place, t) for t in taken)]
        chosen = (free or places)[0]
        taken.append(chosen)
        middle_x = (chosen[0] + chosen[2]) / 2
        parts.append(text(middle_x, chosen[3] - 3.5, name_of(row), 'text-anchor="middle"'))
    return parts


def seconds_ticks(least: float, most: float) -> list[float]:
    """Return 1, 2, 5 times powers of ten that reach around both, at even steps of the log."""
    ticks = [m * 10.0**e for e in range(-3, 7) for m in (1, 2, 5)]
    first = max(tick for tick in ticks if tick <= least)
    return [tick for tick in ticks if first <= tick < most] + [min(t for t in ticks if t >= most)]


def share_ticks(most: float) -> list[float]:
    """Return about five round percentages from 0 to past the greatest."""
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if most / s < 6)
    return [step * i for i in range(int(most / step) + 2)]


def draw(path: Path, summaries: Sequence[Summary], model: str, models: Sequence[str]) -> list[Path]:
    """Write the charts beside a results file, named after it; return where they are.

    model: of the chart of speed.  models: of the chart of quality, if any was measured.
    """
    charts = {"speed": speed_chart(summaries, model)}
    if any(s["model"] in models and s["quality"].get("analogies") for s in summaries):
        charts["quality"] = quality_chart(summaries, models)
    written = []
    for name, chart in charts.items():
        written.append(path.with_name(f"{path.stem}-{name}.svg"))
        written[-1].write_text(chart)
    return written


def main() -> None:
    """Read the results and draw them again."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="JSON file of run.py")
    parser.add_argument("--model", default="sg-ns", help="of the speed chart (sg-ns)")
    parser.add_argument("--models", default="sg-ns,cbow-ns", help="of the other (%(default)s)")
    args = parser.parse_args()
    summaries = json.loads(args.results.read_text())["summary"]
    for path in draw(args.results, summaries, args.model, args.models.split(",")):
        print(path)


if __name__ == "__main__":
    main()
