"""Queries that are typed on a terminal."""

import errno
import os
import pty
import subprocess

import numpy as np
import pytest
from cli_case import command

from fastw2v.formats import WordVectors, write_vectors

pytest.importorskip("readline")
SHOWN = [b""]  # all that the latest command showed
CTRL_C, CTRL_D = b"\x03", b"\x04"


@pytest.fixture
def path(tmp_path, rng):
    words = ["king", "queen", "kingdom", "man", "woman"]
    rows = rng.normal(size=(5, 4)).astype(np.float32)
    write_vectors(tmp_path / "v.safetensors", WordVectors(words, rows), "native")
    return str(tmp_path / "v.safetensors")


def typed(args, *typing):
    """Run a command on a terminal; type each text once its prompt is there.

    Returns the exit code and the text shown after each prompt.
    """
    terminal, end = pty.openpty()
    # The first to open a terminal in a new session gets its Ctrl-C.
    opened = ["sh", "-c", 'tty=$0; exec "$@" <"$tty" >"$tty" 2>&1', os.ttyname(end)]
    with subprocess.Popen(
        [*opened, *command(*args)], start_new_session=True, env={**os.environ, "TERM": "dumb"}
    ) as process:
        shown, typing = b"", list(typing)
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError as error:  # Linux's way to say that the other end is closed
                assert error.errno == errno.EIO
                break
            if not piece:
                break
            if not shown:
                os.close(end)  # by now the command has it open
            shown += piece
            if typing and shown.endswith(b" or EXIT: "):
                os.write(terminal, typing.pop(0))
        code = process.wait(60)
    SHOWN[:] = [shown]
    os.close(terminal)
    assert not typing
    return code, shown.decode().replace("\r\n", "\n").split(" or EXIT: ")[1:]


@pytest.mark.parametrize("end", [b"EXIT\n", CTRL_D])
def test_exit_and_ctrl_d_leave_cleanly(path, end):
    code, shown = typed(["nn", path, "-n1"], b"king\n", b"King\n", end)
    assert code == 0
    assert "cosine\n" in shown[0]
    assert "no vector for 'King' (did you mean 'king'?)\n" in shown[1]
    assert shown[2] == ("EXIT\n" if end != CTRL_D else "\n")


def test_ctrl_c_at_the_prompt_is_one_line(path):
    # A signal between the prompt and the wait for a key would be handled at the next key only.
    code, shown = typed(["nn", path], CTRL_C + b"\n")
    assert code == 130
    assert shown[0].replace("^C", "").strip() == "fastw2v: error: interrupted"


def test_a_line_can_be_edited_and_words_completed(path):
    code, shown = typed(["nn", path, "-n1"], b"quX\x7f\t\n", CTRL_D)  # Backspace, Tab
    assert code == 0
    assert "queen    cosine\n" in shown[0]
    code, shown = typed(["analogy", path, "-n1"], b"man qu\t wom\t\n", b"EXIT\n")
    assert code == 0
    assert "man : queen = woman : ?" in shown[0]


def test_classes_shows_its_progress_on_a_terminal_alone(path):
    code, _ = typed(["classes", path, "2"])
    assert code == 0
    assert b"classes 100%" in SHOWN[-1]
    silent = subprocess.run(command("classes", path, "2"), capture_output=True, check=True)
    assert silent.stderr == b""
