"""Fit of a rational model to the spectrum of a stationary Gaussian noise over a horizon of n steps.

The fit minimises the Kullback-Leibler divergence of a whole path to second order,

    KL = (1/4) tr[(F^-1 D)^2],

where F is the exact covariance matrix (n, n) and D that of the model less F. As a function of frequency this is a
quadratic form in the relative error of the spectrum. Well above 1/n the form is diagonal, with weight ``n dl / 4 pi``.
Near 1/n the ends of the path blur it, and it is computed from the matrices of the sums over 256 blocks. The constant
level that noise with long memory needs enters the form linearly and is eliminated from it. No step takes a number from
a library of linear algebra, so that a model depends neither on the kernels of such a library nor on the number of
threads.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy

from ...core.types import Array
from .model import RationalModel
from .targets import BLOCKS, Blurred, Nodes, Target

_PADDING = 24  # zeros after the residuals, of which paths of some ten steps have fewer than parameters
_GAIN = 0.9  # a further pair that leaves more than so much of the KL has been started badly
_MOST_STEPS = 300  # of one descent
_PATIENCE, _STALLED = 3, 0.7  # the search ends if so many further pairs leave more than so much of the KL
_MAX_LOG = 40.0  # poles and zeros are kept within exp(-40) ... exp(40)


def _blurred_form(low: Blurred) -> Array:
    """Matrix M of ``KL = e' M e`` for the relative errors e of the spectrum f at the low nodes."""
    m = low.autocovariance.size
    phase = np.outer(np.arange(m) - (m - 1) / 2.0, low.angles)
    white = _whitened(low.autocovariance, np.hstack([np.cos(phase), np.sin(phase)]))
    even, odd = white[:, : low.angles.size], white[:, low.angles.size :]
    even, odd = np.einsum("ij,ik->jk", even, even), np.einsum("ij,ik->jk", odd, odd)
    # |e(l)' F^-1 e(l')|^2, summed over the four pairs of signs of l and l'; the even and the odd part do not mix
    return (even**2 + odd**2) * np.outer(low.masses, low.masses) / (4.0 * np.pi**2)


def _whitened(gamma: Array, columns: Array) -> Array:
    """``L^-1 columns`` for the Toeplitz matrix ``L L'`` of `gamma`, by elimination without a threaded library."""
    matrix = np.hstack([scipy.linalg.toeplitz(gamma), columns])
    for i in range(gamma.size):
        matrix[i, i:] /= np.sqrt(matrix[i, i])
        matrix[i + 1 :, i + 1 :] -= np.outer(matrix[i, i + 1 : gamma.size], matrix[i, i + 1 :])
    return matrix[:, gamma.size :]


def _rows_of(form: Array, *, drop_first: bool) -> Array:
    """A matrix R with ``R' R = form`` by pivoted elimination.

    With `drop_first` the part of the form that a free variable 0 can absorb is left out.
    """
    rest, rows, pivot = form.copy(), [], 0
    floor = 1e-15 * np.diag(form).max()
    while rest[pivot, pivot] > floor:
        rows.append(rest[pivot] / np.sqrt(rest[pivot, pivot]))
        rest -= np.outer(rows[-1], rows[-1])
        pivot = int(np.argmax(np.diag(rest)))
    return np.array(rows[1:] if drop_first else rows)


class Objective:
    """The residuals of the fit, whose squares sum to ``KL / unit^2`` to second order, and their Jacobian.

    The parameters are K values of log q, K shifts and the log gain. Shifts and log gain are in the unit of the target.
    """

    def __init__(self, target: Target, n_steps: int) -> None:
        self.target, self.n_steps, self.unit = target, n_steps, target.unit
        self.freq, self.weight, self.n_low = target.nodes(n_steps)
        self.log_f = np.log(target.spectrum(self.freq))
        # the first node stands for all lower frequencies, where f is a power of the frequency
        self.log_f[0] -= np.log1p(-target.slope(self.freq[:1])[0])
        self.low = self._low_factor()
        self.high = np.sqrt(n_steps / (4.0 * np.pi) * self.weight[self.n_low :]) / abs(self.unit)
        self.sin2, self.cos2 = np.sin(self.freq / 2.0)[:, None] ** 2, np.cos(self.freq / 2.0)[:, None] ** 2

    def _low_factor(self) -> Array:
        """A matrix R with ``R' R`` equal to the blurred form over unit^2; a level is eliminated where one is needed."""
        low = Nodes(self.freq[: self.n_low], self.weight[: self.n_low], self.n_low)
        form = _blurred_form(self.target.blurred(self.n_steps, low))
        return _rows_of(form, drop_first=self.target.has_level(self.n_steps)) / abs(self.unit)

    def split(self, x: Array) -> tuple[Array, Array, float]:
        """The values of log q, the shifts and the log gain that a parameter vector stands for."""
        k = x.size // 2
        log_q = np.clip(x[:k], -_MAX_LOG, _MAX_LOG)
        return log_q, np.clip(x[k : 2 * k] * self.unit, -_MAX_LOG, _MAX_LOG), float(x[-1] * self.unit)

    def log_ratio(self, x: Array) -> Array:
        """The logarithm of the ratio of the model's spectrum to the exact one, at the nodes."""
        log_q, shift, log_gain = self.split(x)
        zero, pole = np.exp(2.0 * (log_q + shift)), np.exp(2.0 * log_q)
        logs = np.log(self.sin2 + self.cos2 * zero) - np.log(self.sin2 + self.cos2 * pole)
        return log_gain + logs.sum(axis=1) - self.log_f

    def residuals(self, x: Array) -> Array:
        """The residuals: near 1/n from relative errors, in which the form is exact, above from the log ratios.

        The log ratios are closer to linear in the parameters.
        """
        log_ratio = self.log_ratio(x)
        low = np.expm1(np.minimum(log_ratio[: self.n_low], _MAX_LOG))
        return self._padded(np.einsum("ij,j->i", self.low, low), self.high * log_ratio[self.n_low :])

    def jacobian(self, x: Array) -> Array:
        """Derivatives of the residuals, with one column for each parameter."""
        log_q, shift, _ = self.split(x)
        zero, pole = self.cos2 * np.exp(2.0 * (log_q + shift)), self.cos2 * np.exp(2.0 * log_q)
        by_zero, by_pole = 2.0 * zero / (self.sin2 + zero), 2.0 * pole / (self.sin2 + pole)
        gain = np.full((self.freq.size, 1), self.unit)
        columns = np.hstack([by_zero - by_pole, by_zero * self.unit, gain])
        ratio = np.exp(np.minimum(self.log_ratio(x)[: self.n_low], _MAX_LOG))[:, None]
        low = np.einsum("ij,jk->ik", self.low, ratio * columns[: self.n_low])
        return self._padded(low, self.high[:, None] * columns[self.n_low :])

    @staticmethod
    def _padded(low: Array, high: Array) -> Array:
        """Both parts with zeros after them, because the solver needs at least as many residuals as parameters."""
        return np.concatenate([low, high, np.zeros((_PADDING, *low.shape[1:]))])

    def first_guess(self, n_pairs: int) -> Array:
        """Parameters with pairs spaced evenly in log q between 1/2n and 1, which is good enough for a few pairs."""
        spacing = np.log(2.0 * self.n_steps) / max(n_pairs, 1)
        log_q = -spacing * (np.arange(n_pairs, 0, -1) - 0.5)
        slope = self.target.slope(2.0 * np.arctan(np.exp(log_q))) / self.unit
        x = np.concatenate([log_q, slope * spacing / 2.0, [0.0]])
        x[-1] = -np.average(self.log_ratio(x), weights=self.weight) / self.unit
        return x

    def stretched(self, x: Array) -> Array:
        """Start for one more pair: positions interpolated over their rank, from the same lowest to the same highest."""
        log_q, shift, _ = self.split(x)
        rank = np.linspace(0.0, log_q.size - 1.0, log_q.size + 1)
        log_q, shift = (np.interp(rank, np.arange(v.size), v) for v in (log_q, shift / self.unit))
        return np.concatenate([log_q, shift * (1.0 - 1.0 / shift.size), x[-1:]])

    def widened(self, x: Array) -> Array:
        """Start for one more pair: a zero that cancels its pole, at the frequency where the model is worst."""
        log_q, shift, _ = self.split(x)
        misfit = np.where(self.freq * self.n_steps >= 1.0, self.weight * self.log_ratio(x) ** 2, 0.0)
        new = np.log(np.tan(self.freq[np.argmax(misfit)] / 2.0))
        return np.concatenate([log_q, [new], shift / self.unit, [0.0], x[-1:]])

    def ordered(self, x: Array) -> Array:
        """The same spectrum with poles ascending and each zero beside the pole of its rank."""
        log_q, shift, _ = self.split(x)
        poles, zeros = np.argsort(log_q), np.argsort(log_q + shift)
        if not np.array_equal(poles, zeros):
            shift[poles] = (log_q + shift)[zeros] - log_q[poles]
        return np.concatenate([log_q[poles], shift[poles] / self.unit, x[-1:]])


def smallest_pair_count(target: Target, n_steps: int, tolerance: float, maximum: int) -> int:
    """The smallest number of pairs whose fitted KL, to second order, is within `tolerance`.

    It is `maximum` if none is, and less if further pairs no longer help.
    """
    for k in range(maximum):
        kl = _best(target, n_steps, k)[1]
        stalled = k >= 2 * _PATIENCE and kl > _STALLED * _best(target, n_steps, k - _PATIENCE)[1]
        if kl <= tolerance or stalled:
            return k
    return maximum


def fit(target: Target, n_steps: int, n_pairs: int) -> tuple[RationalModel, float]:
    """The best model with `n_pairs` poles and zeros for a noise that is not white, and its KL to second order."""
    x, kl = _best(target, n_steps, n_pairs)
    log_q, shift, log_gain = _objective(target, n_steps).split(x)
    model = RationalModel(log_q, shift, log_gain)
    if target.has_level(n_steps):
        model = RationalModel(log_q, shift, log_gain, _level_variance(model, target, n_steps))
    return model, kl


@lru_cache(maxsize=16)
def _objective(target: Target, n_steps: int) -> Objective:
    """The objective of one target and horizon, kept for fits with other numbers of pairs."""
    return Objective(target, n_steps)


@lru_cache(maxsize=512)
def _best(target: Target, n_steps: int, n_pairs: int) -> tuple[Array, float]:
    """The parameters of least KL, and that KL, by Levenberg-Marquardt from the best model with one pair less.

    If stretching that model gains next to nothing, as for spectra that are not monotone, a pair without effect is added
    to it instead, from which the KL can only fall.
    """
    objective = _objective(target, n_steps)
    if n_pairs == 0:
        return _descended(objective, objective.first_guess(0))
    x, kl = _best(target, n_steps, n_pairs - 1)
    found = _descended(objective, objective.stretched(x) if n_pairs > 2 else objective.first_guess(n_pairs))
    if not found[1] < _GAIN * kl:
        found = min(found, _descended(objective, objective.widened(x)), key=lambda one: one[1])
    return found


def _descended(objective: Objective, start: Array) -> tuple[Array, float]:
    """The parameters at the bottom of the valley in which `start` lies, and their KL."""
    limits = {"xtol": 1e-5, "ftol": 1e-5, "gtol": 1e-15, "max_nfev": _MOST_STEPS}
    found = scipy.optimize.least_squares(objective.residuals, start, objective.jacobian, method="lm", **limits)
    return objective.ordered(found.x), float(np.sum(found.fun**2) * objective.unit**2)


def _level_variance(model: RationalModel, target: Target, n_steps: int) -> float:
    """The variance of the level for which the KL is stationary.

    With it, the best linear estimate of a level has the same variance under the model as under the exact law.
    """
    block = max(1, n_steps // BLOCKS)
    m = n_steps // block
    exact = target.block_scale(block) * target.block_autocovariance(block, m)
    v = scipy.linalg.solve_toeplitz(exact, np.ones(m))
    missing = np.outer(v, v) * scipy.linalg.toeplitz(exact - model.block_autocovariance(block, m))
    return max(0.0, float(missing.sum()) / (block * float(v.sum())) ** 2)
