"""Parquet: columns `word` and `vector` (lists), and optionally `count` and `scale`."""

import importlib
import os
from os import PathLike
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.base.optional import import_optional
from fastw2v.base.word_counts import MAX_COUNT
from fastw2v.errors import ModelFormatError, reading
from fastw2v.formats.head import Head
from fastw2v.formats.header import MAX_DIM
from fastw2v.formats.precision import Reduced, as_float32, reduce_vectors
from fastw2v.formats.records import PARQUET
from fastw2v.formats.word_vectors import WordVectors, drop_repeated, encode_words

MAGIC = b"PAR1"
# Column names that other programs use; fastw2v writes the first.
WORD_COLUMNS = ("word", "words", "token", "key", "text")
VECTOR_COLUMNS = ("vector", "vectors", "embedding", "embeddings")


def looks_like(head: Head) -> bool:
    """Return whether the file starts with Parquet's magic number."""
    return head.first_bytes.startswith(MAGIC)


def write(path: str | PathLike[str], word_vectors: WordVectors, *, dtype: str = "float32") -> None:
    """Write words, vectors, known counts, and scales for int8.

    dtype: of the vectors: float32, float16 or int8.
    Raises SaveError naming a word that is not Unicode, MissingPackageError without pyarrow.
    """
    name = os.fspath(path)
    arrow = _pyarrow()
    encode_words(name, word_vectors.words, PARQUET)
    reduced = reduce_vectors(name, word_vectors, dtype)
    values = arrow.array(np.ascontiguousarray(reduced.values).reshape(-1))
    columns = {
        "word": arrow.array(word_vectors.words, arrow.string()),
        "vector": arrow.FixedSizeListArray.from_arrays(values, word_vectors.dim),
    }
    if word_vectors.counts is not None:
        columns["count"] = arrow.array(word_vectors.counts)
    if reduced.scales is not None:
        columns["scale"] = arrow.array(reduced.scales)
    with atomic_write(path) as file:
        arrow.parquet.write_table(arrow.table(columns), file)


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read words, vectors, and counts and scales if present; also accepts files of Spark.

    Raises ReadError, ModelFormatError naming the problem, MissingPackageError without pyarrow.
    """
    name = os.fspath(path)
    arrow = _pyarrow()
    with reading(name), open(name, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            _complain(name, "not a Parquet file: wrong magic number")
        file.seek(0)
        try:
            return drop_repeated(name, _from_table(name, arrow, file, limit))
        except ModelFormatError:
            raise
        except (arrow.ArrowException, OSError, ValueError, IndexError) as error:
            problem = str(error).partition("\n")[0]
            raise ModelFormatError(f"{name}: not a valid Parquet file: {problem}") from error


def _pyarrow() -> Any:
    """Return pyarrow with its `parquet` module.  Raises MissingPackageError."""
    import_optional(*PARQUET.needs)
    return importlib.import_module("pyarrow")


def _from_table(name: str, arrow: Any, file: BinaryIO, limit: int | None) -> WordVectors:
    """Return the content of a file; damage can raise any of pyarrow's errors."""
    table = arrow.parquet.read_table(file)
    table = table if limit is None else table.slice(0, limit)
    words = _column(name, table, WORD_COLUMNS).cast(arrow.string()).to_pylist()
    if None in words:
        _complain(name, f"row {words.index(None) + 1} has no word")
    vectors = _values(name, _column(name, table, VECTOR_COLUMNS), len(words))
    if "scale" in table.column_names:
        scales = as_float32(_numbers(name, table["scale"], len(words)))
        vectors = Reduced(vectors, scales).restored()
    counts = None
    if "count" in table.column_names:
        counts = _counts(name, _numbers(name, table["count"], len(words)), words)
    return WordVectors(words, as_float32(vectors), counts)


def _complain(name: str, problem: str) -> NoReturn:
    raise ModelFormatError(f"{name}: {problem}")


def _column(name: str, table: Any, names: tuple[str, ...]) -> Any:
    for column in names:
        if column in table.column_names:
            return table[column].combine_chunks()
    _complain(name, f"no column {' or '.join(names)}; it has {', '.join(table.column_names)}")


def _counts(name: str, numbers: NDArray[Any], words: list[str]) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        is_count = (numbers >= 0) & (numbers < MAX_COUNT) & (numbers % 1 == 0)
    if not is_count.all():
        row = int(np.argmin(is_count))
        _complain(name, f"the count of {words[row]!r} is {numbers[row]}")
    return numbers.astype(np.int64, copy=False)


def _numbers(name: str, column: Any, n_rows: int) -> NDArray[Any]:
    found = column.to_numpy()
    if column.null_count or found.dtype.kind not in "iuf" or len(found) != n_rows:
        _complain(name, "the column `count` or `scale` must hold one number per row")
    return np.asarray(found)


def _values(name: str, column: Any, n_rows: int) -> NDArray[Any]:
    """Return the (n_rows, dim) values of a column of lists."""
    if not hasattr(column.type, "value_field") or column.null_count:
        _complain(name, f"its vectors are {column.type}, expected lists of numbers")
    flat = column.flatten()
    lengths = np.diff(column.offsets.to_numpy()) if hasattr(column, "offsets") else None
    if n_rows == 0:
        return np.empty((0, getattr(column.type, "list_size", 1)), np.float32)
    if lengths is not None and lengths.min() != lengths.max():
        _complain(name, f"its vectors differ in length: {lengths.min()} to {lengths.max()} values")
    if flat.null_count or len(flat) % n_rows or not 1 <= len(flat) // n_rows <= MAX_DIM:
        _complain(name, f"{len(flat)} values do not fill {n_rows} vectors, or values are missing")
    values = flat.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "iuf":
        _complain(name, f"its vectors are {column.type}, expected lists of numbers")
    return np.asarray(values.reshape(n_rows, -1))
