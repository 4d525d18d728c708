"""Train a setting in this process: with fastw2v, gensim, or the smallest step of fastw2v."""

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
# gensim sets the learning rate once per job.  In jobs this small it falls as steadily as fastw2v's.
BATCH_WORDS = 1000
ERROR_CHARACTERS = 120


@dataclass(frozen=True)
class Trained:
    """The result of training a setting.  resolved: settings that the system chose."""

    rows: Rows
    seconds: float
    resolved: dict[str, Any]


def train_fastw2v(
    setting: Setting, corpus: Corpus, vocabulary: Vocabulary, seed: int, **more: Any
) -> Trained:
    """Train with fastw2v.  more: further settings, such as those of the block."""
    text: Any = corpus.train
    if corpus.weights is not None:
        text = fastw2v.Pairs(*zip(*corpus.train, strict=True), weights=corpus.weights)
    start = time.perf_counter()
    model = fastw2v.Word2Vec(text, seed=seed, progress=False, **arguments(setting), **more)
    seconds = time.perf_counter() - start
    resolved = {"alpha": model.alpha, "blocks": model.blocks}
    return Trained(rows_of(model, vocabulary), seconds, resolved)


def rows_of(model: fastw2v.Word2Vec, vocabulary: Vocabulary) -> Rows:
    """Return the rows of a fastw2v model in the order of a vocabulary."""
    order = in_order(model.wv.index_to_key, vocabulary)
    inputs, outputs = model.wv.vectors[order], model.syn1neg[order] if model.negative else None
    if not model.hs:
        return Rows(inputs, outputs)
    assert model.arrays is not None and model.arrays.paths is not None
    begin, steps = model.arrays.paths.begin, model.arrays.paths.steps
    own = np.concatenate([np.arange(begin[i], begin[i + 1]) for i in order])
    ends = np.cumsum(np.diff(begin)[order])
    paths = Paths(np.append(0, ends), steps[own] >> 1, steps[own] & 1)
    return Rows(inputs, outputs, model.syn1, paths)


def arguments(setting: Setting) -> dict[str, Any]:
    """Return the arguments of Word2Vec for a setting, the same in both systems."""
    negative = {} if setting.is_ns else {"negative": 0}
    return {"sg": int(setting.is_skipgram), "hs": int(setting.is_hs)} | setting.settings | negative


def train_smallest_step(
    setting: Setting, corpus: Corpus, vocabulary: Vocabulary, seed: int
) -> Trained:
    """Train with fastw2v, one centre at a time."""
    return train_fastw2v(setting, corpus, vocabulary, seed, block_centres=1, noise_reuse=1)


def train_gensim(setting: Setting, corpus: Corpus, vocabulary: Vocabulary, seed: int) -> Trained:
    """Train with gensim."""
    text = _in_jobs(corpus.train)
    logging.getLogger("gensim").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        from gensim.models import Word2Vec

        start = time.perf_counter()
        model = Word2Vec(text, seed=seed, batch_words=BATCH_WORDS, **arguments(setting))
        seconds = time.perf_counter() - start
    order = in_order(model.wv.index_to_key, vocabulary)
    inputs, resolved = model.wv.vectors[order], {"alpha": model.alpha}
    outputs = model.syn1neg[order] if setting.is_ns else None
    if not setting.is_hs:
        return Trained(Rows(inputs, outputs), seconds, resolved)
    points, codes = ([model.wv.get_vecattr(i, name) for i in order] for name in ("point", "code"))
    begin = np.append(0, np.cumsum([len(code) for code in codes]))
    paths = Paths(begin, np.concatenate(points).astype(np.int64), np.concatenate(codes))
    return Trained(Rows(inputs, outputs, model.syn1, paths), seconds, resolved)


def _in_jobs(sentences: Sentences) -> Sentences:
    """Cut long sentences: gensim drops all words of a sentence past the first 10,000."""
    return [
        sentence[i : i + BATCH_WORDS]
        for sentence in sentences
        for i in range(0, len(sentence), BATCH_WORDS)
    ]


def error_text(error: Exception) -> str:
    """Return the type and message of an error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:ERROR_CHARACTERS]
