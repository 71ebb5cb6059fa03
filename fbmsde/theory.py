"""Closed forms for exits, passages and extremes, each with its source, its status and the range in which it holds.

`FORMULAS` lists them. Every formula takes the same keyword arguments and ignores those it has no use for, so that one
dictionary describes a problem to all of them:

>>> problem = dict(hurst=0.7, curvature=2.0, sigma=1.0, barrier=2.0, dt=1e-3, sides=1)
>>> [f.name for f in applicable("exit_rate", EXIT, **problem) if f.status != "refuted"]
['pickands', 'pickands_grid', 'pickands_euler', 'pickands_shifted']
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from . import _checks, covariance
from ._formula import ARGUMENTS, Formula
from .diffusions import brownian_interval_survival, brownian_survival, mean_exit_time, ou_exit_rate
from .extremes import (
    barrier_shift,
    fbm_argmax_density,
    fbm_exit_at_top,
    fbm_maximum_cdf,
    fbm_maximum_cdf_perturbative,
    fbm_maximum_density,
    fbm_maximum_mean,
    pickands_constant,
)

__all__ = [
    "ARGUMENTS",
    "EXIT",
    "FBM",
    "FORMULAS",
    "PASSAGE",
    "SPREAD",
    "Formula",
    "applicable",
    "barrier_shift",
    "brownian_interval_survival",
    "brownian_survival",
    "fbm_argmax_density",
    "fbm_exit_at_top",
    "fbm_maximum_cdf",
    "fbm_maximum_cdf_perturbative",
    "fbm_maximum_density",
    "fbm_maximum_mean",
    "first_to_empty",
    "flip_height",
    "flip_hurst",
    "formulas_table",
    "mean_exit_time",
    "ou_exit_rate",
    "pickands_constant",
    "scaled_barrier",
]

Array = NDArray[np.float64]

SPREAD = "spread in the quadratic well"
PASSAGE = "passage to the minimum of the quadratic well"
EXIT = "exit from the quadratic well through a barrier"
FBM = "fractional Brownian motion without drift"


# ---------------------------------------------------------------------------------------------------------------------
# Exit from the quadratic well

_LOWEST_BARRIER = 2.0  # in stationary standard deviations: below, "asymptotic in k" says nothing


def _deviations(hurst: float, barrier: float, curvature: float, sigma: float) -> float:
    """The barrier in stationary standard deviations."""
    return barrier / math.sqrt(covariance.fou_stationary_variance(hurst, curvature, sigma))


def _high_barrier(hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """The barrier is high enough for a limit theorem in its height."""
    k = _deviations(hurst, barrier, curvature, sigma)
    return "" if k >= _LOWEST_BARRIER else f"barrier must be at least 2 stationary standard deviations, got {k:.3g}."


def _small_step(dt: float, curvature: float = 1.0) -> str:
    """The Euler chain contracts without oscillating."""
    return "" if dt * curvature < 1.0 else f"curvature * dt must be below 1, got {dt * curvature:.3g}."


def _brownian(hurst: float) -> str:
    """Only without memory."""
    return "" if hurst == 0.5 else f"hurst must be 1/2, got {hurst}."


def _brownian_inside(hurst: float, barrier: float, x0: float = 0.0, sides: float = 1.0) -> str:
    """Only without memory, and from a start inside."""
    inside = x0 < barrier if sides == 1.0 else abs(x0) < barrier
    return _brownian(hurst) or ("" if inside else f"x0 must lie inside the barrier, got {x0}.")


def _brownian_inside_small_step(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, x0: float = 0.0, sides: float = 1.0
) -> str:
    """Only without memory, from a start inside, with a step that resolves the well."""
    return _brownian_inside(hurst, barrier, x0, sides) or _small_step(dt, curvature)


def _brownian_small_step(hurst: float, dt: float, curvature: float = 1.0) -> str:
    """Only without memory, with a step that resolves the well."""
    return _brownian(hurst) or _small_step(dt, curvature)


def _pickands_limits(hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """Pickands' constant is tabulated and the barrier high."""
    return _constant_known(hurst) or _high_barrier(hurst, barrier, curvature, sigma)


def _pickands_grid_limits(hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """The same, and the step resolves the well."""
    return _small_step(dt, curvature) or _pickands_limits(hurst, barrier, curvature, sigma)


def _constant_known(hurst: float) -> str:
    """Pickands' constant is tabulated from H = 0.2."""
    return "" if hurst >= 0.2 else f"hurst must be at least 0.2 for Pickands' constant, got {hurst}."


def _kramers_rate(
    hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """``a k exp(-k^2/2) / sqrt(2 pi)``."""
    k = _deviations(hurst, barrier, curvature, sigma)
    return sides * curvature * k * math.exp(-k * k / 2.0) / math.sqrt(2.0 * math.pi)


def _pickands_rate(
    hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """``a P_2H Gamma(2H+1)^(-1/2H) k^(1/H) Psi(k)``."""
    k = _deviations(hurst, barrier, curvature, sigma)
    clock = curvature * math.gamma(2.0 * hurst + 1.0) ** (-0.5 / hurst) * k ** (1.0 / hurst)
    return sides * clock * float(pickands_constant(2.0 * hurst)) * float(special.ndtr(-k))


def _pickands_grid_rate(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """``(eta P^eta) Psi(k) / dt``, eta the step in units of the correlation time at the level k."""
    variance = covariance.fou_stationary_variance(hurst, curvature, sigma)
    return sides * _rate_of_clusters(hurst, barrier, dt, sigma, variance)


def _pickands_euler_rate(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """The same with the variance of the Euler chain."""
    variance = covariance.euler_chain_variance(hurst, dt, curvature, sigma)
    return sides * _rate_of_clusters(hurst, barrier, dt, sigma, variance)


def _rate_of_clusters(hurst: float, barrier: float, dt: float, sigma: float, variance: float) -> float:
    """Grid points above the barrier per time, times the probability of being the first top of a cluster."""
    k = barrier / math.sqrt(variance)
    eta = (sigma * dt**hurst * k / math.sqrt(2.0 * variance)) ** (1.0 / hurst)
    return eta * float(pickands_constant(2.0 * hurst, eta)) * float(special.ndtr(-k)) / dt


def _pickands_shifted_rate(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """Continuous Pickands at the barrier that a grid sees."""
    return _pickands_rate(hurst, barrier + barrier_shift(hurst) * sigma * dt**hurst, curvature, sigma, sides)


def _ou_rate(barrier: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0) -> float:
    """Smallest eigenvalue of the Ornstein-Uhlenbeck process."""
    return ou_exit_rate(barrier, curvature=curvature, sigma=sigma, sides=int(sides))


def _ou_of_chain(barrier: float, dt: float, curvature: float, sigma: float) -> tuple[float, float, float]:
    """Barrier, curvature and sigma of the process in continuous time that stands for the Euler chain.

    The chain is an Ornstein-Uhlenbeck process of curvature ``-log(1 - a dt)/dt`` and equal variance, seen on a grid.
    """
    a = -math.log1p(-curvature * dt) / dt
    s = math.sqrt(2.0 * a * covariance.euler_chain_variance(0.5, dt, curvature, sigma))
    return barrier + barrier_shift(0.5) * s * math.sqrt(dt), a, s


def _ou_grid_rate(barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0) -> float:
    """Smallest eigenvalue for the Euler chain."""
    return _ou_rate(*_ou_of_chain(barrier, dt, curvature, sigma), sides)


def _ou_mean(barrier: float, curvature: float = 1.0, sigma: float = 1.0, x0: float = 0.0, sides: float = 1.0) -> float:
    """Mean exit time of the Ornstein-Uhlenbeck process."""
    lower = -math.inf if sides == 1.0 else -barrier
    return mean_exit_time(lambda x: curvature * x * x / 2.0, x0, (lower, barrier), sigma=sigma)


def _ou_grid_mean(
    barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, x0: float = 0.0, sides: float = 1.0
) -> float:
    """Mean exit time of the Euler chain."""
    return _ou_mean(*_ou_of_chain(barrier, dt, curvature, sigma), x0, sides)


# ---------------------------------------------------------------------------------------------------------------------
# Passage to the minimum


def _start_away(x0: float) -> str:
    """The start is not the minimum itself."""
    return "" if x0 != 0.0 else "x0 must differ from the minimum, got 0.0."


def _start_away_tabulated(hurst: float, x0: float) -> str:
    """The same, within the table of the law of the maximum."""
    return _start_away(x0) or _tabulated(hurst)


def _tabulated(hurst: float) -> str:
    """The law of the maximum is tabulated for 0.1 <= H <= 0.9."""
    return "" if 0.1 <= hurst <= 0.9 else f"hurst must lie in [0.1, 0.9], got {hurst}."


def _scaled_start(hurst: float, x0: float, times: Array, curvature: float, sigma: float) -> Array:
    """``|x0| / sqrt(T(t))``: the start against the spread of ``e^(at) X_t``; infinite at t = 0."""
    spread = np.sqrt(covariance.fou_variance(hurst, times, curvature, sigma))
    with np.errstate(divide="ignore"):
        return abs(x0) * np.exp(-curvature * times) / spread


def _images_survival(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``erf(x0 / sqrt(2 T(t)))``."""
    return special.erf(_scaled_start(hurst, x0, times, curvature, sigma) / math.sqrt(2.0))


def _power_law_spread(hurst: float, times: Array, curvature: float, sigma: float) -> Array:
    """Square root of ``int_0^t 2 D(s) exp(-2a(t-s)) ds`` with ``D = sigma^2 H s^(2H-1)``."""
    x = 2.0 * curvature * times
    return sigma * times**hurst * np.sqrt(special.hyp1f1(1.0, 2.0 * hurst + 1.0, -x))


def _power_law_survival(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``erf(x0 / sqrt(2 T(t)))`` with the diffusion ``sigma^2 H t^(2H-1)``."""
    with np.errstate(divide="ignore"):
        start = abs(x0) * np.exp(-curvature * times) / _power_law_spread(hurst, times, curvature, sigma)
    return special.erf(start / math.sqrt(2.0))


def _power_law_density(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """Minus the derivative of the survival above: ``2 D(t) x e^-x^2/2 / (sqrt(2 pi) V)``, x the scaled start."""
    t = np.where(times > 0.0, times, 1.0)
    spread = _power_law_spread(hurst, t, curvature, sigma)
    start = abs(x0) * np.exp(-curvature * t) / spread
    diffusion = sigma**2 * hurst * t ** (2.0 * hurst - 1.0)
    density = 2.0 * diffusion / spread**2 * start * np.exp(-(start**2) / 2.0) / math.sqrt(2.0 * math.pi)
    return np.where(times > 0.0, density, 0.0)


def _well_rate(curvature: float = 1.0) -> float:
    """The curvature itself."""
    return curvature


def _lamperti_rate(hurst: float, curvature: float = 1.0) -> float:
    """``a (1/H - 1)``."""
    return curvature * (1.0 / hurst - 1.0)


def _lamperti_survival(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``F_H(x0 / sqrt(T(t)))``."""
    return fbm_maximum_cdf(hurst, np.minimum(_scaled_start(hurst, x0, times, curvature, sigma), 1e3))


def _lamperti_closed(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``erf(c z)^(1/H-1)`` with the constant c that is right at z = 1."""
    power = 1.0 / hurst - 1.0
    c = float(special.erfinv(float(fbm_maximum_cdf(hurst, 1.0)) ** (1.0 / power)))
    return special.erf(c * _scaled_start(hurst, x0, times, curvature, sigma)) ** power


def _persistence_exponent(hurst: float) -> float:
    """``1 - H``."""
    return 1.0 - hurst


# ---------------------------------------------------------------------------------------------------------------------
# Fractional Brownian motion


def _level(hurst: float, barrier: float, times: Array, sigma: float) -> Array:
    """``b / (sigma t^H)``, by self-similarity all that survival depends on; infinite at t = 0."""
    with np.errstate(divide="ignore"):
        return barrier / (sigma * times**hurst)


def _fbm_survival(hurst: float, barrier: float, times: Array, sigma: float = 1.0) -> Array:
    """The tabulated law of the maximum."""
    return fbm_maximum_cdf(hurst, np.minimum(_level(hurst, barrier, times, sigma), 1e3))


def _fbm_survival_perturbative(hurst: float, barrier: float, times: Array, sigma: float = 1.0) -> Array:
    """The perturbative law of the maximum."""
    return fbm_maximum_cdf_perturbative(hurst, _level(hurst, barrier, times, sigma))


def _near_brownian(hurst: float) -> str:
    """The range in which the perturbative laws have been measured."""
    return "" if 0.33 <= hurst <= 0.67 else f"hurst must lie in [0.33, 0.67], got {hurst}."


def _straight_lines(hurst: float, barrier: float, times: Array, sigma: float = 1.0) -> Array:
    """``Phi(b / (sigma t^H))``."""
    return special.ndtr(_level(hurst, barrier, times, sigma))


def _near_one(hurst: float) -> str:
    """Paths are nearly straight."""
    return "" if hurst >= 0.9 else f"hurst must be at least 0.9, got {hurst}."


def _brownian_barrier(barrier: float, times: Array, sigma: float = 1.0, drift: float = 0.0, x0: float = 0.0) -> Array:
    """Inverse Gaussian survival."""
    return brownian_survival(barrier, times, drift=drift, sigma=sigma, x0=x0)


def _brownian_interval(barrier: float, times: Array, sigma: float = 1.0, x0: float = 0.0) -> Array:
    """The sine series on (-b, b)."""
    return brownian_interval_survival(times, (-barrier, barrier), x0=x0, sigma=sigma)


def _brownian_below(hurst: float, barrier: float, x0: float = 0.0) -> str:
    """Only without memory, and from a start below the barrier."""
    return _brownian_inside(hurst, barrier, x0, 1.0)


def _brownian_two_sides(hurst: float, barrier: float, x0: float = 0.0) -> str:
    """Only without memory, and from a start between both ends."""
    return _brownian_inside(hurst, barrier, x0, 2.0)


def _argmax(hurst: float, times: Array, horizon: float = 1.0) -> Array:
    """The density on [0, horizon]."""
    return fbm_argmax_density(hurst, times / horizon) / horizon


def _argmax_limits(hurst: float, times: Array, horizon: float = 1.0) -> str:
    """The measured range, at times strictly inside."""
    inside = bool(np.all((times > 0.0) & (times < horizon)))
    return _near_brownian(hurst) or ("" if inside else "times must lie strictly between 0 and the horizon.")


def _exit_at_top(hurst: float, barrier: float, x0: float) -> float:
    """Probability of leaving (0, barrier) at the barrier."""
    return float(fbm_exit_at_top(hurst, x0 / barrier))


def _exit_at_top_limits(hurst: float, barrier: float, x0: float) -> str:
    """The measured range, from a start in the interval."""
    return _near_brownian(hurst) or ("" if 0.0 <= x0 <= barrier else f"x0 must lie in [0, barrier], got {x0}.")


def _mean_maximum(hurst: float, horizon: float = 1.0, sigma: float = 1.0) -> float:
    """``sigma T^H E max``."""
    return sigma * horizon**hurst * fbm_maximum_mean(hurst)


def _mean_maximum_limits(hurst: float) -> str:
    """The reach of the table."""
    return "" if hurst >= 0.1 else f"hurst must be at least 0.1, got {hurst}."


def _grid_shift(hurst: float, dt: float, sigma: float = 1.0) -> float:
    """``beta_H sigma dt^H``."""
    return barrier_shift(hurst) * sigma * dt**hurst


def _grid_shift_limits(hurst: float) -> str:
    """The reach of the table."""
    return "" if hurst >= 0.02 else f"hurst must be at least 0.02, got {hurst}."


def _time_scale(hurst: float, barrier: float, sigma: float = 1.0) -> float:
    """``(b / sigma)^(1/H)``."""
    return (barrier / sigma) ** (1.0 / hurst)


# ---------------------------------------------------------------------------------------------------------------------
# The registry


def _spread_formulas() -> Iterator[Formula]:
    """The variance in the quadratic well."""
    yield Formula(
        name="stationary_variance",
        title="Stationary variance",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        source="Cheridito, Kawaguchi & Maejima 2003",
        validity="every H",
        measured="exact",
        compute=covariance.fou_stationary_variance,
    )
    yield Formula(
        name="variance",
        title="Variance after a start at a point",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        source="Ito isometry of the fractional Ornstein-Uhlenbeck process",
        validity="every H, every time",
        measured="exact",
        compute=covariance.fou_variance,
    )
    yield Formula(
        name="euler_variance",
        title="Stationary variance of the Euler chain",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        source="sum of the fGn covariance over the chain, a polylogarithm",
        validity="every H, curvature * dt < 1",
        measured="exact",
        compute=covariance.euler_chain_variance,
        limits=_small_step,
    )


def _exit_formulas() -> Iterator[Formula]:
    """Rates and mean times of the exit through a barrier."""
    yield Formula(
        name="kramers_brownian_prefactor",
        title="Kramers with the prefactor of H = 1/2",
        quantity="exit_rate",
        subject=EXIT,
        status="refuted",
        brownian_status="asymptotic",
        source="effective Fokker-Planck equation with the stationary variance of H, escape as in Kramers 1940",
        validity="barrier of at least 2 stationary s.d.; right exponent for every H, right prefactor for H = 1/2 only",
        measured="at 3 s.d.: 3.7 times too low (H = 0.3), 4.4 times too high (H = 0.7); H = 1/2: 15 % too high",
        compute=_kramers_rate,
        limits=_high_barrier,
    )
    yield Formula(
        name="pickands",
        title="Pickands, continuous time",
        quantity="exit_rate",
        subject=EXIT,
        status="asymptotic",
        source="Pickands 1969: high level crossings of a stationary Gaussian process",
        validity="barrier of at least 2 stationary s.d., 0.2 <= H < 1, continuous time, the stationary state",
        measured="simulated / predicted: 1.0-1.1 (H = 0.3, 3-8 s.d.), 0.95-1.0 (H = 0.5), 0.72-0.79 (H = 0.7, "
        "2.5-3.5 s.d.), 0.95-1.0 (H = 0.7, 8 s.d.)",
        compute=_pickands_rate,
        limits=_pickands_limits,
    )
    yield Formula(
        name="pickands_grid",
        title="Pickands, seen on a grid",
        quantity="exit_rate",
        subject=EXIT,
        status="asymptotic",
        source="Pickands 1969 with the constant of a grid (estimator: Dieker & Yakir 2014)",
        validity="barrier of at least 2 stationary s.d., 0.2 <= H < 1; the exact process looked at every dt",
        measured="within 4 % (H = 0.5), 7-18 % (H = 0.3), 22-37 % (H = 0.7) from 2.5 s.d. on",
        compute=_pickands_grid_rate,
        limits=_pickands_grid_limits,
    )
    yield Formula(
        name="pickands_euler",
        title="Pickands for the Euler chain",
        quantity="exit_rate",
        subject=EXIT,
        status="asymptotic",
        source="the grid's constant with the variance of the Euler chain",
        validity="as pickands_grid, curvature * dt < 1; the Euler-Maruyama chain itself, that is SGD",
        measured="as pickands_grid for small curvature * dt",
        compute=_pickands_euler_rate,
        limits=_pickands_grid_limits,
    )
    yield Formula(
        name="pickands_shifted",
        title="Pickands at the shifted barrier",
        quantity="exit_rate",
        subject=EXIT,
        status="approximate",
        source="Pickands 1969 at the barrier raised by beta_H sigma dt^H",
        validity="as pickands_grid",
        measured="agrees with pickands_grid to first order in the shift",
        compute=_pickands_shifted_rate,
        limits=_pickands_grid_limits,
    )
    yield Formula(
        name="ou_eigenvalue",
        title="Smallest eigenvalue of the Ornstein-Uhlenbeck process",
        quantity="exit_rate",
        subject=EXIT,
        status="exact",
        source="smallest zero in nu of the parabolic cylinder function D_nu(-k); two sides: of its even companion",
        validity="H = 1/2, continuous time, late times",
        measured="exact",
        compute=_ou_rate,
        limits=_brownian,
    )
    yield Formula(
        name="ou_eigenvalue_grid",
        title="Smallest eigenvalue for the Euler chain",
        quantity="exit_rate",
        subject=EXIT,
        status="approximate",
        source="the chain is an Ornstein-Uhlenbeck process on a grid; barrier raised (Broadie, Glasserman & Kou 1997)",
        validity="H = 1/2, curvature * dt < 1",
        measured="see the note",
        compute=_ou_grid_rate,
        limits=_brownian_small_step,
    )
    yield Formula(
        name="ou_mean_exit",
        title="Mean exit time of the Ornstein-Uhlenbeck process",
        quantity="mean_exit_time",
        subject=EXIT,
        status="exact",
        source="double integral over scale and speed (Gardiner, Handbook of Stochastic Methods)",
        validity="H = 1/2, continuous time, x0 inside",
        measured="exact; quadrature to 1e-10",
        compute=_ou_mean,
        limits=_brownian_inside,
    )
    yield Formula(
        name="ou_mean_exit_grid",
        title="Mean exit time of the Euler chain",
        quantity="mean_exit_time",
        subject=EXIT,
        status="approximate",
        source="the chain is an Ornstein-Uhlenbeck process on a grid; barrier raised (Broadie, Glasserman & Kou 1997)",
        validity="H = 1/2, curvature * dt < 1, x0 inside",
        measured="see the note",
        compute=_ou_grid_mean,
        limits=_brownian_inside_small_step,
    )


def _passage_formulas() -> Iterator[Formula]:
    """Passage from x0 to the minimum."""
    yield Formula(
        name="effective_fokker_planck",
        title="Effective Fokker-Planck equation and images",
        quantity="survival",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        source="diffusion coefficient chosen to give the exact variance, absorbing boundary by an image",
        validity="x0 other than the minimum; right at H = 1/2 only",
        measured="survival off by 0.2-0.3 at H = 0.3 and 0.7",
        compute=_images_survival,
        limits=_start_away,
    )
    yield Formula(
        name="effective_fokker_planck_rate",
        title="Tail rate of the effective Fokker-Planck equation",
        quantity="exit_rate",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        source="late times of the effective Fokker-Planck equation with images",
        validity="late times; right at H = 1/2 only",
        measured="says a; simulated 2.4 a at H = 0.3, 0.98 a at H = 0.5, 0.48 a falling to 0.33 a at H = 0.7",
        compute=_well_rate,
    )
    yield Formula(
        name="power_law_diffusion",
        title="Fokker-Planck equation with diffusion t^(2H-1)",
        quantity="survival",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        source="the diffusion coefficient of free fBm, sigma^2 H t^(2H-1), with a linear drift and an image",
        validity="x0 other than the minimum; right at H = 1/2 only",
        measured="gives the wrong variance of X already without a boundary",
        compute=_power_law_survival,
        limits=_start_away,
    )
    yield Formula(
        name="power_law_diffusion_density",
        title="Passage density for the diffusion t^(2H-1)",
        quantity="density",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        source="minus the derivative of the survival; late times t^(1/2-H) exp(-at)",
        validity="x0 other than the minimum; right at H = 1/2 only",
        measured="gives the wrong variance of X already without a boundary",
        compute=_power_law_density,
        limits=_start_away,
    )
    yield Formula(
        name="lamperti_rate",
        title="Lamperti rate",
        quantity="exit_rate",
        subject=PASSAGE,
        status="approximate",
        brownian_status="exact",
        source="persistence of fBm under the Lamperti transform: exact for exp(-at) B_H(exp(at/H))",
        validity="every H; start of about 1 s.d., 1 < at < 2.5 (H = 0.3), 2 < at < 6 (H = 0.7)",
        measured="within 12 % in that window; later the true hazard keeps falling (H > 1/2) or rising (H < 1/2)",
        compute=_lamperti_rate,
    )
    yield Formula(
        name="lamperti_survival",
        title="Lamperti curve, tabulated law of the maximum",
        quantity="survival",
        subject=PASSAGE,
        status="approximate",
        brownian_status="exact",
        source="survival of fBm at the clock T(t) of the variance, F_H(x0 / sqrt(T(t)))",
        validity="0.1 <= H <= 0.9, x0 other than the minimum",
        measured="survival within 0.01 (H = 0.7)",
        compute=_lamperti_survival,
        limits=_start_away_tabulated,
    )
    yield Formula(
        name="lamperti_closed_form",
        title="Lamperti curve, closed form",
        quantity="survival",
        subject=PASSAGE,
        status="approximate",
        brownian_status="exact",
        source="erf(c z)^(1/H-1), z = x0 / sqrt(T(t)): persistence exponent and Gaussian tail, c from F_H(1)",
        validity="0.1 <= H <= 0.9, x0 other than the minimum",
        measured="survival within 0.02-0.10",
        compute=_lamperti_closed,
        limits=_start_away_tabulated,
    )


def _fbm_formulas() -> Iterator[Formula]:
    """Laws of fBm without a well."""
    yield Formula(
        name="persistence",
        title="Persistence exponent",
        quantity="survival_exponent",
        subject=FBM,
        status="asymptotic",
        source="Molchan 1999; Ding & Yang 1995",
        validity="late times without drift; with a well as long as a t << 1",
        measured="exponent within 0.03-0.06",
        compute=_persistence_exponent,
    )
    yield Formula(
        name="self_similarity",
        title="Unit of the passage time",
        quantity="time_scale",
        subject=FBM,
        status="exact",
        source="self-similarity: tau_b = (b / sigma)^(1/H) tau_1 in law",
        validity="every H",
        measured="exact",
        compute=_time_scale,
    )
    yield Formula(
        name="fbm_survival",
        title="Survival of fBm, table",
        quantity="survival",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        source="law of the maximum on exact paths, by self-similarity",
        validity="0.1 <= H <= 0.9",
        measured="absolute error below 0.004",
        compute=_fbm_survival,
        limits=_tabulated,
    )
    yield Formula(
        name="fbm_survival_perturbative",
        title="Survival of fBm, perturbative",
        quantity="survival",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        source="law of the maximum to first order in H - 1/2 (Wiese, Majumdar & Rosso 2011; Delorme & Wiese 2016)",
        validity="0.33 <= H <= 0.67 measured, 0.25 <= H <= 0.75 at all",
        measured="density within 3 % (H = 0.45, 0.55), 7 % (H = 0.33, 0.67)",
        compute=_fbm_survival_perturbative,
        limits=_near_brownian,
    )
    yield Formula(
        name="fbm_survival_straight",
        title="Survival of straight lines",
        quantity="survival",
        subject=FBM,
        status="asymptotic",
        source="H -> 1: B_H(t) = N t with one normal variable N",
        validity="0.9 <= H < 1",
        measured="see the note",
        compute=_straight_lines,
        limits=_near_one,
    )
    yield Formula(
        name="brownian_survival",
        title="Survival of Brownian motion with drift",
        quantity="survival",
        subject=FBM,
        status="exact",
        source="inverse Gaussian law (Schroedinger 1915)",
        validity="H = 1/2, x0 below the barrier",
        measured="exact",
        compute=_brownian_barrier,
        limits=_brownian_below,
    )
    yield Formula(
        name="brownian_interval_survival",
        title="Survival of Brownian motion between -b and b",
        quantity="survival",
        subject=FBM,
        status="exact",
        source="sine series; images for short times",
        validity="H = 1/2, |x0| < b",
        measured="exact",
        compute=_brownian_interval,
        limits=_brownian_two_sides,
    )
    yield Formula(
        name="fbm_maximum_mean",
        title="Mean of the maximum",
        quantity="mean_maximum",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        source="exact paths, grid shift beta_H n^-H added",
        validity="0.1 <= H < 1",
        measured="relative standard error below 0.2 %",
        compute=_mean_maximum,
        limits=_mean_maximum_limits,
    )
    yield Formula(
        name="fbm_argmax",
        title="Time of the maximum",
        quantity="density",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        source="first order in H - 1/2 (Wiese, Majumdar & Rosso 2011; Delorme & Wiese 2016)",
        validity="0.33 <= H <= 0.67 measured, 0.25 <= H <= 0.75 at all; times inside (0, horizon)",
        measured="chi2 on 6 folded bins 3.5, 2.8, 11, 4.5 at H = 0.33, 0.45, 0.55, 0.67",
        compute=_argmax,
        limits=_argmax_limits,
    )
    yield Formula(
        name="fbm_exit_at_top",
        title="Exit of (0, b) at the top",
        quantity="probability",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        source="first order in H - 1/2 (Wiese 2019)",
        validity="0.33 <= H <= 0.67 measured, 0.25 <= H <= 0.75 at all; x0 in [0, b]",
        measured="within 3 standard errors at H = 0.33 and 0.67",
        compute=_exit_at_top,
        limits=_exit_at_top_limits,
    )
    yield Formula(
        name="grid_shift",
        title="How much higher a grid sees the barrier",
        quantity="barrier_shift",
        subject=FBM,
        status="approximate",
        brownian_status="asymptotic",
        source="beta_H sigma dt^H; H = 1/2: Chernoff 1965, Broadie, Glasserman & Kou 1997; elsewhere measured",
        validity="0.02 <= H < 1, fine grids",
        measured="standard error 0.4 % for H >= 0.2; removes more than 95 % of the bias of an exit probability",
        compute=_grid_shift,
        limits=_grid_shift_limits,
    )


FORMULAS: dict[str, Formula] = {
    formula.name: formula
    for formula in (*_spread_formulas(), *_exit_formulas(), *_passage_formulas(), *_fbm_formulas())
}


def applicable(quantity: str, subject: str, **problem: Any) -> list[Formula]:
    """The formulas that give `quantity` for `subject`, have all they need in `problem`, and are valid for it.

    >>> [f.name for f in applicable("mean_exit_time", EXIT, hurst=0.5, barrier=1.0)]
    ['ou_mean_exit']
    """
    relevant = (f for f in FORMULAS.values() if f.quantity == quantity and f.subject == subject)
    return [f for f in relevant if not f.valid(**problem)]


def formulas_table() -> str:
    """The registry as a Markdown table: formula, quantity, status, where it holds, measured error.

    >>> print(formulas_table().splitlines()[0])
    | formula | what it gives | status | where it holds | measured |
    """
    rows = ["| formula | what it gives | status | where it holds | measured |", "|---|---|---|---|---|"]
    for f in FORMULAS.values():
        status = f"{f.status}; H = 1/2: {f.brownian_status}" if f.brownian_status else f.status
        what = f"{f.title}: {f.quantity.replace('_', ' ')}, {f.subject}"
        rows.append(f"| `{f.name}` | {what} | {status} | {f.validity} | {f.measured} |")
    return "\n".join(rows)


# ---------------------------------------------------------------------------------------------------------------------
# Sharp against flat


def scaled_barrier(hurst: ArrayLike, height: ArrayLike, curvature: ArrayLike, sigma: ArrayLike = 1.0) -> Array:
    """The rim of a quadratic well of the given height, in stationary standard deviations; arguments broadcast.

    ``k^2 = 2 dV a^(2H-1) / (sigma^2 H Gamma(2H))``: at a fixed height the sharper well has the lower rim for H < 1/2
    and the higher one for H > 1/2.

    >>> scaled_barrier([0.3, 0.5, 0.7], 2.0, 4.0).round(3)
    array([2.268, 2.828, 3.349])
    """
    h, dv, a, s = (np.asarray(x, dtype=float) for x in (hurst, height, curvature, sigma))
    if not (np.all((h > 0) & (h < 1)) and np.all(dv > 0) and np.all(a > 0) and np.all(s > 0)):
        raise ValueError("hurst must lie in (0, 1), height, curvature and sigma must be positive.")
    return np.sqrt(2.0 * dv * a ** (2.0 * h - 1.0) / (h * special.gamma(2.0 * h))) / s


def _log_advantage(hurst: ArrayLike, height: ArrayLike, sharp: float, flat: float, sigma: float) -> Array:
    """Logarithm of the exit rate of the sharp well over that of the flat one, by Pickands: the constant cancels."""
    h = np.asarray(hurst, dtype=float)
    k_sharp, k_flat = (scaled_barrier(h, height, a, sigma) for a in (sharp, flat))
    clock = np.log(sharp / flat) + np.log(k_sharp / k_flat) / h
    return clock + special.log_ndtr(-k_sharp) - special.log_ndtr(-k_flat)


def _ordered(sharp: float, flat: float, sigma: float) -> None:
    """Refuse curvatures that are not a sharp and a flat one."""
    a, b = _checks.positive("sharp", sharp), _checks.positive("flat", flat)
    _checks.positive("sigma", sigma)
    if a <= b:
        raise ValueError(f"sharp must exceed flat, got {a} and {b}.")


def first_to_empty(
    hurst: ArrayLike, height: ArrayLike, *, sharp: float, flat: float, sigma: float = 1.0
) -> NDArray[np.str_]:
    """ "sharp" or "flat": the well of the higher exit rate at equal barrier height, by Pickands; arguments broadcast.

    >>> first_to_empty([0.3, 0.5, 0.7, 0.9], 4.0, sharp=4.0, flat=1.0)
    array(['sharp', 'sharp', 'flat', 'flat'], dtype='<U5')
    """
    _ordered(sharp, flat, sigma)
    return np.where(_log_advantage(hurst, height, sharp, flat, sigma) > 0.0, "sharp", "flat")


def flip_height(hurst: float, *, sharp: float, flat: float, sigma: float = 1.0) -> float:
    """The barrier height above which the flat well empties first, by Pickands; infinite for H <= 1/2: it never does.

    Asymptotic like Pickands' formula: trust it where `scaled_barrier` is at least 2 in both wells.

    >>> round(flip_height(0.7, sharp=4.0, flat=1.0), 3), flip_height(0.5, sharp=4.0, flat=1.0)
    (1.31, inf)
    """
    _ordered(sharp, flat, sigma)
    h = _checks.hurst_parameter(hurst)
    if h <= 0.5:
        return math.inf

    def advantage(log_height: float) -> float:
        return float(_log_advantage(h, math.exp(log_height), sharp, flat, sigma))

    low, high = -40.0 + 2.0 * math.log(sigma), 2.0 * math.log(sigma)
    while advantage(high) > 0.0:
        high += 2.0
    return math.exp(optimize.brentq(advantage, low, high, xtol=1e-12))


def flip_hurst(height: float, *, sharp: float, flat: float, sigma: float = 1.0) -> float:
    """The smallest H above which the flat well of this barrier height empties first, by Pickands; NaN if none does.

    >>> round(flip_hurst(4.0, sharp=4.0, flat=1.0), 3)
    0.564
    """
    _ordered(sharp, flat, sigma)
    _checks.positive("height", height)
    grid = np.linspace(0.5, 0.9999, 201)
    behind = np.flatnonzero(_log_advantage(grid, height, sharp, flat, sigma) <= 0.0)
    if behind.size == 0:
        return math.nan
    left, right = grid[behind[0] - 1], grid[behind[0]]
    return float(optimize.brentq(lambda h: float(_log_advantage(h, height, sharp, flat, sigma)), left, right))
