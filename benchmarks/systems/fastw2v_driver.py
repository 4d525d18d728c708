"""Train with fastw2v."""

import sys
from pathlib import Path
from typing import Any

from driver import installed, main

sys.path.append(str(Path(__file__).resolve().parent.parent))
from harness.machine import compiler

import fastw2v


def about(job: dict[str, Any]) -> dict[str, Any]:
    """Return versions, backends, and the compiler that built the kernels."""
    return {
        "versions": installed("numpy", "scipy") | {"fastw2v": fastw2v.__version__},
        "backends": fastw2v.backends(),
        "compiler": compiler(),
    }


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train as a user would, at the default block shape, and save."""

    model = fastw2v.Word2Vec(
        corpus_file=job["corpus"],
        sg=job["sg"],
        hs=job["hs"],
        negative=0 if job["hs"] else job["negative"],
        vector_size=job["vector_size"],
        window=job["window"],
        sample=job["sample"],
        min_count=job["min_count"],
        epochs=job["epochs"],
        workers=job["threads"],
        alpha=job["alpha"],
        seed=job["seed"],
        progress=False,
    )
    model.save(job["vectors"], "bin")
    used = model.to_word_vectors().settings
    names = ("alpha", "backend", "cbow_update")
    assert model.summary is not None
    return {
        "train_seconds": model.summary.train_seconds,
        "read_seconds": model.summary.read_seconds,
        "loss": model.summary.loss,
        "blocks": model.blocks,
    } | {name: used[name] for name in names}


main(about, train)
