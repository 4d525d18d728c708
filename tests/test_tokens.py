"""Splitting and counting bytes in C, against bytes.split() and Counter."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastw2v import _core
from fastw2v.corpus.lexicon import Lexicon

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


def test_tables_grow_without_changing_ids_or_counts():
    text = b" ".join(b"w%d" % (i * i % 70_001) for i in range(200_000))
    check(Lexicon(), text)


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
    def table(n_slots, n_offsets, n_counts, n_arena, n_words=0):
        return _core.WordTable(
            np.zeros(n_slots, np.uint64), np.zeros(n_offsets, np.int64),
            np.zeros(n_counts, np.int64), np.zeros(n_arena, np.uint8), n_words,
        )  # fmt: skip

    with pytest.raises(ValueError, match="n_slots must be a power of two, got 6"):
        table(6, 4, 3, 16)
    with pytest.raises(ValueError, match="offsets needs one item more than counts"):
        table(8, 4, 4, 16)
    with pytest.raises(ValueError, match="arena its padding"):
        table(8, 5, 4, 15)
    with pytest.raises(ValueError, match="n_words must be within the table, got 5"):
        table(8, 5, 4, 16, 5)


def test_a_full_output_is_reported_with_the_position_reached():
    table = _core.WordTable(
        np.zeros(2048, np.uint64), np.zeros(1025, np.int64), np.zeros(1024, np.int64),
        np.zeros(4096, np.uint8),
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
