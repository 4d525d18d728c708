"""What a run says of itself: live reports, one record an epoch, the counts at the end."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from math import isnan


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
        return per_second(self.n_tokens, self.seconds)

    @property
    def progress(self) -> float | None:
        """Share of the stage that is done, in 0..1, None where that is unknown."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """Time to the end of the stage at the rate so far."""
        if not self.total or not self.done:
            return None
        return self.seconds * (self.total - self.done) / self.done


Observer = Callable[[Report], None]


@dataclass
class EpochRecord:
    """One epoch; n_tokens_read = n_trained + n_subsampled + n_below_min_count + n_held_out.

    loss: mean nats per prediction, over the blocks where it was measured; validation_loss: the
    same for text that is not trained on, after the epoch; None without.  metric: the measure
    that was asked for.  lr: at its end.  seconds: wall time of training alone, and
    validation_seconds of measuring the held-out loss.  peak_bytes: the process's greatest
    resident size so far.  intervals: about one report a second.
    """

    epoch: int
    loss: float | None
    lr: float
    n_trained: int
    n_subsampled: int
    n_predictions: int
    seconds: float
    n_tokens_read: int = 0
    n_below_min_count: int = 0
    n_held_out: int = 0
    validation_loss: float | None = None
    validation_seconds: float = 0.0
    metric: float | None = None
    peak_bytes: int | None = None
    intervals: list[Report] = field(default_factory=list, repr=False)

    @property
    def words_per_second(self) -> float:
        """Tokens of the vocabulary per second of training."""
        return per_second(self.n_trained + self.n_subsampled, self.seconds)

    @property
    def score(self) -> float | None:
        """What the best epoch has most of: the metric, else minus the held-out loss."""
        if self.metric is not None:
            score: float | None = self.metric
        else:
            score = None if self.validation_loss is None else -self.validation_loss
        return None if score is None or isnan(score) else score


@dataclass(frozen=True)
class Summary:
    """What became of a run's tokens in all epochs that were finished:
    (n_tokens_read - n_below_min_count - n_held_out) * epochs = n_trained + n_subsampled -
    n_unfinished.

    n_tokens_read, n_below_min_count (outside the vocabulary), n_held_out: in one pass.
    n_unfinished: tokens of an epoch that did not end, because training was stopped in it.
    loss: of the last epoch, in mean nats per prediction; loss_name says of which objective.
    validation_loss, metric: of the model as it stands.  best_epoch: where a validation or a
    metric was asked for.  restored_epoch: whose rows the model has with restore_best.
    n_validation_tokens, n_validation_unknown: read from the validation text, and those of them
    outside the vocabulary.
    words_per_second: tokens of the vocabulary per second of train_seconds, the wall time in
    which threads trained; total_seconds: of the whole call of train(), callbacks included.
    peak_bytes: the process's greatest resident size, None where the system does not tell.
    blocks: how many words a training step took at once.
    stopped: why training ended before its last epoch.
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
    loss_name: str = ""
    n_held_out: int = 0
    n_unfinished: int = 0
    validation_loss: float | None = None
    n_validation_tokens: int = 0
    n_validation_unknown: int = 0
    metric: float | None = None
    best_epoch: int | None = None
    restored_epoch: int | None = None
    validation_seconds: float = 0.0
    metric_seconds: float = 0.0
    total_seconds: float = 0.0
    blocks: str = ""

    def __iter__(self) -> Iterator[int]:
        """Give the tokens trained and those read, over all epochs: what gensim's train returns."""
        return iter((self.n_trained, self.n_tokens_read * self.epochs))


def per_second(n: int, seconds: float) -> float:
    """Return a rate, 0 for no time at all."""
    return n / seconds if seconds > 0 else 0.0


def peak_bytes() -> int | None:
    """Return the process's greatest resident size so far, None where it is not told."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
