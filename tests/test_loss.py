import numpy as np
import pytest
from small_corpus import topic_sentences
from training_case import MODES, RULES, counts_of, random_spool, trained

from fastw2v.corpus import Spool, read_sentences
from fastw2v.training.arrays import build_arrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("no_thread_left")


def topic_losses(workers, **settings):
    corpus = read_sentences(topic_sentences(2_000), rules=RULES)
    parameters = Parameters(vector_size=16, epochs=4, sample=0, workers=workers, **settings)
    trainer = Trainer(parameters, build_arrays(parameters, corpus.vocabulary.counts), corpus.spool)
    trainer.run()
    return [epoch.loss for epoch in trainer.history]


@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_the_loss_falls(small_chunks, sg, objective):
    losses = topic_losses(1, sg=sg, objective=objective)
    assert max(losses[1:]) < 0.95 * losses[0]  # the last epochs may differ by their draws alone


@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_threads_reach_the_loss_of_one(small_chunks, sg, objective):
    one, five = (topic_losses(n, sg=sg, objective=objective)[-1] for n in (1, 5))
    assert five == pytest.approx(one, rel=0.04)


def long_run(**settings):
    corpus = read_sentences(topic_sentences(20_000), rules=RULES)
    parameters = Parameters(vector_size=16, sample=0, **settings)
    trainer = Trainer(parameters, build_arrays(parameters, corpus.vocabulary.counts), corpus.spool)
    trainer.run()
    return trainer


@pytest.mark.parametrize(("sg", "objective"), [(True, "ns"), (False, "ns"), (True, "hs")])
def test_two_threads_agree_with_one_to_the_percent(sg, objective):
    one, two = (
        long_run(workers=workers, sg=sg, objective=objective, loss_every=1).history[-1].loss
        for workers in (1, 2)
    )
    assert two == pytest.approx(one, rel=0.01)


@pytest.mark.parametrize("sg", [False, True])
@pytest.mark.parametrize("objective", ["ns", "hs+ns"])
def test_a_sample_of_the_blocks_tells_the_loss_of_all(sg, objective):
    every, eighth = (
        long_run(workers=1, epochs=1, loss_every=n, sg=sg, objective=objective) for n in (1, 8)
    )
    assert eighth.history[0].loss == pytest.approx(every.history[0].loss, rel=0.01)
    counts = eighth.counts()
    assert counts.n_loss_predictions == pytest.approx(counts.n_predictions / 8, rel=0.01)


@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_any_number_of_threads_measures_the_same_blocks(small_chunks, sg, objective):
    spool = random_spool()
    settings = {"sg": sg, "objective": objective, "loss_every": 4, "block_centres": 6}
    one, three = (trained(spool, workers=n, **settings).counts() for n in (1, 3))
    assert three.n_loss_predictions == one.n_loss_predictions
    assert 0.5 < 4 * one.n_loss_predictions / one.n_predictions < 2


def test_the_first_block_is_measured_however_few_there_are():
    assert trained(random_spool(60), loss_every=1_000, epochs=1).history[0].loss > 0


@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_blocks_that_predict_nothing_are_not_the_ones_that_are_measured(sg, objective):
    """Nine sentences: the first blocks of an epoch have no contexts."""
    ids, ends = [0, 0, 0, 0, 0, 0, 0, 1, 2], [1, 2, 3, 4, 5, 6, 7, 9]
    spool = Spool.from_arrays(np.array(ids, np.int32), np.array(ends, np.int64))
    settings = {"sg": sg, "objective": objective, "block_centres": 1, "sample": 0, "workers": 1}
    parameters = Parameters(vector_size=4, epochs=1, loss_every=100, **settings)
    trainer = Trainer(parameters, build_arrays(parameters, np.array([7, 1, 1])), spool)
    trainer.run()
    assert trainer.history[0].loss > 0


def test_the_sum_does_not_stick_where_floats_do():
    # At 134,217,728 a float32 takes no more values below 8: gensim's sum stays there for good.
    parameters = Parameters(vector_size=16, sample=0, workers=1, loss_every=1)
    spool = random_spool()
    arrays = build_arrays(parameters, counts_of(spool))
    trainer = Trainer(parameters, arrays, spool)

    def more():
        before = trainer.counts()
        trainer.workers[0].train(trainer.chunks.read(0), 1, 0.0)
        return trainer.counts() - before

    arrays.in_rows[:, :16] = arrays.out_rows[:, :16] = 300
    assert more().loss_sum > 10 * 134_217_728
    arrays.out_rows[:] = 0
    assert more().mean_loss == pytest.approx(6 * np.log(2), rel=0.05)  # less the collisions
