"""The files around the package agree with it and with each other."""

import re
from pathlib import Path

import pytest

import fastw2v

ROOT = Path(__file__).parent.parent
if not (ROOT / "CITATION.cff").exists():
    pytest.skip("the project's files are not beside the tests", allow_module_level=True)


def text_of(name):
    return (ROOT / name).read_text("utf-8")


def test_the_version_is_the_same_everywhere():
    assert re.search(r"^version: (.+)$", text_of("CITATION.cff"), re.MULTILINE)[1] == (
        fastw2v.__version__
    )
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", text_of("CHANGELOG.md"), re.MULTILINE)[1]
    assert newest == fastw2v.__version__
    assert re.search(r"^version\s*=\s*\"", text_of("pyproject.toml"), re.MULTILINE) is None


def test_the_license_is_the_same_everywhere():
    assert text_of("LICENSE").startswith("MIT License")
    assert re.search(r"^license: MIT$", text_of("CITATION.cff"), re.MULTILINE)
    assert re.search(r'^license = "MIT"$', text_of("pyproject.toml"), re.MULTILINE)


def test_the_readme_is_short_and_begins_with_two_commands():
    lines = text_of("README.md").splitlines()
    assert len(lines) <= 150
    commands = [i for i, line in enumerate(lines, 1) if line.startswith("pip install")]
    assert len(commands) == 2 and commands[-1] < 25


def test_every_extra_is_in_the_documentation():
    extras = text_of("pyproject.toml").split("[project.optional-dependencies]")[1].split("\n[")[0]
    names = set(re.findall(r"^([\w-]+) = \[", extras, re.MULTILINE)) - {"test", "dev", "bench"}
    assert len(names) > 5
    assert names == set(re.findall(r"^\| `([\w-]+)` \|", text_of("docs/README.md"), re.MULTILINE))
