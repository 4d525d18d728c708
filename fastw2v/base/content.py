"""Tell from the first bytes of a file what it holds."""

import codecs
import os
import re
from typing import NamedTuple

from fastw2v.errors import SaveError

HEAD_BYTES = 4096  # as many bytes of a file as the functions here look at


class Compression(NamedTuple):
    """A compression: name, suffix, and first bytes, which no text or vectors file starts with."""

    name: str
    suffix: str
    magic: re.Pattern[bytes]


COMPRESSIONS = (
    Compression("gzip", ".gz", re.compile(rb"\x1f\x8b\x08")),
    Compression("bzip2", ".bz2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")),
    Compression("xz", ".xz", re.compile(rb"\xfd7zXZ\x00")),
    Compression("zstd", ".zst", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
)
SUFFIXES = {compression.suffix: compression.name for compression in COMPRESSIONS}


JSON_LINES = "JSON lines"
TABLES = {
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".json": JSON_LINES,
    ".csv": "CSV",
    ".tsv": "TSV",
}


def table_kind(path: str) -> str | None:
    """Return the kind of table that a name ends in, also before the suffix of a compression."""
    name, suffix = os.path.splitext(path.lower())
    return TABLES.get(os.path.splitext(name)[1] if suffix in SUFFIXES else suffix)


class Content(NamedTuple):
    """Something that is not text: name, the first bytes it may have, and what to do with it."""

    name: str
    magic: tuple[bytes, ...]
    advice: str


UNPACK = "unpack it first"
TO_UTF8 = "convert it to UTF-8 text first"
TO_TEXT = "write its words as a text file first"
PICKLE = (
    *(b"\x80%c" % protocol for protocol in range(2, 6)),
    *(b"(lp0\n", b"(dp0\n", b"(lp1\n", b"(dp1\n"),  # lists and dictionaries in protocol 0
)
PICKLED_OBJECT = rb"c[\w.]+\n[\w.]+\n(p\d+\n|q[\0-\x08])\("  # in protocols 0 and 1
# The beginning of a pickle whose first class is of gensim, in protocols 4 and 5, 2 and 3, 0 and 1.
OF_GENSIM = re.compile(
    rb"(\x80[\4\5](\x95.{8})?(\x8c.|X.{4})|\x80[\2\3]c"
    rb"|ccopy_reg\n_reconstructor\n(p\d{1,9}\n|q.)?\(c)gensim\.",
    re.DOTALL,
)
CONTENTS = (
    Content("a zip archive", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"), UNPACK),
    Content("a 7z archive", (b"7z\xbc\xaf\x27\x1c",), UNPACK),
    Content("a RAR archive", (b"Rar!\x1a\x07",), UNPACK),
    Content("compressed by compress (.Z)", (b"\x1f\x9d", b"\x1f\xa0"), UNPACK),
    Content("compressed by lzip", (b"LZIP\x01",), UNPACK),
    Content("compressed by lz4", (b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"), UNPACK),
    Content("a PDF", (b"%PDF-",), "extract its text first"),
    Content("an Office document", (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",), TO_UTF8),
    Content(
        "a Python pickle whose first class is not gensim's, which could run arbitrary code",
        PICKLE,
        "write its words or vectors as a text file first",
    ),
    Content("a NumPy file", (b"\x93NUMPY",), TO_TEXT),
    Content("an Arrow file", (b"ARROW1\0\0",), TO_TEXT),
    Content("an HDF5 file", (b"\x89HDF\r\n\x1a\n",), TO_TEXT),
    Content("an SQLite database", (b"SQLite format 3\0",), TO_TEXT),
    Content("UTF-32 text", (b"\xff\xfe\0\0", b"\0\0\xfe\xff"), TO_UTF8),
    Content("UTF-16 text", (b"\xff\xfe", b"\xfe\xff"), TO_UTF8),
)
FASTTEXT_MAGIC = b"\xba\x16\x4f\x2f"  # 793712314, fastText, fasttext.h
PARQUET_MAGIC = b"PAR1\x15"
TAR_HEADER_BYTES = 512
TAR_CHECKSUM = slice(148, 156)
WIDE = {"utf_32_le": "UTF-32", "utf_32_be": "UTF-32", "utf_16_le": "UTF-16", "utf_16_be": "UTF-16"}


def compression_of(head: bytes) -> str:
    """Return the name of the compression, or "" if the data is not compressed.

    head: the first HEAD_BYTES of a file, or the whole file if it is shorter.
    """
    return next((found.name for found in COMPRESSIONS if found.magic.match(head)), "")


def suffix_of(path: str | os.PathLike[str]) -> str:
    """Return the lower-case suffix of a compression that the path ends in, or ""."""
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    return suffix if suffix in SUFFIXES else ""


def not_text(head: bytes) -> str:
    """Say what decompressed data is and what to do with it, or return "" if it can be text.

    head: the first HEAD_BYTES of the data, or all of it if it is shorter.
    """
    binary = _binary_vectors(head)
    return f"{binary}, not text" if binary else not_vectors(head)


def not_vectors(head: bytes) -> str:
    """Say the same, or return "" if the data can be vectors, as text or in another format."""
    if _binary_vectors(head):
        return ""
    for name, magic, advice in CONTENTS:
        if head.startswith(magic) or (magic is PICKLE and re.match(PICKLED_OBJECT, head)):
            return f"{name}; {advice}"
    if compression := compression_of(head):
        return f"{compression} data within compressed data; {UNPACK}"
    if _is_lzma(head):
        return f"compressed by lzma; {UNPACK}"
    if _is_tar(head):
        return f"a tar archive; {UNPACK}"
    wide = _wide_encoding(head)
    return f"{wide} text without a byte order mark; {TO_UTF8}" if wide else ""


def is_of_gensim(head: bytes) -> bool:
    """Return whether the data is a pickle whose first class is of gensim."""
    return bool(OF_GENSIM.match(head))


def mark_bytes(head: bytes) -> int:
    """Return the size of the UTF-8 byte order mark that the data begins with, or 0."""
    return len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0


def check_start(name: str, head: bytes) -> None:
    """Raise SaveError if a text file that begins so would be read as something else."""
    found = compression_of(head) or not_text(head).partition(";")[0]
    if mark_bytes(head):
        found = "a UTF-8 byte order mark"
    if found:
        raise SaveError(f"cannot write {name}: it would begin like {found}, with {head[:20]!r}")


def _binary_vectors(head: bytes) -> str:
    """Return the name of a format of vectors or tables that is not text, or ""."""
    if head[4:9] == b"\0\0\0\0{":  # after the length of the header, a little-endian u64
        return "a safetensors file, such as a fastw2v model"
    if head.startswith(FASTTEXT_MAGIC):
        return "a fastText model"
    if head.startswith(PARQUET_MAGIC):
        return "a Parquet file"
    if is_of_gensim(head):
        return "a model saved by gensim"
    is_header = re.match(rb"\d{1,19}[ \t]+\d{1,19}[ \t\r]*\n", head)
    return "binary vectors of word2vec" if is_header and b"\0" in head else ""


def _is_lzma(head: bytes) -> bool:
    """Check for the usual properties, and a size that is unknown (all ones) or below 2^40."""
    size = head[5:13]
    return head.startswith(b"\x5d\0\0") and (size == b"\xff" * 8 or size[5:] == b"\0\0\0")


def _is_tar(head: bytes) -> bool:
    """Check the sum in the first header, since old archives have no magic number."""
    header = bytearray(head[:TAR_HEADER_BYTES])
    stated = header[TAR_CHECKSUM].strip(b" \0")
    header[TAR_CHECKSUM] = b" " * 8
    is_whole = len(header) == TAR_HEADER_BYTES and re.fullmatch(rb"[0-7]+", stated)
    return bool(is_whole) and int(stated, 8) == sum(header)


def _wide_encoding(head: bytes) -> str:
    """Return UTF-16 or UTF-32 if most white space is two or four bytes wide, else ""."""
    n_narrow = head.count(b" ") + head.count(b"\n")
    for codec, name in WIDE.items() if b"\0" in head else ():
        try:
            text, _ = getattr(codecs, f"{codec}_decode")(head, "strict", False)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and 2 * (text.count(" ") + text.count("\n")) > n_narrow:
            return name
    return ""
