"""`fastw2v convert`: from one format of vectors to another."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastw2v.formats import WordVectors


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "convert",
        help="convert vectors to another format",
        description="Formats are native, text, bin, vec and glove. The source's is found out from "
        "its content, the target's from its suffix: .safetensors, .txt, .bin or .vec.",
    )
    parser.add_argument("source", metavar="FROM", help="a vectors file of any format")
    parser.add_argument("target", metavar="TO", help="the file to write")
    parser.add_argument(
        "--from", dest="source_format", metavar="FORMAT", help="the source's format"
    )
    parser.add_argument("--to", dest="target_format", metavar="FORMAT", help="the target's format")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read one file and write the other."""
    from fastw2v.files.atomic import check_writable
    from fastw2v.formats import format_of_suffix, get_format, read_vectors

    format = args.target_format or format_of_suffix(args.target)
    get_format(format)
    check_writable(args.target)
    found = read_vectors(args.source, args.source_format)
    get_format(format).write(args.target, found)
    left_out = [] if format == "native" else _model_parts(found)
    print(f"{args.target}: {len(found.words):,} words of dimension {found.dim}, format {format}")
    if left_out:
        print(f"left out, as this format cannot hold them: {', '.join(left_out)}")
    return 0


def _model_parts(found: "WordVectors") -> list[str]:
    """Return the names of what is held beside words and vectors."""
    parts = {
        "counts": found.counts is not None,
        "output vectors": found.output_vectors is not None,
        "output bias": found.output_bias is not None,
        "settings": bool(found.settings),
    }
    return [name for name, is_held in parts.items() if is_held]
