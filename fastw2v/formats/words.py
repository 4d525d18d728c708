"""Words as bytes: UTF-8, with whatever is not UTF-8 kept as surrogate escapes."""

import warnings
from collections.abc import Hashable, Iterable, Sequence

from fastw2v.errors import SaveError
from fastw2v.formats.word_vectors import WordVectors


def decode_words(
    words: Iterable[bytes], encoding: str = "utf-8", errors: str = "surrogateescape"
) -> list[str]:
    """Return the words as strings; by default no byte is lost."""
    return [word.decode(encoding, errors) for word in words]


def encode_words(path: str, words: Sequence[str]) -> list[bytes]:
    """Return the words as bytes; raise SaveError naming one that no file can give back."""
    try:
        encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    except UnicodeEncodeError as error:
        raise SaveError(f"cannot write {path}: {error.object!r} is not Unicode text") from error
    if len(set(encoded)) != len(encoded):
        word = words[repeated_rows(encoded)[0]]
        raise SaveError(f"cannot write {path}: word {word!r} occurs twice")
    return encoded


def encode_plain_words(path: str, words: Sequence[str]) -> list[bytes]:
    """Return the words as bytes for a format in which a space ends a word.

    Raises SaveError naming the first word that is empty or holds a space or a newline.
    """
    encoded = encode_words(path, words)
    for word in encoded:
        if not word or b" " in word or b"\n" in word:
            raise SaveError(
                f"cannot write {path}: this format cannot hold the word "
                f"{word.decode('utf-8', 'surrogateescape')!r} "
                "(empty, or with a space or newline in it); the native format can"
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
