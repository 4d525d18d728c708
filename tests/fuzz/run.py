"""Fuzz the C that reads text from strangers, with the address and undefined-behaviour sanitizers.

    python tests/fuzz/run.py                      100,000 inputs for each target
    python tests/fuzz/run.py --inputs N --seed S tokens
    CC=clang python tests/fuzz/run.py             with libFuzzer, guided by coverage

Each target is a file here, named after the file in fastw2v/_c/text/ that it calls.  tests/fuzz/
readers.py does the same for the readers in Python.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
C_FOLDER = HERE.parents[1] / "fastw2v" / "_c"
TARGETS = ("tokens", "tokenize", "vector_parse", "phrases")
FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-fno-sanitize-recover=all"]


def build(target: str, folder: str) -> tuple[str, bool]:
    """Compile a target; return its path, and whether libFuzzer calls it."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=True)
    is_guided = "clang" in version.stdout
    sanitizers = "address,undefined" + ",fuzzer" * is_guided
    files = [HERE / f"{target}.c", C_FOLDER / "text" / f"{target}.c"]
    files += [HERE / "driver.c"] * (not is_guided)
    program = os.path.join(folder, target)
    include = [f"-I{C_FOLDER}", f"-I{HERE}"]
    command = [*compiler, *FLAGS, f"-fsanitize={sanitizers}", *include, *map(str, files)]
    subprocess.run([*command, "-o", program], check=True)
    return program, is_guided


def fuzz(target: str, n_inputs: int, seed: int) -> bool:
    """Give a target its inputs; return whether it gets through all of them."""
    variables = {**os.environ, "ASAN_OPTIONS": "abort_on_error=1"}
    with tempfile.TemporaryDirectory() as folder:
        program, is_guided = build(target, folder)
        options = [f"-runs={n_inputs}", f"-seed={seed}"] if is_guided else [seed, 0, n_inputs]
        done = subprocess.run([program, *map(str, options)], env=variables, cwd=folder)
    return done.returncode == 0


def main() -> int:
    """Fuzz the targets that are asked for; return 1 if any fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all if none is given")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    failed = []
    for target in asked.targets or TARGETS:
        passes = fuzz(target, asked.inputs, asked.seed)
        print(f"{target}: {asked.inputs} inputs, {'no error' if passes else 'FAILED'}", flush=True)
        failed += [target] * (not passes)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
