"""Time searches for the nearest words against a copy of the vectors in the same run.

A query reads the whole matrix once and cannot be faster than that.  A copy, which reads and writes
the matrix, is the usual measure of memory bandwidth.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from harness import machine, results
from harness.limits import copy_bandwidth
from numpy.typing import NDArray

from fastw2v import KeyedVectors

TRIES = 7
BATCHES = (10, 100, 1000)
N_CENTRES = 2000  # common directions of the rows, which give an index neighbours to find


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--words", type=int, default=1_000_000, help="number of vectors (%(default)s)")
    add("--dim", type=int, default=300, help="dimension (%(default)s)")
    add("--index", action="store_true", help="also build and search an index (takes minutes)")
    add("--out", type=Path, help="write results to this JSON file")
    return parser.parse_args()


def make_vectors(n_words: int, dim: int) -> NDArray[np.float32]:
    """Return (n_words, dim) float32 rows around common directions."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((N_CENTRES, dim), dtype=np.float32)
    vectors = np.empty((n_words, dim), np.float32)
    for start in range(0, n_words, 1 << 16):
        part = vectors[start : start + (1 << 16)]
        part[:] = centres[rng.integers(0, N_CENTRES, len(part))]
        part += rng.standard_normal(part.shape, dtype=np.float32)
    return vectors


def seconds(work: Callable[[], object], tries: int = TRIES) -> dict[str, Any]:
    """Return the median, minimum and maximum seconds of work(), after one unmeasured call."""
    work()
    taken = []
    for _ in range(tries):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return {"median": median(taken), "min": min(taken), "max": max(taken), "n": tries}


def search(wv: KeyedVectors) -> dict[str, Any]:
    """Return the seconds of one query, one analogy and several batches."""
    words = wv.index_to_key
    found = {
        "fill_norms": seconds(lambda: wv.fill_norms(force=True), 2),
        "matrix_times_vector": seconds(lambda: wv.vectors @ wv.vectors[7]),
        "most_similar": seconds(lambda: wv.most_similar(words[7])),
        "analogy": seconds(lambda: wv.most_similar([words[7], words[8]], [words[9]])),
    }
    for n in BATCHES:
        found[f"batch of {n}"] = seconds(lambda n=n: wv.most_similar_batch(words[:n]), 2)
    return found


def search_index(wv: KeyedVectors) -> dict[str, Any]:
    """Return the seconds to build and search an index, and its recall."""
    words = wv.index_to_key[:1000]
    exact = wv.most_similar_batch(words)
    start = time.perf_counter()
    wv.index()
    built = time.perf_counter() - start
    pairs = zip(wv.most_similar_batch(words), exact, strict=True)
    shares = [len(dict(a).keys() & dict(b).keys()) / len(b) for a, b in pairs]
    return {
        "build_seconds": built,
        "recall_at_10": float(np.mean(shares)),
        "most_similar": seconds(lambda: wv.most_similar(words[7])),
        "batch of 1000": seconds(lambda: wv.most_similar_batch(words), 2),
    }


def main() -> None:
    """Measure, print and write."""
    args = parse_arguments()
    vectors = make_vectors(args.words, args.dim)
    threads = machine.usable_cores()
    copied = {n: copy_bandwidth(vectors.nbytes, n) for n in sorted({1, threads})}
    wv = KeyedVectors.from_arrays([f"w{i}" for i in range(args.words)], vectors)
    found = search(wv)
    for n, bandwidth in copied.items():
        copy_ms = 2e3 * vectors.nbytes / bandwidth
        print(f"copy, threads {n}: {bandwidth / 1e9:.1f} GB/s read + written, {copy_ms:.1f} ms")
    for name, taken in found.items():
        rate = vectors.nbytes / taken["median"] / 1e9
        print(f"{name}: {taken['median'] * 1e3:.1f} ms, {rate:.1f} GB/s of rows")
    one = found["most_similar"]["median"] * copied[threads] / (2 * vectors.nbytes)
    print(f"most_similar takes {one:.2f} times as long as the copy, threads {threads}")
    record = {
        "machine": machine.describe(),
        "words": args.words,
        "dim": args.dim,
        "copy_bytes_per_second": copied,
        "seconds": found,
    }
    if args.index:
        record["index"] = search_index(wv)
        print("index:", record["index"])
    if args.out:
        results.write_json(args.out, record)


if __name__ == "__main__":
    main()
