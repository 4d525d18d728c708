"""Words as bytes: UTF-8, with whatever is not UTF-8 kept as surrogate escapes."""

import warnings
from collections.abc import Hashable, Iterable, Sequence

from fastw2v.errors import SaveError
from fastw2v.formats.records import NATIVE, Format
from fastw2v.formats.word_vectors import WordVectors


def decode_words(
    words: Iterable[bytes], encoding: str = "utf-8", errors: str = "surrogateescape"
) -> list[str]:
    """Return the words as strings; by default no byte is lost."""
    return [word.decode(encoding, errors) for word in words]


def encode_words(path: str, words: Sequence[str], format: Format) -> list[bytes]:
    """Return the words as bytes.

    Raises SaveError naming a word that no file can give back, or that the format cannot hold.
    """
    try:
        encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    except UnicodeEncodeError as error:
        raise SaveError(f"cannot write {path}: {error.object!r} is not Unicode text") from error
    if len(set(encoded)) != len(encoded):
        word = words[repeated_rows(encoded)[0]]
        raise SaveError(f"cannot write {path}: word {word!r} occurs twice")
    if format.refused is not None:
        refused = next(filter(format.refused.search, words), None)
        if refused is not None:
            raise SaveError(
                f"cannot write {path}: this format cannot hold the word {refused!r} "
                f"({format.refused_words}); the {NATIVE.name} format can"
            )
    return encoded


def repeated_rows(words: Sequence[Hashable]) -> list[int]:
    """Return the positions of all words that stood earlier in the list already."""
    seen: set[Hashable] = set()
    repeated = []
    for row, word in enumerate(words):
        if word in seen:
            repeated.append(row)
        seen.add(word)
    return repeated


def drop_repeated(path: str, word_vectors: WordVectors) -> WordVectors:
    """Return only the first row of each word, with a warning that counts the others."""
    words = word_vectors.words
    if len(set(words)) == len(words):
        return word_vectors
    repeated = repeated_rows(words)
    warnings.warn(
        f"{path}: {len(repeated)} of {len(words)} rows repeat an earlier word "
        f"(the first is {words[repeated[0]]!r}) and were left out",
        stacklevel=3,
    )
    kept = sorted(set(range(len(words))).difference(repeated))
    counts = None if word_vectors.counts is None else word_vectors.counts[kept]
    return WordVectors([words[row] for row in kept], word_vectors.vectors[kept], counts)
