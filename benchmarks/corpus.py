"""Time the first pass over a corpus (read, count, encode), per file and number of threads."""

import argparse
import datetime
import sys
from pathlib import Path
from typing import Any

from harness import machine, results
from harness.process import run_program

from fastw2v.base.compression import gzip_module

ASSESS = str(Path(__file__).resolve().parent / "harness" / "assess.py")
HEADS = ["file", "threads", "MB/s", "M tokens/s", "seconds", "speedup"]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("corpora", nargs="+", metavar="corpus", help="text file, plain or compressed")
    add("--threads", default="1,2", help="numbers of threads (%(default)s)")
    add("--repeats", type=int, default=9, help="runs per row, interleaved (9)")
    add("--out", type=Path, help="write results to this JSON file")
    return parser.parse_args()


def measure(paths: list[str], threads: list[str], repeats: int) -> list[dict[str, Any]]:
    """Return one record per file and number of threads; speeds are medians over the runs."""
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {(p, n): [] for p in paths for n in threads}
    for _ in range(repeats):
        for (path, n_threads), done in runs.items():
            command = [sys.executable, ASSESS, "read", path, n_threads]
            done.append(run_program(command).last_json())
    return [_record(path, n, done) for (path, n), done in runs.items()]


def _record(path: str, n_threads: str, done: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = results.spread(run["seconds"] for run in done)
    assert seconds is not None
    return {
        "file": Path(path).name,
        "threads": int(n_threads),
        "n_text_bytes": done[0]["n_text_bytes"],
        "n_tokens": done[0]["n_tokens"],
        "n_words": done[0]["n_words"],
        "seconds": seconds,
        "bytes_per_second": done[0]["n_text_bytes"] / seconds["median"],
        "runs": [run["seconds"] for run in done],
    }


def cells(row: dict[str, Any], first: dict[str, Any]) -> list[str]:
    """Return a record as text.  first: record of the same file at the first number of threads."""
    seconds = row["seconds"]
    return [
        row["file"],
        str(row["threads"]),
        f"{row['bytes_per_second'] / 1e6:.0f}",
        f"{row['n_tokens'] / seconds['median'] / 1e6:.1f}",
        f"{seconds['median']:.3f} ({seconds['min']:.3f}..{seconds['max']:.3f})",
        f"x{first['seconds']['median'] / seconds['median']:.2f}",
    ]


def main() -> None:
    """Measure and print the table."""
    args = parse_arguments()
    rows = measure(args.corpora, args.threads.split(","), args.repeats)
    firsts: dict[str, dict[str, Any]] = {}
    for row in rows:
        firsts.setdefault(row["file"], row)
    print(results.plain_table([HEADS, *(cells(row, firsts[row["file"]]) for row in rows)]))
    if args.out:
        record = {
            "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "machine": machine.describe(),
            "compiler": machine.compiler(),
            "gzip_by": gzip_module()[0].__name__,
            "rows": rows,
        }
        results.write_json(args.out, record)


if __name__ == "__main__":
    main()
