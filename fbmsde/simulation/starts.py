"""Starts: one point for all paths, one for each, points drawn by a function, or the stationary law of an equation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array, Key
from ..dynamics.base import Dynamics

DRAWN = 1024  # rows that a function of a generator is asked for at once


@dataclass(frozen=True)
class Stationary:
    """A start from the stationary law of the equation, jointly with the past of the noise.

    burn_in : the time for which paths run before the clock starts, in the time unit of the equation. They begin at `x0`
        then, nobody watches them, and the same noise goes on. Times and drifts that depend on time count from the end
        of the burn-in; during it they are negative. Choose it several times longer than the equation remembers.
    x0 : the point at which the burn-in begins, a float or (dim,) floats.

    With `burn_in` None, the default and the meaning of ``x0="stationary"``, the start is drawn exactly: from the law of
    the chain ``x' = phi x + gain xi + shift`` that the solver makes, given the beginning of the path's noise. That
    asks for a linear drift in one dimension and for a noise that knows its past.

    A path that is outside at time 0 has left then: its time is 0.

    >>> Stationary(burn_in=50.0).x0
    (0.0,)
    """

    burn_in: float | None = None
    x0: ArrayLike = 0.0

    def __post_init__(self) -> None:
        if self.burn_in is not None:
            object.__setattr__(self, "burn_in", checks.positive("burn_in", self.burn_in))
        point = np.atleast_1d(checks.reals("x0", self.x0))
        if point.ndim != 1:
            raise ValueError(f"x0 must be one point at the beginning of a burn-in, got shape {np.shape(self.x0)}.")
        object.__setattr__(self, "x0", tuple(checks.finite("x0", value) for value in point))
        if self.burn_in is None and np.any(point != 0.0):
            raise ValueError(f"burn_in must be given for a start of it at x0, got None and x0 = {self.x0}.")

    @property
    def point(self) -> Array:
        """The point at which the burn-in begins, (n_coordinates,)."""
        return np.asarray(self.x0)


@dataclass(frozen=True, eq=False)
class Points:
    """Points at which paths begin, one for each path, (n_paths, dim), or one for all of them, (1, dim)."""

    rows: Array


Start = Points | Stationary


def rows_known(start: Start, where: str) -> Array:
    """The rows of points; ValueError for a stationary start, which cannot be made in this case."""
    if isinstance(start, Stationary):
        raise ValueError(f"x0 must be points {where}, got a stationary start.")
    return start.rows


Drawing = Callable[[np.random.Generator, int], ArrayLike]


def start_of(x0: ArrayLike | Drawing | Stationary | str, equation: Dynamics, n_paths: int, key: Key) -> Start:
    """The start that `x0` stands for; ValueError or TypeError for what is none.

    x0 : a point of `dim` coordinates or of the positions alone; an array (n_paths, dim), or (n_paths,) in one
        dimension; a function ``f(rng, n)`` that returns n such rows from a generator; or "stationary" or a
        `Stationary`.
    """
    if isinstance(x0, Stationary):
        return x0
    if isinstance(x0, str):
        checks.choice("x0", x0, ["stationary"])
        return Stationary()
    if callable(x0):
        return Points(_drawn(x0, equation, n_paths, key))
    return Points(rows_of(checks.reals("x0", x0), equation, n_paths))


def rows_of(given: Array, equation: Dynamics, n_paths: int) -> Array:
    """The states at which paths begin, (n_paths, dim) or (1, dim); ValueError for points of another shape.

    An array of one dimension is one point if it has as many numbers as a point has.
    """
    widths = equation.n_positions, equation.n_shown
    if given.ndim == 0 and 1 in widths:
        rows = given.reshape(1, 1)
    elif given.ndim == 1 and given.size in widths:
        rows = given.reshape(1, -1)
    elif given.shape == (n_paths,) and 1 in widths:
        rows = given.reshape(-1, 1)
    elif given.ndim == 2 and len(given) == n_paths and given.shape[1] in widths:
        rows = given
    else:
        each = f"({n_paths},)" if 1 in widths else f"({n_paths}, {widths[0]})"
        whole = f"{widths[0]} coordinates" + (f", or {widths[1]} with velocities" if widths[0] < widths[1] else "")
        raise ValueError(f"x0 must have {whole}, or be {each}, got shape {given.shape}.")
    return np.ascontiguousarray(equation.states(_finite(rows)))


def _finite(rows: Array) -> Array:
    """The rows; ValueError with the number of the path unless all are finite."""
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        path = int(np.argmax(bad))
        value = rows[path][~np.isfinite(rows[path])][0]
        raise ValueError(f"x0 must be finite, got {value}{of_path(path, len(rows))}.")
    return rows


def of_path(path: int, n_rows: int) -> str:
    """The words that name a path in a message, empty if all paths begin at the same point."""
    return f" for path {path}" if n_rows > 1 else ""


def _drawn(draw: Drawing, equation: Dynamics, n_paths: int, key: Key) -> Array:
    """States drawn by a user's function in blocks of `DRAWN`, so that a start depends on its path number alone."""
    blocks = []
    for block in range(-(-n_paths // DRAWN)):
        rows = checks.reals("x0(rng, n)", draw(np.random.default_rng(substream(key, "starts", block)), DRAWN))
        if rows.ndim == 0 or len(rows) != DRAWN:
            raise ValueError(
                f"x0(rng, {DRAWN}) must return {DRAWN} points, got shape {rows.shape}. It is called for {DRAWN} paths "
                "at a time, so that the start of a path does not depend on how many there are."
            )
        blocks.append(rows)
    rows = np.concatenate(blocks)[:n_paths]
    return rows_of(rows.reshape(n_paths, -1), equation, n_paths)


def substream(key: Key, name: str, number: int = 0) -> np.random.SeedSequence:
    """The seed of random numbers for one purpose in a run with this key."""
    return np.random.SeedSequence([int(word) for word in key], spawn_key=(int.from_bytes(name.encode(), "big"), number))
