"""Threads that pull chunks of the token stream and hand them to the kernels."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from fastw2v import _core
from fastw2v.errors import DivergedError
from fastw2v.memory import allocate
from fastw2v.training.model import ModelArrays, kernel_settings
from fastw2v.training.parameters import Parameters
from fastw2v.training.report import Counts, EpochRecord, Observer, Report
from fastw2v.training.schedule import linear_rate
from fastw2v.training.windows import window_sides

# Tokens a kernel call trains: long enough that Python's share of the time does not show,
# short enough that Ctrl-C is answered at once.
CHUNK_TOKENS = 10_000
# The softmax takes 2 ms a token for 50,000 words of dimension 100: a quarter of a second a chunk.
SOFTMAX_CHUNK_FLOATS = 7 * 10**8  # tokens * floats of the output matrix
SOFTMAX_LEAST_TOKENS = 64  # two blocks
MARGIN_WINDOWS = 4  # margin on either side of a chunk, in windows: subsampling thins it out
REPORT_SECONDS = 0.2


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

    def chunks(self, chunk_tokens: int, margin_tokens: int) -> Chunks:
        """Cut the stream; neighbours overlap by a margin that holds contexts."""


def chunk_tokens(objective: str, n_floats: int) -> int:
    """Return the tokens of a chunk.  n_floats: size of the output matrix."""
    if objective != "softmax":
        return CHUNK_TOKENS
    return min(max(SOFTMAX_CHUNK_FLOATS // n_floats, SOFTMAX_LEAST_TOKENS), CHUNK_TOKENS)


class Trainer:
    """Trains a model's arrays on a token stream, epoch by epoch."""

    def __init__(self, parameters: Parameters, arrays: ModelArrays, stream: TokenStream) -> None:
        self.parameters = parameters
        self.stream = stream
        self.chunk_tokens = chunk_tokens(parameters.objective, arrays.out_rows.size)
        margin = MARGIN_WINDOWS * max(window_sides(parameters.window))
        self.chunks = stream.chunks(self.chunk_tokens, margin)
        self.total_tokens = parameters.epochs * stream.n_tokens
        self.model_arrays = arrays
        n_threads = min(parameters.n_threads, len(self.chunks))
        sentence_tokens = stream.n_tokens / max(stream.n_sentences, 1)
        model = _core.Model(arrays, kernel_settings(parameters, sentence_tokens, n_threads))
        self.workers = [
            _core.Worker(model, self.chunk_tokens + 2 * margin, allocate) for _ in range(n_threads)
        ]
        self.history: list[EpochRecord] = []

    def counts(self) -> Counts:
        """Return the sums over all workers since training began."""
        return sum((Counts(**worker.counters()) for worker in self.workers), Counts())

    def run(self, observer: Observer | None = None) -> None:
        """Train all epochs, reporting about five times a second to the observer.

        Raises DivergedError when the loss stops being finite, the first worker's error if
        one fails, and KeyboardInterrupt within one chunk; no thread is left behind.
        """
        with single_threaded_blas(self.parameters.objective):
            self._run_epochs(observer)

    def _run_epochs(self, observer: Observer | None) -> None:
        start = time.perf_counter()
        for epoch in range(self.parameters.epochs):
            before, epoch_start = self.counts(), time.perf_counter()
            self._run_epoch(epoch, Reporter(self, observer, epoch, start))
            done = self.counts() - before
            self.history.append(
                EpochRecord(
                    epoch=epoch + 1,
                    loss=done.mean_loss,
                    lr=self.rate(epoch + 1, 0),
                    n_trained=done.n_trained,
                    n_subsampled=done.n_subsampled,
                    n_predictions=done.n_predictions,
                    seconds=time.perf_counter() - epoch_start,
                )
            )

    def rate(self, epoch: int, chunk: int) -> float:
        """Return the learning rate at the start of a chunk: it follows the place in the
        corpus, so it does not depend on threads."""
        done = epoch * self.stream.n_tokens + chunk * self.chunk_tokens
        p = self.parameters
        return linear_rate(p.first_rate, p.min_alpha, min(1.0, done / max(self.total_tokens, 1)))

    def _run_epoch(self, epoch: int, report: Callable[[], None]) -> None:
        stop, errors = threading.Event(), []
        ended = [threading.Event() for _ in self.workers]
        next_chunk = itertools.count()
        key = epoch_key(self.parameters.seed, epoch)

        def work(worker: _core.Worker, done: threading.Event) -> None:
            try:
                while not stop.is_set() and (i := next(next_chunk)) < len(self.chunks):
                    worker.train(self.chunks.read(i), key, self.rate(epoch, i))
            except BaseException as error:
                errors.append(error)
                stop.set()
            finally:
                done.set()

        threads = [
            threading.Thread(target=work, args=pair, name="fastw2v-train", daemon=True)
            for pair in zip(self.workers, ended, strict=True)
        ]
        try:
            for thread in threads:
                thread.start()
            for done in ended:
                # Not join() with a timeout: interrupted, Python 3.11's takes the thread for ended.
                while not done.wait(REPORT_SECONDS):
                    report()
        finally:
            stop.set()
            join_all(threads, ended)
        if errors:
            raise errors[0]
        report()


def join_all(threads: list[threading.Thread], ended: list[threading.Event]) -> None:
    """Wait until the threads have ended, a second Ctrl-C or not: it takes one chunk at most."""
    for thread, done in zip(threads, ended, strict=True):
        if thread.ident is None:  # it was not started
            continue
        while not done.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                done.wait()
        thread.join()


class Reporter:
    """Turns the workers' counters into reports and watches the loss."""

    def __init__(
        self, trainer: Trainer, observer: Observer | None, epoch: int, start: float
    ) -> None:
        self.trainer, self.observer = trainer, observer
        self.epoch, self.start = epoch, start
        self.last = trainer.counts()

    def __call__(self) -> None:
        """Report the state now; raise DivergedError if the loss is not finite."""
        trainer, now = self.trainer, self.trainer.counts()
        loss = (now - self.last).mean_loss
        rate = self._rate(now)
        if not np.isfinite(now.loss_sum):
            raise DivergedError(
                f"the loss is no longer finite in epoch {self.epoch + 1} at learning rate "
                f"{rate:.4g}; start from a lower alpha than {trainer.parameters.first_rate:g}"
            )
        self.last = now
        if self.observer is not None:
            self.observer(
                Report(
                    stage="train",
                    done=now.n_tokens,
                    total=trainer.total_tokens,
                    n_tokens=now.n_tokens,
                    seconds=time.perf_counter() - self.start,
                    lr=rate,
                    loss=loss,
                    epoch=self.epoch + 1,
                )
            )

    def _rate(self, now: Counts) -> float:
        p = self.trainer.parameters
        progress = now.n_tokens / max(self.trainer.total_tokens, 1)
        return linear_rate(p.first_rate, p.min_alpha, progress)


def single_threaded_blas(objective: str) -> contextlib.AbstractContextManager[Any]:
    """Keep BLAS to the worker that calls it while the full softmax trains.

    Its own threads beside ours cost a factor of 4 to 14 on two cores.
    """
    if objective != "softmax":
        return contextlib.nullcontext()
    from threadpoolctl import threadpool_limits

    limits: contextlib.AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


def epoch_key(seed: int, epoch: int) -> int:
    """Return the 64 bits that seed every draw of an epoch."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
