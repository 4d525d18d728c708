import bz2
import gzip
import lzma
import math
import os
import sys
import threading
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

# `python -m pytest` puts the checkout first on the path. Where no extension was built in it, it
# would hide the installed package that can be tested; test_the_suite.py compares their sources.
if not any((CHECKOUT / "fastw2v" / f"_core{suffix}").exists() for suffix in EXTENSION_SUFFIXES):
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != CHECKOUT]

from small_corpus import topic_sentences, write_lines  # noqa: E402

import fastw2v  # noqa: E402
from fastw2v.training import events  # noqa: E402
from fastw2v.training import trainer as trainer_module  # noqa: E402
from fastw2v.training.blocks import BlockRule  # noqa: E402

pytest_plugins = ["keyed_vectors_case"]

# On a busy machine an example takes as long as it takes.
hypothesis.settings.register_profile(
    "fastw2v", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("fastw2v")


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"tested: {Path(fastw2v.__file__).parent}")


@pytest.fixture(scope="session", autouse=True)
def outside_the_checkout(tmp_path_factory):
    """Let processes that tests start import the package that is tested.

    In the checkout they would find its sources first, where the extension need not be built.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("outside"))
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(20130116)


@pytest.fixture(scope="session")
def sentences():
    return topic_sentences()


@pytest.fixture
def file(tmp_path, sentences):
    return write_lines(tmp_path / "corpus.txt", sentences)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with a corpus of 600 sentences, whole, in parts and compressed."""
    monkeypatch.chdir(tmp_path)
    text = topic_sentences()
    write_lines(tmp_path / "corpus.txt", text)
    write_lines(tmp_path / "part1.txt", text[:200])
    data = (tmp_path / "corpus.txt").read_bytes()
    (tmp_path / "corpus.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "corpus.txt.xz").write_bytes(lzma.compress(data))
    (tmp_path / "part2.bz2").write_bytes(
        bz2.compress(data[(tmp_path / "part1.txt").stat().st_size :])
    )
    return tmp_path


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 500 tokens instead of 10,000, so that small corpora have many."""
    monkeypatch.setattr(trainer_module, "CHUNK_TOKENS", 500)
    monkeypatch.setattr(trainer_module, "REPORT_SECONDS", 0.005)


@pytest.fixture
def no_second_passes(monkeypatch):
    """A run's clock stands still: on_interval comes at the ends of epochs alone."""
    monkeypatch.setattr(events, "time", SimpleNamespace(perf_counter=lambda: 0.0))


@pytest.fixture
def any_rate(monkeypatch):
    """Learning rates are not held to what the smallest step allows."""
    monkeypatch.setattr(BlockRule, "_max_lr", lambda rule: math.inf)


@pytest.fixture
def no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before
