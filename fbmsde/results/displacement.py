"""`Displacement`: the mean squared displacement of paths, and how it depends on their age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown
from ..core.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AT_ONCE = 2**24  # numbers that are held besides the paths


@dataclass(frozen=True, eq=False, repr=False)
class Displacement(Shown):
    """Mean squared displacement ``E |X(s + t) - X(s)|^2``, as `Paths.mean_squared_displacement` returns it.

    ages : the times s at which a displacement begins, (n_ages,).
    lags : the times t for which it lasts, (n_lags,).
    values, standard_errors : the means over paths and their standard errors, (n_ages, n_lags); NaN where the paths end
        before ``s + t``. Values of different ages and lags come from the same paths and are correlated.
    n_paths : the number of paths behind each mean.

    >>> from fbmsde import FractionalNoise, quadratic, simulate_paths
    >>> paths = simulate_paths(quadratic(), FractionalNoise(0.7), 0.0, dt=0.01, n_steps=100, n_paths=50, seed=1)
    >>> paths.mean_squared_displacement(age=[0.0, 0.5]).values.shape
    (2, 29)
    """

    ages: Array
    lags: Array
    values: Array
    standard_errors: Array
    n_paths: int

    @classmethod
    def of(cls, times: Array, points: Array, ages: Array, lags: Array) -> Displacement:
        """The displacements of points (n_paths, n_times, d) at times on an even grid.

        >>> walk = np.array([[[0.0], [1.0], [0.0]], [[0.0], [-1.0], [-2.0]]])
        >>> Displacement.of(np.arange(3.0), walk, np.array([0.0, 1.0]), np.array([1.0, 2.0])).values
        array([[ 1.,  2.],
               [ 1., nan]])
        """
        spacing, n = float(times[1] - times[0]), len(points)
        begins, widths = (np.rint(part / spacing).astype(np.int64) for part in (ages, lags))
        values, errors = np.full((2, ages.size, lags.size), np.nan)
        for i, begin in enumerate(begins):
            seen = np.flatnonzero(begin + widths < times.size)
            for some in np.array_split(seen, max(1, seen.size * points[:, 0].size // _AT_ONCE)):
                squares = np.sum((points[:, begin + widths[some]] - points[:, [begin]]) ** 2, axis=2)
                values[i, some] = squares.mean(axis=0)
                if n > 1:
                    errors[i, some] = squares.std(axis=0, ddof=1) / np.sqrt(n)
        return cls(times[begins], np.asarray(widths * spacing, float), values, errors, n)

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Lower and upper confidence limits, (n_ages, n_lags) each, by Student's t; `level` lies in (0, 1)."""
        tail = (1.0 - checks.fraction("level", level)) / 2.0
        reach = float(scipy.stats.t.isf(tail, max(self.n_paths - 1, 1))) * self.standard_errors
        return np.maximum(self.values - reach, 0.0), self.values + reach

    def _facts(self) -> Mapping[str, object]:
        lags = f"{self.lags.size} from {self.lags[0]:g} to {self.lags[-1]:g}"
        last = np.flatnonzero(np.isfinite(self.values[0]))[-1]
        return {"ages": self.ages if self.ages.size > 1 else float(self.ages[0]), "lags": lags, "paths": self.n_paths,
                f"at lag {self.lags[last]:g}": float(self.values[0, last])}  # fmt: skip

    def plot(
        self, ax: Axes | None = None, *, theory: Callable[[Array], ArrayLike] | None = None, label: str | None = None
    ) -> Axes:
        """Draw the displacement against the lag, a line with its 95 % band for each age; the Axes come back.

        `ax` is the one to draw on, None for Axes of its own. `theory` is a function of lags (n,) that returns the
        expected displacement (n,), such as ``lambda t: sigma**2 * t ** (2 * hurst)``.

        >>> walk = np.array([[[0.0], [1.0], [0.0]], [[0.0], [-1.0], [-2.0]]])
        >>> found = Displacement.of(np.arange(3.0), walk, np.array([0.0]), np.array([1.0, 2.0]))
        >>> found.plot(theory=lambda t: t).get_xlabel()
        'lag (units of the equation)'
        """
        return picture("plot_displacement")(self, ax, theory=theory, label=label)


def chosen_lags(times: Array, number: int) -> Array:
    """At most so many lags, evenly spaced in logarithms, from one saved step to all of them.

    >>> chosen_lags(np.arange(0.0, 101.0), 5)
    array([  1.,   3.,  10.,  32., 100.])
    """
    steps = np.unique(np.rint(np.geomspace(1, times.size - 1, number)).astype(np.int64))
    return np.asarray(times[steps] - times[0])
