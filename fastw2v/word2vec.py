"""Word2Vec: the model that users hold. Parameters, vocabulary, training, files; no arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from fastw2v.base.checks import check_flag
from fastw2v.corpus import EncodedCorpus, Sentences, Vocabulary, VocabularyRules
from fastw2v.errors import DivergedError, UsageError
from fastw2v.keyed_vectors import KeyedVectors
from fastw2v.model.arguments import parameters_of_model, parameters_of_run
from fastw2v.model.corpus_reader import CorpusReader, Path
from fastw2v.run.checkpoints.options import Checkpoints, settings_then
from fastw2v.run.checkpoints.resume import files_to_read, source_of, with_own_schedule
from fastw2v.run.criterion import options_again
from fastw2v.run.options import RunOptions
from fastw2v.run.progress import choose_observer, end_progress
from fastw2v.run.saved_model import base_vocabulary, check_grow
from fastw2v.run.start import Freeze, check_all_move, check_freeze
from fastw2v.run.training_run import RunRequest, run_training
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.report import EpochRecord, Observer, Summary
from fastw2v.training.run_state import STATE
from fastw2v.training.trainer import resolved_for
from fastw2v.training.training_lock import alone
from fastw2v.training.windows import Window
from fastw2v.vocabulary_builder import TrimRule, VocabularyBuilder


class Word2Vec(VocabularyBuilder):
    """Word vectors trained by skip-gram or CBOW (Mikolov et al. 2013, 1301.3781, 1310.4546).

    sentences: lists of tokens, any iterable of them, a generator included, a NumPy matrix of
    walks, IdSentences, Pairs, a table with Arrow's interface or a Hugging Face dataset; or
    corpus_file: a path, glob, URL, "-" or list of these, one sentence a line, or Parquet. With
    either, training starts at once; with neither, call build_vocab and train.
    sg: 1 for skip-gram, 0 for CBOW.  One objective: negative sampling with `negative` noise
    words (the default, 5), hs=1 for hierarchical softmax, softmax=True for the full softmax.
    min_count: rarer words are dropped; max_final_vocab: at most that many words stay;
    trim_rule(word, count, min_count) returns 0 to leave it at that, 1 to drop, 2 to keep a word;
    sorted_vocab=0 leaves words in the order of first appearance, which may train slower.
    seed: None draws one.
    init_from: vectors to start from, by word: a file of any format, a KeyedVectors or a Word2Vec;
    grow=True keeps those of its words, with their counts, that the corpus lacks.
    freeze: the word vectors that training leaves as they are, bit for bit: True or "all",
    "known" for the words that were in init_from, or a list of words.
    column: of a table, dataset, Parquet file or rows that are mappings: lists of tokens or texts.
    lowercase: lower each word.  tokenizer: splits texts, by default white space does.
    progress: True, False, a function that takes a Report, or None for a line on a terminal.
    callbacks, validation, metric, patience, restore_best, log: see RunOptions.
    All other settings: see Parameters, which checks them.
    Accepted for gensim's sake, and without effect: max_vocab_size (counting is exact),
    hashfxn, null_word, batch_words, compute_loss (the loss is always measured), comment.
    Raises UsageError, CorpusError, ReadError, SaveError, OutOfMemoryError, DivergedError,
    CheckpointError.

    wv holds the vectors, history one record an epoch, summary the counts of the last run.
    With bias="both" the model is h = Wx + b.  Each vector, in wv and in files, is a row of W plus
    b, which gives the same h; input_bias is b.
    """

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        vector_size: int = Parameters.vector_size,
        alpha: float | None = None,
        window: Window = Parameters.window,
        min_count: int = VocabularyRules.min_count,
        max_vocab_size: int | None = None,
        sample: float = Parameters.sample,
        seed: int | None = Parameters.seed,
        workers: int | None = None,
        min_alpha: float = Parameters.min_alpha,
        sg: int | bool = 0,
        hs: int | bool = 0,
        negative: int | None = None,
        ns_exponent: float = Parameters.ns_exponent,
        cbow_mean: int | bool = 1,
        hashfxn: object = hash,
        epochs: int = Parameters.epochs,
        null_word: object = 0,
        trim_rule: TrimRule | None = None,
        sorted_vocab: int | bool = 1,
        batch_words: int = 10_000,
        compute_loss: bool = False,
        callbacks: Iterable[Any] = (),
        comment: str | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: int | bool = True,
        *,
        softmax: bool = False,
        lowercase: bool = False,
        tokenizer: Callable[[str], list[str]] | None = None,
        column: str | None = None,
        progress: bool | Observer | None = None,
        init_from: object = None,
        grow: bool = False,
        freeze: Freeze = False,
        **settings: Any,
    ) -> None:
        self.options = RunOptions.take(settings, callbacks=callbacks)
        self.parameters = parameters_of_model(
            settings, vector_size=vector_size, alpha=alpha, window=window, sample=sample,
            seed=seed, workers=workers, min_alpha=min_alpha, sg=sg, hs=hs, negative=negative,
            ns_exponent=ns_exponent, cbow_mean=cbow_mean, epochs=epochs,
            shrink_windows=shrink_windows, softmax=softmax,
        )  # fmt: skip
        check_flag("lowercase", lowercase)
        check_grow(grow, init_from)
        self.init_from, self.grow, self.freeze = init_from, grow, check_freeze(freeze)
        check_all_move(self.parameters, bool(self.freeze))
        self.start = None
        check_flag("sorted_vocab", sorted_vocab)
        self.rules = VocabularyRules(
            min_count, max_final_vocab, trim_rule, is_sorted=bool(sorted_vocab)
        )
        self.comment, self.compute_loss, self.batch_words = comment, compute_loss, batch_words
        self._reader = CorpusReader(lowercase, tokenizer, choose_observer(progress), column)
        self.vocabulary: Vocabulary | None = None
        self.arrays: ModelArrays | None = None
        self.history: list[EpochRecord] = []
        self.summary: Summary | None = None
        self._corpus: EncodedCorpus | None = None
        self._one_shot: object = None
        self._source: dict[str, Any] = {}
        self.last_checkpoint: str | None = None  # of the last run, if it holds that run's end
        self._wv: KeyedVectors | None = None
        if sentences is not None or corpus_file is not None:
            self.build_vocab(sentences, corpus_file)
            self.train()

    def train(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        total_examples: int | None = None,
        total_words: int | None = None,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        word_count: int = 0,
        queue_factor: int = 2,
        report_delay: float = 1.0,
        compute_loss: bool = False,
        callbacks: Iterable[Any] | None = None,
        **options: Any,
    ) -> Summary:
        """Train on the corpus given, or on the one that build_vocab read; return the counts.

        epochs, start_alpha, end_alpha, and options of RunOptions: instead of the model's own
        epochs, alpha, min_alpha and options, for this call.
        total_examples, total_words, word_count, queue_factor, report_delay, compute_loss: without
        effect, as the corpus is counted and the loss always measured.
        """
        with alone(self):
            if self.arrays is None or self.vocabulary is None:
                raise UsageError("there is no vocabulary yet: call build_vocab before train")
            if callbacks is not None:
                options["callbacks"] = callbacks
            chosen = self.options.changed(options)
            parameters = parameters_of_run(self.parameters, epochs, start_alpha, end_alpha)
            is_read = self._corpus is not None and corpus_iterable is self._one_shot
            if corpus_file is not None or (corpus_iterable is not None and not is_read):
                self._keep(self._read(corpus_iterable, corpus_file, self.rules, self.vocabulary))
                self._source = source_of(corpus_file, self._reader.tokenizer)
            if self._corpus is None:
                raise UsageError("there is no corpus: pass one to train, or call build_vocab first")
            self._take_vectors_back()
            self.arrays.frozen = self._frozen()
            return self._train(parameters, chosen)

    def _train(self, parameters: Parameters, chosen: RunOptions) -> Summary:
        """Use up the corpus at hand."""
        assert self.arrays is not None and self._corpus is not None
        corpus, self._corpus = self._corpus, None
        parameters = resolved_for(parameters, self.arrays, corpus.spool)
        self._last_run = parameters
        start = time.perf_counter()
        request = RunRequest(
            self,
            parameters,
            self.arrays,
            corpus,
            chosen,
            self._reader.observer,
            lambda: self._read_validation(chosen),
            partial(self._file_content, parameters),
            self._source,
        )
        try:
            self.summary = run_training(request)
            self._set_damage("")
        except DivergedError as error:
            self._set_damage(str(error))
            raise
        finally:
            self.vectors_changed()
            self.total_train_time += time.perf_counter() - start
            end_progress(self._reader.observer)
        self.train_count += 1
        return self.summary

    @classmethod
    def resume(
        cls,
        path: Path,
        sentences: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        **options: Any,
    ) -> Word2Vec:
        """Go on with a run from its checkpoint to its end, and return the trained model.

        path: the folder of checkpoints, or one of the files in it.  sentences or corpus_file:
        the corpus again, only needed if it was not read from files.  options: those of
        RunOptions, progress, and what a file cannot hold, such as tokenizer, as for a new model;
        the run's settings are in the checkpoint, and so are validation, patience and restore_best.
        Raises CheckpointError if there is none, or the corpus or the CPU is another one.
        """
        found = Checkpoints(path, resume=True).found()
        if sentences is None and corpus_file is None:
            corpus_file = [*files_to_read(found, options.get("tokenizer"))]
        settings = settings_then(found[1])
        options = options_again(found[0], found[1].settings[STATE], options)
        lowercase = settings.pop("lowercase")
        model = cls(lowercase=lowercase, checkpoint=path, resume=True, **options)
        model._set(with_own_schedule(found[0], settings, options.get("schedule")))
        model.build_vocab(sentences, corpus_file, vocabulary=base_vocabulary(found[1]))
        model.train()
        return model

    def _read_validation(self, options: RunOptions) -> EncodedCorpus:
        """Read the text to validate on."""
        paths = options.validation_paths
        sentences = None if paths else options.validation
        return self._read(sentences, paths or None, self.rules, self.vocabulary)
