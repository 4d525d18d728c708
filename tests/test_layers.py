import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastw2v

ROOT = Path(fastw2v.__file__).parent
SOURCES = Path(__file__).parents[1] / "fastw2v"  # of the extension, which are not installed

# The folders, the top first; "" is the top level.  Imports run downwards, or stay in a folder.
FOLDERS = [
    "cli",
    "",
    "model",
    "run",
    "training",
    "vectors",
    "corpus",
    "formats",
    "sampling",
    "base",
]
FOR_ALL = {"errors", "_core"}
HEAVY = ["numpy", "scipy", "safetensors"]


def modules():
    """Every module of the package by its dotted name below fastw2v."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(p for p in parts if p != "__init__")] = path
    return found


def imported(path, name):
    """The modules of the package that a file imports, at its top, inside functions or for types."""
    known = modules().keys() | {"_core"}
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for full in names:
            head, _, rest = full.partition(".")
            while head == "fastw2v" and rest not in known:
                rest = rest.rpartition(".")[0]
            if head == "fastw2v" and (rest or package):
                yield rest
    yield from imported_by_name().get(name, ())


@functools.cache
def imported_by_name():
    """The modules that some load with import_module, which no import statement shows."""
    from fastw2v.cli import SUBCOMMANDS
    from fastw2v.formats import FORMATS

    return {
        "cli": ["cli.command"],
        "cli.command": [f"cli.{command}" for command in SUBCOMMANDS],
        "formats.records": [f"formats.{format.module}" for format in FORMATS.values()],
    }


def folder(name):
    """The folder below fastw2v that a module lies in."""
    is_folder = (ROOT / name.split(".")[0]).is_dir()
    return name.split(".")[0] if is_folder else ""


EDGES = [
    (name, target)
    for name, path in modules().items()
    if name
    for target in imported(path, name)
    if target
]


def test_every_folder_has_its_place():
    assert {folder(name) for name in modules()} == set(FOLDERS)
    assert len(EDGES) > 100


@pytest.mark.parametrize("name", [name for name in modules() if name not in ("", "__main__")])
def test_imports_run_downwards_only(name):
    below = FOLDERS[FOLDERS.index(folder(name)) :]
    for target in (target for source, target in EDGES if source == name):
        assert target in FOR_ALL or folder(target) in below, f"{name} imports {target}, above it"


def test_the_package_itself_imports_nothing_at_once():
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    at_once = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert at_once == []


def test_there_is_no_import_circle():
    # A package's own modules are imported before its __init__ is done, so that a module which
    # imports its package would be a circle: names stand for files here.
    targets = {}
    for source, target in EDGES:
        targets.setdefault(source, set()).add(target)
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        path.append(name)
        for target in sorted(targets.get(name, ())):
            # loaded when it is used, and it may use the constants of what loads it
            if target not in imported_by_name().get(name, ()):
                visit(target)
        done.add(path.pop())

    for name in sorted(targets):
        visit(name)


def test_the_extension_imports_nothing_of_the_package():
    source = "".join(path.read_text("utf-8") for path in sorted(SOURCES.glob("_core*.p?[xi]")))
    imports = re.findall(r"^\s*(?:from|import|cimport)\s+([\w.]+)", source, re.MULTILINE)
    assert "scipy.linalg" in imports
    assert [name for name in imports if name.startswith((".", "fastw2v"))] == []


def test_the_kernels_know_nothing_of_python():
    files = list((SOURCES / "_c").rglob("*.[ch]"))
    assert len({path.parent.name for path in files}) == 6
    assert len(files) > 40
    for path in files:
        assert "Python.h" not in path.read_text("utf-8"), path


def loaded_by(code):
    command = f"import sys; {code}; print(*(m for m in {HEAVY} if m in sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return shown.stdout.split()


def test_importing_the_package_loads_no_heavy_library():
    assert loaded_by("import fastw2v; fastw2v.backends()") == []
    assert loaded_by("from fastw2v.cli import command; command._parser()") == []


def test_training_loads_the_module_of_its_own_format_alone(tmp_path):
    (tmp_path / "text").write_text("a b\n" * 99)
    code = (
        "import sys; from fastw2v.cli import main; "
        "assert main(['train', 'text', '-o', 'v', '-q', '--workers', '1']) == 0; "
        "from fastw2v.formats import FORMATS; "
        "print(*(f.name for f in FORMATS.values() if f'fastw2v.formats.{f.module}' in sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert shown.stdout == "native\n"


def test_training_by_sampling_loads_neither_scipy_nor_safetensors():
    train = "fastw2v.Word2Vec([['a', 'b']] * 9, workers=1)"
    assert loaded_by(f"import fastw2v; {train}") == ["numpy"]


ENTERED = """
import sys, threading
from fastw2v.cli import main

open("text", "w").write("a b c d e\\\\n" * 200)
train = ["train", "text", "-o", "vectors.safetensors"]
assert main(train) == 0  # so that all modules are imported
entered = set()

def note(frame, event, arg):
    entered.add(frame.f_code.co_filename)

threading.setprofile(note)
sys.setprofile(note)
main(train)
sys.setprofile(None)
print("entered", *(path for path in entered if "/fastw2v/" in path and path.endswith(".py")))
"""


def test_a_plain_training_enters_few_files(tmp_path):
    shown = subprocess.run(
        [sys.executable, "-c", ENTERED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(shown.stdout.rsplit("entered ", 1)[1].split()) <= 35
