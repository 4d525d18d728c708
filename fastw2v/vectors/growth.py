"""Helpers for adding words: find new keys, resize attribute columns."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Word = TypeVar("Word", bound=Hashable)


def split_keys(
    keys: Sequence[Word], key_to_index: Mapping[Word, int], replace: bool
) -> tuple[dict[Word, int], dict[int, int]]:
    """Return {new key: position in keys} and {row of known key: position in keys}.

    replace: use the last of equal keys, and replace known keys.  Otherwise, use the first of equal
    keys, and leave out known keys.
    """
    added: dict[Word, int] = {}
    replaced: dict[int, int] = {}
    for position, key in enumerate(keys):
        if key in key_to_index:
            if replace:
                replaced[key_to_index[key]] = position
        elif replace or key not in added:
            added[key] = position
    return added, replaced


def checked_columns(
    columns: Mapping[str, ArrayLike] | None, n_keys: int
) -> dict[str, NDArray[Any]]:
    """Return the columns as arrays.  Raises ValueError unless each has shape (n_keys,)."""
    arrays = {name: np.asarray(column) for name, column in (columns or {}).items()}
    for name, column in arrays.items():
        if column.shape != (n_keys,):
            raise ValueError(f"{n_keys} keys need as many {name!r}, got {column.shape}")
    return arrays


def allocate_columns(
    columns: dict[str, NDArray[Any]], n_rows: int, types: Iterable[tuple[str, Any]]
) -> None:
    """Create each named column, or resize it to n_rows; new values are zero.

    Raises TypeError if a column exists with another type.
    """
    for name, kind in types:
        dtype = np.dtype(object if kind is str else np.int64 if kind is int else kind)
        old = columns.get(name, np.zeros(0, dtype))
        if not np.issubdtype(dtype, old.dtype):
            raise TypeError(
                f"Can't allocate type {kind} for attribute {name}, "
                f"conflicts with its existing type {old.dtype}"
            )
        if len(old) != n_rows or name not in columns:
            columns[name] = np.zeros(n_rows, old.dtype)
            columns[name][: len(old)] = old[:n_rows]
