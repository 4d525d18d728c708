"""Finding out the format of a vectors file from its content."""

import os
import struct
from os import PathLike
from pathlib import PurePath
from typing import BinaryIO

from fastw2v.errors import ModelFormatError
from fastw2v.formats.fasttext_bin import MAGIC as FASTTEXT_MAGIC
from fastw2v.formats.header import MAX_HEADER_BYTES, parse_header
from fastw2v.formats.opened import open_vectors
from fastw2v.formats.parquet import MAGIC as PARQUET_MAGIC
from fastw2v.formats.pickled import refuse_pickle
from fastw2v.formats.projector_tsv import metadata_path
from fastw2v.formats.static_embedding import is_static_embedding
from fastw2v.formats.text_rows import is_number_text

# A first row longer than this (a million values) is judged by its beginning.
MAX_ROW_BYTES = 16 << 20


def detect_format(path: str | PathLike[str]) -> str:
    """Return the name of the format: a key of FORMATS or OTHER_FORMATS.

    Content decides; the suffix only tells .vec from word2vec's text, which read alike.
    Raises ReadError, or ModelFormatError if the content is none of them.
    """
    name = os.fspath(path)
    if is_static_embedding(name):
        return "hf"
    with open_vectors(name) as opened:
        file = opened.file
        if opened.n_bytes is not None and _is_safetensors(file, opened.n_bytes):
            return "native"
        file.seek(0)
        magic = file.read(len(FASTTEXT_MAGIC))
        if magic in (FASTTEXT_MAGIC, PARQUET_MAGIC):
            return "fasttext" if magic == FASTTEXT_MAGIC else "parquet"
        file.seek(0)
        first = file.readline(MAX_ROW_BYTES)
        shape = parse_header(first) if len(first) <= MAX_HEADER_BYTES else None
        if shape is not None:
            suffix = PurePath(name).suffix
            row = file.readline(MAX_ROW_BYTES)
            if not (_is_text_row(row, shape[1]) if row else suffix != ".bin"):
                return "bin"
            return "vec" if suffix == ".vec" else "text"
        if is_number_text(first.rstrip(b"\r\n").replace(b"\t", b" ")) and os.path.isfile(
            metadata_path(name)
        ):
            return "tsv"
        fields = first.rstrip(b" \r\n").split(b" ")
        if len(fields) > 1 and is_number_text(fields[-1]) and fields[-1]:
            return "glove"
        refuse_pickle(name, file)
    raise ModelFormatError(
        f"{name}: {'empty' if not first else 'not a vectors file of any format known here'} "
        "(native, word2vec text or binary, fastText .vec or .bin, GloVe, projector TSV, Parquet)"
    )


def _is_safetensors(file: BinaryIO, n_bytes: int) -> bool:
    """Say whether the file starts with the length of a JSON header and its opening brace."""
    start = file.read(9)
    if len(start) < 9 or start[8:] != b"{":
        return False
    (n_header,) = struct.unpack("<Q", start[:8])
    return bool(n_header + 8 <= n_bytes)


def _is_text_row(row: bytes, dim: int) -> bool:
    """Say whether the bytes up to a newline are a word and dim numbers, or were cut off in them."""
    values = row.rstrip(b" \r\n").partition(b" ")[2]
    complete = values.count(b" ") + 1 == dim or not row.endswith(b"\n")
    return values != b"" and complete and is_number_text(values)
