"""Real text that every installation has: the documentation of Python, NumPy and SciPy."""

import contextlib
import os
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

TEXT_NAME = "the documentation and comments of Python, NumPy and SciPy"
PACKAGES = ("numpy", "scipy")  # always installed: fastw2v depends on both
SKIPPED_FOLDERS = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3"}

# Parsing every file would find the same strings but take twenty times as long.
PROSE = re.compile(
    r"""
    ^[ \t]* [rRuU]? (?P<quotes> \"{3} | '{3} ) (?P<docstring> [\s\S]*? ) (?P=quotes)
    | (?P<comments> (?: ^[ \t]*\#.*\n )+ )
    """,
    re.MULTILINE | re.VERBOSE,
)
PARAGRAPH = re.compile(r"\n\s*\n")
WORD = re.compile(r"[a-z]{2,}")
CODE = ">>>"  # in a paragraph of examples


def demo_sentences() -> Iterator[list[str]]:
    """Yield each distinct paragraph of prose once, as lower-case words.

    SciPy repeats the description of some parameters hundreds of times.
    """
    seen: set[int] = set()
    for text in documents():
        for paragraph in PARAGRAPH.split(text):
            words = WORD.findall(paragraph.lower())
            key = hash(tuple(words))
            if len(words) > 1 and CODE not in paragraph and key not in seen:
                seen.add(key)
                yield words


def documents() -> Iterator[str]:
    """Yield pydoc's topics, the docstrings of built-in names, and docstrings and comments."""
    with contextlib.suppress(ImportError):  # some distributions omit pydoc's data
        from pydoc_data.topics import topics

        yield from topics.values()
    yield from built_in_help()
    for folder in source_folders():
        for path in source_files(folder):
            with open(path, encoding="utf-8", errors="replace") as file:
                source = file.read()
            for match in PROSE.finditer(source):
                yield match["docstring"] or match["comments"] or ""


def built_in_help() -> Iterator[str]:
    """Yield the docstrings of the functions, types and methods written in C."""
    for name in sys.builtin_module_names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Debian's Python 3.11 has spwd
            module = import_module(name)
        for member in vars(module).values():
            methods = vars(member).values() if isinstance(member, type) else ()
            for described in (member, *methods):
                text = getattr(described, "__doc__", None)
                if isinstance(text, str):
                    yield text


def source_folders() -> Iterator[str]:
    """Yield the folders of the standard library and of PACKAGES, without importing them."""
    yield sysconfig.get_paths()["stdlib"]
    for package in PACKAGES:
        spec = find_spec(package)
        yield from (spec.submodule_search_locations or ()) if spec else ()


def source_files(folder: str) -> Iterator[str]:
    """Yield the paths of all Python files except tests; callers read but never run them."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        yield from (os.path.join(path, name) for name in sorted(names) if name.endswith(".py"))
