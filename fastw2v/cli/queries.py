"""Shared by the subcommands that answer queries: arguments, input lines and output."""

import argparse
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from fastw2v.base.spelling import nearest_word
from fastw2v.cli.command import print_line
from fastw2v.cli.output import print_json, print_table
from fastw2v.errors import ReadError, UsageError

if TYPE_CHECKING:
    from fastw2v.keyed_vectors import KeyedVectors

Near = Sequence[tuple[str, float]]  # words and their cosines
MAX_COMPLETIONS = 200


def add_arguments(parser: argparse.ArgumentParser, metavar: str, help: str) -> None:
    """Add the arguments VECTORS, the query words, -n and --json."""
    parser.add_argument("vectors", metavar="VECTORS", help="vectors file, in any format")
    parser.add_argument("words", metavar=metavar, nargs="*", help=help)
    parser.add_argument(
        "-n", metavar="N", type=int, default=10, help="number of results (default %(default)s)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON; one line per query from standard input"
    )


def open_vectors(args: argparse.Namespace) -> "KeyedVectors":
    """Return the vectors to search; raise UsageError if -n is less than 1."""
    import numpy as np

    from fastw2v.formats import FORMATS, detect_format
    from fastw2v.keyed_vectors import KeyedVectors

    if args.n < 1:
        raise UsageError(f"-n must be at least 1, got {args.n}")
    format = detect_format(args.vectors)
    wv = KeyedVectors.read(args.vectors, format, mmap=FORMATS[format].can_be_mapped)
    if not np.isfinite(wv.norms).all():  # mapped vectors are not checked yet
        wv.to_word_vectors().check_read(args.vectors)
    return wv


def check_known(wv: "KeyedVectors", words: Sequence[str], path: str = "") -> None:
    """Raise UsageError naming the words that have no vector, and those that may be meant."""
    unknown = []
    for word in (word for word in dict.fromkeys(words) if word not in wv):
        near = nearest_word(word, wv.index_to_key, wv.key_to_index)
        unknown.append(f"{word!r}" if near is None else f"{word!r} (did you mean {near!r}?)")
    if unknown:
        where = f"{path}: " if path else ""
        raise UsageError(f"{where}no vector for {', '.join(unknown)}")


def answer_input(
    wv: "KeyedVectors",
    args: argparse.Namespace,
    prompt: str,
    ask: Callable[[list[str]], Near],
    show: Callable[[list[str], Near], None],
) -> None:
    """Answer each line of standard input; with --json, line i of the output is for line i.

    ask: returns what is near to the words of a line, or raises UsageError.
    show: prints it.
    """
    for words in map(str.split, _input_lines(prompt, wv)):
        if not words and not args.json:
            continue
        try:
            near = ask(words)
        except UsageError as error:
            print_line(f"fastw2v: {error}")
            if args.json:
                print_json({"words": words, "error": str(error)}, indent=None)
        else:
            show(words, near)


def _input_lines(prompt: str, wv: "KeyedVectors") -> Iterator[str]:
    """Yield the lines of standard input; on a terminal, up to EXIT, with a prompt."""
    if sys.stdin is None:
        raise ReadError("cannot read standard input: it is closed")
    if not sys.stdin.isatty():
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="surrogateescape")  # as words are read from files
        mark = "\ufeff"  # before the first line
        while line := sys.stdin.readline():
            yield line.removeprefix(mark)
            mark = ""
        return
    ask = _edited_line(wv) if sys.stdout.isatty() else _plain_line
    while (line := ask(prompt)) and line.strip() != "EXIT":  # as in word2vec.c
        yield line
    if not line:
        print_line("")  # Ctrl-D leaves the cursor behind the prompt


def _plain_line(prompt: str) -> str:
    """Ask for a line; "" at the end of the input.  The output is not the terminal's."""
    print_line(prompt, end="")
    return sys.stdin.readline()


def _edited_line(wv: "KeyedVectors") -> Callable[[str], str]:
    """Return a function like _plain_line, with line editing and completion where possible."""
    with suppress(ImportError):
        import readline

        found: list[str] = []

        def complete(text: str, state: int) -> str | None:
            if state == 0:
                near = (w for w in wv.index_to_key if w.startswith(text) and w.isprintable())
                found[:] = islice(near, MAX_COMPLETIONS)
            return found[state] if state < len(found) else None

        readline.set_completer(complete)
        readline.set_completer_delims(" \t")
        is_libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")

    def ask(prompt: str) -> str:
        try:
            return f"{input(prompt)}\n"
        except EOFError:
            return ""

    return ask


def print_similar(title: str, near: Near) -> None:
    """Print a table of words and their cosines."""
    print_table([(title, "cosine"), *((word, f"{cosine:.4f}") for word, cosine in near)])


def similar_as_json(near: Near) -> list[dict[str, Any]]:
    """Return words and cosines in a JSON-compatible form."""
    return [{"word": word, "cosine": cosine} for word, cosine in near]
