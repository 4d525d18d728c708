"""Plant faults in a copy of the project, one at a time, and check that the tests notice each.

    python tests/mutants/run.py             all faults, first with the tests named for each
    python tests/mutants/run.py NAME ...    these faults only

First the whole suite must pass without a fault.  Then a line per fault; ends with 1 if any
survives.  A fault that the tests named for it miss is given to the whole suite.  Needs the packages
of `pip install -e '.[dev]'` and a C compiler.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from faults import FAULTS, Fault

CHECKOUT = Path(__file__).resolve().parents[2]
# Optimised little: most of the time goes into compiling the kernels.
FLAGS = ["-std=gnu11", "-O1", "-fPIC", "-fno-math-errno", "-fvisibility=hidden", "-Wno-psabi"]
MAX_SECONDS = 900  # for the tests of one fault: a fault may hang


class Tree:
    """A copy of the project with an extension that is built file by file.

    flags: of the compiler and the linker, besides FLAGS.
    """

    def __init__(self, folder: Path, flags: Sequence[str] = ()) -> None:
        self.folder, self.flags = folder, [*FLAGS, *flags]
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (CHECKOUT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(CHECKOUT / name, folder / name)
        self._cythonize()
        package = folder / "fastw2v"
        self.sources = [package / "_core.c", *sorted((package / "_c").rglob("*.c"))]
        self.build(self.sources)

    def _cythonize(self) -> None:
        command = [sys.executable, "-m", "cython", "-3", "-X", "wraparound=False"]
        command += ["-X", "boundscheck=False", "-X", "embedsignature=True", "fastw2v/_core.pyx"]
        self._run(command)

    def _run(self, command: list[str]) -> None:
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def build(self, sources: list[Path]) -> None:
        """Compile these sources and link the extension."""
        compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC"))
        include = [f"-I{sysconfig.get_path('include')}", "-Ifastw2v/_c"]
        for source in sources:
            compile_one = [*compiler, *self.flags, *include, "-MMD", "-c", str(source)]
            self._run([*compile_one, "-o", str(source.with_suffix(".o"))])
        objects = [str(source.with_suffix(".o")) for source in self.sources]
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        self._run([*compiler, *self.flags, "-shared", *objects, "-o", f"fastw2v/_core{suffix}"])

    def depending(self, changed: Path) -> list[Path]:
        """Return the C sources that include a file."""
        if changed.suffix in (".pyx", ".pxi"):
            self._cythonize()
            return self.sources[:1]
        name = str(changed.relative_to(self.folder))
        return [
            source
            for source in self.sources
            if name in source.with_suffix(".d").read_text().replace(f"{self.folder}/", "").split()
        ]

    def is_noticed(self, fault: Fault) -> tuple[bool, str]:
        """Plant a fault, run the tests, take it out; return whether a test failed, and which."""
        path = self.folder / fault.path
        text = path.read_text()
        if text.count(fault.old) != 1:
            return False, f"the text to replace occurs {text.count(fault.old)} times"
        is_compiled = path.suffix != ".py"
        path.write_text(text.replace(fault.old, fault.new))
        try:
            if is_compiled:
                self.build(self.depending(path))
            name = self.failed(fault.tests) or self.failed()
            return bool(name), name or "the whole suite passes"
        finally:
            path.write_text(text)
            if is_compiled:
                self.build(self.depending(path))

    def failed(self, tests: Iterable[str] = ("tests",)) -> str:
        """Return the first test that fails, "" if none does."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += [str(self.folder / test) for test in tests]
        variables = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryFile("w+") as output:  # a pipe would wait for orphans
            try:
                done = subprocess.run(
                    command,
                    cwd=self.folder,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=MAX_SECONDS,
                )
            except subprocess.TimeoutExpired:
                return f"no end after {MAX_SECONDS} s"
            output.seek(0)
            text = output.read()
        if done.returncode == 0:
            return ""
        failed = [line for line in text.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if not failed and done.returncode > 0:
            raise RuntimeError(f"pytest ended with {done.returncode}:\n{text[-2000:]}")
        return failed[0].split(" - ")[0].split("::", 1)[-1] if failed else "the process dies"


def main() -> int:
    """Plant the faults that are asked for; print a line for each and a summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="faults to plant; all if none is given")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    unknown = set(asked.names) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(f"unknown faults: {', '.join(sorted(unknown))}")
    faults = [fault for fault in FAULTS if not asked.names or fault.name in asked.names]
    n_jobs = min(asked.jobs, len(faults))
    n_noticed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(n_jobs) as pool:
        trees: SimpleQueue[Tree] = SimpleQueue()
        made = list(pool.map(Tree, [Path(folder, str(i)) for i in range(n_jobs)]))
        failed = made[0].failed()
        if failed:
            print(f"without a fault, {failed} fails")
            return 1
        for tree in made:
            trees.put(tree)

        def plant(fault: Fault) -> tuple[bool, str]:
            tree, started_at = trees.get(), time.monotonic()
            try:
                is_noticed, what = tree.is_noticed(fault)
            finally:
                trees.put(tree)
            return is_noticed, f"{what}, {time.monotonic() - started_at:.0f} s"

        for fault, (is_noticed, what) in zip(faults, pool.map(plant, faults), strict=True):
            n_noticed += is_noticed
            print("noticed " if is_noticed else "SURVIVED", f"{fault.name}: {what}", flush=True)
    print(f"{n_noticed} of {len(faults)} faults noticed")
    return n_noticed < len(faults)


if __name__ == "__main__":
    sys.exit(main())
