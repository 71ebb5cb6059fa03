"""What a stationary Gaussian noise is given by: an autocovariance, a spectrum, or both, and what follows from them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from ..core import checks
from ..core.cache import kernel
from ..core.types import AnyArray, Array
from ..laws.linear_chains import values_at_lags
from .exact.generators import Circulant
from .exact.long_fft import split
from .rational.divergence import durbin_levinson
from .rational.targets import GivenTarget
from .spectra import Spectrum, checked_spectrum, spectral_autocovariance

MAX_ORDER = 2**14  # lags that determine the spectrum of an autocovariance given without one
LONGEST_EMBEDDING = 16  # circulants up to so many times the shortest one are tried
_NEGLIGIBLE = 1e-15  # coefficients of a prediction below this are left out of its spectrum
_AGREEING = 1e-6  # by so much of the variance may a spectrum and an autocovariance differ that are given together
_COMPARED = 64  # at so many lags they are compared
_FIRST = 2**12  # lags that are all summed to a spectrum
_WIDE = 8  # a smooth step in the lag reaches to so many times its middle, up to 1e-17
_ABSENT = 1e-18  # an autocovariance below this, in units of the variance, has nothing to add
_REACH = 60.0  # the spectrum at l needs lags up to about this over l
_ZERO, _NEGATIVE = 1e-13, 1e-10  # in units of the variance: spectra that count as 0, and as negative

Covariance = Callable[[AnyArray], Array]  # integer lags -> autocovariance, same shape


@dataclass(frozen=True)
class GaussianLaw:
    """The law of a stationary Gaussian sequence: an autocovariance, a spectral density, or both.

    covariance : values at the lags 0, 1, ... m - 1, which say nothing of longer paths, or a function of an array of
        lags, or None.
    spectrum : a function of an array of frequencies in (0, pi], or None.
    """

    covariance: tuple[float, ...] | Covariance | None
    spectrum: Spectrum | None

    @property
    def longest(self) -> float:
        """The largest number of steps of which the law is known."""
        return len(self.covariance) if isinstance(self.covariance, tuple) else np.inf

    def values(self, n_lags: int) -> Array:
        """The autocovariance at the lags 0 ... n_lags - 1; ValueError beyond those that are given."""
        if n_lags > self.longest:
            raise ValueError(
                f"n_steps must be at most {self.longest}, the number of lags of the autocovariance, got {n_lags}. "
                "Give a function of the lags, which may be 0 beyond them."
            )
        return _values(self, n_lags)

    def extended(self, n_lags: int) -> Array:
        """As `values`, but beyond the lags that are given the autocovariance is continued by linear prediction.

        The continuation of m values as an autoregression of order m - 1 is an autocovariance (Burg 1967), and the law
        of paths of m steps does not depend on it.
        """
        if n_lags <= self.longest:
            return self.values(n_lags)
        known = self.values(int(self.longest))
        filt, _ = _prediction(known)
        return _continued(known, filt, n_lags)

    def check_agreement(self) -> None:
        """ValueError unless an autocovariance and a spectrum that are given together belong to each other."""
        if self.covariance is not None and self.spectrum is not None:
            n = int(min(_COMPARED, self.longest))
            given, computed = self.values(n), spectral_autocovariance(self.spectrum, n)
            if not np.abs(given - computed).max() <= _AGREEING * given[0]:
                k = int(np.abs(given - computed).argmax())
                raise ValueError(
                    f"spectrum must belong to the autocovariance, got {computed[k]:.6g} = (1/pi) int f cos(k l) dl at "
                    f"lag {k}, where the autocovariance is {given[k]:.6g}."
                )

    def density(self, frequencies: Array) -> Array:
        """The spectral density at frequencies in (0, pi], same shape, positive.

        Without a spectrum it is computed from the autocovariance: a function of lags is summed, see `summed_spectrum`,
        and values at m lags are continued as in `extended`. ValueError where it is not positive.
        """
        flat = frequencies.ravel()
        if self.spectrum is not None:
            found = checked_spectrum(self.spectrum, flat)
        elif isinstance(self.covariance, tuple):
            filt, error = _prediction(_values(self, int(min(self.longest, MAX_ORDER))))
            found = np.empty(flat.size)
            _prediction_spectrum(filt, error, flat, found)
        else:
            assert self.covariance is not None
            found = summed_spectrum(self.covariance, flat)
        return _positive(found, flat, float(self.values(1)[0])).reshape(frequencies.shape)

    def target(self, n_steps: int) -> GivenTarget:
        """What a rational model for `n_steps` steps is fitted to: the law with variance 1.

        ValueError where the law is seen not to be positive definite, or where its spectrum is 0.
        """
        values = self.extended(n_steps + 1)

        def density(frequencies: Array) -> Array:
            return self.density(frequencies) / values[0]

        content = hashlib.sha256((values / values[0]).tobytes())
        found = GivenTarget("", values / values[0], density)
        content.update(density(found.nodes(n_steps).freq).tobytes())
        return GivenTarget(content.hexdigest(), found.values, density)


@lru_cache(maxsize=8)
def _values(law: GaussianLaw, n_lags: int) -> Array:
    """See `GaussianLaw.values`; not to be changed."""
    if law.covariance is None:
        assert law.spectrum is not None
        return spectral_autocovariance(law.spectrum, n_lags)
    if isinstance(law.covariance, tuple):
        return np.array(law.covariance[:n_lags])
    return values_at_lags(law.covariance, n_lags)


@lru_cache(maxsize=8)
def circulant(law: GaussianLaw, n_steps: int) -> Circulant:
    """The generator of exact paths of variance 1 by the shortest circulant that is non-negative definite.

    Circulants of 1, 2, 4, ... 16 times the length ``2 n_steps`` are tried. ValueError if none of them is.
    """
    law.values(n_steps)
    longer = 1
    while True:
        cut = split(n_steps * longer)
        checks.fits_memory("the circulant embedding", 24.0 * cut.length)
        gamma = law.extended(cut.length // 2 + 1)
        values = scipy.fft.dct(gamma / gamma[0], type=1)
        if values.min() >= -64 * np.finfo(float).eps * values.max():
            return Circulant(cut, np.maximum(values, 0.0))
        if longer == LONGEST_EMBEDDING:
            break
        longer *= 2
    k = int(values.argmin())
    raise ValueError(
        f"autocovariance must have a non-negative circulant embedding of at most {2 * LONGEST_EMBEDDING} n_steps, got "
        f"eigenvalue {values[k]:.3g} at frequency {2.0 * np.pi * k / cut.length:.6g} for variance 1. Either it is not "
        "positive definite, or longer paths are needed; try method='streaming'."
    )


def _prediction(values: Array) -> tuple[Array, float]:
    """The filter of the prediction of a value from all before it, without its negligible end, and its error's variance.

    ValueError unless the autocovariance is positive definite.
    """
    filt, variances = durbin_levinson(values)
    if not variances.min() > 0.0:
        m = int(np.argmax(~(variances > 0.0)))
        freq = np.linspace(0.0, np.pi, 4 * m + 1)
        weights = np.where(np.arange(m + 1) == 0, 1.0, 2.0) * (1.0 - np.arange(m + 1.0) / (m + 1.0)) * values[: m + 1]
        smoothed = np.array([np.sum(weights * np.cos(f * np.arange(m + 1.0))) for f in freq])
        k = int(smoothed.argmin())
        raise ValueError(
            f"autocovariance must be positive definite, got prediction variance {variances[m]:.3g} at lag {m}: its "
            f"spectrum, smoothed over {m + 1} lags, is least at frequency {freq[k]:.6g}, where it is {smoothed[k]:.3g}."
            " Of a measured series divide the sums of products at every lag by its length."
        )
    used = int(np.flatnonzero(np.abs(filt) > _NEGLIGIBLE)[-1]) + 1
    return filt[:used], float(variances[-1])


def _positive(values: Array, frequencies: Array, variance: float) -> Array:
    """The values of a spectrum; ValueError where one is not positive."""
    lowest = _ZERO * variance
    if np.any(values <= lowest):
        k = int(values.argmin())
        if values[k] < -_NEGATIVE * variance:
            raise ValueError("autocovariance must be positive definite, got a spectrum of "
                             f"{values[k]:.3g} at frequency {frequencies[k]:.6g}.")  # fmt: skip
        raise ValueError(f"spectrum must be positive for method='streaming', got 0 at frequency {frequencies[k]:.6g}. "
                         "Take method='circulant'.")  # fmt: skip
    return values


def summed_spectrum(covariance: Covariance, frequencies: Array) -> Array:
    """Spectral density ``r_0 + 2 sum_k r_k cos(k l)`` at frequencies (n,), from a function of lags.

    The sum is cut off smoothly in the logarithm of the lag, at lags K of about ``60 / l``, beyond which the smooth rest
    of an autocovariance no longer contributes: less than 1e-13 of it. The first 2^12 lags, and some beyond, are all
    summed. Beyond them one lag in 2, 4, 8 ... stands for its neighbours, in bands of twice the length, so that an
    autocovariance that still oscillates there is not summed correctly. The sum ends where a band has nothing to add.
    """
    top = 2.0 * _REACH / frequencies.min(initial=np.pi)
    lags = np.arange(1.0, 1.0 + _WIDE * _FIRST)
    total, left = _summed(covariance, lags, _cut(lags, _FIRST), frequencies)
    variance, stride, end = float(values_at_lags(covariance, 1)[0]), 1, float(_FIRST)
    while end < top and left > _ABSENT * variance:
        stride, begin, end = 2 * stride, end, 2.0 * end
        band = stride * np.arange(1.0, 1.0 + _WIDE * _FIRST)
        low = frequencies < 4.0 * _REACH / begin
        added, left = _summed(covariance, band, _cut(band, end) - _cut(band, begin), frequencies[low])
        total[low] += stride * added
    return 2.0 * total + variance


def _cut(lags: Array, end: float) -> Array:
    """A smooth step in the logarithm of the lag from 1 below `end` to 0 above it."""
    return scipy.special.erfc(3.0 * np.log(lags / end)) / 2.0


def _summed(covariance: Covariance, lags: Array, weights: Array, frequencies: Array) -> tuple[Array, float]:
    """The sum over lags of weights times autocovariance times cosine, at frequencies, and what is left at the end.

    That is the largest size of the autocovariance in the last half of the lags.
    """
    used = np.abs(weights) > 1e-17
    r = np.asarray(covariance(lags[used].astype(np.int64)), dtype=float)
    if not np.all(np.isfinite(r)):
        raise ValueError(f"autocovariance must be finite, got {r[~np.isfinite(r)][0]} at lag "
                         f"{int(lags[used][~np.isfinite(r)][0])}.")  # fmt: skip
    out = np.empty(frequencies.size)
    _cosine_sums(lags[used], r * weights[used], frequencies, out)
    return out, float(np.abs(r[r.size // 2 :]).max())


@kernel
def _cosine_sums(lags: Array, weights: Array, frequencies: Array, out: Array) -> None:
    """``sum_k weights_k cos(lags_k l)`` at frequencies l, for lags that are evenly spaced."""
    gap = lags[1] - lags[0]
    for i in range(frequencies.size):
        freq, total = frequencies[i], 0.0
        turn_re, turn_im = np.cos(gap * freq), np.sin(gap * freq)
        for first in range(0, lags.size, 64):  # rotations lose digits, so that they begin anew after 64 lags
            c, s = np.cos(lags[first] * freq), np.sin(lags[first] * freq)
            for j in range(first, min(first + 64, lags.size)):
                total += weights[j] * c
                c, s = c * turn_re - s * turn_im, s * turn_re + c * turn_im
        out[i] = total


@kernel
def _prediction_spectrum(filt: Array, variance: float, frequencies: Array, out: Array) -> None:
    """Spectral density ``variance / |sum_j filt_j e^(-i j l)|^2`` of an autoregression at frequencies, (n,) each."""
    for i in range(frequencies.size):
        real, imaginary = 0.0, 0.0
        turn_re, turn_im = np.cos(frequencies[i]), -np.sin(frequencies[i])
        for first in range(0, filt.size, 64):  # rotations lose digits, so that they begin anew after 64 coefficients
            c, s = np.cos(frequencies[i] * first), -np.sin(frequencies[i] * first)
            for j in range(first, min(first + 64, filt.size)):
                real += filt[j] * c
                imaginary += filt[j] * s
                c, s = c * turn_re - s * turn_im, c * turn_im + s * turn_re
        out[i] = variance / (real * real + imaginary * imaginary)


@kernel
def _continued(known: Array, filt: Array, n_lags: int) -> Array:
    """The autocovariance at n_lags lags, beyond the known ones by the filter of their prediction."""
    out = np.empty(n_lags)
    out[: known.size] = known
    for k in range(known.size, n_lags):
        total = 0.0
        for j in range(1, filt.size):
            total -= filt[j] * out[k - j]
        out[k] = total
    return out
