"""Splitting and counting bytes in C, against bytes.split() and Counter."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastw2v import _core
from fastw2v.corpus import lexicon as lexicons
from fastw2v.corpus.lexicon import HASH_KEY, Lexicon

WHITE_SPACE = b" \t\n\r\v\f"
# Bytes that sit at the edges of the comparisons, and lengths around 16 and 64.
EDGE_BYTES = b" \t\n\r\v\f\x00\x08\x0e\x1f\x21\x7f\x80\x85\x89\x8d\xa0\xff" + b"ab"
texts = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(EDGE_BYTES), max_size=300).map(bytes),
    st.lists(
        st.integers(0, 140).map(lambda n: b"x" * n) | st.sampled_from([b" ", b"\n", b"\r\n"]),
        max_size=30,
    ).map(b"".join),
)


def expected_ends(text):
    ends, n_tokens = [], 0
    for line in text.split(b"\n")[:-1]:
        n_tokens += len(line.split())
        if not ends or ends[-1] < n_tokens:
            ends.append(n_tokens)
    return ends


def check(lexicon, text):
    word_ids, ends = lexicon.encode(text)
    tokens = text.split()
    words = [
        word.encode("utf-8", "surrogateescape")
        for word in lexicon.decode(np.arange(lexicon.n_words))
    ]
    assert [words[i] for i in word_ids] == tokens
    assert words == list(dict.fromkeys(tokens))
    assert dict(zip(words, lexicon.counts.tolist(), strict=True)) == Counter(tokens)
    assert ends.tolist() == expected_ends(text)


@given(texts)
@settings(max_examples=400)
def test_text_is_split_counted_and_numbered_like_bytes_split(text):
    check(Lexicon(), text)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 5000])
@pytest.mark.parametrize("before", [0, 1, 50, 63, 64])
def test_words_of_every_length_are_found_at_every_place(length, before):
    word = bytes(33 + i % 90 for i in range(length))
    for after in (b"", b" ", b"\n", b"\n\n z"):
        check(Lexicon(), b" " * before + word + after)


def test_every_byte_but_white_space_belongs_to_a_word():
    for byte in range(256):
        word_ids, _ = Lexicon().encode(b"a" + bytes([byte]) + b"b")
        assert len(word_ids) == (2 if byte in WHITE_SPACE else 1), byte


def test_nul_bytes_tell_words_apart():
    check(Lexicon(), b"a a\0 a\0\0 \0 \0\0 a\0a " + b"\0" * 16 + b" " + b"\0" * 17)


def test_long_words_that_differ_in_one_byte_are_told_apart():
    base = bytes(range(33, 100))
    words = [base[:i] + b"!" + base[i + 1 :] for i in range(1, len(base))]
    check(Lexicon(), b" ".join(words))


def test_nothing_outside_the_text_is_read_as_part_of_it():
    data = b"xx" + b"one two three" + b"yyyy"
    lexicon = Lexicon()
    word_ids, _ = lexicon.encode(memoryview(data)[2:15])
    assert lexicon.decode(word_ids.astype(np.int64)) == ["one", "two", "three"]


def test_tables_grow_without_changing_ids_or_counts(monkeypatch):
    monkeypatch.setattr(lexicons, "INITIAL_ARENA_BYTES", 1 << 10)
    text = b" ".join(b"w%d" % (i * i % 70_001) for i in range(200_000))
    lexicon = Lexicon(n_slots=256)
    check(lexicon, text)
    assert lexicon.n_slots == 1 << 17
    # Each word is found again where the last rehash put it.
    lexicon.encode(text)
    assert lexicon.counts.tolist() == [2 * n for n in Counter(text.split()).values()]


# ---- collisions ----

# Of another process, which an attacker knows: the second half has no white space in it.
KNOWN_KEY = (0x0123456789ABCDEF, int.from_bytes(b"collides", "little"))
MASK = 2**64 - 1


def hash_of(word, key):
    """Return the hash of tokens.c, in Python."""

    def mix(low, high):
        product = (low ^ key[0]) * (high ^ key[1])
        return product & MASK ^ product >> 64

    def load(begin):
        return int.from_bytes(word[begin : begin + 8], "little")

    if len(word) <= 16:
        return mix(load(0), load(8))
    value = len(word)
    for i in range(0, len(word) - 16, 16):
        value = mix(load(i) ^ value, load(i + 8))
    return mix(load(len(word) - 16) ^ value, load(len(word) - 8))


def filled_table(words, key):
    """Return the slots of a table that holds these distinct words."""
    text = b" ".join(words)
    n_slots = 1 << (2 * len(words) + 2 * _core.WORD_BATCH).bit_length()
    slots, max_words = np.zeros(n_slots, np.uint64), n_slots // _core.SLOTS_PER_WORD
    table = _core.WordTable(
        slots, np.zeros(max_words + 1, np.int64), np.zeros(max_words, np.int64),
        np.zeros(len(text) + _core.ARENA_PADDING, np.uint8), key,
    )  # fmt: skip
    n_most = len(words) + _core.WORD_BATCH
    out = _core.TokenBuffer(np.empty(n_most, np.int32), np.empty(n_most + 1, np.int64))
    assert _core.encode_text(table, text, 0, out) == (_core.DONE, len(text))
    assert table.n_words == len(words)
    return slots


def longest_probe(words, key):
    """Return how many slots a look-up passes at most, and check where the words are."""
    slots = filled_table(words, key)
    longest = 0
    for slot in np.flatnonzero(slots).tolist():
        entry = int(slots[slot])
        hashed = hash_of(words[(entry & 0xFFFFFFFF) - 1], key)
        assert entry >> 32 == hashed >> 32
        longest = max(longest, (slot - hashed) % len(slots))
    return longest


def colliding_words(key, n_words, n_bytes):
    """Return words whose last product is 0 under this key."""
    end = key[1].to_bytes(8, "little")
    return [b"%0*d" % (n_bytes - 8, i) + end for i in range(n_words)]


@pytest.mark.parametrize("n_bytes", [16, 17, 24, 40])
def test_words_made_to_collide_under_one_key_do_not_under_another(n_bytes):
    words = colliding_words(KNOWN_KEY, 2000, n_bytes)
    assert {hash_of(word, KNOWN_KEY) for word in words} == {0}
    assert longest_probe(words, KNOWN_KEY) == len(words) - 1
    for key in (HASH_KEY, lexicons.new_hash_key()):
        assert longest_probe(words, key) < 100


@pytest.mark.parametrize("n_bytes", [16, 17, 24, 40])
def test_words_with_the_same_hash_stay_different_words(n_bytes):
    words = colliding_words(KNOWN_KEY, 300, n_bytes)
    check(Lexicon(n_slots=256, key=KNOWN_KEY), b" ".join(words + words[::-1]))


def test_each_process_has_a_key_of_its_own():
    script = "from fastw2v.corpus.lexicon import HASH_KEY; print(*HASH_KEY)"
    command = [sys.executable, "-c", script]
    keys = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(3)}
    assert len(keys) == 3


def test_a_lexicon_uses_the_key_of_the_process(monkeypatch):
    keys, make = [], _core.WordTable
    monkeypatch.setattr(_core, "WordTable", lambda *args: keys.append(args[4]) or make(*args))
    Lexicon()
    assert keys == [HASH_KEY]
    assert HASH_KEY[1] % 2 == 1


@given(texts, st.integers(0, MASK), st.integers(0, MASK))
@settings(max_examples=50)
def test_ids_counts_and_merging_do_not_depend_on_the_key(text, low, high):
    check(Lexicon(256, (low, high | 1)), text)
    other, merged = Lexicon(256, (low, high | 1)), Lexicon()
    other.encode(text)
    merged.encode(text)
    n_words, new_ids = other.n_words, np.empty(other.n_words, np.int32)
    merged.merge(other, 0, n_words, new_ids)
    assert new_ids.tolist() == list(range(n_words))
    assert merged.counts.tolist() == (2 * other.counts).tolist()


# ---- words too long ----


def test_words_of_more_than_the_limit_are_counted_and_skipped(monkeypatch):
    monkeypatch.setattr(lexicons, "INITIAL_ARENA_BYTES", 1 << 10)  # a batch is read again
    longest = b"x" * _core.MAX_WORD_BYTES
    for before, after in ((b"", b""), (b"a ", b""), (b"a b\n", b"\nc d"), (b" ", b" a\n")):
        lexicon = Lexicon()
        word_ids, ends = lexicon.encode(before + longest + b"y" + after)
        assert lexicon.n_too_long == 1
        assert lexicon.decode(word_ids.astype(np.int64)) == (before + after).decode().split()
        assert ends.tolist() == expected_ends(before + after)
        check(Lexicon(), before + longest + after)
    lexicon.encode(longest + b"yz " + longest)
    assert lexicon.n_too_long == 2


def test_counts_add_up_over_blocks():
    lexicon = Lexicon()
    for _ in range(5):
        word_ids, ends = lexicon.encode(b"a b\na c")
    assert word_ids.tolist() == [0, 1, 0, 2]
    assert ends.tolist() == [2]
    assert lexicon.counts.tolist() == [10, 5, 5]


def test_a_newline_before_the_first_token_closes_the_open_sentence_of_the_last_block():
    assert Lexicon().encode(b"\n\n a\n\n")[1].tolist() == [0, 1]


def test_merging_keeps_order_of_first_appearance_and_adds_counts():
    first, second, merged = Lexicon(), Lexicon(), Lexicon()
    first.encode(b"a b a")
    second.encode(b"c b b " + b"long" * 10)
    new_ids = [np.empty(lexicon.n_words, np.int32) for lexicon in (first, second)]
    merged.merge(first, 0, 2, new_ids[0])
    merged.merge(second, 0, 3, new_ids[1])
    assert merged.decode(np.arange(4)) == ["a", "b", "c", "long" * 10]
    assert merged.counts.tolist() == [2, 3, 1, 1]
    assert [ids.tolist() for ids in new_ids] == [[0, 1], [2, 1, 3]]


def test_merging_many_words_grows_the_table():
    source, merged = Lexicon(), Lexicon()
    source.encode(b" ".join(b"word-number-%d" % i for i in range(20_000)))
    new_ids = np.empty(source.n_words, np.int32)
    merged.merge(source, 0, source.n_words, new_ids)
    assert new_ids.tolist() == list(range(20_000))
    assert merged.decode(np.arange(20_000)) == source.decode(np.arange(20_000))


def test_only_words_that_there_are_can_be_decoded():
    lexicon = Lexicon()
    lexicon.encode(b"a b")
    for word_id in (-1, 2):
        with pytest.raises(ValueError, match=rf"word ids must be in \[0, 2\), got {word_id}"):
            lexicon.decode(np.array([0, word_id]))


def remapped(word_ids, ends, new_ids):
    ids, ends = np.array(word_ids, np.int32), np.array(ends, np.int64)
    piece = _core.TokenBuffer(ids, ends, len(ids), len(ends))
    _core.remap_ids(piece, np.array(new_ids, np.int32))
    return ids[: piece.n_ids].tolist(), ends[: piece.n_ends].tolist()


def test_remapping_drops_words_and_the_sentences_they_leave_empty():
    assert remapped([0, 1, 1, 0, 2], [2, 3, 5], [5, -1, 7]) == ([5, 5, 7], [1, 3])


def test_remapping_keeps_an_open_sentence_open():
    assert remapped([0, 0, 1], [0, 2], [3, 4]) == ([3, 3, 4], [0, 2])


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=12), st.sets(st.integers(0, 5)))
def test_remapping_equals_filtering_each_sentence(sentences, dropped):
    new_ids = [-1 if i in dropped else 10 + i for i in range(6)]
    ends = np.cumsum([len(s) for s in sentences if s]).astype(int).tolist()
    kept = [[new_ids[i] for i in s if i not in dropped] for s in sentences]
    want_ids = [i for s in kept for i in s]
    got_ids, got_ends = remapped([i for s in sentences for i in s], ends, new_ids)
    assert got_ids == want_ids
    # A first end of 0 closes a sentence of the piece before; here there is none.
    assert [e for e in got_ends if e] == np.cumsum([len(s) for s in kept if s]).astype(int).tolist()


def test_a_table_refuses_arrays_that_do_not_fit_together():
    def table(n_slots, n_offsets, n_counts, n_arena, n_words=0, key=HASH_KEY):
        return _core.WordTable(
            np.zeros(n_slots, np.uint64), np.zeros(n_offsets, np.int64),
            np.zeros(n_counts, np.int64), np.zeros(n_arena, np.uint8), key, n_words,
        )  # fmt: skip

    with pytest.raises(ValueError, match="n_slots must be a power of two, got 6"):
        table(6, 4, 3, 16)
    with pytest.raises(ValueError, match="offsets needs one item more than counts"):
        table(8, 4, 4, 16)
    with pytest.raises(ValueError, match="arena its padding"):
        table(8, 5, 4, 15)
    with pytest.raises(ValueError, match="n_words must be within the table, got 5"):
        table(8, 5, 4, 16, 5)
    with pytest.raises(ValueError, match="the second half of key must be odd, got 4"):
        table(8, 5, 4, 16, key=(3, 4))


def test_a_full_output_is_reported_with_the_position_reached():
    table = _core.WordTable(
        np.zeros(2048, np.uint64), np.zeros(1025, np.int64), np.zeros(1024, np.int64),
        np.zeros(4096, np.uint8), HASH_KEY,
    )  # fmt: skip
    text = b"ab " * 1000
    ids, ends = np.empty(300, np.int32), np.empty(300, np.int64)
    position = n_tokens = 0
    while True:
        out = _core.TokenBuffer(ids, ends)
        code, position = _core.encode_text(table, text, position, out)
        n_tokens += out.n_ids
        if code == _core.DONE:
            break
        assert code == _core.OUTPUT_FULL
        assert out.n_ids > 0
    assert n_tokens == 1000
