"""Files of settings, words and scores that have no end."""

import gzip
import os

import pytest

from fastw2v import cli

pytestmark = pytest.mark.usefixtures("folder")
TRAIN = ["train", "corpus.txt", "-o", "v.txt"]


def is_one_line(capsys, part):
    """Return whether stderr holds one line with this part."""
    shown = capsys.readouterr().err
    return part in shown and shown.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ([*TRAIN, "--config"], 2),
        ([*TRAIN, "--read-vocab"], 7),
        ([*TRAIN, "--init-from", "start", "--freeze"], 4),
        ([*TRAIN, "--metric-pairs"], 3),
        ([*TRAIN, "--metric-analogies"], 3),
        (["phrases", "corpus.txt", "-o", "joined", "--connector-words"], 4),
    ],
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no endless device here")
def test_an_endless_device_is_refused(capsys, args, code):
    """One that gives zeros, or that a single line fills."""
    assert (cli.main([*args, "/dev/full"]), is_one_line(capsys, "/dev/full")) == (code, True)


@pytest.mark.parametrize("flag", ["--read-vocab", "--metric-pairs"])
def test_a_line_that_expands_without_end_is_named(capsys, folder, flag):
    (folder / "w.gz").write_bytes(gzip.compress(b"the 3\n" + b"a" * (3 << 20)))
    code = 7 if flag == "--read-vocab" else 3
    assert (cli.main([*TRAIN, flag, "w.gz"]), is_one_line(capsys, "w.gz: line")) == (code, True)
