"""Tables in HTML and short forms of words, for what objects show of themselves."""

from collections.abc import Iterable, Sequence
from itertools import islice

N_WORDS = 10  # in a table
FEW_WORDS = 3  # in a line
MAX_WORD = 40  # characters


def html_table(
    title: str, rows: Iterable[Sequence[object]], header: Sequence[str] = (), left: int = 1
) -> str:
    """Return rows as an HTML table; the first `left` columns are aligned left, the others right.

    Every text is escaped.
    """
    style = "text-align:left;white-space:nowrap"
    caption = f'<caption style="{style}">{_escaped(title)}</caption>' if title else ""
    head = _row("th", header, left) if header else ""
    return f"<table>{caption}{head}{''.join(_row('td', row, left) for row in rows)}</table>"


def _row(tag: str, cells: Sequence[object], left: int) -> str:
    sides = ["left" if i < left else "right" for i in range(len(cells))]
    shown = (
        f'<{tag} style="text-align:{side}">{_escaped(_text(cell))}</{tag}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"


def _text(value: object) -> str:
    """Return a value as text: 12,345 for integers, four decimals for floats, "" for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_count else str(value)


def shortened(word: object) -> object:
    """Return a word cut at MAX_WORD characters; keys that are not words as they are."""
    if isinstance(word, str) and len(word) > MAX_WORD:
        return f"{word[: MAX_WORD - 1]}…"
    return word


def _escaped(text: str) -> str:
    """Return a text as HTML; bytes that are not UTF-8 become backslash escapes."""
    from html import escape  # its table of names takes a while to import

    return escape(text).encode("utf-8", "backslashreplace").decode()


def few_words(words: Iterable[object]) -> str:
    """Return the first words on one line, quoted and shortened: 'the', 'of', 'and', ..."""
    first = list(islice(words, FEW_WORDS + 1))
    shown = [repr(shortened(word)) for word in first]
    return ", ".join([*shown[:FEW_WORDS], *(["..."] if len(shown) > FEW_WORDS else [])])
