"""Measure the cost of reliability: measuring the loss, threads, deterministic=True, checkpoints.

docs/reliability.md takes its figures from the file that this script writes.
Runs of the variants of a case are interleaved, and each round of runs is compared on its own.
"""

import argparse
import datetime
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import machine, results
from harness.process import run_program
from run import ASSESS, HERE, describe_corpus, tell

import fastw2v
from fastw2v.training.arrays import effective_settings

MODES: dict[str, dict[str, Any]] = {"sg-ns": {"sg": 1}, "cbow-ns": {}, "sg-hs": {"sg": 1, "hs": 1}}
NEVER = 2**31 - 1
PART_BYTES = 20_000_000  # part of the corpus for runs on one thread and hierarchical softmax
EPOCHS = 2  # of the runs whose vectors are evaluated

# Each case has --repeats runs.  The short runs for the loss have twice as many, threads have 2.
Case = tuple[str, str, dict[str, dict[str, Any]]]  # question, model, variants


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("corpus", help="text file, one sentence per line")
    add("--eval", metavar="DIR", help="folder with questions-words.txt and word pairs (*.tsv)")
    add("--threads", type=int, default=machine.usable_cores())
    add("--repeats", type=int, default=5, help="runs, with seeds 1, 2, ... (%(default)s)")
    add("--out", type=Path, default=HERE / "results" / "reliability.json", help="JSON file")
    return parser.parse_args()


def cases(threads: int) -> Iterator[Case]:
    """Yield the cases; the first variant of a case is the baseline of the others."""
    workers = {"workers": threads}
    for mode in MODES:
        one = {"workers": 1}
        yield "loss", mode, {"unmeasured": one | {"loss_every": NEVER}, "measured": one}
    for mode in MODES:
        yield "threads", mode, {str(n): {"workers": n} for n in (1, 2, 4)}
    yield "deterministic", "sg-ns", {"free": workers, "exact": workers | {"deterministic": True}}
    yield "checkpoints", "sg-ns", {"without": workers, "with": workers | {"checkpoint": "run"}}


def train(corpus: str, settings: dict[str, Any]) -> fastw2v.Word2Vec:
    """Train one epoch, unless the settings say otherwise."""
    model = fastw2v.Word2Vec(**{"epochs": 1, "progress": False} | settings)
    model.build_vocab(corpus_file=corpus)
    model.train()
    return model


def measure(case: Case, corpus: str, repeat: int) -> Iterator[dict[str, Any]]:
    """Train all variants of a case and yield their records; odd repeats reverse the order."""
    question, mode, variants = case
    for name in list(variants)[:: -1 if repeat % 2 else 1]:
        settings = MODES[mode] | variants[name] | {"seed": 1 + repeat}
        with tempfile.TemporaryDirectory() as folder:
            model = train(corpus, settings | ({"checkpoint": folder} if name == "with" else {}))
            n_bytes = sum(path.stat().st_size for path in Path(folder).iterdir())
        used = effective_settings(model.parameters)
        yield {
            "question": question,
            "model": mode,
            "variant": name,
            "repeat": repeat,
            "corpus": Path(corpus).name,
            "seconds": model.summary.train_seconds,
            "total_seconds": model.summary.total_seconds,
            "checkpoint_bytes": n_bytes,
            "loss": model.summary.loss,
        } | {key: used[key] for key in ("seed", "workers", "backend", "loss_every")}


def summarise(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how each variant of a case differs from the first one, repeat by repeat."""
    found = []
    for question, mode in dict.fromkeys((run["question"], run["model"]) for run in runs):
        mine = [run for run in runs if (run["question"], run["model"]) == (question, mode)]
        first, *others = dict.fromkeys(run["variant"] for run in mine)
        base = [run for run in mine if run["variant"] == first]
        for name in others:
            pairs = results.in_turns((run for run in mine if run["variant"] == name), base)
            found.append({
                "question": question,
                "model": mode,
                "variant": f"{name} against {first}",
                "speed": results.spread(b["seconds"] / a["seconds"] for a, b in pairs),
                "more_seconds": results.spread(
                    a["total_seconds"] - b["total_seconds"] for a, b in pairs
                ),
                "loss_percent": None
                if question == "loss"
                else results.spread(100 * (a["loss"] / b["loss"] - 1) for a, b in pairs),
            })  # fmt: skip
    return found


def quality(corpus: str, folder: str, workers: int, exact: bool) -> dict[str, Any]:
    """Train, and evaluate the vectors."""
    settings = {"sg": 1, "epochs": EPOCHS, "workers": workers, "deterministic": exact}
    with tempfile.TemporaryDirectory() as target:
        train(corpus, settings).save(f"{target}/v.bin", "bin")
        judged = run_program([sys.executable, ASSESS, "quality", f"{target}/v.bin", folder])
    return settings | judged.last_json()


def main() -> None:
    """Measure, print and write."""
    args = parse_arguments()
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        with open(args.corpus, "rb") as text:
            part.write_bytes(text.read(PART_BYTES))
        train(str(part), {})  # warm-up: the first run in a process is slower
        for case in cases(args.threads):
            corpus = str(part) if case[0] == "loss" or case[1] == "sg-hs" else args.corpus
            n = {"loss": 2 * args.repeats + 1, "threads": 2}.get(case[0], args.repeats)
            for repeat in range(n):
                runs += measure(case, corpus, repeat)
            for line in summarise([r for r in runs if (r["question"], r["model"]) == case[:2]]):
                tell(str({key: value for key, value in line.items() if value}))
    judged = [(args.threads, False), (args.threads, True), (16, True)] if args.eval else []
    record = {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine.describe(),
        "corpus": describe_corpus(args.corpus, 5) | {"part_bytes": PART_BYTES},
        "quality": [quality(args.corpus, args.eval, n, exact) for n, exact in judged],
        "summary": summarise(runs),
        "runs": runs,
    }
    results.write_json(args.out, record)


if __name__ == "__main__":
    main()
