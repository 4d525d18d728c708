"""Runs that are killed at any moment and go on from their checkpoints."""

import json
import subprocess
import sys

# In a process of its own, which has no threads when it forks the runs that it kills.
KILLED_RUNS = """if True:
    import hashlib, json, os, random, shutil, signal, sys, time, warnings
    from fastw2v import Word2Vec
    from fastw2v.training import trainer
    from small_corpus import topic_sentences

    warnings.simplefilter("ignore", UserWarning)  # a run killed early has no checkpoint
    trainer.CHUNK_TOKENS, trainer.REPORT_SECONDS = 300, 0.001
    SENTENCES = topic_sentences(8_000)  # a run of some 50 ms: a child first copies pages
    MODES = [{"sg": 1}, {"sg": 0}, {"sg": 1, "hs": 1}, {"sg": 0, "softmax": True, "bias": True}]

    def train(mode, **more):
        model = Word2Vec(
            SENTENCES, workers=WORKERS, epochs=3, vector_size=16, **MODES[mode], **more
        )
        rows = [model.wv.vectors, model.output_vectors, model.arrays.out_bias]
        bits = hashlib.sha256(b"".join(a.tobytes() for a in rows if a is not None)).hexdigest()
        s = model.summary
        return bits, s.n_trained + s.n_subsampled == 3 * s.n_tokens_read, len(model.history)

    def killed_after(seconds, mode):
        child = os.fork()
        if child == 0:
            train(mode, checkpoint="run", checkpoint_every=0, resume=True)
            os._exit(0)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    def seconds_of(mode):
        start = time.perf_counter()
        train(mode, checkpoint="whole", checkpoint_every=0)
        shutil.rmtree("whole")
        return time.perf_counter() - start

    WORKERS, draw = int(sys.argv[1]), random.Random(5)
    whole = [train(mode) for mode in range(min(4, int(sys.argv[2])))]
    longest = [seconds_of(mode) for mode in range(len(whole))]
    n_killed = n_went_on = 0
    os.mkdir("run")
    for i in range(int(sys.argv[2])):
        for _ in range(draw.choice([1, 1, 2])):
            n_killed += killed_after(draw.uniform(0, longest[i % 4]), i % 4)
        n_went_on += any(name.endswith("tensors") for name in os.listdir("run"))
        result = train(i % 4, checkpoint="run", resume=True)
        assert len(os.listdir("run")) == 2, os.listdir("run")
        print(json.dumps([result[0] == whole[i % 4][0], *result[1:]]))
        shutil.rmtree("run")
        os.mkdir("run")
    print(json.dumps([n_killed, n_went_on]))
"""


def outcomes(tmp_path, workers, n_runs):
    """Return, for each run, whether it ended with the bits of one that was not killed, whether
    it trained each token as often, and its epochs; and how many were killed and went on."""
    command = [sys.executable, "-c", KILLED_RUNS, str(workers), str(n_runs)]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    *runs, counts = (tuple(json.loads(line)) for line in shown.stdout.splitlines())
    return runs, counts


def test_one_thread_killed_at_20_random_moments_ends_with_the_same_bits(tmp_path):
    runs, (n_killed, n_went_on) = outcomes(tmp_path, workers=1, n_runs=20)
    assert runs == [(True, True, 3)] * 20
    # How many depends on the machine's load; a few times would do.
    assert n_killed >= 1, "all runs ended before they were to be killed"
    assert n_went_on >= 1, "all runs were killed before they had a checkpoint"


def test_killed_threads_train_every_token_once(tmp_path):
    runs, _ = outcomes(tmp_path, workers=3, n_runs=2)
    assert [run[1:] for run in runs] == [(True, 3)] * 2
