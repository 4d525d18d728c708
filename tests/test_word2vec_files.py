import json

import numpy as np
import pytest
from small_model import OBJECTIVES, SMALL, same_bits

from fastw2v import KeyedVectors, Word2Vec
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import read_vectors, write_vectors
from fastw2v.sampling import huffman_paths


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_saved_model_comes_back_bit_for_bit_and_trains_on(tmp_path, sentences, objective):
    settings = SMALL | OBJECTIVES[objective] | {"vector_size": 20}
    model = Word2Vec(sentences, bias=True, sg=1, min_count=3, window=4, lowercase=True, seed=7,
                     max_final_vocab=100, alpha=0.03, **settings)  # fmt: skip
    model.save(tmp_path / "model")
    loaded = Word2Vec.load(tmp_path / "model")
    assert same_bits(model, loaded)
    assert loaded.vocabulary.words == model.vocabulary.words
    np.testing.assert_array_equal(loaded.vocabulary.counts, model.vocabulary.counts)
    kept, given = loaded.to_word_vectors().settings, model.to_word_vectors().settings
    for machine in ("workers", "backend"):
        del kept[machine], given[machine]
    assert kept == given
    for one in (model, loaded):
        one.parameters = model.parameters  # one worker
        one.train(sentences)
    assert same_bits(model, loaded)


def test_a_file_of_before_ties_were_written_keeps_its_shuffled_tree(tmp_path, sentences):
    model = Word2Vec(sentences, hs=1, negative=0, **SMALL)
    data = model.to_word_vectors()
    assert data.settings.pop("huffman_ties") == "in order"
    write_vectors(tmp_path / "old", data, "native")
    old = Word2Vec.load(tmp_path / "old")
    shuffled = huffman_paths(old.vocabulary.counts, "shuffled")
    np.testing.assert_array_equal(old.arrays.paths.steps, shuffled.steps)
    old.save(tmp_path / "again")
    assert Word2Vec.load(tmp_path / "again").arrays.paths.ties == "shuffled"
    start = {"hs": 1, "negative": 0} | SMALL
    assert Word2Vec(sentences, init_from=model, **start).start.with_outputs
    assert not Word2Vec(sentences, init_from=tmp_path / "old", **start).start.with_outputs


def test_a_loaded_model_is_free_to_use_another_machine(tmp_path, sentences):
    model = Word2Vec(sentences, backend="scalar", **SMALL)
    model.save(tmp_path / "model")
    loaded = Word2Vec.load(tmp_path / "model")
    assert (loaded.parameters.backend, loaded.parameters.workers) == (None, None)
    assert read_vectors(tmp_path / "model").settings["backend"] == "scalar"


@pytest.mark.parametrize("format", ["native", "text", "bin", "vec", "glove"])
def test_vectors_in_any_format_are_read_back_exactly(tmp_path, sentences, format):
    model = Word2Vec(sentences, **SMALL)
    model.save(tmp_path / "vectors", format)
    back = KeyedVectors.load(tmp_path / "vectors") if format == "native" else None
    back = back or KeyedVectors.read(tmp_path / "vectors", format)
    assert back.index_to_key == model.wv.index_to_key
    np.testing.assert_array_equal(back.vectors, model.wv.vectors)


def test_vectors_alone_are_no_model(tmp_path, sentences):
    model = Word2Vec(sentences, **SMALL)
    model.wv.save(tmp_path / "vectors")
    with pytest.raises(ModelFormatError) as caught:
        Word2Vec.load(tmp_path / "vectors")
    assert str(caught.value) == (
        f"{tmp_path / 'vectors'}: has vectors but no model; read it with KeyedVectors.load"
    )


@pytest.mark.parametrize(
    "change",
    [{"window": 0}, {"min_count": "x"}, {"unheard": 1}, {"objective": "hs"}, {"bias": True},
     {"vector_size": 13}, None],
)  # fmt: skip
def test_settings_that_do_not_fit_the_model_are_a_format_error(tmp_path, sentences, change):
    data = Word2Vec(sentences, **SMALL).to_word_vectors()
    data.settings.update(change or {})
    if change is None:
        del data.settings["min_count"]
    json.dumps(data.settings)
    write_vectors(tmp_path / "model", data, "native")
    with pytest.raises(ModelFormatError, match="its settings do not describe a model: "):
        Word2Vec.load(tmp_path / "model")


def test_a_word_that_a_script_added_to_wv_is_not_lost_by_save(tmp_path, sentences):
    model = Word2Vec(sentences, **SMALL)
    model.wv["new"] = np.full(model.vector_size, 5.0)
    for format in ("native", "text"):
        with pytest.raises(UsageError, match=r"such as 'new', .* wv\.save writes"):
            model.save(tmp_path / "model", format)
    model.wv.save(tmp_path / "model")
    assert "new" in KeyedVectors.load(tmp_path / "model")


def test_save_writes_the_vectors_that_wv_shows(tmp_path, sentences):
    model = Word2Vec(sentences, **SMALL)
    model.wv.vectors = np.ones_like(model.wv.vectors)
    model.save(tmp_path / "model")
    assert (Word2Vec.load(tmp_path / "model").wv.vectors == 1).all()
    model.wv.index_to_key[0] = "renamed"
    with pytest.raises(UsageError, match="such as 'renamed'"):
        model.save(tmp_path / "model")


def test_integer_tokens_are_looked_up_as_such_before_and_after_a_file(tmp_path):
    model = Word2Vec([[3, 1, 2], [2, 3, 3]] * 20, min_count=1, **SMALL)
    model.save(tmp_path / "model")
    for wv in (model.wv, Word2Vec.load(tmp_path / "model").wv):
        for node in (1, 2, 3):
            np.testing.assert_array_equal(wv[node], wv[str(node)])
        assert 0 not in wv


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vector_size", 2**31 - 1),
        ("corpus_count", "x"),
        ("corpus_total_words", -1),
        ("blocks", 3),
        ("huffman_ties", "any"),
        ("huffman_ties", []),
        ("lowercase", "no"),
        ("max_final_vocab", 0),
    ],
)
def test_values_in_a_file_pass_the_checks_of_arguments(tmp_path, sentences, name, value):
    data = Word2Vec(sentences, hs=1, **SMALL).to_word_vectors()
    data.settings[name] = value
    write_vectors(tmp_path / "v", data, "native")
    with pytest.raises(ModelFormatError, match=f"v: its settings do not describe.*{name}"):
        Word2Vec.load(tmp_path / "v")


@pytest.mark.parametrize("count", [-1, 2**63 - 1])
def test_impossible_counts_are_a_format_error(tmp_path, sentences, count):
    data = Word2Vec(sentences, hs=1, **SMALL).to_word_vectors()
    data.counts = np.full_like(data.counts, count)
    write_vectors(tmp_path / "v", data, "native")
    with pytest.raises(ModelFormatError, match="its counts are negative, or too large"):
        Word2Vec.load(tmp_path / "v")
