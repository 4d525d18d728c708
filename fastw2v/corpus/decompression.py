"""What unpacks the compressed text of a corpus: the standard library, or faster packages."""

import bz2
import gzip
import importlib
import lzma
import sys
import zlib
from types import ModuleType
from typing import IO, Any, cast

from fastw2v.errors import ReadError

Errors = tuple[type[Exception], ...]


def unpacked(compression: str, file: Any, name: str) -> tuple[IO[bytes], Errors]:
    """Return the text of an open file, and what reading it raises if the data is damaged.

    compression: "gzip", "bzip2", "xz", "zstd", or "" for plain text.  name: what errors call it.
    Raises ReadError if a package is missing.
    """
    errors: Errors = (EOFError, OSError, zlib.error, lzma.LZMAError)
    text = file
    if compression == "gzip":
        module, more = gzip_module()
        text, errors = module.GzipFile(fileobj=file, mode="rb"), errors + more
    elif compression == "bzip2":
        text = bz2.BZ2File(file)
    elif compression == "xz":
        text = lzma.LZMAFile(file)  # noqa: SIM115 - the caller owns it
    elif compression == "zstd":
        zstd = zstd_module(name)
        text, errors = zstd.ZstdFile(file), (*errors, zstd.ZstdError)
    return cast(IO[bytes], text), errors


def gzip_module() -> tuple[ModuleType, Errors]:
    """Return isal's gzip, 3.5 times as fast as zlib's, or else Python's; and its own errors."""
    try:
        igzip = importlib.import_module("isal.igzip")
        return igzip, (importlib.import_module("isal.isal_zlib").error,)
    except ImportError:
        return gzip, ()


def zstd_module(name: str) -> ModuleType:
    """Return the zstd module of Python 3.14, or the package that brings it to older ones."""
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"cannot read {name}: zstd needs one more package: pip install 'fastw2v[zstd]'"
        raise ReadError(message) from error
