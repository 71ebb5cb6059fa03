"""First passage: equal to a plain loop, to the saved paths, to exact laws; independent of threads, blocks and lanes."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fbmsde
from fbmsde import FractionalNoise, LevelSet, first_passage, simulate_paths
from fbmsde.core import checks
from fbmsde.dynamics.solvers import SOLVERS
from fbmsde.laws.diffusions import mean_exit_time, ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.simulation import grid
from fbmsde.simulation._motion import unresolved

from .. import naive
from ..conftest import threshold

SHIFT = 0.5826  # -zeta(1/2) / sqrt(2 pi): a grid of step dt sees a Brownian barrier SHIFT sigma sqrt(dt) higher
WELL = fbmsde.double_well(4.0, 1.0, 1.0)
METHODS = ("streaming", "davies_harte")


def run(landscape=WELL, noise=None, x0=-1.0, domain=(-math.inf, 0.0), **options):
    settings = {"dt": 0.01, "horizon": 3.0, "n_paths": 200, "seed": 3, "n_jobs": 1} | options
    return first_passage(landscape, noise or FractionalNoise(0.4), x0, domain, **settings)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_steps", [1, 7, 8, 9, 61])
def test_equals_plain_loop(solver, n_steps):
    noise, dt = FractionalNoise(0.3, 0.7, method="davies_harte"), 0.02
    increments = 0.7 * dt**0.3 * fbmsde.fgn(0.3, n_steps, 50, seed=3)
    expected = naive.first_passage(WELL, increments, -0.5, (-2.0, 0.0), dt, solver)
    got = run(noise=noise, x0=-0.5, domain=(-2.0, 0.0), dt=dt, horizon=n_steps * dt, n_paths=50, solver=solver)
    assert np.array_equal(got.times, expected[0])
    assert np.array_equal(got.censored, expected[1])
    assert np.allclose(got.place, expected[2], rtol=1e-13, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dim", [1, 2])
def test_follows_the_saved_paths(method, dim):
    landscape = WELL if dim == 1 else fbmsde.double_well_2d(4.0, 1.0, 1.0)
    noise, x0 = FractionalNoise(0.4, method=method), landscape.minima[0]
    values = simulate_paths(landscape, noise, x0, dt=0.01, n_steps=300, n_paths=40, seed=3).values
    inside = (values if dim == 1 else values[..., 0]) < 0.0
    when = np.where(inside.all(axis=1), 300, np.argmin(inside, axis=1)) * 0.01
    domain = (-math.inf, 0.0) if dim == 1 else (lambda x: x[0])
    got = run(landscape, noise, x0, domain, n_paths=40)
    assert np.allclose(got.times, when, rtol=0, atol=1e-12)
    assert np.array_equal(got.censored, inside.all(axis=1))


@pytest.mark.slow
@settings(deadline=None, max_examples=12)
@given(st.integers(1, 5), st.sampled_from(METHODS), st.integers(1, 400))
def test_path_depends_on_seed_and_number_alone(n_jobs, method, n_paths):
    noise = FractionalNoise(0.7, method=method)
    whole = run(noise=noise, n_paths=400, n_jobs=1)
    part = run(noise=noise, n_paths=n_paths, n_jobs=n_jobs)
    assert np.array_equal(part.times, whole.times[:n_paths])
    assert np.array_equal(part.censored, whole.censored[:n_paths])


@pytest.mark.slow
def test_does_not_depend_on_the_size_of_blocks(monkeypatch):
    noise = FractionalNoise(0.6, method="davies_harte")
    whole = run(noise=noise)
    monkeypatch.setattr("fbmsde.drivers.stored_feed._STORED_NUMBERS", 6 * 300)
    assert np.array_equal(run(noise=noise).times, whole.times)


@pytest.mark.slow
def test_longer_horizon_only_reveals_more():
    short, long = run(horizon=1.0, noise=FractionalNoise(0.5)), run(horizon=3.0, noise=FractionalNoise(0.5))
    early = long.times <= 1.0
    assert np.array_equal(short.times[early], long.times[early])
    assert np.array_equal(short.censored, ~early)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_scaling_with_curvature_is_exact(hurst):
    """X of curvature a is a^-H times X of curvature 1 at time a t: the same steps, to the last one."""
    a, b = 4.0, 1.3
    options = {"n_paths": 500, "noise": FractionalNoise(hurst), "x0": 0.0}
    one = run(fbmsde.quadratic(1.0), domain=(-b, b), dt=0.01, horizon=4.0, **options)
    barrier = b * a**-hurst
    four = run(fbmsde.quadratic(a), domain=(-barrier, barrier), dt=0.01 / a, horizon=4.0 / a, **options)
    assert np.allclose(four.times * a, one.times, rtol=1e-12)


@pytest.mark.slow
def test_mirror_symmetry():
    """-B is B in law; both sides of a symmetric well are left equally often: z of 4000 paths sees 4 % at 5 s.d."""
    left = run(fbmsde.quadratic(1.0), domain=(-1.0, math.inf), x0=0.0, n_paths=4000)
    right = run(fbmsde.quadratic(1.0), domain=(-math.inf, 1.0), x0=0.0, n_paths=4000)
    n = left.n_left + right.n_left
    assert abs(left.n_left - right.n_left) / math.sqrt(n) < threshold(1)


@pytest.mark.slow
def test_two_sided_domain_is_left_at_the_earlier_side():
    options = {"x0": 0.0, "n_paths": 300}
    well = fbmsde.quadratic(1.0)
    both = run(well, domain=(-0.8, 1.1), **options)
    low, high = run(well, domain=(-0.8, math.inf), **options), run(well, domain=(-math.inf, 1.1), **options)
    assert np.array_equal(both.times, np.minimum(low.times, high.times))


@pytest.mark.slow
@pytest.mark.parametrize(("method", "n_paths"), [("streaming", 20_000), ("davies_harte", 4000)])
def test_brownian_mean_exit_time_is_the_exact_integral(method, n_paths):
    """H = 1/2, barrier moved by the shift: 20 000 (4000) paths see 4 % (8 %) of the mean at the threshold."""
    dt = 2e-3
    for landscape, x0, upper in ((fbmsde.quadratic(1.0), 0.0, 1.0), (WELL, WELL.minima[0], 0.0)):
        exact = mean_exit_time(landscape, x0, (-math.inf, upper + SHIFT * math.sqrt(dt)))
        got = run(landscape, FractionalNoise(0.5, method=method), x0, (-math.inf, upper), dt=dt, horizon=16 * exact,
                  n_paths=n_paths, n_jobs=2).mean()  # fmt: skip
        assert abs(got.value - exact) / got.standard_error < threshold(4)


@pytest.mark.slow
def test_brownian_tail_rate_is_the_eigenvalue():
    """H = 1/2, k = 2 on both sides: 20 000 paths see 4 % of the rate at the threshold."""
    dt, k = 1e-3, 2.0
    barrier = k * math.sqrt(fou_stationary_variance(0.5))
    exact = ou_exit_rate(barrier + SHIFT * math.sqrt(dt), sides=2)
    got = run(fbmsde.quadratic(1.0), FractionalNoise(0.5), 0.0, (-barrier, barrier), dt=dt, horizon=30.0,
              n_paths=20_000, n_jobs=2).exit_rate(after=2.0)  # fmt: skip
    assert abs(got.value - exact) / (got.value / math.sqrt(got.events)) < threshold(1)


@pytest.mark.slow
def test_correlated_components_leave_together():
    """With correlation 1 both coordinates are one noise: the level x_0 - x_1 never moves."""
    flat = fbmsde.Landscape(lambda x: 0.0, lambda x: (0.0, 0.0), dim=2)
    noise = FractionalNoise(0.6, correlation=[[1.0, 1.0], [1.0, 1.0]])
    got = run(flat, noise, (0.0, 0.0), lambda x: abs(x[0] - x[1]) - 1e-9)
    assert got.n_left == 0
    assert run(flat, FractionalNoise(0.6), (0.0, 0.0), lambda x: abs(x[0] - x[1]) - 1e-9).n_left == 200


@pytest.mark.slow
def test_until_stops_when_the_share_has_left():
    """The trial is doubled until enough have left and no further; what is censored is censored at its end."""
    got = run(until=0.9, horizon=math.inf, n_paths=500)
    assert 450 <= got.n_left < 500
    assert got.horizon == 0.01 * 2 * grid._FIRST_TRIAL
    assert np.all(got.times[got.censored] == got.horizon)
    assert np.count_nonzero(got.times <= got.horizon / 2) < 450
    further = run(until=0.99, horizon=math.inf, n_paths=500)
    early = ~got.censored
    assert further.n_left >= 495
    assert np.array_equal(further.times[early], got.times[early])


@pytest.mark.slow
def test_until_beyond_the_range_keeps_what_was_computed(monkeypatch):
    monkeypatch.setattr("fbmsde.drivers.rational.streaming.MAX_STEPS", 2**11)
    with pytest.raises(fbmsde.HorizonError, match=r"must be reached within the noise model's 2048 steps, got 0") as e:
        run(domain=(-math.inf, 2.0), until=0.9, horizon=math.inf, n_paths=50)
    assert e.value.passages.times.shape == (50,)
    assert e.value.passages.horizon == 20.48


@pytest.mark.slow
def test_ordinary_noise_needs_no_model_and_has_no_longest_path(monkeypatch):
    """At H = 1/2 the limit of the noise model does not hold, whether the end is a horizon or a share."""
    options = {"noise": FractionalNoise(0.5), "domain": (-math.inf, 1.3), "horizon": 60.0, "n_paths": 50}
    whole = run(**options)
    monkeypatch.setattr("fbmsde.drivers.rational.streaming.MAX_STEPS", 2**11)
    assert np.array_equal(run(**options).times, whole.times)
    until = run(**options, until=0.9)
    assert until.n_left >= 45
    assert until.times[~until.censored].max() > 0.01 * 2**11
    with pytest.raises(ValueError, match=r"n_steps must lie in \[2, 2048\] for streaming noise, got 6000"):
        run(**options | {"noise": FractionalNoise(0.4)})


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1e6, math.inf])
def test_until_tells_the_time_it_reached(monkeypatch, horizon):
    """The range of the noise model ends at step 1024, long before the horizon: what ran is what is told."""
    monkeypatch.setattr("fbmsde.drivers.rational.streaming.MAX_STEPS", 2**10)
    options = {"domain": (-math.inf, 0.9), "horizon": horizon, "n_paths": 100}
    got = run(until=0.2, **options)
    assert 20 <= got.n_left < 100
    assert got.horizon == 10.24
    assert np.all(got.times[got.censored] == 10.24)
    rate = got.exit_rate(after=0.0)
    assert rate.exposure == pytest.approx(got.times.sum(), rel=1e-12)
    with pytest.raises(fbmsde.HorizonError) as e:
        run(until=0.99, **options)
    assert np.array_equal(e.value.passages.times, got.times)
    assert e.value.passages.horizon == 10.24


def test_a_horizon_that_is_reached_is_no_error(monkeypatch):
    """The last step of the range is the horizon: too few paths have left, as with any finite horizon."""
    monkeypatch.setattr("fbmsde.drivers.rational.streaming.MAX_STEPS", 2**6)
    got = run(until=0.9, domain=(-math.inf, 9.0), horizon=0.64, n_paths=8)
    assert (got.n_left, got.horizon) == (0, 0.64)


def test_horizon_is_the_end_of_the_last_step():
    got, whole = run(horizon=0.0999, n_paths=8), run(horizon=0.09, n_paths=8)
    assert got.horizon == whole.horizon == 0.09
    assert np.array_equal(got.times, whole.times)
    bridge = fbmsde.bridge_passage(WELL, 1.0, -1.0, (-9.0, 9.0), dt=0.01, horizon=0.0999, n_paths=8, seed=0)
    assert bridge.horizon == 0.09
    assert np.all(bridge.times == 0.09)


def test_none_is_an_open_side():
    assert np.array_equal(run(domain=(None, 0.0), n_paths=8).times, run(n_paths=8).times)
    bridge = {"dt": 0.01, "horizon": 0.1, "n_paths": 8, "seed": 0}
    open_side = fbmsde.bridge_passage(WELL, 1.0, -1.0, (None, 0.0), **bridge)
    assert np.array_equal(open_side.times, fbmsde.bridge_passage(WELL, 1.0, -1.0, (-math.inf, 0.0), **bridge).times)
    assert mean_exit_time(WELL, -1.0, (None, 0.0)) == mean_exit_time(WELL, -1.0, (-math.inf, 0.0))


@pytest.mark.slow
def test_float32_noise_gives_the_same_exits_up_to_rounding():
    single = run(noise=FractionalNoise(0.4, dtype="float32"))
    double = run(noise=FractionalNoise(0.4))
    assert np.mean(single.times != double.times) < 0.05
    for dtype in (np.float32, np.float64):
        lanes = FractionalNoise(0.4, dtype=dtype).feed(9, 1.0, 1, checks.as_seed(0)).lanes(0, 1)
        assert lanes.data.states.dtype == dtype


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dt": 0.0}, ValueError, r"dt must be positive and finite, got 0\.0"),
        ({"dt": -1.0}, ValueError, r"dt must be positive and finite, got -1\.0"),
        ({"dt": math.nan}, ValueError, r"dt must be positive and finite, got nan"),
        ({"horizon": math.inf}, ValueError, r"horizon must be positive and finite, got inf"),
        ({"horizon": 0.001}, ValueError, r"horizon must be at least dt = 0\.01, got 0\.001"),
        ({"dt": 1e-320}, ValueError, r"dt must be 0 or at least 2\.23e-308 in size, got 1e-320"),
        ({"dt": 1e-300}, ValueError, r"horizon / dt must be below 2\^62, got 3e\+300"),
        ({"n_paths": math.inf}, ValueError, r"n_paths must be finite, got inf"),
        ({"n_paths": math.nan}, ValueError, r"n_paths must be finite, got nan"),
        ({"horizon": 10**400}, ValueError, r"horizon must be at most 1\.8e\+308 in size, got a larger integer"),
        ({"domain": (math.nan, 0.0)}, ValueError, r"domain must have lower < upper, got \(nan, 0\.0\)"),
        ({"domain": ("a", 0.0)}, TypeError, r"domain must be a number, got 'a'"),
        ({"domain": (0.0,)}, TypeError, r"domain must be \(lower, upper\) or a level function, got \(0\.0,\)"),
        ({"solver": ["euler"]}, ValueError, r"solver must be one of euler, heun, rk4, got \['euler'\]"),
        ({"n_paths": 0}, ValueError, r"n_paths must be at least 1, got 0"),
        ({"n_paths": 1.5}, TypeError, r"n_paths must be a whole number, got 1\.5"),
        ({"n_paths": 10**15}, MemoryError, r"passage times must fit in memory, got 3\.4e\+07 GB"),
        ({"n_jobs": 0}, ValueError, r"n_jobs must be at least 1, got 0"),
        ({"x0": 0.0}, ValueError, r"x0 must lie inside the domain \(-inf, 0\.0\), got 0\.0"),
        ({"x0": 1.0}, ValueError, r"x0 must lie inside the domain"),
        ({"x0": math.nan}, ValueError, r"x0 must be finite, got nan"),
        ({"x0": (0.0, 1.0)}, ValueError, r"x0 must have 1 coordinates, or be \(200,\), got shape \(2,\)"),
        ({"domain": (1.0, -1.0)}, ValueError, r"domain must have lower < upper, got \(1\.0, -1\.0\)"),
        ({"domain": 3.0}, TypeError, r"domain must be \(lower, upper\) or a level function, got 3\.0"),
        ({"domain": lambda x: x + 1.0}, ValueError, r"x0 must lie inside the domain, where the level is negative"),
        ({"solver": "milstein"}, ValueError, r"solver must be one of euler, heun, rk4, got 'milstein'"),
        ({"seed": None}, TypeError, r"seed must be an int, a numpy SeedSequence or a numpy Generator, got None"),
        ({"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
        ({"until": 1.0}, ValueError, r"until must lie in \(0, 1\), got 1\.0"),
        (
            {"until": 0.5, "noise": FractionalNoise(0.4, method="hosking")},
            ValueError,
            r"method must be 'streaming' for `until`, got 'hosking'",
        ),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        run(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"solver": "heun"}, r"solver must be None in continuous time, got 'heun'"),
        ({"solver": "euler"}, r"solver must be None in continuous time, got 'euler'"),
        ({"noise": FractionalNoise(0.4, dtype="float32")}, r"dtype must be float64 in continuous time, got float32"),
        (
            {"noise": FractionalNoise(0.4, tolerance=1e-3), "accuracy": fbmsde.Accuracy(tolerance=1e-4)},
            r"tolerance must be given once, got 0\.001 of the noise and 0\.0001 of `accuracy`",
        ),
    ],
)
def test_options_that_do_nothing_in_continuous_time_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        run(monitoring="continuous", dt=None, **change)


def test_tolerance_of_an_exact_generator_is_refused():
    with pytest.raises(ValueError, match=r"tolerance must be None for 'hosking', got 0\.001"):
        FractionalNoise(0.4, method="hosking", tolerance=1e-3)


def test_step_of_the_times_is_told():
    assert run(n_paths=8).dt == 0.01
    jumped = run(noise=FractionalNoise(0.5), monitoring="continuous", dt=0.5, fine_steps=2**12, n_paths=8)
    assert jumped.dt == 3.0 / 2**12
    assert jumped.times / jumped.dt == pytest.approx(np.rint(jumped.times / jumped.dt))


@pytest.mark.slow
def test_a_broken_path_does_not_lose_the_others_in_continuous_time_and_on_a_bridge():
    """As above: those that leave to the left are kept, and none that met nan counts as an exit."""
    nan_right, options = fbmsde.Landscape(lambda x: 0.0 * x, holed), {"horizon": 3.0, "n_paths": 64, "seed": 3}
    with pytest.raises(fbmsde.PathError) as jumped:
        first_passage(nan_right, FractionalNoise(0.5), 0.0, (-0.5, 9.0), monitoring="continuous", fine_steps=2**10,
                      **options)  # fmt: skip
    with pytest.raises(fbmsde.PathError) as bridged:
        fbmsde.bridge_passage(nan_right, 1.0, 0.0, (-0.5, 9.0), dt=0.01, **options)
    for error in (jumped.value, bridged.value):
        got = error.passages
        assert got.n_left > 10
        assert got.n_broken > 5
        assert error.path == np.argmax(got.broken)
        assert np.all(got.times[got.broken] < got.horizon)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of interpreted kernels: the lanes run on after an exit
def test_a_bridge_over_an_unresolved_step_carries_a_note():
    steep = fbmsde.Landscape(lambda x: -200.0 * x * x, lambda x: -400.0 * x)
    options = {"dt": 0.05, "horizon": 0.5, "n_paths": 16, "seed": 0}
    assert "16 of 16 exits" in fbmsde.bridge_passage(steep, 0.1, 0.1, (-1.0, 1.0), **options).note
    assert fbmsde.bridge_passage(WELL, 1.0, -1.0, (-9.0, 0.0), **options | {"horizon": 9.0}).note == ""


@pytest.mark.parametrize("every", [1, 7])
def test_saved_paths_keep_the_others_of_a_broken_one(every):
    """The broken ones hold nan from the step on at which they broke, the others are those of the whole gradient."""
    free = fbmsde.Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)
    options = {"dt": 0.05, "n_steps": 63, "n_paths": 150, "seed": 3, "save_every": every}
    whole = simulate_paths(free, FractionalNoise(0.4), 0.0, **options)
    with pytest.raises(fbmsde.PathError, match=r"\d+ of 150 paths broke; `paths` of this error holds all") as e:
        simulate_paths(fbmsde.Landscape(lambda x: 0.0 * x, holed), FractionalNoise(0.4), 0.0, **options)
    got = e.value.paths
    assert 0 < got.broken.sum() < 150
    assert np.array_equal(got.values[~got.broken], whole.values[~got.broken])
    assert e.value.path == np.argmax(got.broken)
    known = np.isfinite(got.values)
    assert np.array_equal(known.all(axis=1), ~got.broken)
    assert np.array_equal(got.values[known], whole.values[known])
    with pytest.raises(fbmsde.PathError) as each:
        simulate_paths(
            fbmsde.Landscape(lambda x: 0.0 * x, holed), FractionalNoise(0.4), 0.0, **options | {"save_every": 1}
        )
    assert np.array_equal(known, np.isfinite(each.value.paths.values[:, ::every]))
    lived = np.isfinite(each.value.paths.values[e.value.path]).sum()
    assert lived == round(e.value.time / 0.05)
    assert f"{int(got.broken.sum())} broken)" in repr(got)
    assert repr(whole).startswith("Paths(150 paths at ")


def test_domain_must_be_a_level_in_two_dimensions():
    with pytest.raises(ValueError, match=r"domain must be a level function in 2 dimensions, got \(-1, 1\)"):
        run(fbmsde.double_well_2d(), x0=(-1.0, 0.0), domain=(-1, 1))


@pytest.mark.slow
def test_level_function_that_does_not_compile_shows_its_error():
    with pytest.raises(ValueError, match=r"domain must compile with numba, got: .*unheard_of"):
        run(domain=LevelSet(lambda x: x - unheard_of))  # noqa: F821 - the undefined name is what is tested


@pytest.mark.slow
def test_exploding_path_is_reported_not_returned():
    steep = fbmsde.Landscape(lambda x: x**4, lambda x: 4e3 * x**3, name="steep")
    with pytest.raises(fbmsde.PathError, match=r"path \d+ must stay finite, got .* at time .*try dt = 0\.0025") as e:
        run(steep, domain=(-math.inf, math.inf), n_paths=20)
    assert e.value.time > 0


def test_gradient_that_returns_nan_is_reported():
    holed = fbmsde.Landscape(lambda x: x, lambda x: math.nan if x > 0.2 else 0.0, name="holed")
    with pytest.raises(fbmsde.PathError, match="must stay finite"):
        run(holed, x0=0.0, domain=(-5.0, 5.0), n_paths=20)


def holed(x):
    return math.nan if x > 1.0 else 0.0


def test_a_broken_path_does_not_lose_the_others():
    """Free paths to the left of 1, whose gradient is nan to the right of it: some get there before they leave."""
    free, domain = fbmsde.Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x), (-0.5, 9.0)
    options = {"x0": 0.0, "domain": domain, "dt": 0.05, "n_paths": 64}
    whole = run(free, **options)
    with pytest.raises(fbmsde.PathError, match=r"\d+ of 64 paths broke; `passages` of this error holds all") as e:
        run(fbmsde.Landscape(lambda x: 0.0 * x, holed), **options)
    got = e.value.passages
    assert 0 < got.n_broken < 64
    assert got.n_left > 0
    assert np.array_equal(got.times[~got.broken], whole.times[~got.broken])
    assert np.array_equal(got.censored[~got.broken], whole.censored[~got.broken])
    assert got.censored[got.broken].all()
    assert e.value.path == np.argmax(got.broken)
    assert got.times[e.value.path] == pytest.approx(e.value.time - 0.05)  # inside one step before
    again = pickle.loads(pickle.dumps(e.value))
    assert (str(again), again.path, again.time) == (str(e.value), e.value.path, e.value.time)
    assert np.array_equal(again.passages.times, got.times)


@pytest.mark.parametrize("dim", [1, 2])
def test_a_level_that_is_nan_is_an_error(dim):
    free = (
        fbmsde.Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)
        if dim == 1
        else fbmsde.Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0), dim=2)
    )

    def level(x):
        return math.nan if x > 1.0 else -0.5 - x

    def level_2d(x):
        return level(x[0]) if x[0] <= 1.0 else math.nan

    options = {"x0": (0.0,) * dim, "dt": 0.05, "n_paths": 64}
    with pytest.raises(fbmsde.PathError, match=r"the level at path \d+ must be a number, got nan at time") as e:
        run(free, domain=level if dim == 1 else level_2d, **options)
    got = e.value.passages
    edge = run(free, domain=(lambda x: -0.5 - x) if dim == 1 else (lambda x: -0.5 - x[0]), **options)
    assert got.n_broken > 0
    assert got.n_left > 0
    assert np.array_equal(got.times[~got.broken], edge.times[~got.broken])


def test_a_level_that_is_nan_is_an_error_in_continuous_time():
    free = fbmsde.Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)
    options = {"monitoring": "continuous", "dt": None, "fine_steps": 2**8, "n_paths": 32, "noise": FractionalNoise(0.5)}
    with pytest.raises(fbmsde.PathError, match=r"the level at path \d+ must be a number, got nan at time") as e:
        run(free, x0=0.0, domain=lambda x: math.nan if x > 1.0 else -0.7 - x, **options)
    assert e.value.passages.n_broken > 3
    assert e.value.passages.n_left > 3


def test_nan_in_a_coordinate_that_the_level_does_not_read_is_an_error():
    half = fbmsde.Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], math.nan), dim=2)
    with pytest.raises(fbmsde.PathError, match=r"path 0 must stay finite, got inf or nan at time 0\.01"):
        run(half, x0=(0.0, 0.0), domain=lambda x: x[0] - 9.0, n_paths=8)


def quartic_slope(x):
    return x**3


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of interpreted kernels: the lanes run on after an exit
def test_exits_of_an_exploding_scheme_carry_a_note():
    """sigma 10 in x^4/4: beyond sqrt(2 / dt) = 10 the chain of dt = .02 oscillates out to 50, the equation does not."""
    quartic = fbmsde.Landscape(lambda x: x**4 / 4, quartic_slope)
    options = {"noise": FractionalNoise(0.3, 10.0), "x0": 0.0, "domain": (-50, 50), "n_paths": 40}
    coarse = run(quartic, dt=0.02, horizon=2.0, **options)
    assert coarse.n_left > 5
    assert coarse.note.startswith(f"{coarse.n_left} of {coarse.n_left} exits were made by steps that the equation does")
    assert "with a note" in repr(coarse) and coarse.note in coarse._repr_html_()
    assert coarse.note.endswith("compare with dt = 0.005.")
    fine = run(quartic, dt=0.005, horizon=1.0, **options)
    assert (fine.n_left, fine.note) == (0, "")


@pytest.mark.parametrize(("curvature", "expected"), [(1.9, False), (2.1, True), (-9.0, False)])
def test_the_limit_of_stability_is_a_curvature_of_two_over_dt(curvature, expected):
    """A step of less than ten noise steps: only the curvature at its beginning speaks."""
    gradient = fbmsde.Landscape(lambda x, a: a * x * x / 2, lambda x, a: a * x, params=(curvature,)).point_gradient
    last, shock = (1.0,), (0.5,)
    here = (last[0] * (1.0 - curvature) + shock[0],)
    assert unresolved(gradient, (curvature,), (0.0,), (1.0, 1.0), last, here, shock) == expected


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of interpreted kernels: the lanes run on after an exit
def test_a_drift_that_leaves_in_one_step_carries_a_note():
    """From .1 the equation takes ln(10) / 400 = .006 to reach 1; a step of .05 goes to 2.1 at once."""
    steep = fbmsde.Landscape(lambda x: -200.0 * x * x, lambda x: -400.0 * x)
    options = {"noise": FractionalNoise(0.5, 0.1), "x0": 0.1, "domain": (-1.0, 1.0), "n_paths": 16}
    assert "16 of 16 exits" in run(steep, dt=0.05, horizon=0.5, **options).note
    assert run(steep, dt=1e-4, horizon=0.05, **options).note == ""


ORDINARY = {
    "sharp well": (fbmsde.quadratic(4.0), 0.0, (-0.8, 0.8), FractionalNoise(0.3), 0.005),
    "flat well, long memory": (fbmsde.quadratic(1.0), 0.0, (-1.0, 1.0), FractionalNoise(0.7), 0.005),
    "coarse chain": (fbmsde.quadratic(1.0), 0.0, (-2.5, 2.5), FractionalNoise(0.5), 1.0),
    "over the saddle": (WELL, WELL.minima[0], (-math.inf, 0.0), FractionalNoise(0.4), 0.01),
    "downhill from the saddle": (WELL, 0.1, (-math.inf, 1.0), FractionalNoise(0.5, 0.1), 0.01),
    "hardly any noise": (
        fbmsde.Landscape(lambda x: -x, lambda x: -1.0 + 0.0 * x), 0.0, (-1.0, 1.0), FractionalNoise(0.7, 0.01), 0.01
    ),
    "ripples": (fbmsde.rippled_well(), 0.0, (-1.0, 1.0), FractionalNoise(0.5), 0.01),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", ORDINARY)
def test_ordinary_exits_carry_no_note(case):
    landscape, x0, domain, noise, dt = ORDINARY[case]
    got = run(landscape, noise, x0, domain, dt=dt, horizon=2000 * dt, n_paths=500)
    assert got.n_left > 100
    assert got.note == ""


@pytest.mark.slow
def test_explosion_behind_the_barrier_is_an_exit():
    """A path that leaves properly and would blow up in the same block of steps has left."""
    cliff = fbmsde.Landscape(lambda x: x, lambda x: -1e200 * x if x > 0.0 else 0.0, name="cliff")
    got = run(cliff, x0=-0.1, domain=(-math.inf, 0.0))
    assert got.n_left > 150
