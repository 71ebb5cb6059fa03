"""Figures: one function per result, each returns the Axes or the Figure that it drew on.

>>> from fbmsde import fgn, rolling_hurst
>>> rolling = rolling_hurst(fgn(0.7, 512, seed=1)[0], kind="increments", window=128)
>>> plot_rolling_hurst(rolling).get_ylabel()
'Hurst parameter H'
"""

from .campaign import plot_campaign, plot_problem_estimates, plot_problem_survival
from .converge import plot_converge, plot_dependence, plot_loss, plot_schedules
from .escape import plot_escape, plot_order, plot_rates, plot_survival
from .escape_rates import plot_escape_rates, plot_over_pickands, plot_rate_ratio, plot_rates_of_barriers
from .formula import plot_formula
from .hurst import plot_hurst, plot_rolling_hurst
from .instanton import plot_most_likely_escape
from .passages import (
    plot_density,
    plot_hazard,
    plot_passages,
    plot_rare_escape,
    plot_residence,
    plot_split,
    plot_survival_curve,
)
from .paths import plot_displacement, plot_paths
from .sgd import plot_sgd_group, plot_sgd_laws
from .sgd_escape import plot_sgd_escape
from .views import plot_view_exponents, plot_view_order, plot_view_survival, plot_views

__all__ = [
    "plot_campaign",
    "plot_converge",
    "plot_density",
    "plot_dependence",
    "plot_displacement",
    "plot_escape",
    "plot_escape_rates",
    "plot_formula",
    "plot_hazard",
    "plot_hurst",
    "plot_loss",
    "plot_most_likely_escape",
    "plot_order",
    "plot_over_pickands",
    "plot_passages",
    "plot_paths",
    "plot_problem_estimates",
    "plot_problem_survival",
    "plot_rare_escape",
    "plot_rate_ratio",
    "plot_rates",
    "plot_rates_of_barriers",
    "plot_residence",
    "plot_rolling_hurst",
    "plot_schedules",
    "plot_sgd_escape",
    "plot_sgd_group",
    "plot_sgd_laws",
    "plot_split",
    "plot_survival",
    "plot_survival_curve",
    "plot_view_exponents",
    "plot_view_order",
    "plot_view_survival",
    "plot_views",
]
