"""Detect compressed files by their content and decompress them."""

import importlib
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any, BinaryIO, NamedTuple, TextIO, cast

from fastw2v.base.optional import import_optional
from fastw2v.errors import Fastw2vError, ReadError, reading

Errors = tuple[type[Exception], ...]


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
MAGIC_BYTES = 10
SUFFIXES = {compression.suffix: compression.name for compression in COMPRESSIONS}


def compression_of(head: bytes) -> str:
    """Return the name of the compression, or "" if the data is not compressed.

    head: the first MAGIC_BYTES of a file, or the whole file if it is shorter.
    """
    return next((found.name for found in COMPRESSIONS if found.magic.match(head)), "")


def unpacked(compression: str, file: Any, name: str) -> tuple[IO[bytes], Errors]:
    """Return the decompressed file and the exceptions it raises for damaged data.

    compression: as returned by compression_of.  name: name of the file in errors.
    Raises MissingPackageError.
    """
    # Imported on use: the help texts need only the suffixes.
    errors: Errors = (EOFError, OSError)
    content = file
    if compression == "gzip":
        module, own = gzip_module()
        content, errors = module.GzipFile(fileobj=file, mode="rb"), errors + own
    elif compression == "bzip2":
        import bz2

        content = bz2.BZ2File(file)
    elif compression == "xz":
        import lzma

        content = lzma.LZMAFile(file)  # noqa: SIM115 - the caller owns it
        errors = (*errors, lzma.LZMAError)
    elif compression == "zstd":
        zstd = zstd_module(name)
        content, errors = zstd.ZstdFile(file), (*errors, zstd.ZstdError)
    return cast(IO[bytes], content), errors


def gzip_module() -> tuple[ModuleType, Errors]:
    """Return isal's gzip module (3.5 times as fast) or else Python's, and its exceptions."""
    try:
        igzip = importlib.import_module("isal.igzip")
        return igzip, (zlib.error, importlib.import_module("isal.isal_zlib").error)
    except ImportError:
        import gzip

        return gzip, (zlib.error,)


def zstd_module(name: str) -> ModuleType:
    """Return the zstd module of Python 3.14 or, before that, its backport."""
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return import_optional(module, "zstd", f"cannot read {name}: zstd")


class Unpacked(NamedTuple):
    """An open file at its start.  n_bytes: its size; None if unknown before reading."""

    file: BinaryIO
    n_bytes: int | None


@contextmanager
def open_unpacked(
    path: str | os.PathLike[str], damaged: type[Fastw2vError] = ReadError
) -> Iterator[Unpacked]:
    """Open a file for reading bytes; decompress it if its content is compressed.

    Yields an Unpacked.
    Raises ReadError, MissingPackageError, or `damaged` if the compressed data is damaged or
    truncated.
    """
    name = os.fspath(path)
    with reading(name), open(name, "rb") as raw:
        head = raw.peek(MAGIC_BYTES)[:MAGIC_BYTES]
        compression = compression_of(head)
        if not compression:
            is_file = raw.seekable()
            yield Unpacked(raw, os.fstat(raw.fileno()).st_size if is_file else None)
            return
        content, errors = unpacked(compression, raw, name)
        try:
            with content:
                yield Unpacked(cast(BinaryIO, io.BufferedReader(cast(Any, content))), None)
        except errors as error:
            if isinstance(error, Fastw2vError) or getattr(error, "errno", None) is not None:
                raise  # errors of the decompressors have no errno
            raise damaged(
                f"{name}: the compressed data is damaged or truncated: {error}"
            ) from error


@contextmanager
def open_text(
    path: str | os.PathLike[str],
    encoding: str = "utf-8",
    damaged: type[Fastw2vError] = ReadError,
) -> Iterator[TextIO]:
    """Open a text file as open_unpacked does; undecodable bytes become surrogate escapes."""
    with open_unpacked(path, damaged) as (file, _):
        yield io.TextIOWrapper(file, encoding, "surrogateescape")
