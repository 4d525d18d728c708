"""What a file holds of a model, and the parts of a model from such a file."""

import os
from os import PathLike
from typing import Any, NamedTuple

from fastw2v.corpus import Vocabulary, VocabularyRules
from fastw2v.errors import ModelFormatError
from fastw2v.formats import WordVectors, read_vectors
from fastw2v.training import ModelArrays, Parameters, build_arrays, effective_settings


class RunCounts(NamedTuple):
    """What a model's file says of the text that its vocabulary is from."""

    corpus_count: int
    corpus_total_words: int


MACHINE_SETTINGS = ("backend", "workers")  # told in the file, chosen anew on another machine


def model_to_file(
    parameters: Parameters,
    rules: VocabularyRules,
    vocabulary: Vocabulary,
    arrays: ModelArrays,
) -> WordVectors:
    """Return all that a file can hold of a model, without copying the rows."""
    settings = effective_settings(parameters) | {
        "min_count": rules.min_count,
        "max_final_vocab": rules.max_final_vocab,
    }
    return WordVectors(
        words=vocabulary.words,
        vectors=arrays.in_rows[:, : parameters.vector_size],
        counts=vocabulary.counts,
        output_vectors=arrays.out_rows[:, : parameters.vector_size],
        output_bias=arrays.out_bias,
        settings=settings,
    )


def read_model(path: str | PathLike[str]) -> WordVectors:
    """Return the content of a native file; raise ModelFormatError if it holds no model."""
    data = read_vectors(path, "native")
    if data.counts is None or data.output_vectors is None or not data.settings:
        raise ModelFormatError(
            f"{os.fspath(path)}: holds vectors but no model; read it with KeyedVectors.load"
        )
    return data


def settings_in_file(data: WordVectors) -> dict[str, Any]:
    """Return the settings of a file that hold on any machine."""
    return {name: v for name, v in data.settings.items() if name not in MACHINE_SETTINGS}


def arrays_in_file(parameters: Parameters, data: WordVectors) -> ModelArrays:
    """Return arrays with the rows of a file; raise ValueError if they do not fit."""
    assert data.counts is not None  # read_model saw to it
    arrays = build_arrays(parameters, data.counts)
    arrays.in_rows[:, : parameters.vector_size] = data.vectors
    arrays.out_rows[:, : parameters.vector_size] = data.output_vectors
    if (arrays.out_bias is None) != (data.output_bias is None):
        raise ValueError(f"bias is {parameters.bias}, and the file says otherwise")
    if arrays.out_bias is not None:
        arrays.out_bias[:] = data.output_bias
    return arrays
