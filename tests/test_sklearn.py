import pickle

import numpy as np
import pytest

from fastw2v import KeyedVectors, Word2Vec

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402
from sklearn.utils.validation import validate_data  # noqa: E402

from fastw2v.errors import CorpusError, UsageError  # noqa: E402
from fastw2v.sklearn import Word2VecTransformer  # noqa: E402

WITHOUT_DATA = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]
SMALL = {"vector_size": 8, "min_count": 1, "epochs": 2, "random_state": 0}


@pytest.fixture
def vectors(rng):
    words, rows = ["a", "b", "c", "d"], rng.normal(size=(4, 3)).astype(np.float32)
    return KeyedVectors.from_arrays(words, rows, counts=np.array([60, 30, 9, 1]))


class OfNumbers(Word2VecTransformer):
    """Takes the tables of numbers that check_estimator passes: one word a column and digit.

    So that its checks run at all: they leave out estimators that take documents.
    """

    def __init__(self, vector_size=4, min_count=1, epochs=1, random_state=0, weighting="mean"):
        super().__init__(
            vector_size=vector_size,
            min_count=min_count,
            epochs=epochs,
            random_state=random_state,
            weighting=weighting,
        )

    def _tokens(self, X):
        X = validate_data(self, X, reset=not hasattr(self, "wv_") or self._is_fitting)
        return super()._tokens([[f"{i}={x:.0f}" for i, x in enumerate(row)] for row in X])

    def _fit(self, X):
        self._is_fitting = True
        try:
            return super()._fit(X)
        finally:
            del self._is_fitting

    def __getattr__(self, name):
        if name == "_is_fitting":
            return False
        raise AttributeError(name)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.string = False
        return tags


@pytest.mark.filterwarnings("ignore:.*documents have no known word")
@pytest.mark.filterwarnings("ignore:nothing was trained")  # on tables of a few rows
@pytest.mark.parametrize("weighting", ["mean", "sif"])
def test_the_checks_of_scikit_learn_pass_on_tables_of_numbers(weighting):
    results = estimator_checks.check_estimator(
        OfNumbers(weighting=weighting), on_skip=None, on_fail=None
    )
    failed = [
        (result["check_name"], str(result["exception"]))
        for result in results
        if result["status"] == "failed"
    ]
    assert failed == []
    assert sum(result["status"] == "passed" for result in results) > 30


@pytest.mark.parametrize("check", WITHOUT_DATA)
def test_the_checks_that_need_no_data_pass_as_it_is(check):
    getattr(estimator_checks, check)("Word2VecTransformer", Word2VecTransformer())


def test_a_document_is_the_mean_of_its_known_words(vectors):
    transformer = Word2VecTransformer(vectors=vectors)
    documents = ["a b b", ["c", "x", "d"], ["x"], []]
    with pytest.warns(UserWarning, match="2 of 4 documents have no known word"):
        found = transformer.fit_transform(documents)
    a, b, c, d = vectors.vectors
    expected = [(a + 2 * b) / 3, (c + d) / 2, 0 * a, 0 * a]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32
    assert transformer.get_feature_names_out().tolist() == [
        f"word2vectransformer{i}" for i in range(3)
    ]


@pytest.mark.parametrize("counted", [True, False])
def test_sif_weighs_words_and_takes_away_what_all_documents_share(vectors, rng, counted):
    documents = [list(rng.choice(list("abcd"), 6, p=[0.6, 0.3, 0.09, 0.01])) for _ in range(50)]
    if not counted:
        vectors = KeyedVectors.from_arrays(vectors.index_to_key, vectors.vectors)
        shares = np.array([sum(d.count(word) for d in documents) for word in "abcd"]) / 300
    else:
        shares = np.array([0.6, 0.3, 0.09, 0.01])
    weights = 0.001 / (0.001 + shares)
    rows = vectors.vectors.astype(np.float64)
    means = np.array(
        [
            np.mean([weights["abcd".index(w)] * rows["abcd".index(w)] for w in d], 0)
            for d in documents
        ]
    )
    component = np.linalg.svd(means)[2][0]
    expected = means - np.outer(means @ component, component)
    transformer = Word2VecTransformer(vectors=vectors, weighting="sif")
    np.testing.assert_allclose(transformer.fit_transform(documents), expected, atol=1e-5)
    np.testing.assert_allclose(transformer.transform(documents), expected, atol=1e-5)


def test_training_is_that_of_word2vec_and_repeatable(sentences):
    transformer = Word2VecTransformer(**SMALL, sg=1, settings={"negative": 3}).fit(sentences)
    model = Word2Vec(
        sentences, vector_size=8, min_count=1, epochs=2, sg=1, negative=3, seed=0, workers=1
    )
    np.testing.assert_array_equal(transformer.wv_.vectors, model.wv.vectors)
    again = clone(transformer).fit(" ".join(tokens) for tokens in sentences)
    np.testing.assert_array_equal(again.wv_.vectors, model.wv.vectors)


@pytest.mark.parametrize(("name", "argument"), [("window", "window"), ("seed", "random_state")])
def test_a_setting_that_has_an_argument_of_its_own_is_refused(sentences, name, argument):
    with pytest.raises(UsageError, match=f"settings must not contain '{name}'; pass {argument} in"):
        Word2VecTransformer(**SMALL, settings={name: 3}).fit(sentences)


def test_defaults_are_those_of_word2vec():
    model = Word2Vec()
    for name in ("vector_size", "window", "min_count", "sg", "epochs"):
        assert getattr(Word2VecTransformer(), name) == getattr(model, name)


def test_a_fitted_transformer_can_be_pickled(sentences):
    transformer = Word2VecTransformer(**SMALL, weighting="sif").fit(sentences)
    back = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(back.transform(sentences), transformer.transform(sentences))


def test_topics_are_told_apart_in_a_pipeline(sentences):
    topics = [next((word[:2] for word in tokens if word[0] == "t"), "") for tokens in sentences]
    transformer = Word2VecTransformer(**SMALL | {"vector_size": 16, "epochs": 10}, sg=1)
    pipeline = make_pipeline(transformer, LogisticRegression(max_iter=1000))
    search = GridSearchCV(pipeline, {"word2vectransformer__weighting": ["mean", "sif"]}, cv=3)
    assert search.fit(sentences, topics).best_score_ > 0.9


def test_a_tokenizer_splits_strings(vectors):
    transformer = Word2VecTransformer(vectors=vectors, tokenizer=lambda text: text.split("-"))
    np.testing.assert_array_equal(transformer.fit_transform(["a"])[0], vectors["a"])
    assert np.abs(transformer.transform(["a-b"])[0] - vectors[["a", "b"]].mean(0)).max() < 1e-6
    named = Word2VecTransformer(vectors=vectors, tokenizer="words")
    np.testing.assert_array_equal(named.fit_transform(["A."])[0], vectors["a"])
    with pytest.raises(UsageError, match=r"^tokenizer must be whitespace, words, simple or a func"):
        Word2VecTransformer(vectors=vectors, tokenizer="word").fit(["a"])


@pytest.mark.parametrize(
    ("settings", "documents", "kind", "message"),
    [
        ({}, "one string", UsageError, "X must be an iterable of documents, .* got str"),
        ({}, 5, UsageError, "X must be an iterable of documents, .* got int"),
        ({}, [5], UsageError, "a document must be a string or a list of tokens, got 5"),
        ({"weighting": "max"}, ["a"], UsageError, "weighting must be one of mean, sif, got 'max'"),
        ({"sif_a": 0}, ["a"], UsageError, "sif_a must be above 0, got 0"),
        ({"vector_size": 0}, ["a"], UsageError, "vector_size must be at least 1, got 0"),
        ({}, ["a"], CorpusError, "min_count"),
    ],
)
def test_what_is_impossible_is_named(settings, documents, kind, message):
    with pytest.raises(kind, match=message):
        Word2VecTransformer(**settings).fit(documents)
