"""Closed forms for the variance in the quadratic well."""

from __future__ import annotations

from collections.abc import Iterator

from ..laws import fou
from .evidence import exits
from .formula import SPREAD, Formula


def small_step(dt: float, curvature: float = 1.0) -> str:
    """The reason against a step with which the Euler chain oscillates, empty for a smaller one.

    >>> small_step(0.5, 4.0)
    'curvature * dt must be below 1, got 2.'
    """
    return "" if dt * curvature < 1.0 else f"curvature * dt must be below 1, got {dt * curvature:.3g}."


def spread_formulas() -> Iterator[Formula]:
    """Yield the formulas for the variance in the quadratic well.

    >>> [formula.name for formula in spread_formulas()]
    ['stationary_variance', 'variance', 'euler_variance']
    """
    yield Formula(
        name="stationary_variance",
        title="Stationary variance",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        equation=r"V = \sigma^2\, H\,\Gamma(2H)\, a^{-2H}",
        source="Cheridito, Kawaguchi & Maejima 2003",
        references=("cheridito2003",),
        validity="every H",
        measured="exact",
        compute=fou.fou_stationary_variance,
        check=exits.stationary_variance,
    )
    yield Formula(
        name="variance",
        title="Variance after a start at a point",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        equation=r"V(t) = \sigma^2 H \int_0^t u^{2H-1}\left(e^{-au} + e^{-a(2t-u)}\right)\mathrm{d}u",
        source="variance of exp(-at) int_0^t exp(as) dB_H(s)",
        references=("fbmsde",),
        validity="every H, every time",
        measured="exact",
        compute=fou.fou_variance,
        check=exits.variance,
    )
    yield Formula(
        name="euler_variance",
        title="Stationary variance of the Euler chain",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        equation=r"""V_{\mathrm{d}t} = \frac{\sigma^2\,\mathrm{d}t^{2H}}{1-\varphi^2}
\Bigl(\gamma_0 + 2\sum_{k\ge1}\varphi^k\gamma_k\Bigr)
= \sigma^2\,\mathrm{d}t^{2H}\,\frac{1-\varphi}{(1+\varphi)\,\varphi}\,\mathrm{Li}_{-2H}(\varphi),
\qquad \varphi = 1 - a\,\mathrm{d}t""",
        source="sum of the fGn covariance over the chain, a polylogarithm",
        references=("fbmsde",),
        validity="every H, curvature * dt < 1",
        measured="exact",
        compute=fou.euler_chain_variance,
        check=exits.euler_variance,
        limits=small_step,
    )
