"""Exact exit times of ordinary diffusions ``dX = -U'(X) dt + sigma dW``, which are the case H = 1/2."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array

Energy = Callable[[Array], Array]  # 2 U / sigma^2

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_FINE_NODES, _FINE_WEIGHTS = np.polynomial.legendre.leggauss(16)
_CERTAIN = 1e100  # barriers are cut off here, in standard deviations: one so far away is never reached
_REACH = 80.0  # an open side is cut off where the weight exp(-2U/sigma^2) has fallen below exp(-80)


def _running_integral(nodes: Array) -> Array:
    """The matrix that takes values at the Gauss nodes to integrals from -1 to each node.

    It is exact for polynomials of a degree below the number of nodes.
    """
    legendre = np.polynomial.legendre
    out = np.empty((nodes.size, nodes.size))
    to_coefficients = np.linalg.inv(legendre.legvander(nodes, nodes.size - 1))
    for j in range(nodes.size):
        out[:, j] = legendre.legval(nodes, legendre.legint(to_coefficients[:, j], lbnd=-1.0))
    return out


_RUNNING = _running_integral(_NODES)


def mean_exit_time(potential: Any, x0: float, domain: tuple[float, float], *, sigma: float = 1.0) -> float:
    """Mean time until ``dX = -U'(X) dt + sigma dW``, started at `x0`, leaves `domain`. It is exact up to quadrature.

    For a domain with one open side, ``(-inf, b)``, the mean is
    ``(2/sigma^2) int_x0^b dy int_-inf^y dz exp(2 (U(y) - U(z)) / sigma^2)``; for two closed sides the scale function
    enters (Gardiner, Handbook of Stochastic Methods, mean first passage times). The integrals are computed on Gauss
    panels, which are bisected until halving changes nothing, and only *differences* of energies are exponentiated.
    Steep walls and kinks therefore cost panels but no accuracy: the measured relative error is below 1e-10 on the
    harmonic, quartic and wedge wells.

    Parameters
    ----------
    potential : U, as a function of one number or as a one-dimensional landscape (with `potential` and `params`).
    x0 : the start, strictly inside the domain.
    domain : (lower, upper). One of them may be infinite, or None, if the potential rises without bound on that side.
    sigma : the strength of the noise, positive.

    Raises
    ------
    ValueError for a start outside of the domain, for two open sides, for a potential that does not rise on an open
    side, and for a mean exit time beyond 1e300.

    Examples
    --------

    >>> round(mean_exit_time(lambda x: x**2, 0.0, (-np.inf, 1.5)), 6)  # 3 stationary s.d. for a = 2
    43.46581
    """
    start, noise = checks.finite("x0", x0), checks.positive("sigma", sigma)
    lower, upper = _checked_domain(domain, start)
    energy = _energy(potential, noise)
    if upper == math.inf:
        lower, upper, start = -upper, -lower, -start
        energy = _mirrored(energy)
    if lower == -math.inf:
        left = _open_end(energy, start, upper - start)
        inner = _climb(energy, left, start, -math.inf).end
        log_time = _climb(energy, start, upper, inner).integral
    else:
        down, up = _log_weight(energy, start, upper), _log_weight(energy, lower, start)
        below = _climb(lambda x: -energy(x), lower, start, -math.inf).integral
        above = _climb(lambda x: -energy(-x), -upper, -start, -math.inf).integral
        log_time = np.logaddexp(down + below, up + above) - np.logaddexp(down, up)
    if not log_time < 690.0:
        raise ValueError(f"sigma must leave a mean exit time below 1e300, got exp({log_time:.0f}). Raise sigma.")
    return 2.0 / noise**2 * math.exp(log_time)


def _checked_domain(domain: checks.Interval, x0: float) -> tuple[float, float]:
    """Lower and upper end as floats; ValueError unless x0 lies strictly between them and one of them is finite."""
    lower, upper = checks.interval("domain", domain)
    if not lower < x0 < upper:
        raise ValueError(f"x0 must lie strictly inside the domain ({lower}, {upper}), got {x0}.")
    if lower == -math.inf and upper == math.inf:
        raise ValueError("domain must have a finite end, got (-inf, inf). Nothing leaves the whole line.")
    return lower, upper


def _energy(potential: Any, sigma: float) -> Energy:
    """``2 U / sigma^2`` as a function of arrays, from a function of one number or a one-dimensional landscape."""
    if getattr(potential, "dim", 1) != 1:
        raise ValueError(f"potential must be one-dimensional, got {potential.dim} dimensions.")
    function = getattr(potential, "potential", potential)
    params = tuple(getattr(potential, "params", ()))
    one_by_one = np.vectorize(lambda x: float(function(x, *params)), otypes=[float])
    return lambda x: one_by_one(x) * (2.0 / sigma**2)


def _mirrored(energy: Energy) -> Energy:
    """The energy as a function of -x."""
    return lambda x: energy(-x)


def _open_end(energy: Energy, x0: float, width: float) -> float:
    """A point to the left of x0 beyond which the weight ``exp(-energy)`` no longer matters.

    `width` is the first distance tried. Raises ValueError if the energy does not rise within 1e9 such widths.
    """

    def risen(distance: float) -> float:
        sample = energy(x0 - distance * np.linspace(0.0, 1.0, 65))
        return float(sample[-1] - sample.min())

    near, far = 0.0, width
    while not risen(far) > _REACH:
        near, far = far, 2.0 * far
        if far > 1e9 * width:
            raise ValueError("potential must rise without bound on an open side, got one that stays low.")
    for _ in range(60):
        middle = (near + far) / 2.0
        if risen(far) < 2.0 * _REACH:
            break
        near, far = (near, middle) if risen(middle) > _REACH else (middle, far)
    return x0 - far


def _panels(energy: Energy, left: float, right: float) -> tuple[Array, Array]:
    """Edges, (n + 1,), and energies at the Gauss nodes, (n, 8), of panels on which ``exp(+-energy)`` is resolved."""
    edges = np.linspace(left, right, 17)
    narrow = 1e-14 * max(right - left, abs(left), abs(right))
    while True:
        e = energy(_nodes_of(edges[:-1], edges[1:]))
        if not np.all(np.isfinite(e)):
            raise ValueError(f"potential must be finite on the domain, got a value that is not in [{left}, {right}].")
        middle = (edges[:-1] + edges[1:]) / 2.0
        halves = energy(np.stack([_nodes_of(edges[:-1], middle), _nodes_of(middle, edges[1:])]))
        tolerance = 1e-12 + 1e-15 * np.abs(e).max(axis=1)
        coarse = (np.ptp(e, axis=1) > 1.0) | (_mismatch(e, halves) > tolerance)
        coarse &= np.diff(edges) > narrow
        if not coarse.any():
            return edges, e
        edges = np.sort(np.concatenate([edges, middle[coarse]]))


def _nodes_of(left: Array, right: Array, nodes: Array = _NODES) -> Array:
    """The Gauss nodes of each panel from `left` (n,) to `right` (n,): (n, nodes.size)."""
    return left[:, None] + (right - left)[:, None] * (nodes + 1.0) / 2.0


def _mismatch(whole: Array, halves: Array) -> Array:
    """The larger relative change of the integrals of ``exp(+-energy)`` over each panel when it is halved, (n,).

    `whole` (n, 8) holds the energies at the nodes of the panels, `halves` (2, n, 8) those at the nodes of their halves.
    """
    reference = whole[:, :1]
    worst = np.zeros(len(whole))
    for sign in (1.0, -1.0):
        one = np.exp(np.clip(sign * (whole - reference), -50, 50)) @ _WEIGHTS
        two = (np.exp(np.clip(sign * (halves - reference), -50, 50)) @ _WEIGHTS).sum(axis=0) / 2.0
        worst = np.maximum(worst, np.abs(two / one - 1.0))
    return worst


class _Climb(NamedTuple):
    """Logarithms of I at the right end of a range, and of the integral of I over the range."""

    end: float
    integral: float


def _climb(energy: Energy, left: float, right: float, inner: float) -> _Climb:
    """The climb of I from `left` to `right`, where `inner` is the logarithm of I(left).

    ``I(y) = exp(E(y) - E(left)) I(left) + int_left^y exp(E(y) - E(z)) dz`` with the energy E.
    """
    edges, e = _panels(energy, left, right)
    half = np.diff(edges)[:, None] / 2.0
    at_edges = energy(edges)
    start, end = at_edges[:-1, None], at_edges[1:, None]
    grow = np.log((half * np.exp(e - start)) @ _WEIGHTS).tolist()
    fill = np.log((half * np.exp(end - e)) @ _WEIGHTS).tolist()
    local = np.log((half**2 * np.exp(e - start) * (np.exp(start - e) @ _RUNNING.T)) @ _WEIGHTS).tolist()
    total = -math.inf
    for g, f, d, rise in zip(grow, fill, local, np.diff(at_edges).tolist(), strict=True):
        total = np.logaddexp(total, np.logaddexp(inner + g, d))
        inner = np.logaddexp(inner + rise, f)
    return _Climb(float(inner), float(total))


def _log_weight(energy: Energy, left: float, right: float) -> float:
    """Logarithm of ``int exp(E)`` from `left` to `right`, an increment of the scale function.

    The larger it is on one side of the start, the more likely the path reaches the end on the other side first.
    """
    edges, e = _panels(energy, left, right)
    return float(scipy.special.logsumexp(e, b=np.diff(edges)[:, None] / 2.0 * _WEIGHTS))


def ou_exit_rate(barrier: float, *, curvature: float = 1.0, sigma: float = 1.0, sides: int = 1) -> float:
    """Exit rate of the Ornstein-Uhlenbeck process at late times, through `barrier` > 0. It is exact.

    With ``k = barrier sqrt(2 a) / sigma``, where a is the curvature, the rate is ``a nu``. For `sides` = 1 nu is the
    smallest zero of the parabolic cylinder function ``D_nu(-k)``; for `sides` = 2, the exit from (-b, b), it is that of
    its even companion ``1F1(-nu/2; 1/2; k^2/2)``. Up to k = 10 both functions are sums of terms of equal sign. For
    larger k, nu is so small that its first order is enough: ``nu = sides exp(-k^2/2) / (2 sqrt(pi) D(k/sqrt(2)))`` with
    Dawson's integral D leaves out a relative ``nu log(k)``, which is below 1e-20. For two sides and k < 1e-3,
    ``nu = pi^2/(4 k^2) - 1/2`` holds to relative k^4. The relative error is below 1e-12. A rate below the smallest
    float, about 5e-324, is returned as 0. Raises ValueError for `sides` other than 1 and 2 and for arguments that are
    not positive.

    >>> round(1 / ou_exit_rate(3.0, sigma=2**0.5), 6)
    86.16453
    """
    b, a = checks.positive("barrier", barrier), checks.positive("curvature", curvature)
    k = min(b / checks.positive("sigma", sigma) * math.sqrt(2.0 * a), _CERTAIN)
    if sides not in (1, 2):
        raise ValueError(f"sides must be 1 or 2, got {sides!r}.")
    if k > 10.0:
        dawson = float(scipy.special.dawsn(k / math.sqrt(2.0)))
        return math.exp(math.log(a) - k * k / 2.0 - math.log(2.0 * math.sqrt(math.pi) * dawson / sides))
    if sides == 1:
        return a * _smallest_zero(lambda nu: _one_rim(nu, k), 1.1)  # nu = 1 at k = 0
    if k < 1e-3:
        return a * (math.pi / (2.0 * k)) * (math.pi / (2.0 * k)) - a / 2.0
    top = 2.1 if k >= 1.0 else 3.0 / k**2  # nu = 2 at k = 1, pi^2/(4 k^2) for small k
    return a * _smallest_zero(lambda nu: _kummer(-nu / 2.0, 0.5, k * k / 2.0), top)


def _one_rim(nu: float, k: float) -> float:
    """The parabolic cylinder function ``D_nu(-k)`` up to a positive factor."""
    even = scipy.special.rgamma((1.0 - nu) / 2.0) * _kummer(-nu / 2.0, 0.5, k * k / 2.0)
    odd = scipy.special.rgamma(-nu / 2.0) * _kummer((1.0 - nu) / 2.0, 1.5, k * k / 2.0)
    return float(even + math.sqrt(2.0) * k * odd)


def ou_mean_exit_time(
    barrier: float, *, curvature: float = 1.0, sigma: float = 1.0, x0: float = 0.0, sides: int = 1
) -> float:
    """Mean time until the Ornstein-Uhlenbeck process from `x0` reaches `barrier` = b > 0. It is exact.

    The mean is ``sqrt(pi)/a int_w0^w1 exp(w^2) erfc(-w) dw`` from ``w0 = x0 sqrt(a)/sigma`` to
    ``w1 = b sqrt(a)/sigma``. For `sides` = 2, the exit from (-b, b), ``erf(w)`` takes the place of ``erfc(-w)`` and
    |x0| that of x0. This is `mean_exit_time` of the harmonic well, computed on panels whose number does not grow with
    the arguments: to the left of the minimum their lengths double from one to the next, to the right of it each spans
    the same energy, and those whose weight is below ``exp(-45)`` are left out. The relative error is below 1e-12.

    Raises ValueError for a start that is not inside, and for a mean time beyond 1e300.

    >>> round(ou_mean_exit_time(3.0, sigma=2**0.5), 6)
    86.93162
    """
    b, a = checks.positive("barrier", barrier), checks.positive("curvature", curvature)
    start, unit = checks.finite("x0", x0), math.sqrt(a) / checks.positive("sigma", sigma)
    if sides not in (1, 2):
        raise ValueError(f"sides must be 1 or 2, got {sides!r}.")
    start = abs(start) if sides == 2 else start
    if not start < b:
        raise ValueError(f"x0 must lie inside the barrier, got {x0} and a barrier at {b}.")
    top = min(b * unit, _CERTAIN)
    log_integral = _log_integral_to(top, (b - start) * unit, sides)
    log_time = top * top + log_integral + math.log(math.sqrt(math.pi)) - math.log(a)
    if not log_time < 690.0:
        raise ValueError(f"barrier must leave a mean exit time below 1e300, got exp({log_time:.4g}). Lower it.")
    return math.exp(log_time)


def _log_integral_to(top: float, width: float, sides: int) -> float:
    """Logarithm of ``exp(-top^2) int exp(w^2) erfc(-w) dw`` from ``top - width`` to `top`; erf(w) for two sides."""
    if top > 7.0:  # the part of the integral that is lower in energy by 45 or more does not count
        width = min(width, 45.0 / (top + math.sqrt(top * top - 45.0)))
    energies = np.arange(1.0, 50.0)
    right = energies / (top + np.sqrt(np.maximum(top * top - energies, 0.0)))
    left = top + 2.0 ** np.arange(0.0, 1024.0)
    gaps = np.concatenate([right[energies < top * top], [top], left])
    edges = np.concatenate([[0.0], gaps[gaps < width], [width]])
    gap = _nodes_of(edges[:-1], edges[1:], _FINE_NODES)
    w = top - gap
    growth = np.exp(-gap * (2.0 * top - gap) * (w > 0.0))  # exp(w^2 - top^2) to the right of the minimum
    falling = scipy.special.erfcx(np.abs(w)) * math.exp(-top * top)
    one_rim = np.where(w > 0.0, 2.0 * growth - falling, falling)
    density = growth * scipy.special.erf(w) if sides == 2 else one_rim
    return math.log(np.sum(density @ _FINE_WEIGHTS * np.diff(edges) / 2.0))


def _smallest_zero(function: Callable[[float], float], top: float) -> float:
    """The only zero between 0 and `top` of a function that is positive near 0, found to relative accuracy."""
    bottom = math.log(top) - 1.0
    while function(math.exp(bottom)) <= 0.0:
        bottom -= 1.0
    root = scipy.optimize.brentq(lambda u: function(math.exp(u)), bottom, bottom + 1.0, xtol=1e-14, rtol=1e-14)
    return math.exp(root)


def _kummer(a: float, b: float, x: float) -> float:
    """``1F1(a; b; x)`` by its power series, for x >= 0, where all terms but the first few have the same sign."""
    n = np.arange(int(x + 12.0 * math.sqrt(x + 25.0)) + 40)
    return float(1.0 + np.sum(np.cumprod((a + n) / (b + n) * x / (n + 1.0))))


def brownian_survival(
    barrier: float, times: ArrayLike, *, drift: float = 0.0, sigma: float = 1.0, x0: float = 0.0
) -> Array:
    """Probability that Brownian motion with drift has not reached `barrier` > x0 by each time, same shape as `times`.

    It is ``Phi((L - mu t)/(sigma sqrt(t))) - exp(2 mu L / sigma^2) Phi(-(L + mu t)/(sigma sqrt(t)))``, where L is the
    distance from x0 to the barrier and mu the drift. For mu > 0 the passage time has the inverse Gaussian law
    (Schroedinger 1915). Raises ValueError for negative times, a start at or above the barrier, and sigma <= 0.

    >>> brownian_survival(1.0, [0.0, 1.0, 4.0]).round(6)
    array([1.      , 0.682689, 0.382925])
    """
    distance = checks.positive("barrier - x0", checks.finite("barrier", barrier) - checks.finite("x0", x0))
    mu, noise = checks.finite("drift", drift), checks.positive("sigma", sigma)
    t = _nonnegative(times)
    root = np.sqrt(np.where(t > 0, t, 1.0))
    level, slope = np.minimum(distance / noise / root, 1e10), np.clip(mu / noise * root, -1e10, 1e10)
    with np.errstate(invalid="ignore", over="ignore"):  # where the other form holds
        far = scipy.special.ndtr(level - slope) - np.exp(2.0 * slope * level + scipy.special.log_ndtr(-(level + slope)))
    near = level * np.maximum(1.0, np.abs(slope)) < 0.1
    inside = np.where(near, _near_survival(np.where(near, level, 0.0), slope), np.clip(far, 0.0, 1.0))
    return np.where(t > 0, inside, 1.0)


def _near_survival(level: Array, slope: Array) -> Array:
    """Survival for a near barrier: the integral of its derivative by the level, where the difference loses digits.

    The derivative is ``exp(-(c-m)^2/2) (sqrt(2/pi) - m erfcx((c+m)/sqrt 2))`` for c in [0, level], with m = `slope`.
    """
    c = level[..., None] * (_FINE_NODES + 1.0) / 2.0
    m = np.asarray(slope)[..., None]
    u = (c + m) / math.sqrt(2.0)
    rising = np.sqrt(2.0 / np.pi) - np.sign(u) * m * scipy.special.erfcx(np.abs(u))  # erfcx(u) = 2 exp(u^2) - erfcx(-u)
    slopes = np.exp(-((c - m) ** 2) / 2.0) * rising - np.where(u < 0.0, 2.0 * m * np.exp(2.0 * c * m), 0.0)
    return (slopes @ _FINE_WEIGHTS) * level / 2.0


def brownian_interval_survival(
    times: ArrayLike, domain: tuple[float, float], *, x0: float = 0.0, sigma: float = 1.0
) -> Array:
    """Probability that Brownian motion from `x0` has not left the finite `domain` by each time, same shape as `times`.

    With the width w of the domain and the relative position u of x0 in it, it is the sine series
    ``sum_{n odd} (4 / n pi) sin(n pi u) exp(-(n pi sigma / w)^2 t / 2)``. For short times, when the series converges
    slowly, the sum over images is used. Raises ValueError for negative times and a start outside of the domain.

    >>> brownian_interval_survival([0.0, 1.0], (-1.0, 1.0)).round(6)
    array([1.      , 0.370777])
    """
    start, noise = checks.finite("x0", x0), checks.positive("sigma", sigma)
    lower, upper = _checked_domain(domain, start)
    width = checks.positive("domain width", upper - lower)
    u, s = min(start - lower, upper - start) / width, _nonnegative(times) * (noise / width) ** 2
    n = np.arange(1, 40, 2)
    late = np.sum(4 / (np.pi * n) * np.sin(np.pi * n * u) * np.exp(-((np.pi * n) ** 2) * s[..., None] / 2), axis=-1)
    spread = np.sqrt(np.where(s > 0, s, 1.0))[..., None]
    m = np.arange(-12, 13)
    images = np.where(m % 2 == 0, 1.0, -1.0) * _normal_mass(m / spread, u / spread)
    early = np.where(s > 0, np.sum(images, axis=-1), 1.0)
    return np.where(s < 0.3, early, late)


def _normal_mass(centre: Array, half: Array) -> Array:
    """Probability that a unit normal variable lies within `half` of `centre`, broadcast, without cancellation."""
    wide = scipy.special.ndtr(centre + half) - scipy.special.ndtr(centre - half)
    near = np.minimum(half, 0.1)
    density = np.exp(-((centre[..., None] + near[..., None] * _FINE_NODES) ** 2) / 2.0) / math.sqrt(2.0 * math.pi)
    return np.where(half < 0.1, (density @ _FINE_WEIGHTS) * near, wide)


def _nonnegative(times: ArrayLike) -> Array:
    """The times as an array of floats; ValueError unless all are at least 0."""
    t = np.asarray(times, dtype=float)
    if not np.all(t >= 0):
        raise ValueError("times must be at least 0, got a negative one or a NaN.")
    return t
