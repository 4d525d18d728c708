"""Time the kernels alone per backend and dimension, with one thread and generated tokens."""

import argparse
from pathlib import Path
from typing import Any

from harness import machine, results
from harness.limits import Peak
from harness.settings import MODELS
from harness.workload import DISTRIBUTIONS, Shape, Workload, time_kernel, words_in_cache

import fastw2v
from fastw2v.training.parameters import Parameters

L2_BYTES = 1 << 20  # if the system does not report its L2 cache
CACHED_TOKENS = 100_000
LARGE_WORDS, LARGE_TOKENS, LARGE_DIM = 1_000_000, 500_000, 300
HEADS = ["backend", "model", "dim", "words", "stream", "ns/kept word", "best", "GFLOP/s", "of peak"]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--backends", default=",".join(fastw2v.backends()), help="backends (%(default)s)")
    add("--models", default=",".join(MODELS), help="models (%(default)s)")
    add("--dims", default="100,200,300", help="dimensions (%(default)s)")
    add("--seconds", type=float, default=1.0, help="minimum time per table row (1)")
    add(
        "--large",
        action="store_true",
        help="1,000,000 words at dim 300, far larger than the caches; uses the last backend",
    )
    add("--out", type=Path, help="write results to this JSON file")
    return parser.parse_args()  # fmt: skip


def parameters_of(model: str, dim: int, backend: str, workers: int = 1) -> Parameters:
    """Return the default parameters of a model, one of MODELS."""
    architecture, objective = model.split("-")
    return Parameters(
        vector_size=dim,
        sg=architecture == "sg",
        objective=objective,
        backend=backend,
        workers=workers,
        epochs=1,
    )


def measure(
    parameters: Parameters, model: str, shape: Shape, peak_gflops: float, seconds: float
) -> dict[str, Any]:
    """Return one row of the table."""
    workload = Workload(parameters, shape)
    timing = time_kernel(workload, seconds)
    needed = workload.multiply_adds_per_prediction()
    gflops = 2 * needed * timing.predictions_per_second / 1e9
    return {
        "backend": parameters.backend,
        "model": model,
        "dim": parameters.vector_size,
        "n_words": shape.n_words,
        "stream": shape.distribution,
        "ns_per_kept_word": timing.ns_per_kept_word,
        "best_ns_per_kept_word": timing.best_ns_per_kept_word,
        "gflops": gflops,
        "share_of_peak": gflops / peak_gflops,
        "n_passes": timing.n_passes,
    }


def cells(row: dict[str, Any]) -> list[str]:
    """Return a row as text."""
    return [
        row["backend"],
        row["model"],
        str(row["dim"]),
        f"{row['n_words']:,}",
        row["stream"],
        f"{row['ns_per_kept_word']:.0f}",
        f"{row['best_ns_per_kept_word']:.0f}",
        f"{row['gflops']:.1f}",
        f"{row['share_of_peak']:.0%}",
    ]


def cached_rows(args: argparse.Namespace, peaks: dict[str, float]) -> list[dict[str, Any]]:
    """Measure with all rows in half of the L2 cache."""
    l2 = machine.cache_sizes().get("L2", L2_BYTES)
    rows = []
    for backend, peak in peaks.items():
        for dim in map(int, args.dims.split(",")):
            for model in args.models.split(","):
                parameters = parameters_of(model, dim, backend)
                shape = Shape(words_in_cache(l2, parameters), CACHED_TOKENS)
                rows.append(measure(parameters, model, shape, peak, args.seconds))
    return rows


def large_rows(args: argparse.Namespace, peaks: dict[str, float]) -> list[dict[str, Any]]:
    """Measure with rows far larger than the caches."""
    backend, peak = list(peaks.items())[-1]
    rows = []
    for distribution in DISTRIBUTIONS:
        shape = Shape(LARGE_WORDS, LARGE_TOKENS, distribution)
        for model in args.models.split(","):
            parameters = parameters_of(model, LARGE_DIM, backend)
            rows.append(measure(parameters, model, shape, peak, args.seconds))
    return rows


def main() -> None:
    """Measure and print.  Peak is that of one core with the vector instructions of the backend."""
    args = parse_arguments()
    peak = Peak()
    peaks = {backend: peak.gflops(backend) for backend in args.backends.split(",")}
    rows = large_rows(args, peaks) if args.large else cached_rows(args, peaks)
    for backend, gflops in peaks.items():
        print(f"peak of one core, {backend}: {gflops:.1f} GFLOP/s")
    print(results.plain_table([HEADS, *map(cells, rows)]))
    if args.out:
        record = {"machine": machine.describe(), "peak_gflops": peaks, "rows": rows}
        results.write_json(args.out, record)


if __name__ == "__main__":
    main()
