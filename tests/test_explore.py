"""The page of the site on which escapes can be tried out: its script computes what the package computes."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fbmsde.laws.fgn import fgn_autocovariance
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.laws.fou_exits import fou_exit_rate
from fbmsde.theory import FORMULAS

from .conftest import threshold

DOCS = Path(__file__).parents[1] / "docs"
ROWS = {
    "rate": "fou_exit_rate",
    "pickands": "pickands",
    "kramers": "kramers_brownian_prefactor",
    "exact": "ou_eigenvalue",
}

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the script of the page")


@lru_cache(maxsize=1)
def tables():
    """What the page is given."""
    spec = importlib.util.spec_from_file_location("escape_tables", DOCS / "_ext" / "escape_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.escape_tables()


def answer(body, given):
    """What a function of JavaScript with the arguments `escape`, `law` and `given` returns."""
    program = f"""
    const escape = require({json.dumps(str(DOCS / "_static" / "escape_law.js"))});
    const {{ tables, given }} = JSON.parse(require("fs").readFileSync(0));
    const law = escape.makeLaw(tables);
    console.log(JSON.stringify((() => {{ {body} }})()));
    """
    text = json.dumps({"tables": tables(), "given": given})
    done = subprocess.run(["node", "-e", program], input=text, capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def problems():
    """Problems inside and outside of the table, with horizons that are short, long, and beyond it."""
    rng = np.random.default_rng(5)
    for hurst in [*np.round(rng.uniform(0.2, 0.95, 50), 2), 0.3, 0.5, 0.5, 0.5, 0.9]:
        for k in rng.uniform([0.8, 2.0, 1.0], [3.0, 8.5, 1.2]):
            curvature, sigma = rng.uniform(0.5, 8.0), rng.uniform(0.3, 1.5)
            barrier = k * math.sqrt(fou_stationary_variance(hurst, curvature, sigma))
            horizon = rng.choice([1.0, 5.0, 30.0, 80.0, 300.0]) / curvature
            yield {"hurst": hurst, "curvature": curvature, "barrier": barrier, "sigma": sigma, "horizon": horizon}


def test_rates_are_those_of_the_package():
    """Within 1e-6 wherever the package gives a value, and none where it gives none."""
    given = list(problems())
    calls = ", ".join(f"{row}: law.{row}(p)" for row in ROWS)
    found = answer(f"return given.map((p) => ({{ {calls} }}));", given)
    seen = dict.fromkeys(ROWS, 0)
    for problem, rows in zip(given, found, strict=True):
        for row, name in ROWS.items():
            if row == "exact" and rows[row].get("outside", "").startswith("written down"):
                continue
            reason = FORMULAS[name].valid(**problem)
            assert ("outside" in rows[row]) == bool(reason), (row, problem, reason, rows[row])
            if not reason:
                assert rows[row]["value"] == pytest.approx(float(FORMULAS[name].evaluate(**problem)), rel=1e-6)
                seen[row] += 1
        if "value" in rows["rate"]:
            assert rows["rate"]["error"] == pytest.approx(float(fou_exit_rate(**problem).relative_error), rel=1e-6)
    assert min(seen.values()) >= 4 and seen["rate"] >= 40 and seen["rate"] < len(given) - 20


@pytest.mark.parametrize("hurst", [0.2, 0.5, 0.95])
def test_noise_has_the_covariance_of_fractional_noise(hurst):
    """The map from normals to increments, taken apart column by column: its covariance is exact up to rounding."""
    steps = 16
    body = """
    const roots = escape.circulantRoots(given.hurst, given.steps);
    const columns = [];
    for (let part = 0; part < 2; part++) {
      for (let j = 0; j < roots.length; j++) {
        const unit = (i) => (i === j ? [1 - part, part] : [0, 0]);
        columns.push(escape.twoPaths(roots, unit).flatMap((path) => Array.from(path)));
      }
    }
    return columns;
    """
    columns = np.array(answer(body, {"hurst": hurst, "steps": steps}))
    lags = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    one = fgn_autocovariance(hurst, np.arange(steps))[lags]
    np.testing.assert_allclose(columns.T @ columns, np.kron(np.eye(2), one), atol=1e-13)


def test_normal_numbers():
    """Mean, variance and kurtosis of 40 000 numbers, and no two seeds alike: a variance off by 4 % would be seen."""
    body = "return [1, 2].map((seed) => escape.fractionalNoise(0.5, 1024, 20, seed).flatMap((path) => [...path]));"
    drawn = np.array(answer(body, {}))
    x = drawn.ravel()
    z = [x.mean() * math.sqrt(x.size), (x.var() - 1.0) * math.sqrt(x.size / 2)]
    z += [stats.kurtosis(x) * math.sqrt(x.size / 24), np.corrcoef(drawn)[0, 1] * math.sqrt(drawn.shape[1])]
    assert np.abs(z).max() < threshold(len(z))


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_paths_leave_as_the_table_says(hurst):
    """Of 4000 paths, as many leave between a t = 2 and the end as the table says, within 5 standard errors and .02.

    A barrier that is not lowered by the grid's shift is off by more than .1 at H = 0.3.
    """
    sd = math.sqrt(fou_stationary_variance(hurst))
    problem = {"hurst": hurst, "curvature": 1.0, "barrier": 2.2 * sd, "sigma": 1.0, "horizon": 20.0}
    body = """
    const [steps, { times, inside }] = [2048, law.rate(given).survival];
    const [dt, shift] = [given.horizon / steps, law.shift(given.hurst)];
    const end = times.findLastIndex((_, j) => inside[j] > 0.4);
    const ends = escape.fractionalNoise(given.hurst, steps, 4000, 1).map((increments) => {
      const { positions, left } = escape.follow(increments, given, dt, shift);
      return left ? (positions.length - 1) * dt : Infinity;
    });
    return [times[0], times[end]].map((t) => ends.filter((at) => at > t).length).concat(inside[end]);
    """
    early, late, share = answer(body, problem)
    error = math.sqrt(share * (1.0 - share) / early)
    assert abs(late / early - share) < threshold(3) * error + 0.02, (late / early, share, error)
