"""The escape of SGD beside models of its noise as a table and as files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.files import write_figure, write_text
from ...results.estimates import Estimate
from ...results.sgd_escape import BARRIERS, Basin, EscapeCase, EscapeComparison
from .tables import markdown

__all__ = ["BARRIERS", "Basin", "EscapeCase", "SgdEscape"]


@dataclass(frozen=True)
class SgdEscape(EscapeComparison):
    """The basin and all cases with their views: a table, and files."""

    @property
    def table(self) -> str:
        """One Markdown line per case and model, and the statement below it."""
        heads = ["sampling", "momentum", "rate x curvature / (1 - momentum)", "H Whittle [95 %]", "noise std",
                 "spread of SGD", "model", "spread of the model",
                 *(f"exit time SGD / model at {k:g} s.d. [95 %]" for k in BARRIERS), "verdict"]  # fmt: skip
        lines = [_cells(case, model) for case in self.cases for model in case.models]
        return markdown(heads, lines) + "\n\n" + self.statement

    @property
    def statement(self) -> str:
        """How many cases each model agrees with, in plain sentences, for each way of sampling."""
        sentences = []
        for sampling in dict.fromkeys(case.sampling for case in self.cases):
            cases = [case for case in self.cases if case.sampling == sampling]
            counts = [f"{model} with {sum(case.agrees(model) for case in cases)}" for model in cases[0].models]
            sentences.append(f"Of {len(cases)} cases, {_NAMES[sampling]}, agree: {', '.join(counts)}.")
        return "\n".join(sentences)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sgd_escape.json, .md and .png into the folder and return the paths written."""
        from ...plots.sgd_escape import plot_sgd_escape

        json_file, table_file, figure_file = (Path(folder) / f"sgd_escape.{end}" for end in ("json", "md", "png"))
        basin = {"curvature": self.basin.curvature, "eigenvalue": self.basin.eigenvalue, "misfit": self.basin.misfit}
        write_text(json_file, json.dumps({"basin": basin, "cases": [*map(_record, self.cases)]}))
        write_text(table_file, self.table + "\n")
        write_figure(figure_file, partial(plot_sgd_escape, self), 130)
        return [json_file, table_file, figure_file]


_NAMES = {"with_replacement": "batches drawn with replacement", "epochs": "shuffled epochs"}


def _told(estimate: Estimate, digits: int) -> str:
    """An estimate and its interval with so many decimals."""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def _cells(case: EscapeCase, model: str) -> list[str]:
    """The line of one case and model in the table."""
    start = [case.sampling, f"{case.momentum:g}", f"{case.drift:g}", _told(case.hurst, 3), f"{case.noise_std:.3g}",
             f"{case.spread:.3f}", model, f"{case.models[model].spread:.3f}"]  # fmt: skip
    ratios = [_told(case.ratio(place, model), 2) for place in range(len(BARRIERS))]
    return [*start, *ratios, "agrees" if case.agrees(model) else f"FAILS: {_told(case.worst(model), 2)}"]


def _record(case: EscapeCase) -> dict[str, object]:
    """What the file keeps of one case."""
    places = range(len(case.barriers))
    models = {
        name: {"spread": exits.spread, "agrees": case.agrees(name), "ratios": [case.ratio(k, name) for k in places],
               "mean_exit_times": [float(passages.times.mean()) for passages in exits.passages]}
        for name, exits in case.models.items()
    }  # fmt: skip
    return {
        "sampling": case.sampling,
        "momentum": case.momentum,
        "learning_rate": case.learning_rate,
        "hurst": case.hurst.value,
        "noise_std": case.noise_std,
        "barriers": case.barriers,
        "spread": case.spread,
        "models": models,
        "sgd_exit_times": [passages.times.tolist() for passages in case.sgd],
    }
