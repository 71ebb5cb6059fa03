"""`Ended`: how the paths of a range have ended, as plain arrays that can be kept, sent and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..core.states import BROKEN, CENSORED, NO_LEVEL, UNRESOLVED
from ..core.types import Array
from ..results.departures import Departures
from ..results.error_budget import ErrorBudget
from ..results.passage_times import PassageTimes
from ..results.provenance import Provenance
from ._ends import Ends
from .errors import PathError


@dataclass(frozen=True, eq=False)
class Ended:
    """How the paths of a range have ended: `n_paths` of them, from the number `first` on.

    times : the exit time of each path, (n_paths,); the horizon if it is censored, and the last time at which it was
        inside if it broke.
    states : how it ended, a code of `core.states`: LEFT, CENSORED, BROKEN, NO_LEVEL or UNRESOLVED, (n_paths,).
    sides : the number of the side through which it left, from 1 on, 0 for a path that did not leave, (n_paths,).
    places : the first point that was not inside, (n_paths, n_positions); nan for a path that did not leave.
    names : the names of the sides 1, 2, ...
    dt, horizon : the step of the grid of times, and the end of the last step that was simulated.
    budget : the error budget in continuous time, else None.
    """

    times: Array
    states: NDArray[np.uint8]
    sides: NDArray[np.uint8]
    places: Array
    names: tuple[str, ...]
    dt: float
    horizon: float
    budget: ErrorBudget | None = None
    first: int = 0

    @classmethod
    def of(
        cls, ends: Ends, names: tuple[str, ...], dt: float, horizon: float, budget: ErrorBudget | None = None
    ) -> Ended:
        """How paths have ended, from the steps that a kernel has written."""
        broken = _broken(ends.states)
        inside = np.maximum(ends.steps - broken, 0)  # a broken path was inside one step before
        times = np.where(ends.states == CENSORED, horizon, inside * dt)
        return cls(times, ends.states, ends.sides, ends.places, names, dt, horizon, budget, ends.first)

    @property
    def n_paths(self) -> int:
        """The number of paths."""
        return self.times.size

    def passages(self, provenance: Provenance | None = None) -> PassageTimes:
        """The passage times, which come from there; if a path broke, PathError holds them and tells its number."""
        broken = _broken(self.states)
        censored = broken | (self.states == CENSORED)
        unresolved = int(np.count_nonzero(self.states == UNRESOLVED))
        places = self.places[:, 0] if self.places.shape[1] == 1 else self.places
        departures = Departures(self.sides, self.names, places)
        about = self.budget, broken, unresolved, departures, provenance
        passages = PassageTimes(self.times, censored, self.horizon, self.dt, *about)
        if broken.any():
            i = int(np.argmax(broken))
            path, step = self.first + i, round(float(self.times[i]) / self.dt) + 1
            if self.states[i] == BROKEN:
                raise PathError.at(path, step, self.dt, passages=passages)
            raise PathError.without_level(path, step, self.dt, passages=passages)
        return passages

    def head(self, n_paths: int) -> Ended:
        """How the first `n_paths` of these paths have ended, with the error budget of all; all if there are fewer."""
        if n_paths >= self.n_paths:
            return self
        arrays = {name: getattr(self, name)[:n_paths] for name in ("times", "states", "sides", "places")}
        return replace(self, **arrays)

    @classmethod
    def concat(cls, parts: Sequence[Ended]) -> Ended:
        """How the paths of adjoining ranges have ended, which are given in their order.

        Raises ValueError unless each range begins where the one before it ends and all have the same sides, step and
        horizon.
        """
        if not parts:
            raise ValueError("parts must hold at least one range of paths, got none.")
        for before, part in pairwise(parts):
            if part.first != before.first + before.n_paths:
                raise ValueError(
                    f"parts must adjoin, got paths from {part.first} on after the last path "
                    f"{before.first + before.n_paths - 1}."
                )
            if (part.names, part.dt, part.horizon) != (before.names, before.dt, before.horizon):
                raise ValueError(
                    "parts must be of one problem, got sides, step and horizon "
                    f"{(before.names, before.dt, before.horizon)} and {(part.names, part.dt, part.horizon)}."
                )
        whole = parts[0]
        budgets = [part.budget for part in parts if part.budget is not None]
        budget = ErrorBudget.merged(budgets, [part.n_paths for part in parts]) if budgets else None
        return cls(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.states for part in parts]),
            np.concatenate([part.sides for part in parts]),
            np.concatenate([part.places for part in parts]),
            *(whole.names, whole.dt, whole.horizon, budget, whole.first),
        )


def _broken(states: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """True for the paths that left the finite numbers or met a level that is not a number."""
    return (states == BROKEN) | (states == NO_LEVEL)
