"""Train with gensim, by its corpus_file path, the faster of its two."""

import time
from typing import Any

from driver import installed, main
from gensim.models.word2vec import FAST_VERSION, Word2Vec


def about(job: dict[str, Any]) -> dict[str, Any]:
    """Return versions, and which inner loop runs (0 and 1: by BLAS, 2: without)."""
    return {
        "versions": installed("gensim", "numpy", "scipy"),
        "fast_version": FAST_VERSION,
    }


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train and save; the training phase is train() after build_vocab()."""
    model = Word2Vec(
        sg=int(job["sg"]),
        hs=int(job["hs"]),
        negative=0 if job["hs"] else job["negative"],
        vector_size=job["vector_size"],
        window=job["window"],
        sample=job["sample"],
        min_count=job["min_count"],
        workers=job["threads"],
        alpha=job["alpha"],
        seed=job["seed"],
    )
    model.build_vocab(corpus_file=job["corpus"])
    start = time.perf_counter()
    model.train(
        corpus_file=job["corpus"],
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=job["epochs"],
    )
    train_seconds = time.perf_counter() - start
    model.wv.save_word2vec_format(job["vectors"], binary=True)
    return {"train_seconds": train_seconds, "alpha": job["alpha"]}


main(about, train)
