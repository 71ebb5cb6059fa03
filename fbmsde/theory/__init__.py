"""Closed forms for exits, passages and extremes, each with its source, its status and the range in which it holds.

`FORMULAS` lists them. Every formula takes the same keyword arguments and ignores those that it does not need, so that
one dictionary describes a problem to all of them:

>>> problem = dict(hurst=0.7, curvature=2.0, sigma=1.0, barrier=2.0, dt=1e-3, sides=1)
>>> [f.name for f in applicable("exit_rate", EXIT, **problem) if f.status != "refuted"]
['pickands', 'pickands_grid', 'pickands_euler', 'pickands_shifted']
"""

from ..laws.diffusions import brownian_interval_survival, brownian_survival, mean_exit_time, ou_exit_rate
from ..laws.extremes import (
    barrier_shift,
    fbm_argmax_density,
    fbm_exit_at_top,
    fbm_maximum_cdf,
    fbm_maximum_cdf_perturbative,
    fbm_maximum_density,
    fbm_maximum_mean,
    pickands_constant,
)
from .formula import ARGUMENTS, EXIT, FBM, PASSAGE, SPREAD, Formula
from .registry import FORMULAS, applicable, formulas_table
from .sharp_or_flat import first_to_empty, flip_height, flip_hurst, scaled_barrier

__all__ = [
    "ARGUMENTS",
    "EXIT",
    "FBM",
    "FORMULAS",
    "PASSAGE",
    "SPREAD",
    "Formula",
    "applicable",
    "barrier_shift",
    "brownian_interval_survival",
    "brownian_survival",
    "fbm_argmax_density",
    "fbm_exit_at_top",
    "fbm_maximum_cdf",
    "fbm_maximum_cdf_perturbative",
    "fbm_maximum_density",
    "fbm_maximum_mean",
    "first_to_empty",
    "flip_height",
    "flip_hurst",
    "formulas_table",
    "mean_exit_time",
    "ou_exit_rate",
    "pickands_constant",
    "scaled_barrier",
]
