"""One training at a time on one model."""

import contextlib
from collections.abc import Iterator

from fastw2v.errors import UsageError

# By id(). Not a lock in the model: that could be neither copied nor pickled.
_BUSY: dict[int, object] = {}


@contextlib.contextmanager
def alone(model: object) -> Iterator[None]:
    """Keep any second such block for the model out; raise UsageError there."""
    mine = object()
    if _BUSY.setdefault(id(model), mine) is not mine:
        raise UsageError(
            "the model is being trained already: wait until that ends, or use another model"
        )
    try:
        yield
    finally:
        del _BUSY[id(model)]
