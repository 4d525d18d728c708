"""The live progress line on a terminal."""

import os
import time
from typing import TextIO

from fastw2v.training.events import Report

PLAIN_SECONDS = 10.0  # between lines if the output is not a terminal
CLEAR_TO_END = "\x1b[K"
SPACE = "  "
MIN_FIRST = ("alpha", "speed", "loss", "left")  # dropped in this order on a narrow terminal


class ProgressLine:
    """Show reports: one line updated in place on a terminal, else a line every ten seconds.

    A stream that cannot be written, such as a pipe whose reader has gone, ends the display only.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream: TextIO | None = stream
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
            self._write(f"\r{shown}{CLEAR_TO_END}")
        elif time.monotonic() >= self._next_plain:
            self._next_plain = time.monotonic() + PLAIN_SECONDS
            self._write(format_report(report) + "\n")

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
        try:
            columns = os.get_terminal_size(self.stream.fileno()).columns if self.stream else None
        except (OSError, ValueError):  # not a terminal after all
            return None
        return columns - 1 if columns else None  # leave one column for the cursor

    def close(self) -> None:
        """End the line; later output starts on a new line."""
        if self._open:
            self._write("\n")
            self._open = False


def format_report(report: Report, columns: int | None = None) -> str:
    """Return a report as one line: stage, percentage, speed, learning rate, loss, time left.

    columns: maximum length; the least important parts are dropped first.
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
