"""Commands whose k-th system call of a kind fails, each in a process forked from this one.

Run with LD_PRELOAD=fault_shim.so and the arguments COMMAND KIND ERRNO STEP; prints a JSON list of
Outcome for every STEP-th call.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
import traceback
from typing import NamedTuple

import numpy as np
from small_corpus import topic_sentences

from fastw2v import cli
from fastw2v.errors import ModelFormatError, ReadError
from fastw2v.formats import WordVectors, read_vectors, write_vectors

KILLED = 1 << 30  # instead of an errno: SIGKILL
HANGS_AFTER = 60  # seconds; the process then dies of SIGALRM
OLD = WordVectors([f"w{i}" for i in range(300)], np.eye(300, 8, dtype=np.float32) + 1)
NEW = WordVectors(OLD.words[::-1], OLD.vectors * 2)
SMALL = ["--vector-size", "8", "--epochs", "2", "--min-count", "1"]
CONVERTED = {"native": "v.safetensors", "text": "v.txt", "bin": "v.bin", "hf": "h/", "tsv": "v.tsv"}
TRAINED = {
    "checkpoint": ["--checkpoint", "run", "--workers", "1"],
    "spool": ["--workers", "1"],
    "threads": ["--workers", "3"],
}
libc = ctypes.CDLL(None)


class Outcome(NamedTuple):
    """What one run left.

    k: the call that failed.  status: exit code, or minus a signal.  shown: standard error.
    output: "old", "new", an error that reading it raises, or "mixed".  left: temporary files.
    """

    k: int
    status: int
    shown: str
    output: str
    left: list[str]


def arguments(name):
    """The path that a command writes, and its arguments."""
    if name in CONVERTED:
        return CONVERTED[name], ["convert", "new.safetensors", CONVERTED[name]]
    return "v.safetensors", ["train", "corpus.txt", "-o", "v.safetensors", *SMALL, *TRAINED[name]]


def prepare(path, name):
    """Leave nothing but the old output and what the command reads."""
    for entry in os.scandir():
        shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)
    write_vectors("new.safetensors", NEW, "native")
    with open("corpus.txt", "w") as file:
        file.writelines(" ".join(sentence) + "\n" for sentence in topic_sentences(100))
    write_vectors(path, OLD, name if name in CONVERTED else "native")


def like(found, expected):
    rows = {word: row for row, word in enumerate(expected.words)}
    places = [rows.get(word, 0) for word in found.words]
    return set(found.words) == set(rows) and np.allclose(found.vectors, expected.vectors[places])


def content(path):
    try:
        found = read_vectors(path)
    except (ReadError, ModelFormatError) as error:
        return type(error).__name__
    if like(found, OLD):
        return "old"
    is_new = like(found, NEW) or (found.words[0][0] in "tc" and np.isfinite(found.vectors).all())
    return "new" if is_new else "mixed"


def temporaries():
    return [name for _, _, names in os.walk(".") for name in names if name.startswith(".fastw2v")]


def run(argv, kind, k, error):
    """Run a command in a forked process; return its status and how many calls it made."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(HANGS_AFTER)
            for stream, fd in (("out", 1), ("err", 2)):
                os.dup2(os.open(f"{OUTSIDE}/{stream}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), fd)
            libc.fault_arm(kind, ctypes.c_long(k), error)
            try:
                code = cli.main(argv)
            except BaseException:
                traceback.print_exc()
            n_calls = libc.fault_calls()
            libc.fault_arm(b"", ctypes.c_long(0), 0)
            sys.stderr.flush()
            os.write(tell, str(n_calls).encode())
        finally:
            os._exit(code)
    os.close(tell)
    with open(told, "rb") as file:
        n_calls = int(file.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), n_calls


def outcomes(name, kind, error, step):
    path, argv = arguments(name)
    prepare(path, name)
    run(argv, kind, 0, 0)  # imports what it needs, which is no part of this
    cli.main([*argv, *([] if name in CONVERTED else ["-q"])])
    prepare(path, name)
    status, n_calls = run(argv, kind, 0, 0)
    assert (status, content(path)) == (0, "new"), (status, content(path))
    for k in range(1, n_calls + 1, step):
        prepare(path, name)
        status, _ = run(argv, kind, k, error)
        with open(f"{OUTSIDE}/err") as file:
            shown = file.read()
        found = Outcome(k, status, shown, content(path), temporaries())
        if error == KILLED:
            run(argv, b"", 0, 0)
            found = found._replace(left=temporaries())
        yield found


if __name__ == "__main__":
    OUTSIDE = os.getcwd()
    os.mkdir("work")
    os.chdir("work")
    if sys.argv[1] == "spool":
        from fastw2v.corpus import spool

        spool.SpoolWriter._spill = lambda writer, *_: writer._move_to_files()
    kind, error, step = sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4])
    sys.stdout.flush()
    found = list(outcomes(sys.argv[1], kind, error, step))
    print("\n" + json.dumps(found))
