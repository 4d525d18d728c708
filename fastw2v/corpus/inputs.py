"""The door for all that can be trained on: what is given decides who reads it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastw2v.corpus.encode import EncodedCorpus
from fastw2v.corpus.id_sentences import IdSentences, read_ids
from fastw2v.corpus.pairs import Pairs, read_pairs
from fastw2v.corpus.sentences import Progress, read_token_lists
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules

Sentences = Iterable[Iterable[Any]] | IdSentences | Pairs


def read_sentences(
    sentences: Sentences,
    *,
    rules: VocabularyRules,
    vocabulary: Vocabulary | None = None,
    spool_limit_bytes: int = SPOOL_LIMIT_BYTES,
    progress: Progress | None = None,
) -> EncodedCorpus:
    """Count and encode what Word2Vec is given as sentences; read_token_lists says the rest.

    sentences: token lists, IdSentences, (n_walks, length) integers in a NumPy array, or Pairs.
    """
    if isinstance(sentences, np.ndarray) and sentences.ndim == 2 and sentences.dtype.kind in "iu":
        sentences = IdSentences(sentences)
    if isinstance(sentences, Pairs):
        corpus = read_pairs(sentences, rules=rules, vocabulary=vocabulary)
    elif isinstance(sentences, IdSentences):
        corpus = read_ids(
            sentences, rules=rules, vocabulary=vocabulary, spool_limit_bytes=spool_limit_bytes
        )
    else:
        return read_token_lists(
            sentences,
            rules=rules,
            vocabulary=vocabulary,
            spool_limit_bytes=spool_limit_bytes,
            progress=progress,
        )
    if progress:
        progress(0, None, corpus.n_tokens_read)
    return corpus
