"""What a name that is not known may have meant."""

from collections.abc import Iterable

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
