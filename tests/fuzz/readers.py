"""Damage files of every kind, and read them: each is read, or refused with a documented error.

    python tests/fuzz/readers.py                     100,000 damaged files
    python tests/fuzz/readers.py --cases N --seed S --targets corpus glove

A case is a function of the seed, its target and its number.  A case that crashes, hangs, needs too
much memory or raises any other error is printed with its number; `--first K --cases 1` repeats it.
"""

import argparse
import contextlib
import faulthandler
import importlib
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastw2v import KeyedVectors, Word2Vec
from fastw2v.base.word_counts import read_word_counts
from fastw2v.cli.settings import read_config
from fastw2v.errors import Fastw2vError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.formats import FORMATS, WordVectors, read_vectors, write_vectors

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
gensim_case = importlib.import_module("gensim_case")  # beside the tests

MAX_BYTES = 3 << 30  # of address space
MAX_SECONDS = 60  # for a case
MAX_FAILED = 20
WORDS = ["the", "of", "and", "né", "new_york", "日本", "w" * 40, "x"]
SENTENCES = [[WORDS[(i * j) % len(WORDS)] for j in range(1, 9)] for i in range(1, 40)]
TEXT = "".join(" ".join(sentence) + "\n" for sentence in SENTENCES).encode()
SMALL = {"vector_size": 4, "min_count": 1, "epochs": 1, "workers": 1, "progress": False}


@dataclass(frozen=True)
class Target:
    """A kind of file.

    content: of a valid one.  name: its name in a folder of its own.  read: reads a path.
    others: content of the files beside it, by name.
    """

    content: bytes
    name: str
    read: Callable[[str], object]
    others: dict[str, bytes] = field(default_factory=dict)


def written(write: Callable[[str], object]) -> bytes:
    """Return what a function writes to a path."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        write(path)
        return Path(path).read_bytes()


def train(path: str) -> None:
    """Train on a corpus for one epoch."""
    Word2Vec(corpus_file=path, **SMALL)


def checkpoint_content() -> bytes:
    """Return a checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        Word2Vec(SENTENCES, checkpoint=folder, **SMALL)
        return next(Path(folder).glob("*.safetensors")).read_bytes()


def resume(path: str) -> None:
    """Resume from a checkpoint."""
    Word2Vec.resume(path, SENTENCES, progress=False)


def compressions() -> dict[str, bytes]:
    """Return the corpus, compressed in each way that the standard library can write."""
    import bz2
    import gzip
    import lzma

    return {
        "gz": gzip.compress(TEXT, mtime=0),
        "bz2": bz2.compress(TEXT),
        "xz": lzma.compress(TEXT),
    }


def make_targets() -> dict[str, Target]:
    """Return a target for every reader."""
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(len(WORDS), 6)).astype(np.float32)
    table = WordVectors(WORDS, vectors, counts=np.arange(len(WORDS), 0, -1))
    targets = {}
    for name, record in FORMATS.items():
        if record.files("v") != ["v"]:
            continue
        with contextlib.suppress(Fastw2vError):  # a package is missing
            content = written(lambda path, name=name: write_vectors(path, table, name))
            targets[name] = Target(content, "v", read_vectors)
            limited = f"{name}-limit"
            targets[limited] = Target(content, "v", lambda path: read_vectors(path, limit=3))
    model = Word2Vec(SENTENCES, **SMALL)
    targets["model"] = Target(written(model.save), "m.safetensors", Word2Vec.load)
    keyed = written(model.wv.save)
    targets["mapped"] = Target(keyed, "k", lambda path: KeyedVectors.load(path, mmap=True))
    targets["checkpoint"] = Target(checkpoint_content(), "c-1.safetensors", resume)
    targets |= of_several_files(table)
    targets |= of_task_files(model.wv)
    targets |= of_gensim()
    targets["corpus"] = Target(TEXT, "c.txt", train)
    for suffix, content in compressions().items():
        targets[f"corpus-{suffix}"] = Target(content, f"c.txt.{suffix}", train)
    return targets


def of_several_files(table: WordVectors) -> dict[str, Target]:
    """Return a target for each file of the formats that have several."""
    targets = {}
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Fastw2vError):
            whole = os.path.join(folder, "v")
            write_vectors(whole, table, name)
            found = [path for path in Path(folder).rglob("*") if path.is_file()]
            files = {str(path.relative_to(folder)): path.read_bytes() for path in found}
            for damaged_one in files if len(files) > 1 else ():
                others = {key: text for key, text in files.items() if key != damaged_one}
                below = damaged_one.count("/")

                def read(path: str, name: str = name, below: int = below) -> object:
                    return read_vectors(Path(path).parents[below] / "v", name)

                content = files[damaged_one]
                targets[f"{name}-{damaged_one}"] = Target(content, damaged_one, read, others)
    return targets


def of_gensim() -> dict[str, Target]:
    """Return targets for what gensim saved, in several protocols, and the files beside it."""
    targets = {}
    for protocol in (0, 2, 4, 5):
        for version, made in (("3", gensim_case.model_of_3), ("4", gensim_case.model_of_4)):

            def write(path: str, made: Any = made, protocol: int = protocol) -> None:
                gensim_case.save(path, made(), protocol)

            targets[f"gensim-{version}-{protocol}"] = Target(written(write), "v", Word2Vec.load)
    apart = gensim_case.vectors_of_4(vectors=None, __numpys=["vectors"])
    others = {"v": written(lambda path: gensim_case.save(path, apart))}
    archive = io.BytesIO()
    np.savez_compressed(archive, val=gensim_case.rows())
    array = io.BytesIO()
    np.save(array, gensim_case.rows())
    for end, content in (("npy", array.getvalue()), ("npz", archive.getvalue())):

        def read(path: str) -> object:
            return KeyedVectors.read(Path(path).with_name("v"), "gensim")

        targets[f"gensim-{end}"] = Target(content, f"v.vectors.{end}", read, others)
    return targets


def of_task_files(vectors: KeyedVectors) -> dict[str, Target]:
    """Return targets for evaluation sets, vocabularies and settings."""
    words, rows = vectors.index_to_key, vectors.vectors
    questions = b": family\n" + b"the of and x\n" * 5 + b": gram1\nof the x and\n"
    pairs = b"# scores\nthe\tof\t3.5\nof\tand\t1\nand\tx\t7.25\n"
    counts = b"the 10\nof 7\nand 3\nx 1\n"
    settings = b'alpha = 0.05\nvector-size = 20\nwindow = [3, 2]\nhs = true\nbackend = "scalar"\n'
    return {
        "analogies": Target(questions, "q", lambda path: evaluate_analogies(words, rows, path)),
        "pairs": Target(pairs, "p.tsv", lambda path: evaluate_pairs(words, rows, path)),
        "vocabulary": Target(counts, "v", read_word_counts),
        "settings": Target(settings, "s.toml", lambda path: read_config(path, SETTINGS)),
    }


SETTINGS = {"alpha", "vector_size", "window", "hs", "backend"}
PIECES = [
    *(bytes([byte]) for byte in b'\n \t\0\xff0{}[]":,'),
    *(b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\x7f" * 8, b"\xff" * 8),
    *(
        b"-1",
        b"1e99",
        b"nan",
        b"inf",
        b"4294967296",
        b"9223372036854775807",
        b"18446744073709551616",
    ),
    *(b"null", b"true", b"F32", b"I64", b"PK\x03\x04", b"\x1f\x8b"),
]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Return content after one to six changes."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(8)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[at : at + draw.randrange(1, 20)]
        elif kind == 2:
            data[at:at] = draw.choice(PIECES)
        elif kind == 3:
            piece = draw.choice(PIECES)
            data[at : at + len(piece)] = piece
        elif kind == 4:
            begin = draw.randrange(len(data) + 1)
            data[at:at] = data[begin : begin + draw.randrange(1, 60)]
        elif at < len(data):
            data[at] = draw.randrange(256) if kind == 5 else data[at] ^ 1 << draw.randrange(8)
    return bytes(data)


def run_case(target: Target, key: str, folder: str) -> str:
    """Return what is wrong with a case, "" if nothing is."""
    path = os.path.join(folder, target.name)
    for name, content in {**target.others, target.name: b""}.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        Path(folder, name).write_bytes(content)
    Path(path).write_bytes(damaged(target.content, random.Random(key)))
    signal.alarm(MAX_SECONDS)
    try:
        target.read(path)
    except Fastw2vError as error:
        if "\n" in str(error):
            return f"more than one line: {error!r}"
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return ""


def run_cases(targets: dict[str, Target], seed: int, numbers: range, reached: int) -> int:
    """Run cases; return how many fail.  reached: file that gets the number of each."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, as a crash does
    faulthandler.enable()
    n_failed, names = 0, list(targets)
    for i in numbers:
        os.pwrite(reached, b"%20d" % i, 0)
        name = names[i % len(names)]
        with tempfile.TemporaryDirectory() as folder:
            wrong = run_case(targets[name], f"{seed} {name} {i}", folder)
        if wrong:
            n_failed += 1
            print(f"case {i}, {name}: {wrong}", flush=True)
    return n_failed


def main() -> int:
    """Run the cases, after a crash those that are left; return 1 if any fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--targets", nargs="*")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    targets = make_targets()
    if asked.targets:
        targets = {name: targets[name] for name in asked.targets}
    first, last, n_failed, started_at = asked.first, asked.first + asked.cases, 0, time.monotonic()
    with tempfile.TemporaryFile() as reached:
        while first < last and n_failed < MAX_FAILED:
            child = os.fork()
            if child == 0:
                found = run_cases(targets, asked.seed, range(first, last), reached.fileno())
                sys.stdout.flush()
                os._exit(min(found, 100))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            first = int(os.pread(reached.fileno(), 20, 0)) + 1
            n_failed += abs(code) if code >= 0 else 1
            if code < 0:
                print(f"case {first - 1}: the process died of signal {-code}", flush=True)
    print(
        f"{first - asked.first} files of {len(targets)} kinds, {n_failed} failed, "
        f"{time.monotonic() - started_at:.0f} s"
    )
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
