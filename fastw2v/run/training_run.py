"""One training run: its listeners, its held-out text and its summary."""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from fastw2v.base.checks import check_finite
from fastw2v.corpus import EncodedCorpus, Spool
from fastw2v.corpus.identity import corpus_identity, stream_digest
from fastw2v.corpus.split import hold_out
from fastw2v.formats import WordVectors
from fastw2v.run.checkpoints.resume import AboutRun, CheckpointedRun
from fastw2v.run.criterion import criterion_of, source_of_validation
from fastw2v.run.history import History
from fastw2v.run.host import describe_host, describe_program
from fastw2v.run.log import RunLog
from fastw2v.run.options import RunOptions, facts_if_logged
from fastw2v.run.validation import BestEpoch, Metric, Validation
from fastw2v.training.arrays import ModelArrays, effective_settings
from fastw2v.training.divergence import NormWatch
from fastw2v.training.events import (
    INTERVAL_SECONDS,
    NOTHING_TRAINED,
    EpochRecord,
    Listener,
    ModelCallback,
    Observer,
    ObserverListener,
    Report,
    Run,
    Summary,
    peak_bytes,
    per_second,
)
from fastw2v.training.parameters import Parameters, loss_name
from fastw2v.training.trainer import Trainer


class TrainableModel(Protocol):
    """The part of Word2Vec that a training run uses."""

    history: History
    last_checkpoint: str | None
    blocks: str

    def vectors_changed(self) -> None:
        """Discard values derived from the vectors, such as norms."""


@dataclass(frozen=True)
class RunRequest:
    """The inputs of a training run.

    arrays: of the model.  corpus: closed by the run.
    read_validation: reads the text of options.validation with the model's vocabulary.
    to_file: returns the content of a model file.
    source: how to read the corpus again; see model.corpus_reader.source_of.
    """

    model: TrainableModel
    parameters: Parameters
    arrays: ModelArrays
    corpus: EncodedCorpus
    options: RunOptions
    observer: Observer | None
    read_validation: Callable[[], EncodedCorpus]
    to_file: Callable[[], WordVectors]
    source: Mapping[str, Any]


def run_training(request: RunRequest) -> Summary:
    """Train and return the summary; the corpus is closed even if training fails."""
    started_at = time.perf_counter()
    with ExitStack() as open_files:
        stream = open_files.enter_context(request.corpus.spool)
        parts = _parts(request, stream, open_files)
        _warn_of_single_word(request)
        trainer = Trainer(request.parameters, request.arrays, parts.stream)
        request.model.blocks = trainer.blocks_text
        _warn_of_held_rate(trainer)
        listeners = _Listeners(request, parts, trainer)
        if listeners.log is not None:
            open_files.callback(listeners.log.close)
        with _saved(request, parts, trainer, listeners.best) as savers:
            trainer.run([*listeners.in_order, *savers])
        _warn_of_nothing_trained(trainer)
        request.model.vectors_changed()
        summary = _summary(request, parts, trainer, listeners, time.perf_counter() - started_at)
        if listeners.log is not None:
            listeners.log.write_summary(summary)
    return summary


def _warn_of_single_word(request: RunRequest) -> None:
    words = request.corpus.vocabulary.words
    if len(words) == 1:
        warnings.warn(
            f"the vocabulary is the one word {words[0]!r}, which leaves nothing to learn; "
            "lower min_count, or give more text",
            stacklevel=5,
        )


def _warn_of_nothing_trained(trainer: Trainer) -> None:
    counts = trainer.counts()
    if trainer.stopped is not None or (counts.n_predictions and trainer.had_rate):
        return
    why = "no sentence has two words of the vocabulary; join sentences, or lower min_count"
    if counts.n_predictions:
        why = "every learning rate was 0; raise alpha, or change the schedule"
    elif counts.n_subsampled:
        why = (
            f"subsampling dropped {counts.n_subsampled:,} of {counts.n_tokens:,} tokens and left "
            f"no sentence two words; raise sample above {trainer.parameters.sample:g}, or set 0"
        )
    warnings.warn(f"{NOTHING_TRAINED}, the vectors are unchanged: {why}", stacklevel=5)


def _warn_of_held_rate(trainer: Trainer) -> None:
    alpha, most = trainer.parameters.first_rate, trainer.blocks.max_lr
    if most < alpha:
        warnings.warn(
            f"learning rates above {most:.3g} are limited to that value: with alpha={alpha:g}, "
            "even a single prediction would change a row too much",
            stacklevel=5,
        )


@contextmanager
def _saved(
    request: RunRequest, parts: "_Parts", trainer: Trainer, best: BestEpoch | None
) -> Iterator[list[Listener]]:
    """Save checkpoints during the with block, and resume from one, as the options say."""
    model, checkpoints = request.model, request.options.checkpoints
    model.last_checkpoint = None
    if checkpoints is None:
        yield []
        return
    held_out = parts.held_out
    n_held_out = None if held_out is None else held_out.n_tokens
    description = AboutRun(
        corpus_identity(request.corpus, parts.stream, request.arrays.frozen),
        criterion_of(request.options, n_held_out, stream_digest(held_out)),
        {**request.source, "validation": source_of_validation(request.options)},
    )
    run = CheckpointedRun(checkpoints, request.to_file, description, best)
    with run.running(trainer) as writer:
        model.history += trainer.history
        yield [writer]
    model.last_checkpoint = writer.last if writer.is_current else None


@dataclass(frozen=True)
class _Parts:
    """The token streams of a run.

    held_out: the validation stream.  other_text: its corpus, if it is not part of the training
    corpus.
    """

    stream: Spool
    held_out: Spool | None = None
    other_text: EncodedCorpus | None = None

    @property
    def n_held_out(self) -> int:
        """The number of tokens of the corpus that are held out."""
        return self.held_out.n_tokens if self.held_out and not self.other_text else 0


def _parts(request: RunRequest, spool: Spool, open_files: ExitStack) -> _Parts:
    """Return the streams of a run; open_files closes them."""
    options = request.options
    if options.validation is None:
        return _Parts(spool)
    if options.validation_share is not None:
        stream, held_out = hold_out(spool, options.validation_share, request.parameters.seed)
        open_files.enter_context(stream)
        open_files.enter_context(held_out)
        return _Parts(stream, held_out)
    text = request.read_validation()
    open_files.enter_context(text.spool)
    return _Parts(spool, text.spool, text)


class _Listeners:
    """The listeners of a run: those that fill in an epoch's record precede those that read it."""

    def __init__(self, request: RunRequest, parts: _Parts, trainer: Trainer) -> None:
        options = request.options
        self.validation = Validation(parts.held_out) if parts.held_out is not None else None
        self.metric = Metric(_measure(request)) if options.metric is not None else None
        self.best: BestEpoch | None = None
        if options.is_compared:
            restore, changed = options.restore_best, request.model.vectors_changed
            self.best = BestEpoch(options.patience, restore, changed)
        self.log: RunLog | None = None
        if options.log is not None:
            self.log = RunLog(options.log, _log_head(request, parts, trainer))
        facts = facts_if_logged()
        self.in_order: list[Listener] = [
            listener
            for listener in (
                _History(request, parts),
                NormWatch(request.corpus.vocabulary.words),
                self.validation,
                self.metric,
                self.best,
                self.log,
                facts.Facts() if facts else None,
                ObserverListener(request.observer) if request.observer else None,
                *(ModelCallback(request.model, c) for c in options.callbacks),
            )
            if listener is not None
        ]


class _History(Listener):
    """Append epochs to the model's history; invalidate cached norms for the next listeners."""

    interval_seconds = INTERVAL_SECONDS

    def __init__(self, request: RunRequest, parts: _Parts) -> None:
        self.model, self.corpus = request.model, request.corpus
        self.n_held_out = parts.n_held_out
        self.intervals: list[Report] = []

    def on_interval(self, run: Run, report: Report) -> None:
        """Keep the report."""
        self.model.vectors_changed()
        self.intervals.append(report)

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Complete the record and append it to the history."""
        self.model.vectors_changed()
        record.n_tokens_read = self.corpus.n_tokens_read
        record.n_below_min_count = self.corpus.n_below_min_count
        record.n_held_out = self.n_held_out
        record.intervals, self.intervals = self.intervals, []
        self.model.history.append(record)


def _measure(request: RunRequest) -> Callable[[], float]:
    """Return the metric, bound to the model, as a function without arguments."""
    metric, model = request.options.metric, request.model
    assert metric is not None

    def measure() -> float:
        value = metric(model)
        return float(value) if value != value else check_finite("metric", value)

    return measure


def _log_head(request: RunRequest, parts: _Parts, trainer: Trainer) -> dict[str, Any]:
    """Return the first line of a log."""
    corpus, parameters = request.corpus, request.parameters
    return {
        **describe_program(),
        "host": describe_host(),
        "settings": effective_settings(parameters),
        "loss_name": loss_name(parameters),
        "blocks": trainer.blocks_text,
        "corpus": {
            "tokenizer": request.source.get("tokenizer"),
            "n_words": len(corpus.vocabulary),
            "n_tokens_read": corpus.n_tokens_read,
            "n_below_min_count": corpus.n_below_min_count,
            "n_too_long": corpus.n_too_long,
            "n_sentences": corpus.n_sentences,
            "n_held_out": parts.n_held_out,
            "read_seconds": corpus.seconds,
        },
        "options": {
            "validation": request.options.validation_share or request.options.validation_paths,
            "patience": request.options.patience,
            "restore_best": request.options.restore_best,
        },
    }


def _summary(
    request: RunRequest, parts: _Parts, trainer: Trainer, listeners: _Listeners, seconds: float
) -> Summary:
    """Return the summary of a run."""
    corpus, counts, best = request.corpus, trainer.counts(), listeners.best
    history, other = trainer.history, parts.other_text
    n_finished = sum(record.n_trained + record.n_subsampled for record in history)
    restored = best.restored_epoch if best else None
    standing = history[(restored or len(history)) - 1] if history else None
    return Summary(
        n_words=len(corpus.vocabulary),
        n_tokens_read=corpus.n_tokens_read,
        n_below_min_count=corpus.n_below_min_count,
        n_sentences=corpus.n_sentences,
        epochs=len(history),
        n_trained=counts.n_trained,
        n_subsampled=counts.n_subsampled,
        n_predictions=counts.n_predictions,
        loss=history[-1].loss if history else None,
        read_seconds=corpus.seconds,
        train_seconds=trainer.seconds,
        words_per_second=per_second(counts.n_tokens, trainer.seconds),
        peak_bytes=peak_bytes(),
        stopped=trainer.stopped,
        loss_name=loss_name(request.parameters),
        n_held_out=parts.n_held_out,
        n_unfinished=counts.n_tokens - n_finished,
        validation_loss=standing.validation_loss if standing else None,
        n_validation_tokens=other.n_tokens_read if other else parts.n_held_out,
        n_validation_unknown=other.n_below_min_count if other else 0,
        metric=standing.metric if standing else None,
        best_epoch=best.best.epoch if best and best.best else None,
        restored_epoch=restored,
        validation_seconds=listeners.validation.seconds if listeners.validation else 0.0,
        metric_seconds=listeners.metric.seconds if listeners.metric else 0.0,
        total_seconds=seconds,
        blocks=trainer.blocks_text,
        n_too_long=corpus.n_too_long,
    )
