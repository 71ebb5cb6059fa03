"""The escape of SGD beside its model as a table and as files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.files import write_figure, write_text
from ...results.estimates import Estimate
from ...results.sgd_escape import BARRIERS, Basin, EscapeCase, EscapeComparison

__all__ = ["BARRIERS", "Basin", "EscapeCase", "SgdEscape"]


@dataclass(frozen=True)
class SgdEscape(EscapeComparison):
    """The basin and all cases with their views: a table, and files."""

    @property
    def table(self) -> str:
        """One Markdown line per case."""
        heads = ["sampling", "rate x curvature", "H Whittle [95 %]", "noise std", "spread SGD / memoryless model",
                 *(f"exit time SGD / model at {k:g} s.d. [95 %]" for k in BARRIERS),
                 f"the same with H = 1/2, {BARRIERS[-1]:g} s.d.", "verdict"]  # fmt: skip
        lines = [heads, ["---"] * len(heads), *map(_cells, self.cases)]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sgd_escape.json, .md and .png into the folder and return the paths written."""
        from ...plots.sgd import plot_sgd_escape

        json_file, table_file, figure_file = (Path(folder) / f"sgd_escape.{end}" for end in ("json", "md", "png"))
        basin = {"curvature": self.basin.curvature, "eigenvalue": self.basin.eigenvalue, "misfit": self.basin.misfit}
        write_text(json_file, json.dumps({"basin": basin, "cases": [*map(_record, self.cases)]}))
        write_text(table_file, self.table + "\n")
        write_figure(figure_file, partial(plot_sgd_escape, self), 130)
        return [json_file, table_file, figure_file]


def _told(estimate: Estimate, digits: int) -> str:
    """An estimate and its interval with so many decimals."""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def _cells(case: EscapeCase) -> list[str]:
    """The line of one case in the table."""
    start = [case.sampling, f"{case.drift:g}", _told(case.hurst, 3), f"{case.noise_std:.3g}", f"{case.spread:.3f}"]
    ratios = [*(case.ratio(place) for place in range(len(BARRIERS))), case.ratio(-1, memoryless=True)]
    return [*start, *(_told(ratio, 2) for ratio in ratios), case.verdict]


def _record(case: EscapeCase) -> dict[str, object]:
    """What the file keeps of one case."""
    return {
        "sampling": case.sampling,
        "learning_rate": case.learning_rate,
        "hurst": case.hurst.value,
        "noise_std": case.noise_std,
        "barriers": case.barriers,
        "spread": case.spread,
        "verdict": case.verdict,
        "ratios": [case.ratio(place) for place in range(len(case.barriers))],
        "sgd_exit_times": [passages.times.tolist() for passages in case.sgd],
    }
