"""Points of a d-dimensional space as tuples of d floats.

Compiled kernels keep such tuples in registers and unroll loops over them.
"""

from __future__ import annotations

from typing import Any

from numba import config, njit
from numba.cpython.unsafe.tuple import tuple_setitem
from numpy.typing import NDArray

Point = tuple[float, ...]


def _replaced(point: Point, j: int, value: float) -> Point:
    """A copy of the point whose coordinate j is `value`."""
    return (*point[:j], value, *point[j + 1 :])


replaced: Any = _replaced if config.DISABLE_JIT else tuple_setitem


@njit(error_model="numpy", forceinline=True)
def load(like: Point, array: NDArray, column: int) -> Point:
    """Column number `column` of `array` (d, n) as a point. `like` is any point of d coordinates.

    >>> import numpy as np
    >>> load((0.0, 0.0), np.array([[1.0, 2.0], [3.0, 4.0]]), 1) == (2.0, 4.0)
    True
    """
    point = like
    for j in range(len(like)):
        point = replaced(point, j, array[j, column])
    return point


@njit(error_model="numpy", forceinline=True)
def load_step(like: Point, array: NDArray, step: int, column: int) -> Point:
    """Column number `column` at one step of `array` (d, n_steps, n) as a point. `like` is any point of d coordinates.

    >>> import numpy as np
    >>> load_step((0.0, 0.0), np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), 0, 1) == (2.0, 4.0)
    True
    """
    point = like
    for j in range(len(like)):
        point = replaced(point, j, array[j, step, column])
    return point


@njit(error_model="numpy", forceinline=True)
def taken(like: Point, numbers: NDArray, first: int) -> Point:
    """As many of the `numbers` (n,), from place `first` on, as the point `like` has coordinates, one or more.

    >>> import numpy as np
    >>> taken((0.0, 0.0), np.array([1.0, 2.0, 3.0]), 1) == (2.0, 3.0)
    True
    """
    point = like
    for j in range(len(like)):
        point = replaced(point, j, numbers[first + j])
    return point


@njit(error_model="numpy", forceinline=True)
def _nothing(like: Point, numbers: NDArray, first: int) -> Point:
    """The empty tuple, for which numba compiles no loop."""
    return like


def taking(n: int) -> Any:
    """The function that takes n numbers as `taken` does, also for n = 0.

    >>> taking(0)((), None, 0)
    ()
    """
    return taken if n > 0 else _nothing


@njit(error_model="numpy", forceinline=True)
def store(point: Point, array: NDArray, column: int) -> None:
    """Write the point to column number `column` of `array` (d, n).

    >>> import numpy as np
    >>> array = np.zeros((2, 1))
    >>> store((1.0, 2.0), array, 0)
    >>> array.tolist()
    [[1.0], [2.0]]
    """
    for j in range(len(point)):
        array[j, column] = point[j]


@njit(error_model="numpy", forceinline=True)
def add(point: Point, factor: float, other: Point) -> Point:
    """The point ``point + factor * other``.

    >>> add((1.0, 2.0), 2.0, (0.5, 1.0))
    (2.0, 4.0)
    """
    result = point
    for j in range(len(point)):
        result = replaced(result, j, point[j] + factor * other[j])
    return result


@njit(error_model="numpy", forceinline=True)
def scaled(factor: float, point: Point) -> Point:
    """The point ``factor * point``.

    >>> scaled(2.0, (1.0, 2.0))
    (2.0, 4.0)
    """
    result = point
    for j in range(len(point)):
        result = replaced(result, j, factor * point[j])
    return result


@njit(error_model="numpy", forceinline=True)
def times(point: Point, other: Point) -> Point:
    """The products of the coordinates of two points.

    >>> times((1.0, 2.0), (2.0, 3.0))
    (2.0, 6.0)
    """
    result = point
    for j in range(len(point)):
        result = replaced(result, j, point[j] * other[j])
    return result


@njit(error_model="numpy", forceinline=True)
def largest(point: Point) -> float:
    """The largest size of a coordinate.

    >>> largest((1.0, -2.0))
    2.0
    """
    size = 0.0
    for j in range(len(point)):
        size = max(size, abs(point[j]))
    return size


@njit(error_model="numpy", forceinline=True)
def is_finite(point: Point) -> bool:
    """True if all coordinates are finite.

    >>> is_finite((1.0, float("inf")))
    False
    """
    finite = True
    for j in range(len(point)):
        finite = finite & (abs(point[j]) < float("inf"))
    return finite
