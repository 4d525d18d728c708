"""The live progress line of a terminal."""

import os
import sys
import time
from typing import TextIO

from fastw2v.training.events import Observer, Report

PLAIN_SECONDS = 10.0  # between two lines where the output is no terminal
CLEAR_TO_END = "\x1b[K"
SPACE = "  "
MIN_FIRST = ("alpha", "speed", "loss", "left")  # what a narrow terminal does not show


class ProgressLine:
    """Shows reports as one line that rewrites itself, or as lines now and then in a log."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self._stage = ""
        self._next_plain = time.monotonic() + PLAIN_SECONDS
        self._open = False

    def __call__(self, report: Report) -> None:
        """Show a report."""
        if self.is_terminal:
            if self._open and report.stage != self._stage:
                self.close()
            self._stage, self._open = report.stage, True
            shown = format_report(report, self._columns())
            self.stream.write(f"\r{shown}{CLEAR_TO_END}")
            self.stream.flush()
        elif time.monotonic() >= self._next_plain:
            self._next_plain = time.monotonic() + PLAIN_SECONDS
            self.stream.write(format_report(report) + "\n")
            self.stream.flush()

    def _columns(self) -> int | None:
        """Return how many characters a line may have, None where it is not told."""
        try:
            columns = os.get_terminal_size(self.stream.fileno()).columns
        except (OSError, ValueError):  # no terminal, after all
            return None
        return columns - 1 if columns else None  # the last column is for the cursor

    def close(self) -> None:
        """End the line, so that what follows starts on its own."""
        if self._open:
            self.stream.write("\n")
            self.stream.flush()
            self._open = False


def format_report(report: Report, columns: int | None = None) -> str:
    """Return a report as one line: stage, percent, speed, rate, loss, time left.

    columns: leave out what matters least until the line is that short.
    """
    stage = f"{report.stage:5}"
    if report.total:
        stage += f" {min(report.done / report.total, 1):4.0%}"
    elif report.n_tokens:
        stage += f" {report.n_tokens:,} tokens"
    parts = {"stage": stage, "speed": f"{report.words_per_second / 1e6:.2f} M words/s"}
    if report.lr is not None:
        parts["alpha"] = f"alpha {report.lr:.4f}"
    if report.loss is not None:
        parts["loss"] = f"loss {report.loss:.3f}"
    if report.seconds_left is not None:
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


def choose_observer(progress: bool | Observer | None) -> Observer | None:
    """Return who is told of progress: None means a line on a terminal, else nothing."""
    if callable(progress):
        return progress
    if progress or (progress is None and sys.stderr.isatty()):
        return ProgressLine(sys.stderr)
    return None


def end_progress(observer: Observer | None) -> None:
    """End an observer's line on the terminal, if it has one."""
    if isinstance(observer, ProgressLine):
        observer.close()
