"""Compare the speed, memory and quality of fastw2v and other trainers on one corpus.

Writes JSON and charts, and prints a table.  Needs fastw2v in this interpreter.  gensim and fastText
may be in this one or in their own interpreters; see requirements.txt.  Runs of the systems are
interleaved, and ratios compare runs made right after each other.
"""

import argparse
import datetime
import hashlib
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from charts import draw
from harness import machine, results
from harness.process import ProgramError, run_program
from harness.settings import MODELS, Settings
from harness.systems import NAMES, BinarySystem, DriverSystem

from fastw2v.errors import MissingPackageError

HERE = Path(__file__).resolve().parent
ASSESS = str(HERE / "harness" / "assess.py")

System = DriverSystem | BinarySystem


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("corpus", help="text file, one sentence per line")
    add("--eval", metavar="DIR", help="folder with questions-words.txt and word pairs (*.tsv)")
    add("--models", type=names_of(MODELS), default=list(MODELS), help=",".join(MODELS))
    add("--systems", type=names_of(NAMES), default=list(NAMES), help=",".join(NAMES))
    add(
        "--word2vec-c",
        action="append",
        default=[],
        metavar="[NAME=]BINARY",
        help="also measure a program with word2vec.c's command line; repeatable",
    )
    for name in NAMES:
        add(f"--python-{name}", default=sys.executable, help=f"interpreter that has {name}")
    add("--vector-size", type=int, default=100)
    add("--window", type=int, default=5)
    add("--negative", type=int, default=5)
    add("--sample", type=float, default=1e-3)
    add("--min-count", type=int, default=5)
    add("--epochs", type=int, default=5)
    add("--threads", type=int, default=machine.usable_cores())
    add("--repeats", type=int, default=5)
    for name in NAMES:
        add(f"--repeats-{name}", type=int, help=f"fewer repeats for {name}")
    add("--seed", type=int, default=1, help="seed of the first repeat; later ones add 1 each")
    add("--out", help="JSON file (benchmarks/results/DATE.json)")
    add("--markdown", action="store_true", help="print the table as Markdown")
    return parser.parse_args()  # fmt: skip


def names_of(accepted: tuple[str, ...]) -> Any:
    """Return a parser for a comma-separated list of names."""

    def parse(text: str) -> list[str]:
        for name in text.split(","):
            if name not in accepted:
                raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(accepted)}")
        return text.split(",")

    return parse


def find_systems(args: argparse.Namespace) -> dict[str, tuple[System, dict[str, Any]]]:
    """Return the available systems, each with its description of itself."""
    asked: list[System] = [DriverSystem(n, getattr(args, f"python_{n}")) for n in args.systems]
    for given in args.word2vec_c:
        name, _, path = given.rpartition("=")
        asked.append(BinarySystem(name or Path(path).name, path))
    found = {}
    for system in asked:
        try:
            found[system.name] = system, system.about()
        except ProgramError as error:
            tell(f"skipping {system.name}: {error}")
    return found


def describe_corpus(path: str, min_count: int) -> dict[str, Any]:
    """Return the name, size, hash and token counts of a corpus, the same for every system."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") else None
        if digest is None:  # Python 3.10
            digest = hashlib.sha256()
            while piece := file.read(1 << 20):
                digest.update(piece)
    about = {"name": Path(path).name, "bytes": os.path.getsize(path), "sha256": digest.hexdigest()}
    counted = run_program([sys.executable, ASSESS, "count", path, str(min_count)])
    return about | counted.last_json()


def measure(system: System, model: str, args: argparse.Namespace, repeat: int) -> dict[str, Any]:
    """Train once and evaluate the vectors; return the record of the run, without rates."""
    with tempfile.TemporaryDirectory() as folder:
        vectors = str(Path(folder) / "vectors.bin")
        job = settings_of(args).job(
            system.name, model, os.path.abspath(args.corpus), vectors, args.seed + repeat
        )
        training = system.train(job)
        quality = {}
        if args.eval:
            system.export(job)
            judged = run_program([sys.executable, ASSESS, "quality", vectors, args.eval])
            quality = judged.last_json()
    return {
        "system": system.name,
        "model": model,
        "repeat": repeat,
        "job_seconds": training.seconds,
        "train_seconds": training.report.get("train_seconds"),
        "peak_bytes": training.peak_bytes,
        "quality": quality,
        "report": training.report,
    }


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that all systems share."""
    return Settings(**{name: getattr(args, name) for name in Settings.__dataclass_fields__})


def add_rates(run: dict[str, Any], n_tokens: int) -> dict[str, Any]:
    """Return the run with words per second.  n_tokens: tokens of the corpus times epochs."""
    train = run["train_seconds"]
    return run | {
        "words_per_second": n_tokens / train if train else None,
        "job_words_per_second": n_tokens / run["job_seconds"],
    }


def run_all(
    systems: dict[str, tuple[System, dict[str, Any]]],
    args: argparse.Namespace,
    record: dict[str, Any],
    out: Path,
) -> None:
    """Run all systems, interleaved; write the file after every run."""
    n_tokens = record["corpus"]["n_in_vocabulary"] * args.epochs
    failed: set[tuple[str, str]] = set()
    for model in args.models:
        for repeat in range(args.repeats):
            for name, (system, _) in systems.items():
                if (model, name) in failed or repeat >= repeats_of(name, args):
                    continue
                try:
                    run = add_rates(measure(system, model, args, repeat), n_tokens)
                except ProgramError as error:
                    tell(f"skipping {name} for {model}: {error}")
                    record["failures"].append(f"{name}, {model}: {error}")
                    failed.add((model, name))
                    continue
                record["runs"].append(run)
                record["summary"] = results.summarise(record["runs"])
                results.write_json(out, record)
                turn = f"{repeat + 1}/{repeats_of(name, args)}"
                tell(f"{model} {turn} {name}: {run['job_seconds']:.1f} s")


def repeats_of(name: str, args: argparse.Namespace) -> int:
    """Return the number of runs per model of a system."""
    own = getattr(args, f"repeats_{name}", None)
    return args.repeats if own is None else min(own, args.repeats)


def tell(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run the comparison."""
    args = parse_arguments()
    date = datetime.datetime.now(datetime.timezone.utc)
    out = Path(args.out or HERE / "results" / f"{date:%Y-%m-%d-%H%M}.json")
    systems = find_systems(args)
    if not systems:
        sys.exit("no system to measure")
    try:
        corpus = describe_corpus(args.corpus, args.min_count)
    except (OSError, ProgramError) as error:
        sys.exit(f"cannot count the tokens of {args.corpus}: {error}")
    record: dict[str, Any] = {
        "date": f"{date:%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine.describe(),
        "corpus": corpus,
        "settings": asdict(settings_of(args)) | {"repeats": args.repeats, "seed": args.seed},
        "definitions": DEFINITIONS,
        "systems": {name: about for name, (_, about) in systems.items()},
        "failures": [],
        "runs": [],
        "summary": [],
    }
    run_all(systems, args, record, out)
    rows = results.table_rows(record["summary"])
    print(results.markdown_table(rows) if args.markdown else results.plain_table(rows))
    speed_model = "sg-ns" if "sg-ns" in args.models else args.models[0]
    quality_models = [model for model in args.models if model.endswith("-ns")] or args.models
    tell(f"results: {out}")
    if record["runs"]:
        try:
            charts = draw(out, record["summary"], speed_model, quality_models)
            tell(f"charts: {', '.join(map(str, charts))}")
        except MissingPackageError as error:
            tell(f"no charts: {error}")


DEFINITIONS = {
    "job_seconds": "wall time of the process, from start to exit: reads text, saves vectors",
    "train_seconds": "training phase, as the system's driver reports it; null: not separable",
    "words_per_second": "corpus.n_in_vocabulary * epochs / train_seconds, for every system",
    "job_words_per_second": "corpus.n_in_vocabulary * epochs / job_seconds",
    "peak_bytes": "peak resident memory of the process, from wait4",
    "quality": "percent of analogies correct, within the first 30,000 words; 100 x Spearman",
    "alpha": "skip-gram: 0.025 for all; CBOW: each system's default, gensim: word2vec.c's 0.05",
    "ratios": "median over repeats of: seconds of gensim / seconds of the system",
}


if __name__ == "__main__":
    main()
