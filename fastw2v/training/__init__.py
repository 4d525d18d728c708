"""Parameters, schedule and the threads that run the kernels."""

from fastw2v.training.callbacks import (
    Listener,
    ObserverListener,
    Run,
    StopTraining,
    model_callbacks,
)
from fastw2v.training.model import ModelArrays, build_arrays, effective_settings
from fastw2v.training.parameters import OBJECTIVES, Parameters, choose_objective, usable_cores
from fastw2v.training.progress import ProgressLine, choose_observer, end_progress
from fastw2v.training.report import Counts, EpochRecord, Observer, Report, Summary, peak_bytes
from fastw2v.training.start import (
    FREEZE_KEYWORDS,
    Freeze,
    Start,
    check_freeze,
    frozen_rows,
    take_over,
)
from fastw2v.training.summary import summarise
from fastw2v.training.trainer import Trainer
from fastw2v.training.windows import Window

__all__ = [
    "FREEZE_KEYWORDS",
    "OBJECTIVES",
    "Counts",
    "EpochRecord",
    "Freeze",
    "Listener",
    "ModelArrays",
    "Observer",
    "ObserverListener",
    "Parameters",
    "ProgressLine",
    "Report",
    "Run",
    "Start",
    "StopTraining",
    "Summary",
    "Trainer",
    "Window",
    "build_arrays",
    "check_freeze",
    "choose_objective",
    "choose_observer",
    "effective_settings",
    "end_progress",
    "frozen_rows",
    "model_callbacks",
    "peak_bytes",
    "summarise",
    "take_over",
    "usable_cores",
]
