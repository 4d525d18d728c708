"""The command as a process: its streams, its signals, its threads."""

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cli_case import SMALL, command, fails, train

from fastw2v import Phrases, Word2Vec, cli
from fastw2v.base.threads import run_threads
from fastw2v.corpus.scan import ReadAhead
from fastw2v.errors import OutOfMemoryError, SaveError
from fastw2v.run.log import RunLog
from fastw2v.training.rounds import RoundStop

pytestmark = pytest.mark.usefixtures("folder", "no_thread_left")

TRAIN = ["train", "corpus.txt", "-o", "v.txt", *SMALL]


def shell(redirected, *args, **env):
    """Run a command with its streams redirected; return its exit code and what it printed."""
    shown = subprocess.run(
        ["sh", "-c", f"{shlex.join(command(*args))} {redirected}"],
        capture_output=True, text=True, env=os.environ | env,
    )  # fmt: skip
    return shown.returncode, shown.stdout, shown.stderr


# ---- streams ----


@pytest.mark.parametrize(
    ("redirected", "code", "unbuffered"),
    [
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 5, ""),
        (">/dev/full 2>/dev/full", 5, "1"),
        ("2</dev/null", 0, ""),
    ],
)
def test_a_run_is_saved_whatever_its_streams(folder, redirected, code, unbuffered):
    assert train("corpus.txt", "-o", "start", "-q") == 0
    runs = {
        "v.txt": [*TRAIN, "--progress", "--init-from", "start"],
        "v.bin": ["convert", "start", "v.bin"],
        "joined": ["phrases", "corpus.txt", "-o", "joined"],
    }
    for name, args in runs.items():
        returned, _, err = shell(redirected, *args, PYTHONUNBUFFERED=unbuffered)
        assert (returned, "Traceback" in err) == (code, False), err
        assert (folder / name).read_bytes()
    assert (folder / "v.txt").read_text().startswith("128 8\n")


@pytest.mark.parametrize(("stream", "code"), [("stdout", cli.BROKEN_PIPE), ("stderr", 0)])
def test_a_run_is_saved_though_no_one_reads_its_output(folder, stream, code):
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: writer}
    assert subprocess.run(command(*TRAIN, "--progress"), **streams).returncode == code
    os.close(writer)
    assert (folder / "v.txt").exists()


def test_an_error_keeps_its_exit_code_without_a_stderr():
    assert shell("2>&-", "train", "absent", "-o", "v") == (4, "", "")
    assert shell("2>/dev/full", "nonsense") == (2, "", "")
    assert shell("<&-", "nn", "absent")[0] == 4


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_process_without_a_stderr_shows_no_progress(monkeypatch, is_closed):
    stream = io.StringIO() if is_closed else None
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    for progress in (True, None):
        Word2Vec([["a", "b"]] * 9, min_count=1, vector_size=4, workers=1, progress=progress)


def test_vectors_on_standard_output_are_not_mixed_with_the_report():
    args = ["train", "corpus.txt", "-o", "/dev/stdout", "--format", "text", *SMALL]
    code, out, err = shell("", *args)
    assert code == 0
    assert len(out.splitlines()) == 129
    assert "written to /dev/stdout" in err


# ---- signals ----

SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped by SIGTERM"),
           (signal.SIGHUP, 129, "stopped by SIGHUP")]  # fmt: skip
STOPPED = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Finder())
from fastw2v.cli import main
sys.argv = ["fastw2v", "train", "corpus.txt", "-o", "v", "--validation", "corpus.txt"]
sys.exit(main())
"""


@pytest.mark.parametrize(("number", "code", "text"), SIGNALS)
@pytest.mark.parametrize(
    "module", ["argparse", "fastw2v.cli.train", "numpy", "fastw2v.run.validation"]
)
def test_a_signal_during_imports_is_one_line(folder, module, number, code, text):
    before = set(os.listdir(folder))
    program = STOPPED.format(module=module, number=int(number))
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (code, f"fastw2v: error: {text}\n")
    assert set(os.listdir(folder)) == before


def test_an_interrupt_that_an_import_turns_into_another_error_is_an_interrupt():
    program = """
import sys
from fastw2v.base.threads import interrupt
from fastw2v.cli import info, main

def run(args):
    try:
        interrupt(2, None)
    except KeyboardInterrupt:
        raise ImportError("IMPORTANT") from None

info.run = run
sys.argv = ["fastw2v", "info", "v"]
sys.exit(main())
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (130, "fastw2v: error: interrupted\n")


@pytest.mark.parametrize("name", sorted({*cli.SUBCOMMANDS} - {"completion"}))  # it needs none
def test_the_heaviest_import_comes_before_the_subcommand_runs(name):
    source = (Path(cli.__file__).parent / f"{name}.py").read_text("utf-8")
    module = re.search(r'imports="([\w.]+)"', source)[1]
    program = f"import sys; import {module}; sys.exit('numpy' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


SAVING = """
import os, sys
from fastw2v.base import atomic

def fsync(fd):
    assert len(os.listdir()) == {n_files} + 1
    os.kill(os.getpid(), {number})

atomic.os.fsync = fsync
from fastw2v.cli import main
sys.argv = ["fastw2v", "train", "corpus.txt", "-o", "v", "-q"]
sys.exit(main())
"""


@pytest.mark.parametrize(("number", "code", "text"), SIGNALS)
def test_a_signal_while_saving_leaves_no_temporary(folder, number, code, text):
    before = set(os.listdir(folder))
    program = SAVING.format(n_files=len(before), number=int(number))
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (code, f"fastw2v: error: {text}\n")
    assert set(os.listdir(folder)) == before


def test_a_signal_that_is_ignored_stays_ignored(folder):
    program = SAVING.format(n_files=len(os.listdir(folder)), number=int(signal.SIGHUP))
    program = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + program
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
    assert (folder / "v").exists()


# ---- threads ----


def faulty_starts(monkeypatch, kind, at):
    """Let the `at`-th thread from now be refused, or die before it reports that it runs."""
    name = next(
        name for name in ("_start_joinable_thread", "_start_new_thread") if hasattr(threading, name)
    )
    real, n_started = getattr(threading, name), []

    def start(function, *args, **kwargs):
        n_started.append(1)
        if len(n_started) != at:
            return real(function, *args, **kwargs)
        if kind == "refused":
            raise RuntimeError("can't start new thread")
        return real(lambda: None, *args, **kwargs)

    monkeypatch.setattr(threading, name, start)


@pytest.fixture(params=["refused", "dead"])
def faulty(request, monkeypatch):
    return lambda at: faulty_starts(monkeypatch, request.param, at)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_thread_that_does_not_start_ends_the_others(faulty, at):
    stop, ended = threading.Event(), []

    def body():
        stop.wait()
        ended.append(1)

    faulty(at)
    with pytest.raises(OutOfMemoryError, match="cannot start another thread"):
        run_threads([body] * 3, stop, lambda: None, 0.01, "fastw2v-test")
    assert len(ended) == at - 1


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_training_without_enough_threads_raises(monkeypatch, faulty, deterministic, at):
    settings = {"min_count": 1, "vector_size": 4, "workers": 3, "deterministic": deterministic}
    model = Word2Vec(**settings)
    model.build_vocab([["a", "b", "c"]] * 9_000)
    faulty(at)
    with pytest.raises(OutOfMemoryError, match="cannot start another thread"):
        model.train()


def test_a_worker_that_fails_before_its_round_ends_the_others(monkeypatch):
    model = Word2Vec(min_count=1, vector_size=4, workers=3, deterministic=True)
    model.build_vocab([["a", "b", "c"]] * 9_000)
    begun, let_begin = threading.Event(), RoundStop.let_begin

    def one_fails(given, *how):
        def fail():
            begun.wait(0.2)  # never set: the round must not begin without this worker
            raise MemoryError

        run_threads([fail, *given[1:]], *how)

    def note(stop):
        let_begin(stop)
        begun.set()

    monkeypatch.setattr(RoundStop, "let_begin", note)
    monkeypatch.setattr("fastw2v.training.trainer.run_threads", one_fails)
    with pytest.raises(MemoryError):
        model.train()
    assert not begun.is_set()


@pytest.mark.parametrize("corpus", ["corpus.txt", "corpus.txt.gz"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_command_without_enough_threads_is_one_line(capsys, monkeypatch, corpus, at):
    faulty_starts(monkeypatch, "refused", at)
    message = (
        "cannot start another thread: can't start new thread; use fewer workers, or raise the "
        "limits on threads and memory"
    )
    fails(capsys, ["train", corpus, "-o", "v", "--workers", "2"], 8, message)


def test_phrases_without_enough_threads_raise(faulty):
    phrases = Phrases(workers=2)
    faulty(1)
    with pytest.raises(OutOfMemoryError, match="cannot start another thread"):
        phrases.add_vocab([["new", "york"]] * 99)


def test_a_reader_that_dies_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(ReadAhead, "_fill", lambda *_: exec("raise MemoryError"))
    ahead = ReadAhead(iter(range(9)), threading.Event(), "fastw2v-test")
    with pytest.raises(MemoryError):
        next(ahead)
    ahead.join()


# ---- names ----


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["train", "corpus.txt", "-o", ""], "--output"),
        (["train", "", "-o", "v"], "CORPUS"),
        (["train", "corpus.txt", "-o", "v", "--tokenizer="], "--tokenizer"),
        (["train", "corpus.txt", "-o", "v", "--checkpoint", ""], "--checkpoint"),
        (["train", "corpus.txt", "-o", "v", "--log", ""], "--log"),
        (["train", "corpus.txt", "-o", "v", "--save-vocab", ""], "--save-vocab"),
        (["word2vec", "-train", "corpus.txt", "-output", ""], "-output"),
        (["phrases", "corpus.txt", "-o", "p", "--list", ""], "--list"),
        (["evaluate", "v", "--pairs", "a", ""], "--pairs"),
        (["convert", "v", ""], "TO"),
        (["classes", "v", "3", "-o", ""], "--output"),
        (["demo", "-o", ""], "--output"),
        (["info", ""], "FILE"),
        (["nn", ""], "VECTORS"),
    ],
)
def test_an_empty_name_is_a_usage_error(capsys, args, name):
    fails(capsys, args, 2, f"{name} must not be empty, got ''")


def test_an_empty_tokenizer_in_a_configuration_is_a_usage_error(capsys, folder):
    (folder / "run.toml").write_text('tokenizer = ""\n')
    message = "tokenizer in run.toml must be whitespace, words, simple or module:function, got ''"
    fails(capsys, ["train", "corpus.txt", "-o", "v", "--config", "run.toml"], 2, message)


@pytest.mark.parametrize(
    "args",
    [
        ["train", "corpus.txt", "-o", "pipe"],
        ["train", "corpus.txt", "-o", "v", "--save-vocab", "pipe"],
        ["phrases", "corpus.txt", "-o", "pipe"],
        ["convert", "v", "pipe", "--to", "text"],
        ["classes", "v", "3", "-o", "pipe"],
        ["demo", "-o", "pipe"],
    ],
)
def test_a_pipe_that_no_program_reads_is_refused(capsys, args):
    os.mkfifo("pipe")
    message = (
        "cannot write pipe: no program reads this pipe; start its reader first, or write to a file"
    )
    fails(capsys, args, 5, message)


def test_a_pipe_whose_reader_leaves_during_training_loses_no_model(capsys, folder, monkeypatch):
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    real = Word2Vec.train

    def training(model):
        os.close(reader)
        return real(model)

    monkeypatch.setattr(Word2Vec, "train", training)
    assert train("corpus.txt", "-o", "pipe", "--format", "text") == 5
    assert "no program reads this pipe" in capsys.readouterr().err
    assert list(folder.glob("fastw2v-rescued-*"))


def test_a_log_that_no_program_reads_is_refused():
    os.mkfifo("pipe")
    with pytest.raises(SaveError, match="cannot write pipe"):
        RunLog("pipe", {})


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("import sys; sys.exit(0)", 2, "--tokenizer 'own:f' cannot be imported: SystemExit: 0"),
        ("def f(line): raise SystemExit(0)", 1, "a function of the user ended the run: exit 0"),
        ("f = 3", 2, "--tokenizer 'own:f' is not callable"),
    ],
)
def test_a_function_that_ends_the_process_is_no_success(folder, text, code, message):
    (folder / "own.py").write_text(text)
    shown = shell("", "train", "corpus.txt", "-o", "v", "--tokenizer", "own:f")
    assert shown == (code, "", f"fastw2v: error: {message}\n")
    assert not (folder / "v").exists()
