"""Train with fastText, without subwords."""

from typing import Any

import fasttext
import numpy as np
from driver import installed, main


def about(job: dict[str, Any]) -> dict[str, Any]:
    """Return versions, and what stands in the way of equal terms."""
    return {
        "versions": installed("fasttext", "numpy"),
        "notes": [
            "train_unsupervised() counts and trains in one call: no training phase of its own",
            "noise words follow count^0.5, which cannot be set; every line end counts as a word",
        ],
    }


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train and save in fastText's own format: it writes no other from Python."""
    model = fasttext.train_unsupervised(
        job["corpus"],
        model="skipgram" if job["sg"] else "cbow",
        loss="hs" if job["hs"] else "ns",
        neg=job["negative"],
        dim=job["vector_size"],
        ws=job["window"],
        t=job["sample"],
        minCount=job["min_count"],
        epoch=job["epochs"],
        thread=job["threads"],
        lr=job["alpha"],
        minn=0,
        maxn=0,
        bucket=0,
        verbose=0,
    )
    model.save_model(job["vectors"])
    return {"train_seconds": None, "alpha": job["alpha"]}


def export(job: dict[str, Any]) -> dict[str, Any]:
    """Replace fastText's file by word2vec's binary format."""
    model = fasttext.load_model(job["vectors"])
    words, rows = model.get_words(), np.asarray(model.get_input_matrix(), np.float32)
    with open(job["vectors"], "wb") as file:
        file.write(b"%d %d\n" % (len(words), rows.shape[1]))
        for word, row in zip(words, rows, strict=False):
            file.write(word.encode(errors="surrogateescape") + b" " + row.tobytes() + b"\n")
    return {}


main(about, train, export)
