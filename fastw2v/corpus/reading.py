"""The parameters of reading a corpus, and the counting of cells."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastw2v.corpus.cells import CellCounter
from fastw2v.corpus.encode import EncodedCorpus, encode, fold_case
from fastw2v.corpus.sentences import PROGRESS_SECONDS, Progress
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, SpoolWriter
from fastw2v.corpus.tokenizers import AnyTokenizer
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules


@dataclass(frozen=True)
class Reading:
    """Parameters shared by the readers of a corpus.

    rules: the rules that choose the vocabulary.
    vocabulary: encode with this vocabulary instead.
    column: column of a table, dataset or mapping that holds the sentences; optional if there is
    only one.
    lowercase: convert words to lower case, by the rules of Unicode.
    tokenizer: a Tokenizer, or a function from a text to a list of tokens; None to split at white
    space.
    spool_limit_bytes: size beyond which word ids move to temporary files.
    progress: called about ten times a second with (0, None, tokens so far).
    """

    rules: VocabularyRules
    vocabulary: Vocabulary | None = None
    column: str | None = None
    lowercase: bool = False
    tokenizer: AnyTokenizer | None = None
    spool_limit_bytes: int = SPOOL_LIMIT_BYTES
    progress: Progress | None = None

    def common(self) -> dict[str, Any]:
        """Return the parameters that all readers accept, by name."""
        names = ("rules", "vocabulary", "lowercase", "spool_limit_bytes", "progress")
        return {name: getattr(self, name) for name in names}

    def count(
        self, fill: Callable[[CellCounter], object], name: str = "the corpus"
    ) -> EncodedCorpus:
        """Count the cells of a column with `fill` and encode them; name: its name in errors."""
        started = time.perf_counter()
        writer = SpoolWriter(self.spool_limit_bytes)
        counter = CellCounter(writer, self.tokenizer, self._ticker())
        try:
            fill(counter)
            counted = counter.finish(name)
            self.tell(writer.n_tokens)
            if self.lowercase:
                counted = fold_case(counted)
            return encode(counted, self.rules, self.vocabulary, counter.n_text_bytes, started)
        except BaseException:
            writer.close()
            raise

    def tell(self, n_tokens: int) -> None:
        """Report progress now."""
        if self.progress:
            self.progress(0, None, n_tokens)

    def _ticker(self) -> Callable[[int], None]:
        """Return a function that reports progress at most every PROGRESS_SECONDS."""
        next_report = time.monotonic() + PROGRESS_SECONDS

        def tick(n_tokens: int) -> None:
            nonlocal next_report
            if time.monotonic() >= next_report:
                self.tell(n_tokens)
                next_report = time.monotonic() + PROGRESS_SECONDS

        return tick
