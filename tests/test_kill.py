"""Runs that are killed at any moment and go on from their checkpoints."""

import json
import subprocess
import sys

# In a process of its own, which has no threads when it forks the runs that it kills.
KILLED_RUNS = """if True:
    import hashlib, json, os, random, shutil, signal, sys, time, warnings
    from fastw2v import Word2Vec, _core
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

    class Telling(_core.Worker):
        pipe = None  # to which it writes a byte before each chunk

        def train(self, chunk, epoch_key, lr, block):
            if self.pipe is not None:
                os.write(self.pipe, b"c")
            return super().train(chunk, epoch_key, lr, block)

    _core.Worker = Telling

    def kill_in_chunk(number, mode):
        # Kill a run while it trains this chunk or soon after, or at its end if it has fewer.
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            Telling.pipe = tell
            train(mode, checkpoint="run", checkpoint_every=0, resume=True)
            os.write(tell, b"end")
            signal.pause()
        n_begun = 0
        while n_begun < number and (piece := os.read(told, 1)) == b"c":
            n_begun += 1
        time.sleep(draw.uniform(0, 0.002))  # into a chunk, or into a checkpoint
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told)
        os.close(tell)

    WORKERS, draw = int(sys.argv[1]), random.Random(5)
    whole = [train(mode) for mode in range(min(4, int(sys.argv[2])))]
    n_chunks = 3 * 8_000 * 12 // 300
    n_went_on = 0
    os.mkdir("run")
    for i in range(int(sys.argv[2])):
        for _ in range(draw.choice([1, 1, 2])):
            kill_in_chunk(draw.randrange(n_chunks), i % 4)
        n_went_on += any(name.endswith("tensors") for name in os.listdir("run"))
        result = train(i % 4, checkpoint="run", resume=True)
        assert len(os.listdir("run")) == 2, os.listdir("run")
        print(json.dumps([result[0] == whole[i % 4][0], *result[1:]]))
        shutil.rmtree("run")
        os.mkdir("run")
    print(n_went_on)
"""


def outcomes(tmp_path, workers, n_runs):
    """Return, for each run, whether it ended with the bits of one that was not killed, whether
    it trained each token as often, and its epochs; and how many had left a checkpoint."""
    command = [sys.executable, "-c", KILLED_RUNS, str(workers), str(n_runs)]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    *runs, n_went_on = (json.loads(line) for line in shown.stdout.splitlines())
    return runs, n_went_on


def test_one_thread_killed_at_20_random_moments_ends_with_the_same_bits(tmp_path):
    runs, n_went_on = outcomes(tmp_path, workers=1, n_runs=20)
    assert runs == [[True, True, 3]] * 20
    # 9 of the moments drawn lie after the first epoch, which ends with a checkpoint.
    assert n_went_on >= 9


def test_killed_threads_train_every_token_once(tmp_path):
    runs, _ = outcomes(tmp_path, workers=3, n_runs=2)
    assert [run[1:] for run in runs] == [[True, 3]] * 2
