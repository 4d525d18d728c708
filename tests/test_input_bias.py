"""The bias of the input side, from training to files; the kernels' own tests check its gradient."""

import copy
import itertools
import math
import os

import numpy as np
import pytest
from kernel_case import EXACT, MODES, Case, make_chunk, make_pairs
from small_model import OBJECTIVES, SMALL, same_bits, trained_arrays
from training_case import HANG_SECONDS, interrupt_chunk, random_spool, recorded_stops, trained

from fastw2v import KeyedVectors, Word2Vec, _core
from fastw2v.callbacks import StopTraining
from fastw2v.errors import DivergedError, ModelFormatError, UsageError
from fastw2v.formats import native, read_vectors, write_vectors
from fastw2v.formats.native import PENDING_BIAS
from fastw2v.training import events as callbacks_module
from fastw2v.training.arrays import IN_BIAS_LIMIT, ModelArrays, build_arrays, in_bias_limit
from fastw2v.training.parameters import Parameters

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks")
BOTH = SMALL | {"bias": "both"}


@pytest.fixture
def folds(monkeypatch):
    """What training folded: (rows without the pending bias, that bias), each time there is any."""
    found = []
    fold = ModelArrays.fold_in_bias

    def noting(arrays):
        if arrays.in_bias is not None and arrays.in_bias.any():
            found.append((arrays.in_rows.copy(), arrays.in_bias.copy()))
        fold(arrays)

    monkeypatch.setattr(ModelArrays, "fold_in_bias", noting)
    return found


# ---- training ----


@pytest.mark.parametrize("sums", [{}, {"cbow_sum": True}, {"cbow_sum": True, "cbow_contexts": 3.5}])
@pytest.mark.parametrize(("arch", "objective"), MODES)
def test_rows_that_contain_the_bias_have_the_loss_of_rows_and_bias(arch, objective, sums):
    case = Case(arch, objective, dim=20, bias="both", **sums)
    chunks = [make_chunk(case.rng, case.n_words)]
    if arch == "sg":
        chunks.append(make_pairs(case.rng, case.n_words))
    _, apart = case.train_kernel(EXACT[-1], chunks, lr=0.0)
    case.state.in_rows += case.state.in_bias
    case.state.in_bias[:] = 0
    _, folded = case.train_kernel(EXACT[-1], chunks, lr=0.0)
    assert folded["loss_sum"] == pytest.approx(apart["loss_sum"], rel=1e-6)


def test_folding_moves_the_bias_from_its_place_into_all_rows(rng):
    arrays = build_arrays(Parameters(vector_size=5, bias="both"), np.array([3, 2, 1]))
    rows = arrays.in_rows.copy()
    parts = rng.random((2, 5), np.float32)
    for part in parts:
        arrays.in_bias[0, :5] = part
        arrays.fold_in_bias()
        assert not arrays.in_bias.any()
    np.testing.assert_array_equal(arrays.in_rows[:, :5], rows[:, :5] + parts[0] + parts[1])
    np.testing.assert_array_equal(arrays.input_bias(5), parts[0] + parts[1])
    assert not arrays.in_rows[:, 5:].any()


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_is_trained_in_every_mode_and_the_vectors_contain_it(sentences, folds, objective, sg):
    model = Word2Vec(sentences, sg=sg, **OBJECTIVES[objective], **BOTH)
    assert len(folds) == 2  # one an epoch
    rows, bias = folds[-1]
    np.testing.assert_array_equal(model.wv.vectors, (rows + bias)[:, :12])
    np.testing.assert_array_equal(model.input_bias, sum(b for _, b in folds)[0, :12])
    assert np.count_nonzero(model.input_bias) == 12
    without = Word2Vec(sentences, sg=sg, bias=True, **OBJECTIVES[objective], **SMALL)
    assert without.input_bias is None
    assert model.history[-1].loss < 1.02 * without.history[-1].loss


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("deterministic", [False, True])
def test_sums_of_wide_windows_do_not_diverge(sentences, workers, deterministic):
    settings = {"bias": "both", "cbow_mean": 0, "window": 10, "vector_size": 12, "epochs": 5}
    model = Word2Vec(sentences, workers=workers, deterministic=deterministic, **settings)
    assert model.history[-1].loss < model.history[0].loss


def test_whoever_is_told_of_an_end_finds_nothing_pending(sentences):
    seen = []

    class Looks:
        def on_epoch_end(self, model):
            seen.append(model.arrays.in_bias.any())

        on_train_end = on_epoch_end

        def on_epoch_begin(self, model):
            if model.history:
                raise StopTraining("enough")

    model = Word2Vec(sentences, callbacks=[Looks()], **BOTH)
    assert seen == [False, False]
    assert len(model.history) == 1


@pytest.mark.parametrize("error", [StopTraining("enough"), RuntimeError("enough")])
def test_a_run_that_ends_within_an_epoch_leaves_nothing_pending(
    monkeypatch, sentences, folds, error
):
    stops, numbers = recorded_stops(monkeypatch), itertools.count(1)

    class Held(_core.Worker):
        """Holds the fourth chunk until the run is being stopped."""

        def train(self, chunk, epoch_key, lr, block):
            if next(numbers) == 4:
                assert stops[-1].wait(HANG_SECONDS)
            return super().train(chunk, epoch_key, lr, block)

    class Ends:
        def on_interval(self, model, report):
            if report.done > 1000:
                raise error

    monkeypatch.setattr(_core, "Worker", Held)
    monkeypatch.setattr(callbacks_module, "INTERVAL_SECONDS", 0.0)
    model = Word2Vec(callbacks=[Ends()], **BOTH)
    model.build_vocab(sentences)
    if isinstance(error, StopTraining):
        assert model.train().stopped == "enough"
    else:
        with pytest.raises(RuntimeError, match="enough"):
            model.train()
    assert not model.history
    assert len(folds) == 1
    assert not model.arrays.in_bias.any()
    np.testing.assert_array_equal(model.input_bias, folds[0][1][0, :12])


def test_more_training_goes_on_from_the_bias_that_the_vectors_contain(sentences, folds):
    model = Word2Vec(sentences, **BOTH)
    first = model.input_bias
    same = copy.deepcopy(model)
    for trained_on in (model, same):
        trained_on.train(sentences)
    np.testing.assert_array_equal(model.input_bias, sum(b for _, b in folds[:4])[0, :12])
    assert (model.input_bias != first).all()
    assert same_bits(model, same)


def test_threads_that_share_it_move_it_less_each():
    for settings, n_sharing in [({"workers": 4}, 4), ({"workers": 4, "deterministic": True}, 1)]:
        assert in_bias_limit(Parameters(bias="both", **settings), 5) == IN_BIAS_LIMIT / n_sharing
    summed = Parameters(bias="both", workers=2, cbow_mean=False, window=(2, 3))
    assert in_bias_limit(summed, 3) == IN_BIAS_LIMIT / (2 * 5**2)
    assert in_bias_limit(summed, 1) == IN_BIAS_LIMIT / (2 * 2**2)  # sentences of 2 words


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("sg", [0, 1])
def test_deterministic_threads_merge_it_to_the_same_bits(sg, objective):
    settings = {"sg": sg, "objective": objective, "deterministic": True, "workers": 3}
    first, second = (trained(random_spool(), bias="both", **settings) for _ in range(2))
    arrays = first.model_arrays
    assert arrays.folded_in_bias[0, :16].all()
    for a, b in zip(trained_arrays(arrays), trained_arrays(second.model_arrays), strict=True):
        assert a.tobytes() == b.tobytes()
    for own in (worker_copy.arrays for worker_copy in first.rounds.replicas):
        rows = own.in_rows + own.in_bias  # as merged, before the last fold
        assert rows.tobytes() == arrays.in_rows.tobytes()


# ---- what it excludes ----


@pytest.mark.parametrize("freeze", [True, "known", ["c1"]])
def test_frozen_vectors_are_an_error_before_the_text_is_read(freeze):
    message = "bias='both' changes every vector: freeze and vectors_lockf cannot keep any"
    with pytest.raises(UsageError, match=message):
        Word2Vec(corpus_file="absent", freeze=freeze, bias="both")


def test_vectors_frozen_later_are_an_error_before_training(sentences):
    model = Word2Vec(sentences, **BOTH)
    before = copy.deepcopy(model)
    model.freeze = ["c1"]
    with pytest.raises(UsageError, match="bias='both' changes every vector"):
        model.train(sentences)
    model.freeze = []
    model.wv.vectors_lockf = np.zeros(1)
    with pytest.raises(UsageError, match="bias='both' changes every vector"):
        model.train(sentences)
    assert same_bits(model, before)


@pytest.mark.parametrize("bias", ["input", "", None, 2])
def test_other_values_are_an_error_that_names_those_accepted(bias):
    with pytest.raises(UsageError, match="bias must be True, False or 'both', got "):
        Word2Vec(bias=bias)


# ---- files ----


def test_files_hold_vectors_with_the_bias_and_native_ones_the_bias_too(tmp_path, sentences):
    model = Word2Vec(sentences, **BOTH)
    model.save(tmp_path / "native")
    loaded = Word2Vec.load(tmp_path / "native")
    assert same_bits(loaded, model)
    assert loaded.parameters.bias == "both"
    np.testing.assert_array_equal(loaded.input_bias, model.input_bias)
    loaded.input_bias[:] = 0  # a copy
    np.testing.assert_array_equal(loaded.input_bias, model.input_bias)
    for format in ("text", "bin"):
        model.save(tmp_path / format, format)
        np.testing.assert_array_equal(read_vectors(tmp_path / format).vectors, model.wv.vectors)


def test_a_file_without_the_bias_that_its_settings_name_is_no_model(tmp_path, sentences):
    data = Word2Vec(sentences, **BOTH).to_word_vectors()
    data.input_bias = None
    write_vectors(tmp_path / "v", data, "native")
    with pytest.raises(ModelFormatError, match="the settings require an input bias"):
        Word2Vec.load(tmp_path / "v")


def test_a_bias_that_is_not_finite_is_not_saved(tmp_path, sentences):
    model = Word2Vec(sentences, **BOTH)
    model.arrays.folded_in_bias[0, 3] = math.nan
    with pytest.raises(DivergedError, match="the input bias contain non-finite values"):
        model.save(tmp_path / "v")


def test_words_that_are_new_get_the_bias_that_the_others_contain(sentences):
    old = Word2Vec(sentences, **BOTH)
    more = [["c1", "new", "c2", "newer"]] * 5
    fresh = Word2Vec(**SMALL)
    fresh.build_vocab([*sentences, *more])
    for grown in (copy.deepcopy(old), Word2Vec(init_from=old, grow=True, **BOTH)):
        grown.build_vocab(more, update=grown.arrays is not None)
        np.testing.assert_array_equal(grown.input_bias, old.input_bias)
        np.testing.assert_array_equal(grown.wv["c1"], old.wv["c1"])
        row = grown.wv.get_index("new")
        np.testing.assert_array_equal(grown.wv.vectors[row], fresh.wv.vectors[row] + old.input_bias)
        grown.train()
        assert (grown.input_bias != old.input_bias).all()


def cut_short(sentences, n_chunks, **settings):
    """Train with checkpoints in `run` until Ctrl-C comes in this chunk, counted from 1."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt_chunk(patch, n_chunks)
        with pytest.raises(KeyboardInterrupt, match="resume from"):
            Word2Vec(sentences, checkpoint="run", **BOTH | settings)
    return f"run/{max(os.listdir('run'))}"


@pytest.mark.parametrize(
    "mode", [{}, {"sg": 1}, {"hs": 1}, {"hs": 1, "negative": 5},
             {"workers": 3, "deterministic": True}],
    ids=lambda mode: "-".join(mode),
)  # fmt: skip
def test_a_run_cut_short_within_an_epoch_ends_with_the_same_bits(
    tmp_path, monkeypatch, sentences, mode
):
    monkeypatch.chdir(tmp_path)
    whole = Word2Vec(sentences, **BOTH | mode)
    for n_chunks in (7, 15 + 7):  # of 15 an epoch; rounds are longer
        path = cut_short(sentences, n_chunks, **mode)
        assert native.read(path, adds_pending=False).extra_arrays[PENDING_BIAS].any()
        assert same_bits(Word2Vec.resume("run", sentences), whole)
        for name in os.listdir("run"):
            os.unlink(f"run/{name}")


def test_a_checkpoint_within_an_epoch_reads_as_vectors_with_all_of_the_bias(
    tmp_path, monkeypatch, sentences
):
    monkeypatch.chdir(tmp_path)
    path = cut_short(sentences, 15 + 7)
    stored = native.read(path, adds_pending=False)
    expected = stored.vectors + stored.extra_arrays[PENDING_BIAS]
    model = Word2Vec.load(path)
    found = [model.wv, *(KeyedVectors.load(path, mmap=mmap) for mmap in (False, True))]
    for wv in (*found, KeyedVectors.read(path)):
        np.testing.assert_array_equal(wv.vectors, expected)
    np.testing.assert_array_equal(
        model.input_bias, stored.input_bias + stored.extra_arrays[PENDING_BIAS]
    )
    assert PENDING_BIAS not in read_vectors(path).extra_arrays
    np.testing.assert_array_equal(read_vectors(path, limit=3).vectors, expected[:3])
