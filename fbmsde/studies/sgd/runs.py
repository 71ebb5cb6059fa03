"""Runs of the study of gradient noise: experiments, efforts, and the table they make."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ...core.files import write_figure, write_text

PUBLISHED = "rs_noise_as_path"

# The estimators, and how the copies without memory are made that each is held against. Flipped signs keep the size of
# every step in its place. The published estimator reads the law of the values, which flipping changes if it is skewed.
METHODS = {"whittle": "sign_flip", PUBLISHED: "shuffle"}
SETTINGS = {  # how the noise is taken: (mode, sampling)
    "frozen, fresh batches": ("frozen", "without_replacement"),
    "frozen, epochs": ("frozen", "epochs"),
    "training, fresh batches": ("training", "without_replacement"),
    "training, epochs": ("training", "epochs"),
}


@dataclass(frozen=True)
class Experiment:
    """One network and how it is trained; `cosine`: the learning rate falls to zero along half a cosine."""

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
    """How long each run trains, how much noise is taken, how many copies make a null, how many runs a group has.

    `ends_only`: only the first and the last experiment of each group.
    """

    n_train: int = 2000
    n_steps: int = 1000
    n_coordinates: int = 100
    n_surrogates: int = 99
    ends_only: bool = False


QUICK = Effort(n_train=200, n_steps=128, n_coordinates=20, n_surrogates=39, ends_only=True)


@dataclass(frozen=True)
class Run:
    """One finished run: group, name, and everything measured (`result`, as it is stored)."""

    group: str
    name: str
    result: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class SgdStudy:
    """All finished runs and the reference series; `complete` is False after an interruption."""

    runs: tuple[Run, ...]
    references: dict[str, dict[str, Any]]
    complete: bool = True

    def __repr__(self) -> str:
        groups = ", ".join(dict.fromkeys(run.group for run in self.runs))
        return f"SgdStudy({len(self.runs)} runs of {groups or 'no group'}{'' if self.complete else ', interrupted'})"

    @property
    def table(self) -> str:
        """One Markdown table of every run and setting, the reference series first, and what it says."""
        lines = [_line("reference", name, "", "", "", found) for name, found in self.references.items()]
        for run in self.runs:
            scores = f"{run.result['accuracy']:.3f}", f"{run.result['sharpness']:.3g}"
            lines += [_line(run.group, run.name, how, *scores, m) for how, m in run.result["noise"].items()]
        rule = ["---"] * len(_HEAD)
        rows = ["| " + " | ".join(cells) + " |" for cells in ([*_HEAD], rule, *lines)]
        return "\n".join([*rows, "", self.statement])

    @property
    def statement(self) -> str:
        """What the runs say about memory, setting by setting, in plain sentences."""
        parts = [_sentence(how, [r.result["noise"][how] for r in self.runs]) for how in SETTINGS if self.runs]
        white = self.references["Gaussian white noise"][PUBLISHED]["hurst"]
        parts.append(f"The published estimator returns {white:.3f} for Gaussian white noise.")
        if not self.complete:
            parts.append(f"Interrupted: only {len(self.runs)} runs were finished.")
        return "\n".join(parts)

    def group(self, name: str) -> list[Run]:
        """The runs of a group."""
        return [run for run in self.runs if run.group == name]

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sgd.md and one figure per group into the folder; the paths written."""
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


def _line(group: str, run: str, how: str, score: str, sharpness: str, found: dict[str, Any]) -> list[str]:
    """The cells of one row."""
    ours, theirs = (found[method] for method in METHODS)
    nulls = [f"{m['null']:.3f} [{m['null_low']:.3f}, {m['null_high']:.3f}]" for m in (ours, theirs)]
    return [group, run, how, score, sharpness, f"{found['std']:.2g}", f"{found['tail_index']:.2f}",
            f"{ours['hurst']:.3f} [{ours['low']:.3f}, {ours['high']:.3f}]", nulls[0], f"{ours['p']:.2g}",
            f"{theirs['hurst']:.3f}", nulls[1], f"{theirs['p']:.2g}", f"{found['constant']}"]  # fmt: skip


def _sentence(how: str, found: list[dict[str, Any]]) -> str:
    """Ranges over the runs of one setting, and how many differ from their copies without memory."""
    texts = []
    kinds = (("published R/S", PUBLISHED, "with steps shuffled"), ("Whittle", "whittle", "with signs flipped"))
    for title, method, copies in kinds:
        values = [f[method]["hurst"] for f in found]
        nulls = [f[method]["null"] for f in found]
        hits = sum(f[method]["p"] <= 0.05 for f in found)
        texts.append(f"{title} {min(values):.3f} ... {max(values):.3f}, {copies} {min(nulls):.3f} ... "
                     f"{max(nulls):.3f}, different at the 5 % level in {hits} of {len(found)} runs")  # fmt: skip
    return f"{how}: {'; '.join(texts)}."
