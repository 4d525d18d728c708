"""Real text that every Python installation has: the documentation of its standard library."""

import contextlib
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

SKIPPED_FOLDERS = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3"}
WORD = re.compile(r"[a-z]{2,}")
# Parsing every file would find the same strings in twenty times the time.
DOCSTRING = re.compile(r"^[ \t]*[rRuU]?(\"{3}|'{3})(.*?)\1", re.MULTILINE | re.DOTALL)
PARAGRAPH = re.compile(r"\n\s*\n")


def stdlib_sentences() -> Iterator[list[str]]:
    """Yield the paragraphs of the language reference and of all docstrings, as lower-case words."""
    for text in documents():
        for paragraph in PARAGRAPH.split(text):
            words = WORD.findall(paragraph.lower())
            if len(words) > 1:
                yield words


def documents() -> Iterator[str]:
    """Yield the texts: pydoc's topics, the docstrings of all modules in source."""
    with contextlib.suppress(ImportError):  # some distributions leave pydoc's data out
        from pydoc_data.topics import topics

        yield from topics.values()
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        if not SKIPPED_FOLDERS.intersection(path.relative_to(root).parts):
            yield from docstrings(path)


def docstrings(path: Path) -> Iterator[str]:
    """Yield the strings that stand alone in a source file, which is read and never run."""
    source = path.read_text("utf-8", errors="replace")
    for match in DOCSTRING.finditer(source):
        yield match.group(2)
