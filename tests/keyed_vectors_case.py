"""Forty words, and fixtures that give them random vectors."""

import numpy as np
import pytest

from fastw2v import KeyedVectors

WORDS = [f"w{i}" for i in range(40)]


@pytest.fixture
def vectors(rng):
    """(40, 9) float32 whose rows are not contiguous."""
    return rng.normal(size=(40, 16)).astype(np.float32)[:, :9]


@pytest.fixture
def wv(vectors):
    return KeyedVectors.from_arrays(WORDS, vectors, counts=np.arange(40, 0, -1))
