"""What an installation says that cannot work, and which compiler it takes."""

import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "setup.py").exists():
    pytest.skip("the sources are not beside the tests", allow_module_level=True)
pytest.importorskip("Cython")


@pytest.fixture
def build(monkeypatch):
    """What setup.py defines, without a build."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("setuptools.setup", lambda **_: None)
    monkeypatch.setattr("Cython.Build.cythonize", lambda *_, **__: [])
    monkeypatch.delenv("CC", raising=False)
    return runpy.run_path("setup.py")["choose_compiler"]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return a function that puts only these programs on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(*names):
        for name in names:
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("there", "taken"),
    [(["clang"], "clang"), (["clang", "gcc"], "gcc"), (["clang", "gcc", "cc"], "cc")],
)
def test_compilers_are_tried_in_turn(build, programs, monkeypatch, there, taken):
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: "x86_64-gcc -pthread")
    programs(*there)
    build()
    assert os.environ.pop("CC") == taken


def test_the_compiler_of_python_is_taken_where_it_is_there(build, programs, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: "x86_64-gcc -pthread")
    programs("x86_64-gcc", "clang")
    build()
    assert "CC" not in os.environ


def test_a_compiler_that_is_missing_is_one_line(build, programs, monkeypatch):
    with pytest.raises(SystemExit, match="needs a C compiler, and none of cc, gcc, clang is found"):
        build()
    monkeypatch.setenv("CC", "mycc -O2")
    with pytest.raises(SystemExit, match="CC=mycc -O2 is not found: unset CC, or name a C"):
        build()


def test_missing_headers_of_python_are_one_line(build, monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(SystemExit, match=r"Python\.h is missing: .*python3-dev"):
        build()


def test_a_build_without_a_compiler_ends_in_that_line(tmp_path):
    shutil.copytree(ROOT, tmp_path / "tree", ignore=shutil.ignore_patterns(".git", "build", "*.so"))
    run = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--inplace"], cwd=tmp_path / "tree",
        env={**os.environ, "PATH": str(tmp_path), "CC": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("fastw2v needs a C compiler")
    assert "Traceback" not in run.stderr


def test_a_checkout_that_is_not_built_says_what_to_do(tmp_path):
    shutil.copytree(
        ROOT / "fastw2v", tmp_path / "fastw2v", ignore=shutil.ignore_patterns("*.so", "_c")
    )
    run = subprocess.run(
        [sys.executable, "-c", "import fastw2v"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        f"ImportError: fastw2v in {tmp_path} is not built for this Python: run `pip install -e .` "
        "there, or start Python in another folder if it is installed"
    )
