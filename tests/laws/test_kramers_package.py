"""Exits from wells at H = 1/2 against the solver of another package, `kramers`, which knows nothing of this one.

Its diffusions are ``dX = -D phi'(X) dt + sqrt(2 D) dW``: the noise of strength sigma in the potential U is that of
``D = sigma^2 / 2`` and ``phi = U / D``.
"""

from __future__ import annotations

import math

import pytest

from fbmsde import FractionalNoise, double_well, first_passage, mean_exit_time, quadratic, tilted_double_well
from fbmsde.theory import ou_exit_rate
from tests.conftest import threshold

kramers = pytest.importorskip("kramers")
SIGMA = 0.7


def peer(landscape, domain, sigma=SIGMA):
    """The same problem in the other package."""
    ends = {"left": "absorbing" if math.isfinite(domain[0]) else "natural", "right": "absorbing"}
    strength = sigma * sigma / 2.0
    return kramers.FirstPassage1D(lambda x: landscape.energy(x) / strength, D=strength, domain=domain, **ends)


@pytest.mark.parametrize("domain", [(-math.inf, 0.0), (-math.inf, 0.9), (-1.6, 0.3)])
@pytest.mark.parametrize("landscape", [double_well(1.0, 1.0), tilted_double_well(1.0, 1.0, 0.3)])
def test_mean_exit_time_from_a_double_well(landscape, domain):
    """To the digits of both quadratures."""
    found = mean_exit_time(landscape, -1.0, domain, sigma=SIGMA)
    assert found == pytest.approx(float(peer(landscape, domain).mean_time(-1.0).value), rel=1e-7)


@pytest.mark.parametrize("barrier", [1.0, 2.5, 5.0])
def test_rate_of_the_ornstein_uhlenbeck_process(barrier):
    """The smallest eigenvalue, up to a barrier of five standard deviations."""
    sigma = math.sqrt(2.0)
    found = ou_exit_rate(barrier, sigma=sigma)
    assert found == pytest.approx(float(peer(quadratic(), (-math.inf, barrier), sigma).decay_rate().value), rel=1e-7)


@pytest.mark.slow
def test_simulated_exits_in_continuous_time():
    """4000 paths over the barrier of a double well; the smallest error that is caught is 8 % of the mean time."""
    well, domain = tilted_double_well(1.0, 1.0, 0.3), (-math.inf, 0.3)
    times = first_passage(well, FractionalNoise(0.5, 1.2), -1.0, domain, monitoring="continuous", horizon=200.0,
                          n_paths=4000, seed=3)  # fmt: skip
    exact = float(peer(well, domain, 1.2).mean_time(-1.0).value)
    mean = times.mean()
    assert not mean.restricted
    assert abs(mean.value - exact) / mean.standard_error < threshold(1)
