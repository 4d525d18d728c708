import pytest
from small_corpus import topic_sentences
from training_case import MODES, RULES

from fastw2v.corpus import read_sentences
from fastw2v.training import Parameters, Trainer, build_arrays

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
