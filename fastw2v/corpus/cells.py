"""Read the cells of a table's column as sentences: texts to split, or lists of tokens."""

import threading
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.corpus.encode import CountedCorpus, EncodedPiece
from fastw2v.corpus.lexicon import Lexicon, LineLexicon, TokenLexicon
from fastw2v.corpus.spool import SpoolWriter
from fastw2v.corpus.tokenizers import AnyTokenizer, Tokenizer
from fastw2v.errors import CorpusError

ESCAPES = frozenset(map(chr, range(0xDC80, 0xDD00)))  # of bytes that are not UTF-8
TEXT_BYTES = 1 << 20  # joined and split at a time


class CellCounter:
    """Counts the cells of one column, which are all texts or all lists of tokens."""

    def __init__(
        self, writer: SpoolWriter, tokenizer: AnyTokenizer | None, report: Callable[[int], None]
    ) -> None:
        """tokenizer: splits texts; None for white space.  report: called with the token count."""
        self.writer = writer
        self.n_text_bytes = 0
        self._tokenizer, self._report = tokenizer, report
        self._lexicon: Lexicon | TokenLexicon | None = None
        self._pieces: list[EncodedPiece] = []

    def add_text(self, text: bytes | memoryview) -> None:
        """Count lines of text, one per cell, each ending in a newline."""
        if self._lexicon is None:
            self._lexicon = _text_lexicon(self._tokenizer)
        if not isinstance(self._lexicon, Lexicon | LineLexicon):
            raise CorpusError("the column mixes texts and lists of tokens: text follows a list")
        self.n_text_bytes += len(text)
        self._append(*self._lexicon.encode(text))

    def add_tokens(
        self, distinct: list[object], indices: npt.NDArray[np.integer[Any]], ends: Int64Array
    ) -> None:
        """Count tokens given as positions in a list of distinct tokens.

        distinct: the distinct tokens.  places: (n_tokens,) positions in it.
        ends: (n_ends,) int64, number of tokens up to the end of each list, including empty lists.
        Raises TypeError if an item is not a token.
        """
        if self._lexicon is None:
            self._lexicon = TokenLexicon()
        if not isinstance(self._lexicon, TokenLexicon) or isinstance(self._lexicon, LineLexicon):
            raise CorpusError("the column mixes texts and lists of tokens: a list follows text")
        ids = array("i")
        self._lexicon.append_ids(distinct, ids)
        word_ids = np.array(ids, np.int32)[indices]
        self._lexicon.count(word_ids)
        self._append(word_ids, ends[np.diff(ends, prepend=0) > 0])

    def finish(self, name: str) -> CountedCorpus:
        """Return the counted corpus; name: name of the corpus in errors."""
        lexicon = self._lexicon or TokenLexicon()
        return CountedCorpus(
            name=name,
            counts=lexicon.counts,
            decode=lexicon.decode,
            written=self.writer,
            encoded_pieces=self._pieces,
            word_numbers=[np.arange(lexicon.n_words, dtype=np.int32)],
            n_too_long=lexicon.n_too_long if isinstance(lexicon, Lexicon) else 0,
        )

    def _append(self, word_ids: Int32Array, ends: Int64Array) -> None:
        assert self._lexicon is not None
        n_ends = self.writer.append(word_ids, ends)
        self._pieces.append(EncodedPiece(0, len(word_ids), n_ends, self._lexicon.n_words))
        self._report(self.writer.n_tokens)


def _text_lexicon(tokenizer: AnyTokenizer | None) -> Lexicon | LineLexicon:
    if tokenizer is None or isinstance(tokenizer, Tokenizer):
        return Lexicon(tokenizer=tokenizer)
    return LineLexicon(tokenizer, threading.Event())


def as_lines(cells: Iterable[object]) -> Iterator[bytes]:
    """Yield strings joined as lines, about TEXT_BYTES at a time; newlines become spaces.

    None becomes an empty line.  Raises CorpusError for other values.
    """
    lines: list[str] = []
    n_characters = 0
    for row, cell in enumerate(cells, 1):
        if not isinstance(cell, str | None):
            raise CorpusError(f"row {row}: expected a string, got {cell!r:.80}")
        lines.append(str.replace("" if cell is None else cell, "\n", " ") + "\n")
        n_characters += len(lines[-1])
        if n_characters >= TEXT_BYTES:
            yield _encoded("".join(lines))
            lines, n_characters = [], 0
    yield _encoded("".join(lines))


def _encoded(text: str) -> bytes:
    """Encode a text, with the bytes of surrogate escapes; other surrogates take three bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return b"".join(map(_encoded_character, text))


def _encoded_character(character: str) -> bytes:
    handler = "surrogateescape" if character in ESCAPES else "surrogatepass"
    return character.encode("utf-8", handler)
