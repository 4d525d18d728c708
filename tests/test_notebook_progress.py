"""Progress in a notebook, against a stand-in for IPython; a kernel runs it outside of the suite."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from small_corpus import topic_sentences

from fastw2v import Word2Vec
from fastw2v.run import progress

HTML, TEXT = "text/html", "text/plain"
SENTENCES = topic_sentences()


class Handle:
    """What display(display_id=True) returns: here a list of all that it showed."""

    def __init__(self, shown):
        self.shown = [shown]

    def update(self, shown, raw):
        assert raw
        self.shown.append(shown)


@pytest.fixture
def cells(monkeypatch):
    """The displays of a notebook, in their order."""
    handles = []

    def display(shown, raw, display_id):
        assert raw
        assert display_id is True
        handles.append(Handle(shown))
        return handles[-1]

    ipython, ipython_display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    ipython_display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython_display)
    return handles


def trained(**settings):
    return Word2Vec(SENTENCES, vector_size=8, workers=1, epochs=3, **settings)


@pytest.mark.parametrize("settings", [{}, {"progress": True}])
def test_a_notebook_shows_progress_that_ends_at_100_percent(cells, settings, capsys):
    trained(**settings)
    read, train = cells
    assert read.shown[-1][TEXT].startswith("read ")
    assert train.shown[-1][TEXT].splitlines()[-1].startswith("train 100%  epoch 3/3  ")
    assert '<progress value="1.0000" max="1">' in train.shown[-1][HTML]
    assert capsys.readouterr() == ("", "")


def test_a_notebook_lists_each_epoch_with_loss_held_out_loss_and_metric(cells):
    trained(validation=0.2, metric=lambda model: 0.25)
    last = cells[-1].shown[-1]
    lines = last[TEXT].splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert all("held-out loss " in line and "metric 0.2500" in line for line in lines[:3])
    assert last[HTML].count("<tr>") == 1 + 3
    assert last[HTML].count(">0.2500<") == 3


def test_each_training_is_shown_in_the_cell_that_runs_it(cells):
    model = trained()
    assert len(cells) == 2
    model.train(SENTENCES, epochs=1)
    assert len(cells) == 4
    assert cells[-1].shown[-1][TEXT].startswith("epoch 1/1  ")


def test_short_epochs_do_not_flood_a_notebook(cells, monkeypatch):
    monkeypatch.setattr(progress, "NOTEBOOK_SECONDS", 1e9)
    trained()
    assert [len(cell.shown) for cell in cells] == [2, 2]  # the first and the last state


def test_a_failed_training_ends_its_display(cells):
    class Stop:
        def on_epoch_end(self, model):
            raise RuntimeError

    model = Word2Vec(vector_size=8, workers=1, callbacks=[Stop()])
    model.build_vocab(SENTENCES)
    with pytest.raises(RuntimeError):
        model.train()
    model.train(SENTENCES, callbacks=[], epochs=1)
    assert cells[-1].shown[-1][TEXT].startswith("epoch 1/1  ")


def test_progress_false_shows_nothing_in_a_notebook(cells):
    trained(progress=False)
    assert cells == []


@pytest.mark.parametrize("shell", [None, SimpleNamespace(kernel=None), SimpleNamespace()])
def test_ipython_without_a_kernel_is_no_notebook(cells, monkeypatch, shell):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    trained()
    assert cells == []


def test_an_ipython_that_is_still_being_imported_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    trained()
