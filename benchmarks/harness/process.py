"""Run a program and take its wall time and its greatest resident size."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class ProgramError(Exception):
    """A program failed; the text says which and how."""


@dataclass(frozen=True)
class Outcome:
    """What a program cost and what it printed.

    Linux counts the launching process's size into its child's, up to the exec, so the launcher
    has to stay small: nothing in it may import NumPy or hold a corpus.
    """

    seconds: float
    peak_bytes: int
    output: str

    def last_json(self) -> dict[str, Any]:
        """Return the object on the last line of the output."""
        return dict(json.loads(self.output.strip().splitlines()[-1]))


def run_program(command: Sequence[str]) -> Outcome:
    """Run to the end; seconds include the start of the process.  Raises ProgramError."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=messages
            )
        except OSError as error:
            raise ProgramError(f"{command[0]}: {error.strerror}") from None
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            name = os.path.basename(command[0])
            raise ProgramError(f"{name} ended with {process.returncode}: {_last_line(messages)}")
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Outcome(seconds, usage.ru_maxrss * 1024, text)


def _last_line(file: Any) -> str:
    file.seek(0)
    return (file.read().decode(errors="replace").strip().splitlines() or ["no message"])[-1]
