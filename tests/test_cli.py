import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fastw2v
from fastw2v import cli
from fastw2v.errors import DivergedError
from fastw2v.formats import WordVectors, read_vectors, write_vectors

WORDS = ["athens", "oslo", "greece", "norway", "zero", "na\udcefve"]


@pytest.fixture
def model(tmp_path, rng):
    """Write a native model with one row of zeros, and return its path as text."""
    rows = rng.normal(size=(6, 4)).astype(np.float32)
    rows[2:4] = rows[:2] + rows[5]
    rows[4] = 0
    vectors = WordVectors(
        WORDS, rows, np.arange(6, 0, -1), output_vectors=rows, settings={"window": 5}
    )
    write_vectors(tmp_path / "model.safetensors", vectors, "native")
    return str(tmp_path / "model.safetensors")


@pytest.fixture
def tasks(tmp_path):
    (tmp_path / "questions").write_text(": capital\nathens greece oslo norway\na b c d\n")
    (tmp_path / "pairs").write_text(
        "athens\toslo\t1\nathens\tgreece\t2\noslo\tnorway\t3\nx\ty\t1\n"
    )
    return [f"--analogies={tmp_path / 'questions'}", "--pairs", str(tmp_path / "pairs")]


def test_evaluate_prints_a_table(capsys, model, tasks):
    assert cli.main(["evaluate", model, *tasks]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [
        ["analogies", "accuracy", "correct", "asked", "skipped", "covered"],
        ["capital", "100.0", "%", "1", "1", "1", "50.0", "%"],
    ]
    assert lines[3] == ["syntactic", "-", "0", "0", "0", "-"]
    assert lines[4] == ["total", "100.0", "%", "1", "1", "1", "50.0", "%"]
    assert lines[-1][0] == tasks[2]
    assert lines[-1][-3:] == ["4", "75.0", "%"]


def test_evaluate_prints_json_without_nan(capsys, model, tasks):
    assert cli.main(["evaluate", model, *tasks, "--json", "--restrict-vocab", "0"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert report["analogies"]["total"]["accuracy"] == 1
    assert report["analogies"]["sections"][0]["coverage"] == 0.5
    assert report["analogies"]["syntactic"]["accuracy"] is None
    assert report["analogies"]["restrict_vocab"] is None
    assert report["pairs"][0]["coverage"] == 0.75


def test_info_tells_what_a_model_holds(capsys, model):
    assert cli.main(["info", model, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bytes"] == os.path.getsize(model)
    expected = {"format": "native", "words": 6, "dimension": 4, "dtype": "float32"}
    expected |= {"output_vectors": True, "output_bias": False, "input_bias": False}
    expected |= {"rows_of_zeros": 1}
    expected |= {"settings": {"window": 5}, "rows_not_finite": 0}
    assert {key: facts[key] for key in expected} == expected
    assert facts["first_words"][0] == ["athens", 6]
    assert cli.main(["info", model]) == 0
    shown = capsys.readouterr().out
    assert "rows of zeros    1" in shown
    assert "window" in shown


def test_info_adds_up_the_files_of_a_folder(capsys, tmp_path, rng):
    rows = rng.normal(size=(2, 4)).astype(np.float32)
    folder = str(tmp_path / "hf")
    write_vectors(folder, WordVectors(["a", "b"], rows), "hf")
    n_bytes = sum(path.stat().st_size for path in (tmp_path / "hf").iterdir())
    tsv = str(tmp_path / "v.tsv")
    write_vectors(tsv, WordVectors(["a", "b"], rows), "tsv")
    assert cli.main(["info", tsv, "--json"]) == 0
    both = sum(path.stat().st_size for path in tmp_path.glob("*.tsv"))
    assert json.loads(capsys.readouterr().out)["bytes"] == both
    for path in (folder, f"{folder}/"):
        assert cli.main(["info", path, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["bytes"] == n_bytes


def test_words_that_are_not_unicode_are_printed(capfd, model):
    assert cli.main(["info", model]) == 0
    assert "na\\udcefve" in capfd.readouterr().out


@pytest.mark.parametrize("suffix", [".txt", ".bin", ".vec", ".safetensors"])
def test_convert_follows_the_suffix(capsys, tmp_path, model, suffix):
    target = tmp_path / f"target{suffix}"
    assert cli.main(["convert", model, str(target)]) == 0
    written, read = read_vectors(model), read_vectors(target)
    assert read.words == WORDS
    np.testing.assert_array_equal(read.vectors, written.vectors)
    shown = capsys.readouterr().out
    assert ("left out" in shown) is (suffix != ".safetensors")
    assert ("counts, output vectors, settings" in shown) is (suffix != ".safetensors")


def test_convert_takes_formats_by_name(tmp_path, model):
    target = str(tmp_path / "target")
    assert cli.main(["convert", model, target, "--from", "native", "--to", "glove"]) == 0
    assert read_vectors(target, "glove").words == WORDS


@pytest.mark.parametrize(
    ("args", "exit_code", "message"),
    [
        (["evaluate", "MODEL"], 2, "nothing to evaluate"),
        (["evaluate", "MODEL", "--pairs", "missing"], 4, "cannot read missing: No such file"),
        (
            ["evaluate", "MODEL", "--pairs", "MODEL"],
            3,
            "a safetensors file, such as a fastw2v model, not text",
        ),
        (["evaluate", "MODEL", "--pairs", "x", "--restrict-vocab", "-1"], 2, "at least 0, got -1"),
        (["info", "missing"], 4, "cannot read missing: No such file"),
        (["info", __file__], 7, "not a vectors file of a known format"),
        (["convert", "MODEL", "out.gz"], 2, "format 'native' cannot be compressed"),
        (["convert", "MODEL", "out", "--to", "x"], 2, "format must be one of native, text"),
        (["convert", "MODEL", "missing/out.txt"], 5, "cannot write missing/out.txt: No such"),
    ],
)
def test_an_error_is_one_line_with_its_own_exit_code(capsys, model, args, exit_code, message):
    assert cli.main([model if arg == "MODEL" else arg for arg in args]) == exit_code
    shown = capsys.readouterr()
    assert shown.err.startswith("fastw2v: error: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "exit_code"),
    [(KeyboardInterrupt(), 130), (MemoryError(), 8), (DivergedError("not finite"), 6)],
)
def test_every_way_out_has_its_exit_code(capsys, monkeypatch, model, raised, exit_code):
    def fail(*_):
        raise raised

    monkeypatch.setattr("fastw2v.formats.detect_format", fail)
    assert cli.main(["info", model]) == exit_code
    assert capsys.readouterr().err.count("\n") == 1


def test_a_warning_is_one_line(capsys, tmp_path):
    (tmp_path / "v").write_bytes(b"2 1\na 1\na 2\n")
    assert cli.main(["info", str(tmp_path / "v")]) == 0
    assert capsys.readouterr().err.startswith("fastw2v: warning: ")


@pytest.mark.parametrize("args", [["fly"], ["nn"]])
def test_wrong_arguments_are_usage_errors(capsys, args):
    assert cli.main(args) == 2
    assert "usage: fastw2v" in capsys.readouterr().err


def test_version_and_help_are_shown(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"fastw2v {fastw2v.__version__}\n"
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in cli.SUBCOMMANDS)


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from fastw2v.cli import main; main(['--help']); "
        "print(*[m for m in ('scipy', 'safetensors') if m in sys.modules], file=sys.stderr)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stderr.split() == []


@pytest.mark.parametrize(("asked", "used"), [({}, "4"), ({"OPENBLAS_THREAD_TIMEOUT": "20"}, "20")])
def test_blas_threads_sleep_unless_the_user_says_how_long_they_spin(asked, used):
    code = (
        "import os, sys; from fastw2v.cli import main; main(['--version']); "
        "print(os.environ['OPENBLAS_THREAD_TIMEOUT'], 'numpy' in sys.modules)"
    )
    environ = {k: v for k, v in os.environ.items() if k != "OPENBLAS_THREAD_TIMEOUT"} | asked
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[-2:] == [used, "False"]  # it is read when NumPy is imported


def test_a_reader_that_goes_away_is_no_error(model):
    command = [sys.executable, "-m", "fastw2v", "info", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == cli.BROKEN_PIPE


def test_the_module_runs_as_a_command():
    shown = subprocess.run([sys.executable, "-m", "fastw2v", "--help"], capture_output=True)
    assert (shown.returncode, shown.stderr) == (0, b"")
