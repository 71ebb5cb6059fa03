"""The stand-in for the package `fbm`: its face, its laws, its multifractional motion path by path."""

from __future__ import annotations

import copy
import inspect
import math
import pickle

import fbm as peer
import numpy as np
import pytest
from scipy import special

from fbmsde import fbm_compat, fgn
from fbmsde.core import checks
from fbmsde.core.random import fill_normals
from fbmsde.drivers._running_sums import running_sums
from fbmsde.drivers.exact.generators import make_generator
from fbmsde.drivers.fbm_compat import FBM, MBM


def rising(t):
    return 0.2 + 0.6 * t / 3


def stepped(t):
    return 0.25 if t <= 1.0 else 0.75


def normals(seed, path, n):
    out = np.empty((1, n))
    fill_normals(checks.as_seed(seed), path, 0, out)
    return out[0]


def test_the_names_are_those_of_the_package():
    assert sorted(fbm_compat.__all__) == sorted(peer.__all__)


@pytest.mark.parametrize("name", ["FBM", "MBM", "fbm", "fgn", "mbm", "mgn", "times"])
def test_the_signatures_are_those_of_the_package_and_a_seed(name):
    theirs, ours = (list(inspect.signature(getattr(m, name)).parameters.values()) for m in (peer, fbm_compat))
    assert [(p.name, p.default) for p in ours[: len(theirs)]] == [(p.name, p.default) for p in theirs]
    assert [p.name for p in ours[len(theirs) :]] == ([] if name == "times" else ["seed"])


@pytest.mark.parametrize("method", ["daviesharte", "cholesky", "hosking"])
def test_fbm_has_the_face_of_the_original(method):
    theirs, ours = peer.FBM(12, 0.7, 3.0, method), FBM(12, 0.7, 3.0, method, seed=1)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    for name in ("fbm", "fgn", "times"):
        assert getattr(ours, name)().shape == getattr(theirs, name)().shape
    for name in ("n", "hurst", "length", "method"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert np.array_equal(ours.times(), theirs.times())


def test_mbm_has_the_face_of_the_original():
    theirs, ours = peer.MBM(12, rising, 3), MBM(12, rising, 3, seed=1)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    for name in ("mbm", "mgn", "times"):
        assert getattr(ours, name)().shape == getattr(theirs, name)().shape
    assert ours.hurst is rising


@pytest.mark.slow
@pytest.mark.parametrize(("theirs", "ours"), [("daviesharte", "davies_harte"), ("hosking", "hosking")])
def test_call_number_is_the_path_number(theirs, ours):
    paths = fgn(0.3, 12, 200, method=ours, seed=9) * (3 / 12) ** 0.3
    mine = FBM(12, 0.3, 3, theirs, seed=9)
    assert np.array_equal(mine.fgn(), paths[0])
    walk = mine.fbm()
    assert walk[0] == 0
    np.testing.assert_allclose(np.diff(walk), paths[1], atol=1e-14)
    assert np.array_equal([mine.fgn() for _ in range(198)], paths[2:])
    mine.n, mine.hurst = 5, 0.5
    assert np.array_equal(mine.fgn(), fgn(0.5, 5, 201, method=ours, seed=9)[200] * (3 / 5) ** 0.5)


@pytest.mark.parametrize("method", ["davies_harte", "cholesky", "hosking"])
@pytest.mark.parametrize("rows", [1, 8, 9])
def test_a_path_does_not_depend_on_how_many_are_made(method, rows):
    generator, key = make_generator(method, 0.7, 50), checks.as_seed(3)
    all_rows, some = np.empty((70, 50)), np.empty((rows, 50))
    generator.fill(key, 0, 0, all_rows)
    generator.fill(key, 6, 0, some)
    assert np.array_equal(some, all_rows[6 : 6 + rows])


@pytest.mark.parametrize("hurst", [rising, stepped, lambda t: 0.5])
def test_mbm_is_that_of_the_package_for_the_same_normals(monkeypatch, hurst):
    mine = MBM(40, hurst, 3, seed=5)
    for path in range(3):
        monkeypatch.setattr(np.random, "normal", lambda *_, path=path: normals(5, path, 40))
        np.testing.assert_allclose(mine.mbm(), peer.MBM(40, hurst, 3).mbm(), rtol=1e-11, atol=1e-12)


def test_mbm_has_the_exact_variance_and_is_brownian_motion_at_one_half():
    factor = MBM(500, rising, 3, seed=1)._generator()._factor
    times = np.arange(1, 501) * 3 / 500
    hurst = rising(times)
    exact = times ** (2 * hurst) / (2 * hurst * special.gamma(hurst + 0.5) ** 2)
    np.testing.assert_allclose((factor**2).sum(axis=1), exact, rtol=1e-11)
    brownian = MBM(100, lambda t: 0.5, 4, seed=2).mgn()
    np.testing.assert_allclose(brownian, normals(2, 0, 100) * math.sqrt(4 / 100), atol=1e-13)


def test_one_off_functions_are_the_first_call():
    for owner, hurst, names in ((FBM, 0.3, ("fbm", "fgn")), (MBM, rising, ("mbm", "mgn"))):
        for name in names:
            expected = getattr(owner(9, hurst, 2, seed=4), name)()
            assert np.array_equal(getattr(fbm_compat, name)(9, hurst, 2, seed=4), expected)


def test_unseeded_objects_differ_and_leave_the_global_generator_alone(monkeypatch):
    monkeypatch.setattr(np.random, "normal", None)
    assert not np.array_equal(fbm_compat.fbm(8, 0.7), fbm_compat.fbm(8, 0.7))


CHANGES = [
    ({"n": 0}, ValueError, "n must be at least 1, got 0."),
    ({"n": 1.5}, TypeError, "n must be a whole number, got 1.5."),
    ({"length": -1}, ValueError, "length must be positive and finite, got -1.0."),
]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        *CHANGES,
        ({"hurst": 1.5}, ValueError, r"hurst must lie in \(0, 1\), got 1.5."),
        ({"method": "fft"}, ValueError, "method must be one of daviesharte, cholesky, hosking, got 'fft'."),
    ],
)
def test_fbm_refuses(change, error, message):
    with pytest.raises(error, match=message):
        FBM(**({"n": 4, "hurst": 0.7} | change), seed=1)
    mine = FBM(4, 0.7, seed=1)
    with pytest.raises(error, match=message):
        setattr(mine, *next(iter(change.items())))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        *CHANGES,
        ({"hurst": 0.5}, ValueError, "hurst must be a function of one argument, the time, got 0.5."),
        ({"hurst": lambda s, t: 0.5}, ValueError, "hurst must be a function of one argument, the time"),
        ({"hurst": lambda t: 0.5 + t}, ValueError, r"hurst must lie in \(0, 1\), got 1.0."),
        ({"method": "fft"}, ValueError, "method must be one of riemannliouville, got 'fft'."),
    ],
)
def test_mbm_refuses(change, error, message):
    with pytest.raises(error, match=message):
        MBM(**({"n": 4, "hurst": rising} | change), seed=1)


def test_mbm_looks_at_its_function_again_when_the_times_change():
    mine = MBM(4, lambda t: 0.2 + 0.4 * t, 1, seed=1)
    mine.length = 2.5
    with pytest.raises(ValueError, match=r"hurst must lie in \(0, 1\), got 1.2"):
        mine.mbm()


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda: FBM(20, 0.7, seed=3), lambda: MBM(20, lambda t: 0.3 + 0.4 * t, seed=3)])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_on_with_the_next_path(make, duplicate):
    mine = make()
    take = mine.fbm if isinstance(mine, FBM) else mine.mbm
    take()
    other = duplicate(mine)
    expected = take()
    assert np.array_equal(expected, other.fbm() if isinstance(mine, FBM) else other.mbm())


@pytest.mark.parametrize("n_paths", [1, 4, 6])
def test_running_sums_are_those_of_numpy(n_paths):
    """To the bit, for rows that are summed side by side and for those that are left over."""
    steps, path = np.random.default_rng(n_paths).standard_normal((n_paths, 50)), np.empty((n_paths, 51))
    running_sums(steps, 0.3, 0.7, path)
    np.testing.assert_array_equal(path[:, 1:], np.cumsum(0.3 * steps, axis=1) * 0.7)
    assert not path[:, 0].any()
