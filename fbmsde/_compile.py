"""Compilation of the functions that users bring: potentials, gradients and level functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from numba import config, njit, types
from numba.core.errors import NumbaError

from ._points import Point, replaced

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "forceinline": True}
_NUMERIC_STEP = 6e-6  # cube root of the machine epsilon: truncation and rounding of a central difference balance


@lru_cache(maxsize=256)
def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled so that it is inlined into the kernels that call it."""
    return njit(**_OPTIONS)(getattr(function, "py_func", function))


@lru_cache(maxsize=256)
def lifted(function: Callable[..., Any], dim: int) -> Any:
    """The gradient as a function from points to points: in one dimension floats become tuples of one."""
    inner = compiled(function)
    if dim > 1:
        return inner

    def on_points(x: Point, *params: float) -> Point:
        return (float(inner(x[0], *params)),)

    return njit(**_OPTIONS)(on_points)


@lru_cache(maxsize=256)
def numeric_gradient(potential: Callable[..., float], dim: int) -> Any:
    """The gradient of a potential by central differences, relative error about 1e-10 where the potential is smooth."""
    inner = compiled(potential)

    def slope(x: float, *params: float) -> float:
        h = _NUMERIC_STEP * max(1.0, abs(x))
        return (inner(x + h, *params) - inner(x - h, *params)) / (2.0 * h)

    def slopes(x: Point, *params: float) -> Point:
        result = x
        for j in range(len(x)):
            h = _NUMERIC_STEP * max(1.0, abs(x[j]))
            up = inner(replaced(x, j, x[j] + h), *params)
            down = inner(replaced(x, j, x[j] - h), *params)
            result = replaced(result, j, (up - down) / (2.0 * h))
        return result

    return njit(**_OPTIONS)(slope if dim == 1 else slopes)


@lru_cache(maxsize=256)
def outside(level: Callable[..., float], dim: int) -> Any:
    """The test for points outside ``level(x, *params) < 0``; NaN is outside."""
    inner = compiled(level)

    def on_points(x: Point, *params: float) -> bool:
        return not inner(x, *params) < 0.0

    def on_floats(x: Point, *params: float) -> bool:
        return not inner(x[0], *params) < 0.0

    return njit(**_OPTIONS)(on_points if dim > 1 else on_floats)


def require_compiles(name: str, function: Callable[..., Any], dim: int, n_params: int, *, vector: bool) -> None:
    """ValueError with the compiler's reason unless function(x, *params) compiles and returns what it should.

    `vector`: a point (a float in one dimension, a tuple of `dim` floats otherwise), else one number.
    """
    if not callable(function):
        raise TypeError(f"{name} must be a function of (x, *params), got {function!r}.")
    if config.DISABLE_JIT:
        return
    point = types.float64 if dim == 1 else types.UniTuple(types.float64, dim)
    signature = (point, *(types.float64,) * n_params)
    dispatcher = compiled(function)
    try:
        dispatcher.compile(signature)
    except (NumbaError, TypeError) as error:
        raise ValueError(f"{name} must compile with numba, got: {_reason(error)}") from None
    returned = dispatcher.overloads[signature].signature.return_type
    point_type, numbers = types.UniTuple(types.float64, dim), [types.float64, types.float32, types.int64]
    allowed = [point_type] if vector and dim > 1 else numbers
    if returned not in allowed:
        wanted = f"a tuple of {dim} floats" if vector and dim > 1 else "one number"
        raise ValueError(f"{name} must return {wanted}, got numba type {returned}.")


def _reason(error: Exception) -> str:
    """The lines of a numba error that speak of the user's code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    noise = ("Failed in", "During:", "This error", "To see", "Enable", "Overload of", "- Of which", "All templates")
    told = [line for line in lines if not line.startswith(noise) and "numba" not in line.lower()]
    return " ".join(told[:4]) or lines[-1]
