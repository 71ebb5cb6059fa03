"""Paths of exits against those of plain paths that leave by themselves."""

import math

import numpy as np
import pytest

from fbmsde import FractionalNoise, NoEstimateError, quadratic
from fbmsde.core import checks
from fbmsde.rare.exit_paths import exit_paths
from fbmsde.rare.linear_process import chain_process

from ..conftest import threshold

FIRST = 20


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_paths_have_the_law_of_plain_paths_that_leave(hurst):
    """Means and squares along the path; catches a wrong bend, window, alignment, or paths that are kept too often."""
    process = chain_process(quadratic(), FractionalNoise(hurst), 40, dt=0.1, x0=0.2)
    level = 1.8 * process.variances[-1] ** 0.5
    rows = np.empty((200_000, 41))
    process.fill(checks.as_seed(2), 0, rows)
    plain = process.from_start(rows)
    outside = np.abs(plain) >= level
    exits = outside.argmax(axis=1)
    kept = np.flatnonzero(exits >= FIRST)
    expected = plain[kept[:, None], exits[kept, None] + np.arange(-FIRST, 1)]
    found = exit_paths(process, (-level, level), first=FIRST, n_paths=100_000, seed=1)
    expected, found = (np.abs(paths[:, [0, 10, 19, 20]]) for paths in (expected, found))
    scores = (found.mean(axis=0) - expected.mean(axis=0)) / np.sqrt(
        found.var(axis=0) / len(found) + expected.var(axis=0) / len(expected)
    )
    assert np.abs(scores).max() < threshold(8), scores


def test_a_path_is_a_function_of_the_seed_and_its_number():
    process = chain_process(quadratic(), FractionalNoise(0.5), 40, dt=0.1)
    few, many = (exit_paths(process, (None, 3.0), first=FIRST, n_paths=n, seed=1) for n in (50, 80))
    np.testing.assert_array_equal(few, many[: len(few)])


def test_no_path_is_said():
    process = chain_process(quadratic(), FractionalNoise(0.5), 400, dt=0.001)
    with pytest.raises(NoEstimateError, match="n_paths must be so many that a path is kept, got none of 1"):
        exit_paths(process, (None, 1e-3), first=400, n_paths=1, seed=1)


def test_bad_arguments_are_refused():
    process = chain_process(quadratic(), FractionalNoise(0.5), 40, dt=0.1)
    with pytest.raises(ValueError, match="first must be"):
        exit_paths(process, (None, 3.0), first=41, n_paths=5, seed=1)
    assert math.isfinite(exit_paths(process, (-3.0, None), first=1, n_paths=50, seed=1).sum())
