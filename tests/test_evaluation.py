import math

import numpy as np
import pytest

from fastw2v.errors import CorpusError, ReadError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.vectors.task_files import TaskFile

QUESTIONS = """: capital-common
Athens Greece Oslo Norway
Athens Greece Paris France
Athens Greece Atlantis Nowhere

: gram1-plural
cat cats dog dogs
"""


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(QUESTIONS)
    return path


@pytest.fixture
def world(rng):
    """Return words and vectors in which a country is its capital, and a plural its noun, plus d."""
    stems = rng.normal(size=(5, 20)).astype(np.float32)
    country, plural = 0.4 * rng.normal(size=(2, 20)).astype(np.float32)
    rows = [stems, stems[:3] + country, stems[3:] + plural]
    words = ["athens", "oslo", "paris", "cat", "dog"]
    return [*words, "greece", "norway", "france", "cats", "dogs"], np.concatenate(rows)


def test_analogies_are_answered_counted_and_skipped(questions, world):
    result = evaluate_analogies(*world, questions)
    capital, plural = result.sections
    assert (capital.name, capital.n_correct, capital.n_asked) == ("capital-common", 2, 2)
    assert capital.skipped == [("ATHENS", "GREECE", "ATLANTIS", "NOWHERE")]
    assert (plural.name, plural.accuracy) == ("gram1-plural", 1.0)
    assert (result.semantic.n_asked, result.syntactic.n_asked) == (2, 1)
    assert (result.total.n_correct, result.total.n_asked, result.total.n_skipped) == (3, 3, 1)


def test_a_question_is_never_answered_with_one_of_its_words(questions, world):
    words, vectors = world
    vectors[5:] = vectors[:5]  # b - a + c is c itself
    result = evaluate_analogies(words, vectors, questions)
    assert result.sections[1].incorrect == []


def test_another_case_of_a_question_word_is_no_answer_either(tmp_path):
    (tmp_path / "q").write_text(": s\na b c d\n")
    words = ["a", "b", "c", "C", "d"]
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0.5]], np.float32)
    assert evaluate_analogies(words, vectors, tmp_path / "q").total.n_correct == 1


def test_the_first_of_several_cases_stands_for_the_word(tmp_path):
    (tmp_path / "q").write_text(": s\na b c D\n")
    words = ["a", "b", "c", "d", "D"]
    vectors = np.array([[1, 0], [1, 0], [0, 1], [-1, 0], [0, 1]], np.float32)
    assert evaluate_analogies(words, vectors, tmp_path / "q").total.n_correct == 1
    exact = evaluate_analogies(words, vectors, tmp_path / "q", fold_case=False)
    assert exact.total.n_correct == 1
    assert exact.total.correct == [("a", "b", "c", "D")]


def test_a_restricted_vocabulary_skips_questions_and_narrows_answers(questions, world):
    words, vectors = world
    result = evaluate_analogies(words, vectors, questions, restrict_vocab=7)
    assert (result.total.n_asked, result.total.n_skipped) == (1, 3)


def test_no_question_asked_gives_nan_and_no_warning(questions):
    result = evaluate_analogies(["x"], np.zeros((1, 3), np.float32), questions)
    assert math.isnan(result.total.accuracy)
    assert result.total.n_skipped == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (": s\na b c d\na b c\n", "line 3: a question has 4 words, got 3: 'a b c'"),
        (": s\n\na b c d e\n", "line 3: a question has 4 words, got 5"),
        ("a b c d\n", "line 1: a question before the first section"),
    ],
)
def test_a_malformed_question_is_named(tmp_path, text, message):
    path = tmp_path / "q"
    path.write_text(text)
    with pytest.raises(CorpusError, match=f"{path}: {message}"):
        TaskFile(path).questions(fold_case=False)


@pytest.mark.parametrize("evaluate", [evaluate_analogies, evaluate_pairs])
def test_a_missing_file_is_named(tmp_path, world, evaluate):
    with pytest.raises(ReadError, match=f"cannot read {tmp_path / 'missing'}: No such file"):
        evaluate(*world, tmp_path / "missing")


def test_pairs_give_the_correlation_of_ranks_and_the_coverage(tmp_path, world):
    words, vectors = world
    wide = vectors.astype(np.float64)
    unit = wide / np.linalg.norm(wide, axis=1)[:, np.newaxis]
    cosine = {word: float(unit[0] @ unit[i]) for i, word in enumerate(words)}
    lines = [f"Athens\t{word}\t{math.exp(3 * cosine[word])}" for word in words[1:]]
    path = tmp_path / "pairs.tsv"
    path.write_text("# word word score\n" + "\n".join([*lines, "athens\tatlantis\t9", ""]))
    result = evaluate_pairs(words, vectors, path)
    assert result.spearman == pytest.approx(1.0)
    assert result.pearson < 0.999
    assert (result.n_pairs, result.n_skipped) == (10, 1)
    assert result.coverage == pytest.approx(0.9)
    assert evaluate_pairs(words, vectors, path, unknown_as_zero=True).spearman < 0.99


def test_pairs_may_be_separated_by_blanks(tmp_path, world):
    path = tmp_path / "pairs"
    path.write_text("athens oslo 1\nathens paris 2\nathens cat 3\n")
    assert evaluate_pairs(*world, path).n_pairs == 3


def test_too_few_pairs_give_nan(tmp_path, world):
    path = tmp_path / "pairs"
    path.write_text("athens\toslo\t1\nathens\tparis\t2\nx\ty\t1\n")
    result = evaluate_pairs(*world, path)
    assert math.isnan(result.spearman)
    assert result.coverage == pytest.approx(2 / 3)


@pytest.mark.parametrize("line", ["word1\tword2\tscore", "a\tb", "a\tb\t1\t2"])
def test_a_malformed_pair_is_named(tmp_path, world, line):
    path = tmp_path / "pairs"
    path.write_text(f"athens\toslo\t1\n{line}\n")
    with pytest.raises(CorpusError, match=f"{path}: line 2: expected `word word score`"):
        evaluate_pairs(*world, path)


@pytest.mark.parametrize("fold_case", [True, False])
@pytest.mark.parametrize("restrict_vocab", [60, 300])
def test_results_are_those_of_gensim(tmp_path, rng, fold_case, restrict_vocab):
    models = pytest.importorskip("gensim.models")
    words = [f"{case}{i}" for i in range(50) for case in ("ab", "Ab", "x")]
    rng.shuffle(words)
    theirs = models.KeyedVectors(vector_size=6)
    theirs.add_vectors(words, rng.normal(size=(len(words), 6)).astype(np.float32))
    lines = [" ".join(rng.choice([*words, "unknown"], 4)) for _ in range(900)]
    questions, pairs = tmp_path / "q", tmp_path / "p"
    questions.write_text(": one\n" + "\n".join([*lines[:500], ": gram", *lines[500:]]) + "\n")
    # Each pair once and of two words: equal cosines would rank by their last bit.
    distinct = {tuple(sorted(line.split()[:2])) for line in lines}
    scored = enumerate(sorted(pair for pair in distinct if pair[0] != pair[1]))
    pairs.write_text("".join(f"{a}\t{b}\t{i % 97}\n" for i, (a, b) in scored))
    options = {"restrict_vocab": restrict_vocab, "case_insensitive": fold_case}
    expected, sections = theirs.evaluate_word_analogies(questions, **options)
    ours = {"restrict_vocab": restrict_vocab, "fold_case": fold_case}
    got = evaluate_analogies(words, theirs.vectors, questions, **ours)
    assert got.total.accuracy == pytest.approx(expected, abs=1e-6)
    for section, reference in zip([*got.sections, got.total], sections, strict=True):
        assert section.correct == reference["correct"]
        assert section.incorrect == reference["incorrect"]
    for unknown in (False, True):
        pearson, spearman, skipped = theirs.evaluate_word_pairs(
            pairs, dummy4unknown=unknown, **options
        )
        result = evaluate_pairs(words, theirs.vectors, pairs, unknown_as_zero=unknown, **ours)
        assert result.spearman == pytest.approx(spearman[0], abs=1e-6)
        assert result.pearson == pytest.approx(pearson[0], abs=1e-6)
        assert 100 * (1 - result.coverage) == pytest.approx(skipped)
