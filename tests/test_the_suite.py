"""How the tests run: on which copy of the package, and without a clock."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastw2v

TESTS = Path(__file__).resolve().parent
BESIDE = TESTS.parent / "fastw2v"
TESTED = Path(fastw2v.__file__).resolve().parent

CLOCKS = r"\btime\.(?:time|monotonic|perf_counter|process_time|thread_time)(?:_ns)?\("
FORBIDDEN = rf"{CLOCKS}|from time import (?!sleep$).*|deadline=(?!None)"


def sources(folder):
    """The Python sources of a package by their paths in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.py"))}


@pytest.mark.skipif(not BESIDE.exists(), reason="the tests are not in a checkout")
def test_the_package_under_test_has_the_sources_beside_the_tests():
    beside, tested = sources(BESIDE), sources(TESTED)
    differing = [n for n in beside | tested if beside.get(n) != tested.get(n)]
    assert not differing, f"{TESTED} is not of this checkout: remove build/ and install it again"


def test_a_checkout_without_the_extension_does_not_hide_the_package(tmp_path):
    shutil.copytree(TESTS, tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "fastw2v").mkdir()
    (tmp_path / "fastw2v" / "__init__.py").write_text("raise ImportError('no extension')")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_classes.py"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stdout
    assert f"tested: {TESTED}\n" in shown.stdout


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.py")), ids=lambda path: path.name)
def test_no_test_reads_a_clock_or_sets_a_deadline(path):
    if path != Path(__file__).resolve():
        assert re.findall(FORBIDDEN, path.read_text("utf-8"), re.MULTILINE) == []
