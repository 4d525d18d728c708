"""Read and write files of word2vec.c, with gensim 4's options."""

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.compression import open_unpacked, write_packed
from fastw2v.base.word_counts import read_word_counts, write_word_counts
from fastw2v.errors import UsageError, writing
from fastw2v.formats import WordVectors, write_vectors

Path = str | PathLike[str]


@dataclass(frozen=True)
class Reading:
    """Options for reading a file; see KeyedVectors.load_word2vec_format."""

    binary: bool = False
    encoding: str = "utf8"
    unicode_errors: str = "surrogateescape"
    limit: int | None = None
    no_header: bool = False
    allow_non_finite: bool = False

    def read(self, path: Path) -> WordVectors:
        """Return the words and vectors of a file, compressed or not."""
        found = self._read(path)
        return found if self.allow_non_finite else found.check_read(path)

    def _read(self, path: Path) -> WordVectors:
        if self.binary and self.no_header:
            raise UsageError("no_header is for text only; the binary format always has a header")
        if self.binary:
            from fastw2v.formats import word2vec_binary  # training needs neither

            return word2vec_binary.read(
                path, limit=self.limit, encoding=self.encoding, errors=self.unicode_errors
            )
        from fastw2v.formats.text_lines import read_lines

        return read_lines(
            path,
            header=not self.no_header,
            limit=self.limit,
            encoding=self.encoding,
            errors=self.unicode_errors,
        )

    def counts(self, words: list[str], path: Path) -> NDArray[np.int64]:
        """Return the (n_words,) counts of the words from a vocabulary file."""
        counts = read_word_counts(path, self.encoding, self.unicode_errors)
        missing = next((word for word in words if word not in counts), None)
        if missing is not None:
            raise UsageError(f"{os.fspath(path)}: no count for the word {missing!r}")
        return np.array([counts[word] for word in words], np.int64)


@dataclass(frozen=True)
class Writing:
    """Options for writing a file; see KeyedVectors.save_word2vec_format."""

    binary: bool = False
    total_vec: int | None = None
    write_header: bool = True
    prefix: str = ""
    append: bool = False

    def write(self, path: Path, vectors: WordVectors) -> None:
        """Write the words and vectors, or append them to a file."""
        if self.prefix:
            vectors = replace(vectors, words=[f"{self.prefix}{word}" for word in vectors.words])
        format = "bin" if self.binary else "text"
        if self.write_header and self.total_vec is None and not self.append:
            write_vectors(path, vectors, format)
            return
        with writing(path), tempfile.TemporaryDirectory(prefix="fastw2v-") as folder:
            body = os.path.join(folder, "body")
            write_vectors(body, vectors, format)
            with write_packed(path) as target, open(body, "rb") as source:
                if self.append and os.path.exists(path):
                    with open_unpacked(path) as (old, _):
                        shutil.copyfileobj(old, target)
                source.readline()
                if self.write_header:
                    n_words = len(vectors.words) if self.total_vec is None else self.total_vec
                    target.write(b"%d %d\n" % (n_words, vectors.dim))
                shutil.copyfileobj(source, target)

    def write_counts(self, path: Path, words: list[str], counts: NDArray[np.int64]) -> None:
        """Write lines `word count`, or append them to a file."""
        found = read_word_counts(path) if self.append and os.path.exists(path) else {}
        added = {f"{self.prefix}{word}": n for word, n in zip(words, counts.tolist(), strict=True)}
        write_word_counts(path, [*found, *added], [*found.values(), *added.values()])
