"""Build the one extension module: Cython front, C kernels, no flag that ties the wheel to a CPU."""

import os
import runpy
import shlex
import shutil
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

# -fno-math-errno only drops errno from sqrt and the like; results stay exact IEEE.
COMPILE_FLAGS = ["-std=gnu11", "-O3", "-fno-math-errno", "-fvisibility=hidden", "-Wno-psabi"]
# Where a kernel lies in its cache lines is worth 3 % of its speed: so no change elsewhere moves it.
COMPILE_FLAGS += ["-falign-functions=64"]
COMPILERS = ("cc", "gcc", "clang")  # tried in turn where Python's own is missing
DEBUG = os.environ.get("FASTW2V_DEBUG", "0") not in ("", "0")
# "address,undefined" or "thread": tests/gates/run.py builds these and tests them.
SANITIZE = os.environ.get("FASTW2V_SANITIZE", "")
SANITIZER_MACROS = {"address": "W2V_RED_ZONES", "thread": "W2V_ATOMIC_ROWS"}


def sanitizer_flags():
    """Return the flags of a build that stops at an error; Python's own would hide overflows."""
    if not SANITIZE:
        return []
    macros = [f"-D{SANITIZER_MACROS[n]}" for n in SANITIZE.split(",") if n in SANITIZER_MACROS]
    return [
        *["-O1", "-g", "-fno-omit-frame-pointer", "-fno-wrapv", "-UNDEBUG"],
        *[f"-fsanitize={SANITIZE}", "-fno-sanitize-recover=undefined", *macros],
    ]


c_sources = sorted(str(path) for path in Path("fastw2v/_c").rglob("*.c"))
c_headers = sorted(str(path) for path in Path("fastw2v/_c").rglob("*.h"))

extension = Extension(
    "fastw2v._core",
    ["fastw2v/_core.pyx", *c_sources],
    include_dirs=["fastw2v/_c"],
    depends=c_headers,
    extra_compile_args=COMPILE_FLAGS
    + (["-O0", "-g", "-UNDEBUG"] if DEBUG else [])
    + sanitizer_flags(),
    extra_link_args=[f"-fsanitize={SANITIZE}"] if SANITIZE else [],
)


def choose_compiler():
    """Set CC to a compiler that is there; exit with one line if there is none, or no Python.h."""
    given = os.environ.get("CC")
    if given and not shutil.which(shlex.split(given)[0]):
        raise SystemExit(f"fastw2v: CC={given} is not found: unset CC, or name a C compiler")
    of_python = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    if not given and not shutil.which(of_python):
        found = next((name for name in COMPILERS if shutil.which(name)), None)
        if found is None:
            raise SystemExit(
                f"fastw2v needs a C compiler, and none of {', '.join(COMPILERS)} is found: install "
                "one, as with `apt install gcc` or `dnf install gcc`, or set CC"
            )
        os.environ["CC"] = found
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        raise SystemExit(
            f"fastw2v needs the headers of Python, and {header} is missing: install them, as with "
            "`apt install python3-dev` or `dnf install python3-devel`"
        )


class CheckedBuild(build_ext):
    """Looks for a compiler before anything is compiled."""

    def run(self):
        """Build."""
        if os.name == "posix":
            choose_compiler()
        super().run()


stamp = runpy.run_path("fastw2v/base/commit.py")


class StampedBuild(build_py):
    """Leaves the commit in what is built, which the logs of runs tell."""

    def run(self):
        """Build, then write the file."""
        super().run()
        commit = stamp["git_commit"](Path(__file__).resolve().parent)
        if commit and not self.editable_mode:
            (Path(self.build_lib) / "fastw2v" / stamp["COMMIT_FILE"]).write_text(commit)


setup(
    cmdclass={"build_ext": CheckedBuild, "build_py": StampedBuild},
    ext_modules=cythonize(
        [extension],
        language_level=3,
        compiler_directives={
            "boundscheck": DEBUG,
            "nonecheck": DEBUG,
            "overflowcheck": DEBUG,
            "wraparound": False,  # a negative position is an error, not one from the end
            "initializedcheck": True,
            "cdivision": False,
            "embedsignature": True,
            "freethreading_compatible": True,
        },
    ),
)
