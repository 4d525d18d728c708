import io
import json
import os
import subprocess

import numpy as np
import pytest
from cli_case import command

from fastw2v import KeyedVectors, cli
from fastw2v.formats import WordVectors, write_vectors

WORDS = ["athens", "oslo", "greece", "norway", "zero", "na\udcefve"]


@pytest.fixture
def path(tmp_path, rng):
    """Write vectors in which a country is its capital plus one vector."""
    rows = rng.normal(size=(6, 4)).astype(np.float32)
    rows[2:4] = rows[:2] + rows[5]
    rows[4] = 0
    write_vectors(tmp_path / "v.safetensors", WordVectors(WORDS, rows), "native")
    return str(tmp_path / "v.safetensors")


def answers(capsys, monkeypatch, args, text=""):
    """Run a command on this input and return the lines of its output, and of its errors."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert cli.main(args) == 0
    shown = capsys.readouterr()
    return shown.out.splitlines(), shown.err.splitlines()


def test_nn_shows_the_nearest_words(capsys, path):
    assert cli.main(["nn", path, "athens", "oslo", "-n", "2"]) == 0
    first, second = capsys.readouterr().out.split("\n\n")
    assert first.split()[:2] == ["athens", "cosine"]
    assert len(first.splitlines()) == len(second.splitlines()) == 3


def test_nn_as_json_holds_what_most_similar_finds(capsys, path):
    assert cli.main(["nn", path, "athens", "oslo", "-n", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["vectors"] == path
    assert [query["words"] for query in report["queries"]] == [["athens"], ["oslo"]]
    expected = KeyedVectors.load(path).most_similar("oslo", topn=2)
    found = report["queries"][1]["neighbours"]
    assert [near["word"] for near in found] == [word for word, _ in expected]
    assert found[0]["cosine"] == pytest.approx(expected[0][1], abs=1e-6)


@pytest.mark.parametrize("args", [["nn", "athens"], ["analogy", "athens", "greece", "oslo"]])
def test_queries_of_vectors_that_are_not_finite_are_an_error(tmp_path, capsys, args):
    rows = np.ones((6, 4), np.float32)
    rows[5, 3] = np.nan
    path = str(tmp_path / "v.safetensors")
    write_vectors(path, WordVectors(WORDS, rows), "native")
    assert cli.main([args[0], path, *args[1:]]) == 7
    assert "the vector of 'na\\udcefve' is not finite" in capsys.readouterr().err


def test_nn_answers_lines_of_input(capsys, monkeypatch, path):
    text = "oslo\n\nathens oslo\nathens nowhere\ngreece\n"
    lines, errors = answers(capsys, monkeypatch, ["nn", path, "-n1", "--json"], text)
    found = [json.loads(line) for line in lines]
    assert [query["words"] for query in found] == [line.split() for line in text.splitlines()]
    expected = KeyedVectors.load(path).most_similar(["athens", "oslo"], topn=1)
    assert found[2]["neighbours"][0]["word"] == expected[0][0]
    assert [query.get("error") for query in found] == [
        None, "a query needs a word, got an empty line", None, "no vector for 'nowhere'", None,
    ]  # fmt: skip
    assert errors == [f"fastw2v: {found[i]['error']}" for i in (1, 3)]
    lines, _ = answers(capsys, monkeypatch, ["nn", path, "-n1"], text)
    assert [line.split()[0] for line in lines if "cosine" in line] == ["oslo", "athens", "greece"]


def test_an_unknown_word_hides_no_answer(capsys, path):
    args = ["nn", path, "athens", "nowhere", "oslo", "-n1"]
    assert cli.main(args) == 2
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines() if "cosine" in line] == [
        "athens",
        "oslo",
    ]
    assert shown.err == f"fastw2v: error: {path}: no vector for 'nowhere'\n"
    assert cli.main([*args, "--json"]) == 2
    found = json.loads(capsys.readouterr().out)["queries"]
    assert [query["words"] for query in found] == [["athens"], ["nowhere"], ["oslo"]]
    assert [query.get("error") for query in found] == [None, "no vector for 'nowhere'", None]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("Athens", "athens"), ("OSLO", "oslo"), ("athen", "athens"), ("nowray", "norway"),
     ("gréece", "greece"), ("xoslo", "oslo")],
)  # fmt: skip
def test_an_unknown_word_is_told_what_may_be_meant(capsys, path, given, meant):
    assert cli.main(["nn", path, given]) == 2
    assert capsys.readouterr().err.endswith(
        f": no vector for {given!r} (did you mean {meant!r}?)\n"
    )


def test_a_key_error_of_python_names_the_word_in_another_case(path):
    wv = KeyedVectors.load(path)
    for ask in (lambda: wv["Athens"], lambda: wv.most_similar("Athens")):
        with pytest.raises(KeyError, match=r"Key 'Athens' not present.*; did you mean 'athens'?"):
            ask()
    with pytest.raises(KeyError, match=r"Key 'unheard' not present\"$"):
        wv.get_index("unheard")


def test_json_escapes_no_letters_and_keeps_a_line_a_line(tmp_path, capsys, monkeypatch):
    words = ["한국", "서울", "ten\u2028lines\x85", "naïve"]
    path = str(tmp_path / "v.safetensors")
    write_vectors(path, WordVectors(words, np.eye(4, dtype=np.float32) + 1), "native")
    lines, _ = answers(capsys, monkeypatch, ["nn", path, "--json"], "한국\nnaïve\n")
    assert len(lines) == 2
    assert '"words": ["한국"]' in lines[0] and '"naïve"' in lines[0]
    assert words[2] in [near["word"] for near in json.loads(lines[0])["neighbours"]]


def test_json_is_escaped_where_the_output_has_no_such_letters(tmp_path):
    path = str(tmp_path / "v.safetensors")
    words = ["한국", "\U0001f600"]
    write_vectors(path, WordVectors(words, np.eye(2, dtype=np.float32) + 1), "native")
    shown = subprocess.run(
        command("nn", path, "한국", "--json"), stdout=subprocess.PIPE, check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert json.loads(shown.stdout)["queries"][0]["neighbours"][0]["word"] == words[1]


def test_bytes_that_are_no_unicode_are_a_query_like_any(path):
    shown = subprocess.run(
        command("nn", path, "-n1", "--json"), input=b"na\xefve\noslo\n", capture_output=True
    )
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert [json.loads(line)["words"] for line in shown.stdout.splitlines()] == [
        ["na\udcefve"],
        ["oslo"],
    ]


@pytest.mark.parametrize("options", [[], ["--cosmul"]])
def test_analogy_names_the_fourth_word(capsys, path, options):
    assert cli.main(["analogy", path, "athens", "greece", "oslo", *options]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert " ".join(lines[0]) == "athens : greece = oslo : ? cosine"
    assert lines[1][0] == "norway"
    assert cli.main(["analogy", path, "athens", "greece", "oslo", "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["a"], report["b"], report["c"]) == ("athens", "greece", "oslo")
    assert report["answers"][0]["word"] == "norway"
    assert len(report["answers"]) == 2


def test_analogy_answers_lines_of_input(capsys, monkeypatch, path):
    text = "athens greece oslo\nathens greece\nathens greece nowhere\noslo norway athens\n"
    lines, errors = answers(capsys, monkeypatch, ["analogy", path, "-n1", "--json"], text)
    found = [json.loads(line) for line in lines]
    assert [query["answers"][0]["word"] for query in (found[0], found[3])] == ["norway", "greece"]
    assert [query["error"] for query in found[1:3]] == [
        error.removeprefix("fastw2v: ") for error in errors
    ]
    assert errors == [
        "fastw2v: an analogy needs 3 words A B C, got 2",
        "fastw2v: no vector for 'nowhere'",
    ]
    lines, _ = answers(capsys, monkeypatch, ["analogy", path, "-n1"], text)
    assert lines[1].split()[0] == "norway"


def test_classes_are_printed_written_and_sorted(capfd, tmp_path, path):
    assert cli.main(["classes", path, "2"]) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert [word for word, _ in lines] == [*WORDS[:5], "na\\udcefve"]
    out = tmp_path / "classes"
    assert cli.main(["classes", path, "2", "-o", str(out), "--sort"]) == 0
    assert capfd.readouterr().out == ""
    written = [line.split(b" ") for line in out.read_bytes().splitlines()]
    assert [number for _, number in written] == sorted(
        number for _, number in lines_as_bytes(lines)
    )
    assert b"na\xefve" in [word for word, _ in written]
    assert cli.main(["classes", path, "2", "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["classes"][int(lines[0][1])][0] == "athens"
    assert sum(map(len, report["classes"])) == 6


def lines_as_bytes(lines):
    return [(word.encode(), number.encode()) for word, number in lines]


@pytest.mark.parametrize(
    ("args", "exit_code", "message"),
    [
        (["nn", "PATH", "x", "y", "x"], 2, "no vector for 'x', 'y'"),
        (["nn", "PATH", "oslo", "-n", "0"], 2, "-n must be at least 1, got 0"),
        (["nn", "missing", "oslo"], 4, "cannot read missing: No such file"),
        (["analogy", "PATH", "oslo", "norway"], 2, "an analogy needs 3 words A B C, got 2"),
        (["analogy", "PATH", "oslo", "norway", "x"], 2, "no vector for 'x'"),
        (["classes", "PATH", "0"], 2, "N must be at least 1, got 0"),
        (["classes", "PATH", "7"], 2, "N must be at most the number of words, 6, got 7"),
        (["classes", "PATH", "2", "-o", "missing/f"], 5, "cannot write missing/f: No such"),
    ],
)
def test_an_error_is_one_line_with_its_own_exit_code(capsys, path, args, exit_code, message):
    assert cli.main([path if arg == "PATH" else arg for arg in args]) == exit_code
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
