"""Read a model's corpus from token lists or files, with live progress."""

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from fastw2v.base.checks import check_function, is_among
from fastw2v.base.threads import usable_cores
from fastw2v.corpus import (
    EncodedCorpus,
    Progress,
    Sentences,
    Vocabulary,
    VocabularyRules,
    read_sentences,
    read_text,
)
from fastw2v.corpus.sources import STDIN
from fastw2v.corpus.tokenizers import AnyTokenizer, Tokenizer
from fastw2v.errors import UsageError
from fastw2v.run.options import facts_if_logged
from fastw2v.training.events import Display, Observer, Report, is_terminal

Path = str | os.PathLike[str]


@dataclass(frozen=True)
class CorpusReader:
    """Options for reading a model's corpora.

    lowercase, tokenizer, column: see fastw2v.corpus.reading.  allow_binary: see read_text.
    observer: called with progress reports.
    """

    lowercase: bool
    tokenizer: AnyTokenizer | None
    observer: Observer | None
    column: str | None = None
    allow_binary: bool = False

    def read(
        self,
        sentences: Sentences | None,
        corpus_file: Path | list[Path] | None,
        n_threads: int,
        rules: VocabularyRules,
        vocabulary: Vocabulary | None = None,
    ) -> EncodedCorpus:
        """Return the corpus as word ids; see read_sentences and read_text."""
        if (sentences is None) == (corpus_file is None):
            raise UsageError("pass either sentences or corpus_file, not both")
        how: dict[str, Any] = {
            "rules": rules,
            "vocabulary": vocabulary,
            "column": self.column,
            "lowercase": self.lowercase,
            "tokenizer": self.tokenizer,
            "progress": self._progress(),
        }
        try:
            if sentences is not None:
                return read_sentences(sentences, **how)
            assert corpus_file is not None
            n_threads = min(n_threads, usable_cores())
            return read_text(corpus_file, threads=n_threads, allow_binary=self.allow_binary, **how)
        finally:
            end_progress(self.observer)

    def _progress(self) -> Progress | None:
        observer, started_at = self.observer, time.perf_counter()
        if observer is None:
            return None

        def report(done: int, total: int | None, n_tokens: int) -> None:
            observer(Report("read", done, total, n_tokens, time.perf_counter() - started_at))

        return report


def is_one_shot(sentences: object) -> bool:
    """Return whether this is an iterator, such as a generator, which can be read only once."""
    return isinstance(sentences, Iterable) and iter(sentences) is sentences


def source_of(
    corpus_file: Path | list[Path] | None, tokenizer: AnyTokenizer | None
) -> dict[str, Any]:
    """Return how to read a corpus again, for JSON; the paths are None if it is not a file."""
    paths = None
    if corpus_file is not None:
        listed = corpus_file if isinstance(corpus_file, list) else [corpus_file]
        names = [os.fspath(path) for path in listed]
        paths = [name if name == STDIN else os.path.abspath(name) for name in names]
    return {"corpus_file": paths, "tokenizer": name_of(tokenizer)}


def name_of(tokenizer: AnyTokenizer | None) -> str | None:
    """Return the name of a tokenizer for files; that of a Tokenizer makes it again."""
    if tokenizer is None:
        return None
    return str(tokenizer) if isinstance(tokenizer, Tokenizer) else repr(tokenizer)


def choose_observer(progress: bool | Observer | None) -> Observer | None:
    """Return the progress observer; None selects a display in a notebook or on a terminal.

    A process without a stderr, such as a service, shows nothing.  Lines that the program logs would
    break into those on the terminal.
    """
    if not (progress is None or is_among(progress, (0, 1))):
        if isinstance(progress, type):
            raise UsageError(f"progress must be a function, True or False, got {progress!r}")
        check_function("progress", progress)
        return cast(Observer, progress)
    if (progress or progress is None) and is_notebook():
        from fastw2v.run.progress import NotebookProgress

        return NotebookProgress()
    if sys.stderr is None or getattr(sys.stderr, "closed", False):
        return None
    if progress or (progress is None and is_terminal(sys.stderr) and facts_if_logged() is None):
        from fastw2v.run.progress import ProgressLine

        return ProgressLine(sys.stderr)
    return None


def is_notebook() -> bool:
    """Return whether a Jupyter kernel runs this process, without importing IPython."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and getattr(get_ipython(), "kernel", None) is not None


def end_progress(observer: Observer | None) -> None:
    """End the display of progress, if the observer is one."""
    if observer is not None and isinstance(observer, Display):
        observer.close()
