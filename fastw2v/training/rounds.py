"""Deterministic training with several threads: bit-identical whatever their timing.

In each round, every worker trains its own chunks on a replica of all rows.  The position of a chunk
in the epoch determines its worker.  Then the changes of all workers are added in the order of the
workers.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.memory import allocate
from fastw2v.training.arrays import KernelSettings, ModelArrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.sharing import gains, row_shares

# Tokens of all workers between two merges.  Fewer cost time, more cost quality: two workers with
# 50,000 tokens each match the quality of threads that share all rows (benchmarks/NOTES.md, "Figures
# that stood in comments").
ROUND_TOKENS = 100_000
ROUNDS = 32  # minimum per epoch, for enough merges on small corpora
MIN_TOKENS = 500  # per chunk


def tokens_of_chunk(n_tokens: int, n_workers: int, most: int) -> tuple[int, int]:
    """Return the tokens per chunk, and the chunks that a worker trains per round.

    n_tokens: of the corpus.  most: maximum tokens per chunk.
    """
    of_worker = max(min(ROUND_TOKENS, n_tokens // ROUNDS) // n_workers, min(MIN_TOKENS, most))
    n_chunks = -(-of_worker // most)
    return max(of_worker // n_chunks // 2 * 2, 2), n_chunks  # even, to keep pairs whole


@dataclass(frozen=True)
class RoundPlan:
    """How the chunks of a corpus are distributed among the workers.

    chunk_tokens: tokens per chunk.  chunks_each: chunks of each worker per round.
    max_tokens: maximum tokens of a chunk with its margins.
    counts: (n_words,) int64, occurrences of each word in the corpus.
    n_contexts: expected contexts per token.
    """

    n_workers: int
    chunk_tokens: int
    chunks_each: int
    max_tokens: int
    counts: NDArray[np.int64]
    n_contexts: float


@dataclass
class Replica:
    """One worker's replica of all rows, with marks on the rows that it may have changed."""

    arrays: ModelArrays
    worker: _core.Worker
    touched_in: NDArray[np.uint8]
    touched_out: NDArray[np.uint8]


def make_replica(arrays: ModelArrays, settings: KernelSettings, max_tokens: int) -> Replica:
    """Return a worker with its own replica of all rows."""
    bias, in_bias = arrays.out_bias, arrays.in_bias
    own = replace(
        arrays,
        in_rows=same_rows(arrays.in_rows),
        out_rows=same_rows(arrays.out_rows),
        out_bias=None if bias is None else bias.copy(),
        in_bias=None if in_bias is None else same_rows(in_bias),
    )
    worker = _core.Worker(_core.Model(own, settings), max_tokens, allocate)
    marks = (np.zeros(len(rows), np.uint8) for rows in (own.in_rows, own.out_rows))
    replica = Replica(own, worker, *marks)
    worker.note_touched(replica.touched_in, replica.touched_out)
    return replica


def same_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an aligned copy of rows."""
    replica = np.frombuffer(allocate(rows.nbytes), np.float32, rows.size).reshape(rows.shape)
    replica[...] = rows
    return replica


class Rounds:
    """The workers of a deterministic run, and their work in an epoch."""

    def __init__(
        self,
        arrays: ModelArrays,
        replicas: Sequence[Replica],
        gain: Sequence[NDArray[np.float32]],
        chunks_each: int,
        all_outputs: bool,
    ) -> None:
        """Train arrays through replicas of them.

        gain: of input rows, of output rows and of in_bias; see gains().
        chunks_each: chunks of each worker per round.
        all_outputs: whether every output row changes, as in full softmax.
        """
        self.arrays, self.replicas, self.chunks_each = arrays, replicas, chunks_each
        self.all_outputs = all_outputs
        self.position = 0  # the first chunk that is not yet trained and merged
        touched_in = [replica.touched_in for replica in replicas]
        touched_out = [replica.touched_out for replica in replicas]
        own = [replica.arrays for replica in replicas]
        self._merges = [
            _core.RowMerge(arrays.in_rows, [a.in_rows for a in own], touched_in, gain[0]),
            _core.RowMerge(arrays.out_rows, [a.out_rows for a in own], touched_out, gain[1]),
        ]
        if arrays.out_bias is not None:
            columns = [a.out_bias[:, None] for a in own if a.out_bias is not None]
            bias = arrays.out_bias[:, None]
            merge = _core.RowMerge(bias, columns, touched_out, gain[1], keep_marks=True)
            self._merges.insert(0, merge)
        if arrays.in_bias is not None:
            rows = [a.in_bias for a in own if a.in_bias is not None]
            always = [np.ones(1, np.uint8) for _ in rows]
            merge = _core.RowMerge(arrays.in_bias, rows, always, gain[2], keep_marks=True)
            self._merges.append(merge)

    def take_rows(self) -> None:
        """Copy the current rows into all replicas; others may have changed them."""
        for own in (replica.arrays for replica in self.replicas):
            own.in_rows[...], own.out_rows[...] = self.arrays.in_rows, self.arrays.out_rows
            if own.out_bias is not None:
                own.out_bias[...] = self.arrays.out_bias
            if own.in_bias is not None:
                own.in_bias[...] = self.arrays.in_bias

    def bodies(
        self, first: int, n_chunks: int, train: Callable[[_core.Worker, int], Any]
    ) -> tuple[list[Callable[[], None]], "RoundStop"]:
        """Return the thread functions that train chunks first..n_chunks - 1, and their stop event.

        train: called with a worker and the index of a chunk.
        """
        self.position = first
        self.take_rows()
        stop = RoundStop()

        def next_round() -> None:
            self.position = min(self.position + len(self.replicas) * self.chunks_each, n_chunks)
            go_on[0] = self.position < n_chunks and not stop.is_set()

        go_on, n_begun = [first < n_chunks], itertools.count(1)
        trained = threading.Barrier(len(self.replicas))
        merged = threading.Barrier(len(self.replicas), next_round)

        def work(i: int) -> None:
            try:
                # Not when the last thread begins: one that began earlier may still fail before
                # this block, and the others would wait for it.
                if next(n_begun) == len(self.replicas):
                    stop.let_begin()
                while stop.may_begin() and go_on[0]:
                    begin = self.position + i * self.chunks_each
                    for chunk in range(begin, min(begin + self.chunks_each, n_chunks)):
                        train(self.replicas[i].worker, chunk)
                    if self.all_outputs:
                        self.replicas[i].touched_out[:] = 1
                    trained.wait()
                    self._merge(i)
                    merged.wait()
            except threading.BrokenBarrierError:  # another worker reports its error
                pass
            except BaseException:
                trained.abort()
                merged.abort()
                raise

        return [partial(work, i) for i in range(len(self.replicas))], stop

    def _merge(self, part: int) -> None:
        """Merge the part of the rows that belongs to one worker."""
        for merge in self._merges:
            merge.merge(part, len(self.replicas))


def make_rounds(
    parameters: Parameters, arrays: ModelArrays, settings: KernelSettings, plan: RoundPlan
) -> Rounds:
    """Return the rounds that train these arrays.  settings: those of a single worker."""
    replicas = [make_replica(arrays, settings, plan.max_tokens) for _ in range(plan.n_workers)]
    shares = row_shares(parameters, arrays, plan.counts, plan.n_contexts)
    of_all = shares[0].sum(keepdims=True)  # predictions that move in_bias
    rate, n_tokens = parameters.rate_at(0.5), plan.chunk_tokens * plan.chunks_each
    gain = [gains(n_tokens * share, rate, plan.n_workers) for share in (*shares, of_all)]
    all_outputs = parameters.objective_record.moves_all_outputs
    return Rounds(arrays, replicas, gain, plan.chunks_each, all_outputs)


class RoundStop(threading.Event):
    """Stops training after the current round, or before it begins if threads are still starting."""

    def __init__(self) -> None:
        super().__init__()
        self._decided: dict[str, bool] = {}
        self._known = threading.Event()

    def set(self) -> None:
        """Stop after the current round."""
        super().set()
        self._decide(False)

    def let_begin(self) -> None:
        """Begin training, unless it was stopped before."""
        self._decide(True)

    def may_begin(self) -> bool:
        """Wait for the decision whether to begin, and return it."""
        self._known.wait()
        return self._decided["begin"]

    def _decide(self, begin: bool) -> None:
        self._decided.setdefault("begin", begin)  # the first decision counts
        self._known.set()
