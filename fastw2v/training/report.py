"""What a run says of itself: live reports, one record an epoch, the counts at the end."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields


@dataclass
class Counts:
    """Sums over workers; loss_sum is in nats over n_loss_predictions."""

    n_trained: int = 0
    n_subsampled: int = 0
    n_predictions: int = 0
    n_loss_predictions: int = 0
    loss_sum: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    @property
    def n_tokens(self) -> int:
        """Tokens of the stream that have been through the kernels."""
        return self.n_trained + self.n_subsampled

    @property
    def mean_loss(self) -> float | None:
        """Nats per prediction, None where nothing was measured."""
        if self.n_loss_predictions == 0:
            return None
        return self.loss_sum / self.n_loss_predictions


@dataclass(frozen=True)
class Report:
    """The state of a run at one moment.

    stage: "read" or "train".  done, total: bytes while reading, tokens over all epochs while
    training; total is None where it is unknown.  n_tokens, seconds: since the stage began.
    lr, loss (mean nats per prediction since the last report): training only.
    """

    stage: str
    done: int
    total: int | None
    n_tokens: int
    seconds: float
    lr: float | None = None
    loss: float | None = None
    epoch: int | None = None

    @property
    def words_per_second(self) -> float:
        """Tokens per second of wall time since the stage began."""
        return self.n_tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time to the end of the stage at the rate so far."""
        if not self.total or not self.done:
            return None
        return self.seconds * (self.total - self.done) / self.done


Observer = Callable[[Report], None]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch: loss in mean nats per prediction, lr at its end, wall time in seconds."""

    epoch: int
    loss: float | None
    lr: float
    n_trained: int
    n_subsampled: int
    n_predictions: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """What became of a run's tokens: n_tokens_read * epochs = n_trained + n_subsampled +
    n_below_min_count * epochs.

    n_below_min_count counts the tokens outside the vocabulary.  Speeds are in tokens of the
    vocabulary per second of wall time; peak_bytes is the process's greatest resident size,
    None where the system does not tell.  stopped: why training ended before its last epoch.
    """

    n_words: int
    n_tokens_read: int
    n_below_min_count: int
    n_sentences: int
    epochs: int
    n_trained: int
    n_subsampled: int
    n_predictions: int
    loss: float | None
    read_seconds: float
    train_seconds: float
    words_per_second: float
    peak_bytes: int | None
    stopped: str | None = None

    def __iter__(self) -> Iterator[int]:
        """Give the tokens trained and those read, over all epochs: what gensim's train returns."""
        return iter((self.n_trained, self.n_tokens_read * self.epochs))


def peak_bytes() -> int | None:
    """Return the process's greatest resident size so far, None where it is not told."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
