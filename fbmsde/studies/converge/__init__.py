"""How fast and how far SGD converges under noises of different memory, beside the exact theory of the linear chain."""

from .study import ConvergeStudy, converge_study

__all__ = ["ConvergeStudy", "converge_study"]
