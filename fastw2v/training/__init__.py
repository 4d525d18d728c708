"""Parameters, schedule and the threads that run the kernels."""

from fastw2v.training.model import ModelArrays, build_arrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.report import Counts, EpochRecord, Observer, Report
from fastw2v.training.trainer import Trainer

__all__ = [
    "Counts",
    "EpochRecord",
    "ModelArrays",
    "Observer",
    "Parameters",
    "Report",
    "Trainer",
    "build_arrays",
]
