import logging
import re
import subprocess
import sys

import numpy as np
import pytest
from cli_case import Terminal
from small_corpus import topic_sentences

from fastw2v import IdSentences, Pairs, Word2Vec
from fastw2v.callbacks import StopTraining
from fastw2v.run.facts import Facts
from fastw2v.sampling import keep_probabilities

SENTENCES = [*topic_sentences(), ["rare"], ["rare", "once"]]  # 7,203 tokens of 130 words


@pytest.fixture
def lines(caplog):
    """What the logger gets at INFO."""
    with caplog.at_level(logging.INFO, "fastw2v"):
        yield caplog


def trained(sentences=SENTENCES, **settings):
    return Word2Vec(sentences, vector_size=8, workers=1, epochs=2, **settings)


def test_the_vocabulary_and_what_min_count_drops_is_logged(lines):
    trained(sample=0)
    assert lines.messages[0].startswith(
        "collected 130 word types from a corpus of 7203 raw words and 602 sentences in "
    )
    assert lines.messages[1:3] == [
        "effective_min_count=5 retains 128 unique words (98.46% of original 130, drops 2)",
        "effective_min_count=5 leaves 7200 word corpus (99.96% of original 7203, drops 3)",
    ]


def test_the_effect_of_subsampling_is_logged(lines):
    model = trained(sample=0.01)
    counts = model.vocabulary.counts
    keep = keep_probabilities(counts, 0.01)
    left = int((counts * keep).sum())
    assert f"sample=0.01 downsamples {(keep < 1).sum()} most-common words" in lines.messages
    assert (
        f"downsampling leaves estimated {left} word corpus ({left / 72:.1f}% of prior 7200)"
        in lines.messages
    )


def test_each_epoch_and_the_run_are_logged(lines):
    model = trained(validation=0.1, metric=lambda model: 0.5)
    found = re.findall(
        r"^EPOCH (\d): training on 7203 raw words \((\d+) effective words\) took \d+\.\ds, \d+ "
        r"effective words/s, loss (\S+), held-out loss (\S+), metric 0\.5000$",
        "\n".join(lines.messages),
        re.MULTILINE,
    )
    assert found == [
        (str(r.epoch), str(r.n_trained), f"{r.loss:.4f}", f"{r.validation_loss:.4f}")
        for r in model.history
    ]
    n_trained = model.summary.n_trained
    assert lines.messages[-1].startswith(
        f"training on 14406 raw words ({n_trained} effective words) took "
    )


def test_the_progress_within_an_epoch_is_logged(lines, monkeypatch):
    monkeypatch.setattr(Facts, "interval_seconds", 0.0)
    monkeypatch.setattr("fastw2v.training.trainer.REPORT_SECONDS", 0.001)
    Word2Vec(SENTENCES * 100, vector_size=100, workers=1, epochs=2)
    found = [
        (int(epoch), float(share))
        for message in lines.messages
        for epoch, share in re.findall(r"^EPOCH (\d) - PROGRESS: at (.+)% words, \d+ w", message)
    ]
    assert {epoch for epoch, _ in found} == {1, 2}
    assert found == sorted(found)
    assert all(0 <= share < 100 for _, share in found)


def test_the_settings_of_a_run_are_logged(lines):
    trained(sg=1, window=3)
    assert (
        "training model with 1 workers on 128 vocabulary and 8 features, using sg=1 sample=0.001 "
        "window=3 shrink_windows=True alpha=0.025; negative sampling, 5 negative samples"
    ) in lines.messages


def test_a_run_that_stops_early_says_why(lines):
    class Stop:
        def on_epoch_end(self, model):
            raise StopTraining("enough")

    trained(callbacks=[Stop()])
    assert lines.messages[-1] == "training stopped early: enough"


def test_more_text_is_compared_with_the_vocabulary(lines):
    model = trained()
    lines.clear()
    model.train([["c0", "c1", "other"]] * 5, epochs=1)
    assert lines.messages[1:3] == [
        "the given vocabulary retains 2 unique words (66.67% of original 3, drops 1)",
        "the given vocabulary leaves 10 word corpus (66.67% of original 15, drops 5)",
    ]


def test_a_vocabulary_from_counts_is_logged(lines):
    Word2Vec(sample=0).build_vocab_from_freq({"a": 9, "b": 7, "rare": 1})
    assert lines.messages[0] == (
        "collected 3 unique word types, with total frequency of 17; the vocabulary has 2 words"
    )


WALKS = np.array([[0, 1, 2], [2, 1, 0]] * 9)


@pytest.mark.parametrize(
    ("sentences", "settings", "kept"),
    [
        (IdSentences(WALKS, rows_by_id=True), {"min_count": 1}, "3 unique words (100.00%"),
        (IdSentences(WALKS), {}, "3 unique words (100.00%"),
        (Pairs(["a", "b"] * 9, ["c", "d"] * 9), {"min_count": 9}, "4 unique words (100.00%"),
        (Pairs(["a", "b"] * 9, ["c"] * 9 + ["d"] * 9), {"min_count": 5}, "4 unique words"),
    ],
)
def test_every_kind_of_corpus_logs_its_words(lines, sentences, settings, kept):
    trained(sentences, sg=1, sample=0, **settings)
    assert f" retains {kept}" in lines.messages[1]


def test_nothing_is_logged_below_info(caplog):
    with caplog.at_level(logging.WARNING, "fastw2v"):
        trained()
    assert caplog.messages == []


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


TRAIN = "import fastw2v; fastw2v.Word2Vec([['a', 'b']] * 9, workers=1, sample=0)"


def test_logging_is_silent_and_not_imported_by_default():
    shown = python(f"{TRAIN}; import sys; print('logging' in sys.modules)")
    assert (shown.stdout, shown.stderr) == ("False\n", "")
    assert python(f"import logging; {TRAIN}").stderr == ""


def test_basic_config_shows_the_facts():
    shown = python(f"import logging; logging.basicConfig(level=logging.INFO); {TRAIN}")
    assert shown.stderr.startswith("INFO:fastw2v:collected 2 word types from a corpus of 18 raw ")


@pytest.mark.parametrize(
    ("level", "progress", "is_shown"),
    [("INFO", None, False), ("INFO", True, True), ("WARNING", None, True)],
)
def test_lines_of_a_log_do_not_break_into_the_progress_line(
    caplog, monkeypatch, level, progress, is_shown
):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with caplog.at_level(level, "fastw2v"):
        trained(progress=progress)
    assert ("train 100%" in terminal.getvalue()) is is_shown
