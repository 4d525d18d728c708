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
from fastw2v.training.summary import summarise
from fastw2v.training.trainer import Trainer
from fastw2v.training.windows import Window

__all__ = [
    "OBJECTIVES",
    "Counts",
    "EpochRecord",
    "Listener",
    "ModelArrays",
    "Observer",
    "ObserverListener",
    "Parameters",
    "ProgressLine",
    "Report",
    "Run",
    "StopTraining",
    "Summary",
    "Trainer",
    "Window",
    "build_arrays",
    "choose_objective",
    "choose_observer",
    "effective_settings",
    "end_progress",
    "model_callbacks",
    "peak_bytes",
    "summarise",
    "usable_cores",
]
