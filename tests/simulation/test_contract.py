"""What every monitoring does: exits that are functions of seed and path number, in time, and fewer for more room."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from fbmsde import FractionalNoise, first_passage, quadratic
from fbmsde.simulation.monitoring import MONITORING

NOISE, HORIZON = FractionalNoise(0.4, 0.8), 4.0


@pytest.fixture(params=MONITORING)
def monitoring(request):
    kind = MONITORING[request.param]
    return kind(dt=0.05) if "dt" in {field.name for field in dataclasses.fields(kind)} else kind(fine_steps=2**10)


def exits(monitoring, n_paths=100, rim=1.0, **options):
    return first_passage(quadratic(1.0), NOISE, 0.0, (-rim, rim), monitoring=monitoring, horizon=HORIZON,
                         n_paths=n_paths, seed=3, **options)  # fmt: skip


def test_monitoring_is_a_value(monitoring):
    assert pickle.loads(pickle.dumps(monitoring)) == monitoring
    assert hash(monitoring) == hash(dataclasses.replace(monitoring))
    with pytest.raises(dataclasses.FrozenInstanceError):
        monitoring.dt = 1.0


def test_exit_is_a_function_of_seed_and_path_number(monitoring):
    several = exits(monitoring, n_jobs=2)
    few = exits(monitoring, n_paths=40, n_jobs=1)
    assert np.array_equal(few.times, several.times[:40]) and np.array_equal(few.censored, several.censored[:40])
    assert not np.array_equal(few.times, several.times[40:80])


def test_paths_leave_within_the_horizon_or_are_censored_there(monitoring):
    passages = exits(monitoring)
    assert 0 < passages.n_left < passages.n_paths
    assert np.all(passages.times > 0.0) and np.all(passages.times <= passages.horizon)
    assert np.all(passages.times[passages.censored] == passages.horizon)
    assert passages.horizon == pytest.approx(HORIZON)


@pytest.mark.slow
def test_more_room_keeps_more_paths_inside(monitoring):
    assert exits(monitoring, rim=0.7).n_left > exits(monitoring).n_left > exits(monitoring, rim=1.4).n_left


@pytest.mark.slow
def test_shorthand_is_the_monitoring_of_that_name(monitoring):
    (name,) = (name for name, kind in MONITORING.items() if kind is type(monitoring))
    options = {"dt": 0.05} if hasattr(monitoring, "dt") else {"fine_steps": 2**10}
    assert np.array_equal(exits(name, **options).times, exits(monitoring).times)
