"""The results of the runs of the study of gradient noise, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from .estimates import Estimate


@dataclass(frozen=True)
class Memory:
    """H of gradient noise by one estimator, beside the same estimator on copies of the noise without memory.

    Every number is a median over the coordinates of the noise. `hurst` has the 95 % interval of a single coordinate,
    `null` is the median of the copies with the range that holds 95 % of them. `p` is the two-sided probability that a
    copy lies as far out as `hurst` does.
    """

    hurst: Estimate
    null: Estimate
    p: float


@dataclass(frozen=True)
class MeasuredNoise:
    """Size, tails and memory of the noise of one run, taken in one way.

    `std` and `tail_index` are medians over the coordinates that vary; `constant` counts those that do not. `memory`
    holds one `Memory` per estimator, by its name.
    """

    std: float
    tail_index: float
    constant: int
    memory: dict[str, Memory]


@dataclass(frozen=True)
class RunResult:
    """Scores of one trained network and its noise, by the way in which the noise was taken."""

    accuracy: float
    train_accuracy: float
    sharpness: float
    sharpness_converged: bool
    noise: dict[str, MeasuredNoise]


@dataclass(frozen=True)
class Run:
    """One finished run: its group, its name and its result."""

    group: str
    name: str
    result: RunResult = field(repr=False)


@dataclass(frozen=True, repr=False)
class GradientRuns:
    """All finished runs, and the same measurement for `references`, which are series whose memory is known.

    `complete` is False after an interruption.
    """

    runs: tuple[Run, ...]
    references: dict[str, MeasuredNoise]
    complete: bool = True

    def __repr__(self) -> str:
        groups = ", ".join(dict.fromkeys(run.group for run in self.runs)) or "no group"
        end = "" if self.complete else ", interrupted"
        return f"{type(self).__name__}({len(self.runs)} runs of {groups}{end})"

    def group(self, name: str) -> list[Run]:
        """The runs of a group, in the order in which they were made."""
        return [run for run in self.runs if run.group == name]
