"""Callbacks and metrics for Word2Vec: the arguments callbacks= and metric=."""

from os import PathLike, fspath
from typing import TYPE_CHECKING

from fastw2v.errors import CorpusError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.run.tensorboard import TensorBoard
from fastw2v.training.events import Report, StopTraining
from fastw2v.vectors.task_files import ANALOGY_VOCABULARY, TaskFile

if TYPE_CHECKING:
    from fastw2v.word2vec import Word2Vec

__all__ = ["Analogies", "Callback", "StopTraining", "TensorBoard", "WordPairs"]


class Callback:
    """Base class of callbacks; every method does nothing by default.

    Any object with some of these methods can be a callback.  The method names are gensim's, except
    on_interval and on_abort.  All methods run in the thread that called train().
    Raise StopTraining to end training normally.  Any other exception aborts training and reaches
    the caller of train().
    In each method, model.history holds the epochs completed, and model.wv the current vectors.
    """

    def on_train_begin(self, model: "Word2Vec") -> None:
        """Called before training starts."""

    def on_epoch_begin(self, model: "Word2Vec") -> None:
        """Called before each epoch."""

    def on_interval(self, model: "Word2Vec", report: Report) -> None:
        """Called about once a second, while the workers are training.

        The vectors change during the call.  Results computed from model.wv can be inconsistent:
        a cosine may exceed 1.  Use on_epoch_end for exact results.
        With bias="both", the vectors do not yet include this epoch's changes of the input bias.
        """

    def on_epoch_end(self, model: "Word2Vec") -> None:
        """Called after each epoch; model.history[-1] is its record."""

    def on_train_end(self, model: "Word2Vec") -> None:
        """Called after training, once the best epoch is restored if restore_best is set."""

    def on_abort(self, model: "Word2Vec", error: BaseException) -> None:
        """Called when an error or Ctrl-C aborts training.

        An exception raised here becomes a warning.  The vectors may be inconsistent, as in
        on_interval.
        """


class WordPairs:
    """Metric: Spearman's correlation with human scores of word pairs, in -1..1.

    path: a file of lines `word word score`.
    restrict_vocab, fold_case, unknown_as_zero: as for fastw2v.evaluation.evaluate_pairs.
    Raises ReadError or CorpusError if the file cannot be read or is malformed.
    """

    def __init__(
        self,
        path: str | PathLike[str] | TaskFile,
        *,
        restrict_vocab: int | None = None,
        fold_case: bool = True,
        unknown_as_zero: bool = False,
    ) -> None:
        self.file = path if isinstance(path, TaskFile) else TaskFile(path)
        self.restrict_vocab, self.fold_case = restrict_vocab, fold_case
        self.unknown_as_zero = unknown_as_zero
        list(self.file.pairs())  # an unreadable file fails here, before training

    def __call__(self, model: "Word2Vec") -> float:
        """Return the correlation; raise CorpusError if the model knows fewer than three pairs."""
        wv = model.wv
        result = evaluate_pairs(
            wv.index_to_key,
            wv.vectors,
            self.file,
            restrict_vocab=self.restrict_vocab,
            fold_case=self.fold_case,
            unknown_as_zero=self.unknown_as_zero,
        )
        n_known = result.n_pairs - result.n_skipped
        if n_known < 3:
            raise CorpusError(
                f"{fspath(self.file.path)}: the model knows both words of {n_known} of "
                f"{result.n_pairs} pairs, and a correlation needs at least 3"
            )
        return result.spearman


class Analogies:
    """Metric: the fraction of analogy questions answered correctly, in 0..1.

    path: a file of sections: a line `: name`, then lines `a b c d`.
    restrict_vocab, fold_case: as for fastw2v.evaluation.evaluate_analogies.
    Raises ReadError or CorpusError if the file cannot be read or is malformed.
    """

    def __init__(
        self,
        path: str | PathLike[str] | TaskFile,
        *,
        restrict_vocab: int | None = ANALOGY_VOCABULARY,
        fold_case: bool = True,
    ) -> None:
        self.file = path if isinstance(path, TaskFile) else TaskFile(path)
        self.restrict_vocab, self.fold_case = restrict_vocab, fold_case
        self.file.questions()  # an unreadable file fails here, before training

    def __call__(self, model: "Word2Vec") -> float:
        """Return the fraction; raise CorpusError if every question has an unknown word."""
        wv = model.wv
        result = evaluate_analogies(
            wv.index_to_key,
            wv.vectors,
            self.file,
            restrict_vocab=self.restrict_vocab,
            fold_case=self.fold_case,
        )
        if result.total.n_asked == 0:
            raise CorpusError(
                f"{fspath(self.file.path)}: every question has a word that the model does not know"
            )
        return result.total.accuracy
