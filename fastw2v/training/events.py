"""Who is told of a run while it goes on, in the thread that started it."""

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from fastw2v.errors import UsageError
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.report import Counts, EpochRecord, Observer, Report
from fastw2v.training.run_state import RunState

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
    is_whole: bool  # every token up to where it stands is trained, and none after it
    stopped: str | None  # why it ended before its last epoch
    restored: int | None  # the epoch whose rows the model was given back

    def counts(self) -> Counts:
        """Return the sums over all workers since training began."""

    def state(self) -> RunState:
        """Return where the run stands, to go on from there; is_whole must hold."""

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
