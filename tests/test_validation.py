import numpy as np
import pytest
from overfitted_model import OTHERS, overfitted
from small_model import OBJECTIVES, SMALL, same_bits
from training_case import MODES, counts_of, random_spool

from fastw2v import Word2Vec
from fastw2v.callbacks import Analogies, StopTraining, WordPairs
from fastw2v.corpus import Pairs
from fastw2v.errors import CorpusError, ReadError, UsageError
from fastw2v.run.validation import held_out_counts
from fastw2v.training.arrays import build_arrays
from fastw2v.training.parameters import Parameters

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks")

# ---- the loss ----


@pytest.mark.parametrize(("sg", "objective"), MODES)
@pytest.mark.parametrize("workers", [1, 3])
def test_the_held_out_loss_repeats_and_changes_no_row(sg, objective, workers):
    spool = random_spool()
    settings = {"sg": sg, "objective": objective, "workers": workers, "bias": True}
    parameters = Parameters(vector_size=16, **settings)
    arrays = build_arrays(parameters, counts_of(spool))
    rng = np.random.default_rng(0)
    for rows in (arrays.in_rows, arrays.out_rows):
        rows[:, :16] = rng.normal(size=(len(rows), 16))
    arrays.out_bias[:] = rng.normal(size=len(arrays.out_bias))
    before = [a.tobytes() for a in (arrays.in_rows, arrays.out_rows, arrays.out_bias)]
    first, second = (held_out_counts(parameters, arrays, spool) for _ in range(2))
    assert first == second
    assert first.n_loss_predictions == first.n_predictions > 0
    assert first.n_tokens == spool.n_tokens
    assert [a.tobytes() for a in (arrays.in_rows, arrays.out_rows, arrays.out_bias)] == before


def test_the_threads_of_the_held_out_loss_agree():
    spool = random_spool()
    losses = set()
    for workers in (1, 2, 5):
        parameters = Parameters(vector_size=16, workers=workers)
        arrays = build_arrays(parameters, counts_of(spool))
        arrays.out_rows[:, :16] = np.random.default_rng(0).normal(size=(40, 16))
        losses.add(round(held_out_counts(parameters, arrays, spool).mean_loss, 12))
    assert len(losses) == 1


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_validation_does_not_change_what_is_trained(sentences, objective):
    settings = SMALL | OBJECTIVES[objective]
    plain = Word2Vec(sentences, **settings)
    watched = Word2Vec(sentences, validation=OTHERS, **settings)
    assert same_bits(plain, watched)
    losses = [epoch.validation_loss for epoch in watched.history]
    assert losses[1] < losses[0]
    assert [epoch.validation_loss for epoch in plain.history] == [None, None]
    assert watched.summary.validation_loss == losses[-1]
    assert watched.summary.validation_seconds > 0


def test_the_validation_text_may_be_given_in_any_way(tmp_path, sentences):
    path = tmp_path / "held"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in OTHERS))
    given = [OTHERS, iter(OTHERS), (tuple(s) for s in OTHERS), path, str(path), [path]]
    found = {Word2Vec(sentences, validation=v, **SMALL).summary.validation_loss for v in given}
    assert len(found) == 1
    assert None not in found


def test_words_that_the_model_does_not_know_are_counted(sentences):
    text = [["t1w1", "t1w2", "unheard", "of"]] * 50
    s = Word2Vec(sentences, validation=text, **SMALL).summary
    assert (s.n_validation_tokens, s.n_validation_unknown) == (200, 100)
    with pytest.raises(CorpusError, match="none of the 1 distinct words"):
        Word2Vec(sentences, validation=[["unheard"]], **SMALL)


def test_a_share_of_the_corpus_is_held_out_and_counted(sentences):
    model = Word2Vec(sentences, validation=0.25, min_count=70, **SMALL)
    s = model.summary
    assert 0.2 < s.n_held_out / (s.n_tokens_read - s.n_below_min_count) < 0.3
    assert s.n_validation_tokens == s.n_held_out
    trained = s.n_trained + s.n_subsampled
    assert (s.n_tokens_read - s.n_below_min_count - s.n_held_out) * 2 == trained
    for e in model.history:
        parts = e.n_trained + e.n_subsampled + e.n_below_min_count + e.n_held_out
        assert parts == e.n_tokens_read == s.n_tokens_read
    assert Word2Vec(sentences, min_count=70, **SMALL).wv.index_to_key == model.wv.index_to_key
    again = Word2Vec(sentences, validation=0.25, min_count=70, **SMALL)
    assert same_bits(again, model)
    assert again.summary.validation_loss == s.validation_loss


# ---- early stopping ----


def test_training_ends_when_the_held_out_loss_rises():
    model = overfitted(patience=2)
    losses = [epoch.validation_loss for epoch in model.history]
    best = int(np.argmin(losses))
    assert best + 3 == len(losses) < 30
    s = model.summary
    assert (s.epochs, s.best_epoch, s.restored_epoch) == (len(losses), best + 1, None)
    assert s.stopped == (
        f"the held-out loss was best in epoch {best + 1} and has not improved for 2 epochs"
    )
    assert s.validation_loss == losses[-1]


@pytest.mark.parametrize(
    "mode", [{}, {"hs": 1, "bias": True}, {"hs": 1, "negative": 5}, {"sg": 0}, {"bias": "both"}]
)
def test_the_best_rows_come_back(mode):
    best = overfitted(patience=2, **mode).summary.best_epoch
    kept = overfitted(patience=2, restore_best=True, **mode)
    stopped = overfitted(epochs=30, callbacks=[StopAfter(best)], **mode)
    assert kept.summary.restored_epoch == best < len(kept.history)
    assert kept.summary.validation_loss == kept.history[best - 1].validation_loss
    assert same_bits(kept, stopped)
    np.testing.assert_array_equal(kept.wv.norms, stopped.wv.norms)


def test_the_best_rows_come_back_after_all_epochs_too():
    best = overfitted(epochs=10).summary.best_epoch
    assert best < 10
    kept = overfitted(epochs=10, restore_best=True)
    assert (kept.summary.epochs, kept.summary.restored_epoch) == (10, best)
    assert same_bits(kept, overfitted(epochs=10, callbacks=[StopAfter(best)]))


class StopAfter:
    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_end(self, model):
        if len(model.history) == self.n_epochs:
            raise StopTraining


def test_callbacks_hear_of_the_epoch_that_ends_training():
    heard = []

    class Hearing:
        def on_epoch_end(self, model):
            heard.append(model.history[-1].validation_loss)

        def on_train_end(self, model):
            heard.append("end")

    model = overfitted(patience=1, callbacks=[Hearing()])
    assert heard == [*(epoch.validation_loss for epoch in model.history), "end"]


# ---- a metric as the criterion ----


def test_a_metric_decides_before_the_held_out_loss(sentences):
    scores = iter([0.0, 1.0, 3.0, 2.0, 2.5, 9.0])  # the first is the trial before training
    model = Word2Vec(
        sentences, validation=OTHERS, metric=lambda model: next(scores), patience=2,
        **SMALL | {"epochs": 20},
    )  # fmt: skip
    assert [epoch.metric for epoch in model.history] == [1.0, 3.0, 2.0, 2.5]
    assert model.summary.best_epoch == 2
    assert model.summary.stopped == (
        "the metric was best in epoch 2 and has not improved for 2 epochs"
    )


def write_pairs(path, n=30):
    rng = np.random.default_rng(0)
    topics = rng.integers(0, 3, (n, 2))
    lines = [f"t{a}w{i % 9}\tt{b}w{i % 7}\t{10 * (a == b)}" for i, (a, b) in enumerate(topics)]
    path.write_text("\n".join(lines))
    return path


def test_word_pairs_and_analogies_are_metrics(tmp_path, sentences):
    pairs = write_pairs(tmp_path / "pairs")
    questions = tmp_path / "questions"
    questions.write_text(": all\nt1w1 t1w2 t1w3 t1w4\nt2w1 t2w2 t3w1 t3w2\n")
    for metric, least in [(WordPairs(pairs), 0.3), (Analogies(questions), 0.0)]:
        model = Word2Vec(sentences, metric=metric, **SMALL | {"epochs": 10})
        assert model.summary.metric == model.history[-1].metric == metric(model)
        assert least <= model.summary.metric <= 1
        assert model.summary.metric_seconds > 0


@pytest.mark.parametrize("metric", [WordPairs, Analogies])
def test_a_metric_that_cannot_be_had_is_an_error_before_training(tmp_path, sentences, metric):
    (tmp_path / "text").write_text(": all\nx y z w\n" if metric is Analogies else "x\ty\t1\n")
    with pytest.raises(ReadError, match="absent"):
        metric(tmp_path / "absent")
    model = Word2Vec(metric=metric(tmp_path / "text"), **SMALL)
    model.build_vocab(sentences)
    before = model.wv.vectors.copy()
    with pytest.raises(CorpusError, match="text: "):
        model.train()
    np.testing.assert_array_equal(model.wv.vectors, before)


@pytest.mark.parametrize("value", [None, "high", float("inf")])
def test_a_metric_that_gives_no_number_is_an_error(sentences, value):
    with pytest.raises(UsageError, match="metric must be "):
        Word2Vec(sentences, metric=lambda model: value, **SMALL)


def test_a_metric_that_is_not_a_number_never_is_the_best(sentences):
    model = Word2Vec(
        sentences, metric=lambda model: float("nan"), patience=3, **SMALL | {"epochs": 9}
    )
    assert len(model.history) == 3
    assert model.summary.stopped == "no epoch has a metric or a held-out loss"


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 2}, "patience needs validation or metric, to know which epoch is best"),
        ({"restore_best": True}, "restore_best needs validation or metric"),
        ({"patience": 0, "validation": 0.1}, "patience must be at least 1, got 0"),
        ({"validation": 0.0}, "validation must be a share between 0 and 1, a path, or an it"),
        ({"validation": 1}, "validation must be a share between 0 and 1"),
        ({"validation": True}, "validation must be a number, got True"),
        ({"validation": float("nan")}, "validation must be finite"),
        ({"metric": 3}, "metric must be a function of the model, got 3"),
        ({"metric": WordPairs}, "metric must be a function of the model, got <class"),
        ({"restore_best": "yes", "validation": 0.1}, "restore_best must be True or False"),
    ],
)
def test_impossible_options_are_named_at_once(options, message):
    with pytest.raises(UsageError, match=message):
        Word2Vec(**options)
    model = Word2Vec([["a", "b"]] * 5, **SMALL)
    with pytest.raises(UsageError, match=message):
        model.train([["a", "b"]] * 5, **options)


def test_pairs_are_validated_on_pairs():
    rng = np.random.default_rng(0)
    centres, contexts = rng.integers(0, 9, (2, 400))
    pairs, settings = Pairs(centres, contexts), SMALL | {"sg": 1, "sample": 0}
    model = Word2Vec(pairs, validation=Pairs(centres[:50], contexts[:50]), **settings)
    assert model.summary.validation_loss > 0
    with pytest.raises(UsageError, match=r"validation=0\.1 cannot be held out of Pairs"):
        Word2Vec(pairs, validation=0.1, **settings)


def test_a_validation_file_that_is_missing_is_an_error_before_anything_is_read(tmp_path):
    with pytest.raises(ReadError, match=r"cannot read .*absent"):
        Word2Vec(corpus_file="also absent", validation=tmp_path / "absent")


def test_an_unknown_option_of_train_is_named():
    model = Word2Vec([["a", "b"]] * 5, **SMALL)
    with pytest.raises(UsageError, match="unknown setting 'patiens'; did you mean 'patience'"):
        model.train([["a", "b"]] * 5, patiens=3)


def test_an_exception_in_the_validation_text_reaches_the_caller(sentences):
    def failing():
        yield ["t1w1", "t1w2"]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Word2Vec(sentences, validation=failing(), **SMALL)
