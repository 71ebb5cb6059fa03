"""Errors that carry the results computed before them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.states import BROKEN, CENSORED, NO_LEVEL, UNRESOLVED
from ..results.departures import Departures
from ..results.passage_times import PassageTimes
from ._ends import Ends
from .budget import ErrorBudget

_FEW = 0.01  # unresolved exits are noted only if their share is larger than this


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
    """Too few paths had left when the range of the noise model ended. `passages` holds the results up to there."""

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


def passages_of(
    ends: Ends, names: tuple[str, ...], dt: float, horizon: float, error_budget: ErrorBudget | None = None
) -> PassageTimes:
    """The passage times from the ends of paths and the names of the sides. If a path broke, PathError holds them."""
    steps, states = ends.steps, ends.states
    broken = (states == BROKEN) | (states == NO_LEVEL)
    censored = broken | (states == CENSORED)
    times = np.where(censored & ~broken, horizon, np.maximum(steps - broken, 0) * dt)  # a broken path was inside before
    note = _note(int(np.count_nonzero(states == UNRESOLVED)), int(np.count_nonzero(~censored)), dt)
    departures = Departures(ends.sides, names, ends.places[:, 0] if ends.places.shape[1] == 1 else ends.places)
    passages = PassageTimes(times, censored, horizon, dt, error_budget, broken, note, departures)
    if broken.any():
        path = int(np.argmax(broken))
        if states[path] == BROKEN:
            raise PathError.at(path, int(steps[path]), dt, passages=passages)
        raise PathError.without_level(path, int(steps[path]), dt, passages=passages)
    return passages


def _note(n_unresolved: int, n_left: int, dt: float) -> str:
    """The note on exits that the equation would not make, empty if there are hardly any."""
    if n_unresolved <= _FEW * n_left:
        return ""
    return (
        f"{n_unresolved} of {n_left} exits were made by steps that the equation does not take (dt times the curvature "
        f"beyond 2, or the drift of one step over a tenth of the way). They belong to the chain of step {dt:g} alone: "
        f"compare with dt = {dt / 4:g}."
    )
