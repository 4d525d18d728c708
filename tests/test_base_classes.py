"""A class is whole where it is defined: none exists only to be the base of one other."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import fastw2v

ROOT = Path(fastw2v.__file__).parent


def base_names(node, aliases):
    """The names of a class's bases, without the module or the parameters of a generic one."""
    for base in node.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        name = named.attr if isinstance(named, ast.Attribute) else named.id
        yield aliases.get(name, name)


def names_read(node, aliases, own=frozenset()):
    """Every name that code reads, except in a class the class's own name and its bases'."""
    if isinstance(node, ast.ClassDef):
        own = own | {node.name, *base_names(node, aliases)}
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if aliases.get(name, name) not in own:
            yield aliases.get(name, name)
    for child in ast.iter_child_nodes(node):
        yield from names_read(child, aliases, own)


def single_use_bases(sources):
    """The classes of some source texts that are the base of one other and used nowhere else."""
    classes, bases, read = set(), Counter(), set()
    for tree in map(ast.parse, sources):
        nodes = list(ast.walk(tree))
        imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
        aliases = {a.asname: a.name for node in imports for a in node.names if a.asname}
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                classes.add(node.name)
                bases.update(base_names(node, aliases))
        read.update(names_read(tree, aliases))
    return {name for name in classes if bases[name] == 1 and name not in read}


def bases_of_the_package():
    return single_use_bases(path.read_text("utf-8") for path in ROOT.rglob("*.py"))


def test_no_class_exists_only_to_be_the_base_of_one_other():
    assert bases_of_the_package() == set()


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (["class A: pass\nclass B(A): pass"], {"A"}),
        (["class A:\n def f(self): return A()", "from x import A\nclass B(A): pass"], {"A"}),
        (["class A: pass", "from x import A as Z\nclass B(Z[int]): pass"], {"A"}),
        (["class A: pass", "import x\nclass B(x.A):\n def f(self): return x.A.f()"], {"A"}),
        (["class A: pass\nclass B(A): pass\nclass C(A): pass"], set()),
        (["class A: pass\nclass B(A): pass", "import x\nx.A()"], set()),
        (["class A: pass\nclass B(A): pass\ndef f(a: A): pass"], set()),
        (["class B(dict): pass"], set()),
    ],
)
def test_a_base_of_one_other_is_told_from_one_with_more_uses(sources, found):
    assert single_use_bases(sources) == found
