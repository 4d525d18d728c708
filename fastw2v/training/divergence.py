"""Detect divergence and damaged vectors during training, and advise what to change."""

import math
import warnings
from collections.abc import Sequence

import numpy as np

from fastw2v.errors import DivergedError
from fastw2v.formats.word_vectors import BLOCK_ROWS, part_not_finite
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.blocks import Load
from fastw2v.training.events import Counts, EpochRecord, Listener, Run
from fastw2v.training.parameters import Parameters

# A run has diverged if the mean loss of an interval exceeds this multiple of the loss at zero
# weights.  Runs that recovered stayed below 1.4 times; runs that did not passed 1,000 times.
BLOW_UP = 10.0
# A run has also diverged if the mean loss of an epoch exceeds this multiple.  Random words, with
# nothing to learn, raise the loss by up to 2 %.
ABOVE_START = 1.05
MIN_MEASURED = 500  # predictions in an epoch; fewer give too noisy a mean to judge by
LOWER = 4  # divides a learning rate that diverged although it is not above the default
# Vectors that train as well as gensim's stay below 66 (328 settings).
MAX_NORM = 100.0


def starting_loss(parameters: Parameters, load: Load) -> float:
    """Return the mean nats per prediction at zero output weights."""
    return parameters.objective_record.start_loss(load.n_terms, load.n_words)


def advice_for(parameters: Parameters) -> str:
    """Return advice for a run that diverged: change the setting that most likely caused it."""
    fixed = [
        name
        for name in ("block_centres", "block_noise", "noise_reuse")
        if getattr(parameters, name) is not None
    ]
    if fixed:
        return f"leave out {' and '.join(fixed)}; blocks are then as small as the corpus needs"
    if callable(parameters.schedule):
        return "let the schedule return lower learning rates"
    default, alpha = parameters.default_rate, parameters.first_rate
    lower = default if alpha > default else alpha / LOWER
    return f"start from a lower alpha than {alpha:g}, such as {lower:g}"


class LossWatch:
    """Checks the loss of each interval and each epoch."""

    def __init__(self, parameters: Parameters, start_loss: float, is_trained: bool = False) -> None:
        """start: see starting_loss.  is_trained: the output weights do not start at zero."""
        self.advice, self.start_loss = advice_for(parameters), start_loss
        self.seen = Counts()
        self._first_epoch = 2 if is_trained else 1  # the first one to check

    def check(self, counts: Counts, epoch: int, rate: float) -> None:
        """Raise DivergedError if the loss since the last call is not finite or above BLOW_UP.

        now: sums over all workers.  epoch: counted from 1.  rate: the learning rate.
        """
        loss, self.seen = (counts - self.seen).mean_loss, counts
        if loss is None or loss < BLOW_UP * self.start_loss:
            return
        first = f"{self.start_loss:.3g} at the start"
        fact = f"the loss rose to {loss:.3g} nats a prediction, from {first}"
        if not math.isfinite(loss):
            fact = "the loss is no longer finite"
        self._fail(epoch, rate, fact)

    def check_epoch(self, record: EpochRecord, n_measured: int) -> None:
        """Raise DivergedError if the mean loss of an epoch is above the loss at the start.

        n_measured: number of predictions whose loss was measured.
        """
        loss = record.loss
        if record.epoch < self._first_epoch or loss is None or n_measured < MIN_MEASURED:
            return
        if not loss > ABOVE_START * self.start_loss:
            return  # check() has already rejected a loss that is not finite
        first = f"{self.start_loss:.4g} at the start"
        fact = f"its mean loss is {loss:.4g} nats a prediction, above {first}"
        self._fail(record.epoch, record.lr, fact)

    def _fail(self, epoch: int, rate: float, fact: str) -> None:
        raise DivergedError(
            f"training diverged in epoch {epoch} at learning rate {rate:.4g}: {fact}; {self.advice}"
        )


class NormWatch(Listener):
    """Warns once if a vector grows much longer than training usually makes it."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._most = MAX_NORM

    def on_train_begin(self, run: Run) -> None:
        """Raise the limit if the vectors are already long."""
        self._most = max(MAX_NORM, 2 * longest_row(run.model_arrays)[0])

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Check the norms of all vectors."""
        norm, row = longest_row(run.model_arrays)
        if norm <= self._most:
            return
        self._most = math.inf
        warnings.warn(
            f"after epoch {record.epoch} the vector of {self.words[row]!r} has a norm of "
            f"{norm:.0f}; well-trained vectors stay below {MAX_NORM:g}; "
            f"{advice_for(run.parameters)}",
            stacklevel=2,
        )


def longest_row(arrays: ModelArrays) -> tuple[float, int]:
    """Return the largest norm of an input row and the index of that row."""
    norm, row = 0.0, 0
    for begin in range(0, len(arrays.in_rows), BLOCK_ROWS):
        rows = arrays.in_rows[begin : begin + BLOCK_ROWS]
        squares = np.einsum("ij,ij->i", rows, rows)
        at = int(squares.argmax())
        if squares[at] > norm * norm:
            norm, row = math.sqrt(float(squares[at])), begin + at
    return norm, row


def check_rows(arrays: ModelArrays, doing: str) -> None:
    """Raise DivergedError if a trained value is not finite.

    doing: start of the error message, the action that failed.
    """
    part = part_not_finite(arrays.in_rows, arrays.out_rows, arrays.out_bias)
    if part is not None:
        raise DivergedError(f"{doing}: the {part} contain non-finite values")
