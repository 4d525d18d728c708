"""Read a column of JSON lines, CSV and TSV files."""

import csv
import json
import threading
from collections.abc import Iterator
from itertools import chain

from fastw2v.base.content import JSON_LINES, table_kind
from fastw2v.corpus.arrow import chosen_column
from fastw2v.corpus.sources import Source, SourceReader
from fastw2v.corpus.tokenizers import MAX_LINE_BYTES
from fastw2v.errors import CorpusError

DELIMITERS = {"CSV": ",", "TSV": "\t"}
JSON_TYPES: dict[type, str] = {str: "a text", list: "a list of words"}  # of one column
Cell = str | list[object] | None


def cells_of_files(sources: list[Source], column: str, stop: threading.Event) -> Iterator[Cell]:
    """Yield the cells of a column: texts or lists of tokens, None for empty ones.

    Compressed files are decompressed, and nothing is read whole.  stop: ends the reading.
    Raises UsageError if there is no such column, ReadError, and CorpusError, which names the file
    and the line, for what is no JSON object or no row of the table.
    """
    for source in sources:
        reader = SourceReader(source, stop)
        try:
            lines = _lines(reader)
            first = next(lines, b"")
            kind = table_kind(source.path) or _kind_of_line(first)
            lines = chain([first], lines)
            if kind == JSON_LINES:
                yield from _json_cells(reader.name, lines, column)
            else:
                yield from _csv_cells(reader.name, lines, column, DELIMITERS[kind])
        finally:
            reader.close()


def _kind_of_line(first: bytes) -> str:
    """Return the kind of a table without a name by its first line."""
    if first.lstrip().startswith(b"{"):
        return JSON_LINES
    return "TSV" if b"\t" in first else "CSV"


def _lines(reader: SourceReader) -> Iterator[bytes]:
    """Yield the lines of a source without their newlines."""
    rest, number = b"", 0
    while text := reader.read():
        lines = (rest + text).split(b"\n")
        rest = lines.pop()
        number += len(lines)
        yield from lines
        if len(rest) > MAX_LINE_BYTES:
            raise CorpusError(
                f"{reader.name}, line {number + 1}: it has more than {MAX_LINE_BYTES:,} bytes"
            )
    if rest:
        yield rest


def _json_cells(name: str, lines: Iterator[bytes], column: str) -> Iterator[Cell]:
    kind: type | None = None  # of the cells
    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        place = f"{name}, line {number}"
        try:
            row = json.loads(line.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{place} is not JSON: {error}") from None
        if not isinstance(row, dict):
            raise CorpusError(f"{place}: expected a JSON object, got {row!r:.80}")
        if column not in row:
            raise CorpusError(f"{place}: there is no {column!r}, only {', '.join(row)}")
        cell: Cell = row[column]
        if kind is None and type(cell) in JSON_TYPES:
            kind = type(cell)
        if cell is not None and (kind is None or not isinstance(cell, kind)):
            expected = JSON_TYPES[kind] if kind else " or ".join(JSON_TYPES.values())
            raise CorpusError(f"{place}: {column!r} must be {expected}, got {cell!r:.80}")
        yield cell


def _csv_cells(name: str, lines: Iterator[bytes], column: str, delimiter: str) -> Iterator[str]:
    # A limit of the whole process, by default 131,072: texts can be longer.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    text = (line.decode("utf-8", "surrogateescape") + "\n" for line in lines)
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        names = next(rows, [])
        index = names.index(chosen_column(names, column, name))
        for row in rows:
            if len(row) != len(names) and row:
                raise CorpusError(
                    f"{name}, line {rows.line_num}: {len(row)} fields, but the first line has "
                    f"{len(names)}"
                )
            if row:
                yield row[index]
    except csv.Error as error:
        raise CorpusError(f"{name}, line {rows.line_num}: {error}") from None
