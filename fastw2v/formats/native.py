"""The native format: one safetensors file with all of a model, readable without running code.

Tensors: vectors (n_words, dim) float32, float16, or int8 with vector_scales (n_words,) float32
that its rows are multiplied by; words uint8, all words one after the other in UTF-8;
word_offsets (n_words + 1,) int64, where each word starts and the last one ends; and, if held,
counts (n_words,) int64, output_vectors (n_outputs, dim) float32, output_bias (n_outputs,) float32,
input_bias (dim,) float32, which the vectors contain, and in a checkpoint float32 tensors whose
names begin with `further.`; `further.pending_input_bias` (dim,) is yet to be added to the vectors.
Metadata: `fastw2v`, the version of this layout, and `settings`, a JSON object.
"""

import json
import os
import struct
from itertools import pairwise
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.errors import UsageError, reading
from fastw2v.formats.head import Head
from fastw2v.formats.pickled import refuse_pickle
from fastw2v.formats.precision import Reduced, reduce_vectors, without_model
from fastw2v.formats.records import NATIVE
from fastw2v.formats.tensor_file import TensorFile, write_tensors
from fastw2v.formats.word_vectors import WordVectors, decode_words, encode_words

LAYOUT_VERSION = "1"
EXTRA_PREFIX = "further."
PENDING_BIAS = "pending_input_bias"


def looks_like(head: Head) -> bool:
    """Say whether the file starts with the length of a JSON header and its opening brace."""
    if head.opened.n_bytes is None or head.start[8:9] != b"{":
        return False
    (n_header,) = struct.unpack("<Q", head.start[:8])
    return bool(n_header + 8 <= head.opened.n_bytes)


def write(path: str | PathLike[str], word_vectors: WordVectors, *, dtype: str = "float32") -> None:
    """Write everything that `word_vectors` holds; the arrays are streamed, not copied whole.

    dtype: of the vectors; with fewer bits than float32, words, vectors and counts only.
    Raises SaveError, or UsageError if the settings cannot stand in JSON.
    """
    name = os.fspath(path)
    words = encode_words(name, word_vectors.words, NATIVE)
    reduced = Reduced(word_vectors.vectors)
    if dtype != "float32":
        reduced = reduce_vectors(name, word_vectors, dtype)
        word_vectors = without_model(word_vectors)
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(word) for word in words], out=offsets[1:])
    tensors: dict[str, NDArray[Any] | None] = {
        "vectors": reduced.values,
        "vector_scales": reduced.scales,
        "output_vectors": word_vectors.output_vectors,
        "output_bias": word_vectors.output_bias,
        "input_bias": word_vectors.input_bias,
        "counts": word_vectors.counts,
        "word_offsets": offsets,
        "words": np.frombuffer(b"".join(words), np.uint8),
        **{EXTRA_PREFIX + key: rows for key, rows in word_vectors.extra_arrays.items()},
    }
    metadata = {"fastw2v": LAYOUT_VERSION, "settings": _settings_json(word_vectors.settings)}
    held = {key: tensor for key, tensor in tensors.items() if tensor is not None}
    with atomic_write(name) as file:
        write_tensors(file, held, metadata)


def read(
    path: str | PathLike[str],
    *,
    mmap: bool = False,
    limit: int | None = None,
    with_output: bool = True,
    adds_pending: bool = True,
) -> WordVectors:
    """Read a model.

    mmap: leave the matrices in the file and map them, read-only.
    limit: rows to read at most; the output side, which has rows of its own, is then left out.
    with_output: whether to read all but the vectors and counts, where the file holds it.
    adds_pending: add the pending input bias of a checkpoint to the vectors, which copies mapped
    ones; else it stays in `extra_arrays`.
    Raises ReadError, or ModelFormatError naming the file and what is wrong in it.
    """
    name = os.fspath(path)
    with reading(name), open(name, "rb") as file:
        refuse_pickle(name, file)
        model = TensorFile(name, file, mmap=mmap)
        settings = _settings(model)
        vectors = _vectors(model, limit)
        n_words = model.shape("vectors")[0]
        words = _words(model, n_words, len(vectors))
        counts = model.optional("counts", "I64", (n_words,), limit)
        output_vectors = output_bias = input_bias = None
        extra_arrays: dict[str, NDArray[np.float32]] = {}
        dim = vectors.shape[1]
        pending = (
            model.optional(EXTRA_PREFIX + PENDING_BIAS, "F32", (dim,)) if adds_pending else None
        )
        if pending is not None:
            vectors = vectors + pending
        if with_output and limit is None:
            output_vectors = model.optional("output_vectors", "F32", (None, dim))
            n_outputs = None if output_vectors is None else len(output_vectors)
            output_bias = model.optional("output_bias", "F32", (n_outputs,))
            input_bias = model.optional("input_bias", "F32", (dim,))
            extra_arrays = model.of_group(EXTRA_PREFIX)
            if input_bias is not None and pending is not None:
                input_bias = input_bias + extra_arrays.pop(PENDING_BIAS)
    return WordVectors(
        words, vectors, counts, output_vectors, output_bias, settings, extra_arrays, input_bias
    )


def _vectors(model: TensorFile, limit: int | None) -> NDArray[np.float32]:
    """Return the vectors as float32; only such can stay in the file."""
    dtype = model.dtype("vectors") if model.has("vectors") else "F32"
    if dtype not in ("F16", "I8"):
        return model.tensor("vectors", "F32", (None, None), limit)
    values = model.tensor("vectors", dtype, (None, None), limit)
    n_words = model.shape("vectors")[0]
    scales = model.tensor("vector_scales", "F32", (n_words,), limit) if dtype == "I8" else None
    return Reduced(values, scales).restored()


def _words(model: TensorFile, n_words: int, n_wanted: int) -> list[str]:
    """Return the first n_wanted words, having checked that the offsets of all make sense."""
    offsets = model.tensor("word_offsets", "I64", (n_words + 1,))
    text = model.tensor("words", "U8", (None,)).tobytes()
    falls = (offsets[1:] < offsets[:-1]).any()  # not by differences, which can overflow
    if offsets[0] != 0 or offsets[-1] != len(text) or falls:
        model.complain(f"word_offsets must rise from 0 to {len(text)}, the length of words")
    places = offsets[: n_wanted + 1].tolist()
    words = decode_words(text[start:end] for start, end in pairwise(places))
    if len(set(words)) != len(words):
        model.complain("the same word stands in it twice")
    return words


def _settings(model: TensorFile) -> dict[str, Any]:
    """Return the settings, having checked that this is a file of a layout known here."""
    version = model.metadata.get("fastw2v")
    if version is None:
        model.complain("a safetensors file, but not a fastw2v model: no `fastw2v` in its metadata")
    if version != LAYOUT_VERSION:
        model.complain(
            f"layout version {version!r}, and this fastw2v reads {LAYOUT_VERSION!r}; update fastw2v"
        )
    try:
        settings = json.loads(model.metadata.get("settings", "{}"))
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        model.complain("its settings are not a JSON object")
    return settings


def _settings_json(settings: dict[str, Any]) -> str:
    """Return the settings as JSON or raise UsageError."""
    try:
        return json.dumps(settings)
    except (TypeError, ValueError) as error:
        raise UsageError(f"settings cannot be saved as JSON: {error}") from error
