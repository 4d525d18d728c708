"""The loss on held-out text, with the same predictions and negative samples for every system."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.sampling import NOISE_POWER, keep_probabilities, noise_probabilities
from fastw2v.training.parameters import window_sides
from harness.corpora import Corpus
from harness.sweep import Setting

MAX_PREDICTIONS = 30_000
PREDICTIONS_AT_ONCE = 1024
SEED = 5

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Paths:
    """The Huffman paths of a system.

    begin: (n_words + 1,) int64; word w has the steps begin[w]:begin[w + 1].
    nodes: (n_steps,) int64 inner nodes.  bits: (n_steps,) int64, 0 where the score should be high.
    """

    begin: Ids
    nodes: Ids
    bits: Ids


@dataclass(frozen=True)
class Rows:
    """The trained rows of a system, in the order of Vocabulary.

    inputs: (n_words, dim) float.  outputs: (n_words, dim) float of the words, None without negative
    sampling.  nodes: (n_words - 1, dim) float of the inner nodes, with paths.
    """

    inputs: Floats
    outputs: Floats | None = None
    nodes: Floats | None = None
    paths: Paths | None = None

    @property
    def largest_norm(self) -> float:
        """The largest norm of an input row."""
        return float(np.linalg.norm(self.inputs, axis=1).max())


@dataclass(frozen=True)
class Vocabulary:
    """The words of a setting, most frequent first.

    counts: (n_words,) int64, occurrences among all tokens.
    noise_counts: (n_words,) int64, occurrences as targets.
    """

    words: list[str]
    counts: Ids
    noise_counts: Ids

    @classmethod
    def of(cls, corpus: Corpus, min_count: int) -> "Vocabulary":
        """Count the words of the training text."""
        counts = corpus.counts
        words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (-counts[w], w))
        of_all = np.array([counts[word] for word in words])
        if corpus.weights is None:
            return cls(words, of_all, of_all)
        index = {word: i for i, word in enumerate(words)}
        targets = np.array([index[context] for _, context in corpus.train])
        n_visits = np.bincount(targets, np.ceil(corpus.weights), len(words))
        return cls(words, of_all, n_visits.astype(np.int64))


@dataclass(frozen=True)
class Predictions:
    """Held-out predictions.

    inputs: (n_inputs,) word ids; prediction i has the inputs inputs[begin[i]:begin[i + 1]].
    begin: (n + 1,).  targets: (n,) word ids.
    negatives: (n, negative) word ids, empty with hierarchical softmax.
    is_sum: whether input rows are summed, else averaged.
    """

    inputs: Ids
    begin: Ids
    targets: Ids
    negatives: Ids
    is_sum: bool

    @classmethod
    def draw(cls, setting: Setting, corpus: Corpus, vocabulary: Vocabulary) -> "Predictions":
        """Draw windows from the held-out text as training does, and their negative samples."""
        rng, settings = np.random.default_rng(SEED), setting.settings
        if corpus.weights is not None:
            bags, targets = _pairs(corpus, vocabulary)
        else:
            bags, targets = _windows(settings, corpus, vocabulary, rng)
            if setting.is_skipgram:
                bags, targets = _one_by_one(bags, targets, rng)
        probabilities = noise_probabilities(
            vocabulary.noise_counts, settings.get("ns_exponent", NOISE_POWER)
        )
        n_negatives = settings["negative"] if setting.is_ns else 0
        drawn = rng.random((len(targets), n_negatives))
        negatives = np.searchsorted(np.cumsum(probabilities)[:-1], drawn)
        sizes = np.array([len(bag) for bag in bags])
        begin = np.append(0, np.cumsum(sizes))
        is_sum = not settings.get("cbow_mean", 1)
        return cls(np.concatenate(bags), begin, targets, negatives, is_sum)

    def __len__(self) -> int:
        return len(self.targets)

    def loss(self, rows: Rows) -> float:
        """Return the mean loss in nats."""
        with np.errstate(all="ignore"):
            return sum(self._losses(rows)) / len(self)

    def loss_of_zeros(self, rows: Rows) -> float:
        """Return the loss of all-zero vectors, on the paths of these rows."""
        zeros = (a if a is None else np.zeros_like(a) for a in (rows.outputs, rows.nodes))
        return self.loss(Rows(np.zeros_like(rows.inputs), *zeros, rows.paths))

    def _losses(self, rows: Rows) -> Iterator[float]:
        for first in range(0, len(self), PREDICTIONS_AT_ONCE):
            chosen = slice(first, first + PREDICTIONS_AT_ONCE)
            hidden, targets = self._hidden(rows.inputs, chosen), self.targets[chosen]
            if rows.paths is not None and rows.nodes is not None:
                yield path_loss(hidden, rows.nodes, rows.paths, targets)
            if rows.outputs is None:
                continue
            negatives = self.negatives[chosen]
            wanted = np.einsum("ij,ij->i", hidden, rows.outputs[targets])
            unwanted = np.einsum("ij,ikj->ik", hidden, rows.outputs[negatives])
            # Neither system trains on a negative sample that is the target.
            met = negatives != targets[:, None]
            yield float(softplus(-wanted).sum() + softplus(unwanted)[met].sum())

    def _hidden(self, inputs: Floats, chosen: slice) -> Floats:
        begin = self.begin[chosen.start : chosen.stop + 1]
        rows = inputs[self.inputs[begin[0] : begin[-1]]]
        sums = np.add.reduceat(rows, begin[:-1] - begin[0], axis=0)
        return sums if self.is_sum else sums / np.diff(begin)[:, None]


def softplus(x: Floats) -> Floats:
    """Return log(1 + exp(x)), the loss of a score that should be low."""
    return np.logaddexp(0, x)


def path_loss(hidden: Floats, nodes: Floats, paths: Paths, targets: Ids) -> float:
    """Return the loss along the paths of all targets, summed over predictions."""
    lengths = paths.begin[targets + 1] - paths.begin[targets]
    prediction = np.repeat(np.arange(len(targets)), lengths)
    offset = np.arange(len(prediction)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    steps = paths.begin[targets][prediction] + offset
    scores = np.einsum("ij,ij->i", hidden[prediction], nodes[paths.nodes[steps]])
    return float(softplus(np.where(paths.bits[steps] == 0, -scores, scores)).sum())


def _windows(
    settings: dict[str, Any], corpus: Corpus, vocabulary: Vocabulary, rng: np.random.Generator
) -> tuple[list[Ids], Ids]:
    """Return the context ids of up to MAX_PREDICTIONS centres, and the centres' ids."""
    index = {word: i for i, word in enumerate(vocabulary.words)}
    keep = keep_probabilities(vocabulary.counts, settings["sample"])
    sides, shrinks = window_sides(settings["window"]), settings.get("shrink_windows", 1)
    bags, centres = [], []
    for k in rng.permutation(len(corpus.held_out)):
        ids = np.array([index[word] for word in corpus.held_out[k] if word in index], np.int64)
        ids = ids[rng.random(len(ids)) < keep[ids]]
        for i, shrink in enumerate(rng.random(len(ids))):
            left, right = (size - int(shrink * size) * bool(shrinks) for size in sides)
            bag = np.concatenate([ids[max(i - left, 0) : i], ids[i + 1 : i + 1 + right]])
            if len(bag):
                bags.append(bag)
                centres.append(ids[i])
            if len(centres) == MAX_PREDICTIONS:
                return bags, np.array(centres)
    return bags, np.array(centres)


def _one_by_one(bags: list[Ids], targets: Ids, rng: np.random.Generator) -> tuple[list[Ids], Ids]:
    """Split predictions into ones with a single input, and return a sample of MAX_PREDICTIONS."""
    inputs = np.concatenate(bags)
    targets = np.repeat(targets, [len(bag) for bag in bags])
    chosen = rng.permutation(len(inputs))[:MAX_PREDICTIONS]
    return list(inputs[chosen, None]), targets[chosen]


def _pairs(corpus: Corpus, vocabulary: Vocabulary) -> tuple[list[Ids], Ids]:
    """Return the centres of the held-out pairs, one input each, and their contexts."""
    index = {word: i for i, word in enumerate(vocabulary.words)}
    known = [pair for pair in corpus.held_out if all(word in index for word in pair)]
    ids = np.array([[index[word] for word in pair] for pair in known[:MAX_PREDICTIONS]])
    return list(ids[:, :1]), ids[:, 1]


def share_of_own_topic(rows: Rows, vocabulary: Vocabulary, topics: dict[str, int]) -> float:
    """Return the share of nearest neighbours, up to 3 per word, that have the word's topic."""
    topic = np.array([topics[word] for word in vocabulary.words])
    n_nearest = min(3, int(np.bincount(topic).max()) - 1)
    unit = rows.inputs / np.linalg.norm(rows.inputs, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, :n_nearest]
    return float((topic[nearest] == topic[:, None]).mean())


def in_order(words: Sequence[str], vocabulary: Vocabulary) -> Ids:
    """Return the position of each word of the vocabulary in a system's word list."""
    own = {word: i for i, word in enumerate(words)}
    return np.array([own[word] for word in vocabulary.words])
