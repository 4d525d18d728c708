"""Read a pickle as plain data, with an interpreter of its opcodes that imports and calls nothing.

What a pickle may hold is listed here: numbers, text, bytes, lists, dictionaries, NumPy's arrays and
scalars, and names of NAMES or MODULES.  An object of such a class is a Record: the name and
the attributes.  Everything else is a ModelFormatError that names the file and the byte.
Lengths are compared with the size of the file before anything of that length is made.
Reference: the protocols 0 to 5 as Lib/pickletools.py of Python 3.8 describes them.
"""

import codecs
import math
import re
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import ModelFormatError
from fastw2v.formats.opened import UNCHECKED_BYTES, OpenedFile

BLOCK_BYTES = 1 << 20  # read at a time
MAX_OPEN = 1 << 20  # values on the stack; a writer finishes containers in batches of 1,000
# Of a file for each list, dictionary, tuple and object, on average.  Those of gensim take 16 and
# more.  An empty list is 72 times as large as the byte that stands for it.
MIN_CONTAINER_BYTES, FREE_CONTAINERS = 8, 1 << 16
MAX_INT_BYTES = 256
MAX_NAME = 100  # characters of a module, and of what it holds
MAX_DIMENSIONS = 4
MAX_PROTOCOL = 5

_NUMPY = ("numpy.core.", "numpy._core.")  # before and from NumPy 2 on
_BUILTINS = ("builtins.", "__builtin__.")  # of Python 3 and 2
# Classes of these modules become records, and so do classes that a script defined.
MODULES = re.compile(r"(gensim|numpy\.random)(\.\w+)*|__main__")
# Names that models hold besides: as base classes and types, and as functions to hash words.
NAMES = frozenset(
    [
        *(f"{module}{name}" for module in _BUILTINS for name in ("object", "hash", "dict", "list")),
        *(f"{module}{name}" for module in _BUILTINS for name in ("int", "long", "float", "str")),
        *(f"numpy.{name}" for name in ("ndarray", "memmap", "float16", "float32", "float64")),
        *(f"{module}memmap.memmap" for module in _NUMPY),
        *("zlib.crc32", "zlib.adler32"),
    ]
)
ARRAY_CLASSES = ("numpy.ndarray", "numpy.memmap", *(f"{m}memmap.memmap" for m in _NUMPY))
_DTYPE = re.compile(r"(b1|[iu][1248]|f[248]|[SU]\d{1,6}|O[48]?)")
_ORDERS = "<>=|"  # of bytes
# Not tuples, whose hash can take forever, nor long numbers, whose hashes can be chosen.
_KEY_TYPES = frozenset([str, bytes, int, float, bool, type(None)])
_BYTES = (bytes, bytearray)
_ESCAPES = {bytes([character]) for character in b"\\'\"nrtx"}  # in the strings of Python 2
_MISSING: Final = object()  # in the memo, before the first number that was used


class Name:
    """A class or function that a pickle names.  Nothing is looked up."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Record:
    """An object of a class that was not imported.

    of: the name of its class, or of the function that makes it.  attributes: its __dict__.
    """

    __slots__ = ("attributes", "of")

    def __init__(self, of: str) -> None:
        self.of = of
        self.attributes: dict[Any, Any] = {}


class PickledDtype:
    """The type of an array.  code: NumPy's, such as f4, with its byte order before it."""

    __slots__ = ("code",)

    def __init__(self, code: str) -> None:
        self.code = code

    @property
    def is_object(self) -> bool:
        """Whether the values are Python objects."""
        return "O" in self.code


class PickledArray:
    """An array that is made when its value is used.

    values: their bytes or, from Python 2, ASCII; a list if the type is object.  order: C or F.
    """

    __slots__ = ("dtype", "order", "shape", "values")

    def __init__(self) -> None:
        self.dtype = PickledDtype("b1")
        self.shape: tuple[int, ...] = (0,)
        self.values: Any = b""
        self.order = "C"

    def value(self) -> NDArray[Any]:
        """Return the array, which may be read-only.  Raises ValueError if it is not of numbers."""
        if self.dtype.code.lstrip(_ORDERS)[0] in "OSU":
            raise ValueError("objects or text instead of numbers")
        values = self.values.encode("ascii") if type(self.values) is str else self.values
        flat = np.frombuffer(values, self.dtype.code)
        return flat.reshape(self.shape, order="F" if self.order == "F" else "C")


class _Stream:
    """Hand out the bytes of a file in order.

    n_bytes: the size of the file, None if unknown.
    """

    def __init__(self, name: str, file: BinaryIO, n_bytes: int | None) -> None:
        self._name = name
        self._file = file
        self._n_bytes = n_bytes
        self._data = b""
        self._place = 0
        self._begin = 0  # of _data in the file
        self.opcode_at = 0

    def complain(self, problem: str) -> NoReturn:
        """Raise ModelFormatError naming the file and the byte of the latest opcode."""
        raise ModelFormatError(f"{self._name}: byte {self.opcode_at}: {problem}")

    def opcode(self) -> int:
        """Return the next opcode."""
        if self._place == len(self._data):
            self.opcode_at = self._begin + self._place
            self._fill()
        place = self._place
        self.opcode_at = self._begin + place
        self._place = place + 1
        return self._data[place]

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes."""
        end = self._place + n_bytes
        if end > len(self._data):
            self.check_left(n_bytes)
            if n_bytes > BLOCK_BYTES:
                return self._take_long(n_bytes)
            while self._place + n_bytes > len(self._data):
                self._fill()
            end = self._place + n_bytes
        found = self._data[self._place : end]
        self._place = end
        return found

    def number(self, n_bytes: int) -> int:
        """Return the next bytes as an unsigned number."""
        return int.from_bytes(self.take(n_bytes), "little")

    def line(self) -> bytes:
        """Return the bytes before the next newline, which is skipped."""
        n_searched = 0
        while (end := self._data.find(b"\n", self._place + n_searched)) < 0:
            n_searched = len(self._data) - self._place
            self._fill()
        found = self._data[self._place : end]
        self._place = end + 1
        return found

    def check_left(self, n_bytes: int) -> None:
        """Raise ModelFormatError if the file is known to have fewer bytes left."""
        n_left = math.inf
        if self._n_bytes is not None:
            n_left = max(self._n_bytes - self._begin - self._place, 0)
        if n_bytes > n_left:
            self.complain(f"truncated or damaged: {n_bytes} bytes are announced, {n_left} are left")

    def _fill(self) -> None:
        """Read at least one byte, and as many as are left over, so that a long line is linear."""
        rest = self._data[self._place :]
        more = self._file.read(max(BLOCK_BYTES, len(rest)))
        if not more:
            self.complain("the file is truncated")
        self._begin += self._place
        self._data, self._place = rest + more, 0

    def _take_long(self, n_bytes: int) -> bytes:
        """Return many bytes, without allocating memory for bytes that do not exist."""
        n_each = UNCHECKED_BYTES if self._n_bytes is None else n_bytes
        found = bytearray(min(n_bytes, n_each))
        n_found = len(self._data) - self._place
        found[:n_found] = self._data[self._place :]
        while n_found < n_bytes:
            if n_found == len(found):
                found += bytes(min(n_bytes - n_found, n_each))
            n_read = self._file.readinto(memoryview(found)[n_found:])  # type: ignore[attr-defined]
            if not n_read:
                self.complain("the file is truncated")
            n_found += n_read
        self._begin += self._place + n_bytes
        self._data, self._place = b"", 0
        return found  # type: ignore[return-value]


def read_pickle(name: str, opened: OpenedFile) -> Any:
    """Return the object of a pickle as plain data; raise ModelFormatError for anything else."""
    return _Machine(_Stream(name, opened.file, opened.n_bytes)).run()


class _Machine:
    """The stack, the marks and the memo of a pickle, and a method for each opcode."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._complain = stream.complain
        self._stack: list[Any] = []
        self._marks: list[int] = []  # heights of the stack
        self._memo: list[Any] = []
        self._copied = 0  # values and bytes; a file that states them once is longer
        self._n_containers = -FREE_CONTAINERS

    def run(self) -> Any:
        """Return the value at STOP."""
        opcode, stack = self._stream.opcode, self._stack
        methods = [_METHODS.get(code) for code in range(256)]
        while (code := opcode()) != STOP:
            step = methods[code]
            if step is None:
                refused = _REFUSED.get(code)
                self._complain(refused or f"{bytes([code])!r} is no opcode of a pickle")
            try:
                step(self)
            except IndexError:
                self._complain(f"damaged: opcode {bytes([code])!r} finds nothing on the stack")
            if len(stack) > MAX_OPEN:
                self._complain(f"more than {MAX_OPEN:,} values that belong to nothing yet")
        if len(stack) != 1 or self._marks:
            self._complain(f"damaged: {len(stack)} values at the end instead of 1")
        return stack[0]

    # ---- the stack and the memo ----

    def _own(self, container: Any) -> None:
        """Push a new container."""
        self._n_containers += 1
        if self._n_containers * MIN_CONTAINER_BYTES > self._stream.opcode_at:
            self._complain("more lists, tuples or objects than a model of this size has")
        self._stack.append(container)

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _above_mark(self) -> list[Any]:
        """Remove and return the values above the latest mark."""
        begin = self._marks.pop()
        values = self._stack[begin:]
        del self._stack[begin:]
        return values

    def _pop(self) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._stack.pop()

    def _put(self, place: int) -> None:
        memo = self._memo
        if place > len(memo) + 1:  # Python 2 starts at 1
            self._complain(f"damaged: memo {place} follows {len(memo)}")
        while place >= len(memo):
            memo.append(_MISSING)
        memo[place] = self._stack[-1]

    def _memoize(self) -> None:
        self._memo.append(self._stack[-1])

    def _get(self, place: int) -> None:
        value = self._memo[place] if place < len(self._memo) else _MISSING
        if value is _MISSING:
            self._complain(f"damaged: nothing is in memo {place}")
        self._stack.append(value)

    def _line_number(self) -> int:
        """Return the number of a memo in protocol 0."""
        line = self._stream.line()
        if not re.fullmatch(rb"\d{1,10}", line):
            self._complain(f"damaged: memo {line[:20]!r}")
        return int(line)

    # ---- numbers, text and bytes ----

    def _protocol(self) -> None:
        protocol = self._stream.number(1)
        if protocol > MAX_PROTOCOL:
            self._complain(f"pickle protocol {protocol}, but only 0 to {MAX_PROTOCOL} are known")

    def _frame(self) -> None:
        """Check the length of a frame, which says nothing else."""
        self._stream.check_left(self._stream.number(8))

    def _int_line(self) -> None:
        line = self._stream.line()
        if line in (b"00", b"01"):
            self._stack.append(line == b"01")
        else:
            self._decimal(line)

    def _long_line(self) -> None:
        self._decimal(self._stream.line().removesuffix(b"L"))

    def _decimal(self, digits: bytes) -> None:
        if not re.fullmatch(rb"-?\d{1,600}", digits):
            self._complain(f"damaged: {digits[:20]!r} is no number that a model holds")
        self._stack.append(int(digits))

    def _long(self, n_bytes: int) -> None:
        if not 0 <= n_bytes <= MAX_INT_BYTES:
            self._complain(f"an integer of {n_bytes} bytes, which no model holds")
        self._stack.append(int.from_bytes(self._stream.take(n_bytes), "little", signed=True))

    def _float_line(self) -> None:
        line = self._stream.line()
        try:
            self._stack.append(float(line[:60]))
        except ValueError:
            self._complain(f"damaged: {line[:20]!r} is no number")

    def _text(self, data: bytes) -> None:
        try:
            self._stack.append(str(data, "utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            self._complain("damaged: text that is not Unicode")

    def _text_line(self) -> None:
        try:  # the codec by its function: its name would import a module
            text, _ = codecs.raw_unicode_escape_decode(self._stream.line(), "strict")
        except UnicodeDecodeError:
            self._complain("damaged: text with an unknown escape")
        self._stack.append(text)

    def _old_string(self, data: bytes) -> None:
        """Push a str of Python 2, which was text or bytes."""
        self._stack.append(data.decode("ascii") if data.isascii() else data)

    def _string_line(self) -> None:
        line = self._stream.line().strip()
        if len(line) < 2 or line[:1] not in b"'\"" or line[-1:] != line[:1]:
            self._complain(f"damaged: {line[:20]!r} is no string in quotes")
        escapes = set(re.findall(rb"\\(.|\Z)", line[1:-1], re.DOTALL))
        try:
            if not escapes <= _ESCAPES:
                raise ValueError
            text, _ = codecs.unicode_escape_decode(line[1:-1], "strict")
            self._old_string(text.encode("latin-1"))
        except ValueError:
            self._complain("damaged: a string with an unknown escape")

    # ---- containers ----

    def _tuple(self, n_values: int) -> None:
        values = tuple(self._stack[-n_values:])
        if len(values) < n_values:
            raise IndexError
        del self._stack[-n_values:]
        self._own(values)

    def _dict_of_mark(self) -> None:
        values = self._above_mark()
        self._own({})
        self._set_items(values)

    def _set_items(self, values: list[Any]) -> None:
        """Set the keys and values, which alternate, of the dictionary on the stack."""
        target, keys = self._stack[-1], values[::2]
        if type(target) is not dict or len(values) % 2:
            self._complain(f"{_kind(target)} is given keys and values")
        for kind in set(map(type, keys)) - _KEY_TYPES:
            self._complain(f"{_kind_of_type(kind)} as the key of a dictionary")
        if any(type(key) is int and key.bit_length() > 64 for key in keys):
            self._complain("an integer of more than 64 bits as the key of a dictionary")
        target.update(zip(keys, values[1::2], strict=True))

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _extend(self, values: list[Any]) -> None:
        """Append values to the list on the stack; sets are lists here."""
        target = self._stack[-1]
        if type(target) is not list:
            self._complain(f"{_kind(target)} is given items")
        target.extend(values)

    def _append(self) -> None:
        value = self._stack.pop()
        self._extend([value])

    # ---- names and objects ----

    def _name(self, module: Any, name: Any) -> None:
        """Push a name; raise ModelFormatError unless it is on the list."""
        if type(module) is not str or type(name) is not str:
            self._complain(f"damaged: {_kind(module)} and {_kind(name)} as a name")
        text = f"{module[:MAX_NAME]}.{name[:MAX_NAME]}"
        is_record = MODULES.fullmatch(module, 0, MAX_NAME) and re.fullmatch(r"\w+", name)
        is_short = len(module) <= MAX_NAME and len(name) <= MAX_NAME
        if not is_short or not (is_record or text in NAMES or text in _CALLS):
            self._complain(f"it names {text!r}, which no model of gensim needs; nothing ran")
        self._stack.append(Name(text))

    def _name_lines(self) -> None:
        module, name = self._stream.line(), self._stream.line()
        self._name(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))

    def _name_of_stack(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._name(module, name)

    def _call(self, function: Any, args: Any) -> None:
        """Push what a function or class would return: a record, or data made here."""
        if type(function) is not Name or type(args) is not tuple:
            self._complain(f"{_kind(function)} is called with {_kind(args)}")
        if make := _CALLS.get(function.text):
            try:
                if make in _COPYING:
                    self._copied += sum(len(arg) for arg in args if hasattr(arg, "__len__"))
                    if self._copied > self._stream.opcode_at:
                        raise ValueError("one value is used again and again")
                self._own(make(*args))
            except (TypeError, ValueError, AttributeError) as error:
                self._complain(f"damaged: wrong arguments of {function.text}: {_line(error)}")
        elif function.text in NAMES:
            self._complain(
                f"it calls {function.text}, which no model of gensim does; it did not run"
            )
        else:
            self._own(Record(function.text))

    def _reduce(self) -> None:
        args, function = self._stack.pop(), self._stack.pop()
        self._call(function, args)

    def _new_with_keywords(self) -> None:
        keywords, args, function = self._stack.pop(), self._stack.pop(), self._stack.pop()
        if type(keywords) is not dict or (type(function) is Name and function.text in _CALLS):
            self._complain(f"{_kind(function)} is called with keywords")
        self._call(function, args)

    def _instance_of_lines(self) -> None:
        args = tuple(self._above_mark())
        self._name_lines()
        self._call(self._stack.pop(), args)

    def _instance_of_stack(self) -> None:
        values = self._above_mark()
        self._call(values[0], tuple(values[1:]))

    def _build(self) -> None:
        """Give an object its state."""
        state = self._stack.pop()
        target = self._stack[-1]
        try:
            if type(target) is Record:
                _set_attributes(target, state)
            elif type(target) is PickledArray:
                _set_array(target, state)
            elif type(target) is PickledDtype:
                _set_dtype(target, state)
            else:
                raise ValueError(f"{_kind(target)} is given a state")
        except (TypeError, ValueError) as error:
            self._complain(f"damaged: {_line(error)}")


# ---- what objects are made of ----


def _set_attributes(record: Record, state: Any) -> None:
    """Let a record share its state, which is not copied: thousands of records may have the same."""
    if record.attributes:
        raise ValueError(f"{record.of} is given a state twice")
    if type(state) is tuple and len(state) == 2 and None in (state[0], state[1]):
        state = state[0] or state[1]  # the __dict__ and the __slots__
    record.attributes = state if type(state) is dict else {"": state}


def _set_array(array: PickledArray, state: Any) -> None:
    """Set shape, type and values of an array that _reconstruct made.

    state: the version if it is 1, then shape, type, whether the first index is the fastest, values.
    """
    if type(state) is not tuple or len(state) not in (4, 5):
        raise ValueError("the state of an array")
    shape, dtype, is_fortran, values = state[-4:]
    _fill_array(array, values, dtype, shape, "F" if is_fortran is True or is_fortran == 1 else "C")


def _fill_array(array: PickledArray, values: Any, dtype: Any, shape: Any, order: Any) -> None:
    if type(dtype) is not PickledDtype or type(shape) is not tuple or order not in ("C", "F"):
        raise ValueError("the type, shape or order of an array")
    if len(shape) > MAX_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("the shape of an array")
    is_text = type(values) is str and values.isascii()  # of Python 2
    if not (type(values) is list if dtype.is_object else is_text or type(values) in _BYTES):
        raise ValueError(f"{_kind(values)} as the values of an array")
    n_bytes = math.prod(shape) * (1 if dtype.is_object else np.dtype(dtype.code).itemsize)
    if n_bytes != len(values):
        raise ValueError(f"an array of {n_bytes} bytes has {len(values)}")
    array.values, array.dtype, array.shape, array.order = values, dtype, shape, order


def _set_dtype(dtype: PickledDtype, state: Any) -> None:
    """Set the byte order.  state: the version, the byte order, then what structures have."""
    if type(state) is not tuple or len(state) < 3 or state[1] not in tuple(_ORDERS):
        raise ValueError("the state of a type of arrays")
    if any(value is not None for value in state[2:5]):
        raise ValueError("a structure as the type of an array")
    dtype.code = state[1] + dtype.code.lstrip(_ORDERS)


# ---- functions that pickles call, as they are made here ----


def _make_dtype(code: Any, align: object = False, copy: object = True) -> PickledDtype:
    if type(code) is not str or not _DTYPE.fullmatch(code):
        raise ValueError(f"{code if type(code) is str else _kind(code)!r:.40} as a type of arrays")
    return PickledDtype("=" + code)


def _make_array(of: Any, shape: object = (), dtype: object = b"") -> PickledArray:
    if type(of) is not Name or of.text not in ARRAY_CLASSES:
        raise ValueError(f"{_kind(of)} as a class of arrays")
    return PickledArray()


def _array_of_buffer(values: Any, dtype: Any, shape: Any, order: Any) -> PickledArray:
    array = PickledArray()
    _fill_array(array, values, dtype, shape, order)
    return array


def _scalar(dtype: Any, value: Any) -> Any:
    array = PickledArray()
    _fill_array(array, value, dtype, (1,), "C")
    order, kind = dtype.code[0], dtype.code.lstrip(_ORDERS)[0]
    if kind == "U":  # NumPy would raise a SystemError for characters beyond Unicode
        decode = codecs.utf_32_be_decode if order == ">" else codecs.utf_32_le_decode
        return decode(value, "surrogatepass", True)[0].rstrip("\0")
    return bytes(value).rstrip(b"\0") if kind == "S" else array.value().item()


def _reconstructor(of: Any, base: Any, state: object) -> Record:
    if type(of) is not Name or type(base) is not Name or not base.text.endswith(".object"):
        raise ValueError(f"{_kind(of)} as a class")
    return Record(of.text)


def _new_object(of: Any, *args: Any) -> Record:
    return _reconstructor(of, Name("builtins.object"), None)


def _encode(text: Any, codec: Any) -> bytes:
    if type(text) is not str or codec not in ("latin1", "latin-1"):
        raise ValueError(f"{_kind(text)} as text for bytes")
    return text.encode("latin-1")


def _make_bytes(text: Any = "", codec: Any = "latin-1") -> bytes:
    return text if type(text) in _BYTES else _encode(text, codec)


def _make_set(values: Any = ()) -> list[Any]:
    if type(values) is not list:
        raise ValueError(f"{_kind(values)} as the items of a set")
    return values


def _make_dict(items: Any = ()) -> dict[Any, Any]:
    """Return an OrderedDict or Counter of items, which are given in Python 2."""
    if type(items) is dict:
        return dict(items)
    found = {}
    for key, value in items:
        if type(key) is not str:
            raise ValueError(f"{_kind(key)} as the key of a dictionary")
        found[key] = value
    return found


def _make_defaultdict(default: object = None) -> dict[Any, Any]:
    return {}


_CALLS: Final[dict[str, Callable[..., Any]]] = {
    "numpy.dtype": _make_dtype,
    "_codecs.encode": _encode,
    "collections.OrderedDict": _make_dict,
    "collections.Counter": _make_dict,
    "collections.defaultdict": _make_defaultdict,
    **{f"{module}multiarray._reconstruct": _make_array for module in _NUMPY},
    **{f"{module}multiarray.scalar": _scalar for module in _NUMPY},
    **{f"{module}numeric._frombuffer": _array_of_buffer for module in _NUMPY},
    **{f"{module}_reconstructor": _reconstructor for module in ("copy_reg.", "copyreg.")},
    **{f"{module}__newobj__": _new_object for module in ("copy_reg.", "copyreg.")},
    **{f"{module}{name}": _make_set for module in _BUILTINS for name in ("set", "frozenset")},
    **{f"{module}{name}": _make_bytes for module in _BUILTINS for name in ("bytes", "bytearray")},
}
_COPYING = (_encode, _make_bytes, _make_dict, _scalar)  # their time and memory follow the argument


# ---- the opcodes ----

STOP = ord(".")


def _push(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine._stack.append(value)


def _push_bytes(n_length: int) -> Callable[[_Machine], None]:
    """Return a step that pushes as many bytes as a number of n_length bytes says."""

    def step(machine: _Machine) -> None:
        stream = machine._stream
        machine._stack.append(stream.take(stream.number(n_length)))

    return step


def _push_text(n_length: int) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        stream = machine._stream
        machine._text(stream.take(stream.number(n_length)))

    return step


def _push_packed(code: str) -> Callable[[_Machine], None]:
    """Return a step that pushes a number.  code: of the struct module."""
    packed = struct.Struct(code)

    def step(machine: _Machine) -> None:
        machine._stack.extend(packed.unpack(machine._stream.take(packed.size)))

    return step


def _push_tuple(n_values: int) -> Callable[[_Machine], None]:
    return lambda machine: machine._tuple(n_values)


_BY_CHARACTER: dict[bytes, Callable[[_Machine], Any]] = {
    b"(": _Machine._mark,
    b"0": _Machine._pop,
    b"1": lambda machine: machine._above_mark(),
    b"2": lambda machine: machine._stack.append(machine._stack[-1]),
    b"p": lambda machine: machine._put(machine._line_number()),
    b"q": lambda machine: machine._put(machine._stream.number(1)),
    b"r": lambda machine: machine._put(machine._stream.number(4)),
    b"\x94": _Machine._memoize,
    b"g": lambda machine: machine._get(machine._line_number()),
    b"h": lambda machine: machine._get(machine._stream.number(1)),
    b"j": lambda machine: machine._get(machine._stream.number(4)),
    b"\x80": _Machine._protocol,
    b"\x95": _Machine._frame,
    b"N": _push(None),
    b"\x88": _push(True),
    b"\x89": _push(False),
    b"I": _Machine._int_line,
    b"L": _Machine._long_line,
    b"F": _Machine._float_line,
    b"J": _push_packed("<i"),
    b"K": _push_packed("<B"),
    b"M": _push_packed("<H"),
    b"G": _push_packed(">d"),
    b"\x8a": lambda machine: machine._long(machine._stream.number(1)),
    b"\x8b": lambda machine: machine._long(machine._stream.number(4)),
    b"V": _Machine._text_line,
    b"\x8c": _push_text(1),
    b"X": _push_text(4),
    b"\x8d": _push_text(8),
    b"C": _push_bytes(1),
    b"B": _push_bytes(4),
    b"\x8e": _push_bytes(8),
    b"\x96": _push_bytes(8),
    b"S": _Machine._string_line,
    b"U": lambda machine: machine._old_string(machine._stream.take(machine._stream.number(1))),
    b"T": lambda machine: machine._old_string(machine._stream.take(machine._stream.number(4))),
    b")": _push(()),
    b"\x85": _push_tuple(1),
    b"\x86": _push_tuple(2),
    b"\x87": _push_tuple(3),
    b"t": lambda machine: machine._own(tuple(machine._above_mark())),
    b"]": lambda machine: machine._own([]),
    b"\x8f": lambda machine: machine._own([]),
    b"l": lambda machine: machine._own(machine._above_mark()),
    b"\x91": lambda machine: machine._own(machine._above_mark()),
    b"a": _Machine._append,
    b"e": lambda machine: machine._extend(machine._above_mark()),
    b"\x90": lambda machine: machine._extend(machine._above_mark()),
    b"}": lambda machine: machine._own({}),
    b"d": _Machine._dict_of_mark,
    b"s": _Machine._set_item,
    b"u": lambda machine: machine._set_items(machine._above_mark()),
    b"c": _Machine._name_lines,
    b"\x93": _Machine._name_of_stack,
    b"R": _Machine._reduce,
    b"\x81": _Machine._reduce,
    b"\x92": _Machine._new_with_keywords,
    b"i": _Machine._instance_of_lines,
    b"o": _Machine._instance_of_stack,
    b"b": _Machine._build,
}
_METHODS = {ord(character): step for character, step in _BY_CHARACTER.items()}
_REFUSED = {
    ord("P"): "it refers to an object outside the file (a persistent id)",
    ord("Q"): "it refers to an object outside the file (a persistent id)",
    0x82: "it refers to a class by number (the registry of extensions)",
    0x83: "it refers to a class by number (the registry of extensions)",
    0x84: "it refers to a class by number (the registry of extensions)",
    0x97: "it refers to a buffer outside the file",
    0x98: "it refers to a buffer outside the file",
}


# ---- messages ----


def _kind(value: object) -> str:
    """Return what a value is, without its content, which may be endless."""
    return value.text if type(value) is Name else _kind_of_type(type(value))


def _kind_of_type(kind: type) -> str:
    names = {type(None): "nothing", str: "text", bytes: "bytes", Record: "an object"}
    return names.get(kind, f"a value of type {kind.__name__}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
