"""Streaming fractional Gaussian noise: a rational model of its spectrum, run as a recursion, with a certificate."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core import checks
from .certified import EXACT_STEPS, MAX_POLES, MIN_TOLERANCE, WHITE, Certificate, Fitted, default_tolerance, fitted
from .noise import RationalNoise
from .targets import FractionalTarget

__all__ = ["EXACT_STEPS", "Certificate", "StreamingNoise", "default_tolerance", "step_limit"]

HURST_RANGE = (0.02, 0.98)
MAX_STEPS = 2**24  # the largest number of steps with the default tolerance
MAX_STEPS_CHOSEN = 2**30  # the largest number of steps with a tolerance that the caller gives


@dataclass(frozen=True)
class StreamingNoise(RationalNoise):
    """Rational model of unit-step fractional Gaussian noise over a horizon of `n_steps`, with its certificate.

    It is the smallest model whose Kullback-Leibler divergence from the exact law of a path of `n_steps` increments is
    within `tolerance`; None stands for :func:`default_tolerance`. What it consists of, and how a path is made from
    normals, `RationalNoise` tells. All c have the sign of 2H - 1.

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
    _fitted: Fitted = field(init=False, repr=False, compare=False)

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
        values = {"hurst": hurst, "n_steps": n_steps, "tolerance": limit, "_fitted": _fit(hurst, n_steps, limit)}
        for name, value in values.items():
            object.__setattr__(self, name, value)


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


def _fit(hurst: float, n_steps: int, tolerance: float) -> Fitted:
    """The smallest model that meets the tolerance; ValueError if there is none."""
    if hurst == 0.5:
        return WHITE
    found = fitted(FractionalTarget(hurst), n_steps, tolerance, MAX_POLES)
    if found.certificate.kl > tolerance:
        raise ValueError(
            f"tolerance must be within reach, got {tolerance:.3g}: {len(found.model.q)} poles and fewer reach a "
            f"Kullback-Leibler divergence of {found.certificate.kl:.3g}. Raise it or take method='davies_harte'."
        )
    return found
