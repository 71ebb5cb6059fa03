"""Closed forms for the end at which an interval is left, for balls, for a reflecting wall and for resetting.

The functions that return a text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..laws.extremes import barrier_shift, fbm_maximum_mean
from ..laws.splitting import (
    ball_mean_exit_time,
    best_resetting_rate,
    brownian_exit_at_top,
    brownian_resetting_mean_time,
    ou_exit_at_top,
)
from .evidence import sides
from .formula import SIDES, Formula, no_memory


def _between(hurst: float, lower: float, upper: float, x0: float = 0.0) -> str:
    """H must be 1/2, and the start must lie between both ends."""
    inside = lower < x0 < upper
    return no_memory(hurst) or ("" if inside else f"x0 must lie strictly inside ({lower}, {upper}), got {x0}.")


def _in_ball(hurst: float, radius: float, x0: float = 0.0) -> str:
    """H must be 1/2, and the start must lie inside the ball."""
    return no_memory(hurst) or ("" if abs(x0) < radius else f"x0 must lie inside the radius {radius}, got {x0}.")


def _fine_grid(hurst: float, dt: float, horizon: float = 1.0) -> str:
    """The mean of the maximum must be tabulated, and the grid must have at least 64 steps."""
    coarse = "" if dt <= horizon / 64.0 else f"dt must be at most 1/64 of the horizon, got {dt / horizon:.3g} of it."
    return coarse if hurst >= 0.1 else f"hurst must be at least 0.1, got {hurst}."


def _brownian_top(lower: float, upper: float, x0: float = 0.0, drift: float = 0.0, sigma: float = 1.0) -> float:
    """``(1 - exp(-c (x0 - lower))) / (1 - exp(-c (upper - lower)))`` with ``c = 2 drift / sigma^2``."""
    return brownian_exit_at_top(x0, (lower, upper), drift=drift, sigma=sigma)


def _ou_top(lower: float, upper: float, x0: float = 0.0, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """``(erfi(x) - erfi(a)) / (erfi(b) - erfi(a))``."""
    return ou_exit_at_top(x0, (lower, upper), curvature=curvature, sigma=sigma)


def _ball(radius: float, dim: float = 1.0, x0: float = 0.0, sigma: float = 1.0) -> float:
    """``(R^2 - r^2) / (d sigma^2)``, r = |x0|."""
    return ball_mean_exit_time(radius, distance=abs(x0), dim=int(dim), sigma=sigma)


def _resetting(barrier: float, rate: float, drift: float = 0.0, sigma: float = 1.0) -> float:
    """``(exp(b (sqrt(mu^2 + 2 r sigma^2) - mu) / sigma^2) - 1) / r``."""
    return brownian_resetting_mean_time(barrier, rate, drift=drift, sigma=sigma)


def _best_rate(barrier: float, sigma: float = 1.0) -> float:
    """``z^2 sigma^2 / (2 b^2)``."""
    return best_resetting_rate(barrier, sigma=sigma)


def _wall_mean(hurst: float, dt: float, horizon: float = 1.0, sigma: float = 1.0) -> float:
    """``sigma (T^H E max - beta_H dt^H)``."""
    return sigma * (horizon**hurst * fbm_maximum_mean(hurst) - barrier_shift(hurst) * dt**hurst)


def side_formulas() -> Iterator[Formula]:
    """Yield the formulas for sides, balls, walls and resetting.

    >>> [formula.name for formula in side_formulas() if formula.quantity == "probability"]
    ['brownian_exit_at_top', 'ou_exit_at_top']
    """
    yield Formula(
        name="brownian_exit_at_top",
        title="Exit of Brownian motion with drift at the upper end",
        quantity="probability",
        subject=SIDES,
        status="exact",
        equation=r"""P = \frac{1 - e^{-c(x_0-\ell)}}{1 - e^{-c(u-\ell)}}, \qquad
c = \frac{2\mu}{\sigma^2},\quad \text{interval } (\ell, u)""",
        source="scale function (Gardiner, Handbook of Stochastic Methods)",
        references=("gardiner2004",),
        validity="H = 1/2, lower < x0 < upper",
        measured="exact",
        compute=_brownian_top,
        check=sides.brownian_exit_at_top,
        limits=_between,
    )
    yield Formula(
        name="ou_exit_at_top",
        title="Exit from the quadratic well at the upper end",
        quantity="probability",
        subject=SIDES,
        status="exact",
        equation=r"""P = \frac{\operatorname{erfi}(s x_0) - \operatorname{erfi}(s\ell)}
{\operatorname{erfi}(s u) - \operatorname{erfi}(s\ell)}, \qquad s = \frac{\sqrt a}{\sigma},\quad
\text{interval } (\ell, u)""",
        source="scale function (Gardiner, Handbook of Stochastic Methods)",
        references=("gardiner2004",),
        validity="H = 1/2, continuous time, lower < x0 < upper",
        measured="exact",
        compute=_ou_top,
        check=sides.ou_exit_at_top,
        limits=_between,
    )
    yield Formula(
        name="ball_mean_exit",
        title="Mean exit time of Brownian motion from a ball",
        quantity="mean_exit_time",
        subject=SIDES,
        status="exact",
        equation=r"\mathbb E\,\tau = \frac{R^2 - |x_0|^2}{d\,\sigma^2}",
        source="the martingale |W|^2 - d t; from the centre the place is uniform by symmetry",
        references=("fbmsde",),
        validity="H = 1/2, every dimension, |x0| < radius",
        measured="exact",
        compute=_ball,
        check=sides.ball_mean_exit,
        limits=_in_ball,
    )
    yield Formula(
        name="reflected_mean",
        title="Mean distance of fBm from a reflecting wall at the start, on a grid",
        quantity="mean",
        subject=SIDES,
        status="approximate",
        equation=r"\mathbb E\,X_T = \sigma\,\bigl(T^H m_H - \beta_H\,\mathrm{d}t^{H}\bigr)",
        source="x' = max(0, x + xi) has the law of max(0, S_1, ..., S_n) for noise that time can reverse, exactly; "
        "its mean from the table of the maximum and the grid's shift",
        references=("fbmsde",),
        validity="0.1 <= H < 1, at least 64 steps",
        measured="simulated / predicted, 1024 steps: 0.998, 1.003, 1.000, 1.006, 1.008 at H = 0.1, 0.3, 0.5, 0.7, 0.9, "
        "standard errors 0.002-0.005; 64 steps: 0.964 at H = 0.1, within 0.01 from H = 0.2 on",
        compute=_wall_mean,
        check=sides.reflected_mean,
        limits=_fine_grid,
    )
    yield Formula(
        name="resetting_mean",
        title="Mean passage time of Brownian motion put back at a rate",
        quantity="mean_exit_time",
        subject=SIDES,
        status="exact",
        equation=r"""\mathbb E\,\tau = \frac1r\left[\exp\left(\frac{b}{\sigma^2}
\Bigl(\sqrt{\mu^2 + 2r\sigma^2} - \mu\Bigr)\right) - 1\right]""",
        source="Evans & Majumdar 2011; with drift from the transform of the inverse Gaussian law",
        references=("evans2011",),
        validity="H = 1/2, every rate and drift",
        measured="exact",
        compute=_resetting,
        check=sides.resetting_mean,
        limits=no_memory,
    )
    yield Formula(
        name="best_resetting_rate",
        title="Rate of resetting with the shortest mean passage time",
        quantity="resetting_rate",
        subject=SIDES,
        status="exact",
        equation=r"r^* = \frac{z^2\sigma^2}{2b^2}, \qquad \frac z2 = 1 - e^{-z}, \quad z = 1.5936",
        source="Evans & Majumdar 2011: minimum of resetting_mean without drift",
        references=("evans2011",),
        validity="H = 1/2, no drift",
        measured="exact",
        compute=_best_rate,
        check=sides.best_resetting_rate,
        limits=no_memory,
    )
