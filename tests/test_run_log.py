import importlib
import json
import os
import re
import subprocess
import sys

import pytest
from cli_case import fails, train
from small_corpus import topic_sentences
from small_model import OBJECTIVES, SMALL

from fastw2v import Word2Vec, backends
from fastw2v.base import commit
from fastw2v.base.jsonable import jsonable
from fastw2v.callbacks import StopTraining, TensorBoard
from fastw2v.errors import SaveError, UsageError
from fastw2v.run import tensorboard

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks", "no_second_passes")


def read_log(path):
    """The records of a log, with nothing that is not JSON."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    with open(path, encoding="utf-8") as file:
        return [json.loads(line, parse_constant=refuse) for line in file]


# ---- the file ----


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_log_holds_settings_intervals_epochs_and_the_summary(tmp_path, sentences, objective):
    path = tmp_path / "run.jsonl"
    options = {"log": path, "validation": topic_sentences(100, seed=5), "sg": 1}
    model = Word2Vec(sentences, **options, **SMALL, **OBJECTIVES[objective])
    head, *rest = read_log(path)
    epoch = ["interval", "epoch"]
    assert [record["event"] for record in rest] == [*epoch, *epoch, "summary"]
    assert all(re.match(r"20\d\d-\d\d-\d\dT.*\+00:00$", r["time"]) for r in (head, *rest))
    assert head["event"] == "settings"
    assert head["settings"]["vector_size"] == 12
    assert head["settings"]["backend"] in backends()
    assert head["corpus"]["n_tokens_read"] == 7_200
    assert head["host"]["cpu"]
    assert head["host"]["cores"] > 0
    names = {
        "ns": "negative sampling, 5 negative samples",
        "hs": "hierarchical softmax",
        "hs+ns": "hierarchical softmax and negative sampling, 5 negative samples",
        "softmax": "full softmax",
    }
    assert head["loss_name"] == names[objective]
    interval, done = rest[0], rest[1]
    assert interval["epoch"] == done["epoch"] == 1
    assert interval["progress"] == 0.5
    assert interval["loss"] == pytest.approx(model.history[0].loss)
    for name in ("loss", "lr", "validation_loss", "n_trained", "n_subsampled", "n_tokens_read"):
        assert done[name] == getattr(model.history[0], name)
    summary = rest[-1]
    assert summary["validation_loss"] == model.summary.validation_loss
    assert summary["n_trained"] == model.summary.n_trained
    assert summary["peak_bytes"] > 0


def test_runs_are_added_to_a_log(tmp_path, sentences):
    path = tmp_path / "run.jsonl"
    path.write_text('{"event": "mine"}\n')
    model = Word2Vec(sentences, log=path, **SMALL)
    model.train(sentences)
    model.train(sentences, log=None)
    events = [record["event"] for record in read_log(path)]
    assert events[0] == "mine"
    assert events.count("settings") == events.count("summary") == 2


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (RuntimeError("seen\nenough"), {"error": "RuntimeError", "message": "seen\nenough"}),
        (KeyboardInterrupt(), {"error": "KeyboardInterrupt", "message": ""}),
        (StopTraining("enough"), {"event": "summary", "stopped": "enough", "epochs": 1}),
    ],
)
def test_a_log_tells_how_a_run_ended(tmp_path, sentences, error, last):
    class Raising:
        def on_epoch_end(self, model):
            raise error

    path = tmp_path / "run.jsonl"
    try:
        Word2Vec(sentences, log=path, callbacks=[Raising()], **SMALL)
    except type(error) as caught:
        assert caught is error
    record = read_log(path)[-1]
    assert {name: record[name] for name in last} == last


def test_what_is_not_finite_is_null(tmp_path):
    record = jsonable({"a": float("nan"), "b": [float("inf"), 1.5, True], "c": print, 3: None})
    assert record["a"] is None
    assert record["b"] == [None, 1.5, True]
    assert record["c"].startswith("<built-in")
    assert record["3"] is None


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_full_disk_ends_the_log_and_not_the_run(sentences):
    with pytest.warns(UserWarning, match="cannot write /dev/full: No space left on device; tr"):
        model = Word2Vec(sentences, log="/dev/full", **SMALL)
    assert len(model.history) == 2


def test_a_log_that_cannot_be_written_is_an_error_at_once(tmp_path):
    for path, message in [(tmp_path, "it is a directory"), (tmp_path / "a" / "b", "No such file")]:
        with pytest.raises(SaveError, match=message):
            Word2Vec(corpus_file="absent", log=path)
    with pytest.raises(UsageError, match="log must be a path, got 3"):
        Word2Vec(log=3)


def test_the_commit_is_that_of_the_build_or_of_the_checkout(tmp_path):
    package = tmp_path / "fastw2v"
    package.mkdir()
    assert commit.built_commit(package) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    try:
        subprocess.run([*git, "init", "-q"], check=True)
    except OSError:
        pytest.skip("needs git")
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True)
    assert re.fullmatch(r"[0-9a-f]{40}", commit.built_commit(package))
    (package / commit.COMMIT_FILE).write_text("abc+\n")
    assert commit.built_commit(package) == "abc+"


# ---- TensorBoard ----


def test_tensorboard_without_its_package_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(
        UsageError, match=r"needs an optional package: pip install 'fastw2v\[tensor"
    ):
        TensorBoard(tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


class Written:
    """Stands for tensorboardX's writer."""

    def __init__(self, folder):
        self.points, self.is_open = [], True
        Written.latest = self

    def add_scalar(self, name, value, step):
        assert self.is_open
        self.points.append((name, value, step))

    def flush(self):
        pass

    def close(self):
        self.is_open = False


def test_tensorboard_is_given_the_curves(tmp_path, sentences, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", type(sys)("tensorboardX"))
    sys.modules["tensorboardX"].SummaryWriter = Written
    options = {"validation": 0.2, "callbacks": [TensorBoard(tmp_path / "runs")]}
    model = Word2Vec(sentences, **options, **SMALL)
    points, name = Written.latest.points, "negative sampling, 5 negative samples"
    n_tokens = model.summary.n_trained + model.summary.n_subsampled
    for curve, values in {
        f"loss/{name}": [epoch.loss for epoch in model.history],
        f"held-out loss/{name}": [epoch.validation_loss for epoch in model.history],
        "learning rate": [epoch.lr for epoch in model.history],
    }.items():
        found = [(value, step) for title, value, step in points if title == curve]
        assert found == [
            (pytest.approx(values[0]), n_tokens // 2),
            (pytest.approx(values[1]), n_tokens),
        ]
    assert not Written.latest.is_open


def test_tensorboard_closes_when_a_run_fails(tmp_path, sentences, monkeypatch):
    class Raising:
        def on_epoch_end(self, model):
            raise RuntimeError

    monkeypatch.setitem(sys.modules, "tensorboardX", type(sys)("tensorboardX"))
    sys.modules["tensorboardX"].SummaryWriter = Written
    with pytest.raises(RuntimeError):
        Word2Vec(sentences, callbacks=[TensorBoard(tmp_path), Raising()], **SMALL)
    assert not Written.latest.is_open


def test_tensorboard_reads_what_is_written(tmp_path, sentences):
    pytest.importorskip("tensorboardX")
    assert importlib.reload(tensorboard)
    Word2Vec(sentences, callbacks=[TensorBoard(tmp_path / "runs")], **SMALL)
    (events,) = (tmp_path / "runs").iterdir()
    content = events.read_bytes()
    assert b"loss/negative_sampling" in content.replace(b" ", b"_")


# ---- the command line ----


def test_the_command_line_measures_logs_and_stops(folder, capsys):
    (folder / "pairs").write_text("".join(f"t1w{i} t{i % 3}w{i} {i % 3}\n" for i in range(9)))
    args = ["--validation", "part1.txt", "--log", "run.jsonl", "--min-count", "1"]
    assert train("corpus.txt", "-o", "v", *args, "--metric-pairs", "pairs", "--patience", "1",
                 "--restore-best") == 0  # fmt: skip
    shown = capsys.readouterr().out
    for pattern in (
        r"^loss of last epoch +\d\.\d{4}  nats per prediction; negative sampling, 5 negative s\w+$",
        r"^held-out loss +\d\.\d{4}  after epoch \d; of 2,400 tokens, 0\.0% not in vocabulary$",
        r"^metric +-?\d\.\d{4}  after epoch \d$",
        r"^best epoch +\d  its vectors were restored$",
        r"^speed .*M words/s; \d+\.\d s reading, \d+\.\d s training, \d+\.\d s validating, ",
    ):
        assert re.search(pattern, shown, re.MULTILINE), pattern
    records = read_log(folder / "run.jsonl")
    assert records[0]["options"] == {
        "validation": ["part1.txt"], "patience": 1, "restore_best": True
    }  # fmt: skip
    assert all(r["metric"] is not None for r in records if r["event"] == "epoch")
    assert records[-1]["event"] == "summary"


def test_words_too_long_are_warned_of_logged_and_summed_up(folder, capsys):
    (folder / "text").write_text("a b c\n" * 20 + "x" * 70_000 + " d\n" + "y" * 70_000)
    assert train("text", "-o", "v", "--min-count", "1", "--log", "run.jsonl") == 0
    shown = capsys.readouterr()
    assert re.search(r"^tokens read +122  61 x 2 epochs$", shown.out, re.MULTILINE)
    assert re.search(r"^skipped +2  too long for words", shown.out, re.MULTILINE)
    assert re.search(r"^fastw2v: warning: .* skipped 2 words of more than 65,536", shown.err)
    head, *_, last = read_log(folder / "run.jsonl")
    assert head["corpus"]["n_too_long"] == last["n_too_long"] == 2


def test_a_configuration_file_may_hold_out_a_share(folder, capsys):
    (folder / "run.toml").write_text('validation = 0.25\npatience = 1\nlog = "run.jsonl"\n')
    assert train("corpus.txt", "-o", "v", "--config", "run.toml") == 0
    shown = capsys.readouterr().out
    numbers = {
        name: int(count.replace(",", ""))
        for name, count in re.findall(r"^(\w[\w ]*?) {2,}([\d,]+)  ", shown, re.MULTILINE)
    }
    parts = ("trained", "subsampled", "not in vocabulary", "held out")
    assert sum(numbers[name] for name in parts) == numbers["tokens read"]
    assert numbers["held out"] > 0


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--patience", "2"], 2, "--patience needs --validation or --metric-pairs or "
         "--metric-analogies, to know which epoch is best"),
        (["--validation", "2"], 2, "--validation must be a share between 0 and 1, a path, or an "
         "iterable of token lists, got 2.0"),
        (["--validation", "absent"], 4, "cannot read absent: No such file or directory"),
        (["--metric-pairs", "absent"], 4, "cannot read absent: No such file or directory"),
        (["--metric-pairs", "part1.txt", "--metric-analogies", "part1.txt"], 2,
         "--metric-pairs and --metric-analogies cannot be combined; leave one out"),
        (["--log", "v"], 2, "v is both --log and --output; write to another file"),
        (["--log", "corpus.txt"], 2, "corpus.txt is both --log and the corpus; write to another "
         "file"),
        (["--validation", "part1.txt", "--log", "part1.txt"], 2,
         "part1.txt is both --log and --validation; write to another file"),
        (["--log", "absent/run"], 5, "cannot write absent/run: No such file or directory"),
    ],
)  # fmt: skip
def test_the_command_line_names_what_cannot_be(folder, capsys, args, code, message):
    fails(capsys, ["train", "corpus.txt", "-o", "v", *args], code, message)


def test_standard_input_is_read_once(folder, capsys):
    fails(capsys, ["train", "-", "-o", "v", "--validation", "-"], 2,
          "'-' (standard input) is given twice, but can be read only once")  # fmt: skip


def test_a_wrong_type_in_a_configuration_file_is_named(folder, capsys):
    for text, message in [
        ("log = 3", "log in run.toml must be a path, got 3"),
        ("metric_pairs = 3", "metric_pairs in run.toml must be a path, got 3"),
        ("tensorboard = true", "tensorboard in run.toml must be a path, got True"),
        ("restore_best = 7", "restore_best in run.toml must be True or False, got 7"),
    ]:
        (folder / "run.toml").write_text(text)
        fails(capsys, ["train", "corpus.txt", "-o", "v", "--config", "run.toml"], 2, message)
