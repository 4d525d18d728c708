"""What the logger `fastw2v` gets at level INFO: the facts that gensim logs, in its words."""

import logging

import numpy as np
from numpy.typing import NDArray

from fastw2v.corpus import EncodedCorpus
from fastw2v.sampling import keep_probabilities
from fastw2v.training.events import (
    INTERVAL_SECONDS,
    EpochRecord,
    Listener,
    Report,
    Run,
    per_second,
)
from fastw2v.training.parameters import loss_name

LOGGER = logging.getLogger("fastw2v")
LOGGER.addHandler(logging.NullHandler())


def is_logged() -> bool:
    """Return whether the program logs at INFO."""
    return LOGGER.isEnabledFor(logging.INFO)


def log_corpus(corpus: EncodedCorpus, is_given: bool) -> None:
    """Log the size of a corpus, and what min_count or a given vocabulary dropped."""
    n_distinct, n_words = corpus.n_distinct, corpus.n_distinct_kept
    n_read, n_kept = corpus.n_tokens_read, corpus.n_tokens_read - corpus.n_below_min_count
    LOGGER.info(
        "collected %d word types from a corpus of %d raw words and %d sentences in %.1fs",
        n_distinct, n_read, corpus.n_sentences, corpus.seconds,
    )  # fmt: skip
    rule = "the given vocabulary" if is_given else f"effective_min_count={corpus.min_count}"
    LOGGER.info(
        "%s retains %d unique words (%.2f%% of original %d, drops %d)",
        rule, n_words, _percent(n_words, n_distinct), n_distinct, n_distinct - n_words,
    )  # fmt: skip
    LOGGER.info(
        "%s leaves %d word corpus (%.2f%% of original %d, drops %d)",
        rule, n_kept, _percent(n_kept, n_read), n_read, n_read - n_kept,
    )  # fmt: skip


def log_frequencies(n_distinct: int, n_tokens: int, n_words: int) -> None:
    """Log the size of a mapping from words to counts, and of the vocabulary made from it."""
    LOGGER.info(
        "collected %d unique word types, with total frequency of %d; the vocabulary has %d words",
        n_distinct, n_tokens, n_words,
    )  # fmt: skip


def log_subsampling(counts: NDArray[np.int64], sample: float) -> None:
    """Log how many words and tokens subsampling affects.  counts: (n_words,) int64."""
    keep_prob = keep_probabilities(counts, sample)
    n_tokens, n_left = int(counts.sum()), int((counts * keep_prob).sum())
    LOGGER.info(
        "sample=%g downsamples %d most-common words", sample, np.count_nonzero(keep_prob < 1)
    )
    LOGGER.info(
        "downsampling leaves estimated %d word corpus (%.1f%% of prior %d)",
        n_left, _percent(n_left, n_tokens), n_tokens,
    )  # fmt: skip


class Facts(Listener):
    """Logs the settings of a run, its progress about once a second, and each epoch."""

    interval_seconds = INTERVAL_SECONDS

    def on_train_begin(self, run: Run) -> None:
        """Log the settings."""
        p, rows = run.parameters, run.model_arrays.in_rows
        LOGGER.info(
            "training model with %d workers on %d vocabulary and %d features, using sg=%d "
            "sample=%g window=%s shrink_windows=%s alpha=%g; %s",
            p.n_threads, len(rows), p.vector_size, p.sg, p.sample, p.window, p.shrink_windows,
            p.first_rate, loss_name(p),
        )  # fmt: skip

    def on_interval(self, run: Run, report: Report) -> None:
        """Log the progress within the epoch, unless on_epoch_end follows."""
        assert report.total is not None
        of_epoch = report.done * run.parameters.epochs / max(report.total, 1) - run.epoch
        if of_epoch < 1:
            LOGGER.info(
                "EPOCH %d - PROGRESS: at %.2f%% words, %.0f words/s",
                run.epoch + 1, 100 * of_epoch, report.words_per_second,
            )  # fmt: skip

    def on_epoch_end(self, run: Run, record: EpochRecord) -> None:
        """Log the epoch."""
        values = {
            "loss": record.loss,
            "held-out loss": record.validation_loss,
            "metric": record.metric,
        }
        measured = (f", {name} {v:.4f}" for name, v in values.items() if v is not None)
        LOGGER.info("EPOCH %d: %s%s", record.epoch, _trained([record]), "".join(measured))

    def on_train_end(self, run: Run) -> None:
        """Log the whole run."""
        LOGGER.info("%s", _trained(run.history))
        if run.stopped is not None:
            LOGGER.info("training stopped early: %s", run.stopped)


def _trained(records: list[EpochRecord]) -> str:
    """Return the words read and trained in some epochs, and the speed."""
    n_read = sum(record.n_tokens_read for record in records)
    n_trained = sum(record.n_trained for record in records)
    seconds = sum(record.seconds for record in records)
    return (
        f"training on {n_read} raw words ({n_trained} effective words) took {seconds:.1f}s, "
        f"{per_second(n_trained, seconds):.0f} effective words/s"
    )


def _percent(part: int, whole: int) -> float:
    return 100 * part / max(whole, 1)
