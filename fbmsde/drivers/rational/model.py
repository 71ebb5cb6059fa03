"""Gaussian sequences whose spectral density is rational with real poles and zeros: `RationalModel`.

A pole rho is kept as its half-angle coordinate ``q = (1 - rho) / (1 + rho)``, a zero likewise as r. With
``T = tan(l/2)`` the spectral density is

    g(l) = exp(log_gain) prod_j (T^2 + r_j^2) / (T^2 + q_j^2),    rho_j = (1 - q_j) / (1 + q_j).

In these coordinates every difference that a formula needs (``1 - rho``, ``1 - rho rho'``, ``rho - zeta``) is a product
of sums of positive numbers, so that a pole at a distance of 1e-10 from the unit circle costs no digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.types import Array
from ..stationary import LinearStart


@dataclass(frozen=True, eq=False)
class RationalModel:
    """A stationary Gaussian sequence with a rational spectrum, plus a level that is constant along a path.

    log_q : logarithms of the half-angle coordinates of the poles, ascending (slowest pole first), (K,).
    shift : log r - log q for each pair of a pole and a zero, (K,).
    log_gain : logarithm of the factor in front of the product in the module's formula.
    level_variance : variance of the level.

    >>> RationalModel(np.empty(0), np.empty(0), 0.0).autocovariance([0, 1])  # white noise
    array([1., 0.])
    """

    log_q: Array
    shift: Array
    log_gain: float
    level_variance: float = 0.0

    @cached_property
    def q(self) -> Array:
        """Half-angle coordinates of the poles, (K,)."""
        return np.exp(self.log_q)

    @cached_property
    def r(self) -> Array:
        """Half-angle coordinates of the zeros, (K,)."""
        return np.exp(self.log_q + self.shift)

    @property
    def poles(self) -> Array:
        """Poles rho in (-1, 1), (K,), largest first."""
        return (1.0 - self.q) / (1.0 + self.q)

    @property
    def zeros(self) -> Array:
        """Zeros zeta in (-1, 1), (K,)."""
        return (1.0 - self.r) / (1.0 + self.r)

    @property
    def decay(self) -> Array:
        """``1 - rho`` to full relative accuracy, (K,)."""
        return 2.0 * self.q / (1.0 + self.q)

    @cached_property
    def gain(self) -> float:
        """Standard deviation d of the one-step prediction error, which is the weight of the newest normal."""
        return float(np.exp(0.5 * self.log_gain + np.sum(np.log1p(self.r) - np.log1p(self.q))))

    @cached_property
    def weights(self) -> Array:
        """Weights c of the states, (K,): the residues of the transfer function.

        ``d prod (1 - zeta_j B) / (1 - rho_j B) = d + sum_k c_k B / (1 - rho_k B)`` with the shift B by one step.
        """
        q, r = self.q, self.r
        to_zero = (r - q[:, None]) / (1.0 + r)
        to_pole = (q - q[:, None]) / (1.0 + q)
        np.fill_diagonal(to_zero, q * np.expm1(self.shift) / (1.0 + r))
        np.fill_diagonal(to_pole, 1.0)
        return self.gain * np.prod(to_zero / to_pole, axis=1) * 2.0 / (1.0 + q)

    @cached_property
    def amplitudes(self) -> Array:
        """Weights w of the autocovariance ``sum_k w_k rho_k^(lag-1)``, lag >= 1, (K,).

        w_k is c_k times the transfer function at the pole.
        """
        q, r = self.q, self.r
        transfer = np.prod((q[:, None] + r) / (1.0 + r) * (1.0 + q) / (q[:, None] + q), axis=1)
        return self.weights * self.gain * transfer

    @cached_property
    def variance(self) -> float:
        """Variance of one value, without the level."""
        return float(self.gain**2 + np.sum(np.multiply.outer(self.weights, self.weights) * self.state_covariance))

    @cached_property
    def state_covariance(self) -> Array:
        """Stationary covariance ``1 / (1 - rho_j rho_k)`` of the states, (K, K)."""
        q = self.q
        return (1.0 + q) * (1.0 + q[:, None]) / (2.0 * (q + q[:, None]))

    @cached_property
    def start(self) -> Array:
        """Lower-triangular L (K, K) with a positive diagonal and ``L L' = state_covariance``.

        Column m holds the m-th of the orthonormal Takenaka-Malmquist functions at the poles:
        ``sqrt(1 - rho_m^2) / (1 - rho_m rho_j) prod_{i<m} |rho_i - rho_j| / (1 - rho_i rho_j)``. Each entry is a
        product and has full relative accuracy, where a numerical factorisation of this Cauchy matrix would fail.
        """
        q = self.q
        blaschke = np.abs(q - q[:, None]) / (q + q[:, None])
        left = np.hstack([np.ones((q.size, 1)), np.cumprod(blaschke, axis=1)[:, : q.size - 1]])
        return np.tril(left * np.sqrt(q) * (1.0 + q[:, None]) / (q + q[:, None]))

    @property
    def level_sd(self) -> float:
        """Standard deviation of the level."""
        return float(np.sqrt(self.level_variance))

    def linear_start(self, phi: float) -> LinearStart:
        """The stationary value of ``x' = phi x + y`` given the states (K,), without what the level adds to it.

        With the transfer function A(z) of y and the state w of a pole at phi, partial fractions give
        ``X = A(phi) w - sum_k c_k x_k / (phi - rho_k)``. The projection of w on the states is that of one Szego kernel
        on the others, of which the Blaschke product of the poles is left over. Together the weight of x_k is a divided
        difference at rho_k and phi of ``Q(x) = prod_j (x - zeta_j) / (1 - rho_j x)``, which is summed without a
        singularity where phi is a pole, and the standard deviation is ``d |Q(phi)| / sqrt(1 - phi^2)``.

        >>> RationalModel(np.empty(0), np.empty(0), 0.0).linear_start(0.6).sd
        1.25
        """
        q, r, p = self.q, self.r, (1.0 - phi) / (1.0 + phi)
        at_pole = (r - q[:, None]) * (1.0 + q) / ((1.0 + r) * (q + q[:, None]))  # Q's factors j at pole k, (K, K)
        np.fill_diagonal(at_pole, q * np.expm1(self.shift) * (1.0 + q) / ((1.0 + r) * 2.0 * q))
        at_phi = (r - p) * (1.0 + q) / ((1.0 + r) * (q + p))
        slope = (q + r) * (1.0 + q) * (1.0 + q[:, None]) * (1.0 + p) / (2.0 * (1.0 + r) * (q + q[:, None]) * (q + p))
        total, later = np.zeros(q.size), np.ones(q.size)
        for j in range(q.size - 1, -1, -1):  # the rule of products for divided differences
            total = slope[:, j] * later + at_phi[j] * total
            later = later * at_pole[:, j]
        apart = np.where(np.eye(q.size, dtype=bool), 1.0, (q - q[:, None]) / (q + q[:, None]))
        front = 4.0 * q / (1.0 + q) ** 2 / np.prod(apart, axis=1)
        sd = self.gain * abs(float(np.prod(at_phi))) * (1.0 + p) / (2.0 * np.sqrt(p))
        return LinearStart(self.gain * front * total, float(sd))

    def _log_powers(self, exponents: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
        """``log |rho^exponent|``, and True where the power is negative, with the poles as a new last axis."""
        e = np.asarray(exponents, dtype=float)
        rate = 2.0 * np.arctanh(np.minimum(np.minimum(self.q, 1.0 / self.q), 1.0 - 2.0**-53))
        return -np.multiply.outer(e, rate), (e % 2.0 == 1.0)[..., None] & (self.q > 1.0)

    def powers(self, exponents: ArrayLike) -> Array:
        """``rho^exponent`` for whole exponents of any shape, with the poles as a new last axis."""
        log_size, negative = self._log_powers(exponents)
        return np.where(negative, -np.exp(log_size), np.exp(log_size))

    def one_minus_powers(self, exponents: ArrayLike) -> Array:
        """``1 - rho^exponent`` to full relative accuracy, in the shape of :meth:`powers`."""
        log_size, negative = self._log_powers(exponents)
        return np.where(negative, 1.0 + np.exp(log_size), -np.expm1(log_size))

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Autocovariance at integer lags with the level, same shape as `lags`."""
        k = np.abs(np.asarray(lags, dtype=float))
        later = np.sum(self.powers(np.maximum(k - 1.0, 0.0)) * self.amplitudes, axis=-1)
        return np.where(k == 0.0, self.variance, later) + self.level_variance

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density at angular frequencies, same shape; the level, a mass at frequency 0, is left out."""
        half = np.asarray(frequencies, dtype=float)[..., None] / 2.0
        sin2, cos2 = np.sin(half) ** 2, np.cos(half) ** 2
        ratio = np.prod((sin2 + cos2 * self.r**2) / (sin2 + cos2 * self.q**2), axis=-1)
        return np.exp(self.log_gain) * ratio

    def sum_variance(self, counts: ArrayLike) -> Array:
        """Variance of the sum of `counts` successive values with the level, same shape as `counts`.

        The double sum has two exact forms, one for positive and one for negative amplitudes w. The form whose terms
        do not cancel is taken.
        """
        b = np.asarray(counts, dtype=float)[..., None]
        gap, w = self.decay, self.amplitudes
        missing = self.one_minus_powers(b[..., 0])
        if np.sum(w) > 0.0:
            linear = self.variance
            rest = (w / gap) * (b - missing / gap)
        else:
            linear = float(self.spectrum(0.0))
            rest = -w * missing / gap**2
        return b[..., 0] * linear + 2.0 * np.sum(rest, axis=-1) + self.level_variance * b[..., 0] ** 2

    def block_autocovariance(self, block: int, n_blocks: int) -> Array:
        """Autocovariance of the sums over successive blocks of `block` values with the level, (n_blocks,)."""
        amplitude = self.amplitudes * (self.one_minus_powers(block) / self.decay) ** 2
        later = np.sum(self.powers(block * np.arange(n_blocks - 1.0)) * amplitude, axis=-1)
        later += self.level_variance * float(block) ** 2
        return np.concatenate([[float(self.sum_variance(block))], later])

    def block_spectrum(self, block: int, frequencies: ArrayLike) -> Array:
        """Spectral density of the sums over successive blocks, at frequencies per block, without the level."""
        freq = np.asarray(frequencies, dtype=float)[..., None]
        missing = self.one_minus_powers(block)
        amplitude = self.amplitudes * (missing / self.decay) ** 2
        versed = 2.0 * np.sin(freq / 2.0) ** 2
        series = (missing - versed) / (missing**2 + 2.0 * (1.0 - missing) * versed)
        own = float(self.sum_variance(block)) - self.level_variance * float(block) ** 2
        return own + 2.0 * np.sum(series * amplitude, axis=-1)
