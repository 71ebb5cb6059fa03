"""`ErrorBudget`: what each approximation of exits in continuous time may contribute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from ..core.show import Shown, Table
from .accuracy import Accuracy

_PER_PATH = ("missed_crossings", "jumps_per_path")  # what is averaged over paths
_LATER = ("step", "wanted_steps")  # what records of before do not hold
_LARGEST = ("overshoot", "drift", "noise_kl", "resolution", *_LATER)  # of which the largest value of several runs holds

_TOLD = 10.0  # how much farther than the default allows the boundary is misplaced where a note tells of it


class Finer(TypedDict):
    """Options of `first_passage` for a finer run."""

    fine_steps: int
    accuracy: Accuracy


@dataclass(frozen=True, repr=False)
class ErrorBudget(Shown):
    """What each approximation of exits in continuous time may contribute. `print` it to see how each was obtained.

    missed_crossings : expected number per path of jumps that hid an excursion beyond the boundary. It is an upper
        estimate where the boundary is smooth. What one jump in sixteen shows of pockets on its way is added; for small
        discs in a disc this was 1.8 to 2.7 times the number of exits that were lost.
    overshoot : the distance, in units of x, by which the boundary may still be misplaced because steps are not finer.
    drift : relative error of the stationary variance in a quadratic well that is as stiff as the stiffest place within
        reach of a jump, or as the gradient midway through one jump in sixteen reveals. It is large where jumps pass
        over narrow features.
    noise_kl : Kullback-Leibler divergence, in nats, of the noise model for one path.
    jumps_per_path : mean number of jumps of a path.
    hurst, fine_steps, accuracy : the Hurst parameter and the options of the run.
    resolution : features of a one-dimensional landscape that are narrower than this can have been overlooked. It is inf
        in several dimensions and where paths went farther than was scanned; only the sampled jumps tell there.
    step : the fine step. Times are the ends of fine steps, so that each is late by up to that. 0 if it is not known.
    wanted_steps : how many fine steps the default asks for, so that the boundary is misplaced by 5e-4 of its distance;
        it takes no more than 2^26 of them. 0 for a number of fine steps that was given.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), monitoring="continuous",
    ...                          horizon=1.0, n_paths=20, seed=1)
    >>> passages.error_budget.hurst, passages.error_budget.overshoot < 0.01
    (0.3, True)
    """

    missed_crossings: float
    overshoot: float
    drift: float
    noise_kl: float
    jumps_per_path: float
    hurst: float
    fine_steps: int
    accuracy: Accuracy
    resolution: float = math.inf
    step: float = 0.0
    wanted_steps: float = 0.0

    @property
    def note(self) -> str:
        """What a reader must know: 2^26 fine steps misplace the boundary by over ten times what the default allows.

        >>> ErrorBudget(0.0, 0.03, 0.0, 0.0, 30.0, 0.3, 2**26, Accuracy(), step=0.15, wanted_steps=1e12).note[:53]
        'The default took its most fine steps, 2^26, of length'
        >>> ErrorBudget(0.0, 0.03, 0.0, 0.0, 30.0, 0.3, 2**26, Accuracy(), step=0.15, wanted_steps=1e11).note
        ''
        """
        if (self.wanted_steps / self.fine_steps) ** self.hurst <= _TOLD:  # the boundary moves by the step to the H
            return ""
        return (
            f"The default took its most fine steps, 2^26, of length {self.step:.2g}, where {self.wanted_steps:.2g} "
            "would keep the error of probabilities below 5e-4: the boundary may be misplaced by "
            f"{self.overshoot:.2g}, and exits are late by up to a step. Take a shorter horizon, or more fine_steps, at "
            "most 2^30."
        )

    def halved(self) -> Finer:
        """Options of `first_passage` for a second run in which each of the five contributions is at most half as large.

        A jump may then hide an exit with an eighth of the probability, because there are more jumps on the finer grid.
        """
        a = self.accuracy
        tolerance = self.noise_kl / 2.0 if self.noise_kl > 0.0 else a.tolerance
        accuracy = Accuracy(a.miss / 8.0, a.drift_step / 2.0, tolerance)
        return {"fine_steps": self.fine_steps * 2 ** math.ceil(1.0 / self.hurst), "accuracy": accuracy}

    @classmethod
    def merged(cls, budgets: Sequence[ErrorBudget], paths: Sequence[int]) -> ErrorBudget:
        """The budget of all paths of several runs, which have so many paths each.

        What counts per path is averaged over paths; of the rest the largest value holds. Raises ValueError unless there
        is one number of paths for each budget and all runs had the same Hurst parameter and options.
        """
        if len(budgets) != len(paths) or not budgets:
            raise ValueError(f"paths must hold a number for each budget, got {len(paths)} for {len(budgets)}.")
        options = {(b.hurst, b.fine_steps, b.accuracy) for b in budgets}
        if len(options) > 1:
            raise ValueError(f"budgets must be of the same options, got {sorted(map(str, options))}.")
        means = {name: float(np.average([getattr(b, name) for b in budgets], weights=paths)) for name in _PER_PATH}
        most = {name: max(getattr(b, name) for b in budgets) for name in _LARGEST}
        return cls.of_record(budgets[0].record() | means | most)

    def record(self) -> dict[str, float]:
        """All numbers by name, the options among them; a tolerance that was not given is nan.

        >>> budget = ErrorBudget(1e-4, 1e-3, 5e-4, 1e-6, 30.0, 0.3, 2**16, Accuracy())
        >>> ErrorBudget.of_record(budget.record()) == budget
        True
        """
        own = {name: float(getattr(self, name)) for name in (*_PER_PATH, *_LARGEST, "hurst", "fine_steps")}
        tolerance = math.nan if self.accuracy.tolerance is None else self.accuracy.tolerance
        return own | {"miss": self.accuracy.miss, "drift_step": self.accuracy.drift_step, "tolerance": tolerance}

    @classmethod
    def of_record(cls, record: Mapping[str, float | str]) -> ErrorBudget:
        """The budget of a record, of which numbers may be texts such as "inf"; ValueError if a name is not there."""
        names = (*_PER_PATH, *_LARGEST, "hurst", "fine_steps", "miss", "drift_step", "tolerance")
        record = dict.fromkeys(_LATER, 0.0) | dict(record)
        missing = [name for name in names if name not in record]
        if missing:
            raise ValueError(f"record must hold all numbers of an error budget, got none of {', '.join(missing)}.")
        missed, jumps, overshoot, drift, kl, resolution, step, wanted, hurst, steps, miss, drift_step, tolerance = (
            float(record[name]) for name in names
        )
        accuracy = Accuracy(miss, drift_step, None if math.isnan(tolerance) else tolerance)
        return cls(missed, overshoot, drift, kl, jumps, hurst, int(steps), accuracy, resolution, step, wanted)

    def _facts(self) -> Mapping[str, object]:
        return {"H": self.hurst, "fine steps": self.fine_steps, "jumps per path": self.jumps_per_path,
                "missed crossings": self.missed_crossings, "overshoot": self.overshoot, "drift": self.drift,
                "noise KL": self.noise_kl, "note": self.note}  # fmt: skip

    def _lines(self) -> Table:
        return ("approximation", "what it may contribute", "how this is known"), self._rows()

    def __str__(self) -> str:
        rows = [f"{name:<17} {value:<30} {how}" for name, value, how in self._rows()]
        return "\n".join([*rows, *([self.note] if self.note else [])])

    def _rows(self) -> tuple[tuple[str, str, str], ...]:
        """Each approximation, what it may contribute, and how this is known."""
        tv = min(1.0, math.sqrt(self.noise_kl / 2.0))
        seen = "exact for a quadratic well and the stiffest jump; "
        seen += "jumps sampled" if math.isinf(self.resolution) else f"scanned to {self.resolution:.2g} in x"
        whole = "the whole shift of the boundary, as the rest of it is too small to be measured"
        left = whole if self.hurst > 0.5 else "a tenth of the shift of the boundary, a measured bound"
        if self.wanted_steps > self.fine_steps:
            left += f"; {self.wanted_steps:.2g} fine steps are wanted"
        return (
            ("missed crossings", f"{self.missed_crossings:.2g} per path", "tails beyond clearances; jumps sampled"),
            ("overshoot", f"{self.overshoot:.2g} in x", left),
            ("drift", f"{self.drift:.2g} of the variance", seen),
            ("noise model", f"KL {self.noise_kl:.2g}, TV {tv:.2g} per path", "certificate of the streaming model"),
            ("time", f"late by up to {self.step:.2g}", "exits are at the ends of fine steps"),
        )
