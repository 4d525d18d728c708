"""docs/coming-from-gensim.md names what there is."""

import inspect
import re
from pathlib import Path

import pytest

from fastw2v import Word2Vec, cli
from fastw2v.cli.word2vec import RENAMED

PAGE = Path(__file__).parent.parent / "docs" / "coming-from-gensim.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the page is not beside the tests")


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text("utf-8")


def tables(page, heading):
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(line for line in section.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("method", ["__init__", "build_vocab", "build_vocab_from_freq", "train"])
def test_every_parameter_of_gensim_is_in_a_table(page, method):
    named = set(re.findall(r"\w+", tables(page, "Parameters")))
    parameters = inspect.signature(getattr(Word2Vec, method)).parameters.values()
    positional = {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD} - {"self"}
    assert positional - named == set()


def test_every_flag_told_is_a_flag_of_train(page, capsys):
    assert cli.main(["train", "--help"]) == 0
    accepted = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    told = set()
    for heading in ("word2vec.c", "fastText"):
        told |= set(re.findall(r"`[^`|]*?(--[\w-]+)", tables(page, heading)))
    assert len(told) > 15
    assert told - accepted == set()


def test_every_flag_of_word2vec_c_is_in_its_table(page):
    flags = {f"-{name}" for name in RENAMED} | {"-train", "-output", "-cbow", "-binary"}
    flags |= {"-classes", "-debug", "-save-vocab", "-read-vocab"}
    told = re.findall(r"(?<![\w-])-[a-z][\w-]*", tables(page, "word2vec.c"))
    assert flags - set(told) == set()


def test_the_command_for_fasttext_is_accepted(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("some words of text\n" * 2000)
    command = re.search(r"^fastw2v (train corpus.txt -o v.vec .*)$", page, re.MULTILINE)[1]
    assert cli.main(command.split()) == 0
