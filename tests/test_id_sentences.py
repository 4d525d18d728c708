"""Integer ids in arrays: flat with offsets, and walks row by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sentences import decoded

from fastw2v import IdSentences, Word2Vec
from fastw2v.corpus import Vocabulary, VocabularyRules, id_sentences, read_sentences
from fastw2v.errors import CorpusError, UsageError

ALL = VocabularyRules(min_count=1)
id_lists = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=20)


def flat(lists, dtype=np.int32):
    offsets = np.cumsum([0, *map(len, lists)])
    return np.array([i for ids in lists for i in ids], dtype), offsets


@given(id_lists, st.integers(1, 9), st.integers(0, 4), st.sampled_from(["i4", "u1", "i8"]))
@settings(max_examples=200)
def test_ids_are_read_like_lists_of_integers(lists, piece_tokens, min_count, dtype):
    ids, offsets = flat(lists, dtype)
    if not len(ids) or np.bincount(ids).max() < min_count:
        return
    rules = VocabularyRules(min_count=min_count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(id_sentences, "PIECE_TOKENS", piece_tokens)
        from_arrays = read_sentences(IdSentences(ids, offsets), rules=rules)
    from_lists = read_sentences(lists, rules=rules)
    assert decoded(from_arrays) == decoded(from_lists)
    counts = [dict(zip(c.vocabulary.words, c.vocabulary.counts, strict=True)) for c in
              (from_arrays, from_lists)]  # fmt: skip
    assert counts[0] == counts[1]
    for name in ("n_tokens_read", "n_below_min_count", "n_sentences", "min_count"):
        assert getattr(from_arrays, name) == getattr(from_lists, name)


def test_ids_that_stand_in_order_are_trained_in_place():
    ids, offsets = flat([[0, 1, 0], [0, 2, 1]])
    corpus = read_sentences(IdSentences(ids, offsets), rules=ALL)
    assert np.shares_memory(corpus.spool.read_tokens(0, 6), ids)
    assert np.shares_memory(corpus.spool.read_ends(0, 6), offsets)
    assert corpus.vocabulary.words == ["0", "1", "2"]


def test_rows_by_id_keeps_all_ids_in_place():
    ids, offsets = flat([[3, 3, 1], [3, 5]])
    corpus = read_sentences(IdSentences(ids, offsets, rows_by_id=True), rules=ALL)
    assert np.shares_memory(corpus.spool.read_tokens(0, 5), ids)
    assert corpus.vocabulary.words == list("012345")
    assert corpus.vocabulary.counts.tolist() == [0, 1, 0, 3, 0, 1]
    named = IdSentences(ids, offsets, words=list("abcdefgh"), rows_by_id=True)
    corpus = read_sentences(named, rules=ALL)
    assert (corpus.vocabulary.words, decoded(corpus)[1]) == (list("abcdefgh"), ["d", "f"])


@pytest.mark.parametrize("objective", [{}, {"hs": 1}, {"softmax": True}, {"ns_exponent": -0.5}])
def test_a_model_of_rows_by_id_trains_saves_and_loads(tmp_path, rng, objective):
    walks = rng.integers(2, 12, (200, 9)).astype(np.int32)
    before = walks.copy()
    walks.flags.writeable = False
    kept = {"vector_size": 8, "min_count": 1, "workers": 2} | objective
    model = Word2Vec(IdSentences(walks, rows_by_id=True), **kept)
    assert model.wv.index_to_key == [str(i) for i in range(12)]
    assert np.isfinite(model.wv.vectors).all() and (walks == before).all()
    model.save(tmp_path / "v")
    loaded = Word2Vec.load(tmp_path / "v")
    assert (loaded.wv.vectors == model.wv.vectors).all()
    loaded.train(walks)


def test_a_matrix_is_walks_and_padding_ends_them():
    walks = np.array([[7, 8, 7], [7, -1, -1], [-1, -1, -1], [8, 7, -1]])
    corpus = read_sentences(IdSentences(walks, padding=-1), rules=ALL)
    assert decoded(corpus) == [["7", "8", "7"], ["7"], ["8", "7"]]
    assert decoded(read_sentences(np.array([[7, 8], [7, 7]]), rules=ALL)) == [
        ["7", "8"],
        ["7", "7"],
    ]


def test_ids_far_apart_are_numbered_anew():
    ids, offsets = flat([[10**15, 3], [10**15]], np.int64)
    corpus = read_sentences(IdSentences(ids, offsets), rules=ALL)
    assert corpus.vocabulary.words == [str(10**15), "3"]
    assert corpus.spool.read_tokens(0, 3).tolist() == [0, 1, 0]


def test_ids_take_a_given_vocabulary():
    vocabulary = Vocabulary(["8", "7"], [5, 4])
    corpus = read_sentences(np.array([[7, 8, 9]]), rules=ALL, vocabulary=vocabulary)
    assert corpus.vocabulary is vocabulary
    assert decoded(corpus) == [["7", "8"]]
    assert corpus.n_below_min_count == 1


def test_remapped_ids_spill_to_disk():
    ids, offsets = flat([[3, 3, 1, 0]] * 100)
    corpus = read_sentences(IdSentences(ids, offsets), rules=ALL, spool_limit_bytes=64)
    assert not corpus.spool.in_memory
    assert decoded(corpus) == [["3", "3", "1", "0"]] * 100
    corpus.spool.close()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.5], [0, 1]), UsageError, "ids must be integers, got float64"),
        (([1, 2],), UsageError, r"ids without offsets must be walks of shape \(n_walks, length\), "
                                "got 1 dimensions"),
        (([1, 2], [0, 1]), UsageError, "offsets must begin with 0 and end with the number of ids, "
                                       "2, got 0 and 1"),
        (([1, 2], []), UsageError, "offsets must begin with 0 .* got none"),
        (([1, 2], [0, 2, 1, 2]), UsageError, "offsets must be non-decreasing"),
        (([[1], [2]], [0, 2]), UsageError, "ids and offsets must have one dimension each, got 2 "),
        (([[1, -1]],), CorpusError, r"ids must be at least 0, got -1; if it pads the ends "
                                    r"of walks, pass IdSentences\(walks, padding=-1\)"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_sentences_are_refused(arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        IdSentences(*arguments)


def test_what_cannot_be_kept_is_refused():
    ids, offsets = flat([[0, 1, 2]])
    with pytest.raises(CorpusError, match="ids must be below the number of words, 2, got 2"):
        IdSentences(ids, offsets, words=["a", "b"])
    with pytest.raises(UsageError, match=r"rows_by_id keeps all ids: set min_count=1 \(got 5\)"):
        Word2Vec(IdSentences(ids, offsets, rows_by_id=True))
    with pytest.raises(UsageError, match="padding is for walks"):
        IdSentences(ids, offsets, padding=0)
    with pytest.raises(CorpusError, match="the corpus contains no words"):
        read_sentences(np.empty((0, 5), int), rules=ALL)
    model = Word2Vec([["0", "1"]], min_count=1, sample=0)
    with pytest.raises(UsageError, match="rows_by_id builds the vocabulary from all ids"):
        model.train(IdSentences(ids, offsets, rows_by_id=True))
