"""The loss on text that is not trained on, and the end of training when it rises."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.threads import run_threads
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.blocks import full_block
from fastw2v.training.events import Counts, EpochRecord, Listener, Run, StopTraining
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import REPORT_SECONDS, TokenStream, Trainer, epoch_key

# Of trained_rows; an input bias comes with one of the outputs.
PARTS = ("best_vectors", "best_output_vectors", "best_output_bias", "best_input_bias")
DRAWS = 2**32 - 1  # stands for the epoch in the seed of the draws: no training has it


def held_out_counts(parameters: Parameters, arrays: ModelArrays, stream: TokenStream) -> Counts:
    """Return the counts and the loss of a whole stream, which changes no row.

    The kernels train it at a learning rate of 0 and measure every block. Subsampling, windows
    and noise words are drawn as in training, but always the same, and the chunks are dealt out
    in turn, so that two calls for the same rows and threads give the same bits.
    """
    trainer = Trainer(
        replace(parameters, loss_every=1, epochs=1, deterministic=False), arrays, stream
    )
    block = full_block(parameters)
    key, stop, n = epoch_key(parameters.seed, DRAWS), threading.Event(), len(trainer.workers)

    def work(worker: _core.Worker, first: int) -> None:
        for i in range(first, len(trainer.chunks), n):
            if stop.is_set():
                return
            worker.train(trainer.chunks.read(i), key, 0.0, block)

    bodies = [partial(work, worker, i) for i, worker in enumerate(trainer.workers)]
    run_threads(bodies, stop, lambda: None, REPORT_SECONDS, "fastw2v-validate")
    return trainer.counts()


class Validation(Listener):
    """Measures the loss on a token stream at the end of every epoch."""

    def __init__(self, stream: TokenStream) -> None:
        self.stream = stream
        self.seconds = 0.0

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Put the loss into the record."""
        start = time.perf_counter()
        counts = held_out_counts(run.parameters, run.model_arrays, self.stream)
        record.validation_loss = counts.mean_loss
        record.validation_seconds = time.perf_counter() - start
        self.seconds += record.validation_seconds


class Metric(Listener):
    """Takes a measure of the model, the greater the better, at the end of every epoch."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self.measure = measure
        self.seconds = 0.0

    def on_train_begin(self, run: Run) -> None:
        """Try it, so that what is wrong with it shows before anything is trained."""
        self.measure()

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Put the measure into the record."""
        start = time.perf_counter()
        record.metric = self.measure()
        self.seconds += time.perf_counter() - start


class BestEpoch(Listener):
    """Remembers the best epoch, by the metric if there is one, else by the held-out loss.

    patience: end training after so many epochs in a row without a better one, >= 1, or None.
    restore: at the end, give the model the rows that it had after its best epoch; a copy of
    them is kept meanwhile.  restored: what to call then.
    kept_before: that copy, by name, as a checkpoint has it.
    """

    def __init__(self, patience: int | None, restore: bool, restored: Callable[[], None]) -> None:
        self.patience, self.restore, self.restored = patience, restore, restored
        self.kept_before: dict[str, NDArray[np.float32]] = {}
        self.best: EpochRecord | None = None
        self.restored_epoch: int | None = None
        self._best_score = -np.inf
        self._rows: list[NDArray[np.float32]] = []

    def on_train_begin(self, run: Run) -> None:
        """Take the memory for the copy now; know the epochs before a checkpoint."""
        for record in run.history:
            if record.score is not None and record.score > self._best_score:
                self.best, self._best_score = record, record.score
        if self.restore:
            self._rows = [np.zeros_like(rows) for rows in trained_rows(run.model_arrays)]
            now = dict(zip(PARTS, trained_rows(run.model_arrays), strict=False))
            for name, copy in zip(PARTS, self._rows, strict=False):
                rows = (self.kept_before or now)[name]
                copy[..., : rows.shape[-1]] = rows
            self.kept_before = {}

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Compare the epoch with the best one."""
        if record.score is not None and record.score > self._best_score:
            self.best, self._best_score = record, record.score
            for copy, rows in zip(self._rows, trained_rows(run.model_arrays), strict=False):
                copy[...] = rows
            return
        n_worse = record.epoch - (self.best.epoch if self.best else 0)
        if self.patience is not None and n_worse >= self.patience:
            raise StopTraining(self._reason())

    def on_train_end(self, run: Run) -> None:
        """Bring the best rows back, unless the model still has them."""
        if not self.restore or self.best is None:
            return
        self.restored_epoch = self.best.epoch
        if run.restored is None and not self._is_standing(run):
            for rows, copy in zip(trained_rows(run.model_arrays), self._rows, strict=True):
                rows[...] = copy
            self.restored()
            run.restored = self.best.epoch

    def to_keep(self, run: Run) -> dict[str, NDArray[np.float32]]:
        """Return the copy, by name, where a checkpoint needs it besides the rows as they are."""
        if not self._rows or self.best is None or run.restored or self._is_standing(run):
            return {}
        dim = run.parameters.vector_size
        copies = [copy[:, :dim] if copy.ndim == 2 else copy for copy in self._rows]
        return dict(zip(PARTS, copies, strict=False))

    def _is_standing(self, run: Run) -> bool:
        """Say whether the rows are those of the best epoch, because nothing was trained since."""
        return self.best is run.history[-1] and run.state().chunk == 0

    def _reason(self) -> str:
        if self.best is None:
            return "neither a metric nor a held-out loss was found"
        name = "held-out loss" if self.best.metric is None else "metric"
        return (
            f"the {name} was best in epoch {self.best.epoch} and has not improved for "
            f"{self.patience} epoch{'s' if self.patience != 1 else ''}"
        )


def trained_rows(arrays: ModelArrays) -> list[NDArray[np.float32]]:
    """Return the arrays that training changes, at the end of an epoch, when in_bias is 0."""
    found = (arrays.in_rows, arrays.out_rows, arrays.out_bias, arrays.folded_in_bias)
    return [rows for rows in found if rows is not None]
