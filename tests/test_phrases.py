import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastw2v import Phrases, _core, cli
from fastw2v.corpus.collocations import PhraseRules, counting, join_phrases
from fastw2v.corpus.lexicon import HASH_KEY
from fastw2v.errors import CorpusError, ModelFormatError, UsageError
from fastw2v.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases

CONNECTORS = frozenset({"of", "the"})
# few words, so that pairs repeat, and some with the delimiter in them, so that texts collide
token = st.sampled_from(["a", "b", "c", "of", "the", "a_b", "b_c", "b_of", "x", "é", "\udcff"])
sentences_of_tokens = st.lists(st.lists(token, max_size=9), min_size=1, max_size=12).filter(any)
scorings = st.sampled_from([("default", 0.1), ("default", 1.0), ("npmi", -0.5), ("npmi", 0.3)])


def slow_phrases(sentences, rules):
    """The phrases of gensim's _learn_vocab and score_candidate, in plain Python."""
    vocab, total = Counter(), 0
    candidates = set()
    for sentence in sentences:
        start, between = None, []
        for word in sentence:
            total += 1
            if word in rules.connector_words:
                between.append(word)
                continue
            vocab[word] += 1
            if start is not None:
                vocab[rules.delimiter.join([start, *between, word])] += 1
                candidates.add((start, *between, word))
            start, between = word, []
    found = {}
    for words in candidates:
        a, b = vocab[words[0]], vocab[words[-1]]
        n = vocab[rules.delimiter.join(words)]
        if rules.scoring == "default":
            score = (n - rules.min_count) / float(a * b) * len(vocab)
        elif n < rules.min_count or n == total:
            continue
        else:
            p = n / float(total)
            score = math.log(p / ((a / float(total)) * (b / float(total)))) / -math.log(p)
        if score > rules.threshold:
            found[words] = (rules.delimiter.join(words), score)
    return found, vocab


@given(sentences_of_tokens, scorings, st.integers(1, 3), st.booleans(), st.integers(1, 3))
@settings(max_examples=200)
def test_phrases_and_scores_are_those_of_the_definition(text, scoring, min_count, connect, workers):
    connectors = CONNECTORS if connect else frozenset()
    rules = PhraseRules(min_count, scoring[1], scoring[0], "_", connectors)
    phrases = Phrases(text, min_count, scoring[1], scoring=scoring[0], connector_words=connectors,
                      workers=workers)  # fmt: skip
    expected, vocab = slow_phrases(text, rules)
    assert phrases._phrases() == expected
    assert phrases.vocab == vocab
    assert phrases.corpus_word_count == sum(map(len, text))


@given(sentences_of_tokens, sentences_of_tokens)
@settings(max_examples=50)
def test_text_added_later_counts_as_if_it_had_been_there(first, second):
    options = {"min_count": 1, "threshold": 0.1, "connector_words": CONNECTORS, "workers": 2}
    phrases = Phrases(first, **options)
    phrases.add_vocab(second)
    at_once = Phrases([*first, *second], **options)
    assert phrases.export_phrases() == at_once.export_phrases()
    assert phrases.vocab == at_once.vocab


@given(sentences_of_tokens, st.booleans(), st.integers(1, 5))
@settings(max_examples=100)
def test_a_rewritten_corpus_is_that_of_the_sentences_one_by_one(
    tmp_path_factory, text, connect, stretch
):
    folder = tmp_path_factory.mktemp("phrases")
    lines = [" ".join(sentence) for sentence in text if sentence]
    (folder / "in.txt").write_text("\n".join(lines), "utf-8", "surrogateescape")
    connectors = CONNECTORS if connect else frozenset()
    rules = PhraseRules(1, 0.2, connector_words=connectors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "STRETCH_TOKENS", stretch)
        patch.setattr("fastw2v.corpus.collocations.merging.STRETCH_TOKENS", stretch)
        join_phrases(folder / "in.txt", folder / "out.txt", [rules, rules], workers=2)
    for _ in range(2):
        model = Phrases(text, 1, 0.2, connector_words=connectors, workers=1)
        text = [model[sentence] for sentence in text if sentence]
    written = (folder / "out.txt").read_text("utf-8", "surrogateescape")
    assert [line.split(" ") for line in written.splitlines()] == text


def real_sentences(file_text, n=4000):
    return [line.split() for line in file_text.splitlines()[:n]]


@pytest.fixture(scope="module")
def generated_text():
    """Zipf's words, some pairs of which are drawn together."""
    rng = np.random.default_rng(3)
    words = np.minimum(rng.zipf(1.3, 60_000), 2000)
    tokens = []
    for word in words.tolist():
        tokens += (
            [f"w{word}", f"of w{word + 1} then".split()[0]] if word % 17 == 3 else [f"w{word}"]
        )
        if word % 7 == 2:
            tokens += [f"v{word}"]
    return [tokens[i : i + 15] for i in range(0, len(tokens), 15)]


@pytest.mark.parametrize(
    ("scoring", "threshold", "connectors"),
    [
        ("default", 10.0, frozenset()),
        ("default", 1.0, frozenset({"of", "w1"})),
        ("npmi", 0.3, frozenset({"of", "w1"})),
    ],
)
def test_gensim_finds_the_same_phrases_with_the_same_scores(
    generated_text, scoring, threshold, connectors
):
    theirs = pytest.importorskip("gensim.models.phrases")
    text = generated_text
    for _ in range(3):  # each pass on what the one before made
        options = {"threshold": threshold, "scoring": scoring, "connector_words": connectors}
        expected = theirs.Phrases(text, min_count=5, **options)
        model = Phrases(text, min_count=5, **options)
        assert model.find_phrases(text) == expected.find_phrases(text)
        assert len(model.find_phrases(text)) > 0 or text is not generated_text
        assert model.vocab == expected.vocab
        if text is generated_text:
            assert model.export_phrases() == expected.export_phrases()
            assert model.freeze().phrasegrams == expected.freeze().phrasegrams
        joined = list(model[text])
        assert joined == list(expected[text])
        text = joined


def test_gensims_connector_words_for_english_are_these():
    theirs = pytest.importorskip("gensim.models.phrases")
    assert theirs.ENGLISH_CONNECTOR_WORDS == ENGLISH_CONNECTOR_WORDS


def test_a_function_may_score(sentences):
    def scorer(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
        return (bigram_count - min_count) / (worda_count * wordb_count) * len_vocab

    named = Phrases(sentences, min_count=2, threshold=1.0)
    assert Phrases(sentences, 2, 1.0, scoring=scorer).export_phrases() == named.export_phrases()
    with pytest.raises(UsageError, match="scored by a custom function cannot be saved"):
        Phrases(sentences, 2, 1.0, scoring=scorer).freeze().save("phrases.json")


def test_word2phrase_scores_with_the_number_of_tokens():
    text = [["new", "york"]] * 20 + [["x"]] * 60
    found = Phrases(text, min_count=5, threshold=1.0, scoring="word2phrase").export_phrases()
    assert found == {"new_york": pytest.approx((20 - 5) / 20 / 20 * 100)}


def test_a_sentence_and_a_corpus_are_joined():
    phrases = Phrases([["new", "york", "is"]] * 20 + [["is", "it"]] * 30, threshold=0.1)
    assert phrases[["in", "new", "york"]] == ["in", "new_york"]
    assert list(phrases[[["new", "york"], ["york", "new"], []]]) == [
        ["new_york"],
        ["york", "new"],
        [],
    ]
    assert phrases[[]] == []
    assert list(phrases.analyze_sentence(["new", "york", "x"]))[1:] == [("x", None)]
    frozen = phrases.freeze()
    assert frozen[["in", "new", "york"]] == ["in", "new_york"]
    assert str(frozen) == "FrozenPhrases<3 phrases, min_count=5, threshold=0.1>"
    assert str(phrases) == "Phrases<4 words, min_count=5, threshold=0.1>"


def test_phrases_are_saved_and_loaded(tmp_path):
    text = [["bank", "of", "né\udcff"]] * 20
    frozen = Phrases(text, threshold=0.01, connector_words=["of"]).freeze()
    assert len(frozen.phrasegrams) == 1
    frozen.save(tmp_path / "phrases.json")
    loaded = FrozenPhrases.load(tmp_path / "phrases.json")
    assert (loaded.phrasegrams, loaded.rules) == (frozen.phrasegrams, frozen.rules)
    assert loaded[text[0]] == ["bank_of_né\udcff"]


@pytest.mark.parametrize("score", ["NaN", "Infinity", "1e999", "true", '"2"'])
def test_a_score_that_is_not_a_finite_number_is_refused(tmp_path, score):
    Phrases([["new", "york"]] * 20, threshold=0.01).freeze().save(tmp_path / "p")
    text = (tmp_path / "p").read_text().replace('"phrases": {', f'"phrases": {{"a_b": {score},')
    (tmp_path / "p").write_text(text)
    with pytest.raises(ModelFormatError, match="the score of 'a_b' must be"):
        FrozenPhrases.load(tmp_path / "p")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fastw2v_phrases": {}}', "\0", "[" * 99999])
def test_a_file_that_holds_no_phrases_is_refused(tmp_path, content):
    (tmp_path / "v").write_text(content)
    with pytest.raises(ModelFormatError, match="not phrases saved by fastw2v"):
        FrozenPhrases.load(tmp_path / "v")


def test_hostile_settings_in_a_file_are_refused(tmp_path):
    content = {"fastw2v_phrases": {"connector_words": [], "min_count": -1}, "phrases": {}}
    (tmp_path / "v").write_text(json.dumps(content))
    with pytest.raises(ModelFormatError, match="min_count should be at least 1"):
        FrozenPhrases.load(tmp_path / "v")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_count": 0}, "min_count should be at least 1, got 0"),
        ({"threshold": 0}, "threshold should be positive for default scoring, got 0"),
        ({"threshold": 2, "scoring": "npmi"}, "threshold should be between -1 and 1"),
        ({"scoring": "pmi"}, "scoring must be one of default, npmi, word2phrase, got 'pmi'"),
        ({"connector_words": "of"}, "connector_words must be a set of words"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Phrases(**options)


def test_text_without_words_is_a_corpus_error():
    with pytest.raises(CorpusError):
        Phrases([[]])


def test_a_run_of_connectors_longer_than_a_stretch_is_joined(tmp_path, monkeypatch):
    monkeypatch.setattr("fastw2v.corpus.collocations.merging.STRETCH_TOKENS", 4)
    line = "a " + "of " * 30 + "b\n"
    (tmp_path / "in.txt").write_text(line * 10)
    rules = PhraseRules(1, 0.01, connector_words=frozenset({"of"}))
    (report,) = join_phrases(tmp_path / "in.txt", tmp_path / "out.txt", [rules])
    assert report.n_joined == 10
    assert (tmp_path / "out.txt").read_text() == line.rstrip().replace(" ", "_") + "\n" + (
        (line.rstrip().replace(" ", "_") + "\n") * 9
    )


def test_the_command_joins_phrases_in_several_passes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = "he saw new york city\n"
    (tmp_path / "in.txt").write_text(line * 30 + "\nit was not he\n" * 30)
    args = ["phrases", "in.txt", "-o", "out.txt", "--passes", "2", "--threshold", "0.1", "0.1"]
    assert cli.main([*args, "--list", "list.tsv"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == [
        *("pass", "tokens", "phrases", "joined", "tokens", "after", "seconds")
    ]
    assert shown[1].split()[:2] == ["1", "270"]
    assert "new_york" in (tmp_path / "list.tsv").read_text()
    assert (tmp_path / "out.txt").read_text().replace(
        "_", " "
    ) == line * 30 + "it was not he\n" * 30


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--passes", "0"], 2, "--passes must be at least 1, got 0"),
        (
            ["--threshold", "1", "2", "--passes", "3"],
            2,
            "--threshold takes one number or one per pass",
        ),
        (["--threshold", "-1"], 2, "threshold should be positive"),
        (["--delimiter", " "], 2, "delimiter must not contain white space, got ' '"),
        (["--connector-words", "missing"], 4, "cannot read missing"),
        (["--list", "no/list"], 5, "cannot write no/list"),
        (["--list", "./out.txt"], 2, "./out.txt is both --output and --list"),
        (["-o", "-"], 2, "- means standard input only"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys, args, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("a b\n")
    assert cli.main(["phrases", "in.txt", "-o", "out.txt", *args]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.txt").exists()


def test_equal_scores_are_in_the_order_of_the_texts_for_any_number_of_workers(tmp_path):
    source = tmp_path / "corpus.txt"
    source.write_text("".join(f"x{i} y{i}\n" * 6 for i in range(50)))
    found = [
        join_phrases(source, tmp_path / "joined.txt", [PhraseRules(1, 0.1)], workers)[0].found
        for workers in (1, 2, 3)
    ]
    texts = [phrase.text for phrase in found[0]]
    assert texts == sorted(f"x{i}_y{i}" for i in range(50))
    assert [[phrase.text for phrase in each] for each in found[1:]] == [texts, texts]


def test_phrases_and_their_order_do_not_depend_on_the_key_of_the_process(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    text = [[f"w{i}" for i in row] for row in rng.integers(0, 30, (200, 8)).tolist()]
    (tmp_path / "text").write_text("\n".join(map(" ".join, text)))
    seen = []
    for key in ((1, 3), (2**63 + 5, 0x9E3779B97F4A7C15), (0, 2**64 - 1)):
        for module in ("counting", "merging"):
            monkeypatch.setattr(f"fastw2v.corpus.collocations.{module}.HASH_KEY", key)
        phrases = Phrases(text, 1, 0.5, connector_words={"w3", "w4"}, workers=2)
        rules = [PhraseRules(1, 0.5)] * 2
        join_phrases(tmp_path / "text", tmp_path / "joined", rules, workers=2)
        joined = (tmp_path / "joined").read_text()
        seen.append((list(phrases.vocab.items()), list(phrases.export_phrases().items()), joined))
    assert len(seen[0][1]) > 50
    assert seen[0] == seen[1] == seen[2]


def test_pairs_made_to_collide_under_one_key_do_not_under_another():
    known = (0x0123456789ABCDEF, 0x9E3779B97F4A7C15)
    mask = 2**64 - 1

    def longest_run(keys, key):
        """Return the most used slots side by side, which one look-up may have to pass."""
        slots, marks = np.zeros(4 * len(keys), counting.PAIR), np.zeros(64, np.uint64)
        table = _core.PairTable(slots, np.empty(0, np.uint64), key, filter=marks)
        table.add(np.array(keys, np.uint64), np.ones(len(keys), np.int64))
        runs = "".join("x" if used else " " for used in slots["key"]).split()
        return max(map(len, runs))

    def key_of(hashed):
        """Return the pair with this hash under the known key."""
        value = hashed * pow(0x94D049BB133111EB, -1, 2**64) & mask
        value = (value ^ value >> 27 ^ value >> 54) * pow(known[1], -1, 2**64) & mask
        return value ^ value >> 30 ^ value >> 60 ^ known[0]

    keys = [key_of(7 << 56 | 5 << 40 | i) for i in range(1000)]
    assert longest_run(keys, known) == 1000
    assert longest_run(keys, HASH_KEY) < 100


def test_a_string_with_its_own_equality_is_joined_like_a_plain_one():
    class Term(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            return self is other

    text = [[Term("new"), Term("york"), Term(f"x{i}")] for i in range(20)]
    phrases = Phrases(text, 1, 0.1)
    assert phrases[text[0]][0] == "new_york"
    assert phrases.freeze()[text[0]][0] == "new_york"


def test_a_corpus_is_not_joined_by_no_rules(tmp_path):
    with pytest.raises(UsageError, match="rules must contain at least one pass"):
        join_phrases("corpus.txt", tmp_path / "joined.txt", [])


@pytest.mark.parametrize("workers", [1, 3])
def test_phrases_across_the_batches_of_a_long_text_are_those_of_the_definition(workers):
    words = np.array(["a", "b", "c", "d", "of", "the", "a_b", "b_of_c"])
    drawn = np.random.default_rng(1).choice(
        len(words), 5000, p=[0.1] * 4 + [0.25, 0.25, 0.05, 0.05]
    )
    text = [words[part].tolist() for part in np.array_split(drawn, 3)]
    rules = PhraseRules(1, 0.01, "default", "_", CONNECTORS)
    phrases = Phrases(text, 1, 0.01, connector_words=CONNECTORS, workers=workers)
    found, vocab = slow_phrases(text, rules)
    assert phrases.vocab == dict(vocab)
    best = dict(sorted(found.values()))  # a_b + of + c and a + b_of_c have one text, two scores
    assert phrases.export_phrases() == pytest.approx(best)


def test_a_text_added_later_takes_memory_for_its_own_pairs_only():
    def text(seed, n_sentences):
        ids = np.random.default_rng(seed).integers(0, 10_000, (n_sentences, 10))
        return [[f"w{i}" for i in row] for row in ids.tolist()]

    phrases = Phrases(text(1, 4000), workers=1)
    phrases.add_vocab(text(2, 4000))
    (table,) = phrases._counter._tables
    assert table.n_used > 70_000
    assert len(table._slots) < 3 * table.n_used


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_count": None}, "min_count must be a number, got None"),
        ({"min_count": 2**70}, "min_count must be at most 2147483647, got 1180591620717411303424"),
        ({"threshold": "x"}, "threshold must be a number, got 'x'"),
        ({"threshold": np.array([1, 2])}, "threshold must be a number, got array([1, 2])"),
        ({"delimiter": 3}, "delimiter must be a string, got 3"),
        ({"scoring": None}, "scoring must be one of default, npmi, word2phrase, got None"),
        ({"connector_words": 3}, "connector_words must be a set of words, got 3"),
        ({"workers": "2"}, "workers must be an integer, got '2'"),
    ],
)
def test_a_setting_of_another_type_is_named(settings, message):
    with pytest.raises(UsageError) as caught:
        Phrases([["new", "york"]] * 9, **settings)
    assert str(caught.value) == message
