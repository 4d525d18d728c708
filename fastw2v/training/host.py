"""What a run's log says of the machine and the program."""

import os
import platform
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from fastw2v import __version__
from fastw2v.training.parameters import usable_cores

COMMIT_FILE = "commit.txt"  # written beside the modules when a wheel is built, see setup.py
CPU_FIELDS = ("model name", "Hardware", "CPU part")  # of /proc/cpuinfo: x86, then two of ARM's


def describe_host() -> dict[str, Any]:
    """Return CPU, cores, memory in bytes and system."""
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "memory_bytes": memory_bytes(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def describe_program() -> dict[str, Any]:
    """Return the versions of this package, its commit, Python and NumPy."""
    return {
        "fastw2v": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def cpu_name() -> str:
    """Return the name of the processor, or of its architecture where that is all there is."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for wanted in CPU_FIELDS:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == wanted and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def memory_bytes() -> int | None:
    """Return the machine's memory, None where it is not told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def commit() -> str | None:
    """Return the commit this package was built from, "+" added if files had changed since.

    None where neither the build nor a checkout around the package tells.
    """
    stored = files("fastw2v") / COMMIT_FILE
    if stored.is_file():
        return stored.read_text().strip() or None
    tree = Path(__file__).resolve().parents[2]
    return git_commit(tree) if (tree / ".git").exists() else None


def git_commit(tree: Path) -> str | None:
    """Return the commit of a checkout, "+" added if files have changed since, or None."""
    command = ["git", "-C", str(tree), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        found = subprocess.run([*command, "--exclude=*"], capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.decode().strip() or None
