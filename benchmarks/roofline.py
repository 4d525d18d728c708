"""Compare the kernels with the limits of the machine, measured in the same run.

In cache: the multiply-adds that the pairs need (harness/multiply_adds.py) against the peak of one
core.  Beyond the caches: the bytes of rows touched against the bandwidth of a copy.  A kept word
touches its input row, its output row and its share of the block's negative samples.  Each row is
read and written once.  The input row is assumed to stay in cache from block to block.

The peak is that of float32 vector instructions, for all backends.  Backends that multiply in
bfloat16 have twice that peak with vectors and 16 times with AMX tiles.  Their printed share shows
by how much they exceed float32.
"""

import argparse
import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import machine, results
from harness.limits import Peak, copy_bandwidth, vectors_of
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
from fastw2v.training.blocks import full_block
from fastw2v.training.parameters import BFLOAT16_BACKENDS, Parameters

MODEL = "sg-ns"
DIMS = (100, 300)
PASSES = 5  # over the large stream; the median is reported


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--backends", default=",".join(fastest()), help="default: the fastest (%(default)s)")
    add("--seconds", type=float, default=2.0, help="minimum time per case in cache (2)")
    add("--threads", type=int, default=machine.usable_cores(), help="maximum (%(default)s)")
    add("--copy-mib", type=int, default=2048, help="MiB per array of the copy (2048)")
    add("--large-words", type=int, default=LARGE_WORDS, help="words at dim 300 (%(default)s)")
    add("--no-large", action="store_true", help="measure only in cache")
    add("--out", type=Path, help="write results to this JSON file")
    return parser.parse_args()


def fastest() -> list[str]:
    """Return the fastest float32 backend of this CPU, and the fastest bfloat16 backend if any."""
    known = fastw2v.backends()
    rounded = [name for name in known if name in BFLOAT16_BACKENDS]
    exact = [name for name in known if name not in BFLOAT16_BACKENDS]
    return exact[-1:] + rounded[-1:]


def thread_counts(most: int) -> list[int]:
    """Return 1, 2, 4, ... and `most`."""
    powers = [1 << i for i in range(most.bit_length())]
    return sorted({n for n in powers if n <= most} | {most})


def in_cache(
    backends: list[str], peaks: dict[str, dict[int, float]], seconds: float
) -> list[dict[str, Any]]:
    """Return the share of the multiply-add peak per backend and dimension, on one thread."""
    l2 = machine.cache_sizes().get("L2", L2_BYTES)
    rows = []
    for backend in backends:
        for dim in DIMS:
            parameters = parameters_of(MODEL, dim, backend)
            shape = Shape(words_in_cache(l2, parameters), CACHED_TOKENS)
            peak_gflops = peaks[vectors_of(backend)][1]
            row = measure(parameters, MODEL, shape, peak_gflops, seconds)
            rows.append(row | {"peak_of": vectors_of(backend), "block": full_block(parameters)})
    return rows


def beyond_caches(
    backends: list[str], n_words: int, copies: dict[int, float]
) -> list[dict[str, Any]]:
    """Return the share of the copy bandwidth per distribution, backend and number of threads."""
    rows = []
    for distribution in DISTRIBUTIONS:
        parameters = parameters_of(MODEL, LARGE_DIM, backends[0])
        workload = Workload(parameters, Shape(n_words, LARGE_TOKENS, distribution))
        for backend in backends:
            parameters = parameters_of(MODEL, LARGE_DIM, backend)
            for n_threads, bandwidth in copies.items():
                rates = kept_words_per_second(workload, replace(parameters, workers=n_threads))
                touched = rates[PASSES // 2] * bytes_touched(workload, parameters)
                rows.append(
                    {
                        "backend": backend,
                        "stream": distribution,
                        "n_words": n_words,
                        "dim": LARGE_DIM,
                        "block": full_block(parameters),
                        "threads": n_threads,
                        "kept_words_per_second": rates[PASSES // 2],
                        "passes": rates,
                        "bytes_per_second": touched,
                        "share_of_copy": touched / bandwidth,
                    }
                )
        del workload  # 2.4 GB, before the next one is made
    return rows


def bytes_touched(workload: Workload, parameters: Parameters) -> float:
    """Return the bytes of rows read and written per kept word, for skip-gram.

    A negative sample that serves several blocks stays in cache after the first one.
    """
    block = full_block(parameters)
    row_bytes = workload.arrays.in_rows.shape[1] * 4
    return 2 * row_bytes * (1 + 1 + block.noise / block.centres / block.reuse)


def kept_words_per_second(workload: Workload, parameters: Parameters) -> list[float]:
    """Return the speeds of whole training passes, in ascending order."""
    rates = []
    for seed in range(PASSES):
        trainer = workload.trainer(replace(parameters, seed=seed))
        trainer.run()
        # trainer.seconds excludes the final check for non-finite values, which reads all rows.
        rates.append(trainer.counts().n_trained / trainer.seconds)
    return sorted(rates)


def print_limits(peaks: dict[str, dict[int, float]], copies: dict[int, float]) -> None:
    """Print the limits of the machine."""
    for name, by_threads in peaks.items():
        for n_threads, gflops in by_threads.items():
            print(f"multiply-add peak, {name}, threads {n_threads}: {gflops:.1f} GFLOP/s")
    for n_threads, bandwidth in copies.items():
        print(f"copy, read + written, threads {n_threads}: {bandwidth / 1e9:.1f} GB/s")


def print_rows(cached: list[dict[str, Any]], large: list[dict[str, Any]]) -> None:
    """Print how close the kernels come to the limits."""
    for r in cached:
        print(
            f"in cache, {r['backend']}, {r['model']}, dim {r['dim']}, {r['n_words']:,} words, "
            "one thread: "
            f"{r['ns_per_kept_word']:.0f} ns/kept word, {r['gflops']:.1f} GFLOP/s, "
            f"{r['share_of_peak']:.1%} of the peak of {r['peak_of']}"
        )
    for r in large:
        print(
            f"beyond caches, {r['backend']}, {MODEL}, dim {r['dim']}, {r['n_words']:,} words, "
            f"{r['stream']}, threads {r['threads']}: "
            f"{r['kept_words_per_second'] / 1e6:.2f} M kept words/s, "
            f"{r['bytes_per_second'] / 1e9:.1f} GB/s of rows, {r['share_of_copy']:.1%} of the copy"
        )


def main() -> None:
    """Measure, print and write."""
    args = parse_arguments()
    backends, threads = args.backends.split(","), thread_counts(args.threads)
    peak = Peak()
    names = dict.fromkeys(map(vectors_of, backends))
    peaks = {name: {n: peak.gflops(name, n) for n in threads} for name in names}
    cached = in_cache(backends, peaks, args.seconds)
    copies = {} if args.no_large else {n: copy_bandwidth(args.copy_mib << 20, n) for n in threads}
    large = beyond_caches(backends, args.large_words, copies) if copies else []
    print_limits(peaks, copies)
    print_rows(cached, large)
    if args.out:
        record = {
            "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "machine": machine.describe(),
            "compiler": machine.compiler(),
            "definitions": DEFINITIONS,
            "seed": parameters_of(MODEL, LARGE_DIM, backends[0]).seed,
            "peak_gflops": peaks,
            "copy_bytes_per_second": copies,
            "in_cache": cached,
            "beyond_caches": large,
        }
        results.write_json(args.out, record)


DEFINITIONS = {
    "peak_gflops": "10^9 float32 operations/s, two per multiply-add, best of 40, by threads",
    "copy_bytes_per_second": "bytes read plus bytes written, best of 7, by number of threads",
    "gflops": "two operations per multiply-add that the pairs need: harness/multiply_adds.py",
    "share_of_peak": "gflops / peak_gflops of peak_of, on one thread; median pass",
    "bytes_per_second": "bytes of rows: per kept word its input row, its output row and its share "
    "of the block's negative samples, each read and written once; median pass",
    "share_of_copy": "bytes_per_second / copy_bytes_per_second with the same number of threads",
}


if __name__ == "__main__":
    main()
