"""Pickles are read as plain data: what is not on the list is refused, and nothing is run."""

import io
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
import warnings
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
from gensim_case import BEFORE, around, model_of_3, model_of_4, save, vectors_of_4
from hypothesis import given
from hypothesis import strategies as st

from fastw2v import KeyedVectors
from fastw2v.errors import Fastw2vError, ModelFormatError
from fastw2v.formats.opened import OpenedFile
from fastw2v.formats.pickle_machine import read_pickle

ROOT = Path(__file__).parents[1]
PROTOCOLS = pytest.mark.parametrize("protocol", range(6))


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def value_of(data, *, is_size_known=True):
    """Return the value of a pickle, given as opcodes with STOP."""
    return read_pickle("file", OpenedFile(io.BytesIO(data), len(data) if is_size_known else None))


# ---- data ----


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**300), 2**300)
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(plain, st.integers(0, 5), st.booleans())
def test_plain_values_come_back(value, protocol, is_size_known):
    assert value_of(pickle.dumps(value, protocol), is_size_known=is_size_known) == value


@PROTOCOLS
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "|i1", "<u2", ">i8", "|b1"])
def test_arrays_come_back(protocol, dtype):
    array = (np.arange(600000) % 100).reshape(3, -1).astype(dtype)
    for given_array in (array, array.T, array[:0], array[:, 5]):
        for is_size_known in (True, False):
            found = value_of(pickle.dumps(given_array, protocol), is_size_known=is_size_known)
            assert found.value().dtype == given_array.dtype
            np.testing.assert_array_equal(found.value(), given_array)


@PROTOCOLS
def test_scalars_sets_and_generators_come_back_as_plain_data(protocol):
    texts = [np.str_("é日"), np.array(["日"], ">U2")[0], np.bytes_(b"a")]
    made = [np.float32(0.5), np.int64(-7), *texts, {1}, frozenset({2}), bytearray(b"a")]
    found = value_of(pickle.dumps(made, protocol))
    assert found == [0.5, -7, "é日", "日", b"a", [1], [2], b"a"]
    assert [type(value) for value in found[:4]] == [float, int, str, str]
    state = value_of(pickle.dumps(np.random.RandomState(1), protocol))
    assert state.of.startswith("numpy.random.")


@PROTOCOLS
def test_dictionaries_of_collections_are_plain(protocol):
    made = [OrderedDict(a=1, b=2), Counter("aab"), defaultdict(int, x=3)]
    assert value_of(pickle.dumps(made, protocol)) == [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"x": 3}]


@pytest.mark.parametrize("is_size_known", [True, False])
def test_values_may_lie_across_the_blocks_that_are_read(is_size_known):
    made = [bytes([n]) * 700_000 for n in range(9)] + [b"long" * (5 << 20), "é" * 3_000_000]
    assert value_of(pickle.dumps(made), is_size_known=is_size_known) == made


# In Python 2, also from dictionaries of other versions, and with the opcodes of old classes.
OLD = {
    "escapes": (rb"S'a\x41\n\'\\b'" + b"\n.", "aA\n'\\b"),
    "bytes": (rb'S"\xc3\xa9"' + b"\n.", "é".encode()),
    "a dictionary of pairs": (
        b"ccollections\nOrderedDict\n((lp1\n(lp2\nS'a'\naI1\naatR.",
        {"a": 1},
    ),
    "a memo that starts at 1": (b"]q\1h\1\x86.", ([], [])),
}


@pytest.mark.parametrize(("data", "value"), OLD.values(), ids=OLD)
def test_values_of_python_2_are_read(data, value):
    assert value_of(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"(igensim.utils\nX\n}" + text("a") + b"K\1sb.",
        b"(cgensim.utils\nX\no}" + text("a") + b"K\1sb.",
        b"ccopy_reg\n__newobj__\ncgensim.utils\nX\n\x85R}" + text("a") + b"K\1sb.",
        b"ccopy_reg\n_reconstructor\n(cgensim.utils\nX\nc__builtin__\nobject\nNtR(dp0\nS'a'\nI1\nsb.",
        b"cgensim.utils\nX\n)\x81}" + text("a") + b"K\1sN\x86b.",
        b"cgensim.utils\nX\n)}\x92}" + text("a") + b"K\1sb.",
    ],
)
def test_objects_are_records_with_their_attributes(data):
    found = value_of(data)
    assert (found.of, found.attributes) == ("gensim.utils.X", {"a": 1})


def test_a_value_that_holds_itself_is_read():
    values = []
    values.append(values)
    found = value_of(pickle.dumps(values))
    assert found[0] is found


# ---- what is refused ----

RUN = b"cos\nsystem\n"
TOUCH = text("touch ran")
TUPLE = b"(" + TOUCH + b"t"
HOSTILE = {
    "global": b"cos\nsystem\n",
    "global and reduce": RUN + TUPLE + b"R",
    "posix": b"cposix\nsystem\n" + TUPLE + b"R",
    "subprocess": b"csubprocess\nPopen\n" + TUPLE + b"R",
    "stack global": text("os") + text("system") + b"\x93" + TUPLE + b"R",
    "a dotted name": text("gensim.utils") + text("os.system") + b"\x93" + TUPLE + b"R",
    "stack global of bytes": b"C\2osC\6system\x93",
    "inst": b"(" + TOUCH + b"ios\nsystem\n",
    "obj": b"(" + RUN + TOUCH + b"o",
    "newobj": RUN + TUPLE + b"\x81",
    "newobj_ex": RUN + TUPLE + b"}\x92",
    "build with a setter": b"cos\nsystem\n)\x81}" + text("__setstate__") + RUN + b"sb",
    "eval": b"c__builtin__\neval\n(" + text("open('ran','w')") + b"tR",
    "eval of python 3": b"cbuiltins\neval\n(" + text("open('ran','w')") + b"tR",
    "exec": b"cbuiltins\nexec\n(" + text("open('ran','w')") + b"tR",
    "import": b"cbuiltins\n__import__\n(" + text("os") + b"tR",
    "getattr": b"cbuiltins\ngetattr\n(" + RUN + text("x") + b"tR",
    "open": b"cbuiltins\nopen\n(" + text("ran") + text("w") + b"tR",
    "object called": b"cbuiltins\nobject\n)R",
    "hash called": b"cbuiltins\nhash\n(K\1tR",
    "importlib": b"cimportlib\nimport_module\n(" + text("antigravity") + b"tR",
    "code": b"ctypes\nCodeType\n)R",
    "attrgetter": b"coperator\nattrgetter\n(" + text("system") + b"tR",
    "numpy's loads": b"cnumpy\nload\n(" + text("ran") + b"tR",
    "numpy's fromfile": b"cnumpy\nfromfile\n(" + text("ran") + b"tR",
    "numpy's testing": b"cnumpy.testing._private.utils\nrunstring\n(" + text("x=1") + b"}tR",
    "another base": b"ccopy_reg\n_reconstructor\n(cgensim.a\nB\ncbuiltins\ndict\n}tR",
    "a call of data": text("os") + b")R",
    "arguments that are a list": b"cgensim.utils\nx\n]R",
    "extension 1": b"\x82\1",
    "extension 2": b"\x83\1\0",
    "extension 4": b"\x84\1\0\0\0",
    "persistent id": b"Pany\n",
    "binary persistent id": b"K\1Q",
    "a buffer outside": b"\x97",
    "a read-only buffer": b"K\1\x98",
    "an unknown opcode": b"\xff",
    "protocol 6": b"\x80\6",
    "items for an object": b"cgensim.utils\nx\n)\x81K\1a",
    "keys for a list": b"]K\1K\2s",
    "a state for a list": b"]}b",
    "a second state": b"cgensim.utils\nx\n)\x81}K\1K\2sb}b",
    "a list as key": b"}]K\1s",
    "an object as key": b"}cgensim.utils\nx\nK\1s",
    "a tuple as key": b"})K\1s",
    "a long number as key": b"}\x8a\x0a" + b"\x01" * 10 + b"K\1s",
    "a key without value": b"}(K\1u",
    "no array": b"cnumpy.core.multiarray\n_reconstruct\n(cgensim.a\nB\n(K\0tC\1btR",
    "a structure": b"cnumpy\ndtype\n(" + text("V8") + b"K\0K\1tR",
    "no items of a set": b"cbuiltins\nset\n(K\1tR",
    "no pairs": b"ccollections\nOrderedDict\n(K\1tR",
    "keys of a list": b"ccollections\nOrderedDict\n(](]K\1etR",
    "a character beyond Unicode": b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n("
    + text("U1") + b"K\0K\1tRC\4\xff\xff\xff\xfftR",
    "a type of objects as scalar": b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n("
    + text("O8") + b"K\0K\1tR]tR",
    "another codec": b"c_codecs\nencode\n(" + text("x") + text("rot13") + b"tR",
    "text that is not latin-1": b"c_codecs\nencode\n(" + text("日") + text("latin1") + b"tR",
    "nothing on the stack": b"0" * 30,
    "a memo that is not there": b"h\x63",
    "a memo far away": b"K\1r\xff\xff\xff\xff",
    "no number": b"Fabc\n",
    "an endless number": b"I" + b"9" * 5000 + b"\n",
    "a long number": b"\x8b\0\x10\0\0" + b"\1" * 4096,
    "a number of negative length": b"\x8b\xff\xff\xff\xff",
    "an unknown escape": b"S'\\N{BULLET}'\n",
    "half an escape": b"S'\\x4'\n",
    "no quotes": b"Sabc\n",
    "no Unicode": b"X\1\0\0\0\xff",
    "half an escape of unicode": b"V\\u12\n",
    "a long name": b"cgensim." + b"a" * 200 + b"\nX\n",
    "a name with a null byte": b"cgensim.a\0\nX\n",
}  # fmt: skip
each_hostile = pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)


@each_hostile
def test_what_is_not_plain_data_is_refused_with_its_place(tmp_path, payload):
    path = tmp_path / "v"
    path.write_bytes(around(payload))
    with pytest.raises(ModelFormatError) as caught:
        KeyedVectors.read(path)
    place = re.match(rf"{path}: byte (\d+): ", str(caught.value))
    assert "\n" not in str(caught.value)
    assert len(BEFORE) <= int(place[1]) <= len(around(payload))


WATCHED = """
import os, sys, warnings
from pathlib import Path
from fastw2v import KeyedVectors, Word2Vec
from fastw2v.errors import ModelFormatError
warnings.simplefilter("ignore")
harmless, *hostile = sys.argv[1:]
Word2Vec.load(harmless)  # imports what reading needs
try:
    KeyedVectors.read(hostile[0])
except ModelFormatError:
    pass
seen = []
sys.addaudithook(lambda event, args: seen.append((event, args)))
KeyedVectors.read(harmless)
n_refused = 0
for path in hostile:
    try:
        KeyedVectors.read(path)
    except ModelFormatError:
        n_refused += 1
allowed = {"open", "object.__getattr__", "object.__setattr__", "sys._getframe"}
events = [pair for pair in seen if pair[0] not in allowed]
opened = {str(args[0]) for event, args in seen if event == "open"}
print(n_refused, sorted(opened - {*hostile, harmless}), *events, sep="|")
"""


def test_an_audit_hook_sees_nothing_imported_or_executed(tmp_path):
    names = []
    for number, payload in enumerate(HOSTILE.values()):
        names.append(tmp_path / str(number))
        names[-1].write_bytes(around(payload))
    harmless = save(tmp_path / "m", model_of_4())
    shown = subprocess.run(
        [sys.executable, "-c", WATCHED, harmless, *names],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert shown.stdout.strip() == f"{len(HOSTILE)}|[]"
    assert not (tmp_path / "ran").exists()


def test_neither_pickle_nor_pickletools_is_imported():
    for path in (ROOT / "fastw2v").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) +_?pickle", path.read_text("utf-8"), re.MULTILINE)


# ---- sizes ----

LENGTHS = {
    "BINBYTES8": b"\x8e" + b"\xff" * 8,
    "BYTEARRAY8": b"\x96" + b"\0\0\0\0\0\0\0\x40",
    "BINUNICODE8": b"\x8d" + b"\0\0\0\0\0\1\0\0",
    "BINUNICODE": b"X\xff\xff\xff\x7f",
    "BINBYTES": b"B\xff\xff\xff\xff",
    "BINSTRING": b"T\xff\xff\xff\xff",
    "FRAME": b"\x95" + b"\xff" * 8,
}
DTYPE = b"cnumpy\ndtype\n(" + text("f4") + b"K\0K\1tR"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tC\1btR"
HUGE = b"\x8a\7" + b"\xff" * 6 + b"\x0f"
BOMBS = {
    **LENGTHS,
    "a huge shape": ARRAY + b"(K\1(" + HUGE + b"K\1t" + DTYPE + b"\x89C\0tb",
    "shapes whose product overflows": ARRAY + b"(K\1(" + 4 * HUGE + b"t" + DTYPE + b"\x89C\0tb",
    "many dimensions": ARRAY + b"(K\1(" + b"K\1" * 60 + b"t" + DTYPE + b"\x89C\4aaaatb",
    "a negative shape": ARRAY + b"(K\1(J\xff\xff\xff\xfft" + DTYPE + b"\x89C\0tb",
    "too few values": ARRAY + b"(K\1(K\2t" + DTYPE + b"\x89C\4aaaatb",
    "a huge text type": b"cnumpy\ndtype\n(" + text("U9999999") + b"K\0K\1tR",
    "a value used again and again": text("x" * 10000) + b"q\0" + text("latin1") + b"q\1"
    + b"c_codecs\nencode\nq\2(" + b"h\2(h\0h\1tR" * 5000,
    "a dictionary copied again and again": b"ccollections\nOrderedDict\nq\0}(" + b"".join(
        text(str(n)) + b"N" for n in range(2000)) + b"uq\1\x85q\2(" + b"h\0h\2R" * 5000,
}  # fmt: skip


@pytest.mark.parametrize("is_size_known", [True, False])
@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
def test_announced_sizes_are_not_allocated(payload, is_size_known):
    data = around(payload)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError):
            value_of(data, is_size_known=is_size_known)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def laughs():
    """Return a list of ten lists of ten lists ..., 100 deep, by reference."""
    value = ["laugh"]
    for _ in range(100):
        value = [value] * 10
    return value


FEW_BYTES = {
    "billions of laughs": pickle.dumps(laughs()),
    "tuples of themselves": b"K\1\x85" + b"2\x86" * 10000 + b".",
    "lists in lists": b"]" * 9000 + b"a" * 8999 + b".",
    "one state of many objects": b"cgensim.utils\nx\nq\0}(" + b"".join(
        text(str(n)) + b"N" for n in range(2000)) + b"uq\1](" + b"h\0)\x81h\1b" * 5000 + b"e\x87.",
    "one array of many": b"](" + ARRAY + b"q\0" + b"h\0" * 50000 + b"e.",
}  # fmt: skip


@pytest.mark.parametrize("data", FEW_BYTES.values(), ids=FEW_BYTES)
def test_repeated_references_need_memory_in_proportion_to_the_file(data):
    tracemalloc.start()
    try:
        value_of(data)
        assert tracemalloc.get_traced_memory()[1] < 32 * len(data) + (6 << 20)
    finally:
        tracemalloc.stop()


MANY = {
    "open values": (b"N" * 2_000_000, "more than 1,048,576 values that belong to nothing"),
    "open lists": (b"]" * 2_000_000, "more lists, tuples or objects than"),
    "lists": (b"]" + b"(" + b"]" * 1_000_000 + b"e.", "more lists, tuples or objects than"),
    "dictionaries": (b"]" + b"}a" * 1_000_000 + b".", "more lists, tuples or objects than"),
    "tuples": (b"N" + b"\x85" * 1_000_000 + b".", "more lists, tuples or objects than"),
    "objects": (b"](cgensim.x\nY\nq\0" + b"h\0)\x81" * 500_000 + b"e.", "more lists"),
}


@pytest.mark.parametrize(("data", "message"), MANY.values(), ids=MANY)
def test_more_small_values_than_a_model_has_are_refused(data, message):
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError, match=message):
            value_of(data)
        assert tracemalloc.get_traced_memory()[1] < 32 * len(data) + (12 << 20)
    finally:
        tracemalloc.stop()


def test_endless_data_is_refused_at_once():
    with open("/dev/zero", "rb") as file, pytest.raises(ModelFormatError, match="no opcode"):
        read_pickle("file", OpenedFile(file, None))


# ---- damage ----


def outcome(path, data):
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            KeyedVectors.read(path, "gensim")
        except Fastw2vError as error:
            assert "\n" not in str(error)
            return type(error)
    return None


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_cut_off_anywhere_is_an_error(tmp_path, protocol):
    save(tmp_path / "v", vectors_of_4(), protocol)
    data = (tmp_path / "v").read_bytes()
    for end in range(len(data)):
        assert outcome(tmp_path / "cut", data[:end]) is ModelFormatError


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("made", [vectors_of_4, model_of_3])
def test_a_flipped_byte_is_read_or_refused(tmp_path, rng, protocol, made):
    save(tmp_path / "v", made(), protocol)
    data = (tmp_path / "v").read_bytes()
    kinds = set()
    for place, flip in enumerate(rng.integers(1, 256, len(data)).tolist()):
        damaged = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
        kinds.add(outcome(tmp_path / "flipped", damaged))
    assert kinds == {ModelFormatError, None}
