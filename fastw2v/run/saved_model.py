"""What a file holds of a model, and the parts of a model from such a file."""

import os
import warnings
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_flag
from fastw2v.corpus import Vocabulary, VocabularyRules
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, read_vectors
from fastw2v.run.start import TIES_KEY, ties_in
from fastw2v.training.arrays import ModelArrays, build_arrays, effective_settings
from fastw2v.training.events import STATE
from fastw2v.training.parameters import Parameters
from fastw2v.training.schedule import OWN


class RunCounts(NamedTuple):
    """What a model's file says of the text that its vocabulary is from."""

    corpus_count: int
    corpus_total_words: int


# Told in the file, but chosen anew on another machine; and where the run of a checkpoint stood.
BLOCKS = "blocks"  # how many words a training step took at once, as text
NOT_SETTINGS = ("backend", "workers", BLOCKS, TIES_KEY, STATE)


def settings_of(parameters: Parameters, rules: VocabularyRules) -> dict[str, Any]:
    """Return the settings that a model's file keeps, with the defaults filled in."""
    return effective_settings(parameters) | {
        "min_count": rules.min_count,
        "max_final_vocab": rules.max_final_vocab,
    }


def model_to_file(
    parameters: Parameters,
    rules: VocabularyRules,
    vocabulary: Vocabulary,
    arrays: ModelArrays,
) -> WordVectors:
    """Return all that a file can hold of a model, without copying the rows."""
    return WordVectors(
        words=vocabulary.words,
        vectors=arrays.in_rows[:, : parameters.vector_size],
        counts=vocabulary.counts,
        output_vectors=arrays.out_rows[:, : parameters.vector_size],
        output_bias=arrays.out_bias,
        input_bias=arrays.input_bias(parameters.vector_size),
        settings=settings_of(parameters, rules) | ties_of(arrays),
    )


def ties_of(arrays: ModelArrays) -> dict[str, str]:
    """Return what a file says of the Huffman tree of a model that has one."""
    return {} if arrays.paths is None else {TIES_KEY: arrays.paths.ties}


def read_model(path: str | PathLike[str]) -> WordVectors:
    """Return the content of a native file; raise ModelFormatError if it holds no model."""
    data = read_vectors(path, "native")
    if data.counts is None or data.output_vectors is None or not data.settings:
        raise ModelFormatError(
            f"{os.fspath(path)}: holds vectors but no model; read it with KeyedVectors.load"
        )
    return data


def settings_in_file(data: WordVectors) -> dict[str, Any]:
    """Return the settings of a file that hold on any machine.

    A schedule of the user's own is none of them: it becomes linear, with a warning.
    """
    settings = {name: v for name, v in data.settings.items() if name not in NOT_SETTINGS}
    schedule = settings.get("schedule")
    if isinstance(schedule, str) and schedule.startswith(OWN):
        warnings.warn(
            f"a file cannot hold the function {schedule.removeprefix(OWN)} that was the model's "
            "schedule: further training is linear, unless model.parameters says otherwise",
            stacklevel=5,
        )
        settings["schedule"] = "linear"
    return settings


def arrays_in_file(parameters: Parameters, data: WordVectors) -> ModelArrays:
    """Return arrays with the rows of a file; raise ValueError if they do not fit."""
    assert data.counts is not None  # read_model saw to it
    arrays = build_arrays(parameters, data.counts, ties_in(data.settings))
    if data.dim != parameters.vector_size:
        raise ValueError(f"vector_size is {parameters.vector_size}, and its rows have {data.dim}")
    fill_arrays(arrays, data)
    return arrays


def fill_arrays(arrays: ModelArrays, data: WordVectors) -> None:
    """Put the rows of a file into arrays; raise ValueError if they do not fit."""
    arrays.in_rows[:, : data.dim] = data.vectors
    arrays.out_rows[:, : data.dim] = data.output_vectors
    _fill_bias("output", arrays.out_bias, data.output_bias)
    _fill_bias("input", arrays.input_bias(data.dim), data.input_bias)


def _fill_bias(
    side: str, to: NDArray[np.float32] | None, stored: NDArray[np.float32] | None
) -> None:
    if (to is None) != (stored is None):
        wanted = f"no {side} bias" if to is None else f"an {side} bias"
        raise ValueError(f"the settings ask for {wanted}, and the file says otherwise")
    if to is not None:
        to[:] = stored


def vectors_of(source: Any, vector_size: int) -> WordVectors:
    """Return vectors to start from: a path, or an object with words and vectors.

    source: a file of any format, a Word2Vec or KeyedVectors, gensim's included.
    Raises UsageError if it is none of these or its vectors do not have vector_size values.
    """
    name = "init_from"
    if isinstance(source, str | PathLike):
        found, name = read_vectors(source), os.fspath(source)
    elif isinstance(source, WordVectors):
        found = source
    elif hasattr(source, "to_word_vectors"):
        found = source.to_word_vectors()
    else:
        table = getattr(source, "wv", source)
        if not hasattr(table, "index_to_key") or not hasattr(table, "vectors"):
            raise UsageError(
                f"init_from must be a path, a KeyedVectors or a Word2Vec, got {source!r}"
            )
        found = WordVectors(list(table.index_to_key), np.asarray(table.vectors, np.float32))
    if found.dim != vector_size:
        raise UsageError(
            f"{name}: its vectors have {found.dim} values and vector_size is {vector_size}; "
            f"set vector_size={found.dim}"
        )
    return found


def base_vocabulary(known: WordVectors) -> Vocabulary:
    """Return the words and counts that a vocabulary grows from."""
    if known.counts is None:
        raise UsageError("grow=True needs counts, which only files that Word2Vec.save wrote hold")
    return Vocabulary(known.words, known.counts)


def check_grow(grow: object, init_from: object) -> None:
    """Raise UsageError if a vocabulary is to grow from nothing."""
    check_flag("grow", grow)
    if grow and init_from is None:
        raise UsageError("grow=True needs init_from, the vectors whose words are to be kept")
