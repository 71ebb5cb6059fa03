"""Functions of points in many dimensions, which are arrays: they write their value into an array ``out`` after x."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .captured import OPTIONS
from .compile import NUMERIC_STEP, by_content
from .types import Array

_INDEXED = 256  # up to so many dimensions a function is tried out where reading beyond the ends of arrays is an error


@by_content
def numeric_gradient_into(potential: Callable[..., float]) -> Any:
    """The compiled gradient of a potential of arrays by central differences, ``gradient(x, out, *params)``.

    x is changed and put back coordinate by coordinate.

    >>> out = np.empty(2)
    >>> numeric_gradient_into(lambda x: x[0] ** 2 + 3 * x[1])(np.array([3.0, 1.0]), out)
    >>> out.round(6)
    array([6., 3.])
    """

    def slopes(x: Array, out: Array, *params: float) -> None:
        for j in range(x.size):
            here = x[j]
            h = NUMERIC_STEP * max(1.0, abs(here))
            x[j] = here + h
            up = 1.0 * potential(x, *params)
            x[j] = here - h
            down = 1.0 * potential(x, *params)
            x[j] = here
            out[j] = (up - down) / (2.0 * h)

    return njit(**OPTIONS)(slopes)


def writes_into(function: Any, place: int = 1) -> bool:
    """True for a function of arrays, which writes its value into the argument `out` at this place.

    The place is 1 for a gradient(x, out), 2 for a drift(t, x, out). The name `out` tells it from a function of tuples.

    >>> writes_into(lambda x, out, a: None), writes_into(lambda x, a: a)
    (True, False)
    """
    try:
        names = list(inspect.signature(getattr(function, "py_func", function)).parameters)
    except (TypeError, ValueError):  # no function, as its check will say
        return False
    return names[place : place + 1] == ["out"]


def written(function: Callable[..., None]) -> Callable[..., Array]:
    """The function ``function(x, out, *params)`` as one of (x, *params), x an array or a tuple, that returns an array.

    >>> def double(x, out):
    ...     out[:] = 2.0 * x
    >>> written(double)((1.0, 3.0))
    array([2., 6.])
    """

    def call(x: Any, *params: float) -> Array:
        out = np.zeros(len(x))
        function(np.array(x, dtype=float), out, *params)
        return out

    return call


def require_indices(name: str, function: Any, dim: int, params: tuple[float, ...], *, vector: bool) -> None:
    """Raise ValueError if a function of arrays of `dim` numbers reads or writes beyond their ends.

    It is evaluated once as a plain Python function, up to 256 dimensions: compiled code would not notice.

    >>> require_indices("potential", lambda x: x[0] ** 2 + x[1] ** 2, 2, (), vector=False)
    """
    if dim > _INDEXED:
        return
    arrays = [np.cos(np.arange(float(dim))) for _ in range(1 + vector)]
    try:
        with np.errstate(all="ignore"):
            getattr(function, "py_func", function)(*arrays, *params)
    except IndexError as error:
        raise ValueError(f"{name} must stay within arrays of {dim} floats, got: {error}.") from None
    except Exception:  # a landscape need not be defined everywhere
        return


def of_tuples(potential: Callable[..., float]) -> Callable[..., float]:
    """A potential of arrays as one of tuples.

    >>> of_tuples(lambda x: x.sum())((1.0, 2.0))
    np.float64(3.0)
    """
    return lambda x, *params: potential(np.array(x), *params)
