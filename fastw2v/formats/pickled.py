"""Models that gensim saved are pickles: to open one would be to run what is in it."""

from typing import BinaryIO

from fastw2v.errors import ModelFormatError

PROTOCOLS = range(2, 6)  # those that begin with a byte of 0x80 and their number


def refuse_pickle(name: str, file: BinaryIO) -> None:
    """Raise ModelFormatError if the file is a pickle; rewinds it otherwise."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    if len(start) == 2 and start[0] == 0x80 and start[1] in PROTOCOLS:
        raise ModelFormatError(
            f"{name}: a Python pickle, as gensim saves models, which is not run here; in gensim, "
            "write the vectors with wv.save_word2vec_format"
        )
