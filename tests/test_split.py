import numpy as np
import pytest
from training_case import random_spool

from fastw2v.corpus import Spool, split
from fastw2v.errors import CorpusError


def sentences_of(spool):
    ids = spool.read_tokens(0, spool.n_tokens)
    ends = spool.read_ends(0, spool.n_tokens)
    assert ends[-1] == spool.n_tokens
    return [part.tolist() for part in np.split(ids, ends[:-1])]


def numbered(lengths):
    """A spool whose word ids count upwards."""
    ends = np.cumsum(lengths)
    return Spool.from_arrays(np.arange(ends[-1], dtype=np.int32), ends.astype(np.int64))


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(split, "PART_TOKENS", 10)
    monkeypatch.setattr(split, "PIECE_TOKENS", 100)


@pytest.mark.parametrize("limit_bytes", [0, 1 << 20])
def test_every_sentence_goes_to_one_side(small_parts, limit_bytes):
    spool = numbered([1, 7, 10, 3] * 100)
    rest, held = split.hold_out(spool, 0.3, seed=1, limit_bytes=limit_bytes)
    with rest, held:
        whole = sentences_of(spool)
        sides = sentences_of(rest), sentences_of(held)
        assert sorted(sides[0] + sides[1]) == whole
        assert [sorted(side) for side in sides] == list(sides)
        assert rest.in_memory is held.in_memory is (limit_bytes > 0)
        # 400 draws of 0.3: five standard deviations are 46
        assert abs(len(sides[1]) - 120) < 46


@pytest.mark.parametrize("lengths", [[95, 3, 25, 1, 333], [2_000], [7, 1_000, 7]])
def test_long_sentences_are_drawn_in_parts(small_parts, lengths):
    spool = numbered(lengths)
    rest, held = split.hold_out(spool, 0.4, seed=3)
    sides = sentences_of(rest) + sentences_of(held)
    assert sorted(id for side in sides for id in side) == list(range(sum(lengths)))
    assert held.n_tokens > 0.2 * spool.n_tokens
    ends = np.cumsum(lengths).tolist()
    starts = [0, *ends]
    for side in sides:
        assert np.all(np.diff(side) == 1)  # no gap is bridged
        assert sum(side[0] < end <= side[-1] for end in ends) == 0  # nor is a sentence's end
        offset = side[0] - max(start for start in starts if start <= side[0])
        assert offset % 10 == 0


def test_the_draw_depends_on_the_seed_alone(small_parts):
    spool = random_spool()
    draws = [sentences_of(split.hold_out(spool, 0.1, seed)[1]) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(("share", "side"), [(0.01, "it is empty"), (0.99, "no training text")])
def test_an_empty_side_is_an_error(share, side):
    message = f"cannot hold out {share} of 1 sentences: {side}"
    with pytest.raises(CorpusError, match=message):
        split.hold_out(numbered([5]), share, seed=0)
