import bz2
import errno
import gzip
import lzma
import os
import pty
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from small_corpus import topic_sentences, write_lines

from fastw2v import KeyedVectors, Word2Vec, cli
from fastw2v.errors import OutOfMemoryError
from fastw2v.formats import detect_format, read_vectors

SMALL = ["--vector-size", "8", "--epochs", "2", "--workers", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with a corpus of 600 sentences, whole, in parts and compressed."""
    monkeypatch.chdir(tmp_path)
    text = topic_sentences()
    write_lines(tmp_path / "corpus.txt", text)
    write_lines(tmp_path / "part1.txt", text[:200])
    data = (tmp_path / "corpus.txt").read_bytes()
    (tmp_path / "corpus.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "corpus.txt.xz").write_bytes(lzma.compress(data))
    (tmp_path / "part2.bz2").write_bytes(
        bz2.compress(data[(tmp_path / "part1.txt").stat().st_size :])
    )
    return tmp_path


def train(*args):
    return cli.main(["train", *args, *SMALL])


def fails(capsys, args, exit_code, message):
    """Run a command that fails, in one line on stderr."""
    before = set(os.listdir())
    assert cli.main(args) == exit_code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"fastw2v: error: {message}\n")
    assert set(os.listdir()) == before


def command(*args):
    return [sys.executable, "-m", "fastw2v", *args]


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


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
                stdin=corpus, capture_output=True, env=environment(),
            )  # fmt: skip
        assert (run.returncode, run.stderr) == (0, b"")
        assert (folder / "stdin.bin").read_bytes() == (folder / "plain.bin").read_bytes()


def test_flags_reach_the_model():
    args = ["--sg", "--hs", "--bias", "--no-shrink-windows", "--window=3", "--seed=9"]
    args += ["--sample=0.01", "--alpha=0.2", "--min-alpha=0.1", "--min-count=2", "--lowercase"]
    args += ["--max-final-vocab=100", "--cbow-update=word2vec", "--backend=scalar"]
    assert train("corpus.txt", "-o", "model", *args) == 0
    expected = {"sg": True, "objective": "hs", "bias": True, "shrink_windows": False, "window": 3}
    expected |= {"seed": 9, "sample": 0.01, "alpha": 0.2, "min_alpha": 0.1, "min_count": 2}
    expected |= {"max_final_vocab": 100, "cbow_update": "word2vec", "backend": "scalar"}
    expected |= {"lowercase": True, "vector_size": 8, "epochs": 2, "workers": 1}
    settings = read_vectors("model").settings
    assert {name: settings[name] for name in expected} == expected


def test_lowercase_joins_words(folder):
    (folder / "mixed").write_text("Ab aB AB\n" * 5)
    assert train("mixed", "-o", "model", "--lowercase") == 0
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


def parsed_summary(shown):
    """The numbers of the summary by name."""
    lines = re.findall(r"^(\w[\w ]*?) {2,}([\d,.]+)  (.*)$", shown, re.MULTILINE)
    return {name: (float(number.replace(",", "")), note) for name, number, note in lines}


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_summary_adds_up(capsys, workers):
    args = ["-o", "v.bin", "--min-count", "65", "--sample", "0.005", "--epochs", "3"]
    assert cli.main(["train", "corpus.txt", *args, "--workers", workers]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.endswith("vectors in v.bin\n")
    numbers = parsed_summary(shown.out)
    parts = [numbers[name][0] for name in ("trained", "subsampled", "not in vocabulary")]
    assert min(parts) > 0
    assert sum(parts) == numbers["tokens read"][0] == 3 * 600 * 12
    assert numbers["tokens read"][1] == "7,200 x 3 epochs"
    shares = [float(numbers[name][1].rstrip("%"))
              for name in ("trained", "subsampled", "not in vocabulary")]  # fmt: skip
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert numbers["words"] == (len(KeyedVectors.read("v.bin")), "in 600 sentences")


def test_quiet_says_nothing(capsys):
    assert train("corpus.txt", "-o", "v", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


# ---- progress ----


def run_on_terminal(*args):
    """Run a command whose stderr is a terminal; return what it showed there and on stdout."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        command(*args), stdout=subprocess.PIPE, stderr=end, env=environment()
    ) as process:
        os.close(end)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError as error:  # Linux's way to say that the other end is closed
                assert error.errno == errno.EIO
                break
            if not piece:
                break
            shown += piece
        out = process.stdout.read()
        assert process.wait() == 0
    os.close(terminal)
    return shown.decode(), out.decode()


def test_progress_is_one_line_on_a_terminal():
    shown, out = run_on_terminal("train", "corpus.txt", "-o", "v", *SMALL)
    assert "\rread  100%" in shown
    assert "\rtrain 100%" in shown
    assert shown.count("\n") == 2  # after reading and after training
    assert shown.endswith("\n")
    assert "\r" not in out
    assert out.startswith("tokens read")


def test_quiet_holds_on_a_terminal_too():
    assert run_on_terminal("train", "corpus.txt", "-o", "v", "-q", *SMALL) == ("", "")


def test_progress_in_a_log_is_lines_on_stderr(capsys, monkeypatch):
    monkeypatch.setattr("fastw2v.training.progress.PLAIN_SECONDS", 0.0)
    assert train("corpus.txt", "-o", "v", "--progress") == 0
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[0].startswith("read ")
    assert lines[-1].startswith("train 100%  ")
    assert "\r" not in shown.err
    assert shown.out.startswith("tokens read")
    assert train("corpus.txt", "-o", "v") == 0
    assert capsys.readouterr().err == ""


def test_progress_and_quiet_contradict_each_other(capsys):
    assert train("corpus.txt", "-o", "v", "--progress", "--quiet") == 2
    assert "not allowed with argument" in capsys.readouterr().err


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
        ('window = "5"', "window must be an integer, got '5'"),
        ("window = 5.0", "window must be an integer, got 5.0"),
        ("window = [5]", "window must be an integer, got [5]"),
        ('sample = "0.1"', "sample must be a number, got '0.1'"),
        ("alpha = true", "alpha must be a number, got True"),
        ("alpha = nan", "alpha must be finite, got nan"),
        ('bias = "no"', "bias must be True or False, got 'no'"),
        ('hs = "yes"', "hs must be True or False, got 'yes'"),
        ('lowercase = "yes"', "lowercase must be True or False, got 'yes'"),
        ('cbow = "yes"', "cbow must be True or False, got 'yes'"),
        ("sg = 3", "sg must be True or False, got 3"),
        ("sg = true\ncbow = true", "run.toml: sg and cbow contradict each other; leave one out"),
        ('min_count = "x"', "min_count must be an integer, got 'x'"),
        ("tokenizer = 3", "tokenizer must be given as module:function, got 3"),
        ("workers = 0", "workers must be at least 1, got 0"),
        ("hs = true\nnegative = 5", "hs and negative contradict each other: a model has one "
         "objective; leave out all but one, or set negative=0"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_a_configuration_file_is_named(capsys, folder, text, message):
    (folder / "run.toml").write_text(text)
    fails(capsys, ["train", "corpus.txt", "-o", "v", "--config", "run.toml"], 2, message)


def test_a_configuration_file_that_cannot_be_used_is_named(capsys, folder):
    args = ["train", "corpus.txt", "-o", "v", "--config", "run.toml"]
    fails(capsys, args, 4, "cannot read run.toml: No such file or directory")
    for content, start in [
        (b"size = 5", "run.toml: unknown setting 'size'; accepted are alpha, backend, bias, "),
        (b"[model]\nwindow = 5", "run.toml: unknown setting 'model'; accepted are alpha, "),
        (b"window 5", "run.toml is not valid TOML: "),
        (b"window = '\xff'", "run.toml is not valid TOML: "),
    ]:
        (folder / "run.toml").write_bytes(content)
        assert cli.main(args) == 2
        shown = capsys.readouterr().err
        assert shown.startswith(f"fastw2v: error: {start}")
        assert shown.count("\n") == 1


# ---- tokenizers ----


def test_a_tokenizer_is_found_in_the_working_folder(folder):
    (folder / "my_words.py").write_text("def by_comma(line):\n    return line.split(',')\n")
    (folder / "text").write_text("big cat,dog\n" * 5)
    assert train("text", "-o", "v", "--tokenizer", "my_words:by_comma") == 0
    assert sorted(read_vectors("v").words) == ["big cat", "dog"]
    sys.modules.pop("my_words")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("split", "tokenizer must be given as module:function, got 'split'"),
        ("absent_words:split", "tokenizer 'absent_words:split' cannot be imported: "
         "ModuleNotFoundError: No module named 'absent_words'"),
        ("json:split", "tokenizer 'json:split' cannot be imported: "
         "AttributeError: module 'json' has no attribute 'split'"),
        ("os:name", "tokenizer 'os:name' is not callable"),
        ("broken_words:f", "tokenizer 'broken_words:f' cannot be imported: "
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


# ---- errors ----


@pytest.mark.parametrize(
    ("args", "exit_code", "message"),
    [
        (["--workers", "0"], 2, "workers must be at least 1, got 0"),
        (["--workers", "-3"], 2, "workers must be at least 1, got -3"),
        (["--vector-size", "0"], 2, "vector_size must be at least 1, got 0"),
        (["--hs", "--softmax"], 2, "hs and softmax contradict each other: a model has one "
         "objective; leave out all but one"),
        (["--min-count", "1000"], 3, "0 of 128 distinct words occur at least 1000 times "
         "(most frequent: 'c4', 373 times); lower min_count"),
        (["--read-vocab", "absent"], 4, "cannot read absent: No such file or directory"),
        (["--read-vocab", "bad"], 7, "bad, line 1: expected a word and its count, "
         "got 'no count'"),
        (["--read-vocab", "empty"], 7, "empty: holds no words"),
        (["--read-vocab", "other"], 3, "none of the 128 distinct words of corpus corpus.txt "
         "is in the given vocabulary of 1 words"),
        (["--read-vocab", "other", "--min-count", "99"], 2, "other: 0 of 1 words have a count of "
         "at least 99 (most frequent: 'unheard', 9); lower min_count"),
        (["--alpha", "1e30"], 6, None),
        (["--vector-size", "2147483647"], 8, None),
        (["-o", "corpus.txt"], 2, "corpus.txt is output and the corpus at once; "
         "write to another file"),
        (["-o", "link"], 2, "link is output and the corpus at once; write to another file"),
        (["--save-vocab", "corpus.txt"], 2, "corpus.txt is save-vocab and the corpus at once; "
         "write to another file"),
        (["--save-vocab", "./v"], 2, "./v is save-vocab and output at once; write to another file"),
        (["--save-vocab", "other", "--read-vocab", "other"], 2,
         "other is save-vocab and read-vocab at once; write to another file"),
        (["-o", "."], 5, "cannot write .: it is a directory"),
        (["-o", "absent/v"], 5, "cannot write absent/v: No such file or directory"),
        (["--save-vocab", "absent/v"], 5, "cannot write absent/v: No such file or directory"),
    ],
)  # fmt: skip
def test_a_failing_run_says_why_and_leaves_everything_as_it_was(
    capsys, folder, args, exit_code, message
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
        ("blank", 3, "corpus blank holds no words"),
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
    fails(capsys, [*args, "--window", "0"], 2, "window must be at least 1, got 0")
    fails(capsys, args, 5, "cannot write absent/v: No such file or directory")
    args[args.index("absent/v")] = "v"
    fails(capsys, args, 4, "cannot read absent: No such file or directory")


def test_a_glob_that_takes_in_the_output_is_refused(capsys, folder):
    (folder / "part3.txt").write_text("the vectors of yesterday")
    message = "part3.txt is output and the corpus at once; write to another file"
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

    monkeypatch.setattr("fastw2v.training.model.allocate", refuse)
    fails(capsys, ["train", "corpus.txt", "-o", "v"], 8, "cannot allocate 1 MiB: no")


def test_a_disk_that_fills_up_leaves_the_old_file(capsys, folder, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (folder / "v").write_text("precious")
    monkeypatch.setattr("os.fsync", fill)
    fails(capsys, ["train", "corpus.txt", "-o", "v"], 5,
          "cannot write v: No space left on device")  # fmt: skip
    assert (folder / "v").read_text() == "precious"


@pytest.mark.parametrize("args", [["corpus.txt"], ["-o", "v"], ["corpus.txt", "-o", "v", "--sg",
                                  "--cbow"], ["corpus.txt", "-o", "v", "--window", "x"],
                                  ["corpus.txt", "-o", "v", "--size", "5"]])  # fmt: skip
def test_wrong_arguments_are_usage_errors(capsys, args):
    assert cli.main(["train", *args]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("usage: fastw2v ")
    assert shown.out == ""


# ---- Ctrl-C ----


def interrupted(args, wait_for, stdin=None):
    """Start a command, send Ctrl-C when its log matches; return code, log and seconds after."""
    with subprocess.Popen(
        command(*args), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(), text=True, start_new_session=True,
    ) as process:  # fmt: skip
        wait_for(process)
        start = time.perf_counter()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err, time.perf_counter() - start


def busy(process):
    """Wait until a process has used half a second of CPU beyond its start, or has ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    while process.poll() is None:
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        if int(fields[11]) + int(fields[12]) > 0.8 * ticks:
            return
        time.sleep(0.02)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "mode",
    [["--sg", "--epochs", "100000"], ["--sg", "--hs", "--epochs", "100000"],
     ["--sg", "--softmax", "--min-count", "1", "--vector-size", "200", "--sample", "0"]],
    ids=["ns", "hs", "softmax"],
)  # fmt: skip
def test_ctrl_c_while_training_leaves_nothing_behind(folder, mode):
    if "--softmax" in mode:  # 20,000 words: a chunk takes a quarter of a second
        words = np.random.default_rng(0).permutation(60_000) % 20_000
        (folder / "corpus.txt").write_text(" ".join(f"w{i}" for i in words))
    (folder / "v").write_text("precious")
    before = set(os.listdir(folder))
    args = ["train", "corpus.txt", "-o", "v", "--workers", "2", *mode]
    code, out, err, seconds = interrupted(args, busy)
    assert (code, out, err) == (cli.INTERRUPTED, "", "fastw2v: error: interrupted\n")
    assert seconds < 2  # less than one, were the machine ours
    assert set(os.listdir(folder)) == before
    assert (folder / "v").read_text() == "precious"


def test_ctrl_c_while_reading_a_silent_pipe_leaves_nothing_behind(folder):
    def started(process):
        time.sleep(0.7)

    before = set(os.listdir(folder))
    args = ["train", "-", "-o", "v"]
    code, out, err, seconds = interrupted(args, started, stdin=subprocess.PIPE)
    assert (code, out, err) == (cli.INTERRUPTED, "", "fastw2v: error: interrupted\n")
    assert seconds < 2
    assert set(os.listdir(folder)) == before


# ---- word2vec.c's command line ----


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
        (["-output", "v", "-classes", "-1"], "classes must be at least 0, got -1"),
        (["-output", "v", "-threads", "0"], "workers must be at least 1, got 0"),
        (["-output", "v", "-hs", "1", "-negative", "5"], "hs and negative contradict each other: "
         "a model has one objective; leave out all but one, or set negative=0"),
        (["-output", "corpus.txt"], "corpus.txt is output and the corpus at once; "
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
    assert f"argument{'s:' if flags[0] == '-unknown' else ''} {flags[0]}" in shown


# ---- the demo ----


def test_the_demo_shows_neighbours_and_the_next_command(capsys, folder, monkeypatch):
    monkeypatch.setattr("fastw2v.cli.stdlib_text.stdlib_sentences", demo_sentences)
    assert cli.main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^ +list:  \w+ [01]\.\d\d  \w+ ", shown, re.MULTILINE)
    assert "fastw2v train corpus.txt -o " in shown
    assert cli.main(["demo", "-o", "demo.safetensors"]) == 0
    assert "fastw2v nn demo.safetensors list" in capsys.readouterr().out
    assert cli.main(["nn", "demo.safetensors", "list", "-n", "3"]) == 0


def demo_sentences():
    """The corpus of topics, with words that the demo shows."""
    names = {"t0w0": "list", "t1w0": "integer"}
    return ([names.get(word, word) for word in s] for s in topic_sentences())


@pytest.mark.slow
def test_the_demo_runs_on_the_standard_library():
    run = subprocess.run(command("demo"), capture_output=True, text=True, env=environment())
    assert run.returncode == 0
    assert re.search(r"^ +list:  ", run.stdout, re.MULTILINE)
    assert "Traceback" not in run.stderr


def test_a_closed_standard_input_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert train("-", "-o", "v") == 4
    assert capsys.readouterr().err == ("fastw2v: error: cannot read standard input: it is closed\n")


def test_a_full_stdout_after_training_is_no_traceback():
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            command("train", "corpus.txt", "-o", "v", *SMALL), stdout=full,
            stderr=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
    assert run.returncode == 5
    assert (
        run.stderr == "fastw2v: error: cannot write to standard output: No space left on device\n"
    )
