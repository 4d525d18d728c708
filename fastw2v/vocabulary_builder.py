"""Words for a model: from a corpus, from counts, or joined to those that it has."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fastw2v.base.memory import give_back_free_memory
from fastw2v.corpus import EncodedCorpus, Sentences, Vocabulary, VocabularyRules, choose_from
from fastw2v.formats import WordVectors
from fastw2v.model.corpus_reader import Path, is_one_shot
from fastw2v.run.checkpoints.resume import settings_to_check, source_of
from fastw2v.run.options import RunOptions
from fastw2v.run.saved_model import base_vocabulary, vectors_of
from fastw2v.run.start import take_over
from fastw2v.trained_model import TrainedModel
from fastw2v.training.arrays import build_arrays
from fastw2v.training.training_lock import alone

TrimRule = Callable[[str, int, int], object]


class VocabularyBuilder(TrainedModel):
    """The part of a model that reads text, and gives each word its row."""

    options: RunOptions
    init_from: object
    grow: bool
    _corpus: EncodedCorpus | None
    _one_shot: object
    _source: dict[str, Any]

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
        """Read the corpus, count its words and make an untrained model of them.

        update: keep the words there are, and their vectors, and add those of the corpus that the
        rules keep; counts are summed up and all tables are made anew.
        The corpus is kept, as word ids, for a call of train() without one, or with the generator
        that was read here.
        trim_rule: instead of the model's own.  vocabulary: use these words and counts instead of
        the corpus's own.  progress_per, keep_raw_vocab: without effect.
        """
        with alone(self):
            known = self._known(update)
            rules = self._rules(trim_rule, known, update)
            if self.options.checkpoints is not None:
                self.options.checkpoints.check(settings_to_check(self.parameters, rules))
            corpus = self._read(corpus_iterable, corpus_file, rules, vocabulary)
            try:
                self._make(corpus.vocabulary, known)
            except BaseException:
                corpus.spool.close()
                raise
            self._keep(corpus, corpus_iterable)
            give_back_free_memory()
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
        """Make an untrained model of words and their counts, which a mapping gives.

        corpus_count: what the attribute of that name shall say.  trim_rule: instead of the
        model's own.  update: see build_vocab.  keep_raw_vocab: without effect.
        """
        known = self._known(update)
        self._make(choose_from(word_freq, self._rules(trim_rule, known, update)), known)
        self.corpus_count = corpus_count or 0
        self.corpus_total_words = sum(word_freq.values())

    def _known(self, update: bool) -> WordVectors | None:
        """Return what to start from: the model itself, init_from, or nothing."""
        if update:
            return self.to_word_vectors()
        return None if self.init_from is None else vectors_of(self.init_from, self.vector_size)

    def _rules(
        self, trim_rule: TrimRule | None, known: WordVectors | None, update: bool
    ) -> VocabularyRules:
        base = base_vocabulary(known) if known is not None and (update or self.grow) else None
        return replace(self.rules, trim_rule=trim_rule or self.rules.trim_rule, base=base)

    def _make(self, vocabulary: Vocabulary, known: WordVectors | None) -> None:
        """Become an untrained model of these words; a corpus read for another one is dropped."""
        arrays = build_arrays(self.parameters, vocabulary.counts)
        self.start = None
        if known is not None:
            self.start = take_over(arrays, self.parameters, vocabulary, known)
        self.arrays, self.vocabulary, self._wv = arrays, vocabulary, None
        self._set_damage("")
        self._keep(None)

    def _keep(self, corpus: EncodedCorpus | None, source: object = None) -> None:
        """Hold a corpus for the next training, instead of one that waited for it."""
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
