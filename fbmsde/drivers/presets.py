"""Named Gaussian noises: coloured noise, fractionally integrated and tempered fractional noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array, Key
from .arma import ArmaNoise
from .base import Feed
from .gaussian import GaussianMethod, GaussianNoise
from .sample import Sampled
from .spectra import spectral_autocovariance

_SMALL_STEP = 0.5  # in correlation times; below, differences of hyperbolic functions are summed as series
_LARGEST_D = 0.49
_TEMPERING = (1e-3, 50.0)  # below, the covariance loses digits; above, the noise is the difference of white noise


@dataclass(frozen=True)
class OrnsteinUhlenbeckNoise(Sampled):
    """Coloured noise ``eta(t) dt``: the integral over each step of a stationary Ornstein-Uhlenbeck process eta.

    ``E eta(s) eta(t) = sigma^2 / (2 tau) exp(-|t - s| / tau)`` with the `correlation_time` tau, in the unit of `dt`. As
    tau tends to 0 the increments become those of white noise, of variance ``sigma^2 dt``. The increments over steps of
    any dt are an autoregressive moving average of order (1, 1), so that their law is exact.

    >>> OrnsteinUhlenbeckNoise(1e-9, 0.5).increment_scale(0.04).__round__(6)
    0.1
    """

    correlation_time: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("correlation_time", self.correlation_time)
        checks.positive("sigma", self.sigma)

    def increment_scale(self, dt: float) -> float:
        """Standard deviation ``sigma sqrt(dt - tau (1 - exp(-dt/tau)))`` of an increment over a step of `dt`."""
        h = dt / self.correlation_time
        rest = float(h + np.expm1(-h)) if h > 1e-3 else h * h * (0.5 - h / 6.0 + h * h / 24.0)
        return self.sigma * math.sqrt(self.correlation_time * rest)

    def arma(self, dt: float) -> ArmaNoise:
        """The increments over steps of `dt` as a moving average.

        With ``h = dt / tau`` the autoregression is ``a = exp(-h)``. What it leaves has the autocorrelation
        ``u = (sinh h - h) / (2 (h cosh h - sinh h))`` at lag 1, which follows from the autocovariance; the moving
        average is the root ``b`` of ``b / (1 + b^2) = u`` in (0, 1).

        >>> OrnsteinUhlenbeckNoise(1.0).arma(1e-4).ma[0].__round__(6)  # 2 - sqrt 3
        0.267949
        """
        h = checks.positive("dt", dt) / self.correlation_time
        u = _left_correlation(h)
        return ArmaNoise((math.exp(-h),), (2.0 * u / (1.0 + math.sqrt(1.0 - 4.0 * u * u)),), self.increment_scale(dt))

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance of the increments over steps of `dt` at integer lags, same shape as `lags`."""
        return self.arma(dt).autocovariance(lags)

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal: yes."""
        return True

    def most_steps(self) -> int:
        """The largest number of steps of a path."""
        return ArmaNoise().most_steps()

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components over steps of `dt`, for the loops."""
        return self.arma(dt).feed(n_steps, dt, channels, key)


def _left_correlation(h: float) -> float:
    """``(sinh h - h) / (2 (h cosh h - sinh h))``, without cancellation for small h and overflow for large h."""
    if h < _SMALL_STEP:
        j = np.arange(1.0, 9.0)
        terms = h ** (2.0 * j - 2.0) / scipy.special.factorial(2 * j + 1)
        return float(np.sum(terms) / (2.0 * np.sum(2.0 * j * terms)))
    decay, twice = math.exp(-h), math.exp(-2.0 * h)
    return (1.0 - twice - 2.0 * h * decay) / (2.0 * (h * (1.0 + twice) - (1.0 - twice)))


@dataclass(frozen=True)
class _Integrated:
    """Autocorrelation ``Gamma(1-d) Gamma(k+d) / (Gamma(d) Gamma(k+1-d))`` of fractionally integrated white noise."""

    d: float

    def __call__(self, lags: ArrayLike) -> Array:
        k = np.asarray(lags, dtype=float)
        front = scipy.special.gamma(1.0 - self.d) * scipy.special.rgamma(self.d)
        return np.where(k == 0, 1.0, front * scipy.special.poch(np.maximum(k, 1.0) + 1.0 - self.d, 2.0 * self.d - 1.0))


@dataclass(frozen=True)
class _IntegratedSpectrum:
    """Spectral density ``scale |ma(e^(-il)) / ar(e^(-il))|^2 (2 sin(l/2))^(-2d)``; coefficients lowest power first."""

    d: float
    ar: tuple[float, ...]
    ma: tuple[float, ...]
    scale: float = 1.0

    def __call__(self, frequencies: Array) -> Array:
        back = np.exp(-1j * frequencies)
        zeros, poles = (np.polynomial.polynomial.polyval(back, c) for c in (self.ma, self.ar))
        size = np.abs(zeros / poles) ** 2
        found: Array = self.scale * size * (2.0 * np.sin(frequencies / 2.0)) ** (-2.0 * self.d)
        return found


def arfima(
    d: float,
    ar: Sequence[float] = (),
    ma: Sequence[float] = (),
    sigma: float = 1.0,
    *,
    method: GaussianMethod = "streaming",
    tolerance: float | None = None,
) -> GaussianNoise:
    """Fractionally integrated noise, an `ArmaNoise` of coefficients `ar` and `ma` summed to the fractional order `d`.

    Its spectral density is that of the moving average times ``(2 sin(l/2))^(-2d)`` (Hosking 1981), d in [-0.49, 0.49].
    It has the memory of fractional noise with H = d + 1/2 at long times. An increment has standard deviation `sigma`.
    `method` and `tolerance` are those of `GaussianNoise`. Without coefficients the noise can be streamed. With them the
    model of real poles is not always found, which is seen when a run tells the number of steps: not where roots are far
    from real, but also not for some real ones, such as ``d = 0.2`` with ``ar = (0.9,)``. Take method="circulant" there.

    >>> arfima(0.2).autocovariance([0, 1, 2]).round(6)  # d / (1 - d), and that times (1 + d) / (2 - d)
    array([1.      , 0.25    , 0.166667])
    """
    order = checks.finite("d", d)
    if not abs(order) <= _LARGEST_D:
        raise ValueError(f"d must lie in [-{_LARGEST_D}, {_LARGEST_D}], got {order}.")
    parts, how = ArmaNoise(ar, ma), (method, tolerance)
    poles, zeros = (1.0, *(-a for a in parts.ar)), (1.0, *parts.ma)
    spectrum = _IntegratedSpectrum(order, poles, zeros)
    if not (parts.ar or parts.ma):  # the variance of fractionally integrated noise of unit innovations
        variance = scipy.special.gamma(1.0 - 2.0 * order) * scipy.special.rgamma(1.0 - order) ** 2
        return GaussianNoise(_Integrated(order), replace(spectrum, scale=float(1.0 / variance)), sigma, *how)
    variance = spectral_autocovariance(spectrum, 1)[0]
    return GaussianNoise(None, replace(spectrum, scale=float(1.0 / variance)), sigma, *how)


@dataclass(frozen=True)
class _Tempered:
    """Autocorrelation of tempered fractional noise: a second difference of a Matern correlation, normalised."""

    hurst: float
    tempering: float

    def __call__(self, lags: ArrayLike) -> Array:
        k = np.abs(np.asarray(lags, dtype=float))
        below, at, above = (self._fallen(np.abs(k + j)) for j in (-1.0, 0.0, 1.0))
        return (below + above - 2.0 * at) / (2.0 * self._fallen(np.ones(1))[0])

    def _fallen(self, times: Array) -> Array:
        """``1 - x^H K_H(x) 2^(1-H) / Gamma(H)`` at ``x = tempering * times``, which is the variance up to a factor."""
        x = np.maximum(self.tempering * times, 1e-300)
        front = 2.0 ** (1.0 - self.hurst) * scipy.special.rgamma(self.hurst)
        return np.where(times == 0.0, 0.0, 1.0 - front * x**self.hurst * scipy.special.kv(self.hurst, x))


def tempered_fgn(
    hurst: float,
    tempering: float,
    sigma: float = 1.0,
    method: GaussianMethod = "circulant",
    tolerance: float | None = None,
) -> GaussianNoise:
    """Tempered fractional Gaussian noise (Meerschaert & Sabzikar 2013): increments of tempered fractional motion.

    The kernel ``(t - x)^(H-1/2)`` of fractional motion is multiplied by ``exp(-tempering (t - x))``, with a rate for
    each step in [1e-3, 50]. Up to ``1 / tempering`` steps it has the memory of fractional noise. Beyond, its sums no
    longer grow: the motion is the difference ``Y(t) - Y(0)`` of a stationary process with a Matern covariance, since
    its spectral density is ``(tempering^2 + w^2)^(-H-1/2)`` up to a factor. An increment has standard deviation
    `sigma`. Whole paths are made exactly; method="streaming" serves H < 1/2, whereas the maximum of the spectrum near
    the tempering is mostly out of reach of real poles for H > 1/2. `tolerance` is that of `GaussianNoise`. Raises
    ValueError unless 0 < H < 1.

    >>> tempered_fgn(0.7, 1e-3).autocovariance([0, 1]).round(3)  # fractional noise: 2^(2H-1) - 1 = 0.3195
    array([1.   , 0.312])
    """
    h, rate = checks.hurst_parameter(hurst), checks.positive("tempering", tempering)
    low, high = _TEMPERING
    if not low <= rate <= high:
        raise ValueError(f"tempering must lie in [{low}, {high}] for each step, got {rate}.")
    return GaussianNoise(_Tempered(h, rate), sigma=sigma, method=method, tolerance=tolerance)
