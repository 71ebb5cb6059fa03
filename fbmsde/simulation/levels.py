"""Distances of points from boundaries: compiled functions of intervals and level sets that kernels need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from ..core.captured import packaged
from ..core.compile import by_content, compiled, numeric_gradient
from ..core.points import Point, add, replaced, scaled

Rows = tuple[tuple[float, ...], ...] | None
Clearance = Callable[..., float]


@packaged
def interval_clearance(x: Point, move: Point, reach: float, trust: float, lower: float, upper: float) -> float:
    """Distance from the nearer bound, less the predicted move towards it, in units of `reach`.

    A predicted move away from a bound counts up to ``trust * reach``. With trust = H, the bound is nearest at the end
    of the jump, in standard deviations that grow as time^H.
    """
    most = trust * reach
    up = upper - x[0] - max(move[0], -most)
    down = x[0] - lower + min(move[0], most)
    return min(up, down) / reach


@by_content
def level_clearance(level: Callable[..., float], dim: int, factor: Rows) -> Clearance:
    """Compile the clearance of ``level(x, *params) < 0`` with its boundary moved inwards by the first of the bounds.

    The clearance is 1.0 if the level is negative at every probe point, otherwise 0.0. Probe points lie at ``reach`` and
    the shift from the predicted point, and at ``(1 - trust) * reach`` and the shift from x, all in standard deviations
    of the noise, of which `factor` (dim, dim) is the lower-triangular factor of the correlation, None for independent
    components: along each column of the factor, both ways, and along the level's gradient towards the point of a plane
    boundary that the noise reaches most easily. A boundary that bends between the probes is missed.
    """
    inner = _on_points(level, dim)
    slope = _slope(level, dim)
    mixing = np.eye(dim) if factor is None else np.array(factor)

    @njit(error_model="numpy", forceinline=True)
    def uphill(x: Point, params: Any) -> Point:
        """The displacement by one standard deviation of the noise to the highest level, zero where none changes it."""
        steepest = slope(x, *params)
        step, size = scaled(0.0, x), 0.0
        for k in range(len(x)):
            across = 0.0
            for j in range(k, len(x)):
                across += mixing[j, k] * steepest[j]
            size += across * across
            for j in range(k, len(x)):
                step = replaced(step, j, step[j] + mixing[j, k] * across)
        return scaled(1.0 / np.sqrt(size) if size > 0.0 else 0.0, step)

    @njit(error_model="numpy", forceinline=True)
    def all_inside(x: Point, radius: float, params: Any) -> bool:
        inside = inner(add(x, radius, uphill(x, params)), *params) < 0.0
        for k in range(len(x)):
            up, down = x, x
            for j in range(k, len(x)):
                up = replaced(up, j, x[j] + radius * mixing[j, k])
                down = replaced(down, j, x[j] - radius * mixing[j, k])
            inside = inside & (inner(up, *params) < 0.0) & (inner(down, *params) < 0.0)
        return inside

    @njit(error_model="numpy", forceinline=True)
    def clearance(x: Point, move: Point, reach: float, trust: float, shift: float, *params: float) -> float:
        if not all_inside(x, (1.0 - trust) * reach + shift, params):
            return 0.0
        return 1.0 if all_inside(add(x, 1.0, move), reach + shift, params) else 0.0

    return clearance


@by_content
def shifted_level(level: Callable[..., float], dim: int, correlation: Rows) -> Callable[..., float]:
    """Compile the level function whose zero lies `shift` inside: ``level(x, *params) + shift |gradient of level|``.

    The norm is that of the matrix `correlation`: its square is the variance of the noise across the level set.
    """
    inner = _on_points(level, dim)
    slope = _slope(level, dim)
    rows = correlation or tuple(map(tuple, np.eye(dim).tolist()))

    @njit(error_model="numpy", forceinline=True)
    def on_points(x: Point, shift: float, *params: float) -> float:
        size = 0.0
        steepest = slope(x, *params)
        for j in range(len(x)):
            for k in range(len(x)):
                size += rows[j][k] * steepest[j] * steepest[k]
        return inner(x, *params) + shift * np.sqrt(max(size, 0.0))

    @njit(error_model="numpy", forceinline=True)
    def on_floats(x: float, shift: float, *params: float) -> float:
        return on_points((x,), shift, *params)

    return on_points if dim > 1 else on_floats


@by_content
def _on_points(level: Callable[..., float], dim: int) -> Any:
    """The level as a function of tuples."""
    inner = compiled(level)
    if dim > 1:
        return inner

    @njit(error_model="numpy", forceinline=True)
    def on_tuples(x: Point, *params: float) -> float:
        return inner(x[0], *params)

    return on_tuples


@by_content
def _slope(level: Callable[..., float], dim: int) -> Any:
    """The level's gradient by central differences, tuples to tuples."""
    inner = numeric_gradient(level, dim)
    if dim > 1:
        return inner

    @njit(error_model="numpy", forceinline=True)
    def on_tuples(x: Point, *params: float) -> Point:
        return (inner(x[0], *params),)

    return on_tuples


def level_distance(level: Callable[..., float], params: tuple[float, ...], x: Point, correlation: Rows) -> float:
    """First-order distance of x from the zero of a level function, in standard deviations of a unit noise towards it.

    The components of the noise have unit variance and this `correlation`, None if they are independent. The distance
    is inf where no move of the noise changes the level.
    """
    slope = _slope(level, len(x))(x, *params)
    rows = correlation or np.eye(len(x)).tolist()
    variance = sum(slope[j] * rows[j][k] * slope[k] for j in range(len(x)) for k in range(len(x)))
    return abs(_on_points(level, len(x))(x, *params)) / float(np.sqrt(variance)) if variance > 0.0 else float("inf")


@by_content
def clear_of_both(first: Clearance, second: Clearance, n_first: int) -> Clearance:
    """Compile the smaller of two clearances, of which the first takes the first `n_first` bounds."""

    def clearance(x: Point, move: Point, reach: float, trust: float, *bounds: float) -> float:
        return min(
            first(x, move, reach, trust, *bounds[:n_first]), second(x, move, reach, trust, *bounds[n_first:])
        )  # fmt: skip

    smaller: Clearance = njit(error_model="numpy", forceinline=True)(clearance)
    return smaller
