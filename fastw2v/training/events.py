"""Counts, reports, records and state of a training run, and the listeners for its events."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import isnan
from typing import Any, Protocol, TypeVar, cast, get_args, runtime_checkable

from fastw2v.base.checks import as_list
from fastw2v.errors import UsageError
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.parameters import Parameters


@dataclass
class Counts:
    """Sums over all workers; loss_sum is the total loss in nats of n_loss_predictions."""

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
        """Tokens that the kernels have processed, trained or subsampled."""
        return self.n_trained + self.n_subsampled

    @property
    def mean_loss(self) -> float | None:
        """Mean loss in nats per prediction, None if no loss was measured."""
        if self.n_loss_predictions == 0:
            return None
        return self.loss_sum / self.n_loss_predictions


@dataclass(frozen=True)
class Report:
    """A snapshot of a run's progress.

    stage: "read" or "train".
    done, total: bytes while reading, tokens over all epochs while training; total is None if
    unknown.
    n_tokens, seconds: since the stage began.
    lr, loss, epoch, n_epochs: training only.  loss is the mean since the last report, in nats per
    prediction.  epoch counts from 1.
    """

    stage: str
    done: int
    total: int | None
    n_tokens: int
    seconds: float
    lr: float | None = None
    loss: float | None = None
    epoch: int | None = None
    n_epochs: int | None = None

    @property
    def words_per_second(self) -> float:
        """Tokens per second of wall time since the stage began."""
        return per_second(self.n_tokens, self.seconds)

    @property
    def progress(self) -> float | None:
        """Completed share of the stage, in 0..1, None if the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to the end of the stage at the speed so far."""
        if not self.total or not self.done:
            return None
        return self.seconds * (self.total - self.done) / self.done


Observer = Callable[[Report], None]


@dataclass
class EpochRecord:
    """The results of one epoch.

    n_tokens_read = n_trained + n_subsampled + n_below_min_count + n_held_out.
    loss: mean nats per prediction over the blocks where it was measured, None if none was.
    validation_loss: the same on held-out text after the epoch, None without validation.
    metric: value of the user's metric after the epoch, None without one.
    lr: learning rate at the end of the epoch.
    seconds: wall time of training alone.  validation_seconds: wall time of validation.
    peak_bytes: peak memory of the process so far (resident set), in bytes.
    intervals: about one report per second.
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
        """In-vocabulary tokens per second of training."""
        return per_second(self.n_trained + self.n_subsampled, self.seconds)

    @property
    def score(self) -> float | None:
        """Score for choosing the best epoch: the metric, else the negated validation loss."""
        if self.metric is not None:
            score: float | None = self.metric
        else:
            score = None if self.validation_loss is None else -self.validation_loss
        return None if score is None or isnan(score) else score


@dataclass(frozen=True)
class Summary:
    """The results of a run.

    Over all completed epochs, (n_tokens_read - n_below_min_count - n_held_out) * epochs =
    n_trained + n_subsampled - n_unfinished.

    n_tokens_read, n_below_min_count (outside the vocabulary), n_held_out: tokens in one pass.
    n_unfinished: tokens of an epoch in which training was stopped.
    n_too_long: words of more than 65,536 bytes, which were skipped and not counted as tokens.
    loss: of the last epoch, in mean nats per prediction; loss_name names the objective.
    validation_loss, metric: of the final model.
    best_epoch: the best epoch, if there was a validation or a metric.
    restored_epoch: the epoch whose rows restore_best gave to the model.
    n_validation_tokens, n_validation_unknown: tokens of the validation text, and how many of them
    are outside the vocabulary.
    train_seconds: wall time during which threads trained.  words_per_second: in-vocabulary tokens
    per second of train_seconds.  total_seconds: the whole call of train(), with callbacks.
    peak_bytes: peak memory of the process (resident set), None if the system does not report it.
    blocks: words per training step, as text.
    stopped: reason if training ended before its last epoch.
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
    n_too_long: int = 0

    def __iter__(self) -> Iterator[int]:
        """Yield the tokens trained and the tokens read over all epochs, as gensim's train does."""
        return iter((self.n_trained, self.n_tokens_read * self.epochs))

    def __str__(self) -> str:
        """Return a table that accounts for every token read."""
        lines = [f"{name:18} {count:>15}  {note}" for name, count, note in self.rows()]
        if self.stopped:
            lines.append(f"{'stopped early':18} {self.stopped}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        loss = "" if self.loss is None else f", loss {self.loss:.4f}"
        return (
            f"Summary<{self.epochs} x {self.n_tokens_read:,} tokens, {self.n_words:,} words"
            f"{loss}, {self.words_per_second / 1e6:.2f} M words/s>"
        )

    def _repr_html_(self) -> str:
        from fastw2v.base.tables import html_table

        stopped = [("stopped early", "", self.stopped)] if self.stopped else []
        return html_table("Summary", [*self.rows(), *stopped], left=3)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the name, number and note of each line of the table."""
        n_read = self.n_tokens_read * self.epochs
        epochs = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        rows = [("tokens read", f"{n_read:,}", f"{self.n_tokens_read:,} x {epochs}")]
        for name, count in [
            ("trained", self.n_trained),
            ("subsampled", self.n_subsampled),
            ("not in vocabulary", self.n_below_min_count * self.epochs),
            ("held out", self.n_held_out * self.epochs),
        ]:
            if count or name != "held out":
                rows.append((name, f"{count:,}", share(count, n_read)))
        if self.n_too_long:
            note = "too long for words, not counted as tokens"
            rows.append(("skipped", f"{self.n_too_long:,}", note))
        rows.append(("words", f"{self.n_words:,}", f"in {self.n_sentences:,} sentences"))
        if self.loss is not None:
            note = f"nats per prediction; {self.loss_name}"
            rows.append(("loss of last epoch", f"{self.loss:.4f}", note))
        rows += self._compared()
        if self.blocks:
            rows.append(("step", "", self.blocks))
        stages = {
            "reading": self.read_seconds,
            "training": self.train_seconds,
            "validating": self.validation_seconds,
            "measuring": self.metric_seconds,
        }
        stage_times = ", ".join(f"{v:.1f} s {k}" for k, v in stages.items() if v or k[0] in "rt")
        speed = f"{self.words_per_second / 1e6:.2f}"
        rows.append(("speed", speed, f"M words/s; {stage_times}"))
        if self.peak_bytes:
            rows.append(("peak memory", f"{self.peak_bytes / 2**20:,.0f}", "MiB"))
        return rows

    def _compared(self) -> list[tuple[str, str, str]]:
        """Return the lines for held-out loss, metric and best epoch."""
        epoch = self.restored_epoch or self.epochs
        rows = []
        if self.validation_loss is not None:
            unknown = share(self.n_validation_unknown, self.n_validation_tokens)
            note = f"of {self.n_validation_tokens:,} tokens, {unknown} not in vocabulary"
            rows.append(
                ("held-out loss", f"{self.validation_loss:.4f}", f"after epoch {epoch}; {note}")
            )
        if self.metric is not None:
            rows.append(("metric", f"{self.metric:.4f}", f"after epoch {epoch}"))
        if self.best_epoch is not None:
            remark = "its vectors were restored" if self.restored_epoch else f"of {self.epochs}"
            rows.append(("best epoch", str(self.best_epoch), remark))
        return rows


def share(part: int, whole: int) -> str:
    """Format a part of a whole as a percentage."""
    return f"{part / whole:.1%}" if whole else ""


def per_second(n: int, seconds: float) -> float:
    """Return n per second, 0 if no time has passed."""
    return n / seconds if seconds > 0 else 0.0


def peak_bytes() -> int | None:
    """Return the peak resident memory of the process in bytes, None if it is unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


CHECKPOINT_KEY = (
    "checkpoint"  # the key under which a model file's settings hold the state of its run
)


@dataclass(frozen=True)
class RunState:
    """A position between two chunks, and the counts up to it.

    chunk_tokens: tokens per chunk.
    epoch: number of completed epochs.  chunk: first chunk of this epoch that is not trained yet, as
    an index into the epoch's chunk order.
    counts: since the run began.  epoch_start: the counts at the start of this epoch.
    epoch_seconds, seconds: training time in this epoch, and in total.
    stopped: reason if the run ended early.
    restored: the epoch whose rows were restored, if any.
    history: records of the completed epochs.
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
        """Return the state as JSON-compatible values; floats round-trip bit for bit.

        The intervals of the epochs are omitted: there may be many, and the log has them.
        """
        values = asdict(self)
        for record in values["history"]:
            del record["intervals"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RunState":
        """Return the state from as_json().

        Raises ValueError, which names the field, for any other mapping, or if its counts, epochs
        and history contradict each other.
        """
        found = dict(values)
        for name in ("counts", "epoch_start"):
            found[name] = _from_json(Counts, name, found.get(name))
        history = found.get("history")
        if not isinstance(history, list):
            raise ValueError("history must be a list")
        found["history"] = [
            _from_json(EpochRecord, f"history[{i}]", record) for i, record in enumerate(history)
        ]
        state = _from_json(cls, "run", found)
        state._check()
        return state

    def _check(self) -> None:
        """Raise ValueError if the parts contradict each other."""
        epochs = [record.epoch for record in self.history]
        if len(epochs) != self.epoch or epochs != list(range(1, self.epoch + 1)):
            raise ValueError(f"history must have the epochs 1 to {self.epoch}, in order")
        for name in ("n_trained", "n_subsampled", "n_predictions"):
            if sum(getattr(record, name) for record in self.history) != getattr(
                self.epoch_start, name
            ):
                raise ValueError(f"epoch_start.{name} is not the sum of the history's")
        since = asdict(self.counts - self.epoch_start)
        if negative := next((name for name, n in since.items() if n < 0), None):
            raise ValueError(f"counts.{negative} is below that of epoch_start")
        if self.restored is not None and not 1 <= self.restored <= self.epoch:
            raise ValueError(f"restored must be an epoch of the history, got {self.restored}")


Values = TypeVar("Values")


def _from_json(kind: type[Values], where: str, values: Any) -> Values:
    """Return a dataclass from its fields; raise ValueError if one is missing, odd or unknown."""
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} must be a JSON object, got {values!r:.80}")
    wanted = {f.name: f.type for f in fields(cast(Any, kind)) if f.name != "intervals"}
    if set(values) != set(wanted):
        odd = min(set(values) ^ set(wanted))
        raise ValueError(f"{where}.{odd} is {'missing' if odd in wanted else 'unknown'}")
    for name, type_ in wanted.items():
        if not _is_of(values[name], get_args(type_) or (type_,), name):
            raise ValueError(f"{where}.{name} has an impossible value, {values[name]!r:.80}")
    return kind(**values)


def _is_of(value: Any, types: tuple[Any, ...], name: str) -> bool:
    """Return whether a field may have this value: numbers are finite and not negative."""
    if value is None or isinstance(value, str):
        return type(value) in types
    if isinstance(value, int | float):
        kind = float if float in types else int
        if isinstance(value, bool) or not (kind in types and isinstance(value, int | kind)):
            return False
        if name == "metric":
            return value != value or abs(value) <= sys.float_info.max
        return 0 <= value < 2**63 or (name == "validation_loss" and value != value)
    return isinstance(value, Counts) or name == "history"  # parts that were checked already


EVENTS = ("on_train_begin", "on_epoch_begin", "on_interval", "on_epoch_end", "on_train_end")
INTERVAL_SECONDS = 1.0
NOTHING_TRAINED = "nothing was trained"  # begins the warning of such a run


class StopTraining(Exception):
    """Raise this in a callback to stop training cleanly; its message is the reason."""


class Run(Protocol):
    """The part of a Trainer that listeners may use."""

    parameters: Parameters
    model_arrays: ModelArrays
    epoch: int  # the current epoch, counted from 0; also the number of completed epochs
    history: list[EpochRecord]
    at_chunk_boundary: bool  # all tokens up to the current position are trained, none after it
    stopped: str | None  # reason if the run ended before its last epoch
    restored: int | None  # the epoch whose rows were restored

    def counts(self) -> Counts:
        """Return the sums over all workers since training began."""

    def state(self) -> RunState:
        """Return the state from which the run can resume; needs at_chunk_boundary."""

    def report(self, counts: Counts, heard: Counts, seconds: float) -> Report:
        """Return a report of the run.  heard: the counts at the previous report."""


class Listener:
    """Base class for objects that receive the events of a run.

    Any method but on_abort may raise, which ends the run.  During the events at the beginning and
    end of epochs and of the run, no thread trains.  During on_interval, training continues.
    interval_seconds: minimum time between two calls of on_interval.
    """

    interval_seconds = 0.0

    def on_train_begin(self, run: Run) -> None:
        """Called before the first epoch."""

    def on_epoch_begin(self, run: Run) -> None:
        """Called before epoch number run.epoch, counted from 0."""

    def on_interval(self, run: Run, report: Report) -> None:
        """Called during training, and at least once per epoch, after its last token."""

    def wants_pause(self) -> bool:
        """Return whether to pause all threads within the epoch and call on_pause."""
        return False

    def on_pause(self, run: Run) -> None:
        """Called while all threads are paused at the request of a listener."""

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Called after an epoch with its record, which listeners may fill in."""

    def on_train_end(self, run: Run) -> None:
        """Called after the last epoch, or after StopTraining."""

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Called when an error or Ctrl-C ends the run, after all threads ended.  Must not raise."""


class Audience:
    """The listeners of one run."""

    def __init__(self, run: Run, listeners: Sequence[Listener]) -> None:
        self.run, self.listeners = run, listeners
        self.started_at = time.perf_counter()
        self.stop: StopTraining | None = None
        self._heard = [Counts() for _ in listeners]
        self._next_seconds = [listener.interval_seconds for listener in listeners]

    def tell(self, event: str, *args: Any) -> None:
        """Pass an event to all listeners, even if one of them asks to stop."""
        for listener in self.listeners:
            self._tell(getattr(listener, event), *args)

    def tell_progress(self, counts: Counts, is_last: bool = False) -> None:
        """Send a report to each listener whose interval is over, or to all at the epoch's end."""
        seconds = time.perf_counter() - self.started_at
        for i, listener in enumerate(self.listeners):
            if is_last or seconds >= self._next_seconds[i]:
                self._next_seconds[i] = seconds + listener.interval_seconds
                heard, self._heard[i] = self._heard[i], counts
                self._tell(listener.on_interval, self.run.report(counts, heard, seconds))

    def wants_pause(self) -> bool:
        """Return whether any listener wants all threads to pause."""
        return any(listener.wants_pause() for listener in self.listeners)

    def stop_if_asked(self) -> None:
        """Raise the first StopTraining that a listener raised."""
        if self.stop is not None:
            raise self.stop

    def _tell(self, method: Callable[..., None], *args: Any) -> None:
        try:
            method(self.run, *args)
        except StopTraining as stop:
            self.stop = self.stop or stop


def is_terminal(stream: object) -> bool:
    """Return whether a stream is a terminal; what programs put in its place may lack isatty."""
    return bool(getattr(stream, "isatty", bool)())


@runtime_checkable
class Display(Protocol):
    """An observer that also shows each epoch, and is told when no more reports come."""

    def __call__(self, report: Report) -> None:
        """Show a report."""

    def end_epoch(self, record: EpochRecord, n_epochs: int) -> None:
        """Show an epoch's record, which is complete."""

    def close(self) -> None:
        """End the display; later output starts on a new line."""


class ObserverListener(Listener):
    """Passes reports to an observer, and epochs if it displays them."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer

    def on_interval(self, run: Run, report: Report) -> None:
        """Pass the report on."""
        self.observer(report)

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Pass the record on to a display."""
        if isinstance(self.observer, Display):
            self.observer.end_epoch(record, run.parameters.epochs)


class ModelCallback(Listener):
    """Passes events to a callback whose methods take the model, as gensim's do.

    callback: an object with any of the methods EVENTS; on_interval also gets the report.
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
        """Pass it on; the record is the last one in the model's history."""
        self._tell("on_epoch_end")

    def on_train_end(self, run: Run) -> None:
        """Pass it on."""
        self._tell("on_train_end")

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Pass it on; an error in the callback must not replace the original one."""
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
    """Return the callbacks of an iterable; raise UsageError if any is not a callback."""
    given = tuple(as_list(callbacks, "callbacks", "objects"))
    for callback in given:
        if isinstance(callback, type) or not any(hasattr(callback, event) for event in EVENTS):
            raise UsageError(
                f"a callback must be an object with a method {', '.join(EVENTS[:-1])} or "
                f"{EVENTS[-1]}, got {callback!r}"
            )
    return given
