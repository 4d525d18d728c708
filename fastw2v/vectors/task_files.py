"""Read evaluation files: analogy questions and word pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike, fspath

from fastw2v.base.compression import open_text, short_lines
from fastw2v.errors import CorpusError

Question = tuple[str, str, str, str]

# Analogies are asked of the most frequent words, as word2vec.c's demo scripts do.
ANALOGY_VOCABULARY = 30_000


@dataclass
class TaskFile:
    """A file of analogy questions or of word pairs.

    path: the file, which may be compressed.  encoding: of the file.
    delimiter: the text between the fields of a pair.  None: a tab if the line has one, else spaces.
    strict: raise CorpusError for a malformed line.  Otherwise, malformed lines are skipped and
    counted in n_malformed.
    """

    path: str | PathLike[str]
    encoding: str = "utf-8"
    delimiter: str | None = None
    strict: bool = True
    n_malformed: int = 0

    def questions(self, fold_case: bool = True) -> list[tuple[str, list[Question]]]:
        """Return the sections of a file of analogy questions: (name, questions) pairs.

        fold_case: convert the words to upper case.
        Raises ReadError, or CorpusError naming the file and the line.
        """
        sections: list[tuple[str, list[Question]]] = []
        for number, line in self._lines():
            if line.startswith(":"):
                sections.append((line.lstrip(": ").strip(), []))
                continue
            if not sections:
                where = f"{fspath(self.path)}: line {number}"
                raise CorpusError(f"{where}: a question before the first section (`: name`)")
            fields = (line.upper() if fold_case else line).split()
            if len(fields) != 4:
                self._complain(number, f"a question has 4 words, got {len(fields)}: {line!r}")
                continue
            a, b, c, d = fields
            sections[-1][1].append((a, b, c, d))
        return sections

    def pairs(self, fold_case: bool = True) -> Iterator[tuple[str, str, float]]:
        """Yield (word, word, score) for each line of a file of word pairs.

        fold_case: convert the words to upper case.
        Raises ReadError, or CorpusError naming the file and the line.
        """
        for number, line in self._lines():
            if line.startswith("#"):
                continue
            fields = line.split(self.delimiter or ("\t" if "\t" in line else None))
            try:
                a, b, score = fields
                value = float(score)
            except ValueError:
                self._complain(
                    number,
                    f"expected `word word score`, got {line!r} (a header line must start with #)",
                )
                continue
            yield (a.upper(), b.upper(), value) if fold_case else (a, b, value)

    def _complain(self, number: int, problem: str) -> None:
        """Raise CorpusError for a malformed line, or count it."""
        if self.strict:
            raise CorpusError(f"{fspath(self.path)}: line {number}: {problem}")
        self.n_malformed += 1

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number, text) for each line that is not blank."""
        self.n_malformed = 0
        with open_text(self.path, self.encoding, CorpusError) as file:
            for number, line in enumerate(short_lines(file, fspath(self.path), CorpusError), 1):
                if line.strip():
                    yield number, line.rstrip("\n")
