import tracemalloc

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from fastw2v.formats import WordVectors, native


@pytest.fixture
def model(rng):
    padded = rng.normal(size=(5, 16)).astype(np.float32)
    return WordVectors(
        ["the", "", "two words", "new\nline", "\udcff"],
        padded[:, :6],
        counts=np.array([2**40, 5, 4, 3, 1]),
        output_vectors=rng.normal(size=(4, 6)).astype(np.float32),
        output_bias=rng.normal(size=4).astype(np.float32),
        input_bias=rng.normal(size=6).astype(np.float32),
        settings={"window": 5, "sample": 1e-3, "note": "naïve"},
    )


def assert_same_model(read, written):
    assert read.words == written.words
    assert read.settings == written.settings
    for name in ("vectors", "counts", "output_vectors", "output_bias", "input_bias"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), strict=True)


@pytest.mark.parametrize("mmap", [False, True])
def test_all_parts_of_a_model_come_back(tmp_path, model, mmap):
    native.write(tmp_path / "v", model)
    read = native.read(tmp_path / "v", mmap=mmap)
    assert_same_model(read, model)
    assert read.vectors.flags.writeable is not mmap
    assert read.vectors.ctypes.data % 64 == 0 or not mmap


def test_the_safetensors_library_reads_what_is_streamed(tmp_path, model):
    native.write(tmp_path / "v", model)
    tensors = load_file(tmp_path / "v")
    np.testing.assert_array_equal(tensors["vectors"], model.vectors)
    np.testing.assert_array_equal(tensors["output_bias"], model.output_bias)
    assert tensors["words"].tobytes() == b"thetwo wordsnew\nline\xff"
    assert tensors["word_offsets"].tolist() == [0, 3, 3, 12, 20, 21]
    with safe_open(tmp_path / "v", framework="np") as file:
        assert file.metadata()["fastw2v"] == "1"


def test_parts_that_are_not_held_stay_none(tmp_path):
    native.write(tmp_path / "v", WordVectors(["a"], np.ones((1, 2), np.float32)))
    read = native.read(tmp_path / "v")
    assert read.counts is read.output_vectors is read.output_bias is read.input_bias is None
    assert read.settings == {}


def test_a_model_of_no_words_comes_back(tmp_path):
    native.write(tmp_path / "v", WordVectors([], np.ones((0, 2), np.float32)))
    for mmap in (False, True):
        assert native.read(tmp_path / "v", mmap=mmap).vectors.shape == (0, 2)


def test_limit_leaves_the_output_side_out(tmp_path, model):
    native.write(tmp_path / "v", model)
    read = native.read(tmp_path / "v", limit=2)
    assert read.words == model.words[:2]
    assert read.counts.tolist() == [2**40, 5]
    assert read.output_vectors is None
    assert native.read(tmp_path / "v", with_output=False).output_bias is None


@pytest.mark.parametrize("stride", [64, 70])
def test_saving_and_mapping_need_no_second_copy_of_the_vectors(tmp_path, stride):
    vectors = np.zeros((200_000, stride), np.float32)[:, :64]
    words = [f"{i:06d}" for i in range(len(vectors))]
    tracemalloc.start()
    native.write(tmp_path / "v", WordVectors(words, vectors))
    n_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_peak < vectors.nbytes
    assert native.read(tmp_path / "v", mmap=True).vectors.base is not None
