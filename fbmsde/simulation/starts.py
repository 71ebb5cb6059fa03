"""Starts: one point for all paths, one for each, points drawn by a function, or the stationary law of an equation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.types import Array, Key
from ..dynamics.base import Dynamics

DRAWN = 1024  # rows that a function of a generator is asked for at once


@brief
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
    """Points at which paths begin, one for each path of a range, (n_paths, dim), or one for all of them, (1, dim).

    whole : returns points that do not depend on the range: all that are given, or the first that are drawn. None if
        the rows are all.
    """

    rows: Array
    whole: Callable[[], Array] | None = None

    @property
    def typical(self) -> Array:
        """Points (n, dim) that tell where paths may begin, the same for every range of paths."""
        return self.rows if self.whole is None else self.whole()


Start = Points | Stationary


def points_known(start: Start, where: str) -> Points:
    """The points; ValueError for a stationary start, which cannot be made in this case."""
    if isinstance(start, Stationary):
        raise ValueError(f"x0 must be points {where}, got a stationary start.")
    return start


Drawing = Callable[[np.random.Generator, int], ArrayLike]


def start_of(x0: ArrayLike | Drawing | Stationary | str, equation: Dynamics, paths: range, key: Key) -> Start:
    """The start of a range of paths that `x0` stands for; ValueError or TypeError for what is none.

    x0 : a point of `dim` coordinates or of the positions alone; an array (n, dim), or (n,) in one dimension, with a row
        for each path from path 0 on; a function ``f(rng, n)`` that returns n such rows from a generator; or
        "stationary" or a `Stationary`.
    """
    if isinstance(x0, Stationary):
        return x0
    if isinstance(x0, str):
        checks.choice("x0", x0, ["stationary"])
        return Stationary()
    if callable(x0):
        return Points(_drawn(x0, equation, paths, key), lambda: _drawn(x0, equation, range(DRAWN), key))
    given = checks.reals("x0", x0)
    n_given = n_starts(given, equation)
    if n_given is None:
        return Points(rows_of(given, equation, 1))
    if n_given < paths.stop:
        raise ValueError(f"x0 must hold a row for each path up to number {paths.stop - 1}, got {n_given} rows.")
    rows = rows_of(given[paths.start : paths.stop].reshape(len(paths), -1), equation, len(paths), paths.start)
    return Points(rows, lambda: rows_of(given.reshape(n_given, -1), equation, n_given))


def require_starts(x0: ArrayLike | Drawing | Stationary | str, equation: Dynamics, n_paths: int) -> None:
    """Raise ValueError if `x0` is an array that is no point and holds the starts of another number of paths."""
    if not (callable(x0) or isinstance(x0, (str, Stationary))):
        n_starts(checks.reals("x0", x0), equation, n_paths)


def n_starts(given: Array, equation: Dynamics, n_paths: int | None = None) -> int | None:
    """The number of paths for which an array holds a start each, None for one point of all.

    Raises ValueError for an array of another shape, or if it holds the starts of another number than `n_paths`. An
    array of one dimension is one point if it has as many numbers as a point has.
    """
    widths = equation.n_positions, equation.n_shown
    if (given.ndim == 0 and 1 in widths) or (given.ndim == 1 and given.size in widths):
        return None
    each = (given.ndim == 1 and 1 in widths) or (given.ndim == 2 and given.shape[1] in widths)
    if each and n_paths in (None, len(given)):
        return len(given)
    n = "n_paths" if n_paths is None else n_paths
    rows = f"({n},)" if 1 in widths else f"({n}, {widths[0]})"
    whole = f"{widths[0]} coordinates" + (f", or {widths[1]} with velocities" if widths[0] < widths[1] else "")
    raise ValueError(f"x0 must have {whole}, or be {rows}, got shape {given.shape}.")


def rows_of(given: Array, equation: Dynamics, n_paths: int, first: int = 0) -> Array:
    """The states at which the paths from `first` on begin, (n_paths, dim) or (1, dim).

    Raises ValueError for points of another shape or that are not finite.
    """
    n = n_starts(given, equation, n_paths)
    rows = given.reshape(1, -1) if n is None else given.reshape(n, -1)
    return np.ascontiguousarray(equation.states(_finite(rows, first)))


def _finite(rows: Array, first: int) -> Array:
    """The rows; ValueError with the number of the path unless all are finite."""
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        path = int(np.argmax(bad))
        value = rows[path][~np.isfinite(rows[path])][0]
        raise ValueError(f"x0 must be finite, got {value}{of_path(first + path, len(rows))}.")
    return rows


def of_path(path: int, n_rows: int) -> str:
    """The words that name a path in a message, empty if all paths begin at the same point."""
    return f" for path {path}" if n_rows > 1 else ""


def _drawn(draw: Drawing, equation: Dynamics, paths: range, key: Key) -> Array:
    """States drawn by a user's function in blocks of `DRAWN`, so that a start depends on its path number alone."""
    blocks = []
    for block in range(paths.start // DRAWN, -(-paths.stop // DRAWN)):
        rows = checks.reals("x0(rng, n)", draw(np.random.default_rng(substream(key, "starts", block)), DRAWN))
        if rows.ndim == 0 or len(rows) != DRAWN:
            raise ValueError(
                f"x0(rng, {DRAWN}) must return {DRAWN} points, got shape {rows.shape}. It is called for {DRAWN} paths "
                "at a time, so that the start of a path does not depend on how many there are."
            )
        blocks.append(rows)
    rows = np.concatenate(blocks)[paths.start % DRAWN :][: len(paths)]
    return rows_of(rows.reshape(len(paths), -1), equation, len(paths), paths.start)


def substream(key: Key, name: str, number: int = 0) -> np.random.SeedSequence:
    """The seed of random numbers for one purpose in a run with this key."""
    return np.random.SeedSequence([int(word) for word in key], spawn_key=(int.from_bytes(name.encode(), "big"), number))
