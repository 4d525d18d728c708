"""Refuse pickles, such as gensim's models: loading one can run arbitrary code."""

from typing import BinaryIO

from fastw2v.errors import ModelFormatError

PROTOCOLS = range(2, 6)  # these protocols start with the bytes 0x80 and the protocol number


def refuse_pickle(name: str, file: BinaryIO) -> None:
    """Raise ModelFormatError if the file is a pickle; otherwise rewind it."""
    file.seek(0)
    first_bytes = file.read(2)
    file.seek(0)
    if len(first_bytes) == 2 and first_bytes[0] == 0x80 and first_bytes[1] in PROTOCOLS:
        raise ModelFormatError(
            f"{name}: a Python pickle, as written by gensim, which could run arbitrary code; in "
            "gensim, write the vectors with wv.save_word2vec_format"
        )
