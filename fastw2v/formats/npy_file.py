"""Read a matrix of numbers from an .npy file, or from an .npz archive that holds one array.

The header is a Python expression.  It is not evaluated: only what NumPy writes for an array of
numbers is accepted.  Reference: NEP 1, "A Simple File Format for NumPy Arrays".
"""

import math
import os
import re
import struct
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import ModelFormatError, reading
from fastw2v.formats.opened import UNCHECKED_BYTES, refuse_pipe

MAX_HEADER_BYTES = 4096
_LENGTH_BYTES = {b"\x93NUMPY\x01\0": 2, b"\x93NUMPY\x02\0": 4, b"\x93NUMPY\x03\0": 4}
_HEADER = re.compile(
    rb"\{'descr': '([<>][fiu][248]|\|[biu]1)', 'fortran_order': (False|True), "
    rb"'shape': \((\d{1,15})L?,(?: (\d{1,15})L?)?\), \} *\n"
)


class _Header(NamedTuple):
    """Type, shape and order of an array.  order: C, or F if the first index is the fastest."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Any

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(path: str, limit: int | None = None, *, mmap: bool = False) -> NDArray[Any]:
    """Return the array of an .npy file.

    limit: maximum number of rows.  mmap: map the array read-only instead of reading it.
    Raises ReadError or ModelFormatError.
    """
    refuse_pipe(path)
    with reading(path), open(path, "rb") as file:
        header = _read_header(path, file)
        n_left = os.fstat(file.fileno()).st_size - file.tell()
        if header.n_bytes > n_left:
            _complain(path, f"truncated: an array of {header.n_bytes} bytes has {n_left}")
        if header.order == "C" and limit is not None:
            header = header._replace(shape=(min(limit, header.shape[0]), *header.shape[1:]))
        if mmap and header.n_bytes:
            return np.memmap(path, header.dtype, "r", file.tell(), header.shape, header.order)
        values = np.fromfile(file, header.dtype, math.prod(header.shape))
    return _shaped(path, values, header)


def read_npz(path: str) -> NDArray[Any]:
    """Return the array `val` of an .npz archive, without trusting the sizes it announces."""
    import zipfile
    import zlib

    refuse_pipe(path)
    with reading(path):
        raw = open(path, "rb")  # noqa: SIM115 - closed below; the archive raises OSErrors, too
    damaged = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, RuntimeError)
    try:
        with raw, zipfile.ZipFile(raw) as archive, archive.open("val.npy") as file:
            header = _read_header(path, file)
            values = bytearray()
            while len(values) < header.n_bytes:
                more = file.read(min(header.n_bytes - len(values), UNCHECKED_BYTES))
                if not more:
                    _complain(path, "truncated within its values")
                values += more
    except ModelFormatError:
        raise
    except (*damaged, OSError, ValueError, OverflowError) as error:
        _complain(path, f"not an array that gensim saved: {' '.join(str(error).split())}")
    return _shaped(path, np.frombuffer(values, header.dtype), header)


def _complain(path: str, problem: str) -> NoReturn:
    raise ModelFormatError(f"{path}: {problem}")


def _read_header(path: str, file: IO[bytes]) -> _Header:
    """Return the header, and stop at the first value."""
    n_length = _LENGTH_BYTES.get(file.read(8))
    if n_length is None:
        _complain(path, "not an array of NumPy (.npy)")
    n_header = int.from_bytes(file.read(n_length), "little")
    text = file.read(n_header) if n_header <= MAX_HEADER_BYTES else b""
    match = _HEADER.fullmatch(text)
    if match is None:
        _complain(path, f"its header is not that of a matrix of numbers: {text[:100]!r}")
    shape = tuple(int(n) for n in match.groups()[2:] if n is not None)
    return _Header(np.dtype(match[1].decode()), shape, "F" if match[2] == b"True" else "C")


def _shaped(path: str, values: NDArray[Any], header: _Header) -> NDArray[Any]:
    try:
        return values.reshape(header.shape, order=header.order)
    except ValueError as error:  # truncated meanwhile, or no values in more rows than NumPy has
        _complain(path, f"damaged: {error}")
