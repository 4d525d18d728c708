"""fastw2v train --init-from, --grow and --freeze."""

import os

import numpy as np
import pytest
from cli_case import fails, train

from fastw2v import KeyedVectors

pytestmark = pytest.mark.usefixtures("folder")


def vectors_after(*flags, corpus="corpus.txt"):
    assert train(corpus, "-o", "new.bin", *flags) == 0
    return KeyedVectors.read("new.bin")


def unchanged(old, new):
    return {word for word in new.index_to_key if word in old and (old[word] == new[word]).all()}


def test_training_starts_from_a_file_and_says_so(capsys):
    assert train("corpus.txt", "-o", "old.vec") == 0
    old = KeyedVectors.read("old.vec")
    capsys.readouterr()
    new = vectors_after("--init-from", "old.vec", "--alpha", "0", "--min-alpha", "0")
    assert unchanged(old, new) == set(new.index_to_key)
    assert capsys.readouterr().out.startswith(
        "started from old.vec: 128 of 128 words taken over, word vectors only\n"
    )


def test_words_are_frozen_by_keyword_and_file(folder):
    assert train("corpus.txt", "-o", "old.bin") == 0
    old = KeyedVectors.read("old.bin")
    everything = unchanged(old, vectors_after("--init-from", "old.bin", "--freeze", "all"))
    assert everything == set(old.index_to_key)
    (folder / "words").write_text("c0\r\nt1w1\n\n")
    some = unchanged(old, vectors_after("--init-from", "old.bin", "--freeze", "words"))
    assert some == {"c0", "t1w1"}
    (folder / "run.toml").write_text('freeze = ["c2"]\ninit-from = "old.bin"\n')
    assert unchanged(old, vectors_after("--config", "run.toml")) == {"c2"}


def test_a_vocabulary_grows_on_the_command_line(folder):
    assert train("corpus.txt", "-o", "old") == 0
    (folder / "new.txt").write_text("c0 new newer\n" * 20)
    grown = vectors_after("--init-from", "old", "--grow", "--freeze", "known", corpus="new.txt")
    old = KeyedVectors.load("old")
    assert set(grown.index_to_key) == {*old.index_to_key, "new", "newer"}
    assert unchanged(old, grown) == set(old.index_to_key)
    np.testing.assert_array_equal(grown["c0"], old["c0"])


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--init-from", "absent"], 4, "cannot read absent: No such file or directory"),
        (["--freeze", "absent"], 4, "cannot read absent: No such file or directory"),
        (["--freeze", os.devnull], 2, f"{os.devnull} contains no words to freeze"),
        (["--freeze", "known"], 2, "--freeze=known needs --init-from, or a vocabulary that was "
         "updated"),
        (["--grow"], 2, "--grow needs --init-from, the vectors whose words to keep"),
    ],
)  # fmt: skip
def test_wrong_starts_are_one_line(capsys, flags, code, message):
    fails(capsys, ["train", "corpus.txt", "-o", "v.bin", *flags], code, message)


def test_a_text_is_no_start(capsys):
    assert train("corpus.txt", "-o", "v.bin", "--init-from", "corpus.txt") == 7
    shown = capsys.readouterr().err
    assert shown.startswith("fastw2v: error: corpus.txt: not a vectors file of a known format")
    assert shown.count("\n") == 1
