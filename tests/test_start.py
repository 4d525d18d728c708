"""Models that start from vectors that exist, keep some as they are, and grow."""

import numpy as np
import pytest
from small_corpus import topic_sentences
from small_model import OBJECTIVES, SMALL, same_bits

from fastw2v import KeyedVectors, Word2Vec
from fastw2v.errors import ReadError, UsageError
from fastw2v.formats import write_vectors

NEW = [["t1w1", "new", "newer", "t2w2"]] * 30


@pytest.fixture(scope="module")
def old():
    return Word2Vec(topic_sentences(seed=3), bias=True, **SMALL)


def vectors_of(words):
    return KeyedVectors.from_arrays(words, np.ones((len(words), 12), np.float32))


def start(source, sentences=NEW, **settings):
    """Return an untrained model that starts from a source."""
    model = Word2Vec(init_from=source, **SMALL | settings)
    model.build_vocab(sentences)
    return model


# ---- init_from ----


@pytest.mark.parametrize("format", ["native", "text", "bin", "vec", "glove"])
def test_words_start_from_a_file_of_any_format(tmp_path, old, format):
    write_vectors(tmp_path / "old", old.to_word_vectors(), format)
    model = start(tmp_path / "old")
    for word in ("t1w1", "t2w2"):
        np.testing.assert_array_equal(model.wv[word], old.wv[word])
    fresh = Word2Vec(**SMALL)
    fresh.build_vocab(NEW)
    np.testing.assert_array_equal(model.wv["newer"], fresh.wv["newer"])
    assert (model.start.n_known, model.start.n_unused) == (2, len(old.wv) - 2)


def test_words_start_from_vectors_and_models_in_memory(old):
    pickled = KeyedVectors.from_arrays(["new"], np.full((1, 12), 0.5, np.float32))
    np.testing.assert_array_equal(start(pickled).wv["new"], pickled["new"])
    for source in (old, old.wv, old.to_word_vectors()):
        np.testing.assert_array_equal(start(source).wv["t1w1"], old.wv["t1w1"])


def test_words_start_from_a_model_of_gensim():
    models = pytest.importorskip("gensim.models")
    theirs = models.Word2Vec(NEW, **SMALL)
    for source in (theirs, theirs.wv):
        model = start(source)
        for word in theirs.wv.index_to_key:
            np.testing.assert_array_equal(model.wv[word], theirs.wv[word])


def test_the_output_side_follows_where_the_objective_is_the_same(old):
    model = start(old, bias=True)
    assert model.start.with_outputs
    row, there = model.wv.get_index("t1w1"), old.wv.get_index("t1w1")
    np.testing.assert_array_equal(model.output_vectors[row], old.output_vectors[there])
    assert model.arrays.out_bias[row] == old.arrays.out_bias[there] != 0
    assert not model.output_vectors[model.wv.get_index("new")].any()
    for source, settings in ((old.wv, {}), (old, {"hs": 1}), (old, {"softmax": True})):
        other = start(source, **settings)
        assert not other.start.with_outputs
        assert not other.output_vectors.any()


def test_with_both_losses_the_outputs_of_words_follow_and_those_of_another_tree_do_not(sentences):
    settings = {"hs": 1, "negative": 5, "bias": True}
    source = Word2Vec(sentences, **settings, **SMALL)
    model = start(source, **settings)
    row, there = model.wv.get_index("t1w1"), source.wv.get_index("t1w1")
    np.testing.assert_array_equal(model.syn1neg[row], source.syn1neg[there])
    bias = source.arrays.out_bias[len(source.syn1) + there]
    assert model.arrays.out_bias[len(model.syn1) + row] == bias != 0
    assert not model.syn1.any()
    assert not model.syn1neg[model.wv.get_index("new")].any()
    assert "both sides but for the nodes of the tree" in str(model.start)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_start_from_the_same_words_is_the_model_itself(sentences, objective):
    model = Word2Vec(sentences, **OBJECTIVES[objective], **SMALL)
    again = start(model, sentences, **OBJECTIVES[objective])
    assert same_bits(model, again)
    assert str(again.start) == "128 of 128 words taken over, both sides"
    summary = again.train(sentences, epochs=1)
    assert summary.loss < model.history[0].loss


def test_a_good_start_is_seen_in_the_loss(sentences):
    before = Word2Vec(sentences, **SMALL | {"epochs": 8})
    fresh = Word2Vec(sentences, **SMALL)
    ahead = Word2Vec(sentences, init_from=before, **SMALL)
    assert ahead.history[0].loss < fresh.history[-1].loss


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"vector_size": 13}, UsageError, "init_from: its vectors have 12 values, but vector_size "
         "is 13; set vector_size=12"),
        ({"init_from": 5}, UsageError, "init_from must be a path, a KeyedVectors or a Word2Vec, "
         "got 5"),
        ({"init_from": "absent"}, ReadError, "cannot read absent: No such file or directory"),
        ({"init_from": vectors_of(["other"])}, UsageError,
         "init_from has none of the 4 words of the vocabulary, such as 't1w1'; its first "
         "words are ['other']"),
    ],
)  # fmt: skip
def test_what_cannot_be_started_from_is_named(old, settings, kind, message):
    with pytest.raises(kind) as caught:
        Word2Vec(NEW, **{"init_from": old, **SMALL, **settings})
    assert str(caught.value) == message


# ---- freeze ----


def rows_that_changed(model, before):
    changed = (model.wv.vectors.view(np.int32) != before.view(np.int32)).any(axis=1)
    return {word for word, c in zip(model.wv.index_to_key, changed, strict=True) if c}


THREADS = {"one": {"workers": 1}, "three": {"workers": 3}}
THREADS["rounds"] = {"workers": 3, "deterministic": True}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_frozen_words_stay_bit_for_bit(small_chunks, sentences, objective, sg, threads):
    frozen = ["c0", "c1", "t1w1", "t9w11"]
    settings = {"sg": sg, "vector_size": 12, "epochs": 2, **THREADS[threads]}
    model = Word2Vec(freeze=frozen, **OBJECTIVES[objective], **settings)
    model.build_vocab(sentences)
    model.arrays.in_rows[model.wv.get_index("c1"), :12] = -0.0
    before = model.wv.vectors.copy()
    outputs = model.output_vectors.copy()
    model.train()
    assert rows_that_changed(model, before) == set(model.wv.index_to_key) - set(frozen)
    assert (model.output_vectors != outputs).any(axis=1).all()


def test_all_or_the_known_words_can_be_frozen(old):
    for freeze, changing in ((True, set()), ("all", set()), ("known", {"new", "newer"}),
                             (False, {"new", "newer", "t1w1", "t2w2"})):  # fmt: skip
        model = start(old, freeze=freeze, sample=0)
        before = model.wv.vectors.copy()
        model.train()
        assert rows_that_changed(model, before) == changing


def test_what_is_frozen_can_change_between_trainings(sentences):
    model = Word2Vec(sentences, freeze=True, **SMALL)
    before = model.wv.vectors.copy()
    model.freeze = (word for word in ["t1w1"])
    model.train(sentences)
    assert "t1w1" not in rows_that_changed(model, before)
    model.freeze = False
    model.train(sentences)
    assert rows_that_changed(model, before) == set(model.wv.index_to_key)


def test_nothing_frozen_is_no_freeze(sentences):
    assert same_bits(Word2Vec(sentences, freeze=[], **SMALL), Word2Vec(sentences, **SMALL))


def test_unknown_words_to_freeze_are_counted(sentences):
    with pytest.warns(UserWarning, match="2 of 3 words to freeze are not in the vocabulary, such "
                                         "as 'x'"):  # fmt: skip
        Word2Vec(sentences, freeze=["x", "c1", "y"], **SMALL)


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        ("king", "freeze must be True, False, 'all' or 'known' or a list of words, got 'king'"),
        (3, "freeze must be True, False or a list of words, got 3"),
        ("known", "freeze='known' needs init_from, or a vocabulary that was updated"),
        (["x", "y"], "none of the 2 words to freeze is in the vocabulary, such as 'x'"),
    ],
)
def test_what_cannot_be_frozen_is_named(sentences, freeze, message):
    with pytest.raises(UsageError) as caught:
        Word2Vec(sentences, freeze=freeze, **SMALL)
    assert str(caught.value) == message


# ---- growing ----


def test_a_vocabulary_grows_and_keeps_its_vectors(tmp_path, old):
    old.save(tmp_path / "old")
    model = Word2Vec.load(tmp_path / "old")
    model.build_vocab([*NEW, ["once"]], update=True)
    assert set(model.wv.index_to_key) == {*old.wv.index_to_key, "new", "newer"}
    for word in old.wv.index_to_key:
        np.testing.assert_array_equal(model.wv[word], old.wv[word])
        extra = 30 * (word in NEW[0])
        count = old.wv.get_vecattr(word, "count") + extra
        assert model.wv.get_vecattr(word, "count") == count
    counts = model.vocabulary.counts
    assert (np.diff(counts) <= 0).all()
    assert model.start.with_outputs
    assert model.freeze is False
    model.freeze = "known"
    summary = model.train()
    assert summary.n_tokens_read == 30 * 4 + 1
    np.testing.assert_array_equal(model.wv["c0"], old.wv["c0"])


def test_growing_through_the_constructor_is_the_same(tmp_path, old):
    old.save(tmp_path / "old")
    updated = Word2Vec.load(tmp_path / "old")
    updated.build_vocab(NEW, update=True)
    grown = Word2Vec(init_from=tmp_path / "old", grow=True, bias=True, **SMALL)
    grown.build_vocab(NEW)
    assert same_bits(updated, grown)
    assert grown.wv.index_to_key == updated.wv.index_to_key


def test_frequencies_can_grow_a_vocabulary(old):
    model = start(old, grow=True)
    n_words = len(model.wv)
    model.build_vocab_from_freq({"extra": 7, "c1": 1, "rare": 1}, update=True)
    assert len(model.wv) == n_words + 1
    assert "extra" in model.wv


def test_gensim_adds_the_same_words(sentences):
    models = pytest.importorskip("gensim.models")
    grown = []
    for model in (Word2Vec(sentences, **SMALL), models.Word2Vec(sentences, **SMALL)):
        model.build_vocab([*NEW, ["once"]], update=True)
        model.train(NEW, total_examples=len(NEW), epochs=1)
        wv = model.wv
        grown.append({word: wv.get_vecattr(word, "count") for word in wv.index_to_key})
    assert grown[0] == grown[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grow": True}, "grow=True needs init_from, the vectors whose words to keep"),
        ({"grow": "yes"}, "grow must be True or False, got 'yes'"),
        ({"grow": True, "init_from": KeyedVectors.from_arrays(["a"], np.ones((1, 12), np.float32))},
         "grow=True needs counts, which only files written by Word2Vec.save have"),
    ],
)  # fmt: skip
def test_what_cannot_grow_is_named(settings, message):
    with pytest.raises(UsageError) as caught:
        Word2Vec(NEW, **SMALL, **settings)
    assert str(caught.value) == message


def test_an_update_needs_a_vocabulary(sentences):
    with pytest.raises(UsageError, match="the model has no vocabulary yet: call build_vocab"):
        Word2Vec().build_vocab(sentences, update=True)


def test_a_failed_update_leaves_the_model_as_it_was(sentences):
    model = Word2Vec(sentences, **SMALL)
    before, words = model.wv.vectors.copy(), model.wv.index_to_key
    with pytest.raises(ValueError, match="sentence 1 is a string"):
        model.build_vocab(["a b"], update=True)
    assert model.wv.index_to_key == words
    np.testing.assert_array_equal(model.wv.vectors, before)
    model.train(sentences)


def test_words_locked_as_in_gensim_stay_where_a_file_puts_them(tmp_path, sentences):
    model = Word2Vec(**SMALL, min_count=1)
    model.build_vocab(sentences)
    words = model.wv.index_to_key[:3]
    rows = np.ones((3, SMALL["vector_size"]), np.float32)
    KeyedVectors.from_arrays(words, rows).save_word2vec_format(tmp_path / "v")
    assert model.wv.intersect_word2vec_format(tmp_path / "v") == 3
    for _ in range(2):
        model.train(sentences, epochs=1)
        np.testing.assert_array_equal(model.wv[words], rows)
    model.wv.vectors_lockf = np.ones(1)
    model.train(sentences, epochs=1)
    assert (model.wv[words] != rows).any(axis=1).all()
    model.wv.vectors_lockf = np.full(len(model.wv), 0.5)
    with pytest.raises(UsageError, match="vectors_lockf must be 0"):
        model.train(sentences)


# ---- gensim's ways: rows put into wv, and vectors_lockf ----


def test_vectors_that_a_script_puts_into_wv_are_trained_on(sentences):
    model = Word2Vec(**SMALL)
    model.build_vocab(sentences)
    wv = model.wv
    wv["c1"] = np.full(12, 0.5, np.float32)
    wv.vectors[wv.get_index("c2")] = 0.25
    wv.vectors = wv.vectors.copy() * 2
    with pytest.warns(UserWarning, match="nothing was trained"):
        model.train(sentences, start_alpha=0.0, end_alpha=0.0)
    assert model.wv is wv
    assert (model.arrays.in_rows[wv.get_index("c1"), :12] == 1).all()
    assert (model.arrays.in_rows[wv.get_index("c2"), :12] == 0.5).all()
    model.train(sentences)
    np.testing.assert_array_equal(model.wv.vectors, model.arrays.in_rows[:, :12])
    wv["added"] = np.ones(12)
    with pytest.raises(UsageError) as caught:
        model.train(sentences)
    assert str(caught.value) == (
        "wv holds 129 words of 12 values, such as 'added', and the model 128 of 12; wv.save writes "
        "those of wv, and build_vocab(update=True) adds words to the model"
    )


def test_wv_held_since_before_a_training_follows_it(sentences):
    model = Word2Vec(sentences, **SMALL)
    held = model.wv
    held.most_similar("t1w1")
    model.train(sentences, epochs=3)
    fresh = KeyedVectors.from_arrays(held.index_to_key, held.vectors.copy())
    assert held.most_similar("t1w1") == fresh.most_similar("t1w1")


def test_vectors_lockf_holds_words(sentences):
    model = Word2Vec(sentences, **SMALL)
    before = model.wv.vectors.copy()
    model.wv.vectors_lockf = np.ones(len(model.wv), np.float32)
    model.wv.vectors_lockf[model.wv.get_index("c1")] = 0
    model.freeze = ["c2"]
    model.train(sentences)
    stayed = set(model.wv.index_to_key) - rows_that_changed(model, before)
    assert stayed == {"c1", "c2"}
    model.wv.vectors_lockf = np.zeros(1)
    before = model.wv.vectors.copy()
    model.train(sentences)
    assert rows_that_changed(model, before) == set()


def test_vectors_of_a_file_are_intersected_and_held(sentences, tmp_path, old):
    old.wv.save_word2vec_format(tmp_path / "old.bin", binary=True)
    model = Word2Vec(**SMALL)
    model.build_vocab([*sentences, ["new"] * 9])
    model.wv.intersect_word2vec_format(tmp_path / "old.bin", binary=True, lockf=0.0)
    model.train([*sentences, ["new", "newer"] * 9])
    for word in ("c1", "t1w1"):
        np.testing.assert_array_equal(model.wv[word], old.wv[word])


@pytest.mark.parametrize(
    ("lockf", "message"),
    [
        ([1, 0], "vectors_lockf must be 0 (frozen) or 1 (trained) for each of the 128 words, got 2 "
         "values from 0 to 1"),
        ([0.5], "vectors_lockf must be 0 (frozen) or 1 (trained) for each of the 128 words, got 1 "
         "values from 0.5 to 0.5"),
    ],
)  # fmt: skip
def test_other_locks_are_an_error(sentences, lockf, message):
    model = Word2Vec(sentences, **SMALL)
    model.wv.vectors_lockf = np.array(lockf)
    with pytest.raises(UsageError) as caught:
        model.train(sentences)
    assert str(caught.value) == message
