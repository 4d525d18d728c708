"""Tables in HTML and short forms of words, for what objects show of themselves."""

from collections.abc import Iterable, Sequence
from itertools import islice

N_WORDS = 10  # in a table
FEW_WORDS = 3  # in a line
MAX_CELL = 40  # characters


def html_table(title: str, rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> str:
    """Return rows as an HTML table; the first column is aligned left and the others right.

    Every text is escaped, and cut at MAX_CELL characters.
    """
    head = _row("th", header) if header else ""
    body = "".join(_row("td", row) for row in rows)
    return f"<table><caption>{_escaped(title)}</caption>{head}{body}</table>"


def _row(tag: str, cells: Sequence[object]) -> str:
    sides = ["left"] + ["right"] * (len(cells) - 1)
    return "<tr>{}</tr>".format(
        "".join(
            f'<{tag} style="text-align:{side}">{_escaped(number_or_text(cell))}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        )
    )


def number_or_text(value: object) -> str:
    """Return a value as text: 12,345 for integers, four decimals for floats, "" for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_count else shortened(str(value))


def shortened(text: str) -> str:
    """Return a text of at most MAX_CELL characters."""
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _escaped(text: str) -> str:
    """Return a text as HTML; bytes that are not UTF-8 become backslash escapes."""
    from html import escape  # its table of names takes a while to import

    return escape(text).encode("utf-8", "backslashreplace").decode()


def few_words(words: Iterable[object]) -> str:
    """Return the first words on one line, quoted and shortened: 'the', 'of', 'and', ..."""
    first = list(islice(words, FEW_WORDS + 1))
    shown = [repr(shortened(word) if isinstance(word, str) else word) for word in first]
    return ", ".join([*shown[:FEW_WORDS], *(["..."] if len(shown) > FEW_WORDS else [])])
