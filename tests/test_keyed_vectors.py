import subprocess
import sys

import numpy as np
import pytest

from fastw2v import KeyedVectors
from fastw2v.errors import UsageError
from fastw2v.formats import WordVectors, native

WORDS = [f"w{i}" for i in range(40)]


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(40, 16)).astype(np.float32)[:, :9]


@pytest.fixture
def wv(vectors):
    return KeyedVectors(WORDS, vectors, counts=np.arange(40, 0, -1))


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
    assert repr(wv) == "KeyedVectors<vector_size=9, 40 keys>"


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
        lambda wv: wv.most_similar_cosmul(["x"]),
        lambda wv: wv.distances("x"),
        lambda wv: wv.get_mean_vector(["x"], ignore_missing=False),
    ],
)
def test_an_unknown_word_is_a_key_error_in_gensims_words(wv, ask):
    with pytest.raises(KeyError, match="Key 'x' not present in vocabulary"):
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
    wv = KeyedVectors(["a", "b", "c"], np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32))
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


def test_norms_are_computed_once_until_forced(wv, vectors):
    before = wv.norms
    vectors[0] *= 2
    assert wv.norms is before
    wv.fill_norms(force=True)
    assert wv.norms[0] == pytest.approx(2 * before[0])


def test_words_and_rows_that_disagree_are_refused(vectors):
    with pytest.raises(ValueError, match="39 words need as many rows"):
        KeyedVectors(WORDS[1:], vectors)
    with pytest.raises(ValueError, match="40 words need as many counts"):
        KeyedVectors(WORDS, vectors, counts=np.arange(3))
    with pytest.raises(ValueError, match="different from each other"):
        KeyedVectors(["w1"] * 40, vectors)
    with pytest.raises(KeyError, match="'count' is not known"):
        KeyedVectors(WORDS, vectors).get_vecattr("w1", "count")


def test_saved_vectors_are_loaded_again(tmp_path, wv):
    wv.save(tmp_path / "v")
    for loaded in (
        KeyedVectors.load(tmp_path / "v"),
        KeyedVectors.load(tmp_path / "v", mmap=True),
        KeyedVectors.read(tmp_path / "v"),
    ):
        assert loaded.index_to_key == wv.index_to_key
        assert loaded.get_vecattr("w0", "count") == 40
        np.testing.assert_array_equal(loaded.vectors, wv.vectors)
        assert loaded.most_similar("w1") == wv.most_similar("w1")


def test_loading_leaves_the_output_side_of_a_model(tmp_path, vectors):
    model = WordVectors(WORDS, vectors, output_vectors=vectors)
    native.write(tmp_path / "v", model)
    assert KeyedVectors.load(tmp_path / "v").to_word_vectors().output_vectors is None


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}])
def test_word2vec_formats_come_back(tmp_path, wv, options):
    wv.save_word2vec_format(tmp_path / "v", fvocab=tmp_path / "vocab", **options)
    loaded = KeyedVectors.load_word2vec_format(
        tmp_path / "v",
        fvocab=tmp_path / "vocab",
        binary=options.get("binary", False),
        no_header="write_header" in options,
        limit=7,
        datatype=np.float16,
    )
    assert loaded.index_to_key == WORDS[:7]
    assert loaded.get_vecattr("w6", "count") == 34
    np.testing.assert_array_equal(loaded.vectors, wv.vectors[:7].astype(np.float16), strict=True)


def test_words_in_another_encoding_are_read(tmp_path):
    (tmp_path / "v").write_bytes("1 1\nnaïve 1\n".encode("latin-1"))
    assert "naïve" in KeyedVectors.load_word2vec_format(tmp_path / "v", encoding="latin-1")
    assert "na\udcefve" in KeyedVectors.load_word2vec_format(tmp_path / "v")


def test_impossible_requests_are_usage_errors(tmp_path, wv, vectors):
    with pytest.raises(UsageError, match="cannot go without its header"):
        wv.save_word2vec_format(tmp_path / "v", binary=True, write_header=False)
    with pytest.raises(UsageError, match="no counts are known"):
        KeyedVectors(WORDS, vectors).save_word2vec_format(tmp_path / "v", fvocab=tmp_path / "c")
    wv.save_word2vec_format(tmp_path / "v")
    (tmp_path / "c").write_text("w0 5\n")
    with pytest.raises(UsageError, match="no count for the word 'w1'"):
        KeyedVectors.load_word2vec_format(tmp_path / "v", fvocab=tmp_path / "c")


def test_the_public_name_is_found_without_importing_scipy():
    code = "import sys, fastw2v; fastw2v.KeyedVectors; print('scipy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


@pytest.fixture
def theirs(vectors):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors(vector_size=9)
    theirs.add_vectors(WORDS, vectors)
    return theirs


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
@pytest.mark.parametrize(
    ("method", "args", "options"),
    [
        ("most_similar", (["w1", "w2"], ["w3"]), {}),
        ("most_similar", ([("w1", 0.5), "w2", 7],), {"topn": 3}),
        ("most_similar", ("w1",), {"topn": None}),
        ("most_similar", ("w1",), {"topn": 0}),
        ("most_similar", ("w1",), {"clip_start": 5, "clip_end": 30}),
        ("most_similar_cosmul", (["w1", "w2"], ["w3"]), {}),
        ("similar_by_word", ("w1",), {"restrict_vocab": 20}),
        ("doesnt_match", (["w1", "w5", "w9", "w11"],), {}),
        ("closer_than", ("w1", "w5"), {}),
        ("rank", ("w1", "w5"), {}),
        ("n_similarity", (["w1", "w5"], ["w9"]), {}),
        ("distances", ("w1",), {}),
        ("get_mean_vector", (["w1", "x", "w2"],), {"weights": [1, 3, -2]}),
        ("get_mean_vector", (["w1", "w2"],), {"pre_normalize": False, "post_normalize": True}),
        ("get_vector", ("w1",), {"norm": True}),
    ],
)
def test_answers_are_those_of_gensim(wv, theirs, method, args, options):
    ours = getattr(wv, method)(*args, **options)
    expected = getattr(theirs, method)(*args, **options)
    if isinstance(expected, list) and expected and isinstance(expected[0], tuple):
        assert [word for word, _ in ours] == [word for word, _ in expected]
        ours, expected = ([score for _, score in found] for found in (ours, expected))
    if isinstance(expected, (str, list)) and expected and isinstance(expected[0], str):
        assert ours == expected
    else:
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_evaluations_have_the_shape_of_gensims(tmp_path, wv, theirs):
    (tmp_path / "q").write_text(": s\nw1 w2 w3 w4\nw1 w2 w3 x\n: gram\nw5 w6 w7 w8\n")
    (tmp_path / "p").write_text("w1\tw2\t3\nw3\tw4\t2\nw5\tw6\t1\nw7\tx\t1\n")
    for options in ({}, {"dummy4unknown": True}):
        ours = wv.evaluate_word_analogies(tmp_path / "q", **options)
        expected = theirs.evaluate_word_analogies(tmp_path / "q", **options)
        assert ours[0] == expected[0]
        assert [s["section"] for s in ours[1]] == [s["section"] for s in expected[1]]
        assert [len(s["incorrect"]) for s in ours[1]] == [len(s["incorrect"]) for s in expected[1]]
        ours = wv.evaluate_word_pairs(tmp_path / "p", **options)
        expected = theirs.evaluate_word_pairs(tmp_path / "p", **options)
        np.testing.assert_allclose(ours[0], expected[0], atol=1e-5)
        np.testing.assert_allclose(ours[1], expected[1], atol=1e-6)
        assert ours[2] == pytest.approx(expected[2])
