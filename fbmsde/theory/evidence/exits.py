"""Evidence for the formulas about exits from the quadratic well, and about the spread in it."""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from ...core.types import Array
from ...laws import fgn, fou
from ...laws.diffusions import ou_exit_rate
from ...laws.fou_exits import fou_exit_hazard
from ..verification import SIGMAS, Evaluate, Verification, relative, restated, worst
from .paths import rate_within, well_exits

UNIT = math.sqrt(2.0)  # the sigma for which the stationary variance is 1 at H = 1/2 and curvature 1
GRID = 0.002
WINDOW = {0.3: (4.0, 8.0), 0.7: (4.0, 24.0)}  # of late exits
SHIFT = {0.3: 1.047, 0.7: 0.337}  # of the barrier that a grid sees, in units of dt^H
PATHS = {0.3: 5000, 0.7: 2000}


def chain_exit(barrier: float, factor: float, dt: float, sides: int = 1) -> tuple[float, float]:
    """Exit rate and mean exit time from 0 of ``x' = factor x + noise`` of variance 2 dt, by its transition operator."""
    return _chain(barrier, factor, math.sqrt(2.0 * dt), dt, sides)


def _chain(barrier: float, factor: float, spread: float, dt: float, sides: int) -> tuple[float, float]:
    """The largest eigenvalue and the resolvent of the operator on Gauss-Legendre nodes."""
    lower = -9.0 if sides == 1 else -barrier
    x, weights = np.polynomial.legendre.leggauss(max(300, int(5.0 * (barrier - lower) / spread)))
    x, weights = lower + (barrier - lower) * (x + 1.0) / 2.0, weights * (barrier - lower) / 2.0

    def density(start: Array) -> Array:
        z = (x - factor * start) / spread
        return np.exp(-z * z / 2.0) / (spread * math.sqrt(2.0 * math.pi)) * weights

    kernel = density(x[:, None])
    start = np.exp(-x * x / 4.0)
    value = scipy.sparse.linalg.eigs(kernel, k=1, v0=start, return_eigenvectors=False, tol=1e-10)
    mean = dt + density(np.zeros(1)) @ np.linalg.solve(np.eye(x.size) - kernel, np.full(x.size, dt))
    return -math.log(abs(value[0])) / dt, float(mean)


def _deviations(hurst: float, barrier: float) -> dict[str, float]:
    """The arguments of a barrier in stationary standard deviations."""
    return {"hurst": hurst, "barrier": barrier * math.sqrt(fou.fou_stationary_variance(hurst))}


def _exits(hurst: float) -> NDArray[np.intp]:
    """First exits at 2 standard deviations, and at that barrier lowered by the shift of the grid."""
    lowered = 2.0 - SHIFT[hurst] * GRID**hurst / math.sqrt(fou.fou_stationary_variance(hurst))
    return well_exits(hurst, (2.0, lowered), GRID, WINDOW[hurst][1], PATHS[hurst])


def stationary_variance(evaluate: Evaluate) -> Verification:
    """The integral over the spectrum ``Gamma(2H+1) sin(pi H) |w|^(1-2H) / (2 pi (a^2 + w^2))``."""
    u = np.linspace(-120.0, 120.0, 4001)
    found, true = [], []
    for hurst in (0.2, 0.5, 0.8):
        strength = scipy.special.gamma(2.0 * hurst + 1.0) * math.sin(math.pi * hurst) / math.pi
        power = np.exp((2.0 - 2.0 * hurst) * u) / (4.0 + np.exp(2.0 * u))
        true.append(strength * scipy.integrate.trapezoid(power, u) * 2.25)
        found.append(float(evaluate(hurst=hurst, curvature=2.0, sigma=1.5)))
    return relative("the variance with the integral over the spectrum, H = 0.2, 0.5, 0.8", found, true, 0.0, 1e-9)


def variance(evaluate: Evaluate) -> Verification:
    """The covariance of ``X_t = B_t - a int exp(-a(t-s)) B_s ds``, integrated over both times."""
    a, t = 1.5, 0.8
    found, true = [], []
    for hurst in (0.3, 0.7):
        h = 2.0 * hurst

        def both(s: float, r: float, h: float = h) -> float:
            return math.exp(-a * (2.0 * t - s - r)) * (s**h + r**h - (r - s) ** h)

        def one(s: float, h: float = h) -> float:
            return math.exp(-a * (t - s)) * (t**h + s**h - (t - s) ** h)

        double = scipy.integrate.dblquad(both, 0.0, t, 0.0, lambda r: r, epsabs=1e-8, epsrel=1e-8)[0]
        single = scipy.integrate.quad(one, 0.0, t, epsabs=1e-10)[0]
        true.append(t**h - a * single + a * a * double)
        found.append(float(evaluate(hurst=hurst, times=t, curvature=a)))
    return relative(
        "the variance with a double integral over the covariance of fBm, H = 0.3, 0.7", found, true, 0, 1e-6
    )


def euler_variance(evaluate: Evaluate) -> Verification:
    """The sum over the covariances of the noise, term by term."""
    found, true = [], []
    for hurst in (0.2, 0.5, 0.8):
        phi, lags = 0.85, np.arange(1, 400)
        terms = 1.0 + 2.0 * float(phi**lags @ fgn.fgn_autocovariance(hurst, lags))
        true.append(0.1 ** (2.0 * hurst) * terms / (1.0 - phi * phi))
        found.append(float(evaluate(hurst=hurst, dt=0.1, curvature=1.5)))
    return relative("the variance with a sum over the lags of the noise, H = 0.2, 0.5, 0.8", found, true, 0.0, 1e-9)


def time_average_variance(evaluate: Evaluate) -> Verification:
    """The integral of the autocovariance."""
    found, true = [], []
    for hurst in (0.3, 0.7):

        def weighted(s: float, hurst: float = hurst) -> float:
            return (5.0 - s) * float(fou.fou_autocorrelation(hurst, s))

        integral = scipy.integrate.quad(weighted, 0.0, 5.0, epsabs=1e-11, limit=200)[0]
        true.append(2.0 / 25.0 * integral * fou.fou_stationary_variance(hurst))
        found.append(float(evaluate(hurst=hurst, horizon=5.0)))
    return relative("the variance with an integral of the autocovariance, H = 0.3, 0.7", found, true, 0.0, 1e-7)


def kramers_brownian_prefactor(evaluate: Evaluate) -> Verification:
    """Against the table of rates of exact paths at the time 10 after their start; at H = 1/2 the eigenvalue."""
    cases = []
    for hurst, said, low in ((0.3, 5.8, True), (0.7, 3.7, False)):
        place = _deviations(hurst, 3.0)
        ratio = float(fou_exit_hazard(hurst, place["barrier"], 10.0).value) / float(evaluate(**place))
        what = f"times too {'low' if low else 'high'} at 3 s.d., H = {hurst}"
        cases.append(restated(what, ratio if low else 1.0 / ratio, said, 0.05, 0.015 * said))
    brownian = float(evaluate(hurst=0.5, barrier=3.0, sigma=UNIT)) / ou_exit_rate(3.0, sigma=UNIT)
    return worst(*cases, restated("over the eigenvalue at 3 s.d., H = 0.5", brownian, 1.15, 0.01))


def pickands(evaluate: Evaluate) -> Verification:
    """Against the eigenvalue at H = 1/2, and the table of rates of exact paths at the time 10 after their start."""
    cases = []
    for hurst, barrier, said in ((0.3, 3.0, 0.95), (0.3, 8.0, 0.99), (0.7, 3.0, 0.80), (0.7, 8.0, 0.93)):
        place = _deviations(hurst, barrier)
        ratio = float(fou_exit_hazard(hurst, place["barrier"], 10.0).value) / float(evaluate(**place))
        what = f"table of exact paths / predicted at {barrier:g} s.d., H = {hurst}"
        cases.append(restated(what, ratio, said, 0.005, 0.015))
    for barrier, said in ((3.0, 0.955), (8.0, 0.999)):
        ratio = ou_exit_rate(barrier, sigma=UNIT) / float(evaluate(hurst=0.5, barrier=barrier, sigma=UNIT))
        cases.append(restated(f"eigenvalue / predicted at {barrier:g} s.d., H = 0.5", ratio, said, 0.001))
    return worst(*cases)


def _seen_on_a_grid(evaluate: Evaluate, said: dict[float, float], brownian: dict[float, float]) -> Verification:
    """Late rates on a grid of 0.002 over the formula: exact paths at 2 s.d., at H = 1/2 the transition operator."""
    cases = []
    for hurst, ratio in said.items():
        rate, error = rate_within(_exits(hurst)[0], GRID, WINDOW[hurst])
        found = rate / float(evaluate(dt=GRID, extrapolate=True, **_deviations(hurst, 2.0)))
        what = f"simulated / predicted at 2 s.d., dt = 0.002, H = {hurst}"
        cases.append(restated(what, found, ratio, 0.03, SIGMAS * error * ratio))
    for barrier, ratio in brownian.items():
        rate, _ = _chain(barrier, math.exp(-GRID), math.sqrt(-math.expm1(-2.0 * GRID)), GRID, 1)
        found = rate / float(evaluate(hurst=0.5, barrier=barrier, dt=GRID, sigma=UNIT, extrapolate=True))
        what = f"transition operator / predicted at {barrier:g} s.d., dt = 0.002, H = 0.5"
        cases.append(restated(what, found, ratio, 0.006))
    return worst(*cases)


def pickands_grid(evaluate: Evaluate) -> Verification:
    """Late rates on a grid over the formula."""
    return _seen_on_a_grid(evaluate, {0.3: 1.50, 0.7: 0.75}, {2.0: 1.08, 3.0: 0.97})


def pickands_shifted(evaluate: Evaluate) -> Verification:
    """Late rates on a grid over the formula."""
    return _seen_on_a_grid(evaluate, {0.3: 1.15, 0.7: 0.75}, {2.0: 1.06, 3.0: 0.96})


def pickands_euler(evaluate: Evaluate) -> Verification:
    """The Euler chain at H = 1/2, solved by its transition operator, over the formula."""
    cases = []
    for dt, said in ((0.02, 1.01), (0.05, 1.05), (0.2, 1.15)):
        found = chain_exit(3.0, 1.0 - dt, dt)[0] / float(evaluate(hurst=0.5, barrier=3.0, dt=dt, sigma=UNIT))
        cases.append(restated(f"transition operator / predicted at 3 s.d., dt = {dt}, H = 0.5", found, said, 0.006))
    return worst(*cases)


def fou_rate(evaluate: Evaluate) -> Verification:
    """Against the eigenvalue at H = 1/2, and exact paths at 2 s.d. with the barrier lowered by the grid's shift."""
    cases = []
    for barrier in (3.0, 4.0, 6.0, 8.0):
        found = evaluate(hurst=0.5, barrier=barrier, horizon=1000.0, sigma=UNIT)
        what = f"the rate with the eigenvalue at {barrier:g} s.d., H = 0.5"
        cases.append(relative(what, found, ou_exit_rate(barrier, sigma=UNIT), 0.006, 0.001))
    for hurst, end in ((0.3, 4.0), (0.7, 24.0)):
        place = _deviations(hurst, 2.0)
        rate, error = rate_within(_exits(hurst)[1], GRID, (2.0, end))
        found = evaluate(horizon=end, **place)
        what = f"the rate with exact paths at 2 s.d., H = {hurst}"
        cases.append(relative(what, found, rate, 0.015, SIGMAS * error))
    return worst(*cases)


def fou_grid_rate(evaluate: Evaluate) -> Verification:
    """Exact paths on a grid, and at H = 1/2 the transition operator of the process."""
    cases = []
    for hurst, end in ((0.3, 4.0), (0.7, 24.0)):
        rate, error = rate_within(_exits(hurst)[0], GRID, (2.0, end))
        found = evaluate(horizon=end, dt=GRID, **_deviations(hurst, 2.0))
        what = f"the rate with exact paths at 2 s.d., dt = 0.002, H = {hurst}"
        cases.append(relative(what, found, rate, 0.019, SIGMAS * error))
    for dt in (0.01, 0.04):
        rate, _ = _chain(3.0, math.exp(-dt), math.sqrt(-math.expm1(-2.0 * dt)), dt, 1)
        found = evaluate(hurst=0.5, barrier=3.0, dt=dt, horizon=1000.0, sigma=UNIT)
        cases.append(relative(f"the rate with the transition operator at 3 s.d., dt = {dt}", found, rate, 0.019, 0.001))
    return worst(*cases)


def ou_eigenvalue(evaluate: Evaluate) -> Verification:
    """The smallest zero of the parabolic cylinder function of another library."""
    found = [float(evaluate(hurst=0.5, barrier=k, sigma=UNIT)) for k in (1.0, 2.0, 3.0)]
    true = [
        scipy.optimize.brentq(lambda nu, k=k: scipy.special.pbdv(nu, -k)[0], 0.7 * rate, 1.3 * rate, xtol=1e-14)
        for k, rate in zip((1.0, 2.0, 3.0), (0.388, 0.0973, 0.0116), strict=True)
    ]
    return relative("the rate with a zero of the parabolic cylinder function at 1, 2, 3 s.d.", found, true, 0.0, 1e-6)


def ou_mean_exit(evaluate: Evaluate) -> Verification:
    """The differential equation ``T'' - x T' = -1``, solved from the left end."""
    found, true = [], []
    for barrier in (1.0, 3.0):
        solved = scipy.integrate.solve_ivp(
            lambda x, y: [x * y[0] - 1.0, y[0]], (-12.0, barrier), [-1.0 / 12.0, 0.0], "DOP853",
            t_eval=(0.0, barrier), rtol=1e-11, atol=1e-13,
        )  # fmt: skip
        true.append(-float(np.diff(solved.y[1])[0]))
        found.append(float(evaluate(hurst=0.5, barrier=barrier, sigma=UNIT)))
    return relative("the mean with the solution of its differential equation at 1, 3 s.d.", found, true, 0.0, 1e-8)


def _of_euler(evaluate: Evaluate, which: int) -> Verification:
    """The rate (0) or the mean time (1) of the Euler chain against its transition operator."""
    cases = []
    for dt, stated in ((0.02, 0.003), (0.05, 0.007), (0.1, 0.02), (0.2, 0.061)):
        for barrier, sides in ((1.5, 1), (3.0, 1), (3.0, 2)):
            true = chain_exit(barrier, 1.0 - dt, dt, sides)[which]
            found = evaluate(hurst=0.5, barrier=barrier, dt=dt, sigma=UNIT, sides=sides)
            what = f"the value with the transition operator at {barrier:g} s.d., dt = {dt}, sides = {sides}"
            cases.append(relative(what, found, true, stated, 0.001))
    return worst(*cases)


def ou_eigenvalue_grid(evaluate: Evaluate) -> Verification:
    """The rate of the Euler chain."""
    return _of_euler(evaluate, 0)


def ou_mean_exit_grid(evaluate: Evaluate) -> Verification:
    """The mean exit time of the Euler chain."""
    return _of_euler(evaluate, 1)
