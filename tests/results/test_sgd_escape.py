"""Ratios of mean exit times of SGD over those of a model, and the verdict that follows from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from fbmsde.results.estimates import Estimate
from fbmsde.results.passage_times import PassageTimes
from fbmsde.results.sgd_escape import BARRIERS, Ends, EscapeCase, ModelExits

from ..conftest import threshold


def exits(times, horizon=100.0):
    """Passage times of paths that leave at these times, if that is before the horizon."""
    times = np.minimum(times, horizon)
    return PassageTimes(times, times >= horizon, horizon, 1.0)


def case(sgd, model, ends=()):
    """The same times at every barrier."""
    count, hurst = len(BARRIERS), Estimate(0.4, 0.3, 0.5)
    models = {"model": ModelExits(1.0, (model,) * count, ends)}
    return EscapeCase("epochs", 0.0, 0.1, 0.1, 1.0, hurst, 1.0, BARRIERS, (sgd,) * count, models)


def test_ratio_is_that_of_the_means_with_the_error_of_both():
    rng = np.random.default_rng(0)
    sgd, model = exits(np.ceil(rng.exponential(20.0, 200))), exits(np.ceil(rng.exponential(10.0, 800)))
    found = case(sgd, model).ratio(0, "model", level=0.9)
    assert found.value == pytest.approx(sgd.times.mean() / model.times.mean())
    spread = max(passages.times.std(ddof=1) / passages.times.mean() for passages in (sgd, model))
    width = norm.isf(0.05) * spread * np.sqrt(1 / 200 + 1 / 800)
    assert found.low == pytest.approx(found.value * np.exp(-width))
    assert found.high == pytest.approx(found.value * np.exp(width))


def test_the_interval_holds_models_with_either_end_of_the_interval_of_hurst():
    times = exits(np.arange(10.0, 60.0))
    later, sooner = exits(np.arange(20.0, 70.0)), exits(np.arange(1.0, 51.0))
    plain, wide = case(times, times), case(times, times, (Ends(later, sooner),) * len(BARRIERS))
    assert wide.ratio(0, "model").value == plain.ratio(0, "model").value == 1.0
    assert wide.ratio(0, "model").low < plain.ratio(0, "model").low
    assert wide.ratio(0, "model").high > plain.ratio(0, "model").high


def test_copies_of_which_none_has_left_do_not_refute_a_model_that_rarely_leaves():
    """Of 50 copies none leaves where 1 in 100 does: their times have no spread, and the ratio is 1.005."""
    model = np.full(10_000, 200.0)
    model[:100] = np.arange(100) / 2.0 + 1.0
    found = case(exits(np.full(50, 200.0)), exits(model))
    assert found.agrees("model") and found.ratio(0, "model").low < 1.0 < found.worst("model").value


@pytest.mark.parametrize(("factor", "agrees"), [(1.0, True), (2.0, False)])
def test_verdict(factor, agrees):
    """Two exponential laws whose means differ twofold, 400 copies: 9 standard errors."""
    rng = np.random.default_rng(1)
    sgd = exits(np.ceil(factor * rng.exponential(50.0, 400)), 1000.0)
    found = case(sgd, exits(np.ceil(rng.exponential(50.0, 10_000)), 1000.0))
    low, high = found.ratio(0, "model", level=1.0 - 2.0 * norm.sf(threshold(2)))[1:]
    assert low < factor < high
    assert found.agrees("model") is agrees
