"""A folder that sentence-transformers loads as a StaticEmbedding, and that model2vec loads.

model.safetensors holds `embeddings` (n_tokens, dim); tokenizer.json holds the words as a WordLevel
vocabulary; config.json and modules.json hold the metadata that the libraries require.
The reader accepts any vocabulary with one token per row, including folders that
sentence-transformers saved.
"""

import json
import os
from os import PathLike
from pathlib import PurePosixPath
from typing import Any, NoReturn

import numpy as np

from fastw2v.base.atomic import atomic_group, not_replaced
from fastw2v.errors import ModelFormatError, reading, writing
from fastw2v.formats.head import Head
from fastw2v.formats.precision import Reduced, reduce_vectors
from fastw2v.formats.records import HF
from fastw2v.formats.tensor_file import TensorFile, write_tensors
from fastw2v.formats.word_vectors import WordVectors, drop_repeated, encode_words

TENSORS = ("embeddings", "embedding.weight")  # in model2vec, in sentence-transformers
UNKNOWN = "[UNK]"  # the token of unknown words; its vector is zero
MAX_JSON_BYTES = 1 << 30


def looks_like(head: Head) -> bool:
    """Return whether a folder holds a file of this format besides model.safetensors."""
    return any(os.path.isfile(file) for file in HF.files(head.path)[1:])


def write(path: str | PathLike[str], word_vectors: WordVectors, *, dtype: str = "float32") -> None:
    """Write the four files to a folder, creating it if needed.

    The tokenizer splits text at white space.  An unknown word gets a zero vector.
    dtype: of the vectors: float32 or float16.
    Raises SaveError naming a word that is empty, contains white space or is not Unicode.
    """
    name = os.fspath(path)
    words = word_vectors.words
    encode_words(name, words, HF)
    embeddings = reduce_vectors(name, word_vectors, dtype).values
    if UNKNOWN not in words:
        words = [*words, UNKNOWN]
        embeddings = np.concatenate([embeddings, np.zeros((1, word_vectors.dim), dtype)])
    settings = word_vectors.settings
    lowercase = settings.get("lowercase") is True
    lowercase |= str(settings.get("tokenizer")).startswith(("words", "simple"))
    model, tokenizer, config, modules = HF.files(name)
    contents = {
        tokenizer: _tokenizer(words, lowercase),
        config: _config(word_vectors.dim),
        modules: [
            {
                "idx": 0,
                "name": "0",
                "path": ".",
                "type": "sentence_transformers.models.StaticEmbedding",
            }
        ],
    }
    with writing(name):
        os.makedirs(name, exist_ok=True)
    with atomic_group() as group:
        with group.open(model) as file:  # first, since read() and other libraries need it
            write_tensors(file, {TENSORS[0]: embeddings}, {"format": "pt"})
        for file_name, content in contents.items():
            with group.open(file_name) as file:
                file.write(json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8"))


def _config(dim: int) -> dict[str, Any]:
    return {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": dim,
        "seq_length": 1_000_000,
        "normalize": False,
    }


def _tokenizer(words: list[str], lowercase: bool) -> dict[str, Any]:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"} if lowercase else None,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "[ \\t\\n\\r\\x0b\\f]+"},
            "behavior": "Removed",
            "invert": False,
        },
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: row for row, word in enumerate(words)},
            "unk_token": UNKNOWN,
        },
    }


def read(path: str | PathLike[str], *, limit: int | None = None) -> WordVectors:
    """Read the tokens and their vectors; the unknown token is skipped if its vector is zero.

    Raises ReadError, or ModelFormatError naming the file and the problem.
    """
    folder = _module_folder(os.fspath(path))
    name, tokenizer, *_ = HF.files(folder)
    with reading(name), not_replaced(name), open(name, "rb") as file:
        tokens, unknown = _tokens(tokenizer, _load_json(tokenizer))
        tensors = TensorFile(name, file, mmap=False, verify=False)
        key = next((key for key in TENSORS if tensors.has(key)), None)
        if key is None:
            tensors.complain(f"no tensor {' or '.join(map(repr, TENSORS))}")
        if tensors.has("mapping"):
            tensors.complain("several tokens share a row (`mapping`), which is not supported")
        dtype = "F16" if tensors.dtype(key) == "F16" else "F32"
        rows = tensors.matrix(key, dtype)
    if len(tokens) != len(rows) or None in tokens:
        _complain(tokenizer, f"{len(rows)} rows, and {len(tokens)} tokens that name them")
    words = [token for token in tokens if token is not None]
    vectors = Reduced(rows).restored()
    if unknown in words and not vectors[words.index(unknown)].any():
        row = words.index(unknown)
        words, vectors = words[:row] + words[row + 1 :], np.delete(vectors, row, axis=0)
    return drop_repeated(folder, WordVectors(words[:limit], vectors[:limit]))


def _complain(name: str, problem: str) -> NoReturn:
    raise ModelFormatError(f"{name}: {problem}")


def _load_json(name: str) -> Any:
    with reading(name), open(name, "rb") as file:
        text = file.read(MAX_JSON_BYTES)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        _complain(name, f"not valid JSON: {error}")


def _module_folder(folder: str) -> str:
    """Return the folder of the first module in modules.json: this folder or a subfolder."""
    name = HF.files(folder)[-1]
    if not os.path.exists(name):
        return folder
    modules = _load_json(name)
    first = modules[0] if isinstance(modules, list) and modules else None
    inner = first.get("path", "") if isinstance(first, dict) else None
    if not isinstance(inner, str) or not isinstance(first, dict):
        _complain(name, "names no module with a path")
    if not str(first.get("type", "")).endswith("StaticEmbedding"):
        _complain(name, f"its first module is {first.get('type')!r}, not a StaticEmbedding")
    if not _is_path(inner):
        _complain(name, f"the path {inner!r} cannot be the name of a folder")
    if PurePosixPath(inner).is_absolute() or ".." in PurePosixPath(inner).parts:
        _complain(name, f"the path {inner!r} points outside the folder")
    return os.path.join(folder, inner) if inner not in ("", ".") else folder


def _is_path(text: str) -> bool:
    """Return whether the system could have a file of this name: no lone surrogate, no NUL."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _text(token: Any) -> str:
    """Return a token.  Raises TypeError or ValueError unless it is Unicode text."""
    if not isinstance(token, str):
        raise TypeError(f"the token {token!r} is not text")
    token.encode()
    return token


def _row(value: Any) -> int:
    """Return a row number.  Raises TypeError, ValueError or OverflowError for anything else."""
    row = int(value)
    if row != value:
        raise ValueError(f"{value!r} is not a row number")
    return row


def _tokens(name: str, tokenizer: Any) -> tuple[list[str | None], str | None]:
    """Return the token of each row, and the unknown token."""
    try:
        model = tokenizer["model"]
        vocab = model["vocab"]
        if isinstance(vocab, list):  # Unigram: pairs of token and score
            ids = {_text(token): row for row, (token, _) in enumerate(vocab)}
        else:
            ids = {_text(token): _row(row) for token, row in vocab.items()}
        for token in tokenizer.get("added_tokens") or []:
            ids[_text(token["content"])] = _row(token["id"])
        unknown = model.get("unk_token")
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError) as error:
        _complain(name, f"no valid vocabulary: {error!r}")
    if not all(0 <= row < 2 * len(ids) for row in ids.values()):
        _complain(name, "the token ids of its vocabulary have gaps")
    tokens: list[str | None] = [None] * (max(ids.values(), default=-1) + 1)
    for token, row in ids.items():
        tokens[row] = token
    return tokens, unknown
