"""Read rows that are mappings, and Hugging Face datasets, which are recognised by their methods."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from fastw2v.corpus.arrow import chosen_column, count_arrays, pyarrow
from fastw2v.corpus.cells import CellCounter, as_lines
from fastw2v.errors import CorpusError

DATASET_ROWS = 1 << 12  # rows per batch


def is_dataset(data: object) -> bool:
    """Return whether an object has the methods of datasets.Dataset or IterableDataset."""
    return all(hasattr(data, name) for name in ("column_names", "with_format", "iter"))


def count_dataset(data: Any, column: str | None, counter: CellCounter) -> None:
    """Count the cells of a dataset's column, in batches of Arrow data."""
    names = data.column_names  # None for a stream that does not know them before its first row
    name = column if names is None and column else chosen_column(names or [], column, "the dataset")
    batches = data.select_columns([name]).with_format("arrow").iter(batch_size=DATASET_ROWS)
    arrays = (array for table in batches for array in table.column(name).chunks)
    count_arrays(pyarrow("the dataset"), arrays, f"column {name!r}", counter)


def with_first_cell(cells: Iterator[Any]) -> tuple[bool, Iterator[Any]]:
    """Return whether the first cell that is not None is a text, and all cells."""
    first = list(_until_not_none(cells))
    return bool(first) and isinstance(first[-1], str), chain(first, cells)


def cells_of_rows(rows: Iterable[Any], column: str) -> Iterator[Any]:
    """Yield the cells of a column of mappings.

    Raises CorpusError if a row is not a mapping or lacks the column.
    """
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise CorpusError(
                f"row {number} is not a mapping and has no column {column!r}: {row!r:.80}"
            )
        if column not in row:
            raise CorpusError(f"row {number} has no column {column!r}, only {', '.join(row)}")
        yield row[column]


def _until_not_none(cells: Iterator[Any]) -> Iterator[Any]:
    for cell in cells:
        yield cell
        if cell is not None:
            return


def count_texts(cells: Iterator[Any], counter: CellCounter) -> None:
    """Count cells that are strings, or None if empty; raise CorpusError for other cells."""
    for text in as_lines(cells):
        counter.add_text(text)
