import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from cli_case import SMALL, command, fails, train

from fastw2v import Word2Vec, cli
from fastw2v.base.word_counts import read_word_counts
from fastw2v.errors import OutOfMemoryError
from fastw2v.formats import detect_format, read_vectors

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("args", "exit_code", "message"),
    [
        (["--workers", "0"], 2, "--workers must be at least 1, got 0"),
        (["--workers", "-3"], 2, "--workers must be at least 1, got -3"),
        (["--vector-size", "0"], 2, "--vector-size must be at least 1, got 0"),
        (["--hs", "--softmax"], 2, "--hs and --softmax contradict each other: a model has one "
         "objective; leave out all but one"),
        (["--min-count", "1000"], 3, "0 of 128 distinct words occur at least 1000 times "
         "(most frequent: 'c4', 373 times); lower --min-count"),
        (["--read-vocab", "absent"], 4, "cannot read absent: No such file or directory"),
        (["--read-vocab", "bad"], 7, "bad, line 1: expected a word and its count, "
         "got 'no count'"),
        (["--read-vocab", "empty"], 7, "empty contains no words"),
        (["--read-vocab", "other"], 3, "none of the 128 distinct words of corpus corpus.txt "
         "is in the given vocabulary of 1 words"),
        (["--read-vocab", "other", "--min-count", "99"], 2, "other: 0 of 1 words have a count of "
         "at least 99 (most frequent: 'unheard', 9); lower --min-count"),
        (["--alpha", "0", "--min-alpha", "0"], 3, "nothing was trained, the vectors are "
         "unchanged: every learning rate was 0; raise --alpha, or change the --schedule"),
        (["--alpha", "1e30"], 6, None),
        (["--vector-size", "2147483647"], 8, None),
        (["-o", "corpus.txt"], 2, "corpus.txt is both --output and the corpus; "
         "write to another file"),
        (["-o", "link"], 2, "link is both --output and the corpus; write to another file"),
        (["--save-vocab", "corpus.txt"], 2, "corpus.txt is both --save-vocab and the corpus; "
         "write to another file"),
        (["--save-vocab", "./v"], 2, "./v is both --save-vocab and --output; "
         "write to another file"),
        (["--save-vocab", "other", "--read-vocab", "other"], 2,
         "other is both --save-vocab and --read-vocab; write to another file"),
        (["-o", "."], 5, "cannot write .: it is a directory"),
        (["-o", "absent/v"], 5, "cannot write absent/v: No such file or directory"),
        (["--save-vocab", "absent/v"], 5, "cannot write absent/v: No such file or directory"),
    ],
)  # fmt: skip
def test_a_failing_run_says_why_and_leaves_everything_as_it_was(
    capsys, folder, any_rate, args, exit_code, message
):
    (folder / "bad").write_text("no count\n")
    (folder / "empty").write_text("")
    (folder / "other").write_text("unheard 9\n")
    (folder / "link").symlink_to("corpus.txt")
    (folder / "v").write_text("precious")
    before = {name: (folder / name).read_bytes() for name in os.listdir(folder)}
    assert cli.main(["train", "corpus.txt", "-o", "v", *args]) == exit_code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("fastw2v: error: ")
    assert shown.err.count("\n") == 1
    assert message is None or shown.err == f"fastw2v: error: {message}\n"
    assert {name: (folder / name).read_bytes() for name in os.listdir(folder)} == before


@pytest.mark.parametrize(
    ("corpus", "exit_code", "message"),
    [
        ("absent", 4, "cannot read absent: No such file or directory"),
        ("absent*", 4, "no file matches absent*"),
        (".", 4, "cannot read .: it is a directory; did you mean ./* ?"),
        ("blank", 3, "corpus blank contains no words"),
        ("cut.gz", 4, None),
    ],
)
def test_a_corpus_that_cannot_be_read_is_named(capsys, folder, corpus, exit_code, message):
    (folder / "blank").write_text(" \n\n")
    (folder / "cut.gz").write_bytes((folder / "corpus.txt.gz").read_bytes()[:-900])
    if message is None:
        assert train(corpus, "-o", "v") == exit_code
        assert "the gzip data is truncated" in capsys.readouterr().err
    else:
        fails(capsys, ["train", corpus, "-o", "v"], exit_code, message)


def test_what_cannot_be_written_is_found_before_anything_is_read(capsys):
    # In this order: settings, files to write, files to read.
    args = ["train", "absent", "-o", "absent/v", "--read-vocab", "absent", "--config", "run.toml"]
    with open("run.toml", "w") as file:
        file.write("window = 5\n")
    fails(capsys, [*args, "--window", "0"], 2, "--window must be at least 1, got 0")
    fails(capsys, args, 5, "cannot write absent/v: No such file or directory")
    args[args.index("absent/v")] = "v"
    fails(capsys, args, 4, "cannot read absent: No such file or directory")


def test_a_glob_that_takes_in_the_output_is_refused(capsys, folder):
    (folder / "part3.txt").write_text("the vectors of yesterday")
    message = "part3.txt is both --output and the corpus; write to another file"
    fails(capsys, ["train", "part*", "-o", "part3.txt"], 2, message)


def test_a_pipe_is_written_to_and_stays_a_pipe(folder):
    os.mkfifo("pipe")
    with os.fdopen(os.open("pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        assert train("corpus.txt", "-o", "pipe", "--format", "text", "--save-vocab", "pipe") == 0
        lines = reader.read().splitlines()
    assert (folder / "pipe").is_fifo()
    assert lines[128] == b"128 8"  # after the vocabulary


def test_memory_that_cannot_be_had_has_its_exit_code(capsys, monkeypatch):
    def refuse(n_bytes):
        raise OutOfMemoryError("cannot allocate 1 MiB: no")

    monkeypatch.setattr("fastw2v.training.arrays.allocate", refuse)
    assert cli.main(["train", "corpus.txt", "-o", "v"]) == 8
    shown = capsys.readouterr()
    assert shown.err.startswith("fastw2v: error: a model of 128 words and --vector-size=100 needs ")
    assert "(cannot allocate 1 MiB: no)" in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("format", ["native", "text", "fasttext", "tsv"])
def test_a_disk_without_room_is_found_before_training(capsys, monkeypatch, format):
    monkeypatch.setattr(Word2Vec, "train", pytest.fail)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    args = ["train", "corpus.txt", "-o", "v", "--format", format, "--vector-size", "2000"]
    fails(capsys, args, 5, "cannot write v: it needs 2.0 MiB, but only 1.0 MiB are free")


def test_a_write_protected_file_is_not_replaced(capsys, folder, monkeypatch):
    (folder / "v").write_text("precious")
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may always
    message = "cannot write v: the file is write-protected"
    fails(capsys, ["train", "corpus.txt", "-o", "v", *SMALL], 5, message)


def test_an_output_that_cannot_be_compressed_is_refused_before_training(capsys, folder):
    for name, format in [("v.gz", "native"), ("v.safetensors.xz", "native")]:
        suffix = name[name.rindex(".") :]
        message = f"{name}: format {format!r} cannot be compressed; leave out {suffix}"
        fails(capsys, ["train", "corpus.txt", "-o", name], 2, message)
    (folder / "v.txt").write_text("1 1\na 1\n")
    message = "v.safetensors.gz: format 'native' cannot be compressed; leave out .gz"
    fails(capsys, ["convert", "v.txt", "v.safetensors.gz"], 2, message)


def test_outputs_are_compressed_by_their_suffix(folder):
    args = ["corpus.txt", "-o", "v.txt.gz", "--save-vocab", "counts.bz2"]
    assert train(*args) == 0
    assert cli.main(["convert", "v.txt.gz", "v.bin.xz"]) == 0
    starts = {"v.txt.gz": b"\x1f\x8b", "counts.bz2": b"BZh", "v.bin.xz": b"\xfd7zXZ"}
    for name, start in starts.items():
        assert (folder / name).read_bytes().startswith(start)
    assert detect_format("v.txt.gz") == "text"
    assert detect_format("v.bin.xz") == "bin"
    words = read_vectors("v.bin.xz").words
    assert words == read_vectors("v.txt.gz").words == [*read_word_counts("counts.bz2")]


def test_a_disk_that_fills_up_leaves_the_old_file(capsys, folder, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (folder / "v").write_text("precious")
    monkeypatch.setattr("os.fsync", fill)
    fails(capsys, ["train", "corpus.txt", "-o", "v"], 5,
          "cannot write v: No space left on device; the model could not be saved anywhere "
          "else either and is lost")  # fmt: skip
    assert (folder / "v").read_text() == "precious"


@pytest.mark.parametrize("args", [["corpus.txt"], ["-o", "v"], ["corpus.txt", "-o", "v", "--sg",
                                  "--cbow"], ["corpus.txt", "-o", "v", "--window", "x"],
                                  ["corpus.txt", "-o", "v", "--size", "5"]])  # fmt: skip
def test_wrong_arguments_are_usage_errors(capsys, args):
    assert cli.main(["train", *args]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("usage: fastw2v ")
    assert shown.out == ""


def test_a_closed_standard_input_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert train("-", "-o", "v") == 4
    assert capsys.readouterr().err == ("fastw2v: error: cannot read standard input: it is closed\n")


def test_a_full_stdout_after_training_is_no_traceback():
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            command("train", "corpus.txt", "-o", "v", *SMALL), stdout=full,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert run.returncode == 5
    assert (
        run.stderr == "fastw2v: error: cannot write to standard output: No space left on device\n"
    )
