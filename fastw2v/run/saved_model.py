"""What a file holds of a model, and what training starts from: other vectors, frozen rows."""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_flag
from fastw2v.corpus import Vocabulary, VocabularyRules
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, read_vectors
from fastw2v.sampling import SHUFFLED
from fastw2v.training.arrays import ModelArrays, build_arrays, effective_settings
from fastw2v.training.events import CHECKPOINT_KEY
from fastw2v.training.parameters import BOTH_BIASES, OWN, Parameters

COPIED_ROWS = 4096  # at a time, so that the copy needs little memory
FREEZE_KEYWORDS = ("all", "known")
TIES_KEY = "huffman_ties"  # in a model's file; files without it have shuffled ones
Freeze = bool | str | Iterable[str]


@dataclass(frozen=True)
class TakenOver:
    """What a model took over from vectors that existed.

    known: (n_words,) bool, the words of the model that were there.  n_unused: words that were
    there and that the model lacks.  with_outputs: whether the output side was taken over, too.
    """

    known: NDArray[np.bool_]
    n_unused: int
    with_outputs: bool

    @property
    def n_known(self) -> int:
        """How many words of the model were there."""
        return int(np.count_nonzero(self.known))

    def __str__(self) -> str:
        side = "both sides" if self.with_outputs else "word vectors only"
        text = f"{self.n_known:,} of {len(self.known):,} words taken over, {side}"
        return f"{text}; {self.n_unused:,} not in the vocabulary" if self.n_unused else text


def take_over(
    arrays: ModelArrays, parameters: Parameters, vocabulary: Vocabulary, source: WordVectors
) -> TakenOver:
    """Copy the rows of the words that a source holds into an untrained model.

    The output side is copied where both have the same objective: by word, or with hierarchical
    softmax, where the rows belong to a tree, only if words and counts are the same.
    Raises UsageError if the source holds none of the words.
    """
    dim = parameters.vector_size
    find = vocabulary.index.get
    target = np.fromiter((find(word, -1) for word in source.words), np.int64, len(source.words))
    rows = np.flatnonzero(target >= 0)
    if not len(rows):
        raise UsageError(
            f"init_from holds none of the {len(vocabulary)} words of the vocabulary, such as "
            f"{vocabulary.words[0]!r}; its own begin with {source.words[:3]}"
        )
    _copy_rows(arrays.in_rows[:, :dim], target[rows], source.vectors, rows)
    known = np.zeros(len(vocabulary), np.bool_)
    known[target[rows]] = True
    outputs = _output_rows(arrays, parameters, vocabulary, source, target, rows)
    if outputs is not None:
        assert source.output_vectors is not None
        _copy_rows(arrays.out_rows[:, :dim], outputs[0], source.output_vectors, outputs[1])
        if arrays.out_bias is not None and source.output_bias is not None:
            arrays.out_bias[outputs[0]] = source.output_bias[outputs[1]]
        bias = arrays.input_bias(dim)
        if bias is not None and source.input_bias is not None:
            bias[:] = source.input_bias
            arrays.in_rows[~known, :dim] += bias  # as the others contain it
    return TakenOver(known, len(source.words) - len(rows), outputs is not None)


def ties_in(settings: dict[str, Any]) -> str:
    """Return the order of ties in the Huffman tree of a model's file."""
    return str(settings.get(TIES_KEY, SHUFFLED))


def _output_rows(
    arrays: ModelArrays,
    parameters: Parameters,
    vocabulary: Vocabulary,
    source: WordVectors,
    target: NDArray[np.int64],
    rows: NDArray[np.intp],
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return which output rows get which of the source's, None if they do not correspond."""
    if source.output_vectors is None or source.settings.get("objective") != parameters.objective:
        return None
    if arrays.paths is None:
        return target[rows], rows
    if (
        ties_in(source.settings) != arrays.paths.ties
        or source.words != vocabulary.words
        or not np.array_equal(source.counts if source.counts is not None else [], vocabulary.counts)
    ):
        return None
    nodes = np.arange(len(source.output_vectors))
    return nodes, nodes


def _copy_rows(
    to: NDArray[np.float32], to_rows: NDArray[Any], source: NDArray[Any], rows: NDArray[Any]
) -> None:
    for begin in range(0, len(rows), COPIED_ROWS):
        block = slice(begin, begin + COPIED_ROWS)
        to[to_rows[block]] = source[rows[block]]


def check_freeze(freeze: Freeze) -> Freeze:
    """Return what to freeze, words as a list; raise UsageError for anything else."""
    if isinstance(freeze, str) and freeze not in FREEZE_KEYWORDS:
        raise UsageError(
            f"freeze must be True, False, {' or '.join(map(repr, FREEZE_KEYWORDS))} or a list of "
            f"words, got {freeze!r}"
        )
    if isinstance(freeze, bool | str):
        return freeze
    if not isinstance(freeze, Iterable):
        raise UsageError(f"freeze must be True, False or a list of words, got {freeze!r}")
    return list(freeze)


def check_all_move(parameters: Parameters, is_frozen: bool) -> None:
    """Raise UsageError if vectors are frozen that the bias of the input side would move."""
    if is_frozen and parameters.bias == BOTH_BIASES:
        raise UsageError(
            f"bias={BOTH_BIASES!r} moves every vector: freeze and vectors_lockf cannot hold any; "
            "use bias=True, or freeze nothing"
        )


def frozen_rows(
    freeze: Freeze, vocabulary: Vocabulary, start: TakenOver | None
) -> NDArray[np.uint8] | None:
    """Return (n_words,) uint8, 1 for each word whose vector is to stay, None if all may change.

    freeze: True or "all"; "known" for what was taken over; or words, of which those outside the
    vocabulary are counted in a warning.  Raises UsageError if none is in it.
    """
    freeze = check_freeze(freeze)
    if freeze is False:
        return None
    if freeze is True or freeze == "all":
        return np.ones(len(vocabulary), np.uint8)
    if freeze == "known":
        if start is None:
            raise UsageError("freeze='known' needs init_from, or a vocabulary that was updated")
        return start.known.astype(np.uint8)
    assert not isinstance(freeze, bool | str)
    return _rows_of(dict.fromkeys(freeze), vocabulary)


def locked_rows(
    frozen: NDArray[np.uint8] | None, lockf: NDArray[Any] | None, n_words: int
) -> NDArray[np.uint8] | None:
    """Return what is frozen together with the words whose factor is 0, as gensim's vectors_lockf.

    lockf: (n_words,) or (1,), 0 or 1.  Raises UsageError for anything else.
    """
    if lockf is None:
        return frozen
    if len(lockf) not in (1, n_words) or not np.isin(lockf, (0, 1)).all():
        raise UsageError(
            f"vectors_lockf must be 0 (held) or 1 (trained) for each of the {n_words} words, "
            f"got {len(lockf)} values from {np.min(lockf)} to {np.max(lockf)}"
        )
    if np.all(lockf):
        return frozen
    locked = np.broadcast_to(np.equal(lockf, 0), n_words).astype(np.uint8)
    return locked if frozen is None else frozen | locked


def _rows_of(words: dict[str, None], vocabulary: Vocabulary) -> NDArray[np.uint8] | None:
    if not words:
        return None
    frozen = np.zeros(len(vocabulary), np.uint8)
    missing = [word for word in words if word not in vocabulary]
    if len(missing) == len(words):
        raise UsageError(
            f"none of the {len(words)} words to freeze is in the vocabulary, such as {missing[0]!r}"
        )
    if missing:
        warnings.warn(
            f"{len(missing)} of {len(words)} words to freeze are not in the vocabulary, such as "
            f"{missing[0]!r}",
            stacklevel=4,
        )
    frozen[[vocabulary.index[word] for word in words if word in vocabulary]] = 1
    return frozen


class RunCounts(NamedTuple):
    """What a model's file says of the text that its vocabulary is from."""

    corpus_count: int
    corpus_total_words: int


# Told in the file, but chosen anew on another machine; and where the run of a checkpoint stood.
BLOCKS = "blocks"  # how many words a training step took at once, as text
NOT_SETTINGS = ("backend", "workers", BLOCKS, TIES_KEY, CHECKPOINT_KEY)


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
