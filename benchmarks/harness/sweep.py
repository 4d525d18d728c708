"""The settings of the sweep, as data: axes around a default, corpora, and corner cases."""

from dataclasses import dataclass, field
from typing import Any

from harness.settings import MODELS

# Values for all that a setting does not name.  Two epochs suffice for a full learning-rate decay.
DEFAULTS: dict[str, Any] = {
    "vector_size": 100,
    "window": 5,
    "negative": 5,
    "sample": 1e-3,
    "min_count": 5,
    "epochs": 2,
    "workers": 2,
}
NS = ("sg-ns", "cbow-ns")
HS = ("sg-hs", "cbow-hs")
BOTH = ("sg-hs+ns", "cbow-hs+ns")
SG, CBOW = ("sg-ns",), ("cbow-ns",)
WHOLE_SENTENCE = {"window": 1000, "shrink_windows": 0}
FEW_WORDS = {"min_count": 1, "sample": 0, "negative": 20, "epochs": 1}
TOPIC_VECTORS = {"min_count": 1, "sample": 0, "epochs": 5, "vector_size": 20}


@dataclass(frozen=True)
class Setting:
    """One training run to compare.

    corpus: a name in corpora.CORPORA.  model: one of MODELS or BOTH.
    given: settings that differ from DEFAULTS; alpha only if both systems get the same value.
    with_pairs: also compare Spearman correlations on word pairs.
    """

    corpus: str
    model: str
    given: dict[str, Any] = field(default_factory=dict)
    with_pairs: bool = False

    @property
    def name(self) -> str:
        """Unique and stable name: the corpus, the model and all given settings."""
        given = [f"{key}={value}".replace(" ", "") for key, value in self.given.items()]
        return " ".join([self.corpus, self.model, *given])

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of Word2Vec, without seed, sg and hs."""
        return DEFAULTS | self.given

    @property
    def is_skipgram(self) -> bool:
        """Whether the model is skip-gram."""
        return self.model.startswith("sg")

    @property
    def is_hs(self) -> bool:
        """Whether hierarchical softmax is trained."""
        return "hs" in self.model

    @property
    def is_ns(self) -> bool:
        """Whether negative sampling is trained."""
        return self.model.endswith("ns")

    @property
    def gensim_has_it(self) -> bool:
        """Whether gensim can train this: it has only symmetric windows, and no pairs."""
        return self.corpus != "pairs" and not isinstance(self.settings["window"], tuple)


def each(corpus: str, models: tuple[str, ...], *given: dict[str, Any]) -> list[Setting]:
    """Return all combinations of the given settings and models."""
    return [Setting(corpus, model, g) for g in given for model in models]


def axis(models: tuple[str, ...], name: str, *values: Any) -> list[Setting]:
    """Return the default on 1 MB of text with one setting changed."""
    return each("wiki1M", models, *({name: value} for value in values))


AXES = [
    *each("wiki1M", MODELS, {}),
    *axis(MODELS, "alpha", 0.01, 0.05, 0.1, 0.2),
    *axis(MODELS, "window", 1, 10, 20, 50),
    *axis(NS, "window", 2, 3),
    *axis(NS, "negative", 1, 2, 10, 15, 20),
    *axis(NS, "ns_exponent", -0.5, 0, 0.5, 1),
    *axis(MODELS, "sample", 0, 1e-5),
    *axis(NS, "sample", 1e-4),
    *axis(MODELS, "vector_size", 10, 300),
    *axis(NS, "vector_size", 30, 500),
    *axis(MODELS, "min_count", 1),
    *axis(MODELS, "epochs", 1, 20),
    *axis(NS, "epochs", 5),
    *axis(MODELS, "workers", 1, 16),
    *axis(NS, "workers", 4, 8),
    *axis(MODELS, "shrink_windows", 0),
    *each("wiki1M", ("cbow-ns", "cbow-hs"), {"cbow_mean": 0}, {"cbow_mean": 0, "window": 10}),
    *each("wiki1M", CBOW, {"cbow_mean": 0, "alpha": 0.05}, {"cbow_mean": 0, "negative": 15}),
    *each("chain30", ("cbow-hs",), {"cbow_mean": 0, "alpha": 0.2, "epochs": 3}),
    *each("chain100", ("cbow-hs",), {"cbow_mean": 0, "alpha": 0.2, "epochs": 3}),
    *each("chain100", ("cbow-hs",), {"cbow_mean": 0, "alpha": 0.15, "window": 20, "epochs": 3}),
]

CORPORA = [
    *each("wiki100k", MODELS, {"min_count": 1, "epochs": 5}),
    *each("wiki100k", NS, {}, {"min_count": 1, "epochs": 20}),
    *each("wiki3M", MODELS, {"epochs": 1}),
    *each("wiki3M", NS, {"min_count": 1, "epochs": 3}),
    *each("threes", MODELS, {}),
    *each("threes", NS, {"window": 50}),
    *each("endless", MODELS, {}),
    *each("endless", NS, {"window": 20}),
    *each("korean", MODELS, {"epochs": 1}),
    *each("korean", NS, {"min_count": 1, "epochs": 1}),
    *each("baskets", MODELS, {"window": 30, "sample": 0}),
    *each("baskets", NS, WHOLE_SENTENCE | {"sample": 0, "epochs": 1}),
    *each("walks", MODELS, {"window": 10, "sample": 0, "epochs": 1}),
    *each("blogcatalog", NS, {"window": 10, "sample": 0, "epochs": 1}),
    *each("zipf1", MODELS, {"sample": 0}),
    *each("zipf1.5", MODELS, {"sample": 0}),
    *each("zipf2", MODELS, {"sample": 0}),
    *each("zipf1.5", NS, {}, WHOLE_SENTENCE | {"sample": 0}),
    *each("common10", NS, {"sample": 0}),
    *each("common33", NS, {"sample": 0}),
    *each("common50", MODELS, {"sample": 0}),
    *each("common50", NS, {}),
    *each("common75", NS, {"sample": 0}),
    *each("common90", NS, {"sample": 0}),
    *each("letters", NS, {"sample": 0, "epochs": 1}),
    *each("letters", NS, {"sample": 0, "epochs": 1, "window": 10, "negative": 20}),
    *[
        setting
        for corpus in ("chain4", "chain10", "chain30", "chain100")
        for given in ({"sample": 0}, {"sample": 0, "window": 20})
        for setting in each(corpus, NS, given)
    ],
    *each("chain10", HS, {"sample": 0}),
]

TOPICS = [
    *[
        setting
        for corpus in ("topics2x6", "topics10x10", "topics4x10")
        for given in (
            {"epochs": 5},
            {"epochs": 5, "vector_size": 20},
            {"epochs": 5, "sample": 0},
            {"epochs": 5, "sample": 0, "negative": 1},
            {"epochs": 5, "sample": 0, "negative": 20, "vector_size": 20},
            {"epochs": 5, "sample": 0, "shrink_windows": 0},
        )
        for setting in each(corpus, NS, {"min_count": 1} | given)
    ],
    *each("topics2x6", NS, FEW_WORDS, FEW_WORDS | {"vector_size": 20, "shrink_windows": 0}),
    *each("topics10x10", NS, FEW_WORDS, FEW_WORDS | {"vector_size": 20, "shrink_windows": 0}),
    *each("topics4x10", NS, FEW_WORDS),
    *each("topics2x6", MODELS, TOPIC_VECTORS),
    *each("topics10x10", MODELS, TOPIC_VECTORS, FEW_WORDS | {"vector_size": 20}),
    *each("topics4x10", HS, TOPIC_VECTORS),
]

CORNERS = [
    *each("chain4", SG, {"window": 20, "negative": 10, "sample": 0, "epochs": 1, "workers": 1}),
    *each("wiki3M", SG, {"alpha": 0.05, "window": 10, "negative": 10, "epochs": 1}),
    *each("wiki3M", SG, {"alpha": 0.05, "negative": 20, "epochs": 1}),
    *each("wiki3M", SG, {"alpha": 0.05, "window": 20, "epochs": 1}),
    *each("wiki3M", SG, {"alpha": 0.1, "epochs": 3}),
    *each("wiki3M", NS, {"alpha": 0.2, "epochs": 1}),
    *each("wiki3M", NS, {"vector_size": 500, "epochs": 1}),
    *each("wiki3M", NS, {"sample": 1e-5, "epochs": 5}),
    *each("wiki1M", NS, {"alpha": 0.1, "window": 20, "negative": 20}),
    *each("wiki1M", SG, {"alpha": 0.2, "window": 10, "negative": 10}),
    *each("wiki1M", HS, {"alpha": 0.1, "window": 20}),
    *each("wiki1M", NS, {"sample": 0, "window": 20, "negative": 10}),
    *each("wiki1M", SG, {"sample": 0, "alpha": 0.1}),
    *each("wiki1M", SG, WHOLE_SENTENCE | {"epochs": 1}),
    *each("wiki1M", NS, {"vector_size": 10, "alpha": 0.1, "negative": 20}),
    *each("wiki1M", NS, {"workers": 16, "alpha": 0.1}),
    *each("korean", SG, {"alpha": 0.05, "window": 10, "negative": 10, "epochs": 1}),
    *each("baskets", SG, {"window": 30, "sample": 0, "negative": 20, "alpha": 0.05}),
    *each("zipf1.5", SG, {"sample": 0, "alpha": 0.1, "window": 10}),
    *each("common50", NS, {"sample": 0, "alpha": 0.1, "window": 10}),
    *each("common90", HS, {"sample": 0}),
    *each("chain4", NS, {"sample": 0, "window": 50, "alpha": 0.1}),
]

# Windows wider than sentences, and a sentence far longer than the others.  With hierarchical
# softmax and a window of any size, nine of ten of skip-gram's pairs are there, and neither system
# learns the rest.
ANY_WINDOW = {"window": 10**6}
SUM = {"cbow_mean": 0}
LONG_WINDOWS = [
    *each("one-long", (*NS, "cbow-hs"), ANY_WINDOW, ANY_WINDOW | {"alpha": 0.2}),
    *each("one-long", MODELS, {"window": 50}, {"window": 50, "alpha": 0.05}),
    *each("one-long", ("cbow-ns", "cbow-hs"), ANY_WINDOW | SUM, ANY_WINDOW | SUM | {"alpha": 0.1}),
    *each("one-long", CBOW, {"window": 50} | SUM),
    *each("wiki1M", ("cbow-ns", "cbow-hs"), ANY_WINDOW | {"alpha": 0.2}, ANY_WINDOW | SUM),
    *each("wiki1M", CBOW, WHOLE_SENTENCE | {"alpha": 0.2}, {"window": 50} | SUM),
    *each("zipf1.5", ("cbow-ns", "cbow-hs"), ANY_WINDOW | SUM | {"sample": 0}),
    *each("threes", ("cbow-ns", "cbow-hs"), SUM),
    *each("endless", ("cbow-ns", "cbow-hs"), {"window": 20} | SUM),
]

# gensim cannot train these; see Setting.gensim_has_it.
WITHOUT_GENSIM = [
    *each("wiki1M", MODELS, {"window": (0, 5)}),
    *each("wiki1M", NS, {"window": (5, 0)}, {"window": (1, 20)}),
    *each("wiki1M", SG, {"window": (0, 20), "alpha": 0.1}),
    *each("pairs", SG, {"min_count": 1, "sample": 0}),
    *each("pairs", SG, {"min_count": 1, "sample": 0, "alpha": 0.1, "negative": 20}),
    *each("pairs", ("sg-hs",), {"min_count": 1, "sample": 0}),
]

# Hierarchical softmax and negative sampling together: both losses are added.
SUMS = [
    *each("wiki1M", BOTH, {}, {"alpha": 0.1}, {"alpha": 0.2}, {"window": 20}, {"negative": 20}),
    *each("wiki1M", BOTH, {"alpha": 0.2, "window": 20, "negative": 20}),
    *each("wiki1M", BOTH, {"sample": 0}, {"vector_size": 300}, {"epochs": 20}),
    *each("wiki1M", BOTH, {"workers": 1}, {"workers": 16}, {"workers": 16, "alpha": 0.1}),
    *each("wiki1M", ("cbow-hs+ns",), {"cbow_mean": 0}, {"cbow_mean": 0, "window": 10}),
    *each("wiki3M", BOTH, {"epochs": 1}),
    *each("baskets", BOTH, {"window": 30, "sample": 0}),
    *each("zipf1.5", BOTH, {"sample": 0}),
    *each("common50", BOTH, {"sample": 0}),
    *each("chain10", BOTH, {"sample": 0}),
    *each("topics10x10", BOTH, TOPIC_VECTORS, FEW_WORDS | {"vector_size": 20}),
]

LARGE = [
    Setting("wiki25M", "sg-ns", {"epochs": 1}, with_pairs=True),
    Setting("wiki25M", "cbow-ns", {"epochs": 1}, with_pairs=True),
    Setting("wiki25M", "sg-hs", {"epochs": 1}, with_pairs=True),
    Setting("wiki25M", "cbow-hs", {"epochs": 1}, with_pairs=True),
]

# The tests run these: generated corpora, one or two seconds each.  With one thread, results do not
# depend on timing.
SHORT = [
    *each("zipf1-few", SG, {"alpha": 0.1, "window": 20, "negative": 10, "epochs": 1, "workers": 1}),
    *each("zipf1-few", SG, {"alpha": 0.05, "epochs": 1, "workers": 1}),
    *each("zipf1-common50", CBOW, {"sample": 0, "epochs": 1, "workers": 1}),
    *each("zipf1-common50", ("cbow-hs",), {"sample": 0, "epochs": 1, "workers": 1}),
    *each("chain4", SG, {"window": 10, "sample": 0, "epochs": 1, "workers": 1}),
    *each("topics10x10", SG, FEW_WORDS | {"shrink_windows": 0, "workers": 1}),
    *each("topics10x10", CBOW, TOPIC_VECTORS | {"workers": 1}),
    *each("topics2x6", CBOW, TOPIC_VECTORS | {"workers": 1}),
    *each("zipf1-common50", BOTH, {"sample": 0, "epochs": 1, "workers": 1}),
]

SETTINGS = [
    *SHORT, *AXES, *CORPORA, *TOPICS, *CORNERS, *LONG_WINDOWS, *WITHOUT_GENSIM, *SUMS, *LARGE
]  # fmt: skip
