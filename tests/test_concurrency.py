"""Training beside other threads, processes and trainings."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from small_corpus import topic_sentences
from small_model import same_bits
from training_case import interrupt_chunk, make_trainer, random_spool

from fastw2v import Word2Vec, _core
from fastw2v.errors import UsageError
from fastw2v.training import trainer as trainer_module
from fastw2v.training.arrays import NO_REPLICATED_ROWS, ReplicatedRows
from fastw2v.training.parameters import Contexts

SMALL = {"vector_size": 16, "workers": 1, "epochs": 5}
MODES = [{"sg": 1}, {"sg": 0}, {"sg": 1, "hs": 1}, {"sg": 1, "hs": 1, "negative": 5},
         {"sg": 1, "softmax": True}, {"sg": 0, "softmax": True}]  # fmt: skip

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Again:
    """A callback that uses the model in a way that it may not."""

    def __init__(self, call):
        self.call, self.errors = call, []

    def on_epoch_end(self, model):
        try:
            self.call(model)
        except UsageError as error:
            self.errors.append(str(error))


@pytest.mark.parametrize("call", ["train", "build_vocab"])
@pytest.mark.parametrize("from_a_thread", [False, True])
def test_training_twice_at_once_on_one_model_is_an_error(sentences, call, from_a_thread):
    def use(model):
        getattr(model, call)(sentences)

    def use_from_a_thread(model):
        thread = threading.Thread(target=lambda: again.on_epoch_end(model))
        inner, again.call = again.call, use
        thread.start()
        thread.join()
        again.call = inner

    again = Again(use_from_a_thread if from_a_thread else use)
    model = Word2Vec(sentences, callbacks=[again], **SMALL)
    message = "the model is already being trained: wait until that ends, or use another model"
    assert again.errors == [message] * 5
    assert same_bits(model, Word2Vec(sentences, **SMALL))
    model.train(sentences)  # and afterwards it may


def test_a_model_can_be_trained_after_training_failed(sentences):
    class Fails:
        def on_epoch_end(self, model):
            raise RuntimeError("enough")

    model = Word2Vec(**SMALL)
    model.build_vocab(sentences)
    with pytest.raises(RuntimeError):
        model.train(callbacks=[Fails()])
    model.train(sentences, callbacks=[])


def test_models_that_train_at_once_get_the_bits_of_training_alone(small_chunks):
    texts = [topic_sentences(seed=i) for i in range(len(MODES))]
    settings = [SMALL | mode | {"seed": i} for i, mode in enumerate(MODES)]
    alone = [Word2Vec(text, **s) for text, s in zip(texts, settings, strict=True)]
    together = [None] * len(MODES)

    def train(i):
        together[i] = Word2Vec(texts[i], **settings[i])

    threads = [threading.Thread(target=train, args=(i,)) for i in range(len(MODES))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        assert same_bits(one, other)


def test_blas_keeps_one_thread_until_the_last_softmax_ends():
    from threadpoolctl import threadpool_info

    def blas_threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    Word2Vec([["a", "b"]] * 9, softmax=True, **SMALL)  # loads SciPy's
    before = blas_threads()
    first = trainer_module.single_threaded_blas()
    second = trainer_module.single_threaded_blas()
    with first:
        second.__enter__()
    assert set(blas_threads()) <= {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


@pytest.mark.parametrize("workers", [1, 3])
def test_after_ctrl_c_the_weights_stand_still(monkeypatch, small_chunks, workers):
    interrupt_chunk(monkeypatch, 2 * 15 + 7)
    settings = SMALL | {"workers": workers, "epochs": 10_000}
    model = Word2Vec(**settings)
    model.build_vocab(topic_sentences())
    threads = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        model.train()
    assert set(threading.enumerate()) == threads
    rows = model.arrays.in_rows.copy(), model.arrays.out_rows.copy()
    time.sleep(0.1)  # for a thread that were left behind to write
    np.testing.assert_array_equal(model.arrays.in_rows, rows[0])
    np.testing.assert_array_equal(model.arrays.out_rows, rows[1])
    model.wv.most_similar("c0")
    model.train(topic_sentences(), epochs=1)


FORKS = """if True:
    import hashlib, os, sys, warnings
    import fastw2v
    from small_corpus import topic_sentences

    warnings.simplefilter("ignore", DeprecationWarning)  # BLAS has threads of its own
    TEXT = topic_sentences()

    def train(mode):
        model = fastw2v.Word2Vec(TEXT, vector_size=16, workers=WORKERS, **mode)
        model.wv.most_similar("c0")
        return hashlib.sha256(model.wv.vectors.tobytes()).hexdigest() if WORKERS == 1 else "done"

    def forked(mode):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            print(train(mode), flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    WORKERS = int(sys.argv[1])
    for mode in ({"sg": 1}, {"sg": 0, "softmax": True}):
        forked(mode)
        print(train(mode))
        forked(mode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_forked_process_trains_after_import_and_after_training(workers):
    command = [sys.executable, "-c", FORKS, str(workers)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = shown.stdout.split()
    assert len(lines) == 6
    assert len(set(lines[:3])) == len(set(lines[3:])) == 1


@pytest.fixture
def no_forced_switch():
    """Let a thread keep the GIL until it gives it up itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e6)
    yield
    sys.setswitchinterval(interval)


def kernel_call(replicas):
    """Return the rows of a new model, and a function that trains it for about half a second."""
    spool = random_spool(100_000)
    trainer = make_trainer(spool, vector_size=100, backend="scalar", sample=0)
    settings = trainer_module.kernel_settings(
        trainer.parameters, trainer.blocks.largest(), Contexts(10.0, 0.1), 5, replicas
    )
    model = _core.Model(trainer.model_arrays, settings)
    worker = _core.Worker(model, spool.n_tokens, trainer_module.allocate)
    chunk = spool.chunks(spool.n_tokens, 0).read(0)
    return trainer.model_arrays.in_rows, lambda: worker.train(chunk, 1, 0.01)


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python has no GIL"
)
@pytest.mark.parametrize(
    "replicas",
    [NO_REPLICATED_ROWS, ReplicatedRows(*np.ones((2, 8), np.float32), 500)],
    ids=["", "replicated"],
)
def test_a_kernel_trains_to_its_end_while_another_thread_holds_the_gil(no_forced_switch, replicas):
    rows, train = kernel_call(replicas)
    train()
    expected = rows.tobytes()
    for _ in range(20):  # more than once only if this thread slept through the whole kernel
        rows, train = kernel_call(replicas)
        has_returned = []
        thread = threading.Thread(target=lambda: has_returned.append(train()))  # noqa: B023
        thread.start()  # comes back when the kernel gives up the GIL
        if not has_returned:
            assert any(rows.tobytes() == expected for _ in range(10**7))
            assert not has_returned
            sys.setswitchinterval(0.005)
            thread.join()
            return
        thread.join()
    pytest.fail("the kernel kept the GIL")
