"""The records of the objectives, and that nothing else in Python knows their names."""

import ast
from pathlib import Path

import numpy as np
import pytest

import fastw2v
from fastw2v import _core
from fastw2v.errors import UsageError
from fastw2v.training.objectives import DEFAULT_NEGATIVE, FLAGS, OBJECTIVES, choose_objective
from fastw2v.training.parameters import Parameters

ROOT = Path(fastw2v.__file__).parent
OWNER = "training/objectives.py"
# The same words as names of something else.
OTHER_NAMES = {
    "cli/settings.py": {"hs", "softmax"},  # flags, which are arguments of Word2Vec
    "cli/word2vec.py": {"hs"},  # a flag of word2vec.c
    "formats/fasttext_bin.py": {"ns", "hs", "softmax"},  # the losses as fastText calls them
    "formats/gensim_model.py": {"ns", "hs"},  # the objectives, from what gensim calls them
}
# Where a model's objective is read as a name: none of these asks which one it is.
READ_AS_A_NAME = {
    "training/parameters.py",  # checks the name and looks up its record
    "training/arrays.py",  # hands it to the kernels
    "run/saved_model.py",  # compares those of two models
}
RECORDS = {"NEGATIVE_SAMPLING", "HIERARCHICAL_SOFTMAX", "BOTH_LOSSES", "FULL_SOFTMAX"}
ALONE = [name for name, record in OBJECTIVES.items() if not record.terms]


def nodes():
    """Every node of the package's files but the owner, with the path of its file."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name != OWNER:
            yield from ((name, node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))


def test_only_the_records_hold_the_names_of_the_objectives():
    found = {}
    for name, node in nodes():
        if isinstance(node, ast.Constant) and node.value in OBJECTIVES:
            found.setdefault(name, set()).add(node.value)
    assert found == OTHER_NAMES


def test_only_their_owner_tells_the_objectives_apart():
    as_name, records = set(), set()
    for name, node in nodes():
        if isinstance(node, ast.Attribute) and node.attr == "objective":
            as_name.add(name)
        if isinstance(node, ast.alias) and node.name in RECORDS:
            records.add(name)
    assert as_name == READ_AS_A_NAME
    assert not records


def test_the_kernels_know_the_same_objectives():
    assert _core.OBJECTIVES.keys() == OBJECTIVES.keys()
    assert all(name == record.name for name, record in OBJECTIVES.items())


@pytest.mark.parametrize("name", ALONE)
def test_every_objective_can_be_chosen_by_its_flag(name):
    flag = OBJECTIVES[name].flag
    chosen = {"negative": 7} if flag == "negative" else {"negative": None}
    assert choose_objective({flag: True}, **chosen)[0] == name
    assert choose_objective(dict.fromkeys(FLAGS, False), 7) == ("ns", 7)
    assert choose_objective({}, None) == ("ns", DEFAULT_NEGATIVE)


@pytest.mark.parametrize(("flags", "negative"), [({"softmax": True}, 5), (FLAGS, None), (FLAGS, 5)])
def test_the_full_softmax_and_another_objective_contradict_each_other(flags, negative):
    with pytest.raises(UsageError, match="a model has one objective"):
        choose_objective(dict.fromkeys(flags, True), negative)


def test_both_losses_are_trained_only_if_both_are_given():
    assert choose_objective({"hs": True}, 7) == ("hs+ns", 7)
    for negative in (None, 0):
        assert choose_objective({"hs": True}, negative)[0] == "hs"


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_record_makes_what_its_kernels_need(name):
    record = OBJECTIVES[name]
    counts = np.array([9, 5, 2, 1])
    tables = record.tables(counts, 0.75, None)
    assert (tables.noise is not None) is record.draws_negatives
    assert (tables.paths is not None) is record.has_tree
    assert Parameters(objective=name, negative=7).n_negative == (7 if record.draws_negatives else 0)
    if record.replicated_rows is not None:
        assert all(record.mode(sg).effective_rate > 0 for sg in (True, False))


def test_an_unknown_objective_is_an_error_that_names_the_known_ones():
    with pytest.raises(
        UsageError, match=r"objective must be one of ns, hs, hs\+ns, softmax, got 'nonsense'"
    ):
        Parameters(objective="nonsense")
