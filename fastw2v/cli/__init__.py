"""The command line, with one module per subcommand.

A subcommand module defines `add_parser(subparsers)` and `run(args) -> int`. It imports heavy
modules inside `run`, which keeps `--help` fast.
"""

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

from fastw2v import __version__
from fastw2v.errors import Fastw2vError, OutOfMemoryError, SaveError, UsageError

# In the order of the help text.
SUBCOMMANDS = (
    "demo",
    "train",
    "word2vec",
    "evaluate",
    "nn",
    "analogy",
    "classes",
    "info",
    "convert",
    "phrases",
)

INTERRUPTED = 130  # 128 + SIGINT, the shell convention
BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    argv: the arguments; None means sys.argv[1:].
    An error that the user can fix prints one line on stderr and has its own exit code (see
    fastw2v.errors).
    """
    let_blas_threads_sleep()
    _show_any_word()
    try:
        argv = sys.argv[1:] if argv is None else argv
        parser = _parser(argv)
        if not argv:
            parser.print_help(sys.stderr)
            return UsageError.exit_code
        args = parser.parse_args(argv)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _show_warning  # type: ignore[assignment]
            code: int = args.run(args)
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse, after help or a wrong argument
        return int(stop.code or 0)
    except Fastw2vError as error:
        return _fail(str(error), error.exit_code)
    except MemoryError:
        return _fail("out of memory", OutOfMemoryError.exit_code)
    except KeyboardInterrupt as interrupt:
        return _fail(": ".join(["interrupted", *map(str, interrupt.args)]), INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:  # errors of files are raised as Fastw2vErrors instead
            raise
        _drop_output()
        return _fail(f"cannot write to standard output: {error.strerror}", SaveError.exit_code)


def let_blas_threads_sleep() -> None:
    """Let idle threads of NumPy's OpenBLAS sleep, unless the user has set how long they spin.

    By default each thread spins for 0.1 s after NumPy is imported and competes with the threads
    that count words: counting 100 MB took 16 % longer.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2^4 ticks, the minimum


def _parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser, with only the subcommand that argv starts with, if any, else all."""
    parser = argparse.ArgumentParser(
        prog="fastw2v",
        description="Train, query, evaluate and convert word vectors.",
        epilog="Run `fastw2v COMMAND --help` for details. To get started: fastw2v demo",
    )
    parser.add_argument("--version", action="version", version=f"fastw2v {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in argv[:1] if set(argv[:1]) & set(SUBCOMMANDS) else SUBCOMMANDS:
        import_module(f"fastw2v.cli.{name}").add_parser(subparsers)
    return parser


def _fail(message: str, exit_code: int) -> int:
    """Print one line on stderr and return the exit code."""
    print(f"fastw2v: error: {message}", file=sys.stderr)
    return exit_code


def _drop_output() -> None:
    """Discard buffered output, which would fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Warning | str, *_: object) -> None:
    """Print a warning on one line, without its source location."""
    print(f"fastw2v: warning: {message}", file=sys.stderr)


def _show_any_word() -> None:
    """Escape words that are not valid Unicode or not in the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
