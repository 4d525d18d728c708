"""What a run did, for people to read."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastw2v.training.events import Summary


def format_summary(s: "Summary") -> str:
    """Return what the run did, with an account of every token read."""
    lines = [f"{name:18} {count:>15}  {note}" for name, count, note in _rows(s)]
    if s.stopped:
        lines.append(f"{'stopped early':18} {s.stopped}")
    return "\n".join(lines)


def _rows(s: "Summary") -> list[tuple[str, str, str]]:
    """Return name, number and note of each line."""
    n_read = s.n_tokens_read * s.epochs
    rows = [("tokens read", f"{n_read:,}", f"{s.n_tokens_read:,} x {s.epochs} epochs")]
    for name, count in [
        ("trained", s.n_trained),
        ("subsampled", s.n_subsampled),
        ("not in vocabulary", s.n_below_min_count * s.epochs),
        ("held out", s.n_held_out * s.epochs),
    ]:
        if count or name != "held out":
            rows.append((name, f"{count:,}", share(count, n_read)))
    rows.append(("words", f"{s.n_words:,}", f"in {s.n_sentences:,} sentences"))
    if s.loss is not None:
        rows.append(("loss of last epoch", f"{s.loss:.4f}", f"nats per prediction; {s.loss_name}"))
    rows += _compared(s)
    if s.blocks:
        rows.append(("step", "", s.blocks))
    stages = {
        "reading": s.read_seconds,
        "training": s.train_seconds,
        "validating": s.validation_seconds,
        "measuring": s.metric_seconds,
    }
    told = ", ".join(f"{v:.1f} s {k}" for k, v in stages.items() if v or k[0] in "rt")
    rows.append(("speed", f"{s.words_per_second / 1e6:.2f}", f"M words/s; {told}"))
    if s.peak_bytes:
        rows.append(("memory", f"{s.peak_bytes / 2**20:,.0f}", "MiB at most"))
    return rows


def _compared(s: "Summary") -> list[tuple[str, str, str]]:
    """Return the lines on what was measured after each epoch."""
    epoch = s.restored_epoch or s.epochs
    rows = []
    if s.validation_loss is not None:
        unknown = share(s.n_validation_unknown, s.n_validation_tokens)
        note = f"of {s.n_validation_tokens:,} tokens, {unknown} not in vocabulary"
        rows.append(("held-out loss", f"{s.validation_loss:.4f}", f"after epoch {epoch}; {note}"))
    if s.metric is not None:
        rows.append(("metric", f"{s.metric:.4f}", f"after epoch {epoch}"))
    if s.best_epoch is not None:
        kept = "whose vectors are kept" if s.restored_epoch else f"of {s.epochs}"
        rows.append(("best epoch", str(s.best_epoch), kept))
    return rows


def share(part: int, whole: int) -> str:
    """Return a part in percent."""
    return f"{part / whole:.1%}" if whole else ""
