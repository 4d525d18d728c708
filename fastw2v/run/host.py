"""Describe the machine and the program for the log of a run."""

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

import fastw2v
from fastw2v.base.commit import built_commit
from fastw2v.base.threads import usable_cores

CPU_FIELDS = ("model name", "Hardware", "CPU part")  # in /proc/cpuinfo: one of x86, then two of ARM


def describe_host() -> dict[str, Any]:
    """Return the CPU, the number of cores, the memory in bytes and the operating system."""
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "memory_bytes": memory_bytes(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def describe_program() -> dict[str, Any]:
    """Return the versions of this package, its commit, Python and NumPy."""
    return {
        "fastw2v": fastw2v.__version__,
        "commit": built_commit(Path(fastw2v.__file__).parent),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def cpu_name() -> str:
    """Return the name of the processor, or its architecture if the name is unknown."""
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
    """Return the machine's memory in bytes, or None if unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
