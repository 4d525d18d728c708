"""Held-out loss, metrics, and early stopping."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.memory import mebibytes, needing
from fastw2v.base.threads import run_threads
from fastw2v.errors import CheckpointError
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.events import Counts, EpochRecord, Listener, Run, StopTraining
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import REPORT_SECONDS, TokenStream, Trainer, epoch_key

# Names of the arrays of trained_rows; an input bias implies an output bias.
PARTS = ("best_vectors", "best_output_vectors", "best_output_bias", "best_input_bias")
DRAWS = 2**32 - 1  # replaces the epoch in the seed of the draws; no training has this many epochs


def held_out_counts(parameters: Parameters, arrays: ModelArrays, stream: TokenStream) -> Counts:
    """Return the counts and the loss of a whole stream without changing a row.

    The kernels train with a learning rate of 0 and measure every block.  Subsampling, windows and
    negative samples are drawn as in training, but from a fixed seed, and chunks are assigned to
    workers round-robin.  Two calls with the same rows and number of threads are bit-identical.
    """
    trainer = Trainer(
        replace(parameters, loss_every=1, epochs=1, deterministic=False), arrays, stream
    )
    key, stop, n = epoch_key(parameters.seed, DRAWS), threading.Event(), len(trainer.workers)

    def work(worker: _core.Worker, first: int) -> None:
        for i in range(first, len(trainer.chunks), n):
            if stop.is_set():
                return
            worker.train(trainer.chunks.read(i), key, 0.0, trainer.blocks.max_block)

    bodies = [partial(work, worker, i) for i, worker in enumerate(trainer.workers)]
    run_threads(bodies, stop, lambda: None, REPORT_SECONDS, "fastw2v-validate")
    return trainer.counts()


class Validation(Listener):
    """Measure the loss on a token stream after every epoch."""

    def __init__(self, stream: TokenStream) -> None:
        self.stream = stream
        self.seconds = 0.0

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Store the loss in the record."""
        started_at = time.perf_counter()
        counts = held_out_counts(run.parameters, run.model_arrays, self.stream)
        record.validation_loss = counts.mean_loss
        record.validation_seconds = time.perf_counter() - started_at
        self.seconds += record.validation_seconds


class Metric(Listener):
    """Evaluate a metric of the model, greater is better, after every epoch."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self.measure = measure
        self.seconds = 0.0

    def on_train_begin(self, run: Run) -> None:
        """Evaluate the metric once; errors then occur before training."""
        self.measure()

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Store the metric in the record."""
        started_at = time.perf_counter()
        record.metric = self.measure()
        self.seconds += time.perf_counter() - started_at


class BestEpoch(Listener):
    """Track the best epoch, by the metric if there is one, else by the held-out loss.

    patience: stop training after this many epochs in a row without improvement, >= 1, or None.
    restore: keep a copy of the arrays of the best epoch, and restore them after training.
    restored: called after restoring.
    kept_before: the copy from a checkpoint, by name.  kept_in: the path of the checkpoint.
    """

    def __init__(self, patience: int | None, restore: bool, restored: Callable[[], None]) -> None:
        self.patience, self.restore, self.restored = patience, restore, restored
        self.kept_before: dict[str, NDArray[np.float32]] = {}
        self.kept_in = ""
        self.best: EpochRecord | None = None
        self.restored_epoch: int | None = None
        self._best_score = -np.inf
        self._rows: list[NDArray[np.float32]] = []

    def on_train_begin(self, run: Run) -> None:
        """Allocate the copy before training; find the best epoch of a resumed run."""
        for record in run.history:
            if record.score is not None and record.score > self._best_score:
                self.best, self._best_score = record, record.score
        if self.restore:
            is_kept = self.kept_before or run.restored or self._is_standing(run)
            if self.best is not None and not is_kept:
                raise CheckpointError(f"{self.kept_in} lacks the arrays of the best epoch")
            rows_now = trained_rows(run.model_arrays)
            n_bytes = sum(rows.nbytes for rows in rows_now)
            with needing(
                n_bytes, f"restore_best needs {mebibytes(n_bytes)} for a copy of the model"
            ):
                self._rows = [np.zeros_like(rows) for rows in rows_now]
            current = dict(zip(PARTS, rows_now, strict=False))
            for name, best_rows in zip(PARTS, self._rows, strict=False):
                rows = (self.kept_before or current)[name]
                best_rows[..., : rows.shape[-1]] = rows
            self.kept_before = {}

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Compare the epoch with the best one."""
        if record.score is not None and record.score > self._best_score:
            self.best, self._best_score = record, record.score
            for best_rows, rows in zip(self._rows, trained_rows(run.model_arrays), strict=False):
                best_rows[...] = rows
            return
        n_worse = record.epoch - (self.best.epoch if self.best else 0)
        if self.patience is not None and n_worse >= self.patience:
            raise StopTraining(self._reason())

    def on_train_end(self, run: Run) -> None:
        """Restore the best rows, unless the model still has them."""
        if not self.restore or self.best is None:
            return
        self.restored_epoch = self.best.epoch
        if run.restored is None and not self._is_standing(run):
            for rows, best_rows in zip(trained_rows(run.model_arrays), self._rows, strict=True):
                rows[...] = best_rows
            self.restored()
            run.restored = self.best.epoch

    def to_keep(self, run: Run) -> dict[str, NDArray[np.float32]]:
        """Return the copy by name, if a checkpoint needs it in addition to the current rows."""
        if not self._rows or self.best is None or run.restored or self._is_standing(run):
            return {}
        dim = run.parameters.vector_size
        copies = [part[:, :dim] if part.ndim == 2 else part for part in self._rows]
        return dict(zip(PARTS, copies, strict=False))

    def _is_standing(self, run: Run) -> bool:
        """Return whether the rows are those of the best epoch: nothing was trained since."""
        return bool(run.history) and self.best is run.history[-1] and run.state().chunk == 0

    def _reason(self) -> str:
        if self.best is None:
            return "no epoch has a metric or a held-out loss"
        name = "held-out loss" if self.best.metric is None else "metric"
        return (
            f"the {name} was best in epoch {self.best.epoch} and has not improved for "
            f"{self.patience} epoch{'s' if self.patience != 1 else ''}"
        )


def trained_rows(arrays: ModelArrays) -> list[NDArray[np.float32]]:
    """Return the arrays that training changes, as they are after an epoch, when in_bias is 0."""
    found = (arrays.in_rows, arrays.out_rows, arrays.out_bias, arrays.folded_in_bias)
    return [rows for rows in found if rows is not None]
