"""Write the curves of a run for TensorBoard."""

import os
from typing import Any

from fastw2v.base.optional import import_optional
from fastw2v.errors import SaveError
from fastw2v.training.events import Report
from fastw2v.training.parameters import loss_name


class TensorBoard:
    """Callback that writes loss, learning rate, speed, held-out loss and metric for TensorBoard.

    The step of a point is the number of in-vocabulary tokens processed over all epochs.

    folder: a log folder, created if needed.  TensorBoard expects one folder per run.
    Raises MissingPackageError without tensorboardX, SaveError if the folder cannot be created.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        tensorboard = import_optional("tensorboardX", "tensorboard", "TensorBoard")
        self._writer_class = tensorboard.SummaryWriter
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise SaveError(f"cannot write {self.folder}: {error.strerror}") from error
        self._writer: Any = None
        self._n_tokens = 0

    def on_train_begin(self, model: Any) -> None:
        """Open the writer."""
        self._writer = self._writer_class(self.folder)

    def on_interval(self, model: Any, report: Report) -> None:
        """Write loss, learning rate and speed."""
        self._n_tokens = report.n_tokens
        self._add(f"loss/{loss_name(model.parameters)}", report.loss)
        self._add("learning rate", report.lr)
        self._add("words per second", report.words_per_second)

    def on_epoch_end(self, model: Any) -> None:
        """Write the held-out loss and the metric."""
        record = model.history[-1]
        self._add(f"held-out loss/{loss_name(model.parameters)}", record.validation_loss)
        self._add("metric", record.metric)
        self._writer.flush()

    def on_train_end(self, model: Any) -> None:
        """Close."""
        self._writer.close()

    def on_abort(self, model: Any, error: BaseException) -> None:
        """Close."""
        if self._writer is not None:
            self._writer.close()

    def _add(self, name: str, value: float | None) -> None:
        if value is not None:
            self._writer.add_scalar(name, value, self._n_tokens)
