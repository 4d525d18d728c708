"""Completion in bash, zsh and fish, by argcomplete."""

import os
import shutil
import subprocess

import pytest
from cli_case import command

from fastw2v import cli
from fastw2v.cli.completion import SHELLS

argcomplete = pytest.importorskip("argcomplete")


def completed(folder, line, shell="bash"):
    """Return what the command answers to a shell that completes this line."""
    asked = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": shell, "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": str(folder / "answer"),
    }  # fmt: skip
    run = subprocess.run(command(), env={**os.environ, **asked}, cwd=folder, capture_output=True)
    assert run.returncode == 0, run.stderr
    return (folder / "answer").read_text().split()


def test_commands_flags_and_values_are_completed(tmp_path):
    assert completed(tmp_path, "fastw2v tr") == ["train"]
    assert set(cli.SUBCOMMANDS) <= set(completed(tmp_path, "fastw2v "))
    assert completed(tmp_path, "fastw2v train --vector-s") == ["--vector-size"]
    assert completed(tmp_path, "fastw2v train --format nat") == ["native"]
    assert completed(tmp_path, "fastw2v completion fi") == ["fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_code(capsys, shell):
    assert cli.main(["completion", shell]) == 0
    code = capsys.readouterr().out
    assert "fastw2v" in code
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=code.encode(), check=True)


def test_bash_completes_the_command(tmp_path):
    code = subprocess.run(command("completion", "bash"), capture_output=True, check=True).stdout
    shown = subprocess.run(
        ["bash", "--norc", "-c", f"{code.decode()}\ncomplete -p fastw2v"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.endswith(" fastw2v\n")
