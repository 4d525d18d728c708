"""What to pass to Word2Vec as callbacks= and metric=."""

from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from fastw2v.errors import CorpusError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.run.tensorboard import TensorBoard
from fastw2v.training.events import Report, StopTraining
from fastw2v.vectors.task_files import TaskFile

if TYPE_CHECKING:
    from fastw2v.word2vec import Word2Vec

__all__ = ["Analogies", "Callback", "StopTraining", "TensorBoard", "WordPairs"]


class Callback:
    """What a callback may hear of a run, in the thread that called train(); all do nothing.

    Any object with some of these methods will do; the names are gensim's, but on_interval.
    An exception ends the run and reaches the caller of train(); StopTraining ends it in good
    order. model.history ends with the last epoch, model.wv holds the vectors as they are.
    """

    def on_train_begin(self, model: "Word2Vec") -> None:
        """Hear that training is about to begin."""

    def on_epoch_begin(self, model: "Word2Vec") -> None:
        """Hear that an epoch is about to begin."""

    def on_interval(self, model: "Word2Vec", report: Report) -> None:
        """Hear of the progress, about once a second while training goes on.

        The rows change meanwhile, so that what is computed from model.wv mixes several moments,
        and a cosine may pass 1; at the end of an epoch they stand still. With bias="both" the
        vectors do not contain the bias's changes of this epoch yet.
        """

    def on_epoch_end(self, model: "Word2Vec") -> None:
        """Hear that an epoch has ended: model.history[-1] tells of it."""

    def on_train_end(self, model: "Word2Vec") -> None:
        """Hear that training has ended, with the rows of the best epoch if they are restored."""

    def on_abort(self, model: "Word2Vec", error: BaseException) -> None:
        """Hear of the error or the Ctrl-C that ends the run; what is raised here only warns.

        The vectors are as in on_interval.
        """


class WordPairs:
    """A metric: Spearman's correlation with people's scores of word pairs, in -1..1.

    path: lines `word word score`.  options: as for fastw2v.evaluation.evaluate_pairs.
    Raises ReadError or CorpusError at once; called with a model, CorpusError if it has vectors
    for fewer than three of the pairs.
    """

    def __init__(self, path: str | PathLike[str] | TaskFile, **options: Any) -> None:
        self.file, self.options = path if isinstance(path, TaskFile) else TaskFile(path), options
        list(self.file.pairs())  # to know now if it is readable

    def __call__(self, model: "Word2Vec") -> float:
        """Return the correlation."""
        wv = model.wv
        result = evaluate_pairs(wv.index_to_key, wv.vectors, self.file, **self.options)
        n_known = result.n_pairs - result.n_skipped
        if n_known < 3:
            raise CorpusError(
                f"{fspath(self.file.path)}: {n_known} of {result.n_pairs} pairs have two words "
                "that the model knows, and a correlation needs 3"
            )
        return result.spearman


class Analogies:
    """A metric: the share of analogy questions that are answered correctly, in 0..1.

    path: sections `: name` of lines `a b c d`.  options: as for
    fastw2v.evaluation.evaluate_analogies.
    Raises ReadError or CorpusError at once; called with a model, CorpusError if it knows the
    words of none of the questions.
    """

    def __init__(self, path: str | PathLike[str] | TaskFile, **options: Any) -> None:
        self.file, self.options = path if isinstance(path, TaskFile) else TaskFile(path), options
        self.file.questions()  # to know now if it is readable

    def __call__(self, model: "Word2Vec") -> float:
        """Return the share."""
        wv = model.wv
        result = evaluate_analogies(wv.index_to_key, wv.vectors, self.file, **self.options)
        if result.total.n_asked == 0:
            raise CorpusError(
                f"{fspath(self.file.path)}: the model knows the words of none of the questions"
            )
        return result.total.accuracy
