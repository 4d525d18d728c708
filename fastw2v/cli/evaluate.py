"""`fastw2v evaluate`: evaluate vectors on analogies and word pairs."""

import argparse
from typing import TYPE_CHECKING, Any

from fastw2v.cli.output import percent, print_json, print_table
from fastw2v.vectors.task_files import ANALOGY_VOCABULARY

if TYPE_CHECKING:
    from fastw2v.evaluation import AnalogyResult, AnalogySection, PairsResult


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate", help="evaluate vectors on analogies and word pairs"
    )
    parser.add_argument("vectors", metavar="VECTORS", help="vectors file, in any format")
    parser.add_argument(
        "--analogies",
        metavar="FILE",
        help="analogy questions, as in questions-words.txt",
    )
    parser.add_argument(
        "--pairs", metavar="FILE", nargs="+", default=[], help="files of lines `word word score`"
    )
    parser.add_argument(
        "--restrict-vocab",
        metavar="N",
        type=int,
        default=ANALOGY_VOCABULARY,
        help="ask analogies only among the first N words; 0: all (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, imports="fastw2v.keyed_vectors")


def run(args: argparse.Namespace) -> int:
    """Evaluate the vectors and print the results."""
    from fastw2v.errors import UsageError
    from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
    from fastw2v.keyed_vectors import KeyedVectors

    if args.analogies is None and not args.pairs:
        raise UsageError("nothing to evaluate: give --analogies FILE, --pairs FILE, or both")
    if args.restrict_vocab < 0:
        raise UsageError(f"--restrict-vocab must be at least 0, got {args.restrict_vocab}")
    wv = KeyedVectors.read(args.vectors)
    analogies = None
    if args.analogies is not None:
        restrict = args.restrict_vocab or None
        analogies = evaluate_analogies(
            wv.index_to_key, wv.vectors, args.analogies, restrict_vocab=restrict
        )
    pairs = {path: evaluate_pairs(wv.index_to_key, wv.vectors, path) for path in args.pairs}
    if args.json:
        print_json(_report(args, analogies, pairs))
    else:
        _print_tables(analogies, pairs)
    return 0


def _print_tables(analogies: "AnalogyResult | None", pairs: "dict[str, PairsResult]") -> None:
    """Print one table for analogies and one for word pairs, if evaluated."""
    if analogies is not None:
        rows: list[tuple[str, ...]] = [
            ("analogies", "accuracy", "correct", "asked", "skipped", "covered")
        ]
        for s in _sections(analogies):
            counts = (str(n) for n in (s.n_correct, s.n_asked, s.n_skipped))
            rows.append((s.name, percent(s.accuracy), *counts, percent(s.coverage)))
        print_table(rows)
    if analogies is not None and pairs:
        print()
    if pairs:
        lines = [("word pairs", "Spearman", "Pearson", "pairs", "covered")]
        lines += [
            (path, f"{r.spearman:.3f}", f"{r.pearson:.3f}", str(r.n_pairs), percent(r.coverage))
            for path, r in pairs.items()
        ]
        print_table(lines)


def _report(
    args: argparse.Namespace, analogies: "AnalogyResult | None", pairs: "dict[str, PairsResult]"
) -> dict[str, Any]:
    """Return all results as a JSON-compatible dict."""
    report: dict[str, Any] = {"vectors": args.vectors}
    if analogies is not None:
        sections = [
            {
                "name": s.name,
                "accuracy": s.accuracy,
                "correct": s.n_correct,
                "asked": s.n_asked,
                "skipped": s.n_skipped,
                "coverage": s.coverage,
            }
            for s in _sections(analogies)
        ]
        report["analogies"] = {
            "file": args.analogies,
            "restrict_vocab": args.restrict_vocab or None,
            "sections": sections[:-3],
            **{section["name"]: section for section in sections[-3:]},
        }
    report["pairs"] = [
        {
            "file": path,
            "spearman": r.spearman,
            "pearson": r.pearson,
            "pairs": r.n_pairs,
            "skipped": r.n_skipped,
            "coverage": r.coverage,
        }
        for path, r in pairs.items()
    ]
    return report


def _sections(analogies: "AnalogyResult") -> "list[AnalogySection]":
    """Return the sections, then the semantic, syntactic and overall totals."""
    return [*analogies.sections, analogies.semantic, analogies.syntactic, analogies.total]
