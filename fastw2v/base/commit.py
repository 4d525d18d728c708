"""Find the commit that this package was built from.

setup.py runs this file before the package is built: it must import nothing from fastw2v.
"""

import subprocess
from pathlib import Path

COMMIT_FILE = "commit.txt"  # written by the build into the package folder


def git_commit(tree: Path) -> str | None:
    """Return the commit of a checkout, with "+" if files were modified; None outside git."""
    if not (tree / ".git").exists():
        return None
    command = ["git", "-C", str(tree), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        found = subprocess.run([*command, "--exclude=*"], capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.decode().strip() or None


def built_commit(package: Path) -> str | None:
    """Return the commit recorded at build time, or else the commit of the checkout."""
    stored = package / COMMIT_FILE
    if stored.is_file():
        return stored.read_text().strip() or None
    return git_commit(package.parent)
