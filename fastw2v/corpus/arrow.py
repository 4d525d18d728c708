"""Read columns of Arrow data, from libraries with its C interface and from Parquet files."""

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastw2v.base.checks import shown
from fastw2v.base.optional import import_optional
from fastw2v.corpus.cells import TEXT_BYTES, CellCounter
from fastw2v.corpus.sources import Source
from fastw2v.errors import CorpusError, ReadError, UsageError

LIST_TYPES = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
PARQUET_ROWS = 1 << 16  # decoded at a time


def is_arrow(data: object) -> bool:
    """Return whether an object exports Arrow data."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


def has_pyarrow() -> bool:
    """Return whether pyarrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def pyarrow(what: str) -> Any:
    """Return the module pyarrow; raise MissingPackageError, which names `what`, if missing."""
    purpose = f"cannot read {what}: Arrow"
    import_optional("pyarrow.compute", "arrow", purpose)
    return import_optional("pyarrow", "arrow", purpose)


def chosen_column(names: list[str], asked: str | None, what: str) -> str:
    """Return the requested or the only column; raise UsageError if there is no such column."""
    if asked is None and len(names) == 1:
        return names[0]
    if asked not in names:
        given = "none was given" if asked is None else f"got {shown(asked)}"
        raise UsageError(f"column must be one of {', '.join(names)} in {what}, {given}")
    return asked


def count_arrow(data: Any, column: str | None, counter: CellCounter) -> str:
    """Count the cells of Arrow data and return the name of the column in errors.

    data: object with __arrow_c_stream__ or __arrow_c_array__.
    column: column of a table; optional if there is only one.
    Raises MissingPackageError, UsageError for the column, CorpusError for unsuitable data.
    """
    what = f"the {type(data).__name__}"
    pa = pyarrow(what)
    try:
        name, arrays = _arrays_of(pa, data, column, what)
        count_arrays(pa, arrays, name, counter)
    except pa.ArrowException as error:
        raise CorpusError(f"cannot take {what} as Arrow data: {error}") from error
    return name


def count_parquet(sources: list[Source], column: str | None, counter: CellCounter) -> None:
    """Count the cells of a column of Parquet files."""
    pa = pyarrow(sources[0].name)
    parquet = importlib.import_module("pyarrow.parquet")
    for source in sources:
        try:
            with source.open() as opened, parquet.ParquetFile(opened) as file:
                name = chosen_column(file.schema_arrow.names, column, source.name)
                batches = file.iter_batches(PARQUET_ROWS, columns=[name])
                what = f"{source.name}, column {name!r}"
                count_arrays(pa, (batch.column(0) for batch in batches), what, counter)
            source.check_unchanged()
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, ReadError):
                raise
            source.check_unchanged()
            raise ReadError(f"cannot read {source.name}: {error}") from error


def count_arrays(pa: Any, arrays: Iterator[Any], what: str, counter: CellCounter) -> None:
    """Count pyarrow arrays of strings to split, or of lists of strings or integers.

    Null cells are empty sentences.  Raises CorpusError for other types and for null tokens.
    """
    n_rows = 0
    for cells in arrays:
        cells = _plain(pa, cells)
        if _is_text(pa, cells.type):
            for text in _joined(pa, cells):
                counter.add_text(text)
        elif _is_list(pa, cells.type) and _is_token(pa, cells.type.value_type):
            _add_lists(pa, cells, counter, (what, n_rows))
        else:
            raise CorpusError(
                f"{what} must hold strings, or lists of strings or integers, got {cells.type}"
            )
        n_rows += len(cells)


def _arrays_of(pa: Any, data: Any, column: str | None, what: str) -> tuple[str, Iterator[Any]]:
    """Return the name of the column in errors, and its arrays."""
    if hasattr(data, "__arrow_c_stream__"):
        try:
            reader = pa.RecordBatchReader.from_stream(data)
        except pa.ArrowInvalid:  # not a stream of structs
            return _no_column(column, what), iter(pa.chunked_array(data).chunks)
        names = reader.schema.names
        index = names.index(chosen_column(names, column, what))
        return f"column {names[index]!r}", (batch.column(index) for batch in reader)
    array = pa.array(data)
    if not pa.types.is_struct(array.type):
        return _no_column(column, what), iter([array])
    names = [field.name for field in array.type]
    index = names.index(chosen_column(names, column, what))
    return f"column {names[index]!r}", iter([array.field(index)])


def _no_column(column: str | None, what: str) -> str:
    if column is not None:
        raise UsageError(f"column is for tables, but {what} is a single column; leave it out")
    return what


def _add_lists(pa: Any, cells: Any, counter: CellCounter, batch_start: tuple[str, int]) -> None:
    lengths = pa.compute.list_value_length(cells).fill_null(0)
    ends = np.cumsum(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)
    values = _plain(pa, cells.flatten())
    if values.null_count:
        first = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
        what, row = batch_start[0], batch_start[1] + int(np.searchsorted(ends, first, "right")) + 1
        raise CorpusError(f"{what}, row {row}: a token is null")
    numbered = values.dictionary_encode()
    token_indices = numbered.indices.to_numpy(zero_copy_only=False)
    counter.add_tokens(numbered.dictionary.to_pylist(), token_indices, ends)


def _joined(pa: Any, cells: Any) -> Iterator[memoryview]:
    """Yield string cells as lines of text, several at a time; newlines become spaces."""
    n_rows = max(1, len(cells) * TEXT_BYTES // max(cells.nbytes, 1))
    for first in range(0, len(cells), n_rows):
        some = cells.slice(first, n_rows).fill_null("")
        lines = pa.compute.replace_substring(some, "\n", " ")
        newline, nothing = (pa.scalar(text, pa.large_string()) for text in ("\n", ""))
        lines = pa.compute.binary_join_element_wise(lines, newline, nothing)
        _, ends, text = lines.buffers()
        last = lines.offset + len(lines)
        begin, end = np.frombuffer(ends, np.int64)[[lines.offset, last]]
        yield memoryview(text).cast("B")[begin:end]


def _plain(pa: Any, array: Any) -> Any:
    """Return an array without dictionary encoding, and with strings as large_string."""
    if pa.types.is_dictionary(array.type):
        words = _plain(pa, array.dictionary)
        return pa.DictionaryArray.from_arrays(array.indices, words).dictionary_decode()
    return array.cast(pa.large_string()) if _is_text(pa, array.type) else array


def _is_text(pa: Any, type: Any) -> bool:
    return type in (pa.string(), pa.large_string()) or str(type) == "string_view"


def _is_list(pa: Any, type: Any) -> bool:
    tests = (getattr(pa.types, f"is_{name}", None) for name in LIST_TYPES)  # views are recent
    return any(test(type) for test in tests if test)


def _is_token(pa: Any, type: Any) -> bool:
    inner = type.value_type if pa.types.is_dictionary(type) else type
    return _is_text(pa, inner) or bool(pa.types.is_integer(inner))
