import importlib
import pickle

import pytest
from small_corpus import topic_sentences

from fastw2v import Word2Vec
from fastw2v.errors import MissingPackageError, UsageError
from fastw2v.run.history import N_LINES, N_ROWS, History
from fastw2v.training.events import EpochRecord

SENTENCES = topic_sentences()


def history_of(n_epochs, **values):
    return History(
        EpochRecord(i + 1, 2.5, 0.01, 80, 20, 400, 2.0, **values) for i in range(n_epochs)
    )


def trained(**settings):
    return Word2Vec(SENTENCES, vector_size=8, workers=1, epochs=3, **settings)


def test_a_history_shows_a_line_for_each_epoch():
    lines = repr(history_of(2, validation_loss=2.75, metric=0.5)).splitlines()
    values = "loss 2.5000  held-out loss 2.7500  metric 0.5000  0.00 M words/s  2.0 s"
    assert lines == ["History<2 epochs>", f"epoch 1  {values}", f"epoch 2  {values}"]


def test_a_long_history_shows_its_last_epochs():
    lines = repr(history_of(1000)).splitlines()
    assert lines[1] == f"({1000 - N_LINES} earlier epochs)"
    assert lines[-1].startswith("epoch 1000  ")
    assert len(lines) == N_LINES + 2
    table = history_of(1000)._repr_html_()
    assert f"({1000 - N_ROWS} earlier ones not shown)" in table
    assert table.count("<tr>") == N_ROWS + 1


def test_a_table_of_epochs_leaves_out_columns_without_values():
    assert "metric" not in history_of(2)._repr_html_()
    assert ">0.5000<" in history_of(2, metric=0.5)._repr_html_()


def test_a_history_is_a_list_that_is_copied_whole():
    history = trained().history
    assert history == list(history)
    assert pickle.loads(pickle.dumps(history)).plot is not None
    assert isinstance(pickle.loads(pickle.dumps(history)), History)


def new_axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


def test_a_plot_draws_loss_held_out_loss_and_metric():
    model = trained(validation=0.2, metric=lambda model: len(model.history))
    axes = new_axes()
    assert model.history.plot(axes) is axes
    loss, held_out = (line.get_ydata().tolist() for line in axes.lines)
    assert loss == [record.loss for record in model.history]
    assert held_out == [record.validation_loss for record in model.history]
    (right,) = (other for other in axes.figure.axes if other is not axes)
    assert right.lines[0].get_ydata().tolist() == [1, 2, 3]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["loss", "held-out loss", "metric"]


def test_a_plot_of_two_trainings_is_one_curve():
    model = trained()
    model.train(SENTENCES, epochs=2)
    axes = new_axes()
    model.history.plot(axes)
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3, 4, 5]


def test_epochs_without_a_loss_leave_a_gap():
    history = history_of(3)
    history[1].loss = None
    axes = new_axes()
    history.plot(axes)
    assert str(axes.lines[0].get_ydata().tolist()) == "[2.5, nan, 2.5]"


def test_a_plot_without_matplotlib_names_the_pip_command(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingPackageError) as error:
        history_of(1).plot()
    assert str(error.value) == (
        "history.plot needs an optional package: pip install 'fastw2v[plot]'"
    )


def test_an_empty_history_cannot_be_plotted():
    with pytest.raises(UsageError, match="train the model first"):
        Word2Vec().history.plot()
