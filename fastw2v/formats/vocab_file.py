"""Word counts as word2vec.c saves them: one line `word count` a word."""

import os
from collections.abc import Iterable
from os import PathLike

from fastw2v.errors import ModelFormatError, reading
from fastw2v.formats.atomic import atomic_write
from fastw2v.formats.words import encode_plain_words


def write_counts(path: str | PathLike[str], words: list[str], counts: Iterable[int]) -> None:
    """Write the count of each word; raise SaveError if a word cannot stand in such a line."""
    encoded = encode_plain_words(os.fspath(path), words)
    with atomic_write(path) as file:
        for word, count in zip(encoded, counts, strict=True):
            file.write(b"%b %d\n" % (word, count))


def read_counts(
    path: str | PathLike[str], encoding: str = "utf-8", errors: str = "surrogateescape"
) -> dict[str, int]:
    """Return the count of each word; raise ReadError, or ModelFormatError naming the line."""
    counts = {}
    with reading(path), open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            word, _, count = line.rstrip().rpartition(b" ")
            if not count.isdigit() or len(count) > 18:  # 10**18 still fits int64
                raise ModelFormatError(
                    f"{os.fspath(path)}: line {number}: expected `word count`, got {line[:60]!r}"
                )
            counts[word.decode(encoding, errors)] = int(count)
    return counts
