"""Measure what the tests reach: lines of the C, and lines and branches of the Python.

    python tests/gates/coverage_of_tests.py        ends with 1 if either is below 95 %

Needs what `pip install -e '.[dev]'` installs, and gcc with gcov.  Instructions that this CPU lacks
do not count; the summary names the files that this leaves out.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "mutants"))

from run import Tree

from fastw2v import backends

MIN_PERCENT = 95.0
# Files that hold the instructions of one backend alone.
FILES_OF = {"amx": ("isa/matrix_unit.h", "isa/tiles.h", "isa/kernel_amx.c")}
SETTINGS = """\
[run]
branch = true
source_pkgs = fastw2v
parallel = true
patch = subprocess
data_file = {folder}/.coverage
[report]
exclude_also =
    if TYPE_CHECKING:
    raise AssertionError
[json]
output = {folder}/coverage.json
"""


def run_tests(folder: Path) -> None:
    """Run the suite in a tree, and combine what its processes reached."""
    settings = folder / ".coveragerc"
    settings.write_text(SETTINGS.format(folder=folder))
    variables = {**os.environ, "PYTHONPATH": str(folder)}
    coverage = [sys.executable, "-m", "coverage"]
    for command in (
        ["run", f"--rcfile={settings}", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        ["combine", f"--rcfile={settings}", "--quiet"],
        ["json", f"--rcfile={settings}", "--quiet"],
        ["report", f"--rcfile={settings}", "--skip-covered"],
    ):
        subprocess.run([*coverage, *command], cwd=folder, env=variables, check=True)


def c_lines(folder: Path) -> dict[str, dict[int, int]]:
    """Return how often each line ran, by file of fastw2v/_c."""
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for data in folder.rglob("*.gcda"):
        command = ["gcov", "--json-format", "--stdout", str(data)]
        found = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        for document in map(json.loads, found.stdout.splitlines()):
            for file in document["files"]:
                path = os.path.normpath(os.path.join(folder, file["file"]))
                name = re.sub("^.*fastw2v/_c/", "", path)
                for line in file["lines"] if name != path else ():
                    counts[name][line["line_number"]] += line["count"]
    return counts


def percent_of_c(folder: Path) -> float:
    """Print the lines of the C that did not run; return the percentage of those that did."""
    left_out = {
        name for backend, names in FILES_OF.items() if backend not in backends() for name in names
    }
    n_lines = n_reached = 0
    for name, lines in sorted(c_lines(folder).items()):
        if name in left_out:
            print(f"{name}: left out, this CPU does not have its instructions")
            continue
        missed = [number for number, count in sorted(lines.items()) if count == 0]
        n_lines, n_reached = n_lines + len(lines), n_reached + len(lines) - len(missed)
        if missed:
            print(f"{name}: {len(missed)} of {len(lines)} lines did not run: {missed}")
    return 100 * n_reached / n_lines


def main() -> int:
    """Run the suite and report; return 1 if too little is reached."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Tree(folder, ["--coverage"])
        run_tests(folder)
        percent = {"lines of C": percent_of_c(folder)}
        totals = json.loads((folder / "coverage.json").read_text())["totals"]
        for what in ("statements", "branches"):
            key = "lines" if what == "statements" else what
            percent[f"{what} of Python"] = 100 * totals[f"covered_{key}"] / totals[f"num_{what}"]
    for what, value in percent.items():
        print(f"{what}: {value:.1f} %, at least {MIN_PERCENT} % wanted")
    return min(percent.values()) < MIN_PERCENT


if __name__ == "__main__":
    sys.exit(main())
