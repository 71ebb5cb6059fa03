"""Solvers: one step by hand, the strong order on the quadratic well, the variance of the fractional OU process."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

import fbmsde
from fbmsde import FractionalNoise, simulate_paths
from fbmsde.dynamics.solvers import SOLVERS
from fbmsde.laws.fou import euler_chain_variance, fou_variance

from .. import naive
from ..conftest import threshold


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_step_equals_the_formula(solver):
    well = fbmsde.tilted_double_well(1.0, 1.0, 0.3)
    got = SOLVERS[solver](well.point_gradient, well.params, (0.4,), (0.25,), 0.1)
    assert got[0] == pytest.approx(naive.step(solver, well, 0.4, 0.25, 0.1), rel=1e-15)


@njit
def pull(x, a):
    """Gradient of the quadratic well."""
    return (a * x[0],)


@njit
def ends(step, increments, a, dt):
    """Where the chains from 1 that are driven by the rows of `increments` end."""
    out = np.empty(len(increments))
    for path in range(len(increments)):
        x = (1.0,)
        for noise in increments[path]:
            x = step(pull, (a,), x, (noise,), dt)
        out[path] = x[0]
    return out


def end_error(solver: str, hurst: float, n_steps: int, fine: np.ndarray) -> float:
    """Root-mean-square distance at time 1 between the coarse chain and the exact solution on the fine grid."""
    a, n = 2.0, fine.shape[1]
    times = (np.arange(n) + 0.5) / n
    exact = np.exp(-a) + fine @ np.exp(-a * (1.0 - times))
    coarse = fine.reshape(len(fine), n_steps, -1).sum(axis=2)
    return float(np.sqrt(np.mean((ends(SOLVERS[solver], coarse, a, 1.0 / n_steps) - exact) ** 2)))


@pytest.mark.parametrize("solver", SOLVERS)
def test_error_falls_with_the_step(solver):
    """Eight times more steps at H = 1/2: an error of order 1 falls to an eighth, one of order 2/3 to a quarter."""
    fine = 2.0**-5 * np.random.default_rng(3).standard_normal((100, 2**10))
    assert end_error(solver, 0.5, 128, fine) < end_error(solver, 0.5, 16, fine) / 4.0


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_order_on_the_quadratic_well(hurst):
    """Euler-Maruyama: min(1, H + 1/2); Heun: H + 1/2. 200 paths fix an order to .05, so half an order is seen."""
    fine = 2.0 ** (-14 * hurst) * fbmsde.fgn(hurst, 2**14, 200, seed=11)
    sizes = [16, 32, 64, 128]
    for solver, order in (("euler", min(1.0, hurst + 0.5)), ("heun", hurst + 0.5)):
        errors = [end_error(solver, hurst, n, fine) for n in sizes]
        assert -np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(order, abs=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("method", ["streaming", "davies_harte"])
def test_variance_of_the_fractional_ornstein_uhlenbeck_process(hurst, method):
    """V(t) from a point: 20 000 paths see 5 % at the threshold; the bias of the step is allowed for."""
    dt, n_paths = 0.01, 20_000
    values = simulate_paths(fbmsde.quadratic(1.0), FractionalNoise(hurst, method=method), 0.5, dt=dt, n_steps=800,
                            n_paths=n_paths, seed=2, save_every=50).values  # fmt: skip
    times = np.arange(17) * 50 * dt
    drift = euler_chain_variance(hurst, dt) / float(fou_variance(hurst, 100.0))
    got = np.var(values, axis=0)[1:]
    expected = fou_variance(hurst, times[1:])
    low, high = expected * min(1.0, drift) * 0.995, expected * max(1.0, drift) * 1.005
    noise = expected * math.sqrt(2 / n_paths) * threshold(16 * 6)
    assert np.all(got > low - noise)
    assert np.all(got < high + noise)
    centre = 0.5 * np.exp(-times)
    assert np.all(np.abs(values.mean(axis=0) - centre)[1:] < 0.01 + np.sqrt(expected / n_paths) * threshold(16 * 6))


@pytest.mark.parametrize("method", ["streaming", "davies_harte"])
def test_saved_paths_are_thinned_and_repeatable(method):
    noise = FractionalNoise(0.7, method=method)
    options = {"dt": 0.1, "n_paths": 140, "seed": 9}
    full = simulate_paths(fbmsde.quadratic(), noise, 1.0, n_steps=60, **options)
    thin = simulate_paths(fbmsde.quadratic(), noise, 1.0, n_steps=60, save_every=20, n_jobs=3, **options)
    assert np.array_equal(thin.values, full.values[:, ::20])
    assert np.array_equal(thin.times, full.times[::20])
    assert thin.values[:, 0].tolist() == [1.0] * 140


@pytest.mark.slow
def test_components_are_independent_and_correlate_as_asked():
    """Correlation .6 between the end points of 20 000 paths: an error of .04 is seen."""
    flat = fbmsde.Landscape(lambda x: 0.0, lambda x: (0.0, 0.0), dim=2)
    for rho in (0.0, 0.6):
        noise = FractionalNoise(0.4, correlation=[[1.0, rho], [rho, 1.0]])
        ends = simulate_paths(flat, noise, (0.0, 0.0), dt=1.0, n_steps=20, n_paths=20_000, seed=1).values[:, -1]
        got = np.corrcoef(ends.T)[0, 1]
        assert abs(got - rho) * math.sqrt(20_000) / (1 - rho**2) < threshold(4)
        assert np.allclose(ends.var(axis=0), 20.0**0.8, rtol=threshold(4) * math.sqrt(2 / 20_000))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_steps": 0}, ValueError, r"n_steps must be at least 1, got 0"),
        ({"save_every": 11}, ValueError, r"save_every must be at most n_steps = 10, got 11"),
        ({"n_paths": 10**12}, MemoryError, r"paths must fit in memory, got 8\.8e\+04 GB"),
        ({"solver": "milstein"}, ValueError, r"solver must be one of euler, heun.*, got 'milstein'"),
        ({"x0": np.inf}, ValueError, r"x0 must be finite, got inf"),
    ],
)
def test_bad_input(change, error, message):
    options = {"x0": 0.0, "dt": 0.1, "n_steps": 10, "n_paths": 2, "seed": 0} | change
    with pytest.raises(error, match=message):
        simulate_paths(fbmsde.quadratic(), FractionalNoise(0.5), **options)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of interpreted kernels: the lanes run on
def test_exploding_path_is_reported():
    steep = fbmsde.Landscape(lambda x: x**4, lambda x: 4e3 * x**3, name="steep")
    with pytest.raises(fbmsde.PathError, match=r"path \d+ must stay finite, got inf or nan at time"):
        simulate_paths(steep, FractionalNoise(0.5), 1.0, dt=0.1, n_steps=50, n_paths=3, seed=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FractionalNoise(1.0), r"hurst must lie in \(0, 1\), got 1\.0"),
        (lambda: FractionalNoise(math.nan), r"hurst must lie in \(0, 1\), got nan"),
        (lambda: FractionalNoise(0.5, sigma=0.0), r"sigma must be positive and finite, got 0\.0"),
        (lambda: FractionalNoise(0.5, method="wood"), r"method must be one of streaming, davies_harte, .*, got 'wood'"),
        (lambda: FractionalNoise(0.5, tolerance=0.0), r"tolerance must be positive and finite, got 0\.0"),
        (lambda: FractionalNoise(0.5, dtype="int8"), r"dtype must be float64 or float32, got int8"),
        (lambda: FractionalNoise(0.5, correlation=[[1, 2], [2, 1]]), r"correlation must be positive semi-definite"),
        (lambda: FractionalNoise(0.99).feed(10, 1.0, 1, None), r"hurst must lie in \[0\.02, 0\.98\] for streaming"),
        (lambda: FractionalNoise.from_sgd(0.0, 1.0, 0.5), r"learning_rate must be positive and finite, got 0\.0"),
    ],
)
def test_bad_noise(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("n_steps", [1, 7, 8, 9, 100])
@pytest.mark.parametrize("every", [1, 3])
def test_a_saved_path_ends_at_its_last_step(n_steps, every):
    """A step behind the last one would be written over the start of the next path."""
    if every <= n_steps:
        options = {"dt": 0.01, "n_paths": 5, "seed": 3}
        well, noise = fbmsde.quadratic(), FractionalNoise(0.5)
        paths = simulate_paths(well, noise, 0.25, n_steps=n_steps, save_every=every, **options)
        longer = simulate_paths(well, noise, 0.25, n_steps=n_steps + 8, **options)
        assert np.all(paths.values[:, 0] == 0.25)
        assert np.array_equal(paths.values, longer.values[:, : n_steps + 1 : every])
