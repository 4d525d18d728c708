import sys

import pytest
from cli_case import fails, train
from small_model import same_bits

from fastw2v import Word2Vec, cli
from fastw2v.formats import read_vectors

pytestmark = pytest.mark.usefixtures("folder")


# ---- configuration ----


def test_a_configuration_file_sets_what_flags_do_not(folder):
    (folder / "run.toml").write_text(
        'vector-size = 30\nepochs = 7\nsg = true\nhs = true\nmin_count = 3\nsample = 0\n'
        'backend = "scalar"\nlowercase = true\n'
    )  # fmt: skip
    assert train("corpus.txt", "-o", "v", "--config", "run.toml", "--cbow") == 0
    settings = read_vectors("v").settings
    expected = {"vector_size": 8, "epochs": 2, "sg": False, "objective": "hs", "min_count": 3}
    expected |= {"sample": 0, "backend": "scalar", "lowercase": True}
    assert {name: settings[name] for name in expected} == expected


@pytest.mark.parametrize(("text", "sg"), [("cbow = false", True), ("cbow = true", False)])
def test_a_configuration_file_may_say_cbow(folder, text, sg):
    (folder / "run.toml").write_text(text)
    assert train("corpus.txt", "-o", "v", "--config", "run.toml") == 0
    assert read_vectors("v").settings["sg"] is sg


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('window = "5"', "window in run.toml must be an integer, got '5'"),
        ("window = 5.0", "window in run.toml must be an integer, got 5.0"),
        ("window = [5]", "window in run.toml must be an integer or a pair (left, right), got [5]"),
        ('sample = "0.1"', "sample in run.toml must be a number, got '0.1'"),
        ("alpha = true", "alpha in run.toml must be a number, got True"),
        ("alpha = nan", "alpha in run.toml must be finite, got nan"),
        ('bias = "no"', "bias in run.toml must be True, False or 'both', got 'no'"),
        ('hs = "yes"', "hs in run.toml must be True or False, got 'yes'"),
        ('lowercase = "yes"', "lowercase in run.toml must be True or False, got 'yes'"),
        ('cbow = "yes"', "cbow in run.toml must be True or False, got 'yes'"),
        ("sg = 3", "sg in run.toml must be True or False, got 3"),
        ("sg = true\ncbow = true", "run.toml: 'sg' and 'cbow' cannot be combined; leave one out"),
        ("min_count = 3\nmin-count = 4", "run.toml: 'min_count' is set twice, also as 'min-count'"),
        ('min_count = "x"', "min_count in run.toml must be an integer, got 'x'"),
        ("tokenizer = 3", "tokenizer in run.toml must be given as module:function, got 3"),
        ("workers = 0", "workers in run.toml must be at least 1, got 0"),
        ("softmax = true\nnegative = 5", "softmax in run.toml and negative in run.toml contradict "
         "each other: a model has one objective; leave out all but one, or set negative=0"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_a_configuration_file_is_named(capsys, folder, text, message):
    (folder / "run.toml").write_text(text)
    fails(capsys, ["train", "corpus.txt", "-o", "v", "--config", "run.toml"], 2, message)


def test_a_configuration_file_that_cannot_be_used_is_named(capsys, folder):
    args = ["train", "corpus.txt", "-o", "v", "--config", "run.toml"]
    fails(capsys, args, 4, "cannot read run.toml: No such file or directory")
    for content, start in [
        (b"size = 5", "run.toml: unknown setting 'size'; did you mean 'vector_size'?"),
        (
            b"[model]\nwindow = 5",
            "run.toml: unknown setting 'model'; settings are not in a [section], ",
        ),
        (b"window 5", "run.toml is not valid TOML: "),
        (b"window = '\xff'", "run.toml is not valid TOML: "),
    ]:
        (folder / "run.toml").write_bytes(content)
        assert cli.main(args) == 2
        shown = capsys.readouterr().err
        assert shown.startswith(f"fastw2v: error: {start}")
        assert shown.count("\n") == 1


def test_a_window_may_differ_left_and_right(folder):
    (folder / "run.toml").write_text("window = [4, 0]")
    assert train("corpus.txt", "-o", "v", "--config", "run.toml") == 0
    assert read_vectors("v").settings["window"] == [4, 0]
    assert train("corpus.txt", "-o", "v", "--window", "1,3") == 0
    assert Word2Vec.load("v").parameters.window == (1, 3)


def test_both_biases_are_asked_for_by_a_flag_or_in_a_configuration_file(folder, capsys):
    assert train("--bias=both", "corpus.txt", "-o", "v") == 0
    assert read_vectors("v").settings["bias"] == "both"
    assert read_vectors("v").input_bias.any()
    (folder / "run.toml").write_text('bias = "both"\n')
    assert train("corpus.txt", "-o", "v2", "--config", "run.toml") == 0
    assert same_bits(Word2Vec.load("v"), Word2Vec.load("v2"))
    for flag, bias in (("--bias", True), ("--no-bias", False)):
        assert train(flag, "corpus.txt", "-o", "v", "--config", "run.toml") == 0
        assert read_vectors("v").settings["bias"] is bias
    capsys.readouterr()
    args = ["train", "corpus.txt", "-o", "v", "--bias=both", "--freeze", "all"]
    fails(capsys, args, 2, "--bias=both changes every vector: --freeze and vectors_lockf cannot "
          "keep any; use --bias, or freeze nothing")  # fmt: skip


# ---- tokenizers ----


@pytest.mark.parametrize("how", ["flag", "config"])
def test_a_built_in_tokenizer_is_given_by_its_name(folder, how):
    (folder / "text").write_text("The CAT's Été, 12!\n" * 5, "utf-8")
    (folder / "run.toml").write_text('tokenizer = "simple:deacc,min_len=1"\n')
    given = {"flag": ["--tokenizer", "simple:deacc,min_len=1"], "config": ["--config", "run.toml"]}
    assert train("text", "-o", "v", *given[how]) == 0
    assert sorted(read_vectors("v").words) == ["cat", "ete", "s", "the"]
    assert read_vectors("v").settings["tokenizer"] == "simple:deacc,min_len=1"
    assert cli.main(["phrases", "text", "-o", "joined", "--tokenizer", "words"]) == 0
    assert (folder / "joined").read_text("utf-8").startswith("the cat's été 12\n")


def test_a_tokenizer_is_found_in_the_working_folder(folder):
    (folder / "my_words.py").write_text("def by_comma(line):\n    return line.split(',')\n")
    (folder / "text").write_text("big cat,dog\n" * 5)
    assert train("text", "-o", "v", "--tokenizer", "my_words:by_comma") == 0
    assert sorted(read_vectors("v").words) == ["big cat", "dog"]
    sys.modules.pop("my_words")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("split", "--tokenizer must be whitespace, words, simple or module:function, got 'split'"),
        ("simple:deaccent", "--tokenizer must be simple with the options deacc, min_len=N "
         "and max_len=N, got 'deaccent'"),
        ("absent_words:split", "--tokenizer 'absent_words:split' cannot be imported: "
         "ModuleNotFoundError: No module named 'absent_words'"),
        ("json:split", "--tokenizer 'json:split' cannot be imported: "
         "AttributeError: module 'json' has no attribute 'split'"),
        ("os:name", "--tokenizer 'os:name' is not callable"),
        ("broken_words:f", "--tokenizer 'broken_words:f' cannot be imported: "
         "ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_a_tokenizer_that_cannot_be_had_is_an_error(capsys, folder, monkeypatch, name, message):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (folder / "broken_words.py").write_text("1 / 0\n")
    fails(capsys, ["train", "corpus.txt", "-o", "v", "--tokenizer", name], 2, message)


def test_words_that_the_format_cannot_hold_are_found_before_training(capsys, folder, monkeypatch):
    (folder / "comma_words.py").write_text("def split(line):\n    return line.split(',')\n")
    (folder / "text").write_text("big cat,dog\n" * 5)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(Word2Vec, "train", pytest.fail)
    args = ["train", "text", "-o", "v.txt", "--tokenizer", "comma_words:split"]
    fails(capsys, args, 5, "cannot write v.txt: this format cannot hold the word 'big cat' "
          "(empty, or with a space or newline in it); the native format can")  # fmt: skip


@pytest.mark.parametrize("setting", ["tokenizer", "schedule"])
@pytest.mark.parametrize(
    "error",
    ["RuntimeError('x')", "StopIteration('x')", "RecursionError('x')", "TypeError('x')",
     "FileNotFoundError(2, 'x', 'y')", "BrokenPipeError(32, 'x')", "GeneratorExit('x')"],
)  # fmt: skip
def test_a_function_that_raises_is_named_in_one_line(capsys, folder, monkeypatch, setting, error):
    monkeypatch.delitem(sys.modules, "raising", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (folder / "raising.py").write_text(f"def f(given):\n    raise {error}\n")
    shown = repr(eval(error))
    args = ["train", "corpus.txt", "-o", "v", f"--{setting}", "raising:f"]
    fails(capsys, args, 2, f"--{setting} 'raising:f' raised {shown}")


def test_a_tokenizer_that_raises_between_tokens_is_named(capsys, folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "raising", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (folder / "raising.py").write_text("def f(text):\n    yield 'a'\n    raise OSError('x')\n")
    args = ["train", "corpus.txt", "-o", "v", "--tokenizer", "raising:f"]
    fails(capsys, args, 2, "--tokenizer 'raising:f' raised OSError('x')")
