"""Output of the subcommands: tables for people, JSON for programs."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from fastw2v.base.jsonable import jsonable

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
    """Print rows in columns; align the first `left` columns left and the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def percent(share: float) -> str:
    """Format a share as a percentage such as `12.3 %`, or `-` for NaN."""
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
