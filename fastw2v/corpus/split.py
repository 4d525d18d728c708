"""Hold out part of a corpus from training."""

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.memory import Int64Array
from fastw2v.corpus.pair_spool import PairSpool
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, Spool, SpoolWriter
from fastw2v.errors import CorpusError, UsageError

PART_TOKENS = 1_000  # longer sentences are split: a text without newlines is a single sentence
PIECE_TOKENS = 1_000 * PART_TOKENS  # read at a time


def hold_out(
    spool: Spool, share: float, seed: int, limit_bytes: int = SPOOL_LIMIT_BYTES
) -> tuple[Spool, Spool]:
    """Split the sentences at random into a training spool and a held-out spool.

    A sentence of more than PART_TOKENS tokens is split into parts, which are drawn independently.
    The sentence ends where the next part belongs to the other spool.

    spool: not modified.  share: expected share of held-out sentences, in (0, 1).
    seed: int >= 0.  limit_bytes: as in read_text, for each of the two spools.
    Returns (training, held-out).
    Raises UsageError for pairs, CorpusError if a spool would be empty, SaveError if a temporary
    file cannot be written.
    """
    if isinstance(spool, PairSpool):
        raise UsageError(
            f"validation={share:g} cannot be held out of Pairs: pass other Pairs to validate on"
        )
    rng = np.random.default_rng([seed, PIECE_TOKENS])
    writers = SpoolWriter(limit_bytes), SpoolWriter(limit_bytes)
    try:
        begin = 0
        while begin < spool.n_tokens:
            ends = _piece_ends(spool, begin)
            word_ids = spool.read_tokens(begin, int(ends[-1]) - begin)
            part_ends, is_cut = _parts(ends - begin)
            is_held = rng.random(len(part_ends)) < share
            for writer, chosen in zip(writers, (~is_held, is_held), strict=True):
                lengths = np.diff(part_ends, prepend=0)
                is_end = ~(is_cut & np.append(chosen[1:], False))
                training_ids = word_ids[np.repeat(chosen, lengths)]
                writer.append(training_ids, np.cumsum(lengths[chosen])[is_end[chosen]])
            begin = int(ends[-1])
        for writer, side in zip(writers, ("no training text is left", "it is empty"), strict=True):
            if writer.n_tokens == 0:
                raise CorpusError(
                    f"cannot hold out {share:g} of {spool.n_sentences:,} sentences: {side}; "
                    "choose another share, or validate on a file"
                )
        return writers[0].finish(), writers[1].finish()
    except BaseException:
        for writer in writers:
            writer.close()
        raise


def _piece_ends(spool: Spool, begin: int) -> Int64Array:
    """Return the ends of the sentences in the next piece; cut a sentence longer than it."""
    reach = min(begin + PIECE_TOKENS, spool.n_tokens)
    ends = spool.read_ends(begin, reach)
    if ends[-1] > reach:
        ends = ends[:-1] if len(ends) > 1 else np.array([reach])
    return ends


def _parts(ends: Int64Array) -> tuple[Int64Array, NDArray[np.bool_]]:
    """Return the ends of the sentences' parts, and which of them are not sentence ends."""
    starts = np.append(0, ends[:-1])
    n_parts = -(-(ends - starts) // PART_TOKENS)
    number = np.arange(n_parts.sum()) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    cuts = np.repeat(starts, n_parts) + (number + 1) * PART_TOKENS
    part_ends = np.minimum(cuts, np.repeat(ends, n_parts))
    return part_ends, number + 1 < np.repeat(n_parts, n_parts)
