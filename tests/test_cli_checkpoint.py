import contextlib
import errno
import os
import shlex
import signal
import subprocess
import time

import pytest
from cli_case import SMALL, command, fails, train

from fastw2v import KeyedVectors, Word2Vec, cli
from fastw2v.base import atomic
from fastw2v.formats.records import WRITTEN

pytestmark = pytest.mark.usefixtures("folder")
RUN = ["--checkpoint", "run"]
LONG = ["train", "corpus.txt", "-o", "v", "--workers", "1", "--epochs", "2000", *RUN]


def stopped(stop, more=()):
    """Start a long run, send it a signal when it has written a checkpoint; return code and log."""
    before = set(os.listdir("run"))
    with subprocess.Popen(
        command(*LONG, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not any(
            name.startswith("checkpoint") for name in set(os.listdir("run")) - before
        ):
            time.sleep(0.005)
        process.send_signal(stop)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint_from_which_the_run_goes_on(folder, stop, code):
    os.mkdir("run")
    returned, out, err = stopped(stop)
    assert (returned, out) == (code, "")
    newest = max(os.listdir("run"))
    how = "interrupted" if stop == signal.SIGINT else "stopped by SIGTERM"
    again = shlex.join(["fastw2v", *LONG, "--resume"])
    assert err == f"fastw2v: error: {how}: resume from run/{newest} with: {again}\n"
    assert not os.path.exists("v")
    done = int(newest.split("-")[1].split(".")[0])
    assert 0 < done < 2000 * 7_200
    returned, _, err = stopped(stop, ["--resume"])  # and once more
    assert returned == code, err
    assert err.endswith(f" with: {again}\n")
    assert int(max(os.listdir("run")).split("-")[1].split(".")[0]) > done


def test_a_resumed_run_writes_the_file_of_the_whole_one(capsys, folder):
    assert train("corpus.txt", "-o", "whole") == 0
    assert train("corpus.txt", "-o", "saved", *RUN, "--checkpoint-every", "90s") == 0
    (folder / "run" / max(os.listdir("run"))).unlink()
    assert train("corpus.txt", "-o", "resumed", *RUN, "--resume") == 0
    whole = (folder / "whole").read_bytes()
    assert (folder / "saved").read_bytes() == (folder / "resumed").read_bytes() == whole
    assert "tokens read                 14,400  7,200 x 2 epochs" in capsys.readouterr().out


def test_what_does_not_fit_is_one_line_and_code_9(capsys, folder):
    assert train("corpus.txt", "-o", "v", *RUN) == 0
    capsys.readouterr()
    path = f"run/{max(os.listdir('run'))}"
    again = ["train", "corpus.txt", "-o", "v", *SMALL, *RUN]
    fails(capsys, again, 9,
          "run holds checkpoints of another run; resume it, or use another folder")  # fmt: skip
    fails(capsys, [*again, "--resume", "--window", "3"], 9,
          f"cannot resume from {path}: --window was 5, is now 3")  # fmt: skip
    assert cli.main([again[0], "part1.txt", *again[2:], "--resume"]) == 9
    shown = capsys.readouterr().err
    assert shown.startswith(
        f"fastw2v: error: cannot resume from {path}: the corpus differs: tokens read was 7200, "
        "is now 2400; "
    )
    assert shown.count("\n") == 1


def test_more_epochs_of_a_finished_run_start_from_its_vectors(capsys, folder):
    assert train("corpus.txt", "-o", "v", *RUN) == 0
    path = f"run/{max(os.listdir('run'))}"
    capsys.readouterr()
    more = ["train", "corpus.txt", "-o", "v", *SMALL, *RUN, "--resume", "--epochs", "3"]
    fails(capsys, more, 9, f"cannot resume from {path}: --epochs was 2, is now 3; that run is "
          f"finished; to train its vectors further, pass --init-from={path} and another folder of "
          "checkpoints")  # fmt: skip
    assert cli.main([*more, f"--init-from={path}", "--checkpoint", "run2"]) == 0
    os.remove(path)  # the run was stopped after its first epoch
    assert cli.main(more) == 9
    assert "finished" not in capsys.readouterr().err


def test_half_of_a_request_is_a_usage_error(capsys):
    fails(capsys, ["train", "corpus.txt", "-o", "v", "--resume"], 2,
          "--resume needs a checkpoint folder: set --checkpoint")  # fmt: skip


def test_resume_without_a_checkpoint_starts_with_a_warning(capsys):
    assert train("corpus.txt", "-o", "v", *RUN, "--resume") == 0
    warning = "fastw2v: warning: run holds no checkpoint: training starts from the beginning\n"
    assert capsys.readouterr().err == warning


# ---- a disk that fills up ----


@pytest.fixture
def full_disk(monkeypatch):
    """Let writes to certain places fail as on a full disk."""
    places, fsync = [], os.fsync

    def failing(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if any(os.path.dirname(path) == os.path.realpath(place) for place in places):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(atomic.os, "fsync", failing)
    return places


def test_vectors_that_find_no_room_are_kept_in_the_checkpoint(capsys, folder, full_disk):
    (folder / "full").mkdir()
    full_disk.append("full")
    assert train("corpus.txt", "-o", "full/v", *RUN) == 5
    newest = f"run/{max(os.listdir('run'))}"
    error = (
        "fastw2v: error: cannot write full/v: No space left on device; the trained model was saved "
        f"in {newest}; `fastw2v convert` writes other formats\n"
    )
    assert capsys.readouterr().err == error
    assert os.listdir("full") == []
    assert train("corpus.txt", "-o", "v", *RUN, "--resume") == 0
    assert KeyedVectors.load("v").vectors.tobytes() == KeyedVectors.load(newest).vectors.tobytes()


def test_vectors_that_find_no_room_are_written_elsewhere(capsys, folder, full_disk):
    (folder / "full").mkdir()
    full_disk.append("full")
    assert train("corpus.txt", "-o", "whole") == 0
    capsys.readouterr()
    assert train("corpus.txt", "-o", "full/v.txt") == 5
    rescued = next(name for name in os.listdir() if name.startswith("fastw2v-rescued-"))
    assert f"; the trained model was saved in {folder}/{rescued}; " in capsys.readouterr().err
    assert (folder / rescued).read_bytes() == (folder / "whole").read_bytes()
    Word2Vec.load(rescued)


def held_bytes(folder):
    """Return the bytes on the disk of files in a folder that have no name and are open."""
    n_bytes = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one of the list itself
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            if path.endswith(" (deleted)") and os.path.dirname(path) == os.path.realpath(folder):
                n_bytes += 512 * os.stat(f"/proc/self/fd/{descriptor}").st_blocks
    return n_bytes


@pytest.mark.parametrize("format", WRITTEN)
def test_room_for_the_vectors_is_held_while_training(monkeypatch, folder, format):
    if WRITTEN[format].needs:
        pytest.importorskip(WRITTEN[format].needs[0])
    (folder / "disk").mkdir()
    with atomic.room_held(folder / "disk" / "v", 1 << 20):
        if held_bytes("disk") < 1 << 20:
            pytest.skip("this disk does not hold room for files without a name")
    held, train_model = [], Word2Vec.train

    def train_and_look(model):
        held.append(held_bytes("disk"))
        return train_model(model)

    monkeypatch.setattr(Word2Vec, "train", train_and_look)
    args = ["--vector-size", "300", "--min-count", "1", "--epochs", "1", "--format", format]
    assert cli.main(["train", "corpus.txt", "-o", "disk/v", *args]) == 0
    assert held_bytes("disk") == 0
    files = WRITTEN[format].files("disk/v")
    written = [os.path.join(path, name) for path, _, names in os.walk("disk") for name in names]
    assert sorted(written) == sorted(files)
    assert held[0] >= sum(map(os.path.getsize, files))


def test_room_that_there_is_not_is_not_held(folder):
    with atomic.room_held(folder / "v", 1 << 60), atomic.room_held(folder / "absent" / "v", 1):
        assert held_bytes(folder) == 0


def test_a_full_disk_at_a_checkpoint_is_a_warning(capsys, folder, full_disk):
    os.mkdir("run")
    full_disk.append("run")
    assert train("corpus.txt", "-o", "v", *RUN) == 0
    err = capsys.readouterr().err
    assert err.count("fastw2v: warning: no checkpoint: cannot write run/checkpoint-") >= 2
    assert "No space left on device; there is none yet; training continues" in err
    assert cli.main(["info", "v"]) == 0
