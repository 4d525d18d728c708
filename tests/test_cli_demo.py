import re
import subprocess

import pytest
from cli_case import command, environment
from small_corpus import topic_sentences

from fastw2v import cli

pytestmark = pytest.mark.usefixtures("folder")


def test_the_demo_shows_neighbours_and_the_next_command(capsys, folder, monkeypatch):
    monkeypatch.setattr("fastw2v.cli.stdlib_text.stdlib_sentences", demo_sentences)
    assert cli.main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^ +list:  \w+ [01]\.\d\d  \w+ ", shown, re.MULTILINE)
    assert "fastw2v train corpus.txt -o " in shown
    assert cli.main(["demo", "-o", "demo.safetensors"]) == 0
    assert "fastw2v nn demo.safetensors list" in capsys.readouterr().out
    assert cli.main(["nn", "demo.safetensors", "list", "-n", "3"]) == 0


def demo_sentences():
    """The corpus of topics, with words that the demo shows."""
    names = {"t0w0": "list", "t1w0": "integer"}
    return ([names.get(word, word) for word in s] for s in topic_sentences())


@pytest.mark.slow
def test_the_demo_runs_on_the_standard_library():
    run = subprocess.run(command("demo"), capture_output=True, text=True, env=environment())
    assert run.returncode == 0
    assert re.search(r"^ +list:  ", run.stdout, re.MULTILINE)
    assert "Traceback" not in run.stderr
