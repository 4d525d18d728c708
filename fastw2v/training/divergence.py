"""Notice at once that training has diverged or done damage, and say what to do."""

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

# A run counts as diverged when an interval's mean loss is this many times the loss of zero
# weights. On 5 MB of Wikipedia none that recovered went past 1.4 times, at up to eight times the
# default rate, and all that did not went past a thousand times.
BLOW_UP = 10.0
# And when a whole epoch's is above that of zero weights by more than the 2 % that a text of random
# words gives, where there is nothing to learn.
ABOVE_START = 1.05
MIN_MEASURED = 500  # predictions whose mean tells
LOWER = 4  # what to divide a rate by that diverged though it is not above the default
# Of 328 settings that train as well as gensim's none has a longer vector than 66.
MAX_NORM = 100.0


def starting_loss(parameters: Parameters, load: Load) -> float:
    """Return the mean nats per prediction at zero output weights."""
    return parameters.objective_record.start_loss(load.n_terms, load.n_words)


def advice_for(parameters: Parameters) -> str:
    """Return what to change in a run that diverged: the setting that most likely caused it."""
    fixed = [
        name
        for name in ("block_centres", "block_noise", "noise_reuse")
        if getattr(parameters, name) is not None
    ]
    if fixed:
        return f"leave out {' and '.join(fixed)}, so that blocks are as small as the corpus needs"
    if callable(parameters.schedule):
        return "let the schedule give lower rates"
    default, alpha = parameters.default_rate, parameters.first_rate
    lower = default if alpha > default else alpha / LOWER
    return f"start from a lower alpha than {alpha:g}, such as {lower:g}"


class LossWatch:
    """Looks at the loss of each interval and of each epoch."""

    def __init__(self, parameters: Parameters, start: float, is_trained: bool = False) -> None:
        """start: see starting_loss.  is_trained: the outputs are not zero to begin with."""
        self.advice, self.start = advice_for(parameters), start
        self.seen = Counts()
        self._first_epoch = 2 if is_trained else 1  # of those that are looked at

    def check(self, now: Counts, epoch: int, rate: float) -> None:
        """Raise DivergedError if the loss since the last call is not finite or blows up.

        now: sums of all workers.  epoch: counted from 1.  rate: the learning rate.
        """
        loss, self.seen = (now - self.seen).mean_loss, now
        if loss is None or loss < BLOW_UP * self.start:
            return
        fact = f"the loss rose to {loss:.3g} nats a prediction, from {self.start:.3g} at the start"
        if not math.isfinite(loss):
            fact = "the loss is no longer finite"
        self._fail(epoch, rate, fact)

    def check_epoch(self, record: EpochRecord, n_measured: int) -> None:
        """Raise DivergedError if an epoch's mean loss is above that at the start.

        n_measured: predictions that it is the mean of.
        """
        loss = record.loss
        if record.epoch < self._first_epoch or loss is None or n_measured < MIN_MEASURED:
            return
        if not loss > ABOVE_START * self.start:
            return  # what is not finite, check() has seen
        fact = f"its mean loss is {loss:.4g} nats a prediction, above {self.start:.4g} at the start"
        self._fail(record.epoch, record.lr, fact)

    def _fail(self, epoch: int, rate: float, fact: str) -> None:
        raise DivergedError(
            f"training diverged in epoch {epoch} at learning rate {rate:.4g}: {fact}; {self.advice}"
        )


class NormWatch(Listener):
    """Warns once of vectors that grow far longer than training makes them."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._most = MAX_NORM

    def on_train_begin(self, run: Run) -> None:
        """Leave alone what was long before."""
        self._most = max(MAX_NORM, 2 * longest_row(run.model_arrays)[0])

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Look at the lengths of all vectors."""
        norm, row = longest_row(run.model_arrays)
        if norm <= self._most:
            return
        self._most = math.inf
        warnings.warn(
            f"after epoch {record.epoch} the vector of {self.words[row]!r} has a norm of "
            f"{norm:.0f}; vectors that train well stay below {MAX_NORM:g}; "
            f"{advice_for(run.parameters)}",
            stacklevel=2,
        )


def longest_row(arrays: ModelArrays) -> tuple[float, int]:
    """Return the largest norm of an input row, and which row has it."""
    norm, row = 0.0, 0
    for begin in range(0, len(arrays.in_rows), BLOCK_ROWS):
        rows = arrays.in_rows[begin : begin + BLOCK_ROWS]
        squares = np.einsum("ij,ij->i", rows, rows)
        at = int(squares.argmax())
        if squares[at] > norm * norm:
            norm, row = math.sqrt(float(squares[at])), begin + at
    return norm, row


def check_rows(arrays: ModelArrays, doing: str) -> None:
    """Raise DivergedError if a number that was trained is not finite.

    doing: what is given up then, for the error.
    """
    part = part_not_finite(arrays.in_rows, arrays.out_rows, arrays.out_bias)
    if part is not None:
        raise DivergedError(f"{doing}: the {part} hold values that are not finite")
