"""Write fastw2v/_c/text/unicode_table.h from this Python's Unicode data.

Run it with the newest Python at hand: `python3.13 tools/unicode_table.py`.
tests/test_tokenizers.py compares the table with the Python that runs the tests.
"""

import unicodedata
from pathlib import Path
from typing import NamedTuple

OUTPUT = Path(__file__).parents[1] / "fastw2v" / "_c" / "text" / "unicode_table.h"
N_CODE_POINTS = 0x110000
BLOCK = 128  # code points that share an entry of the first level
DOTTED_I, CAPITAL_SIGMA = 0x130, 0x3A3  # their lower case is no single code point of its own
JOINERS = {0x200C, 0x200D}  # inside words of Persian and of Indian scripts
SURROGATES = range(0xD800, 0xE000)
HANGUL = range(0xAC00, 0xD7A4)
OTHER, CASED, IGNORABLE = range(3)  # what a capital sigma sees beside it
SEPARATES, STARTS, EXTENDS = range(3)  # in `words`
KEPT, DELETED, MAPPED, COMPOSES = range(4)  # by the removal of accents


class Record(NamedTuple):
    """What the tokenizers know of a code point; all but sigma is of its lower case."""

    to_lower: int
    sigma: int
    words: int
    simple: int
    accent: int


def lower_of(point: int) -> int:
    """Return the lower case of a code point that has a single one."""
    if point in (DOTTED_I, CAPITAL_SIGMA):
        return {DOTTED_I: ord("i"), CAPITAL_SIGMA: 0x3C3}[point]
    (lower,) = map(ord, chr(point).lower())
    return lower


def sigma_class(point: int) -> int:
    """Return the class that str.lower() shows when a capital sigma stands before it."""
    character = chr(point)
    if ("A\u03a3" + character).lower()[1] == "\u03c3":
        return CASED
    return IGNORABLE if ("A\u03a3" + character + "A").lower()[1] == "\u03c3" else OTHER


def words_class(point: int) -> int:
    """Return how `words` treats a code point."""
    kind = unicodedata.category(chr(point))[0]
    if kind in "LN":
        return STARTS
    return EXTENDS if kind == "M" or point in JOINERS else SEPARATES


def is_simple(point: int) -> bool:
    """Return whether gensim's pattern of word characters matches, but for the underscore."""
    return chr(point).isalnum() and not chr(point).isdecimal()


def without_accents(point: int) -> str:
    """Return a code point as gensim's deaccent() does."""
    parts = unicodedata.normalize("NFD", chr(point))
    kept = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return unicodedata.normalize("NFC", kept)


def composed_pairs() -> dict[tuple[int, int], int]:
    """Return the pairs without nonspacing marks that NFC makes letters of, but for Hangul."""
    pairs = {}
    for point in range(N_CODE_POINTS):
        parts = unicodedata.decomposition(chr(point)).split()
        if len(parts) != 2 or parts[0][0] == "<" or not is_simple(point):
            continue
        first, second = (int(part, 16) for part in parts)
        joined = unicodedata.normalize("NFC", chr(first) + chr(second))
        if joined == chr(point) and unicodedata.category(chr(second)) != "Mn":
            pairs[first, second] = point
    return pairs


def accent_class(lower: int, composing: set[int]) -> int:
    """Return what the removal of accents does to a code point in lower case."""
    if lower in composing:
        return COMPOSES
    if unicodedata.category(chr(lower)) == "Mn":
        assert without_accents(lower) == ""
        return DELETED
    bare = without_accents(lower)
    matters = any(is_simple(ord(c)) or ord(c) in composing for c in chr(lower) + bare)
    if bare == chr(lower) or not matters:
        return KEPT
    assert len(bare) == 1 and is_simple(lower) == is_simple(ord(bare)), hex(lower)
    return MAPPED


def listed(name: str, ctype: str, values: list[str]) -> str:
    """Return a C array, as many values a line as fit."""
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) + 2 > 100:
            lines.append(line)
            line = "   "
        line += f" {value},"
    body = "\n".join([*lines, line])
    return f"static const {ctype} {name}[{len(values)}] = {{\n{body}\n}};\n"


class Tables(NamedTuple):
    """The two levels from a code point to its record, and the letters without their accents."""

    records: list[Record]
    first_level: list[int]
    blocks: list[bytes]
    bases: dict[int, int]


def tables(pairs: dict[tuple[int, int], int]) -> Tables:
    """Return the tables of all code points.  pairs: see composed_pairs()."""
    vowels, finals = range(0x1161, 0x1176), range(0x11A8, 0x11C3)
    composing = {second for _, second in pairs} | {*vowels, *finals}
    records: dict[Record, int] = {Record(0, OTHER, SEPARATES, 0, KEPT): 0}
    blocks: dict[bytes, int] = {}
    first_level, bases = [], {}
    for begin in range(0, N_CODE_POINTS, BLOCK):
        block = bytearray()
        for point in range(begin, begin + BLOCK):
            if point in SURROGATES:
                block.append(0)
                continue
            lower = lower_of(point)
            accent = KEPT if point in HANGUL else accent_class(lower, composing)
            if accent == MAPPED:
                bases[lower] = ord(without_accents(lower))
            record = Record(
                lower - point, sigma_class(point), words_class(lower), int(is_simple(lower)), accent
            )
            block.append(records.setdefault(record, len(records)))
        first_level.append(blocks.setdefault(bytes(block), len(blocks)))
    assert max(first_level) < 256
    return Tables([*records], first_level, [*blocks], dict(sorted(bases.items())))


HEAD = """\
/* Unicode {version}, written by tools/unicode_table.py: do not edit.
   The record of code point c is
   UNICODE_RECORDS[UNICODE_POINTS[UNICODE_BLOCKS[c / 128] * 128 + c % 128]]. */
#ifndef W2V_UNICODE_TABLE_H
#define W2V_UNICODE_TABLE_H

#include <stdint.h>

#define W2V_UNICODE_VERSION "{version}"

/* What a capital sigma sees in a neighbour; what `words` does with a character; what the removal
   of accents does with it. */
enum {{ SIGMA_OTHER, SIGMA_CASED, SIGMA_IGNORABLE }};
enum {{ WORDS_SEPARATES, WORDS_STARTS, WORDS_EXTENDS }};
enum {{ ACCENT_KEPT, ACCENT_DELETED, ACCENT_MAPPED, ACCENT_COMPOSES }};

/* All but sigma is of the lower case.  simple: whether it belongs to words of `simple`. */
typedef struct {{
    int32_t to_lower; /* added to the code point */
    uint8_t sigma, words, simple, accent;
}} unicode_record;
"""


def main() -> None:
    """Write the header."""
    pairs = composed_pairs()
    found = tables(pairs)
    composed = [point for (a, b), c in sorted(pairs.items()) for point in (a, b, c)]
    text = [
        HEAD.format(version=unicodedata.unidata_version),
        listed(
            "UNICODE_RECORDS",
            "unicode_record",
            [f"{{{', '.join(map(str, record))}}}" for record in found.records],
        ),
        listed("UNICODE_BLOCKS", "uint8_t", [str(number) for number in found.first_level]),
        listed("UNICODE_POINTS", "uint8_t", [str(n) for block in found.blocks for n in block]),
        "/* Lower case with accents, ascending, and the same without. */",
        listed("ACCENTED", "uint32_t", [f"0x{point:X}" for point in found.bases]),
        listed("UNACCENTED", "uint32_t", [f"0x{point:X}" for point in found.bases.values()]),
        "/* Characters that compose, but for Hangul: the first, the second, what they make. */",
        listed("COMPOSED", "uint32_t", [f"0x{point:X}" for point in composed]),
        "#endif",
    ]
    OUTPUT.write_text("\n".join(text) + "\n")
    n_bytes = 8 * len(found.records) + len(found.first_level) + BLOCK * len(found.blocks)
    n_bytes += 8 * len(found.bases) + 4 * len(composed)
    print(f"{OUTPUT.name}: {len(found.records)} records, {n_bytes:,} bytes of tables")


if __name__ == "__main__":
    main()
