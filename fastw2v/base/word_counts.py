"""Word counts in the format of word2vec.c's -save-vocab: one line `word count` per word."""

import itertools
import os
from collections.abc import Iterable, Sequence
from os import PathLike

from fastw2v.base.compression import begin_text, open_unpacked, short_lines, write_packed
from fastw2v.base.content import HEAD_BYTES, check_start
from fastw2v.errors import ModelFormatError, SaveError

MAX_COUNT = 2**63 - 1  # int64


def write_word_counts(
    path: str | PathLike[str], words: Sequence[str], counts: Iterable[int]
) -> None:
    """Write the count of each word atomically.

    Raises SaveError if the file cannot be written, a word is empty or contains a newline, or the
    file would begin like one that is not text.
    """
    encoded = [_encoded(word, os.fspath(path)) for word in words]
    lines = (b"%b %d\n" % pair for pair in zip(encoded, counts, strict=True))
    head = b"".join(itertools.islice(lines, HEAD_BYTES))
    check_start(os.fspath(path), head[:HEAD_BYTES])
    with write_packed(path) as file:
        file.write(head)
        file.writelines(lines)


def read_word_counts(
    path: str | PathLike[str], encoding: str = "utf-8", errors: str = "surrogateescape"
) -> dict[str, int]:
    """Return the count, >= 0, of each word, in file order.

    Words may contain spaces; a tab may precede the count.
    Raises ReadError, or ModelFormatError naming the line that is malformed or repeats a word.
    """
    name = os.fspath(path)
    counts: dict[bytes, int] = {}
    with open_unpacked(name, ModelFormatError) as (file, _):
        begin_text(file, name, ModelFormatError)
        for number, line in enumerate(short_lines(file, name, ModelFormatError), 1):
            word, count = _parsed(line, f"{name}, line {number}")
            if word in counts:
                shown = word.decode("utf-8", "surrogateescape")
                raise ModelFormatError(f"{name}, line {number}: {shown!r} occurs twice")
            counts[word] = count
    return {word.decode(encoding, errors): count for word, count in counts.items()}


def _encoded(word: str, name: str) -> bytes:
    """Return the bytes of a word; raise SaveError if a line cannot hold it."""
    if not word or "\n" in word:
        raise SaveError(f"cannot write {name}: a line cannot hold the word {word!r}")
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise SaveError(f"cannot write {name}: {word!r} is not valid Unicode") from error


def _parsed(line: bytes, where: str) -> tuple[bytes, int]:
    """Return the word and count of a line."""
    line = line.removesuffix(b"\n")
    word, separator, count = line.rpartition(b" ")
    if not separator:
        word, separator, count = line.rpartition(b"\t")
    count = count.rstrip(b"\r")
    n = int(count) if count.isdigit() and len(count) < 20 else -1
    if not word or not 0 <= n <= MAX_COUNT:
        shown = line[:60].decode("utf-8", "replace")
        raise ModelFormatError(f"{where}: expected a word and its count, got {shown!r}")
    return word, n
