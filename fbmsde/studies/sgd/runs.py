"""Runs of the study of gradient noise: experiments, protocols, efforts, and what they say together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from ...core.files import write_figure, write_text
from ...hurst.registry import EstimatorName
from ...results.gradient_runs import GradientRuns, Run
from . import tables
from .gradient_noise import Mode, Sampling

__all__ = [
    "FIRST_METHODS",
    "GROUPS",
    "LATER",
    "PUBLISHED",
    "QUICK",
    "SETTINGS",
    "Effort",
    "Experiment",
    "Protocol",
    "Run",
    "SgdStudy",
    "Taking",
    "protocol_of",
]

PUBLISHED: Final = "rs_noise_as_path"
LATER = "protocol-2022"


class Taking(NamedTuple):
    """How gradient noise is taken: the `mode` and the `sampling` of `collect_gradient_noise`."""

    mode: Mode
    sampling: Sampling


SETTINGS = {
    "frozen, fresh batches": Taking("frozen", "without_replacement"),
    "frozen, epochs": Taking("frozen", "epochs"),
    "training, fresh batches": Taking("training", "without_replacement"),
    "training, epochs": Taking("training", "epochs"),
}


@dataclass(frozen=True)
class Protocol:
    """How the noise of a group is read.

    published : the estimator of the publication, beside that of Whittle.
    title : what tables and figures call it.
    lengths : the noise of so many times `Effort.n_steps` steps is taken.
    """

    published: EstimatorName
    title: str
    lengths: int = 1

    @property
    def methods(self) -> dict[EstimatorName, str]:
        """The estimators, and how the copies without memory are made that each is held against.

        Flipped signs keep the size of every step in its place. The published estimators read the law of the values,
        which flipping changes if it is skewed.
        """
        return {"whittle": "sign_flip", self.published: "shuffle"}


_FIRST = Protocol(PUBLISHED, "published R/S")
_LATER = Protocol("rs_windows_50_500", "R/S, windows 50 to 445", lengths=3)


FIRST_METHODS = _FIRST.methods


def protocol_of(group: str) -> Protocol:
    """How the noise of a group is read.

    >>> protocol_of("strategy").title, protocol_of("protocol-2022").lengths
    ('published R/S', 3)
    """
    return _LATER if group == LATER else _FIRST


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
    LATER: (
        Experiment("MLP batch 128", batch_size=128, momentum=0.9, weight_decay=5e-4),
        Experiment("CNN batch 128", "cnn", width=12, batch_size=128, momentum=0.9, weight_decay=5e-4),
        Experiment("MLP batch 32", momentum=0.9, weight_decay=5e-4),
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
    """All finished runs and the reference series with their views: tables, sentences, and files."""

    @property
    def table(self) -> str:
        """Markdown tables of memory, laws and tails of every run and setting, and the statement below them."""
        later = [run for run in self.runs if run.group == LATER]
        first = [run for run in self.runs if run.group != LATER]
        parts = [tables.memory_table(first, _FIRST.published, _FIRST.title, self.references)]
        if later:
            parts.append(tables.memory_table(later, _LATER.published, _LATER.title, {}))
        if self.nulls:
            parts.append(tables.nulls_table(self.nulls))
        parts += [tables.laws_table(self.runs), tables.tails_table(self.runs, self.references), self.statement]
        return "\n\n".join(parts)

    @property
    def statement(self) -> str:
        """What the runs say about memory, laws and tails, setting by setting, in plain sentences."""
        sentences = []
        for protocol, later in ((_FIRST, False), (_LATER, True)):
            runs = _different([run for run in self.runs if (run.group == LATER) is later])
            kinds = ((protocol.title, protocol.published, "with steps shuffled"), _WHITTLE)
            sentences += [tables.memory_sentence(how, [run.result.noise[how] for run in runs], kinds)
                          for how in SETTINGS if runs]  # fmt: skip
        if self.runs:
            runs = _different(self.runs)
            sentences += [tables.laws_sentence(how, runs) for how in ("frozen, epochs", "training, epochs")]
            sentences.append(tables.tails_sentence("frozen, fresh batches", runs))
        white = self.references["Gaussian white noise"].memory[PUBLISHED].hurst.value
        sentences.append(f"The published estimator returns {white:.3f} for Gaussian white noise.")
        if not self.complete:
            sentences.append(f"Interrupted: only {len(self.runs)} runs were finished.")
        return "\n".join(sentences)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sgd.md, a figure per group and one of the laws into the folder and return the paths written."""
        from ...plots.sgd import plot_sgd_group, plot_sgd_laws

        written = [Path(folder) / "sgd.md"]
        write_text(written[0], self.table + "\n")
        for name in dict.fromkeys(run.group for run in self.runs):
            written.append(Path(folder) / f"sgd_{name.replace(' ', '_').replace('-', '_')}.png")
            write_figure(written[-1], partial(plot_sgd_group, self, name), 130)
        if self.runs:
            written.append(Path(folder) / "sgd_laws.png")
            write_figure(written[-1], partial(plot_sgd_laws, self), 130)
        return written


_WHITTLE = ("Whittle", "whittle", "with signs flipped")


def _different(runs: Sequence[Run]) -> list[Run]:
    """The runs without those that stand in a second group under another name, which are the same to the last digit."""
    return list({repr(run.result): run for run in reversed(runs)}.values())[::-1]
