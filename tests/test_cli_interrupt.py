import contextlib
import fcntl
import os
import signal
import subprocess
import termios
import time

import numpy as np
import pytest
from cli_case import command
from training_case import HANG_SECONDS

from fastw2v import cli

pytestmark = pytest.mark.usefixtures("folder")


def interrupted(args, wait_for, stdin=None):
    """Start a command, wait, send Ctrl-C; return its exit code and what it wrote."""
    with subprocess.Popen(
        command(*args), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        wait_for(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANG_SECONDS)
        return process.returncode, out, err


def training(process):
    """Wait until the log tells of training, or the process has ended."""
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError), open("run.jsonl") as file:
            if '"interval"' in file.read():
                return
        time.sleep(0.02)


@pytest.mark.parametrize(
    "mode",
    [["--sg"], ["--sg", "--hs"],
     ["--sg", "--softmax", "--min-count", "1", "--vector-size", "200", "--sample", "0"]],
    ids=["ns", "hs", "softmax"],
)  # fmt: skip
def test_ctrl_c_while_training_leaves_nothing_behind(folder, mode):
    if "--softmax" in mode:  # 20,000 words: a chunk takes a quarter of a second
        words = np.random.default_rng(0).permutation(60_000) % 20_000
        (folder / "corpus.txt").write_text(" ".join(f"w{i}" for i in words))
    (folder / "v").write_text("precious")
    before = set(os.listdir(folder))
    args = ["train", "corpus.txt", "-o", "v", "--workers", "2", "--log", "run.jsonl", *mode]
    args += ["--epochs", "100000000"]  # it would not end by itself
    shown = interrupted(args, training)
    assert shown == (cli.INTERRUPTED, "", "fastw2v: error: interrupted\n")
    assert set(os.listdir(folder)) == before | {"run.jsonl"}
    assert (folder / "v").read_text() == "precious"


def test_ctrl_c_while_reading_a_silent_pipe_leaves_nothing_behind(folder):
    def reading(process):
        process.stdin.write("some words\n")
        process.stdin.flush()
        while fcntl.ioctl(process.stdin, termios.FIONREAD, b"    ") != b"\0\0\0\0":
            time.sleep(0.02)
        time.sleep(0.2)  # for it to wait for more

    before = set(os.listdir(folder))
    args = ["train", "-", "-o", "v"]
    shown = interrupted(args, reading, stdin=subprocess.PIPE)
    assert shown == (cli.INTERRUPTED, "", "fastw2v: error: interrupted\n")
    assert set(os.listdir(folder)) == before
