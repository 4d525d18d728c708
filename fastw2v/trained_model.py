"""What a model is apart from how it is made: vectors to look at, and files."""

import os
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastw2v.corpus import Vocabulary, VocabularyRules
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, write_vectors
from fastw2v.keyed_vectors import KeyedVectors
from fastw2v.model.corpus_reader import CorpusReader, Path
from fastw2v.model.gensim_names import GensimNames
from fastw2v.run.saved_model import (
    BLOCKS,
    RunCounts,
    arrays_in_file,
    model_to_file,
    read_model,
    settings_in_file,
)
from fastw2v.run.start import TIES_KEY, Freeze, Start, check_all_move, frozen_rows, locked_rows
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.parameters import Parameters
from fastw2v.vectors.prediction import predicted_words

Model = TypeVar("Model", bound="TrainedModel")


class TrainedModel(GensimNames):
    """A model's vectors, and the files that hold all of it."""

    _reader: CorpusReader
    _wv: KeyedVectors | None
    freeze: Freeze
    start: Start | None
    damage: str = ""

    @property
    def wv(self) -> KeyedVectors:
        """The word vectors as they are now: (n_words, vector_size) float32 and their words."""
        if self._wv is None:
            vocabulary, arrays = self._built()
            rows = arrays.in_rows[:, : self.parameters.vector_size]
            self._wv = KeyedVectors.from_arrays(vocabulary.words, rows, vocabulary.counts)
            self._wv.vectors_lockf = np.ones(1, np.float32)  # gensim's: all rows are trained
            self._wv.damage = self.damage
        return self._wv

    @property
    def output_vectors(self) -> NDArray[np.float32]:
        """The other matrix, (n_words, vector_size) float32, or (n_words - 1, ...) inner nodes."""
        return self._built()[1].out_rows[:, : self.parameters.vector_size]

    @property
    def input_bias(self) -> NDArray[np.float32] | None:
        """A copy of the bias of the input side, (vector_size,) float32, None without bias="both".

        The vectors contain it: wv.vectors - input_bias are the rows without it.
        """
        bias = self._built()[1].input_bias(self.parameters.vector_size)
        return None if bias is None else bias.copy()

    def _set_damage(self, damage: str) -> None:
        """Say why the vectors are not worth saving, "" if they are."""
        self.damage = damage
        if self._wv is not None:
            self._wv.damage = damage

    def vectors_changed(self) -> None:
        """Let wv, whoever holds it, compute anew what it computed from the vectors of before."""
        if self._wv is not None:
            self._wv._forget_norms()

    def _take_vectors_back(self) -> None:
        """Train on what a script put into wv, also where it put another array there."""
        vocabulary, arrays = self._built()
        if self._wv is None:
            return
        rows = arrays.in_rows[:, : self.vector_size]
        if np.may_share_memory(self._wv.vectors, rows):
            return
        if self._wv.index_to_key != vocabulary.words or self._wv.vectors.shape != rows.shape:
            raise UsageError(
                f"wv holds {len(self._wv)} words of {self._wv.vector_size} values, and the model "
                f"{len(rows)} of {self.vector_size}; build_vocab(update=True) adds words"
            )
        rows[...] = self._wv.vectors
        self._wv.vectors = rows

    def _frozen(self) -> NDArray[np.uint8] | None:
        """Return what training leaves as it is: see freeze, and gensim's wv.vectors_lockf."""
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
        """Return the topn words most probable as the centre of these, each with its probability.

        The softmax over all words of the scores that CBOW would give, whatever the model is.
        None, with a warning, if no context word is in the vocabulary.
        Raises UsageError with hierarchical softmax, whose outputs are no words.
        """
        self._built()
        if self.hs:
            raise UsageError("predict_output_word needs an output row for each word; hs has none")
        return predicted_words(self, context_words_list, topn)

    def to_word_vectors(self) -> WordVectors:
        """Return all that a file can hold of the model, without copying the rows."""
        return self._file_content(self.parameters)

    def _file_content(self, parameters: Parameters) -> WordVectors:
        """Return the same, for a run with other parameters than the model's own."""
        vocabulary, arrays = self._built()
        data = model_to_file(self._decided(parameters), self.rules, vocabulary, arrays)
        counts = RunCounts(self.corpus_count, self.corpus_total_words)
        data.settings |= {"lowercase": bool(self._reader.lowercase), **counts._asdict()}
        data.settings[BLOCKS] = self.blocks
        data.damage = self.damage
        return data

    def save(
        self,
        path: Path,
        format: str = "native",
        *,
        allow_non_finite: bool = False,
        **gensim: Any,
    ) -> None:
        """Write the model: native (safetensors, all of it), text, bin, vec or glove.

        Raises SaveError, or DivergedError if a number is not finite or training diverged, unless
        allow_non_finite.
        gensim: separately, sep_limit, ignore and pickle_protocol are accepted without effect.
        """
        unknown = set(gensim) - {"separately", "sep_limit", "ignore", "pickle_protocol"}
        if unknown:
            raise TypeError(f"save() got an unexpected keyword argument {unknown.pop()!r}")
        data = self.to_word_vectors()
        if not allow_non_finite:
            data.check_finite(path)
        write_vectors(path, data, format)
        if format == "native" and self._wv is not None:
            self._wv.save_index(path)

    @classmethod
    def load(cls: type[Model], path: Path, mmap: str | None = None) -> Model:
        """Read a model that save() wrote in the native format, ready to train on.

        A tokenizer is no part of the file.  mmap: without effect; KeyedVectors.load can map.
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
    def _from(cls: type[Model], data: WordVectors) -> Model:
        """Return the model of a file's content."""
        assert data.counts is not None
        settings = settings_in_file(data)
        model = cls(lowercase=settings.pop("lowercase", False))  # type: ignore[call-arg]
        model._set(settings)
        model.blocks = data.settings.get(BLOCKS, "")
        model.vocabulary = Vocabulary(data.words, data.counts)
        model.arrays = arrays_in_file(model.parameters, data)
        return model

    def _set(self, settings: dict[str, Any]) -> None:
        """Take over the settings of a file, of which lowercase has been taken out."""
        self.blocks = settings.pop(BLOCKS, "")
        settings.pop(TIES_KEY, None)
        counts = RunCounts(*(settings.pop(name, 0) for name in RunCounts._fields))
        self.corpus_count, self.corpus_total_words = counts
        self.rules = VocabularyRules(settings.pop("min_count"), settings.pop("max_final_vocab"))
        self.parameters = Parameters.from_mapping(settings)
