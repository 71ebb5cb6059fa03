"""The periodogram, its mean for fGn at every ordinate, and its averages over bands of frequency for long series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core.types import Array
from ..laws.fgn import fgn_autocovariance

LONGEST_SINGLE = 2**15  # the ordinates of longer series are averaged in bands

# A band is narrower than 2 % of its frequency, which costs 3e-5 of the information on H. It is also narrower than
# pi / 256, so that the cosines of the goodness-of-fit test are nearly constant within it.
_RELATIVE_WIDTH = 0.02
_WIDEST = 512
_LAGUERRE = np.polynomial.laguerre.laggauss(64)
_GAUSS = 0.5 / np.sqrt(3.0)  # places of the two-point rule, in widths from the centre


def ordinate_weights(n: int) -> Array:
    """Number of discrete Fourier frequencies behind each ordinate j = 1 ... n // 2, (n // 2,): two, but one at pi.

    >>> ordinate_weights(6)
    array([2., 2., 1.])
    """
    weights = np.full(n // 2, 2.0)
    if n % 2 == 0:
        weights[-1] = 1.0
    return weights


def expected_periodogram(hurst: float, n: int) -> Array:
    """Exact mean of the periodogram of n values of unit fGn at the frequencies 2 pi j / n, j = 1 ... n // 2, (n // 2,).

    It is the spectrum smoothed by the Fejer kernel, computed as the Fourier sum of the autocovariance times
    ``1 - |k|/n`` folded to one period. A fit of it instead of the spectrum itself is the debiased Whittle likelihood
    (Sykulski et al. 2019).

    >>> expected_periodogram(0.5, 6)
    array([1., 1., 1.])
    """
    gamma, share = fgn_autocovariance(hurst, np.arange(n + 1)), np.arange(n) / n
    folded = (1.0 - share) * gamma[:n] + share * gamma[:0:-1]
    return scipy.fft.rfft(folded).real[1:]


def expected_ordinates(hurst: float, places: Array, n: int) -> Array:
    """Mean of the periodogram of n values of unit fGn at the ordinates j in `places`, which need not be whole numbers.

    The result has the shape of `places`; no Fourier transform is needed. With ``p = 2H``, ``l = 2 pi j / n`` and
    ``D = 2 - 2 cos l``, summation by parts turns `expected_periodogram` into

        D Re(P_{p+1} / n - P_p) + (2 sin l / n) Im P_p + n^(p-1) [D/l^2 E(t g) - (2 sin l / l) E g] + r

    where ``P_q = sum_k k^q e^(ikl)`` is a polylogarithm and E is the mean over a variable t with an exponential law of
    mean 1. ``g = Re (1 + it / (2 pi j))^p - 1`` gives the Borel sum of the terms k >= n, and r, of order ``n^(p-3)``,
    is the first regular correction to that. The relative error is below 2e-9 for n >= 1000 and H = .001 ... .999.

    >>> bool(np.allclose(expected_ordinates(0.7, np.arange(1.0, 501.0), 1000), expected_periodogram(0.7, 1000), 1e-8))
    True
    """
    p, x, angle = 2.0 * hurst, places / n, 2.0 * np.pi * places / n
    chord, sine = 4.0 * np.sin(angle / 2.0) ** 2, 2.0 * np.sin(angle)
    low, high = _power_series(p, x), _power_series(p + 1.0, x)
    node, weight = _LAGUERRE
    turn = node / (2.0 * np.pi * places[..., None])
    excess = (1.0 + turn**2) ** hurst * np.cos(p * np.arctan(turn)) - 1.0
    end = chord / angle**2 * (excess @ (weight * node)) - sine / angle * (excess @ weight)
    second = 2.0 * (scipy.special.zeta(3.0, 1.0 - x) - scipy.special.zeta(3.0, 1.0 + x)) * (2.0 * np.pi) ** -3
    third = 6.0 * (scipy.special.zeta(4.0, 1.0 - x) + scipy.special.zeta(4.0, 1.0 + x)) * (2.0 * np.pi) ** -4
    end -= scipy.special.binom(p, 2) * (chord * third + sine * second) * float(n) ** -2
    result: Array = chord * (high.real / n - low.real) + sine / n * low.imag + n ** (p - 1.0) * end
    return result


def _power_series(power: float, x: Array) -> NDArray[np.complex128]:
    """The analytic continuation of ``sum_k k^power exp(2 pi i k x)``, 0 < x < 1, by Hurwitz's formula."""
    s = power + 1.0
    phase = np.exp(0.5j * np.pi * s)
    sums = phase * scipy.special.zeta(s, x) + phase.conjugate() * scipy.special.zeta(s, 1.0 - x)
    scaled: NDArray[np.complex128] = scipy.special.gamma(s) * (2.0 * np.pi) ** -s * sums
    return scaled


def periodogram(series: Array) -> Array:
    """Squared modulus of the Fourier transform of each series (n_series, n), over n, at the ordinates 1 ... n // 2.

    The result is (n_series, n // 2). Frequency 0, and with it the mean of a series, is left out.

    >>> periodogram(np.array([[1.0, -1.0, 1.0, -1.0]]))
    array([[0., 4.]])
    """
    transform = scipy.fft.rfft(series, axis=1)[:, 1:]
    power: Array = transform.real**2
    power += transform.imag**2
    power /= series.shape[1]
    return power


@dataclass(frozen=True, eq=False)
class Bands:
    """The ordinates 1 ... n // 2 grouped in bands of neighbours.

    n : number of values of a series. If it is at most `LONGEST_SINGLE`, every ordinate is a band of its own.
    widths : number of ordinates in each band, (n_bands,).

    >>> Bands(6, np.ones(3, dtype=int)).centres
    array([1., 2., 3.])
    """

    n: int
    widths: NDArray[np.intp]

    @property
    def centres(self) -> Array:
        """The mean ordinate of each band, (n_bands,)."""
        return np.cumsum(self.widths) - (self.widths - 1) / 2.0

    @property
    def weights(self) -> Array:
        """Discrete Fourier frequencies in each band, (n_bands,): the last ordinate is always a band of its own."""
        weights = 2.0 * self.widths.astype(float)
        weights[-1] -= self.n % 2 == 0
        return weights

    def means(self, power: Array) -> Array:
        """Means of periodograms (n_series, n // 2) over the bands, (n_series, n_bands)."""
        if self.n <= LONGEST_SINGLE:
            return power
        means: Array = np.add.reduceat(power, np.cumsum(self.widths) - self.widths, axis=1) / self.widths
        return means

    def expected(self, hurst: float) -> Array:
        """Mean of the periodogram of unit fGn in each band, (n_bands,)."""
        if self.n <= LONGEST_SINGLE:
            return expected_periodogram(hurst, self.n)
        shift = np.where(self.widths > 1, _GAUSS * self.widths, 0.0)
        below, above = (expected_ordinates(hurst, self.centres + side * shift, self.n) for side in (-1.0, 1.0))
        return (below + above) / 2.0

    def spread(self, values: Array) -> Array:
        """The value of its band at every ordinate, (..., n // 2), from values in the bands (..., n_bands)."""
        return values if self.n <= LONGEST_SINGLE else np.repeat(values, self.widths, axis=-1)


@lru_cache(maxsize=16)
def bands(n: int) -> Bands:
    """The bands for series of n values.

    >>> bands(100).widths.size, bands(2**20).widths.sum() == 2**19
    (50, np.True_)
    """
    if n <= LONGEST_SINGLE:
        return Bands(n, np.ones(n // 2, dtype=np.intp))
    widths, first, last = [], 1, n // 2
    while first < last:
        widths.append(min(max(1, int(min(_RELATIVE_WIDTH * first, n / _WIDEST))), last - first))
        first += widths[-1]
    return Bands(n, np.array([*widths, 1], dtype=np.intp))
