"""What a name or a word that is not known may have meant."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

# Names of other trainers: gensim 3, word2vec.c and fastText.
OTHER_NAMES = {
    "size": "vector_size", "dim": "vector_size", "dimension": "vector_size",
    "dimensions": "vector_size", "iter": "epochs", "epoch": "epochs", "ws": "window",
    "lr": "alpha", "learning_rate": "alpha", "neg": "negative", "thread": "workers",
    "threads": "workers", "skipgram": "sg", "skip_gram": "sg",
}  # fmt: skip


def nearest_name(given: str, known: Iterable[str]) -> str | None:
    """Return the known name that was meant most probably, None if no one is similar."""
    from difflib import get_close_matches

    by_plain = {_plain(name): name for name in known}
    wanted = _plain(given)
    if (other := _plain(OTHER_NAMES.get(wanted, ""))) in by_plain:
        return by_plain[other]
    begun = [plain for plain in by_plain if len(wanted) > 1 and plain.startswith(wanted)]
    close = get_close_matches(wanted, by_plain, n=1, cutoff=0.7)
    return by_plain[(close or begun)[0]] if close or begun else None


def did_you_mean(given: str, known: Iterable[str], quote: str = "'") -> str:
    """Return `; did you mean 'name'?` for a message, or nothing if no name is similar."""
    name = nearest_name(given, known)
    return "" if name is None else f"; did you mean {quote}{name}{quote}?"


def _plain(name: str) -> str:
    return name.lstrip("-").replace("-", "_").lower()


N_LETTER_WORDS = 5000  # the words whose letters are tried in place of others
MAX_LENGTH = 40  # characters; longer words are not tried with other letters


def same_word(given: object, known: Mapping[str, int]) -> str | None:
    """Return the known word that differs in case or in Unicode's composition alone, if any."""
    if not isinstance(given, str):
        return None
    ways = (str.lower, str.title, str.capitalize, str.upper, str.casefold)
    written = [given, *(unicodedata.normalize(form, given) for form in ("NFC", "NFD", "NFKC"))]
    found = {*written, *(way(text) for text in written for way in ways)}
    return min((word for word in found if word in known), key=known.__getitem__, default=None)


def nearest_word(given: str, words: Sequence[str], known: Mapping[str, int]) -> str | None:
    """Return the most frequent word that differs in case, or else in one letter, if any.

    words: most frequent first.  known: their positions.
    """
    if (word := same_word(given, known)) is not None or len(given) > MAX_LENGTH:
        return word
    letters = {letter for word in words[:N_LETTER_WORDS] for letter in word}
    near = (word for word in _one_edit(given, letters) if word in known)
    return min(near, key=known.__getitem__, default=None)


def _one_edit(word: str, letters: set[str]) -> Iterator[str]:
    """Yield all words with a letter less, more, exchanged with the next, or replaced."""
    for i in range(len(word) + 1):
        begin, end = word[:i], word[i:]
        yield from (begin + letter + end for letter in letters)
        if end and len(word) > 1:
            yield begin + end[1:]
            yield begin + end[1:2] + end[0] + end[2:]
            yield from (begin + letter + end[1:] for letter in letters)
