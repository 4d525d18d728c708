import copy
import errno
import fcntl
import os
import pickle
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from cli_case import SMALL, Terminal, command, train

from fastw2v import KeyedVectors, Word2Vec, cli
from fastw2v.run.progress import ProgressLine, format_report
from fastw2v.training.events import EpochRecord, Report

pytestmark = pytest.mark.usefixtures("folder")


def parsed_summary(shown):
    """The numbers of the summary by name."""
    lines = re.findall(r"^(\w[\w ]*?) {2,}([\d,.]+)  (.*)$", shown, re.MULTILINE)
    return {name: (float(number.replace(",", "")), note) for name, number, note in lines}


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_summary_adds_up(capsys, workers):
    args = ["-o", "v.bin", "--min-count", "65", "--sample", "0.005", "--epochs", "3"]
    assert cli.main(["train", "corpus.txt", *args, "--workers", workers]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.endswith("\nwritten to v.bin, format bin\n")
    numbers = parsed_summary(shown.out)
    parts = [numbers[name][0] for name in ("trained", "subsampled", "not in vocabulary")]
    assert min(parts) > 0
    assert sum(parts) == numbers["tokens read"][0] == 3 * 600 * 12
    assert numbers["tokens read"][1] == "7,200 x 3 epochs"
    shares = [float(numbers[name][1].rstrip("%"))
              for name in ("trained", "subsampled", "not in vocabulary")]  # fmt: skip
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert numbers["words"] == (len(KeyedVectors.read("v.bin")), "in 600 sentences")


def test_quiet_says_nothing(capsys):
    assert train("corpus.txt", "-o", "v", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def run_on_terminal(*args, columns=0):
    """Run a command whose stderr is a terminal; return what it showed there and on stdout."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    with subprocess.Popen(command(*args), stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError as error:  # Linux's way to say that the other end is closed
                assert error.errno == errno.EIO
                break
            if not piece:
                break
            shown += piece
        out = process.stdout.read()
        assert process.wait() == 0
    os.close(terminal)
    return shown.decode(), out.decode()


def test_progress_is_one_line_on_a_terminal():
    shown, out = run_on_terminal("train", "corpus.txt", "-o", "v", *SMALL)
    assert "\rread  100%" in shown
    assert "\rtrain 100%" in shown
    lines = [line.rsplit("\r", 1)[-1] for line in shown.replace("\r\n", "\n").split("\n")]
    assert [line[:10] for line in lines] == [
        "read  100%",
        "epoch 1/2 ",
        "epoch 2/2 ",
        "train 100%",
        "",
    ]
    assert lines[3].startswith("train 100%  epoch 2/2  ")
    assert "\r" not in out
    assert out.startswith("tokens read")


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (None, "train  25%  epoch 1/5  2.00 M words/s  alpha 0.0250  loss 2.346  0:30 left"),
        (74, "train  25%  epoch 1/5  2.00 M words/s  alpha 0.0250  loss 2.346  0:30 left"),
        (73, "train  25%  epoch 1/5  2.00 M words/s  loss 2.346  0:30 left"),
        (59, "train  25%  epoch 1/5  loss 2.346  0:30 left"),
        (43, "train  25%  loss 2.346  0:30 left"),
        (30, "train  25%  0:30 left"),
        (20, "train  25%"),
        (5, "train"),
    ],
)
def test_a_narrow_line_leaves_out_what_matters_least(columns, shown):
    report = Report("train", 20_000_000, 80_000_000, 20_000_000, 10.0, 0.025, 2.3456, 1, 5)
    assert format_report(report, columns) == shown


@pytest.mark.parametrize("columns", [80, 40, 12])
def test_a_line_is_never_wider_than_the_terminal(columns):
    shown, _ = run_on_terminal("train", "corpus.txt", "-o", "v", *SMALL, columns=columns)
    lines = re.split(r"[\r\n]+", shown.replace("\x1b[K", ""))
    assert max(map(len, lines)) < columns
    assert any("loss" in line for line in lines) is (columns > 12)


def test_a_terminal_is_told_how_to_end_what_is_typed():
    terminal, end = pty.openpty()
    with subprocess.Popen(
        command("train", "-", "-o", "v", "--min-count", "1", "--sample", "0", *SMALL),
        stdin=end, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(end)
        told = process.stderr.readline()
        os.write(terminal, b"a b a b\n\x04")  # one Ctrl-D
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
    os.close(terminal)
    assert told == b"reading standard input; press Ctrl-D on a new line to end it\n"
    assert KeyedVectors.read("v").index_to_key == ["a", "b"]


def test_quiet_holds_on_a_terminal_too():
    assert run_on_terminal("train", "corpus.txt", "-o", "v", "-q", *SMALL) == ("", "")


def test_progress_in_a_log_is_lines_on_stderr(capsys, monkeypatch):
    monkeypatch.setattr("fastw2v.run.progress.PLAIN_SECONDS", 0.0)
    assert train("corpus.txt", "-o", "v", "--progress") == 0
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[0].startswith("read ")
    assert lines[-1].startswith("train 100%  ")
    assert "\r" not in shown.err
    assert shown.out.startswith("tokens read")
    assert train("corpus.txt", "-o", "v") == 0
    assert capsys.readouterr().err == ""


def test_progress_in_a_log_has_a_line_for_each_epoch_and_ends_at_100_percent(capsys):
    flags = ["--validation", "0.1", "--metric-pairs", "pairs.tsv", "--progress"]
    Path("pairs.tsv").write_text("c0 c1 1\nc0 c2 2\nc1 c2 3\n")
    assert train("corpus.txt", "-o", "v", *flags) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("read  100%  ")
    number = r"-?\d+\.\d{4}"
    for epoch, line in enumerate(lines[1:3], 1):
        start = rf"epoch {epoch}/2  loss {number}  held-out loss {number}  metric {number}  "
        assert re.match(start, line)
    assert lines[3].startswith("train 100%  epoch 2/2  ")
    assert len(lines) == 4


def test_progress_and_quiet_contradict_each_other(capsys):
    assert train("corpus.txt", "-o", "v", "--progress", "--quiet") == 2
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_model_that_shows_progress_can_be_copied(capsys, monkeypatch, copied):
    sentences = [["a", "b"]] * 9
    model = copied(Word2Vec(sentences, workers=1, sample=0, progress=True))
    capsys.readouterr()
    model.train(sentences, epochs=1)
    assert "train 100%" in capsys.readouterr().err
    monkeypatch.setattr("sys.stderr", None)
    copied(model).train(sentences, epochs=1)


def test_what_a_callback_prints_at_the_end_of_an_epoch_starts_a_line():
    terminal = Terminal()
    line = ProgressLine(terminal)
    report = Report("train", 50, 100, 50, 1.0, epoch=1, n_epochs=2)
    line(report)
    line.end_epoch(EpochRecord(1, 2.5, 0.01, 40, 10, 200, 1.0), 2)
    assert terminal.getvalue().endswith("\repoch 1/2  loss 2.5000  0.00 M words/s  1.0 s\x1b[K\n")
    print("printed", file=terminal)
    line.close()
    assert terminal.getvalue().endswith(f"printed\n\r{format_report(report)}\x1b[K\n")


class Sink:
    """What programs put in the place of sys.stderr to send it to a log."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.mark.parametrize("progress", [None, True])
def test_a_stderr_without_isatty_is_no_terminal(monkeypatch, progress):
    sink = Sink()
    monkeypatch.setattr("sys.stderr", sink)
    Word2Vec([["a", "b"]] * 9, workers=1, sample=0, epochs=1, progress=progress)
    assert ("train 100%" in sink.text) is bool(progress)
    assert "\r" not in sink.text
