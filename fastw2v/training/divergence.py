"""Notice at once that training has diverged, and say what to do."""

import math

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import DivergedError
from fastw2v.training.model import ModelArrays
from fastw2v.training.parameters import DEFAULT_ALPHA, Parameters
from fastw2v.training.report import Counts

# A run counts as diverged when an interval's mean loss is this many times the loss of zero
# weights. On 5 MB of Wikipedia none that recovered went past 1.4 times, at up to eight times the
# default rate, and all that did not went past a thousand times.
BLOW_UP = 10.0
BLOCK_ROWS = 4096
LOWER = 4  # what to divide a rate by that diverged though it is not above the default


def starting_loss(parameters: Parameters, n_words: int) -> float:
    """Return the mean nats per prediction at zero output weights; with a Huffman tree at most."""
    if parameters.objective == "ns":
        return (parameters.negative + 1) * math.log(2)
    return math.log(max(n_words, 2))


class LossWatch:
    """Looks at the loss of each interval."""

    def __init__(self, parameters: Parameters, n_words: int) -> None:
        self.alpha = parameters.first_rate
        default = DEFAULT_ALPHA[parameters.sg, parameters.objective]
        self.advice = default if self.alpha > default else self.alpha / LOWER
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
            f"training diverged in epoch {epoch} at learning rate {rate:.4g}: {fact}; "
            f"start from a lower alpha than {self.alpha:g}, such as {self.advice:g}"
        )


def check_rows(arrays: ModelArrays, doing: str) -> None:
    """Raise DivergedError if a number that was trained is not finite.

    doing: what is given up then, for the error.
    """
    matrices = {"vectors": arrays.in_rows, "output vectors": arrays.out_rows}
    if arrays.out_bias is not None:
        matrices["output bias"] = arrays.out_bias[:, None]
    for name, rows in matrices.items():
        if not is_finite(rows):
            raise DivergedError(f"{doing}: the {name} hold values that are not finite")


def is_finite(rows: NDArray[np.float32]) -> bool:
    """Say whether all of (n, m) float32 are finite."""
    blocks = (rows[i : i + BLOCK_ROWS] for i in range(0, len(rows), BLOCK_ROWS))
    return all(bool(np.isfinite(block).all()) for block in blocks)
