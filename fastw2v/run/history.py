"""The history of a model: its epochs as lines, as a table and as a plot."""

from typing import Any

from fastw2v.base.optional import import_optional
from fastw2v.base.tables import html_table
from fastw2v.errors import UsageError
from fastw2v.training.events import EpochRecord

SPACE = "  "
N_LINES = 10  # of epochs in a repr
N_ROWS = 20  # in a table
MAX_MARKERS = 30  # in a plot; more hide the line
COLUMNS = ("epoch", "loss", "held-out loss", "metric", "learning rate", "M words/s", "seconds")


class History(list[EpochRecord]):
    """The records of a model's epochs, over all calls of train."""

    def __repr__(self) -> str:
        return "\n".join([self._title(), *last_epochs(self)])

    def _repr_html_(self) -> str:
        return epochs_table(self._title(), self)

    def _title(self) -> str:
        return f"History<{len(self):,} epoch{'' if len(self) == 1 else 's'}>"

    def plot(self, axes: Any = None) -> Any:
        """Plot loss, held-out loss and metric of each epoch, and return the matplotlib axes.

        axes: matplotlib axes to draw on; a new figure if None.
        Raises MissingPackageError without matplotlib, UsageError if there are no epochs.
        """
        if not self:
            raise UsageError("there are no epochs to plot: train the model first")
        if axes is None:
            axes = import_optional("matplotlib.pyplot", "plot", "history.plot").subplots()[1]
        numbers = range(1, len(self) + 1)  # records of a second training begin at 1 again
        marker = "o" if len(self) <= MAX_MARKERS else ""
        lines = [*axes.plot(numbers, [_number(r.loss) for r in self], marker=marker, label="loss")]
        if any(record.validation_loss is not None for record in self):
            held_out = [_number(record.validation_loss) for record in self]
            lines += axes.plot(numbers, held_out, marker=marker, label="held-out loss")
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss (nats per prediction)")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if any(record.metric is not None for record in self):
            right = axes.twinx()
            values = [_number(record.metric) for record in self]
            lines += right.plot(numbers, values, marker=marker, color="tab:green", label="metric")
            right.set_ylabel("metric")
        axes.legend(handles=lines)
        return axes


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def format_epoch(
    record: EpochRecord, n_epochs: int | None = None, columns: int | None = None
) -> str:
    """Return an epoch as one line: number, loss, held-out loss, metric, speed and time.

    columns: maximum length; the last parts are dropped first.
    """
    of_all = "" if n_epochs is None else f"/{n_epochs}"
    parts = [f"epoch {record.epoch}{of_all}"]
    for name, value in [
        ("loss", record.loss),
        ("held-out loss", record.validation_loss),
        ("metric", record.metric),
    ]:
        if value is not None:
            parts.append(f"{name} {value:.4f}")
    parts += [f"{record.words_per_second / 1e6:.2f} M words/s", f"{record.seconds:.1f} s"]
    while columns is not None and len(parts) > 1 and len(SPACE.join(parts)) > columns:
        parts.pop()
    return SPACE.join(parts)[:columns]


def last_epochs(records: list[EpochRecord], n_epochs: int | None = None) -> list[str]:
    """Return the last N_LINES epochs as lines, below one that counts the others."""
    hidden = len(records) - N_LINES
    lines = [format_epoch(record, n_epochs) for record in records[-N_LINES:]]
    return [f"({hidden:,} earlier epochs)", *lines] if hidden > 0 else lines


def epochs_table(title: str, records: list[EpochRecord]) -> str:
    """Return the last N_ROWS epochs as an HTML table, without columns that have no value."""
    hidden = len(records) - N_ROWS
    rows = [_values(record) for record in records[-N_ROWS:]]
    used = [i for i, name in enumerate(COLUMNS) if any(row[i] is not None for row in rows)]
    if hidden > 0:
        title += f" ({hidden:,} earlier ones not shown)"
    return html_table(title, [[row[i] for i in used] for row in rows], [COLUMNS[i] for i in used])


def _values(record: EpochRecord) -> tuple[object, ...]:
    """Return the values of an epoch in the order of COLUMNS."""
    return (
        record.epoch, record.loss, record.validation_loss, record.metric, record.lr,
        f"{record.words_per_second / 1e6:.2f}", f"{record.seconds:.1f}",
    )  # fmt: skip
