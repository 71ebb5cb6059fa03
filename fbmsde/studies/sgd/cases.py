"""Cases of the escape of SGD: basins, barriers and what is compared."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from scipy import stats

from ...core.files import write_figure, write_text
from ...core.types import Array
from ...results.passage_times import PassageTimes

BARRIERS = (1.5, 2.0, 2.5)  # in stationary standard deviations of the memoryless model


@dataclass(frozen=True)
class Basin:
    """A minimum of a network's loss along its sharpest direction.

    curvature : of the parabola fitted to `losses` at `offsets` from the minimum. eigenvalue : of the Hessian there.
    gradient_norm : what is left of the gradient at the minimum. misfit : largest distance between loss and parabola,
    relative to the rise of the loss over the fitted range.
    """

    eigenvalue: float
    curvature: float
    gradient_norm: float
    offsets: Array = field(repr=False)
    losses: Array = field(repr=False)
    misfit: float


@dataclass(frozen=True)
class EscapeCase:
    """One way of sampling at one learning rate: the measured noise, and exit times of SGD and of the model.

    sgd, model, memoryless : one `PassageTimes` per entry of `BARRIERS`; the last one of the model with H = 1/2 and the
    same standard deviation. model_ends : of the model at both ends of `hurst_interval`.
    spread : standard deviation of SGD along the direction over that of the memoryless model.
    """

    sampling: str
    learning_rate: float
    drift: float
    noise_std: float
    hurst: float
    hurst_interval: tuple[float, float]
    spread: float
    barriers: tuple[float, ...]
    sgd: tuple[PassageTimes, ...] = field(repr=False)
    model: tuple[PassageTimes, ...] = field(repr=False)
    model_ends: tuple[tuple[PassageTimes, PassageTimes], ...] = field(repr=False)
    memoryless: tuple[PassageTimes, ...] = field(repr=False)

    def ratio(self, place: int, *, memoryless: bool = False, level: float = 0.95) -> tuple[float, float, float]:
        """Mean exit time up to the horizon, SGD over model, with an interval that holds the error of the measured H."""
        times = self.sgd[place].times
        if memoryless:
            centre, ends = self.memoryless[place], (self.memoryless[place],) * 2
        else:
            centre, ends = self.model[place], self.model_ends[place]
        ratios = [float(times.mean() / passages.times.mean()) for passages in (centre, *ends)]
        error = float(times.std(ddof=1) / math.sqrt(times.size) / times.mean())
        width = float(stats.norm.isf((1.0 - level) / 2.0)) * error
        return ratios[0], min(ratios) * math.exp(-width), max(ratios) * math.exp(width)

    @property
    def levels(self) -> tuple[float, ...]:
        """The barriers in stationary standard deviations of the memoryless model."""
        return BARRIERS

    @property
    def verdict(self) -> str:
        """Whether the exit times of SGD agree with the model: the barrier where they differ most, if they do."""
        count = len(self.barriers)
        ratios = [self.ratio(place, level=1.0 - 0.05 / count) for place in range(count)]
        value, low, high = max(ratios, key=lambda r: abs(math.log(r[0])))
        if all(lower <= 1.0 <= upper for _, lower, upper in ratios):
            return f"model agrees: ratio {value:.2f} [{low:.2f}, {high:.2f}]"
        return f"MODEL FAILS: SGD stays {value:.2f} [{low:.2f}, {high:.2f}] times as long"


@dataclass(frozen=True)
class SgdEscape:
    """The basin and all cases."""

    basin: Basin
    cases: tuple[EscapeCase, ...]

    @property
    def table(self) -> str:
        """One Markdown line per case."""
        heads = ["sampling", "rate x curvature", "H Whittle [95 %]", "noise std", "spread SGD / memoryless model",
                 *(f"exit time SGD / model at {k:g} s.d. [95 %]" for k in BARRIERS),
                 f"the same with H = 1/2, {BARRIERS[-1]:g} s.d.", "verdict"]  # fmt: skip
        lines = [heads, ["---"] * len(heads)]
        for case in self.cases:
            found = [*(case.ratio(place) for place in range(len(BARRIERS))), case.ratio(-1, memoryless=True)]
            ratios = [f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in found]
            hurst = f"{case.hurst:.3f} [{case.hurst_interval[0]:.3f}, {case.hurst_interval[1]:.3f}]"
            start = [case.sampling, f"{case.drift:g}", hurst, f"{case.noise_std:.3g}", f"{case.spread:.3f}"]
            lines.append([*start, *ratios, case.verdict])
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sgd_escape.json, .md and .png into the folder; the paths written."""
        from ...plots.sgd import plot_sgd_escape

        json_file, table_file, figure_file = (Path(folder) / f"sgd_escape.{end}" for end in ("json", "md", "png"))
        cases = [{"sampling": c.sampling, "learning_rate": c.learning_rate, "hurst": c.hurst, "noise_std": c.noise_std,
                  "barriers": c.barriers, "spread": c.spread, "verdict": c.verdict,
                  "ratios": [c.ratio(place) for place in range(len(c.barriers))],
                  "sgd_exit_times": [p.times.tolist() for p in c.sgd]} for c in self.cases]  # fmt: skip
        basin = {"curvature": self.basin.curvature, "eigenvalue": self.basin.eigenvalue, "misfit": self.basin.misfit}
        write_text(json_file, json.dumps({"basin": basin, "cases": cases}))
        write_text(table_file, self.table + "\n")
        write_figure(figure_file, lambda: plot_sgd_escape(self), 130)
        return [json_file, table_file, figure_file]
