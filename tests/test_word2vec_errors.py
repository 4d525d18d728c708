import contextlib
import inspect
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from small_model import SMALL

from fastw2v import Word2Vec
from fastw2v.errors import CorpusError, Fastw2vError, OutOfMemoryError, UsageError
from fastw2v.training.blocks import BlockRule, Load
from fastw2v.training.parameters import MAX_BLOCK, Parameters


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"softmax": True, "negative": 5}, "softmax and negative contradict each other: a model "
         "has one objective; leave out all but one, or set negative=0"),
        ({"hs": 1, "softmax": True}, "hs and softmax contradict each other: a model has one "
         "objective; leave out all but one"),
        ({"negative": 0}, "negative=0 leaves nothing to train: set negative, hs or softmax"),
        ({"negative": -1}, "negative must be at least 1, got -1"),
        ({"negative": "5"}, "negative must be an integer, got '5'"),
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"vector_size": 2**31}, "vector_size must be at most 2147483647, got 2147483648"),
        ({"block_centres": 2**31 - 1}, "block_centres must be at most 1000, got 2147483647"),
        ({"block_noise": 2**31 - 1}, "block_noise must be at most 1000, got 2147483647"),
        ({"noise_reuse": 2**64}, "noise_reuse must be at most 1000, got 18446744073709551616"),
        ({"window": 2**63}, "window must be at most 9223372036854775807, got 9223372036854775808"),
        ({"window": True}, "window must be an integer, got True"),
        ({"window": None}, "window must be an integer, got None"),
        ({"window": (1, 2, 3)}, "window must be an integer or a pair (left, right), got (1, 2, 3)"),
        ({"window": (0, 0)}, "window must reach at least 1 word on one side, got (0, 0)"),
        ({"window": (2, -1)}, "the right side of window must be at least 0, got -1"),
        ({"window": ("2", 1)}, "the left side of window must be an integer, got '2'"),
        ({"epochs": 2.0}, "epochs must be an integer, got 2.0"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"sample": -1}, "sample must be at least 0, got -1"),
        ({"sample": "0.1"}, "sample must be a number, got '0.1'"),
        ({"alpha": -1}, "alpha must be at least 0, got -1"),
        ({"alpha": True}, "alpha must be a number, got True"),
        ({"alpha": float("nan")}, "alpha must be finite, got nan"),
        ({"alpha": 0.1, "min_alpha": 0.2}, "min_alpha must be between 0 and alpha (0.1), got 0.2"),
        ({"ns_exponent": float("inf")}, "ns_exponent must be finite, got inf"),
        ({"sg": 2}, "sg must be True or False, got 2"),
        ({"hs": "no"}, "hs must be True or False, got 'no'"),
        ({"softmax": "no"}, "softmax must be True or False, got 'no'"),
        ({"bias": "no"}, "bias must be True, False or 'both', got 'no'"),
        ({"shrink_windows": None}, "shrink_windows must be True or False, got None"),
        ({"lowercase": "no"}, "lowercase must be True or False, got 'no'"),
        ({"cbow_update": "mean"}, "cbow_update must be one of corrected, word2vec, got 'mean'"),
        ({"min_count": -1}, "min_count must be at least 0, got -1"),
        ({"max_final_vocab": 0}, "max_final_vocab must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_an_impossible_setting_is_named_before_anything_is_read(settings, message):
    with pytest.raises(UsageError) as caught:
        Word2Vec(**settings)
    assert str(caught.value) == message


class Odd:
    """A value that no setting has."""


ODD = [
    None, "", [], {}, Odd(), math.nan, -1, 2**70, 1e308, b"x", "a\0b", np.array([1, 2]),
    np.array(1),
]  # fmt: skip
CALLED = {"train": Word2Vec.train, "build_vocab": Word2Vec.build_vocab,
          "build_vocab_from_freq": Word2Vec.build_vocab_from_freq, "": Word2Vec,
          "predict_output_word": Word2Vec.predict_output_word, "save": Word2Vec.save}  # fmt: skip
NEEDED = {"build_vocab_from_freq": {"word_freq": {"a": 3, "b": 2}}, "save": {"path": "v"},
          "predict_output_word": {"context_words_list": ["a"]}}  # fmt: skip
PARAMETERS = [
    (method, name)
    for method, function in CALLED.items()
    for name, parameter in inspect.signature(function).parameters.items()
    if parameter.kind is not parameter.VAR_KEYWORD and name != "self"
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "name"), PARAMETERS)
def test_an_odd_value_of_any_parameter_is_an_error_of_ours(tmp_path, monkeypatch, method, name):
    monkeypatch.chdir(tmp_path)
    text = [["a", "b", "c", "d"], ["b", "c", "a"]] * 9
    corpus = "sentences" if method == "" else "corpus_iterable"
    given = {} if method in NEEDED or name in (corpus, "corpus_file") else {corpus: text}
    model = {"min_count": 1, "vector_size": 4, "workers": 1, "epochs": 1, "sample": 0}
    trained = Word2Vec(text, **model) if method else None
    for value in ODD:
        settings = NEEDED.get(method, {}) | given | {name: value}
        with contextlib.suppress(Fastw2vError):
            if method:
                getattr(trained, method)(**settings)
            else:
                Word2Vec(**model | settings)


@pytest.mark.parametrize(
    "settings", [{"backend": "sse9"}, {"freeze": "known"}, {"freeze": [3]}, {"tokenizer": ""}]
)
def test_a_setting_is_refused_before_the_corpus_is_read(settings):
    def unread():
        raise AssertionError("the corpus was read")
        yield

    with pytest.raises(UsageError):
        Word2Vec(unread(), **SMALL | settings)


def test_a_wrong_backend_in_the_environment_is_named_before_the_corpus_is_read(monkeypatch):
    monkeypatch.setenv("FASTW2V_BACKEND", "sse9")
    with pytest.raises(UsageError, match=r"backend must be one of .*, got 'sse9'"):
        Word2Vec()


def test_a_huge_sample_keeps_every_token():
    model = Word2Vec([["a", "b"]] * 9, min_count=1, vector_size=4, sample=1e308, workers=1)
    assert model.summary.n_subsampled == 0


def test_an_unknown_backend_is_named_before_anything_is_read():
    with pytest.raises(UsageError, match=r"backend must be one of scalar, .*, got 'sse9'"):
        Word2Vec(backend="sse9")


def test_an_unknown_setting_is_named_with_those_known():
    with pytest.raises(UsageError) as caught:
        Word2Vec(dims=100)
    assert str(caught.value).startswith(
        "unknown setting 'dims'; accepted are allow_binary, alpha, "
    )
    with pytest.raises(UsageError, match="unknown setting 'objective'"):
        Word2Vec(objective="nonsense")
    with pytest.raises(UsageError) as caught:
        Word2Vec(size=100)
    assert str(caught.value) == "unknown setting 'size'; gensim 4 renamed it to 'vector_size'"


def test_a_corpus_is_either_sentences_or_files(sentences, file):
    message = "pass either sentences or corpus_file, not both"
    for arguments in ((sentences, file), (None, None)):
        with pytest.raises(UsageError) as caught:
            Word2Vec().build_vocab(*arguments)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["a sentence"], "sentence 1 is a string, expected a list of tokens; "
         "pass [s.split() for s in sentences], or set tokenizer"),
        ("corpus.txt", "sentences is a string, expected an iterable of lists of tokens; "
         "pass the path of a file as corpus_file"),
        ([], "the corpus contains no words"),
        ([["a", None]], "sentence 1: a token must be a string or an integer, got None"),
        ([["a", "b", "a"]], "0 of 2 distinct words occur at least 5 times "
         "(most frequent: 'a', 2 times); lower min_count"),
    ],
)  # fmt: skip
def test_a_corpus_that_cannot_be_trained_on_is_described(corpus, message):
    with pytest.raises(CorpusError) as caught:
        Word2Vec(corpus, **SMALL)
    assert str(caught.value) == message


def test_a_vocabulary_that_does_not_fit_the_objective_is_an_error():
    with pytest.raises(UsageError) as caught:
        Word2Vec([["a"] * 9], hs=1)
    assert str(caught.value) == "hierarchical softmax needs at least 2 words, got 1"
    with pytest.raises(UsageError) as caught:
        Word2Vec(([f"w{i}"] for i in range(50_001)), softmax=True, min_count=1)
    assert str(caught.value) == (
        "the full softmax is meant for at most 50,000 words, got 50,001; "
        "raise min_count, set max_final_vocab, or use negative sampling"
    )


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("name", ["block_centres", "block_noise", "noise_reuse", "negative"])
def test_the_largest_blocks_train(name, sg):
    corpus = [["a", "b", "c", "d"], ["b", "c", "a"]] * 50
    settings = {"min_count": 1, "vector_size": 4, "sample": 0, "sg": sg, "alpha": 1e-5}
    model = Word2Vec(corpus, **settings, **{name: MAX_BLOCK}, workers=1, epochs=1)
    assert model.summary.n_predictions > 0


def test_the_block_rule_ends_for_the_most_negative_samples():
    parameters = Parameters(negative=2**31 - 1, loss_every=2**31 - 1, sg=True)
    load = Load(5.0, 1.0, 5, 0.1, 0.05, 0.1, 2.0**31, 1e6, 100)
    assert BlockRule(parameters, load).largest().noise <= MAX_BLOCK


def test_a_model_beyond_memory_is_an_error(sentences):
    with pytest.raises(OutOfMemoryError) as caught:
        Word2Vec(sentences, vector_size=2**31 - 1, min_count=1)
    n_words = len({word for sentence in sentences for word in sentence})
    needed = (4 * 2**31 * 2 * n_words + 12 * n_words) / 2**20
    assert str(caught.value).startswith(
        f"a model of {n_words} words and vector_size=2,147,483,647 needs {needed:,.0f} MiB of "
        "memory, but "
    )


def test_training_beyond_memory_says_what_it_needs_in_all(monkeypatch, sentences):
    model = Word2Vec(**SMALL | {"min_count": 1, "workers": 2, "deterministic": True})
    model.build_vocab(sentences)
    monkeypatch.setattr("fastw2v.base.memory.available_bytes", lambda: 0.0)
    message = (
        r"training needs \d+ MiB of memory, \d+ MiB for the model and \d+ MiB for each of 2 wor"
    )
    with pytest.raises(OutOfMemoryError, match=message):
        model.train()


def test_an_allocation_that_fails_says_what_is_needed_in_all(monkeypatch, sentences):
    def fail(n_bytes):
        raise MemoryError("Unable to allocate")

    monkeypatch.setattr("fastw2v.training.arrays.allocate", fail)
    with pytest.raises(
        OutOfMemoryError, match=r"needs \d+ MiB of memory, .*\(Unable to allocate\)"
    ):
        Word2Vec(sentences, **SMALL)


NOTHING = "nothing was trained, the vectors are unchanged"
ONE_EACH = [[str(i % 3)] for i in range(30)]  # no sentence has two words
DROPPED = "subsampling dropped 180 of 180 tokens and left no sentence two words; raise sample above"


@pytest.mark.parametrize(
    ("corpus", "settings", "message"),
    [
        (ONE_EACH, {}, f"{NOTHING}: no sentence has two words of the vocabulary; "
         "join sentences, or lower min_count"),
        (ONE_EACH * 6, {"sample": 1e-320}, f"{NOTHING}: {DROPPED} 9.99989e-321, "
         "or set 0"),
        ([["a", "b"]] * 90, {"sample": 1e-320}, f"{NOTHING}: {DROPPED} 9.99989e-321, "
         "or set 0"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "mode", [{"sg": 0}, {"sg": 1}, {"hs": 1}, {"hs": 1, "negative": 5}, {"softmax": True}]
)
def test_a_run_that_trains_nothing_says_so(corpus, settings, message, mode):
    given = {"min_count": 1, "vector_size": 4, "workers": 1, "epochs": 1, "sample": 0}
    with pytest.warns(UserWarning) as caught:
        Word2Vec(corpus, **given | settings | mode)
    assert str(caught[0].message) == message


@pytest.mark.parametrize(
    "rates", [{"alpha": 0}, {"alpha": 1e-320, "min_alpha": 0}, {"schedule": lambda _: 0.0}]
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_whose_learning_rates_are_all_0_says_so(rates, workers):
    with pytest.warns(UserWarning, match=f"^{NOTHING}: every learning rate was 0; raise alpha"):
        Word2Vec([["a", "b"]] * 90, vector_size=4, sample=0, workers=workers, **rates)


@pytest.mark.parametrize("mode", [{"sg": 0}, {"sg": 1}, {"softmax": True}])
def test_a_single_distinct_word_is_warned_of(mode):
    with pytest.warns(UserWarning) as caught:
        Word2Vec([["a", "a"]] * 9, sample=0, **mode)
    assert str(caught[0].message) == (
        "the vocabulary is the one word 'a', which leaves nothing to learn; "
        "lower min_count, or give more text"
    )


class OnlyIndex:
    """An integer by __index__ alone."""

    def __index__(self):
        return 3


@pytest.mark.parametrize("number", [np.int64(3), OnlyIndex()])
def test_integers_of_other_types_are_stored_as_int(number):
    names = ["vector_size", "negative", "epochs", "loss_every", "workers", "seed", "window"]
    names += ["block_centres", "block_noise", "noise_reuse", "min_count", "max_final_vocab"]
    model = Word2Vec([["a", "b"]] * 30, sample=0, **dict.fromkeys(names, number))
    stored = [getattr(model.parameters, name) for name in names[:-2]]
    stored += [model.rules.min_count, model.rules.max_final_vocab]
    assert [(type(value), value) for value in stored] == [(int, 3)] * len(names)


def test_fractions_are_stored_as_float():
    given = {"sample": Fraction(1, 2), "alpha": Fraction(1, 10), "ns_exponent": Fraction(3, 4)}
    model = Word2Vec([["a", "b"]] * 30, vector_size=4, **given)
    for name, value in given.items():
        assert type(getattr(model.parameters, name)) is float
        assert getattr(model.parameters, name) == float(value)


@pytest.mark.parametrize("name", ["validation", "log", "init_from", "checkpoint"])
def test_a_path_with_a_lone_surrogate_is_refused(name):
    with pytest.raises(Fastw2vError, match="d800"):
        Word2Vec([["a", "b"]] * 30, vector_size=4, sample=0, **{name: "\ud800"})


@pytest.mark.parametrize("name", ["sg", "cbow_mean", "bias", "progress"])
def test_a_flag_whose_comparison_raises_is_refused(name):
    with pytest.raises(UsageError, match="sNaN"):
        Word2Vec(vector_size=4, **{name: Decimal("sNaN")})


@pytest.mark.parametrize("name", ["schedule", "metric", "freeze", "checkpoint_every", "window"])
def test_a_long_value_is_cut_in_the_message(name):
    given = {"checkpoint": "unused"} if name == "checkpoint_every" else {}
    with pytest.raises(UsageError) as caught:
        Word2Vec(vector_size=4, **given | {name: "x" * 5000})
    assert len(str(caught.value)) < 400
