"""The formats of vectors files: one record each, the only place that lists them.

Nothing heavy is imported here, because help texts name the formats.  The module named by a record
detects, reads and writes the format.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from pathlib import PurePath
from types import ModuleType

from fastw2v.base.checks import check_choice
from fastw2v.base.content import SUFFIXES, suffix_of
from fastw2v.base.optional import import_optional
from fastw2v.errors import UsageError

DTYPES = ("float32", "float16", "int8")
# Optional parts of a file: fields of WordVectors, with their names in messages.
PARTS = {
    "counts": "counts",
    "output_vectors": "output vectors",
    "output_bias": "output bias",
    "input_bias": "input bias",
    "settings": "settings",
    "extra_arrays": "arrays of a checkpoint",
}
KEPT_IN_FEWER_BITS = frozenset({"counts"})

INDEX_SUFFIX = ".usearch"  # appended to the path of the vectors file

# Bytes around a word: its count, its length or id, quotes, escapes and separators.
MAX_WORD_BYTES = 64
MAX_CHARACTER_BYTES = 4  # UTF-8
MAX_FIXED_BYTES = 1 << 16  # headers and settings


def _path_itself(path: str) -> list[str]:
    return [path]


@dataclass(frozen=True)
class Format:
    """The name, module and properties of a format.

    name: used in `--format`, `--to` and errors.
    module: a module of this package with these functions: looks_like(head), which may rely on
    sniff.ORDER; read(path, limit), with mmap and verify if can_be_mapped; and write(path,
    word_vectors), with dtype if there is more than one; no write if the format is only read.
    description: one line for help texts and errors.
    suffixes: lower-case file suffixes that select the format.
    is_folder: whether the format is a folder instead of a file.
    files: maps a path to the paths of all files written for it.
    can_be_mapped: whether vectors can be memory-mapped; read then takes mmap and verify.
    can_be_compressed: whether vectors can be written and read in compressed files.
    dtypes: types that vectors can be stored in; none if the format is only read.
    holds: keys of PARTS that are read, and written unless the format is only read.
    refused: matches words that the format cannot hold; None if it can hold any word.
    refused_words: a description of these words, for messages.
    min_value_bytes, max_value_bytes: average bytes per value of a trained model, including the
    separator.
    n_matrices: number of (n_words, dim) matrices in the file of a trained model.
    needs: arguments of import_optional for the package that the format needs.
    """

    name: str
    module: str
    description: str
    suffixes: tuple[str, ...] = ()
    is_folder: bool = False
    files: Callable[[str], list[str]] = _path_itself
    can_be_mapped: bool = False
    can_be_compressed: bool = True
    dtypes: tuple[str, ...] = ("float32",)
    holds: frozenset[str] = frozenset()
    refused: re.Pattern[str] | None = None
    refused_words: str = ""
    min_value_bytes: int = 4
    max_value_bytes: int = 4
    n_matrices: int = 1
    needs: tuple[str, ...] = ()

    @property
    def endings(self) -> tuple[str, ...]:
        """The path endings that select the format, for messages."""
        return (*self.suffixes, "folder/") if self.is_folder else self.suffixes

    def load(self) -> ModuleType:
        """Return the format's module, imported on first use."""
        return import_module(f"fastw2v.formats.{self.module}")

    def holds_as(self, dtype: str) -> frozenset[str]:
        """Return the keys of PARTS that a file with vectors of this dtype holds."""
        return self.holds if dtype == "float32" else self.holds & KEPT_IN_FEWER_BITS

    def min_bytes(self, n_words: int, dim: int) -> int:
        """Return a lower bound of the file size of a trained model, in bytes."""
        return n_words * dim * self.n_matrices * self.min_value_bytes

    def max_bytes(self, words: Sequence[str], dim: int) -> int:
        """Return an upper bound of the file size of a trained model, in bytes."""
        row_bytes = dim * self.n_matrices * self.max_value_bytes + MAX_WORD_BYTES
        text_bytes = MAX_CHARACTER_BYTES * sum(map(len, words))
        return len(words) * row_bytes + text_bytes + MAX_FIXED_BYTES


def _static_embedding_files(folder: str) -> list[str]:
    names = ("model.safetensors", "tokenizer.json", "config.json", "modules.json")
    return [os.path.join(folder, name) for name in names]


def _projector_files(path: str) -> list[str]:
    stem = path.removesuffix(".tsv").removesuffix("_tensor")  # gensim's X_tensor.tsv
    return [path, f"{stem}_metadata.tsv"]


NATIVE = Format(
    name="native",
    module="native",
    description="a full, trainable model in one safetensors file",
    suffixes=(".safetensors",),
    can_be_mapped=True,
    can_be_compressed=False,
    dtypes=DTYPES,
    holds=frozenset(PARTS),
    n_matrices=2,
)
TEXT = Format(
    name="text",
    module="word2vec_text",
    description="the text of word2vec.c and gensim",
    suffixes=(".txt",),
    refused=re.compile(r"[ \n]|\A\Z"),
    refused_words="empty, or with a space or newline in it",
    min_value_bytes=8,  # measured: 12
    max_value_bytes=16,  # -1.2345678e-10 and a space
)
BIN = Format(
    name="bin",
    module="word2vec_binary",
    description="the binary format of word2vec.c and gensim",
    suffixes=(".bin",),
    refused=TEXT.refused,
    refused_words=TEXT.refused_words,
)
VEC = replace(
    TEXT,
    name="vec",
    module="fasttext_vec",
    description="the text of fastText",
    suffixes=(".vec",),
)
FASTTEXT = Format(
    name="fasttext",
    module="fasttext_bin",
    description="the .bin of fastText, written without n-grams",
    holds=frozenset({"counts"}),
    refused=re.compile(r"\0"),
    refused_words="with a zero byte in it",
    n_matrices=2,  # a model without outputs writes zeros
)
GLOVE = replace(
    TEXT,
    name="glove",
    module="glove",
    description="the text of GloVe",
    suffixes=(),
)
HF = Format(
    name="hf",
    module="static_embedding",
    description="a folder for sentence-transformers and model2vec",
    is_folder=True,
    can_be_compressed=False,
    files=_static_embedding_files,
    dtypes=("float32", "float16"),
    refused=re.compile("[ \t\n\r\v\f\ud800-\udfff]|\\A\\Z"),
    refused_words="empty, with white space in it, or not Unicode",
)
TSV = replace(
    TEXT,
    name="tsv",
    module="projector_tsv",
    description="two files for the TensorBoard projector",
    suffixes=(".tsv",),
    files=_projector_files,
    refused=re.compile(r"[\t\n\r]|\A\Z"),
    refused_words="empty, or with a tab or line end in it",
)
PARQUET = Format(
    name="parquet",
    module="parquet",
    description="a table with a column of words and one of vectors",
    suffixes=(".parquet",),
    can_be_compressed=False,
    dtypes=DTYPES,
    holds=frozenset({"counts"}),
    refused=re.compile("[\ud800-\udfff]"),
    refused_words="not Unicode",
    min_value_bytes=3,  # repeated values and bytes are compressed
    max_value_bytes=8,  # in small files, values are stored in a dictionary
    needs=("pyarrow.parquet", "arrow", "Parquet"),
)
GENSIM = Format(
    name="gensim",
    module="gensim_model",
    description="a model that gensim 3.8 to 4.4 saved (only read)",
    can_be_mapped=True,
    dtypes=(),
    holds=frozenset({"counts", "output_vectors", "settings"}),
)
FORMATS = {
    format.name: format
    for format in (NATIVE, TEXT, BIN, VEC, FASTTEXT, GLOVE, HF, TSV, PARQUET, GENSIM)
}
WRITTEN = {name: format for name, format in FORMATS.items() if format.dtypes}

# Suffixes that promise a content which no format here has.
FOREIGN_SUFFIXES = {
    ".csv", ".npy", ".npz", ".pkl", ".pickle", ".joblib", ".json", ".jsonl", ".h5", ".hdf5",
    ".hdf", ".mat", ".pt", ".pth", ".ckpt", ".onnx", ".pb", ".tflite", ".gguf", ".arrow",
    ".feather", ".orc", ".avro", ".db", ".sqlite", ".xls", ".xlsx", ".html", ".xml", ".yaml",
    ".yml", ".toml", ".md", ".log", ".py", ".ipynb", ".pdf", ".zip", ".tar", ".tgz", ".7z",
    ".ftz", ".annoy", ".faiss", ".index", ".usearch",
}  # fmt: skip


def get_format(name: str) -> Format:
    """Return the record of a format.  Raises UsageError for an unknown name."""
    check_choice("format", name, tuple(FORMATS))
    return FORMATS[name]


def format_of_suffix(path: str | PathLike[str]) -> str:
    """Return the format that the end of a path selects, before the suffix of a compression.

    A path without a suffix, or with one that no program claims, such as .model, selects NATIVE.
    Raises UsageError for a suffix of FOREIGN_SUFFIXES.
    """
    name = os.fspath(path)
    is_folder = name.endswith("/") or os.path.isdir(name)
    suffix = PurePath(name[: len(name) - len(suffix_of(name))]).suffix.lower()
    for format in FORMATS.values():
        if format.is_folder if is_folder else suffix in format.suffixes:
            return format.name
    if suffix not in FOREIGN_SUFFIXES:
        return NATIVE.name
    known = ", ".join(f"{end} ({f.name})" for f in FORMATS.values() for end in f.endings)
    raise UsageError(f"{name}: no format has the suffix {suffix!r}; known: {known}")


def check_target(format: str, dtype: str, path: str | PathLike[str] = "") -> None:
    """Raise UsageError unless the format exists, can be written and can store this dtype.

    path: the file to write, whose suffix may name a compression that the format must allow.
    """
    record = get_format(format)
    check_dtype(dtype)
    if record.needs:
        import_optional(*record.needs)
    suffix = suffix_of(path)
    if suffix and not record.can_be_compressed:
        raise UsageError(
            f"{os.fspath(path)}: format {format!r} cannot be compressed; leave out {suffix}"
        )
    if SUFFIXES.get(suffix) == "zstd":
        from fastw2v.base.compression import zstd_module

        zstd_module(os.fspath(path), "write")
    if not record.dtypes:
        raise UsageError(f"format {format!r} is only read; write {listed(WRITTEN, 'or')}")
    if dtype not in record.dtypes:
        able = listed((f.name for f in FORMATS.values() if dtype in f.dtypes), "or")
        raise UsageError(
            f"format {format!r} can store {listed(record.dtypes, 'and')}, not {dtype}; use {able}"
        )


def places_of(path: str | PathLike[str], format: str) -> list[str]:
    """Return the paths that must be writable: the files, or a folder that does not exist yet."""
    record, name = get_format(format), os.fspath(path)
    if record.is_folder and not os.path.isdir(name):
        return [name.rstrip("/")]
    return record.files(name)


def check_dtype(dtype: str) -> None:
    """Raise UsageError unless it is one of DTYPES."""
    if dtype not in DTYPES:
        raise UsageError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")


def listed(names: Iterable[str], conjunction: str) -> str:
    """Return the names as text: `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last
