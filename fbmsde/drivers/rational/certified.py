"""The smallest rational model of a stationary Gaussian noise within a tolerance, with its certificate: `fitted`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ...core.cache import remembered
from ...core.show import Shown
from . import divergence, fit
from .model import RationalModel
from .targets import Target

EXACT_STEPS = 4096  # the certificate's KL is exact up to so many steps
MAX_POLES = 40
MIN_TOLERANCE = 1e-10  # rounding leaves the exact divergence uncertain by 2e-11
_SHORTEST = 10  # models are fitted to so many steps at least; one that is good for ten steps is good for the first two
_MORE = 3  # so many pairs more are tried, since the second-order KL of the fit may be a little low


KlMethod = Literal["exact", "estimate"]


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    """How far the law of a path of the model is from the exact one.

    kl : Kullback-Leibler divergence KL(exact || model), in nats, of one path of `n_steps` increments. It adds over
        independent paths.
    kl_method : "exact" up to 4096 steps, with rounding below 2e-11, and "estimate" beyond. At 2^13 to 2^16 steps, where
        the exact value can still be computed, the estimate is within 0.1 % of it for fractional noise of H >= 0.05,
        down to the rounding of the exact value, and up to 3 % low at H = 0.02.
    variance_error : largest relative error of the variance of the sum of the first t increments, t <= n.
    autocovariance_error : largest absolute error of the autocovariance at a lag below n.

    Beyond 4096, both errors are looked for at 1000 times and lags spaced evenly in log.

    >>> Certificate(2e-8, "exact", 1e-5, 1e-6).total_variation
    0.0001
    """

    kl: float
    kl_method: KlMethod
    variance_error: float
    autocovariance_error: float

    def _facts(self) -> Mapping[str, object]:
        return {"KL": f"{self.kl:.3g} ({self.kl_method})", "total variation at most": self.total_variation,
                "variance error": self.variance_error, "autocovariance error": self.autocovariance_error}  # fmt: skip

    @property
    def total_variation(self) -> float:
        """Bound on the total variation distance of one path, ``sqrt(KL / 2)`` (Pinsker's inequality)."""
        return min(1.0, float(np.sqrt(self.kl / 2.0)))


class Fitted(NamedTuple):
    """A model, its certificate, and the frequency in (0, pi] that adds most to its divergence."""

    model: RationalModel
    certificate: Certificate
    worst: float


WHITE = Fitted(RationalModel(np.empty(0), np.empty(0), 0.0), Certificate(0.0, "exact", 0.0, 0.0), np.pi)


def fit_horizon(n_steps: int) -> int:
    """The number of steps over which a model for `n_steps` steps is fitted.

    >>> fit_horizon(2), fit_horizon(1000)
    (10, 1000)
    """
    return max(n_steps, _SHORTEST)


@remembered
def fitted(target: Target, n_steps: int, tolerance: float, max_poles: int) -> Fitted:
    """The smallest model that meets the tolerance, else the best one that was found, which its certificate tells."""
    with np.errstate(all="ignore"):  # models on the way may be absurd
        return _search(target, n_steps, tolerance, max_poles)


def _search(target: Target, n_steps: int, tolerance: float, max_poles: int) -> Fitted:
    """See `fitted`."""
    horizon = fit_horizon(n_steps)
    n_pairs = fit.smallest_pair_count(target, horizon, tolerance, max_poles)
    best, kl = WHITE.model, np.inf
    for k in range(n_pairs, min(n_pairs + _MORE, max_poles) + 1):
        model, expected = fit.fit(target, horizon, k)
        reached = _kl(model, target, n_steps)
        if reached < kl or k == n_pairs:
            best, kl = model, reached
        if kl <= tolerance or expected > tolerance:
            break
    return Fitted(best, _certify(best, target, n_steps, kl), divergence.worst_frequency(best, target, n_steps))


def default_tolerance(n_steps: int) -> float:
    """The largest KL per path of a model of `n_steps`: 1e-8 up to 2^14 steps, beyond in proportion to n.

    >>> default_tolerance(1024), default_tolerance(2**24)
    (1e-08, 1.024e-05)
    """
    return 1e-8 * max(1.0, n_steps / 2**14)


def _kl(model: RationalModel, target: Target, n_steps: int) -> float:
    """The KL of a model: exact where that is affordable, else estimated; a value that rounding makes negative is 0.

    It is infinite where a model is so far off that the KL cannot be computed.
    """
    kl = divergence.exact_kl if n_steps <= EXACT_STEPS else divergence.estimated_kl
    found = kl(model, target, n_steps)
    return max(0.0, found) if found > -MIN_TOLERANCE * max(1.0, n_steps / EXACT_STEPS) else np.inf


def _certify(model: RationalModel, target: Target, n_steps: int, kl: float) -> Certificate:
    """The certificate of a model whose KL is known."""
    lags = divergence.error_lags(n_steps)
    times, below = lags[lags > 0], lags[lags < n_steps]
    variance = np.abs(model.sum_variance(times) / target.sum_variance(times) - 1.0).max()
    covariance = np.abs(model.autocovariance(below) - target.autocovariance(below)).max()
    method: KlMethod = "exact" if n_steps <= EXACT_STEPS else "estimate"
    return Certificate(float(kl), method, float(variance), float(covariance))
