"""Train a setting with fastw2v, with gensim, or with fastw2v's smallest step, in this process."""

import logging
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastw2v
from harness.corpora import Corpus, Sentences
from harness.held_out import Paths, Rows, Vocabulary, in_order
from harness.sweep import Setting

GENSIM, SMALLEST_STEP = "gensim", "smallest step"
# gensim sets the learning rate once a job: jobs this small let it fall as steadily as fastw2v's.
BATCH_WORDS = 1000
GENSIM_ALPHA = 0.025  # its default for every model
TOLD = ("alpha", "block_centres", "block_noise", "noise_reuse")
ERROR_CHARACTERS = 120


@dataclass(frozen=True)
class Trained:
    """A trained setting: its rows, the seconds it took, and fastw2v's resolved settings."""

    rows: Rows
    seconds: float
    resolved: dict[str, Any]


def train_fastw2v(
    setting: Setting, corpus: Corpus, vocabulary: Vocabulary, seed: int, **step: int
) -> Trained:
    """Train with fastw2v.  step: block settings instead of its own choice."""
    settings = setting.settings | step
    if setting.is_hs:
        settings = settings | {"hs": 1, "negative": 0}
    text: Any = corpus.train
    if corpus.weights is not None:
        text = fastw2v.Pairs(*zip(*corpus.train, strict=True), weights=corpus.weights)
    start = time.perf_counter()
    model = fastw2v.Word2Vec(
        text, sg=int(setting.is_skipgram), seed=seed, progress=False, **settings
    )
    seconds = time.perf_counter() - start
    effective = model.parameters.effective()
    order = in_order(model.wv.index_to_key, vocabulary)
    outputs, paths = model.output_vectors, None
    if setting.is_hs:
        assert model.arrays is not None and model.arrays.paths is not None
        own = model.arrays.paths
        paths = _reordered(own.begin, own.steps >> 1, own.steps & 1, order)
    else:
        outputs = outputs[order]
    rows = Rows(model.wv.vectors[order], outputs, paths)
    return Trained(rows, seconds, {name: effective.get(name) for name in TOLD})


def train_smallest_step(
    setting: Setting, corpus: Corpus, vocabulary: Vocabulary, seed: int
) -> Trained:
    """Train with fastw2v, one centre at a time."""
    return train_fastw2v(setting, corpus, vocabulary, seed, block_centres=1, noise_reuse=1)


def train_gensim(setting: Setting, corpus: Corpus, vocabulary: Vocabulary, seed: int) -> Trained:
    """Train with gensim."""
    settings = {"alpha": GENSIM_ALPHA} | setting.settings
    if setting.is_hs:
        settings = settings | {"hs": 1, "negative": 0}
    text = _in_jobs(corpus.train)
    logging.getLogger("gensim").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        from gensim.models import Word2Vec

        start = time.perf_counter()
        model = Word2Vec(
            text, sg=int(setting.is_skipgram), seed=seed, batch_words=BATCH_WORDS, **settings
        )
        seconds = time.perf_counter() - start
    order = in_order(model.wv.index_to_key, vocabulary)
    if not setting.is_hs:
        return Trained(Rows(model.wv.vectors[order], model.syn1neg[order]), seconds, {})
    points, codes = ([model.wv.get_vecattr(i, name) for i in order] for name in ("point", "code"))
    begin = np.append(0, np.cumsum([len(code) for code in codes]))
    paths = Paths(begin, np.concatenate(points).astype(np.int64), np.concatenate(codes))
    return Trained(Rows(model.wv.vectors[order], model.syn1, paths), seconds, {})


def _in_jobs(sentences: Sentences) -> Sentences:
    """Cut long sentences: of one above 10,000 words gensim drops the rest."""
    return [
        sentence[i : i + BATCH_WORDS]
        for sentence in sentences
        for i in range(0, len(sentence), BATCH_WORDS)
    ]


def _reordered(begin: Any, nodes: Any, bits: Any, order: Any) -> Paths:
    """Return the paths of the words order[0], order[1], ..."""
    lengths = np.diff(begin)[order]
    ends = np.cumsum(lengths)
    steps = np.arange(ends[-1]) + np.repeat(begin[order] - (ends - lengths), lengths)
    return Paths(np.append(0, ends), nodes[steps].astype(np.int64), bits[steps])


def error_text(error: Exception) -> str:
    """Return an error's kind and text on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:ERROR_CHARACTERS]
