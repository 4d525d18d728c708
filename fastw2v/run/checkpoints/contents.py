"""Check what a checkpoint holds, before anything uses it.

Checksums notice accidents.  These checks notice edits, and checkpoints of other programs.
"""

from collections.abc import Mapping
from typing import Any

from fastw2v.base.checks import check_flag, check_integer, check_path
from fastw2v.errors import UsageError
from fastw2v.formats import WordVectors
from fastw2v.formats.native import PENDING_BIAS
from fastw2v.run.saved_model import StoredSettings, can_be_counts
from fastw2v.run.validation import PARTS
from fastw2v.training.events import CHECKPOINT_KEY, RunState
from fastw2v.training.parameters import OWN

ITERABLE = "a Python iterable or standard input"  # a validation text that no file holds
SAME_NAMES = ("patience", "restore_best")  # keys of a criterion that are also names of options


def check_contents(found: WordVectors) -> None:
    """Raise ValueError, which names the field, unless a run can resume from this content."""
    if found.counts is None or not can_be_counts(found.counts):
        raise ValueError("it has no counts, or they are negative or too large")
    settings = {name: v for name, v in found.settings.items() if name != CHECKPOINT_KEY}
    if not isinstance(settings.pop("backend", None), str):
        raise ValueError("backend must be a name")
    if str(settings.get("schedule")).startswith(OWN):
        settings["schedule"] = "linear"  # the caller has to pass the function
    if "lowercase" not in settings:
        raise ValueError("there is no lowercase")
    stored = StoredSettings.of(settings)
    if stored.parameters.vector_size != found.dim:
        raise ValueError(
            f"vector_size is {stored.parameters.vector_size}, but its rows have {found.dim}"
        )
    _check_arrays(found)
    state = _mapping("checkpoint", found.settings[CHECKPOINT_KEY])
    if not isinstance(state.get("fastw2v"), str):
        raise ValueError("checkpoint.fastw2v must be a version")
    _mapping("checkpoint.corpus", state.get("corpus"))
    _check_criterion(state)
    RunState.from_json(_mapping("checkpoint.run", state.get("run")))


def _check_arrays(found: WordVectors) -> None:
    """Check the copy of the best epoch's arrays against the current ones."""
    current = (found.vectors, found.output_vectors, found.output_bias, found.input_bias)
    shapes = {
        name: rows.shape for name, rows in zip(PARTS, current, strict=True) if rows is not None
    }
    if found.input_bias is not None:
        shapes[PARTS[-1]] = (1, found.dim)
    if found.input_bias is None and PENDING_BIAS in found.extra_arrays:
        raise ValueError(f"it has {PENDING_BIAS}, but no input bias")
    best_shapes = {
        name: rows.shape for name, rows in found.extra_arrays.items() if name != PENDING_BIAS
    }
    if best_shapes and best_shapes != shapes:
        raise ValueError(f"the best epoch's arrays must be {shapes}, got {best_shapes}")


def _check_criterion(state: Mapping[str, Any]) -> None:
    """Check how epochs are compared, and how the texts are read again."""
    source = _mapping("checkpoint.source", state.get("source"))
    criterion = _mapping("checkpoint.criterion", state.get("criterion"))
    paths, validation = source.get("corpus_file", 0), source.get("validation", 0)
    if paths is not None and not _are_paths(paths):
        raise ValueError("checkpoint.source.corpus_file must be null or a list of paths")
    for part, names in (("source", ("tokenizer",)), ("criterion", ("metric",))):
        for name in names:
            value = state[part].get(name, 0)
            if value is not None and not isinstance(value, str):
                raise ValueError(f"checkpoint.{part}.{name} must be null or a name, got {value!r}")
    is_share = isinstance(validation, float) and 0 < validation < 1
    if validation not in (None, ITERABLE) and not is_share and not _are_paths(validation):
        raise ValueError("checkpoint.source.validation must be null, a share or a list of paths")
    expected = validation if is_share or validation is None else "text"
    if criterion.get("validation", 0) != expected:
        raise ValueError("checkpoint.criterion.validation does not match that of the source")
    for name in SAME_NAMES:
        if name not in criterion:
            raise ValueError(f"there is no checkpoint.criterion.{name}")
    check_flag("checkpoint.criterion.restore_best", criterion["restore_best"])
    if criterion["patience"] is not None:
        check_integer("checkpoint.criterion.patience", criterion["patience"], 1)
    is_compared = validation is not None or criterion["metric"] is not None
    if not is_compared and any(criterion[name] for name in SAME_NAMES):
        raise ValueError("checkpoint.criterion has patience or restore_best, but no validation")


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a JSON object, got {value!r:.80}")
    return value


def _are_paths(value: Any) -> bool:
    """Return whether this is a list of names that files can have."""
    if not isinstance(value, list) or not value:
        return False
    try:
        for path in value:
            check_path("path", path)
    except UsageError:
        return False
    return True
