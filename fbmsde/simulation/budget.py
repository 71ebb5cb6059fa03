"""What each approximation of a run in continuous time may contribute, and how to make each of them smaller."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from ..core.linear import gauss_legendre
from ..core.types import Array
from ..laws.fou import polylog_negative
from .accuracy import Accuracy

PER_UNIT, BINS = 8, 128  # classes of the clearance of jumps: an eighth of a standard deviation each
_SUMMED = 2**8  # steps up to which a sum is taken over them, an integral beyond
_NODES, _WEIGHTS = gauss_legendre(200)


@dataclass(frozen=True)
class ErrorBudget:
    """What each approximation of exits in continuous time may contribute; `print` it to see how each was obtained.

    `missed_crossings`: expected number per path of jumps that hid an excursion beyond the boundary: an upper
    estimate where the boundary is smooth, plus what one jump in sixteen shows of pockets on its way, which for
    small discs in a disc was 1.8 to 2.7 times the exits that were lost. `overshoot`: how far, in units of x, the
    boundary may still be misplaced for want of finer steps. `drift`: relative error of the stationary variance in a
    quadratic well as stiff as the stiffest place within reach of a jump, or as the gradient midway through one jump
    in sixteen reveals: large where jumps pass over narrow features. `resolution`: a feature of a one-dimensional
    landscape that is narrower can have been overlooked; inf in several dimensions and where paths went farther than
    was scanned, where only the sampled jumps tell. `noise_kl`: KL divergence of one path of the noise model.
    `late_exits`: share of the paths seen to leave only at the end of a jump of several steps. `jumps_per_path`:
    mean.
    """

    missed_crossings: float
    overshoot: float
    drift: float
    noise_kl: float
    late_exits: float
    jumps_per_path: float
    hurst: float
    fine_steps: int
    accuracy: Accuracy
    resolution: float = math.inf

    def halved(self) -> dict[str, Any]:
        """Options of `first_passage` for a checking run with each of the four contributions at most half as large.

        An eighth of the misses to a jump, as there are more jumps on the finer grid.
        """
        a = self.accuracy
        tolerance = self.noise_kl / 2.0 if self.noise_kl > 0.0 else a.tolerance
        accuracy = Accuracy(a.miss / 8.0, a.drift_step / 2.0, tolerance)
        return {"fine_steps": self.fine_steps * 2 ** math.ceil(1.0 / self.hurst), "accuracy": accuracy}

    def __str__(self) -> str:
        tv = min(1.0, math.sqrt(self.noise_kl / 2.0))
        seen = "exact for a quadratic well and the stiffest jump; "
        seen += "jumps sampled" if math.isinf(self.resolution) else f"scanned to {self.resolution:.2g} in x"
        whole = "the whole shift of the boundary, as the rest of it is too small to be measured"
        left = whole if self.hurst > 0.5 else "a tenth of the shift of the boundary, a measured bound"
        rows = (
            (
                "missed crossings",
                f"{self.missed_crossings:.2g} per path",
                "tails beyond clearances; jumps sampled",
            ),
            ("overshoot", f"{self.overshoot:.2g} in x", left),
            ("drift", f"{self.drift:.2g} of the variance", seen),
            ("noise model", f"KL {self.noise_kl:.2g}, TV {tv:.2g} per path", "certificate of the streaming model"),
        )
        return "\n".join(f"{name:<17} {value:<30} {how}" for name, value, how in rows)


def overshoot_left(hurst: float) -> float:
    """Share of the shift of the boundary by which it may still be misplaced.

    Measured on fBm to a barrier at 1 within time 1, on 2^6 to 2^14 steps: .03 at H = .2, below .02 at .3, .06 to .1 at
    .4; beyond 1/2 the shift itself changes probabilities by about .01 and less, and its rest was not resolved.
    """
    return 0.1 if hurst <= 0.5 else 1.0


def hidden_excursion(hurst: float, steps: int, reach: ArrayLike) -> Array:
    """Estimated probability that a jump with the boundary `reach` standard deviations away hides an exit.

    The path is above the boundary at one of the `steps` - 1 points inside the jump: at most the sum of their tails,
    ``sum_l Psi(r (M/l)^H)``. For long jumps the points are not told apart: for H < 1/2 the supremum of a process of
    standard deviation ``t^H`` and increments like fBm's exceeds r with probability ``P_2H 2^(-1/2H) r^(1/H-2) Psi(r) /
    H`` for large r (Piterbarg 1996), with Pickands' constant below ``exp(gamma_E (1/2H - 1))`` for all H at which it is
    known; for H >= 1/2 with at most twice Psi(r) (reflection, an equality at H = 1/2), half of which is seen. Simulated
    for 0.1 <= H <= 0.5, r = 3 to 5: for M = 16 to 1024 0.93 to 6 times the value; at M = 2 0.65 to 1.6 times it, as
    single steps of the model are not quite fBm's. For H > 1/2 it is further above.
    """
    r = np.asarray(reach, dtype=float)
    if steps <= _SUMMED:
        fractions, weights = np.arange(1.0, steps) / steps, np.ones(steps - 1)
    else:
        fractions, weights = (_NODES + 1.0) / 2.0, _WEIGHTS * steps / 2.0
    union = np.sum(special.ndtr(-r[..., None] * fractions**-hurst) * weights, axis=-1)
    if hurst >= 0.5:
        supremum = special.ndtr(-r)
    else:
        pickands = math.exp(np.euler_gamma * (0.5 / hurst - 1.0))
        constant = pickands * 2.0 ** (-0.5 / hurst) / hurst
        supremum = np.maximum(1.0, constant * r ** (1.0 / hurst - 2.0)) * special.ndtr(-r)
    return np.minimum(union, supremum)


@lru_cache(maxsize=256)
def required_reach(hurst: float, n_levels: int, miss: float) -> tuple[float, ...]:
    """Distances of the boundary (n_levels,), in standard deviations, at which a jump of 2^m steps hides `miss`."""

    def reach(m: int) -> float:
        def excess(r: float) -> float:
            return float(np.log(hidden_excursion(hurst, 2**m, r) + 1e-300) - math.log(miss))

        lowest = 0.5
        return optimize.brentq(excess, lowest, 14.0) if excess(lowest) > 0.0 else lowest

    return (1.0, *(reach(m) for m in range(1, n_levels)))  # a single step hides nothing


def missed_crossings(hurst: float, counts: NDArray[np.int64]) -> float:
    """Expected number of hidden excursions of the jumps counted by level and clearance, (n_levels, BINS).

    Each class counts at its lower end; single steps hide nothing.
    """
    low = np.arange(BINS) / PER_UNIT
    tails = [hidden_excursion(hurst, 2**m, low) for m in range(1, counts.shape[0])]
    return float(np.sum(counts[1:] * np.array(tails).reshape(-1, BINS)))


def drift_error(hurst: float, step: float) -> float:
    """Relative error of the stationary variance of the trapezoidal chain of step `step` in a well of curvature 1.

    The chain ``X' = phi X + (1 - step/2) dB``, ``phi = 1 - step + step^2/2``, has the variance of a first-order
    recursion driven by fGn, ``step^2H (1 - phi) / ((1 + phi) phi) Li_{-2H}(phi)`` times ``(1 - step/2)^2``.
    """
    if not 0.0 < step < 1.0:
        return 0.0 if step <= 0.0 else math.inf
    phi = 1.0 - step + step * step / 2.0
    chain = (1.0 - step / 2.0) ** 2 * step ** (2 * hurst) * (1 - phi) / ((1 + phi) * phi)
    exact = hurst * special.gamma(2 * hurst)
    return abs(float(chain * polylog_negative(2 * hurst, phi) / exact) - 1.0)
