"""Streaming fractional Gaussian noise: a rational model of its spectrum, run as a recursion, with a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ...core import checks
from ...core.cache import remembered
from ...core.types import AnyArray, Array
from ...laws.fgn import fgn_autocovariance
from ..exact.generators import Progress
from ..feed_rows import fill_from_feed, stream_from_feed
from ..rational_stream import ModelFeed
from . import divergence, fit
from .model import RationalModel
from .normals import pull_back, run_recursion

HURST_RANGE = (0.02, 0.98)
MAX_STEPS = 2**24  # the largest number of steps with the default tolerance
MAX_STEPS_CHOSEN = 2**30  # the largest number of steps with a tolerance that the caller gives
EXACT_STEPS = 4096  # the certificate's KL is exact up to so many steps
MAX_POLES = 40
MIN_TOLERANCE = 1e-10  # rounding leaves the exact divergence uncertain by 2e-11
_MOST_PATHS = 2**40  # so many paths have random numbers of their own
_SHORTEST = 10  # models are fitted to so many steps at least; one that is good for ten steps is good for the first two


@dataclass(frozen=True)
class Certificate:
    """How far the law of a path of the model is from the exact one.

    kl : Kullback-Leibler divergence KL(exact || model), in nats, of one path of `n_steps` increments. It adds over
        independent paths.
    kl_method : "exact" up to 4096 steps, with rounding below 2e-11, and "estimate" beyond. At 2^13 to 2^16 steps, where
        the exact value can still be computed, the estimate is within 0.1 % of it for H >= 0.05, down to the rounding of
        the exact value, and up to 3 % low at H = 0.02.
    variance_error : largest relative error of ``Var B_H(t)``, t <= n.
    autocovariance_error : largest absolute error of the autocovariance at a lag below n.

    Beyond 4096, both errors are looked for at 1000 times and lags spaced evenly in log.

    >>> Certificate(2e-8, "exact", 1e-5, 1e-6).total_variation
    0.0001
    """

    kl: float
    kl_method: str
    variance_error: float
    autocovariance_error: float

    @property
    def total_variation(self) -> float:
        """Bound on the total variation distance of one path, ``sqrt(KL / 2)`` (Pinsker's inequality)."""
        return min(1.0, float(np.sqrt(self.kl / 2.0)))


class _Fitted(NamedTuple):
    model: RationalModel
    certificate: Certificate


@dataclass(frozen=True)
class StreamingNoise:
    """Rational model of unit-step fractional Gaussian noise over a horizon of `n_steps`, with its certificate.

    It is the smallest model whose Kullback-Leibler divergence from the exact law of a path of `n_steps` increments is
    within `tolerance`; None stands for :func:`default_tolerance`. A path y is made from K normals z for the start, one
    normal for the level, and one normal e for each step:

        x = start @ z,  level = level_sd * normal;  each step:  y = level + d * e + sum_k c_k x_k,  x_k <- rho_k x_k + e

    `rho` and `c` are (K,) and `start` is (K, K) and lower triangular, with the slowest pole first. All c have the sign
    of 2H - 1.

    H must lie in [0.02, 0.98], and `n_steps` between 2 and `step_limit`: 2^24, or 2^30 with a `tolerance` of the
    caller's. At H = 1/2 the noise is white, no pole is needed, and any number of steps will do. ValueError is raised
    outside this range, and if the tolerance cannot be met. Fits are kept for the life of the process.

    >>> noise = StreamingNoise(0.7, 1024)
    >>> len(noise.poles), noise.certificate.kl < 1e-8, noise.certificate.kl_method
    (9, True, 'exact')
    """

    hurst: float
    n_steps: int
    tolerance: float | None = None
    _fitted: _Fitted = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        hurst = checks.hurst_parameter(self.hurst)
        n_steps = checks.count("n_steps", self.n_steps)
        chosen = self.tolerance is not None
        limit = checks.positive("tolerance", self.tolerance) if chosen else default_tolerance(n_steps)
        if limit < MIN_TOLERANCE:
            raise ValueError(
                f"tolerance must be at least {MIN_TOLERANCE:g}, got {limit:g}. Take method='davies_harte'."
            )
        _check_range(hurst, n_steps, step_limit(hurst, self.tolerance))
        fitted = _fitted(float(hurst), n_steps, limit, MAX_POLES)
        values = {"hurst": hurst, "n_steps": n_steps, "tolerance": limit, "_fitted": fitted}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def model(self) -> RationalModel:
        """The rational model itself."""
        return self._fitted.model

    @property
    def certificate(self) -> Certificate:
        """The distance of the model from the exact law."""
        return self._fitted.certificate

    @property
    def poles(self) -> Array:
        """Poles rho (K,) in (-1, 1), largest first."""
        return self._fitted.model.poles

    rho = poles

    @property
    def decay(self) -> Array:
        """``1 - rho`` (K,) with full relative accuracy."""
        return self._fitted.model.decay

    @property
    def zeros(self) -> Array:
        """Zeros (K,) in (-1, 1)."""
        return self._fitted.model.zeros

    @property
    def gain(self) -> float:
        """Weight of the newest normal, which is the standard deviation of the one-step prediction error."""
        return self._fitted.model.gain

    d = gain

    @property
    def c(self) -> Array:
        """Weights (K,) of the states."""
        return self._fitted.model.weights

    @property
    def level_sd(self) -> float:
        """Standard deviation of the level that is constant along a path; 0 for H <= 1/2."""
        return float(np.sqrt(self._fitted.model.level_variance))

    @property
    def start(self) -> Array:
        """Lower-triangular factor (K, K) of the stationary covariance of the states."""
        return self._fitted.model.start

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Autocovariance of the model at integer lags with the level, same shape as `lags`."""
        return self._fitted.model.autocovariance(lags)

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density of the model at angular frequencies, same shape; the level, a mass at 0, is left out."""
        return self._fitted.model.spectrum(frequencies)

    def n_normals(self, n_steps: int) -> int:
        """The number of normals from which `n_steps` increments are made: K for the start, one for the level, and n.

        >>> StreamingNoise(0.7, 1024).n_normals(100)
        110
        """
        return self.start.shape[0] + 1 + checks.count("n_steps", n_steps)

    def increments(self, normals: Array) -> Array:
        """Unit-step increments (n_paths, n) as the linear map of independent normals (n_paths, n_normals).

        >>> model = StreamingNoise(0.7, 1024)
        >>> model.increments(np.zeros((2, model.n_normals(5)))).shape
        (2, 5)
        """
        return run_recursion(checks.rows("normals", normals, self.n_normals(1)), *self._recursion)

    def pull_back(self, weights: Array) -> Array:
        """The transpose of :meth:`increments`: weights (n_paths, n) of increments become those of the normals.

        The result (n_paths, n_normals) is the gradient of the sum of weights times increments, and costs as much as
        they do.

        >>> model, weights = StreamingNoise(0.7, 1024), np.ones((1, 5))
        >>> normals = np.arange(15.0).reshape(1, -1)
        >>> bool(np.isclose((model.increments(normals) * weights).sum(), (normals * model.pull_back(weights)).sum()))
        True
        """
        return pull_back(checks.rows("weights", weights, 1), *self._recursion)

    @property
    def _recursion(self) -> tuple[Array, Array, float, float, Array]:
        """Poles, weights, gain, standard deviation of the level, and factor of the start."""
        return np.ascontiguousarray(self.rho), np.ascontiguousarray(self.c), float(self.d), self.level_sd, self.start

    def sample(
        self,
        n_paths: int = 1,
        *,
        seed: checks.Seed,
        dtype: DTypeLike = float,
        n_jobs: int | None = None,
        progress: Progress = False,
    ) -> AnyArray:
        """Unit-step increments of independent paths, an array (n_paths, n_steps).

        Row i is a function of the model and (seed, i) alone. To the bit, it is what :meth:`stream` yields for path i,
        and what `first_passage` and `simulate_paths` feed to path i of a run of `n_steps` steps with
        ``FractionalNoise(hurst, tolerance=tolerance)``. `dtype` is float64 or float32. `n_jobs` is the number of
        threads, None for all cores. `progress`: True shows a bar; a function is called with the number of paths newly
        finished. Raises MemoryError, saying how much was asked for, when the result would not fit.

        >>> StreamingNoise(0.7, 1000).sample(3, seed=1).shape
        (3, 1000)
        """
        n_paths, real = checks.count("n_paths", n_paths), checks.float_type("dtype", dtype)
        checks.fits_memory("fGn", float(n_paths) * self.n_steps * real.itemsize)
        feed, threads = ModelFeed(self.model, checks.as_seed(seed), dtype=real), checks.workers(n_jobs)
        out = np.empty((n_paths, self.n_steps), real)
        fill_from_feed(feed, out[:, :, None], threads, progress)
        return out

    def stream(
        self, *, seed: checks.Seed, path: int = 0, chunk: int = 4096, dtype: DTypeLike = float
    ) -> Iterator[AnyArray]:
        """An endless iterator over one path's unit-step increments, in arrays of length `chunk`.

        The first `n_steps` increments are, to the bit, row `path` of :meth:`sample`, whatever the `chunk`, and the
        certificate speaks of them alone. Beyond them the recursion goes on for ever with the law of the model, whose
        distance from that of fractional noise nothing bounds there. The memory in use is O(K + chunk), however far one
        goes. An increment costs some ten times more than in a `sample` of many paths, which are advanced side by side.

        >>> pieces = StreamingNoise(0.7, 1000).stream(seed=1, chunk=300)
        >>> next(pieces).shape, next(pieces).shape
        ((300,), (300,))
        """
        number, length = checks.count("path", path, 0, _MOST_PATHS - 1), checks.count("chunk", chunk)
        real = checks.float_type("dtype", dtype)
        checks.fits_memory("a chunk of fGn", 3.0 * length * real.itemsize)
        return stream_from_feed(ModelFeed(self.model, checks.as_seed(seed), dtype=real), number, length, real)


def default_tolerance(n_steps: int) -> float:
    """The largest KL per path of a model of `n_steps`: 1e-8 up to 2^14 steps, beyond in proportion to n.

    >>> default_tolerance(1024), default_tolerance(2**24)
    (1e-08, 1.024e-05)
    """
    return 1e-8 * max(1.0, n_steps / 2**14)


def step_limit(hurst: float, tolerance: float | None) -> int:
    """The largest number of steps of a `StreamingNoise`. At H = 1/2 it is what the 64-bit counters of kernels hold.

    >>> step_limit(0.3, None), step_limit(0.3, 1e-3), step_limit(0.5, None)
    (16777216, 1073741824, 4611686018427387904)
    """
    if hurst == 0.5:
        return 2**62
    return MAX_STEPS if tolerance is None else MAX_STEPS_CHOSEN


def _check_range(hurst: float, n_steps: int, max_steps: int) -> None:
    """Raise ValueError outside the tested range of the model."""
    low, high = HURST_RANGE
    if not low <= hurst <= high:
        raise ValueError(
            f"hurst must lie in [{low}, {high}] for streaming noise, got {hurst}. Take method='davies_harte'."
        )
    if not 2 <= n_steps <= max_steps:
        advice = f", or give a tolerance (up to {MAX_STEPS_CHOSEN} steps)" if max_steps == MAX_STEPS else ""
        raise ValueError(
            f"n_steps must lie in [2, {max_steps}] for streaming noise, got {n_steps}. "
            f"Take method='davies_harte'{advice}."
        )


@remembered
def _fitted(hurst: float, n_steps: int, tolerance: float, max_poles: int) -> _Fitted:
    """The smallest model that meets the tolerance, with its certificate."""
    if hurst == 0.5:
        return _Fitted(RationalModel(np.empty(0), np.empty(0), 0.0), Certificate(0.0, "exact", 0.0, 0.0))
    horizon = max(n_steps, _SHORTEST)
    n_pairs = fit.smallest_pair_count(hurst, horizon, tolerance, max_poles)
    kl = np.inf
    for k in range(n_pairs, min(n_pairs + 3, max_poles) + 1):  # the second-order KL of the fit may be a little low
        model, _ = fit.fit(hurst, horizon, k)
        kl = min(kl, reached := _kl(model, hurst, n_steps))
        if reached <= tolerance:
            return _Fitted(model, _certify(model, hurst, n_steps, reached))
    raise ValueError(
        f"tolerance must be within reach, got {tolerance:.3g}: {k} poles and fewer reach a Kullback-Leibler divergence "
        f"of {kl:.3g}. Raise it or take method='davies_harte'."
    )


def _kl(model: RationalModel, hurst: float, n_steps: int) -> float:
    """The KL of a model: exact where that is affordable, else estimated; a value that rounding makes negative is 0."""
    kl = divergence.exact_kl if n_steps <= EXACT_STEPS else divergence.estimated_kl
    return max(0.0, kl(model, hurst, n_steps))


def _certify(model: RationalModel, hurst: float, n_steps: int, kl: float) -> Certificate:
    """The certificate of a model whose KL is known."""
    lags = divergence.error_lags(n_steps)
    times, below = lags[lags > 0], lags[lags < n_steps]
    variance = np.abs(model.sum_variance(times) * times ** (-2.0 * hurst) - 1.0).max()
    covariance = np.abs(model.autocovariance(below) - fgn_autocovariance(hurst, below)).max()
    method = "exact" if n_steps <= EXACT_STEPS else "estimate"
    return Certificate(float(kl), method, float(variance), float(covariance))
