"""Reading a corpus from Python iterables."""

import enum
import itertools
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastw2v.corpus import (
    IdSentences,
    Pairs,
    Vocabulary,
    VocabularyRules,
    read_sentences,
    read_text,
    sentences,
)
from fastw2v.corpus.id_sentences import read_ids
from fastw2v.corpus.lexicon import TokenLexicon
from fastw2v.corpus.pairs import read_pairs
from fastw2v.corpus.vocabulary import choose_from
from fastw2v.errors import CorpusError, UsageError

ALL = VocabularyRules(min_count=1)


def decoded(corpus):
    """Return the sentences of an encoded corpus as lists of words."""
    (chunk,) = corpus.spool.chunks(corpus.spool.n_tokens, 0)
    words = [corpus.vocabulary.words[i] for i in chunk.word_ids]
    begins = [0, *chunk.sentence_ends[:-1]]
    return [words[a:b] for a, b in zip(begins, chunk.sentence_ends, strict=True)]


@given(st.lists(st.lists(st.text(max_size=4), max_size=6), max_size=20), st.integers(1, 9))
@settings(max_examples=200)
def test_any_characters_survive_a_pass_in_pieces_of_any_size(corpus, piece_tokens):
    if not any(corpus):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentences, "PIECE_TOKENS", piece_tokens)
        encoded = read_sentences(corpus, rules=ALL)
    assert decoded(encoded) == [s for s in corpus if s]
    counts = encoded.vocabulary.counts.tolist()
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == encoded.n_tokens_read == sum(map(len, corpus))


def test_a_generator_is_read_once_and_other_sequences_are_accepted():
    def walks():
        yield ["1", "2"]
        yield ("2", 3)
        yield np.array(["2", "x"])
        yield np.array([2, 1])
        yield (str(i) for i in range(2))
        yield []

    corpus = read_sentences(walks(), rules=ALL)
    assert decoded(corpus) == [["1", "2"], ["2", "3"], ["2", "x"], ["2", "1"], ["0", "1"]]
    assert corpus.vocabulary.words == ["2", "1", "3", "x", "0"]
    assert all(type(word) is str for word in corpus.vocabulary.words)
    assert (corpus.n_sentences, corpus.n_bytes_read, corpus.min_count) == (5, 0, 1)


def test_a_given_vocabulary_is_used_as_it_is():
    vocabulary = Vocabulary(["b", "a"], [9, 8])
    corpus = read_sentences([["a", "x", "b"], ["x"]], rules=ALL, vocabulary=vocabulary)
    assert corpus.vocabulary is vocabulary
    assert decoded(corpus) == [["a", "b"]]
    assert (corpus.n_tokens_read, corpus.n_below_min_count, corpus.n_sentences) == (4, 2, 2)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["a b"], "sentence 1 is a string, expected a list of tokens; "
                  r"pass \[s.split\(\) for s in sentences\]"),
        ([["a"], "b"], "sentence 2 is a string"),
        ([b"a"], "sentence 1 is a bytes"),
        ([["a"], ["b"], 3], "sentence 3 is an int, expected a list of tokens"),
        ([np.zeros((2, 2))], "sentence 1 is an array of 2 dimensions"),
        ([["a"], ["b", None]], "sentence 2: a token must be a string or an integer, got None"),
        ([["a", ["b"]]], "sentence 1: a token must be a string or an integer, got \\['b'\\]"),
        ("a b", "sentences is a string, expected an iterable of lists of tokens"),
        (7, "sentences is an int, expected an iterable"),
        ([], "the corpus contains no words"),
        ([[], []], "the corpus contains no words"),
    ],
)  # fmt: skip
def test_what_is_no_corpus_is_refused_by_name_and_place(corpus, message):
    with pytest.raises(CorpusError, match=f"^{message}"):
        read_sentences(corpus, rules=ALL)


class Term(str):
    """A string that compares, hashes, prints and counts itself in its own way."""

    def __hash__(self):
        return 7

    def __eq__(self, other):
        return True

    def __str__(self):
        return "printed"

    __repr__ = __str__

    def __len__(self):
        return 0


class Colour(str, enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    THREE = 3


def test_subclasses_of_strings_and_integers_are_taken_as_plain_ones():
    tokens = [Term("a"), "a", Term("b"), np.str_("b"), Colour.RED, "red"]
    tokens += [Number.THREE, np.uint8(3), 3, "3"]
    corpus = read_sentences([tokens, [Term("a")], tokens[::-1]], rules=ALL)
    assert corpus.vocabulary.words == ["3", "a", "b", "red"]
    assert all(type(word) is str for word in corpus.vocabulary.words)
    assert corpus.vocabulary.counts.tolist() == [8, 5, 4, 4]


@pytest.mark.parametrize("token", [True, 1.0, b"1"])
def test_what_equals_a_token_seen_before_is_not_one(token):
    with pytest.raises(CorpusError, match="sentence 2: a token must be a string or an integer"):
        read_sentences([[1, "1"], [token]], rules=ALL)


def test_subclasses_of_strings_are_plain_in_tables_pairs_ids_and_counts(tmp_path):
    a, b = Term("a"), Term("b")
    rows = read_sentences([{"text": Term("a b")}, {"text": "a"}], rules=ALL, column="text")
    pairs = read_pairs(Pairs([a, a, b], [b, "b", "a"]), rules=ALL)
    ids = read_ids(IdSentences(np.array([[0, 1], [0, 0]]), words=[a, b]), rules=ALL)
    chosen = choose_from({a: 2, "a": 1, 8: 2, "8": 3}, ALL)
    (tmp_path / "text").write_text("x")
    lines = read_text(tmp_path / "text", rules=ALL, tokenizer=lambda line: [a, "a", b])
    assert rows.vocabulary.counts.tolist() == [2, 1]
    assert pairs.vocabulary.counts.tolist() == [3, 3]
    assert lines.vocabulary.counts.tolist() == [2, 1]
    assert (chosen.words, chosen.counts.tolist()) == (["8", "a"], [5, 3])
    for words in (rows.vocabulary.words, pairs.vocabulary.words, ids.vocabulary.words):
        assert [(type(word), word) for word in words] == [(str, "a"), (str, "b")]


def test_other_words_of_ids_are_refused():
    with pytest.raises(UsageError, match=r"words\[1\]: a token must be a string"):
        read_ids(IdSentences(np.array([[0, 1]]), words=["a", None]), rules=ALL)


def test_an_error_of_the_iterable_passes_unchanged():
    class Mine(Exception):
        pass

    error = Mine("boom")

    def broken():
        yield ["a"]
        raise error

    with pytest.raises(Mine) as caught:
        read_sentences(broken(), rules=ALL)
    assert caught.value is error


def test_progress_is_called_from_the_calling_thread_and_at_the_end(monkeypatch):
    monkeypatch.setattr(sentences, "PROGRESS_SECONDS", 0.0)
    calls = []
    endless = itertools.repeat(["a", "b"])
    read_sentences(itertools.islice(endless, 100), rules=ALL, progress=lambda *a: calls.append(a))
    assert calls[-1] == (0, None, 200)
    assert len(calls) > 50


def token_ids(lexicon, tokens):
    ids = array("i")
    lexicon.append_ids(tokens, ids)
    return list(ids)


def test_integers_stand_for_their_digits():
    lexicon = TokenLexicon()
    assert token_ids(lexicon, ["7", 7, np.int64(7), 8, "8"]) == [0, 0, 0, 1, 1]
    assert lexicon.decode(np.arange(2)) == ["7", "8"]


@pytest.mark.parametrize("token", [None, 1.5, b"a", True, ("a",)])
def test_other_objects_are_no_tokens(token):
    with pytest.raises(TypeError, match="a token must be a string or an integer, got"):
        token_ids(TokenLexicon(), ["a", token])
