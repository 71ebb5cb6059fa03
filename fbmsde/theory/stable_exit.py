"""Closed forms for exits under symmetric alpha-stable noise, ``E exp(i u L_t) = exp(-t |u|^alpha)``.

The functions that return a text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..laws.stable import stable_ball_mean_exit_time, stable_exit_at_top, stable_exit_rate, stable_mean_exit_time
from .evidence import stable
from .formula import STABLE, Formula

_WEAK = 0.2  # of the noise over the nearer end


def _in_interval(lower: float, upper: float, x0: float = 0.0) -> str:
    """The start must lie inside the interval."""
    return "" if lower < x0 < upper else f"x0 must lie strictly inside ({lower}, {upper}), got {x0}."


def _in_ball(radius: float, x0: float = 0.0) -> str:
    """The start must lie inside the ball."""
    return "" if abs(x0) < radius else f"x0 must lie inside the radius {radius}, got {x0}."


def _weak_noise(alpha: float, lower: float, upper: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """The minimum must lie inside, jumps must matter, and the noise of one time of relaxation must be small."""
    if not lower < 0.0 < upper:
        return f"the minimum at 0 must lie strictly inside ({lower}, {upper})."
    if alpha > 1.8:
        return f"alpha must be at most 1.8 for exits by single jumps, got {alpha}."
    size = sigma * curvature ** (-1.0 / alpha) / min(-lower, upper)
    return "" if size <= _WEAK else f"sigma curvature^(-1/alpha) must be at most 0.2 of the nearer end, got {size:.3g}."


def _interval_mean(alpha: float, lower: float, upper: float, x0: float = 0.0, sigma: float = 1.0) -> float:
    """``((x0 - lower)(upper - x0))^(alpha/2) / (Gamma(1 + alpha) sigma^alpha)``."""
    return stable_mean_exit_time(alpha, (lower, upper), x0=x0, sigma=sigma)


def _ball_mean(alpha: float, radius: float, dim: float = 1.0, x0: float = 0.0, sigma: float = 1.0) -> float:
    """Getoor's mean for a ball; |x0| is the distance of the start from the centre."""
    return stable_ball_mean_exit_time(alpha, radius, distance=abs(x0), dim=int(dim), sigma=sigma)


def _jump_rate(alpha: float, lower: float, upper: float, sigma: float = 1.0) -> float:
    """``sigma^alpha C_alpha/alpha (|lower|^-alpha + upper^-alpha)``."""
    return stable_exit_rate(alpha, (lower, upper), sigma=sigma)


def _top(alpha: float, lower: float, upper: float) -> float:
    """``upper^-alpha / (|lower|^-alpha + upper^-alpha)``."""
    return stable_exit_at_top(alpha, (lower, upper))


def stable_formulas() -> Iterator[Formula]:
    """Yield the formulas for exits under stable noise.

    >>> [formula.name for formula in stable_formulas() if formula.status == "exact"]
    ['stable_interval_mean', 'stable_ball_mean']
    """
    yield Formula(
        name="stable_interval_mean",
        title="Mean exit time of free stable motion from an interval",
        quantity="mean_exit_time",
        subject=STABLE,
        status="exact",
        equation=r"""\mathbb E\,\tau
= \frac{\bigl[(x_0-\ell)(u-x_0)\bigr]^{\alpha/2}}{\Gamma(1+\alpha)\,\sigma^\alpha}, \qquad
\text{interval } (\ell, u)""",
        source="Getoor 1961",
        references=("getoor1961",),
        validity="0 < alpha <= 2, x0 inside",
        measured="exact",
        compute=_interval_mean,
        check=stable.stable_interval_mean,
        limits=_in_interval,
    )
    yield Formula(
        name="stable_ball_mean",
        title="Mean exit time of isotropic stable motion from a ball",
        quantity="mean_exit_time",
        subject=STABLE,
        status="exact",
        equation=r"""\mathbb E\,\tau = \frac{\Gamma(d/2)\,\bigl(R^2-|x_0|^2\bigr)^{\alpha/2}}
{2^\alpha\,\Gamma(1+\alpha/2)\,\Gamma\bigl((d+\alpha)/2\bigr)\,\sigma^\alpha}""",
        source="Getoor 1961",
        references=("getoor1961",),
        validity="0 < alpha <= 2, every dimension, |x0| < radius",
        measured="exact",
        compute=_ball_mean,
        check=stable.stable_ball_mean,
        limits=_in_ball,
    )
    yield Formula(
        name="stable_jump_rate",
        title="Exit from a well by one jump",
        quantity="exit_rate",
        subject=STABLE,
        status="asymptotic",
        equation=r"""\lambda
= \frac{\sigma^\alpha\, C_\alpha}{\alpha}\left(|\ell|^{-\alpha} + u^{-\alpha}\right), \qquad
C_\alpha = \frac{\Gamma(1+\alpha)\sin(\pi\alpha/2)}{\pi}""",
        source="Imkeller & Pavlyukevich 2006",
        references=("imkeller2006",),
        validity="weak noise in any well with its minimum at 0: the width of the well counts, its height does not",
        measured="rate x mean time, harmonic well, exit from (-1, 2), sigma = 0.2, 0.1, 0.05: 0.95, 0.96, 0.99 "
        "(alpha = 1.2), 0.90, 0.95, 0.99 (1.5), 0.85, 0.95, 1.01 (1.8)",
        compute=_jump_rate,
        check=stable.stable_jump_rate,
        limits=_weak_noise,
    )
    yield Formula(
        name="stable_exit_at_top",
        title="Exit from a well at the upper end",
        quantity="probability",
        subject=STABLE,
        status="asymptotic",
        equation=r"P = \frac{u^{-\alpha}}{|\ell|^{-\alpha} + u^{-\alpha}}",
        source="Imkeller & Pavlyukevich 2006",
        references=("imkeller2006",),
        validity="as stable_jump_rate",
        measured="harmonic well, exit from (-1, 2), sigma = 0.1: 0.300, 0.252 for 0.303, 0.261 at alpha = 1.2, 1.5, "
        "standard error 0.003",
        compute=_top,
        check=stable.stable_exit_at_top,
        limits=_weak_noise,
    )
