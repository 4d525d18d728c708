"""The Word2Vec class: settings, vocabulary, training and files; no arithmetic."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_finite, check_flag, check_integer, check_path, shown
from fastw2v.base.memory import trim_malloc
from fastw2v.base.tables import html_table
from fastw2v.base.threads import training_lock
from fastw2v.corpus import EncodedCorpus, Sentences, Vocabulary, VocabularyRules, choose_from
from fastw2v.corpus.tokenizers import AnyTokenizer, Tokenizer, check_tokenizer
from fastw2v.errors import (
    CheckpointError,
    CorpusError,
    DivergedError,
    ModelFormatError,
    UsageError,
)
from fastw2v.formats import WordVectors, write_vectors
from fastw2v.formats.records import format_of_suffix
from fastw2v.keyed_vectors import KeyedVectors
from fastw2v.model.arguments import Setting, refuse_unknown
from fastw2v.model.corpus_reader import (
    CorpusReader,
    Path,
    choose_observer,
    end_progress,
    is_one_shot,
    source_of,
)
from fastw2v.run.checkpoints.options import Checkpoints, settings_then
from fastw2v.run.checkpoints.resume import (
    files_to_read,
    settings_to_check,
    tokenizer_again,
    with_own_schedule,
)
from fastw2v.run.criterion import options_again
from fastw2v.run.history import History
from fastw2v.run.options import UNSET, RunOptions, Unset, facts_if_logged, without_unset
from fastw2v.run.saved_model import (
    BLOCKS,
    Freeze,
    RunCounts,
    StoredSettings,
    TakenOver,
    arrays_in_file,
    base_vocabulary,
    check_all_move,
    check_freeze,
    check_grow,
    check_known,
    frozen_rows,
    locked_rows,
    model_to_file,
    read_model,
    settings_in_file,
    take_over,
    vectors_of,
)
from fastw2v.run.training_run import RunRequest, run_training
from fastw2v.training.arrays import ModelArrays, build_arrays
from fastw2v.training.events import CHECKPOINT_KEY, Observer, Summary
from fastw2v.training.parameters import Parameters, Schedule, Window, loss_name
from fastw2v.training.trainer import resolved_for
from fastw2v.vectors.prediction import predicted_words

Model = TypeVar("Model", bound="Word2Vec")
TrimRule = Callable[[str, int, int], object]
Metric = Callable[[Any], float]


class Word2Vec:
    """Train word vectors with skip-gram or CBOW.

    Passing sentences or corpus_file trains the model at once.  Without either, call build_vocab
    and then train.

    Corpus:

    sentences: an iterable of token lists (a generator works too), a NumPy matrix of walks,
    IdSentences, Pairs, a table with the Arrow interface, or a Hugging Face dataset.
    corpus_file: a path, glob, URL, "-" for standard input, or a list of these.  Text has one
    sentence per line; tables in files work too, see column.
    column: column to read from a table, dataset, rows that are mappings, or a Parquet, JSON lines,
    CSV or TSV file.  It holds token lists or texts.
    allow_binary: train on files that are not text, and on text with NUL bytes.
    lowercase: convert words to lower case.
    tokenizer: "words" or "simple" (see Tokenizer), or a function that splits a text into tokens;
    the default splits at white space.  With a tokenizer, sentences may be texts.

    Vocabulary:

    min_count: drop words with fewer occurrences, >= 0.
    max_final_vocab: keep at most this many words, >= 1; None for no limit.
    trim_rule: called as trim_rule(word, count, min_count).  Returns 0 to apply the rules above, 1
    to drop the word, 2 to keep it.
    sorted_vocab: 1 sorts words by count; 0 keeps the order of first appearance, which may train
    more slowly.

    Model:

    sg: 1 for skip-gram, 0 for CBOW.
    negative, hs, softmax: select the objective.  The default is negative sampling with
    negative=5 negative samples.  hs=1 selects hierarchical softmax, softmax=True full softmax.
    hs=1 together with negative=5 trains both and adds their losses, as in gensim, whose default
    for hs=1 this is.
    seed: >= 0; None draws a random seed.
    init_from: vectors to start from, matched by word: a file in any format, a KeyedVectors or a
    Word2Vec.
    grow: also keep words of init_from that the corpus lacks, with their counts.
    freeze: word vectors that training leaves unchanged, bit for bit: True or "all", "known" for the
    words in init_from, or a list of words.
    Other settings: see Parameters.

    Run:

    progress: True, False, a function that takes a Report, or None to show progress in a notebook
    and, unless INFO is logged, if standard error is a terminal.
    callbacks, validation, metric, patience, restore_best, log, checkpoint, checkpoint_every,
    resume: see RunOptions.

    Accepted without effect, for gensim compatibility: max_vocab_size (counting is exact), hashfxn,
    null_word, batch_words, compute_loss (the loss is always measured), comment.

    Attributes:

    wv: the trained vectors, a KeyedVectors.
    history: one EpochRecord per epoch; history.plot() draws them.  summary: the Summary of the last
    run.
    epochs, window, min_alpha, shrink_windows, seed, alpha, workers: settings that can be assigned;
    they take effect with the next call of train.
    corpus_count, corpus_total_words: sentences and tokens of the text that build_vocab read.
    blocks: words per training step in the latest run, as text.
    total_train_time: seconds spent in all calls of train.  train_count: number of calls.
    input_bias: b, if bias="both".  The model is then h = Wx + b, and each vector in wv and in files
    is a row of W plus b.

    Raises UsageError, CorpusError, ReadError, SaveError, OutOfMemoryError, DivergedError,
    CheckpointError.
    Reference: Mikolov et al. 2013 (1301.3781, 1310.4546).
    """

    epochs = Setting[int]("Passes over the corpus in the next training, >= 1.")
    window = Setting[Window]("Context words on either side, >= 1, or (left, right).")
    shrink_windows = Setting[bool]("Whether each centre draws its reach from 1..window.")
    min_alpha = Setting[float]("The final learning rate, between 0 and alpha.")
    seed = Setting[int]("Seed of all random draws, >= 0.")

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        vector_size: int = Parameters.vector_size,
        alpha: float | None = Parameters.alpha,
        window: Window = Parameters.window,
        min_count: int = VocabularyRules.min_count,
        max_vocab_size: int | None = None,
        sample: float = Parameters.sample,
        seed: int | None = Parameters.seed,
        workers: int | None = Parameters.workers,
        min_alpha: float = Parameters.min_alpha,
        sg: int | bool = Parameters.sg,
        hs: int | bool = False,
        negative: int | None = None,
        ns_exponent: float = Parameters.ns_exponent,
        cbow_mean: int | bool = Parameters.cbow_mean,
        hashfxn: object = hash,
        epochs: int = Parameters.epochs,
        null_word: object = 0,
        trim_rule: TrimRule | None = VocabularyRules.trim_rule,
        sorted_vocab: int | bool = VocabularyRules.is_sorted,
        batch_words: int = 10_000,
        compute_loss: bool = False,
        callbacks: Iterable[Any] = RunOptions.callbacks,
        comment: str | None = None,
        max_final_vocab: int | None = VocabularyRules.max_final_vocab,
        shrink_windows: int | bool = Parameters.shrink_windows,
        *,
        softmax: bool = False,
        bias: bool | str = Parameters.bias,
        cbow_update: str | None = Parameters.cbow_update,
        schedule: Schedule = Parameters.schedule,
        deterministic: bool = Parameters.deterministic,
        backend: str | None = Parameters.backend,
        block_centres: int | None = Parameters.block_centres,
        block_noise: int | None = Parameters.block_noise,
        noise_reuse: int | None = Parameters.noise_reuse,
        loss_every: int = Parameters.loss_every,
        lowercase: bool = False,
        tokenizer: str | AnyTokenizer | None = None,
        column: str | None = None,
        allow_binary: bool = False,
        progress: bool | Observer | None = None,
        init_from: object = None,
        grow: bool = False,
        freeze: Freeze = False,
        validation: object = RunOptions.validation,
        metric: Metric | None = RunOptions.metric,
        patience: int | None = RunOptions.patience,
        restore_best: bool = RunOptions.restore_best,
        log: Path | None = RunOptions.log,
        checkpoint: Path | None = RunOptions.checkpoint,
        checkpoint_every: float | str | None = RunOptions.checkpoint_every,
        resume: bool = RunOptions.resume,
        **unknown: NoReturn,
    ) -> None:
        if unknown:
            refuse_unknown(unknown, Word2Vec)
        self.parameters = Parameters.from_arguments(
            dict(hs=hs, softmax=softmax), negative, seed,
            vector_size=vector_size, alpha=alpha, window=window, sample=sample, workers=workers,
            min_alpha=min_alpha, sg=sg, ns_exponent=ns_exponent, cbow_mean=cbow_mean,
            epochs=epochs, shrink_windows=shrink_windows, bias=bias, cbow_update=cbow_update,
            schedule=schedule, deterministic=deterministic, backend=backend,
            block_centres=block_centres, block_noise=block_noise, noise_reuse=noise_reuse,
            loss_every=loss_every,
        )  # fmt: skip
        self.options = RunOptions(
            callbacks, validation, metric, patience, restore_best, log, checkpoint,
            checkpoint_every, resume,
        )  # fmt: skip
        check_flag("lowercase", lowercase)
        check_flag("sorted_vocab", sorted_vocab)
        check_flag("allow_binary", allow_binary)
        check_grow(grow, init_from)
        self.init_from, self.grow, self.freeze = init_from, grow, check_freeze(freeze)
        check_all_move(self.parameters, bool(self.freeze))
        if sentences is not None or corpus_file is not None:
            check_known(self.freeze, init_from)
        self.rules = VocabularyRules(
            min_count, max_final_vocab, trim_rule, is_sorted=bool(sorted_vocab)
        )
        self.comment, self.compute_loss, self.batch_words = comment, compute_loss, batch_words
        self.vocabulary: Vocabulary | None = None
        self.arrays: ModelArrays | None = None
        self.start: TakenOver | None = None
        self.corpus_count = self.corpus_total_words = 0
        self.history = History()
        self.summary: Summary | None = None
        self.total_train_time, self.train_count = 0.0, 0
        self.blocks = ""
        self.damage = ""  # why the vectors are not worth saving
        self.last_checkpoint: str | None = None  # of the last run, if it holds that run's end
        split = None if tokenizer is None else check_tokenizer(tokenizer)
        self._reader = CorpusReader(
            lowercase, split, choose_observer(progress), column,
            bool(allow_binary),
        )  # fmt: skip
        self._corpus: EncodedCorpus | None = None  # waits for train
        self._one_shot: object = None  # the iterator that it was read from
        self._source: dict[str, Any] = {}
        self._last_run: Parameters | None = None
        self._wv: KeyedVectors | None = None
        if sentences is not None or corpus_file is not None:
            self.build_vocab(sentences, corpus_file)
            self.train()

    # Vocabulary: from a corpus, from counts, or joined to the words that the model has.

    def build_vocab(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        update: bool = False,
        progress_per: int = 10_000,
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
        *,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Read the corpus, count its words and create an untrained model with them.

        The corpus is kept as word ids for the next call of train() that passes no corpus, or
        passes the generator that was read here.

        corpus_iterable, corpus_file: the corpus, as for the class.
        update: keep the existing words and vectors, and add words of the corpus that the rules
        keep.  Counts are added up, and all tables are rebuilt.
        trim_rule: replaces the model's own.
        vocabulary: use these words and counts instead of those of the corpus.
        progress_per, keep_raw_vocab: without effect.
        """
        check_flag("update", update)
        if not isinstance(vocabulary, Vocabulary | None):
            raise UsageError(f"vocabulary must be a Vocabulary, got {shown(vocabulary)}")
        with training_lock(self):
            known = self._known(update)
            rules = self._rules(trim_rule, known, update)
            if self.options.checkpoints is not None:
                self.options.checkpoints.check(settings_to_check(self.parameters, rules))
            corpus = self._read(corpus_iterable, corpus_file, rules, vocabulary)
            if facts := facts_if_logged():
                facts.log_corpus(corpus, is_given=vocabulary is not None)
            try:
                self._make(corpus.vocabulary, known)
            except BaseException:
                corpus.spool.close()
                raise
            self._keep(corpus, corpus_iterable)
            trim_malloc()
            self._source = source_of(corpus_file, self._reader.tokenizer)
            self.corpus_count, self.corpus_total_words = corpus.n_sentences, corpus.n_tokens_read

    def build_vocab_from_freq(
        self,
        word_freq: Mapping[Any, int],
        keep_raw_vocab: bool = False,
        corpus_count: int | None = None,
        trim_rule: TrimRule | None = None,
        update: bool = False,
    ) -> None:
        """Create an untrained model from a mapping of words to counts.

        corpus_count: number of sentences, stored as the attribute of that name.
        trim_rule: replaces the model's own.  update: see build_vocab.
        keep_raw_vocab: without effect.
        """
        check_flag("update", update)
        if corpus_count is not None:
            check_integer("corpus_count", corpus_count, 0, 2**63 - 1)
        known = self._known(update)
        vocabulary = choose_from(word_freq, self._rules(trim_rule, known, update))
        n_tokens = sum(word_freq.values())
        if facts := facts_if_logged():
            facts.log_frequencies(len(word_freq), n_tokens, len(vocabulary))
        self._make(vocabulary, known)
        self.corpus_count, self.corpus_total_words = corpus_count or 0, n_tokens

    def _known(self, update: bool) -> WordVectors | None:
        """Return the vectors to start from: the model itself, init_from, or None."""
        if update:
            return self.to_word_vectors()
        return None if self.init_from is None else vectors_of(self.init_from, self.vector_size)

    def _rules(
        self, trim_rule: TrimRule | None, known: WordVectors | None, update: bool
    ) -> VocabularyRules:
        base = base_vocabulary(known) if known is not None and (update or self.grow) else None
        rule = self.rules.trim_rule if trim_rule is None else trim_rule
        return replace(self.rules, trim_rule=rule, base=base)

    def _make(self, vocabulary: Vocabulary, known: WordVectors | None) -> None:
        """Become an untrained model of these words, and drop any corpus read before."""
        arrays = build_arrays(self.parameters, vocabulary.counts)
        self.start = None
        if known is not None:
            self.start = take_over(arrays, self.parameters, vocabulary, known)
        self.arrays, self.vocabulary, self._wv = arrays, vocabulary, None
        if facts := facts_if_logged():
            facts.log_subsampling(vocabulary.counts, self.sample)
        self._set_damage("")
        self._keep(None)

    def _keep(self, corpus: EncodedCorpus | None, source: object = None) -> None:
        """Keep a corpus for the next training, and close the previous one."""
        if self._corpus is not None:
            self._corpus.spool.close()
        self._corpus = corpus
        self._one_shot = source if is_one_shot(source) else None

    def _read(
        self,
        sentences: Sentences | None,
        corpus_file: Path | list[Path] | None,
        rules: VocabularyRules,
        vocabulary: Vocabulary | None,
    ) -> EncodedCorpus:
        threads = self.parameters.n_threads
        return self._reader.read(sentences, corpus_file, threads, rules, vocabulary)

    # Training.

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
        *,
        validation: object = UNSET,
        metric: Metric | Unset | None = UNSET,
        patience: int | Unset | None = UNSET,
        restore_best: bool | Unset = UNSET,
        log: Path | Unset | None = UNSET,
        checkpoint: Path | Unset | None = UNSET,
        checkpoint_every: float | str | Unset | None = UNSET,
        resume: bool | Unset = UNSET,
        **unknown: NoReturn,
    ) -> Summary:
        """Train on the given corpus, or on the one that build_vocab read.

        corpus_iterable, corpus_file: the corpus, as for the class.
        epochs, start_alpha, end_alpha, callbacks and the options of RunOptions: override the
        model's own epochs, alpha, min_alpha, callbacks and options in this call.
        total_examples, total_words, word_count, queue_factor, report_delay, compute_loss: without
        effect; fastw2v counts the corpus itself and always measures the loss.
        Returns the Summary of the run.
        Raises UsageError without a vocabulary or a corpus, DivergedError if training diverges, and
        the errors of the class.
        """
        if unknown:
            refuse_unknown(unknown, Word2Vec.train)
        options = self.options.changed(
            callbacks=UNSET if callbacks is None else callbacks, validation=validation,
            metric=metric, patience=patience, restore_best=restore_best, log=log,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, resume=resume,
        )  # fmt: skip
        with training_lock(self):
            if self.arrays is None or self.vocabulary is None:
                raise UsageError("there is no vocabulary yet: call build_vocab before train")
            parameters = self.parameters.of_run(epochs, start_alpha, end_alpha)
            is_read = self._corpus is not None and corpus_iterable is self._one_shot
            if corpus_file is not None or (corpus_iterable is not None and not is_read):
                corpus = self._read(corpus_iterable, corpus_file, self.rules, self.vocabulary)
                self._keep(corpus)
                if facts := facts_if_logged():
                    facts.log_corpus(corpus, is_given=True)
                self._source = source_of(corpus_file, self._reader.tokenizer)
            if self._corpus is None:
                raise UsageError("there is no corpus: pass one to train, or call build_vocab first")
            self._take_vectors_back()
            self.arrays.frozen = self._frozen()
            return self._train(parameters, options)

    def _train(self, parameters: Parameters, options: RunOptions) -> Summary:
        """Train on the corpus that was read, which is used up."""
        assert self.arrays is not None and self._corpus is not None
        corpus, self._corpus = self._corpus, None
        parameters = resolved_for(parameters, self.arrays, corpus.spool)
        self._last_run = parameters
        started_at = time.perf_counter()
        request = RunRequest(
            self,
            parameters,
            self.arrays,
            corpus,
            options,
            self._reader.observer,
            lambda: self._read_validation(options),
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
            self.total_train_time += time.perf_counter() - started_at
            end_progress(self._reader.observer)
        self.train_count += 1
        return self.summary

    @classmethod
    def resume(
        cls: type[Model],
        path: Path,
        sentences: Sentences | None = None,
        corpus_file: Path | list[Path] | None = None,
        *,
        schedule: Callable[[float], float] | None = None,
        tokenizer: str | AnyTokenizer | None = None,
        column: str | None = None,
        allow_binary: bool = False,
        init_from: object = None,
        freeze: Freeze = False,
        progress: bool | Observer | None = None,
        callbacks: Iterable[Any] = RunOptions.callbacks,
        validation: object = UNSET,
        metric: Metric | None = RunOptions.metric,
        patience: int | Unset | None = UNSET,
        restore_best: bool | Unset = UNSET,
        log: Path | None = RunOptions.log,
        checkpoint_every: float | str | None = RunOptions.checkpoint_every,
        **unknown: NoReturn,
    ) -> Model:
        """Resume a run from its checkpoint, train it to the end and return the model.

        path: the folder of checkpoints, or one of the files in it.
        sentences, corpus_file: the same corpus again; needed only if it was not read from files.
        schedule, tokenizer, column, allow_binary, init_from, freeze, metric: the same as in the
        original run, if it had them.  A built-in tokenizer is named in the checkpoint.
        validation, patience, restore_best: default to the values in the checkpoint.
        progress, callbacks, log, checkpoint_every: as for a new model.
        Raises CheckpointError if there is no checkpoint, or if the corpus or the CPU differs.
        """
        if unknown:
            refuse_unknown(unknown, Word2Vec.resume)
        found = Checkpoints(path, resume=True).found()
        if sentences is None and corpus_file is None:
            corpus_file = [*files_to_read(found)]
        split = tokenizer_again(found, check_tokenizer(tokenizer), is_needed=sentences is None)
        settings = settings_then(found[1])
        compared = {"validation": validation, "patience": patience, "restore_best": restore_best}
        criterion = options_again(
            found[0], found[1].settings[CHECKPOINT_KEY], without_unset(compared), metric
        )
        stored = StoredSettings.of(with_own_schedule(found[0], settings, schedule))
        model = cls(
            lowercase=stored.lowercase, tokenizer=split, column=column,
            allow_binary=allow_binary,
            init_from=init_from, freeze=freeze, progress=progress, callbacks=callbacks,
            metric=metric, log=log, checkpoint=path, checkpoint_every=checkpoint_every,
            resume=True, **criterion,
        )  # fmt: skip
        model._set(stored)
        try:
            model.build_vocab(sentences, corpus_file, vocabulary=base_vocabulary(found[1]))
        except CorpusError as error:
            raise CheckpointError(f"cannot resume from {found[0]}: {error}") from error
        model.train()
        return model

    def _read_validation(self, options: RunOptions) -> EncodedCorpus:
        """Read the validation text."""
        paths = options.validation_paths
        sentences = None if paths else options.validation
        return self._read(sentences, paths or None, self.rules, self.vocabulary)

    # Vectors.

    @property
    def wv(self) -> KeyedVectors:
        """The current word vectors: (n_words, vector_size) float32, and their words."""
        if self._wv is None:
            vocabulary, arrays = self._built()
            rows = arrays.in_rows[:, : self.parameters.vector_size]
            self._wv = KeyedVectors.from_arrays(vocabulary.words, rows, vocabulary.counts)
            self._wv.vectors_lockf = np.ones(1, np.float32)  # gensim's: all rows are trained
            self._wv.damage = self.damage
        return self._wv

    @property
    def output_vectors(self) -> NDArray[np.float32]:
        """The output vectors, (n_words, vector_size) float32, not a copy.

        With hs they are those of the n_words - 1 inner nodes; with hs and negative sampling, those
        of the inner nodes and then those of the words.
        """
        return self._built()[1].out_rows[:, : self.parameters.vector_size]

    @property
    def input_bias(self) -> NDArray[np.float32] | None:
        """A copy of the input bias, (vector_size,) float32, None without bias="both".

        The vectors contain this bias; wv.vectors - input_bias are the rows without it.
        """
        bias = self._built()[1].input_bias(self.parameters.vector_size)
        return None if bias is None else bias.copy()

    def _set_damage(self, damage: str) -> None:
        """Record why the vectors are not worth saving, "" if they are."""
        self.damage = damage
        if self._wv is not None:
            self._wv.damage = damage

    def vectors_changed(self) -> None:
        """Make wv discard all values computed from the old vectors, such as norms."""
        if self._wv is not None:
            self._wv._forget_norms()

    def _take_vectors_back(self) -> None:
        """Copy vectors that a script assigned to wv back into the model."""
        vocabulary, arrays = self._built()
        if self._wv is None:
            return
        rows = arrays.in_rows[:, : self.vector_size]
        wv = self._wv
        if wv.index_to_key != vocabulary.words or wv.vectors.shape != rows.shape:
            other = next((key for key in wv.index_to_key if key not in vocabulary), None)
            such = "" if other is None else f", such as {other!r}"
            raise UsageError(
                f"wv holds {len(wv)} words of {wv.vector_size} values{such}, and the model "
                f"{len(rows)} of {self.vector_size}; wv.save writes those of wv, and "
                "build_vocab(update=True) adds words to the model"
            )
        if not np.may_share_memory(wv.vectors, rows):
            rows[...] = wv.vectors
            wv.vectors = rows

    def _frozen(self) -> NDArray[np.uint8] | None:
        """Return the mask of frozen rows, from freeze and gensim's wv.vectors_lockf."""
        vocabulary, _ = self._built()
        frozen = frozen_rows(self.freeze, vocabulary, self.start)
        lockf = None if self._wv is None else self._wv.vectors_lockf
        frozen = locked_rows(frozen, lockf, len(vocabulary))
        check_all_move(self.parameters, frozen is not None)
        return frozen

    def _built(self) -> tuple[Vocabulary, ModelArrays]:
        if self.vocabulary is None or self.arrays is None:
            raise UsageError("the model has no vocabulary yet: call build_vocab")
        return self.vocabulary, self.arrays

    def predict_output_word(
        self, context_words_list: Iterable[str | int], topn: int = 10
    ) -> list[tuple[str, float]] | None:
        """Return the topn words most probable as the centre of the given context words.

        context_words_list: words, or word ids.  topn: number of words to return.
        Probabilities are the softmax over all words of CBOW's scores, for skip-gram models too.
        Returns (word, probability) pairs, or None with a warning if no context word is in the
        vocabulary.
        Raises UsageError with hierarchical softmax alone, which has no output row per word.
        """
        self._built()
        if not self.parameters.objective_record.scores_words:
            raise UsageError("predict_output_word needs an output row for each word; hs has none")
        return predicted_words(self, context_words_list, topn)

    # Files.

    def to_word_vectors(self) -> WordVectors:
        """Return everything that a file can store of the model, without copying the rows.

        Raises UsageError if wv has other words than the model.
        """
        self._take_vectors_back()
        return self._file_content(self.parameters)

    def _file_content(self, parameters: Parameters) -> WordVectors:
        """Return the same for a run whose parameters differ from the model's own."""
        vocabulary, arrays = self._built()
        data = model_to_file(self._decided(parameters), self.rules, vocabulary, arrays)
        counts = RunCounts(self.corpus_count, self.corpus_total_words)
        data.settings |= {"lowercase": bool(self._reader.lowercase), **counts._asdict()}
        if isinstance(self._reader.tokenizer, Tokenizer):
            data.settings["tokenizer"] = str(self._reader.tokenizer)
        data.settings[BLOCKS] = self.blocks
        data.damage = self.damage
        return data

    def save(
        self,
        path: Path,
        format: str | None = None,
        *,
        allow_non_finite: bool = False,
        separately: object = None,
        sep_limit: int = 10 * 2**20,
        ignore: object = frozenset(),
        pickle_protocol: int = 4,
    ) -> None:
        """Write the model to a file.

        format: a name in formats.FORMATS; "native" holds the whole model.  By default the suffix
        chooses it, as on the command line; a suffix of no format, such as .model, means native.
        allow_non_finite: write a model even if training diverged or values are not finite.
        separately, sep_limit, ignore, pickle_protocol: accepted for gensim, without effect.
        Raises UsageError if a script gave wv other words than the model has, SaveError if the file
        cannot be written, and DivergedError if training diverged or
        values are not finite, unless allow_non_finite is set.
        """
        check_path("path", path)
        check_flag("allow_non_finite", allow_non_finite)
        data = self.to_word_vectors()
        if not allow_non_finite:
            data.check_finite(path)
        chosen = format_of_suffix(path) if format is None else format
        write_vectors(path, data, chosen)
        if format is None and chosen != "native":
            warnings.warn(
                f"{os.fspath(path)} holds vectors, but no model to train further, as its suffix "
                f"asks for; for the model, save .safetensors, and otherwise pass format={chosen!r}",
                stacklevel=2,
            )
        if chosen == "native" and self._wv is not None:
            self._wv.save_index(path)

    @classmethod
    def load(
        cls: type[Model],
        path: Path,
        mmap: str | None = None,
        *,
        verify: bool = True,
        allow_non_finite: bool = False,
    ) -> Model:
        """Read a model that save() wrote in the native format, or that gensim saved.

        It is ready for more training.  The file names a built-in tokenizer; it does not store a
        function.  A warning lists what is not taken over from gensim.

        mmap: without effect; KeyedVectors.load can memory-map files.
        verify: compare every byte of the file with its checksums.
        allow_non_finite: also read NaN and infinities, which are an error otherwise.
        Raises ModelFormatError if the file holds only vectors, or settings that this version does
        not know.
        """
        data = read_model(path, verify=verify, allow_non_finite=allow_non_finite)
        try:
            return cls._from(data)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelFormatError(
                f"{os.fspath(path)}: its settings do not describe a model: {error}"
            ) from error

    @classmethod
    def _from(cls: type[Model], data: WordVectors) -> Model:
        """Return the model stored in the content of a file."""
        assert data.counts is not None
        stored = StoredSettings.of(settings_in_file(data))
        model = cls(lowercase=stored.lowercase, tokenizer=stored.tokenizer)
        model._set(stored)
        model.vocabulary = Vocabulary(data.words, data.counts)
        model.arrays = arrays_in_file(model.parameters, data)
        return model

    def _set(self, stored: StoredSettings) -> None:
        """Apply the settings of a file, but for lowercase and tokenizer."""
        self.blocks, self.rules, self.parameters = stored.blocks, stored.rules, stored.parameters
        self.corpus_count, self.corpus_total_words = stored.counts

    # What gensim's scripts ask of a model.

    @property
    def alpha(self) -> float:
        """The initial learning rate.  Setting it below min_alpha lowers min_alpha too."""
        return self._decided(self.parameters).first_rate

    @alpha.setter
    def alpha(self, value: float) -> None:
        least = min(self.parameters.min_alpha, check_finite("alpha", value))
        self.parameters = replace(self.parameters, alpha=value, min_alpha=least)

    def _decided(self, parameters: Parameters) -> Parameters:
        """Fill in alpha and cbow_update, where they are None, from the latest training."""
        last = self._last_run
        if last is None or (parameters.alpha is not None and parameters.cbow_update is not None):
            return parameters
        alpha = last.alpha if parameters.alpha is None else parameters.alpha
        return replace(
            parameters, alpha=alpha, cbow_update=parameters.cbow_update or last.cbow_update
        )

    @property
    def workers(self) -> int:
        """Number of training threads.  Set it to None for one per core."""
        return self.parameters.n_threads

    @workers.setter
    def workers(self, value: int | None) -> None:
        self.parameters = replace(self.parameters, workers=value)

    @property
    def vector_size(self) -> int:
        """Dimension of the word vectors."""
        return self.parameters.vector_size

    @property
    def layer1_size(self) -> int:
        """Dimension of the hidden layer, equal to vector_size."""
        return self.vector_size

    @property
    def sg(self) -> int:
        """1 for skip-gram, 0 for CBOW."""
        return int(self.parameters.sg)

    @property
    def hs(self) -> int:
        """1 for hierarchical softmax, alone or with negative sampling, else 0."""
        return int(self.parameters.objective_record.has_tree)

    @property
    def negative(self) -> int:
        """Negative samples per prediction, 0 without negative sampling."""
        return self.parameters.n_negative

    @property
    def cbow_mean(self) -> int:
        """1 if CBOW averages its context vectors, 0 if it sums them."""
        return int(self.parameters.cbow_mean)

    @property
    def sample(self) -> float:
        """The subsampling threshold."""
        return self.parameters.sample

    @property
    def ns_exponent(self) -> float:
        """The power of the word counts in the noise distribution."""
        return self.parameters.ns_exponent

    @property
    def min_count(self) -> int:
        """The number of occurrences below which words are dropped."""
        return self.rules.min_count

    @property
    def max_final_vocab(self) -> int | None:
        """The maximum number of words to keep, None for no limit."""
        return self.rules.max_final_vocab

    @property
    def syn1neg(self) -> NDArray[np.float32]:
        """The output vectors of words, (n_words, vector_size) float32, not a copy.

        Unavailable with hs alone.
        """
        return self._outputs("syn1neg", by_node=False)

    @property
    def syn1(self) -> NDArray[np.float32]:
        """Vectors of the inner nodes, (n_words - 1, vector_size) float32, not a copy; hs only."""
        return self._outputs("syn1", by_node=True)

    def _outputs(self, name: str, by_node: bool) -> NDArray[np.float32]:
        record = self.parameters.objective_record
        if self.arrays is None or not (record.has_tree if by_node else record.scores_words):
            raise AttributeError(f"a model {'without' if by_node else 'with'} hs has no {name}")
        n_nodes = record.n_nodes(len(self.arrays.in_rows))
        rows = slice(n_nodes) if by_node else slice(n_nodes, None)
        return self.arrays.out_rows[rows, : self.parameters.vector_size]

    def get_latest_training_loss(self) -> float:
        """Return the mean loss of the latest epoch in nats per prediction, 0 before the first.

        gensim returns a sum over an unknown number of predictions; this mean is comparable.
        """
        losses = [record.loss for record in self.history if record.loss is not None]
        return losses[-1] if losses else 0.0

    running_training_loss = property(get_latest_training_loss)

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self._facts())
        return f"{type(self).__name__}<{self._kind()}; {facts}>"

    def _repr_html_(self) -> str:
        title = f"{type(self).__name__}: {self._kind()}"
        return html_table(title, self._facts())

    def _kind(self) -> str:
        return f"{'skip-gram' if self.sg else 'CBOW'}, {loss_name(self.parameters)}"

    def _facts(self) -> list[tuple[str, object]]:
        """Return what a user wants to see of the model at once; this reads no vector."""
        facts: list[tuple[str, object]] = [("words", len(self.vocabulary or ()))]
        if self.corpus_total_words:
            facts.append(("tokens", self.corpus_total_words))
        facts += [("vector_size", self.vector_size), ("window", self.window)]
        facts.append(("alpha", f"{self.alpha:g}"))
        if self.history:
            facts.append(("epochs_trained", len(self.history)))
            facts.append(("loss", f"{self.get_latest_training_loss():.4f}"))
        return facts

    def __str__(self) -> str:
        n_words = 0 if self.vocabulary is None else len(self.vocabulary)
        name = type(self).__name__
        return f"{name}<vocab={n_words}, vector_size={self.vector_size}, alpha={self.alpha}>"
