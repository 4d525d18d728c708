import os
import subprocess
import sys

import pytest
from small_corpus import topic_sentences
from training_case import MODES, RULES, random_spool, trained

from fastw2v import backends
from fastw2v.corpus import read_sentences
from fastw2v.training import trainer as trainer_module
from fastw2v.training.arrays import build_arrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.mark.parametrize("backend", backends())
@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_one_thread_and_one_seed_give_the_same_bits(small_chunks, sg, objective, backend):
    settings = {"sg": sg, "objective": objective, "backend": backend, "bias": True, "workers": 1}
    first, second = (trained(random_spool(), seed=3, **settings).model_arrays for _ in range(2))
    assert first.in_rows.tobytes() == second.in_rows.tobytes()
    assert first.out_rows.tobytes() == second.out_rows.tobytes()
    assert first.out_bias.tobytes() == second.out_bias.tobytes()


def test_another_seed_gives_other_vectors():
    rows = [trained(random_spool(), seed=s, workers=1).model_arrays.in_rows for s in (1, 2)]
    assert abs(rows[0] - rows[1]).max() > 0.01


def test_epochs_differ_in_their_draws():
    keys = {trainer_module.epoch_key(seed, epoch) for seed in range(50) for epoch in range(50)}
    assert len(keys) == 2_500


def test_hash_seed_folder_and_allocator_change_nothing(tmp_path):
    code = """if True:
        import hashlib, fastw2v
        from small_corpus import topic_sentences
        for backend in fastw2v.backends():
            model = fastw2v.Word2Vec(topic_sentences(), workers=1, backend=backend)
            print(hashlib.sha256(model.wv.vectors.tobytes()).hexdigest(), *model.wv.index_to_key)
    """
    shown = set()
    allocators = [
        {},
        {"PYTHONMALLOC": "malloc", "MALLOC_PERTURB_": "165", "MALLOC_ARENA_MAX": "1"},
    ]
    for i, folder in enumerate([tmp_path, os.path.dirname(__file__)]):
        environment = os.environ | {"PYTHONHASHSEED": str(i)} | allocators[i]
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        shown.add(run.stdout)
    assert len(shown) == 1
    assert len(shown.pop().splitlines()) == len(backends())


def test_a_spool_on_disk_gives_the_same_vectors(small_chunks):
    rows = []
    for limit in (1 << 20, 1_000):
        corpus = read_sentences(topic_sentences(), rules=RULES, spool_limit_bytes=limit)
        assert corpus.spool.in_memory is (limit == 1 << 20)
        with corpus.spool:
            parameters = Parameters(vector_size=16, epochs=2, workers=1)
            arrays = build_arrays(parameters, corpus.vocabulary.counts)
            Trainer(parameters, arrays, corpus.spool).run()
        rows.append(arrays.in_rows.tobytes())
    assert rows[0] == rows[1]
