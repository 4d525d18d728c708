"""Runs of the command line, in this process or in one of their own."""

import io
import os
import sys

from fastw2v import cli

SMALL = ["--vector-size", "8", "--epochs", "2", "--workers", "1"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def train(*args):
    """Train a small model and return the exit code."""
    return cli.main(["train", *args, *SMALL])


def fails(capsys, args, exit_code, message):
    """Run a command that fails, in one line on stderr, and leaves no file."""
    before = set(os.listdir())
    assert cli.main(args) == exit_code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"fastw2v: error: {message}\n")
    assert set(os.listdir()) == before


def command(*args):
    """Return the command of a process of its own."""
    return [sys.executable, "-m", "fastw2v", *args]
