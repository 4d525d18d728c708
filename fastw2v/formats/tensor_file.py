"""Write safetensors files as a stream; read them in part or memory-mapped.

The writer of the safetensors library first copies all tensors into one bytes object, which doubles
the memory of a model.  Its reader cannot map.  The library is only used to validate files.
Layout: the length of the header, a little-endian u64; the header, a JSON object of
{name: {dtype, shape, data_offsets}}; the data, without gaps.

Checksums are the values of a last tensor, `checksums`, (1 + n_tensors, 8) uint8: the XXH3 (64 bits,
big-endian) of length and header, then of each other tensor in the order of the header.  They follow
what they cover, which lets a file be written to a pipe.  The metadata name them, too: a flipped bit
that hides one of the two names does not make the file one without checksums.
"""

import json
import math
import mmap as mapping
import struct
from collections.abc import Iterable, Iterator
from io import BufferedReader
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import ModelFormatError
from fastw2v.formats.header import MAX_DIM

ALIGNMENT = 64  # one cache line: aligned rows are fastest to load when mapped
BLOCK_BYTES = 1 << 19  # of a file; half of the smallest usual L2 cache, where a block is hashed
CHECKSUMS = "checksums"
CHECKSUM_BYTES = 8
METADATA = "__metadata__"  # the key of the header that is not a tensor
MAX_VALUES = 1 << 48  # of a tensor, if its dimensions of 0 were 1; NumPy cannot address 2**63 bytes
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
    "F16": np.dtype("<f2"),
    "I8": np.dtype("i1"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write_tensors(
    file: BinaryIO,
    tensors: dict[str, NDArray[Any]],
    metadata: dict[str, str],
    *,
    checksums: bool = False,
) -> None:
    """Write the tensors in the given order; padded rows are packed block by block.

    checksums: write them as a last tensor.
    """
    digests = np.zeros((1 + len(tensors), CHECKSUM_BYTES), np.uint8)
    if checksums:
        head = _head({**tensors, CHECKSUMS: digests}, {CHECKSUMS: "xxh3", **metadata})
    else:
        head = _head(tensors, metadata)
    file.write(head)
    digests[0] = list(checksum([head]))
    for i, tensor in enumerate(tensors.values(), 1):
        digests[i] = list(checksum(_written(file, _row_blocks(tensor))))
    if checksums:
        file.write(digests.data)


def write_rows(file: BinaryIO, tensor: NDArray[Any]) -> None:
    """Write the values of a tensor, one block of rows at a time."""
    for block in _row_blocks(tensor):
        file.write(block)


def _head(tensors: dict[str, NDArray[Any]], metadata: dict[str, str]) -> bytes:
    """Return the bytes of a file before its data."""
    header: dict[str, Any] = {METADATA: metadata}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        dtype = _NAMES[tensor.dtype.newbyteorder("<")]
        header[name] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": (begin, end)}
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


def _row_blocks(tensor: NDArray[Any]) -> Iterator[memoryview]:
    """Yield the bytes of a tensor, one block of rows at a time."""
    row_bytes = tensor.nbytes // max(1, len(tensor))
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for first in range(0, len(tensor), step):
        rows = np.ascontiguousarray(tensor[first : first + step], tensor.dtype.newbyteorder("<"))
        yield rows.data


def _written(file: BinaryIO, blocks: Iterator[memoryview]) -> Iterator[memoryview]:
    """Yield the blocks after writing each."""
    for block in blocks:
        file.write(block)
        yield block


def checksum(blocks: Iterable[Any]) -> bytes:
    """Return the XXH3 (64 bits, big-endian) of bytes-like blocks, one after the other."""
    from xxhash import xxh3_64  # training needs it only to save

    found = xxh3_64()
    for block in blocks:
        found.update(block)
    return found.digest()


class TensorFile:
    """The tensors of an open safetensors file, validated by the library.

    mmap: return read-only arrays mapped to the file.
    verify: compare each tensor that is read whole, and the header, with its checksum, if the file
    has checksums.
    """

    def __init__(self, name: str, file: BufferedReader, *, mmap: bool, verify: bool) -> None:
        from safetensors import SafetensorError, safe_open

        self.name = name
        self._file = file
        try:
            with safe_open(name, framework="np") as checked:
                self.metadata: dict[str, str] = checked.metadata() or {}
        except SafetensorError as error:
            self.complain(f"not a valid safetensors file: {error}")
        head = file.read(8)
        head += file.read(int.from_bytes(head, "little"))
        self._data_start = len(head)
        try:
            self._header: dict[str, dict[str, Any]] = json.loads(head[8:])
        except (ValueError, RecursionError) as error:  # in parts that the library skips
            self.complain(f"not a valid safetensors file: {error}")
        self._map = mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_READ) if mmap else None
        self._unverified: dict[str, bytes] = {}  # checksums not compared yet
        self.is_verifying = verify and (self.has(CHECKSUMS) or CHECKSUMS in self.metadata)
        if self.is_verifying:
            if CHECKSUMS not in self.metadata:
                self.complain("damaged: its metadata do not name its checksums")
            keys = [METADATA, *(k for k in self._header if k not in (METADATA, CHECKSUMS))]
            digests = self.tensor(CHECKSUMS, "U8", (len(keys), CHECKSUM_BYTES))
            self._unverified = {k: d.tobytes() for k, d in zip(keys, digests, strict=True)}
            self._compare(METADATA, [head])

    def has(self, key: str) -> bool:
        """Return whether the file has this tensor."""
        return key in self._header and key != METADATA

    def dtype(self, key: str) -> str:
        """Return the type of an existing tensor, as safetensors names it."""
        return str(self._header[key]["dtype"])

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of an existing tensor."""
        return tuple(self._header[key]["shape"])

    def optional(
        self, key: str, dtype: str, shape: tuple[int | None, ...], limit: int | None = None
    ) -> NDArray[Any] | None:
        """Return a tensor as `tensor` does, or None if the file does not have it."""
        return self.tensor(key, dtype, shape, limit) if self.has(key) else None

    def tensor(
        self, key: str, dtype: str, shape: tuple[int | None, ...], limit: int | None = None
    ) -> NDArray[Any]:
        """Return the first `limit` rows of a tensor, or all if None.

        shape: the expected shape, of at least one dimension; None matches any length.
        Raises ModelFormatError if the tensor is missing, has another type or shape, or does not
        match its checksum.
        """
        if not self.has(key):
            self.complain(f"no tensor {key!r}")
        found = self.shape(key)
        fits = len(shape) == len(found) and all(
            want in (None, got) for want, got in zip(shape, found, strict=True)
        )
        if not fits or self.dtype(key) != dtype:
            wanted = ["any" if want is None else want for want in shape]
            self.complain(
                f"tensor {key!r} must be {dtype} of shape {wanted}, "
                f"got {self.dtype(key)} of shape {list(found)}"
            )
        if math.prod(max(n, 1) for n in found) > MAX_VALUES:
            self.complain(f"tensor {key!r} has an impossible shape, {list(found)}")
        n_rows = found[0] if limit is None else min(limit, found[0])
        return self._values(key, DTYPES[dtype], (n_rows, *found[1:]))

    def matrix(self, key: str, dtype: str, limit: int | None = None) -> NDArray[Any]:
        """Return vectors as `tensor` does.  Raises ModelFormatError for an absurd dimension."""
        if self.has(key) and len(self.shape(key)) == 2 and not 1 <= self.shape(key)[1] <= MAX_DIM:
            self.complain(f"tensor {key!r} has an invalid dimension: {self.shape(key)[1]}")
        return self.tensor(key, dtype, (None, None), limit)

    def of_group(self, prefix: str) -> dict[str, NDArray[np.float32]]:
        """Return the float32 tensors whose names start with prefix, keyed without the prefix.

        Raises ModelFormatError if one has no or more than 2 dimensions.
        """
        tensors = {}
        for key in self._header:
            if key.startswith(prefix):
                is_matrix = len(self.shape(key)) == 2
                found = self.matrix(key, "F32") if is_matrix else self.tensor(key, "F32", (None,))
                tensors[key.removeprefix(prefix)] = found
        return tensors

    def verify_rest(self) -> None:
        """Read the tensors that were not returned, and compare them with their checksums."""
        for key in list(self._unverified):
            self._compare(key, self._blocks(key))

    def complain(self, problem: str) -> NoReturn:
        """Raise ModelFormatError naming the file."""
        raise ModelFormatError(f"{self.name}: {problem}")

    def _values(self, key: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Read or map the first rows of a tensor."""
        size, begin = math.prod(shape), self._data_start + self._header[key]["data_offsets"][0]
        into = None
        if self._map is not None and size:
            values = np.frombuffer(self._map, dtype, size, begin).reshape(shape)
        else:
            values = np.empty(shape, dtype)
            into = values.reshape(-1).view(np.uint8)
        if key in self._unverified and shape == self.shape(key):
            self._compare(key, self._blocks(key, into))
        elif into is not None:
            for _ in self._blocks(key, into):
                pass
        return values

    def _blocks(self, key: str, into: NDArray[np.uint8] | None = None) -> Iterator[memoryview]:
        """Read the bytes of a tensor and yield each block of them.

        into: (n,) array to read the first n bytes into; None reads all into a buffer for one block.
        """
        begin, end = self._header[key]["data_offsets"]
        n_bytes = end - begin if into is None else len(into)
        buffer = np.empty(min(n_bytes, BLOCK_BYTES), np.uint8)
        self._file.seek(self._data_start + begin)
        for first in range(0, n_bytes, BLOCK_BYTES):
            last = min(n_bytes, first + BLOCK_BYTES)
            block = (buffer[: last - first] if into is None else into[first:last]).data
            if self._file.readinto(block) < len(block):
                self.complain("the file was truncated while it was read")
            yield block

    def _compare(self, key: str, blocks: Iterable[Any]) -> None:
        """Raise ModelFormatError unless the blocks match the checksum."""
        if checksum(blocks) != self._unverified.pop(key):
            part = "the header" if key == METADATA else f"tensor {key!r}"
            self.complain(
                f"{part} does not match its checksum: the file was damaged or edited after it was "
                "written; restore it from a copy (verify=False reads it as it is)"
            )
