"""The two limits of the machine: multiply-adds in registers, and copies in memory."""

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fastw2v.base.memory import allocate

SOURCE = Path(__file__).resolve().parent.parent / "peak.c"
SUMS = 12  # independent sums in peak.c
LANES = {"vec128": 4, "avx2": 8, "avx512": 16}  # float32 lanes of each function in peak.c
# Backends without their own function in peak.c.  bfloat16 products are faster than float32 but less
# precise.  The question for these backends is by how much they exceed float32.
SAME_AS = {"scalar": "vec128", "avx512bf16": "avx512", "amx": "avx512"}
STEPS = 2_000_000  # iterations of the loop in peak.c: 8 ms
# The limit is the best of many short tries; other users of a shared machine slow down the rest.
PEAK_TRIES, COPY_TRIES = 40, 7


class Peak:
    """The multiply-adds of peak.c, compiled on the spot with the system's compiler."""

    def __init__(self) -> None:
        compiler = os.environ.get("CC", "cc")
        with tempfile.TemporaryDirectory() as folder:
            target = str(Path(folder) / "peak.so")
            flags = ["-std=gnu11", "-O2", "-ffp-contract=fast", "-shared", "-fPIC"]
            subprocess.run([compiler, *flags, "-o", target, str(SOURCE)], check=True)
            self._library = ctypes.CDLL(target)

    def gflops(self, backend: str, n_threads: int = 1) -> float:
        """Return 10^9 float operations per second of a backend's vectors, two per multiply-add."""
        name = vectors_of(backend)
        run = getattr(self._library, f"peak_{name}")
        run.argtypes, run.restype = [ctypes.c_int64, ctypes.c_float, ctypes.c_float], ctypes.c_float
        seconds = best_time(lambda i: run(STEPS, 0.99, 0.01), n_threads, PEAK_TRIES)
        return 2 * LANES[name] * SUMS * STEPS * n_threads / seconds / 1e9


def vectors_of(backend: str) -> str:
    """Return the instruction set whose multiply-add peak is the limit of a backend."""
    return SAME_AS.get(backend, backend)


def copy_bandwidth(n_bytes: int, n_threads: int) -> float:
    """Return the bytes read plus written per second when n_threads together copy n_bytes."""
    n_floats = n_bytes // 4
    source, target = (np.frombuffer(allocate(n_bytes), np.float32, n_floats) for _ in range(2))
    source[:] = target[:] = 1
    edges = np.linspace(0, n_floats, n_threads + 1).astype(np.int64)

    def copy(i: int) -> None:
        piece = slice(edges[i], edges[i + 1])
        np.copyto(target[piece], source[piece])

    return 2 * n_bytes / best_time(copy, n_threads, COPY_TRIES)


def best_time(work: Callable[[int], object], n_threads: int, n_tries: int) -> float:
    """Return the minimum seconds for n_threads threads to each do work(i), which frees the GIL."""
    seconds = []
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in range(n_tries + 1):
            start = time.perf_counter()
            list(pool.map(work, range(n_threads)))
            seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
