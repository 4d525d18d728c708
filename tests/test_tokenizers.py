"""The built-in tokenizers, in C, against the same in Python."""
# ruff: noqa: RUF001 - letters of other scripts

import functools
import gzip
import json
import re
import unicodedata
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastw2v import Phrases, Tokenizer, Word2Vec, _core
from fastw2v.corpus import VocabularyRules, read_sentences, read_text, scan, tokenizers
from fastw2v.corpus.lexicon import Lexicon
from fastw2v.errors import CorpusError, UsageError

ALL = VocabularyRules(min_count=1)
DATA = Path(__file__).parents[2] / "shared" / "data"
SIMPLE = re.compile(r"(?:(?!\d)\w)+")
ASCII_SPACE = " \t\n\r\v\f"


# ---- the same in Python ----


def ranges_of(belongs):
    """Return a character class of the code points for which a function says so."""
    points = [p for p in range(0x110000) if belongs(chr(p))]
    breaks = [i for i in range(1, len(points)) if points[i] != points[i - 1] + 1]
    runs = zip([0, *breaks], [*breaks, len(points)], strict=True)
    return "".join(f"\\U{points[i]:08x}-\\U{points[j - 1]:08x}" for i, j in runs)


def pattern_of_words():
    """Return the pattern of `words`, for text in lower case."""
    starts = ranges_of(lambda c: unicodedata.category(c)[0] in "LN")
    marks = ranges_of(lambda c: unicodedata.category(c)[0] == "M" or c in "\u200c\u200d")
    run = f"[{starts}][{starts}{marks}]*"
    return re.compile(f"{run}(?:['\u2019]{run})*")


WORDS = pattern_of_words()


def words_in_python(text):
    """Return the tokens of `words`."""
    return [token.replace("\u2019", "'") for token in WORDS.findall(text.lower())]


def simple_in_python(text, deacc=False, min_len=2, max_len=15):
    """Return the tokens of gensim's simple_preprocess."""
    text = text.lower()
    if deacc:
        parts = unicodedata.normalize("NFD", text)
        bare = "".join(c for c in parts if unicodedata.category(c) != "Mn")
        text = unicodedata.normalize("NFC", bare)
    found = SIMPLE.findall(text)
    return [t for t in found if min_len <= len(t) <= max_len and t[0] != "_"]


def whitespace_in_python(text):
    return [t for t in re.split(f"[{ASCII_SPACE}]", text) if t]


IN_PYTHON = {
    Tokenizer("whitespace"): whitespace_in_python,
    Tokenizer("words"): words_in_python,
    Tokenizer("simple"): simple_in_python,
    Tokenizer("simple", deacc=True): lambda text: simple_in_python(text, deacc=True),
    Tokenizer("simple", True, 0, 40): lambda text: simple_in_python(text, True, 0, 40),
    Tokenizer("simple", False, 1, 3): lambda text: simple_in_python(text, False, 1, 3),
}
EACH = pytest.mark.parametrize("tokenizer", IN_PYTHON, ids=str)


def test_the_python_version_is_gensims():
    preprocess = pytest.importorskip("gensim.utils").simple_preprocess
    for text in [*CONTEXTS, "_a a_b É e\u0301 İstanbul ΌΣΟΣ \u1112\u1161\u11ab a1b2 ²³ x" * 3]:
        for options in ({}, {"deacc": True}, {"min_len": 1, "max_len": 30}):
            assert simple_in_python(text, **options) == preprocess(text, **options)


# ---- every code point ----

# Where a code point is put: alone, in a word, beside capital sigmas and apostrophes, in a Hangul
# syllable.
CONTEXTS = [
    "{}",
    "ab{}cd",
    "\u0391\u03a3{}",
    "\u0391\u03a3{}\u0391",
    "{}\u03a3",
    "a{}\u03a3",
    "{}{}\u03a3.{}",
    "_{}",
    "'{}'x",
    "\u1100{}\u1161\u11a8",
    "\u1b05{}\u1b35",
]
IS_NEWER = tuple(map(int, unicodedata.unidata_version.split("."))) > tuple(
    map(int, _core.UNICODE_VERSION.split("."))
)
CHANGED = {0x1734}  # a nonspacing mark until Unicode 13


def known(text):
    """Whether Python and the table agree on the characters."""
    return not any(ord(c) in CHANGED or unicodedata.category(c) == "Cn" for c in text)


@functools.cache
def assigned():
    """Return the characters that this Python's Unicode and the table's have, but for newlines."""
    points = chain(range(0xA), range(0xB, 0xD800), range(0xE000, 0x110000))
    found = [chr(point) for point in points if known(chr(point))]
    # In a newer Python, separators of the table may be characters that it does not know.
    return [c for c in found if not IS_NEWER or Tokenizer("words")("a" + c) != ["a"]]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("tokenizer", ["words", "simple", "simple:deacc,min_len=0,max_len=40"])
def test_every_character_is_treated_as_in_python_in_every_context(tokenizer, context):
    tokenizer = Tokenizer.named(tokenizer)
    in_python = IN_PYTHON[tokenizer]
    lines = [context.replace("{}", c) for c in assigned()]
    if tokenizer("\n".join(lines)) != in_python("\n".join(lines)):
        differing = [line for line in lines if tokenizer(line) != in_python(line)]
        assert differing == []


def test_final_sigma_and_dotted_i_are_lowered_by_unicodes_rules():
    words = Tokenizer("words")
    assert words("ΟΔΥΣΣΕΥΣ ΣΑΣ Σ ΑΣ.Β ΑΣ. Β") == ["οδυσσευς", "σας", "σ", "ασ", "β", "ας", "β"]
    assert words("İstanbul ÅK") == ["i\u0307stanbul", "åk"]
    assert Tokenizer("simple")("İstanbul") == ["stanbul"]
    assert Tokenizer("simple", deacc=True)("İstanbul Ångström") == ["istanbul", "angstrom"]


def test_apostrophes_between_letters_and_joiners_belong_to_words():
    words = Tokenizer("words")
    assert words("Don't don\u2019t 'quoted' dogs' rock'n'roll 90's '") == [
        "don't", "don't", "quoted", "dogs", "rock'n'roll", "90's",
    ]  # fmt: skip
    assert words("می\u200cخواهم a_b \u0301x e\u0301") == [
        "می\u200cخواهم", "a", "b", "x", "e\u0301",
    ]  # fmt: skip


# ---- generated text ----

PIECES = st.one_of(
    st.text(max_size=4),
    st.sampled_from([
        "\u03a3", "\u0391", "\u03a3\u0301", "a", "B", "\u0130", "\u0301", "\u00ad", ".", "'",
        "\u2019", " ", "\n", "_", "1", "\u0661", "\u212a", "\u023a", "\uac00", "\u1100", "\u1161",
        "\u11a8",
        "\u1b05", "\u1b35", "\u4e2d", "\U00010400", "\u0345", "\u3000", "\u00c5", "\u01c5",
        "\u2126",
    ]),
)  # fmt: skip
BYTES = st.sampled_from([b"\xff", b"\xce", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\x80"])
TEXTS = st.lists(
    PIECES.map(lambda text: text.encode("utf-8", "surrogatepass")) | BYTES, max_size=40
).map(b"".join)


@EACH
@given(text=TEXTS)
@example(text="\u023a\n".encode() * 9)  # needs the largest buffer
@settings(max_examples=300)
def test_text_and_bytes_that_are_not_utf8_are_split_as_in_python(tokenizer, text):
    decoded = text.decode("utf-8", "surrogateescape")
    if not known(decoded):
        return
    lines = [IN_PYTHON[tokenizer](line) for line in decoded.split("\n")]
    lexicon = Lexicon(tokenizer=tokenizer)
    word_ids, ends = lexicon.encode(text)
    words = lexicon.decode(np.arange(lexicon.n_words))
    tokens = [token for line in lines for token in line]
    assert [words[i] for i in word_ids] == tokens
    assert dict(zip(words, lexicon.counts.tolist(), strict=True)) == Counter(tokens)
    n_tokens = np.cumsum([len(line) for line in lines[:-1]]).tolist()
    assert [end for end in ends.tolist() if end] == sorted({n for n in n_tokens if n})


@EACH
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), block_bytes=st.integers(1, 40))
@settings(max_examples=60)
def test_blocks_of_any_size_and_threads_do_not_change_the_tokens(
    tmp_path_factory, tokenizer, texts, block_bytes
):
    text = b"\n".join(texts) + b" end"
    decoded = text.decode("utf-8", "surrogateescape")
    if not known(decoded):
        return
    path = tmp_path_factory.mktemp("text") / "text"
    path.write_bytes(text)
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(text))
    expected = [t for line in decoded.split("\n") if (t := IN_PYTHON[tokenizer](line))]
    if not expected:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "BLOCK_BYTES", block_bytes)
        for file, threads in ((path, 1), (path, 3), (packed, 2)):
            corpus = read_text(
                file, rules=ALL, tokenizer=tokenizer, threads=threads, allow_binary=True
            )
            assert sentences_of(corpus) == expected


def sentences_of(corpus):
    """Return the sentences of a corpus as lists of words."""
    with corpus.spool as spool:
        ids = spool.read_tokens(0, spool.n_tokens).tolist()
        ends = spool.read_ends(0, spool.n_tokens).tolist()
        words = [corpus.vocabulary.words[i] for i in ids]
        return [words[a:b] for a, b in zip([0, *ends], [*ends, len(ids)], strict=False) if b > a]


@pytest.mark.parametrize("name", ["wiki5M", "kowiki20M", "wiki-validation"])
@EACH
def test_tokens_of_a_corpus_are_those_of_python(name, tokenizer):
    path = DATA / f"{name}.txt.gz"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file.read(3_000_000).split("\n"):
            assert tokenizer(line) == IN_PYTHON[tokenizer](line)


def test_tokens_of_text_in_other_scripts_are_those_of_python():
    text = (
        "Ὁ Ὀδυσσεὺς ἔφη· «ΚΑΛΩΣ ΗΛΘΕΣ», Δρ.ΣΑΣ! Съешь же ещё ЭТИХ мягких французских булок. "
        "हिन्दी में क़िला; தமிழ் எழுத்துகள் 中文、日本語テキスト。 ภาษาไทย العَرَبِيَّة עִבְרִית "
        "Điện Biên Phủ; ǅungla ŒUVRE STRASSE ẞ ﬁn Ⅻ ½ x² 100%"
    )
    for tokenizer, in_python in IN_PYTHON.items():
        assert tokenizer(text) == in_python(text)


# ---- limits ----


def test_a_word_of_more_than_the_limit_is_skipped_and_counted(tmp_path):
    longest = "\u00e9" * (_core.MAX_WORD_BYTES // 2)
    (tmp_path / "text").write_text(f"a {longest} {longest}b b\n", "utf-8")
    with pytest.warns(UserWarning, match="skipped 1 word of more than 65,536 bytes"):
        corpus = read_text(tmp_path / "text", rules=ALL, tokenizer=Tokenizer("words"))
    assert sentences_of(corpus) == [["a", longest, "b"]]


@pytest.mark.parametrize("threads", [1, 2])
def test_text_without_white_space_is_split_up_to_the_length_of_a_line(
    tmp_path, monkeypatch, threads
):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 1 << 16)
    text = "\u4e2d\u6587\u3002" * 100_000  # 900 kB
    (tmp_path / "text").write_text(text, "utf-8")
    corpus = read_text(tmp_path / "text", rules=ALL, tokenizer=Tokenizer("words"), threads=threads)
    assert sentences_of(corpus) == [["\u4e2d\u6587"] * 100_000]


def test_too_much_text_without_white_space_is_an_error_and_no_loss(tmp_path):
    (tmp_path / "text").write_bytes(b"a b. " + b"c." * tokenizers.MAX_LINE_BYTES + b" d\n" * 9)
    with pytest.raises(CorpusError, match=r"text: more than 16,777,216 bytes have no white space"):
        read_text(tmp_path / "text", rules=ALL, tokenizer=Tokenizer("words"))


# ---- names and options ----


@pytest.mark.parametrize(
    ("name", "tokenizer"),
    [
        ("whitespace", Tokenizer("whitespace")),
        ("words", Tokenizer("words")),
        ("simple", Tokenizer("simple")),
        ("simple:deacc", Tokenizer("simple", deacc=True)),
        ("simple:deacc,min_len=1,max_len=40", Tokenizer("simple", True, 1, 40)),
        ("simple:max_len=9", Tokenizer("simple", max_len=9)),
    ],
)
def test_a_tokenizer_is_its_name(name, tokenizer):
    assert Tokenizer.named(name) == tokenizer
    assert str(tokenizer) == name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Word2Vec(tokenizer="word"), "tokenizer must be whitespace, words, simple or a "
         "function, got 'word'"),
        (lambda: Word2Vec(tokenizer=3), "tokenizer must be whitespace, words, simple or a "
         "function, got 3"),
        (lambda: Word2Vec(tokenizer="simple:deaccent"), "tokenizer must be simple with the options "
         "deacc, min_len=N and max_len=N, got 'deaccent'"),
        (lambda: Word2Vec(tokenizer="simple:min_len=-1"), "tokenizer must be simple with the "
         "options deacc, min_len=N and max_len=N, got 'min_len=-1'"),
        (lambda: Word2Vec(tokenizer="words:deacc"), "deacc, min_len and max_len are for tokenizer "
         "'simple', not 'words'"),
        (lambda: Tokenizer("simple", min_len=3, max_len=2), "max_len must be at least min_len, got "
         "2 and 3"),
        (lambda: Tokenizer("regex"), "tokenizer must be whitespace, words, simple, got 'regex'"),
        (lambda: Tokenizer("simple", deacc="yes"), "deacc must be True or False, got 'yes'"),
    ],
)  # fmt: skip
def test_a_tokenizer_that_cannot_be_is_an_error(make, message):
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message


# ---- where it applies ----

SMALL = {"min_count": 1, "vector_size": 4, "epochs": 1, "sample": 0}
TEXT = ["The CAT's hat.", "A cat, a hat!"] * 20
TOKENS = [["the", "cat's", "hat"], ["a", "cat", "a", "hat"]] * 20


def words_of(tokenizer, source):
    return sentences_of(read_sentences(source, rules=ALL, tokenizer=tokenizer))


def test_strings_are_split_where_a_tokenizer_is_given():
    words = Tokenizer("words")
    assert words_of(words, TEXT) == TOKENS
    assert words_of(words, iter(TEXT)) == TOKENS
    assert words_of(words, np.array(TEXT)) == TOKENS
    assert words_of(words, [None, "A\nb", "\udcff c"]) == [["a", "b"], ["c"]]
    assert words_of(str.split, TEXT)[0] == ["The", "CAT's", "hat."]
    assert words_of(Tokenizer("whitespace"), TEXT)[0] == ["The", "CAT's", "hat."]


def test_lists_of_tokens_stay_as_they_are():
    assert words_of(Tokenizer("words"), [["A b", "C"]]) == [["A b", "C"]]


@pytest.mark.parametrize("source", ["text", 3, None, np.array(3)])
def test_what_holds_no_sentences_is_an_error_with_a_tokenizer_too(source):
    with pytest.raises(CorpusError, match="sentences is"):
        words_of(Tokenizer("words"), source)


def test_models_and_phrases_take_raw_text(tmp_path):
    (tmp_path / "text").write_text("\n".join(TEXT))
    for source in ({"sentences": TEXT}, {"corpus_file": tmp_path / "text"}):
        model = Word2Vec(**source, tokenizer="simple", **SMALL)
        assert sorted(model.wv.index_to_key) == ["cat", "hat", "the"]
        phrases = Phrases(**source, tokenizer="words", threshold=0.1, min_count=1)
        assert phrases.corpus_word_count == 140
        assert phrases.vocab["the_cat's"] == 20


def test_a_model_file_names_its_tokenizer(tmp_path):
    model = Word2Vec(TEXT, tokenizer="simple:min_len=1", **SMALL)
    model.save(tmp_path / "model")
    again = Word2Vec.load(tmp_path / "model")
    again.train(["The hat, the cat"], epochs=1)
    assert again.summary.n_trained + again.summary.n_subsampled == 4
    plain = Word2Vec(TOKENS, **SMALL)
    assert "tokenizer" not in plain.to_word_vectors().settings


@pytest.mark.parametrize(("tokenizer", "is_lowered"), [("words", True), ("whitespace", False)])
def test_a_folder_for_sentence_transformers_lowers_what_the_tokenizer_lowered(
    tmp_path, tokenizer, is_lowered
):
    Word2Vec(TEXT, tokenizer=tokenizer, **SMALL).save(tmp_path / "folder", "hf")
    written = json.loads((tmp_path / "folder" / "tokenizer.json").read_text("utf-8"))
    assert (written["normalizer"] == {"type": "Lowercase"}) == is_lowered


def test_the_log_names_the_tokenizer(tmp_path):
    for tokenizer, name in (("simple:deacc", "simple:deacc"), (str.split, repr(str.split))):
        Word2Vec(TEXT, tokenizer=tokenizer, log=tmp_path / "log", **SMALL)
        head = json.loads((tmp_path / "log").read_text("utf-8").splitlines()[0])
        (tmp_path / "log").unlink()
        assert head["corpus"]["tokenizer"] == name
