"""Parameters, schedule and the threads that run the kernels."""

from fastw2v.training.callbacks import (
    Listener,
    ModelCallback,
    ObserverListener,
    Run,
    StopTraining,
)
from fastw2v.training.checkpoint_options import Checkpoints
from fastw2v.training.divergence import check_rows
from fastw2v.training.exclusive import alone
from fastw2v.training.log import RunLog
from fastw2v.training.model import ModelArrays, build_arrays, effective_settings
from fastw2v.training.options import RunOptions
from fastw2v.training.parameters import (
    OBJECTIVES,
    Parameters,
    choose_objective,
    loss_name,
)
from fastw2v.training.progress import ProgressLine, choose_observer, end_progress
from fastw2v.training.report import Counts, EpochRecord, Observer, Report, Summary, peak_bytes
from fastw2v.training.run_state import STATE, RunState
from fastw2v.training.start import (
    FREEZE_KEYWORDS,
    Freeze,
    Start,
    check_all_move,
    check_freeze,
    frozen_rows,
    locked_rows,
    take_over,
)
from fastw2v.training.trainer import Trainer
from fastw2v.training.validation import BestEpoch, Metric, Validation
from fastw2v.training.windows import Window

__all__ = [
    "FREEZE_KEYWORDS",
    "OBJECTIVES",
    "STATE",
    "BestEpoch",
    "Checkpoints",
    "Counts",
    "EpochRecord",
    "Freeze",
    "Listener",
    "Metric",
    "ModelArrays",
    "ModelCallback",
    "Observer",
    "ObserverListener",
    "Parameters",
    "ProgressLine",
    "Report",
    "Run",
    "RunLog",
    "RunOptions",
    "RunState",
    "Start",
    "StopTraining",
    "Summary",
    "Trainer",
    "Validation",
    "Window",
    "alone",
    "build_arrays",
    "check_all_move",
    "check_freeze",
    "check_rows",
    "choose_objective",
    "choose_observer",
    "effective_settings",
    "end_progress",
    "frozen_rows",
    "locked_rows",
    "loss_name",
    "peak_bytes",
    "take_over",
]
