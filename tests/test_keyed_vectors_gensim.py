import inspect

import numpy as np
import pytest
from keyed_vectors_case import WORDS

from fastw2v import KeyedVectors

models = pytest.importorskip("gensim.models")

METHODS = [
    "__init__", "get_vector", "get_index", "get_vecattr", "set_vecattr", "add_vector",
    "add_vectors", "fill_norms", "get_normed_vectors", "get_mean_vector", "has_index_for",
    "similarity", "n_similarity", "distance", "distances", "similar_by_word", "similar_by_key",
    "similar_by_vector", "most_similar", "most_similar_cosmul", "doesnt_match",
    "most_similar_to_given", "closer_than", "rank", "rank_by_centrality",
    "relative_cosine_similarity", "cosine_similarities", "evaluate_word_analogies",
    "evaluate_word_pairs", "save_word2vec_format", "load_word2vec_format",
    "intersect_word2vec_format", "vectors_for_all", "sort_by_descending_frequency",
    "unit_normalize_all", "allocate_vecattrs",
]  # fmt: skip
# gensim stops at a word that is not in the encoding.
OUR_DEFAULTS = {("unicode_errors", "surrogateescape")}


def filled(kind, vectors):
    """A table filled as scripts for gensim do."""
    wv = kind(vector_size=9)
    wv.add_vectors(WORDS, vectors)
    return wv


@pytest.fixture
def wv(vectors):
    return filled(KeyedVectors, vectors)


@pytest.fixture
def theirs(vectors):
    return filled(models.KeyedVectors, vectors)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_have_gensims_names_order_and_defaults(method):
    every = inspect.signature(getattr(KeyedVectors, method)).parameters.values()
    ours = [p for p in every if p.kind != p.KEYWORD_ONLY]  # those are additions of ours
    expected = inspect.signature(getattr(models.KeyedVectors, method)).parameters.values()
    assert [p.name for p in ours] == [p.name for p in expected]
    assert [p.kind for p in ours] == [p.kind for p in expected]
    for our, their in zip(ours, expected, strict=True):
        assert our.default == their.default or (our.name, our.default) in OUR_DEFAULTS


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
@pytest.mark.parametrize(
    ("method", "args", "options"),
    [
        ("most_similar", (["w1", "w2"], ["w3"]), {}),
        ("most_similar", ([("w1", 0.5), "w2", 7],), {"topn": 3}),
        ("most_similar", ([("w1", 2), ("w9", -1.5)], [("w2", -0.25)]), {}),
        ("most_similar", (np.arange(18, dtype=np.float32).reshape(2, 9),), {}),
        ("most_similar", ([np.arange(9), "w3"],), {}),
        ("most_similar", ("w1",), {"topn": None}),
        ("most_similar", ("w1",), {"topn": 0}),
        ("most_similar", ("w1",), {"clip_start": 5, "clip_end": 30}),
        ("most_similar_cosmul", (["w1", "w2"], ["w3"]), {}),
        ("most_similar_cosmul", ("w1", "w3"), {"topn": None}),
        ("similar_by_word", ("w1",), {"restrict_vocab": 20}),
        ("similar_by_key", (4, 3), {}),
        ("similar_by_vector", (np.arange(9, dtype=np.float32), 4), {}),
        ("similarity", ("w1", "w5"), {}),
        ("distance", ("w1", "w5"), {}),
        ("doesnt_match", (["w1", "w5", "w9", "w11"],), {}),
        ("rank_by_centrality", (["w1", "w5", "w9"],), {}),
        ("rank_by_centrality", (["w1", "w5", "w9"],), {"use_norm": False}),
        ("most_similar_to_given", ("w1", ["w2", "w3", "w4"]), {}),
        ("relative_cosine_similarity", ("w1", "w2", 5), {}),
        ("closer_than", ("w1", "w5"), {}),
        ("rank", ("w1", "w5"), {}),
        ("n_similarity", (["w1", "w5"], ["w9"]), {}),
        ("distances", ("w1",), {}),
        ("distances", ("w1", ["w4", "w2"]), {}),
        ("distances", (np.arange(9, dtype=np.float32), None), {}),
        ("get_mean_vector", (["w1", "x", "w2"],), {"weights": [1, 3, -2]}),
        ("get_mean_vector", (["w1", "w2"],), {"pre_normalize": False, "post_normalize": True}),
        ("get_vector", ("w1",), {"norm": True}),
        ("get_index", ("x", -5), {}),
        ("get_normed_vectors", (), {}),
        ("has_index_for", (39,), {}),
        ("__contains__", ("x",), {}),
        ("__getitem__", (["w3", 1],), {}),
        ("__len__", (), {}),
        ("__str__", (), {}),
    ],
)
def test_answers_are_those_of_gensim(wv, theirs, method, args, options):
    ours = getattr(wv, method)(*args, **options)
    expected = getattr(theirs, method)(*args, **options)
    if isinstance(expected, list) and expected and isinstance(expected[0], tuple):
        names = [[next(x for x in pair if isinstance(x, str)) for pair in ours]]
        names.append([next(x for x in pair if isinstance(x, str)) for pair in expected])
        assert names[0] == names[1]
        ours, expected = (
            [next(x for x in pair if not isinstance(x, str)) for pair in found]
            for found in (ours, expected)
        )
    if isinstance(expected, str) or (
        isinstance(expected, list) and expected and isinstance(expected[0], str)
    ):
        assert ours == expected
    else:
        np.testing.assert_allclose(ours, expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("__getitem__", ("x",)),
        ("__getitem__", (["w1", "x"],)),
        ("get_index", ("x",)),
        ("get_index", (40,)),
        ("get_vector", ("x", True)),
        ("get_vecattr", ("x", "count")),
        ("set_vecattr", ("x", "count", 1)),
        ("similarity", ("w1", "x")),
        ("most_similar", ("x",)),
        ("most_similar", ()),
        ("similar_by_word", ("x",)),
        ("distances", ("x",)),
        ("closer_than", ("w1", "x")),
        ("rank", ("x", "w1")),
        ("get_mean_vector", (["x"], None, True, False, False)),
        ("get_mean_vector", ([],)),
        ("get_mean_vector", (["w1"], [1.0, 2.0])),
        ("n_similarity", (["w1"], [])),
        ("n_similarity", (["w1"], ["x"])),
        ("doesnt_match", (["x"],)),
        ("most_similar_cosmul", ()),
    ],
)
def test_errors_are_those_of_gensim(wv, theirs, method, args):
    found = []
    for table in (wv, theirs):
        try:
            found.append(getattr(table, method)(*args))
        except Exception as error:
            found.append((type(error).__name__, str(error)))
    if isinstance(found[1], tuple):
        assert found[0] == found[1]
    else:
        np.testing.assert_array_equal(found[0], found[1])


def grow(table, vectors):
    vectors = 1 + 2 * vectors
    table.add_vectors(["new", "w3"], [vectors[1], vectors[2]])
    table.add_vectors(["w4", "other"], vectors[5:7], replace=True)
    table.add_vectors("single", vectors[8])
    table["w7"] = vectors[9]
    table[["w8", "last"]] = vectors[10:12]
    table.add_vectors([100, 200], vectors[:2])
    table.set_vecattr("w1", "count", 12)
    table.set_vecattr("w2", "count", 13)
    table.fill_norms(force=True)


def test_a_table_grows_as_gensims_does(wv, theirs, vectors):
    for table in (wv, theirs):
        grow(table, vectors)
    assert wv.index_to_key == theirs.index_to_key
    assert wv.key_to_index == theirs.key_to_index
    np.testing.assert_array_equal(wv.vectors, theirs.vectors)
    assert wv.get_vecattr("w2", "count") == theirs.get_vecattr("w2", "count") == 13
    assert wv.get_vecattr("w9", "count") == theirs.get_vecattr("w9", "count") == 0
    np.testing.assert_array_equal(wv[200], theirs[200])
    assert [word for word, _ in wv.most_similar("last")] == [
        word for word, _ in theirs.most_similar("last")
    ]
    wv.sort_by_descending_frequency()
    theirs.sort_by_descending_frequency()
    assert wv.index_to_key == theirs.index_to_key
    np.testing.assert_array_equal(wv.vectors, theirs.vectors)


def test_rows_set_aside_are_filled_as_in_gensim(vectors):
    tables = []
    for kind in (KeyedVectors, models.KeyedVectors):
        table = kind(9, count=3, dtype=np.float64)
        rows = [table.add_vector(word, vectors[i]) for i, word in enumerate("abc")]
        tables.append((rows, table.index_to_key, table.vectors.tolist(), table.vectors.dtype))
    assert tables[0] == tables[1]


def test_part_of_a_table_is_that_of_gensim(wv, theirs):
    for table in (wv, theirs):
        table.set_vecattr("w2", "count", 7)
    for keys, options in [
        (["w3", "x", 5, "w3", "w2"], {}),
        (["w2", 5], {"allow_inference": False}),
    ]:
        ours = wv.vectors_for_all(keys, copy_vecattrs=True, **options)
        expected = theirs.vectors_for_all(keys, copy_vecattrs=True, **options)
        assert ours.index_to_key == expected.index_to_key
        np.testing.assert_array_equal(ours.vectors, expected.vectors)
        assert ours.get_vecattr("w2", "count") == expected.get_vecattr("w2", "count") == 7


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # gensim leaves files open
@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}])
def test_files_are_read_alike_by_both(tmp_path, wv, theirs, options):
    for table in (wv, theirs):
        for row, word in enumerate(WORDS):
            table.set_vecattr(word, "count", row % 7)
    wv.save_word2vec_format(tmp_path / "v1", tmp_path / "c1", **options)
    theirs.save_word2vec_format(tmp_path / "v2", tmp_path / "c2", **options)
    assert (tmp_path / "c1").read_bytes() == (tmp_path / "c2").read_bytes()
    if not options.get("binary"):
        assert (tmp_path / "v1").read_bytes() == (tmp_path / "v2").read_bytes()
    how = {"binary": options.get("binary", False), "no_header": "write_header" in options}
    for path in (tmp_path / "v1", tmp_path / "v2"):
        for more in ({}, {"limit": 9, "datatype": np.float64}):
            ours = KeyedVectors.load_word2vec_format(path, tmp_path / "c1", **how, **more)
            expected = models.KeyedVectors.load_word2vec_format(
                path, tmp_path / "c1", **how, **more
            )
            assert ours.index_to_key == expected.index_to_key
            assert ours.vectors.dtype == expected.vectors.dtype
            np.testing.assert_allclose(ours.vectors, expected.vectors, rtol=1e-7)
            assert [ours.get_vecattr(w, "count") for w in ours.index_to_key] == [
                expected.get_vecattr(w, "count") for w in ours.index_to_key
            ]


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


def test_malformed_lines_are_left_out_as_in_gensim_but_counted(tmp_path, wv, theirs):
    (tmp_path / "q").write_text(": s\nw1 w2 w3 w4\nw1 w2 w3\nw1 w2 w3 w5\n")
    (tmp_path / "p").write_text("Word 1\tWord 2\tMean\nw1\tw2\t3\nw3\tw4\t2\nw5\tw6\t1\n")
    with pytest.warns(UserWarning, match="skipped 1 malformed lines"):
        score, sections = wv.evaluate_word_analogies(tmp_path / "q")
    assert score == theirs.evaluate_word_analogies(tmp_path / "q")[0]
    assert len(sections[-1]["incorrect"]) + len(sections[-1]["correct"]) == 2
    with pytest.warns(UserWarning, match="skipped 1 malformed lines"):
        pearson, spearman, _ = wv.evaluate_word_pairs(tmp_path / "p")
    expected = theirs.evaluate_word_pairs(tmp_path / "p")
    assert pearson.statistic == pytest.approx(expected[0].statistic, abs=1e-6)
    assert spearman.pvalue == pytest.approx(expected[1].pvalue, abs=1e-6)


def test_pairs_without_a_known_word_are_an_error_as_in_gensim(tmp_path, wv, theirs):
    (tmp_path / "p").write_text("x\ty\t3\n")
    for table in (wv, theirs):
        with pytest.raises(ValueError, match="No valid similarity judgements found in"):
            table.evaluate_word_pairs(tmp_path / "p")
