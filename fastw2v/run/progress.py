"""The live progress of a run: a line on a terminal, a bar and a table in a notebook."""

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from fastw2v.run.history import SPACE, epochs_table, format_epoch, last_epochs
from fastw2v.training.events import EpochRecord, Report, is_terminal

PLAIN_SECONDS = 10.0  # between lines if the output is not a terminal
NOTEBOOK_SECONDS = 0.1  # between updates: short epochs would send thousands
CLEAR_TO_END = "\x1b[K"
MIN_FIRST = ("alpha", "speed", "epoch", "loss", "left")  # dropped in this order if it is narrow


class ProgressLine:
    """Show reports as one line that is updated in place, above it a line for each epoch.

    Not on a terminal, the line is written every ten seconds, and at the end.
    A stream that cannot be written, such as a pipe whose reader has gone, ends the display only.
    A copy, in this process or another, writes to the standard error there.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = None if getattr(stream, "closed", False) else stream
        self.is_terminal = is_terminal(self.stream)
        self._live: Report | None = None
        self._is_shown = False  # whether the last line shows it
        self._next_plain = time.monotonic() + PLAIN_SECONDS

    def __reduce__(self) -> tuple[Callable[[], "ProgressLine"], tuple[()]]:
        return _line_on_stderr, ()

    def __call__(self, report: Report) -> None:
        """Show a report."""
        if self._live is not None and report.stage != self._live.stage:
            self.close()
        self._live, self._is_shown = report, False
        if self.is_terminal or time.monotonic() >= self._next_plain:
            self._show(report)

    def end_epoch(self, record: EpochRecord, n_epochs: int) -> None:
        """Write the line of an epoch in the place of the live line, which follows later."""
        line = format_epoch(record, n_epochs, self._columns())
        self._write(f"\r{line}{CLEAR_TO_END}\n" if self.is_terminal else f"{line}\n")
        self._is_shown = False

    def _show(self, report: Report) -> None:
        self._is_shown, self._next_plain = True, time.monotonic() + PLAIN_SECONDS
        line = format_report(report, self._columns())
        self._write(f"\r{line}{CLEAR_TO_END}" if self.is_terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        if self.stream is None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            self.stream = None

    def _columns(self) -> int | None:
        """Return the maximum length of a line, or None if the width is unknown."""
        if not self.is_terminal:
            return None
        try:
            columns = os.get_terminal_size(self.stream.fileno()).columns if self.stream else None
        except (OSError, ValueError):  # not a terminal after all
            return None
        return columns - 1 if columns else None  # leave one column for the cursor

    def close(self) -> None:
        """End the line; later output starts on a new line."""
        if self._live is not None:
            if not self._is_shown:
                self._show(self._live)
            self._write("\n" if self.is_terminal else "")
        self._live = None


def _line_on_stderr() -> ProgressLine:
    return ProgressLine(sys.stderr)


class NotebookProgress:
    """Show reports in a notebook: a bar, the progress line, and a table of the epochs."""

    def __init__(self) -> None:
        self._live: Report | None = None
        self._epochs: list[EpochRecord] = []
        self._n_epochs = 0
        self._handle: Any = None
        self._next = 0.0

    def __call__(self, report: Report) -> None:
        """Show a report."""
        if self._live is not None and report.stage != self._live.stage:
            self.close()
        self._live = report
        self._show()

    def end_epoch(self, record: EpochRecord, n_epochs: int) -> None:
        """Add an epoch to the table."""
        self._epochs.append(record)
        self._n_epochs = n_epochs
        self._show()

    def close(self) -> None:
        """Show the last state; what comes later is shown in the cell that runs then."""
        if self._live is not None:
            self._next = 0.0
            self._show()
        self._live, self._epochs, self._handle, self._next = None, [], None, 0.0

    def _show(self) -> None:
        """Update the cell's output, unless that was a moment ago."""
        if self._live is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + NOTEBOOK_SECONDS
        shown = {"text/plain": self._text(self._live), "text/html": self._html(self._live)}
        if self._handle is None:
            ipython = importlib.import_module("IPython.display")
            self._handle = ipython.display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def _text(self, report: Report) -> str:
        return "\n".join([*last_epochs(self._epochs, self._n_epochs), format_report(report)])

    def _html(self, report: Report) -> str:
        line = f"<code>{format_report(report)}</code>"
        if report.progress is not None:
            line = f'<progress value="{report.progress:.4f}" max="1"></progress> {line}'
        return f"<div>{line}</div>" + (epochs_table("", self._epochs) if self._epochs else "")


def format_report(report: Report, columns: int | None = None) -> str:
    """Return a report as one line: stage, percentage, epoch, speed, learning rate, loss, time left.

    columns: maximum length; the least important parts are dropped first.
    """
    stage = f"{report.stage:5}"
    if report.progress is not None:
        stage += f" {report.progress:4.0%}"
    elif report.n_tokens:
        stage += f" {report.n_tokens:,} tokens"
    parts = {"stage": stage}
    if report.n_epochs is not None:
        parts["epoch"] = f"epoch {report.epoch}/{report.n_epochs}"
    parts["speed"] = f"{report.words_per_second / 1e6:.2f} M words/s"
    if report.lr is not None:
        parts["alpha"] = f"alpha {report.lr:.4f}"
    if report.loss is not None:
        parts["loss"] = f"loss {report.loss:.3f}"
    if report.progress == 1:
        parts["left"] = f"in {format_seconds(report.seconds)}"
    elif report.seconds_left is not None:
        parts["left"] = f"{format_seconds(report.seconds_left)} left"
    for name in MIN_FIRST:
        if columns is not None and len(SPACE.join(parts.values())) > columns:
            parts.pop(name, None)
    return SPACE.join(parts.values())[:columns]


def format_seconds(seconds: float) -> str:
    """Return a duration as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
