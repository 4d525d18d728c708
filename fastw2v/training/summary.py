"""The counts of a run, gathered at its end."""

from fastw2v.corpus import EncodedCorpus
from fastw2v.training.report import Summary, peak_bytes
from fastw2v.training.trainer import Trainer


def summarise(corpus: EncodedCorpus, trainer: Trainer, seconds: float) -> Summary:
    """Gather the counts of a run."""
    counts = trainer.counts()
    return Summary(
        n_words=len(corpus.vocabulary),
        n_tokens_read=corpus.n_tokens_read,
        n_below_min_count=corpus.n_below_min_count,
        n_sentences=corpus.n_sentences,
        epochs=trainer.epoch,
        n_trained=counts.n_trained,
        n_subsampled=counts.n_subsampled,
        n_predictions=counts.n_predictions,
        loss=trainer.history[-1].loss if trainer.history else None,
        read_seconds=corpus.seconds,
        train_seconds=seconds,
        words_per_second=counts.n_tokens / seconds if seconds > 0 else 0.0,
        peak_bytes=peak_bytes(),
        stopped=trainer.stopped,
    )
