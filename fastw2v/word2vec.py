"""Word2Vec: the model that users hold. Parameters, vocabulary, training, files; no arithmetic."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.checks import check_flag
from fastw2v.corpus import (
    EncodedCorpus,
    Vocabulary,
    VocabularyRules,
    read_sentences,
    read_text,
)
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, write_vectors
from fastw2v.keyed_vectors import KeyedVectors
from fastw2v.saved_model import (
    arrays_in_file,
    model_to_file,
    read_model,
    settings_in_file,
)
from fastw2v.training import (
    EpochRecord,
    Listener,
    ModelArrays,
    Observer,
    ObserverListener,
    Parameters,
    ProgressLine,
    Report,
    Run,
    Summary,
    Trainer,
    build_arrays,
    choose_objective,
    choose_observer,
    model_callbacks,
    peak_bytes,
    usable_cores,
)

Path = str | os.PathLike[str]
Sentences = Iterable[Iterable[Any]]


class Word2Vec:
    """Word vectors trained by skip-gram or CBOW (Mikolov et al. 2013, 1301.3781, 1310.4546).

    sentences: lists of tokens, any iterable of them, a generator included; or corpus_file: a
    path, glob, "-" or list of these, one sentence a line. With either, training starts at once;
    with neither, call build_vocab and train.
    sg: 1 for skip-gram, 0 for CBOW.  One objective: negative sampling with `negative` noise
    words (the default, 5), hs=1 for hierarchical softmax, softmax=True for the full softmax.
    min_count: rarer words are dropped; max_final_vocab: at most that many words stay.
    lowercase, tokenizer: for corpus_file, see fastw2v.corpus.read_text.
    progress: True, False, a function that takes a Report, or None for a line on a terminal.
    callbacks: objects with any of the methods of Callback, or of gensim's CallbackAny2Vec.
    All other settings: see Parameters, which checks them.
    Raises UsageError, CorpusError, ReadError, SaveError, OutOfMemoryError, DivergedError.

    wv holds the vectors, history one record an epoch, summary the counts of the last run.
    A bias of the input side would add one vector to all rows of the input matrix, so it needs
    no parameter: `bias` is the output side's, one number a word or inner node.
    """

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        *,
        min_count: int = 5,
        max_final_vocab: int | None = None,
        sg: int | bool = 0,
        hs: int | bool = 0,
        negative: int | None = None,
        softmax: bool = False,
        lowercase: bool = False,
        tokenizer: Callable[[str], list[str]] | None = None,
        progress: bool | Observer | None = None,
        callbacks: Iterable[Any] = (),
        **settings: Any,
    ) -> None:
        flags = {"sg": sg, "hs": hs, "softmax": softmax, "lowercase": lowercase}
        for name, value in flags.items():
            check_flag(name, value)
        objective, negative = choose_objective(hs, negative, softmax)
        named = {"sg": bool(sg), "objective": objective, "negative": negative}
        self.parameters = Parameters.from_mapping(settings | named)
        self.rules = VocabularyRules(min_count, max_final_vocab)
        self._lowercase, self._tokenizer = lowercase, tokenizer
        self._observer = choose_observer(progress)
        self._callbacks = model_callbacks(self, callbacks)
        self.vocabulary: Vocabulary | None = None
        self.arrays: ModelArrays | None = None
        self.history: list[EpochRecord] = []
        self.summary: Summary | None = None
        self._corpus: EncodedCorpus | None = None
        self._wv: KeyedVectors | None = None
        if sentences is not None or corpus_file is not None:
            self.build_vocab(sentences, corpus_file)
            self.train()

    def build_vocab(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        *,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Read the corpus, count its words and make an untrained model of them.

        The corpus is kept, as word ids, for the call of train() that follows.
        vocabulary: use these words and counts instead of the corpus's own.
        """
        corpus = self._read(corpus_iterable, corpus_file, vocabulary)
        try:
            self.arrays = build_arrays(self.parameters, corpus.vocabulary.counts)
        except BaseException:
            corpus.spool.close()
            raise
        self._keep(corpus)
        self.vocabulary, self._wv = corpus.vocabulary, None

    def train(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        *,
        epochs: int | None = None,
        callbacks: Iterable[Any] | None = None,
    ) -> Summary:
        """Train on the corpus given, or on the one that build_vocab read; return the counts.

        epochs, callbacks: instead of the model's own.
        """
        if callbacks is not None:
            self._callbacks = model_callbacks(self, callbacks)
        if self.arrays is None or self.vocabulary is None:
            raise UsageError("there is no vocabulary yet: call build_vocab before train")
        parameters = self.parameters
        if epochs is not None:
            parameters = replace(parameters, epochs=epochs)
        if corpus_iterable is not None or corpus_file is not None:
            self._keep(self._read(corpus_iterable, corpus_file, self.vocabulary))
        if self._corpus is None:
            raise UsageError("there is no corpus: pass one to train, or call build_vocab first")
        corpus, self._corpus = self._corpus, None
        with corpus.spool:
            start = time.perf_counter()
            trainer = Trainer(parameters, self.arrays, corpus.spool)
            try:
                trainer.run(self._listeners())
            finally:
                self._wv = None  # its norms are those of the rows before
                self._close_progress()
            self.summary = summarise(corpus, trainer, time.perf_counter() - start)
        return self.summary

    def _listeners(self) -> list[Listener]:
        """Return who is told of the training; the model itself comes first."""
        observers = [ObserverListener(self._observer)] if self._observer else []
        return [_ModelFollows(self), *observers, *self._callbacks]

    def _keep(self, corpus: EncodedCorpus) -> None:
        """Hold a corpus for the next training, instead of one that waited for it."""
        if self._corpus is not None:
            self._corpus.spool.close()
        self._corpus = corpus

    def _read(
        self,
        sentences: Sentences | None,
        corpus_file: Path | list[Path] | None,
        vocabulary: Vocabulary | None,
    ) -> EncodedCorpus:
        if (sentences is None) == (corpus_file is None):
            raise UsageError("pass either sentences or corpus_file, and not both")
        progress = self._reading_progress()
        try:
            if sentences is not None:
                return read_sentences(
                    sentences, rules=self.rules, vocabulary=vocabulary, progress=progress
                )
            assert corpus_file is not None
            return read_text(
                corpus_file,
                rules=self.rules,
                vocabulary=vocabulary,
                lowercase=self._lowercase,
                tokenizer=self._tokenizer,
                threads=min(self.parameters.n_threads, usable_cores()),
                progress=progress,
            )
        finally:
            self._close_progress()

    def _reading_progress(self) -> Callable[[int, int | None, int], None] | None:
        observer, start = self._observer, time.perf_counter()
        if observer is None:
            return None

        def report(done: int, total: int | None, n_tokens: int) -> None:
            observer(Report("read", done, total, n_tokens, time.perf_counter() - start))

        return report

    def _close_progress(self) -> None:
        if isinstance(self._observer, ProgressLine):
            self._observer.close()

    # ---- results ----

    @property
    def wv(self) -> KeyedVectors:
        """The word vectors as they are now: (n_words, vector_size) float32 and their words."""
        if self._wv is None:
            vocabulary, arrays = self._built()
            rows = arrays.in_rows[:, : self.parameters.vector_size]
            self._wv = KeyedVectors(vocabulary.words, rows, vocabulary.counts)
        return self._wv

    @property
    def output_vectors(self) -> NDArray[np.float32]:
        """The other matrix, (n_words, vector_size) float32, or (n_words - 1, ...) inner nodes."""
        return self._built()[1].out_rows[:, : self.parameters.vector_size]

    def _built(self) -> tuple[Vocabulary, ModelArrays]:
        if self.vocabulary is None or self.arrays is None:
            raise UsageError("the model has no vocabulary yet: call build_vocab")
        return self.vocabulary, self.arrays

    # ---- files ----

    def to_word_vectors(self) -> WordVectors:
        """Return all that a file can hold of the model, without copying the rows."""
        vocabulary, arrays = self._built()
        return model_to_file(self.parameters, self.rules, bool(self._lowercase), vocabulary, arrays)

    def save(self, path: Path, format: str = "native") -> None:
        """Write the model: native (safetensors, all of it), text, bin, vec or glove."""
        write_vectors(path, self.to_word_vectors(), format)

    @classmethod
    def load(cls, path: Path) -> Word2Vec:
        """Read a model that save() wrote in the native format, ready to train on.

        A tokenizer is no part of the file.
        Raises ModelFormatError if the file holds vectors only, or settings unknown here.
        """
        data = read_model(path)
        try:
            return cls._from(data)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFormatError(
                f"{os.fspath(path)}: its settings do not describe a model: {error}"
            ) from error

    @classmethod
    def _from(cls, data: WordVectors) -> Word2Vec:
        """Return the model of a file's content."""
        assert data.counts is not None
        settings = settings_in_file(data)
        model = cls(lowercase=settings.pop("lowercase", False))
        model.rules = VocabularyRules(settings.pop("min_count"), settings.pop("max_final_vocab"))
        model.parameters = Parameters.from_mapping(settings)
        model.vocabulary = Vocabulary(data.words, data.counts)
        model.arrays = arrays_in_file(model.parameters, data)
        return model


class _ModelFollows(Listener):
    """Keeps a model's history, and its vectors fresh for whoever is told after it."""

    def __init__(self, model: Word2Vec) -> None:
        self.model = model

    def on_interval(self, run: Run, report: Report) -> None:
        """Forget what was computed from the vectors."""
        self.model._wv = None

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Keep the record."""
        self.model._wv = None
        self.model.history.append(record)


def summarise(corpus: EncodedCorpus, trainer: Trainer, seconds: float) -> Summary:
    """Gather the counts of a run."""
    counts = trainer.counts()
    return Summary(
        n_words=len(corpus.vocabulary),
        n_tokens_read=corpus.n_tokens_read,
        n_below_min_count=corpus.n_below_min_count,
        n_sentences=corpus.n_sentences,
        epochs=trainer.epoch,
        n_trained=counts.n_trained,
        n_subsampled=counts.n_subsampled,
        n_predictions=counts.n_predictions,
        loss=trainer.history[-1].loss if trainer.history else None,
        read_seconds=corpus.seconds,
        train_seconds=seconds,
        words_per_second=counts.n_tokens / seconds if seconds > 0 else 0.0,
        peak_bytes=peak_bytes(),
        stopped=trainer.stopped,
    )
