"""Closed forms for exits, passages and extremes, each with its source, its status and the range in which it holds.

`FORMULAS` lists them. Every formula takes the same keyword arguments and ignores those that it does not need, so that
one dictionary describes a problem to all of them:

>>> problem = dict(hurst=0.7, curvature=2.0, sigma=1.0, barrier=2.0, dt=1e-3, sides=1)
>>> [f.name for f in applicable("exit_rate", EXIT, **problem) if f.status != "refuted"]
['pickands', 'pickands_grid', 'pickands_euler', 'pickands_shifted']
"""

from ..laws.diffusions import brownian_interval_survival, brownian_survival, mean_exit_time, ou_exit_rate
from ..laws.epochs import batches_per_epoch, epoch_autocorrelation, epoch_correlation, epoch_variance
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
from ..laws.fou import fou_mean_variance
from ..laws.fou_exits import fou_exit_hazard, fou_exit_rate
from ..laws.inertia import (
    energy_escape_rate,
    langevin_variance,
    langevin_velocity_variance,
    quartic_action,
    spatial_escape_rate,
    turnover_escape_rate,
)
from ..laws.linear_chains import (
    chain_autocovariance,
    chain_mean_variance,
    chain_second_moment,
    chain_variance,
    linear_chain_variance,
    linear_chain_variances,
    spectral_variance,
    white_autocovariance,
)
from ..laws.momentum import (
    momentum_bound,
    momentum_second_moment,
    momentum_variance,
    momentum_weights,
    white_momentum_variance,
)
from ..laws.splitting import (
    ball_mean_exit_time,
    best_resetting_rate,
    brownian_exit_at_top,
    brownian_resetting_mean_time,
    exit_at_top,
    ou_exit_at_top,
    resetting_mean_time,
)
from ..laws.stable import (
    stable_ball_mean_exit_time,
    stable_exit_at_top,
    stable_exit_rate,
    stable_jump_constant,
    stable_mean_exit_time,
)
from .formula import ARGUMENTS, CHAIN, EXIT, FBM, INERTIA, PASSAGE, SIDES, SPREAD, STABLE, Formula
from .references import REFERENCES, Reference
from .registry import FORMULAS, applicable, formulas_table
from .sharp_or_flat import first_to_empty, flip_height, flip_hurst, scaled_barrier
from .verification import Verification

__all__ = [
    "ARGUMENTS",
    "CHAIN",
    "EXIT",
    "FBM",
    "FORMULAS",
    "INERTIA",
    "PASSAGE",
    "REFERENCES",
    "SIDES",
    "SPREAD",
    "STABLE",
    "Formula",
    "Reference",
    "Verification",
    "applicable",
    "ball_mean_exit_time",
    "barrier_shift",
    "batches_per_epoch",
    "best_resetting_rate",
    "brownian_exit_at_top",
    "brownian_interval_survival",
    "brownian_resetting_mean_time",
    "brownian_survival",
    "chain_autocovariance",
    "chain_mean_variance",
    "chain_second_moment",
    "chain_variance",
    "energy_escape_rate",
    "epoch_autocorrelation",
    "epoch_correlation",
    "epoch_variance",
    "exit_at_top",
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
    "fou_exit_hazard",
    "fou_exit_rate",
    "fou_mean_variance",
    "langevin_variance",
    "langevin_velocity_variance",
    "linear_chain_variance",
    "linear_chain_variances",
    "mean_exit_time",
    "momentum_bound",
    "momentum_second_moment",
    "momentum_variance",
    "momentum_weights",
    "ou_exit_at_top",
    "ou_exit_rate",
    "pickands_constant",
    "quartic_action",
    "resetting_mean_time",
    "scaled_barrier",
    "spatial_escape_rate",
    "spectral_variance",
    "stable_ball_mean_exit_time",
    "stable_exit_at_top",
    "stable_exit_rate",
    "stable_jump_constant",
    "stable_mean_exit_time",
    "turnover_escape_rate",
    "white_autocovariance",
    "white_momentum_variance",
]
