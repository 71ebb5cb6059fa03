"""The most likely escape: the path of least action of a landscape under Gaussian noise, `most_likely_escape`.

A path x_0 ... x_n of Euler's scheme fixes the increments ``w_k = x_(k+1) - x_k + grad f(x_k) dt`` that drive it. For
increments of covariance C its exponent is ``w' C^-1 w / 2``. The path that has the least among those that end at the
target is found by Newton's method in the points of the path. There are no constraints, since the target only fixes
coordinates of the last point, and no instability, since no path is integrated.

With ``p = C^-1 w`` and the Hessian matrices ``A_k`` of the landscape the gradient in x_k is
``p_(k-1) - (1 - A_k dt) p_k``. It vanishes at the minimum, which is the adjoint equation of the scheme. The second
derivative is ``J' C^-1 J`` with ``J = dw/dx``, plus ``dt`` times the derivative of A_k along p_k in the block of x_k.
The first part is positive definite, and so much of it is added that the sum is, near saddle points of the exponent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from ..drivers.base import Correlated, Driver, Shaped
from ..drivers.from_normals import is_jointly_normal
from ..dynamics.landscapes import Landscape
from ..results.instanton import MostLikelyEscape

_LARGEST = 4000  # coordinates of a path; matrices of so many rows take 128 MB each
_ITERATIONS = 200
_CONVERGED = 1e-10  # of the exponent, may be left to gain
_ENOUGH = 1e-6  # of it, may be where no step gains any more: at points where the second derivatives jump
_SHORTEST = 2.0**-30  # of Newton's step is tried before the search is given up
_SHIFTS = (0.0, *(4.0**k for k in range(-5, 6)))
# Steps of differences for the first and the second derivatives of gradients, relative to the distance to the target.
_NEAR, _FAR = 1e-5, 1e-3


class _Point(NamedTuple):
    """A path and what it costs."""

    path: Array
    noise: Array
    pull: Array
    exponent: float


@dataclass(frozen=True, eq=False)
class _Action:
    """The exponent of paths ``(n + 1, d)`` and its derivatives in the points after the start, (n d,).

    precision : the inverse of the covariance of the increments, (n d, n d).
    reach : the distance between start and target, the unit of the steps of differences.
    """

    landscape: Landscape
    precision: Array
    dt: float
    reach: float

    def at(self, path: Array) -> _Point:
        """The exponent of a path."""
        noise = np.diff(path, axis=0) + self.dt * self._slopes(path[:-1])
        pull = np.reshape(self.precision @ noise.ravel(), noise.shape)
        return _Point(path, noise, pull, float(np.sum(noise * pull)) / 2.0)

    def gradient(self, point: _Point, curvature: Array) -> Array:
        """The derivatives of the exponent, with the Hessian matrices at the points but the last, (n, d, d)."""
        back = point.pull - self.dt * np.einsum("kij,kj->ki", curvature, point.pull)
        gradient = point.pull.copy()
        gradient[:-1] -= back[1:]
        return gradient.ravel()

    def tangent_hessian(self, curvature: Array) -> Array:
        """The first part ``J' C^-1 J`` of the second derivatives, which is positive definite."""
        half = self._times_tangent(self.precision, curvature)
        return self._times_tangent(half.T, curvature)

    def bend(self, point: _Point, free: Array) -> Array:
        """The second part of the second derivatives, in the coordinates that are free."""
        n, d = point.noise.shape
        size = np.linalg.norm(point.pull[1:], axis=1)
        far = _FAR * self.reach
        along = point.pull[1:] * (far / np.maximum(size, 1e-300))[:, None]
        ends = self.curvature(point.path[1:-1] + along) - self.curvature(point.path[1:-1] - along)
        matrix = np.zeros((n, d, n, d))
        inner = np.arange(n - 1)
        matrix[inner, :, inner, :] = ends * (self.dt * size / (2.0 * far))[:, None, None]
        return np.asarray(matrix.reshape(n * d, n * d)[np.ix_(free, free)])

    def curvature(self, points: Array) -> Array:
        """The Hessian matrices at points (m, d), by central differences of the gradient, (m, d, d)."""
        m, d = points.shape
        steps = _NEAR * np.maximum(self.reach, np.abs(points))
        moves = steps[:, :, None] * np.eye(d)
        ends = points[:, None, None, :] + np.stack([moves, -moves], axis=1)
        slopes = self._slopes(ends.reshape(-1, d)).reshape(m, 2, d, d)
        matrices = (slopes[:, 0] - slopes[:, 1]) / (2.0 * steps[:, :, None])
        return (matrices + np.swapaxes(matrices, 1, 2)) / 2.0

    def _slopes(self, points: Array) -> Array:
        """The gradient at points (m, d), in their shape."""
        return np.reshape(self.landscape.slope(points if self.landscape.dim > 1 else points[:, 0]), points.shape)

    def _times_tangent(self, rows: Array, curvature: Array) -> Array:
        """``rows J`` for rows (m, n d)."""
        n, d, _ = curvature.shape
        blocks = rows.reshape(-1, n, d)
        result = blocks.copy()
        result[:, :-1] -= blocks[:, 1:] - self.dt * np.einsum("mki,kij->mkj", blocks[:, 1:], curvature[1:])
        return result.reshape(-1, n * d)


def most_likely_escape(
    landscape: Landscape, noise: Driver, x0: ArrayLike, target: ArrayLike, *, horizon: float, dt: float
) -> MostLikelyEscape:
    """The path of least action from `x0` to `target` at the time `horizon`, the instanton of the landscape.

    As the strength sigma of the noise gets small, the probability that a path reaches the target by the horizon obeys
    ``log p ~ -exponent``, and the paths that do keep close to this one (Freidlin & Wentzell, 1984; for noise with
    memory the norm is that of Cameron and Martin). The exponent is in proportion to 1 / sigma^2 and the path does not
    depend on sigma, so that one at sigma = 1 serves all. What multiplies ``exp(-exponent)`` is not found: use the
    exponent to compare targets, horizons and noises, not as a rate. It is of use where it is well above 1.

    The path ends at the horizon and not before. In a quadratic well its exponent is ``L^2 / (2 V)`` with the variance V
    of X there. For H >= 1/2 and a start at a minimum it falls to a limit as the horizon gets longer, since the noise
    can use more of its history. For H < 1/2 it was found to be least at a finite horizon, 0.8 for `double_well` at
    H = 0.3: noise that turns back does better from rest than from a past that it has to undo. So the exponent of the
    probability to arrive up to a horizon is the least one of all horizons up to it. A path may go beyond the target
    and come back to it, which `MostLikelyEscape.beyond` tells. No path up to the saddle of `double_well` or up the side
    of a parabola did, for H from 0.1 to 0.9.

    Parameters
    ----------
    landscape : a `Landscape` in any number d of dimensions.
    noise : a driver whose increments are jointly normal with a known covariance, such as `FractionalNoise`.
    x0 : the start, a number or d coordinates.
    target : the level, a number in one dimension. In d dimensions the coordinates of the end, None for one that is free
        and takes the value that costs least. For a path over a barrier it is the saddle or a point beyond it.
    horizon, dt : the time of the end and the length of the steps of Euler's scheme, in units of the equation. The path
        of n steps may have ``n d <= 4000`` coordinates.

    Returns a `MostLikelyEscape`. It is a local minimum, found from the straight line between start and target; where
    there are several ways it need not be the best one.

    Raises ValueError for arguments out of range, noise that is not Gaussian, a target that the path reaches without
    noise, and steps of 2 / curvature at the start and longer, with which Euler's scheme is not stable. Raises
    ArithmeticError where Newton's method does not converge or the gradient is not finite.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> escape = most_likely_escape(quadratic(), FractionalNoise(0.5), 0.0, 2.0, horizon=5.0, dt=0.1)
    >>> round(escape.exponent, 4)  # L^2 / (2 V), where V = dt (1 - phi^100) / (1 - phi^2) and phi = 0.9
    3.8001
    """
    checks.kind("landscape", landscape, Landscape, "Write quadratic() or Landscape(potential, gradient).")
    step = checks.positive("dt", dt)
    n_steps = checks.count("horizon / dt", checks.whole_steps(step, checks.positive("horizon", horizon)))
    checks.count("horizon / dt times the dimension", n_steps * landscape.dim, 1, _LARGEST)
    start, goal = _coordinates("x0", x0, landscape.dim), _coordinates("target", target, landscape.dim)
    if not np.isfinite(start).all():
        raise ValueError(f"x0 must be finite, got {x0!r}.")
    if not np.isfinite(goal).any() or np.isinf(goal).any():
        raise ValueError(f"target must have a finite coordinate, and others finite or None, got {target!r}.")
    reach = float(np.nanmax(np.abs(goal - start)))
    if reach == 0.0:
        raise ValueError(f"target must be away from x0, got {target!r} for both.")
    action = _Action(landscape, _precision(noise, n_steps, landscape.dim, step), step, reach)
    free = np.append(np.ones((n_steps - 1) * landscape.dim, bool), np.isnan(goal))
    end = np.where(np.isnan(goal), start, goal)
    line = start + np.linspace(0.0, 1.0, n_steps + 1)[:, None] * (end - start)
    with np.errstate(over="ignore", invalid="ignore"):
        _require_short_steps(action, start)
        _require_uphill(action, start, goal, n_steps)
        point, iterations, error = _minimum(action, line, free)
    return MostLikelyEscape(
        step * np.arange(n_steps + 1.0), point.path, point.noise, goal, point.exponent, point.pull, iterations, error,
        landscape.name,
    )  # fmt: skip


def _minimum(action: _Action, path: Array, free: Array) -> tuple[_Point, int, float]:
    """The point of least exponent near a path, the number of steps, and what the next one would gain, relative."""
    point = action.at(path)
    for iteration in range(_ITERATIONS):
        curvature = action.curvature(point.path[:-1])
        gradient = action.gradient(point, curvature)[free]
        tangent, bend = action.tangent_hessian(curvature)[np.ix_(free, free)], action.bend(point, free)
        if not all(np.isfinite(each).all() for each in (point.exponent, gradient, tangent, bend)):
            raise ArithmeticError("landscape must have a finite gradient and action along the path, got inf or nan.")
        step = -_solved(tangent, bend, gradient)
        gain = -float(gradient @ step) / 2.0
        if gain <= _CONVERGED * point.exponent:
            return point, iteration, gain / max(point.exponent, 1e-300)
        lower = _lower(action, point, step, free, gain)
        if lower is None and gain <= _ENOUGH * point.exponent:
            return point, iteration, gain / point.exponent
        if lower is None:
            raise ArithmeticError(f"horizon and dt must let the search converge, got no way down any more. {_ADVICE}")
        point = lower
    raise ArithmeticError(f"horizon and dt must let the search converge, got none in {_ITERATIONS} steps. {_ADVICE}")


_ADVICE = "Take a shorter horizon, a shorter dt, or a target that is nearer."


def _solved(tangent: Array, bend: Array, gradient: Array) -> Array:
    """``hessian^-1 gradient``, with as many of the `_SHIFTS` of the first part added as make it positive definite."""
    for shift in _SHIFTS:
        try:
            factor = scipy.linalg.cho_factor((1.0 + shift) * tangent + bend, lower=True)
        except np.linalg.LinAlgError:
            continue
        return np.asarray(scipy.linalg.cho_solve(factor, gradient))
    raise ArithmeticError(f"horizon and dt must let the search converge, got a Hessian of no use. {_ADVICE}")


def _lower(action: _Action, point: _Point, step: Array, free: Array, gain: float) -> _Point | None:
    """The first point along a step, halved again and again, that gains a fair part of what it promises, if any."""
    n, d = point.noise.shape
    move = np.zeros(n * d)
    move[free] = step
    part = 1.0
    while part > _SHORTEST:
        path = point.path.copy()
        path[1:] += part * move.reshape(n, d)
        found = action.at(path)
        if found.exponent <= point.exponent - 1e-3 * part * gain:
            return found
        part /= 2.0
    return None


def _precision(noise: Driver, n_steps: int, dim: int, dt: float) -> Array:
    """The inverse of the covariance (n d, n d) of the increments; ValueError for noise that is not Gaussian."""
    checks.kind("noise", noise, Driver, "Write FractionalNoise(hurst, sigma).")
    if not is_jointly_normal(noise) or not isinstance(noise, Correlated):
        raise ValueError(f"noise must be Gaussian with a known covariance, got {noise!r}. Take FractionalNoise.")
    prescribed = noise.components if isinstance(noise, Shaped) else None
    if prescribed not in (None, dim):
        raise ValueError(f"noise must have {dim} components as the landscape, got {prescribed}.")
    checks.squarable("increments of noise", noise.increment_scale(dt))
    checks.fits_memory("the covariance of the noise", 40.0 * (n_steps * dim) ** 2)
    r = noise.autocovariance(np.arange(n_steps), dt)
    blocks = r if r.ndim == 3 else r[:, None, None] * np.eye(dim)
    lags = np.abs(np.subtract.outer(np.arange(n_steps), np.arange(n_steps)))
    covariance = np.swapaxes(blocks[lags], 1, 2).reshape(n_steps * dim, n_steps * dim)
    try:
        factor = scipy.linalg.cho_factor(covariance, lower=True)
    except np.linalg.LinAlgError:
        raise ValueError(f"noise must have a covariance that is not singular, got {noise!r}.") from None
    return np.asarray(scipy.linalg.cho_solve(factor, np.eye(n_steps * dim)))


def _coordinates(name: str, values: ArrayLike, dim: int) -> Array:
    """The values as `dim` floats, NaN for None."""
    rows = np.atleast_1d(np.asarray(values, dtype=object))
    point = checks.reals(name, [np.nan if value is None else value for value in rows.tolist()])
    if point.shape != (dim,):
        raise ValueError(f"{name} must have {dim} coordinates as the landscape, got shape {point.shape}.")
    for value in point[np.isfinite(point)]:
        checks.moderate(name, value)
    return point


def _require_short_steps(action: _Action, start: Array) -> None:
    """ValueError for steps that overshoot so far at the start that the chain without noise runs away from it."""
    near = replace(action, reach=min(action.reach, 1.0))  # differences up to a far target see walls beyond the well
    curvatures = np.concatenate([each.curvature(start[None]) for each in (action, near)])
    if not np.isfinite(curvatures).all():
        return
    steepest = float(np.linalg.eigvalsh(curvatures)[:, -1].min())
    if steepest * action.dt >= 2.0:
        raise ValueError(
            f"dt must be below 2 / curvature = {2.0 / steepest:.3g} at x0, got {action.dt:g}. Longer steps of Euler's "
            "scheme run away from a minimum without noise."
        )


def _require_uphill(action: _Action, start: Array, goal: Array, n_steps: int) -> None:
    """ValueError for a target that the path without noise passes."""
    landscape, dt, fixed = action.landscape, action.dt, np.isfinite(goal)
    if fixed.sum() > 1:
        return
    x, side = start, np.sign(goal[fixed] - start[fixed])
    for k in range(n_steps):
        x = x - dt * np.reshape(landscape.slope(x if landscape.dim > 1 else x[0]), x.shape)
        if side * (goal[fixed] - x[fixed]) <= 0.0:
            raise ValueError(
                f"target must be one that noise is needed for, got {goal[fixed][0]:g}, which the path reaches without "
                f"it at time {dt * (k + 1):g}."
            )
