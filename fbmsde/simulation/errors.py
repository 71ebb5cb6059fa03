"""Errors that carry the results computed before them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..results.passage_times import PassageTimes


class Kept(Protocol):
    """What a run has computed although some paths broke: passage times or whole paths."""

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Which paths broke, (n_paths,)."""


class PathError(ArithmeticError):
    """A path left the finite numbers, or met a level that is not a number.

    path, time : the number of the first such path, and the time at which it happened.
    passages : the results of all paths from `first_passage` or `bridge_passage`, with the broken ones marked in
        ``passages.broken``; None for other functions.
    paths : the same from `simulate_paths`, with the broken ones marked in ``paths.broken``.

    >>> from fbmsde import FractionalNoise, overdamped, quadratic, simulate_paths
    >>> try:
    ...     simulate_paths(quadratic(1e3), FractionalNoise(0.5), 0.0, dt=1.0, n_steps=200, n_paths=3, seed=1)
    ... except PathError as error:
    ...     print(error.path, error.paths.broken)
    0 [ True  True  True]
    """

    def __init__(
        self, message: str, path: int, time: float, passages: PassageTimes | None = None, paths: Kept | None = None
    ) -> None:
        super().__init__(message)
        self.path, self.time, self.passages, self.paths = path, time, passages, paths

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.path, self.time, self.passages, self.paths)

    @classmethod
    def at(
        cls, path: int, step: int, dt: float, *, passages: PassageTimes | None = None, paths: Kept | None = None
    ) -> PathError:
        """The error of a path that broke at a step, with the step size to try."""
        rule = f"path {path} must stay finite, got inf or nan at time {step * dt:g}."
        advice = f"Check the gradient there, or try dt = {dt / 4:g}.{_told(passages=passages, paths=paths)}"
        return cls(f"{rule} {advice}", int(path), float(step * dt), passages, paths)

    @classmethod
    def without_level(cls, path: int, step: int, dt: float, *, passages: PassageTimes) -> PathError:
        """The error of a path at a finite point where the level function returned nan."""
        rule = f"the level at path {path} must be a number, got nan at time {step * dt:g}. Check the level function."
        return cls(f"{rule}{_told(passages=passages)}", int(path), float(step * dt), passages)


class HorizonError(ArithmeticError):
    """Too few paths had left when the range of the noise model ended. `passages` holds the results up to there.

    >>> from fbmsde import FractionalNoise, Grid, first_passage, quadratic
    >>> try:
    ...     passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), monitoring=Grid(0.01,
    ...                              until=0.9), horizon=float("inf"), n_paths=50, seed=1)
    ... except HorizonError as error:
    ...     passages = error.passages
    >>> passages.n_left >= 45
    True
    """

    def __init__(self, message: str, passages: PassageTimes) -> None:
        super().__init__(message)
        self.passages = passages

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.passages)


def _told(**kept: Kept | None) -> str:
    """The sentence on how many paths broke and where the others are kept."""
    return "".join(
        f" {int(np.count_nonzero(found.broken))} of {found.broken.size} paths broke; `{name}` of this error holds all."
        for name, found in kept.items()
        if found is not None
    )
