import numpy as np
import pytest

from fastw2v import KeyedVectors


@pytest.fixture
def wv():
    wv = KeyedVectors(2)
    wv.add_vectors(["a", "b"], [[1, 0], [0, 1]])
    return wv


def test_an_empty_table_has_its_size_and_type():
    wv = KeyedVectors(5, dtype=np.float64)
    assert (len(wv), wv.vector_size, wv.vectors.dtype) == (0, 5, np.float64)
    with pytest.raises(ValueError, match="vector_size must be an integer, got 'x'"):
        KeyedVectors("x")
    with pytest.raises(ValueError, match="vector_size must be at least 1, got 0"):
        KeyedVectors(0)


def test_added_words_are_found_at_once(wv):
    assert wv.most_similar("a", topn=1) == [("b", 0.0)]
    wv.add_vectors(["c"], [[2, 0.1]])
    assert wv.most_similar("a", topn=1)[0][0] == "c"
    wv["b"] = np.array([3, 0])
    assert wv.most_similar("a", topn=1) == [("b", 1.0)]


def test_of_equal_words_the_first_stays_unless_replaced(wv):
    wv.add_vectors(["c", "c", "a"], [[1, 1], [2, 2], [3, 3]])
    assert (wv["c"].tolist(), wv["a"].tolist(), len(wv)) == ([1, 1], [1, 0], 3)
    wv.add_vectors(["d", "d", "a", "a"], [[1, 1], [2, 2], [3, 3], [4, 4]], replace=True)
    assert (wv["d"].tolist(), wv["a"].tolist(), len(wv)) == ([2, 2], [4, 4], 4)


def test_attributes_come_with_added_words(wv):
    wv.add_vectors(["c", "a"], [[1, 1], [2, 2]], {"count": [5, 6]})
    assert [wv.get_vecattr(word, "count") for word in "abc"] == [0, 0, 5]
    wv.add_vectors(["d", "a"], [[1, 1], [2, 2]], {"count": np.array([7, 8])}, replace=True)
    assert [wv.get_vecattr(word, "count") for word in "abcd"] == [8, 0, 5, 7]
    assert wv.counts.tolist() == [8, 0, 5, 7]
    assert wv.add_vector("e", [1, 2]) == 4
    assert wv.get_vecattr("e", "count") == 0


def test_an_attribute_keeps_its_type(wv):
    wv.set_vecattr("a", "tag", "noun")
    assert (wv.get_vecattr("a", "tag"), wv.get_vecattr("b", "tag")) == ("noun", 0)
    wv.set_vecattr("a", "count", 1)
    with pytest.raises(TypeError, match=r"Can't allocate type .* for attribute count"):
        wv.set_vecattr("a", "count", 1.5)


@pytest.mark.parametrize(
    ("keys", "weights", "extras", "message"),
    [
        (["c"], [[1, 2, 3]], None, r"1 keys need weights of shape \(1, 2\), got \(1, 3\)"),
        (["c", "d"], [[1, 2]], None, r"2 keys need weights of shape \(2, 2\), got \(1, 2\)"),
        (["c"], [[1, 2]], {"count": [1, 2]}, r"1 keys need as many 'count', got \(2,\)"),
    ],
)
def test_shapes_that_disagree_change_nothing(wv, keys, weights, extras, message):
    with pytest.raises(ValueError, match=message):
        wv.add_vectors(keys, weights, extras)
    assert (wv.index_to_key, len(wv.vectors), wv.expandos) == (["a", "b"], 2, {})


def test_words_without_counts_cannot_be_sorted_by_them(wv):
    with pytest.raises(KeyError, match="no attribute 'count'"):
        wv.sort_by_descending_frequency()


def test_vectors_are_scaled_in_place(wv):
    wv.add_vectors(["c", "zero"], [[3, 4], [0, 0]])
    wv.unit_normalize_all()
    np.testing.assert_allclose(wv.vectors, [[1, 0], [0, 1], [0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(wv.norms, [1, 1, 1, 0])


def test_reserved_rows_without_a_word_are_not_written(tmp_path):
    wv = KeyedVectors(2, count=3)
    wv.add_vector("first", [5, 5])
    wv.add_vectors(["a", "b"], np.eye(2), {"count": [2, 1]})
    wv.save(tmp_path / "v")
    wv.save_word2vec_format(tmp_path / "text", tmp_path / "counts")
    for loaded in (
        KeyedVectors.load(tmp_path / "v"),
        KeyedVectors.load_word2vec_format(tmp_path / "text", tmp_path / "counts"),
    ):
        assert sorted(loaded.index_to_key) == ["a", "b", "first"]
        assert [loaded.get_vecattr(word, "count") for word in ("first", "a", "b")] == [0, 2, 1]
        assert loaded["b"].tolist() == [0, 1]


def test_an_integer_is_a_word_if_all_words_are_integers():
    wv = KeyedVectors.from_arrays(["3", "1", "-2"], np.eye(3))
    np.testing.assert_array_equal(wv[3], wv["3"])
    np.testing.assert_array_equal(wv[np.int64(-2)], wv["-2"])
    assert 1 in wv
    assert 0 not in wv
    with pytest.raises(KeyError, match="Key '0' not present"):
        wv[0]
    wv["x"] = np.ones(3)
    np.testing.assert_array_equal(wv[0], wv["3"])
    assert 7 not in wv


def test_an_integer_is_a_row_if_a_word_is_none():
    wv = KeyedVectors.from_arrays(["the", "0"], np.eye(2))
    np.testing.assert_array_equal(wv[0], wv["the"])
    mixed = KeyedVectors.from_arrays(["1", "the"], np.eye(2))
    np.testing.assert_array_equal(mixed[1], mixed["the"])
