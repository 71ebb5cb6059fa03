"""Conditioned paths as a rare-event method: a replica is a batch of weighted independent paths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from ..core import checks
from ..drivers.base import Correlated
from ..drivers.fractional import FractionalNoise
from ..drivers.gaussian import GaussianNoise
from ..dynamics.landscapes import Landscape
from ..results.rare import Replica
from ..results.rare_estimate import RareEstimate
from ..simulation.monitoring import Shifted
from ..simulation.problem import MOST_NUMBERED, Crowd
from ..simulation.regions import Between
from .conditioned import Band, ConditionedExits, Draws, bend_paths, checked_slack, seen
from .linear_process import LinearProcess, chain_process, fou_process, linear_factors
from .posed import Escape
from .runs import Runs

_LOWEST = -708.0  # a bound whose logarithm is lower is told as exp(-708) = 3.3e-308, which a float can still hold


@dataclass(frozen=True)
class Conditioned:
    """Exactly conditioned paths in a quadratic well: independent, weighted, without bias (see `conditioned_exits`).

    With `Shifted` the paths are those of the exact fractional Ornstein-Uhlenbeck process, with `Grid` those of the
    chain that the solver makes.

    n_paths : the number of paths of a replica. Its relative error is about ``1.2 / sqrt(n_paths)``.
    n_draws : how often each path is bent out of the domain.
    slack : paths are counted as near an end within so many mean overshoots, in [0, 10].

    The landscape must be a quadratic well in one dimension with its minimum at 0, the domain an interval and the noise
    a `FractionalNoise` or a `GaussianNoise`.
    """

    name: ClassVar[str] = "conditioned"
    n_paths: int = 1000
    n_draws: int = 1
    slack: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_paths", checks.count("n_paths", self.n_paths, 2))
        object.__setattr__(self, "n_draws", checks.count("n_draws", self.n_draws))
        object.__setattr__(self, "slack", checked_slack(self.slack))

    def require(self, escape: Escape) -> None:
        """ValueError unless the paths are those of a linear process with Gaussian noise, which leave an interval."""
        advice = "Take method='splitting' or method='subset'."
        if not isinstance(escape.landscape, Landscape):
            raise ValueError(
                "landscape must be a quadratic well itself for conditioned paths, not as a chain or an equation, got "
                f"{escape.equation.name!r}. {advice}"
            )
        if not isinstance(escape.problem.region, Between):
            raise ValueError(f"domain must be (lower, upper) for conditioned paths, got level sets. {advice}")
        if not isinstance(escape.driver, (FractionalNoise, GaussianNoise)):
            raise ValueError(
                f"noise must be a FractionalNoise or a GaussianNoise for conditioned paths, got {escape.driver!r}. "
                + advice
            )
        _followed(escape)

    def run(self, escape: Escape, crowd: Crowd) -> Runs:
        """The replicas of a crowd, and the number of steps that their paths made."""
        self.require(escape)
        n = self.n_paths
        checks.count("first + n_replicas", crowd.paths.stop, 1, MOST_NUMBERED // n)
        process, ends = _followed(escape)
        paths = Crowd(crowd.n_paths * n, crowd.threads, crowd.progress, crowd.first * n, crowd.stop)
        draws = Draws(escape.key, 1, self.n_draws, self.slack)
        exits = bend_paths(process, ends, draws, paths, n, "replica")
        band, signs = Band.of(process, ends, 1, self.slack), {"lower": -1, "upper": 1}
        parts = [exits.part(slice(i * n, (i + 1) * n)) for i in range(crowd.n_paths)]
        bounds = {side: band.log_bound_of(signs[side]) for side in escape.names}
        found = {
            side: tuple(_replica(part, signs[side], log_bound) for part in parts) for side, log_bound in bounds.items()
        }
        return found, paths.n_paths * process.n_steps


@lru_cache(maxsize=16)
def _followed(escape: Escape) -> tuple[LinearProcess, tuple[float, float]]:
    """The process that the paths follow, and the ends of its domain as the steps see them; ValueError for neither."""
    process, region = _process(escape), escape.problem.region
    assert isinstance(region, Between)
    return process, seen(process, region.ends, isinstance(escape.monitoring, Shifted))


def _process(escape: Escape) -> LinearProcess:
    """The process that the paths follow: the exact one for continuous time, the solver's chain on a grid."""
    landscape, noise, dt = escape.landscape, escape.driver, escape.dt
    assert isinstance(landscape, Landscape) and isinstance(noise, Correlated)
    x0 = float(escape.origin[0])
    if isinstance(escape.monitoring, Shifted):
        assert isinstance(noise, FractionalNoise)
        curvature = (1.0 - linear_factors(landscape, "euler", dt)[0]) / dt
        strength = float(noise.increment_scale(1.0))
        return fou_process(noise.common_hurst, escape.n_steps, dt=dt, curvature=curvature, sigma=strength, x0=x0)
    return chain_process(landscape, noise, escape.n_steps, dt=dt, solver=escape.monitoring.solver, x0=x0)


def _replica(exits: ConditionedExits, sign: int, log_bound: float) -> Replica:
    """The replica of a batch of paths and of a side, by which no more leave than the bound."""
    weights = np.where(exits.sides == sign, exits.weights, 0.0)
    found = RareEstimate.of(weights.mean(axis=1), exits.log_bound)
    order = np.argsort(exits.steps, axis=None, kind="stable")
    order = order[weights.ravel()[order] > 0.0]
    return Replica(
        probability=found.value,
        times=exits.steps.ravel()[order] * np.float64(exits.dt),
        weights=weights.ravel()[order],
        levels=np.zeros(1),
        shares=np.array([math.exp(max(min(log_bound, 0.0), _LOWEST))]),
        acceptance=np.empty(0),
        ancestors=int(np.count_nonzero(weights.any(axis=1))),
        expected_error=found.relative_error,
    )
