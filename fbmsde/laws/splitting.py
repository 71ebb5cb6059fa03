"""Where diffusions leave an interval, when they leave a ball, and how resetting changes the time of a passage."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy

from ..core import checks
from .diffusions import _CERTAIN, _checked_domain, _energy, _log_weight


def exit_at_top(potential: Any, x0: float, domain: tuple[float, float], *, sigma: float = 1.0) -> float:
    """Probability that ``dX = -U'(X) dt + sigma dW``, started at `x0`, leaves the finite `domain` at its upper end.

    It is ``S(lower, x0) / S(lower, upper)`` with the scale function ``S(a, b) = int_a^b exp(2U(y)/sigma^2) dy``
    (Gardiner, Handbook of Stochastic Methods), on the panels of `mean_exit_time`; `potential` is U, a function of one
    number or a one-dimensional landscape. Small probabilities keep their digits. Raises ValueError unless x0 lies
    strictly inside and both ends are finite.

    >>> round(exit_at_top(lambda x: x**2 / 2, 0.5, (-1.0, 1.0)), 6)  # (1 + erfi(1/2)/erfi(1)) / 2
    0.686301
    """
    start, noise = checks.finite("x0", x0), checks.positive("sigma", sigma)
    lower, upper = _finite_domain(domain, start)
    energy = _energy(potential, noise)
    below, above = _log_weight(energy, lower, start), _log_weight(energy, start, upper)
    return float(scipy.special.expit(below - above))


def brownian_exit_at_top(x0: float, domain: tuple[float, float], *, drift: float = 0.0, sigma: float = 1.0) -> float:
    """Probability that Brownian motion with drift, started at `x0`, leaves the finite `domain` at its upper end.

    It is ``(1 - exp(-c (x0 - lower))) / (1 - exp(-c (upper - lower)))`` with ``c = 2 drift / sigma^2``, and the
    relative position of x0 without drift. Raises ValueError unless x0 lies strictly inside and both ends are finite.

    >>> brownian_exit_at_top(0.25, (0.0, 1.0)), round(brownian_exit_at_top(0.25, (0.0, 1.0), drift=1.0), 6)
    (0.25, 0.455054)
    """
    start, mu = checks.finite("x0", x0), checks.finite("drift", drift)
    lower, upper = _finite_domain(domain, start)
    noise = checks.positive("sigma", sigma)
    below, above = (start - lower) / noise, (upper - start) / noise
    push = 2.0 * mu / noise
    if abs(push) * (below + above) < 1e-14:
        return below / (below + above)
    if push > 0.0:
        return math.expm1(-push * below) / math.expm1(-push * (below + above))
    return math.exp(push * above) * math.expm1(push * below) / math.expm1(push * (below + above))


def ou_exit_at_top(x0: float, domain: tuple[float, float], *, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Probability that the Ornstein-Uhlenbeck process from `x0` leaves the finite `domain` at its upper end.

    It is `exit_at_top` of the harmonic well, ``(erfi(x) - erfi(a)) / (erfi(b) - erfi(a))`` in units of
    ``sigma / sqrt(curvature)``, written with Dawson's function so that nothing overflows. Raises ValueError unless x0
    lies strictly inside and both ends are finite.

    >>> round(ou_exit_at_top(0.5, (-1.0, 1.0)), 6)
    0.686301
    """
    start = checks.finite("x0", x0)
    lower, upper = _finite_domain(domain, start)
    unit = math.sqrt(checks.positive("curvature", curvature)) / checks.positive("sigma", sigma)
    x, a, b = np.clip(np.array([start, lower, upper]) * unit, -_CERTAIN, _CERTAIN)
    top = max(a * a, b * b)
    at_x, at_a, at_b = (float(scipy.special.dawsn(z)) * math.exp(z * z - top) for z in (x, a, b))
    if at_b - at_a < 1e-8 * max(abs(at_a), abs(at_b)):  # so narrow that the well is flat in it
        return (start - lower) / (upper - lower)
    return min(max((at_x - at_a) / (at_b - at_a), 0.0), 1.0)


def ball_mean_exit_time(radius: float, *, distance: float = 0.0, dim: int = 1, sigma: float = 1.0) -> float:
    """Mean time until Brownian motion in `dim` = d dimensions leaves a ball of `radius` R around 0.

    From a start at `distance` r from the centre it is ``(R^2 - r^2) / (d sigma^2)``, exact, because ``|W|^2 - d t`` is
    a martingale. From the centre, the place of the exit is uniform on the sphere by symmetry. Raises ValueError unless
    0 <= distance < radius.

    >>> ball_mean_exit_time(2.0, distance=1.0, dim=3)
    1.0
    """
    outer, inner = checks.positive("radius", radius), checks.finite("distance", distance)
    if not 0.0 <= inner < outer:
        raise ValueError(f"distance must lie in [0, radius = {outer}), got {inner}.")
    scale = checks.positive("sigma", sigma)
    return (outer - inner) / scale * ((outer + inner) / scale) / checks.count("dim", dim)


def resetting_mean_time(laplace: Callable[[float], float], rate: float) -> float:
    """Mean passage time of a process that is put back to its start at the `rate` r: ``(1 - L(r)) / (r L(r))``.

    `laplace` is the transform ``L(r) = E exp(-r tau)`` of the passage time without resetting. Each period ends with the
    passage with probability L(r) and lasts ``(1 - L(r))/r`` on average. Exact for every process that begins anew at
    each reset. Raises ValueError for an L(r) outside of (0, 1].

    >>> import math
    >>> round(resetting_mean_time(lambda r: math.exp(-math.sqrt(2.0 * r)), 0.5), 6)
    3.436564
    """
    r = checks.positive("rate", rate)
    share = float(laplace(r))
    if not 0.0 < share <= 1.0:
        raise ValueError(f"laplace must return a value in (0, 1], got {share}.")
    return (1.0 - share) / (r * share)


def brownian_resetting_mean_time(barrier: float, rate: float, *, drift: float = 0.0, sigma: float = 1.0) -> float:
    """Mean time until Brownian motion from 0, put back to 0 at the `rate` r, reaches `barrier` = b > 0. It is exact.

    It is ``(exp(b (sqrt(mu^2 + 2 r sigma^2) - mu) / sigma^2) - 1) / r`` (Evans & Majumdar 2011 for mu = 0): without
    drift ``(exp(sqrt(2r) b/sigma) - 1)/r``.

    >>> round(brownian_resetting_mean_time(1.0, 0.5), 6)
    3.436564
    """
    b, r = checks.positive("barrier", barrier), checks.positive("rate", rate)
    noise, mu = checks.positive("sigma", sigma), checks.finite("drift", drift)
    slope = mu / noise
    root = math.hypot(slope, math.sqrt(2.0 * r))
    climb = 2.0 * r / (root + slope) if slope > 0.0 else root - slope  # root - slope without cancellation
    return math.expm1(b / noise * climb) / r


def best_resetting_rate(barrier: float, *, sigma: float = 1.0) -> float:
    """The rate of resetting that brings Brownian motion from 0 to `barrier` = b soonest on average.

    It is ``z^2 sigma^2 / (2 b^2)`` with ``z = 2 + W(-2 exp(-2)) = 1.5936``, the zero of ``z/2 = 1 - exp(-z)`` (Evans &
    Majumdar 2011), where W is Lambert's function.

    >>> round(best_resetting_rate(1.0), 6)
    1.269819
    """
    z = 2.0 + float(np.real(scipy.special.lambertw(-2.0 * math.exp(-2.0))))
    unit = checks.positive("sigma", sigma) / checks.positive("barrier", barrier)
    return z * z / 2.0 * unit * unit


def _finite_domain(domain: tuple[float, float], x0: float) -> tuple[float, float]:
    """Both ends as floats; ValueError unless they are finite and x0 lies strictly between them."""
    lower, upper = _checked_domain(domain, x0)
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise ValueError(f"domain must have two finite ends, got ({lower}, {upper}).")
    return lower, upper
