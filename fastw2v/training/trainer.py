"""Threads that pull chunks of the token stream and hand them to the kernels."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.checks import MOST
from fastw2v.base.memory import allocate, mebibytes, needing
from fastw2v.base.threads import raise_lost_interrupt, run_threads, single_threaded_blas
from fastw2v.errors import UsageError
from fastw2v.training.arrays import ModelArrays, fit_to_pairs, kernel_settings
from fastw2v.training.blocks import BlockRule, Load
from fastw2v.training.divergence import LossWatch, check_rows, starting_loss
from fastw2v.training.events import (
    Audience,
    Counts,
    EpochRecord,
    Listener,
    Report,
    RunState,
    StopTraining,
    peak_bytes,
)
from fastw2v.training.objectives import Objective
from fastw2v.training.parameters import Contexts, Parameters, expected_inverse, window_sides
from fastw2v.training.rounds import RoundPlan, Rounds, make_rounds, tokens_of_chunk
from fastw2v.training.sharing import kept_share, replicated_rows, seen_count

# Tokens a kernel call trains: long enough that Python's share of the time does not show,
# short enough that Ctrl-C is answered at once.
CHUNK_TOKENS = 10_000
# Chunks that threads train at once do not know one another, as those of one thread do: with 10,000
# tokens a chunk the loss of the first epoch of 5 MB was up to 0.5, 1.0 and 1.5 % above one thread's
# with 2, 4 and 16; with 2,800 up to 0.3, 0.7 and 0.9 %, at x0.94 to x0.97 of the speed. That was
# with chunks in the order of the text: in random order 10,000 give 0.1, 0.2 and 0.3 %.
CHUNKS = 300  # in an epoch at least
MIN_CHUNK_TOKENS = 2_000
MARGIN_WINDOWS = 4  # margin on either side of a chunk, in windows: subsampling thins it out
REPORT_SECONDS = 0.2
MIN_LR = 2.0**-126  # of normal float32; a lower learning rate trains nothing


class Chunks(Protocol):
    """The token stream in chunks; read may be called from any thread."""

    def __len__(self) -> int: ...

    def read(self, index: int, /) -> Any:
        """Return one chunk as w2v_chunk in api.h describes it."""


class TokenStream(Protocol):
    """What the trainer asks of a spool."""

    @property
    def n_tokens(self) -> int:
        """Tokens in the vocabulary."""

    @property
    def n_sentences(self) -> int:
        """Sentences that have such tokens."""

    def longest_sentence(self) -> int:
        """Return the number of tokens of the longest sentence."""

    def chunks(self, chunk_tokens: int, margin_tokens: int) -> Chunks:
        """Cut the stream; neighbours overlap by a margin that holds contexts."""


def chunk_tokens(objective: Objective, n_tokens: int, n_floats: int) -> int:
    """Return the tokens of a chunk.  n_tokens: of an epoch.  n_floats: of the output matrix."""
    # Two losses take more time per token.  With 2,000 tokens a chunk the loss of 16 threads was
    # 0.4 % above that of one, with 500 it is 0.15 % (1 MB, 2 epochs).
    least = MIN_CHUNK_TOKENS // 4 if objective.terms else MIN_CHUNK_TOKENS
    most = min(max(n_tokens // CHUNKS, least), CHUNK_TOKENS)
    if objective.max_chunk_tokens is not None:
        most = min(objective.max_chunk_tokens(n_floats), most)
    return most // 2 * 2  # no pair is cut


def contexts_in(parameters: Parameters, arrays: ModelArrays, stream: TokenStream) -> Contexts:
    """Return how many context words a token of a stream has."""
    sentence_tokens = stream.n_tokens / max(stream.n_sentences, 1)
    n_left = sentence_tokens * kept_share(arrays)
    return Contexts(
        parameters.expected_contexts(sentence_tokens),
        expected_inverse(parameters.window, parameters.shrink_windows, n_left),
    )


def reach_and_margin(parameters: Parameters, stream: TokenStream) -> tuple[int, int]:
    """Return how far a window reaches on a side, >= 1, and the tokens of a chunk's margins.

    Neither leaves the sentence, however large the window is.
    """
    window, others = max(window_sides(parameters.window)), max(stream.longest_sentence() - 1, 1)
    return min(window, others), min(MARGIN_WINDOWS * window, others)


def _need(
    arrays: ModelArrays, is_trained: bool, n_workers: int, scratch_bytes: int, in_rounds: bool
) -> tuple[int, str]:
    """Return the bytes that training still has to get, and what needs how much in all.

    is_trained: else no page of the output rows is in memory yet.  in_rounds: each worker has its
    own copy of all rows.
    """
    rows = arrays.in_rows.nbytes + arrays.out_rows.nbytes
    each = scratch_bytes + in_rounds * rows
    text = (
        f"training needs {mebibytes(rows + n_workers * each)} of memory, {mebibytes(rows)} for the "
        f"model and {mebibytes(each)} for each of {n_workers:,} workers"
    )
    return n_workers * each + (0 if is_trained else arrays.out_rows.nbytes), text


def resolved_for(parameters: Parameters, arrays: ModelArrays, stream: TokenStream) -> Parameters:
    """Return the parameters with what a corpus and a machine decide; see Parameters.resolved."""
    if parameters.is_resolved:
        return parameters
    contexts = contexts_in(parameters, arrays, stream)
    return parameters.resolved(contexts.mean, seen_count(arrays))


class Trainer:
    """Trains a model's arrays on a token stream, epoch by epoch."""

    def __init__(self, parameters: Parameters, arrays: ModelArrays, stream: TokenStream) -> None:
        parameters = resolved_for(parameters, arrays, stream)
        self.parameters = parameters
        self.stream = stream
        context_counts = getattr(stream, "context_counts", None)
        if context_counts is not None:
            arrays = fit_to_pairs(parameters, arrays, context_counts)
        n_floats = arrays.out_rows.size
        self.chunk_tokens = chunk_tokens(parameters.objective_record, stream.n_tokens, n_floats)
        in_rounds, chunks_each = parameters.deterministic and parameters.n_threads > 1, 1
        if in_rounds:
            self.chunk_tokens, chunks_each = tokens_of_chunk(
                stream.n_tokens, parameters.n_threads, self.chunk_tokens
            )
        max_reach, margin = reach_and_margin(parameters, stream)
        self.chunks = stream.chunks(self.chunk_tokens, margin)
        self.total_tokens = parameters.epochs * stream.n_tokens
        self.model_arrays = arrays
        n_threads = min(parameters.n_threads, len(self.chunks))
        contexts = contexts_in(parameters, arrays, stream)
        sharing = 1 if in_rounds else n_threads
        replicas = replicated_rows(parameters, arrays, sharing, stream.n_tokens, contexts.mean)
        of_pair = contexts if context_counts is None else Contexts(1.0, 1.0)
        concurrency = 1 if len(replicas.inputs) else sharing
        load = Load.of(parameters, arrays, stream.n_tokens, of_pair, concurrency)
        self.blocks = BlockRule(parameters, load)
        settings = kernel_settings(parameters, self.blocks.largest(), contexts, max_reach, replicas)
        max_tokens = self.chunk_tokens + 2 * margin
        if max_tokens > MOST:
            raise UsageError(
                f"a window of {max(window_sides(parameters.window)):,} words in sentences of "
                f"{stream.longest_sentence():,} is too large: split the sentences"
            )
        self.rounds: Rounds | None = None
        model = _core.Model(arrays, settings)
        is_trained = bool(arrays.out_rows.any())
        scratch_bytes = model.scratch_bytes(max_tokens)
        with needing(*_need(arrays, is_trained, n_threads, scratch_bytes, in_rounds)):
            if in_rounds:
                counts = count_words(self.chunks, len(arrays.in_rows))
                plan = RoundPlan(
                    n_threads, self.chunk_tokens, chunks_each, max_tokens, counts, contexts.mean
                )
                self.rounds = make_rounds(parameters, arrays, settings, plan)
                self.workers = [replica.worker for replica in self.rounds.replicas]
            else:
                self.workers = [_core.Worker(model, max_tokens, allocate) for _ in range(n_threads)]
        first_lr = parameters.first_rate
        self.blocks_text = self.blocks.describe(first_lr, self.rate_after(self.total_tokens))
        self._watch = LossWatch(parameters, starting_loss(parameters, load), is_trained)
        self.epoch = 0  # that is under way, counted from 0: so many are done
        self.chunk = 0  # of the epoch's order, the first that is not trained
        self.at_chunk_boundary = True  # all chunks before it are trained, and none after it
        self.history: list[EpochRecord] = []
        self.had_rate = False  # whether some chunk's learning rate could change a value
        self.seconds = 0.0  # of wall time in epochs
        self.stopped: str | None = None  # why it ended before its last epoch
        self.restored: int | None = None  # the epoch whose rows the model was given back
        self._before = RunState(chunk_tokens=self.chunk_tokens)  # what an earlier process did
        self._epoch_start = Counts()
        self._epoch_seconds = 0.0

    def counts(self) -> Counts:
        """Return the sums over all workers since training began."""
        done = (Counts(**worker.counters()) for worker in self.workers)
        return sum(done, self._before.counts)

    def state(self) -> RunState:
        """Return where the run stands, to go on from there; at_chunk_boundary must hold."""
        return RunState(
            chunk_tokens=self.chunk_tokens,
            epoch=self.epoch,
            chunk=self.chunk,
            counts=self.counts(),
            epoch_start=self._epoch_start,
            epoch_seconds=self._epoch_seconds,
            seconds=self.seconds,
            stopped=self.stopped,
            restored=self.restored,
            history=list(self.history),
        )

    def restore(self, state: RunState) -> None:
        """Go on from where a run of the same settings, arrays and stream stood.

        Raises ValueError if the state cannot be one of such a run.
        """
        self._check(state)
        self._before, self.history = state, list(state.history)
        self.had_rate = True  # as far as this process knows
        self.epoch, self.chunk = state.epoch, state.chunk
        self.stopped, self.restored = state.stopped, state.restored
        self._epoch_start, self._epoch_seconds = state.epoch_start, state.epoch_seconds
        self.seconds = state.seconds
        self._watch.seen = state.counts

    def _check(self, state: RunState) -> None:
        """Raise ValueError, which names the field, if this run cannot stand there."""
        n_epochs, n_tokens = self.parameters.epochs, self.stream.n_tokens
        if state.chunk_tokens != self.chunk_tokens:
            raise ValueError(
                f"its run trained {state.chunk_tokens} tokens at a time, this run trains "
                f"{self.chunk_tokens}"
            )
        if state.epoch > n_epochs:
            raise ValueError(f"epoch is {state.epoch}, but the run has {n_epochs}")
        n_chunks = len(self.chunks) if state.epoch < n_epochs else 0
        if state.chunk > n_chunks:
            raise ValueError(f"chunk is {state.chunk}, but the epoch has {n_chunks}")
        if state.epoch_start.n_tokens != state.epoch * n_tokens:
            raise ValueError(
                f"epoch_start has {state.epoch_start.n_tokens} tokens, but {state.epoch} epochs "
                f"have {state.epoch * n_tokens}"
            )
        starts = self._order(state.epoch)[: state.chunk] * self.chunk_tokens
        trained = int(np.minimum(n_tokens - starts, self.chunk_tokens).sum())
        found = (state.counts - state.epoch_start).n_tokens
        if found != trained:
            raise ValueError(f"chunk is {state.chunk}, {trained} tokens, but counts have {found}")
        if state.restored is not None and state.stopped is None and state.epoch < n_epochs:
            raise ValueError(f"restored is {state.restored}, but the run has not ended")

    def run(self, listeners: Sequence[Listener] = ()) -> None:
        """Train all epochs that are left and tell the listeners, in this thread.

        A listener's StopTraining ends the run in good order and is told by `stopped`.
        Raises DivergedError when the loss blows up or a number stops being finite, the first
        worker's or listener's error if one fails, and KeyboardInterrupt within one chunk; no
        thread is left behind.
        """
        audience = Audience(self, listeners)
        record = self.parameters.objective_record
        try:
            with single_threaded_blas() if record.uses_blas else nullcontext():
                try:
                    audience.tell("on_train_begin")
                    audience.stop_if_asked()
                    while self.epoch < self.parameters.epochs and self.stopped is None:
                        self._run_epoch(audience)
                except StopTraining as stop:
                    self.stopped = str(stop) or "a callback asked to stop"
                self.model_arrays.fold_in_bias()
                check_rows(self.model_arrays, "training diverged")
                audience.tell("on_train_end")
        except BaseException as error:
            for listener in listeners:
                listener.on_abort(self, error)
            self.model_arrays.fold_in_bias()
            raise

    def _run_epoch(self, audience: Audience) -> None:
        audience.tell("on_epoch_begin")
        audience.stop_if_asked()
        while self.chunk < len(self.chunks):
            started_at = time.perf_counter()
            try:
                self._train_chunks(audience)
            finally:
                self._epoch_seconds += time.perf_counter() - started_at
                self.seconds += time.perf_counter() - started_at
            self.check(self.counts())
            if self.chunk < len(self.chunks):
                audience.tell("on_pause")
                audience.stop_if_asked()
        audience.tell_progress(self.counts(), is_last=True)
        n_measured = (self.counts() - self._epoch_start).n_loss_predictions
        record = self._end_epoch()
        self._watch.check_epoch(record, n_measured)
        audience.tell("on_epoch_end", record)
        audience.stop_if_asked()

    def _end_epoch(self) -> EpochRecord:
        """Record the epoch and go to the start of the next one."""
        done = self.counts() - self._epoch_start
        record = EpochRecord(
            epoch=self.epoch + 1,
            loss=done.mean_loss,
            lr=self.rate(self.epoch + 1, 0),
            n_trained=done.n_trained,
            n_subsampled=done.n_subsampled,
            n_predictions=done.n_predictions,
            seconds=self._epoch_seconds,
            peak_bytes=peak_bytes(),
        )
        self.at_chunk_boundary = False  # if Ctrl-C comes in between
        self.model_arrays.fold_in_bias()
        self.history.append(record)
        self.epoch, self.chunk = self.epoch + 1, 0
        self._epoch_start, self._epoch_seconds = self.counts(), 0.0
        self.at_chunk_boundary = True
        return record

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Return the (n_chunks,) numbers of an epoch's chunks in the order in which to train."""
        shuffled = is_shuffled(self.parameters, self.stream.n_tokens)
        return chunk_order(self.parameters.seed, epoch, len(self.chunks), shuffled)

    def _train_chunks(self, audience: Audience) -> None:
        """Train the epoch's chunks, to its end or a pause."""
        raise_lost_interrupt()
        key, trained = epoch_key(self.parameters.seed, self.epoch), itertools.count()
        order = self._order(self.epoch)

        def train(worker: _core.Worker, i: int) -> None:
            rate = self.rate(self.epoch, i)
            if rate >= MIN_LR:
                self.had_rate = True
            step = self.blocks.step(rate)
            worker.train(self.chunks.read(int(order[i])), key, step.lr, step.block)
            next(trained)

        def tick() -> None:
            counts = self.counts()
            self.check(counts)
            audience.tell_progress(counts)
            audience.stop_if_asked()
            if audience.wants_pause():
                stop.set()

        bodies, stop, reached = self._bodies(train)
        self.at_chunk_boundary = False
        try:
            run_threads(bodies, stop, tick, REPORT_SECONDS, "fastw2v-train")
        finally:
            for worker in self.workers:
                worker.flush_replicas()
            end = reached()
            if end - self.chunk == next(trained):
                self.chunk, self.at_chunk_boundary = end, True

    def _bodies(
        self, train: Callable[[_core.Worker, int], None]
    ) -> tuple[list[Callable[[], None]], threading.Event, Callable[[], int]]:
        """Return what the threads do, what stops them, and how far they have come then."""
        n_chunks = len(self.chunks)
        if self.rounds is not None:
            rounds = self.rounds
            bodies, stop_rounds = rounds.bodies(self.chunk, n_chunks, train)
            return bodies, stop_rounds, lambda: rounds.position
        stop, numbers = threading.Event(), itertools.count(self.chunk)

        def work(worker: _core.Worker) -> None:
            """Train whichever chunk is next."""
            while not stop.is_set() and (i := next(numbers)) < n_chunks:
                train(worker, i)

        bodies = [partial(work, worker) for worker in self.workers]
        return bodies, stop, lambda: min(next(numbers), n_chunks)

    def rate(self, epoch: int, chunk: int) -> float:
        """Return the learning rate at the start of a chunk, counted in the order of the epoch: it
        does not depend on threads."""
        return self.rate_after(epoch * self.stream.n_tokens + chunk * self.chunk_tokens)

    def rate_after(self, n_tokens: int) -> float:
        """Return the learning rate when so many tokens of all epochs are done."""
        rate = self.parameters.rate_at(min(1.0, n_tokens / max(self.total_tokens, 1)))
        return min(rate, self.blocks.max_lr)

    def check(self, counts: Counts) -> None:
        """Raise DivergedError if the loss since the last call tells so."""
        self._watch.check(counts, self.epoch + 1, self.rate_after(counts.n_tokens))

    def report(self, counts: Counts, heard: Counts, seconds: float) -> Report:
        """Return the state of the run.  heard: the counts at the report before."""
        return Report(
            stage="train",
            done=counts.n_tokens,
            total=self.total_tokens,
            n_tokens=counts.n_tokens,
            seconds=seconds,
            lr=self.rate_after(counts.n_tokens),
            loss=(counts - heard).mean_loss,
            epoch=self.epoch + 1,
            n_epochs=self.parameters.epochs,
        )


def count_words(chunks: Chunks, n_words: int) -> NDArray[np.int64]:
    """Return how often each word stands in a stream."""
    counts = np.zeros(n_words, np.int64)
    for i in range(len(chunks)):
        chunk = chunks.read(i)
        _core.count_ids(chunk.word_ids[chunk.centre_begin : chunk.centre_end], counts)
    return counts


def epoch_key(seed: int, epoch: int) -> int:
    """Return the 64 bits that seed every draw of an epoch."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])


# Neighbours stay together in a corpus of more chunks, so that what a disk reads at once grows with
# the corpus: 1 MB of word ids at a billion tokens.
RUNS = 4096


def is_shuffled(parameters: Parameters, n_tokens: int) -> bool:
    """Return whether epochs of so many tokens are visited in random order."""
    return n_tokens >= parameters.objective_record.shuffled_from_tokens


def chunk_order(seed: int, epoch: int, n_chunks: int, shuffled: bool = True) -> NDArray[np.int64]:
    """Return the (n_chunks,) numbers of an epoch's chunks in the order in which to train them.

    Another random one for each epoch: neighbouring text is alike, and rows that see it all at once
    follow it, which cost CBOW 1.5 points of analogies (benchmarks/NOTES.md).
    epoch: counted from 0.  shuffled: else in their own order; see is_shuffled.
    """
    if not shuffled:
        return np.arange(n_chunks)
    n_each = -(-n_chunks // RUNS)
    starts = np.arange(0, n_chunks, n_each)
    draws = np.random.SeedSequence([seed, epoch, 1]).generate_state(len(starts), np.uint64)
    runs = starts[np.argsort(draws, kind="stable")]
    chunks = (runs[:, None] + np.arange(n_each)).ravel()
    return chunks[chunks < n_chunks]
