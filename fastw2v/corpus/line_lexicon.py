"""Text that a Python function splits, line by line."""

import threading
from array import array
from collections.abc import Callable, Iterable

import numpy as np

from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.corpus.sources import Stopped
from fastw2v.corpus.token_lexicon import TokenLexicon
from fastw2v.errors import CorpusError


class LineLexicon(TokenLexicon):
    """Counts text by its lines, which a tokenizer splits."""

    def __init__(self, tokenizer: Callable[[str], list[str]], stop: threading.Event) -> None:
        """tokenizer: from a line without its newline to tokens; `stop` ends the work."""
        super().__init__()
        self._tokenizer = tokenizer
        self._stop = stop

    def encode(self, text: bytes | memoryview) -> tuple[Int32Array, Int64Array]:
        """Count a block of whole lines; returns what Lexicon.encode() does."""
        ids = array("i")
        ends = [0]
        for line in bytes(text).decode("utf-8", "surrogateescape").split("\n"):
            if self._stop.is_set():
                raise Stopped
            tokens = self._tokenizer(line) if line else []
            self._append_line(tokens, ids)
            if len(ids) > ends[-1]:
                ends.append(len(ids))
        word_ids = np.frombuffer(ids, np.int32) if ids else np.empty(0, np.int32)
        self.count(word_ids)
        return word_ids, np.array(ends, np.int64)

    def _append_line(self, tokens: object, ids: "array[int]") -> None:
        if isinstance(tokens, str | bytes) or not isinstance(tokens, Iterable):
            kind = type(tokens).__name__
            raise CorpusError(f"the tokenizer must return a list of tokens, got a {kind}")
        tokens = list(tokens)
        try:
            self.append_ids(tokens, ids)
        except TypeError as error:
            raise CorpusError(f"the tokenizer returned {tokens!r:.80}: {error}") from error
