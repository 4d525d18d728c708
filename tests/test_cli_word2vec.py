import pytest
from cli_case import fails

from fastw2v import KeyedVectors, Word2Vec, cli
from fastw2v.formats import detect_format

pytestmark = pytest.mark.usefixtures("folder")


def word2vec(*args):
    return cli.main(["word2vec", "-train", "corpus.txt", "-size", "8", "-threads", "1", *args])


@pytest.mark.parametrize(
    ("flags", "format"), [([], "text"), (["-binary", "1"], "bin"), (["-binary", "0"], "text")]
)
def test_word2vec_writes_text_or_binary(flags, format):
    assert word2vec("-output", "v", *flags) == 0
    assert detect_format("v") == format
    assert KeyedVectors.read("v").vectors.shape == (128, 8)


def test_word2vec_flags_reach_the_model(monkeypatch):
    given = []
    monkeypatch.setattr(Word2Vec, "save", lambda model, path, format: given.append(model))
    flags = "-window 3 -sample 1e-4 -hs 1 -iter 2 -min-count 2 -alpha 0.03 -cbow 0"
    assert word2vec("-output", "v", *flags.split()) == 0
    p, rules = given[0].parameters, given[0].rules
    assert (p.window, p.sample, p.objective, p.epochs, p.alpha, p.sg) == (
        3, 1e-4, "hs", 2, 0.03, True,
    )  # fmt: skip
    assert (p.vector_size, p.workers, rules.min_count) == (8, 1, 2)


@pytest.mark.parametrize(("cbow", "alpha"), [("0", 0.025), ("1", 0.05)])
def test_word2vec_has_the_rates_of_the_c_program(monkeypatch, cbow, alpha):
    given = []
    monkeypatch.setattr(Word2Vec, "save", lambda model, path, format: given.append(model))
    assert word2vec("-output", "v", "-cbow", cbow) == 0
    assert given[0].parameters.alpha == alpha


def test_word2vec_writes_classes(folder):
    assert word2vec("-output", "classes", "-classes", "7", "-save-vocab", "vocab") == 0
    lines = [line.split(" ") for line in (folder / "classes").read_text().splitlines()]
    words = [line.split(" ")[0] for line in (folder / "vocab").read_text().splitlines()]
    assert [word for word, _ in lines] == words
    assert {int(number) for _, number in lines} <= set(range(7))
    assert len({number for _, number in lines}) > 1


def test_word2vec_may_only_save_a_vocabulary(capsys, monkeypatch, folder):
    monkeypatch.setattr(Word2Vec, "train", pytest.fail)
    assert word2vec("-save-vocab", "vocab") == 0
    assert capsys.readouterr().out == "128 words written to vocab\n"
    assert (folder / "vocab").read_text().startswith("c4 373\n")


def test_word2vec_reads_a_vocabulary_and_prunes_it(folder):
    # word2vec.c applies min-count to the vocabulary that it reads
    (folder / "vocab").write_text("</s> 0\nc0 386\nc1 100\nt1w1 4\n")
    assert word2vec("-output", "v", "-read-vocab", "vocab") == 0
    assert KeyedVectors.read("v").index_to_key == ["c0", "c1"]
    assert word2vec("-output", "v", "-read-vocab", "vocab", "-min-count", "1") == 0
    assert KeyedVectors.read("v").index_to_key == ["c0", "c1", "t1w1"]


def test_word2vec_is_silent_when_told(capsys):
    assert word2vec("-output", "v", "-debug", "0") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "nothing to write: give -output, -save-vocab or both"),
        (["-output", "v", "-classes", "-1"], "-classes must be at least 0, got -1"),
        (["-output", "v", "-classes", "129"],
         "-classes must be at most the number of words, 128, got 129"),
        (["-output", "v", "-threads", "0"], "-threads must be at least 1, got 0"),
        (["-output", "v", "-negative", "0"], "-negative 0 leaves nothing to train: set -negative, "
         "-hs or softmax"),
        (["-output", "corpus.txt"], "corpus.txt is both -output and the corpus; "
         "write to another file"),
    ],
)  # fmt: skip
def test_word2vec_errors_are_one_line(capsys, flags, message):
    fails(capsys, ["word2vec", "-train", "corpus.txt", *flags], 2, message)


@pytest.mark.parametrize("flags", [["-unknown", "1"], ["-size", "x"], ["-size"]])
def test_word2vec_knows_no_other_flags(capsys, flags):
    assert word2vec("-output", "v", *flags) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("usage: fastw2v ")
    wrong = {"-unknown": "unknown flag -unknown", "-size": "argument -size: expected one argument"}
    assert (wrong[flags[0]] if flags != ["-size", "x"] else "-size must be an integer") in shown
