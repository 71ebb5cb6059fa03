"""The most likely path of an escape: `MostLikelyEscape`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.pictures import picture
from ..core.show import Shown
from ..core.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class MostLikelyEscape(Shown):
    """The path that noise of small strength takes when it brings a landscape's path from a start to a target.

    times : those of the path, (n + 1,), from 0 to the horizon, where it is at the target.
    path : its points, (n + 1, d).
    noise : the increments of the noise that drives it, at the strength of the noise, (n, d).
    target : the coordinates that are prescribed at the horizon, NaN for those that are free, (d,).
    exponent : half the squared norm ``noise' C^-1 noise / 2``, with the covariance C of the increments.
    pull : ``C^-1 noise``, the force that the noise has to overcome, (n, d).
    iterations : the number of Newton's steps that were taken.
    error : how much lower the exponent can still be, relative to it, by Newton's last step.
    landscape : the name of the landscape.

    >>> from fbmsde import FractionalNoise, most_likely_escape, quadratic
    >>> escape = most_likely_escape(quadratic(), FractionalNoise(0.3), 0.0, 2.0, horizon=5.0, dt=0.1)
    >>> escape.times.shape, escape.path.shape, round(float(escape.path[-1, 0]), 6)
    ((51,), (51, 1), 2.0)
    """

    times: Array
    path: Array
    noise: Array
    target: Array
    exponent: float
    pull: Array
    iterations: int
    error: float
    landscape: str

    @property
    def horizon(self) -> float:
        """The time at which the path is at the target."""
        return float(self.times[-1])

    @property
    def towards(self) -> Array:
        """The distance of the path from the target in the prescribed coordinates, (n + 1,)."""
        fixed = ~np.isnan(self.target)
        return np.asarray(np.linalg.norm(self.path[:, fixed] - self.target[fixed], axis=1))

    @property
    def beyond(self) -> Array:
        """How far the path goes beyond each coordinate of the target, 0 if nowhere, NaN if it is free, (d,)."""
        side = np.sign(self.target - self.path[0])
        return np.asarray(np.maximum(np.max(side * (self.path - self.target), axis=0), 0.0))

    def plot(self, ax: Axes | None = None, *, paths: Array | None = None, coordinate: int = 0) -> Axes:
        """Draw the path, over `paths` that escaped where they are given, by `plots.plot_most_likely_escape`."""
        return picture("plot_most_likely_escape")(self, paths, ax, coordinate=coordinate)

    def _facts(self) -> Mapping[str, object]:
        return {"landscape": self.landscape, "-log p tends to": f"{self.exponent:.6g}", "horizon": self.horizon,
                "steps of Newton": self.iterations, "relative error": self.error}  # fmt: skip
