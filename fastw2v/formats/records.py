"""The formats of vectors files: one record each, which everything else that knows formats reads.

Nothing heavy is imported here, because help texts name the formats.  How a format is read,
written and recognised stands in the module that its record names.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from pathlib import PurePath
from types import ModuleType

from fastw2v.base.optional import import_optional
from fastw2v.errors import UsageError

DTYPES = ("float32", "float16", "int8")
# What a file may hold beside words and vectors: fields of WordVectors, as people read them.
PARTS = {
    "counts": "counts",
    "output_vectors": "output vectors",
    "output_bias": "output bias",
    "input_bias": "input bias",
    "settings": "settings",
    "extra_arrays": "arrays of a checkpoint",
}
KEPT_IN_FEWER_BITS = frozenset({"counts"})

# A word's count, its length or id, and the quotes, escapes and separators around it.
MAX_WORD_BYTES = 64
MAX_CHARACTER_BYTES = 4  # UTF-8
MAX_FIXED_BYTES = 1 << 16  # headers and settings


def _path_itself(path: str) -> list[str]:
    return [path]


@dataclass(frozen=True)
class Format:
    """What a format is called, and what its files hold.

    name: of the format in `--format`, `--to` and errors.
    module: in this folder, with looks_like(head), which may rely on sniff.ORDER; read(path, limit),
    with mmap if can_be_mapped; and write(path, word_vectors), with dtype if there are several.
    description: one line for help texts and errors.
    suffixes: of file names that stand for the format, in lower case.
    is_folder: whether a path names a folder.
    files: returns the paths of all files that are written for a path.
    can_be_mapped: whether vectors can be used from the file without reading them into memory.
    dtypes: that vectors can be stored in.
    holds: keys of PARTS that are written and read back.
    refused: finds a word that the format cannot hold; None if it holds any.
    refused_words: the same for people.
    min_value_bytes, max_value_bytes: of one float32 of a trained model, on average, with what
    separates it from the next.
    n_matrices: of (n_words, dim) values in the file of a trained model.
    needs: arguments of import_optional for the package that reads and writes it.
    """

    name: str
    module: str
    description: str
    suffixes: tuple[str, ...] = ()
    is_folder: bool = False
    files: Callable[[str], list[str]] = _path_itself
    can_be_mapped: bool = False
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
        """The ends of paths that stand for the format, for people."""
        return (*self.suffixes, "folder/") if self.is_folder else self.suffixes

    def load(self) -> ModuleType:
        """Return the format's module, imported when it is first used."""
        return import_module(f"fastw2v.formats.{self.module}")

    def holds_as(self, dtype: str) -> frozenset[str]:
        """Return the keys of PARTS that a file with vectors of this dtype holds."""
        return self.holds if dtype == "float32" else self.holds & KEPT_IN_FEWER_BITS

    def min_bytes(self, n_words: int, dim: int) -> int:
        """Return the least size of the file of a trained model."""
        return n_words * dim * self.n_matrices * self.min_value_bytes

    def max_bytes(self, words: Sequence[str], dim: int) -> int:
        """Return the largest size of the file of a trained model."""
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
    description="all of a model, to train on: one safetensors file",
    suffixes=(".safetensors",),
    can_be_mapped=True,
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
    min_value_bytes=8,  # 12 were found
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
    n_matrices=2,  # the outputs are zeros if there are none
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
    dtypes=DTYPES,
    holds=frozenset({"counts"}),
    refused=re.compile("[\ud800-\udfff]"),
    refused_words="not Unicode",
    min_value_bytes=3,  # values that recur, and bytes, are compressed
    max_value_bytes=8,  # in small files a value is a number in a dictionary
    needs=("pyarrow.parquet", "arrow", "Parquet"),
)
FORMATS = {
    format.name: format for format in (NATIVE, TEXT, BIN, VEC, FASTTEXT, GLOVE, HF, TSV, PARQUET)
}


def get_format(name: str) -> Format:
    """Return the record of a format or raise UsageError."""
    if name not in FORMATS:
        raise UsageError(f"format must be one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]


def format_of_suffix(path: str | PathLike[str]) -> str:
    """Return the name of the format that a path's end stands for, or raise UsageError."""
    name = os.fspath(path)
    is_folder = name.endswith("/") or os.path.isdir(name)
    suffix = PurePath(path).suffix.lower()
    for format in FORMATS.values():
        if format.is_folder if is_folder else suffix in format.suffixes:
            return format.name
    known = ", ".join(f"{end} ({f.name})" for f in FORMATS.values() for end in f.endings)
    raise UsageError(f"{name}: no format has the suffix {suffix!r}; known: {known}")


def check_target(format: str, dtype: str) -> None:
    """Raise UsageError unless there is such a format, can be written, and holds this dtype."""
    record = get_format(format)
    check_dtype(dtype)
    if record.needs:
        import_optional(*record.needs)
    if dtype not in record.dtypes:
        able = listed((f.name for f in FORMATS.values() if dtype in f.dtypes), "or")
        raise UsageError(
            f"format {format!r} holds {listed(record.dtypes, 'and')} only, not {dtype}; use {able}"
        )


def places_of(path: str | PathLike[str], format: str) -> list[str]:
    """Return what must be writable: the files of a path, or the folder that is yet to be made."""
    record, name = get_format(format), os.fspath(path)
    if record.is_folder and not os.path.isdir(name):
        return [name.rstrip("/")]
    return record.files(name)


def check_dtype(dtype: str) -> None:
    """Raise UsageError unless it is one of DTYPES."""
    if dtype not in DTYPES:
        raise UsageError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")


def listed(names: Iterable[str], conjunction: str) -> str:
    """Return `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last
