"""The examples of README and docs run as they are shown."""

import gzip
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from small_corpus import write_lines

from fastw2v import KeyedVectors, cli

ROOT = Path(__file__).parent.parent
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if page.exists() and "```" in page.read_text("utf-8")
]
if not PAGES:
    pytest.skip("the pages are not beside the tests", allow_module_level=True)

# (kind, text) of each block that is code to run or a file to have
BLOCK = re.compile(r"^```(python|sh|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
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
    """The commands of fastw2v in a shell block."""
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("fastw2v "):
            yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_in_their_order(page, files, capsys):
    names = dict(files)
    for kind, block in BLOCK.findall(page.read_text("utf-8")):
        if kind == "toml":
            Path("run.toml").write_text(block)
        elif kind == "python":
            exec(compile(block, str(page), "exec"), names)
        else:
            for command in commands(block):
                assert cli.main(command) == 0, (command, capsys.readouterr().err)
