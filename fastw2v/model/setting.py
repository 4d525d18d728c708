"""The attributes of gensim's Word2Vec that scripts read and set, on top of the parameters."""

from dataclasses import replace
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fastw2v.corpus import Vocabulary, VocabularyRules
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.report import EpochRecord
from fastw2v.training.windows import Window

Value = TypeVar("Value")


class Setting(Generic[Value]):
    """A field of the model's Parameters as an attribute: checked where it is set."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, model: None, owner: type) -> "Setting[Value]": ...
    @overload
    def __get__(self, model: "GensimNames", owner: type) -> Value: ...
    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else getattr(model.parameters, self.name)

    def __set__(self, model: "GensimNames", value: Value) -> None:
        changed: dict[str, Any] = {self.name: value}
        model.parameters = replace(model.parameters, **changed)


class GensimNames:
    """What gensim's scripts ask of a model beside calling it.

    epochs, window, min_alpha, shrink_windows, seed, alpha and workers can be set, and hold from
    the next call of train.  comment, compute_loss and batch_words are kept and have no effect.
    corpus_count, corpus_total_words: sentences and tokens of the text that build_vocab read.
    blocks: how many words a step of the latest training took at once, as text.
    total_train_time: seconds in train, of all calls; train_count: how many they were.
    """

    parameters: Parameters
    rules: VocabularyRules
    vocabulary: Vocabulary | None
    arrays: ModelArrays | None
    history: list[EpochRecord]
    comment: str | None = None
    compute_loss: bool = False
    batch_words: int = 10_000
    corpus_count: int = 0
    corpus_total_words: int = 0
    total_train_time: float = 0.0
    train_count: int = 0
    blocks: str = ""
    _last_run: Parameters | None = None

    epochs = Setting[int]("Passes over the corpus of the next training, >= 1.")
    window = Setting[Window]("Words on either side that are contexts, >= 1, or (left, right).")
    shrink_windows = Setting[bool]("Whether each centre draws its reach from 1..window.")
    min_alpha = Setting[float]("The learning rate at the end, between 0 and alpha.")
    seed = Setting[int]("What governs every draw, >= 0.")

    @property
    def alpha(self) -> float:
        """The learning rate at the start; setting one below min_alpha lowers that with it."""
        return self._decided(self.parameters).first_rate

    @alpha.setter
    def alpha(self, value: float) -> None:
        least = min(self.parameters.min_alpha, value)
        self.parameters = replace(self.parameters, alpha=value, min_alpha=least)

    def _decided(self, parameters: Parameters) -> Parameters:
        """Return parameters with what the latest training decided for what they leave open."""
        then = self._last_run
        if then is None or (parameters.alpha is not None and parameters.cbow_update is not None):
            return parameters
        alpha = then.alpha if parameters.alpha is None else parameters.alpha
        return replace(
            parameters, alpha=alpha, cbow_update=parameters.cbow_update or then.cbow_update
        )

    @property
    def workers(self) -> int:
        """Threads that train; None can be set for one on each core."""
        return self.parameters.n_threads

    @workers.setter
    def workers(self, value: int | None) -> None:
        self.parameters = replace(self.parameters, workers=value)

    @property
    def vector_size(self) -> int:
        """Values in one vector."""
        return self.parameters.vector_size

    @property
    def layer1_size(self) -> int:
        """Values in one hidden row: vector_size."""
        return self.vector_size

    @property
    def sg(self) -> int:
        """1 for skip-gram, 0 for CBOW."""
        return int(self.parameters.sg)

    @property
    def hs(self) -> int:
        """1 for hierarchical softmax, else 0."""
        return int(self.parameters.objective == "hs")

    @property
    def negative(self) -> int:
        """Noise words per prediction, 0 unless negative sampling is the objective."""
        return self.parameters.negative if self.parameters.objective == "ns" else 0

    @property
    def cbow_mean(self) -> int:
        """1 if CBOW takes the mean of its context words, 0 for their sum."""
        return int(self.parameters.cbow_mean)

    @property
    def sample(self) -> float:
        """The subsampling threshold."""
        return self.parameters.sample

    @property
    def ns_exponent(self) -> float:
        """The power of the counts that noise words follow."""
        return self.parameters.ns_exponent

    @property
    def min_count(self) -> int:
        """What words must be seen to be kept."""
        return self.rules.min_count

    @property
    def max_final_vocab(self) -> int | None:
        """How many words are kept at most, None for all."""
        return self.rules.max_final_vocab

    @property
    def syn1neg(self) -> NDArray[np.float32]:
        """The (n_words, vector_size) output vectors, without a copy; not with hs."""
        return self._outputs("syn1neg", by_node=False)

    @property
    def syn1(self) -> NDArray[np.float32]:
        """The (n_words - 1, vector_size) vectors of the inner nodes, without a copy; hs only."""
        return self._outputs("syn1", by_node=True)

    def _outputs(self, name: str, by_node: bool) -> NDArray[np.float32]:
        if self.arrays is None or by_node != (self.parameters.objective == "hs"):
            raise AttributeError(f"a model {'without' if by_node else 'with'} hs has no {name}")
        return self.arrays.out_rows[:, : self.parameters.vector_size]

    def get_latest_training_loss(self) -> float:
        """Return the loss of the latest epoch in mean nats per prediction, 0 before the first.

        gensim returns a sum over an unknown number of predictions; this one is comparable.
        """
        losses = [record.loss for record in self.history if record.loss is not None]
        return losses[-1] if losses else 0.0

    running_training_loss = property(get_latest_training_loss)

    def __str__(self) -> str:
        n_words = 0 if self.vocabulary is None else len(self.vocabulary)
        name = type(self).__name__
        return f"{name}<vocab={n_words}, vector_size={self.vector_size}, alpha={self.alpha}>"
