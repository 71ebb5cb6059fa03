"""The results of the runs of the study of gradient noise, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..core.show import Shown, Table, line, told
from .estimates import Estimate


@dataclass(frozen=True, repr=False)
class Memory(Shown):
    """H of gradient noise by one estimator, beside the same estimator on copies of the noise without memory.

    Every number is a median over the coordinates of the noise. `hurst` has the 95 % interval of a single coordinate,
    `null` is the median of the copies with the range that holds 95 % of them. `p` is the two-sided probability that a
    copy lies as far out as `hurst` does.
    """

    hurst: Estimate
    null: Estimate
    p: float


@dataclass(frozen=True, repr=False)
class Tails(Shown):
    """Whether gradient noise is Gaussian or stable.

    non_gaussian : the share of the coordinates that a test of normality rejects at the level 0.01.
    steps, sums : the stable index that the growth from single steps to sums of 8 steps gives, and the one that the
        growth from there to sums of 64 steps gives. They are equal for independent steps of a stable law.
    bend : the difference of the reciprocals of the two, with its 95 % interval; zero for a stable law.
    """

    non_gaussian: float
    steps: float
    sums: float
    bend: Estimate


class Distances(NamedTuple):
    """Root mean square difference between the measured autocorrelation and that of each law, over the same lags."""

    white: float
    fgn: float
    epoch: float


class Curves(NamedTuple):
    """Autocorrelation at lags 1, 2, ...: the measured one, as a mean over the coordinates, and those of two laws."""

    measured: tuple[float, ...]
    fgn: tuple[float, ...]
    epoch: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Laws(Shown):
    """How well three laws describe the noise of batches that are cut from shuffled epochs.

    n_batches, correlation : batches in an epoch and the correlation of any two of them, by the law of epochs.
    hurst : the H of fractional Gaussian noise, by Whittle's estimator.
    fgn, epoch : by how much the log density of a step, given those before it, is larger under fractional Gaussian
        noise and under the law of epochs than under white noise, in nats per step, with 95 % intervals.
    lead : `epoch` less `fgn`, with its own interval.
    expected : what `epoch` is if the law of epochs holds and the noise is Gaussian.
    autocorrelation : over the lags of two epochs, at most 100.
    """

    n_batches: int
    correlation: float
    hurst: float
    fgn: Estimate
    epoch: Estimate
    lead: Estimate
    expected: float
    autocorrelation: Curves = field(repr=False)

    @property
    def distances(self) -> Distances:
        """How far the measured autocorrelation is from that of each law."""
        measured, *laws = map(np.array, self.autocorrelation)
        return Distances(*(float(np.sqrt(np.mean((measured - law) ** 2))) for law in (0.0, *laws)))


@dataclass(frozen=True, repr=False)
class MeasuredNoise(Shown):
    """Size, tails and memory of the noise of one run, taken in one way.

    `std` and `tail_index` are medians over the coordinates that vary; `constant` counts those that do not. `memory`
    holds one `Memory` per estimator, by its name. `tails` is there for noise whose steps are independent, and `laws`
    for noise of shuffled epochs.
    """

    std: float
    tail_index: float
    constant: int
    memory: dict[str, Memory]
    tails: Tails | None = None
    laws: Laws | None = None


@dataclass(frozen=True, repr=False)
class Null(Shown):
    """What an estimator returns for series without long memory: mean, spread of single series, error of the mean."""

    mean: float
    spread: float
    standard_error: float


@dataclass(frozen=True, repr=False)
class RunResult(Shown):
    """Scores of one trained network and its noise, by the way in which the noise was taken."""

    accuracy: float
    train_accuracy: float
    sharpness: float
    sharpness_converged: bool
    noise: dict[str, MeasuredNoise]


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """One finished run: its group, its name and its result."""

    group: str
    name: str
    result: RunResult = field(repr=False)


@dataclass(frozen=True, repr=False)
class GradientRuns(Shown):
    """All finished runs, and the same measurement for `references`, which are series whose memory is known.

    `nulls` has what the estimator of the group "protocol-2022" returns for noise without long memory; it is empty
    without that group. `complete` is False after an interruption.
    """

    runs: tuple[Run, ...]
    references: dict[str, MeasuredNoise]
    complete: bool = True
    nulls: dict[str, Null] = field(default_factory=dict)

    def __repr__(self) -> str:
        groups = ", ".join(dict.fromkeys(run.group for run in self.runs)) or "no group"
        end = "" if self.complete else ", interrupted"
        return line(type(self).__name__, [f"{len(self.runs)} runs of {groups}{end}"])

    def _facts(self) -> Mapping[str, object]:
        return {"runs": len(self.runs), "state": None if self.complete else "interrupted"}

    def _lines(self) -> Table:
        heads = ("group", "run", "accuracy", "sharpness")
        return heads, [
            (run.group, run.name, told(run.result.accuracy), told(run.result.sharpness)) for run in self.runs
        ]  # fmt: skip

    def group(self, name: str) -> list[Run]:
        """The runs of a group, in the order in which they were made."""
        return [run for run in self.runs if run.group == name]
