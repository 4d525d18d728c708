"""Notice at once that training has diverged, and say what to do."""

import math

from fastw2v.errors import DivergedError
from fastw2v.formats.word_vectors import part_not_finite
from fastw2v.training.model import ModelArrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.report import Counts

# A run counts as diverged when an interval's mean loss is this many times the loss of zero
# weights. On 5 MB of Wikipedia none that recovered went past 1.4 times, at up to eight times the
# default rate, and all that did not went past a thousand times.
BLOW_UP = 10.0
LOWER = 4  # what to divide a rate by that diverged though it is not above the default


def starting_loss(parameters: Parameters, n_words: int) -> float:
    """Return the mean nats per prediction at zero output weights; with a Huffman tree at most."""
    if parameters.objective == "ns":
        return (parameters.negative + 1) * math.log(2)
    return math.log(max(n_words, 2))


class LossWatch:
    """Looks at the loss of each interval."""

    def __init__(self, parameters: Parameters, n_words: int) -> None:
        default, alpha = parameters.default_rate, parameters.first_rate
        lower = default if alpha > default else alpha / LOWER
        self.advice = f"start from a lower alpha than {alpha:g}, such as {lower:g}"
        if callable(parameters.schedule):
            self.advice = "let the schedule give lower rates"
        self.start = starting_loss(parameters, n_words)
        self.seen = Counts()

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
        raise DivergedError(
            f"training diverged in epoch {epoch} at learning rate {rate:.4g}: {fact}; {self.advice}"
        )


def check_rows(arrays: ModelArrays, doing: str) -> None:
    """Raise DivergedError if a number that was trained is not finite.

    doing: what is given up then, for the error.
    """
    part = part_not_finite(arrays.in_rows, arrays.out_rows, arrays.out_bias)
    if part is not None:
        raise DivergedError(f"{doing}: the {part} hold values that are not finite")
