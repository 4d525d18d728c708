import itertools
import json
import os
import re
import shutil
import threading
import time

import pytest
from small_corpus import topic_sentences, write_lines
from small_model import same_bits
from training_case import HANG_SECONDS, interrupt_chunk, recorded_stops

from fastw2v import Word2Vec, _core
from fastw2v.errors import CheckpointError, ModelFormatError, SaveError, UsageError
from fastw2v.formats import native
from fastw2v.run.checkpoints import files as checkpoints_module

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks")
SMALL = {"vector_size": 16, "epochs": 3, "workers": 1, "sg": 1}
NO_CHECKPOINT = "ignore:.* holds no checkpoint. training starts from the beginning:UserWarning"


class Fails:
    """A callback that raises when so many epochs have ended."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, model):
        if len(model.history) == self.epochs:
            raise RuntimeError("enough")


def cut_short(sentences, callback=None, **settings):
    """Train with checkpoints in `run` until a callback fails."""
    with pytest.raises(RuntimeError, match="enough"):
        Word2Vec(sentences, checkpoint="run", callbacks=[callback or Fails(2)], **SMALL | settings)


def checkpoint_files():
    return sorted(os.listdir("run"))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ---- going on ----


@pytest.mark.parametrize(
    "mode",
    [{}, {"sg": 0}, {"hs": 1}, {"sg": 0, "hs": 1, "bias": True},
     {"sg": 1, "hs": 1, "negative": 5, "bias": "both"}, {"hs": 1, "negative": 5}, {"softmax": True},
     {"bias": "both"}, {"sg": 0, "softmax": True, "bias": "both"}],
    ids=lambda mode: "-".join(map(str, mode.values())),
)  # fmt: skip
def test_a_resumed_run_ends_as_the_one_that_was_not_cut_short(sentences, mode):
    whole = Word2Vec(sentences, **SMALL | mode)
    cut_short(sentences, Fails(1), **mode)
    model = Word2Vec(sentences, checkpoint="run", resume=True, **SMALL | mode)
    assert same_bits(model, whole)
    assert model.summary.n_trained == whole.summary.n_trained
    assert [e.n_trained for e in model.history] == [e.n_trained for e in whole.history]
    assert len(checkpoint_files()) == 2


def test_resume_needs_the_folder_alone_where_the_corpus_is_files(sentences, tmp_path, monkeypatch):
    write_lines(tmp_path / "corpus.txt", sentences)
    settings = SMALL | {"window": (2, 3), "min_count": 4, "max_final_vocab": 90, "lowercase": True}
    whole = Word2Vec(corpus_file="*.txt", **settings)
    with pytest.raises(RuntimeError):
        Word2Vec(corpus_file="*.txt", checkpoint="run", callbacks=[Fails(1)], **settings)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    model = Word2Vec.resume(tmp_path / "run")
    assert same_bits(model, whole)
    backend = _core.backends()[-1]
    assert model.parameters.effective() == whole.parameters.effective() | {"backend": backend}
    assert model.rules == whole.rules
    assert model.wv.index_to_key == whole.wv.index_to_key


def test_resume_takes_sentences_and_a_certain_checkpoint(sentences):
    whole = Word2Vec(sentences, **SMALL)
    cut_short(sentences)
    first = os.path.join("run", checkpoint_files()[0])
    assert same_bits(Word2Vec.resume(first, sentences), whole)
    shutil.rmtree("run")
    cut_short(sentences)
    assert same_bits(Word2Vec.resume("run", iter(sentences)), whole)


def test_other_epochs_in_train_are_part_of_the_run(sentences):
    whole = Word2Vec(**SMALL)
    whole.build_vocab(sentences)
    whole.train(epochs=2)
    for resume in (False, True):
        model = Word2Vec(checkpoint="run", resume=resume, **SMALL)
        model.build_vocab(sentences)
        if resume:
            model.train(epochs=2)
            assert same_bits(model, whole)
        else:
            with pytest.raises(RuntimeError):
                model.train(epochs=2, callbacks=[Fails(1)])


def test_a_run_that_has_ended_is_not_trained_again(sentences):
    whole = Word2Vec(sentences, checkpoint="run", **SMALL)
    files = checkpoint_files()
    model = Word2Vec.resume("run", sentences)
    assert same_bits(model, whole)
    assert len(model.history) == 3
    assert checkpoint_files() == files
    assert model.last_checkpoint == os.path.join("run", files[-1])


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_chunk_is_trained_once_over_a_ctrl_c_within_an_epoch(monkeypatch, sentences, workers):
    seen = interrupt_chunk(monkeypatch, 15 + 7)
    with pytest.raises(KeyboardInterrupt, match=r"resume from run/checkpoint-\d+\.safetensors"):
        Word2Vec(sentences, checkpoint="run", **SMALL | {"workers": workers})
    assert 15 + 7 <= len(seen) < 15 + 7 + workers
    model = Word2Vec.resume("run", sentences)
    assert len(seen) == len(set(seen)) == 3 * 15
    s = model.summary
    assert s.n_trained + s.n_subsampled == 3 * s.n_tokens_read
    assert [e.n_trained + e.n_subsampled for e in model.history] == [s.n_tokens_read] * 3
    if workers == 1:
        assert same_bits(model, Word2Vec(sentences, **SMALL))


def test_a_checkpoint_is_a_model_to_look_at_and_to_load(sentences):
    model = Word2Vec(sentences, checkpoint="run", **SMALL)
    loaded = Word2Vec.load(os.path.join("run", checkpoint_files()[-1]))
    assert same_bits(loaded, model)
    loaded.train(sentences, epochs=1)


# ---- when they are written ----


def test_checkpoints_are_written_at_times_and_two_are_kept(monkeypatch, sentences):
    written, stops, numbers = [], recorded_stops(monkeypatch), itertools.count()

    class Held(_core.Worker):
        """Holds every 20th chunk until the threads are asked to pause."""

        def train(self, chunk, epoch_key, lr, block):
            if next(numbers) % 20 == 5:
                assert stops[-1].wait(HANG_SECONDS)
            return super().train(chunk, epoch_key, lr, block)

    write = checkpoints_module.CheckpointFolder.write

    def recording(self, n_tokens, data, previous):
        path = write(self, n_tokens, data, previous)
        written.append((n_tokens, len(checkpoint_files())))
        return path

    monkeypatch.setattr(checkpoints_module.CheckpointFolder, "write", recording)
    with monkeypatch.context() as patch:
        patch.setattr(_core, "Worker", Held)
        Word2Vec(topic_sentences(3000), checkpoint="run", checkpoint_every=0, **SMALL)
    places = [n for n, _ in written]
    assert {36_000, 72_000, 108_000} <= set(places)
    assert len(set(places)) >= 3 + 3 * 3  # of 72 chunks an epoch, 3 or 4 are held
    assert places == sorted(places)
    assert max(n for _, n in written) == 2
    written.clear()
    Word2Vec(sentences, checkpoint="run2", checkpoint_every="1h", **SMALL)
    assert [n for n, _ in written] == [7_200, 14_400, 21_600]


def test_a_run_killed_before_it_deleted_an_old_checkpoint_deletes_it_when_resumed(sentences):
    Word2Vec(sentences, checkpoint="run", **SMALL)
    before, last = checkpoint_files()
    oldest = "checkpoint-000000000000001.safetensors"
    shutil.copy(f"run/{before}", f"run/{oldest}")
    Word2Vec(sentences, checkpoint="run", resume=True, **SMALL)
    assert checkpoint_files() == [before, last]


@pytest.mark.parametrize("n_good", [0, 2])
def test_a_full_disk_warns_and_training_goes_on(monkeypatch, sentences, n_good):
    write, n_left = checkpoints_module.write_vectors, [n_good]

    def full(path, *args):
        n_left[0] -= 1
        if n_left[0] < 0:
            raise SaveError(f"cannot write {path}: No space left on device")
        write(path, *args)

    monkeypatch.setattr(checkpoints_module, "write_vectors", full)
    with pytest.warns(UserWarning, match="No space left on device") as caught:
        model = Word2Vec(sentences, checkpoint="run", **SMALL)
    good = "the last good one is run/checkpoint-000000000014400.safetensors"
    end = f"{good if n_good else 'there is none yet'}; training continues"
    assert str(caught[-1].message).endswith(end)
    assert same_bits(model, Word2Vec(sentences, **SMALL))
    assert len(checkpoint_files()) == n_good
    assert model.last_checkpoint is None


def test_what_a_killed_process_left_is_removed(sentences):
    os.mkdir("run")
    open("run/.fastw2v-0123456789abcdef.tmp", "w").close()
    open("run/notes.txt", "w").close()
    Word2Vec(sentences, checkpoint="run", **SMALL)
    assert [name for name in checkpoint_files() if "checkpoint" not in name] == ["notes.txt"]


# ---- what may not go on ----


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({"vector_size": 8}, "vector_size was 16, is now 8"),
        ({"window": (1, 2)}, "window was 5, is now [1, 2]"),
        ({"seed": 2, "sample": 0.1}, "sample was 0.001, is now 0.1; seed was 1, is now 2"),
        ({"min_count": 2}, "min_count was 5, is now 2"),
        ({"epochs": 4}, "epochs was 3, is now 4"),
        ({"workers": 2}, "workers was 1, is now 2"),
        ({"backend": "scalar"}, f"backend was '{_core.backends()[-1]}', is now 'scalar'"),
        ({"alpha": 0.02}, "alpha was 0.025, is now 0.02"),
        ({"hs": 1}, "objective was 'ns', is now 'hs'"),
    ],
)
def test_other_settings_are_an_error_that_names_them(sentences, settings, difference):
    cut_short(sentences)
    before = checkpoint_files()
    with pytest.raises(CheckpointError, match="cannot resume from run/checkpoint-") as caught:
        Word2Vec(sentences, checkpoint="run", resume=True, **SMALL | settings)
    assert difference in str(caught.value)
    assert caught.value.exit_code == 9
    assert checkpoint_files() == before


def test_other_settings_are_told_before_the_corpus_is_read(sentences):
    cut_short(sentences)

    def never():
        raise AssertionError("the corpus was read")
        yield

    with pytest.raises(CheckpointError, match="vector_size was 16, is now 8"):
        Word2Vec(never(), checkpoint="run", resume=True, **SMALL | {"vector_size": 8})


def test_another_corpus_is_an_error_that_names_the_difference(sentences):
    cut_short(sentences)
    swapped = [*sentences[:-2], sentences[-1], sentences[-2]]
    for other, difference in [
        (sentences[:-1], "tokens read was 7200, is now 7188"),
        (swapped, "its words or their order are different"),
    ]:
        with pytest.raises(CheckpointError, match=f"the corpus differs: .*{difference}"):
            Word2Vec(other, checkpoint="run", resume=True, **SMALL)
        with pytest.raises(CheckpointError, match="the corpus differs: "):
            Word2Vec.resume("run", other)


def test_a_backend_that_is_missing_is_an_error(sentences):
    cut_short(sentences)
    path = os.path.join("run", checkpoint_files()[-1])
    data = checkpoints_module.read_checkpoint(path)
    data.settings["backend"] = "abacus"
    checkpoints_module.write_vectors(path, data, "native")
    with pytest.raises(CheckpointError, match="its backend is abacus, but this CPU supports"):
        Word2Vec.resume("run", sentences)


def test_a_corpus_that_was_no_file_has_to_be_passed_again(sentences):
    cut_short(sentences)
    with pytest.raises(CheckpointError, match="its corpus was a Python iterable; pass it"):
        Word2Vec.resume("run")


def test_a_tokenizer_has_to_be_passed_again(file, sentences):
    settings = SMALL | {"tokenizer": str.split}
    with pytest.raises(RuntimeError):
        Word2Vec(corpus_file=file, checkpoint="run", callbacks=[Fails(1)], **settings)
    with pytest.raises(CheckpointError, match="pass the run's tokenizer, <method 'split' of"):
        Word2Vec.resume("run")
    whole = Word2Vec(sentences, **SMALL)
    assert same_bits(Word2Vec.resume("run", tokenizer=str.split), whole)


def test_lists_of_words_need_no_tokenizer_to_resume(file, sentences):
    with pytest.raises(RuntimeError):
        Word2Vec(
            sentences, checkpoint="run", callbacks=[Fails(1)], **SMALL | {"tokenizer": str.split}
        )
    assert same_bits(Word2Vec.resume("run", sentences), Word2Vec(sentences, **SMALL))


def test_a_built_in_tokenizer_is_named_in_the_checkpoint(file, sentences):
    settings = SMALL | {"tokenizer": "simple:min_len=1,max_len=20"}
    with pytest.raises(RuntimeError):
        Word2Vec(corpus_file=file, checkpoint="run", callbacks=[Fails(1)], **settings)
    other = SMALL | {"tokenizer": "words"}
    with pytest.raises(CheckpointError, match="tokenizer was 'simple:min_len=1,max_len=20'"):
        Word2Vec(corpus_file=file, checkpoint="run", resume=True, **other)
    whole = Word2Vec(corpus_file=file, **settings)
    assert same_bits(Word2Vec.resume("run"), whole)


def test_a_run_does_not_overwrite_another_ones_checkpoints(sentences):
    cut_short(sentences)
    with pytest.raises(CheckpointError, match="run holds checkpoints of another run"):
        Word2Vec(sentences, checkpoint="run", **SMALL)


def test_two_runs_at_once_in_one_folder_are_an_error(sentences):
    class Second:
        def on_epoch_begin(self, model):
            if model.history:
                Word2Vec(sentences, checkpoint="run", resume=True, **SMALL)

    with pytest.raises(CheckpointError, match="run is in use by another run"):
        Word2Vec(sentences, checkpoint="run", callbacks=[Second()], **SMALL)


@pytest.mark.filterwarnings("ignore:run/.*; trying the previous checkpoint:UserWarning")
def test_a_damaged_checkpoint_gives_way_to_the_one_before(sentences):
    whole = Word2Vec(sentences, **SMALL)
    cut_short(sentences)
    for name in reversed(checkpoint_files()):
        with open(os.path.join("run", name), "r+b") as file:
            file.truncate(1000)
        if name != checkpoint_files()[0]:
            assert same_bits(Word2Vec.resume("run", sentences), whole)
            shutil.rmtree("run")
            cut_short(sentences)
            with open(os.path.join("run", name), "r+b") as file:
                file.truncate(1000)
    with pytest.raises(CheckpointError, match="no checkpoint in run can be read: "):
        Word2Vec.resume("run", sentences)


def test_resume_without_a_checkpoint(sentences):
    with pytest.raises(CheckpointError, match="nowhere holds no checkpoint"):
        Word2Vec.resume("nowhere", sentences)
    with pytest.warns(UserWarning, match="run holds no checkpoint: training starts from the beg"):
        model = Word2Vec(sentences, checkpoint="run", resume=True, **SMALL)
    assert same_bits(model, Word2Vec(sentences, **SMALL))
    model.save("model")
    with pytest.raises(CheckpointError, match="model: a model, but not a checkpoint"):
        Word2Vec.resume("model", sentences)
    with open("text", "w") as file:
        file.write("no model")
    with pytest.raises(ModelFormatError, match="text: not a valid safetensors file"):
        Word2Vec.resume("text", sentences)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resume": True}, "resume needs a checkpoint folder: set checkpoint"),
        ({"checkpoint_every": 3}, "checkpoint_every needs a checkpoint folder: set checkpoint"),
        ({"checkpoint": "run", "checkpoint_every": -1}, "checkpoint_every must be a time such as "
         "90s, 10m or 1h, at least 0, got -1"),
        ({"checkpoint": "run", "checkpoint_every": "soon"}, "checkpoint_every must be a time such "
         "as 90s, 10m or 1h, at least 0, got 'soon'"),
        ({"checkpoint": "run", "resume": "no"}, "resume must be True or False, got 'no'"),
    ],
)  # fmt: skip
def test_half_of_a_request_is_an_error(settings, message):
    with pytest.raises(UsageError) as caught:
        Word2Vec(**settings)
    assert str(caught.value) == message


def test_a_folder_that_cannot_be_made_is_an_error_before_training(sentences):
    open("file", "w").close()
    with pytest.raises(SaveError, match="cannot write file/run: Not a directory"):
        Word2Vec(sentences, checkpoint="file/run", **SMALL)


def test_the_state_is_json_that_keeps_every_bit(sentences):
    Word2Vec(sentences, checkpoint="run", **SMALL)
    path = os.path.join("run", checkpoint_files()[-1])
    state = checkpoints_module.read_checkpoint(path).settings["checkpoint"]
    run = checkpoints_module.RunState.from_json(state["run"])
    assert json.loads(json.dumps(run.as_json())) == run.as_json() == state["run"]
    assert (run.epoch, run.chunk, len(run.history)) == (3, 0, 3)
    assert state["corpus"]["tokens read"] == 7200


def test_the_wait_for_a_checkpoint_counts_from_the_one_before(monkeypatch, sentences):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    writer = checkpoints_module.CheckpointWriter(None, 600.0, None, threading.Event())
    assert not writer.wants_pause()
    now[0] = 600.0
    assert writer.wants_pause()


# ---- checkpoints that were edited, with correct checksums ----


def edited(change):
    """Apply a change to the newest checkpoint, and return its path."""
    path = os.path.join("run", checkpoint_files()[-1])
    data = native.read(path, adds_pending=False)
    change(data)
    native.write(path, data)
    return path


def places(value, place=()):
    """Yield the place of each value in nested JSON, as keys and positions."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*place, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*place, key))


WRONG = [-1, 10**400, float("inf"), "\ud800", [], [1], {}, {"a": 1}]
MISSING = object()


def test_each_odd_value_in_the_state_of_a_run_is_an_error_that_names_the_file(sentences):
    cut_short(sentences, validation=0.2, patience=2, restore_best=True)
    path = edited(lambda data: None)
    data = native.read(path, adds_pending=False)
    found = json.dumps(data.settings)
    for place in places(data.settings["checkpoint"]):
        *outer, key = place
        right = WRONG[:1] * (key == "metric") + [{}, {"a": 1}] * (place == ("corpus",))
        right += ["\ud800"] * (key in ("fastw2v", "tokenizer", "metric", "stopped"))
        if outer[:1] == ["corpus"] or key in ("digest", "tokens to validate on"):
            continue  # compared with the texts that are read
        for value in (MISSING, *(v for v in WRONG if v not in right)):
            data.settings = json.loads(found)
            part = data.settings["checkpoint"]
            for step in outer:
                part = part[step]
            part[key] = value
            if value is MISSING:
                del part[key]
            native.write(path, data)
            with pytest.raises(CheckpointError, match=f"{path}: "):
                checkpoints_module.read_checkpoint(path)
                pytest.fail(f"{place}: {value}")


def in_run(**changes):
    return lambda data: data.settings["checkpoint"]["run"].update(changes)


def in_settings(**changes):
    return lambda data: data.settings.update(changes)


def without_history(data):
    del data.settings["checkpoint"]["run"]["history"][0]


def an_epoch_more(data):
    run = data.settings["checkpoint"]["run"]
    run["history"].append(run["history"][0] | {"epoch": 3, "n_trained": 0, "n_subsampled": 0})
    run["history"][-1]["n_predictions"], run["epoch"] = 0, 3


def a_count_more(data):
    data.settings["checkpoint"]["run"]["counts"]["n_trained"] += 1


def other_words(data):
    data.words = data.words[::-1]


def fewer_rows(data):
    data.output_vectors = data.output_vectors[:1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (in_run(chunk=7), "chunk is 7, 3500 tokens, but counts have 0"),
        (in_run(chunk=2**40), "chunk is 1099511627776, but the epoch has 15"),
        (in_run(epoch=3), "history must have the epochs 1 to 3"),
        (in_run(epoch=2**40), "history must have the epochs 1 to"),
        (in_run(history=[]), "history must have the epochs 1 to 2"),
        (in_run(chunk_tokens=250), "trained 250 tokens at a time, this run trains 500"),
        (in_run(restored=1), "restored is 1, but the run has not ended"),
        (in_run(restored=3), "restored must be an epoch of the history, got 3"),
        (without_history, "history must have the epochs 1 to 2"),
        (an_epoch_more, "epoch_start has 14400 tokens, but 3 epochs have 21600"),
        (a_count_more, "chunk is 0, 0 tokens, but counts have 1"),
        (other_words, "words or their order are different"),
        (fewer_rows, "the settings require output vectors: shape"),
        (in_settings(vector_size=2**31 - 1), "vector_size is 2147483647, but its rows have 16"),
        (in_settings(window=0), "window must be at least 1, got 0"),
        (in_settings(corpus_count="x"), "corpus_count must be an integer, got 'x'"),
        (in_settings(backend=None), "backend must be a name"),
        (in_settings(checkpoint=[]), "checkpoint must be a JSON object"),
    ],
)
def test_an_edited_checkpoint_is_an_error_that_says_what_is_wrong(sentences, change, message):
    cut_short(sentences)
    path = edited(change)
    with pytest.raises(CheckpointError, match="run/checkpoint-.*" + re.escape(message)):
        Word2Vec.resume(path, sentences)


def test_a_checkpoint_without_the_best_epochs_arrays_is_an_error(sentences):
    scores = iter([0, 3, 2, 1, 1])
    metric = {"metric": lambda model: next(scores), "restore_best": True}
    cut_short(sentences, **metric)
    path = edited(lambda data: data.extra_arrays.clear())
    metric["metric"] = lambda model: 1
    with pytest.raises(CheckpointError, match="lacks the arrays of the best epoch"):
        Word2Vec.resume(path, sentences, metric=metric["metric"])


def test_a_flipped_bit_of_a_checkpoint_is_noticed(sentences):
    cut_short(sentences, vector_size=1)
    path = os.path.join("run", checkpoint_files()[-1])
    with open(path, "r+b") as file:
        raw = file.read()
        for bit in range(0, 8 * len(raw), 61):
            byte = bit // 8
            file.seek(byte)
            file.write(bytes([raw[byte] ^ 1 << bit % 8]))
            file.flush()
            with pytest.raises(ModelFormatError, match=path):
                checkpoints_module.read_checkpoint(path)
            file.seek(byte)
            file.write(raw[byte : byte + 1])
