"""Escape from a sharp and a flat minimum, measured and predicted."""

from .study import EscapeStudy, InterruptedStudyError, escape_study

__all__ = [
    "EscapeStudy",
    "InterruptedStudyError",
    "escape_study",
]
