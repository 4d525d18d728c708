"""Output of the subcommands: tables for people, JSON for programs."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from fastw2v.base.jsonable import jsonable
from fastw2v.cli.command import MIN_WRAPPED, columns, text_width, wrapped

# What str.splitlines takes for the end of a line and JSON need not escape.
LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON, on one line if indent is None; non-finite numbers become null.

    Letters are escaped only where standard output cannot encode them.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    is_ascii = encoding not in ("utf-8", "utf8")
    text = json.dumps(jsonable(value), indent=indent, ensure_ascii=is_ascii)
    print(text.translate(LINE_ENDS), flush=indent is None)


@contextmanager
def progress(stage: str) -> Iterator[Callable[[float], None] | None]:
    """Show on a terminal what share of a stage is done, by calls of the function yielded."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    shown = [-1]

    def show(done: float) -> None:
        if int(100 * done) > shown[0]:
            shown[0] = int(100 * done)
            _write(f"\r{stage} {shown[0]:3}%")

    try:
        yield show
    finally:
        _write("\r\x1b[K")


def _write(text: str) -> None:
    with suppress(OSError, ValueError):  # a terminal that has gone ends the display only
        sys.stderr.write(text)
        sys.stderr.flush()


def print_table(rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Print rows in columns; align the first `left` columns left and the others right.

    On a terminal that is too narrow, two columns are wrapped, and more are printed as pairs of a
    name and a value, row by row.
    """
    for line in table_lines(rows, left, columns()):
        print(line)


def table_lines(rows: Sequence[Sequence[str]], left: int, width: int | None) -> list[str]:
    """Return the lines of a table that is at most `width` wide."""
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    if width is None or sum(widths) + 2 * (len(widths) - 1) <= width:
        return [_line(row, widths, left) for row in rows]
    if len(widths) > 2:
        pairs = [[*zip(rows[0], row, strict=True)] for row in rows[1:]]
        stacked = [[*table_lines(pair, 2, width), ""] for pair in pairs]
        return [line for lines in stacked for line in lines][:-1]
    widest = left - 1
    widths[widest] = max(width - 2 - widths[1 - widest], MIN_WRAPPED)
    lines = []
    for row in rows:
        for i, piece in enumerate(wrapped(row[widest], widths[widest], indent=0)):
            cells = ["" if i else cell for cell in row]
            cells[widest] = piece
            lines.append(_line(cells, widths, left))
    return lines


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - text_width(cell))
        cells.append(cell + space if i < left else space + cell)
    return "  ".join(cells).rstrip()


def percent(share: float) -> str:
    """Format a share as a percentage such as `12.3 %`, or `-` for NaN."""
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
