"""Evidence for the formulas about the passage to the minimum: exact paths that start at one standard deviation."""

from __future__ import annotations

import math

import numpy as np

from ...core.types import Array
from ...laws import fou
from ..verification import SIGMAS, Evaluate, Verification, absolute, restated, worst
from .paths import passage_survival


def _start(hurst: float) -> dict[str, float]:
    """The arguments of a start at one stationary standard deviation."""
    return {"hurst": hurst, "x0": math.sqrt(fou.fou_stationary_variance(hurst))}


def _largest(hurst: float, survival: Array) -> tuple[float, float]:
    """The largest distance of a survival from that of exact paths, and the uncertainty of the latter."""
    _, alive = passage_survival(hurst)
    at = int(np.abs(survival - alive).argmax())
    return abs(float(survival[at] - alive[at])), SIGMAS * math.sqrt(alive[at] * (1.0 - alive[at]) / 6000.0)


def _refuted(evaluate: Evaluate, said: dict[float, float]) -> Verification:
    """The stated distances of the survival from the true one."""
    cases = []
    for hurst, off in said.items():
        found, uncertainty = _largest(hurst, evaluate(times=passage_survival(hurst)[0], **_start(hurst)))
        cases.append(restated(f"survival off from 1 s.d., H = {hurst}", found, off, 0.005, uncertainty))
    return worst(*cases)


def effective_fokker_planck(evaluate: Evaluate) -> Verification:
    """The stated distances of the survival from the true one."""
    return _refuted(evaluate, {0.3: 0.32, 0.4: 0.15, 0.6: 0.11, 0.7: 0.20, 0.8: 0.28})


def power_law_diffusion(evaluate: Evaluate) -> Verification:
    """The stated distances of the survival from the true one."""
    return _refuted(evaluate, {0.3: 0.35, 0.7: 0.22})


def power_law_density(evaluate: Evaluate) -> Verification:
    """The integral of the density in place of the survival: as far off as that of `power_law_diffusion`."""

    def survival(*, times: Array, **start: float) -> Array:
        nodes, weights = np.polynomial.legendre.leggauss(60)
        u = (nodes + 1.0) / 2.0
        density = evaluate(times=times[:, None] * u**3, **start)
        return 1.0 - (density * (1.5 * u**2 * weights)).sum(axis=1) * times

    return _refuted(survival, {0.3: 0.35, 0.7: 0.22})


def _hazard(hurst: float, window: tuple[float, float]) -> tuple[float, float]:
    """The hazard of exact paths within a window, and its relative standard error."""
    times, alive = passage_survival(hurst)
    first, last = (float(alive[np.searchsorted(times, end)]) for end in window)
    fell = math.log(first / last)
    return fell / (window[1] - window[0]), math.sqrt((1.0 / last - 1.0 / first) / 6000.0) / fell


def effective_fokker_planck_rate(evaluate: Evaluate) -> Verification:
    """The hazard of exact paths in units of the rate that the formula gives."""
    cases = []
    for hurst, window, said in ((0.3, (1.0, 2.0), 2.4), (0.5, (2.0, 5.0), 0.98), (0.7, (2.0, 6.0), 0.4)):
        hazard, error = _hazard(hurst, window)
        ratio = hazard / float(evaluate(curvature=1.0))
        what = f"hazard over a from 1 s.d., {window[0]:g} < a t < {window[1]:g}, H = {hurst}"
        cases.append(restated(what, ratio, said, 0.08, SIGMAS * error * ratio))
    return worst(*cases)


def lamperti_rate(evaluate: Evaluate) -> Verification:
    """The hazard of exact paths in the window in which the formula holds."""
    cases = []
    for hurst, window in ((0.3, (1.0, 2.0)), (0.7, (2.0, 6.0))):
        hazard, error = _hazard(hurst, window)
        what = f"the rate over the hazard from 1 s.d., {window[0]:g} < a t < {window[1]:g}, H = {hurst}"
        cases.append(absolute(what, evaluate(hurst=hurst) / hazard, 1.0, 0.12, SIGMAS * error))
    return worst(*cases)


def _near(evaluate: Evaluate, stated: dict[float, float]) -> Verification:
    """The distance of the survival from the true one."""
    cases = []
    for hurst, error in stated.items():
        found, uncertainty = _largest(hurst, evaluate(times=passage_survival(hurst)[0], **_start(hurst)))
        what = f"the survival with exact paths from 1 s.d., 0 < a t < 6, H = {hurst}"
        cases.append(Verification(what, found, error, uncertainty))
    return worst(*cases)


def lamperti_survival(evaluate: Evaluate) -> Verification:
    """The distance of the survival from the true one."""
    return _near(evaluate, {0.3: 0.008, 0.4: 0.008, 0.6: 0.008, 0.7: 0.008, 0.8: 0.014})


def lamperti_closed_form(evaluate: Evaluate) -> Verification:
    """The distance of the survival from the true one."""
    return _near(evaluate, {0.3: 0.003, 0.4: 0.003, 0.6: 0.02, 0.7: 0.06, 0.8: 0.12})
