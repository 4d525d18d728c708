import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from keyed_vectors_case import WORDS

from fastw2v import KeyedVectors
from fastw2v.errors import UsageError


@pytest.fixture
def cosine(vectors):
    """Return the (40, 40) cosines of all pairs, in float64."""
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1)[:, np.newaxis]
    return unit @ unit.T


def nearest(scores, left_out, n):
    """Return the words of the n highest scores by a full sort."""
    order = [row for row in np.argsort(-scores) if row not in left_out]
    return [WORDS[row] for row in order[:n]]


def test_words_are_looked_up_by_word_list_and_row(wv, vectors):
    assert (len(wv), wv.vector_size, "w3" in wv, "x" in wv) == (40, 9, True, False)
    np.testing.assert_array_equal(wv["w3"], vectors[3])
    np.testing.assert_array_equal(wv[["w3", "w1"]], vectors[[3, 1]])
    np.testing.assert_array_equal(wv[np.int64(3)], vectors[3])
    assert wv.get_index("w3") == 3
    assert wv.get_index("x", default=-5) == -5
    assert wv.get_vecattr("w3", "count") == 37
    assert wv.vectors is vectors
    assert str(wv) == "KeyedVectors<vector_size=9, 40 keys>"


def test_vectors_given_out_are_read_only(wv, vectors):
    with pytest.raises(ValueError, match="read-only"):
        wv["w3"][0] = 1
    vectors[3, 0] = 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda wv: wv["x"],
        lambda wv: wv[["w1", "x"]],
        lambda wv: wv.get_index("x"),
        lambda wv: wv.get_vector("x", norm=True),
        lambda wv: wv.get_vecattr("x", "count"),
        lambda wv: wv.similarity("w1", "x"),
        lambda wv: wv.most_similar("x"),
        lambda wv: wv.most_similar_batch(["w1", "x"]),
        lambda wv: wv.most_similar_cosmul(["x"]),
        lambda wv: wv.distances("x"),
        lambda wv: wv.get_mean_vector(["x"], ignore_missing=False),
    ],
)
def test_an_unknown_word_is_a_key_error(wv, ask):
    with pytest.raises(KeyError, match="Key 'x' not present"):
        ask(wv)


def test_similarities_and_distances_are_cosines(wv, cosine):
    assert wv.similarity("w1", "w2") == pytest.approx(cosine[1, 2], abs=1e-6)
    assert wv.distance("w1", "w2") == pytest.approx(1 - cosine[1, 2], abs=1e-6)
    np.testing.assert_allclose(wv.distances("w1"), 1 - cosine[1], atol=1e-6)
    np.testing.assert_allclose(
        wv.distances(wv["w1"], ["w2", "w9"]), 1 - cosine[1, [2, 9]], atol=1e-6
    )
    np.testing.assert_allclose(wv.most_similar("w1", topn=None), cosine[1], atol=1e-6)
    normed = wv.get_normed_vectors().astype(np.float64)
    np.testing.assert_allclose(normed @ normed.T, cosine, atol=1e-6)
    mean1, mean2 = wv[["w1", "w2"]].mean(axis=0), wv[["w3"]].mean(axis=0)
    expected = mean1 @ mean2 / np.linalg.norm(mean1) / np.linalg.norm(mean2)
    assert wv.n_similarity(["w1", "w2"], ["w3"]) == pytest.approx(expected, abs=1e-6)


def test_most_similar_is_the_head_of_a_full_sort(wv, cosine):
    found = wv.most_similar("w1", topn=5)
    assert [word for word, _ in found] == nearest(cosine[1], {1}, 5)
    assert found[0][1] == pytest.approx(np.sort(cosine[1])[-2], abs=1e-6)
    assert len(wv.most_similar("w1", topn=500)) == 39
    assert wv.most_similar("w1", topn=0) == []
    assert wv.similar_by_word("w1", 5) == wv.similar_by_key("w1", 5) == found
    by_vector = [word for word, _ in wv.similar_by_vector(wv["w1"], topn=6)]
    assert by_vector == ["w1", *(word for word, _ in found)]


def test_positive_negative_and_weighted_keys_are_added(wv, cosine):
    scores = cosine[1] + cosine[2] - cosine[3]
    found = [word for word, _ in wv.most_similar(["w1", "w2"], ["w3"], topn=7)]
    assert found == nearest(scores, {1, 2, 3}, 7)
    found = [word for word, _ in wv.most_similar([("w1", 2.0), "w2"], "w3", topn=7)]
    assert found == nearest(scores + cosine[1], {1, 2, 3}, 7)


def test_a_search_can_be_kept_to_some_rows(wv, cosine):
    inside = {*range(10), *range(20, 40)}
    found = [word for word, _ in wv.most_similar("w12", topn=4, clip_start=10, clip_end=20)]
    assert found == nearest(cosine[12], inside | {12}, 4)
    found = [word for word, _ in wv.most_similar("w12", topn=4, restrict_vocab=10)]
    assert found == nearest(cosine[12], set(range(10, 40)), 4)
    assert len(wv.most_similar("w12", topn=None, restrict_vocab=10)) == 10


def test_cosmul_multiplies_shifted_cosines(wv, cosine):
    shifted = (1 + cosine) / 2
    scores = shifted[1] * shifted[2] / (shifted[3] + 1e-6)
    found = wv.most_similar_cosmul(["w1", "w2"], ["w3"], topn=6)
    assert [word for word, _ in found] == nearest(scores, {1, 2, 3}, 6)
    with pytest.raises(ValueError, match="no input"):
        wv.most_similar_cosmul()


def test_the_odd_one_out_is_found():
    wv = KeyedVectors.from_arrays(
        ["a", "b", "c"], np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)
    )
    assert wv.doesnt_match(["a", "b", "c", "unknown"]) == "c"
    with pytest.raises(ValueError, match="empty list"):
        wv.doesnt_match(["unknown"])


def test_ranks_count_the_words_between(wv, cosine):
    closer = nearest(cosine[1], {1}, 4)
    assert set(wv.closer_than("w1", closer[3])) == set(closer[:3])
    assert wv.rank("w1", closer[3]) == 4


def test_a_word_of_zeros_is_near_to_nothing_and_breaks_nothing(wv, vectors):
    vectors[5] = 0
    wv.fill_norms(force=True)
    assert wv.similarity("w5", "w1") == 0
    assert not wv.most_similar("w5", topn=None).any()
    assert wv.most_similar("w1", topn=None)[5] == 0
    assert len(wv.most_similar("w1", topn=40)) == len(wv.most_similar_batch(["w1"], 40)[0]) == 38
    assert "w5" not in dict(wv.most_similar("w1", topn=40) + wv.most_similar_cosmul("w1", topn=40))


def test_norms_are_computed_once_until_forced(wv, vectors):
    before = wv.norms
    vectors[0] *= 2
    assert wv.norms is before
    wv.fill_norms(force=True)
    assert wv.norms[0] == pytest.approx(2 * before[0])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda wv: pickle.loads(pickle.dumps(wv))])
def test_a_copy_answers_alike_and_changes_alone(wv, copied):
    wv.set_vecattr("w1", "tag", "noun")
    expected = wv.most_similar("w1")
    other = copied(wv)
    assert other.most_similar("w1") == expected
    assert (other.get_vecattr("w1", "tag"), other.get_vecattr("w1", "count")) == ("noun", 39)
    other["new"] = 1000 * wv["w1"]
    assert other.most_similar("w1", topn=1)[0][0] == "new"
    assert ("new" in wv, len(wv), wv.most_similar("w1")) == (False, 40, expected)


def test_an_instance_holds_its_data_under_gensims_names(wv):
    # Pickles of vectors, and of sklearn transformers with vectors in them, hold just these.
    names = ["_norms", "_vectors", "expandos", "index_to_key", "key_to_index", "next_index"]
    assert sorted(vars(wv)) == names


def test_attributes_can_be_assigned_as_in_gensim(wv, vectors):
    wv.fill_norms()
    wv.vectors = vectors[:3, :2].copy()
    wv.index_to_key = ["a", "b", "c"]
    wv.key_to_index = {"a": 0, "b": 1, "c": 2}
    wv.expandos = {"count": np.array([3, 2, 1])}
    assert (len(wv), wv.vector_size, wv.get_vecattr("b", "count")) == (3, 2, 2)
    np.testing.assert_allclose(wv.norms, np.linalg.norm(vectors[:3, :2], axis=1), rtol=1e-6)
    exact = wv.most_similar("a", topn=None)
    wv.norms = 2 * wv.norms
    np.testing.assert_allclose(wv.most_similar("a", topn=None), exact / 2, rtol=1e-6)


def test_words_and_rows_that_disagree_are_refused(vectors):
    with pytest.raises(ValueError, match="39 words need as many rows"):
        KeyedVectors.from_arrays(WORDS[1:], vectors)
    with pytest.raises(ValueError, match="40 words need as many counts"):
        KeyedVectors.from_arrays(WORDS, vectors, counts=np.arange(3))
    with pytest.raises(ValueError, match="different from each other"):
        KeyedVectors.from_arrays(["w1"] * 40, vectors)
    with pytest.raises(KeyError, match="no attribute 'count'"):
        KeyedVectors.from_arrays(WORDS, vectors).get_vecattr("w1", "count")


def test_the_public_name_is_found_without_importing_scipy():
    code = "import sys, fastw2v; fastw2v.KeyedVectors; print('scipy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_many_queries_have_the_answers_of_one_after_the_other(wv, vectors):
    for options in ({"topn": 5}, {"topn": 50}, {"topn": 3, "restrict_vocab": 10}):
        by_word = wv.most_similar_batch(WORDS[3:30], **options)
        by_row = wv.most_similar_batch(np.arange(3, 30), **options)
        assert by_row == by_word
        for word, found in zip(WORDS[3:30], by_word, strict=True):
            expected = wv.most_similar(word, **options)
            assert [other for other, _ in found] == [other for other, _ in expected]
            np.testing.assert_allclose([c for _, c in found], [c for _, c in expected], atol=1e-6)
    by_vector = wv.most_similar_batch(7 * vectors[:4], topn=2)
    assert [found[0][0] for found in by_vector] == WORDS[:4]
    rows, scores = wv.nearest(["w1"], topn=40)
    assert (rows[0, -1], scores[0, -1]) == (-1, -np.inf)
    assert wv.most_similar_batch([]) == wv.most_similar_batch(np.empty((0, 9))) == []
    by_list = wv.most_similar_batch([*(7 * vectors[:2])], topn=2)
    for found, expected in zip(by_list, by_vector[:2], strict=True):  # BLAS may sum two rows and
        assert [w for w, _ in found] == [w for w, _ in expected]  # four in different orders
        np.testing.assert_allclose([c for _, c in found], [c for _, c in expected], atol=1e-6)
    assert wv.most_similar_batch(np.eye(9, dtype=np.int64)) == wv.most_similar_batch(np.eye(9))


def test_queries_of_another_shape_are_refused(wv, vectors):
    with pytest.raises(ValueError, match=r"words or of shape \(n, 9\), got \(2, 5\)"):
        wv.nearest(vectors[:2, :5])
    with pytest.raises(ValueError, match="topn must be at least 1, got 0"):
        wv.nearest(["w1"], topn=0)
    with pytest.raises(ValueError, match="a list of words or a matrix, got 'w1'"):
        wv.nearest("w1")


def test_float16_vectors_are_searched_in_float32(wv, vectors):
    half = KeyedVectors.from_arrays(WORDS, vectors.astype(np.float16))
    exact = dict(wv.most_similar("w1"))
    for found in (half.most_similar("w1"), half.most_similar_batch(["w1"])[0]):
        assert all(abs(exact[word] - cosine) < 2e-3 for word, cosine in found if word in exact)
        assert found[0][0] == next(iter(exact))


def test_attributes_of_gensim_3_say_what_to_use(wv):
    with pytest.raises(AttributeError, match="gensim 4 removed vocab; use key_to_index"):
        wv.vocab  # noqa: B018
    assert not hasattr(wv, "index2word")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("most_similar", (3.5,)),
        ("most_similar", ("a", None, "x")),
        ("most_similar", ([[]],)),
        ("most_similar", (np.ones(3),)),
        ("similar_by_key", ("a", 10, "x")),
        ("most_similar_batch", (None,)),
        ("most_similar_cosmul", ([np.ones(3)],)),
        ("distances", (np.ones(3),)),
        ("distances", ({},)),
        ("add_vectors", (["x", []], np.ones((2, 2)))),
        ("add_vectors", (None, np.ones((2, 2)))),
        ("vectors_for_all", (3,)),
        ("get_vector", ("a", np.ones(2))),
        ("evaluate_word_analogies", (None,)),
        ("save", (None,)),
        ("save", ("a\0b",)),
        ("save_word2vec_format", (3,)),
    ],
)
def test_a_value_of_another_type_is_an_error_of_ours(name, args):
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.eye(2))
    with pytest.raises(UsageError):
        getattr(vectors, name)(*args)
    assert [] not in vectors
