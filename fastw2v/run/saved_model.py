"""Convert models to files and back; start training from other vectors, with frozen rows."""

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_choice, check_flag, check_integer, shown
from fastw2v.corpus import Vocabulary, VocabularyRules
from fastw2v.corpus.tokenizers import RULES, Tokenizer
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, read_vectors
from fastw2v.sampling import SHUFFLED
from fastw2v.sampling.huffman import TIES
from fastw2v.training.arrays import ModelArrays, build_arrays, effective_settings
from fastw2v.training.events import CHECKPOINT_KEY
from fastw2v.training.parameters import BOTH_BIASES, OWN, Parameters

COPIED_ROWS = 4096  # rows copied at a time, to save memory
FREEZE_KEYWORDS = ("all", "known")
MAX_COUNT = 2**63 - 1  # of tokens, int64
TIES_KEY = "huffman_ties"  # key in a model file; files without it have shuffled ties
Freeze = bool | str | Iterable[str]


@dataclass(frozen=True)
class TakenOver:
    """The rows that a model copied from existing vectors.

    known: (n_words,) bool, the words of the model that the source has.
    n_unused: words of the source that the model does not have.
    with_outputs: whether the output rows were copied, too.
    without_nodes: whether those of tree nodes were not, since the tree is another one.
    """

    known: NDArray[np.bool_]
    n_unused: int
    with_outputs: bool
    without_nodes: bool = False

    @property
    def n_known(self) -> int:
        """The number of words of the model that the source has."""
        return int(np.count_nonzero(self.known))

    def __str__(self) -> str:
        side = "both sides" if self.with_outputs else "word vectors only"
        if self.without_nodes:
            side = f"{side} but for the nodes of the tree, which changes"
        text = f"{self.n_known:,} of {len(self.known):,} words taken over, {side}"
        return f"{text}; {self.n_unused:,} not in the vocabulary" if self.n_unused else text


def take_over(
    arrays: ModelArrays, parameters: Parameters, vocabulary: Vocabulary, source: WordVectors
) -> TakenOver:
    """Copy the rows of shared words from a source into an untrained model.

    Output rows are copied only if the objectives are equal.  Rows of tree nodes are copied only if
    the words, counts and order of ties are equal, too.
    Raises UsageError if the source has none of the model's words.
    """
    dim = parameters.vector_size
    find = vocabulary.index.get
    target = np.fromiter((find(word, -1) for word in source.words), np.int64, len(source.words))
    rows = np.flatnonzero(target >= 0)
    if not len(rows):
        raise UsageError(
            f"init_from has none of the {len(vocabulary)} words of the vocabulary, such as "
            f"{vocabulary.words[0]!r}; its first words are {source.words[:3]}"
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
            arrays.in_rows[~known, :dim] += bias  # the copied rows already include it
    without_nodes = outputs is not None and arrays.paths is not None and 0 not in outputs[0]
    return TakenOver(known, len(source.words) - len(rows), outputs is not None, without_nodes)


def ties_in(settings: dict[str, Any]) -> str:
    """Return the order of ties in the Huffman tree of a model file."""
    return str(settings.get(TIES_KEY, SHUFFLED))


def _output_rows(
    arrays: ModelArrays,
    parameters: Parameters,
    vocabulary: Vocabulary,
    source: WordVectors,
    target: NDArray[np.int64],
    rows: NDArray[np.intp],
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return (target rows, source rows) of the outputs, or None if they do not correspond."""
    if source.output_vectors is None or source.settings.get("objective") != parameters.objective:
        return None
    objective, found = parameters.objective_record, source.output_vectors
    if arrays.paths is not None and _is_same_tree(arrays.paths.ties, vocabulary, source):
        every = np.arange(len(found))
        return every, every
    if not objective.scores_words:
        return None
    n_nodes, nodes_there = (objective.n_nodes(len(words)) for words in (vocabulary, source.words))
    return n_nodes + target[rows], nodes_there + rows


def _is_same_tree(ties: str, vocabulary: Vocabulary, source: WordVectors) -> bool:
    """Return whether a source's words have the Huffman tree of the vocabulary."""
    return (
        ties_in(source.settings) == ties
        and source.words == vocabulary.words
        and np.array_equal([] if source.counts is None else source.counts, vocabulary.counts)
    )


def _copy_rows(
    to: NDArray[np.float32], to_rows: NDArray[Any], source: NDArray[Any], rows: NDArray[Any]
) -> None:
    for begin in range(0, len(rows), COPIED_ROWS):
        block = slice(begin, begin + COPIED_ROWS)
        to[to_rows[block]] = source[rows[block]]


def check_freeze(freeze: Freeze) -> Freeze:
    """Return freeze, with an iterable of words as a list.  Raises UsageError if it is invalid."""
    if isinstance(freeze, str) and freeze not in FREEZE_KEYWORDS:
        raise UsageError(
            f"freeze must be True, False, {' or '.join(map(repr, FREEZE_KEYWORDS))} or a list of "
            f"words, got {shown(freeze)}"
        )
    if isinstance(freeze, bool | str):
        return freeze
    is_list = isinstance(freeze, Iterable) and getattr(freeze, "ndim", 1) > 0
    words = list(freeze) if is_list else []
    if not is_list or not all(isinstance(word, str) for word in words):
        raise UsageError(f"freeze must be True, False or a list of words, got {shown(freeze)}")
    return words


def check_known(freeze: Freeze, init_from: object) -> None:
    """Raise UsageError if freeze="known" and no vectors are taken over."""
    if isinstance(freeze, str) and freeze == "known" and init_from is None:
        raise UsageError("freeze='known' needs init_from, or a vocabulary that was updated")


def check_all_move(parameters: Parameters, is_frozen: bool) -> None:
    """Raise UsageError if vectors are frozen but the input bias would change them."""
    if is_frozen and parameters.bias == BOTH_BIASES:
        raise UsageError(
            f"bias={BOTH_BIASES!r} changes every vector: freeze and vectors_lockf cannot keep any; "
            "use bias=True, or freeze nothing"
        )


def frozen_rows(
    freeze: Freeze, vocabulary: Vocabulary, taken_over: TakenOver | None
) -> NDArray[np.uint8] | None:
    """Return (n_words,) uint8, 1 for frozen words and 0 for others; None if none is frozen.

    freeze: True or "all"; "known" for the words copied from init_from; or an iterable of words.
    Words outside the vocabulary are counted in a warning.
    Raises UsageError if no word is in the vocabulary, or if "known" is given without init_from.
    """
    freeze = check_freeze(freeze)
    if freeze is False:
        return None
    if freeze is True or freeze == "all":
        return np.ones(len(vocabulary), np.uint8)
    if freeze == "known":
        if taken_over is None:
            raise UsageError("freeze='known' needs init_from, or a vocabulary that was updated")
        return taken_over.known.astype(np.uint8)
    assert not isinstance(freeze, bool | str)
    return _rows_of(dict.fromkeys(freeze), vocabulary)


def locked_rows(
    frozen: NDArray[np.uint8] | None, lockf: NDArray[Any] | None, n_words: int
) -> NDArray[np.uint8] | None:
    """Combine frozen rows with gensim's vectors_lockf, where 0 freezes a word.

    lockf: (n_words,) or (1,), values 0 or 1, or None.  Raises UsageError if it is invalid.
    """
    if lockf is None:
        return frozen
    if len(lockf) not in (1, n_words) or not np.isin(lockf, (0, 1)).all():
        raise UsageError(
            f"vectors_lockf must be 0 (frozen) or 1 (trained) for each of the {n_words} words, "
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
    """The size of the text that the vocabulary was counted on, as stored in a model file."""

    corpus_count: int
    corpus_total_words: int


BLOCKS = "blocks"  # key in a model file: number of words per training step, as text
# Keys of a model file that are not settings: values that each machine chooses, and the state of a
# checkpoint.
NOT_SETTINGS = ("backend", "workers", CHECKPOINT_KEY)


class StoredSettings(NamedTuple):
    """The settings of a model file, which pass the same checks as a user's."""

    parameters: Parameters
    rules: VocabularyRules
    counts: RunCounts
    blocks: str
    lowercase: bool
    tokenizer: Tokenizer | None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "StoredSettings":
        """Return the settings of a file.  Raises UsageError if one is wrong, missing or unknown."""
        rest = dict(settings)
        blocks, lowercase = rest.pop(BLOCKS, ""), rest.pop("lowercase", False)
        if not isinstance(blocks, str):
            raise UsageError(f"{BLOCKS} must be text, got {blocks!r}")
        check_flag("lowercase", lowercase)
        tokenizer = stored_tokenizer(rest.pop("tokenizer", None))
        check_choice(TIES_KEY, rest.pop(TIES_KEY, SHUFFLED), TIES)
        counts = RunCounts(*(rest.pop(name, 0) for name in RunCounts._fields))
        for name, n in counts._asdict().items():
            check_integer(name, n, 0, MAX_COUNT)
        missing = [name for name in ("min_count", "max_final_vocab") if name not in rest]
        if missing:
            raise UsageError(f"there is no {missing[0]}")
        rules = VocabularyRules(rest.pop("min_count"), rest.pop("max_final_vocab"))
        parameters = Parameters.from_mapping(rest)
        return cls(parameters, rules, counts, blocks, bool(lowercase), tokenizer)


def stored_tokenizer(name: object) -> Tokenizer | None:
    """Return the tokenizer that a file names, or None.  Raises UsageError for an unknown name."""
    tokenizer = Tokenizer.named(name) if isinstance(name, str) else None
    if tokenizer is None and name is not None:
        raise UsageError(f"tokenizer must be {', '.join(RULES)}, got {shown(name)}")
    return tokenizer


def settings_of(parameters: Parameters, rules: VocabularyRules) -> dict[str, Any]:
    """Return the settings to store in a model file, with defaults filled in."""
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
    """Return the content of a model file, without copying the rows."""
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
    """Return the file entry for the order of ties; empty without a Huffman tree."""
    return {} if arrays.paths is None else {TIES_KEY: arrays.paths.ties}


def read_model(path: str | PathLike[str], *, verify: bool, allow_non_finite: bool) -> WordVectors:
    """Return the content of a native file, or of a model that gensim saved.

    Raises ModelFormatError if it holds no model, or values that are not finite unless they are
    allowed.
    """
    from fastw2v.formats.sniff import is_gensim  # not needed to train

    format = "gensim" if is_gensim(path) else "native"
    data = read_vectors(path, format, verify=verify, allow_non_finite=allow_non_finite)
    if data.counts is None or data.output_vectors is None or not data.settings:
        raise ModelFormatError(
            f"{os.fspath(path)}: has vectors but no model; read it with KeyedVectors.load"
        )
    if not can_be_counts(data.counts):
        raise ModelFormatError(f"{os.fspath(path)}: its counts are negative, or too large")
    return data


def can_be_counts(counts: NDArray[np.int64]) -> bool:
    """Return whether counts are at least 0 and their sum is an int64."""
    return bool((counts >= 0).all()) and float(counts.sum(dtype=np.float64)) < MAX_COUNT


def settings_in_file(data: WordVectors) -> dict[str, Any]:
    """Return the settings of a file that do not depend on the machine.

    A custom schedule cannot be stored; it becomes linear, with a warning.
    """
    settings = {name: v for name, v in data.settings.items() if name not in NOT_SETTINGS}
    schedule = settings.get("schedule")
    if isinstance(schedule, str) and schedule.startswith(OWN):
        warnings.warn(
            f"the model's schedule was the function {schedule.removeprefix(OWN)}, which a file "
            "cannot store: further training is linear unless you set model.parameters",
            stacklevel=5,
        )
        settings["schedule"] = "linear"
    return settings


def arrays_in_file(parameters: Parameters, data: WordVectors) -> ModelArrays:
    """Return arrays filled from a file.  Raises ValueError if the shapes disagree."""
    assert data.counts is not None  # read_model checks this
    if data.dim != parameters.vector_size:
        raise ValueError(f"vector_size is {parameters.vector_size}, but its rows have {data.dim}")
    arrays = build_arrays(parameters, data.counts, ties_in(data.settings))
    fill_arrays(arrays, data)
    return arrays


def fill_arrays(arrays: ModelArrays, data: WordVectors) -> None:
    """Copy the rows of a file into arrays.  Raises ValueError if the shapes disagree."""
    _fill("vectors", arrays.in_rows[:, : data.dim], data.vectors)
    _fill("output vectors", arrays.out_rows[:, : data.dim], data.output_vectors)
    _fill("an output bias", arrays.out_bias, data.output_bias)
    _fill("an input bias", arrays.input_bias(data.dim), data.input_bias)


def _fill(what: str, to: NDArray[np.float32] | None, stored: NDArray[np.float32] | None) -> None:
    if to is None and stored is None:
        return
    if to is None or stored is None or to.shape != stored.shape:
        wanted, found = (
            "none" if array is None else f"shape {array.shape}" for array in (to, stored)
        )
        raise ValueError(f"the settings require {what}: {wanted}, but the file has {found}")
    to[...] = stored


def vectors_of(source: Any, vector_size: int) -> WordVectors:
    """Return the vectors to start training from.

    source: the path of a vectors file of any format, or a Word2Vec or KeyedVectors of fastw2v or
    gensim.
    Raises UsageError for another type, or if the vector size is not vector_size.
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
            f"{name}: its vectors have {found.dim} values, but vector_size is {vector_size}; "
            f"set vector_size={found.dim}"
        )
    return found


def base_vocabulary(known: WordVectors) -> Vocabulary:
    """Return the words and counts of known vectors as a vocabulary that can grow."""
    if known.counts is None:
        raise UsageError("grow=True needs counts, which only files written by Word2Vec.save have")
    return Vocabulary(known.words, known.counts)


def check_grow(grow: object, init_from: object) -> None:
    """Raise UsageError if grow is set without init_from."""
    check_flag("grow", grow)
    if grow and init_from is None:
        raise UsageError("grow=True needs init_from, the vectors whose words to keep")
