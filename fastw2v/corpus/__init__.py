"""Read paths or iterables into a vocabulary and spooled word ids."""

from fastw2v.corpus.encode import EncodedCorpus
from fastw2v.corpus.id_sentences import IdSentences
from fastw2v.corpus.inputs import Sentences, read_sentences, read_text
from fastw2v.corpus.pairs import Pairs
from fastw2v.corpus.sentences import Progress
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, ChunkData, ChunkTable, Spool
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules, choose_from

__all__ = [
    "SPOOL_LIMIT_BYTES",
    "ChunkData",
    "ChunkTable",
    "EncodedCorpus",
    "IdSentences",
    "Pairs",
    "Progress",
    "Sentences",
    "Spool",
    "Vocabulary",
    "VocabularyRules",
    "choose_from",
    "read_sentences",
    "read_text",
]
