"""The estimators of the Hurst parameter; ``ESTIMATORS`` lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.types import Array
from . import gaps, residuals, scaling, spectral


@dataclass(frozen=True)
class Estimator:
    """One entry of `ESTIMATORS`: how to fit, how large the error is, from which length on, and when to use it.

    ``fit(increments)`` maps (n_series, n) increments, finite and not constant, to Hurst values and sigmas, (n_series,)
    each; ``standard_error(n)`` gives the error at every Hurst value of the common grid. ``score(hurst, n)`` gives the
    weights of the periodogram in the derivative of the likelihood; for an estimator without one, the error under
    clustered volatility is taken from surrogates. ``fit_gaps(values, kind)``, of those that can, fits one
    series (length,) with NaN in its gaps, and gives its own error.
    """

    fit: Callable[[Array], tuple[Array, Array]]
    standard_error: Callable[[int], Array]
    min_length: int
    use: str
    score: Callable[[Array, int], Array] | None = None
    fit_gaps: Callable[[Array, str], gaps.GapFit] | None = None


def _simulated(fit: scaling.Fit) -> Callable[[int], Array]:
    """Standard errors of an estimator from its spread on simulated fGn of the same length."""
    return partial(scaling.simulated_error, fit)


ESTIMATORS: dict[str, Estimator] = {
    "whittle": Estimator(
        spectral.whittle,
        spectral.whittle_error,
        16,
        "the default: efficient, O(n log n)",
        residuals.whittle_score,
    ),
    "exact": Estimator(
        spectral.exact,
        spectral.exact_error,
        16,
        "exact Gaussian likelihood, restricted for the unknown mean, O(n^2): n below 500; takes gaps, then O(n^3)",
        residuals.whittle_score,
        gaps.exact,
    ),
    "quadratic_variations": Estimator(
        scaling.quadratic_variations,
        _simulated(scaling.quadratic_variations),
        32,
        "roughness at the finest scales; unbiased, blind to slow trends; takes gaps",
        fit_gaps=gaps.quadratic_variations,
    ),
    "local_whittle": Estimator(
        spectral.local_whittle,
        spectral.local_whittle_error,
        64,
        "long memory whatever the fine scales; biased low for H < .3",
        residuals.local_whittle_score,
    ),
    "wavelet": Estimator(
        scaling.wavelet,
        scaling.wavelet_error,
        128,
        "long memory under linear trends; biased low for H < .3",
    ),
    "dfa": Estimator(
        scaling.detrended_fluctuation,
        _simulated(scaling.detrended_fluctuation),
        64,
        "detrended fluctuation analysis, order 1; three times the error of whittle",
    ),
    "rescaled_range": Estimator(
        scaling.rescaled_range,
        _simulated(scaling.rescaled_range),
        64,
        "classical R/S; biased towards 0.6-0.7, for comparison",
    ),
    "rs_noise_as_path": Estimator(
        scaling.rs_noise_as_path,
        _simulated(scaling.rs_noise_as_path),
        100,
        "simplified R/S with the noise taken for the path, as published; does not estimate H, for comparison",
    ),
}


def _shuffled(rng: np.random.Generator, copies: Array) -> Array:
    """Copies with their values in random order."""
    return rng.permuted(copies, axis=1)


def _sign_flipped(rng: np.random.Generator, copies: Array) -> Array:
    """Copies, less their mean, with a random sign at every value."""
    signs = 2.0 * rng.integers(0, 2, copies.shape, dtype=np.int8) - 1.0
    return signs * (copies - copies.mean(axis=1, keepdims=True))


NULLS: dict[str, Callable[[np.random.Generator, Array], Array]] = {"shuffle": _shuffled, "sign_flip": _sign_flipped}
