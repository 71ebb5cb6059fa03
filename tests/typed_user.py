"""Calls as a user writes them, which mypy reads and nobody runs: every choice is known, and no call returns Any."""

from typing import reveal_type

import numpy as np

import fbmsde
from fbmsde.theory import FORMULAS, applicable

noise, well = fbmsde.FractionalNoise(0.3, method="streaming"), fbmsde.quadratic(1.0)


def right() -> None:
    """What is right, and the types that come back."""
    passages = fbmsde.first_passage(
        well, noise, 0.0, (-1.0, 1.0), monitoring="continuous", horizon=5.0, n_paths=100, seed=1
    )
    paths = fbmsde.simulate_paths(well, noise, 0.0, dt=0.01, n_steps=100, n_paths=5, solver="heun", seed=1)
    increments = fbmsde.fgn(0.3, 500, method="cholesky", seed=1)
    estimate = fbmsde.estimate_hurst(increments[0], kind="increments", null="sign_flip")
    rolling = fbmsde.rolling_hurst(increments[0], kind="increments", window=32, interval="fgn")
    study = fbmsde.escape_study([0.3, 0.7], n_paths=100)
    rare = fbmsde.rare_escape(well, noise, 0.0, (None, 4.0), horizon=8.0, dt=0.01, method="conditioned", seed=1)
    reveal_type(passages)
    reveal_type(increments)
    reveal_type(passages.times)
    reveal_type(passages.mean().value)
    reveal_type(passages.survival().probabilities)
    reveal_type(passages.error_budget)
    reveal_type(passages.exit_rate().confidence_interval())
    reveal_type(passages.split()["upper"].low)
    reveal_type(paths.values)
    reveal_type(estimate.hurst)
    reveal_type(estimate.standard_error)
    reveal_type(estimate.confidence_interval())
    reveal_type(estimate.p_no_memory)
    reveal_type(estimate.note)
    reveal_type(rolling.centres)
    reveal_type(study.rows[0].well)
    reveal_type(rare.rate().value)
    reveal_type(rare.sides["upper"][0].probability)
    reveal_type(fbmsde.mean_exit_time(well, 0.0, (-1.0, 1.0)))
    reveal_type(fbmsde.load("passages.npz"))
    reveal_type(fbmsde.ESTIMATORS["whittle"].use)
    reveal_type(FORMULAS["pickands"].evaluate(hurst=0.3, barrier=2.0))
    reveal_type(FORMULAS["pickands"].cite())
    reveal_type(FORMULAS["pickands"].verify().passed)
    reveal_type(applicable("exit_rate", "exit from the quadratic well through a barrier"))


def wrong() -> None:
    """Each line with a mistake that mypy must see."""
    fbmsde.first_passage(well, noise, 0.0, (-1.0, 1.0), monitoring="contiuous", horizon=5.0, n_paths=9)  # wrong
    fbmsde.first_passage(well, noise, 0.0, (-1.0, 1.0), dt=0.1, solver="eular", horizon=5.0, n_paths=9)  # wrong
    fbmsde.first_passage(well, noise, 0.0, (-1.0, 1.0), dtt=0.1, horizon=5.0, n_paths=9)  # wrong
    fbmsde.simulate_paths(well, noise, 0.0, dt=0.1, n_steps=9, n_paths=1, solver="rk5")  # wrong
    fbmsde.residence_times(well, noise, dt=0.1, n_steps=9, solver="rk5")  # wrong
    fbmsde.Grid(0.1, "heunn")  # wrong
    fbmsde.FractionalNoise(0.3, method="hoskin")  # wrong
    fbmsde.estimate_hurst(np.zeros(99))  # wrong
    fbmsde.rolling_hurst(np.zeros(99), window=32)  # wrong
    fbmsde.GaussianNoise(np.array([1.0]), method="circular")  # wrong
    fbmsde.fgn(0.3, 9, method="daviesharte")  # wrong
    fbmsde.FBM(9, 0.3, method="davies_harte")  # wrong
    fbmsde.estimate_hurst(np.zeros(9), kind="incremens")  # wrong
    fbmsde.estimate_hurst(np.zeros(9), kind="path", method="whitle")  # wrong
    fbmsde.estimate_hurst(np.zeros(9), kind="path", interval="robst")  # wrong
    fbmsde.estimate_hurst(np.zeros(9), kind="path", nan_policy="omit")  # wrong
    fbmsde.estimate_hurst(np.zeros(9), kind="path", null="suffle")  # wrong
    fbmsde.rolling_hurst(np.zeros(99), kind="path", window=32, intervall="fgn")  # wrong
    fbmsde.read_series("noise.csv", kind="incremens")  # wrong
    fbmsde.rare_escape(well, noise, 0.0, (None, 4.0), horizon=8.0, method="subsett")  # wrong
    fbmsde.rare_escape(well, noise, 0.0, (None, 4.0), horizon=8.0, monitoring="continuous")  # wrong
    fbmsde.escape_study(method="hoskings")  # wrong
    fbmsde.Equation(lambda t, x: -x, amplitude=lambda t, x: x, calculus="ito")  # wrong
