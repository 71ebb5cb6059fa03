"""Every public result shows itself in one informative line."""

from __future__ import annotations

import numpy as np
import pytest

import fbmsde
from fbmsde import FractionalNoise, first_passage, quadratic

JUMPS = {"monitoring": "continuous", "fine_steps": 2**8, "horizon": 1.0, "n_paths": 20, "seed": 0}
RESULTS = {
    "0.5": lambda: fbmsde.escape_study([0.5], n_paths=50, horizon=5.0, continuous=0),
    "3 series, hurst from 0.": lambda: fbmsde.estimate_hurst(np.eye(3, 64), kind="increments"),
    "hurst = 0.": lambda: fbmsde.estimate_hurst(fbmsde.fgn(0.5, 64, seed=1)[0], kind="increments"),
    "5 windows of 32": lambda: fbmsde.rolling_hurst(fbmsde.fgn(0.5, 64, seed=1)[0], kind="increments", window=32),
    "20 of 20 paths left": lambda: first_passage(
        quadratic(), FractionalNoise(0.5), 0.0, (-0.1, 0.1), dt=0.01, horizon=9.0, n_paths=20, seed=0
    ),
    "overshoot=": lambda: first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1, 1), **JUMPS).error_budget,
    "4 paths at 9 times from 0 to 0.8": lambda: fbmsde.simulate_paths(
        quadratic(), FractionalNoise(0.5), 0.0, dt=0.1, n_steps=8, n_paths=4, seed=0
    ),
    "kl=": lambda: fbmsde.StreamingNoise(0.3, 100).certificate,
}


@pytest.mark.parametrize("part", RESULTS)
def test_result_shows_itself_in_one_line(part):
    text = repr(RESULTS[part]())
    assert part in text
    assert "\n" not in text
    assert len(text) < 400
