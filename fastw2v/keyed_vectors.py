"""Trained vectors to look up, compare, search, evaluate, load and save, with gensim 4's names."""

from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import UsageError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.files.word_counts import read_word_counts, write_word_counts
from fastw2v.formats import WordVectors, native, read_vectors, word2vec_binary, write_vectors
from fastw2v.formats.text_lines import read_lines
from fastw2v.similarity import SimilarityTable

Path = str | PathLike[str]


class KeyedVectors(SimilarityTable):
    """Vectors of words: VectorTable tells how they are made, SimilarityTable how compared.

    A change to `vectors` must be followed by fill_norms(force=True).
    """

    @classmethod
    def from_word_vectors(cls, word_vectors: WordVectors) -> "KeyedVectors":
        """Return the words, vectors and counts of a WordVectors, sharing its arrays."""
        return cls(word_vectors.words, word_vectors.vectors, word_vectors.counts)

    def to_word_vectors(self) -> WordVectors:
        """Return words, vectors and counts for a format to write; other floats become float32."""
        vectors = self.vectors.astype(np.float32, copy=False)
        return WordVectors(self.index_to_key, vectors, self.counts)

    @classmethod
    def read(
        cls,
        path: Path,
        format: str | None = None,
        mmap: bool = False,
        limit: int | None = None,
    ) -> "KeyedVectors":
        """Read a vectors file of any format; see formats.read_vectors."""
        return cls.from_word_vectors(read_vectors(path, format, mmap, limit))

    def save(self, path: Path) -> None:
        """Write words, vectors and counts to one native file; raise SaveError if that fails."""
        native.write(path, self.to_word_vectors())

    @classmethod
    def load(cls, path: Path, mmap: bool = False) -> "KeyedVectors":
        """Read a native file, without the output side of a model.

        mmap: map the vectors read-only instead of reading them.
        Raises ReadError, or ModelFormatError naming what is wrong in the file.
        """
        return cls.from_word_vectors(native.read(path, mmap=bool(mmap), with_output=False))

    def save_word2vec_format(
        self,
        fname: Path,
        fvocab: Path | None = None,
        binary: bool = False,
        write_header: bool = True,
    ) -> None:
        """Write the vectors as word2vec.c does, in the order of the rows.

        fvocab: also write `word count` lines there.  write_header: text may go without.
        Raises SaveError, or UsageError for an impossible request.
        """
        if binary and not write_header:
            raise UsageError("the binary format cannot go without its header")
        if fvocab is not None and self.counts is None:
            raise UsageError(f"cannot write {fspath(fvocab)}: no counts are known of these vectors")
        format = "bin" if binary else "text" if write_header else "glove"
        write_vectors(fname, self.to_word_vectors(), format)
        if fvocab is not None and self.counts is not None:
            write_word_counts(fvocab, self.index_to_key, self.counts.tolist())

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
        """Read vectors in the formats of word2vec.c.

        fvocab: a file of `word count` lines, for get_vecattr(word, 'count'); without it no
        counts are known.  unicode_errors: by default any bytes survive, where gensim stops.
        limit: rows to read at most.  datatype: the vectors' type.  no_header: GloVe's text.
        Raises ReadError, or ModelFormatError naming the line or byte.
        """
        if binary and no_header:
            raise UsageError("no_header is for text; the binary format has a header")
        if binary:
            found = word2vec_binary.read(
                fname, limit=limit, encoding=encoding, errors=unicode_errors
            )
        else:
            found = read_lines(
                fname,
                header=not no_header,
                limit=limit,
                spaces_in_words=no_header,
                encoding=encoding,
                errors=unicode_errors,
            )
        counts = (
            None if fvocab is None else _counts_of(found.words, fvocab, encoding, unicode_errors)
        )
        return cls(found.words, found.vectors.astype(datatype, copy=False), counts)

    def evaluate_word_analogies(
        self,
        analogies: Path,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[float, list[dict[str, Any]]]:
        """Return the accuracy on a file of analogy questions, and the sections, as gensim does.

        The last section is the total; evaluation.evaluate_analogies returns more.
        dummy4unknown: count questions with an unknown word as wrong instead of leaving them out.
        """
        result = evaluate_analogies(
            self.index_to_key,
            self.vectors,
            analogies,
            restrict_vocab=restrict_vocab,
            fold_case=case_insensitive,
        )
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
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """Return Pearson's and Spearman's correlation with people's scores, each with its p-value,
        and the percentage of pairs with an unknown word, as gensim does.
        """
        result = evaluate_pairs(
            self.index_to_key,
            self.vectors,
            pairs,
            restrict_vocab=restrict_vocab,
            fold_case=case_insensitive,
            delimiter=delimiter,
            unknown_as_zero=dummy4unknown,
        )
        skipped = 100 * (1 - result.coverage)
        pearson, spearman = (result.pearson, result.pearson_p), (result.spearman, result.spearman_p)
        return pearson, spearman, skipped


def _counts_of(words: list[str], path: Path, encoding: str, errors: str) -> NDArray[np.int64]:
    """Return the (n_words,) counts that a vocabulary file gives for the words."""
    counts = read_word_counts(path, encoding, errors)
    missing = next((word for word in words if word not in counts), None)
    if missing is not None:
        raise UsageError(f"{fspath(path)}: no count for the word {missing!r}")
    return np.array([counts[word] for word in words], np.int64)
