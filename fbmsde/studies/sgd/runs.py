"""Runs of the study of gradient noise: experiments, efforts, and the table they make."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ...core.files import write_figure, write_text
from ...results.estimates import Estimate
from ...results.gradient_runs import GradientRuns, MeasuredNoise, Run

__all__ = ["GROUPS", "METHODS", "PUBLISHED", "QUICK", "SETTINGS", "Effort", "Experiment", "Run", "SgdStudy", "Taking"]

PUBLISHED = "rs_noise_as_path"

# The estimators, and how the copies without memory are made that each is held against. Flipped signs keep the size of
# every step in its place. The published estimator reads the law of the values, which flipping changes if it is skewed.
METHODS = {"whittle": "sign_flip", PUBLISHED: "shuffle"}


class Taking(NamedTuple):
    """How gradient noise is taken: the `mode` and the `sampling` of `collect_gradient_noise`."""

    mode: str
    sampling: str


SETTINGS = {
    "frozen, fresh batches": Taking("frozen", "without_replacement"),
    "frozen, epochs": Taking("frozen", "epochs"),
    "training, fresh batches": Taking("training", "without_replacement"),
    "training, epochs": Taking("training", "epochs"),
}


@dataclass(frozen=True)
class Experiment:
    """One network and how it is trained. With `cosine` the learning rate falls to zero along half a cosine."""

    name: str
    kind: str = "mlp"
    width: int = 32
    depth: int = 2
    batch_size: int = 32
    learning_rate: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    label_noise: float = 0.0
    cosine: bool = False


GROUPS: dict[str, tuple[Experiment, ...]] = {
    "batch size": tuple(Experiment(f"{b}", batch_size=b) for b in (8, 32, 128, 512)),
    "learning rate": tuple(Experiment(f"{rate:g}", learning_rate=rate) for rate in (0.01, 0.03, 0.1, 0.3)),
    "architecture": (
        *(Experiment(f"MLP {w} x {d}", width=w, depth=d) for w, d in ((8, 1), (32, 1), (128, 1), (32, 2), (32, 4))),
        *(Experiment(f"CNN {w} x {d}", "cnn", width=w, depth=d) for w, d in ((4, 2), (12, 2))),
    ),
    "strategy": (
        Experiment("plain"),
        Experiment("momentum 0.9", momentum=0.9, learning_rate=0.03),
        Experiment("weight decay 0.01", weight_decay=0.01),
        Experiment("20 % label noise", label_noise=0.2),
        Experiment("cosine rate", cosine=True),
    ),
}


@dataclass(frozen=True)
class Effort:
    """How much work goes into each run and into each group.

    A network trains for `n_train` steps; then the noise of `n_steps` steps is taken at `n_coordinates` coordinates and
    held against `n_surrogates` copies. If `ends_only`, a group has only its first and its last experiment.
    """

    n_train: int = 2000
    n_steps: int = 1000
    n_coordinates: int = 100
    n_surrogates: int = 99
    ends_only: bool = False


QUICK = Effort(n_train=200, n_steps=128, n_coordinates=20, n_surrogates=39, ends_only=True)


@dataclass(frozen=True, repr=False)
class SgdStudy(GradientRuns):
    """All finished runs and the reference series with their views: a table, sentences, and files."""

    @property
    def table(self) -> str:
        """One Markdown table of every run and setting, the reference series first, and the statement below it."""
        lines = [_line(("reference", name, "", "", ""), found) for name, found in self.references.items()]
        for run in self.runs:
            scores = f"{run.result.accuracy:.3f}", f"{run.result.sharpness:.3g}"
            lines += [_line((run.group, run.name, how, *scores), found) for how, found in run.result.noise.items()]
        rule = ["---"] * len(_HEAD)
        rows = ["| " + " | ".join(cells) + " |" for cells in (_HEAD, rule, *lines)]
        return "\n".join([*rows, "", self.statement])

    @property
    def statement(self) -> str:
        """What the runs say about memory, setting by setting, in plain sentences."""
        parts = [_sentence(how, [run.result.noise[how] for run in self.runs]) for how in SETTINGS if self.runs]
        white = self.references["Gaussian white noise"].memory[PUBLISHED].hurst.value
        parts.append(f"The published estimator returns {white:.3f} for Gaussian white noise.")
        if not self.complete:
            parts.append(f"Interrupted: only {len(self.runs)} runs were finished.")
        return "\n".join(parts)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sgd.md and one figure per group into the folder and return the paths written."""
        from ...plots.sgd import plot_sgd_group

        written = [Path(folder) / "sgd.md"]
        write_text(written[0], self.table + "\n")
        for name in dict.fromkeys(run.group for run in self.runs):
            written.append(Path(folder) / f"sgd_{name.replace(' ', '_')}.png")
            write_figure(written[-1], partial(plot_sgd_group, self, name), 130)
        return written


_HEAD = ("group", "run", "noise", "test accuracy", "largest Hessian eigenvalue", "std", "tail index (Hill)",
         "H Whittle [95 %]", "signs flipped [95 %]", "p", "published R/S", "steps shuffled [95 %]", "p",
         "constant")  # fmt: skip


def _line(start: Sequence[str], found: MeasuredNoise) -> list[str]:
    """The cells of one row: what was run, then what its noise says."""
    ours, theirs = (found.memory[method] for method in METHODS)
    return [*start, f"{found.std:.2g}", f"{found.tail_index:.2f}",
            _told(ours.hurst), _told(ours.null), f"{ours.p:.2g}",
            f"{theirs.hurst.value:.3f}", _told(theirs.null), f"{theirs.p:.2g}", f"{found.constant}"]  # fmt: skip


def _told(estimate: Estimate) -> str:
    """An estimate with its interval."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _sentence(how: str, found: Sequence[MeasuredNoise]) -> str:
    """Ranges over the runs of one setting, and how many differ from their copies without memory."""
    texts = []
    kinds = (("published R/S", PUBLISHED, "with steps shuffled"), ("Whittle", "whittle", "with signs flipped"))
    for title, method, copies in kinds:
        memories = [noise.memory[method] for noise in found]
        values, nulls = [memory.hurst.value for memory in memories], [memory.null.value for memory in memories]
        hits = sum(memory.p <= 0.05 for memory in memories)
        texts.append(f"{title} {min(values):.3f} ... {max(values):.3f}, {copies} {min(nulls):.3f} ... "
                     f"{max(nulls):.3f}, different at the 5 % level in {hits} of {len(found)} runs")  # fmt: skip
    return f"{how}: {'; '.join(texts)}."
