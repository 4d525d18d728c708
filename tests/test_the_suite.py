"""How the tests run: without a clock."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

CLOCKS = r"\btime\.(?:time|monotonic|perf_counter|process_time|thread_time)(?:_ns)?\("
FORBIDDEN = rf"{CLOCKS}|from time import (?!sleep$).*|deadline=(?!None)"


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.py")), ids=lambda path: path.name)
def test_no_test_reads_a_clock_or_sets_a_deadline(path):
    if path != Path(__file__).resolve():
        assert re.findall(FORBIDDEN, path.read_text("utf-8"), re.MULTILINE) == []
