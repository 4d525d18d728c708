"""What objects show of themselves, as text and in a notebook."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from small_corpus import topic_sentences

from fastw2v import IdSentences, KeyedVectors, Pairs, Phrases, Word2Vec
from fastw2v.base.tables import MAX_WORD
from fastw2v.corpus import Vocabulary
from fastw2v.formats import WordVectors

HOSTILE = ["<script>alert(1)</script>", 'a" onload="b', "&amp;", "\udcff", "\x00\x1b[2J", "한국어"]
SENTENCES = topic_sentences()


@pytest.fixture(scope="module")
def model():
    return Word2Vec(SENTENCES, vector_size=8, workers=1, epochs=2, sg=1)


def cells(html):
    """The texts of an HTML table's cells, row by row; fails if a tag is not a table's."""
    rows, tags = [], set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            tags.add(tag)
            assert {name for name, _ in attributes} <= {"style"}
            if tag == "tr":
                rows.append([])
            elif tag in ("td", "th"):
                rows[-1].append("")

        def handle_data(self, data):
            if rows:
                rows[-1][-1] += data

    Reader().feed(html)
    assert tags <= {"table", "caption", "tr", "td", "th"}
    return rows


def test_a_model_shows_its_objective_settings_words_and_loss(model):
    assert repr(model) == (
        "Word2Vec<skip-gram, negative sampling, 5 negative samples; words=128, tokens=7200, "
        f"vector_size=8, window=5, alpha=0.025, epochs_trained=2, loss={model.history[1].loss:.4f}>"
    )
    shown = dict(cells(model._repr_html_()))
    assert shown["words"] == "128"
    assert shown["tokens"] == "7,200"
    assert shown["loss"] == f"{model.history[1].loss:.4f}"


def test_a_model_without_a_vocabulary_shows_no_words():
    assert "words=0, vector_size=100" in repr(Word2Vec())
    assert ["words", "0"] in cells(Word2Vec()._repr_html_())


def test_a_summary_prints_as_a_table(model):
    shown = str(model.summary)
    assert shown.startswith("tokens read                 14,400  7,200 x 2 epochs\ntrained ")
    assert re.fullmatch(
        r"Summary<2 x 7,200 tokens, 128 words, loss \d\.\d{4}, .* M words/s>", repr(model.summary)
    )
    assert [row[0] for row in cells(model.summary._repr_html_())] == [
        re.split(" {2,}", line)[0] for line in shown.splitlines()
    ]


def test_vectors_show_their_first_words():
    wv = KeyedVectors.from_arrays(["the", "of", "and", "to"], np.eye(4, dtype=np.float32))
    assert repr(wv) == "KeyedVectors<vector_size=4, 4 keys: 'the', 'of', 'and', ...>"
    assert str(wv) == "KeyedVectors<vector_size=4, 4 keys>"  # gensim's
    assert cells(wv._repr_html_())[:2] == [["key", "norm"], ["the", "1.0000"]]
    wv.expandos["count"] = np.array([9, 8, 7, 6])
    assert cells(wv._repr_html_())[1] == ["the", "9", "1.0000"]


@pytest.mark.parametrize("wv", [KeyedVectors(3), KeyedVectors(3, count=2)])
def test_vectors_without_words_have_a_repr(wv):
    assert repr(wv).startswith("KeyedVectors<vector_size=3, ")
    assert cells(wv._repr_html_())[0] == ["key", "norm"]


def test_a_vocabulary_shows_its_size_and_first_words(model):
    first = model.vocabulary.words
    assert repr(model.vocabulary) == (
        f"Vocabulary<128 words, 7,200 tokens: '{first[0]}', '{first[1]}', '{first[2]}', ...>"
    )
    assert cells(model.vocabulary._repr_html_())[1] == [first[0], str(model.vocabulary.counts[0])]


def test_phrases_show_their_counts_and_settings():
    phrases = Phrases([["new", "york"]] * 9, min_count=1, threshold=0.1)
    assert repr(phrases) == (
        "Phrases<2 words, min_count=1, threshold=0.1, scoring='default', 18 tokens>"
    )
    assert ["tokens", "18"] in cells(phrases._repr_html_())
    frozen = phrases.freeze()
    assert repr(frozen) == (
        "FrozenPhrases<1 phrases, min_count=1, threshold=0.1, scoring='default': 'new_york'>"
    )
    assert cells(frozen._repr_html_())[-1] == ["new_york", f"{frozen.phrasegrams['new_york']:.4f}"]


def test_what_a_model_trains_on_shows_its_size():
    walks = IdSentences(np.array([[0, 1, 2], [2, 1, 0]]))
    assert repr(walks) == "IdSentences<6 ids in 2 sentences>"
    assert repr(Pairs(["a", "b"], ["c", "a"])) == "Pairs<2 pairs of 3 words>"
    assert repr(Pairs(["a"], ["b"], [0.5])) == "Pairs<1 pairs of 2 words, weighted>"


def test_hostile_words_are_escaped_and_stay_on_one_line():
    words = [*HOSTILE, "x" * 60_000, "two\nlines"]
    shown = [
        KeyedVectors.from_arrays(words, np.eye(8, dtype=np.float32)),
        Vocabulary(words, np.arange(8, 0, -1)),
    ]
    for this in shown:
        rows = cells(this._repr_html_())[1:]
        assert rows[0][0] == HOSTILE[0]
        assert rows[3][0] == "\\udcff"
        assert rows[6][0] == "x" * (MAX_WORD - 1) + "…"
        this._repr_html_().encode()
    for word in words:
        line = repr(KeyedVectors.from_arrays([word], np.eye(1, dtype=np.float32)))
        assert line.isprintable()
        assert len(line) < 120


class Counted(list):
    """A list that counts how many of its items are read."""

    n_read = 0

    def __iter__(self):
        for item in super().__iter__():
            self.n_read += 1
            yield item

    def __getitem__(self, index):
        items = super().__getitem__(index)
        self.n_read += len(items) if isinstance(index, slice) else 1
        return items


def test_a_repr_of_a_million_words_reads_a_few():
    words = Counted(map(str, range(1_000_000)))
    wv = KeyedVectors(2)
    wv.index_to_key, wv.vectors = words, np.zeros((len(words), 2), np.float32)
    vocabulary = Vocabulary(words, np.ones(len(words), np.int64))
    for this in (wv, vocabulary):
        assert len(repr(this)) < 100
        assert this._repr_html_().count("<tr>") == 11
    assert words.n_read < 50
    data = WordVectors(words, wv.vectors, vocabulary.counts)
    assert repr(data) == "WordVectors<1,000,000 words, 2 dimensions, counts>"


def test_phrases_are_not_scored_for_a_repr(monkeypatch):
    phrases = Phrases(SENTENCES)
    monkeypatch.setattr(Phrases, "_pairs", None)
    assert "128 words" in repr(phrases)
    assert phrases._repr_html_()
