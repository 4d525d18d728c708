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
        description="Formats are native, text, bin (word2vec.c), vec, fasttext (its .bin), glove, "
        "hf (a folder for sentence-transformers), tsv (TensorBoard projector) and parquet. The "
        "source's is found out from its content, the target's from its suffix: .safetensors, "
        ".txt, .bin, .vec, .tsv, .parquet, or a folder/. The loss in similarity of float16 and "
        "int8 is told.",
    )
    parser.add_argument("source", metavar="FROM", help="a vectors file of any format")
    parser.add_argument("target", metavar="TO", help="the file to write")
    parser.add_argument(
        "--from", dest="source_format", metavar="FORMAT", help="the source's format"
    )
    parser.add_argument("--to", dest="target_format", metavar="FORMAT", help="the target's format")
    parser.add_argument(
        "--dtype",
        metavar="TYPE",
        default="float32",
        help="float32; native and parquet also float16 and int8, hf float16 (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read one file and write the other."""
    from fastw2v.formats import check_target, format_of_suffix, read_vectors, write_vectors

    format = args.target_format or format_of_suffix(args.target)
    check_target(format, args.dtype)
    _check_writable(args.target, format)
    found = read_vectors(args.source, args.source_format)
    write_vectors(args.target, found, format, args.dtype)
    kept = {"native"} if args.dtype == "float32" else set()
    left_out = [] if format in kept else _model_parts(found)
    if format in ("native", "fasttext", "parquet") and "counts" in left_out:
        left_out.remove("counts")
    print(f"{args.target}: {len(found.words):,} words of dimension {found.dim}, format {format}")
    if left_out:
        print(f"left out, as this format cannot hold them: {', '.join(left_out)}")
    if args.dtype != "float32":
        _show_loss(found, args.target, format, args.dtype)
    return 0


def _check_writable(target: str, format: str) -> None:
    """Raise SaveError now if the files cannot be written later."""
    import os

    from fastw2v.base.atomic import check_writable
    from fastw2v.formats import files_of

    files = files_of(target, format)
    is_new_folder = format == "hf" and not os.path.isdir(target)
    for file in [target.rstrip("/")] if is_new_folder else files:
        check_writable(file)


def _show_loss(found: "WordVectors", target: str, format: str, dtype: str) -> None:
    """Compare the similarities of what was read with those of what was written."""
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


def _model_parts(found: "WordVectors") -> list[str]:
    """Return the names of what is held beside words and vectors."""
    parts = {
        "counts": found.counts is not None,
        "output vectors": found.output_vectors is not None,
        "output bias": found.output_bias is not None,
        "settings": bool(found.settings),
    }
    return [name for name, is_held in parts.items() if is_held]
