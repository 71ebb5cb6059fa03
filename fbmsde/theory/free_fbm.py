"""Closed forms for fractional Brownian motion without a well.

The functions that return a text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy

from ..core.types import Array
from ..laws.diffusions import brownian_interval_survival, brownian_survival
from ..laws.extremes import (
    barrier_shift,
    fbm_argmax_density,
    fbm_exit_at_top,
    fbm_maximum_cdf,
    fbm_maximum_cdf_perturbative,
    fbm_maximum_mean,
)
from .evidence import fbm
from .formula import FBM, Formula, no_memory, tabulated_law


def _persistence_exponent(hurst: float) -> float:
    """``1 - H``."""
    return 1.0 - hurst


def _level(hurst: float, barrier: float, times: Array, sigma: float) -> Array:
    """``b / (sigma t^H)``, infinite at t = 0. By self-similarity survival depends on nothing else."""
    with np.errstate(divide="ignore"):
        return barrier / (sigma * times**hurst)


def _fbm_survival(hurst: float, barrier: float, times: Array, sigma: float = 1.0) -> Array:
    """Survival by the tabulated law of the maximum."""
    return fbm_maximum_cdf(hurst, np.clip(_level(hurst, barrier, times, sigma), 1e-300, 1e3))


def _fbm_survival_perturbative(hurst: float, barrier: float, times: Array, sigma: float = 1.0) -> Array:
    """Survival by the perturbative law of the maximum."""
    return fbm_maximum_cdf_perturbative(hurst, _level(hurst, barrier, times, sigma))


def _near_brownian(hurst: float) -> str:
    """H must lie where the perturbative laws have been measured."""
    return "" if 0.33 <= hurst <= 0.67 else f"hurst must lie in [0.33, 0.67], got {hurst}."


def _straight_lines(hurst: float, barrier: float, times: Array, sigma: float = 1.0) -> Array:
    """``Phi(b / (sigma t^H))``."""
    return scipy.special.ndtr(_level(hurst, barrier, times, sigma))


def _near_one(hurst: float) -> str:
    """H must be so large that paths are nearly straight."""
    return "" if hurst >= 0.9 else f"hurst must be at least 0.9, got {hurst}."


def _brownian_barrier(barrier: float, times: Array, sigma: float = 1.0, drift: float = 0.0, x0: float = 0.0) -> Array:
    """Survival of Brownian motion with drift below a barrier."""
    return brownian_survival(barrier, times, drift=drift, sigma=sigma, x0=x0)


def _brownian_interval(barrier: float, times: Array, sigma: float = 1.0, x0: float = 0.0) -> Array:
    """Survival of Brownian motion in (-b, b)."""
    return brownian_interval_survival(times, (-barrier, barrier), x0=x0, sigma=sigma)


def _brownian_below(hurst: float, barrier: float, x0: float = 0.0) -> str:
    """H must be 1/2, and the start must lie below the barrier."""
    return no_memory(hurst) or ("" if x0 < barrier else f"x0 must lie below the barrier, got {x0}.")


def _brownian_two_sides(hurst: float, barrier: float, x0: float = 0.0) -> str:
    """H must be 1/2, and the start must lie between both ends."""
    return no_memory(hurst) or ("" if abs(x0) < barrier else f"x0 must lie in (-barrier, barrier), got {x0}.")


def _argmax(hurst: float, times: Array, horizon: float = 1.0) -> Array:
    """The density of the time of the maximum on [0, horizon]."""
    return fbm_argmax_density(hurst, times / horizon) / horizon


def _argmax_limits(hurst: float, times: Array, horizon: float = 1.0) -> str:
    """H must lie in the measured range, and the times strictly between 0 and the horizon."""
    share = times / horizon
    inside = bool(np.all((share > 0.0) & (share < 1.0)))
    return _near_brownian(hurst) or ("" if inside else "times must lie strictly between 0 and the horizon.")


def _exit_at_top(hurst: float, barrier: float, x0: float) -> float:
    """Probability of leaving (0, barrier) at the barrier."""
    return float(fbm_exit_at_top(hurst, x0 / barrier))


def _exit_at_top_limits(hurst: float, barrier: float, x0: float) -> str:
    """H must lie in the measured range, and the start in the interval."""
    return _near_brownian(hurst) or ("" if 0.0 <= x0 <= barrier else f"x0 must lie in [0, barrier], got {x0}.")


def _mean_maximum(hurst: float, horizon: float = 1.0, sigma: float = 1.0) -> float:
    """``sigma T^H E max``."""
    return sigma * horizon**hurst * fbm_maximum_mean(hurst)


def _mean_maximum_limits(hurst: float) -> str:
    """H must lie within the table of the mean of the maximum."""
    return "" if hurst >= 0.1 else f"hurst must be at least 0.1, got {hurst}."


def _grid_shift(hurst: float, dt: float, sigma: float = 1.0) -> float:
    """``beta_H sigma dt^H``."""
    return barrier_shift(hurst) * sigma * dt**hurst


def _grid_shift_limits(hurst: float) -> str:
    """H must lie within the table of the barrier shift."""
    return "" if hurst >= 0.02 else f"hurst must be at least 0.02, got {hurst}."


def _time_scale(hurst: float, barrier: float, sigma: float = 1.0) -> float:
    """``(b / sigma)^(1/H)``."""
    return (barrier / sigma) ** (1.0 / hurst)


def fbm_formulas() -> Iterator[Formula]:
    """Yield the formulas for fBm without a well.

    >>> [formula.name for formula in fbm_formulas() if formula.quantity == "density"]
    ['fbm_argmax']
    """
    yield Formula(
        name="persistence",
        title="Persistence exponent",
        quantity="survival_exponent",
        subject=FBM,
        status="asymptotic",
        equation=r"S(t) \sim t^{-\theta}, \qquad \theta = 1 - H",
        source="Molchan 1999; Ding & Yang 1995",
        references=("molchan1999", "ding1995"),
        validity="late times without drift; with a well as long as a t << 1",
        measured="exponent within 0.03-0.06",
        compute=_persistence_exponent,
        check=fbm.persistence,
    )
    yield Formula(
        name="self_similarity",
        title="Unit of the passage time",
        quantity="time_scale",
        subject=FBM,
        status="exact",
        equation=r"\tau_b \overset{d}{=} \left(\frac{b}{\sigma}\right)^{1/H} \tau_1",
        source="self-similarity: tau_b = (b / sigma)^(1/H) tau_1 in law",
        references=("fbmsde",),
        validity="every H; times below 1e308",
        measured="exact",
        compute=_time_scale,
        check=fbm.self_similarity,
    )
    yield Formula(
        name="fbm_survival",
        title="Survival of fBm, table",
        quantity="survival",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        equation=r"""S(t) = F_H\!\left(\frac{b}{\sigma t^H}\right), \qquad
F_H(z) = \operatorname{erf}\bigl(c_H(z)\,z\bigr)^{1/H-1}""",
        source="passages in continuous time, by self-similarity; power law (1/H - 1) of small levels (Molchan 1999)",
        references=("molchan1999", "fbmsde"),
        validity="0.1 <= H <= 0.9, b / (sigma t^H) at least 0.001, for H < 0.2 at least 15 (0.2 - H)",
        measured="relative error below 3 % (H >= 0.35), 10 % (H >= 0.3), 30 % (H < 0.3)",
        compute=_fbm_survival,
        check=fbm.fbm_survival,
        limits=tabulated_law,
    )
    yield Formula(
        name="fbm_survival_perturbative",
        title="Survival of fBm, perturbative",
        quantity="survival",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        equation=r"""S(t) = \int_0^{b/(\sigma t^H)} p(y)\,\mathrm{d}y, \qquad
p(y) \propto y^{1/H-2}\, e^{-y^2/2}\, \exp\Bigl\{\bigl(H-\tfrac12\bigr)\bigl[\mathcal W(y) + 4\ln y\bigr]\Bigr\}""",
        source="law of the maximum to first order in H - 1/2 (Wiese, Majumdar & Rosso 2011; Delorme & Wiese 2016)",
        references=("wiese2011", "delorme2016"),
        validity="0.33 <= H <= 0.67 measured, 0.25 <= H <= 0.75 at all",
        measured="survival within 0.003, 0.006 (H = 0.45, 0.55), 0.014 (0.6), 0.02, 0.026 (0.33, 0.67)",
        compute=_fbm_survival_perturbative,
        check=fbm.fbm_survival_perturbative,
        limits=_near_brownian,
    )
    yield Formula(
        name="fbm_survival_straight",
        title="Survival of straight lines",
        quantity="survival",
        subject=FBM,
        status="asymptotic",
        equation=r"S(t) = \Phi\!\left(\frac{b}{\sigma t^H}\right)",
        source="H -> 1: B_H(t) = N t with one normal variable N",
        references=("fbmsde",),
        validity="0.9 <= H < 1",
        measured="survival too high by 0.19 (H = 0.9), 0.11 (0.95), 0.07 (0.98) at b = 0.02 sigma t^H, by at most "
        "0.005 from b = sigma t^H on",
        compute=_straight_lines,
        check=fbm.fbm_survival_straight,
        limits=_near_one,
    )
    yield Formula(
        name="brownian_survival",
        title="Survival of Brownian motion with drift",
        quantity="survival",
        subject=FBM,
        status="exact",
        equation=r"""S(t) = \Phi\!\left(\frac{\ell - \mu t}{\sigma\sqrt t}\right)
- e^{2\mu \ell/\sigma^2}\,\Phi\!\left(\frac{-\ell - \mu t}{\sigma\sqrt t}\right), \qquad \ell = b - x_0""",
        source="inverse Gaussian law (Schroedinger 1915)",
        references=("schroedinger1915",),
        validity="H = 1/2, x0 below the barrier",
        measured="exact",
        compute=_brownian_barrier,
        check=fbm.brownian_survival,
        limits=_brownian_below,
    )
    yield Formula(
        name="brownian_interval_survival",
        title="Survival of Brownian motion between -b and b",
        quantity="survival",
        subject=FBM,
        status="exact",
        equation=r"""S(t) = \frac4\pi\sum_{n\ge0}\frac{1}{2n+1}
\sin\frac{(2n+1)\pi(x_0+b)}{2b}\;\exp\!\left(-\frac{(2n+1)^2\pi^2\sigma^2 t}{8b^2}\right)""",
        source="sine series; images for short times",
        references=("fbmsde",),
        validity="H = 1/2, |x0| < b",
        measured="exact",
        compute=_brownian_interval,
        check=fbm.brownian_interval_survival,
        limits=_brownian_two_sides,
    )
    yield Formula(
        name="fbm_maximum_mean",
        title="Mean of the maximum",
        quantity="mean_maximum",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        equation=r"\mathbb E\max_{[0,T]}\sigma B_H = \sigma\,T^H\,m_H, \qquad m_{1/2} = \sqrt{2/\pi}",
        source="exact paths, grid shift beta_H n^-H added",
        references=("fbmsde",),
        validity="0.1 <= H < 1",
        measured="relative standard error below 0.15 %",
        compute=_mean_maximum,
        check=fbm.fbm_maximum_mean,
        limits=_mean_maximum_limits,
    )
    yield Formula(
        name="fbm_argmax",
        title="Time of the maximum",
        quantity="density",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        equation=r"""p(t) \propto \bigl[u(1-u)\bigr]^{-H} \exp\Bigl\{\bigl(H-\tfrac12\bigr)\,
\mathcal F\Bigl(\frac{u}{1-u}\Bigr)\Bigr\}, \quad u = \frac tT, \qquad
\mathcal F(v) = \sqrt v\,(\pi - 2\arctan\sqrt v) + \frac{\pi - 2\arctan(1/\sqrt v)}{\sqrt v}""",
        source="first order in H - 1/2 (Wiese, Majumdar & Rosso 2011; Delorme & Wiese 2016)",
        references=("wiese2011", "delorme2016"),
        validity="0.33 <= H <= 0.67 measured, 0.25 <= H <= 0.75 at all; times inside (0, horizon)",
        measured="chi2 on 6 folded bins 3.5, 2.8, 11, 4.5 at H = 0.33, 0.45, 0.55, 0.67",
        compute=_argmax,
        check=fbm.fbm_argmax,
        limits=_argmax_limits,
    )
    yield Formula(
        name="fbm_exit_at_top",
        title="Exit of (0, b) at the top",
        quantity="probability",
        subject=FBM,
        status="approximate",
        brownian_status="exact",
        equation=r"""P'(u) \propto \bigl[u(1-u)\bigr]^{1/H-2}\,
\exp\Bigl\{16\bigl(H-\tfrac12\bigr)(C-1)\bigl(u-\tfrac12\bigr)^2\Bigr\}, \qquad u = \frac{x_0}{b},\quad C = 0.9160""",
        source="first order in H - 1/2 (Wiese 2019)",
        references=("wiese2019",),
        validity="0.33 <= H <= 0.67 measured, 0.25 <= H <= 0.75 at all; x0 in [0, b]",
        measured="within 3 standard errors at H = 0.33 and 0.67",
        compute=_exit_at_top,
        check=fbm.fbm_exit_at_top,
        limits=_exit_at_top_limits,
    )
    yield Formula(
        name="grid_shift",
        title="How much higher a grid sees the barrier",
        quantity="barrier_shift",
        subject=FBM,
        status="approximate",
        brownian_status="asymptotic",
        equation=r"""\Delta b = \beta_H\,\sigma\,\mathrm{d}t^{H}, \qquad
\beta_{1/2} = -\frac{\zeta(1/2)}{\sqrt{2\pi}} = 0.5826""",
        source="beta_H sigma dt^H; H = 1/2: Chernoff 1965, Broadie, Glasserman & Kou 1997; elsewhere measured",
        references=("chernoff1965", "broadie1997", "fbmsde"),
        validity="0.02 <= H < 1, fine grids",
        measured="standard error 0.4 % for H >= 0.15; leaves a tenth of the bias of an exit probability at most for "
        "H <= 1/2, below 5 % at 0.3 and 0.7",
        compute=_grid_shift,
        check=fbm.grid_shift,
        limits=_grid_shift_limits,
    )
