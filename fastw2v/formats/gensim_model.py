"""Models that gensim saved, from version 3.8 to 4.4: read, never written.

A model is a pickle, which `pickle_machine` reads as plain data.  gensim stores large arrays beside
it.  The list `__numpys` of an object names them; the path of the model, the name of the object in
it and the name of the array make up the path, as in `m.wv.vectors.npy`.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.content import HEAD_BYTES, is_of_gensim
from fastw2v.errors import ModelFormatError, ReadError
from fastw2v.formats.head import Head
from fastw2v.formats.header import MAX_DIM
from fastw2v.formats.npy_file import read_npy, read_npz
from fastw2v.formats.opened import open_vectors
from fastw2v.formats.pickle_machine import Name, PickledArray, Record, read_pickle
from fastw2v.formats.word_vectors import WordVectors, drop_repeated
from fastw2v.sampling.huffman import HEAPED, huffman_paths

MAX_N_GRAM = 100  # characters
MAX_COUNT = 2**62
MAX_LISTED = 10  # word attributes in a warning
MAX_SETTING = 2**31 - 1
PARTS = ("vocabulary", "trainables")  # of a model of gensim 3; gensim 4 has their attributes itself
WORDS = ("index_to_key", "index2word", "index2entity")
# Word attributes that every model has: thresholds of sampling, and paths in the tree of hs.
DERIVED = frozenset({"count", "index", "sample_int", "code", "point"})
# Settings that fastw2v has, too, and the least value that it accepts.
WHOLE = {"window": 1, "negative": 1, "epochs": 1, "seed": 0, "min_count": 0, "max_final_vocab": 1}
COUNTED = ("corpus_count", "corpus_total_words")
FRACTIONS = {"alpha": 0.0, "min_alpha": 0.0, "sample": 0.0, "ns_exponent": -100.0}
SWITCHES = ("sg", "cbow_mean", "shrink_windows")
# Attributes that change what a model does, with the value that changes nothing.
OTHERS = {"comment": None, "callbacks": (), "null_word": 0, "max_vocab_size": None}


def looks_like(head: Head) -> bool:
    """Return whether the file is a pickle, and the first class in it is of gensim."""
    head.opened.rewind()
    return is_of_gensim(head.opened.file.read(HEAD_BYTES))


def read(
    path: str | PathLike[str],
    *,
    limit: int | None = None,
    mmap: bool = False,
    verify: bool = True,
) -> WordVectors:
    """Read words, vectors and counts and, of a model, output vectors and settings.

    Of FastText, the vectors of its words are read.  One warning lists what is left out.
    limit: maximum number of rows; with it, only words, vectors and counts are read.
    mmap: map what lies in .npy files of float32 read-only; the rest is read.
    verify: without effect, because these files have no checksums.
    Raises ReadError, also if a file beside it is missing, or ModelFormatError.
    """
    name = os.fspath(path)
    with open_vectors(name) as opened:
        root = read_pickle(name, opened)
    if type(root) is not Record:
        what = root.text if type(root) is Name else f"a {type(root).__name__}"
        raise ModelFormatError(f"{name}: a pickle of {what}, which holds no word vectors")
    model = _Saved(name, name, root, mmap)
    vectors = model.child("wv") or model
    found, left_out = _read_vectors(vectors, limit), _left_out(model, vectors)
    if vectors is not model and limit is None:
        left_out += _read_outputs(model, vectors, found)
        left_out += _read_settings(model, found)
    if left_out:
        warnings.warn(f"{name}: not taken over from gensim: {', '.join(left_out)}", stacklevel=4)
    return drop_repeated(name, found)


@dataclass(frozen=True)
class _Saved:
    """An object of a model, and the arrays beside the file.

    name: the path of the model.  path: the same, with the name of the object in the model.
    """

    name: str
    path: str
    record: Record
    is_mapped: bool

    def complain(self, problem: str) -> NoReturn:
        """Raise ModelFormatError naming the file."""
        raise ModelFormatError(f"{self.name}: {problem}")

    def get(self, key: str) -> Any:
        """Return an attribute, None if there is none."""
        return self.record.attributes.get(key)

    def child(self, key: str) -> "_Saved | None":
        """Return an attribute that is an object."""
        value = self.get(key)
        if type(value) is not Record:
            return None
        return _Saved(self.name, f"{self.path}.{key}", value, self.is_mapped)

    def parts(self) -> list["_Saved"]:
        """Return the object, and those that hold a part of its attributes in gensim 3."""
        return [self, *filter(None, map(self.child, PARTS))]

    def setting(self, key: str) -> Any:
        """Return an attribute of the object or its parts, None if there is none."""
        return next((part.get(key) for part in self.parts() if part.get(key) is not None), None)

    def array(self, key: str, limit: int | None = None) -> NDArray[Any] | None:
        """Return an array of numbers, None if there is none.  limit: of the rows of a file."""
        value, stored = self.get(key), self.get("__numpys")
        if type(value) is not PickledArray:  # a model saved to a handle may also be in the list
            is_beside = type(stored) is list and key in stored
            return self._beside(key, limit) if is_beside else None
        return self.numbers(key, value)

    def numbers(self, key: str, array: PickledArray) -> NDArray[Any]:
        """Return an array of numbers, which is called `key` in errors."""
        try:
            return array.value()
        except ValueError as error:
            self.complain(f"its {key} are damaged: {error}")

    def _beside(self, key: str, limit: int | None) -> NDArray[Any]:
        """Return an array that has a file of its own."""
        plain, packed = f"{self.path}.{key}.npy", f"{self.path}.{key}.npz"
        if os.path.exists(plain):
            return read_npy(plain, limit, mmap=self.is_mapped)
        if os.path.exists(packed):
            return read_npz(packed)
        raise ReadError(
            f"cannot read {plain}: it is missing; gensim wrote the {key} of {self.name} to it, "
            "and the files must stay together"
        )

    def rows(self, key: str, limit: int | None = None) -> NDArray[np.float32] | None:
        """Return (n_rows, dim) float32, None if there are none."""
        found = self.array(key, limit)
        if found is None:
            return None
        if found.ndim != 2 or found.dtype.kind != "f" or not 1 <= found.shape[1] <= MAX_DIM:
            self.complain(f"its {key} are {found.dtype} of shape {found.shape}, not vectors")
        with np.errstate(over="ignore"):  # the infinities are found later
            rows = np.ascontiguousarray(found[:limit], np.float32)
        return rows if rows.flags.writeable or isinstance(found, np.memmap) else rows.copy()


# ---- words, vectors and counts ----


def _read_vectors(saved: _Saved, limit: int | None) -> WordVectors:
    """Return the words of a KeyedVectors with their vectors and counts."""
    keys = _keys(saved)[:limit]
    words = _words(saved, [key for key in keys if key is not None])
    vectors = saved.rows("vectors", limit)
    if vectors is None:
        vectors = saved.rows("syn0", limit)
    if vectors is None:
        vectors = _composed(saved, words)
    if len(vectors) != len(keys):
        saved.complain(f"{len(keys):,} words, but {len(vectors):,} vectors")
    counts = _counts(saved, len(keys))
    if len(words) < len(vectors):  # gensim reserves rows for words to come
        kept = [row for row, key in enumerate(keys) if key is not None]
        vectors, counts = vectors[kept], None if counts is None else counts[kept]
    return WordVectors(words, vectors, counts)


def _keys(saved: _Saved) -> list[Any]:
    """Return the words as they are stored."""
    keys = next((saved.get(name) for name in WORDS if saved.get(name) is not None), None)
    if type(keys) is not list:
        saved.complain(f"a pickle of {saved.record.of}, which holds no word vectors")
    return keys


def _words(saved: _Saved, keys: list[Any]) -> list[str]:
    """Return keys as text: a str of Python 2 is decoded, and an integer becomes its digits."""
    odd = next(iter(set(map(type, keys)) - {str, bytes, int}), None)
    if odd is not None:
        saved.complain(f"a word that is a {odd.__name__}, not text")
    if len(set(keys)) < len(keys):  # before a huge one is copied for each word
        saved.complain("a word occurs twice")
    as_text = (
        key.decode("utf-8", "surrogateescape") if type(key) is bytes else key for key in keys
    )
    return [str(key) for key in as_text]


def _column(saved: _Saved, name: str) -> Any:
    """Return an attribute of the words, an array or a list of values; None if there is none."""
    columns, vocabulary = saved.get("expandos"), saved.get("vocab")
    if type(columns) is dict:
        column = columns.get(name)
        if type(column) is not PickledArray:
            return None
        return column.values if column.dtype.is_object else saved.numbers(name, column)
    if type(vocabulary) is not dict:
        return None
    entries = map(vocabulary.get, _keys(saved))  # of gensim 3
    return [entry.attributes.get(name) if type(entry) is Record else None for entry in entries]


def _counts(saved: _Saved, n_words: int) -> NDArray[np.int64] | None:
    """Return how often each of the first words was counted, None if it is not stored for all."""
    counts = _column(saved, "count")
    if type(counts) is list:
        if not all(type(count) is int and abs(count) < MAX_COUNT for count in counts):
            return None
        counts = np.array(counts, np.int64)
    if counts is None or counts.ndim != 1 or counts.dtype.kind not in "iu":
        return None
    first: NDArray[np.int64] = counts[:n_words].astype(np.int64)
    if len(first) < n_words or (first < 0).any():
        saved.complain("its counts are damaged")
    return first


def _composed(saved: _Saved, words: list[str]) -> NDArray[np.float32]:
    """Return FastText's vectors: the mean of a word's own row and the rows of its n-grams."""
    own, bucket = saved.rows("vectors_vocab"), saved.get("bucket")
    if own is None:
        saved.complain(f"a pickle of {saved.record.of} without vectors")
    if bucket == 0:
        return own[: len(words)]
    lengths = saved.get("min_n"), saved.get("max_n")
    of_n_grams = saved.rows("vectors_ngrams")
    if of_n_grams is None or not all(type(n) is int and 0 <= n <= MAX_N_GRAM for n in lengths):
        saved.complain("its n-grams are missing or damaged")
    n_words, n_rows = len(own), len(of_n_grams)
    if bucket != n_rows or own.shape[1] != of_n_grams.shape[1] or len(words) > n_words:
        saved.complain(f"{bucket} buckets do not match n-grams of shape {of_n_grams.shape}")
    rows = np.concatenate([own, of_n_grams])
    means = np.empty((len(words), own.shape[1]), np.float32)
    marked = [f"<{word}>".encode("utf-8", "surrogatepass") for word in words]
    _core.subword_means(rows.reshape(-1).view(np.uint8), n_words, (bucket, *lengths), marked, means)
    return means


# ---- what a model holds besides ----


def _read_outputs(model: _Saved, vectors: _Saved, found: WordVectors) -> list[str]:
    """Take over the output vectors; return what is left out."""
    negative, hs = model.setting("negative"), model.setting("hs")
    is_tree = bool(hs) and not negative
    key = "syn1" if is_tree else "syn1neg"
    rows = next((rows for part in model.parts() if (rows := part.rows(key)) is not None), None)
    found.settings["objective"] = "hs" if is_tree else "ns"
    if rows is None:
        return []
    if rows.shape != found.vectors.shape:
        return [f"{key} of shape {rows.shape}"]
    found.output_vectors = rows[:-1] if is_tree else rows
    if is_tree and _is_heaped(vectors, found.counts):
        found.settings["huffman_ties"] = HEAPED
    elif is_tree:
        found.output_vectors = np.zeros_like(rows[:-1])
        return ["syn1, which belongs to another tree (more training starts it at zero)"]
    return ["syn1 (the objective is negative sampling)"] if hs and negative else []


def _is_heaped(vectors: _Saved, counts: NDArray[np.int64] | None) -> bool:
    """Return whether the paths to the words are those of the tree that gensim 4 builds."""
    if counts is None or len(counts) < 2:
        return False
    paths = huffman_paths(counts, HEAPED)
    shapes = [(n,) for n in paths.code_lengths.tolist()]
    columns = [_column(vectors, name) for name in ("code", "point")]
    for column in columns:
        if type(column) is not list or not all(type(path) is PickledArray for path in column):
            return False
        if [path.shape for path in column] != shapes:  # before a huge one is copied for each word
            return False
    codes, points = (
        np.concatenate([vectors.numbers("paths", path) for path in column]) for column in columns
    )
    return np.array_equal(points.astype(np.int64) * 2 + codes, paths.steps)


def _read_settings(model: _Saved, found: WordVectors) -> list[str]:
    """Take over the settings; return those that fastw2v does not accept."""
    accepted: dict[str, Any] = {}
    refused = []
    bounds: dict[str, tuple[Callable[[Any], Any], float, float]] = {}
    bounds |= {name: (int, least, MAX_SETTING) for name, least in WHOLE.items()}
    bounds |= {name: (int, 0, MAX_COUNT) for name in COUNTED}
    bounds |= {name: (float, least, MAX_SETTING) for name, least in FRACTIONS.items()}
    bounds |= {name: (bool, 0, 1) for name in SWITCHES}
    for name, (kind, least, most) in bounds.items():
        value = model.setting("iter" if name == "epochs" and model.get("epochs") is None else name)
        is_number = type(value) in (bool, int) or (kind is float and type(value) is float)
        if is_number and least <= value <= most:
            accepted[name] = kind(value)
        elif value is not None and (name, value) != ("negative", 0):
            refused.append(f"{name}={str(value)[:40] if is_number else type(value).__name__}")
    if accepted.get("min_alpha", 0.0) > accepted.get("alpha", np.inf):
        refused.append(f"min_alpha={accepted.pop('min_alpha')}, which is above alpha")
    # gensim adds the undivided gradient of CBOW to each context word, as word2vec.c does.
    fixed = {"vector_size": found.dim, "cbow_update": "word2vec"}
    found.settings |= {"min_count": 5, "max_final_vocab": None} | accepted | fixed
    return refused


def _left_out(model: _Saved, vectors: _Saved) -> list[str]:
    """Return what fastw2v has no place for, in words."""
    left_out = []
    if vectors.get("bucket"):
        left_out.append("n-grams (words that the model does not know have no vector)")
    if model.child("dv") or model.child("docvecs"):
        left_out.append("document vectors")
    columns, vocabulary = vectors.get("expandos"), vectors.get("vocab")
    names = set(columns) if type(columns) is dict else set()
    entries = vocabulary.values() if type(vocabulary) is dict else ()
    attributes = [entry.attributes for entry in entries if type(entry) is Record]
    for each in {id(each): each for each in attributes}.values():  # words can share a huge one
        names.update(each)
    more = sorted(str(name)[:40] for name in names - DERIVED)
    left_out += [f"word attribute {name!r}" for name in more[:MAX_LISTED]]
    if len(more) > MAX_LISTED:
        left_out.append(f"{len(more) - MAX_LISTED} more word attributes")
    for part in (vectors, *model.parts()):
        lockf = part.get("vectors_lockf")
        if type(lockf) is PickledArray and (part.numbers("vectors_lockf", lockf) != 1).any():
            left_out.append("vectors_lockf")
    for name, value in OTHERS.items():
        if model.setting(name) not in (None, value, []):
            left_out.append(name)
    hashing = model.setting("hashfxn")
    if type(hashing) is Name and not hashing.text.endswith(".hash"):
        left_out.append("hashfxn")
    return left_out
