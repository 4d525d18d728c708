"""Evaluate vectors on analogy questions and on human similarity scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_flag, check_integer, shown
from fastw2v.errors import UsageError
from fastw2v.vectors.search import nearest_rows, row_norms, unit_rows
from fastw2v.vectors.task_files import ANALOGY_VOCABULARY, Question, TaskFile


@dataclass(frozen=True)
class AnalogySection:
    """The answers to one section of analogy questions `a is to b as c is to d`.

    correct, incorrect: the questions answered right and wrong.
    skipped: the questions with an unknown word.
    """

    name: str
    correct: list[Question]
    incorrect: list[Question]
    skipped: list[Question]

    @property
    def n_correct(self) -> int:
        """The number of questions answered correctly."""
        return len(self.correct)

    @property
    def n_asked(self) -> int:
        """The number of questions answered."""
        return len(self.correct) + len(self.incorrect)

    @property
    def n_skipped(self) -> int:
        """The number of questions with an unknown word."""
        return len(self.skipped)

    @property
    def accuracy(self) -> float:
        """The fraction of answered questions that are correct, in 0..1; NaN without any."""
        return self.n_correct / self.n_asked if self.n_asked else nan

    @property
    def coverage(self) -> float:
        """The fraction of questions whose words are all known, in 0..1; NaN without questions."""
        n_questions = self.n_asked + self.n_skipped
        return self.n_asked / n_questions if n_questions else nan


@dataclass(frozen=True)
class AnalogyResult:
    """The answers to a file of analogy questions.  sections: in the order of the file."""

    sections: list[AnalogySection]

    @property
    def semantic(self) -> AnalogySection:
        """All sections whose names do not start with `gram`, merged."""
        return _merged("semantic", (s for s in self.sections if not s.name.startswith("gram")))

    @property
    def syntactic(self) -> AnalogySection:
        """All sections whose names start with `gram`, as in questions-words.txt, merged."""
        return _merged("syntactic", (s for s in self.sections if s.name.startswith("gram")))

    @property
    def total(self) -> AnalogySection:
        """All sections, merged."""
        return _merged("total", self.sections)


@dataclass(frozen=True)
class PairsResult:
    """The correlation of the cosines of word pairs with human scores.

    spearman, pearson: correlations in -1..1.  spearman_p, pearson_p: their two-sided p-values.
    All four are NaN for fewer than three pairs, or if all scores or all cosines are equal.
    n_pairs: pairs in the file.  n_skipped: pairs with an unknown word.
    """

    spearman: float
    spearman_p: float
    pearson: float
    pearson_p: float
    n_pairs: int
    n_skipped: int

    @property
    def coverage(self) -> float:
        """The fraction of pairs with two known words, in 0..1; NaN for an empty file."""
        return 1 - self.n_skipped / self.n_pairs if self.n_pairs else nan


def evaluate_analogies(
    words: Sequence[str],
    vectors: NDArray[np.float32],
    path: str | PathLike[str] | TaskFile,
    *,
    restrict_vocab: int | None = ANALOGY_VOCABULARY,
    fold_case: bool = True,
) -> AnalogyResult:
    """Answer each analogy question in a file with the word nearest to b - a + c.

    The words of a question are never its answer.  A question with an unknown word is skipped.

    words: n_words strings, most frequent first.  vectors: (n_words, dim) float32.
    path: a file of sections: a line `: name`, then lines `a b c d`.
    restrict_vocab: use only the first restrict_vocab words; None uses all.
    fold_case: compare words in upper case.  Of words that differ only in case, the most frequent
    one is used.
    Returns an AnalogyResult.
    Raises ReadError, or CorpusError naming the file and the line.
    Reference: Mikolov et al. 2013 (1301.3781), section 4.1.
    """
    words = _searched(words, restrict_vocab, fold_case)
    row_of, first_rows = _index_words(words, fold_case)
    sections = _task_file(path).questions(fold_case)
    questions = [question for _, asked in sections for question in asked]
    known = [question for question in questions if all(word in row_of for word in question)]
    rows = np.array([[row_of[word] for word in question] for question in known], np.int64)
    rows = rows.reshape(len(known), 4)
    answers = _answer_rows(vectors[: len(words)], rows[:, :3], first_rows)
    hits = (answers >= 0) & (first_rows[answers] == rows[:, 3])
    is_correct = dict(zip(known, hits.tolist(), strict=True))
    return AnalogyResult([_judged(name, asked, is_correct) for name, asked in sections])


def evaluate_pairs(
    words: Sequence[str],
    vectors: NDArray[np.float32],
    path: str | PathLike[str] | TaskFile,
    *,
    restrict_vocab: int | None = None,
    fold_case: bool = True,
    unknown_as_zero: bool = False,
) -> PairsResult:
    """Correlate the cosines of word pairs with human scores.

    words, vectors, restrict_vocab, fold_case: as for evaluate_analogies.
    path: a file of lines `word word score`; lines that start with `#` are comments.
    unknown_as_zero: give pairs with an unknown word a cosine of 0 instead of skipping them.
    Returns a PairsResult.
    Raises ReadError, or CorpusError naming the file and the line.
    """
    check_flag("unknown_as_zero", unknown_as_zero)
    row_of, _ = _index_words(_searched(words, restrict_vocab, fold_case), fold_case)
    scores, cosines, n_skipped = [], [], 0
    for a, b, score in _task_file(path).pairs(fold_case):
        if a in row_of and b in row_of:
            cosines.append(_cosine(vectors[row_of[a]], vectors[row_of[b]]))
            scores.append(score)
            continue
        n_skipped += 1
        if unknown_as_zero:
            cosines.append(0.0)
            scores.append(score)
    n_pairs = len(scores) + (0 if unknown_as_zero else n_skipped)
    return PairsResult(*_correlations(scores, cosines), n_pairs, n_skipped)


def _searched(words: Sequence[str], restrict_vocab: int | None, fold_case: bool) -> Sequence[str]:
    """Return the first restrict_vocab words.  Raises UsageError for values of other types."""
    if restrict_vocab is not None:
        check_integer("restrict_vocab", restrict_vocab, -(2**63), 2**63)
    check_flag("fold_case", fold_case)
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise UsageError(f"words must be a list of strings, got {shown(words)}")
    return words[:restrict_vocab]


def _task_file(path: str | PathLike[str] | TaskFile) -> TaskFile:
    return path if isinstance(path, TaskFile) else TaskFile(path)


def _index_words(words: Sequence[str], fold_case: bool) -> tuple[dict[str, int], NDArray[np.int64]]:
    """Return the first row of each (folded) word, and for each row the first row of its word."""
    folded = [word.upper() for word in words] if fold_case else words
    row_of: dict[str, int] = {}
    first_rows = [row_of.setdefault(word, row) for row, word in enumerate(folded)]
    return row_of, np.array(first_rows, np.int64)


def _judged(name: str, asked: list[Question], is_correct: dict[Question, bool]) -> AnalogySection:
    """Sort the questions of a section into correct, incorrect and skipped."""
    section = AnalogySection(name, [], [], [])
    for question in asked:
        if question not in is_correct:
            section.skipped.append(question)
        elif is_correct[question]:
            section.correct.append(question)
        else:
            section.incorrect.append(question)
    return section


def _merged(name: str, sections: Iterable[AnalogySection]) -> AnalogySection:
    """Merge several sections into one."""
    merged = AnalogySection(name, [], [], [])
    for section in sections:
        merged.correct.extend(section.correct)
        merged.incorrect.extend(section.incorrect)
        merged.skipped.extend(section.skipped)
    return merged


def _answer_rows(
    vectors: NDArray[np.float32], questions: NDArray[np.int64], first_rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the (n,) rows nearest to b - a + c for (n, 3) questions of rows a, b, c."""
    a, b, c = (unit_rows(vectors[rows]) for rows in questions.T)
    barred = _barred_rows(questions, first_rows)
    return nearest_rows(vectors, row_norms(vectors), b - a + c, 1, barred)[0][:, 0]


def _barred_rows(questions: NDArray[np.int64], first_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (n, k) rows that are excluded as answers to each question, padded with -1."""
    others: dict[int, list[int]] = {}
    for row in np.flatnonzero(first_rows != np.arange(len(first_rows))).tolist():
        others.setdefault(int(first_rows[row]), []).append(row)
    barred = [
        [*asked, *(other for row in asked for other in others.get(row, ()))]
        for asked in questions.tolist()
    ]
    filled = np.full((len(barred), max(map(len, barred), default=0)), -1, np.int64)
    for row, rows in enumerate(barred):
        filled[row, : len(rows)] = rows
    return filled


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the cosine of two (dim,) vectors; 0 if either is a zero vector."""
    wide = np.stack([a, b]).astype(np.float64)
    return float(np.prod(unit_rows(wide), axis=0).sum())


def _correlations(scores: list[float], cosines: list[float]) -> tuple[float, float, float, float]:
    """Return Spearman's and Pearson's correlation, each with its p-value."""
    if len(scores) < 3 or np.ptp(scores) == 0 or np.ptp(cosines) == 0:
        return nan, nan, nan, nan
    # Imported here because it takes half a second.
    from scipy.stats import pearsonr, spearmanr

    spearman, pearson = spearmanr(scores, cosines), pearsonr(scores, cosines)
    return (
        float(spearman.statistic),
        float(spearman.pvalue),
        float(pearson.statistic),
        float(pearson.pvalue),
    )
