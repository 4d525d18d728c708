"""Label the nodes of a graph by vectors trained on random walks (DeepWalk, arXiv 1403.6652).

    pip install scikit-learn
    python examples/graph.py blogcatalog.mat

The file is MATLAB's: `network`, the sparse adjacency matrix, and `group`, the labels of each
node. See README.md for what came of it.
"""

import argparse
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.sparse import csr_matrix

from fastw2v import IdSentences, Word2Vec


def random_walks(graph: csr_matrix, per_node: int, length: int, seed: int) -> NDArray[np.int32]:
    """Return (per_node * n_nodes, length) node ids: uniform walks from every node, shuffled.

    -1 stands behind a node that has no neighbour.
    """
    rng = np.random.default_rng(seed)
    starts = np.tile(np.arange(graph.shape[0], dtype=np.int32), per_node)
    rng.shuffle(starts)
    walks = np.full((len(starts), length), -1, np.int32)
    walks[:, 0] = starts
    degree = np.diff(graph.indptr)
    walking = np.flatnonzero(degree[starts])
    for step in range(1, length):
        here = walks[walking, step - 1]
        turn = (rng.random(len(here)) * degree[here]).astype(np.int64)
        walks[walking, step] = graph.indices[graph.indptr[here] + turn]
    return walks


def train(walks: NDArray[np.int32], window: int, epochs: int, hs: bool) -> NDArray[np.float32]:
    """Return a vector for each node, row by row; the walks are trained in place."""
    model = Word2Vec(
        IdSentences(walks, padding=-1 if (walks < 0).any() else None, rows_by_id=True),
        sg=1,
        hs=int(hs),
        vector_size=128,
        window=window,
        sample=0,
        min_count=1,
        epochs=epochs,
    )
    return model.wv.vectors


def f1_scores(vectors: NDArray, labels: NDArray, share: float, seed: int) -> tuple[float, float]:
    """Return micro- and macro-F1 on the nodes that one-vs-rest regression did not see.

    As in the DeepWalk paper, a node with n labels is given the n most probable ones.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.multiclass import OneVsRestClassifier

    order = np.random.default_rng(seed).permutation(len(labels))
    seen, unseen = np.split(order, [int(share * len(order))])
    regression = OneVsRestClassifier(LogisticRegression(max_iter=1000))
    regression.fit(vectors[seen], labels[seen])
    probable = np.argsort(-regression.predict_proba(vectors[unseen]), axis=1)
    given = np.zeros_like(labels[unseen])
    for row, best, n in zip(given, probable, labels[unseen].sum(axis=1), strict=True):
        row[best[:n]] = 1
    micro, macro = (
        float(f1_score(labels[unseen], given, average=kind, zero_division=0))
        for kind in ("micro", "macro")
    )
    return micro, macro


def main(arguments: Sequence[str] | None = None) -> dict[float, tuple[float, float]]:
    """Walk, train, measure; print the mean F1 for each share of labelled nodes and return it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", help="a .mat file with network and group")
    parser.add_argument("--walks", type=int, default=80, help="that start at each node")
    parser.add_argument("--length", type=int, default=40, help="nodes of a walk")
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hs", action="store_true", help="hierarchical softmax, as DeepWalk")
    parser.add_argument("--share", type=float, nargs="+", default=[0.1, 0.5, 0.9])
    parser.add_argument("--splits", type=int, default=10)
    args = parser.parse_args(arguments)

    with warnings.catch_warnings():  # of matrices that are to become arrays: either will do here
        warnings.simplefilter("ignore", DeprecationWarning)
        data = loadmat(args.file)
    graph, labels = csr_matrix(data["network"]), csr_matrix(data["group"]).toarray().astype(int)
    walks = random_walks(graph, args.walks, args.length, seed=1)
    vectors = train(walks, args.window, args.epochs, args.hs)
    found = {}
    for share in args.share:
        scores = [f1_scores(vectors, labels, share, seed) for seed in range(args.splits)]
        found[share] = (micro, macro) = tuple(np.mean(scores, axis=0))
        print(f"{share:4.0%} labelled: micro-F1 {100 * micro:.1f}, macro-F1 {100 * macro:.1f}")
    return found


if __name__ == "__main__":
    main()
