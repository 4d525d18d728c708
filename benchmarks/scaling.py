"""Time training for each number of threads, with interleaved runs."""

import argparse
import datetime
from pathlib import Path
from typing import Any

from harness import machine, results
from harness.settings import MODELS
from run import describe_corpus, names_of

import fastw2v
from fastw2v.training.arrays import effective_settings

HEADS = ["model", "threads", "M words/s", "speedup", "loss, %"]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("corpus", help="text file, one sentence per line")
    add("--models", type=names_of(MODELS), default=list(MODELS), help=",".join(MODELS))
    add("--threads", help="numbers of threads (1,2,4,... up to the cores)")
    add("--backend", help="backend (the fastest)")
    add("--epochs", type=int, default=1)
    add("--repeats", type=int, default=5)
    add("--out", type=Path, help="write results to this JSON file")
    return parser.parse_args()


def doubling_threads() -> list[int]:
    """Return 1, 2, 4, ... up to the number of usable cores."""
    return [2**n for n in range(machine.usable_cores().bit_length())]


def measure(model: str, threads: int, repeat: int, args: argparse.Namespace) -> dict[str, Any]:
    """Train once and return the record of the run."""
    architecture, objective = model.split("-")
    trained = fastw2v.Word2Vec(
        sg=architecture == "sg",
        hs=objective == "hs",
        workers=threads,
        backend=args.backend,
        epochs=args.epochs,
        seed=1 + repeat,
        progress=False,
    )
    trained.build_vocab(corpus_file=args.corpus)
    trained.train()
    summary = trained.summary
    assert summary is not None
    return {
        "model": model,
        "threads": threads,
        "repeat": repeat,
        "seconds": summary.train_seconds,
        "words_per_second": summary.words_per_second,
        "loss": summary.loss,
        "backend": effective_settings(trained.parameters)["backend"],
    }


def summarise(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a record per model and number of threads, with ratios to the first number."""
    cases = dict.fromkeys((run["model"], run["threads"]) for run in runs)
    found = []
    for model, threads in cases:
        mine = [run for run in runs if (run["model"], run["threads"]) == (model, threads)]
        first = next(n for name, n in cases if name == model)
        base = [run for run in runs if (run["model"], run["threads"]) == (model, first)]
        pairs = results.in_turns(mine, base)
        found.append({
            "model": model,
            "threads": threads,
            "words_per_second": results.spread(run["words_per_second"] for run in mine),
            "speed": results.spread(b["seconds"] / a["seconds"] for a, b in pairs),
            "loss_percent": results.spread(100 * (a["loss"] / b["loss"] - 1) for a, b in pairs),
        })  # fmt: skip
    return found


def cells(row: dict[str, Any]) -> list[str]:
    """Return a record as text."""
    speed = row["speed"]
    return [
        row["model"],
        str(row["threads"]),
        f"{row['words_per_second']['median'] / 1e6:.2f}",
        f"x{speed['median']:.2f} ({speed['min']:.2f}..{speed['max']:.2f})",
        f"{row['loss_percent']['median']:+.2f}",
    ]


def main() -> None:
    """Measure, print and write."""
    args = parse_arguments()
    counts = list(map(int, args.threads.split(","))) if args.threads else doubling_threads()
    runs: list[dict[str, Any]] = []
    measure(args.models[0], counts[-1], 0, args)  # warm-up: the first run is slower
    record = {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine.describe(),
        "compiler": machine.compiler(),
        "epochs": args.epochs,
        "corpus": describe_corpus(args.corpus, 5),
    }
    for model in args.models:
        for repeat in range(args.repeats):
            runs += [measure(model, n, repeat, args) for n in counts]
        summary = summarise(runs)
        print(results.plain_table([HEADS, *(cells(r) for r in summary if r["model"] == model)]))
        if args.out:
            results.write_json(args.out, record | {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
