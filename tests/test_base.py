"""What all parts use: compression, optional packages, usable cores."""

import bz2
import gzip
import importlib
import lzma
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from fastw2v import KeyedVectors, Word2Vec, cli
from fastw2v.base import threads as cores
from fastw2v.base.compression import open_text, open_unpacked
from fastw2v.base.content import COMPRESSIONS, SUFFIXES, compression_of
from fastw2v.base.memory import available_bytes
from fastw2v.base.threads import quota_cores, usable_cores
from fastw2v.base.word_counts import read_word_counts
from fastw2v.corpus.collocations import choose_threads
from fastw2v.errors import CorpusError, MissingPackageError, ModelFormatError, ReadError
from fastw2v.evaluation import evaluate_pairs

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
VECTORS = "2 2\none 1 0\ntwo 0 1\n"


def packed(compression, data):
    if compression == "zst":
        return pytest.importorskip(ZSTD).compress(data)
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[compression](data)


@pytest.fixture(params=["gz", "bz2", "xz", "zst"])
def pack(request, tmp_path):
    """Write a compressed file whose name does not say so, and return its path."""

    def write(name, text, cut=None):
        path = tmp_path / name
        path.write_bytes(packed(request.param, text.encode())[:cut])
        return path

    return write


@pytest.fixture(params=["isal or not", "no isal"])
def gzip_modules(request, monkeypatch):
    if request.param == "no isal":
        monkeypatch.setitem(sys.modules, "isal.igzip", None)


def test_all_files_that_are_read_may_be_compressed(pack, tmp_path, gzip_modules, capsys):
    wv = KeyedVectors.read(pack("v", VECTORS))
    assert wv.index_to_key == ["one", "two"]
    assert cli.main(["info", str(pack("v", VECTORS))]) == 0
    assert read_word_counts(pack("counts", "one 3\ntwo 2\n")) == {"one": 3, "two": 2}
    pairs = pack("pairs", "one\ttwo\t0.5\none\tone\t0.9\none\ttwo\t0.1\n")
    assert evaluate_pairs(wv.index_to_key, wv.vectors, pairs).n_pairs == 3
    corpus = pack("corpus", "one two\n" * 9)
    assert len(Word2Vec(corpus_file=corpus, vector_size=4, workers=1).wv) == 2
    frozen = pack("frozen", "two\n")
    model, start = str(tmp_path / "m.safetensors"), str(pack("v", VECTORS))
    train = ["train", str(corpus), "-o", model, "--vector-size", "2", "--init-from", start]
    assert cli.main([*train, "--freeze", str(frozen)]) == 0
    np.testing.assert_array_equal(KeyedVectors.load(model)["two"], [0, 1])
    join = ["phrases", str(corpus), "-o", str(tmp_path / "joined"), "--connector-words"]
    assert cli.main([*join, str(frozen)]) == 0
    capsys.readouterr()


def test_every_compression_has_a_suffix_and_first_bytes_of_its_own():
    assert list(SUFFIXES) == [".gz", ".bz2", ".xz", ".zst"]
    heads = [b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"]
    assert [compression_of(head) for head in heads] == [found.name for found in COMPRESSIONS]


def test_cut_off_files_are_named_as_such(pack):
    text = " ".join(str(n) for n in range(5000))
    for kind in (ReadError, ModelFormatError, CorpusError):
        path = pack("cut", text, cut=-9)
        message = r"/cut: the compressed data is damaged or truncated: "
        with pytest.raises(kind, match=message), open_unpacked(path, kind) as (file, _):
            file.read()


def test_plain_files_say_their_size_and_keep_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a").write_bytes(b"\xff\n")
    with open_unpacked(tmp_path / "a") as (file, n_bytes):
        assert (file.read(), n_bytes) == (b"\xff\n", 2)
    with open_text(tmp_path / "a") as file:
        assert file.read() == "\udcff\n"
    with (
        pytest.raises(ReadError, match=r"^cannot read .*/b: No such file"),
        open_text(tmp_path / "b"),
    ):
        pass


@pytest.mark.parametrize(
    ("args", "extra"),
    [
        (["info", "v.zst"], "zstd"),
        (["train", "corpus.zst", "-o", "m.safetensors"], "zstd"),
        (["convert", "v.txt", "v.parquet"], "arrow"),
        (["info", "v.parquet"], "arrow"),
        (["train", "c.parquet", "-o", "m.safetensors"], "arrow"),
        (["train", "s3://bucket/text", "-o", "m.safetensors"], "remote"),
    ],
)
def test_a_missing_package_is_one_sentence_with_its_command(
    tmp_path, monkeypatch, capsys, args, extra
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.txt").write_text(VECTORS)
    for name in ("v.zst", "corpus.zst"):
        (tmp_path / name).write_bytes(b"\x28\xb5\x2f\xfd\x00\x00" + bytes(9))
    for name in ("v.parquet", "c.parquet"):
        (tmp_path / name).write_bytes(b"PAR1\x15\x00" + bytes(90) + b"PAR1")
    real = importlib.import_module

    def absent(name, *more):
        if name.split(".")[0] in ("pyarrow", "fsspec", "backports", "compression"):
            raise ModuleNotFoundError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", absent)
    assert cli.main(args) == MissingPackageError.exit_code == 2
    error = capsys.readouterr().err
    assert error.startswith("fastw2v: error: ")
    assert error.endswith(f" needs an optional package: pip install 'fastw2v[{extra}]'\n")
    assert error.count("\n") == 1


# ---- cores ----


def control_groups(root, lines, files):
    """Lay out what Linux shows of control groups, and return the quota; files: texts by path."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    (root / "sys/fs/cgroup").mkdir(parents=True)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return quota_cores(root)


def test_version_2_has_the_lowest_quota_of_the_groups_around(tmp_path):
    files = {"cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max\n"}
    assert control_groups(tmp_path, "0::/a/b\n", files) == 1.5


def test_a_container_sees_its_own_group_at_the_root(tmp_path):
    assert control_groups(tmp_path, "0::/\n", {"cpu.max": "200000 100000\n"}) == 2


def test_version_1_has_a_quota_and_a_period(tmp_path):
    lines = "12:memory:/d\n4:cpu,cpuacct:/d\n1:name=systemd:/\n"
    files = {
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/cpu.cfs_period_us": "100000\n",
        "cpu/d/cpu.cfs_quota_us": "300000\n",
        "cpu/d/cpu.cfs_period_us": "100000\n",
    }
    assert control_groups(tmp_path, lines, files) == 3


@pytest.mark.parametrize("lines", ["0::/\n", "4:cpu:/\n", ""])
def test_no_quota_is_infinite(tmp_path, lines):
    assert control_groups(tmp_path, lines, {}) == math.inf
    assert quota_cores(tmp_path / "nowhere") == math.inf


MEMORY = {"../../../proc/meminfo": "MemFree: 5 kB\nMemAvailable: 1000 kB\nSwapFree: 24 kB\n"}


@pytest.mark.parametrize(
    ("lines", "files", "expected_kib"),
    [
        ("0::/\n", MEMORY, 1024),
        ("0::/a/b\n", MEMORY | {"memory.max": "max\n", "memory.current": "1\n"}, 1024),
        ("0::/a/b\n", MEMORY | {"a/memory.max": "409600\n", "a/memory.current": "307200\n"}, 124),
        ("0::/a\n", {"a/memory.max": "409600\n", "a/memory.current": "307200\n",
         "a/memory.stat": "anon 7\nactive_file 1024\ninactive_file 2048\nslab_reclaimable 1024\n"},
         104),
        ("4:memory:/d\n1:cpu:/\n", {"memory/d/memory.limit_in_bytes": "4096\n",
         "memory/d/memory.usage_in_bytes": "3072\n",
         "memory/d/memory.stat": "total_inactive_file 1024\nactive_file 9\n"}, 2),
        ("0::/\n", {"memory.max": "1024\n", "memory.current": "4096\n"}, 0),
        ("", {}, math.inf),
    ],
)  # fmt: skip
def test_memory_that_is_available_is_what_machine_and_groups_leave(
    tmp_path, lines, files, expected_kib
):
    control_groups(tmp_path, lines, files)
    assert available_bytes(tmp_path) == 1024 * expected_kib


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
def test_a_limit_on_the_address_space_bounds_the_memory_that_is_available():
    code = (
        "import resource\nfrom fastw2v.base.memory import available_bytes\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "assert 0 < available_bytes() < 2**31"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("quota", "expected"), [(2.0, 2), (1.5, 2), (0.2, 1), (math.inf, 64)])
def test_usable_cores_keep_to_affinity_and_quota(monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    monkeypatch.setattr(cores, "quota_cores", lambda: quota)
    assert usable_cores() == expected


def test_a_system_without_affinity_counts_its_cores(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores() == 3
    assert choose_threads(None) == 3
