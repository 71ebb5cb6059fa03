"""How far a jump may go inside a domain, and domains whose boundary is moved inwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from ._compile import by_content, compiled, numeric_gradient
from ._points import Point, add, replaced


@njit(error_model="numpy", forceinline=True)
def interval_clearance(x: Point, move: Point, reach: float, trust: float, lower: float, upper: float) -> float:
    """Distance from the nearer bound, less the predicted move towards it, in units of `reach`.

    A predicted move away from a bound counts up to ``trust * reach``: with trust = H, the bound is nearest, in standard
    deviations that grow as time^H, at the end of the jump.
    """
    most = trust * reach
    up = upper - x[0] - max(move[0], -most)
    down = x[0] - lower + min(move[0], most)
    return min(up, down) / reach


@by_content
def level_clearance(level: Callable[..., float], dim: int) -> Any:
    """The test ``1 or 0``: is the level negative within `reach` of the predicted point and ``(1 - trust) reach`` of x.

    Looked at along the axes and along the level's own gradient: a boundary that bends away between them is missed.
    """
    inner = _on_points(level, dim)
    slope = _slope(level, dim)

    @njit(error_model="numpy", forceinline=True)
    def all_inside(x: Point, radius: float, params: Any) -> bool:
        steepest = slope(x, *params)
        size = 0.0
        for j in range(len(x)):
            size += steepest[j] ** 2
        factor = radius / np.sqrt(size) if size > 0.0 else 0.0
        inside = inner(add(x, factor, steepest), *params) < 0.0
        for j in range(len(x)):
            inside = inside & (inner(replaced(x, j, x[j] + radius), *params) < 0.0)
            inside = inside & (inner(replaced(x, j, x[j] - radius), *params) < 0.0)
        return inside

    @njit(error_model="numpy", forceinline=True)
    def clearance(x: Point, move: Point, reach: float, trust: float, *params: float) -> float:
        if not all_inside(x, (1.0 - trust) * reach, params):
            return 0.0
        return 1.0 if all_inside(add(x, 1.0, move), reach, params) else 0.0

    return clearance


@by_content
def shifted_level(level: Callable[..., float], dim: int, correlation: tuple[tuple[float, ...], ...] | None) -> Any:
    """The level function whose zero lies `shift` inside: ``level(x, *params) + shift |gradient of level|``.

    The norm is that of `correlation`, the variance of the noise across the level set.
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


def level_distance(level: Callable[..., float], params: tuple[float, ...], x: Point) -> float:
    """Distance of a point from the zero of a level function to first order; inf where the level is flat."""
    slope = _slope(level, len(x))(x, *params)
    size = float(np.sqrt(sum(s * s for s in slope)))
    return abs(_on_points(level, len(x))(x, *params)) / size if size > 0.0 else float("inf")
