"""Closed forms for the exit from the quadratic well through a barrier.

The functions that return a text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import scipy

from ..laws import fgn, fou
from ..laws.diffusions import ou_exit_rate, ou_mean_exit_time
from ..laws.extremes import barrier_shift, pickands_constant
from ..laws.fou_exits import BETWEEN, fou_exit_rate, log_pickands_rate
from .evidence import exits
from .formula import EXIT, Formula, no_memory
from .spread import small_step

_K = r"k = \frac{b\,a^{H}}{\sigma\sqrt{H\,\Gamma(2H)}}"  # in formulas
_LOWEST_BARRIER = 2.0  # in stationary standard deviations; a limit of high barriers says nothing about lower ones


def _deviations(hurst: float, barrier: float, curvature: float, sigma: float) -> float:
    """The barrier k in stationary standard deviations, at most 1e100, where every rate is 0."""
    k = barrier / sigma * curvature**hurst / math.sqrt(fou.fou_stationary_variance(hurst))
    return min(k, 1e100)


def _high_barrier(hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """The barrier must be high enough for a limit theorem in its height."""
    k = _deviations(hurst, barrier, curvature, sigma)
    return "" if k >= _LOWEST_BARRIER else f"barrier must be at least 2 stationary standard deviations, got {k:.3g}."


def _brownian_inside(hurst: float, barrier: float, x0: float = 0.0, sides: float = 1.0) -> str:
    """H must be 1/2, and the start must lie inside."""
    inside = x0 < barrier if sides == 1.0 else abs(x0) < barrier
    return no_memory(hurst) or ("" if inside else f"x0 must lie inside the barrier, got {x0}.")


def _brownian_inside_small_step(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, x0: float = 0.0, sides: float = 1.0
) -> str:
    """H must be 1/2, the start must lie inside, and the step must resolve the well."""
    return _brownian_inside(hurst, barrier, x0, sides) or small_step(dt, curvature)


def _brownian_small_step(hurst: float, dt: float, curvature: float = 1.0) -> str:
    """H must be 1/2, and the step must resolve the well."""
    return no_memory(hurst) or small_step(dt, curvature)


def _pickands_limits(hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """Pickands' constant must be tabulated, and the barrier must be high."""
    return _constant_known(hurst) or _high_barrier(hurst, barrier, curvature, sigma)


def _pickands_grid_limits(hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0) -> str:
    """Pickands' constant must be tabulated, the barrier must be high, and the step must resolve the well."""
    return small_step(dt, curvature) or _pickands_limits(hurst, barrier, curvature, sigma)


def _constant_known(hurst: float) -> str:
    """Pickands' constant is tabulated from H = 0.2 on."""
    return "" if hurst >= 0.2 else f"hurst must be at least 0.2 for Pickands' constant, got {hurst}."


def _kramers_rate(
    hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """``a k exp(-k^2/2) / sqrt(2 pi)``."""
    k = _deviations(hurst, barrier, curvature, sigma)
    return sides * math.exp(math.log(curvature) + math.log(k) - k * k / 2.0) / math.sqrt(2.0 * math.pi)


def _pickands_rate(
    hurst: float, barrier: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """``a P_2H Gamma(2H+1)^(-1/2H) k^(1/H) Psi(k)``."""
    k = _deviations(hurst, barrier, curvature, sigma)
    return sides * math.exp(math.log(curvature) + float(log_pickands_rate(hurst, k)))


def _pickands_grid_rate(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """``(eta P^eta) Psi(k) / dt``, where eta is the step in units of the correlation time at the level k."""
    return sides * _rate_of_clusters(hurst, _deviations(hurst, barrier, curvature, sigma), dt, curvature, 1.0)


def _pickands_euler_rate(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """`_pickands_grid_rate` with the variance of the Euler chain in place of that of the process."""
    excess = fgn.chain_excess(hurst, curvature * dt)
    k = _deviations(hurst, barrier, curvature, sigma) / math.sqrt(excess)
    return sides * _rate_of_clusters(hurst, k, dt, curvature, excess)


def _rate_of_clusters(hurst: float, k: float, dt: float, curvature: float, excess: float) -> float:
    """Exit rate on a grid: grid points above the barrier per unit of time, times the share that tops its cluster.

    `k` is the barrier in standard deviations of the chain, `excess` its variance over that of the process in
    continuous time.
    """
    log_scale = math.log(k) - math.log(excess * scipy.special.gamma(2.0 * hurst + 1.0)) / 2.0
    log_eta = math.log(curvature) + math.log(dt) + log_scale / hurst
    eta = math.exp(min(max(log_eta, -600.0), 600.0))  # P^eta is P for a smaller eta and 1 / eta for a larger one
    log_share = min(0.0, log_eta + math.log(float(pickands_constant(2.0 * hurst, eta)))) if log_eta < 600.0 else 0.0
    return math.exp(log_share + float(scipy.special.log_ndtr(-k)) - math.log(dt))


def _pickands_shifted_rate(
    hurst: float, barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """Pickands' rate in continuous time at the barrier raised by ``beta_H sigma dt^H``, which is what a grid sees."""
    return _pickands_rate(hurst, barrier + barrier_shift(hurst) * sigma * dt**hurst, curvature, sigma, sides)


def _fou_rate(
    hurst: float, barrier: float, horizon: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0
) -> float:
    """The table's rate of the exits between ``2 / a`` and the horizon."""
    return float(fou_exit_rate(hurst, barrier, horizon, curvature=curvature, sigma=sigma, sides=int(sides)).value)


def _fou_grid_rate(
    hurst: float,
    barrier: float,
    horizon: float,
    dt: float,
    curvature: float = 1.0,
    sigma: float = 1.0,
    sides: float = 1.0,
) -> float:
    """`_fou_rate` at the barrier raised by ``beta_H sigma dt^H``, which is what a grid sees."""
    return _fou_rate(hurst, barrier + barrier_shift(hurst) * sigma * dt**hurst, horizon, curvature, sigma, sides)


def _ou_rate(barrier: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0) -> float:
    """Smallest eigenvalue of the Ornstein-Uhlenbeck process."""
    return ou_exit_rate(barrier, curvature=curvature, sigma=sigma, sides=int(sides))


def _ou_of_chain(barrier: float, dt: float, curvature: float, sigma: float) -> tuple[float, float, float]:
    """Barrier, curvature and sigma of a process in continuous time that leaves at the rate of the Euler chain.

    The chain is an Ornstein-Uhlenbeck process of curvature ``-log(1 - a dt)/dt`` and equal variance, seen on a grid,
    which sees the barrier ``beta_H s sqrt(dt)`` higher.
    """
    step = curvature * dt
    faster = -math.log1p(-step) / step if step > 1e-300 else 1.0
    s = sigma * math.sqrt(faster * fgn.chain_excess(0.5, step))
    return barrier + barrier_shift(0.5) * s * math.sqrt(dt), curvature * faster, s


def _ou_grid_rate(barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, sides: float = 1.0) -> float:
    """Smallest eigenvalue of the process that stands for the Euler chain."""
    return _ou_rate(*_ou_of_chain(barrier, dt, curvature, sigma), sides)


def _ou_mean(barrier: float, curvature: float = 1.0, sigma: float = 1.0, x0: float = 0.0, sides: float = 1.0) -> float:
    """Mean exit time of the Ornstein-Uhlenbeck process."""
    return ou_mean_exit_time(barrier, curvature=curvature, sigma=sigma, x0=x0, sides=int(sides))


def _ou_grid_mean(
    barrier: float, dt: float, curvature: float = 1.0, sigma: float = 1.0, x0: float = 0.0, sides: float = 1.0
) -> float:
    """Mean exit time of the process that stands for the Euler chain."""
    return _ou_mean(*_ou_of_chain(barrier, dt, curvature, sigma), x0, sides)


def exit_formulas() -> Iterator[Formula]:
    """Yield the formulas for the rate and the mean time of the exit through a barrier.

    >>> [formula.name for formula in exit_formulas() if formula.quantity == "mean_exit_time"]
    ['ou_mean_exit', 'ou_mean_exit_grid']
    """
    yield Formula(
        name="kramers_brownian_prefactor",
        title="Kramers with the prefactor of H = 1/2",
        quantity="exit_rate",
        subject=EXIT,
        status="refuted",
        brownian_status="asymptotic",
        equation=rf"\lambda = \frac{{a\,k}}{{\sqrt{{2\pi}}}}\; e^{{-k^2/2}}, \qquad {_K}",
        source="effective Fokker-Planck equation with the stationary variance of H, escape as in Kramers 1940",
        references=("kramers1940", "fbmsde"),
        validity="barrier of at least 2 stationary s.d.; right exponent for every H, right prefactor for H = 1/2 only",
        measured="at 3 s.d., 10 / a after a start at the minimum: 5.8 times too low (H = 0.3), 3.7 times too high "
        "(H = 0.7); H = 1/2: 15 % too high",
        compute=_kramers_rate,
        check=exits.kramers_brownian_prefactor,
        limits=_high_barrier,
    )
    yield Formula(
        name="pickands",
        title="Pickands, continuous time",
        quantity="exit_rate",
        subject=EXIT,
        status="asymptotic",
        equation=rf"""\lambda = a\,\mathcal P_{{2H}}\,\Gamma(2H+1)^{{-1/(2H)}}\,k^{{1/H}}\,\Psi(k), \qquad {_K},
\quad \Psi(k) = \tfrac12\operatorname{{erfc}}\frac{{k}}{{\sqrt2}}""",
        source="Pickands 1969: high level crossings of a stationary Gaussian process",
        references=("pickands1969",),
        validity="barrier of at least 2 stationary s.d., 0.2 <= H < 1, continuous time, the stationary state",
        measured="table of exact paths, 10 / a after a start at the minimum, / predicted at 3, 5, 8 s.d.: 0.95, 0.96, "
        "0.99 (H = 0.3), 0.80, 0.89, 0.93 (H = 0.7); eigenvalue / predicted: 0.955, 0.991, 0.999 (H = 0.5)",
        compute=_pickands_rate,
        check=exits.pickands,
        limits=_pickands_limits,
    )
    yield Formula(
        name="pickands_grid",
        title="Pickands, seen on a grid",
        quantity="exit_rate",
        subject=EXIT,
        status="asymptotic",
        equation=r"""\lambda = \frac{\eta\,\mathcal P_{2H}^{\eta}\;\Psi(k)}{\mathrm{d}t}, \qquad
\eta = a\,\mathrm{d}t\left(\frac{k^2}{\Gamma(2H+1)}\right)^{1/(2H)}""",
        source="Pickands 1969 with the constant of a grid (estimator: Dieker & Yakir 2014)",
        references=("pickands1969", "dieker2014"),
        validity="barrier of at least 2 stationary s.d., 0.2 <= H < 1; the exact process looked at every dt",
        measured="late rate / predicted at 2, 2.5, 3 s.d., dt = 0.002 / a, one rim: 1.50, 1.22, 1.08 (H = 0.3), "
        "1.08, 0.98, 0.97 (H = 0.5), 0.75, 0.74, 0.79 (H = 0.7); two rims, H = 0.5: 1.33 at 2 s.d., 1.00 at 3",
        compute=_pickands_grid_rate,
        check=exits.pickands_grid,
        limits=_pickands_grid_limits,
    )
    yield Formula(
        name="pickands_euler",
        title="Pickands for the Euler chain",
        quantity="exit_rate",
        subject=EXIT,
        status="asymptotic",
        equation=r"""\lambda = \frac{\eta\,\mathcal P_{2H}^{\eta}\;\Psi(k)}{\mathrm{d}t}, \qquad
k = \frac{b}{\sqrt{V_{\mathrm{d}t}}}, \quad
\eta = a\,\mathrm{d}t\left(\frac{k^2}{\Gamma(2H+1)\,V_{\mathrm{d}t}/V}\right)^{1/(2H)}""",
        source="the grid's constant with the variance of the Euler chain",
        references=("pickands1969", "fbmsde"),
        validity="as pickands_grid, curvature * dt < 1; the Euler-Maruyama chain itself, that is SGD",
        measured="H = 0.5, 3 s.d., chain solved by quadrature / predicted: 0.98, 1.01, 1.05, 1.15 at "
        "curvature * dt = 0.005, 0.02, 0.05, 0.2 (pickands_grid: 0.99, 1.04, 1.14, 1.69)",
        compute=_pickands_euler_rate,
        check=exits.pickands_euler,
        limits=_pickands_grid_limits,
    )
    yield Formula(
        name="pickands_shifted",
        title="Pickands at the shifted barrier",
        quantity="exit_rate",
        subject=EXIT,
        status="approximate",
        equation=r"""\lambda = \lambda_{\text{Pickands}}(b + \beta_H\,\sigma\,\mathrm{d}t^{H})""",
        source="Pickands 1969 at the barrier raised by beta_H sigma dt^H",
        references=("pickands1969", "fbmsde"),
        validity="as pickands_grid",
        measured="late rate / predicted at 2, 2.5, 3 s.d., dt = 0.002 / a: 1.15, 1.00, 0.92 (H = 0.3), 1.06, 0.97, "
        "0.96 (H = 0.5), 0.75, 0.73, 0.79 (H = 0.7)",
        compute=_pickands_shifted_rate,
        check=exits.pickands_shifted,
        limits=_pickands_grid_limits,
    )
    yield Formula(
        name="fou_exit_rate",
        title="Table of exit rates, continuous time",
        quantity="exit_rate",
        subject=EXIT,
        status="numerical",
        equation=r"""\lambda = a\,R\bigl(H, k, aT\bigr), \qquad
R \text{ from the table of exits between } 2/a \text{ and } T""",
        source="rates of exact paths, conditioned to come near the barrier where exits are rare; interpolated",
        references=("fbmsde",),
        validity="start at the minimum, exits after 2 / curvature; 0.3 <= H <= 0.9, 1-8 stationary s.d., curvature * "
        "horizon <= 100 (any for H = 0.5, and for H < 0.5 from 3.5 s.d. on); not where nobody is left",
        measured=f"standard error of a node 0.5 %, of the interpolation {BETWEEN:.1%}; H = 0.5 against the eigenvalue, "
        "3-8 s.d., late horizons: within 0.6 %",
        compute=_fou_rate,
        check=exits.fou_rate,
    )
    yield Formula(
        name="fou_exit_rate_grid",
        title="Table of exit rates, seen on a grid",
        quantity="exit_rate",
        subject=EXIT,
        status="numerical",
        equation=r"""\lambda = a\,R\bigl(H, k', aT\bigr), \qquad
k' = \frac{(b + \beta_H\,\sigma\,\mathrm{d}t^{H})\,a^H}{\sigma\sqrt{H\,\Gamma(2H)}}""",
        source="the table at the barrier raised by beta_H sigma dt^H",
        references=("fbmsde",),
        validity="as fou_exit_rate, the process or its Euler chain looked at every dt",
        measured="as fou_exit_rate, and up to 1.4 % more for k (a dt)^H <= sqrt(Gamma(2H+1)), 0.4 % for half of that",
        compute=_fou_grid_rate,
        check=exits.fou_grid_rate,
    )
    yield Formula(
        name="ou_eigenvalue",
        title="Smallest eigenvalue of the Ornstein-Uhlenbeck process",
        quantity="exit_rate",
        subject=EXIT,
        status="exact",
        equation=r"""\lambda = a\,\nu_1, \qquad \nu_1 = \min\{\nu > 0 : D_\nu(-k) = 0\}, \quad
k = \frac{b\sqrt{2a}}{\sigma}""",
        source="smallest zero in nu of the parabolic cylinder function D_nu(-k); two sides: of its even companion",
        references=("fbmsde",),
        validity="H = 1/2, continuous time, late times",
        measured="exact",
        compute=_ou_rate,
        check=exits.ou_eigenvalue,
        limits=no_memory,
    )
    yield Formula(
        name="ou_eigenvalue_grid",
        title="Smallest eigenvalue for the Euler chain",
        quantity="exit_rate",
        subject=EXIT,
        status="approximate",
        equation=r"""\lambda
= \lambda_{\mathrm{OU}}\bigl(b + \beta_{1/2}\, s\,\sqrt{\mathrm{d}t};\; a', s\bigr), \qquad
a' = -\frac{\log(1 - a\,\mathrm{d}t)}{\mathrm{d}t}, \quad \frac{s^2}{2a'} = V_{\mathrm{d}t}""",
        source="the chain is an Ornstein-Uhlenbeck process on a grid; barrier raised (Broadie, Glasserman & Kou 1997)",
        references=("broadie1997", "fbmsde"),
        validity="H = 1/2, curvature * dt < 1",
        measured="against the chain solved by quadrature, 1.5 to 4 s.d.: within 0.3 % at curvature * dt = 0.02, 0.7 % "
        "at 0.05, 2 % at 0.1, 6.1 % at 0.2",
        compute=_ou_grid_rate,
        check=exits.ou_eigenvalue_grid,
        limits=_brownian_small_step,
    )
    yield Formula(
        name="ou_mean_exit",
        title="Mean exit time of the Ornstein-Uhlenbeck process",
        quantity="mean_exit_time",
        subject=EXIT,
        status="exact",
        equation=r"""\mathbb E\,\tau = \frac{2}{\sigma^2}\int_{x_0}^{b} \mathrm{d}y\; e^{a y^2/\sigma^2}
\int_{-\infty}^{y} \mathrm{d}z\; e^{-a z^2/\sigma^2}""",
        source="double integral over scale and speed (Gardiner, Handbook of Stochastic Methods)",
        references=("gardiner2004",),
        validity="H = 1/2, continuous time, x0 inside; mean times below 1e300",
        measured="exact; relative error below 1e-12",
        compute=_ou_mean,
        check=exits.ou_mean_exit,
        limits=_brownian_inside,
    )
    yield Formula(
        name="ou_mean_exit_grid",
        title="Mean exit time of the Euler chain",
        quantity="mean_exit_time",
        subject=EXIT,
        status="approximate",
        equation=r"""\mathbb E\,\tau
= \mathbb E\,\tau_{\mathrm{OU}}\bigl(b + \beta_{1/2}\, s\,\sqrt{\mathrm{d}t};\; a', s\bigr)""",
        source="the chain is an Ornstein-Uhlenbeck process on a grid; barrier raised (Broadie, Glasserman & Kou 1997)",
        references=("broadie1997", "fbmsde"),
        validity="H = 1/2, curvature * dt < 1, x0 inside; mean times below 1e300",
        measured="against the chain solved by quadrature, 1.5 to 4 s.d.: within 0.3 % at curvature * dt = 0.02, 0.7 % "
        "at 0.05, 2 % at 0.1, 6.1 % at 0.2",
        compute=_ou_grid_mean,
        check=exits.ou_mean_exit_grid,
        limits=_brownian_inside_small_step,
    )
