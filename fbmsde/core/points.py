"""Points of a d-dimensional space as tuples of d floats: they live in registers, and loops over them are unrolled."""

from __future__ import annotations

from typing import Any

from numba import config, njit
from numba.cpython.unsafe.tuple import tuple_setitem
from numpy.typing import NDArray

Point = tuple[float, ...]


def _replaced(point: Point, j: int, value: float) -> Point:
    """A copy of the point with another value in place j."""
    return (*point[:j], value, *point[j + 1 :])


replaced: Any = _replaced if config.DISABLE_JIT else tuple_setitem


@njit(error_model="numpy", forceinline=True)
def load(like: Point, array: NDArray, column: int) -> Point:
    """One column of `array` (d, n) as a point of the dimension of `like`."""
    point = like
    for j in range(len(like)):
        point = replaced(point, j, array[j, column])
    return point


@njit(error_model="numpy", forceinline=True)
def load_step(like: Point, array: NDArray, step: int, column: int) -> Point:
    """One column of one step of `array` (d, n_steps, n) as a point of the dimension of `like`."""
    point = like
    for j in range(len(like)):
        point = replaced(point, j, array[j, step, column])
    return point


@njit(error_model="numpy", forceinline=True)
def store(point: Point, array: NDArray, column: int) -> None:
    """Write the point to one column of `array` (d, n)."""
    for j in range(len(point)):
        array[j, column] = point[j]


@njit(error_model="numpy", forceinline=True)
def add(point: Point, factor: float, other: Point) -> Point:
    """``point + factor * other``."""
    result = point
    for j in range(len(point)):
        result = replaced(result, j, point[j] + factor * other[j])
    return result


@njit(error_model="numpy", forceinline=True)
def scaled(factor: float, point: Point) -> Point:
    """``factor * point``."""
    result = point
    for j in range(len(point)):
        result = replaced(result, j, factor * point[j])
    return result


@njit(error_model="numpy", forceinline=True)
def is_finite(point: Point) -> bool:
    """True when all coordinates are finite."""
    finite = True
    for j in range(len(point)):
        finite = finite & (abs(point[j]) < float("inf"))
    return finite
