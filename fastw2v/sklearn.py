"""A scikit-learn transformer from documents to vectors; needs the extra `sklearn`."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_choice
from fastw2v.base.optional import import_optional
from fastw2v.base.threads import usable_cores
from fastw2v.corpus import VocabularyRules
from fastw2v.corpus.tokenizers import check_tokenizer
from fastw2v.errors import UsageError
from fastw2v.keyed_vectors import KeyedVectors
from fastw2v.training.parameters import Parameters, Window
from fastw2v.word2vec import Word2Vec

import_optional("sklearn", "sklearn", "fastw2v.sklearn")
from sklearn.base import BaseEstimator, TransformerMixin  # noqa: E402
from sklearn.base import ClassNamePrefixFeaturesOutMixin as NamedFeatures  # noqa: E402
from sklearn.utils import check_random_state  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402

WEIGHTINGS = ("mean", "sif")
SIF_A = 1e-3  # Arora, Liang and Ma 2017 (openreview SyK00v5xx), section 5: 1e-4 to 1e-3
MAX_SEED = 2**31 - 1
# Word2Vec's setting -> scikit-learn's name for it.
RENAMED = {"seed": "random_state", "workers": "n_jobs", "progress": "verbose"}


# scikit-learn has no type hints
class Word2VecTransformer(NamedFeatures, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Train word vectors on documents, and transform each document into one vector.

    vector_size, window, min_count, sg, epochs: as for Word2Vec.
    settings: a mapping of further Word2Vec settings.
    vectors: use these vectors instead of training: a KeyedVectors or the path of a vectors file.
    weighting: "mean" averages the vectors of a document's words.  "sif" weights each word by
    a / (a + p(word)), which favours rare words, and then removes the projection on the first
    singular vector of the training documents.
    sif_a: the constant a of "sif", > 0, typically 1e-4 to 1e-3.
    tokenizer: splits documents that are strings: the name of a Tokenizer or a function; None uses
    str.split.
    random_state: with an int and n_jobs=1, training is reproducible.
    n_jobs: number of threads; None means 1, -1 means all cores.
    verbose: show training progress.

    Attributes set by fit:
    wv_: the KeyedVectors.
    word_weights_: (n_words,) float32.
    component_: (vector_size,) float32, the removed singular vector; None for "mean".

    Raises UsageError, a ValueError, for an invalid setting.  Raises CorpusError, a ValueError, if
    no word is left to train on.
    Reference: Arora, Liang and Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence
    Embeddings".
    """

    def __init__(
        self,
        *,
        vector_size: int = Parameters.vector_size,
        window: Window = Parameters.window,
        min_count: int = VocabularyRules.min_count,
        sg: int | bool = Parameters.sg,
        epochs: int = Parameters.epochs,
        settings: dict[str, Any] | None = None,
        vectors: KeyedVectors | str | PathLike[str] | None = None,
        weighting: str = "mean",
        sif_a: float = SIF_A,
        tokenizer: str | Callable[[str], Sequence[str]] | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.vector_size = vector_size
        self.window = window
        self.min_count = min_count
        self.sg = sg
        self.epochs = epochs
        self.settings = settings
        self.vectors = vectors
        self.weighting = weighting
        self.sif_a = sif_a
        self.tokenizer = tokenizer
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Iterable[Any], y: Any = None) -> "Word2VecTransformer":
        """Train on the documents, or load the given vectors, compute word weights; return self.

        X: documents, each a string or a list of tokens.  y: ignored.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None, **_: Any) -> NDArray[np.float32]:
        """Fit, then transform the same documents; X is read only once."""
        return self._without_component(self._fit(X))

    def transform(self, X: Iterable[Any]) -> NDArray[np.float32]:
        """Return the vectors of the documents, (n_documents, vector_size) float32.

        A document without a known word becomes a zero vector; a warning counts these documents.
        """
        check_is_fitted(self)
        return self._without_component(self._pooled(self._tokens(X)))

    @property
    def _n_features_out(self) -> int:
        return int(self.wv_.vector_size)

    def _fit(self, X: Iterable[Any]) -> NDArray[np.float32]:
        """Set the fitted attributes; return the document vectors before removing component_."""
        check_choice("weighting", self.weighting, WEIGHTINGS)
        if not self.sif_a > 0:
            raise UsageError(f"sif_a must be above 0, got {self.sif_a}")
        documents = self._tokens(X)
        self.wv_ = self._train(documents) if self.vectors is None else _opened(self.vectors)
        self.component_: NDArray[np.float32] | None = None
        self.word_weights_ = np.ones(len(self.wv_), np.float32)
        if self.weighting == "mean":
            return self._pooled(documents)
        shares = self._word_shares(documents)
        self.word_weights_ = (self.sif_a / (self.sif_a + shares)).astype(np.float32)
        pooled = self._pooled(documents)
        # The first right singular vector, from the small (vector_size, vector_size) matrix X^T X.
        self.component_ = np.linalg.eigh(pooled.T @ pooled)[1][:, -1]
        return pooled

    def _train(self, documents: list[list[str]]) -> KeyedVectors:
        """Return vectors trained on the documents."""
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(MAX_SEED)
        n_jobs = 1 if self.n_jobs is None else self.n_jobs
        own: dict[str, Any] = {
            "vector_size": self.vector_size,
            "window": self.window,
            "min_count": self.min_count,
            "sg": self.sg,
            "epochs": self.epochs,
            "seed": int(seed),
            "workers": n_jobs if n_jobs > 0 else max(1, usable_cores() + 1 + n_jobs),
            "progress": bool(self.verbose),
        }
        settings = self.settings or {}
        for name in own.keys() & settings.keys():
            argument = RENAMED.get(name, name)
            raise UsageError(f"settings must not contain {name!r}; pass {argument} instead")
        return Word2Vec(documents, **own, **settings).wv

    def _tokens(self, X: Iterable[Any]) -> list[list[str]]:
        """Return the words of each document."""
        if isinstance(X, (str, bytes)) or hasattr(X, "columns") or not isinstance(X, Iterable):
            raise UsageError(
                "X must be an iterable of documents, each a string or a list of tokens, such as a "
                f"list or one column of a table; got {type(X).__name__}"
            )
        split = check_tokenizer(self.tokenizer) or str.split
        return [
            list(split(document)) if isinstance(document, str) else _words(document)
            for document in X
        ]

    def _word_shares(self, documents: list[list[str]]) -> NDArray[np.float64]:
        """Return (n_words,) word probabilities, from known counts or from the documents."""
        counts = self.wv_.counts
        if counts is None or not counts.any():
            rows = self._rows_of_words(chain.from_iterable(documents))
            counts = np.bincount(rows[rows >= 0], minlength=len(self.wv_))
        return np.asarray(counts / max(1, counts.sum()))

    def _rows_of_words(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the row of each word, -1 for unknown words."""
        row_of = self.wv_.key_to_index
        return np.fromiter((row_of.get(word, -1) for word in words), np.int64)

    def _pooled(self, documents: list[list[str]]) -> NDArray[np.float32]:
        """Return the (n_documents, vector_size) weighted means of the words' vectors."""
        from scipy.sparse import csr_array

        ends = np.cumsum([0, *map(len, documents)])
        rows = self._rows_of_words(chain.from_iterable(documents))
        n_known = np.concatenate([[0], np.cumsum(rows >= 0)])[ends]
        known = rows[rows >= 0]
        shape = (len(documents), len(self.wv_))
        weights = csr_array((self.word_weights_[known], known, n_known), shape=shape)
        lengths = np.diff(n_known).astype(np.float32)
        if n_empty := int((lengths == 0).sum()):
            warnings.warn(
                f"{n_empty} of {len(documents)} documents have no known word; they become zeros",
                stacklevel=4,
            )
        sums = np.asarray(weights @ self.wv_.vectors, np.float32)
        return np.asarray(sums / np.maximum(lengths, 1)[:, np.newaxis])

    def _without_component(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the document vectors minus their projection on component_."""
        if self.component_ is None:
            return pooled
        return np.asarray(pooled - np.outer(pooled @ self.component_, self.component_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _words(document: Any) -> list[str]:
    """Return the tokens of a document as strings."""
    if not isinstance(document, Iterable) or isinstance(document, bytes):
        raise UsageError(f"a document must be a string or a list of tokens, got {document!r}")
    return [token if type(token) is str else str(token) for token in document]


def _opened(vectors: KeyedVectors | str | PathLike[str]) -> KeyedVectors:
    return vectors if isinstance(vectors, KeyedVectors) else KeyedVectors.read(vectors)
