import numpy as np
import pytest

from fastw2v.errors import UsageError
from fastw2v.vectors import classes
from fastw2v.vectors.classes import word_classes


def k_means_of_word2vec_c(vectors, n_classes):
    """The loops of word2vec.c, in float64: a class without words gets NaN and is never nearest."""
    vectors = vectors.astype(np.float64)
    found = [row % n_classes for row in range(len(vectors))]
    for _ in range(10):
        centroids = np.zeros((n_classes, vectors.shape[1]))
        n_members = np.ones(n_classes)
        for row, number in enumerate(found):
            centroids[number] += vectors[row]
            n_members[number] += 1
        for number in range(n_classes):
            centroids[number] /= n_members[number]
            length = np.sqrt((centroids[number] ** 2).sum())
            centroids[number] = centroids[number] / length if length else np.nan
        for row, vector in enumerate(vectors):
            nearest, best = 0, -10.0
            for number in range(n_classes):
                score = centroids[number] @ vector
                if score > best:
                    nearest, best = number, score
            found[row] = nearest
    return found


@pytest.mark.parametrize("n_classes", [1, 3, 10, 50])
def test_classes_are_those_of_word2vec_c(rng, monkeypatch, n_classes):
    monkeypatch.setattr(classes, "BLOCK_ROWS", 17)
    vectors = rng.normal(size=(50, 5)).astype(np.float32)
    assert word_classes(vectors, n_classes).tolist() == k_means_of_word2vec_c(vectors, n_classes)


def test_like_words_come_into_one_class(rng):
    centres = 5 * np.eye(4, 8)
    vectors = (centres[np.arange(80) // 20] + 0.1 * rng.normal(size=(80, 8))).astype(np.float32)
    found = word_classes(vectors, 4).reshape(4, 20)
    assert (found == found[:, :1]).all()


def test_a_class_that_lost_its_words_takes_none_whose_cosines_are_negative():
    vectors = np.array([[1, 0], [1, 0], [-1, 0.1], [1, 0]], np.float32)
    assert word_classes(vectors, 4).tolist() == k_means_of_word2vec_c(vectors, 4)


def test_an_impossible_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="n_classes must be at least 1, got 0"):
        word_classes(np.zeros((3, 2), np.float32), 0)
    with pytest.raises(UsageError, match="n_classes must be at most the number of words, 3, got 4"):
        word_classes(np.zeros((3, 2), np.float32), 4)


def test_the_work_on_classes_is_reported_and_ends_when_nothing_changes(rng, monkeypatch):
    monkeypatch.setattr(classes, "BLOCK_ROWS", 10)
    shares = []
    word_classes(rng.normal(size=(50, 5)).astype(np.float32), 4, shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1
    rounds = []
    monkeypatch.setattr(classes, "_centroids", counted(classes._centroids, rounds))
    word_classes(np.eye(50, dtype=np.float32), 50)  # a class of its own for each word
    assert len(rounds) == 1


def counted(function, calls):
    def call(*args):
        calls.append(args)
        return function(*args)

    return call
