"""Where a run stands: all that a later process needs besides the rows and the settings.

Every draw is a function of the seed, the epoch and the place in the corpus, so the position
stands for the state of all random numbers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fastw2v.training.report import Counts, EpochRecord

STATE = "checkpoint"  # the entry of a model file's settings that tells where its run stands


@dataclass(frozen=True)
class RunState:
    """A place between two chunks, and what was counted up to it.

    chunk_tokens: tokens of a chunk.  epoch: counted from 0, as many are done; chunk: the first
    of its order that is not trained.  counts: since the run began; epoch_start: those at the
    start of the epoch; epoch_seconds, seconds: of training in this epoch, and in all.
    stopped: why the run ended early, if it did.  restored: the epoch whose rows it was given back.
    history: of the epochs that are done.
    """

    chunk_tokens: int
    epoch: int = 0
    chunk: int = 0
    counts: Counts = field(default_factory=Counts)
    epoch_start: Counts = field(default_factory=Counts)
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    stopped: str | None = None
    restored: int | None = None
    history: list[EpochRecord] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold; floats come back with the same bits.

        The intervals of the epochs are left out: there may be many, and the log has them.
        """
        values = asdict(self)
        for record in values["history"]:
            del record["intervals"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RunState":
        """Return the state of as_json(); raise TypeError or KeyError if it is another thing."""
        counts = {name: Counts(**values[name]) for name in ("counts", "epoch_start")}
        history = [EpochRecord(**record) for record in values["history"]]
        return cls(**{**values, **counts, "history": history})
