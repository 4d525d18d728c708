"""How well vectors answer analogy questions and agree with people's judgements of similarity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.vectors.search import nearest_rows, row_norms, unit_rows
from fastw2v.vectors.task_files import Question, TaskFile


@dataclass(frozen=True)
class AnalogySection:
    """The outcome of a group of questions `a is to b as c is to d`."""

    name: str
    correct: list[Question]
    incorrect: list[Question]
    skipped: list[Question]  # with a word that has no vector

    @property
    def n_correct(self) -> int:
        """Questions answered with the expected word."""
        return len(self.correct)

    @property
    def n_asked(self) -> int:
        """Questions answered at all."""
        return len(self.correct) + len(self.incorrect)

    @property
    def n_skipped(self) -> int:
        """Questions with an unknown word."""
        return len(self.skipped)

    @property
    def accuracy(self) -> float:
        """Share of the asked questions that were answered correctly, NaN if none was asked."""
        return self.n_correct / self.n_asked if self.n_asked else nan

    @property
    def coverage(self) -> float:
        """Share of the questions all of whose words have a vector, NaN without any."""
        n_questions = self.n_asked + self.n_skipped
        return self.n_asked / n_questions if n_questions else nan


@dataclass(frozen=True)
class AnalogyResult:
    """The outcome of a file of questions, its sections in the order of the file."""

    sections: list[AnalogySection]

    @property
    def semantic(self) -> AnalogySection:
        """All sections whose names do not start with `gram`."""
        return _merged("semantic", (s for s in self.sections if not s.name.startswith("gram")))

    @property
    def syntactic(self) -> AnalogySection:
        """All sections whose names start with `gram`, as in questions-words.txt."""
        return _merged("syntactic", (s for s in self.sections if s.name.startswith("gram")))

    @property
    def total(self) -> AnalogySection:
        """All sections."""
        return _merged("total", self.sections)


@dataclass(frozen=True)
class PairsResult:
    """How the cosines of word pairs go with the scores that people gave them.

    Correlations and their two-sided p-values are NaN for fewer than three pairs.
    """

    spearman: float
    spearman_p: float
    pearson: float
    pearson_p: float
    n_pairs: int  # in the file
    n_skipped: int  # with a word that has no vector

    @property
    def coverage(self) -> float:
        """Share of the pairs both of whose words have a vector, NaN for an empty file."""
        return 1 - self.n_skipped / self.n_pairs if self.n_pairs else nan


def evaluate_analogies(
    words: Sequence[str],
    vectors: NDArray[np.float32],
    path: str | PathLike[str] | TaskFile,
    *,
    restrict_vocab: int | None = 30_000,
    fold_case: bool = True,
) -> AnalogyResult:
    """Answer a file of analogy questions, each with the word whose vector is nearest to b - a + c.

    words, vectors: n_words, most frequent first, and their (n_words, dim) vectors.
    path: sections `: name` of lines `a b c d`.
    restrict_vocab: answers, and the words of questions, come from the first so many words.
    fold_case: compare words in upper case; the first of equal ones stands for all.
    The words of a question are never its answer; a question with an unknown word is skipped.
    Raises ReadError, or CorpusError naming the file and the line.
    Reference: Mikolov et al. 2013 (1301.3781), section 4.1.
    """
    words = words[:restrict_vocab]
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
    """Correlate the cosines of word pairs with people's scores.

    words, vectors, restrict_vocab, fold_case: as for evaluate_analogies.
    path: lines `word word score`; lines that start with `#` are comments.
    unknown_as_zero: give pairs with an unknown word a cosine of 0 instead of skipping them.
    Raises ReadError, or CorpusError naming the file and the line.
    """
    row_of, _ = _index_words(words[:restrict_vocab], fold_case)
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


def _task_file(path: str | PathLike[str] | TaskFile) -> TaskFile:
    return path if isinstance(path, TaskFile) else TaskFile(path)


def _index_words(words: Sequence[str], fold_case: bool) -> tuple[dict[str, int], NDArray[np.int64]]:
    """Return the first row of each (folded) word, and for each row that of its word."""
    folded = [word.upper() for word in words] if fold_case else words
    row_of: dict[str, int] = {}
    first_rows = [row_of.setdefault(word, row) for row, word in enumerate(folded)]
    return row_of, np.array(first_rows, np.int64)


def _judged(name: str, asked: list[Question], is_correct: dict[Question, bool]) -> AnalogySection:
    """Return the section with its questions sorted by outcome."""
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
    """Return all questions of several sections as one."""
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
    """Return the (n, k) rows that may not answer each question, the rest filled up with -1."""
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
    """Return the cosine of two (dim,) vectors, 0 if one is all zeros."""
    wide = np.stack([a, b]).astype(np.float64)
    return float(np.prod(unit_rows(wide), axis=0).sum())


def _correlations(scores: list[float], cosines: list[float]) -> tuple[float, float, float, float]:
    """Return Spearman's and Pearson's correlation, each with its p-value."""
    if len(scores) < 3 or np.ptp(scores) == 0 or np.ptp(cosines) == 0:
        return nan, nan, nan, nan
    # Half a second to import, so only when asked for.
    from scipy.stats import pearsonr, spearmanr

    spearman, pearson = spearmanr(scores, cosines), pearsonr(scores, cosines)
    return (
        float(spearman.statistic),
        float(spearman.pvalue),
        float(pearson.statistic),
        float(pearson.pvalue),
    )
