"""Rare escapes from wells that are not quadratic against exact laws, and cases that are built to mislead a method."""

from __future__ import annotations

import math

import pytest
import scipy

from fbmsde import FractionalNoise, Landscape, LevelSet, NoEstimateError, RareProblem, Shifted, double_well
from fbmsde.laws.diffusions import mean_exit_time
from fbmsde.rare.splitting import Splitting
from fbmsde.rare.subset import SubsetSimulation

METHODS = [Splitting(4096), SubsetSimulation(256)]


def quartic(x):
    return 0.25 * x * x * x * x


def cube(x):
    return x * x * x


QUARTIC = Landscape(quartic, cube, name="quartic")


def replicas(landscape, noise, x0, domain, method, horizon):
    """Ten replicas in continuous time."""
    monitoring = Shifted(1 / 64, "heun")
    problem = RareProblem(landscape, noise, x0, domain, horizon=horizon, seed=4, monitoring=monitoring, method=method)
    return problem.replicas(10)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_rate_over_a_saddle_is_exact(method):
    """It lies within the 99.9 % interval, which is narrower than a factor of 2.5 either way.

    Paths take some time from the saddle to the end: before time 3 there are fewer exits.
    """
    well, noise = double_well(8.0, 2.0, 1.0), FractionalNoise(0.5, 0.42)
    exact = 1.0 / mean_exit_time(well, -1.0, (-math.inf, 0.5), sigma=0.42)
    rate = replicas(well, noise, -1.0, (None, 0.5), method, 6.0).rate(3.0, 0.999)
    assert rate.low < exact < rate.high < 2.5 * rate.value


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_rates_through_two_ends_are_exact(method):
    """They differ by a factor of about 10. The share of an end is that of the scale function beyond the other one."""
    domain, sigma = (-1.4, 1.5), 0.5
    climbs = [scipy.integrate.quad(lambda y: math.exp(y**4 / (2.0 * sigma**2)), 0.0, abs(end))[0] for end in domain]
    total = 1.0 / mean_exit_time(QUARTIC, 0.0, domain, sigma=sigma)
    found = replicas(QUARTIC, FractionalNoise(0.5, sigma), 0.0, domain, method, 8.0)
    for side, other in (("lower", climbs[1]), ("upper", climbs[0])):
        rate = found.by_side(side).rate(4.0, 0.999)
        assert rate.low < total * other / sum(climbs) < rate.high < 2.5 * rate.value


def two_ways(x, height):
    """To the right a parabola with a wall beyond 2; to the left a steep rise to `height` at -1 and then a plateau."""
    y = min(-x, 1.0)
    return 0.5 * x * x + 8.0 * max(x - 2.0, 0.0) ** 2 if x > 0.0 else height * y * y * (3.0 - 2.0 * y)


def uphill(x, height):
    y = min(-x, 1.0)
    return x + 16.0 * max(x - 2.0, 0.0) if x > 0.0 else -6.0 * height * y * (1.0 - y)


TRAPS = {
    "one score for two ways out": (
        Landscape(two_ways, uphill, (6.0,)), FractionalNoise(0.5), LevelSet(lambda x: abs(x) - 3.0), Splitting(512),
    ),
    "few paths": (QUARTIC, FractionalNoise(0.3, 0.3), (None, 1.5), Splitting(16)),
    "few moves": (QUARTIC, FractionalNoise(0.3, 0.2), (None, 1.5), SubsetSimulation(128, sweeps=1)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAPS)
def test_a_case_that_misleads_a_method_gives_no_number(name):
    """Each estimate would be wrong by a factor of several, and in most replicas too low."""
    landscape, noise, domain, method = TRAPS[name]
    with pytest.raises(NoEstimateError, match=r"disagree or are degenerate|no replica of 10 reached"):
        replicas(landscape, noise, 0.0, domain, method, 8.0).probability()
