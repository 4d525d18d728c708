"""Trained vectors to look up, compare, search, evaluate, load and save, with gensim 4's names."""

import os
import warnings
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_choice
from fastw2v.errors import UsageError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.formats import WordVectors, native, read_vectors
from fastw2v.vectors.index import IndexSettings, VectorIndex, beside, open_index
from fastw2v.vectors.similarity import SimilarityTable
from fastw2v.vectors.task_files import TaskFile
from fastw2v.vectors.word2vec_files import Reading, Writing

Path = str | PathLike[str]


class Correlation(NamedTuple):
    """A correlation and its two-sided p-value."""

    statistic: float
    pvalue: float


class KeyedVectors(SimilarityTable):
    """Vectors of words, with the names and meanings of gensim 4's KeyedVectors.

    VectorTable tells how they are made and looked up, GrowingTable how words are added,
    SimilarityTable how they are compared and searched.
    vectors_lockf: of a model's wv, (n_words,) or (1,) of 0 for vectors that its training is to
    leave as they are, and 1 for the others; None: it may change all.
    """

    vectors_lockf: NDArray[np.floating[Any]] | None = None
    _file: Path | None = None  # where index() looks for one
    damage: str = ""  # why they are not worth saving, of a model whose training diverged

    @classmethod
    def from_word_vectors(cls, word_vectors: WordVectors) -> "KeyedVectors":
        """Return the words, vectors and counts of a WordVectors, sharing its arrays."""
        return cls.from_arrays(word_vectors.words, word_vectors.vectors, word_vectors.counts)

    def to_word_vectors(self) -> WordVectors:
        """Return words, vectors and counts for a format to write; other floats become float32.

        Raises UsageError for a key that is not a string.
        """
        odd = next((key for key in self.index_to_key if not isinstance(key, str)), "")
        if odd != "":
            raise UsageError(f"a file holds words only, and {odd!r} is a key; make it a string")
        vectors = self.vectors.astype(np.float32, copy=False)
        return WordVectors(self.index_to_key, vectors, self.counts, damage=self.damage)

    @classmethod
    def read(
        cls,
        path: Path,
        format: str | None = None,
        mmap: bool = False,
        limit: int | None = None,
    ) -> "KeyedVectors":
        """Read a vectors file of any format; see formats.read_vectors."""
        found = cls.from_word_vectors(read_vectors(path, format, mmap, limit))
        found._file = path
        return found

    def save(self, fname: Path, *, allow_non_finite: bool = False) -> None:
        """Write words, vectors and counts to one native file, and the index, if any, beside it.

        Raises SaveError if that fails, DivergedError if a value is not finite and none may be so.
        """
        found = self.to_word_vectors()
        if not allow_non_finite:
            found.check_finite(fname)
        native.write(fname, found)
        self.save_index(fname)

    def save_index(self, fname: Path) -> None:
        """Write the index, if there is one, to `fname`.usearch, beside a model in `fname`."""
        self._file = fname
        if self.indexer is not None:
            self.indexer.save(beside(fname))

    @classmethod
    def load(cls, fname: Path, mmap: bool | str | None = False) -> "KeyedVectors":
        """Read a native file, without the output side of a model.

        mmap: map the vectors read-only instead of reading them; gensim's 'r' does too.
        Raises ReadError, or ModelFormatError naming what is wrong in the file.
        """
        found = cls.from_word_vectors(native.read(fname, mmap=bool(mmap), with_output=False))
        found._file = fname
        return found

    def index(
        self,
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int = 64,
        dtype: str = "f16",
        threads: int = 0,
    ) -> VectorIndex:
        """Put an index behind most_similar and the other searches of all words, and return it.

        An index finds most of the nearest words, not always all; the cosines are exact. It is
        read from beside the file that these vectors are in, if there is one of them, or built.
        save() writes it there.  Parameters: see IndexSettings.  wv.indexer = None goes back to
        exact search.
        Needs the extra `index` (usearch); raises UsageError without it.
        """
        settings = IndexSettings(connectivity, expansion_add, expansion_search, dtype, threads)
        if self.indexer is None or self.indexer.settings != settings:
            index = VectorIndex(self.index_to_key, self.vectors, self.norms, settings)
            self.indexer = open_index(index, self._file)
        return self.indexer

    # ---- the files of word2vec.c ----

    def save_word2vec_format(
        self,
        fname: Path,
        fvocab: Path | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str = "count",
        *,
        allow_non_finite: bool = False,
    ) -> None:
        """Write the vectors as word2vec.c does.

        fvocab: also write lines `word count` there.  total_vec: the number of words that the
        header tells, if more are to be appended.  write_header: a file may go without.
        prefix: written before each word.  append: to the end of the file.
        sort_attr: words with more of it come first; where it is not known, rows keep their order.
        Raises SaveError, UsageError for an impossible request, DivergedError as save does.
        """
        column = self.expandos.get(sort_attr)
        if fvocab is not None and column is None:
            raise UsageError(
                f"cannot write {os.fspath(fvocab)}: no {sort_attr}s are known of these vectors"
            )
        found = self._words_as_text()
        if not allow_non_finite:
            found.check_finite(fname)
        if column is not None:
            order = np.argsort(-column, kind="stable")
            if (order[1:] < order[:-1]).any():
                words = [found.words[row] for row in order]
                found, column = WordVectors(words, found.vectors[order]), column[order]
        writing = Writing(binary, total_vec, write_header, prefix, append)
        writing.write(fname, found)
        if fvocab is not None and column is not None:
            writing.write_counts(fvocab, found.words, column)

    @classmethod
    def load_word2vec_format(
        cls,
        fname: Path,
        fvocab: Path | None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "surrogateescape",
        limit: int | None = None,
        datatype: type[np.floating[Any]] = np.float32,
        no_header: bool = False,
    ) -> "KeyedVectors":
        """Read vectors in the formats of word2vec.c, compressed or not.

        fvocab: a file of `word count` lines, for get_vecattr(word, 'count'); without it no
        counts are known.  unicode_errors: by default any bytes survive, where gensim stops.
        limit: rows to read at most.  datatype: the vectors' type.  no_header: GloVe's text.
        Raises ReadError, or ModelFormatError naming the line or byte.
        """
        reading = Reading(binary, encoding, unicode_errors, limit, no_header)
        found = reading.read(fname)
        counts = None if fvocab is None else reading.counts(found.words, fvocab)
        return cls.from_arrays(found.words, found.vectors.astype(datatype, copy=False), counts)

    def intersect_word2vec_format(
        self,
        fname: Path,
        lockf: float = 0.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "surrogateescape",
    ) -> int:
        """Take over the vectors of a file for the words that are here too; return their number.

        The rows are changed in place, so that those of a model train on from there.
        lockf: what vectors_lockf is to be for these words: 0 to hold them, 1 to train them.
        The rest as for load_word2vec_format.
        Raises ReadError, ModelFormatError, or UsageError for vectors of another size.
        """
        found = Reading(binary, encoding, unicode_errors).read(fname)
        if found.dim != self.vector_size:
            raise UsageError(
                f"incompatible vector size {found.dim} in file {os.fspath(fname)}, "
                f"expected {self.vector_size}"
            )
        pairs = [
            (self.key_to_index[word], row)
            for row, word in enumerate(found.words)
            if word in self.key_to_index
        ]
        own, theirs = np.array(pairs, np.int64).reshape(-1, 2).T
        self.vectors[own] = found.vectors[theirs]
        self._forget_norms()
        held = np.ones(1, np.float32) if self.vectors_lockf is None else self.vectors_lockf
        self.vectors_lockf = np.array(np.broadcast_to(held, len(self)))
        self.vectors_lockf[own] = lockf
        return len(own)

    def _words_as_text(self) -> WordVectors:
        """Return words and vectors for a file in which every key is a word."""
        vectors = self.vectors.astype(np.float32, copy=False)
        keys = [str(key) for key in self.index_to_key]
        return WordVectors(keys, vectors, damage=self.damage)

    # ---- evaluation ----

    def evaluate_word_analogies(
        self,
        analogies: Path,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Return the accuracy on a file of analogy questions, and the sections, as gensim does.

        The last section is the total; evaluation.evaluate_analogies returns more.
        dummy4unknown: count questions with an unknown word as wrong instead of leaving them out.
        similarity_function: most_similar, the only one.  Lines without 4 words are left out, with
        a warning that counts them.
        """
        check_choice("similarity_function", similarity_function, ("most_similar",))
        file = TaskFile(analogies, strict=False)
        result = evaluate_analogies(
            self.index_to_key,
            self.vectors,
            file,
            restrict_vocab=restrict_vocab,
            fold_case=case_insensitive,
        )
        _warn_of_malformed(file)
        sections = []
        for name, section in [
            *((section.name, section) for section in result.sections),
            ("Total accuracy", result.total),
        ]:
            wrong = section.incorrect + (section.skipped if dummy4unknown else [])
            sections.append({"section": name, "correct": section.correct, "incorrect": wrong})
        n_correct, n_wrong = len(sections[-1]["correct"]), len(sections[-1]["incorrect"])
        return n_correct / max(1, n_correct + n_wrong), sections

    def evaluate_word_pairs(
        self,
        pairs: Path,
        delimiter: str | None = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[Correlation, Correlation, float]:
        """Return Pearson's and Spearman's correlation with people's scores, each with its p-value,
        and the percentage of pairs with an unknown word, as gensim does.

        Lines that are not `word word score` are left out, with a warning that counts them.
        Raises ReadError, or ValueError if no pair is left.
        """
        file = TaskFile(pairs, encoding, delimiter, strict=False)
        result = evaluate_pairs(
            self.index_to_key,
            self.vectors,
            file,
            restrict_vocab=restrict_vocab,
            fold_case=case_insensitive,
            unknown_as_zero=dummy4unknown,
        )
        _warn_of_malformed(file)
        if result.n_pairs - (0 if dummy4unknown else result.n_skipped) == 0:
            raise ValueError(
                f"No valid similarity judgements found in {os.fspath(pairs)}: either invalid "
                f"format or all are out-of-vocabulary in {self}"
            )
        pearson = Correlation(result.pearson, result.pearson_p)
        spearman = Correlation(result.spearman, result.spearman_p)
        return pearson, spearman, 100 * (1 - result.coverage)


def _warn_of_malformed(file: TaskFile) -> None:
    """Warn of lines that were left out, if any were."""
    if file.n_malformed:
        warnings.warn(
            f"{os.fspath(file.path)}: left out {file.n_malformed} malformed lines", stacklevel=3
        )
