"""Identify a corpus, to resume a run only on the same text."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.corpus.encode import EncodedCorpus
from fastw2v.corpus.spool import Spool

PIECE_TOKENS = 1 << 20  # read at a time: 4 MiB


def corpus_identity(
    corpus: EncodedCorpus, stream: Spool, frozen: NDArray[np.uint8] | None
) -> dict[str, Any]:
    """Return the sizes of a corpus and a digest of its words, counts, ids and sentence ends.

    stream: the ids to train on, without any held-out part.
    frozen: (n_words,) uint8, 1 for rows that are not trained.
    Reads the whole stream, which takes about a second per gigabyte of ids.
    """
    digest = hashlib.blake2b(digest_size=16)
    for word in corpus.vocabulary.words:
        digest.update(word.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(corpus.vocabulary.counts.astype("<i8").tobytes())
    _add_stream(digest, stream)
    digest.update(b"" if frozen is None else np.ascontiguousarray(frozen).tobytes())
    return {
        "tokens read": corpus.n_tokens_read,
        "tokens to train on": stream.n_tokens,
        "sentences to train on": stream.n_sentences,
        "words": len(corpus.vocabulary),
        "frozen words": 0 if frozen is None else int(frozen.sum()),
        "digest": digest.hexdigest(),
    }


def stream_digest(stream: Spool | None) -> str:
    """Return a digest of ids and sentence ends, or "" for None."""
    if stream is None:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    _add_stream(digest, stream)
    return digest.hexdigest()


def _add_stream(digest: "hashlib.blake2b", stream: Spool) -> None:
    for first in range(0, stream.n_tokens, PIECE_TOKENS):
        n = min(PIECE_TOKENS, stream.n_tokens - first)
        digest.update(stream.read_tokens(first, n).astype("<i4", copy=False).tobytes())
        digest.update(stream.read_ends(first, first + n).astype("<i8", copy=False).tobytes())
    weights = getattr(stream, "weights", None)  # of pairs
    digest.update(b"" if weights is None else np.ascontiguousarray(weights).tobytes())
