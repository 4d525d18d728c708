"""What the command says of mistakes: with flags, and with what may have been meant."""

import argparse
import re
import sys

import pytest
from cli_case import SMALL, fails, train

from fastw2v import Word2Vec, cli
from fastw2v.base.spelling import nearest_name
from fastw2v.cli.command import _parser, _subparser
from fastw2v.cli.mistakes import flags_of, in_flags
from fastw2v.cli.settings import SETTING_FLAGS
from fastw2v.errors import UsageError

pytestmark = pytest.mark.usefixtures("folder")
TRAIN = ["train", "corpus.txt", "-o", "v"]
OF_TRAIN = flags_of(_subparser("train"))


def mistaken(capsys, args, message):
    """Run a command with wrong arguments, which shows its usage and one line."""
    assert cli.main(args) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    usage, _, last = shown.err.rstrip("\n").rpartition("\n")
    assert last == f"fastw2v: error: {message}"
    return usage


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("tran", "unknown command 'tran'; did you mean 'train'?"),
        ("Evaluate", "unknown command 'Evaluate'; did you mean 'evaluate'?"),
        ("similar", f"unknown command 'similar'; commands are {', '.join(cli.SUBCOMMANDS)}"),
    ],
)
def test_an_unknown_command_is_told_what_may_be_meant(capsys, given, message):
    for args in ([given, "x"], ["help", given]):
        assert mistaken(capsys, args, message).startswith("usage: fastw2v [-h] [-V] COMMAND")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([*TRAIN, "--vectr-size", "5"], "unknown flag --vectr-size; did you mean --vector-size?"),
        ([*TRAIN, "--vector_size=5"], "unknown flag --vector_size; did you mean --vector-size?"),
        ([*TRAIN, "--size", "5"], "unknown flag --size; did you mean --vector-size?"),
        (["train", "corpus.txt", "--outptu", "v"], "unknown flag --outptu; did you mean --output?"),
        (["train", "corpus.txt", "-output", "v"], "unknown flag -output; did you mean --output?"),
        ([*TRAIN, "-iter", "5"], "unknown flag -iter; did you mean --epochs?"),
        ([*TRAIN, "--frobnicate"], "unknown flag --frobnicate"),
        ([*TRAIN, "--sg", "1"], "unrecognized arguments: 1; --sg takes no value"),
        ([*TRAIN, "--format", "txt"], "--format must be one of native, text, bin, vec, fasttext, "
         "glove, hf, tsv, parquet, got 'txt'; did you mean 'text'?"),
        ([*TRAIN, "--epochs", "2.5"], "--epochs must be an integer, got '2.5'"),
        ([*TRAIN, "--window", "a"], "--window must be an integer, or two such as 5,2, got 'a'"),
        (["nn", "v", "-n", "x"], "-n must be an integer, got 'x'"),
        (["word2vec", "-train", "corpus.txt", "-outpt", "v"],
         "unknown flag -outpt; did you mean -output?"),
        (["nn", "v", "--josn"], "unknown flag --josn; did you mean --json?"),
        (["info", "v", "w"], "unrecognized arguments: w"),
    ],
)  # fmt: skip
def test_a_wrong_argument_shows_the_usage_of_its_command(capsys, args, message):
    usage = mistaken(capsys, args, message)
    assert usage.startswith(f"usage: fastw2v {args[0]} ")


@pytest.mark.parametrize("name", cli.SUBCOMMANDS)
def test_no_flag_can_be_abbreviated(capsys, name):
    parser = _subparser(name)
    longest = [max(action.option_strings, key=len, default="") for action in parser._actions]
    for flag in (flag for flag in longest if len(flag) > 4 and "=" not in flag):
        assert cli.main([name, flag[:-1]]) == 2
        assert f"unknown flag {flag[:-1]}" in capsys.readouterr().err


def test_the_version_and_the_help_of_a_command_are_shown(capsys):
    for asked, same in [(["-V"], ["--version"]), (["help"], ["--help"]),
                        (["help", "train"], ["train", "--help"])]:  # fmt: skip
        assert cli.main(asked) == 0
        shown = capsys.readouterr()
        assert cli.main(same) == 0
        assert shown == capsys.readouterr()
        assert shown.out and not shown.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--vector-size", "0"], "--vector-size must be at least 1, got 0"),
        (["--sample", "-1"], "--sample must be at least 0, got -1.0"),
        (["--alpha", "1", "--min-alpha", "2"],
         "--min-alpha must be between 0 and --alpha (1.0), got 2.0"),
        (["--softmax", "--negative", "5"], "--softmax and --negative contradict each other: a "
         "model has one objective; leave out all but one, or set --negative=0"),
        (["--grow"], "--grow needs --init-from, the vectors whose words to keep"),
        (["--checkpoint-every", "90s"], "--checkpoint-every needs a checkpoint folder: set "
         "--checkpoint"),
        (["--checkpoint", "run", "--checkpoint-every", "soon"], "--checkpoint-every must be a time "
         "such as 90s, 10m or 1h, at least 0, got 'soon'"),
        (["--patience", "2"], "--patience needs --validation or --metric-pairs or "
         "--metric-analogies, to know which epoch is best"),
        (["--column", "text"], "--column is for Parquet files and .jsonl, .ndjson, .json, .csv, "
         ".tsv, but corpus.txt is none of them"),
        (["--tokenizer", "x:y"], "--tokenizer 'x:y' cannot be imported: ModuleNotFoundError: No "
         "module named 'x'"),
        (["--save-vocab", "corpus.txt"], "corpus.txt is both --save-vocab and the corpus; "
         "write to another file"),
        (["--log", ""], "--log must not be empty, got ''"),
    ],
)  # fmt: skip
def test_an_error_names_the_flag(capsys, flags, message):
    fails(capsys, [*TRAIN, *flags], 2, message)


def test_a_warning_names_the_flag(capsys):
    assert train("corpus.txt", "-o", "v", "--alpha", "5") == 0
    assert "is limited" not in capsys.readouterr().out
    assert cli.main([*TRAIN, *SMALL, "--sample", "1e-9", "--alpha", "5"]) == 3
    assert "raise --sample above 1e-09" in capsys.readouterr().err


def test_the_flags_of_word2vec_c_and_phrases_are_their_own(capsys):
    wrong = ["word2vec", "-train", "corpus.txt", "-output", "v", "-size", "0"]
    fails(capsys, wrong, 2, "-size must be at least 1, got 0")
    fails(capsys, ["phrases", "corpus.txt", "-o", "v", "--min-count", "0"], 2,
          "--min-count should be at least 1, got 0")  # fmt: skip


@pytest.mark.parametrize("name", sorted(SETTING_FLAGS))
def test_a_setting_that_an_error_begins_with_becomes_its_flag(name):
    flag = "--" + name.replace("_", "-")
    assert in_flags(f"{name} must be at least 1, got 0", OF_TRAIN).startswith(f"{flag} must")
    assert in_flags(f"too few words; lower {name}", OF_TRAIN).endswith(f"; lower {flag}")
    assert in_flags(f"with {name}=3, no", OF_TRAIN) == f"with {flag}=3, no"


@pytest.mark.parametrize(
    "text",
    [
        "cannot read min_count.txt: no such file",
        "no vector for 'min_count'",
        "the window of a sample is negative; the log of epochs is at work",
        "data/vector_size/a.txt has no words",
    ],
)
def test_a_message_keeps_words_that_are_no_settings(text):
    assert in_flags(text, OF_TRAIN) == text


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("window = 0", "window in run.toml must be at least 1, got 0"),
        ("grow = true", "grow in run.toml needs --init-from, the vectors whose words to keep"),
        ("windw = 3", "run.toml: unknown setting 'windw'; did you mean 'window'?"),
        ("Vector-Size = 3", "run.toml: unknown setting 'Vector-Size'; did you mean 'vector_size'?"),
        ("[model]\nwindow = 5", "run.toml: unknown setting 'model'; settings are not in a "
         "[section], but at the top of the file"),
    ],
)  # fmt: skip
def test_an_error_in_a_configuration_file_names_the_file(capsys, folder, toml, message):
    (folder / "run.toml").write_text(toml)
    fails(capsys, [*TRAIN, "--config", "run.toml"], 2, message)


def test_a_flag_in_place_of_a_setting_of_the_file_is_named_as_a_flag(capsys, folder):
    (folder / "run.toml").write_text("window = 5\n")
    fails(capsys, [*TRAIN, "--config", "run.toml", "--window", "0"], 2,
          "--window must be at least 1, got 0")  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [("windo", "window"), ("vectorsize", "vector_size"), ("dim", "vector_size"),
     ("minCount", "min_count"), ("lr", "alpha"), ("Epochs", "epochs")],
)  # fmt: skip
def test_a_misspelled_setting_of_python_is_told_what_may_be_meant(given, meant):
    with pytest.raises(UsageError, match=re.escape(f"{given!r}; did you mean {meant!r}?")):
        Word2Vec(**{given: 3})


def test_nothing_is_suggested_for_what_is_like_nothing():
    assert nearest_name("zzz", ["window", "alpha"]) is None
    assert nearest_name("", ["window", "alpha"]) is None


def test_every_command_has_a_parser_of_whole_flags():
    parsers = [_parser(), *(_subparser(name) for name in cli.SUBCOMMANDS)]
    assert not any(parser.allow_abbrev for parser in parsers)
    assert all(isinstance(parser, argparse.ArgumentParser) for parser in parsers)


def test_completion_without_its_package_names_the_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    fails(capsys, ["completion", "bash"], 2, "completion in shells needs an optional package: "
          "pip install 'fastw2v[completion]'")  # fmt: skip
