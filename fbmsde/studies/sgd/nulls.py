"""What the rescaled range of the later protocol returns for series that have no long memory."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...core.types import Array
from ...drivers.epoch import EpochNoise
from ...hurst.registry import ESTIMATORS
from ...results.gradient_runs import Null
from .runs import LATER, Effort, protocol_of

Draw = Callable[[np.random.Generator, tuple[int, int]], Array]


def _epochs(n_batches: int) -> Draw:
    """Noise of epochs of so many batches that use up all samples."""
    noise = EpochNoise(2 * n_batches, 2)
    return lambda rng, shape: noise.sample(shape[1], shape[0], seed=rng)


def _student(freedom: float) -> Draw:
    """Independent values of Student's t law."""
    return lambda rng, shape: rng.standard_t(freedom, shape)


def _sparse(share: float) -> Draw:
    """Independent values of which only a share differs from zero."""
    return lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < share)


NULLS: dict[str, Draw] = {
    "Gaussian, independent": lambda rng, shape: rng.standard_normal(shape),
    **{f"epochs of {m} batches": _epochs(m) for m in (390, 179, 97, 48, 44, 11)},
    **{f"Student t{nu:g}, independent": _student(nu) for nu in (3.0, 2.0, 1.5)},
    **{f"{100 * share:g} % non-zero, independent": _sparse(share) for share in (0.05, 0.01, 0.005)},
}


def later_nulls(effort: Effort, seed: int) -> dict[str, Null]:
    """The estimates of four times `n_coordinates` series of each kind, as long as those of the later protocol.

    >>> found = later_nulls(Effort(n_steps=100, n_coordinates=5), seed=0)
    >>> found["epochs of 11 batches"].mean < found["Gaussian, independent"].mean
    True
    """
    protocol = protocol_of(LATER)
    shape, found = (4 * effort.n_coordinates, protocol.lengths * effort.n_steps), {}
    for place, (name, draw) in enumerate(NULLS.items()):
        series = draw(np.random.default_rng([seed, 11, place]), shape)
        values = ESTIMATORS[protocol.published].fit(series[np.ptp(series, axis=1) > 0]).hurst
        known = values[~np.isnan(values)]
        spread = float(known.std(ddof=1))
        found[name] = Null(float(known.mean()), spread, spread / math.sqrt(known.size))
    return found
