"""Training with several threads that gives the same bits whatever their timing.

In each round every worker trains chunks of its own, fixed by their place in the epoch, on a
copy of all rows. Then the changes of all workers are added up in the order of the workers.
"""

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

# Tokens of all workers between two merges. Fewer cost time, more cost quality: 100 MB of
# Wikipedia, analogies / WS353 / SimLex / MEN, threads that share all rows: 30.4 / 63.8 / 29.0 /
# 56.3; two workers with 50,000 tokens each: 30.6 / 63.7 / 29.3 / 56.1; four with 10,000 each:
# 30.2 / 63.0 / 29.3 / 54.8; sixteen with 5,000 each: 28.6 / 62.2 / 28.5 / 51.2.
ROUND_TOKENS = 100_000
ROUNDS = 32  # in an epoch at least, so that small corpora are merged often enough
MIN_TOKENS = 500  # of a chunk


def tokens_of_chunk(n_tokens: int, n_workers: int, most: int) -> tuple[int, int]:
    """Return the tokens of a chunk and how many chunks a worker trains in a round.

    n_tokens: of the corpus.  most: tokens of a chunk at most.
    """
    of_worker = max(min(ROUND_TOKENS, n_tokens // ROUNDS) // n_workers, min(MIN_TOKENS, most))
    n_chunks = -(-of_worker // most)
    return max(of_worker // n_chunks // 2 * 2, 2), n_chunks  # an even number: no pair is cut


@dataclass(frozen=True)
class RoundPlan:
    """How a corpus is dealt out to workers.

    counts: (n_words,) int64, of the tokens of the corpus.  n_contexts: expected of a token.
    max_tokens: of a chunk with its margins.
    """

    n_workers: int
    chunk_tokens: int
    chunks_each: int
    max_tokens: int
    counts: NDArray[np.int64]
    n_contexts: float


@dataclass
class Replica:
    """One worker's rows, and marks of those that it may have changed."""

    arrays: ModelArrays
    worker: _core.Worker
    touched_in: NDArray[np.uint8]
    touched_out: NDArray[np.uint8]


def make_replica(arrays: ModelArrays, settings: KernelSettings, max_tokens: int) -> Replica:
    """Return a worker with a copy of all rows of its own."""
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
    copy = Replica(own, worker, *marks)
    worker.note_touched(copy.touched_in, copy.touched_out)
    return copy


def same_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an aligned copy of rows."""
    copy = np.frombuffer(allocate(rows.nbytes), np.float32, rows.size).reshape(rows.shape)
    copy[...] = rows
    return copy


class Rounds:
    """The workers of a deterministic run and what they do in an epoch."""

    def __init__(
        self,
        arrays: ModelArrays,
        copies: Sequence[Replica],
        gain: Sequence[NDArray[np.float32]],
        chunks_each: int,
        all_outputs: bool,
    ) -> None:
        """Train arrays by copies of them.

        gain: of input rows, of output rows and of in_bias, see gains().  chunks_each: chunks of
        a worker in a round.  all_outputs: every output row changes, as in the full softmax.
        """
        self.arrays, self.copies, self.chunks_each = arrays, copies, chunks_each
        self.all_outputs = all_outputs
        self.position = 0  # the first chunk that is not trained and merged
        touched_in = [copy.touched_in for copy in copies]
        touched_out = [copy.touched_out for copy in copies]
        own = [copy.arrays for copy in copies]
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
        """Let the copies be what the rows are now, which others may have changed."""
        for own in (copy.arrays for copy in self.copies):
            own.in_rows[...], own.out_rows[...] = self.arrays.in_rows, self.arrays.out_rows
            if own.out_bias is not None:
                own.out_bias[...] = self.arrays.out_bias
            if own.in_bias is not None:
                own.in_bias[...] = self.arrays.in_bias

    def bodies(
        self, first: int, n_chunks: int, train: Callable[[_core.Worker, int], Any]
    ) -> tuple[list[Callable[[], None]], "RoundStop"]:
        """Return what the threads do to train chunks first..n_chunks - 1, and what stops them.

        train: called with a worker and the number of a chunk.
        """
        self.position = first
        self.take_rows()
        stop = RoundStop()

        def next_round() -> None:
            self.position = min(self.position + len(self.copies) * self.chunks_each, n_chunks)
            go_on[0] = self.position < n_chunks and not stop.is_set()

        go_on = [first < n_chunks]
        trained = threading.Barrier(len(self.copies))
        merged = threading.Barrier(len(self.copies), next_round)

        def work(i: int) -> None:
            if i == len(self.copies) - 1:
                stop.let_begin()
            if not stop.may_begin():
                return
            try:
                while go_on[0]:
                    begin = self.position + i * self.chunks_each
                    for chunk in range(begin, min(begin + self.chunks_each, n_chunks)):
                        train(self.copies[i].worker, chunk)
                    if self.all_outputs:
                        self.copies[i].touched_out[:] = 1
                    trained.wait()
                    self._merge(i)
                    merged.wait()
            except threading.BrokenBarrierError:  # another one's error is told
                pass
            except BaseException:
                trained.abort()
                merged.abort()
                raise

        return [partial(work, i) for i in range(len(self.copies))], stop

    def _merge(self, part: int) -> None:
        """Merge one worker's part of the rows."""
        for merge in self._merges:
            merge.merge(part, len(self.copies))


def make_rounds(
    parameters: Parameters, arrays: ModelArrays, settings: KernelSettings, plan: RoundPlan
) -> Rounds:
    """Return what trains these arrays in rounds.  settings: for one worker alone."""
    copies = [make_replica(arrays, settings, plan.max_tokens) for _ in range(plan.n_workers)]
    shares = row_shares(parameters, arrays, plan.counts, plan.n_contexts)
    of_all = shares[0].sum(keepdims=True)  # predictions that move in_bias
    rate, n_tokens = parameters.rate_at(0.5), plan.chunk_tokens * plan.chunks_each
    gain = [gains(n_tokens * share, rate, plan.n_workers) for share in (*shares, of_all)]
    all_outputs = parameters.objective_record.moves_all_outputs
    return Rounds(arrays, copies, gain, plan.chunks_each, all_outputs)


class RoundStop(threading.Event):
    """Asks for the end of the round; or, before all threads are there, for none to begin."""

    def __init__(self) -> None:
        super().__init__()
        self._decided: dict[str, bool] = {}
        self._known = threading.Event()

    def set(self) -> None:
        """Stop at the end of the round."""
        super().set()
        self._decide(False)

    def let_begin(self) -> None:
        """Begin, unless it was stopped before."""
        self._decide(True)

    def may_begin(self) -> bool:
        """Wait until it is certain whether to begin."""
        self._known.wait()
        return self._decided["begin"]

    def _decide(self, begin: bool) -> None:
        self._decided.setdefault("begin", begin)  # the first one counts
        self._known.set()
