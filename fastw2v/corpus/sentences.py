"""Read a corpus from a Python iterable of token lists."""

import time
from array import array
from collections.abc import Callable, Iterable

import numpy as np

from fastw2v.corpus.encode import CountedCorpus, EncodedCorpus, EncodedPiece, encode, fold_case
from fastw2v.corpus.lexicon import TokenLexicon
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, SpoolWriter
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules
from fastw2v.errors import CorpusError

# done_bytes, total_bytes or None where it is not known, n_tokens
Progress = Callable[[int, int | None, int], None]

PIECE_TOKENS = 1 << 18  # 1 MiB of ids between two appends to the spool
PROGRESS_SECONDS = 0.1


def read_token_lists(
    sentences: Iterable[Iterable[object]],
    *,
    rules: VocabularyRules,
    vocabulary: Vocabulary | None = None,
    lowercase: bool = False,
    spool_limit_bytes: int = SPOOL_LIMIT_BYTES,
    progress: Progress | None = None,
) -> EncodedCorpus:
    """Count and encode sentences in one pass, which may come from a generator.

    sentences: iterables of tokens, such as lists, tuples or NumPy arrays; a token is a string of
    any characters, or an integer, which stands for its digits.
    rules: which words are kept.  vocabulary: encode with this one instead.
    lowercase: lower each word, by Unicode's rules.
    spool_limit_bytes: what is kept in memory before word ids go to a temporary file.
    progress: called about ten times a second with (0, None, tokens so far).
    Returns an EncodedCorpus; close its spool after use.
    Raises CorpusError if an item is not a list of tokens, there are no words or none is kept;
    SaveError if the temporary file cannot be written; and what the iterable raises.
    """
    started = time.perf_counter()
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Iterable):
        raise CorpusError(
            f"sentences is {_kind(sentences)}, expected an iterable of lists of tokens; "
            "pass the path of a file as corpus_file"
        )
    reader = _SentenceReader(SpoolWriter(spool_limit_bytes), progress)
    try:
        for number, sentence in enumerate(sentences, 1):
            reader.add(number, sentence)
        counted = reader.finish()
        if lowercase:
            counted = fold_case(counted)
        return encode(counted, rules, vocabulary, 0, started)
    except BaseException:
        reader.writer.close()
        raise


class _SentenceReader:
    """Gathers the ids of sentences into pieces."""

    def __init__(self, writer: SpoolWriter, progress: Progress | None) -> None:
        self.writer = writer
        self._lexicon = TokenLexicon()
        self._pieces: list[EncodedPiece] = []
        self._progress = progress
        self._next_report = time.monotonic() + PROGRESS_SECONDS
        self._ids = array("i")
        self._ends = array("q")

    def add(self, number: int, sentence: object) -> None:
        """Append a sentence, unless it is empty; `number` is for errors."""
        if isinstance(sentence, list | tuple):
            tokens: Iterable[object] = sentence
        else:
            tokens = _tokens_of(number, sentence)
        n_before = len(self._ids)
        try:
            self._lexicon.append_ids(tokens, self._ids)
        except TypeError as error:
            raise CorpusError(f"sentence {number}: {error}") from error
        if len(self._ids) > n_before:
            self._ends.append(len(self._ids))
        if len(self._ids) >= PIECE_TOKENS:
            self._flush()
        if self._progress and time.monotonic() >= self._next_report:
            self._report()

    def finish(self) -> CountedCorpus:
        """Return what was counted."""
        self._flush()
        self._report()
        n_words = self._lexicon.n_words
        return CountedCorpus(
            name="the corpus",
            counts=self._lexicon.counts,
            decode=self._lexicon.decode,
            written=self.writer,
            pieces=self._pieces,
            word_numbers=[np.arange(n_words, dtype=np.int32)],
        )

    def _flush(self) -> None:
        if not self._ids:
            return
        word_ids = np.frombuffer(self._ids, np.int32)
        self._lexicon.count(word_ids)
        n_ends = self.writer.append(word_ids, np.frombuffer(self._ends, np.int64))
        self._pieces.append(EncodedPiece(0, len(word_ids), n_ends, self._lexicon.n_words))
        self._ids, self._ends = array("i"), array("q")

    def _report(self) -> None:
        if self._progress:
            self._progress(0, None, self.writer.n_tokens + len(self._ids))
            self._next_report = time.monotonic() + PROGRESS_SECONDS


def _tokens_of(number: int, sentence: object) -> Iterable[object]:
    """Return the tokens of what is neither list nor tuple."""
    if isinstance(sentence, np.ndarray) and sentence.ndim == 1:
        tokens: list[object] = sentence.tolist()
        return tokens
    if isinstance(sentence, str | bytes | np.ndarray) or not isinstance(sentence, Iterable):
        raise CorpusError(
            f"sentence {number} is {_kind(sentence)}, expected a list of tokens; "
            "pass [s.split() for s in sentences]"
        )
    return list(sentence)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, np.ndarray):
        return f"an array of {value.ndim} dimensions"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
