"""What every system is asked to do, and the learning rate that each gets."""

from dataclasses import asdict, dataclass
from typing import Any

MODELS = ("sg-ns", "cbow-ns", "sg-hs", "cbow-hs")

# Skip-gram is the same in all. CBOW differs in the scale of its gradient from system to system,
# so each gets its default, and gensim, whose default of 0.025 is skip-gram's, word2vec.c's.
SKIPGRAM_ALPHA = 0.025
CBOW_ALPHA: dict[str, float | None] = {
    "fastw2v": None,  # its default, which depends on the objective; the run reports the value
    "gensim": 0.05,
    "fasttext": 0.05,
}
WORD2VEC_C_CBOW_ALPHA = 0.05  # its default when -cbow is 1


@dataclass(frozen=True)
class Settings:
    """Settings that hold for all systems; names as in fastw2v.Word2Vec."""

    vector_size: int
    window: int
    negative: int
    sample: float
    min_count: int
    epochs: int
    threads: int

    def job(self, system: str, model: str, corpus: str, vectors: str, seed: int) -> dict[str, Any]:
        """Return what a driver is told.  model: one of MODELS."""
        architecture, objective = model.split("-")
        return asdict(self) | {
            "corpus": corpus,
            "vectors": vectors,
            "sg": architecture == "sg",
            "hs": objective == "hs",
            "alpha": alpha(system, model),
            "seed": seed,
        }


def alpha(system: str, model: str) -> float | None:
    """Return the first learning rate, None for the system's own default."""
    if model.startswith("sg"):
        return SKIPGRAM_ALPHA
    return CBOW_ALPHA.get(system, WORD2VEC_C_CBOW_ALPHA)
