"""Run the gates: builds that see errors which a plain build survives.

    python tests/gates/run.py [--quick] [asan] [tsan] [checked] [valgrind] [planted]

asan: AddressSanitizer and UndefinedBehaviorSanitizer, over the kernels' driver and the whole suite.
tsan: ThreadSanitizer over the driver.  valgrind: memcheck over the driver.
checked: Cython's checks and C's assertions, over the suite.
planted: plants a fault for each gate, and fails unless the gate reports it.

Every gate works on a copy of the checkout. --quick runs the part that takes up to two minutes, and
skips a gate whose tool is missing; without it, a missing tool is an error. Needs what pip install
'.[test]' installs, Cython and setuptools.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = (".*", "build", "dist", "*.egg-info", "*.so", "__pycache__", "_core.c")
CC = os.environ.get("CC", "gcc")
C_FLAGS = ["-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", "-Wall", "-Wextra", "-Wno-psabi"]
SANITIZED = ["-fno-wrapv", "-UNDEBUG", "-fno-sanitize-recover=undefined"]
ADDRESS = "address,undefined"
MACROS = {ADDRESS: "-DW2V_RED_ZONES", "thread": "-DW2V_ATOMIC_ROWS"}
# An allocation that fails must be an error of Python's, as it is without AddressSanitizer.
ASAN_OPTIONS = "detect_leaks=0:allocator_may_return_null=1"


class GateError(Exception):
    """A gate reports an error."""


class MissingToolError(Exception):
    """A gate cannot run on this machine."""


def call(command: Sequence[object], cwd: Path | None = None, **variables: str) -> str:
    """Run a command and return what it prints. Raises GateError if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | variables,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise GateError(f"exit {done.returncode} of {command[0]}\n{done.stdout[-12000:]}")
    return done.stdout


def copy_checkout(to: Path) -> Path:
    """Copy the checkout without what was built in it, and return the copy."""
    return Path(shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*NOT_COPIED)))


def require_sanitizer(name: str) -> None:
    """Raise MissingToolError if the compiler lacks a sanitizer's runtime."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "empty.c")
        source.write_text("int main(void) { return 0; }\n")
        try:
            call([CC, f"-fsanitize={name}", source, "-o", source.with_suffix("")])
            call([source.with_suffix("")])
        except (GateError, OSError) as error:
            raise MissingToolError(f"{CC} cannot build with -fsanitize={name}: {error}") from None


def build_driver(tree: Path, flags: Sequence[str], scalar_only: bool = False) -> Path:
    """Compile tests/gates/driver.c of a tree with its kernels, and return the program."""
    kernels = tree / "fastw2v" / "_c"
    sources = [kernels / name for name in ("core/worker.c", "merge.c", "tables.c")]
    sources.append(tree / "tests/gates/driver.c")
    if scalar_only:
        sources += [tree / "tests/gates/scalar_only.c", kernels / "isa/kernel_scalar.c"]
    else:
        sources += [kernels / "core/dispatch.c", *sorted(kernels.glob("isa/*.c"))]
    built = Path(tempfile.mkdtemp(prefix="driver-", dir=tree))

    def compile_one(source: Path) -> Path:
        target = built / f"{source.stem}.o"
        call([CC, *C_FLAGS, *flags, f"-I{kernels}", "-c", source, "-o", target])
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    call([CC, *flags, *objects, "-o", built / "driver", "-pthread", "-lm"])
    return built / "driver"


def sanitized_driver(tree: Path, name: str, scalar_only: bool) -> Path:
    """Return the driver built with a sanitizer."""
    require_sanitizer(name)
    return build_driver(tree, [f"-fsanitize={name}", MACROS[name], *SANITIZED], scalar_only)


def build_extension(tree: Path, **variables: str) -> None:
    """Build the extension module in a tree."""
    command = [sys.executable, "setup.py", "build_ext", "--inplace", f"-j{os.cpu_count()}"]
    call(command, cwd=tree, **variables)


def run_suite(tree: Path, arguments: Sequence[str] = (), **variables: str) -> None:
    """Run the tests of a tree against its own package."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    shown = call(command, cwd=tree, PYTHONPATH=str(tree), **variables)
    if f"tested: {tree.resolve() / 'fastw2v'}\n" not in shown:
        raise GateError(f"another copy of the package was tested:\n{shown[-1000:]}")


def library(name: str) -> str:
    """Return the path of one of the compiler's libraries."""
    return call([CC, f"-print-file-name={name}"]).strip()


# --- gates ---


def asan(tree: Path, quick: bool = False) -> None:
    """Overruns, use after free and undefined behaviour: in the driver, then in the suite."""
    call([sanitized_driver(tree, ADDRESS, scalar_only=False)])
    if not quick:
        asan_suite(tree)


def asan_suite(tree: Path, arguments: Sequence[str] = ()) -> None:
    """Run the suite against an extension with both sanitizers."""
    require_sanitizer(ADDRESS)
    build_extension(tree, FASTW2V_SANITIZE=ADDRESS)
    reports = tree / "reports"  # pytest keeps what is printed; and tests start processes
    reports.mkdir()
    try:
        run_suite(
            tree,
            arguments,
            # The runtime must come first; it looks up C++'s throw, which SciPy's modules use.
            LD_PRELOAD=f"{library('libasan.so')} {library('libstdc++.so')}",
            PYTHONMALLOC="malloc",
            ASAN_OPTIONS=f"{ASAN_OPTIONS}:log_path={reports / 'asan'}",
            UBSAN_OPTIONS=f"print_stacktrace=1:log_path={reports / 'ubsan'}",
        )
    finally:
        for path in sorted(reports.iterdir()):
            report = path.read_text("utf-8", "replace")
            if "ERROR: AddressSanitizer" in report or "runtime error" in report:
                raise GateError(report[:12000])


def tsan(tree: Path, quick: bool = False) -> None:
    """Races of the scalar kernel. Nothing is suppressed."""
    driver = sanitized_driver(tree, "thread", scalar_only=True)
    try:
        call([driver], TSAN_OPTIONS="halt_on_error=1")
    except GateError as error:
        if "unexpected memory mapping" not in str(error):
            raise
        call(["setarch", "-R", driver], TSAN_OPTIONS="halt_on_error=1")  # addresses too random


def valgrind(tree: Path, quick: bool = False) -> None:
    """Uninitialised values, and overruns of whole heap blocks."""
    if shutil.which("valgrind") is None:
        raise MissingToolError("valgrind is not installed")
    driver = build_driver(tree, [], scalar_only=quick)
    # It does not know the instructions of the other kernels.
    kernels = ["scalar"] if quick else ["scalar", "vec128", "avx2"]
    options = ["--quiet", "--error-exitcode=9", "--exit-on-first-error=yes", "--fair-sched=yes"]
    call(["valgrind", *options, driver, *kernels])


QUICK_TESTS = ["test_kernel.py", "test_pairs_kernel.py", "test_tokens.py", "test_vector_text.py",
               "test_phrases.py", "test_tables.py", "test_deterministic.py"]  # fmt: skip


def checked(tree: Path, quick: bool = False) -> None:
    """Positions outside arrays in Cython, and C's assertions."""
    build_extension(tree, FASTW2V_DEBUG="1")
    run_suite(tree, [f"tests/{name}" for name in QUICK_TESTS] if quick else ())


# --- planted faults ---


@dataclass(frozen=True)
class Fault:
    """A fault that a gate must report.

    path: of the file under the checkout.  old, new: the text to replace.  report: what the gate
    prints then.
    """

    name: str
    gate: Callable[[Path], None]
    path: str
    old: str
    new: str
    report: str


def asan_scalar(tree: Path) -> None:
    """Run the part of asan that compiles fast."""
    call([sanitized_driver(tree, ADDRESS, scalar_only=True)])


def asan_rows(tree: Path) -> None:
    """Run asan through Python, where base/memory.py allocates the rows."""
    asan_suite(tree, ["tests/test_pairs_kernel.py", "-x"])


def checked_kernel(tree: Path) -> None:
    """Run the part of checked that calls the kernels."""
    build_extension(tree, FASTW2V_DEBUG="1")
    run_suite(tree, ["tests/test_pairs_kernel.py", "-x"])


def valgrind_scalar(tree: Path) -> None:
    """Run the part of valgrind that compiles fast."""
    valgrind(tree, quick=True)


C = "fastw2v/_c/"
ROW = "return r->in_base[id < r->model->n_replicated_in] + id * r->model->stride_floats;"
FAULTS = [
    Fault(
        "an overrun of scratch by 16 floats",
        asan_scalar,
        C + "core/kernel.h",
        "memset(r.s.zero_row, 0, (size_t)m->stride_floats * sizeof(float));",
        "memset(r.s.zero_row, 0, (size_t)(m->stride_floats + 16) * sizeof(float));",
        "use-after-poison",
    ),
    Fault(
        "running sums of CBOW one row short",
        asan_scalar,
        C + "core/scratch.h",
        "int64_t n_running = m->is_cbow ? max_in + 1 : 0",
        "int64_t n_running = m->is_cbow ? max_in : 0",
        "use-after-poison",
    ),
    Fault(
        "a row past the last",
        asan_scalar,
        C + "core/run.h",
        ROW,
        ROW.replace("id * r", "(id + 1) * r"),
        "heap-buffer-overflow",
    ),
    Fault(
        "a row past the last, trained through Python",
        asan_rows,
        C + "core/run.h",
        ROW,
        ROW.replace("id * r", "(id + 1) * r"),
        "heap-buffer-overflow",
    ),
    Fault(
        "a signed overflow",
        asan_scalar,
        C + "collect/noise.h",
        "s->kept_begin[begin + k] : INT32_MAX;",
        "s->kept_begin[begin + k] : INT32_MAX + (int32_t)b->in.n;",
        "signed integer overflow",
    ),
    Fault(
        "a counter that is not atomic",
        tsan,
        C + "core/kernel.h",
        "__atomic_store_n(&done->n_predictions, w->n_predictions, __ATOMIC_RELAXED);",
        "done->n_predictions = w->n_predictions;",
        "data race",
    ),
    Fault(
        "two workers on one scratch",
        tsan,
        "tests/gates/driver.c",
        "job){t, t->worker + i};",
        "job){t, t->worker};",
        "data race",
    ),
    Fault(
        "a bias that is not marked as shared",
        tsan,
        C + "collect/softmax.h",
        "add_to_one(m->out_bias + v, r->s.scores[j * r->s.score_stride + v]);",
        "m->out_bias[v] += r->s.scores[j * r->s.score_stride + v];",
        "data race",
    ),
    Fault(
        "a position past the last",
        checked_kernel,
        "fastw2v/_core.pyx",
        "sentence_ends[c.n_ends - 1] <",
        "sentence_ends[c.n_ends] <",
        "Out of bounds on buffer access",
    ),
    Fault(
        "a row past the last, without sanitizers",
        valgrind_scalar,
        C + "core/run.h",
        ROW,
        ROW.replace("id * r", "(id + 1) * r"),
        "Invalid read",
    ),
    Fault(
        "scratch that is not zeroed",
        valgrind_scalar,
        "tests/gates/driver.c",
        "w->scratch = zeros(w2v_scratch_bytes(&t.model, CHUNK_TOKENS + 2 * MARGIN), 1);",
        "w->scratch = aligned_alloc(64, (size_t)w2v_scratch_bytes(&t.model, 300) / 64 * 64);",
        "uninitialised value",
    ),
]


def plant(fault: Fault, tree: Path) -> None:
    """Put a fault into a tree."""
    path = tree / fault.path
    text = path.read_text("utf-8")
    if text.count(fault.old) != 1:
        raise GateError(f"{fault.path} does not hold exactly one {fault.old!r}")
    path.write_text(text.replace(fault.old, fault.new), "utf-8")


def must_report(fault: Fault, tree: Path) -> None:
    """Raise GateError unless the fault's gate reports it."""
    plant(fault, tree)
    try:
        fault.gate(tree)
    except GateError as error:
        if fault.report not in str(error):
            raise GateError(
                f"{fault.name}: no {fault.report!r} in what it prints: {error}"
            ) from None
        print(f"   reported: {fault.name}", flush=True)
    else:
        raise GateError(f"nothing reports {fault.name}, planted in {fault.path}")


def planted(tree: Path, quick: bool = False) -> None:
    """Check that each gate reports a planted fault."""
    for number, fault in enumerate(FAULTS):
        if not quick or fault.gate in (asan_scalar, tsan):
            must_report(fault, copy_checkout(tree / f"planted-{number}"))


GATES = {gate.__name__: gate for gate in (asan, tsan, checked, valgrind, planted)}


def passes(name: str, quick: bool) -> bool:
    """Run a gate on a copy of the checkout, and say how it went."""
    print(f"== {name}: {GATES[name].__doc__}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gates-") as folder:
        try:
            GATES[name](copy_checkout(Path(folder, "tree")), quick)
        except MissingToolError as error:
            print(f"   {'skipped' if quick else 'FAILED'}: {error}")
            return quick
        except GateError as error:
            print(f"   FAILED: {error}")
            return False
    print("   passed", flush=True)
    return True


def main() -> int:
    """Run the gates that the command line names, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("gates", nargs="*", metavar="gate", help=", ".join(GATES))
    parser.add_argument("--quick", action="store_true", help="run the part of two minutes")
    args = parser.parse_args()
    if unknown := set(args.gates) - set(GATES):
        parser.error(f"gate must be among {', '.join(GATES)}, got {', '.join(sorted(unknown))}")
    results = [passes(name, args.quick) for name in args.gates or GATES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
