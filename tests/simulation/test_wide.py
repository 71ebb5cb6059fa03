"""Many dimensions, where points are arrays: the same paths as those of tuples, their twin, exact laws, bad input."""

from __future__ import annotations

import math
import pickle

import numba
import numpy as np
import pytest
from scipy import stats

import fbmsde
from fbmsde import (
    Chain,
    Continuous,
    EpochNoise,
    Equation,
    FractionalNoise,
    Grid,
    Landscape,
    LevelSet,
    PathError,
    Shifted,
    ball,
    first_passage,
    hessian_spectrum,
    langevin,
    sgd,
    simulate_paths,
)
from fbmsde.drivers.base import LANES
from fbmsde.drivers.sample import sample
from fbmsde.dynamics.curvature import sharpness
from fbmsde.dynamics.schedules import cosine
from tests.conftest import threshold

DIM = 16


def bowl_potential(x, a):
    total = 0.0
    for j in range(len(x)):
        total += 0.5 * a * (1.0 + j) * x[j] * x[j]
    return total


def bowl_gradient(x, out, a):
    for j in range(len(x)):
        out[j] = a * (1.0 + j) * x[j]


def bowl(dim=DIM):
    """A bowl of arrays with curvatures a (1 + j)."""
    return Landscape(bowl_potential, bowl_gradient, (0.5,), dim)


def bowl_of_tuples(dim=DIM):
    """The same bowl of tuples, whose gradient is written out."""
    slopes = ", ".join(f"a * {1.0 + j} * x[{j}]" for j in range(dim))
    return Landscape(bowl_potential, eval(f"lambda x, a: ({slopes},)"), (0.5,), dim)


def covariance(dim):
    """Unit variances and correlations of 0.3."""
    return 0.3 + 0.7 * np.eye(dim)


NOISES = {
    "H = 0.3": FractionalNoise(0.3, 0.5),
    "white": FractionalNoise(0.5, 0.5),
    "correlated": FractionalNoise(0.4, 0.5, correlation=covariance(3)),
    "each axis": FractionalNoise(0.7, (0.5, 0.2, 0.1)),
    "whole paths": FractionalNoise(0.3, 0.5, method="davies_harte"),
    "epochs": EpochNoise(40, 10, 0.1),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "solver"), [*((name, "euler") for name in NOISES), ("white", "heun")])
def test_paths_of_arrays_are_those_of_tuples(name, solver):
    """To the bit: a coordinate has the random numbers of a component. Axes are weighed elsewhere, to rounding."""
    options = {"dt": 0.02, "n_steps": 19, "n_paths": 2 * LANES + 3, "seed": 5, "solver": solver, "save_every": 3}
    wide, narrow = (simulate_paths(make(3), NOISES[name], (0.4, 0.0, -0.2), **options)
                    for make in (bowl, bowl_of_tuples))  # fmt: skip
    assert wide.values.shape == (2 * LANES + 3, 7, 3)
    np.testing.assert_allclose(wide.values, narrow.values, rtol=0.0, atol=1e-15 if name == "each axis" else 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("monitoring", [Grid(0.01), Grid(0.01, "heun"), Shifted(0.01), Grid(0.01, until=0.5)])
def test_exits_of_arrays_are_those_of_tuples(monitoring):
    """Times, sides and places in 16 dimensions, on lanes that hold eight paths each."""
    options = {"monitoring": monitoring, "horizon": 2.0, "n_paths": 300, "seed": 3}
    found = [first_passage(make(), FractionalNoise(0.4, 0.6), np.zeros(DIM), ball(1.5), **options)
             for make in (bowl, bowl_of_tuples)]  # fmt: skip
    assert 0 < found[0].n_left < 300
    assert np.array_equal(found[0].times, found[1].times) and np.array_equal(found[0].censored, found[1].censored)
    assert np.array_equal(found[0].place, found[1].place, equal_nan=True)
    assert np.array_equal(found[0].side, found[1].side)


MOVED = {
    "sgd": lambda well: sgd(well, 0.1),
    "heavy ball": lambda well: sgd(well, 0.1, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda well: sgd(well, 0.1, momentum=0.9, nesterov=True),
    "schedule": lambda well: sgd(well, cosine(0.2, 40), momentum=0.5),
    "langevin": lambda well: langevin(well, friction=0.5, mass=2.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MOVED)
def test_chains_and_particles_of_arrays_are_those_of_tuples(name):
    """Whole states to the bit, and exits of positions."""
    narrow, wide = (MOVED[name](make(3)) for make in (bowl_of_tuples, bowl))
    step = {} if wide.unit_step else {"dt": 0.1}
    starts = np.linspace(-1.0, 1.0, 7 * 3).reshape(7, 3)
    paths = [simulate_paths(each, FractionalNoise(0.4), starts, n_steps=41, n_paths=7, seed=2, **step)
             for each in (wide, narrow)]  # fmt: skip
    assert paths[0].values.shape == (7, 42, wide.dim) and np.array_equal(paths[0].values, paths[1].values)
    run = {"horizon": 60 if wide.unit_step else 6.0, "n_paths": 40, "seed": 2, **step}
    exits = [first_passage(each, FractionalNoise(0.4, 0.7), np.zeros(3), ball(0.25), **run) for each in (wide, narrow)]
    assert exits[0].n_left > 0 and np.array_equal(exits[0].times, exits[1].times)
    assert exits[0].place.shape == (40, 3) and np.array_equal(exits[0].place, exits[1].place, equal_nan=True)


def test_a_chain_of_arrays_may_be_any_map():
    """One component of the noise is a number; a rate comes behind the parameters."""

    def turn(k, x, noise, out, a, rate):
        out[0] = -x[1] + noise
        out[1] = x[0] + a * rate

    chain = Chain(turn, (2.0,), dim=2, channels=1, rate=lambda k: k)
    values = simulate_paths(chain, FractionalNoise(0.5, 1e-9), (1.0, 0.0), n_steps=4, n_paths=1, seed=1).values[0]
    assert values.round(6).tolist() == [[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0], [-2.0, 3.0], [-3.0, 4.0]]


def test_sharpness_in_many_dimensions_is_the_largest_eigenvalue():
    chain = sgd(hessian_spectrum(np.linspace(-0.5, 3.0, 300)), 0.1)
    assert chain.stability == ()
    well = hessian_spectrum(np.linspace(0.5, 3.0, 300))
    assert sharpness(well, np.zeros(300)) == pytest.approx(3.0, rel=1e-6)
    with pytest.raises(ValueError, match=r"learning_rate must be below 0\.666667 for a stable chain, got 0\.7"):
        sgd(well, 0.7)


def test_amplitudes_of_arrays_are_one_number():
    """SGD's may depend on the point, that of an equation on time alone."""
    chain = sgd(bowl(), 0.01, amplitude=lambda x, a: a * abs(x[0]))
    still = simulate_paths(chain, FractionalNoise(0.5), np.zeros(DIM), n_steps=3, n_paths=2, seed=1)
    assert np.all(still.values == 0.0)
    with pytest.raises(ValueError, match="calculus must be 'additive' where points are arrays, got 'chain'"):
        Equation(lambda t, x, out: None, dim=2, amplitude=lambda t, x: 1.0, calculus="chain")


def naive_exits(gradient, increments, level, dt):
    """Steps at which the paths of increments (n_paths, n_steps, dim) leave, and their places; plain loops."""
    found = []
    for path in increments:
        x, end = [0.0] * path.shape[1], None
        for k, step in enumerate(path):
            slope = gradient(x)
            x = [x[j] - dt * slope[j] + step[j] for j in range(len(x))]
            if level(x) >= 0.0:
                end = k + 1, x
                break
        found.append(end)
    return found


@pytest.mark.parametrize("dim", [2, 20, 131])
def test_exits_are_those_of_a_plain_loop(dim):
    """More coordinates than lanes of a row as well: 131 of them lie in two rows."""
    noise, dt, n_steps, n_paths = FractionalNoise(0.3, 0.5), 0.02, 12, 7
    increments = sample(noise, n_steps, n_paths, dt=dt, dim=dim, seed=4)
    radius = 0.5 * math.sqrt(dim) * dt**0.3 * 1.15
    passages = first_passage(bowl(dim), noise, np.zeros(dim), ball(radius), dt=dt, horizon=n_steps * dt,
                             n_paths=n_paths, seed=4)  # fmt: skip
    expected = naive_exits(lambda x: [0.5 * (1 + j) * x[j] for j in range(dim)], increments,
                           lambda x: math.sqrt(sum(v * v for v in x)) - radius, dt)  # fmt: skip
    assert sum(end is not None for end in expected) > 0
    for path, end in enumerate(expected):
        assert passages.censored[path] == (end is None)
        if end is not None:
            assert passages.times[path] == pytest.approx(end[0] * dt)
            assert passages.place[path] == pytest.approx(end[1], abs=1e-12)


def test_a_path_is_a_function_of_seed_and_number():
    options = {"monitoring": Grid(0.02), "horizon": 1.0, "seed": 2}
    run = bowl(), FractionalNoise(0.3, 0.6), np.zeros(DIM), ball(0.8)
    many, few = (first_passage(*run, n_paths=n, n_jobs=jobs, **options) for n, jobs in ((50, 2), (9, 1)))
    assert np.array_equal(many.times[:9], few.times) and np.array_equal(many.place[:9], few.place, equal_nan=True)
    assert not np.array_equal(many.times[9:18], few.times)


def test_each_path_has_its_own_start():
    starts = np.linspace(-0.5, 0.5, 5 * DIM).reshape(5, DIM)
    paths = simulate_paths(bowl(), FractionalNoise(0.5), starts, dt=0.01, n_steps=8, n_paths=5, seed=1, save_every=8)
    assert np.array_equal(paths.values[:, 0], starts)
    alone = simulate_paths(bowl(), FractionalNoise(0.5), starts[0], dt=0.01, n_steps=8, n_paths=5, seed=1, save_every=8)
    assert np.array_equal(alone.values[0], paths.values[0]) and not np.array_equal(alone.values[1], paths.values[1])


def test_points_are_arrays_from_sixteen_dimensions_on_without_a_gradient():
    """Central differences of a quartic; in fifteen dimensions they are those of tuples."""

    def quartic(x):
        total = 0.0
        for j in range(len(x)):
            total += 0.25 * x[j] ** 4
        return total

    wide = Landscape(quartic, dim=16)
    assert wide.wide and not Landscape(quartic, dim=15).wide
    x = np.linspace(-2.0, 2.0, 32).reshape(2, 16)
    assert np.allclose(wide.slope(x), x**3, rtol=1e-8, atol=1e-9)
    assert wide.energy(x) == pytest.approx(np.sum(x**4, axis=1) / 4)


def test_an_equation_of_arrays_may_depend_on_time_and_drive_the_last_coordinates_only():
    """Of ``dx_0 = t dt``, ``dx_1 = -x_1 dt + dZ`` the first is a sum of times, the second the path in one dimension."""

    def drift(t, x, out):
        out[0] = t
        out[1] = -x[1]

    equation, noise = Equation(drift, dim=2, channels=1), FractionalNoise(0.6)
    options = {"dt": 0.1, "n_steps": 20, "n_paths": 3, "seed": 7}
    values = simulate_paths(equation, noise, (0.0, 1.0), **options).values
    assert values[:, :, 0] == pytest.approx(np.tile(0.01 * np.arange(21) * np.arange(-1, 20) / 2, (3, 1)))
    assert values[:, :, 1] == pytest.approx(simulate_paths(fbmsde.quadratic(1.0), noise, 1.0, **options).values)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of interpreted kernels
@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_broken_paths_are_told_and_the_others_are_kept(solver):
    """The quartic explodes where the step is too large, and arrays break at the steps at which tuples do."""
    wide = Landscape(lambda x: x[0] ** 4 + x[1] ** 2, lambda x, out: _steep(x, out), dim=2)
    narrow = Landscape(lambda x: x[0] ** 4 + x[1] ** 2, lambda x: (4 * x[0] ** 3, 2 * x[1]), dim=2)
    options = {"dt": 0.1, "n_steps": 100, "n_paths": 40, "seed": 1, "solver": solver}
    found = []
    for landscape in (wide, narrow):
        with pytest.raises(PathError, match=r"path \d+ must stay finite, got inf or nan at time") as caught:
            simulate_paths(landscape, FractionalNoise(0.5, 3.0), (0.0, 0.0), **options)
        found.append(caught.value)
    assert found[0].path == found[1].path and found[0].time == found[1].time
    assert found[0].paths.broken.sum() > 0 and np.array_equal(found[0].paths.broken, found[1].paths.broken)
    assert np.array_equal(found[0].paths.values, found[1].paths.values, equal_nan=True)


def _steep(x, out):
    out[0] = 4 * x[0] ** 3
    out[1] = 2 * x[1]


def test_a_level_that_is_nan_is_an_error():
    level = LevelSet(lambda x: math.nan if x[0] > 0.5 else -1.0)
    with pytest.raises(PathError, match=r"the level at path \d+ must be a number, got nan at time"):
        first_passage(bowl(), FractionalNoise(0.5), np.zeros(DIM), level, dt=0.05, horizon=2.0, n_paths=9, seed=1)


def test_exits_by_exploding_steps_are_noted():
    """With dt times the largest curvature beyond 2 the scheme carries paths out that the equation keeps inside."""
    stiff = hessian_spectrum(np.linspace(1.0, 300.0, DIM))
    run = {"horizon": 1.0, "n_paths": 40, "seed": 1}
    coarse = first_passage(stiff, FractionalNoise(0.5, 0.1), np.zeros(DIM), ball(1.0), dt=0.01, **run)
    assert coarse.n_left == 40 and "steps that the equation does not take" in coarse.note


@pytest.mark.slow
@pytest.mark.parametrize("dim", [16, 100])
def test_brownian_motion_in_a_ball(dim):
    """``E tau = R^2 / (d sigma^2)`` from the centre, and the place is uniform on the sphere.

    10 000 paths with the boundary moved see 1.5 % (d = 16) and .6 % (d = 100) of the mean at the threshold; without the
    shift it is 4 to 8 % too large. The first and last coordinates have mean 0 and mean square R^2 / d.
    """
    free, radius, n = Landscape(lambda x: 0.0 * x[0], _flat, dim=dim), math.sqrt(dim), 10_000
    passages = first_passage(free, FractionalNoise(0.5), np.zeros(dim), ball(radius), monitoring=Shifted(0.002),
                             horizon=6.0, n_paths=n, seed=11)  # fmt: skip
    assert passages.n_left == n
    z = (passages.times.mean() - 1.0) / (passages.times.std() / math.sqrt(n))
    place = passages.place / np.linalg.norm(passages.place, axis=1, keepdims=True) * radius
    squares = 2.0 * (1.0 - 1.0 / dim) / (1.0 + 2.0 / dim)  # variance of x_j^2 on the sphere with mean square 1
    first, last = place[:, 0], place[:, -1]
    scores = [z, first.mean() * math.sqrt(n), last.mean() * math.sqrt(n), (first * last).mean() * math.sqrt(n)]
    scores += [(np.mean(c**2) - 1.0) / math.sqrt(squares / n) for c in (first, last)]
    assert np.max(np.abs(scores)) < threshold(12), scores


def _flat(x, out):
    for j in range(len(x)):
        out[j] = 0.0


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_stationary_variances_of_a_hessian_spectrum(hurst):
    """Each coordinate is a chain of its own with the variance of `fou.chain_variance`; 2000 paths see 16 % of one."""
    eigenvalues, dt, n = fbmsde.power_law_spectrum(40, 0.5, 4.0), 0.1, 2000
    paths = simulate_paths(hessian_spectrum(eigenvalues), FractionalNoise(hurst), np.zeros(40), dt=dt, n_steps=300,
                           n_paths=n, seed=2, save_every=300)  # fmt: skip
    exact = np.array([chain_variance(hurst, a, dt) for a in eigenvalues])
    z = (np.mean(paths.values[:, -1] ** 2, axis=0) / exact - 1.0) / math.sqrt(2.0 / n)
    assert np.max(np.abs(z)) < threshold(80), z
    assert stats.kstest(paths.values[:, -1, 3] / math.sqrt(exact[3]), "norm").pvalue > 1e-6 / 2


def chain_variance(hurst, curvature, dt):
    """Variance of ``x' = (1 - a dt) x + dB`` as a sum over autocovariances of fGn, in the stationary state."""
    phi, lags = 1.0 - curvature * dt, np.arange(1.0, 4000.0)
    fgn = 0.5 * ((lags + 1) ** (2 * hurst) - 2 * lags ** (2 * hurst) + (lags - 1) ** (2 * hurst))
    return dt ** (2 * hurst) * (1.0 + 2.0 * np.sum(phi**lags * fgn)) / (1.0 - phi * phi)


def test_ball_is_a_level_set_of_any_dimension():
    assert ball(2.0).level((1.0, 0.0), 2.0) == -1.0
    around = ball(1.0, center=(3.0, 4.0))
    assert around.level(np.zeros(2), 1.0) == 4.0 and around.level((3.0, 4.0), 1.0) == -1.0
    again = pickle.loads(pickle.dumps(around))
    assert again.level((0.0, 0.0), 1.0) == 4.0 and again.steepness == 1.0
    with pytest.raises(ValueError, match=r"radius must be positive and finite, got 0\.0"):
        ball(0.0)
    with pytest.raises(ValueError, match="center must hold the finite coordinates of a point"):
        ball(1.0, center=math.nan)


def refused(error, match, landscape=None, noise=None, x0=None, domain=None, **options):
    settings = {"horizon": 1.0, "n_paths": 3, "seed": 1, "monitoring": Grid(0.1)} | options
    with pytest.raises(error, match=match):
        first_passage(landscape or bowl(), noise or FractionalNoise(0.5), np.zeros(DIM) if x0 is None else x0,
                      domain or ball(1.0), **settings)  # fmt: skip


def test_bad_starts_and_domains_are_refused():
    refused(ValueError, r"x0 must have 16 coordinates, or be \(3, 16\), got shape \(15,\)", x0=np.zeros(15))
    refused(ValueError, r"got shape \(2, 16\)", x0=np.zeros((2, 16)))
    refused(ValueError, "x0 must be finite, got nan", x0=np.full(16, math.nan))
    refused(ValueError, "x0 must lie inside the domain, where the level is negative, got level 3.0", x0=np.ones(16))
    starts = np.zeros((3, 16))
    starts[2, 0] = 2.0
    refused(ValueError, r"got level 1\.0 for path 2", x0=starts)
    refused(ValueError, r"domain must be a level function in 16 dimensions, got \(-1, 1\)", domain=(-1, 1))
    refused(ValueError, "domain must stay within arrays of 16 floats, got: index 16", domain=lambda x: x[16] - 1.0)
    refused(ValueError, "steepness must be positive", domain=LevelSet(lambda x: x[0] - 1.0, steepness=-1.0))


def test_what_needs_tuples_says_so():
    refused(ValueError, "monitoring must be Grid or Shifted where points are arrays, got Continuous",
            monitoring=Continuous(2**10))  # fmt: skip
    with pytest.raises(ValueError, match="landscape must take points as tuples here, got 'landscape'"):
        bowl().point_gradient  # noqa: B018


def test_a_boundary_is_moved_where_its_steepness_is_known():
    near = {"domain": LevelSet(lambda x: x[0] - 1.0), "monitoring": Shifted(0.1)}
    refused(ValueError, "domain must tell its steepness for a moved boundary in many dimensions, got None", **near)
    refused(ValueError, "x0 must lie farther from the boundary than its shift of beta_H sigma dt",
            domain=ball(0.01), monitoring=Shifted(0.1))  # fmt: skip
    refused(ValueError, "noise must have independent components of one strength",
            noise=FractionalNoise(0.5, tuple(1.0 + np.arange(16.0))), monitoring=Shifted(0.1))  # fmt: skip
    refused(TypeError, "The shift of the boundary is known for fractional noise only. Take monitoring='grid'",
            noise=EpochNoise(40, 10), monitoring=Shifted(0.1))  # fmt: skip


def test_places_beyond_a_gibibyte_are_refused():
    refused(MemoryError, "the places of exit must fit in 1 GiB, got 10000000 paths in 16 dimensions", n_paths=10**7)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="the compiler tells what a function returns")
def test_functions_of_arrays_that_return_something_else_are_refused():
    refused(ValueError, "domain must return one number, got numba type array", domain=lambda x: x - 1.0)
    with pytest.raises(ValueError, match="gradient must write its value into `out` and return nothing, got numba type"):
        Landscape(lambda x: x[0] ** 2, lambda x, out: 2.0 * x, dim=2)


def test_named_level_sets_are_sides():
    """The first that is not negative; with the boundaries moved as well."""
    levels = {"low": lambda x: -1.0 - x[0], "high": lambda x: x[0] - 0.5, "end": lambda x: abs(x[15]) - 0.6}
    planes = {name: LevelSet(level, steepness=1.0) for name, level in levels.items()}
    means: list[float] = []
    for monitoring in (Grid(0.01), Shifted(0.01)):
        passages = first_passage(bowl(), FractionalNoise(0.5), np.zeros(DIM), planes, monitoring=monitoring,
                                 horizon=9.0, n_paths=60, seed=1)  # fmt: skip
        margin = 0.0 if monitoring == Grid(0.01) else 0.0584
        place = passages.place
        sides = np.where(place[:, 0] <= -1.0 + margin, "low", np.where(place[:, 0] >= 0.5 - margin, "high", "end"))
        assert np.array_equal(passages.side, sides) and set(sides) == {"low", "high", "end"}
        means.append(passages.times.mean())
    assert means[1] < means[0]  # moved boundaries are nearer


def test_bad_functions_of_arrays_are_refused():
    def beyond(x, out):
        out[len(x)] = x[0]

    def downhill(x, out):
        for j in range(len(x)):
            out[j] = -2.0 * x[j]

    def square(x):
        return x[0] * x[0] + x[1] * x[1]

    with pytest.raises(ValueError, match="gradient must stay within arrays of 2 floats, got: index 2"):
        Landscape(square, beyond, dim=2)
    with pytest.raises(ValueError, match="gradient must point up the potential, got one that points down"):
        Landscape(square, downhill, dim=2)
    with pytest.raises(ValueError, match=r"must take x \(an array of 2 floats\), out \(an array of 2 floats\)"):
        Landscape(lambda x, a: square(x), lambda x, out: None, (1.0,), dim=2)
    with pytest.raises(ValueError, match="potential must stay within arrays of 16 floats, got: index 20"):
        Landscape(lambda x: x[20], dim=16)
    with pytest.raises(ValueError, match="x must have a last axis of length 2"):
        Landscape(square, lambda x, out: None, dim=2).energy([1.0, 2.0, 3.0])


@pytest.mark.parametrize("dynamics", [sgd, langevin])
def test_the_boundary_is_moved_for_equations_that_take_the_noise_as_it_is(dynamics):
    moved = dynamics(hessian_spectrum(np.ones(20)), 0.1)
    with pytest.raises(ValueError, match="must be driven by the noise as it is in every coordinate"):
        first_passage(moved, FractionalNoise(0.5), np.zeros(20), ball(1.0), monitoring=Shifted(1.0), horizon=9,
                      n_paths=3, seed=1)  # fmt: skip


@pytest.mark.parametrize("center", [np.zeros(2), np.zeros(30)])
def test_a_ball_of_another_dimension_is_refused(center):
    with pytest.raises(ValueError, match="level nan"):
        first_passage(hessian_spectrum(np.ones(20)), FractionalNoise(0.5), np.zeros(20), ball(1.0, center), dt=0.1,
                      horizon=1.0, n_paths=3, seed=1)  # fmt: skip
