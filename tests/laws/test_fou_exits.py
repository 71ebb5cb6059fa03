"""The table of exit rates of the fractional Ornstein-Uhlenbeck process."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from fbmsde import FractionalNoise, first_passage, quadratic
from fbmsde.laws import fou_exits
from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.laws.fou_exits import fou_exit_hazard, fou_exit_rate, log_moving_pickands, log_pickands_rate
from fbmsde.theory import FORMULAS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
UNIT = math.sqrt(2.0)  # the sigma that makes the stationary variance 1 at H = 1/2


def deviation(hurst):
    """One stationary standard deviation for curvature and sigma of 1."""
    return math.sqrt(fou_stationary_variance(hurst))


def script():
    """The script that makes the table."""
    spec = importlib.util.spec_from_file_location("fou_exit_table", BENCHMARKS / "fou_exit_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("sides", [1, 2])
def test_half_is_the_eigenvalue(sides):
    """Within 1 % at late times on and between the nodes, from rates of 0.2 to 4e-14."""
    for k in (1.5, 1.75, 2.0, 2.25, 2.75, 3.25, 3.75, 4.5, 5.5, 6.5, 7.5, 8.0):
        if sides == 1 or k > 2.0:
            exact = ou_exit_rate(k, sigma=UNIT, sides=sides)
            found = fou_exit_hazard(0.5, k, [10.0, 1e6], sigma=UNIT, sides=sides)
            assert np.all(np.abs(found.value / exact - 1.0) < found.relative_error)
            assert np.all(found.relative_error < 0.015)


def test_nodes_that_the_table_leaves_out():
    """At H, barriers and times between the nodes: the error that the table states is that of these."""
    module, scores = script(), []
    for line in (BENCHMARKS / "fou_exit_checks.jsonl").read_text().splitlines():
        found = json.loads(line)
        node = module.Node(*(found[name] for name in ("hurst", "k", "sides", "at")))
        table = fou_exit_hazard(node.hurst, node.k * deviation(node.hurst), node.at, sides=node.sides)
        base = node.sides * np.exp(log_moving_pickands(node.hurst, node.k, node.at))
        spread = math.hypot(float(table.relative_error), found["error"])
        scores.append((module.log_ratio(node, found["rate"]) - math.log(float(table.value) / base)) / spread)
    assert len(scores) >= 45
    assert np.max(np.abs(scores)) < 4.0
    assert 0.2 < np.sqrt(np.mean(np.square(scores))) < 1.4


def test_the_table_of_the_package_is_that_of_the_script(tmp_path):
    """Every digit: nobody has edited it."""
    lines = (BENCHMARKS / "fou_exit_table.jsonl").read_text().splitlines()
    script().publish(lines, tmp_path / "table.json")
    shipped = Path(fou_exits.__file__).with_name("fou_exits.json")
    assert (tmp_path / "table.json").read_text() == shipped.read_text()


def test_package_data_names_the_table():
    assert "fbmsde.laws = *.json" in (BENCHMARKS.parent / "setup.cfg").read_text().splitlines()


def test_scaling():
    """``a R(H, k, a t)``; on a grid the barrier is raised."""
    one = fou_exit_hazard(0.7, 3.0 * deviation(0.7), 20.0)
    other = fou_exit_hazard(0.7, 3.0 * deviation(0.7) * 0.5 / 4.0**0.7, 5.0, curvature=4.0, sigma=0.5)
    assert float(other.value) == pytest.approx(4.0 * float(one.value), rel=1e-12)
    assert FORMULAS["fou_exit_rate_grid"].evaluate(hurst=0.7, barrier=2.0, horizon=50.0, dt=1e-3) == pytest.approx(
        FORMULAS["fou_exit_rate"].evaluate(hurst=0.7, barrier=2.0 + 0.337 * 1e-3**0.7, horizon=50.0), rel=1e-3
    )


def test_rate_of_a_run_is_the_mean_of_the_hazard_over_the_paths_inside():
    """Against a sum over a fine grid, where the hazard falls by a half and most paths leave."""
    barrier = 2.0 * deviation(0.8)
    t = np.linspace(2.0, 100.0, 20001)
    hazard = fou_exit_hazard(0.8, barrier, t).value
    inside = np.exp(-np.concatenate([[0.0], np.cumsum((hazard[1:] + hazard[:-1]) / 2.0 * np.diff(t))]))
    mean = (1.0 - inside[-1]) / np.sum((inside[1:] + inside[:-1]) / 2.0 * np.diff(t))
    assert float(fou_exit_rate(0.8, barrier, 100.0).value) == pytest.approx(mean, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("hurst", "k"), [(0.7, 2.5), (0.8, 2.0)])
def test_against_plain_passages_in_continuous_time(hurst, k):
    """Paths of the Euler chain with the shifted barrier: a table that is off by 10 % would be caught."""
    barrier = k * deviation(hurst)
    found = first_passage(quadratic(1.0), FractionalNoise(hurst), 0.0, (-math.inf, barrier), horizon=30.0,
                          n_paths=4000, seed=7, monitoring="shifted", dt=0.005)  # fmt: skip
    rate, table = found.exit_rate(after=2.0), fou_exit_rate(hurst, barrier, 30.0)
    low, high = rate.confidence_interval()
    spread = math.hypot(math.log(high / low) / 3.92, float(table.relative_error))
    assert abs(rate.value / float(table.value) - 1.0) < 5.0 * spread


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.2, 3.0, 10.0), r"hurst must lie in \[0.3, 0.9\], got 0.2. The table ends there"),
        ((0.5, 6.0, 10.0), r"barrier / deviation must lie in \[1, 8\], got 8.485 for barrier = 6 and .* of 0.7071"),
        ((0.7, 2.0, -1.0), r"curvature \* times must lie in"),
        ((0.7, 2.0, 1.0), r"curvature \* times must lie in \[2, 100\] for H = 0.7"),
        ((0.7, 2.0, 101.0), r"curvature \* times must lie in \[2, 100\] for H = 0.7"),
        ((0.5, 0.9, 100.0), "barrier must be higher, or the time earlier: for H = 0.5 and one side the table has no"),
        ((0.5, -1.0, 10.0), "barrier must be positive"),
        ((0.5, 3.0, "a"), "times must be real numbers, got 'a'"),
        ((0.5, 3.0, None), "times must be real numbers, got None"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fou_exit_hazard(*arguments)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_pickands_rate_wants_a_barrier(wrong):
    with pytest.raises(ValueError, match="deviations must be positive and finite, got"):
        log_pickands_rate(0.5, [1.0, wrong])
    with pytest.raises(ValueError, match="times must be positive, got 0"):
        log_moving_pickands(0.5, 3.0, [1.0, 0.0])


def test_rate_refuses():
    """A horizon before exits count, one behind the table, and sides that are none."""
    with pytest.raises(ValueError, match="horizon must exceed 2 / curvature, got 1"):
        fou_exit_rate(0.7, 2.0, 1.0)
    with pytest.raises(ValueError, match=r"horizon must be at most 100 / curvature for H = 0\.7.*, got 500 / curv"):
        fou_exit_rate(0.7, 3.0, 500.0)
    with pytest.raises(ValueError, match="the table has no hazard at"):
        fou_exit_rate(0.4, 2.0, 500.0)
    with pytest.raises(ValueError, match="sides must be 1 or 2, got 3"):
        fou_exit_rate(0.7, 3.0, 50.0, sides=3)
    with pytest.raises(TypeError, match="sides must be a whole number, got True"):
        fou_exit_rate(0.7, 3.0, 50.0, sides=True)
    assert fou_exit_rate(0.7, 3.0, 50.0, sides=2.0).value == fou_exit_rate(0.7, 3.0, 50.0, sides=2).value
