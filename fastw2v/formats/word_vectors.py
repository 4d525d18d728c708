"""Words and vectors as they stand in any file, and words as bytes."""

import os
import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import DivergedError, SaveError
from fastw2v.formats.records import NATIVE, PARTS, Format, check_target, get_format

BLOCK_ROWS = 4096  # looked at at a time, so that it needs little memory


@dataclass
class WordVectors:
    """Words with their vectors, and what else a file may hold of a model.

    words: n_words different strings; bytes that are not UTF-8 stand as surrogate escapes.
    vectors: (n_words, dim) float32; the rows may lie apart (padded), the values of a row may not.
    counts: (n_words,) int64, how often each word was seen, or None.
    output_vectors: (n_outputs, dim) float32, the second matrix of the model, or None.
    output_bias: (n_outputs,) float32, or None.
    input_bias: (dim,) float32, the bias of the input side that the vectors contain, or None.
    settings: what the model was trained with; anything that JSON can hold.
    extra_arrays: more float32 arrays, by name, which the native format alone holds.
    damage: why the vectors are not worth writing, as of training that diverged; "" if they are.
    Raises ValueError if the shapes or types disagree.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None
    output_vectors: NDArray[np.float32] | None = None
    output_bias: NDArray[np.float32] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    extra_arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    input_bias: NDArray[np.float32] | None = None
    damage: str = ""

    def __post_init__(self) -> None:
        n_words = len(self.words)
        _check("vectors", self.vectors, np.float32, (n_words, None))
        _check("counts", self.counts, np.int64, (n_words,))
        _check("output_vectors", self.output_vectors, np.float32, (None, self.dim))
        n_outputs = None if self.output_vectors is None else len(self.output_vectors)
        _check("output_bias", self.output_bias, np.float32, (n_outputs,))
        _check("input_bias", self.input_bias, np.float32, (self.dim,))

    @property
    def dim(self) -> int:
        """Values in one vector."""
        return int(self.vectors.shape[1])

    def parts(self) -> list[str]:
        """Return the keys of PARTS that it holds."""
        values = {key: getattr(self, key) for key in PARTS}
        return [key for key, value in values.items() if value is not None and len(value)]

    def check_finite(self, path: str | os.PathLike[str]) -> None:
        """Raise DivergedError, which says that `path` is not written, if a value is not finite.

        And if training has diverged.
        """
        damage = self.damage
        part = part_not_finite(self.vectors, self.output_vectors, self.output_bias, self.input_bias)
        if part is not None:
            damage = f"the {part} hold values that are not finite"
        if damage:
            raise DivergedError(
                f"{os.fspath(path)} is not written: {damage}; "
                "allow_non_finite=True writes them all the same"
            )


def part_not_finite(
    vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32] | None,
    output_bias: NDArray[np.float32] | None,
    input_bias: NDArray[np.float32] | None = None,
) -> str | None:
    """Return the name of the first array with a value that is not finite, None if there is none."""
    parts = {
        "vectors": vectors,
        "output vectors": output_vectors,
        "output bias": output_bias,
        "input bias": input_bias,
    }
    for name, rows in parts.items():
        if rows is None:
            continue
        for begin in range(0, len(rows), BLOCK_ROWS):
            if not np.isfinite(rows[begin : begin + BLOCK_ROWS]).all():
                return name
    return None


def _check(
    name: str, array: NDArray[Any] | None, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> None:
    """Raise ValueError unless the array has this type and shape; None fits any length."""
    if array is None:
        return
    fits = array.ndim == len(shape) and all(
        want in (None, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != dtype:
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(
            f"{name} must be {np.dtype(dtype)} of shape ({wanted}), "
            f"got {array.dtype} of shape {array.shape}"
        )


def decode_words(
    words: Iterable[bytes], encoding: str = "utf-8", errors: str = "surrogateescape"
) -> list[str]:
    """Return the words as strings; by default no byte is lost."""
    return [word.decode(encoding, errors) for word in words]


def encode_words(path: str, words: Sequence[str], format: Format) -> list[bytes]:
    """Return the words as bytes.

    Raises SaveError naming a word that no file can give back, or that the format cannot hold.
    """
    try:
        encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    except UnicodeEncodeError as error:
        raise SaveError(f"cannot write {path}: {error.object!r} is not Unicode text") from error
    if len(set(encoded)) != len(encoded):
        word = words[repeated_rows(encoded)[0]]
        raise SaveError(f"cannot write {path}: word {word!r} occurs twice")
    if format.refused is not None:
        refused = next(filter(format.refused.search, words), None)
        if refused is not None:
            raise SaveError(
                f"cannot write {path}: this format cannot hold the word {refused!r} "
                f"({format.refused_words}); the {NATIVE.name} format can"
            )
    return encoded


def repeated_rows(words: Sequence[Hashable]) -> list[int]:
    """Return the positions of all words that stood earlier in the list already."""
    seen: set[Hashable] = set()
    repeated = []
    for row, word in enumerate(words):
        if word in seen:
            repeated.append(row)
        seen.add(word)
    return repeated


def drop_repeated(path: str, word_vectors: WordVectors) -> WordVectors:
    """Return only the first row of each word, with a warning that counts the others."""
    words = word_vectors.words
    if len(set(words)) == len(words):
        return word_vectors
    repeated = repeated_rows(words)
    warnings.warn(
        f"{path}: {len(repeated)} of {len(words)} rows repeat an earlier word "
        f"(the first is {words[repeated[0]]!r}) and were left out",
        stacklevel=3,
    )
    kept = sorted(set(range(len(words))).difference(repeated))
    counts = None if word_vectors.counts is None else word_vectors.counts[kept]
    return WordVectors([words[row] for row in kept], word_vectors.vectors[kept], counts)


def write_vectors(
    path: str | PathLike[str], word_vectors: WordVectors, format: str, dtype: str = "float32"
) -> None:
    """Write a vectors file.

    format: a name in FORMATS.  dtype: of the vectors, one that the format can store.
    Raises SaveError or UsageError.
    """
    check_target(format, dtype)
    options = {} if dtype == "float32" else {"dtype": dtype}
    get_format(format).load().write(path, word_vectors, **options)
