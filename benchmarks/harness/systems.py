"""The systems to compare, and how to run each."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.process import Outcome, ProgramError, run_program

DRIVERS = Path(__file__).resolve().parent.parent / "systems"
NAMES = ("fastw2v", "gensim", "fasttext")


class DriverSystem:
    """A Python library, run by its driver in an interpreter that has the library."""

    def __init__(self, name: str, python: str) -> None:
        self.name, self.python = name, python

    def about(self) -> dict[str, Any]:
        """Return versions and similar facts.  Raises ProgramError if the library is missing."""
        return self._run("about", {}).last_json()

    def train(self, job: dict[str, Any]) -> "Training":
        """Train and save."""
        outcome = self._run("train", job)
        return Training(outcome.seconds, outcome.peak_bytes, outcome.last_json())

    def export(self, job: dict[str, Any]) -> None:
        """Convert the saved file to word2vec's binary format, if it is in another one."""
        self._run("export", job)

    def _run(self, step: str, job: dict[str, Any]) -> Outcome:
        driver = str(DRIVERS / f"{self.name}_driver.py")
        return run_program([self.python, driver, step, json.dumps(job)])


class BinarySystem:
    """A program with word2vec.c's command line."""

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path

    def about(self) -> dict[str, Any]:
        """Return {}, as such programs do not report a version.  Raises ProgramError if missing."""
        if shutil.which(self.path) is None:
            raise ProgramError(f"{self.path} is not an executable program")
        return {}

    def train(self, job: dict[str, Any]) -> "Training":
        """Train and save."""
        outcome = run_program([str(Path(self.path).resolve()), *word2vec_c_flags(job)])
        return Training(outcome.seconds, outcome.peak_bytes, {"alpha": job["alpha"]})

    def export(self, job: dict[str, Any]) -> None:
        """Do nothing: the saved file is already in word2vec's binary format."""


@dataclass(frozen=True)
class Training:
    """One run: wall seconds and peak resident memory of the process, and its own report."""

    seconds: float
    peak_bytes: int
    report: dict[str, Any]


def word2vec_c_flags(job: dict[str, Any]) -> list[str]:
    """Return word2vec.c's flags for a job."""
    flags = {
        "train": job["corpus"],
        "output": job["vectors"],
        "size": job["vector_size"],
        "window": job["window"],
        "sample": job["sample"],
        "hs": int(job["hs"]),
        "negative": 0 if job["hs"] else job["negative"],
        "threads": job["threads"],
        "iter": job["epochs"],
        "min-count": job["min_count"],
        "alpha": job["alpha"],
        "cbow": int(not job["sg"]),
        "binary": 1,
    }
    return [text for name, value in flags.items() for text in (f"-{name}", str(value))]
