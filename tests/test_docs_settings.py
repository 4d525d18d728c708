"""docs/settings.md names every setting, as Python and the command line do."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from fastw2v import Word2Vec, cli
from fastw2v.run.options import RunOptions
from fastw2v.training.parameters import Parameters

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the page is not beside the tests")


def parameters(function):
    """The parameters of a method by name, without self and the one that refuses all others."""
    found = inspect.signature(function).parameters
    return {n: p for n, p in found.items() if n != "self" and p.kind is not p.VAR_KEYWORD}


PARAMETERS = parameters(Word2Vec.__init__)


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text("utf-8")


def rows(page):
    """The cells of every table row but the heads."""
    for line in page.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_flag_of_train_is_on_the_page_and_no_other(page, capsys):
    assert cli.main(["train", "--help"]) == 0
    flags = set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out)) - {"--help"}
    told = set(re.findall(r"--[a-z][\w-]*", page))
    assert {flag for flag in flags if flag != "--no-"} - told == set()
    unknown = told - flags - {"--no-"}
    assert unknown == set()


def test_every_parameter_of_the_model_is_on_the_page_and_no_other(page):
    told = {name for cells in rows(page) for name in re.findall(r"`(\w+)`", cells[0])}
    told -= {"Word2Vec"}
    accepted_only = set(re.findall(r"`(\w+)`", page.split("without effect\n")[1]))
    assert told | accepted_only == PARAMETERS.keys()
    assert told & accepted_only == set()


def test_every_parameter_is_typed():
    for function in (Word2Vec.__init__, Word2Vec.train, Word2Vec.resume):
        for name, parameter in parameters(function).items():
            assert parameter.annotation not in (parameter.empty, "Any"), name


def test_the_signature_holds_every_setting():
    held = {f.name for kind in (Parameters, RunOptions) for f in fields(kind)}
    assert held - PARAMETERS.keys() == {"objective"}  # chosen by hs, softmax and negative


@pytest.mark.parametrize("name", ["vector_size", "window", "min_count", "ns_exponent", "epochs",
                                  "min_alpha", "sample", "seed", "loss_every"])  # fmt: skip
def test_a_default_is_the_same_on_the_page_in_the_help_and_in_python(page, name, capsys):
    (told,) = [cells[2] for cells in rows(page) if cells[0] == f"`{name}`"]
    assert float(told) == PARAMETERS[name].default
    assert cli.main(["train", "--help"]) == 0
    flag = "--" + name.replace("_", "-")
    shown = capsys.readouterr().out.split(f"  {flag} ", 1)[1].split("\n  --", 1)[0]
    assert float(re.search(r"\(([\d.]+)\)", shown)[1]) == PARAMETERS[name].default
