"""What the commands say of themselves."""

import re

import pytest
from cli_case import train

from fastw2v import cli
from fastw2v.cli.settings import SETTING_FLAGS
from fastw2v.corpus import VocabularyRules
from fastw2v.formats import read_vectors
from fastw2v.training.objectives import (
    FULL_SOFTMAX,
    HIERARCHICAL_SOFTMAX,
    NEGATIVE_SAMPLING,
    OBJECTIVES,
)
from fastw2v.training.parameters import Parameters


def test_without_a_command_the_help_is_shown(capsys):
    assert cli.main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "train word vectors on text files" in shown.err


@pytest.mark.parametrize("name", cli.SUBCOMMANDS)
def test_help_fits_a_terminal_and_describes_every_flag(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    flags = [i for i, line in enumerate(lines) if re.match(r"  -", line)]
    for i in flags:
        described = re.search(r"\S  +\S", lines[i][2:]) or re.match(r" {10,}\S", lines[i + 1])
        assert described, lines[i]


def test_help_tells_the_defaults():
    parameters, rules = Parameters(), VocabularyRules()
    for name, (kind, text) in SETTING_FLAGS.items():
        told = re.search(r"\(([\d.]+)\)", text)
        if told and name != "alpha":
            owner = rules if hasattr(rules, name) else parameters
            assert kind(told[1]) == getattr(owner, name), name
    rates = [float(number) for number in re.findall(r"[\d.]*\d", SETTING_FLAGS["alpha"][1])]
    modes = [NEGATIVE_SAMPLING.skipgram, NEGATIVE_SAMPLING.cbow, HIERARCHICAL_SOFTMAX.cbow]
    assert rates == [mode.alpha for mode in modes]
    assert len({objective.skipgram.alpha for objective in OBJECTIVES.values()}) == 1
    assert FULL_SOFTMAX.cbow.alpha == NEGATIVE_SAMPLING.cbow.alpha


def test_a_flag_takes_back_what_the_configuration_sets(folder):
    (folder / "run.toml").write_text("hs = true\nshrink_windows = false\nbias = true\n")
    flags = ["--no-hs", "--shrink-windows", "--no-bias"]
    assert train("corpus.txt", "-o", "v", "--config", "run.toml", *flags) == 0
    settings = read_vectors("v").settings
    assert (settings["objective"], settings["shrink_windows"], settings["bias"]) == (
        "ns", True, False,
    )  # fmt: skip
