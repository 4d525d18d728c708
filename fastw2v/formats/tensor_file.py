"""Write safetensors files as a stream; read them in part or memory-mapped.

The writer of the safetensors library first copies all tensors into one bytes object, which doubles
the memory of a model.  Its reader cannot map.  The library is only used to validate files.
Layout: the length of the header, a little-endian u64; the header, a JSON object of
{name: {dtype, shape, data_offsets}}; the data, without gaps.
"""

import json
import mmap as mapping
import struct
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import ModelFormatError

ALIGNMENT = 64  # one cache line: aligned rows are fastest to load when mapped
BLOCK_BYTES = 1 << 20
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
    "F16": np.dtype("<f2"),
    "I8": np.dtype("i1"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write_tensors(
    file: BinaryIO, tensors: dict[str, NDArray[Any]], metadata: dict[str, str]
) -> None:
    """Write the tensors in the given order; padded rows are packed block by block."""
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        dtype = _NAMES[tensor.dtype.newbyteorder("<")]
        header[name] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": (begin, end)}
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    file.write(struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        write_rows(file, tensor)


def write_rows(file: BinaryIO, tensor: NDArray[Any]) -> None:
    """Write the values of a tensor, one block of rows at a time."""
    row_bytes = tensor.nbytes // max(1, len(tensor))
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for first in range(0, len(tensor), step):
        rows = np.ascontiguousarray(tensor[first : first + step], tensor.dtype.newbyteorder("<"))
        file.write(rows.data)


class TensorFile:
    """The tensors of an open safetensors file, validated by the library.

    mmap: return read-only arrays mapped to the file.
    """

    def __init__(self, name: str, file: BinaryIO, *, mmap: bool) -> None:
        from safetensors import SafetensorError, safe_open

        self.name = name
        self._file = file
        try:
            with safe_open(name, framework="np") as checked:
                self.metadata: dict[str, str] = checked.metadata() or {}
        except SafetensorError as error:
            self.complain(f"not a valid safetensors file: {error}")
        (n_header,) = struct.unpack("<Q", file.read(8))
        self._header: dict[str, dict[str, Any]] = json.loads(file.read(n_header))
        self._data_start = 8 + n_header
        self._map = mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_READ) if mmap else None

    def has(self, key: str) -> bool:
        """Return whether the file has this tensor."""
        return key in self._header and key != "__metadata__"

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
        return self.tensor(key, dtype, shape, limit) if key in self._header else None

    def tensor(
        self, key: str, dtype: str, shape: tuple[int | None, ...], limit: int | None = None
    ) -> NDArray[Any]:
        """Return the first `limit` rows of a tensor, or all if None.

        shape: the expected shape; None matches any length.
        Raises ModelFormatError if the tensor is missing or has another type or shape.
        """
        if key not in self._header:
            self.complain(f"no tensor {key!r}")
        entry = self._header[key]
        fits = len(shape) == len(entry["shape"]) and all(
            want in (None, got) for want, got in zip(shape, entry["shape"], strict=True)
        )
        if not fits or entry["dtype"] != dtype:
            wanted = ["any" if want is None else want for want in shape]
            self.complain(
                f"tensor {key!r} must be {dtype} of shape {wanted}, "
                f"got {entry['dtype']} of shape {entry['shape']}"
            )
        found = list(entry["shape"])
        found[0] = found[0] if limit is None else min(limit, found[0])
        return self._values(entry["data_offsets"][0], DTYPES[dtype], found)

    def of_group(self, prefix: str) -> dict[str, NDArray[np.float32]]:
        """Return the float32 tensors whose names start with prefix, keyed without the prefix."""
        names = [name for name in self._header if name.startswith(prefix)]
        return {n.removeprefix(prefix): self.tensor(n, "F32", self.shape(n)) for n in names}

    def complain(self, problem: str) -> NoReturn:
        """Raise ModelFormatError naming the file."""
        raise ModelFormatError(f"{self.name}: {problem}")

    def _values(self, offset: int, dtype: np.dtype[Any], shape: list[int]) -> NDArray[Any]:
        """Read or map an array that starts `start` bytes into the data."""
        size = int(np.prod(shape))
        if size == 0:
            return np.empty(shape, dtype)
        if self._map is not None:
            return np.frombuffer(self._map, dtype, size, self._data_start + offset).reshape(shape)
        self._file.seek(self._data_start + offset)
        return np.fromfile(self._file, dtype, size).reshape(shape)
