"""Closed forms for the passage from a start to the minimum of the quadratic well.

``T(t) = exp(2at) V(t)`` is the clock of these formulas, where V(t) is the variance of X at time t. The functions that
return a text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import scipy

from ..core.types import Array
from ..laws import fou
from ..laws.extremes import fbm_maximum_cdf
from .evidence import passages
from .formula import PASSAGE, Formula, tabulated_law

_T = r"T(t) = e^{2at}\,V(t)"  # in formulas


def _start_away(x0: float) -> str:
    """The start must not be the minimum itself."""
    return "" if x0 != 0.0 else "x0 must differ from the minimum, got 0.0."


def _start_away_tabulated(hurst: float, x0: float) -> str:
    """The start must not be the minimum itself, and H must lie within the table of the law of the maximum."""
    return _start_away(x0) or tabulated_law(hurst)


def _scaled_start(hurst: float, x0: float, times: Array, curvature: float, sigma: float) -> Array:
    """``|x0| / sqrt(T(t))``, the start in standard deviations of ``e^(at) X_t``; infinite at t = 0."""
    spread = np.sqrt(fou.fou_variance(hurst, times, curvature, sigma))
    with np.errstate(divide="ignore"):
        return abs(x0) * np.exp(-curvature * times) / spread


def _images_survival(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``erf(x0 / sqrt(2 T(t)))``."""
    return scipy.special.erf(_scaled_start(hurst, x0, times, curvature, sigma) / math.sqrt(2.0))


def _power_law_spread(hurst: float, times: Array, curvature: float, sigma: float) -> Array:
    """Square root of ``V(t) = int_0^t 2 D(s) exp(-2a(t-s)) ds`` with the diffusion ``D(s) = sigma^2 H s^(2H-1)``."""
    x = 2.0 * curvature * times
    return sigma * times**hurst * np.sqrt(scipy.special.hyp1f1(1.0, 2.0 * hurst + 1.0, -x))


def _power_law_survival(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``erf(x0 / sqrt(2 T(t)))`` with the clock of the diffusion ``sigma^2 H t^(2H-1)``."""
    with np.errstate(divide="ignore"):
        start = abs(x0) * np.exp(-curvature * times) / _power_law_spread(hurst, times, curvature, sigma)
    return scipy.special.erf(start / math.sqrt(2.0))


def _power_law_density(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """Minus the derivative of `_power_law_survival`.

    It is ``2 D(t) z exp(-z^2/2) / (sqrt(2 pi) V(t))`` with ``z = x0 / sqrt(T(t))``.
    """
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
    """``F_H(x0 / sqrt(T(t)))`` with the survival function F_H of fBm, the law of its maximum."""
    start = _scaled_start(hurst, x0, times, curvature, sigma)
    return fbm_maximum_cdf(hurst, np.clip(start, 1e-300, 1e3))  # 0 is an underflow: too low for the table


def _lamperti_closed(hurst: float, x0: float, times: Array, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """``erf(c z)^(1/H-1)``, ``z = x0 / sqrt(T(t))``, with the constant c for which it equals F_H(1) at z = 1."""
    power = 1.0 / hurst - 1.0
    c = float(scipy.special.erfinv(float(fbm_maximum_cdf(hurst, 1.0)) ** (1.0 / power)))
    return scipy.special.erf(c * _scaled_start(hurst, x0, times, curvature, sigma)) ** power


def passage_formulas() -> Iterator[Formula]:
    """Yield the formulas for the passage from x0 to the minimum.

    >>> [formula.name for formula in passage_formulas() if formula.status == "approximate"]
    ['lamperti_rate', 'lamperti_survival', 'lamperti_closed_form']
    """
    yield Formula(
        name="effective_fokker_planck",
        title="Effective Fokker-Planck equation and images",
        quantity="survival",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        equation=rf"S(t) = \operatorname{{erf}}\frac{{|x_0|}}{{\sqrt{{2\,T(t)}}}}, \qquad {_T}",
        source="diffusion coefficient chosen to give the exact variance, absorbing boundary by an image",
        references=("fbmsde",),
        validity="x0 other than the minimum; right at H = 1/2 only",
        measured="start at 1 s.d.: survival off by 0.32, 0.15, 0.11, 0.20, 0.28 at H = 0.3, 0.4, 0.6, 0.7, 0.8",
        compute=_images_survival,
        check=passages.effective_fokker_planck,
        limits=_start_away,
    )
    yield Formula(
        name="effective_fokker_planck_rate",
        title="Tail rate of the effective Fokker-Planck equation",
        quantity="exit_rate",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        equation=r"\lambda = a",
        source="late times of the effective Fokker-Planck equation with images",
        references=("fbmsde",),
        validity="late times; right at H = 1/2 only",
        measured="says a; simulated 2.4 a at H = 0.3, 0.98 a at H = 0.5, 0.48 a falling to 0.33 a at H = 0.7",
        compute=_well_rate,
        check=passages.effective_fokker_planck_rate,
    )
    yield Formula(
        name="power_law_diffusion",
        title="Fokker-Planck equation with diffusion t^(2H-1)",
        quantity="survival",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        equation=r"""S(t) = \operatorname{erf}\frac{|x_0|\,e^{-at}}{\sqrt{2\,V_D(t)}}, \qquad
V_D(t) = 2\int_0^t \sigma^2 H s^{2H-1}\, e^{-2a(t-s)}\,\mathrm{d}s""",
        source="the diffusion coefficient of free fBm, sigma^2 H t^(2H-1), with a linear drift and an image",
        references=("fbmsde",),
        validity="x0 other than the minimum; right at H = 1/2 only",
        measured="start at 1 s.d.: survival off by 0.35, 0.22 at H = 0.3, 0.7; the variance of X is wrong as well",
        compute=_power_law_survival,
        check=passages.power_law_diffusion,
        limits=_start_away,
    )
    yield Formula(
        name="power_law_diffusion_density",
        title="Passage density for the diffusion t^(2H-1)",
        quantity="density",
        subject=PASSAGE,
        status="refuted",
        brownian_status="exact",
        equation=r"""p(t) = \frac{2\,\sigma^2 H\,t^{2H-1}}{V_D(t)}\;
\frac{z\,e^{-z^2/2}}{\sqrt{2\pi}}, \qquad z = \frac{|x_0|\,e^{-at}}{\sqrt{V_D(t)}}""",
        source="minus the derivative of the survival; late times t^(1/2-H) exp(-at)",
        references=("fbmsde",),
        validity="x0 other than the minimum; right at H = 1/2 only",
        measured="gives the wrong variance of X already without a boundary",
        compute=_power_law_density,
        check=passages.power_law_density,
        limits=_start_away,
    )
    yield Formula(
        name="lamperti_rate",
        title="Lamperti rate",
        quantity="exit_rate",
        subject=PASSAGE,
        status="approximate",
        brownian_status="exact",
        equation=r"\lambda = a\left(\frac1H - 1\right)",
        source="persistence of fBm under the Lamperti transform: exact for exp(-at) B_H(exp(at/H))",
        references=("molchan1999", "fbmsde"),
        validity="every H; start of about 1 s.d., 1 < at < 2.5 (H = 0.3), 2 < at < 6 (H = 0.7)",
        measured="within 12 % in that window; later the true hazard keeps falling (H > 1/2) or rising (H < 1/2)",
        compute=_lamperti_rate,
        check=passages.lamperti_rate,
    )
    yield Formula(
        name="lamperti_survival",
        title="Lamperti curve, tabulated law of the maximum",
        quantity="survival",
        subject=PASSAGE,
        status="approximate",
        brownian_status="exact",
        equation=rf"""S(t) = F_H\!\left(\frac{{|x_0|}}{{\sqrt{{T(t)}}}}\right), \qquad
F_H(z) = P\Bigl(\max_{{[0,1]}} B_H \le z\Bigr), \quad {_T}""",
        source="survival of fBm at the clock T(t) of the variance, F_H(x0 / sqrt(T(t)))",
        references=("molchan1999", "fbmsde"),
        validity="0.1 <= H <= 0.9, x0 other than the minimum, x0 / sqrt(T(t)) within the table of fbm_survival",
        measured="start at 1 s.d., 0 < at < 6: survival within 0.008 for 0.3 <= H <= 0.7, 0.014 at H = 0.8",
        compute=_lamperti_survival,
        check=passages.lamperti_survival,
        limits=_start_away_tabulated,
    )
    yield Formula(
        name="lamperti_closed_form",
        title="Lamperti curve, closed form",
        quantity="survival",
        subject=PASSAGE,
        status="approximate",
        brownian_status="exact",
        equation=r"""S(t) = \operatorname{erf}(c\,z)^{1/H-1}, \qquad z = \frac{|x_0|}{\sqrt{T(t)}},
\quad \operatorname{erf}(c)^{1/H-1} = F_H(1)""",
        source="erf(c z)^(1/H-1), z = x0 / sqrt(T(t)): persistence exponent and Gaussian tail, c from F_H(1)",
        references=("molchan1999", "fbmsde"),
        validity="0.1 <= H <= 0.9, x0 other than the minimum",
        measured="start at 1 s.d., 0 < at < 6: survival within 0.003 (H = 0.3, 0.4), 0.02, 0.06, 0.12 (0.6, 0.7, 0.8)",
        compute=_lamperti_closed,
        check=passages.lamperti_closed_form,
        limits=_start_away_tabulated,
    )
