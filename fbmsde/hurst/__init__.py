"""Estimates of the Hurst parameter of series, with intervals, tests, and copies without memory."""

from .batch import KINDS, NAN_POLICIES
from .estimate import INTERVALS, estimate_hurst
from .registry import ESTIMATORS, NULLS, Estimator
from .result import HurstEstimate
from .rolling import RollingHurst, rolling_hurst

__all__ = [
    "ESTIMATORS",
    "INTERVALS",
    "KINDS",
    "NAN_POLICIES",
    "NULLS",
    "Estimator",
    "HurstEstimate",
    "RollingHurst",
    "estimate_hurst",
    "rolling_hurst",
]
