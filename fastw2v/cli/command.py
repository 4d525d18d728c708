"""One run of the command: its arguments, its standard streams, its errors and exit codes."""

import argparse
import io
import os
import shlex
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from signal import SIGINT
from types import MappingProxyType
from typing import Any, NoReturn, TextIO

from fastw2v import __version__
from fastw2v.base.threads import (
    hide_dead_threads,
    interrupt,
    let_blas_threads_sleep,
    spare_blas_threads,
    stop_signal,
)
from fastw2v.cli import BROKEN_PIPE, SIGNALED, SUBCOMMANDS, handle_signals, how_stopped
from fastw2v.cli.settings import check_names
from fastw2v.errors import (
    Fastw2vError,
    ModelFormatError,
    OutOfMemoryError,
    ReadError,
    SaveError,
    UsageError,
)

MIN_WRAPPED = 8  # columns, of a text that is wrapped
# The error that print_early() met, if any.
_FAILED: list[OSError] = []


def run_command(argv: Sequence[str] | None, owns_process: bool) -> int:
    """Run the command and turn errors into lines and exit codes.

    argv: the arguments; None means sys.argv[1:].
    """
    let_blas_threads_sleep()
    _open_standard_streams()
    code = _run(sys.argv[1:] if argv is None else argv, owns_process)
    print_line("", end="")  # drops what argparse could not write
    return code


def _run(argv: Sequence[str], owns_process: bool) -> int:
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
    except KeyboardInterrupt as stop:
        number = stop_signal() or SIGINT
        message = ": ".join([how_stopped(number), *map(str, stop.args)])
        if stop.args:  # a checkpoint to resume from
            again = [*argv, *(flag for flag in ["--resume"] if flag not in argv)]
            message += f" with: {shlex.join(['fastw2v', *again])}"
        return _fail(message, SIGNALED + number)
    except BrokenPipeError:
        _drop(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:  # errors of files are raised as Fastw2vErrors instead
            raise
        _drop(sys.stdout)
        return _fail(f"cannot write to standard output: {error.strerror}", SaveError.exit_code)


def _command(argv: Sequence[str], owns_process: bool) -> int:
    """Parse the arguments and run the subcommand."""
    if owns_process and "_ARGCOMPLETE" in os.environ:
        from fastw2v.cli.completion import complete

        complete(_parser())
    if not argv:
        _parser().print_help(sys.stderr)
        return UsageError.exit_code
    try:
        args = _parsed(argv)
    except SystemExit as stop:  # after help or a wrong argument
        return int(stop.code or 0)
    try:
        return _run_subcommand(args, owns_process)
    except Fastw2vError as error:
        error.args = (_in_flags(error, args),)
        raise


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; raise SystemExit after help or a wrong argument.

    The result has `parser`, and `named`, which also covers settings of a configuration file.
    """
    first, *rest = argv
    if first == "help":
        first, rest = (rest[0], ["--help"]) if rest else ("--help", [])
    if first not in SUBCOMMANDS:
        parser = _parser()
        if not first.startswith("-"):
            from fastw2v.cli.mistakes import unknown_command

            parser.error(unknown_command(first))
        rest = [first, *rest]
    else:
        parser = _subparser(first)
    parser.given = rest
    if any(text[:1] == "-" and f"-{text}" in parser._option_string_actions for text in rest):
        parser.error("")  # -output would be -o utput
    args = parser.parse_args(rest)
    args.parser, args.named = parser, {**parser.named}
    return args


def _run_subcommand(args: argparse.Namespace, owns_process: bool) -> int:
    with warnings.catch_warnings(), ExitStack() as open_files:
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = partial(_show_warning, args)
        check_names(args, open_files)
        if owns_process:
            hide_dead_threads()
            spare_blas_threads()
        import_module(args.imports)
        if owns_process:
            handle_signals(interrupt)
        try:
            return int(args.run(args))
        except SystemExit as stop:  # of a tokenizer, a schedule or what they import
            raise Fastw2vError(f"a function of the user ended the run: exit {stop.code}") from stop
        except Exception as error:
            if stop_signal() is None:
                raise
            raise KeyboardInterrupt from error  # NumPy's imports turn it into an ImportError


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
    """Print one line on stderr; if that fails, there is no one to tell."""
    text = text.replace("\n", "\\n").replace("\r", "\\r")  # of file names and other packages
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # ValueError: it was closed
        _drop(sys.stderr)


def columns() -> int | None:
    """Return the width to keep to: COLUMNS, or that of the terminal; None if there is neither."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and len(given) < 6 and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def print_fitted(text: str) -> None:
    """Print lines; what is too long for the terminal goes on in the next line, indented.

    A line is broken before its last column, which two spaces part from the others.
    """
    width = columns()
    for line in text.split("\n"):
        first, _, note = line.rpartition("  ")
        if width is not None and text_width(line) > width and first.strip():
            print(first.rstrip())
            line = f"    {note}"
        print("\n".join(wrapped(line, width, indent=4)))


def text_width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def wrapped(text: str, width: int | None, indent: int) -> list[str]:
    """Return a text as lines of at most `width`, broken at spaces where possible."""
    if width is None:
        return [text]
    lines, width = [], max(width, indent + MIN_WRAPPED)
    while text_width(text) > width:
        end = width
        while text_width(text[:end]) > width:
            end -= 1
        space = text.rfind(" ", indent + 1, end + 1)
        end = space if space > indent and text[:space].strip() else max(end, indent + 1)
        lines.append(text[:end].rstrip())
        text = " " * indent + text[end:].lstrip()
    return [*lines, text] if text.strip() or not lines else lines


def _drop(stream: TextIO) -> None:
    """Discard buffered output, which would fail again when Python exits."""
    with suppress(OSError, ValueError), io.FileIO(os.devnull, "w") as null:
        os.dup2(null.fileno(), stream.fileno())  # not every stream has a number


class Parser(argparse.ArgumentParser):
    """A parser that takes whole flags only, and whose errors say what may have been meant."""

    given: Sequence[str] = ()
    named: Mapping[str, str] = MappingProxyType({})  # what messages call settings that are no flags
    subparsers: "argparse._SubParsersAction[Parser]"

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Show the command's usage and the error, and exit."""
        from fastw2v.cli.mistakes import explained

        self.print_usage(sys.stderr)
        self.exit(_fail(explained(self, message, self.given), UsageError.exit_code))


def _parser(names: Sequence[str] = SUBCOMMANDS) -> Parser:
    """Return the parser, with the subcommands of these names."""
    parser = Parser(
        prog="fastw2v",
        description="Train, query, evaluate and convert word vectors.",
        epilog="Run `fastw2v help COMMAND` for details. To get started: fastw2v demo",
    )
    parser.add_argument("-V", "--version", action="version", version=f"fastw2v {__version__}")
    parser.subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        import_module(f"fastw2v.cli.{name}").add_parser(parser.subparsers)
    return parser


def _subparser(name: str) -> Parser:
    """Return the parser of one subcommand."""
    found: Parser = _parser([name]).subparsers.choices[name]
    return found


def _fail(message: str, exit_code: int) -> int:
    """Print one line on stderr and return the exit code."""
    print_line(f"fastw2v: error: {message}")
    return exit_code


def _show_warning(args: argparse.Namespace, message: Warning | str, *_: object) -> None:
    """Print a warning on one line, without its source location."""
    print_line(f"fastw2v: warning: {_in_flags(message, args)}")


def _in_flags(message: Warning | Fastw2vError | str, args: argparse.Namespace) -> str:
    """Return a message that names flags where it names settings; leave paths as they are."""
    text = str(message)
    if isinstance(message, ReadError | SaveError | ModelFormatError):
        return text
    from fastw2v.cli.mistakes import flags_of, in_flags

    return in_flags(text, flags_of(args.parser) | args.named)
