import subprocess

import pytest
from cli_case import SMALL, command, train

from fastw2v import KeyedVectors
from fastw2v.formats import detect_format, read_vectors

pytestmark = pytest.mark.usefixtures("folder")


# ---- corpora ----


@pytest.mark.parametrize(
    "corpus",
    [["corpus.txt.gz"], ["corpus.txt.xz"], ["part1.txt", "part2.bz2"], ["part*"], ["./corpus.t?t"]],
)
def test_any_form_of_the_corpus_gives_the_same_vectors(corpus):
    assert train("corpus.txt", "-o", "plain.bin") == 0
    assert train(*corpus, "-o", "other.bin") == 0
    with open("plain.bin", "rb") as plain, open("other.bin", "rb") as other:
        assert plain.read() == other.read()


def test_standard_input_is_a_corpus(folder):
    assert train("corpus.txt", "-o", "plain.bin") == 0
    for name in ("corpus.txt", "corpus.txt.gz"):
        with open(name, "rb") as corpus:
            run = subprocess.run(
                command("train", "-", "-o", "stdin.bin", *SMALL),
                stdin=corpus, capture_output=True,
            )  # fmt: skip
        assert (run.returncode, run.stderr) == (0, b"")
        assert (folder / "stdin.bin").read_bytes() == (folder / "plain.bin").read_bytes()


def test_flags_reach_the_model():
    args = ["--sg", "--hs", "--bias", "--no-shrink-windows", "--window=3", "--seed=9"]
    args += ["--sample=0.01", "--alpha=0.2", "--min-alpha=0.1", "--min-count=2", "--lowercase"]
    args += [
        "--max-final-vocab=100",
        "--cbow-update=word2vec",
        "--backend=scalar",
        "--no-cbow-mean",
    ]
    assert train("corpus.txt", "-o", "model", *args) == 0
    expected = {"sg": True, "objective": "hs", "bias": True, "shrink_windows": False, "window": 3}
    expected |= {"seed": 9, "sample": 0.01, "alpha": 0.2, "min_alpha": 0.1, "min_count": 2}
    expected |= {"max_final_vocab": 100, "cbow_update": "word2vec", "backend": "scalar"}
    expected |= {"cbow_mean": False, "lowercase": True, "vector_size": 8, "epochs": 2, "workers": 1}
    settings = read_vectors("model").settings
    assert {name: settings[name] for name in expected} == expected


def test_lowercase_joins_words(folder):
    (folder / "mixed").write_text("Ab aB AB\n" * 5)
    assert train("mixed", "-o", "model", "--lowercase", "--sample", "0") == 0
    assert read_vectors("model").words == ["ab"]


# ---- what is written ----


@pytest.mark.parametrize(
    ("name", "flags", "format"),
    [("v.bin", [], "bin"), ("v.txt", [], "text"), ("v.vec", [], "vec"), ("v", [], "native"),
     ("v.safetensors", [], "native"), ("v.txt", ["--format", "native"], "native"),
     ("v", ["--format", "bin"], "bin"), ("v", ["--format", "glove"], "glove")],
)  # fmt: skip
def test_the_format_follows_flag_and_suffix(name, flags, format):
    assert train("corpus.txt", "-o", name, *flags) == 0
    assert detect_format(name) == format
    assert len(KeyedVectors.read(name)) == 128


def test_a_vocabulary_is_saved_and_read(capsys):
    assert train("corpus.txt", "-o", "a.bin", "--save-vocab", "vocab") == 0
    with open("vocab") as file:
        lines = [line.split() for line in file]
    counts = [int(count) for _, count in lines]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == 600 * 12
    assert train("corpus.txt", "-o", "b.bin", "--read-vocab", "vocab") == 0
    with open("a.bin", "rb") as a, open("b.bin", "rb") as b:
        assert a.read() == b.read()
    capsys.readouterr()
    assert (
        train("part1.txt", "-o", "c", "--read-vocab", "vocab", "--min-count", str(counts[9])) == 0
    )
    n_kept = sum(count >= counts[9] for count in counts)
    assert read_vectors("c").counts.tolist() == counts[:n_kept]
    assert train("part1.txt", "-o", "c", "--read-vocab", "vocab", "--max-final-vocab", "20") == 0
    assert 10 <= len(read_vectors("c").words) <= 20
