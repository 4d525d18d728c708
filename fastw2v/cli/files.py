"""The files of a training run: checked before anything is read, and rescued at its end."""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastw2v.errors import Fastw2vError, ModelFormatError, SaveError, UsageError
from fastw2v.formats.records import FORMATS, TEXT, Format, check_target, places_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fastw2v.corpus import Vocabulary, VocabularyRules
    from fastw2v.corpus.sources import Source
    from fastw2v.word2vec import Word2Vec

CLASSES = "classes"  # what word2vec.c's -classes writes: lines of a word and a number


@dataclass(frozen=True)
class RunFiles:
    """What a run reads and writes; None for what is not asked for.

    corpus: paths and globs.  output: in this format, CLASSES or one of vectors.
    read_vocab, save_vocab: words and counts.  log: lines are added to it.  also_read: other
    files, by the name of their setting.
    """

    corpus: list[str]
    output: str | None
    format: str
    read_vocab: str | None
    save_vocab: str | None
    log: str | None = None
    also_read: dict[str, str] = field(default_factory=dict)

    def check(self) -> "list[Source]":
        """Raise SaveError, ReadError or UsageError now rather than after hours of training.

        A file to write must be neither one that is read nor the other one to write.
        Returns the corpus, its files open.
        """
        from fastw2v.base.atomic import check_writable, is_special
        from fastw2v.corpus.sources import STDIN, find_sources

        given = [("output", self.output), ("save-vocab", self.save_vocab), ("log", self.log)]
        written = [(name, path) for name, path in given if path]
        if self.output and self.format != CLASSES:
            check_target(self.format, "float32")
            places = places_of(self.output, self.format)
            written += [("output", place) for place in places if place != self.output]
        for _, path in written:
            check_writable(path)
        sources = find_sources(self.corpus)
        if self.also_read.get("validation") == STDIN:
            find_sources([*sources, STDIN])  # which may be given only once
        roles = {os.path.realpath(source.path): "the corpus" for source in sources}
        if self.read_vocab:
            roles[os.path.realpath(self.read_vocab)] = "read-vocab"
        roles |= {os.path.realpath(path): name for name, path in self.also_read.items()}
        for name, path in written:
            if is_special(path):
                continue
            taken = roles.setdefault(os.path.realpath(path), name)
            if taken != name:
                raise UsageError(f"{path} is {name} and {taken} at once; write to another file")
        return sources

    def load_vocabulary(self, rules: "VocabularyRules") -> "Vocabulary | None":
        """Return the words of read_vocab that the rules keep, None if none are given.

        Raises ReadError, ModelFormatError, or UsageError if no word is kept.
        """
        import numpy as np

        from fastw2v.corpus import Vocabulary

        if self.read_vocab is None:
            return None
        found = Vocabulary.load(self.read_vocab)
        if not len(found):
            raise ModelFormatError(f"{self.read_vocab}: holds no words")
        least = rules.effective_min_count(found.counts)
        n_kept = int(np.count_nonzero(found.counts >= least))
        if n_kept == 0:
            raise UsageError(
                f"{self.read_vocab}: 0 of {len(found)} words have a count of at least {least} "
                f"(most frequent: {found.words[0]!r}, {found.counts[0]}); lower min_count"
            )
        return Vocabulary(found.words[:n_kept], found.counts[:n_kept])

    def check_result(self, words: list[str], vector_size: int) -> None:
        """Raise SaveError if the output cannot hold one of the words, or the disk all of them."""
        from fastw2v.base.atomic import check_room
        from fastw2v.formats.words import encode_words

        if self.output is None:
            return
        format, dim = self._layout(vector_size)
        if format.refused:
            encode_words(self.output, words, format)
        check_room(self.output, format.min_bytes(len(words), dim))

    def room_held(self, words: list[str], vector_size: int) -> "AbstractContextManager[None]":
        """Keep the room that the output takes at most until the block ends, if that can be."""
        from fastw2v.base.atomic import is_special, room_held

        if self.output is None or is_special(self.output):
            return nullcontext()
        format, dim = self._layout(vector_size)
        return room_held(self.output, format.max_bytes(words, dim))

    def _layout(self, vector_size: int) -> tuple[Format, int]:
        """Return the format of the output and how many values it holds for each word."""
        return (TEXT, 0) if self.format == CLASSES else (FORMATS[self.format], vector_size)


def write_or_rescue(model: "Word2Vec", path: str, write: "Callable[[Word2Vec, str], None]") -> None:
    """Write the model to its path, or else, whole, to a place that has room.

    Raises SaveError that tells both; a model that is in a checkpoint already is not copied.
    """
    try:
        write(model, path)
    except SaveError as error:
        raise SaveError(f"{error}; {rescue(model)}") from error


def rescue(model: "Word2Vec") -> str:
    """Save the model in the first place that takes it and say where it is."""
    kept = model.last_checkpoint
    for folder in () if kept else (os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~")):
        place = os.path.join(folder, f"fastw2v-rescued-{secrets.token_hex(4)}.safetensors")
        with suppress(Fastw2vError, OSError):
            model.save(place)
            kept = place
            break
    if kept is None:
        return "and no other place takes the model, so it is lost"
    return f"the trained model is kept in {kept}: `fastw2v convert` writes other formats"
