import re
import subprocess

import pytest
from cli_case import command
from small_corpus import topic_sentences

from fastw2v import cli
from fastw2v.cli import demo, demo_text

pytestmark = pytest.mark.usefixtures("folder")


def test_the_demo_shows_neighbours_and_the_next_command(capsys, monkeypatch):
    monkeypatch.setattr(demo, "demo_sentences", topic_sentences_with_shown_words)
    assert cli.main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^list +\w+ +[01]\.\d\d +\w+ ", shown, re.MULTILINE)
    assert re.search(r"^trained +[\d,]+ ", shown, re.MULTILINE)
    assert "fastw2v train corpus.txt -o " in shown
    assert max(map(len, shown.splitlines())) <= 100
    assert cli.main(["demo", "-o", "demo.safetensors"]) == 0
    assert "fastw2v nn demo.safetensors list" in capsys.readouterr().out
    assert cli.main(["nn", "demo.safetensors", "list", "-n", "3"]) == 0


def topic_sentences_with_shown_words():
    names = {"t0w0": "list", "t1w0": "month"}
    return ([names.get(word, word) for word in s] for s in topic_sentences())


def test_the_demo_reads_each_paragraph_of_prose_once(folder, monkeypatch):
    (folder / "package" / "tests").mkdir(parents=True)
    (folder / "package" / "tests" / "a.py").write_text('"""A test is not read."""\n')
    (folder / "package" / "b.py").write_text(
        '"""Sort a list.\n\n    >>> sort(the_list)\n\nThe list\nmust be short.\n"""\n'
        "text = '''not prose'''\n# Two lines\n#   of comment.\n"
        "def sort(numbers):\n    '''Sort a list.'''\n"
    )
    monkeypatch.setattr(demo_text, "source_folders", lambda: [folder / "package"])
    sentences = list(demo_text.demo_sentences())
    expected = ["sort list", "the list must be short", "two lines of comment"]
    assert [" ".join(words) for words in sentences[-3:]] == expected
    assert len(set(map(tuple, sentences))) == len(sentences)
    built_in = " ".join(word for words in sentences for word in words)
    assert "return the length of the string" in built_in or "number of items" in built_in


def test_the_demo_reads_modules_that_are_deprecated(folder, monkeypatch):
    (folder / "old_module.py").write_text(
        "import warnings\n\nwarnings.warn('old', DeprecationWarning)\n\n\n"
        "def pair(): 'Return both.'\n"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(demo_text.sys, "builtin_module_names", ("old_module",))
    assert "Return both." in list(demo_text.built_in_help())


@pytest.mark.slow
def test_the_demo_finds_words_of_like_meaning():
    run = subprocess.run(command("demo"), capture_output=True, text=True)
    assert run.returncode == 0
    rows = {line.split()[0]: line.split()[1::2] for line in run.stdout.splitlines() if line}
    likely = {"true": "false", "row": "column", "larger": "smaller", "month": "year"}
    assert [word for word, near in likely.items() if near not in rows[word]] == []
    assert "Traceback" not in run.stderr
