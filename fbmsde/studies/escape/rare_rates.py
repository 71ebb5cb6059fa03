"""The exit rate at a point of the study of exit rates from rare escapes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...core import checks
from ...core.types import Key
from ...drivers.fractional import FractionalNoise
from ...rare.conditioned import conditioned_exits
from ...rare.escape import rare_escape
from ...rare.linear_process import fou_process
from ...results.estimates import Estimate
from ...results.rare_estimate import RareEstimate
from ...simulation.monitoring import Shifted
from ...simulation.starts import substream
from .points import Point, Window

_FIRST, _MOST = 2000, 200_000  # conditioned paths
_DRAWS = 3  # of each path
_MARGIN = 1.1  # over the number of paths that the first ones ask for
_NORMAL = 1.959964  # of the half-width of a 95 % interval over the standard error


class RareRate(NamedTuple):
    """An exit rate, and how it was found."""

    value: Estimate
    method: str


def rare_rate(point: Point, window: Window, key: Key, error: float, n_jobs: int) -> RareRate:
    """The rate in a window: of parabolas from conditioned exact paths, of other wells by `rare_escape`.

    Paths are added until the 95 % interval has the half-width `error` over the value. Raises what the methods raise.
    """
    seed, well, n_steps = substream(key, point.name), point.well, point.n_steps(window)
    dt = window.end / well.curvature / n_steps
    if well.barrier is not None:
        return RareRate(_conditioned(point, window, seed, error, n_jobs), "conditioned")
    noise = FractionalNoise(point.hurst, point.sigma)
    after = window.begin / well.curvature
    escape = rare_escape(well.landscape, noise, well.x0, well.domain, monitoring=Shifted(dt, "heun"),
                         horizon=n_steps * dt, seed=seed, relative_error=error / _NORMAL, after=after,
                         n_jobs=n_jobs)  # fmt: skip
    return RareRate(escape.rate(after), escape.method)


def _conditioned(
    point: Point, window: Window, seed: np.random.SeedSequence, error: float, n_jobs: int
) -> Estimate:
    """The rate from conditioned paths, of which a second run has as many as the first one says."""
    well, n_steps = point.well, point.n_steps(window)
    process = fou_process(point.hurst, n_steps, dt=window.end / well.curvature / n_steps, curvature=well.curvature,
                          sigma=point.sigma)  # fmt: skip
    first = round(n_steps * window.begin / window.end) + 1
    domain = checks.interval("domain", well.domain)

    def estimate(n_paths: int) -> RareEstimate:
        return conditioned_exits(process, domain, first=first, n_paths=n_paths, n_draws=_DRAWS, seed=seed,
                                 n_jobs=n_jobs).rate()  # fmt: skip

    found = estimate(_FIRST)
    wanted = _FIRST * (_NORMAL * found.relative_error / error) ** 2 * _MARGIN
    if wanted > _FIRST:
        found = estimate(int(min(wanted, _MOST)))
    return Estimate(found.value, *found.confidence_interval())
