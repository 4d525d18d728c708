"""The examples, on data small enough for a test, with something in it to be found."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix, csr_matrix

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_basket_example_beats_the_most_bought_items(tmp_path, rng, capsys):
    """40 items in each of 5 shops, the first ones of each bought most; a basket has one shop."""
    lines = []
    for _ in range(3_000):
        items = rng.geometric(0.08, rng.integers(2, 9)).clip(1, 40) + 40 * rng.integers(5)
        lines.append(" ".join(map(str, items)))
    (tmp_path / "baskets.txt").write_text("\n".join(lines))
    flags = ["--ns-exponent", "0.75", "0", "--epochs", "20"]
    rates = example("baskets").main([str(tmp_path / "baskets.txt"), *flags])
    for exponent in ("0.75", "0"):
        assert rates[f"ns_exponent {exponent}"] > 2 * rates["most bought"] > 0.1
    assert capsys.readouterr().out.count("%") == 3


def planted_graph(rng, n_nodes=240, n_groups=4):
    """A graph whose nodes have most neighbours in their own group; node 0 has none."""
    group = rng.integers(0, n_groups, n_nodes)
    chance = np.where(np.equal.outer(group, group), 0.2, 0.01)
    edges = np.triu(rng.random((n_nodes, n_nodes)) < chance, 1)
    edges[0] = False
    return csr_matrix((edges | edges.T).astype(float)), np.eye(n_groups)[group]


def test_random_walks_follow_the_edges(rng):
    graph, _ = planted_graph(rng)
    walks = example("graph").random_walks(graph, per_node=3, length=7, seed=0)
    assert walks.shape == (3 * 240, 7)
    assert (np.bincount(walks[:, 0]) == 3).all()
    ends = walks[:, 1] < 0
    assert set(walks[ends, 0]) >= {0} and (walks[ends, 1:] == -1).all()
    assert graph[walks[~ends, :-1].ravel(), walks[~ends, 1:].ravel()].all()


def test_the_graph_example_labels_a_planted_graph(tmp_path, rng, capsys):
    pytest.importorskip("sklearn")
    graph, labels = planted_graph(rng)
    savemat(tmp_path / "g.mat", {"network": csc_matrix(graph), "group": csc_matrix(labels)})
    flags = ["--walks", "20", "--length", "20", "--window", "5", "--epochs", "5", "--splits", "2"]
    found = example("graph").main([str(tmp_path / "g.mat"), *flags, "--share", "0.5"])
    assert found[0.5][0] > 0.9
    assert capsys.readouterr().out.startswith(" 50% labelled: micro-F1 9")
