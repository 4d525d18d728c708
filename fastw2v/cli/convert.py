"""`fastw2v convert`: convert vectors from one format to another."""

import argparse
import shutil
from textwrap import fill
from typing import TYPE_CHECKING, Any

from fastw2v.cli.output import table_lines
from fastw2v.formats.records import (
    DTYPES,
    FORMATS,
    PARTS,
    WRITTEN,
    check_target,
    format_of_suffix,
    get_format,
    listed,
    places_of,
)

if TYPE_CHECKING:
    from fastw2v.formats import WordVectors


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "convert",
        help="convert vectors to another format",
        description=fill(
            "Convert vectors to another format. The content of FROM and the suffix of TO give "
            "their formats; other suffixes mean native. For float16 and int8, report how much "
            "cosines change.",
            max(shutil.get_terminal_size().columns - 2, 1),
        ),
        epilog=_formats_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="FROM", help="vectors file, in any format")
    parser.add_argument("target", metavar="TO", help="file to write")
    parser.add_argument(
        "--from", dest="source_format", metavar="FORMAT", help="format of FROM (detected)"
    )
    parser.add_argument("--to", dest="target_format", metavar="FORMAT", help="format of TO")
    parser.add_argument(
        "--dtype",
        metavar="TYPE",
        default="float32",
        help=f"{_dtypes_help()} (%(default)s)",
    )
    parser.set_defaults(run=run, imports="fastw2v.formats.word_vectors")


def _formats_help() -> str:
    """Return a table of the formats."""
    rows = [(f"  {f.name:10}{' '.join(f.endings):12}", f.description) for f in FORMATS.values()]
    lines = table_lines(rows, 2, shutil.get_terminal_size().columns)
    return "\n".join(["formats:", *lines])


def _dtypes_help() -> str:
    """Return the value types; those that only some formats support list their formats."""
    able = {dtype: [f.name for f in FORMATS.values() if dtype in f.dtypes] for dtype in DTYPES}
    per_format = [
        dtype if len(names) == len(WRITTEN) else f"{dtype} ({listed(names, 'and')})"
        for dtype, names in able.items()
    ]
    return listed(per_format, "or")


def run(args: argparse.Namespace) -> int:
    """Read FROM and write TO."""
    from fastw2v.base.atomic import check_writable
    from fastw2v.formats import read_vectors, write_vectors

    format = args.target_format or format_of_suffix(args.target)
    check_target(format, args.dtype, args.target)
    for path in places_of(args.target, format):
        check_writable(path)
    found = read_vectors(args.source, args.source_format)
    write_vectors(args.target, found, format, args.dtype)
    parts_held = get_format(format).holds_as(args.dtype)
    left_out = [PARTS[part] for part in found.parts() if part not in parts_held]
    print(f"{args.target}: {len(found.words):,} words of dimension {found.dim}, format {format}")
    if left_out:
        print(f"left out because this format cannot hold them: {', '.join(left_out)}")
    if args.dtype != "float32":
        _show_loss(found, args.target, format, args.dtype)
    return 0


def _show_loss(found: "WordVectors", target: str, format: str, dtype: str) -> None:
    """Compare the cosines between the vectors read with those between the vectors written."""
    from fastw2v.formats import read_vectors
    from fastw2v.formats.precision import similarity_loss

    rows = {word: row for row, word in enumerate(found.words)}
    written = read_vectors(target, format)
    before = found.vectors[[rows[word] for word in written.words]]
    mean, most, n_pairs = similarity_loss(before, written.vectors)
    print(
        f"as {dtype}, cosines change by {mean:.2g} on average and {most:.2g} at most "
        f"({n_pairs:,} pairs)"
    )
