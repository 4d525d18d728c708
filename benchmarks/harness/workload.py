"""A generated token stream and a model for it, for timing the kernels without a corpus."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastw2v.corpus import Spool
from fastw2v.training.arrays import ModelArrays, build_arrays
from fastw2v.training.blocks import full_block
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import Trainer
from harness.multiply_adds import Kept, multiply_adds

ZIPF_OFFSET = 2.7  # Mandelbrot's: count ~ 1 / (rank + offset), close to English text
SENTENCE_TOKENS = 60  # as in a Wikipedia dump with one paragraph per line
CORPUS_TOKENS = 10**9  # size of the imaginary corpus behind the counts
LEARNING_RATE = 0.025
MIN_PASSES = 3
MIN_WORDS = 1000
DISTRIBUTIONS = ("zipf", "uniform")


@dataclass(frozen=True)
class Shape:
    """Size of the stream, and distribution of its words, one of DISTRIBUTIONS."""

    n_words: int
    n_tokens: int
    distribution: str = "zipf"


def words_in_cache(cache_bytes: int, parameters: Parameters) -> int:
    """Return the number of words whose input and output rows fill half a cache, at least MIN_WORDS.

    1,000 words take 2.4 MB at dimension 300.  With Zipf frequencies, a cache of 2 MB is enough.
    """
    row_bytes = -(-parameters.vector_size // 16) * 64
    return max(cache_bytes // 2 // (2 * row_bytes), MIN_WORDS)


def at_full_speed(parameters: Parameters) -> Parameters:
    """Return the parameters with the blocks of a long run, although the timed stream is short."""
    block = full_block(parameters)
    return replace(
        parameters,
        block_centres=block.centres,
        block_noise=block.noise,
        noise_reuse=block.reuse,
    )


def word_counts(shape: Shape) -> NDArray[np.int64]:
    """Return (n_words,) int64 counts, descending."""
    ranks = np.arange(shape.n_words) if shape.distribution == "zipf" else np.zeros(shape.n_words)
    weights = 1 / (ranks + ZIPF_OFFSET)
    return np.maximum(CORPUS_TOKENS * weights / weights.sum(), 1).astype(np.int64)


class Workload:
    """A stream, and the model to train on it.  parameters: of the run, with workers."""

    def __init__(self, parameters: Parameters, shape: Shape) -> None:
        self.parameters = at_full_speed(parameters)
        rng = np.random.default_rng(parameters.seed)
        self.counts = word_counts(shape)
        edges = np.cumsum(self.counts / self.counts.sum())
        drawn = np.searchsorted(edges[:-1], rng.random(shape.n_tokens))
        ends = np.append(np.arange(SENTENCE_TOKENS, shape.n_tokens, SENTENCE_TOKENS), len(drawn))
        self.word_ids, self.sentence_ends = drawn.astype(np.int32), ends.astype(np.int64)
        self.arrays = build_arrays(parameters, self.counts)
        # Rows that are still zero would cause page faults during the measurement.
        self.arrays.out_rows[:] = self.arrays.in_rows[: len(self.arrays.out_rows)]

    def trainer(self, parameters: Parameters | None = None) -> Trainer:
        """Return a trainer for the workload, with other parameters if given."""
        spool = Spool.from_arrays(self.word_ids, self.sentence_ends)
        return Trainer(at_full_speed(parameters or self.parameters), self.arrays, spool)

    def multiply_adds_per_prediction(self) -> float:
        """Return the mean multiply-adds per prediction; see multiply_adds."""
        kept = Kept.draw(self.word_ids, self.sentence_ends, self.counts, self.parameters)
        n_predictions, needed = multiply_adds(kept, self.parameters, path_lengths(self.arrays))
        return needed / n_predictions


def path_lengths(arrays: ModelArrays) -> NDArray[np.int64] | None:
    """Return the number of inner nodes on each word's path, None without hierarchical softmax."""
    return None if arrays.paths is None else arrays.paths.code_lengths


@dataclass(frozen=True)
class Timing:
    """Times of one kernel on one thread: medians over passes of the stream, and the best pass."""

    ns_per_kept_word: float
    best_ns_per_kept_word: float
    predictions_per_second: float
    n_passes: int


def time_kernel(workload: Workload, seconds: float) -> Timing:
    """Call the kernel chunk by chunk for at least `seconds`, after one warm-up pass."""
    trainer = workload.trainer()
    worker = trainer.workers[0]
    chunks = [trainer.chunks.read(i) for i in range(len(trainer.chunks))]
    ns, rates = [], []
    passes = _passes(worker, chunks)
    next(passes)
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(ns) < MIN_PASSES:
        took, n_kept, n_predictions = next(passes)
        ns.append(took * 1e9 / n_kept)
        rates.append(n_predictions / took)
    if not np.isfinite(worker.counters()["loss_sum"]):
        raise FloatingPointError("the workload diverged; its times are meaningless")
    return Timing(float(np.median(ns)), min(ns), float(np.median(rates)), len(ns))


def _passes(worker, chunks) -> Iterator[tuple[float, int, int]]:
    """Train pass after pass; yield the seconds, kept words and predictions of each."""
    key = 0
    while True:
        key += 1
        before, start = worker.counters(), time.perf_counter()
        for chunk in chunks:
            worker.train(chunk, key, LEARNING_RATE)
        took, after = time.perf_counter() - start, worker.counters()
        yield took, *(after[n] - before[n] for n in ("n_trained", "n_predictions"))
