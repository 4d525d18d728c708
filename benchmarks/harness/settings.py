"""The settings shared by all systems, and the learning rate of each."""

from dataclasses import asdict, dataclass
from typing import Any

MODELS = ("sg-ns", "cbow-ns", "sg-hs", "cbow-hs")

# Skip-gram is the same in all systems.  CBOW scales its gradient differently in each, and each gets
# its own default.  gensim's default is meant for skip-gram; for CBOW it gets word2vec.c's.
SKIPGRAM_ALPHA = 0.025
CBOW_ALPHA: dict[str, float | None] = {
    "fastw2v": None,  # the default, which depends on the objective; the run reports the value
    "gensim": 0.05,
    "fasttext": 0.05,
}
WORD2VEC_C_CBOW_ALPHA = 0.05  # its default when -cbow is 1


@dataclass(frozen=True)
class Settings:
    """Settings shared by all systems, with the names of fastw2v.Word2Vec."""

    vector_size: int
    window: int
    negative: int
    sample: float
    min_count: int
    epochs: int
    threads: int

    def job(self, system: str, model: str, corpus: str, vectors: str, seed: int) -> dict[str, Any]:
        """Return the job description for a driver.  model: one of MODELS."""
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
    """Return the initial learning rate, None for the system's own default."""
    if model.startswith("sg"):
        return SKIPGRAM_ALPHA
    return CBOW_ALPHA.get(system, WORD2VEC_C_CBOW_ALPHA)
