"""Description of the machine, the compiler and the commit."""

import os
import platform
import re
from pathlib import Path
from typing import Any

from fastw2v.base.commit import git_commit
from fastw2v.base.threads import usable_cores

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def cpu_info(field: str) -> str:
    """Return a field of the first processor in /proc/cpuinfo, "" if there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    values = [line.partition(":")[2].strip() for line in lines if line.startswith(field)]
    return values[0] if values else ""


def cache_sizes() -> dict[str, int]:
    """Return the bytes of each data cache, by name: L1, L2, L3."""
    sizes = {}
    for entry in sorted(CACHES.glob("index*")):
        if (entry / "type").read_text().strip() != "Instruction":
            size = (entry / "size").read_text().strip()
            sizes["L" + (entry / "level").read_text().strip()] = int(size.rstrip("K")) * 1024
    return sizes


def commit() -> str | None:
    """Return the commit of the working tree, with "+" for uncommitted changes, None outside git."""
    return git_commit(Path(__file__).resolve().parents[2])


def compiler() -> list[str]:
    """Return the compiler that built the kernels, from its stamps in the extension module."""
    from fastw2v import _core

    stamps = re.findall(
        rb"GCC: \([^)]*\) [\d.]+|clang version [\d.]+", Path(_core.__file__).read_bytes()
    )
    return sorted({stamp.decode() for stamp in stamps})


def describe() -> dict[str, Any]:
    """Return CPU, cores, caches, memory, system and commit."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu_info("model name") or platform.processor() or platform.machine(),
        "cpu_family_model": f"{cpu_info('cpu family')}/{cpu_info('model')}",
        "cores": usable_cores(),
        "cache_bytes": cache_sizes(),
        "memory_bytes": pages,
        "system": f"{platform.system()} {platform.machine()}",
        "huge_pages": HUGE_PAGES.read_text().strip() if HUGE_PAGES.exists() else None,
        "commit": commit(),
    }
