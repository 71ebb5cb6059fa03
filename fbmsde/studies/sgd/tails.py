"""Whether gradient noise is Gaussian or stable: a test of normality, and how sums of its steps grow."""

from __future__ import annotations

import math

import numpy as np
import scipy

from ...core.types import Array
from ...results.estimates import Estimate
from ...results.gradient_runs import Tails
from .laws import mean_of_blocks

FOLD = 8  # steps in a sum, and sums in a sum of sums
LEVEL = 0.01  # of the test of normality


def tails(noise: Array) -> Tails:
    """What noise (n_coordinates, n_steps) of independent steps says about a Gaussian and about a stable law.

    For each coordinate the test of D'Agostino and Pearson asks whether the values are normal. If they are independent
    and symmetric stable with index alpha, the sum of 8 steps has the law of ``8^(1/alpha)`` times one step, and so
    have 8 sums of 8 steps beside one sum: the mean logarithm of the absolute values grows by ``log(8) / alpha`` both
    times (the estimator of Mohammadi, Mohammadpour and Ogata, 2015). A law of finite variance that is not normal grows
    like ``8^(1/2)`` in the end only, so that the second index is closer to 2. `bend` is the first growth less the
    second, over log 8, and zero for a stable law. Its interval is Student's from blocks of 64 steps; it is NaN for
    series of fewer than two blocks.

    >>> rng = np.random.default_rng(0)
    >>> found = tails(rng.laplace(size=(20, 6400)))
    >>> found.non_gaussian, round(found.steps, 1), round(found.sums, 1), found.bend.low > 0
    (1.0, 1.6, 1.9, True)
    """
    n_blocks = noise.shape[1] // FOLD**2
    rejected = float(np.mean(scipy.stats.normaltest(noise, axis=1).pvalue < LEVEL))
    if n_blocks < 2:
        return Tails(rejected, math.nan, math.nan, Estimate(math.nan, math.nan, math.nan))
    blocks = noise[:, : n_blocks * FOLD**2].reshape(len(noise), n_blocks, FOLD, FOLD)
    sums = blocks.sum(axis=3)
    steps, once, twice = _mean_log(blocks, (0, 2, 3)), _mean_log(sums, (0, 2)), _mean_log(sums.sum(axis=2), 0)
    first, second = (once - steps) / math.log(FOLD), (twice - once) / math.log(FOLD)
    return Tails(rejected, float(1.0 / first.mean()), float(1.0 / second.mean()), mean_of_blocks(first - second))


def _mean_log(values: Array, axes: int | tuple[int, ...]) -> Array:
    """Mean logarithm of the absolute values that are not zero."""
    sizes = np.abs(values)
    return np.mean(np.log(sizes, out=np.zeros_like(sizes), where=sizes > 0), axis=axes, where=sizes > 0)
