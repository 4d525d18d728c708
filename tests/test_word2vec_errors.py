import numpy as np
import pytest
from small_model import SMALL

from fastw2v import Word2Vec
from fastw2v.errors import CorpusError, OutOfMemoryError, UsageError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hs": 1, "negative": 5}, "hs and negative contradict each other: a model has one "
         "objective; leave out all but one, or set negative=0"),
        ({"hs": 1, "softmax": True}, "hs and softmax contradict each other: a model has one "
         "objective; leave out all but one"),
        ({"negative": 0}, "negative=0 leaves nothing to train: set negative, hs or softmax"),
        ({"negative": -1}, "negative must be at least 1, got -1"),
        ({"negative": "5"}, "negative must be an integer, got '5'"),
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"vector_size": 2**31}, "vector_size must be at most 2147483647, got 2147483648"),
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
         "pass [s.split() for s in sentences]"),
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


def test_a_model_beyond_memory_is_an_error(sentences):
    with pytest.raises(OutOfMemoryError, match=r"cannot allocate [\d,]+ MiB: "):
        Word2Vec(sentences, vector_size=2**31 - 1)


@pytest.mark.parametrize("settings", [{"window": 10_000}, {"workers": 200}, {"vector_size": 1}])
def test_settings_far_from_the_usual_work(sentences, settings):
    model = Word2Vec(sentences, **SMALL | {"sg": 1} | settings)
    assert np.isfinite(model.wv.vectors).all()
