"""Run a program and measure its wall time and peak memory."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class ProgramError(Exception):
    """A program failed; the message names the program and the failure."""


@dataclass(frozen=True)
class Outcome:
    """The cost of a program, and its output.

    seconds: wall time.  peak_bytes: peak resident memory.

    Linux counts the memory of the launching process as the child's until exec.  The launcher must
    therefore stay small: it must not import NumPy or hold a corpus.
    """

    seconds: float
    peak_bytes: int
    output: str

    def last_json(self) -> dict[str, Any]:
        """Return the JSON object on the last line of the output."""
        return dict(json.loads(self.output.strip().splitlines()[-1]))


def run_program(command: Sequence[str]) -> Outcome:
    """Run a program to its end and return the outcome; seconds include the process start.

    Raises ProgramError if it cannot start or fails.
    """
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
            raise ProgramError(f"{name} exited with {process.returncode}: {_last_line(messages)}")
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Outcome(seconds, usage.ru_maxrss * 1024, text)


def _last_line(file: Any) -> str:
    file.seek(0)
    return (file.read().decode(errors="replace").strip().splitlines() or ["no message"])[-1]
