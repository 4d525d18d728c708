"""WordVectors, the content of a file of any format, and words as bytes."""

import os
import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.atomic import set_aside
from fastw2v.base.checks import check_path
from fastw2v.errors import DivergedError, ModelFormatError, SaveError
from fastw2v.formats.records import INDEX_SUFFIX, NATIVE, PARTS, Format, check_target, get_format

BLOCK_ROWS = 4096  # rows processed at a time, to save memory
CHECKED_VALUES = 1 << 15  # whose flags stay in the cache


@dataclass
class WordVectors:
    """Words with their vectors, and the optional parts of a model that a file may hold.

    words: n_words distinct strings; bytes that are not UTF-8 are surrogate escapes.
    vectors: (n_words, dim) float32; rows may be padded, but the values of a row are contiguous.
    counts: (n_words,) int64 word counts, or None.
    output_vectors: (n_outputs, dim) float32, the output matrix of the model, or None.
    output_bias: (n_outputs,) float32, or None.
    input_bias: (dim,) float32, the bias of the input side, included in the vectors, or None.
    settings: the settings of the model; must be serializable as JSON.
    extra_arrays: further float32 arrays by name, which only the native format stores.
    is_finite: whether the reader has found all vectors finite, while they were in the cache.
    damage: why the vectors should not be written, for example because training diverged; else "".
    is_verified: whether every byte of the file they were read from matched its checksums.
    Raises ValueError if shapes or types disagree.
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
    is_verified: bool = False
    is_finite: bool = False

    def __post_init__(self) -> None:
        n_words = len(self.words)
        _check("vectors", self.vectors, np.float32, (n_words, None))
        _check("counts", self.counts, np.int64, (n_words,))
        _check("output_vectors", self.output_vectors, np.float32, (None, self.dim))
        n_outputs = None if self.output_vectors is None else len(self.output_vectors)
        _check("output_bias", self.output_bias, np.float32, (n_outputs,))
        _check("input_bias", self.input_bias, np.float32, (self.dim,))

    def __repr__(self) -> str:
        parts = ", ".join([f"{self.dim} dimensions", *self.parts()])
        return f"WordVectors<{len(self.words):,} words, {parts}>"

    @property
    def dim(self) -> int:
        """Values in one vector."""
        return int(self.vectors.shape[1])

    def parts(self) -> list[str]:
        """Return the keys of PARTS that are present."""
        values = {key: getattr(self, key) for key in PARTS}
        return [key for key, value in values.items() if value is not None and len(value)]

    def check_read(self, path: str | os.PathLike[str]) -> "WordVectors":
        """Return itself if all values read from `path` are finite.

        Raises ModelFormatError naming the first word whose vector is not, or another part.
        """
        row = None if self.is_finite else first_row_not_finite(self.vectors)
        others = (self.output_vectors, self.output_bias, self.input_bias)
        part = part_not_finite(self.vectors[:0], *others) if row is None else None
        if row is None and part is None:
            return self
        whose = f"the {part}" if row is None else f"the vector of {self.words[row]!r}"
        raise ModelFormatError(
            f"{os.fspath(path)}: {whose} {'is' if part is None else 'are'} not finite in float32; "
            "allow_non_finite=True reads them anyway"
        )

    def check_finite(self, path: str | os.PathLike[str]) -> None:
        """Raise DivergedError if a value is not finite or training diverged.

        path: the file that is not written, for the message.
        """
        damage = self.damage
        part = part_not_finite(self.vectors, self.output_vectors, self.output_bias, self.input_bias)
        if part is not None:
            damage = f"the {part} contain non-finite values"
        if damage:
            raise DivergedError(
                f"{os.fspath(path)} was not written: {damage}; "
                "pass allow_non_finite=True to write it anyway"
            )


def first_row_not_finite(rows: NDArray[np.floating[Any]]) -> int | None:
    """Return the first of (n_rows, dim) rows with a value that is not finite, or None."""
    n_block = max(1, CHECKED_VALUES // max(1, rows.shape[1]))
    for begin in range(0, len(rows), n_block):
        is_finite = np.isfinite(rows[begin : begin + n_block])
        if not is_finite.all():
            return begin + int(np.argmin(is_finite.all(axis=1)))
    return None


def part_not_finite(
    vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32] | None,
    output_bias: NDArray[np.float32] | None,
    input_bias: NDArray[np.float32] | None = None,
) -> str | None:
    """Return the name of the first array with a non-finite value, or None."""
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
    """Raise ValueError unless the array has this type and shape; None matches any length."""
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
    """Decode the words; the defaults preserve every byte."""
    return [word.decode(encoding, errors) for word in words]


def split_words(text: bytes, offsets: NDArray[np.int64]) -> list[str]:
    """Return the words that are written one after the other.

    offsets: (n_words + 1,) rising, the start of each word, and the end of the last.
    """
    try:
        decoded = text.decode()  # all at once: 40 % faster than word by word
    except UnicodeDecodeError:
        decoded = None
    if decoded is not None and len(decoded) < len(text):
        starts = (np.frombuffer(text, np.uint8) & 0xC0) != 0x80  # where a character begins
        if starts[offsets[offsets < len(text)]].all():
            offsets = np.concatenate([[0], np.cumsum(starts)])[offsets]
        else:  # a character lies in two words
            decoded = None
    bounds = pairwise(offsets.tolist())
    if decoded is None:
        return decode_words(text[begin:end] for begin, end in bounds)
    return [decoded[begin:end] for begin, end in bounds]


def encode_words(path: str, words: Sequence[str], format: Format) -> list[bytes]:
    """Encode the words as UTF-8.

    Raises SaveError naming a word that is not Unicode, is repeated, or that the format cannot hold.
    """
    try:
        encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    except UnicodeEncodeError as error:
        raise SaveError(f"cannot write {path}: {error.object!r} is not Unicode text") from error
    _check_words(path, words, encoded, format)
    return encoded


def join_words(path: str, words: Sequence[str], format: Format) -> tuple[bytes, NDArray[np.int64]]:
    """Return the words in UTF-8, one after the other, and (n_words + 1,) int64, where each begins.

    Raises SaveError as encode_words() does.
    """
    offsets = np.zeros(len(words) + 1, np.int64)
    text = _core.join_words([*words], offsets)
    if text is not None:
        _check_words(path, words, words, format)
        return text, offsets
    encoded = encode_words(path, words, format)  # with surrogate escapes, two can be the same
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    return b"".join(encoded), offsets


def _check_words(
    path: str, words: Sequence[str], written: Sequence[Hashable], format: Format
) -> None:
    """Raise SaveError for a word whose written form is repeated or that the format refuses."""
    if len(set(written)) != len(written):
        word = words[repeated_rows(written)[0]]
        raise SaveError(f"cannot write {path}: word {word!r} occurs twice")
    if format.refused is not None:
        refused = next(filter(format.refused.search, words), None)
        if refused is not None:
            raise SaveError(
                f"cannot write {path}: this format cannot hold the word {refused!r} "
                f"({format.refused_words}); the {NATIVE.name} format can"
            )


def repeated_rows(words: Sequence[Hashable]) -> list[int]:
    """Return the positions of words that also occur earlier in the list."""
    seen: set[Hashable] = set()
    repeated = []
    for row, word in enumerate(words):
        if word in seen:
            repeated.append(row)
        seen.add(word)
    return repeated


def drop_repeated(path: str, word_vectors: WordVectors) -> WordVectors:
    """Keep only the first row of each word; warn with the number of dropped rows."""
    words = word_vectors.words
    if len(set(words)) == len(words):
        return word_vectors
    repeated = repeated_rows(words)
    warnings.warn(
        f"{path}: {len(repeated)} of {len(words)} rows repeat an earlier word "
        f"(the first is {words[repeated[0]]!r}) and were skipped",
        stacklevel=3,
    )
    rows = sorted(set(range(len(words))).difference(repeated))
    counts = None if word_vectors.counts is None else word_vectors.counts[rows]
    return WordVectors([words[row] for row in rows], word_vectors.vectors[rows], counts)


def write_vectors(
    path: str | PathLike[str], word_vectors: WordVectors, format: str, dtype: str = "float32"
) -> None:
    """Write a vectors file; an index of older vectors beside it is removed.

    format: a name in FORMATS.
    dtype: type of the vectors in the file: float32, float16 or int8, if the format can store it.
    Raises SaveError, or UsageError for an invalid argument.
    """
    check_path("path", path)
    check_target(format, dtype, path)
    options = {} if dtype == "float32" else {"dtype": dtype}
    with set_aside(os.fspath(path) + INDEX_SUFFIX):
        get_format(format).load().write(path, word_vectors, **options)
