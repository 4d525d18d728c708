"""Output of the subcommands: tables for people, JSON for programs."""

import json
import math
from collections.abc import Sequence
from typing import Any

from fastw2v.base.jsonable import jsonable


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON, on one line if indent is None; non-finite numbers become null."""
    print(json.dumps(jsonable(value), indent=indent), flush=indent is None)


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
