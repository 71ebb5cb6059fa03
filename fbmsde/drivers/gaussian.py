"""Any stationary Gaussian noise, by its autocovariance or its spectrum: `GaussianNoise`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.types import Array, Key
from .base import Feed
from .gaussian_law import Covariance, GaussianLaw, circulant
from .mixture import Mixture
from .rational.certified import (
    EXACT_STEPS,
    MIN_TOLERANCE,
    Certificate,
    default_tolerance,
    fit_horizon,
    fitted,
)  # fmt: skip
from .rational.noise import FittedNoise
from .rational_stream import ModelFeed
from .sample import Sampled
from .spectra import Spectrum
from .stored_feed import StoredFeed

MAX_STEPS = 2**20  # the longest path of a streaming model
_MOST_POLES = 24
GaussianMethod = Literal["streaming", "circulant"]
_METHODS: tuple[GaussianMethod, ...] = get_args(GaussianMethod)


@brief
@dataclass(frozen=True)
class NoiseCovariance:
    """The autocovariance of a `GaussianNoise`, a function of lags: what was given, times the square of `sigma`."""

    law: GaussianLaw
    sigma: float

    def __call__(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance of the increments at integer lags, same shape as `lags`, for every step `dt`.

        ValueError beyond the lags that were given.
        """
        k = checks.lags("lags", lags)
        if k.max(initial=0) >= self.law.longest:
            raise ValueError(f"lags must be less than {self.law.longest}, which were given, got {int(k.max())}.")
        return self.sigma**2 * self.law.values(int(k.max(initial=0)) + 1)[k]


@brief
@dataclass(frozen=True)
class GaussianNoise(Sampled):
    """Stationary Gaussian noise with increments ``sigma x_k``, where x has a given autocovariance r or spectrum f.

    This is the noise of a chain: an increment belongs to a step and does not depend on `dt`. Its standard deviation is
    ``sigma sqrt(r_0)``.

    autocovariance : r as a function of an array of integer lags >= 0, or as an array of its values at the lags
        0 ... m - 1. An array says nothing of what is beyond, so that longer paths than m steps are refused; a function
        may say that it is 0 there. As an attribute it is a function of lags, and tells ``sigma^2 r``. Given the
        attribute of another noise, the new one takes its r, not its strength, as `dataclasses.replace` needs. Of a
        measured series x of n values without its mean take ``numpy.correlate(x, x, "full")[n - 1:] / n``, which is
        positive definite, and the method "circulant", which follows how rough it is.
    spectrum : f as a function of an array of frequencies in (0, pi], normalised to ``r_0 = (1/pi) int_0^pi f dl``. It
        may rise to frequency 0 like a power. Alone, it gives r by numerical integration, to 1e-9 of r_0. Beside r it is
        needed for paths of more than 2^14 steps of a noise whose memory is longer: of an array r because it ends, of a
        function that still oscillates beyond a lag of 4096 because there the lags are taken in strides.
    method : "streaming" for a rational model with real poles and zeros, fitted to the run's number of steps (at most
        2^20) and certified, which is fast and needs O(1) memory in the number of steps; or "circulant", exact paths by
        circulant embedding, with all steps in memory.
    tolerance : the largest Kullback-Leibler divergence per path of a streaming model, None for 1e-8 up to 2^14 steps,
        beyond in proportion to the number of steps.

    Real poles follow power laws and spectra that rise or fall slowly. A run with spectral lines, resonances or zeros at
    frequencies above 0 is refused with the frequency at which the model is worst. `ArmaNoise` is exact for those that
    have coefficients. Raises ValueError for an autocovariance that is not positive definite and a spectrum that is
    negative, saying where; some of that is only seen when a run tells the number of steps.

    >>> noise = GaussianNoise(lambda k: 1.0 / (1.0 + 0.1 * k) ** 2)
    >>> noise.certificate.kl < 1e-8, noise.autocovariance([0, 10]).tolist()
    (True, [1.0, 0.25])
    """

    autocovariance: ArrayLike | Covariance | None = None
    spectrum: Spectrum | None = None
    sigma: float = 1.0
    method: GaussianMethod = "streaming"
    tolerance: float | None = None

    def __post_init__(self) -> None:
        checks.positive("sigma", self.sigma)
        checks.choice("method", self.method, _METHODS)
        if self.tolerance is not None:
            if self.method != "streaming":
                raise ValueError(f"tolerance must be None for {self.method!r}, got {self.tolerance}. It is exact.")
            if checks.positive("tolerance", self.tolerance) < MIN_TOLERANCE:
                raise ValueError(f"tolerance must be at least {MIN_TOLERANCE:g}, got {self.tolerance}. "
                                 "Take method='circulant'.")  # fmt: skip
        given = self.autocovariance
        covariance = given.law.covariance if isinstance(given, NoiseCovariance) else _checked_covariance(given)
        if self.spectrum is not None and not callable(self.spectrum):
            raise TypeError(f"spectrum must be a function of frequencies, got {self.spectrum!r}.")
        if covariance is None and self.spectrum is None:
            raise TypeError("autocovariance must be given, or the spectrum, got neither.")
        law = GaussianLaw(covariance, self.spectrum)
        if not law.values(1)[0] > 0.0:
            raise ValueError(f"autocovariance must be positive at lag 0, got {law.values(1)[0]}.")
        law.check_agreement()
        object.__setattr__(self, "autocovariance", NoiseCovariance(law, float(self.sigma)))

    @property
    def _law(self) -> GaussianLaw:
        """What was given."""
        covariance = self.autocovariance
        assert isinstance(covariance, NoiseCovariance)
        return covariance.law

    def increment_scale(self, dt: float) -> float:
        """Standard deviation of an increment, the same for every step `dt`."""
        return float(self.sigma * np.sqrt(self._law.values(1)[0]))

    def model(self, n_steps: int) -> FittedNoise:
        """The streaming model for `n_steps` steps, of variance 1: its poles, certificate, and linear map of normals.

        ValueError, with the divergence reached and the frequency where the fit is worst, if the tolerance is not met.

        >>> GaussianNoise(lambda k: 0.5**k).model(1000).poles.round(6)
        array([0.5])
        """
        steps = checks.count("n_steps", n_steps, 1, MAX_STEPS)
        horizon = max(2, steps)
        limit = default_tolerance(horizon) if self.tolerance is None else float(self.tolerance)
        self._law.values(steps)
        found = fitted(self._law.target(fit_horizon(horizon)), horizon, limit, _MOST_POLES)
        if found.certificate.kl > limit:
            raise ValueError(
                f"spectrum must be within reach of real poles and zeros, got a Kullback-Leibler divergence of "
                f"{found.certificate.kl:.3g} with {len(found.model.q)} of them, where {limit:.3g} is allowed; the fit "
                f"is worst at frequency {found.worst:.6g}. Take method='circulant', a larger tolerance, or ArmaNoise."
            )
        return FittedNoise(horizon, found)

    @property
    def certificate(self) -> Certificate:
        """The certificate of the streaming model for 4096 steps, or for as many as are known; see also :meth:`model`.

        ValueError for method="circulant", which is exact.
        """
        if self.method != "streaming":
            raise ValueError(f"method must be 'streaming' for a certificate, got {self.method!r}. It is exact.")
        return self.model(int(min(EXACT_STEPS, self._law.longest))).certificate

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal: yes."""
        return True

    def certificates(self, n_steps: int) -> tuple[Certificate, ...]:
        """The certificate of the streaming model for paths of `n_steps` steps; none for the exact circulants."""
        return () if self.method != "streaming" else (self.model(n_steps).certificate,)

    def most_steps(self) -> int:
        """The largest number of steps of a streamed path; ValueError for circulants, which make whole paths."""
        if self.method != "streaming":
            raise ValueError(
                f"method must be 'streaming' for `until`, got {self.method!r}: whole paths have a fixed end."
            )
        return int(min(MAX_STEPS, self._law.longest))

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components, for the loops."""
        scale, real = self.increment_scale(dt), np.dtype(float)
        if self.method == "streaming":
            return ModelFeed(self.model(n_steps).model, key, channels, real, None, scale)
        checks.fits_memory(f"two paths of {n_steps} steps", 16.0 * n_steps * channels)
        generators = (circulant(self._law, n_steps),) * channels
        return StoredFeed(generators, n_steps, key, Mixture.none(channels), scale, real)


def _checked_covariance(given: ArrayLike | Covariance | None) -> tuple[float, ...] | Covariance | None:
    """What was given for the autocovariance; an array becomes a tuple of floats."""
    if given is None or callable(given):
        return given
    values = checks.reals("autocovariance", given)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"autocovariance must be a function or have shape (n_lags,), got shape {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"autocovariance must be finite, got {values[~np.isfinite(values)][0]}.")
    return tuple(values.tolist())
