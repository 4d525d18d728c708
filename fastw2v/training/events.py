"""What a run tells: its counts, reports, records and state, and who is told of which event."""

import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import isnan
from typing import Any, Protocol

from fastw2v.errors import UsageError
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.parameters import Parameters


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


CHECKPOINT_KEY = (
    "checkpoint"  # the entry of a model file's settings that tells where its run stands
)


@dataclass(frozen=True)
class RunState:
    """A place between two chunks, and what was counted up to it.

    chunk_tokens: tokens of a chunk.  epoch: counted from 0, as many are done; chunk: the first
    of its order that is not trained.  counts: since the run began; epoch_start: those at the
    start of the epoch; epoch_seconds, seconds: of training in this epoch, and in all.
    stopped: why the run ended early, if it did.  restored: the epoch whose rows it was given back.
    history: of the epochs that are done.
    """

    chunk_tokens: int
    epoch: int = 0
    chunk: int = 0
    counts: Counts = field(default_factory=Counts)
    epoch_start: Counts = field(default_factory=Counts)
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    stopped: str | None = None
    restored: int | None = None
    history: list[EpochRecord] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold; floats come back with the same bits.

        The intervals of the epochs are left out: there may be many, and the log has them.
        """
        values = asdict(self)
        for record in values["history"]:
            del record["intervals"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RunState":
        """Return the state of as_json(); raise TypeError or KeyError if it is another thing."""
        counts = {name: Counts(**values[name]) for name in ("counts", "epoch_start")}
        history = [EpochRecord(**record) for record in values["history"]]
        return cls(**{**values, **counts, "history": history})


EVENTS = ("on_train_begin", "on_epoch_begin", "on_interval", "on_epoch_end", "on_train_end")
INTERVAL_SECONDS = 1.0


class StopTraining(Exception):
    """Raise it in a callback to end training in good order; its text tells the reason."""


class Run(Protocol):
    """What listeners see of a Trainer."""

    parameters: Parameters
    model_arrays: ModelArrays
    epoch: int  # that is under way, counted from 0: so many are done
    history: list[EpochRecord]
    at_chunk_boundary: bool  # every token up to where it stands is trained, and none after it
    stopped: str | None  # why it ended before its last epoch
    restored: int | None  # the epoch whose rows the model was given back

    def counts(self) -> Counts:
        """Return the sums over all workers since training began."""

    def state(self) -> RunState:
        """Return where the run stands, to go on from there; at_chunk_boundary must hold."""

    def report(self, now: Counts, heard: Counts, seconds: float) -> Report:
        """Return the state of the run.  heard: the counts at the report before."""


class Listener:
    """What is told of a run; every method may raise, which ends the run.

    No thread trains at the beginning and the end of epochs and of the run; while on_interval
    is called, training goes on. interval_seconds: least time between two calls of it.
    """

    interval_seconds = 0.0

    def on_train_begin(self, run: Run) -> None:
        """Hear that the first epoch is about to begin."""

    def on_epoch_begin(self, run: Run) -> None:
        """Hear that epoch number run.epoch, counted from 0, is about to begin."""

    def on_interval(self, run: Run, report: Report) -> None:
        """Hear of the progress; once at least in every epoch, when its last token is trained."""

    def wants_pause(self) -> bool:
        """Say whether to stop all threads for a moment, within an epoch, and call on_pause."""
        return False

    def on_pause(self, run: Run) -> None:
        """Hear that no thread trains, because one of the listeners wanted so."""

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Hear that an epoch has ended, with its record, which listeners may fill in."""

    def on_train_end(self, run: Run) -> None:
        """Hear that all is trained, or that StopTraining ended it."""

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Hear that an error or Ctrl-C ends the run; all threads have ended. Must not raise."""


class Audience:
    """The listeners of one run."""

    def __init__(self, run: Run, listeners: Sequence[Listener]) -> None:
        self.run, self.listeners = run, listeners
        self.start = time.perf_counter()
        self.stop: StopTraining | None = None
        self._heard = [Counts() for _ in listeners]
        self._next_seconds = [listener.interval_seconds for listener in listeners]

    def tell(self, event: str, *args: Any) -> None:
        """Tell all of an event, also when one of them asks to stop."""
        for listener in self.listeners:
            self._tell(getattr(listener, event), *args)

    def tell_progress(self, now: Counts, is_last: bool = False) -> None:
        """Tell those of the progress whose time has come; all if it is the epoch's last."""
        seconds = time.perf_counter() - self.start
        for i, listener in enumerate(self.listeners):
            if is_last or seconds >= self._next_seconds[i]:
                self._next_seconds[i] = seconds + listener.interval_seconds
                heard, self._heard[i] = self._heard[i], now
                self._tell(listener.on_interval, self.run.report(now, heard, seconds))

    def wants_pause(self) -> bool:
        """Say whether any of them wants all threads to stop for a moment."""
        return any(listener.wants_pause() for listener in self.listeners)

    def stop_if_asked(self) -> None:
        """Raise the first StopTraining that was heard."""
        if self.stop is not None:
            raise self.stop

    def _tell(self, method: Callable[..., None], *args: Any) -> None:
        try:
            method(self.run, *args)
        except StopTraining as stop:
            self.stop = self.stop or stop


class ObserverListener(Listener):
    """Tells an observer of reports."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer

    def on_interval(self, run: Run, report: Report) -> None:
        """Pass the report on."""
        self.observer(report)


class ModelCallback(Listener):
    """Tells a callback that takes the model, as gensim's do.

    callback: an object with any of EVENTS; on_interval gets the report as well.
    """

    def __init__(self, model: Any, callback: Any) -> None:
        self.model, self.callback = model, callback
        self.interval_seconds = INTERVAL_SECONDS

    def on_train_begin(self, run: Run) -> None:
        """Pass it on."""
        self._tell("on_train_begin")

    def on_epoch_begin(self, run: Run) -> None:
        """Pass it on."""
        self._tell("on_epoch_begin")

    def on_interval(self, run: Run, report: Report) -> None:
        """Pass it on, with the report."""
        self._tell("on_interval", report)

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Pass it on; the record is the last of the model's history."""
        self._tell("on_epoch_end")

    def on_train_end(self, run: Run) -> None:
        """Pass it on."""
        self._tell("on_train_end")

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Pass it on; an error there must not take the place of this one."""
        try:
            self._tell("on_abort", error)
        except Exception as second:
            kind = type(second).__name__
            warnings.warn(f"a callback failed in on_abort: {kind}: {second}", stacklevel=2)

    def _tell(self, event: str, *args: Any) -> None:
        method = getattr(self.callback, event, None)
        if method is not None:
            method(self.model, *args)


def check_callbacks(callbacks: Any) -> tuple[Any, ...]:
    """Return the callbacks of an iterable; raise UsageError if one is none."""
    if not isinstance(callbacks, Iterable):
        raise UsageError(f"callbacks must be a list of objects, got {callbacks!r}")
    given = tuple(callbacks)
    for callback in given:
        if isinstance(callback, type) or not any(hasattr(callback, event) for event in EVENTS):
            raise UsageError(
                f"a callback must be an object with a method {', '.join(EVENTS[:-1])} or "
                f"{EVENTS[-1]}, got {callback!r}"
            )
    return given
