"""The command line, with one module per subcommand.

A subcommand module defines `add_parser(subparsers)` and `run(args) -> int`. It imports heavy
modules inside `run`, which keeps `--help` fast, and names the first one as `imports`.
This module imports only what the interpreter has loaded already: until main() runs, Ctrl-C shows a
traceback.
"""

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any, TextIO

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
# The last signal is for a terminal that closes. nohup and jobs in the background ignore some.
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
MAX_BLAS_THREADS = 64  # of the OpenBLAS in NumPy's wheels

# The error that print_early() met, if any.
_FAILED: list[OSError] = []


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run the command and return its exit code.

    argv: the arguments; None means sys.argv[1:] in a process that belongs to the command, whose
    signals are handled.
    An error that the user can fix prints one line on stderr and has its own exit code (see
    fastw2v.errors).
    """
    owns_process = argv is None
    try:
        if owns_process:
            _handle_signals(_end)
        let_blas_threads_sleep()
        _open_standard_streams()
        code = _run(sys.argv[1:] if argv is None else argv, owns_process)
        if owns_process:
            _handle_signals(_end)  # a KeyboardInterrupt at Python's exit shows a traceback
        return code
    except KeyboardInterrupt:  # before the first handler
        print_line("fastw2v: error: interrupted")
        return INTERRUPTED


def _run(argv: "Sequence[str]", owns_process: bool) -> int:
    """Run the command and turn errors into lines and exit codes."""
    from fastw2v.errors import Fastw2vError, OutOfMemoryError, SaveError

    try:
        code = _command(argv, owns_process)
        sys.stdout.flush()
        if _FAILED:
            raise _FAILED.pop()
        return code
    except Fastw2vError as error:
        return _fail(str(error), error.exit_code)
    except MemoryError:
        return _fail("out of memory", OutOfMemoryError.exit_code)
    except RuntimeError as error:
        if "can't start new thread" not in str(error):  # of another package
            raise
        return _fail(f"out of threads: {error}", OutOfMemoryError.exit_code)
    except KeyboardInterrupt as interrupt:
        from fastw2v.base.threads import stop_signal

        number = stop_signal()
        return _fail(": ".join([_how_stopped(number), *map(str, interrupt.args)]), 128 + number)
    except BrokenPipeError:
        _drop(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:  # errors of files are raised as Fastw2vErrors instead
            raise
        _drop(sys.stdout)
        return _fail(f"cannot write to standard output: {error.strerror}", SaveError.exit_code)


def _handle_signals(handler: "Callable[[int, Any], None]") -> None:
    """Handle the signals that stop a process, except those that are ignored."""
    import signal
    from contextlib import suppress

    for name in STOP_SIGNALS:
        number = getattr(signal, name)
        if signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(ValueError):  # outside the main thread
                signal.signal(number, handler)


def _end(number: int, frame: object) -> None:
    """End the process at once: nothing has begun yet, or all is done.

    A KeyboardInterrupt during an import may be lost, or become an ImportError.
    """
    try:
        os.write(2, f"fastw2v: error: {_how_stopped(number)}\n".encode())
    finally:
        os._exit(128 + number)


def _how_stopped(number: int) -> str:
    """Return what an error says about a signal."""
    import signal

    is_interrupt = number == signal.SIGINT
    return "interrupted" if is_interrupt else f"stopped by {signal.Signals(number).name}"


def _open_standard_streams() -> None:
    """Open closed standard streams on the null device, but leave sys.stdin None.

    Otherwise the next file opened takes the number of a closed one, and gets what is printed.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            # Words may be invalid Unicode, or not in the terminal's encoding.
            stream.reconfigure(errors="backslashreplace")


def print_early(text: str) -> None:
    """Print before the work is done; it is done and saved even if the text cannot be printed."""
    try:
        print(text, flush=True)
    except OSError as error:
        _FAILED[:] = [error]
        _drop(sys.stdout)


def print_line(text: str, end: str = "\n") -> None:
    """Print on stderr; if that fails, there is no one to tell."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # ValueError: it was closed
        _drop(sys.stderr)


def _drop(stream: "TextIO") -> None:
    """Discard buffered output, which would fail again when Python exits."""
    from contextlib import suppress

    with suppress(OSError, ValueError), io.FileIO(os.devnull, "w") as null:
        os.dup2(null.fileno(), stream.fileno())  # not every stream has a number


def _command(argv: "Sequence[str]", owns_process: bool) -> int:
    """Parse the arguments and run the subcommand."""
    import warnings
    from contextlib import ExitStack
    from importlib import import_module

    from fastw2v.cli.settings import check_names
    from fastw2v.errors import Fastw2vError, UsageError

    parser = _parser(argv)
    if not argv:
        parser.print_help(sys.stderr)
        return UsageError.exit_code
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:  # after help or a wrong argument
        return int(stop.code or 0)
    with warnings.catch_warnings(), ExitStack() as held:
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        check_names(args, held)
        if owns_process:
            _hide_dead_threads()
            _spare_blas_threads()
        import_module(args.imports)
        if owns_process:
            from fastw2v.base.threads import interrupt

            _handle_signals(interrupt)
        try:
            return int(args.run(args))
        except SystemExit as stop:  # of a tokenizer, a schedule or what they import
            raise Fastw2vError(f"a function of the user ended the run: exit {stop.code}") from stop


def let_blas_threads_sleep() -> None:
    """Let idle threads of NumPy's OpenBLAS sleep, unless the user has set how long they spin.

    By default each thread spins for 0.1 s after NumPy is imported and competes with the threads
    that count words: counting 100 MB took 16 % longer.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2^4 ticks, the minimum


def _spare_blas_threads() -> None:
    """Let OpenBLAS use one thread if it could not start all of its threads.

    When it cannot start one, while NumPy is imported, it prints four lines and sends SIGINT.
    """
    import _thread

    def wait() -> None:
        with hold:
            pass

    hold = _thread.allocate_lock()
    hold.acquire()
    try:
        for _ in range(min(os.cpu_count() or 1, MAX_BLAS_THREADS) - 1):
            _thread.start_new_thread(wait, ())
    except (RuntimeError, MemoryError):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    finally:
        hold.release()


def _hide_dead_threads() -> None:
    """Print nothing for a thread that found no memory to begin with: its starter reports it."""

    def show(unraisable: "Any") -> None:
        is_thread = "thread started by" in (unraisable.err_msg or "")
        if not (is_thread and issubclass(unraisable.exc_type, MemoryError)):
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = show


def _parser(argv: "Sequence[str]" = ()) -> "argparse.ArgumentParser":
    """Return the parser, with only the subcommand that argv starts with, if any, else all."""
    import argparse
    from importlib import import_module

    from fastw2v import __version__

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
    print_line(f"fastw2v: error: {message}")
    return exit_code


def _show_warning(message: Warning | str, *_: object) -> None:
    """Print a warning on one line, without its source location."""
    print_line(f"fastw2v: warning: {message}")
