"""Decompress files, which are recognised by their content; compress by the suffix."""

import codecs
import importlib
import io
import itertools
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any, AnyStr, BinaryIO, NamedTuple, TextIO, cast

from fastw2v.base.atomic import atomic_write
from fastw2v.base.checks import check_path
from fastw2v.base.content import (
    HEAD_BYTES,
    SUFFIXES,
    compression_of,
    mark_bytes,
    not_text,
    suffix_of,
)
from fastw2v.base.optional import import_optional
from fastw2v.errors import Fastw2vError, ReadError, reading

Errors = tuple[type[Exception], ...]


MAX_LINE = 1 << 20  # of vocabularies, evaluation sets and word lists
GZIP_LEVEL = 6  # the default of gzip; Python's is 9, which takes longer and gains 1 %


def unpacked(compression: str, file: Any, name: str) -> tuple[IO[bytes], Errors]:
    """Return the decompressed file and the exceptions it raises for damaged data.

    compression: as returned by content.compression_of.  name: name of the file in errors.
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


def zstd_module(name: str, verb: str = "read") -> ModuleType:
    """Return the zstd module of Python 3.14 or, before that, its backport."""
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return import_optional(module, "zstd", f"cannot {verb} {name}: zstd")


@contextmanager
def write_packed(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file as atomic_write does; compress what is written if its suffix says so.

    Raises SaveError, MissingPackageError.
    """
    with atomic_write(path) as raw, packing(path, raw) as file:
        yield file


@contextmanager
def packing(path: str | os.PathLike[str], raw: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a file that writes to `raw`, compressed if the suffix of the path says so."""
    suffix = suffix_of(path)
    if not suffix:
        yield raw
        return
    with packed(SUFFIXES[suffix], raw, os.fspath(path)) as content:
        yield cast(BinaryIO, content)


def packed(compression: str, file: BinaryIO, name: str) -> IO[bytes]:
    """Return a file whose content is written compressed; closing it leaves `file` open."""
    if compression == "gzip":
        import gzip

        return cast(IO[bytes], gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0))
    if compression == "bzip2":
        import bz2

        return cast(IO[bytes], bz2.BZ2File(file, "wb"))
    if compression == "xz":
        import lzma

        return cast(IO[bytes], lzma.LZMAFile(file, "wb"))
    return cast(IO[bytes], zstd_module(name, "write").ZstdFile(file, "wb"))


class Unpacked(NamedTuple):
    """An open file at its start.  n_bytes: its size; None if unknown before reading."""

    file: io.BufferedReader
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
    check_path("path", path)
    name = os.fspath(path)
    with reading(name), open(name, "rb") as raw:
        compression = compression_of(raw.peek(HEAD_BYTES)[:HEAD_BYTES])
        if not compression:
            is_file = raw.seekable()
            yield Unpacked(raw, os.fstat(raw.fileno()).st_size if is_file else None)
            return
        content, errors = unpacked(compression, raw, name)
        try:
            with content:
                yield Unpacked(io.BufferedReader(cast(Any, content)), None)
        except errors as error:
            if isinstance(error, Fastw2vError) or getattr(error, "errno", None) is not None:
                raise  # errors of the decompressors have no errno
            raise damaged(
                f"{name}: the compressed data is damaged or truncated: {error}"
            ) from error


def begin_text(file: io.BufferedReader, name: str, damaged: type[Fastw2vError] = ReadError) -> None:
    """Skip the UTF-8 byte order mark of a file at its start; raise `damaged` if it is not text."""
    head = file.peek(HEAD_BYTES)[:HEAD_BYTES]
    if found := not_text(head):
        raise damaged(f"{name}: {found}")
    file.read(mark_bytes(head))


@contextmanager
def open_text(
    path: str | os.PathLike[str],
    encoding: str = "utf-8",
    damaged: type[Fastw2vError] = ReadError,
) -> Iterator[TextIO]:
    """Open a text file as open_unpacked does; undecodable bytes become surrogate escapes.

    Raises `damaged` also if the content is not text.
    """
    with open_unpacked(path, damaged) as (file, _):
        if not codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
            begin_text(file, os.fspath(path), damaged)
        yield io.TextIOWrapper(file, encoding, "surrogateescape")


def short_lines(file: IO[AnyStr], name: str, damaged: type[Fastw2vError]) -> Iterator[AnyStr]:
    """Yield the lines of a file; raise `damaged` for one of more than MAX_LINE bytes or characters.

    A device, or a compressed file that expands without end, then needs little memory.
    """
    for number in itertools.count(1):
        line = file.readline(MAX_LINE + 1)
        if not line:
            return
        if len(line) > MAX_LINE:
            raise damaged(f"{name}: line {number}: longer than {MAX_LINE:,}")
        yield line
