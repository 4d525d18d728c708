"""System calls that fail, each of them once, while a command writes; see fault_case."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_case import CONVERTED, KILLED, Outcome

SOURCE = Path(__file__).with_name("fault_shim.c")
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
LINE = re.compile(r"(fastw2v: warning: .+\n)*(fastw2v: error: .+\n)?")

pytestmark = pytest.mark.skipif(
    COMPILER is None or not sys.platform.startswith("linux"),
    reason="the fault shim needs a C compiler and LD_PRELOAD",
)


@pytest.fixture(autouse=True)
def slow_ones_only_when_asked_for(request):
    if request.node.get_closest_marker("slow") and "slow" not in request.config.option.markexpr:
        pytest.skip("takes a minute in all; run with -m slow")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    path = tmp_path_factory.mktemp("shim") / "fault_shim.so"
    command = [COMPILER, "-O1", "-shared", "-fPIC", "-o", path, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return path


def outcomes(shim, folder, name, kind, error, step=1):
    folder.mkdir()
    places = os.pathsep.join([str(SOURCE.parent), os.environ["PYTHONPATH"]])
    environment = {
        **os.environ,
        "PYTHONPATH": places,
        "LD_PRELOAD": str(shim),
        "OPENBLAS_NUM_THREADS": "1",  # a process with threads must not fork
    }
    command = [sys.executable, str(SOURCE.with_name("fault_case.py")), name, kind]
    shown = subprocess.run(
        [*command, str(error), str(step)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stderr
    found = [Outcome(*outcome) for outcome in json.loads(shown.stdout.splitlines()[-1])]
    assert found
    return found


def check(found, allowed):
    """Every failure is one line and a documented exit code, and nothing is left or mixed."""
    for run in found:
        assert run.status in allowed, run
        assert LINE.fullmatch(run.shown), run
        assert ("error:" in run.shown) == (run.status != 0), run
        assert run.left == [], run
        # An error after the last rename leaves the new file.
        assert run.output in (("new", "old") if run.status else ("new",)), run


FAULTS = {"write": errno.ENOSPC, "fsync": errno.EIO, "rename": errno.EIO, "close": errno.EIO}
SLOW = pytest.mark.slow
CASES = [
    *[
        pytest.param(name, kind, marks=[] if (name, kind) in {("hf", "rename")} else SLOW)
        for name in CONVERTED
        for kind in FAULTS
    ],
    pytest.param("checkpoint", "fsync", marks=SLOW),
    pytest.param("checkpoint", "write", marks=SLOW),
    pytest.param("checkpoint", "rename", marks=SLOW),
    pytest.param("checkpoint", "close", marks=SLOW),
    pytest.param("spool", "write", marks=SLOW),
    pytest.param("spool", "close", marks=SLOW),
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_call_that_fails_is_one_line_and_leaves_the_old_output(shim, tmp_path, name, kind):
    check(outcomes(shim, tmp_path / "runs", name, kind, FAULTS[kind]), (0, 4, 5))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["native", "hf", "tsv"])
def test_memory_that_cannot_be_mapped_is_one_line(shim, tmp_path, name):
    # Not while training: Thread.start of CPython waits for ever for a thread without memory.
    check(outcomes(shim, tmp_path / "runs", name, "mmap", errno.ENOMEM), (0, 8))


def test_a_spool_that_cannot_be_read_back_is_named(shim, tmp_path):
    found = outcomes(shim, tmp_path / "runs", "spool", "read", errno.EIO, 4)
    check(found, (4,))
    assert any("cannot read word ids back from the temporary file" in run.shown for run in found)


@pytest.mark.parametrize(
    "name", ["tsv", *(pytest.param(name, marks=SLOW) for name in CONVERTED if name != "tsv")]
)
def test_a_kill_at_any_call_leaves_the_old_output_the_new_one_or_an_error(shim, tmp_path, name):
    found = outcomes(shim, tmp_path / "runs", name, "any", KILLED)
    assert {run.status for run in found} == {-signal.SIGKILL}
    readable = {"old", "new"} | ({"ReadError"} if name in {"hf", "tsv"} else set())
    assert {run.output for run in found} <= readable
    assert [run.left for run in found if run.left] == []  # after the next save
