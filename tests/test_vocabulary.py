"""The vocabulary, its rules and its file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastw2v.corpus import Vocabulary, VocabularyRules, read_sentences
from fastw2v.errors import CorpusError, ModelFormatError, ReadError, SaveError, UsageError

any_word = st.binary(min_size=1, max_size=6).filter(lambda word: b"\n" not in word)


def test_index_and_counts_belong_to_the_words():
    vocabulary = Vocabulary(["b", "a"], [3, 2])
    assert vocabulary.index == {"b": 0, "a": 1}
    assert len(vocabulary) == 2
    assert "a" in vocabulary
    assert "c" not in vocabulary
    assert vocabulary.counts.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 1


def test_as_many_counts_as_words_are_needed():
    with pytest.raises(UsageError, match=r"counts must have shape \(2,\), got \(1,\)"):
        Vocabulary(["a", "b"], [1])


@given(words=st.lists(any_word, unique=True, max_size=10), data=st.data())
def test_any_bytes_survive_the_file(words, data, tmp_path_factory):
    counts = data.draw(
        st.lists(st.integers(1, 2**63 - 1), min_size=len(words), max_size=len(words))
    )
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    texts = [word.decode("utf-8", "surrogateescape") for word in words]
    try:
        Vocabulary(texts, sorted(counts, reverse=True)).save(path)
    except SaveError as error:  # the first word looks like the magic number of a file
        assert "it would begin like" in str(error)
        return
    loaded = Vocabulary.load(path)
    assert loaded.words == texts
    assert loaded.counts.tolist() == sorted(counts, reverse=True)


def load(tmp_path, text):
    path = tmp_path / "vocab.txt"
    path.write_bytes(text)
    return Vocabulary.load(path)


def test_the_files_of_word2vec_c_are_read(tmp_path):
    assert load(tmp_path, b"</s> 0\nthe 10\nof 7\n").words == ["the", "of"]
    assert load(tmp_path, b"the 10\r\nof\t7").words == ["the", "of"]


def test_file_order_is_kept_unless_counts_rise(tmp_path):
    assert load(tmp_path, b"b 2\na 2\nc 1\n").words == ["b", "a", "c"]
    mixed = load(tmp_path, b"c 1\nb 2\na 2\n")
    assert mixed.words == ["b", "a", "c"]
    assert mixed.counts.tolist() == [2, 2, 1]


@pytest.mark.parametrize("line", [b"word", b"word x", b"word -1", b" 3", b"", b"a 1.5",
                                  b"a 9223372036854775808", b"a " + b"9" * 5000])  # fmt: skip
def test_a_malformed_line_is_named(tmp_path, line):
    with pytest.raises(ModelFormatError, match=r"vocab.txt, line 2: expected a word"):
        load(tmp_path, b"the 10\n" + line + b"\nof 1\n")


def test_a_word_that_was_never_seen_is_named(tmp_path):
    with pytest.raises(ModelFormatError, match=r"vocab.txt: 'word' has a count of 0"):
        load(tmp_path, b"the 10\nword 0\nof 1\n")


def test_a_word_that_stands_twice_is_named(tmp_path):
    with pytest.raises(ModelFormatError, match="line 3: 'a' occurs twice"):
        load(tmp_path, b"</s> 0\na 2\na 1\n")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ReadError, match=r"cannot read .*nowhere: No such file or directory"):
        Vocabulary.load(tmp_path / "nowhere")


@pytest.mark.parametrize("word", ["", "a\nb"])
def test_a_word_that_no_line_can_hold_is_refused(tmp_path, word):
    with pytest.raises(SaveError, match="a line cannot hold the word"):
        Vocabulary([word], [1]).save(tmp_path / "vocab.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_word_that_is_not_unicode_is_refused(tmp_path):
    with pytest.raises(SaveError, match=r"'\\ud800' is not valid Unicode"):
        Vocabulary(["\ud800"], [1]).save(tmp_path / "vocab.txt")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(SaveError, match=r"cannot write .*none/v.txt: No such file"):
        Vocabulary(["a"], [1]).save(tmp_path / "none" / "v.txt")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"min_count": -1}, "min_count must be at least 0, got -1"),
        ({"min_count": 1.5}, "min_count must be an integer, got 1.5"),
        ({"min_count": True}, "min_count must be an integer, got True"),
        ({"max_final_vocab": 0}, "max_final_vocab must be at least 1, got 0"),
    ],
)
def test_impossible_rules_are_refused_at_once(rules, message):
    with pytest.raises(UsageError, match=message):
        VocabularyRules(**rules)


SENTENCES = [["e"], ["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"] * 2]


@pytest.mark.parametrize(
    ("rules", "words", "min_count"),
    [
        ((0, None), "abcde", 0),
        ((2, None), "abcd", 2),
        ((3, None), "abc", 3),
        ((1, 10), "abcde", 1),
        ((1, 4), "abcd", 2),
        ((1, 3), "abc", 3),
        ((1, 2), "a", 4),  # b and c share a count: both stay or both go
        ((5, 3), "a", 5),
    ],
)
def test_rules_keep_the_frequent_words(rules, words, min_count):
    corpus = read_sentences(SENTENCES, rules=VocabularyRules(*rules))
    assert corpus.vocabulary.words == list(words)
    assert corpus.min_count == min_count
    assert corpus.spool.n_tokens + corpus.n_below_min_count == corpus.n_tokens_read == 14


def test_words_come_by_count_then_by_first_appearance():
    corpus = read_sentences([["z", "y", "x", "y", "w", "x"]], rules=VocabularyRules(1))
    assert corpus.vocabulary.words == ["y", "x", "z", "w"]


def test_nothing_frequent_enough_is_explained():
    message = (
        r"^0 of 3 distinct words occur at least 5 times "
        r"\(most frequent: 'a', 2 times\); lower min_count$"
    )
    with pytest.raises(CorpusError, match=message):
        read_sentences([["a", "b", "a", "c"]], rules=VocabularyRules())


def test_a_vocabulary_limit_that_ties_make_impossible_is_explained():
    message = "max_final_vocab=1 cannot be met: 2 distinct words occur 2 times each"
    with pytest.raises(CorpusError, match=message):
        read_sentences([["a", "b", "a", "b"]], rules=VocabularyRules(1, 1))


def test_a_vocabulary_that_shares_no_word_is_explained():
    message = "none of the 1 distinct words of the corpus is in the given vocabulary of 1 words"
    with pytest.raises(CorpusError, match=message):
        read_sentences([["a"]], rules=VocabularyRules(1), vocabulary=Vocabulary(["b"], [1]))
