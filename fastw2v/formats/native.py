"""The native format: a whole model in one safetensors file, safe to load from any source.

Required tensors:
- vectors: (n_words, dim) float32, float16 or int8;
- vector_scales: (n_words,) float32, only for int8: row i is vectors[i] * vector_scales[i];
- words: uint8, all words concatenated in UTF-8;
- word_offsets: (n_words + 1,) int64, the start of each word, and the end of the last.
Optional tensors:
- counts: (n_words,) int64;
- output_vectors: (n_outputs, dim) float32;
- output_bias: (n_outputs,) float32;
- input_bias: (dim,) float32, already included in the vectors;
- `further.*`: float32 tensors of a checkpoint.  `further.pending_input_bias`, (dim,), is not yet
  included in the vectors.
Metadata: `fastw2v`, the layout version, and `settings`, a JSON object.
The last tensor holds checksums, see `tensor_file`.  Older files have none.
"""

import json
import os
import struct
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.base.content import HEAD_BYTES, not_vectors
from fastw2v.errors import ModelFormatError, UsageError, reading
from fastw2v.formats.head import Head
from fastw2v.formats.opened import refuse_pipe
from fastw2v.formats.precision import Reduced, reduce_vectors, without_model
from fastw2v.formats.records import NATIVE
from fastw2v.formats.tensor_file import TensorFile, write_tensors
from fastw2v.formats.word_vectors import WordVectors, join_words, split_words

LAYOUT_VERSION = "1"
EXTRA_PREFIX = "further."
PENDING_BIAS = "pending_input_bias"


def looks_like(head: Head) -> bool:
    """Return whether the file starts with a header length and a JSON object."""
    if head.opened.n_bytes is None or head.first_bytes[8:9] != b"{":
        return False
    (n_header,) = struct.unpack("<Q", head.first_bytes[:8])
    return bool(n_header + 8 <= head.opened.n_bytes)


def write(path: str | PathLike[str], word_vectors: WordVectors, *, dtype: str = "float32") -> None:
    """Write a model, streaming the arrays instead of copying them.

    dtype: of the vectors: float32, float16 or int8.  With float16 and int8, only words, vectors
    and counts are written.
    Raises SaveError, or UsageError if the settings cannot be written as JSON.
    """
    name = os.fspath(path)
    words, offsets = join_words(name, word_vectors.words, NATIVE)
    reduced = Reduced(word_vectors.vectors)
    if dtype != "float32":
        reduced = reduce_vectors(name, word_vectors, dtype)
        word_vectors = without_model(word_vectors)
    tensors: dict[str, NDArray[Any] | None] = {
        "vectors": reduced.values,
        "vector_scales": reduced.scales,
        "output_vectors": word_vectors.output_vectors,
        "output_bias": word_vectors.output_bias,
        "input_bias": word_vectors.input_bias,
        "counts": word_vectors.counts,
        "word_offsets": offsets,
        "words": np.frombuffer(words, np.uint8),
        **{EXTRA_PREFIX + key: rows for key, rows in word_vectors.extra_arrays.items()},
    }
    metadata = {"fastw2v": LAYOUT_VERSION, "settings": _settings_json(word_vectors.settings)}
    present = {key: tensor for key, tensor in tensors.items() if tensor is not None}
    with atomic_write(name) as file:
        write_tensors(file, present, metadata, checksums=True)


def read(
    path: str | PathLike[str],
    *,
    mmap: bool = False,
    verify: bool = True,
    limit: int | None = None,
    with_output: bool = True,
    adds_pending: bool = True,
) -> WordVectors:
    """Read a model.

    mmap: map the matrices read-only instead of reading them.
    verify: compare every byte of the file with its checksums, even of tensors that are mapped or
    not returned.  With a limit, only the header and the words are compared.
    limit: maximum number of rows to read; None reads all.  With a limit, only words, vectors and
    counts are read.
    with_output: also read the output vectors, the biases and the extra arrays.
    adds_pending: add the pending input bias of a checkpoint to the vectors, which copies mapped
    vectors.  Otherwise, the bias is returned in `extra_arrays`.
    Raises ReadError, or ModelFormatError naming the file and the problem.
    """
    name = os.fspath(path)
    refuse_pipe(name)
    with reading(name), open(name, "rb") as file:
        if problem := not_vectors(file.peek(HEAD_BYTES)[:HEAD_BYTES]):
            raise ModelFormatError(f"{name}: {problem}")
        model = TensorFile(name, file, mmap=mmap, verify=verify)
        settings = _settings(model)
        vectors = _vectors(model, limit)
        n_words, dim = model.shape("vectors")
        words = _words(model, n_words, len(vectors))
        found = WordVectors(words, vectors, settings=settings)
        found.counts = model.optional("counts", "I64", (n_words,), limit)
        pending = model.optional(EXTRA_PREFIX + PENDING_BIAS, "F32", (dim,))
        if pending is not None and adds_pending:
            found.vectors = vectors + pending
        if with_output and limit is None:
            _read_output(model, found)
            if found.input_bias is not None and pending is not None and adds_pending:
                found.input_bias = found.input_bias + found.extra_arrays.pop(PENDING_BIAS)
        if limit is None:
            model.verify_rest()
            found.is_verified = model.is_verifying
    return found


def _vectors(model: TensorFile, limit: int | None) -> NDArray[np.float32]:
    """Return the vectors as float32; only float32 can be mapped."""
    dtype = model.dtype("vectors") if model.has("vectors") else "F32"
    if dtype not in ("F16", "I8"):
        dtype = "F32"
    values = model.matrix("vectors", dtype, limit)
    if dtype == "F32":
        return values
    n_words = model.shape("vectors")[0]
    scales = model.tensor("vector_scales", "F32", (n_words,), limit) if dtype == "I8" else None
    return Reduced(values, scales).restored()


def _words(model: TensorFile, n_words: int, n_wanted: int) -> list[str]:
    """Return the first n_wanted words after checking all offsets."""
    offsets = model.tensor("word_offsets", "I64", (n_words + 1,))
    text = model.tensor("words", "U8", (None,)).tobytes()
    falls = (offsets[1:] < offsets[:-1]).any()  # differences could overflow
    if offsets[0] != 0 or offsets[-1] != len(text) or falls:
        model.complain(f"word_offsets must rise from 0 to {len(text)}, the length of words")
    words = split_words(text, offsets[: n_wanted + 1])
    if len(set(words)) != len(words):
        model.complain("it contains the same word twice")
    return words


def _read_output(model: TensorFile, found: WordVectors) -> None:
    """Read the output side, the input bias and the extra arrays."""
    found.output_vectors = model.optional("output_vectors", "F32", (None, found.dim))
    n_outputs = None if found.output_vectors is None else len(found.output_vectors)
    found.output_bias = model.optional("output_bias", "F32", (n_outputs,))
    found.input_bias = model.optional("input_bias", "F32", (found.dim,))
    found.extra_arrays = model.of_group(EXTRA_PREFIX)


def _settings(model: TensorFile) -> dict[str, Any]:
    """Return the settings after checking the layout version."""
    version = model.metadata.get("fastw2v")
    if version is None:
        model.complain("a safetensors file, but not a fastw2v model: no `fastw2v` in its metadata")
    if version != LAYOUT_VERSION:
        model.complain(
            f"layout version {version!r}, but this fastw2v reads {LAYOUT_VERSION!r}; update fastw2v"
        )
    try:
        settings = json.loads(model.metadata.get("settings", "{}"))
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        model.complain("its settings are not a JSON object")
    return settings


def _settings_json(settings: dict[str, Any]) -> str:
    """Return the settings as JSON.  Raises UsageError."""
    try:
        return json.dumps(settings)
    except (TypeError, ValueError) as error:
        raise UsageError(f"settings cannot be saved as JSON: {error}") from error
