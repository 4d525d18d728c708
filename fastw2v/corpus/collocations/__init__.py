"""Count and score pairs of adjacent words and join them into phrases, over spooled word ids."""

from fastw2v.corpus.collocations.counting import PairCounter, PairCounts
from fastw2v.corpus.collocations.passes import (
    PassReport,
    choose_threads,
    connector_flags,
    join_phrases,
)
from fastw2v.corpus.collocations.scoring import (
    SCORERS,
    PhraseRules,
    Scorer,
    find_phrases,
    least_count,
)

__all__ = [
    "SCORERS",
    "PairCounter",
    "PairCounts",
    "PassReport",
    "PhraseRules",
    "Scorer",
    "choose_threads",
    "connector_flags",
    "find_phrases",
    "join_phrases",
    "least_count",
]
