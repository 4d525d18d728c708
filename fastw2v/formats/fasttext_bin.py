"""fastText's .bin: read with or without n-grams, written without n-grams.

Layout, little-endian:
- int32 magic, int32 version;
- settings: 12 int32 and a float64;
- dictionary: int32 n_entries, n_words, n_labels, int64 n_tokens, n_pruned; then for each entry its
  bytes, NUL, int64 count, int8 type;
- input matrix and output matrix, each: a byte (1 if quantised), int64 rows, int64 columns, float32
  values.
"""

import os
import struct
import warnings
from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.compression import write_packed
from fastw2v.base.content import FASTTEXT_MAGIC
from fastw2v.errors import ModelFormatError
from fastw2v.formats.head import Head
from fastw2v.formats.header import MAX_DIM, MAX_WORD_BYTES
from fastw2v.formats.opened import UNCHECKED_BYTES, open_vectors
from fastw2v.formats.records import FASTTEXT
from fastw2v.formats.tensor_file import write_rows
from fastw2v.formats.word_vectors import WordVectors, decode_words, drop_repeated, encode_words

MAGIC = FASTTEXT_MAGIC
VERSION = 12
SENTENCE_END = b"</s>"  # the only word without n-grams
BLOCK_BYTES = 1 << 20
# fastText's codes for the objective and the model.
LOSSES = {"hs": 1, "ns": 2, "softmax": 3}
CBOW, SKIP_GRAM = 1, 2


class _Settings(NamedTuple):
    """The settings after magic and version; defaults are fastText's, but without n-grams."""

    dim: int
    window: int = 5
    epochs: int = 5
    min_count: int = 5
    negative: int = 5
    word_ngrams: int = 1
    loss: int = LOSSES["ns"]
    model: int = SKIP_GRAM
    bucket: int = 0
    minn: int = 0
    maxn: int = 0
    lr_update_rate: int = 100
    sample: float = 1e-4


_SETTINGS = struct.Struct("<12id")
_DICTIONARY = struct.Struct("<3i2q")
_COUNT_AND_TYPE = struct.Struct("<qb")
_MATRIX = struct.Struct("<b2q")


def looks_like(head: Head) -> bool:
    """Return whether the file starts with fastText's magic number."""
    return head.first_bytes.startswith(MAGIC)


def write(path: str | PathLike[str], word_vectors: WordVectors) -> None:
    """Write a model without n-grams, which fastText and gensim can load.

    If the model has no output row per word, the output matrix is zeros.  Unknown counts become 1.
    Raises SaveError naming a word that contains a zero byte.
    """
    name = os.fspath(path)
    words = encode_words(name, word_vectors.words, FASTTEXT)
    n_words = len(words)
    counts = word_vectors.counts if word_vectors.counts is not None else np.ones(n_words, np.int64)
    outputs = word_vectors.output_vectors
    if outputs is None or len(outputs) < n_words:
        outputs = np.broadcast_to(np.float32(0), word_vectors.vectors.shape)
    outputs = outputs[-n_words:]  # those of a Huffman tree come first
    with write_packed(path) as file:
        file.write(MAGIC + struct.pack("<i", VERSION) + _SETTINGS.pack(*_settings(word_vectors)))
        file.write(_DICTIONARY.pack(n_words, n_words, 0, int(counts.sum()), -1))
        for word, count in zip(words, counts.tolist(), strict=True):
            file.write(word + b"\0" + _COUNT_AND_TYPE.pack(count, 0))
        for matrix in (word_vectors.vectors, outputs):
            file.write(_MATRIX.pack(0, *matrix.shape))
            write_rows(file, matrix)


def _settings(word_vectors: WordVectors) -> _Settings:
    """Return the model's settings as fastText's, with fastText's defaults for unknown ones."""
    known = word_vectors.settings
    settings = _Settings(word_vectors.dim)._asdict()
    for name in ("epochs", "min_count", "negative", "window"):
        value = known.get(name)
        if isinstance(value, int) and 0 <= value < 2**31:  # an int32 there
            settings[name] = value
    if isinstance(known.get("sample"), float):
        settings["sample"] = known["sample"]
    settings["loss"] = LOSSES.get(str(known.get("objective")), LOSSES["ns"])
    settings["model"] = CBOW if known.get("sg") is False else SKIP_GRAM
    return _Settings(**settings)


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the words, counts and vectors, equal to those of fastText's get_word_vector.

    The file may be compressed.  Classifier labels are skipped with a warning.
    Raises ReadError, or ModelFormatError naming the file.  Quantised and pruned models are not
    supported and raise ModelFormatError.
    """
    name = os.fspath(path)
    with open_vectors(name) as opened:
        reader = _Reader(name, opened.file, opened.n_bytes)
        if reader.take(4) != MAGIC:
            reader.complain("not a fastText model: wrong magic number")
        (version,) = struct.unpack("<i", reader.take(4))
        if version not in (11, VERSION):
            reader.complain(f"fastText format version {version} is not 11 or 12")
        settings = _Settings(*_SETTINGS.unpack(reader.take(_SETTINGS.size)))
        dictionary = reader.dictionary()
        has_n_grams = _has_n_grams(settings, version, dictionary)
        rows = reader.input_matrix(settings, dictionary.n_words, None if has_n_grams else limit)
        word_vectors = _word_vectors(settings, has_n_grams, dictionary, rows, limit)
    return drop_repeated(name, word_vectors)


@dataclass(frozen=True)
class _Dictionary:
    """The words of a file and their counts.  has_n_grams: False if all were pruned."""

    words: list[bytes]
    counts: list[int]
    has_n_grams: bool

    @property
    def n_words(self) -> int:
        return len(self.words)


def _has_n_grams(settings: _Settings, version: int, dictionary: _Dictionary) -> bool:
    """Return whether a vector is the mean of a word's row and the rows of its n-grams."""
    is_old_classifier = version == 11 and settings.model not in (CBOW, SKIP_GRAM)
    can_have = settings.maxn > 0 and settings.bucket > 0 and dictionary.has_n_grams
    return can_have and not is_old_classifier


def _word_vectors(
    settings: _Settings,
    has_n_grams: bool,
    dictionary: _Dictionary,
    rows: NDArray[np.uint8],
    limit: int | None,
) -> WordVectors:
    """Return the words with their rows, or with the means of their rows and n-gram rows."""
    words, dim = dictionary.words[:limit], settings.dim
    counts = np.array(dictionary.counts[:limit], np.int64)
    if not has_n_grams:
        own = rows[: 4 * dim * len(words)].view("<f4").astype(np.float32, copy=False)
        return WordVectors(decode_words(words), own.reshape(len(words), dim), counts)
    vectors = np.empty((len(words), dim), np.float32)
    marked = [None if word == SENTENCE_END else b"<" + word + b">" for word in words]
    n_grams = (settings.bucket, settings.minn, settings.maxn)
    _core.subword_means(rows, dictionary.n_words, n_grams, marked, vectors)
    return WordVectors(decode_words(words), vectors, counts)


class _Reader:
    """Read the parts of a file in order; raise ModelFormatError for damage."""

    def __init__(self, name: str, file: BinaryIO, n_bytes: int | None) -> None:
        self.name = name
        self._file = file
        self._n_bytes = n_bytes
        self._data = b""
        self._place = 0

    def complain(self, problem: str) -> NoReturn:
        """Raise ModelFormatError naming the file."""
        raise ModelFormatError(f"{self.name}: {problem}")

    def take(self, n_bytes: int) -> bytes:
        """Return the next n_bytes bytes."""
        while len(self._data) - self._place < n_bytes:
            self._fill()
        self._place += n_bytes
        return self._data[self._place - n_bytes : self._place]

    def _fill(self) -> None:
        more = self._file.read(max(BLOCK_BYTES, len(self._data) - self._place))
        if not more:
            self.complain("the file is truncated")
        self._data, self._place = self._data[self._place :] + more, 0

    def _take_word(self) -> bytes:
        while (end := self._data.find(b"\0", self._place)) < 0:
            if len(self._data) - self._place > MAX_WORD_BYTES:
                self.complain(f"a word longer than {MAX_WORD_BYTES:,} bytes")
            self._fill()
        word, self._place = self._data[self._place : end], end + 1
        return word

    def dictionary(self) -> _Dictionary:
        """Return the words, which precede the labels; labels are skipped with a warning."""
        n_entries, n_words, n_labels, _, n_pruned = _DICTIONARY.unpack(self.take(_DICTIONARY.size))
        if min(n_words, n_labels) < 0 or n_entries != n_words + n_labels:
            self.complain(f"{n_entries} entries do not match {n_words} words and {n_labels} labels")
        words: list[bytes] = []
        counts: list[int] = []
        for number in range(n_entries):
            word = self._take_word()
            count, kind = _COUNT_AND_TYPE.unpack(self.take(_COUNT_AND_TYPE.size))
            if kind != (number >= n_words) or count < 0:
                self.complain(f"dictionary entry {number + 1} is damaged")
            if number < n_words:
                words.append(word)
                counts.append(count)
        if n_pruned > 0:
            self.complain(
                "its n-grams were pruned by `fasttext quantize`; use the original .bin file"
            )
        if n_labels:
            warnings.warn(f"{self.name}: skipped {n_labels} classifier labels", stacklevel=4)
        return _Dictionary(words, counts, n_pruned < 0)

    def input_matrix(
        self, settings: _Settings, n_words: int, limit: int | None
    ) -> NDArray[np.uint8]:
        """Return the bytes of the matrix of words and n-grams, writable.

        It is not mapped: a mapped file that is truncated ends the process.
        limit: maximum number of rows to return if the file is plain; None returns all.
        """
        quantised, n_rows, n_columns = _MATRIX.unpack(self.take(_MATRIX.size))
        if quantised:
            self.complain("quantised models (.ftz) are not supported; use the .bin file")
        if not 1 <= settings.dim <= MAX_DIM or n_columns != settings.dim:
            self.complain(f"dimension {settings.dim} does not match its {n_columns} columns")
        if settings.bucket < 0 or n_rows != n_words + settings.bucket:
            self.complain(
                f"{n_rows} rows do not match {n_words} words and {settings.bucket} buckets"
            )
        n_bytes = 4 * n_rows * n_columns
        if self._n_bytes is None:
            return np.frombuffer(self._read_on(n_bytes), np.uint8)
        n_wanted = n_bytes if limit is None else min(n_bytes, 4 * limit * n_columns)
        offset = self._file.tell() - len(self._data) + self._place
        end = offset + n_bytes
        if end + _MATRIX.size > self._n_bytes:
            self.complain("the file is truncated within its vectors")
        _, n_rows, n_columns = _MATRIX.unpack(self._at(end, _MATRIX.size).tobytes())
        if end + _MATRIX.size + 4 * n_rows * n_columns > self._n_bytes:
            self.complain("the file is truncated within its output matrix")
        return self._at(offset, n_wanted)

    def _at(self, offset: int, n_bytes: int) -> NDArray[np.uint8]:
        """Return n_bytes at a place of a plain file."""
        self._file.seek(offset)
        found = np.fromfile(self._file, np.uint8, n_bytes)
        if len(found) < n_bytes:
            self.complain("the file was truncated while it was read")
        return found

    def _read_on(self, n_bytes: int) -> bytearray:
        """Return the next bytes, without allocating memory for bytes that do not exist."""
        found = bytearray(self._data[self._place :][:n_bytes])
        while len(found) < n_bytes:
            more = self._file.read(min(n_bytes - len(found), UNCHECKED_BYTES))
            if not more:
                self.complain("the file is truncated within its vectors")
            found += more
        return found
