import fcntl
import os
import signal
import subprocess
import termios
import time

import numpy as np
import pytest
from cli_case import command

from fastw2v import cli

pytestmark = pytest.mark.usefixtures("folder")


def interrupted(args, wait_for, stdin=None):
    """Start a command, send Ctrl-C when its log matches; return code, log and seconds after."""
    with subprocess.Popen(
        command(*args), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        wait_for(process)
        start = time.perf_counter()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err, time.perf_counter() - start


def busy(process):
    """Wait until a process has used half a second of CPU beyond its start, or has ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    while process.poll() is None:
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        if int(fields[11]) + int(fields[12]) > 0.8 * ticks:
            return
        time.sleep(0.02)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "mode",
    [["--sg", "--epochs", "100000"], ["--sg", "--hs", "--epochs", "100000"],
     ["--sg", "--softmax", "--min-count", "1", "--vector-size", "200", "--sample", "0"]],
    ids=["ns", "hs", "softmax"],
)  # fmt: skip
def test_ctrl_c_while_training_leaves_nothing_behind(folder, mode):
    if "--softmax" in mode:  # 20,000 words: a chunk takes a quarter of a second
        words = np.random.default_rng(0).permutation(60_000) % 20_000
        (folder / "corpus.txt").write_text(" ".join(f"w{i}" for i in words))
    (folder / "v").write_text("precious")
    before = set(os.listdir(folder))
    args = ["train", "corpus.txt", "-o", "v", "--workers", "2", *mode]
    code, out, err, seconds = interrupted(args, busy)
    assert (code, out, err) == (cli.INTERRUPTED, "", "fastw2v: error: interrupted\n")
    assert seconds < 2  # less than one, were the machine ours
    assert set(os.listdir(folder)) == before
    assert (folder / "v").read_text() == "precious"


def test_ctrl_c_while_reading_a_silent_pipe_leaves_nothing_behind(folder):
    def reading(process):
        process.stdin.write("some words\n")
        process.stdin.flush()
        while fcntl.ioctl(process.stdin, termios.FIONREAD, b"    ") != b"\0\0\0\0":
            time.sleep(0.02)
        time.sleep(0.2)

    before = set(os.listdir(folder))
    args = ["train", "-", "-o", "v"]
    code, out, err, seconds = interrupted(args, reading, stdin=subprocess.PIPE)
    assert (code, out, err) == (cli.INTERRUPTED, "", "fastw2v: error: interrupted\n")
    assert seconds < 2
    assert set(os.listdir(folder)) == before
