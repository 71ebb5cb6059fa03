"""The views of SGD side by side: Brownian, fractional, stable and epoch noise in the same two minima."""

from .study import ViewsStudy, views_study

__all__ = ["ViewsStudy", "views_study"]
