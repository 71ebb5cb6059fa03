"""Every public object can be pickled and copied; a process pool runs users' landscapes to the same bits."""

from __future__ import annotations

import copy
import functools
import multiprocessing
import pickle
import sys
import types
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from numba import njit

import fbmsde
from fbmsde import FractionalNoise, Landscape, LevelSet, estimate_hurst, fgn, first_passage, quadratic, simulate_paths

stiffness = 1.0
NOISE = FractionalNoise(0.5)


@njit
def helper(x):
    return stiffness * x


def quartic():
    """The README's own landscape."""
    return Landscape(lambda x, a: a * x**4 / 4, lambda x, a: a * x**3, params=(2.0,), name="quartic")


def copies(thing):
    return pickle.loads(pickle.dumps(thing)), copy.deepcopy(thing), copy.copy(thing)


def test_values_are_those_at_the_time_of_pickling(monkeypatch):
    """Globals, closures, helpers and bound arguments travel along, also those of modules that could be imported."""
    k = 3.0
    table = np.array([1.0, 4.0])

    def bound(x, p):
        return p * x

    monkeypatch.setitem(globals(), "stiffness", 20.0)
    monkeypatch.setitem(sys.modules, "some_settings", some_settings := types.ModuleType("some_settings"))
    some_settings.k = 7.0
    gradients = [
        (lambda x: some_settings.k * x, 7.0),
        (lambda x: k * table[1] * x, 12.0), (lambda x: helper(x), 20.0), (lambda x: stiffness * x, 20.0),
        (functools.partial(bound, p=5.0), 5.0),
    ]  # fmt: skip
    sent = [pickle.dumps(Landscape(lambda x: 0.0, gradient)) for gradient, _ in gradients]
    monkeypatch.setitem(globals(), "stiffness", 1.0)
    table[1], k, some_settings.k = 0.0, 0.0, 0.0
    for data, (_, slope) in zip(sent, gradients, strict=True):
        assert pickle.loads(data).slope(1.0) == slope


def test_landscapes_of_the_package_are_sent_by_name():
    for make in fbmsde.landscapes.LANDSCAPES.values():
        got = pickle.loads(pickle.dumps(make()))
        assert got == make()
        assert got.point_gradient is make().point_gradient


def test_landscapes_and_level_sets_can_be_copied():
    x = np.linspace(-2.0, 2.0, 5)
    for landscape in (quartic(), Landscape(lambda x: x * x), quadratic(2.0)):
        for got in copies(landscape):
            assert np.array_equal(got.slope(x), landscape.slope(x))
            assert got.params == landscape.params
    for got in copies(LevelSet(lambda x, r: x * x - r, (2.0,))):
        assert got.level(1.0, *got.params) == -1.0


@pytest.mark.slow
def test_results_can_be_copied():
    passages = first_passage(quadratic(), NOISE, 0.0, (-1.0, 1.0), dt=0.1, horizon=3.0, n_paths=40, seed=1)
    things = [
        passages, passages.survival(), passages.mean(), passages.exit_rate(), NOISE, fbmsde.StreamingNoise(0.7, 64),
        simulate_paths(quadratic(), NOISE, 0.0, dt=0.1, n_steps=3, n_paths=2, seed=1), fbmsde.FBM(8, 0.3),
        estimate_hurst(fgn(0.6, 300, 2, seed=1), kind="increments"), fbmsde.Accuracy(), dict(fbmsde.theory.FORMULAS),
        fbmsde.NoEstimateError("none"), fbmsde.PathError("broken", 1, 2.0), fbmsde.HorizonError("late", passages),
    ]  # fmt: skip
    for thing in things:
        for got in copies(thing):
            assert type(got) is type(thing)
            assert str(got) == str(thing) or "object at" in str(thing)


def simulated(landscape):
    return simulate_paths(landscape, NOISE, 0.0, dt=0.01, n_steps=40, n_paths=5, seed=1, n_jobs=1).values


@pytest.mark.slow
def test_process_pool_runs_the_landscape_of_the_readme():
    landscape = quartic()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        got = pool.submit(simulated, landscape).result()
    assert np.array_equal(got, simulated(landscape))
