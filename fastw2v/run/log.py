"""The log of a run: one JSON object per line, appended to a file."""

import contextlib
import json
import os
import warnings
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from fastw2v.base.jsonable import jsonable
from fastw2v.errors import writing
from fastw2v.training.events import INTERVAL_SECONDS, EpochRecord, Listener, Report, Run, Summary


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; fail on a pipe without a reader, which open() would wait for."""
    fd = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(fd, True)
    return fd


class RunLog(Listener):
    """Write the events `settings`, `interval`, `epoch`, and `summary` or `error` of a run.

    Each line is flushed at once.  If the disk is full, training continues without the log, with a
    warning.  Non-finite numbers become null.
    Raises SaveError if the file cannot be opened.
    """

    interval_seconds = INTERVAL_SECONDS

    def __init__(self, path: str | os.PathLike[str], settings: dict[str, Any]) -> None:
        self.path = os.fspath(path)
        with writing(self.path):
            self._file = open(  # noqa: SIM115
                self.path, "a", encoding="utf-8", buffering=1, opener=_open_at_once
            )
        self.write("settings", settings)

    def on_interval(self, run: Run, report: Report) -> None:
        """Write a report."""
        self.write(
            "interval",
            {
                "epoch": report.epoch,
                "progress": report.progress,
                "n_tokens": report.n_tokens,
                "seconds": report.seconds,
                "words_per_second": report.words_per_second,
                "lr": report.lr,
                "loss": report.loss,
            },
        )

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Write an epoch, without its intervals, which are already in the log."""
        values = asdict(record)
        del values["intervals"]
        self.write("epoch", values | {"words_per_second": record.words_per_second})

    def on_abort(self, run: Run, error: BaseException) -> None:
        """Write the error that ended the run."""
        self.write("error", {"error": type(error).__name__, "message": str(error)})

    def write_summary(self, summary: Summary) -> None:
        """Write the summary."""
        self.write("summary", asdict(summary))

    def write(self, event: str, values: dict[str, Any]) -> None:
        """Write one line."""
        if self._file.closed:
            return
        utc_time = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps(jsonable({"event": event, "time": utc_time} | values), ensure_ascii=False)
        try:
            self._file.write(line + "\n")
        except OSError as error:
            warnings.warn(
                f"cannot write {self.path}: {error.strerror}; training continues without the log",
                stacklevel=2,
            )
            self.close()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):  # write() has already warned
            self._file.close()
