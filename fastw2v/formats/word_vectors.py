"""What every format reads into and writes from."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import DivergedError
from fastw2v.formats.records import PARTS

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
    further: more float32 arrays, by name, which the native format alone holds.
    damage: why the vectors are not worth writing, as of training that diverged; "" if they are.
    Raises ValueError if the shapes or types disagree.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None
    output_vectors: NDArray[np.float32] | None = None
    output_bias: NDArray[np.float32] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    further: dict[str, NDArray[np.float32]] = field(default_factory=dict)
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
