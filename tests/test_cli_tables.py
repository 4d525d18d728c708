"""Tables keep to the width of the terminal, and lose nothing."""

import re

import pytest
from cli_case import SMALL, train

from fastw2v import cli
from fastw2v.cli.command import text_width, wrapped
from fastw2v.cli.output import table_lines

pytestmark = pytest.mark.usefixtures("folder")
WIDE = [("word", "cosine"), ("한국", "0.9"), ("x" * 50, "0.8"), ("two words " * 6, "0.7")]


@pytest.fixture
def shown(capsys, monkeypatch, folder):
    """Return a function that runs a command at a width and returns its lines."""
    assert train("corpus.txt", "-o", "v.safetensors") == 0
    (folder / "q").write_text(": a long name of a section\nc0 c1 t1w1 t1w2\n")
    (folder / "p").write_text("c0\tc1\t1\nc1\tt1w1\t2\nc0\tt1w2\t3\n")

    def run(columns, *args):
        capsys.readouterr()
        monkeypatch.setenv("COLUMNS", str(columns))
        assert cli.main([*args]) == 0
        return capsys.readouterr().out.splitlines()

    return run


COMMANDS = [
    ("train", "corpus.txt", "-o", "new.vec", "--validation", "0.1", *SMALL),
    ("nn", "v.safetensors", "c0", "c1"),
    ("analogy", "v.safetensors", "c0", "c1", "t1w1"),
    ("info", "v.safetensors"),
    ("evaluate", "v.safetensors", "--analogies", "q", "--pairs", "p"),
    ("phrases", "corpus.txt", "-o", "text", "--threshold", "0.1", "--min-count", "1"),
]


@pytest.mark.parametrize("args", COMMANDS, ids=lambda args: args[0])
def test_the_tables_of_a_command_fit_40_columns(shown, args):
    wide, narrow = shown(200, *args), shown(40, *args)
    assert max(map(text_width, narrow)) <= 40

    def told(lines):
        words = set(re.sub(r"\s+", " ", " ".join(lines)).split())
        return {word for word in words if not re.search(r"\d\.\d|^\d+$", word)}  # times differ

    assert told(wide) <= told(narrow)


@pytest.mark.parametrize("command", cli.SUBCOMMANDS)
def test_the_help_of_a_command_fits_40_columns_but_for_its_usage(shown, command):
    text = "\n".join(shown(40, command, "--help"))
    assert max(map(len, text.partition("\n\n")[2].splitlines())) <= 40


@pytest.mark.parametrize("width", [12, 20, 40, 80, 200, None])
def test_a_table_of_words_is_wrapped_and_aligned(width):
    lines = table_lines(WIDE, 1, width)
    assert width is None or max(map(text_width, lines)) <= max(width, 16)
    assert "".join("".join(lines).split()).count("x") == 50
    ends = {text_width(line) for line in lines if re.search(r"cosine$|0\.\d$", line)}
    assert len(ends) == 1  # numbers end in one column, beside Korean too


@pytest.mark.parametrize("width", range(1, 30))
@pytest.mark.parametrize("indent", [0, 4])
def test_wrapped_text_loses_only_spaces(width, indent):
    for text in ("", "a", "한국어 " * 9, "word " * 9, "x" * 50, "a  b" * 9, " " * 60):
        lines = wrapped(text, width, indent)
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert max(map(text_width, lines)) <= max(width, indent + 8)


def test_a_table_without_a_terminal_is_not_wrapped(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert train("corpus.txt", "-o", "v") == 0
    assert "nats per prediction; negative sampling, 5 negative samples" in capsys.readouterr().out
