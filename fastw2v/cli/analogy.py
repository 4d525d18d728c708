"""`fastw2v analogy`: find the word that is to C as B is to A."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli import queries
from fastw2v.cli.output import print_json
from fastw2v.errors import UsageError

if TYPE_CHECKING:
    from fastw2v.keyed_vectors import KeyedVectors


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "analogy",
        help="find the words that are to C as B is to A",
        description="Find the words that are to C as B is to A: the words nearest to B - A + C. "
        "Example: `fastw2v analogy VECTORS athens greece oslo`. Without words, read queries from "
        "standard input, three words per line.",
    )
    queries.add_arguments(parser, "WORD", "A, B and C")
    parser.add_argument(
        "--cosmul", action="store_true", help="multiply cosines instead of adding vectors"
    )
    parser.set_defaults(run=run, imports="fastw2v.keyed_vectors")


def run(args: argparse.Namespace) -> int:
    """Search and print."""
    if args.words:
        _check_length(args.words)
    wv = queries.open_vectors(args)
    if not args.words:
        _answer_input(wv, args)
        return 0
    queries.check_known(wv, args.words, args.vectors)
    near = _answer(wv, args.words, args)
    if args.json:
        print_json({"vectors": args.vectors, **_as_json(args.words, near)})
    else:
        queries.print_similar(_title(args.words), near)
    return 0


def _answer_input(wv: "KeyedVectors", args: argparse.Namespace) -> None:
    """Answer each line of standard input."""

    def ask(words: list[str]) -> queries.Near:
        _check_length(words)
        queries.check_known(wv, words)
        return _answer(wv, words, args)

    def show(words: list[str], near: queries.Near) -> None:
        if args.json:
            print_json(_as_json(words, near), indent=None)
        else:
            queries.print_similar(_title(words), near)
            print(flush=True)

    queries.answer_input(wv, args, "A B C, or EXIT: ", ask, show)


def _check_length(words: list[str]) -> None:
    if len(words) != 3:
        raise UsageError(f"an analogy needs 3 words A B C, got {len(words)}")


def _answer(wv: "KeyedVectors", words: list[str], args: argparse.Namespace) -> queries.Near:
    """Return the nearest words and their scores."""
    a, b, c = words
    search = wv.most_similar_cosmul if args.cosmul else wv.most_similar
    return list(search([b, c], [a], topn=args.n))


def _title(words: list[str]) -> str:
    return "{} : {} = {} : ?".format(*words)


def _as_json(words: list[str], near: queries.Near) -> dict[str, Any]:
    a, b, c = words
    return {"a": a, "b": b, "c": c, "answers": queries.similar_as_json(near)}
