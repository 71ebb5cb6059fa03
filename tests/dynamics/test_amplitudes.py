"""Amplitudes of noise: one step by hand in each calculus, exact solutions, and what has no meaning."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import fbmsde
from fbmsde import Equation, FractionalNoise, StableNoise, hessian_factor, loss_noise, overdamped, sgd, simulate_paths

from ..conftest import threshold

WELL = fbmsde.quadratic(2.0)
NOISE = FractionalNoise(0.3, 0.5)
RUN = {"dt": 0.05, "n_steps": 30, "n_paths": 3, "seed": 7}
GROWTH = Equation(lambda t, x: 0.0 * x, amplitude=lambda t, x: x, calculus="stratonovich", name="growth")
CHAIN = Equation(lambda t, x: -x, amplitude=lambda t, x: 1.0 + t * x, calculus="chain")
TURN = Equation(lambda t, x: (0.0, 0.0), dim=2, amplitude=lambda t, x: (x[1], x[0]), calculus="stratonovich")


def test_a_chain_takes_the_amplitude_at_the_beginning_of_each_step():
    got = simulate_paths(CHAIN, NOISE, 0.4, **RUN).values
    for path, kicks in enumerate(NOISE.sample(30, 3, dt=0.05, seed=7)):
        x = 0.4
        for step, kick in enumerate(kicks):
            x += -0.05 * x + (1.0 + 0.05 * step * x) * kick
            assert got[path, step + 1] == pytest.approx(x, rel=1e-12)


def test_the_calculus_of_stratonovich_takes_the_amplitude_at_both_ends_of_each_step():
    """The trapezoidal rule of `heun`, with Euler's point as the end, for the drift and for the amplitude."""
    smooth = Equation(lambda t, x: t - x, amplitude=lambda t, x: 1.0 + t * x, calculus="stratonovich")
    noise = FractionalNoise(0.7, 0.5)
    got = simulate_paths(smooth, noise, 0.4, **RUN, solver="heun").values
    for path, kicks in enumerate(noise.sample(30, 3, dt=0.05, seed=7)):
        x = 0.4
        for step, kick in enumerate(kicks):
            t, after = 0.05 * step, 0.05 * (step + 1)
            move = 0.05 * (t - x) + (1.0 + t * x) * kick
            end = x + move
            x += (move + 0.05 * (after - end) + (1.0 + after * end) * kick) / 2.0
            assert got[path, step + 1] == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("solver", ["euler", "heun", "rk4"])
def test_an_amplitude_of_time_is_taken_at_the_middle_of_each_step(solver):
    swinging = Equation(lambda t, x, w: 0.0 * x, (3.0,), amplitude=lambda t, w: math.cos(w * t), calculus="additive")
    got = simulate_paths(swinging, NOISE, 0.0, **RUN, solver=solver).values
    factors = np.cos(3.0 * 0.05 * (np.arange(30) + 0.5))
    expected = np.cumsum(factors * NOISE.sample(30, 3, dt=0.05, seed=7), axis=1)
    np.testing.assert_allclose(got[:, 1:], expected, rtol=1e-12, atol=1e-12)


def test_amplitudes_of_several_components_are_taken_one_by_one():
    plane = Equation(lambda t, x: (0.0, 0.0, 0.0), dim=3, channels=2, amplitude=lambda t, x: (1, x[0] - 2.0),
                     calculus="chain")  # fmt: skip
    bare = Equation(lambda t, x: (0.0, 0.0, 0.0), dim=3, channels=2)
    got, kicks = (np.diff(simulate_paths(e, NOISE, (3.5, 0.0, 0.0), **RUN).values, axis=1) for e in (plane, bare))
    np.testing.assert_allclose(got[:, :, 1], kicks[:, :, 1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(got[:, :, 2], 1.5 * kicks[:, :, 2], rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hurst", "solver", "order"),
    [(0.3, "rk4", 1.0), (0.5, "rk4", 2.0), (0.7, "rk4", 2.9), (0.5, "heun", 1.0), (0.7, "heun", 1.45)],
)
def test_the_exact_solution_in_the_calculus_of_stratonovich(hurst, solver, order):
    """``dX = X o dZ`` has ``X = exp(Z)`` for every H. Orders as measured; Ito's calculus would miss by exp(1/8)."""
    errors = []
    for n_steps in (32, 512):
        noise = FractionalNoise(hurst, 0.5)
        ends = simulate_paths(GROWTH, noise, 1.0, dt=1 / n_steps, n_steps=n_steps, n_paths=300, seed=1, solver=solver)
        exact = np.exp(noise.sample(n_steps, 300, dt=1 / n_steps, seed=1).sum(axis=1))
        errors.append(np.sqrt(np.mean((ends.values[:, -1] / exact - 1.0) ** 2)))
    assert math.log(errors[0] / errors[1], 16) == pytest.approx(order, abs=0.2)


def test_a_chain_of_independent_increments_is_that_of_ito():
    """``dX = X dB``: the chain is the product of ``1 + dB``, which tends to ``exp(B - t/2)``."""
    growth = Equation(lambda t, x: 0.0 * x, amplitude=lambda t, x: x, calculus="chain")
    noise = FractionalNoise(0.5)
    got = simulate_paths(growth, noise, 1.0, dt=1e-3, n_steps=500, n_paths=20, seed=1).values[:, -1]
    kicks = noise.sample(500, 20, dt=1e-3, seed=1)
    np.testing.assert_allclose(got, np.prod(1.0 + kicks, axis=1), rtol=1e-12)
    np.testing.assert_allclose(np.log(got), kicks.sum(axis=1) - 0.25, atol=0.1)


def test_noise_in_proportion_to_the_loss():
    """On ``x^2`` with scale 4 the amplitude is ``sqrt((x^2 + offset) / 4)``, in a chain of descent too."""
    amplitude = loss_noise(WELL, scale=4.0, offset=0.5)
    got = simulate_paths(sgd(WELL, 0.1, amplitude=amplitude), NOISE, 0.8, n_steps=20, n_paths=1, seed=2).values[0]
    again = simulate_paths(pickle.loads(pickle.dumps(overdamped(WELL, amplitude, "chain"))), NOISE, 0.8, dt=1.0,
                           n_steps=20, n_paths=1, seed=2).values[0]  # fmt: skip
    kicks, x = NOISE.sample(20, 1, dt=1.0, seed=2)[0], 0.8
    assert again[1] == pytest.approx(0.8 - 2 * 0.8 + math.sqrt((0.64 + 0.5) / 4) * kicks[0])
    for step, kick in enumerate(kicks):
        x -= 0.1 * (2 * x + math.sqrt((x * x + 0.5) / 4) * kick)
        assert got[step + 1] == pytest.approx(x, rel=1e-12)


def test_the_loss_is_counted_from_the_least_value_of_the_potential():
    raised = fbmsde.Landscape(lambda x: x * x + 3.0, minima=(0.0,))
    assert loss_noise(raised, scale=4.0)(2.0) == 1.0
    assert loss_noise(raised, scale=4.0, minimum=2.0)(2.0) == pytest.approx(math.sqrt(1.25))
    assert loss_noise(raised, scale=4.0, minimum=9.0)(2.0) == 0.0


def test_the_factor_of_noise_in_proportion_to_the_hessian():
    valley = fbmsde.Landscape(lambda x: x[0] ** 2 + x[0] * x[1] + 2 * x[1] ** 2, dim=2)
    factor = hessian_factor(valley, (0.3, -0.4))
    np.testing.assert_allclose(factor @ factor.T, [[2.0, 1.0], [1.0, 4.0]], atol=1e-3)
    saddle = fbmsde.double_well(1.0, 1.0, 1.0)
    assert hessian_factor(saddle, 0.0).tolist() == [[0.0]]


def test_noise_in_proportion_to_the_product_of_loss_and_hessian():
    """The covariance of a first step from x is ``potential(x)`` times the Hessian: 1000 paths see 24 %."""
    valley = fbmsde.Landscape(lambda x: x[0] ** 2 + x[0] * x[1] + 2 * x[1] ** 2, dim=2, minima=((0.0, 0.0),))
    noise = FractionalNoise(0.5, hessian_factor(valley, (0.0, 0.0)))
    chain = overdamped(valley, loss_noise(valley), "chain")
    moves = simulate_paths(chain, noise, (1.0, -1.0), dt=1.0, n_steps=1, n_paths=1000, seed=1).values[:, 1]
    expected = 2.0 * np.array([[2.0, 1.0], [1.0, 4.0]])
    spread = np.sqrt((expected**2 + np.outer(np.diag(expected), np.diag(expected))) / 1000)
    assert np.all(np.abs(np.cov(moves.T) - expected) < threshold(3) * spread)


@pytest.mark.parametrize(
    ("equation", "noise", "options", "error", "message"),
    [
        (CHAIN, NOISE, {"solver": "heun"}, ValueError, "solver must be euler for the calculus 'chain', got 'heun'"),
        (GROWTH, NOISE, {}, ValueError, "solver must be heun or rk4 for the calculus 'stratonovich', got 'euler'"),
        (GROWTH, NOISE, {"solver": "heun"}, ValueError, "solver must be 'rk4' for an amplitude at H < 1/2, got 'heun'"),
        (GROWTH, FractionalNoise(0.1), {"solver": "rk4"}, ValueError, "hurst must be larger than 1/6"),
        (GROWTH, StableNoise(1.5), {"solver": "rk4"}, TypeError, "noise must be FractionalNoise .* not settled"),
        (TURN, NOISE, {"solver": "rk4", "x0": (0.0, 1.0)}, ValueError, "hurst must be at least 1/2 .*='chain'"),
    ],
)  # fmt: skip
def test_what_is_not_well_posed_is_refused(equation, noise, options, error, message):
    with pytest.raises(error, match=message):
        simulate_paths(equation, noise, **({"x0": 1.0} | RUN | options))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Equation(lambda t, x: x, amplitude=lambda t, x: x), "calculus must be named .*Ito.s integral"),
        (lambda: Equation(lambda t, x: x, calculus="chain"), "calculus must be 'additive' without an amplitude"),
        (lambda: Equation(lambda t, x: x, amplitude=lambda t, x: x, calculus="ito"), "calculus must be one of"),
        (lambda: Equation(lambda t, x: x, amplitude=lambda t, x: x, calculus="additive"),
         "amplitude must take t and 0 numbers"),
        (lambda: overdamped(WELL, lambda x, a: x, "additive"), "'chain' or 'stratonovich' for an amplitude of x"),
        (lambda: overdamped(WELL, lambda x: x, "chain"), "amplitude must take x and 1 number of params"),
        (lambda: loss_noise(WELL, 0.0), "scale must be positive"),
        (lambda: loss_noise(WELL, offset=-1.0), "offset must be at least 0"),
        (lambda: loss_noise(fbmsde.Landscape(lambda x: x)), "minimum must be given"),
        (lambda: hessian_factor(WELL, (0.0, 1.0)), "x must be one point of 1 coordinates"),
    ],
)  # fmt: skip
def test_bad_amplitudes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
