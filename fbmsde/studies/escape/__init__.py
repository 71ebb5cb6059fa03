"""Escape from a sharp and a flat minimum, measured and predicted."""

from .interrupted import InterruptedStudyError
from .rates import RatesStudy, escape_rates
from .study import EscapeStudy, escape_study

__all__ = [
    "EscapeStudy",
    "InterruptedStudyError",
    "RatesStudy",
    "escape_rates",
    "escape_study",
]
