"""The built-in tokenizers: their names and options, and the C that runs them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fastw2v import _core
from fastw2v.base.checks import check_flag, check_integer, is_among, shown
from fastw2v.errors import CorpusError, UsageError

WHITESPACE = "whitespace"
RULES = (WHITESPACE, *_core.TOKENIZER_RULES)
MIN_LEN, MAX_LEN = 2, 15  # gensim's defaults
# Longer lines are not given to a tokenizer, which needs a line whole. A book has about 1 MiB.
MAX_LINE_BYTES = 1 << 24
TOO_LONG = re.compile(rb"[^ \t\n\r\v\f]{%d}" % (MAX_LINE_BYTES + 1))
ASCII_WORDS = re.compile(r"[^ \t\n\r\v\f]+")


@dataclass(frozen=True)
class Tokenizer:
    """Split raw text into words, in C and on all threads.

    rule: "whitespace" splits at ASCII white space and changes nothing.
    "words" converts to lower case and keeps runs of Unicode letters, marks and numbers
    (categories L, M and N, and the joiners U+200C and U+200D). A word begins with a letter or a
    number. An apostrophe, U+0027 or U+2019, before a letter or a number inside a word belongs to
    the word, and becomes U+0027. All else separates words and is dropped.
    "simple" gives the tokens of gensim's simple_preprocess.
    deacc, min_len, max_len: the options of simple_preprocess, for "simple" only: remove accents,
    and keep tokens of min_len to max_len characters.
    Raises UsageError for an unknown rule or an invalid option.

    Lower case is that of str.lower(), with final sigma, for the Unicode version
    fastw2v._core.UNICODE_VERSION. Bytes that are not UTF-8 separate words.
    A call with a text returns its list of words.
    """

    rule: str
    deacc: bool = False
    min_len: int = MIN_LEN
    max_len: int = MAX_LEN

    def __post_init__(self) -> None:
        if not is_among(self.rule, RULES):
            raise UsageError(f"tokenizer must be {', '.join(RULES)}, got {shown(self.rule)}")
        check_flag("deacc", self.deacc)
        object.__setattr__(self, "deacc", bool(self.deacc))
        for name in ("min_len", "max_len"):
            length = check_integer(name, getattr(self, name), 0)
            object.__setattr__(self, name, length)
        if self.max_len < self.min_len:
            raise UsageError(
                f"max_len must be at least min_len, got {self.max_len} and {self.min_len}"
            )
        options = (self.deacc, self.min_len, self.max_len)
        if self.rule != "simple" and options != (False, MIN_LEN, MAX_LEN):
            raise UsageError(
                f"deacc, min_len and max_len are for tokenizer 'simple', not {self.rule!r}"
            )

    @classmethod
    def named(cls, text: str) -> "Tokenizer | None":
        """Return the tokenizer that str() of one gives, such as "simple:deacc,min_len=3".

        Returns None if no rule has this name; raises UsageError for other options.
        """
        rule, _, options = text.partition(":")
        if rule not in RULES:
            return None
        chosen: dict[str, int | bool] = {}
        for option in options.split(",") if options else []:
            name, _, value = option.strip().partition("=")
            if name == "deacc" and not value:
                chosen[name] = True
            elif name in ("min_len", "max_len") and value.isdecimal():
                chosen[name] = int(value)
            else:
                raise UsageError(
                    f"tokenizer must be {rule} with the options deacc, min_len=N and max_len=N, "
                    f"got {shown(option)}"
                )
        return cls(rule, **chosen)  # type: ignore[arg-type]

    def __str__(self) -> str:
        options = ["deacc"] * self.deacc
        options += [f"min_len={self.min_len}"] * (self.min_len != MIN_LEN)
        options += [f"max_len={self.max_len}"] * (self.max_len != MAX_LEN)
        return f"{self.rule}:{','.join(options)}" if options else self.rule

    def __call__(self, text: str) -> list[str]:
        """Return the words of a text."""
        if self.rule == WHITESPACE:
            return ASCII_WORDS.findall(text)
        encoded = str.encode(text, "utf-8", "surrogatepass")  # surrogates are no UTF-8: separators
        return bytes(self.split(encoded, bytearray())).decode().split()

    def split(
        self, text: bytes | bytearray | memoryview, buffer: bytearray
    ) -> bytes | bytearray | memoryview:
        """Return text whose words white space separates, with the newlines of the given text.

        text: begins and ends at white space, or is all of a text.
        buffer: grown if needed; holds the result until it is used again.
        Raises CorpusError if more than MAX_LINE_BYTES follow each other without white space.
        """
        if self.rule == WHITESPACE:
            return text
        if len(text) > MAX_LINE_BYTES and (found := TOO_LONG.search(text)):
            raise CorpusError(
                f"more than {MAX_LINE_BYTES:,} bytes have no white space, too many for a "
                f"tokenizer; they begin with {found[0][:20].decode('utf-8', 'replace')!r}: put "
                "newlines between sentences"
            )
        n_most = _core.tokenized_bytes(len(text))
        if len(buffer) < n_most:
            buffer[:] = bytes(n_most)
        options = (self.deacc, self.min_len, self.max_len)
        n_bytes = _core.tokenize(self.rule, *options, text, buffer)
        return memoryview(buffer)[:n_bytes]


AnyTokenizer = Tokenizer | Callable[[str], list[str]]


def check_tokenizer(given: object) -> AnyTokenizer | None:
    """Return a tokenizer given by name, a function or None.  Raises UsageError for all else."""
    if isinstance(given, str):
        found = Tokenizer.named(given)
        if found is not None:
            return found
    elif given is None or callable(given):
        return given
    raise UsageError(f"tokenizer must be {', '.join(RULES)} or a function, got {shown(given)}")
