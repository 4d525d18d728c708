"""`fastw2v nn`: find the nearest words."""

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
        "nn",
        help="find the nearest neighbours of words",
        description="Find the nearest neighbours of each WORD. Without words, read queries from "
        "standard input: for each line, find the words nearest to the mean of its words.",
    )
    queries.add_arguments(parser, "WORD", "words to look up")
    parser.set_defaults(run=run, imports="fastw2v.keyed_vectors")


def run(args: argparse.Namespace) -> int:
    """Search and print."""
    wv = queries.open_vectors(args)
    if not args.words:
        _answer_input(wv, args)
        return 0
    known = [word for word in args.words if word in wv]
    found = dict(zip(known, wv.most_similar_batch(known, topn=args.n), strict=True))
    if args.json:
        answers = [_as_json([word], found.get(word)) for word in args.words]
        print_json({"vectors": args.vectors, "queries": answers})
    else:
        for i, word in enumerate(known):
            if i:
                print()
            queries.print_similar(word, found[word])
    queries.check_known(wv, args.words, args.vectors)
    return 0


def _answer_input(wv: "KeyedVectors", args: argparse.Namespace) -> None:
    """Answer each line of standard input."""

    def ask(words: list[str]) -> queries.Near:
        if not words:
            raise UsageError("a query needs a word, got an empty line")
        queries.check_known(wv, words)
        return list(wv.most_similar(words, topn=args.n))

    def show(words: list[str], near: queries.Near) -> None:
        if args.json:
            print_json(_as_json(words, near), indent=None)
        else:
            queries.print_similar(" ".join(words), near)
            print(flush=True)

    queries.answer_input(wv, args, "words, or EXIT: ", ask, show)


def _as_json(words: list[str], near: queries.Near | None) -> dict[str, Any]:
    """Return the answer to a query, or that there is none."""
    if near is None:
        return {"words": words, "error": f"no vector for {words[0]!r}"}
    return {"words": words, "neighbours": queries.similar_as_json(near)}
