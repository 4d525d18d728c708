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
    named = {
        name
        for name, p in inspect.signature(Word2Vec.__init__).parameters.items()
        if name != "self" and p.kind is not p.VAR_KEYWORD
    }
    named |= {f.name for f in fields(Parameters)} - {"objective"}
    named |= {f.name for f in fields(RunOptions)}
    accepted_only = set(re.findall(r"`(\w+)`", page.split("without effect\n")[1]))
    assert named - told - accepted_only == set()
    assert told - named == set()
