"""Compare the kernels with the machine's limits, measured in the same run.

In cache: the multiply-adds that the pairs need (harness/multiply_adds.py) against the peak of
one core.  Beyond the caches: the bytes of rows touched against the bandwidth of a copy.  A kept
word touches its input row and its output row, and its share of the block's noise rows; each is
read and written once.  That its input row stays in cache from block to block is assumed.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import machine, results
from harness.limits import Peak, copy_bandwidth
from harness.workload import DISTRIBUTIONS, Shape, Workload
from kernel import (
    CACHED_TOKENS,
    L2_BYTES,
    LARGE_DIM,
    LARGE_TOKENS,
    LARGE_WORDS,
    measure,
    parameters_of,
    words_in_cache,
)

import fastw2v

MODEL = "sg-ns"
DIMS = (100, 300)
PASSES = 3  # over the large stream; the median counts


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--backend", default=fastw2v.backends()[-1], help="the fastest here: %(default)s")
    add("--seconds", type=float, default=2.0, help="at least, per case in cache (2)")
    add("--threads", type=int, default=machine.usable_cores(), help="at most (%(default)s)")
    add("--copy-mib", type=int, default=2048, help="MiB per array of the copy (2048)")
    add("--large-words", type=int, default=LARGE_WORDS, help="at dim 300 (%(default)s)")
    add("--no-large", action="store_true", help="only the part in cache")
    add("--out", type=Path, help="JSON file")
    return parser.parse_args()


def thread_counts(most: int) -> list[int]:
    """Return 1, 2, 4, ... and `most`."""
    powers = [1 << i for i in range(most.bit_length())]
    return sorted({n for n in powers if n <= most} | {most})


def in_cache(args: argparse.Namespace, peak_gflops: float) -> list[dict[str, Any]]:
    """Return the share of the multiply-add peak per dimension, on one thread."""
    l2 = machine.cache_sizes().get("L2", L2_BYTES)
    rows = []
    for dim in DIMS:
        shape = Shape(words_in_cache(l2, dim), CACHED_TOKENS)
        parameters = parameters_of(MODEL, dim, args.backend)
        rows.append(measure(parameters, MODEL, shape, peak_gflops, args.seconds))
    return rows


def beyond_caches(args: argparse.Namespace, copies: dict[int, float]) -> list[dict[str, Any]]:
    """Return the share of the copy bandwidth per distribution and number of threads."""
    rows = []
    parameters = parameters_of(MODEL, LARGE_DIM, args.backend)
    for distribution in DISTRIBUTIONS:
        workload = Workload(parameters, Shape(args.large_words, LARGE_TOKENS, distribution))
        for n_threads, bandwidth in copies.items():
            rate = kept_words_per_second(workload, n_threads)
            touched = rate * bytes_touched(workload)
            rows.append(
                {
                    "stream": distribution,
                    "n_words": args.large_words,
                    "dim": LARGE_DIM,
                    "threads": n_threads,
                    "kept_words_per_second": rate,
                    "bytes_per_second": touched,
                    "share_of_copy": touched / bandwidth,
                }
            )
        del workload  # 2.4 GB, before the next one is made
    return rows


def bytes_touched(workload: Workload) -> float:
    """Return the bytes of rows read and written per kept word, skip-gram with noise words."""
    n_centres, n_noise = workload.parameters.block_shape
    row_bytes = workload.arrays.in_rows.shape[1] * 4
    return 2 * row_bytes * (1 + 1 + n_noise / n_centres)


def kept_words_per_second(workload: Workload, n_threads: int) -> float:
    """Return the median rate of whole passes by the trainer."""
    rates = []
    for seed in range(PASSES):
        parameters = replace(workload.parameters, workers=n_threads, seed=seed)
        trainer = workload.trainer(parameters)
        start = time.perf_counter()
        trainer.run()
        rates.append(trainer.counts().n_trained / (time.perf_counter() - start))
    return sorted(rates)[PASSES // 2]


def print_limits(peaks: dict[int, float], copies: dict[int, float], backend: str) -> None:
    """Print what the machine can do."""
    for n_threads, gflops in peaks.items():
        print(f"multiply-add peak, {backend}, threads {n_threads}: {gflops:.1f} GFLOP/s")
    for n_threads, bandwidth in copies.items():
        print(f"copy, read + written, threads {n_threads}: {bandwidth / 1e9:.1f} GB/s")


def print_rows(cached: list[dict[str, Any]], large: list[dict[str, Any]]) -> None:
    """Print how near the kernels come."""
    for r in cached:
        print(
            f"in cache, {r['model']}, dim {r['dim']}, {r['n_words']:,} words, one thread: "
            f"{r['ns_per_kept_word']:.0f} ns/kept word, {r['gflops']:.1f} GFLOP/s, "
            f"{r['share_of_peak']:.1%} of the peak"
        )
    for r in large:
        print(
            f"beyond caches, {MODEL}, dim {r['dim']}, {r['n_words']:,} words, {r['stream']}, "
            f"threads {r['threads']}: {r['kept_words_per_second'] / 1e6:.2f} M kept words/s, "
            f"{r['bytes_per_second'] / 1e9:.1f} GB/s of rows, {r['share_of_copy']:.1%} of the copy"
        )


def main() -> None:
    """Measure and print."""
    args = parse_arguments()
    threads = thread_counts(args.threads)
    peak = Peak()
    peaks = {n: peak.gflops(args.backend, n) for n in threads}
    cached = in_cache(args, peaks[1])
    copies = {} if args.no_large else {n: copy_bandwidth(args.copy_mib << 20, n) for n in threads}
    large = beyond_caches(args, copies) if copies else []
    print_limits(peaks, copies, args.backend)
    print_rows(cached, large)
    if args.out:
        record = {
            "machine": machine.describe(),
            "backend": args.backend,
            "peak_gflops": peaks,
            "copy_bytes_per_second": copies,
            "in_cache": cached,
            "beyond_caches": large,
        }
        results.write_json(args.out, record)


if __name__ == "__main__":
    main()
