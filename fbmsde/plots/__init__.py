"""Figures: one function per result, each returns the Axes or the Figure that it drew on."""

from .escape import plot_escape, plot_order, plot_rates, plot_survival
from .hurst import plot_rolling_hurst
from .sgd import plot_sgd_escape, plot_sgd_group, plot_sgd_laws

__all__ = [
    "plot_escape",
    "plot_order",
    "plot_rates",
    "plot_rolling_hurst",
    "plot_sgd_escape",
    "plot_sgd_group",
    "plot_sgd_laws",
    "plot_survival",
]
