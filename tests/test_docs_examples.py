"""The examples of README and docs run as they are shown."""

import gzip
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from small_corpus import write_lines

from fastw2v import KeyedVectors, cli
from fastw2v.cli import demo

ROOT = Path(__file__).parent.parent
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if page.exists() and "```" in page.read_text("utf-8")
]
if not PAGES:
    pytest.skip("the pages are not beside the tests", allow_module_level=True)

# (kind, text) of each block: code to run, a file to have, or what the block before prints
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INSTALLATION = (["pip", "install"], ["pytest"])  # .ci/run runs those of the README
NAMED = ("king", "queen", "man", "woman", "cat", "dog", "paris", "france", "rome", "italy")
WORDS = [*NAMED, *map(str, range(30))]


def draw_sentences(rng, n_sentences):
    return [rng.choice(WORDS, rng.integers(5, 15)).tolist() for _ in range(n_sentences)]


@pytest.fixture
def files(tmp_path, rng, monkeypatch):
    """A folder with the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    sentences = draw_sentences(rng, 400)
    text = Path(write_lines(tmp_path / "corpus.txt", sentences)).read_bytes()
    (tmp_path / "corpus.txt.gz").write_bytes(gzip.compress(text))
    (tmp_path / "more").mkdir()
    write_lines(tmp_path / "more" / "a.txt", draw_sentences(rng, 50))
    write_lines(tmp_path / "new.txt", draw_sentences(rng, 100))
    (tmp_path / "bars.txt").write_bytes(text.replace(b" ", b"|"))
    (tmp_path / "ws353.tsv").write_text(
        "king\tqueen\t8\nman\twoman\t7\ncat\tdog\t6\nking\tcat\t1\n"
    )
    (tmp_path / "questions-words.txt").write_text(
        ": capitals\nparis france rome italy\nrome italy paris france\n"
    )
    vectors = rng.normal(size=(len(WORDS), 300)).astype(np.float32)
    large = KeyedVectors.from_arrays(WORDS, vectors)
    large.save_word2vec_format("GoogleNews-vectors.bin", binary=True)
    for output in ("old.model", "vectors.safetensors"):
        assert cli.main(["train", "corpus.txt", "-o", output, "--quiet"]) == 0
    return {"sentences": sentences, "more_sentences": draw_sentences(rng, 100)}


def commands(block):
    """The commands of a shell block."""
    for line in block.replace("\\\n", " ").splitlines():
        for command in re.split(r"&&|\|", line.partition(" #")[0]):
            if words := shlex.split(command, comments=True):
                yield words


def run_shell(block):
    for name, *args in commands(block):
        if name == "fastw2v":
            assert cli.main(args) == 0, (name, *args)
        else:
            assert [name, *args[:1]] in INSTALLATION, f"{name} {args} is not run by any test"


def matches(shown, output):
    """Whether an output is as shown, where `...` stands for any text."""
    wanted = re.escape(" ".join(shown.split())).replace(re.escape("..."), ".*")
    return re.fullmatch(wanted, " ".join(output.split()), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_in_their_order(page, files, capsys, monkeypatch):
    monkeypatch.setattr(demo, "demo_sentences", lambda: files["sentences"])
    names = dict(files)
    for kind, block in BLOCK.findall(page.read_text("utf-8")):
        if kind == "text":
            output = capsys.readouterr().out
            assert matches(block, output), f"{page.name} shows\n{block}\nand got\n{output}"
            continue
        capsys.readouterr()
        if kind == "toml":
            Path("run.toml").write_text(block)
        elif kind == "python":
            exec(compile(block, str(page), "exec"), names)
        elif kind == "sh":
            run_shell(block)
        else:
            pytest.fail(f"{page.name}: no test runs blocks of kind {kind!r}")


def test_no_block_of_python_hides_the_model_of_one_before():
    """A reader of the README types its blocks one after the other."""
    readme = "".join(
        b for kind, b in BLOCK.findall(PAGES[0].read_text("utf-8")) if kind == "python"
    )
    given = re.findall(r"^(\w+) = ", readme, re.MULTILINE)
    assert len(given) == len(set(given))


def test_what_is_shown_is_compared_with_what_is_printed():
    assert matches("a  1\n...\nz 2", "a 1\nb 3\nz 2\n")
    assert not matches("a 1", "a 2\n")


def test_evaluation_files_are_where_the_docs_say():
    utils = pytest.importorskip("gensim.test.utils")
    text = (ROOT / "docs" / "vectors.md").read_text("utf-8")
    for name in (*re.findall(r'datapath\("(.*?)"\)', text), "simlex999.txt"):
        assert Path(utils.datapath(name)).exists()
    questions = Path(utils.datapath("questions-words.txt")).read_text().splitlines()
    assert f"{sum(not line.startswith(':') for line in questions):,} questions" in text
