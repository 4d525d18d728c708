"""`fastw2v phrases`: rewrite text with its phrases joined by underscores."""

import argparse
import os
from typing import Any

from fastw2v.cli.output import print_table

DEFAULT_THRESHOLDS = {"default": 10.0, "npmi": 0.5, "word2phrase": 100.0}
N_SHOWN = 10


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "phrases",
        help="join frequent phrases in a text into single tokens",
        description="Find words that occur together far more often than by chance, as gensim's "
        "Phrases and word2phrase do, and rewrite the text with new_york in place of new york. "
        "Each further pass can join the phrases of the previous one: new_york_city.",
    )
    parser.add_argument(
        "corpus",
        metavar="CORPUS",
        nargs="+",
        help="text files, plain or compressed; - for standard input",
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="text file to write")
    parser.add_argument(
        "--passes", metavar="N", type=int, default=1, help="number of passes (%(default)s)"
    )
    parser.add_argument(
        "--threshold",
        metavar="X",
        type=float,
        nargs="+",
        help="join pairs that score above X; one value, or one per pass "
        "(default 10, npmi 0.5, word2phrase 100)",
    )
    parser.add_argument(
        "--min-count",
        metavar="N",
        type=int,
        default=5,
        help="discount subtracted from each pair's count; with npmi, minimum count (%(default)s)",
    )
    parser.add_argument(
        "--scoring",
        choices=DEFAULT_THRESHOLDS,
        default="default",
        help="score of gensim (default or npmi) or of word2phrase (%(default)s)",
    )
    parser.add_argument(
        "--delimiter",
        metavar="TEXT",
        default="_",
        help="text between the words of a phrase (%(default)s)",
    )
    parser.add_argument(
        "--connector-words",
        metavar="FILE",
        help="words allowed only inside a phrase, such as `of`: a file of words, or `english`",
    )
    parser.add_argument("--list", metavar="FILE", help="write the phrases of all passes to FILE")
    parser.add_argument(
        "--allow-binary",
        action="store_true",
        help="read files that are not text, and text with NUL bytes",
    )
    parser.add_argument(
        "--tokenizer",
        metavar="NAME",
        help="split text by words, simple or module:function, as in train (whitespace)",
    )
    parser.add_argument("--workers", metavar="N", type=int, help="threads (one per core)")
    parser.set_defaults(run=run, imports="fastw2v.corpus.collocations")


def run(args: argparse.Namespace) -> int:
    """Join the phrases and print a report."""
    from fastw2v.base.atomic import check_writable
    from fastw2v.base.compression import write_packed
    from fastw2v.cli.settings import load_tokenizer
    from fastw2v.corpus.collocations import PhraseRules, join_phrases
    from fastw2v.errors import UsageError

    rules = [
        PhraseRules(
            min_count=args.min_count,
            threshold=threshold,
            scoring=args.scoring,
            delimiter=args.delimiter,
            connector_words=_connector_words(args.connector_words),
        )
        for threshold in _thresholds(args)
    ]
    if args.list:
        check_writable(args.list)
        if os.path.realpath(args.list) == os.path.realpath(args.output):
            raise UsageError(f"{args.list} is both output and list; write to another file")
    reports = join_phrases(
        args.corpus,
        args.output,
        rules,
        args.workers,
        allow_binary=args.allow_binary,
        tokenizer=None if args.tokenizer is None else load_tokenizer(args.tokenizer),
    )
    if args.list:
        with write_packed(args.list) as file:
            for phrase in (phrase for report in reports for phrase in report.found):
                text = f"{phrase.text}\t{phrase.score!r}\n"
                file.write(text.encode("utf-8", "surrogateescape"))
    _show(reports)
    return 0


def _thresholds(args: argparse.Namespace) -> list[float]:
    """Return the threshold of each pass."""
    from fastw2v.errors import UsageError

    if args.passes < 1:
        raise UsageError(f"--passes must be at least 1, got {args.passes}")
    given: list[float] = args.threshold or [DEFAULT_THRESHOLDS[args.scoring]]
    if len(given) not in (1, args.passes):
        raise UsageError(
            f"--threshold takes one number or one per pass, got {len(given)} for {args.passes} "
            "passes"
        )
    return [*given] * (args.passes // len(given))


def _connector_words(given: str | None) -> frozenset[str]:
    """Return the words in a file, or gensim's English connector words for `english`."""
    from fastw2v.base.compression import open_text, short_lines
    from fastw2v.errors import ReadError
    from fastw2v.phrases import ENGLISH_CONNECTOR_WORDS

    if given is None:
        return frozenset()
    if given == "english":
        return ENGLISH_CONNECTOR_WORDS
    with open_text(given) as file:
        lines = short_lines(file, given, ReadError)
        return frozenset(word for line in lines for word in line.split())


def _show(reports: Any) -> None:
    """Print the statistics of each pass and the best phrases of the last one."""
    rows = [("pass", "tokens", "phrases", "joined", "tokens after", "seconds")]
    for number, report in enumerate(reports, 1):
        rows.append(
            (
                str(number),
                f"{report.n_tokens_before:,}",
                f"{len(report.found):,}",
                f"{report.n_joined:,}",
                f"{report.n_tokens_after:,}",
                f"{report.seconds:.1f}",
            )
        )
    print_table(rows)
    best = [(phrase.text, f"{phrase.score:.4g}") for phrase in reports[-1].found[:N_SHOWN]]
    if best:
        print("\nhighest scores in the last pass")
        print_table([(f"  {text}", score) for text, score in best])
