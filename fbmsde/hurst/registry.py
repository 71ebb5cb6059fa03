"""The registry of Hurst estimators, `ESTIMATORS`, and that of the copies without memory, `NULLS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ..core.types import Array
from . import gaps, residuals, scaling, spectral, standard_errors


@dataclass(frozen=True)
class Estimator:
    """One entry of `ESTIMATORS`: how to fit, how large the error is, from which length on, and when to use it.

    fit : ``fit(increments)`` maps (n_series, n) increments, finite and not constant, to the Hurst values and sigmas of
        the series.
    standard_error : ``standard_error(n)`` is the error for n increments at every Hurst value of `spectral.GRID`.
    min_length : the smallest number of increments.
    use : one line that says when to use the estimator.
    score : ``score(hurst, n)`` is the weight of each ordinate of the periodogram in the derivative of the likelihood.
        If it is None, the error under clustered volatility is found from copies of the series.
    fit_gaps : ``fit_gaps(values, kind)`` fits one series (length,) with NaN in its gaps and gives its own error. It is
        None for estimators that cannot.

    >>> [name for name, estimator in ESTIMATORS.items() if estimator.fit_gaps]
    ['exact', 'quadratic_variations']
    """

    fit: Callable[[Array], spectral.Fitted]
    standard_error: Callable[[int], Array]
    min_length: int
    use: str
    score: Callable[[Array, int], Array] | None = None
    fit_gaps: Callable[[Array, str], gaps.GapFit] | None = None


def _simulated(fit: scaling.Fit) -> Callable[[int], Array]:
    """The function ``standard_error(n)`` of an estimator whose error is measured on simulated fGn."""
    return partial(scaling.simulated_error, fit)


EstimatorName = Literal[
    "whittle",
    "exact",
    "quadratic_variations",
    "local_whittle",
    "wavelet",
    "dfa",
    "rescaled_range",
    "rs_windows_50_500",
    "rs_noise_as_path",
]

ESTIMATORS: dict[EstimatorName, Estimator] = {
    "whittle": Estimator(
        spectral.whittle,
        standard_errors.whittle_error,
        16,
        "the default: efficient, O(n log n)",
        residuals.whittle_score,
    ),
    "exact": Estimator(
        spectral.exact,
        standard_errors.exact_error,
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
        standard_errors.local_whittle_error,
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
    "rs_windows_50_500": Estimator(
        scaling.rs_windows_50_500,
        _simulated(scaling.rs_windows_50_500),
        100,
        "classical R/S in windows of 50 to 445, as published in 2022; biased upwards, for comparison",
    ),
    "rs_noise_as_path": Estimator(
        scaling.rs_noise_as_path,
        _simulated(scaling.rs_noise_as_path),
        100,
        "simplified R/S with the noise taken for the path, as published; does not estimate H, for comparison",
    ),
}


def _shuffled(rng: np.random.Generator, copies: Array) -> Array:
    """The copies (n_copies, n), each with its values in random order."""
    return rng.permuted(copies, axis=1)


def _sign_flipped(rng: np.random.Generator, copies: Array) -> Array:
    """The copies (n_copies, n) less their means, each value with a random sign."""
    signs = 2.0 * rng.integers(0, 2, copies.shape, dtype=np.int8) - 1.0
    return signs * (copies - copies.mean(axis=1, keepdims=True))


NullName = Literal["shuffle", "sign_flip"]

NULLS: dict[NullName, Callable[[np.random.Generator, Array], Array]] = {
    "shuffle": _shuffled,
    "sign_flip": _sign_flipped,
}
