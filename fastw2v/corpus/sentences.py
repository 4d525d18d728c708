"""Read a corpus from a Python iterable of token lists."""

import time
from array import array
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from fastw2v.corpus.encode import CountedCorpus, EncodedCorpus, EncodedPiece, encode, fold_case
from fastw2v.corpus.lexicon import TokenLexicon
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, SpoolWriter
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules
from fastw2v.errors import CorpusError

# Arguments: bytes done, total bytes (None if unknown), tokens so far.
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
    """Count and encode sentences in one pass.

    sentences: iterable or generator of iterables of tokens, such as lists, tuples or NumPy
    arrays. A token is a string of any characters, or an integer that is converted to its decimal
    digits.
    rules: the rules that choose the vocabulary.  vocabulary: encode with this one instead.
    lowercase: convert words to lower case, by the rules of Unicode.
    spool_limit_bytes: size beyond which word ids move to temporary files.
    progress: called about ten times a second with (0, None, tokens so far).
    Returns an EncodedCorpus; close its spool after use.
    Raises CorpusError if an item is not a list of tokens, there are no words or none is kept;
    SaveError if a temporary file cannot be written; any error of the iterable.
    """
    started = time.perf_counter()
    check_iterable(sentences)
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


def check_iterable(sentences: object) -> None:
    """Raise CorpusError unless sentences is an iterable that can hold sentences."""
    is_number = getattr(sentences, "ndim", 1) == 0  # an array of no dimension
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Iterable) or is_number:
        raise CorpusError(
            f"sentences is {_kind(sentences)}, expected an iterable of lists of tokens; "
            "pass the path of a file as corpus_file"
        )


class _SentenceReader:
    """Collects the ids of sentences into pieces."""

    def __init__(self, writer: SpoolWriter, progress: Progress | None) -> None:
        self.writer = writer
        self._lexicon = TokenLexicon()
        self._pieces: list[EncodedPiece] = []
        self._progress = progress
        self._next_report = time.monotonic() + PROGRESS_SECONDS
        self._ids = array("i")
        self._ends = array("q")

    def add(self, number: int, sentence: object) -> None:
        """Append a sentence unless it is empty; number: its number in errors."""
        if isinstance(sentence, list | tuple):
            tokens: Sequence[object] = sentence
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
        """Return the counted corpus."""
        self._flush()
        self._report()
        n_words = self._lexicon.n_words
        return CountedCorpus(
            name="the corpus",
            counts=self._lexicon.counts,
            decode=self._lexicon.decode,
            written=self.writer,
            encoded_pieces=self._pieces,
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


def _tokens_of(number: int, sentence: object) -> list[object]:
    """Return the tokens of a sentence that is neither a list nor a tuple."""
    if isinstance(sentence, np.ndarray) and sentence.ndim == 1:
        tokens: list[object] = sentence.tolist()
        return tokens
    if isinstance(sentence, str | bytes | np.ndarray) or not isinstance(sentence, Iterable):
        raise CorpusError(
            f"sentence {number} is {_kind(sentence)}, expected a list of tokens; "
            "pass [s.split() for s in sentences], or set tokenizer"
        )
    return list(sentence)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, np.ndarray):
        return f"an array of {value.ndim} dimensions"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
