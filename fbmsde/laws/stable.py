"""Exits under symmetric alpha-stable noise L, whose characteristic function is ``E exp(i u L_t) = exp(-t |u|^alpha)``.

`sigma` multiplies L. At alpha = 2, L is Brownian motion of variance 2t. For alpha < 2 paths jump, and the Levy measure
is ``C_alpha |x|^(-1-alpha) dx``. A well is then left by one large jump, so that its width counts and its height does
not.
"""

from __future__ import annotations

import math

from ..core import checks


def stable_index(alpha: float) -> float:
    """The index alpha as a float; ValueError unless it lies in (0, 2].

    >>> stable_index(2)
    2.0
    """
    value = checks.number("alpha", alpha)
    if not 0.0 < value <= 2.0:
        raise ValueError(f"alpha must lie in (0, 2], got {value}.")
    return value


def stable_jump_constant(alpha: float) -> float:
    """The constant ``C_alpha = Gamma(1 + alpha) sin(pi alpha/2) / pi`` of the Levy measure.

    The measure is ``C_alpha |x|^(-1-alpha) dx``, and the constant follows from
    ``int (1 - cos(u x)) C |x|^(-1-alpha) dx = |u|^alpha``. It is 0 at alpha = 2: no jumps.

    >>> round(stable_jump_constant(1.0) * 3.141592653589793, 6)
    1.0
    """
    index = stable_index(alpha)
    return math.gamma(1.0 + index) * math.sin(math.pi * (2.0 - index) / 2.0) / math.pi


def stable_mean_exit_time(alpha: float, domain: checks.Interval, *, x0: float = 0.0, sigma: float = 1.0) -> float:
    """Mean time until ``x0 + sigma L`` leaves the finite interval `domain` = (lower, upper). It is exact.

    It is ``((x0 - lower)(upper - x0))^(alpha/2) / (Gamma(1 + alpha) sigma^alpha)`` (Getoor 1961). Raises ValueError
    unless x0 lies strictly inside and both ends are finite.

    >>> round(stable_mean_exit_time(1.0, (-1.0, 1.0)), 6)
    1.0
    """
    index, start = stable_index(alpha), checks.finite("x0", x0)
    lower, upper = _finite_interval(domain)
    if not lower < start < upper:
        raise ValueError(f"x0 must lie strictly inside the domain ({lower}, {upper}), got {start}.")
    scale = checks.positive("sigma", sigma)
    below, above = (start - lower) / scale, (upper - start) / scale
    return below ** (index / 2.0) * above ** (index / 2.0) / math.gamma(1.0 + index)


def stable_ball_mean_exit_time(
    alpha: float, radius: float, *, distance: float = 0.0, dim: int = 1, sigma: float = 1.0
) -> float:
    """Mean time until isotropic stable motion, started at `distance` from the centre, leaves a ball of `radius`.

    The motion has the characteristic function ``exp(-t |sigma u|^alpha)`` in `dim` = d dimensions. The mean is
    ``Gamma(d/2) (R^2 - r^2)^(alpha/2) / (2^alpha Gamma(1 + alpha/2) Gamma((d + alpha)/2) sigma^alpha)`` (Getoor 1961),
    exact. It is the interval's mean in one dimension and that of Brownian motion of variance ``2 sigma^2 t`` at alpha =
    2. Raises ValueError unless 0 <= distance < radius.

    >>> round(stable_ball_mean_exit_time(2.0, 2.0, distance=1.0, dim=3), 9)  # (4 - 1) / (2 d)
    0.5
    """
    index, d = stable_index(alpha), checks.count("dim", dim)
    outer, inner = checks.positive("radius", radius), checks.finite("distance", distance)
    if not 0.0 <= inner < outer:
        raise ValueError(f"distance must lie in [0, radius = {outer}), got {inner}.")
    scale = checks.positive("sigma", sigma)
    reach = ((outer - inner) / scale) ** (index / 2.0) * ((outer + inner) / scale) ** (index / 2.0)
    log_factor = math.lgamma(d / 2.0) - math.lgamma(1.0 + index / 2.0) - math.lgamma((d + index) / 2.0)
    return reach * math.exp(log_factor - index * math.log(2.0))


def stable_exit_rate(alpha: float, domain: checks.Interval, *, sigma: float = 1.0) -> float:
    """Exit rate from `domain` = (lower, upper) of a well with its minimum at 0, in the limit of weak noise.

    The rate of jumps that reach an end is ``sigma^alpha C_alpha/alpha (|lower|^-alpha + upper^-alpha)``, whatever the
    shape of the well (Imkeller & Pavlyukevich 2006); None is an open side. Raises ValueError unless lower < 0 < upper.

    >>> round(stable_exit_rate(1.5, (-1.0, 2.0), sigma=0.1), 6)
    0.008538
    """
    index = stable_index(alpha)
    below, above = _jump_rates(index, domain)
    return checks.positive("sigma", sigma) ** index * stable_jump_constant(index) / index * (below + above)


def stable_exit_at_top(alpha: float, domain: checks.Interval) -> float:
    """Probability that a well with its minimum at 0 is left at the upper end of `domain`, in the limit of weak noise.

    It is ``upper^-alpha / (|lower|^-alpha + upper^-alpha)`` (Imkeller & Pavlyukevich 2006). Raises ValueError unless
    lower < 0 < upper.

    >>> stable_exit_at_top(1.0, (-1.0, 3.0))
    0.25
    """
    below, above = _jump_rates(stable_index(alpha), domain)
    return above / (below + above)


def _jump_rates(index: float, domain: checks.Interval) -> tuple[float, float]:
    """The powers ``|lower|^-alpha`` and ``upper^-alpha``, 0 for an open side."""
    lower, upper = checks.interval("domain", domain)
    if not lower < 0.0 < upper:
        raise ValueError(f"domain must hold the minimum at 0 inside, got ({lower}, {upper}).")
    if lower == -math.inf and upper == math.inf:
        raise ValueError("domain must have a finite end, got (-inf, inf). Nothing leaves the whole line.")
    return (-lower) ** -index, upper**-index


def _finite_interval(domain: checks.Interval) -> tuple[float, float]:
    """Both ends as floats; ValueError for an open side."""
    lower, upper = checks.interval("domain", domain)
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise ValueError(f"domain must have two finite ends, got ({lower}, {upper}).")
    return lower, upper
