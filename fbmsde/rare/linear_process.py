"""Gaussian processes that relax towards 0, the solutions and the chains of linear drift: `LinearProcess`.

* ``fou_process(hurst, n_steps, dt=...)``: the exact fractional Ornstein-Uhlenbeck process, seen at multiples of dt
* ``chain_process(landscape, noise, n_steps, dt=...)``: the chain that a solver makes of a quadratic well and any noise
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from ..core import checks
from ..core.types import AnyArray, Array, Key
from ..drivers.base import Correlated
from ..drivers.exact.generators import Circulant
from ..drivers.exact.long_fft import split
from ..drivers.fractional import FractionalNoise
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS, SolverName
from ..laws.extremes import barrier_shift
from ..laws.fou import fou_autocorrelation, fou_stationary_variance
from ..laws.linear_chains import chain_autocovariance

_ADDED = 1e-3  # setting negative eigenvalues to 0 may add so much of the variance of one step's change
# Where a gradient is compared with a line: 1, and points of both signs of all sizes without a common period.
_PLACES = np.concatenate([[1.0], np.outer([1.0, -1.0], 1e-6 * 1.0618033988749895 ** np.arange(400)).ravel()])
_LONGEST = 16  # the longest embedding that is tried, over the shortest one


@dataclass(frozen=True, eq=False)
class LinearProcess:
    """The Gaussian process ``X_k = phi^k x0 + Y_k - phi^k Y_0`` for k = 0 ... n, where Y is a stationary process.

    X and Y solve the same linear equation with the same noise; X begins at the point x0 and forgets it by a factor phi
    a step.

    autocovariance : that of Y at the lags 0 ... n, (n + 1,).
    phi : the factor of a step, in (-1, 1).
    dt : the length of a step, in the unit of time of the equation.
    x0 : the start.
    shift : a boundary in continuous time lies so much farther out than the boundary that the steps see; NaN where this
        is not known.
    hurst : the Hurst parameter of the noise, NaN where it is not fractional.
    generator : what draws paths of ``Y / sd(Y)`` of n + 1 values.
    """

    autocovariance: Array
    phi: float
    dt: float
    x0: float
    shift: float
    hurst: float
    generator: Circulant

    @property
    def n_steps(self) -> int:
        """The number of steps n."""
        return self.autocovariance.size - 1

    @cached_property
    def memory(self) -> Array:
        """The powers ``phi^k`` for k = 0 ... n, (n + 1,)."""
        return np.asarray(self.phi ** np.arange(self.autocovariance.size, dtype=float))

    @cached_property
    def variances(self) -> Array:
        """The variances of X_k for k = 0 ... n, (n + 1,)."""
        r, p = self.autocovariance, self.memory
        return np.asarray(r[0] * (1.0 + p * p) - 2.0 * p * r)

    def coarseness(self, level: float) -> float:
        """The change in one step over the mean overshoot beyond a level: ``level sqrt(r_0 - r_1) / r_0``.

        It is the root ``eta^H`` of the spacing eta of the grid in the unit of Pickands' constant: with little of it a
        path that goes beyond the level is seen there at many steps.

        >>> round(fou_process(0.5, 9, dt=0.01).coarseness(3.0), 3)  # of level 3 at variance 1/2
        0.423
        """
        r = self.autocovariance
        return float(level * np.sqrt(r[0] - r[1]) / r[0])

    def finer(self, shift: float) -> float:
        """The step at which the shift is so short, two digits rounded down and 1e-300 at least.

        Shifts are in proportion to dt^H.

        >>> process = fou_process(0.5, 9, dt=0.01)
        >>> round(process.shift, 4), process.finer(0.029)
        (0.0583, 0.0024)
        """
        dt = max(self.dt * (shift / self.shift) ** (1.0 / self.hurst), 1e-300)
        digits = 1 - math.floor(math.log10(dt))
        return round(math.floor(dt * 10.0**digits) / 10.0**digits, digits)

    def fill(self, key: Key, first: int, rows: AnyArray) -> None:
        """Write the stationary paths first, first + 1 ... of the seed `key` to `rows` (n_paths, n + 1)."""
        self.generator.fill(key, first, 0, rows)
        rows *= np.sqrt(self.autocovariance[0])

    def from_start(self, rows: AnyArray) -> AnyArray:
        """Paths X (n_paths, n + 1) from x0, made of stationary ones.

        >>> process = fou_process(0.3, 4, dt=0.1, x0=2.0)
        >>> process.from_start(np.zeros((1, 5))).round(3).tolist()
        [[2.0, 1.81, 1.637, 1.482, 1.341]]
        """
        return rows + self.memory * (self.x0 - rows[:, :1])


def fou_process(
    hurst: float, n_steps: int, *, dt: float, curvature: float = 1.0, sigma: float = 1.0, x0: float = 0.0
) -> LinearProcess:
    """The fractional Ornstein-Uhlenbeck process ``dX = -a X dt + sigma dB_H`` from `x0` at multiples of `dt`, exact.

    `curvature` is a. Raises ValueError for arguments out of range, and where no circulant embedding of the
    autocovariance up to 16 times the length of the path is non-negative definite.

    >>> fou_process(0.5, 100, dt=0.01).variances[100].round(6)  # (1 - exp(-2)) / 2
    np.float64(0.432332)
    """
    n, step = checks.count("n_steps", n_steps), checks.positive("dt", dt)
    a, s = checks.positive("curvature", curvature), checks.squarable("sigma", sigma)
    h = checks.hurst_parameter(hurst)
    variance = fou_stationary_variance(h, a, s)

    def correlation(n_lags: int) -> Array:
        return fou_autocorrelation(h, a * step * np.arange(n_lags))

    generator, r = embedded(correlation, n + 1)
    shift = barrier_shift(h) * s * step**h
    return LinearProcess(variance * r, float(np.exp(-a * step)), step, checks.finite("x0", x0), shift, h, generator)


def chain_process(
    landscape: Landscape, noise: Correlated, n_steps: int, *, dt: float, solver: SolverName = "euler", x0: float = 0.0
) -> LinearProcess:
    """The chain that a solver with step `dt` makes of a quadratic well and the increments of a noise, exact in law.

    `noise` is any Gaussian driver with an autocovariance, such as `FractionalNoise` or `GaussianNoise`. One step of any
    solver is ``x' = phi x + g xi`` with numbers phi and g. Raises ValueError for a landscape whose gradient is not
    linear and for a step that is too long for the solver.

    >>> from fbmsde import quadratic
    >>> process = chain_process(quadratic(2.0), FractionalNoise(0.5), 100, dt=0.25)
    >>> process.phi, process.autocovariance[0].round(6)  # dt / (1 - phi^2)
    (0.5, np.float64(0.333333))
    """
    n, step = checks.count("n_steps", n_steps), checks.positive("dt", dt)
    phi, gain = linear_factors(landscape, checks.choice("solver", solver, SOLVERS), step)

    def covariance(n_lags: int) -> Array:
        return chain_autocovariance(n_lags, phi, lambda lags: gain**2 * noise.autocovariance(lags, step))

    variance = covariance(1)[0]
    generator, r = embedded(lambda n_lags: covariance(n_lags) / variance, n + 1)
    shift = hurst = np.nan
    if isinstance(noise, FractionalNoise):
        hurst = noise.common_hurst
        shift = barrier_shift(hurst) * noise.increment_scale(step)
    return LinearProcess(variance * r, phi, step, checks.finite("x0", x0), shift, hurst, generator)


def linear_factors(landscape: Landscape, solver: SolverName, dt: float) -> tuple[float, float]:
    """The factors phi and g of ``x' = phi x + g xi``; ValueError for a landscape for which there are none."""
    if landscape.dim != 1:
        raise ValueError(f"landscape must have one dimension, got {landscape.dim}.")
    with np.errstate(all="ignore"):
        slopes = np.asarray(landscape.slope(_PLACES))
    if not np.allclose(slopes, slopes[0] * _PLACES, rtol=1e-9, atol=0.0):
        raise ValueError(f"landscape must be a quadratic well with its minimum at 0, got {landscape.name!r}.")

    def moved(x: float, noise: float) -> float:
        return float(SOLVERS[solver](landscape.point_gradient, landscape.params, (x,), (noise,), dt)[0])

    phi = moved(1.0, 0.0)
    if not -1.0 < phi < 1.0:
        raise ValueError(
            f"dt must be so short that a step moves towards the minimum, got {dt}, which gives phi = {phi:g}."
        )
    return phi, moved(0.0, 1.0)


def embedded(correlation: Callable[[int], Array], n_values: int) -> tuple[Circulant, Array]:
    """The generator of a stationary Gaussian sequence of variance 1, and its autocorrelation at the lags of a path.

    ``correlation(n)`` gives the autocorrelation at the lags 0 ... n - 1. Embeddings of 1, 2, 4, 8 and 16 times the
    shortest length are tried. Negative eigenvalues are set to 0, which adds at most a thousandth of the variance of the
    change in one step. ValueError if no embedding is that good.

    >>> embedded(lambda n: 0.5 ** np.arange(n), 3)[1]
    array([1.  , 0.5 , 0.25])
    """
    longer = 1
    while True:
        cut = split(n_values * longer)
        checks.fits_memory("the circulant embedding", 40.0 * cut.length)
        r = correlation(cut.length // 2 + 1)
        values = scipy.fft.dct(r, type=1)
        added = -2.0 * float(np.minimum(values, 0.0).sum()) / cut.length
        if added <= _ADDED * 2.0 * (1.0 - r[1]):
            return Circulant(cut, np.maximum(values, 0.0)), r[:n_values]
        if longer == _LONGEST:
            break
        longer *= 2
    raise ValueError(
        f"dt * n_steps must allow a circulant embedding, got negative eigenvalues that add up to {added:.3g}. "
        "Take a longer path or a longer step."
    )
