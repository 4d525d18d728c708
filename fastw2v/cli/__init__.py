"""The command line, with one module per subcommand.

A subcommand module defines `add_parser(subparsers)` and `run(args) -> int`. It imports heavy
modules inside `run`, which keeps `--help` fast, and names the first one as `imports`.
This module imports nothing at once and is short, since Ctrl-C shows a traceback until main() runs.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

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
    "completion",
)
SIGNALED = 128  # plus the number of the signal: the exit code, by the shell convention
INTERRUPTED = SIGNALED + 2  # SIGINT
BROKEN_PIPE = SIGNALED + 13  # SIGPIPE
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


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
            handle_signals(_end)
        from importlib import import_module

        code: int = import_module("fastw2v.cli.command").run_command(argv, owns_process)
        if owns_process:
            handle_signals(_end)  # a KeyboardInterrupt at Python's exit shows a traceback
        return code
    except KeyboardInterrupt:  # before the first handler
        import os

        os.write(2, b"fastw2v: error: interrupted\n")
        return INTERRUPTED


def handle_signals(handler: "Callable[[int, Any], None]") -> None:
    """Handle the signals that stop a process, except those that are ignored."""
    import signal
    from contextlib import suppress

    for name in STOP_SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(ValueError):  # outside the main thread
                signal.signal(number, handler)


def _end(number: int, frame: object) -> None:
    """End the process at once: nothing has begun yet, or all is done.

    A KeyboardInterrupt during an import may be lost, or become an ImportError.
    """
    import os

    try:
        os.write(2, f"fastw2v: error: {how_stopped(number)}\n".encode())
    finally:
        os._exit(SIGNALED + number)


def how_stopped(number: int) -> str:
    """Return what an error says about a signal."""
    import signal

    is_interrupt = number == signal.SIGINT
    return "interrupted" if is_interrupt else f"stopped by {signal.Signals(number).name}"
