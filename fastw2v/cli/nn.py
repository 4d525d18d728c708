"""`fastw2v nn`: find the nearest words."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli import queries
from fastw2v.cli.output import print_json

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
    queries.check_known(wv, args.vectors, args.words)
    found = list(zip(args.words, wv.most_similar_batch(args.words, topn=args.n), strict=True))
    if args.json:
        neighbours = [_as_json([word], near) for word, near in found]
        print_json({"vectors": args.vectors, "queries": neighbours})
        return 0
    for i, (word, near) in enumerate(found):
        if i:
            print()
        queries.print_similar(word, near)
    return 0


def _answer_input(wv: "KeyedVectors", args: argparse.Namespace) -> None:
    """Answer each line of standard input."""
    for words in queries.input_queries("words, or Ctrl-D: "):
        unknown = [word for word in words if word not in wv]
        if unknown:
            queries.complain(f"no vector for {', '.join(map(repr, unknown))}")
            continue
        near = list(wv.most_similar(words, topn=args.n))
        if args.json:
            print_json(_as_json(words, near), indent=None)
        else:
            queries.print_similar(" ".join(words), near)
            print(flush=True)


def _as_json(words: list[str], near: list[tuple[str, float]]) -> dict[str, Any]:
    return {"words": words, "neighbours": queries.similar_as_json(near)}
