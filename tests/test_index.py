import os
import sys
from unittest.mock import Mock

import numpy as np
import pytest

from fastw2v import KeyedVectors, Word2Vec
from fastw2v.errors import ModelFormatError, SaveError, UsageError
from fastw2v.formats import write_vectors
from fastw2v.vectors.index import TOLERANCE

pytest.importorskip("usearch")

WORDS = [f"w{i}" for i in range(2000)]


@pytest.fixture
def vectors(rng):
    """Rows that are all near one of 50 directions, as words are; one of zeros."""
    centres = rng.normal(size=(50, 24))
    rows = centres[rng.integers(0, 50, 2000)] + 0.6 * rng.normal(size=(2000, 24))
    rows[5] = 0
    return (3 * rows).astype(np.float32)


@pytest.fixture
def wv(vectors):
    return KeyedVectors.from_arrays(WORDS, vectors)


def recall(found, exact):
    """The share of the exact answers that were found."""
    pairs = zip(found, exact, strict=True)
    hits = [len({w for w, _ in a} & {w for w, _ in b}) / len(b) for a, b in pairs]
    return np.mean(hits)


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16", "i8"])
def test_an_index_finds_most_of_the_nearest_words(wv, dtype):
    asked = WORDS[:400:2]
    exact = wv.most_similar_batch(asked)
    index = wv.index(dtype=dtype, threads=1)
    assert len(index) == 1999
    found = wv.most_similar_batch(asked)
    assert recall(found, exact) > 0.9
    singles = [wv.most_similar(word) for word in asked]
    assert recall(singles, exact) > 0.9
    wv.indexer = None
    assert wv.most_similar_batch(asked) == exact


def test_cosines_found_by_an_index_are_exact_and_in_order(wv):
    wv.index(dtype="i8", threads=1)
    for found in (wv.most_similar("w1", topn=30), wv.most_similar_batch(["w1"], topn=30)[0]):
        assert len(found) == 30
        assert "w1" not in dict(found)
        cosines = [cosine for _, cosine in found]
        np.testing.assert_allclose(
            cosines, [wv.similarity("w1", word) for word, _ in found], atol=1e-6
        )
        assert cosines == sorted(cosines, reverse=True)


def test_analogies_leave_out_their_words_with_an_index_too(wv):
    wv.index(threads=1)
    found = wv.most_similar(["w1", "w2"], ["w3"], topn=5)
    assert len(found) == 5
    assert not {"w1", "w2", "w3"} & dict(found).keys()


def test_searches_of_some_rows_stay_exact(wv):
    exact = wv.most_similar("w7", restrict_vocab=100), wv.most_similar("w7", clip_start=900)
    wv.index(threads=1)
    assert wv.most_similar("w7", restrict_vocab=100) == exact[0]
    assert wv.most_similar("w7", clip_start=900) == exact[1]
    assert len(wv.most_similar("w7", topn=None)) == 2000


def test_an_index_answers_as_gensims_indexers_do(wv):
    index = wv.index(threads=1)
    other = KeyedVectors.from_arrays(WORDS, wv.vectors)
    found = other.most_similar("w1", topn=3, indexer=index)
    assert found[0] == ("w1", pytest.approx(1, abs=1e-6))
    assert other.most_similar("w1", topn=2)[0][0] == found[1][0]


def test_more_words_than_there_are_give_all_of_them(wv):
    few = KeyedVectors.from_arrays(WORDS[:8], wv.vectors[:8])
    few.index(threads=1)
    assert len(few.most_similar("w1", topn=50)) == 6
    assert few.nearest(["w1"], topn=50)[0].shape == (1, 50)


def test_an_index_is_saved_beside_the_model_and_found_again(tmp_path, wv, monkeypatch):
    path = tmp_path / "model.safetensors"
    wv.index(threads=1)
    wv.save(path)
    assert (tmp_path / "model.safetensors.usearch").exists()
    before = wv.most_similar_batch(WORDS[:50])
    monkeypatch.setattr("fastw2v.vectors.index.VectorIndex.build", pytest.fail)
    for loaded in (KeyedVectors.load(path), KeyedVectors.load(path, mmap="r")):
        assert loaded.indexer is None
        loaded.index(threads=1)
        assert loaded.most_similar_batch(WORDS[:50]) == before


@pytest.mark.parametrize("format", ["native", "text"])
def test_other_vectors_take_away_the_index_of_the_old_ones(tmp_path, wv, monkeypatch, format):
    wv.index(threads=1)
    wv.save(tmp_path / "v")
    assert (tmp_path / "v.usearch").exists()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", Mock(side_effect=OSError(5, "Input/output error")))
        with pytest.raises(SaveError, match="Input/output error"):
            write_vectors(tmp_path / "v", wv.to_word_vectors(), format)
    assert (tmp_path / "v.usearch").exists()
    write_vectors(tmp_path / "v", wv.to_word_vectors(), format)
    assert os.listdir(tmp_path) == ["v"]


@pytest.mark.parametrize("change", ["values", "words", "damage", "settings"])
def test_an_index_that_does_not_fit_is_built_anew_with_a_warning(tmp_path, wv, rng, change):
    path = tmp_path / "v"
    wv.index(threads=1)
    wv.save(path)
    rows, words, settings = wv.vectors, WORDS, {}
    if change == "values":
        rows = rng.normal(size=rows.shape).astype(np.float32)
    if change == "words":
        rows, words = rows[:-1], words[:-1]
    if change == "settings":
        settings = {"dtype": "f32"}
    old = (tmp_path / "v.usearch").read_bytes()
    KeyedVectors.from_arrays(words, rows).save(path)
    (tmp_path / "v.usearch").write_bytes(b"no index" if change == "damage" else old)
    loaded = KeyedVectors.load(path)
    with pytest.warns(UserWarning, match=r"v\.usearch .*; rebuilding the index"):
        loaded.index(threads=1, **settings)
    assert len(loaded.indexer) == len(words) - (change != "values")
    word = loaded.most_similar("w1", topn=1)[0][0]
    loaded.indexer = None
    assert loaded.most_similar("w1", topn=1)[0][0] == word


def test_flipped_bits_of_an_index_are_noticed(tmp_path, wv):
    few = KeyedVectors.from_arrays(WORDS[:5], wv.vectors[:5])
    few.index(threads=1)
    few.save_index(tmp_path / "v")
    path = tmp_path / "v.usearch"
    raw = path.read_bytes()
    assert few.indexer.load(path)
    for bit in [*range(0, 8 * (len(raw) - 16), 13), *range(8 * (len(raw) - 16), 8 * len(raw))]:
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(ModelFormatError, match=r"v\.usearch: "):
            few.indexer.load(path)
    path.write_bytes(raw[:-3])
    with pytest.raises(ModelFormatError, match="damaged"):
        few.indexer.load(path)


def test_an_index_without_a_checksum_still_opens(tmp_path, wv, monkeypatch):
    wv.index(threads=1)
    wv.save(tmp_path / "v")
    before = wv.most_similar("w1")
    (tmp_path / "v.usearch").write_bytes((tmp_path / "v.usearch").read_bytes()[:-16])
    monkeypatch.setattr("fastw2v.vectors.index.VectorIndex.build", pytest.fail)
    loaded = KeyedVectors.load(tmp_path / "v")
    loaded.index(threads=1)
    assert loaded.most_similar("w1") == before


def test_vectors_that_change_lose_their_index(wv):
    wv.index(threads=1)
    with pytest.warns(UserWarning, match="searches are exact until index"):
        wv.add_vectors(["new"], wv.vectors[:1] + 0.01)
    assert wv.most_similar("w0", topn=1)[0][0] == "new"


def test_a_model_saves_the_index_of_its_vectors(tmp_path, sentences):
    model = Word2Vec(sentences, vector_size=8, workers=1, epochs=1, min_count=1)
    model.wv.index(threads=1)
    model.save(tmp_path / "m")
    loaded = KeyedVectors.load(tmp_path / "m")
    assert len(loaded.index(threads=1)) == len(model.wv)


def test_impossible_settings_are_refused(wv):
    for settings, message in [
        ({"dtype": "f8"}, "dtype must be one of f32, f16, bf16, i8, got 'f8'"),
        ({"connectivity": 1}, "connectivity must be at least 2, got 1"),
        ({"threads": -1}, "threads must be at least 0, got -1"),
    ]:
        with pytest.raises(UsageError, match=message):
            wv.index(**settings)


def test_a_missing_extra_names_the_command_that_installs_it(wv, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(UsageError, match=r"pip install 'fastw2v\[index\]'"):
        wv.index()


def test_the_tolerance_tells_other_vectors_apart(rng):
    rows = rng.normal(size=(2, 300))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.abs(units[0] - units[1]).max() > 3 * TOLERANCE
