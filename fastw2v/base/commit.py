"""Which commit this package was built from. setup.py runs this file before anything is built."""

import subprocess
from pathlib import Path

COMMIT_FILE = "commit.txt"  # in the folder of the package, where a build left it


def git_commit(tree: Path) -> str | None:
    """Return the commit of a checkout, "+" added if files have changed since; else None."""
    if not (tree / ".git").exists():
        return None
    command = ["git", "-C", str(tree), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        found = subprocess.run([*command, "--exclude=*"], capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.decode().strip() or None


def built_commit(package: Path) -> str | None:
    """Return what the build of a package left, or else the commit of the checkout around it."""
    stored = package / COMMIT_FILE
    if stored.is_file():
        return stored.read_text().strip() or None
    return git_commit(package.parent)
