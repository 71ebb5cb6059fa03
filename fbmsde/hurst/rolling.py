"""Hurst estimates in windows that move along a series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from ..core import checks
from ..core.choices import asks_for
from ..core.pictures import picture
from ..core.show import Shown
from ..core.types import Array, SeriesKind
from .batch import KINDS, TELL_KIND
from .estimate import EstimateOptions, estimate_hurst
from .registry import EstimatorName
from .result import HurstEstimate
from .rows import series_rows
from .words import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class RollingHurst(Shown):
    """Hurst estimates in windows that move along one series.

    centres : the middle of each window, counted in increments from the start of the series, (n_windows,).
    window : number of increments per window. Windows that overlap give dependent estimates.
    estimate : the `HurstEstimate` of the windows, whose arrays are (n_windows,).

    >>> from fbmsde import fgn
    >>> rolling = rolling_hurst(fgn(0.7, 512, seed=1)[0], kind="increments", window=128)
    >>> rolling.centres.shape == rolling.estimate.hurst.shape
    True
    """

    centres: Array
    window: int
    estimate: HurstEstimate

    def __repr__(self) -> str:
        return f"RollingHurst({self.centres.size} windows of {self.window}, {spread('H', self.estimate.hurst)})"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the estimate of each window with its 95 % interval as a band, by `plots.plot_rolling_hurst`."""
        return picture("plot_rolling_hurst")(self, ax)

    def _facts(self) -> Mapping[str, object]:
        windows = f"{self.centres.size} of {self.window} increments"
        error = float(np.nanmedian(self.estimate.standard_error))
        return {"windows": windows, "H": self.estimate.hurst, "standard error of a window": error,
                "method": self.estimate.method}  # fmt: skip


@asks_for("kind", KINDS, TELL_KIND)
def rolling_hurst(
    x: ArrayLike,
    *,
    kind: SeriesKind,
    window: int,
    step: int | None = None,
    method: EstimatorName = "whittle",
    **options: Unpack[EstimateOptions],
) -> RollingHurst:
    """Hurst estimates in windows of one series (n,), for memory that drifts (multifractional noise).

    `window` is the length of a window and `step` the distance between the starts of neighbouring ones, both in
    increments; by default the step is a quarter of the window. `options` are those of `estimate_hurst`.

    If H is constant, the windowed estimates scatter with standard deviation `estimate.standard_error`; read a drift
    into them only if it is clearly larger. Overlapping windows are correlated. Raises ValueError if the window is
    longer than the series or if there is more than one series.

    >>> rolling = rolling_hurst(np.random.default_rng(0).standard_normal(2000), kind="increments", window=500)
    >>> rolling.centres[:3], rolling.estimate.hurst.shape
    (array([249.5, 374.5, 499.5]), (13,))
    """
    values = series_rows(x)
    if values.ndim != 1:
        raise ValueError(f"x must have shape (n,), got {values.shape}. Call once per series.")
    width = checks.count("window", window)
    stride = max(1, width // 4) if step is None else checks.count("step", step)
    extra = checks.choice("kind", kind, KINDS) == "path"  # a path has one value more than increments
    if width + extra > values.size:
        raise ValueError(f"window must be at most {values.size - extra}, the number of increments, got {width}.")
    windows = sliding_window_view(values, width + extra)[::stride]
    centres = np.asarray(stride * np.arange(len(windows)) + (width - 1) / 2.0, dtype=float)
    return RollingHurst(centres, width, estimate_hurst(windows, kind=kind, method=method, **options))
