"""The corpora of the sweep: generated from fixed seeds, or read from the data folder."""

import gzip
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# As in the tests: the folder named by the variable, else one beside the repository.
DATA = Path(os.environ.get("FASTW2V_DATA", Path(__file__).parents[3] / "shared" / "data"))
HELD_OUT_SHARE = 0.05
HELD_OUT_BYTES = 1_000_000  # of the validation text
BASKETS = 40_000
KOREAN_BYTES = 5_000_000
WALK_STEPS = 40
FEW_SESSIONS = 8000  # for the tests

Sentences = list[list[str]]


@dataclass(frozen=True)
class Corpus:
    """Training text, and disjoint text for evaluation.

    topics: the topic of each word, if every word has one.
    weights: (n_pairs,) float64 > 0.  Each training sentence is then a (centre, context) pair with
    that weight.
    """

    train: Sentences
    held_out: Sentences
    topics: dict[str, int] = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None

    @cached_property
    def counts(self) -> Counter[str]:
        """Occurrences of each word in the training text."""
        return Counter(word for sentence in self.train for word in sentence)

    @cached_property
    def fingerprint(self) -> str:
        """The start of the SHA-256 of the whole content."""
        digest = hashlib.sha256()
        for sentences in (self.train, self.held_out):
            digest.update("\n".join(map(" ".join, sentences)).encode() + b"\0")
        digest.update(b"" if self.weights is None else self.weights.tobytes())
        return digest.hexdigest()[:16]


def split(sentences: Sentences) -> Corpus:
    """Return a corpus with the last sentences held out."""
    n_train = int(len(sentences) * (1 - HELD_OUT_SHARE))
    return Corpus(sentences[:n_train], sentences[n_train:])


# ---- read ----


def read_lines(name: str, n_bytes: int) -> Sentences:
    """Return the sentences in the first n_bytes of a gzip file in the data folder."""
    with gzip.open(DATA / name) as file:
        text = file.read(n_bytes).decode(errors="ignore")
    return [line.split() for line in text.split("\n") if line.strip()]


def wiki(n_bytes: int, change: Callable[[Sentences], Sentences] = lambda s: s) -> Corpus:
    """Return English Wikipedia, one paragraph per sentence, with `change` applied to all text."""
    name = "wiki5M.txt.gz" if n_bytes <= 5_000_000 else "wiki100M.txt.gz"
    held_out = read_lines("wiki-validation.txt.gz", HELD_OUT_BYTES)
    return Corpus(change(read_lines(name, n_bytes)), change(held_out))


def baskets() -> Corpus:
    """Return supermarket baskets."""
    with open(DATA / "retail-baskets.txt") as file:
        lines = [line.split() for line in file]
    return split(lines[:BASKETS])


def blog_walks() -> Corpus:
    """Return one random walk from each node of the BlogCatalog graph."""
    path = DATA / "blogcatalog.mat"
    if not path.exists():
        raise FileNotFoundError(path)
    from scipy.io import loadmat

    network = loadmat(path)["network"].tocsr()
    return split(walks(network.indptr, network.indices, 1, np.random.default_rng(3)))


# ---- changed ----


def in_sentences_of(n_words: int) -> Callable[[Sentences], Sentences]:
    """Return a function that cuts text into sentences of n_words."""

    def change(sentences: Sentences) -> Sentences:
        words = [word for sentence in sentences for word in sentence]
        return [words[i : i + n_words] for i in range(0, len(words), n_words)]

    return change


def one_long() -> Corpus:
    """Return text in sentences of 8 words, with one of 3,000 words in the middle to train on."""
    text = wiki(1_000_000, in_sentences_of(8))
    middle, n_joined = len(text.train) // 2, 3000 // 8
    joined = [word for sentence in text.train[middle : middle + n_joined] for word in sentence]
    train = [*text.train[:middle], joined, *text.train[middle + n_joined :]]
    return Corpus(train, text.held_out)


def endless(sentences: Sentences) -> Sentences:
    """Return the text as one sentence."""
    return [[word for sentence in sentences for word in sentence]]


def letters(sentences: Sentences) -> Sentences:
    """Return the letters of each sentence."""
    return [list("".join(sentence)) for sentence in sentences]


def with_common_item(share: float) -> Callable[[Sentences], Sentences]:
    """Return a function that inserts an item after words, as `share` of all tokens."""
    each = share / (1 - share)

    def change(sentences: Sentences) -> Sentences:
        rng = np.random.default_rng(7)
        changed = []
        for sentence in sentences:
            n_items = np.floor(each + rng.random(len(sentence))).astype(int)
            pairs = zip(sentence, n_items.tolist(), strict=True)
            changed.append([token for word, n in pairs for token in [word] + ["ITEM"] * n])
        return changed

    return change


# ---- generated ----


def sessions(
    exponent: float, n_items: int = 4000, n_sessions: int = 20_000, n_groups: int = 40
) -> Sentences:
    """Return sessions of 3 to 30 items with Zipf frequencies, mostly from one group of items.

    In a session, the items of its group are 20 times as likely as they are overall.
    """
    rng = np.random.default_rng(11)
    weights = np.arange(1, n_items + 1.0) ** -exponent
    group_of = rng.integers(0, n_groups, n_items)
    lengths = rng.integers(3, 31, n_sessions)
    groups = rng.integers(0, n_groups, n_sessions)
    found: Sentences = [[] for _ in range(n_sessions)]
    for group in range(n_groups):
        edges = np.cumsum(weights * np.where(group_of == group, 20, 1))
        for i in np.flatnonzero(groups == group):
            drawn = np.searchsorted(edges[:-1], rng.random(lengths[i]) * edges[-1])
            found[i] = [f"i{item}" for item in drawn]
    return found


def topics(n_topics: int, n_words: int, n_sentences: int, length: int) -> Corpus:
    """Return sentences of distinct words from one topic, drawn uniformly.

    CBOW can learn that no word is its own context, instead of the topics.
    """
    rng = np.random.default_rng(13)
    total = int(n_sentences * (1 + HELD_OUT_SHARE))
    topic = rng.integers(0, n_topics, total)
    drawn = rng.random((total, n_words)).argsort(axis=1)[:, :length]
    found = [
        [f"t{t}w{w}" for w in row] for t, row in zip(topic.tolist(), drawn.tolist(), strict=True)
    ]
    topic_of = {f"t{t}w{w}": t for t in range(n_topics) for w in range(n_words)}
    return Corpus(found[:n_sentences], found[n_sentences:], topic_of)


def chain(n_symbols: int, n_sentences: int = 3000, length: int = 100) -> Corpus:
    """Return sequences of a Markov chain in which each symbol has few, uneven successors."""
    rng = np.random.default_rng(17)
    edges = np.cumsum(rng.dirichlet(np.full(n_symbols, 0.3), n_symbols), axis=1)
    state = rng.integers(0, n_symbols, n_sentences)
    steps = np.empty((n_sentences, length), np.int64)
    for step in range(length):
        steps[:, step] = state
        state = (edges[state, :-1] < rng.random((n_sentences, 1))).sum(axis=1)
    return split([[f"s{symbol}" for symbol in row] for row in steps.tolist()])


def graph_walks(n_nodes: int = 1000, n_groups: int = 20) -> Corpus:
    """Return walks on a graph in which 8 of each node's 10 edges lead to nodes of its own group."""
    rng = np.random.default_rng(19)
    inside = n_nodes // n_groups * np.arange(n_groups)[np.arange(n_nodes) % n_groups, None]
    near = inside + rng.integers(0, n_nodes // n_groups, (n_nodes, 8))
    # Node i is in group i % n_groups; `near` numbers the nodes group by group.
    near = near % (n_nodes // n_groups) * n_groups + near // (n_nodes // n_groups)
    targets = np.hstack([near, rng.integers(0, n_nodes, (n_nodes, 2))])
    return split(walks(np.arange(n_nodes + 1) * 10, targets.reshape(-1), 10, rng))


def walks(
    begin: NDArray[np.integer], targets: NDArray[np.integer], n_each: int, rng: np.random.Generator
) -> Sentences:
    """Return n_each walks from each node, in random order.

    begin: (n_nodes + 1,) ints.  Node i has edges to targets[begin[i]:begin[i + 1]], at least one.
    """
    node = rng.permutation(np.repeat(np.arange(len(begin) - 1), n_each))
    steps = np.empty((len(node), WALK_STEPS), np.int64)
    for step in range(WALK_STEPS):
        steps[:, step] = node
        n_edges = begin[node + 1] - begin[node]
        node = targets[begin[node] + (rng.random(len(node)) * n_edges).astype(np.int64)]
    return [[f"n{i}" for i in row] for row in steps.tolist()]


def weighted_pairs(n_items: int = 600, n_groups: int = 20, n_draws: int = 300_000) -> Corpus:
    """Return pairs of items, mostly from one group, weighted by their number of draws."""
    rng = np.random.default_rng(23)
    edges = np.cumsum(np.arange(1, n_items + 1.0) ** -0.8)
    total = int(n_draws * (1 + HELD_OUT_SHARE))
    centre, context = np.searchsorted(edges[:-1], rng.random((2, total)) * edges[-1])
    in_group = rng.random(total) < 0.8
    context = np.where(in_group, context - context % n_groups + centre % n_groups, context)
    drawn, n_times = np.unique(centre[:n_draws] * n_items + context[:n_draws], return_counts=True)
    return Corpus(
        _named(zip(drawn // n_items, drawn % n_items, strict=True)),
        _named(zip(centre[n_draws:], context[n_draws:], strict=True)),
        weights=n_times * 0.7,  # fractions and whole numbers, below and above 1
    )


def _named(pairs: Iterable[Sequence[int]]) -> Sentences:
    return [[f"i{item}" for item in pair] for pair in pairs]


CORPORA: dict[str, Callable[[], Corpus]] = {
    "wiki100k": lambda: wiki(100_000),
    "wiki1M": lambda: wiki(1_000_000),
    "wiki3M": lambda: wiki(3_000_000),
    "wiki25M": lambda: wiki(25_000_000),
    "threes": lambda: wiki(1_000_000, in_sentences_of(3)),
    "one-long": one_long,
    "endless": lambda: wiki(1_000_000, endless),
    "letters": lambda: wiki(500_000, letters),
    **{
        f"common{percent}": lambda share=percent / 100: wiki(1_000_000, with_common_item(share))
        for percent in (10, 33, 50, 75, 90)
    },
    "korean": lambda: split(read_lines("kowiki20M.txt.gz", KOREAN_BYTES)),
    "baskets": baskets,
    "blogcatalog": blog_walks,
    "walks": graph_walks,
    **{f"zipf{e}": lambda exponent=e: split(sessions(exponent)) for e in (1, 1.5, 2)},
    "zipf1-few": lambda: split(sessions(1, n_sessions=FEW_SESSIONS)),
    "zipf1-common50": lambda: split(with_common_item(0.5)(sessions(1, n_sessions=FEW_SESSIONS))),
    **{f"chain{n}": lambda n_symbols=n: chain(n_symbols) for n in (4, 10, 30, 100)},
    "topics2x6": lambda: topics(2, 6, 2000, 4),
    "topics10x10": lambda: topics(10, 10, 10_000, 5),
    "topics4x10": lambda: topics(4, 10, 100_000, 5),
    "pairs": weighted_pairs,
}
