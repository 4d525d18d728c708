"""Keep a trained model when its file cannot be written."""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from fastw2v.errors import Fastw2vError, SaveError

if TYPE_CHECKING:
    from fastw2v.word2vec import Word2Vec


def write_or_rescue(model: "Word2Vec", path: str, write: "Callable[[Word2Vec, str], None]") -> None:
    """Write the model to its path, or else, whole, to a place that has room.

    Raises SaveError that tells both; a model that is in a checkpoint already is not copied.
    """
    try:
        write(model, path)
    except SaveError as error:
        raise SaveError(f"{error}; {rescue(model)}") from error


def rescue(model: "Word2Vec") -> str:
    """Save the model in the first place that takes it and say where it is."""
    kept = model.last_checkpoint
    for folder in () if kept else (os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~")):
        place = os.path.join(folder, f"fastw2v-rescued-{secrets.token_hex(4)}.safetensors")
        with suppress(Fastw2vError, OSError):
            model.save(place)
            kept = place
            break
    if kept is None:
        return "and no other place takes the model, so it is lost"
    return f"the trained model is kept in {kept}: `fastw2v convert` writes other formats"
