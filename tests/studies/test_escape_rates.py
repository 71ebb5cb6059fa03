"""The study of exit rates: against exact rates, where the wells cross, and that nothing computed is lost."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy

from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.rare.problem import RareProblem
from fbmsde.results.escape import UNKNOWN
from fbmsde.results.escape_rates import RateRow, RatesSettings
from fbmsde.results.estimates import Estimate, log_ratio
from fbmsde.results.passage_times import PassageTimes
from fbmsde.simulation.passage_problem import PassageProblem
from fbmsde.studies.escape.crossing import Known, crossing_of, order_of
from fbmsde.studies.escape.interrupted import InterruptedStudyError
from fbmsde.studies.escape.points import Rate, plain_rate, points_of, row_of
from fbmsde.studies.escape.rates import RATES_FILES, RatesStudy, escape_rates
from fbmsde.studies.escape.rates_report import verdict
from fbmsde.studies.escape.wells import wells_of
from fbmsde.theory.parabola import parabola_rates
from tests.conftest import threshold

UP, DOWN, AROUND = Estimate(1.0, 0.5, 1.5), Estimate(-1.0, -1.5, -0.5), Estimate(0.1, -0.2, 0.4)


def exact(barrier, well, own_barrier, curvature):
    """A row of the exact rate of H = 1/2 behind two rims, known to 1 %."""
    rate = ou_exit_rate(own_barrier / math.sqrt(2.0 * curvature), curvature=curvature, sides=2)
    estimate = Estimate(rate, 0.99 * rate, 1.01 * rate)
    return RateRow(0.5, 1.0, barrier, well, curvature, own_barrier, 10.0, UNKNOWN, 0, estimate, "", {}, "")


def test_crossing_of_exact_rates():
    """The rim of the sharp well is farther by a fifth, so that the order flips. A coarse interpolation would be seen,
    and an interval that is not that of the ratio over its slope."""

    def log_ratio(k):
        far, near = (ou_exit_rate(each / math.sqrt(2.0), sides=2) for each in (1.2 * k, k))
        return math.log(4.0 * far / near)

    def shape(k):
        return math.log(4.0) + 2.0 * math.log(1.2) + scipy.stats.norm.logsf(1.2 * k) - scipy.stats.norm.logsf(k)

    barriers = (1.5, 2.0, 2.5, 3.0, 4.0)
    rows = tuple(row for k in barriers for row in (exact(k, "sharp", 1.2 * k, 4.0), exact(k, "flat", k, 1.0)))
    found = crossing_of(0.5, rows, shape, 2.0)
    truth = scipy.optimize.brentq(log_ratio, 1.0, 4.0)
    assert (found.order, found.predicted) == ("flips", 2.0)
    assert abs(found.barrier.value - truth) < 0.005
    slope = (log_ratio(truth + 0.01) - log_ratio(truth - 0.01)) / 0.02
    weight = (truth - 2.5) / 0.5  # of the barrier behind, were the interpolation linear
    reach = math.log(1.01 / 0.99) / 2.0 * math.sqrt(2.0) * math.hypot(weight, 1.0 - weight) / abs(slope)
    assert found.barrier.high - found.barrier.value == pytest.approx(reach, rel=0.25)


@pytest.mark.parametrize(
    ("ratios", "order"),
    [((UP, UP), "sharp"), ((DOWN,), "flat"), ((UP, AROUND, DOWN), "flips"), ((AROUND, DOWN), "flips"),
     ((UP, AROUND), "undecided"), ((DOWN, UP), "undecided"), ((UP, DOWN, UP), "undecided"), ((), "undecided")],
)  # fmt: skip
def test_orders(ratios, order):
    assert order_of([Known(float(k), ratio) for k, ratio in enumerate(ratios)]) == order


@pytest.fixture(scope="module")
def study():
    return escape_rates([0.5], barriers=[3.0, 7.0], n_paths=4000, relative_error=0.06, seed=3)


@pytest.mark.slow
def test_rates_are_the_exact_ones_at_one_half(study):
    """Rates of 0.1 to 1e-10 in both wells, by both kinds of paths; a wrong window, unit of time or number of rims would
    change them by tens of percent. The shift may leave 1 %."""
    found = [(estimate, row.predicted["ou_eigenvalue"]) for row in study.rows for estimate in (row.plain, row.rare)]
    known = [(estimate, truth) for estimate, truth in found if estimate.value > 0.0]
    assert len(known) == 6
    for estimate, truth in known:
        error = math.log(estimate.high / estimate.low) / 2.0 / 1.96
        assert abs(math.log(estimate.value / truth)) < threshold(len(known)) * error + 0.01


@pytest.mark.slow
def test_rows_and_verdict(study):
    assert [(row.barrier, row.well) for row in study.rows[:3]] == [(3.0, "sharp"), (3.0, "flat"), (7.0, "sharp")]
    assert [crossing.order for crossing in study.crossings] == ["sharp"]
    assert "H = 0.5: the sharp well empties first behind every barrier from k = 3 to 7 that was run." in study.table
    assert max(map(len, study.table.splitlines())) < 100
    assert all((row.rare.high - row.rare.low) / 2.0 < 0.07 * row.rare.value for row in study.rows)


@pytest.mark.slow
def test_files_hold_the_rows(study, tmp_path):
    assert [path.name for path in study.save(tmp_path)] == list(RATES_FILES)
    lines = list(csv.DictReader((tmp_path / RATES_FILES[0]).read_text().splitlines()))
    assert [float(line["rare_rate"]) for line in lines] == [row.rare.value for row in study.rows]
    record = json.loads((tmp_path / RATES_FILES[1]).read_text())
    assert record["settings"]["barriers"] == [3.0, 7.0] and record["complete"]


def test_table_tells_the_noise_and_the_barriers_of_both_wells():
    """By them anybody can compare with a formula: at H = 0.7 the sharp well is the deeper one."""
    settings = RatesSettings((0.7,), (3.0,), 4.0, 1.0, 2.0, "quadratic", {}, "both", 10, 0.1, 0)
    wells = wells_of("quadratic", {"sharp": 4.0, "flat": 1.0, "height": 2.0}, {})
    rows = tuple(row_of(point, settings, Rate(), Rate()) for point in points_of(settings, wells, wells))
    lines = [line.split() for line in RatesStudy(settings, rows, ()).table.splitlines()]
    assert ["0.7", "3", f"{rows[0].sigma:.3g}", f"{3.0 * 4.0**0.2:.3g}", "-", "undecided"] in lines


def test_verdict_speaks_of_the_barriers_that_were_run():
    """One barrier is no every barrier, a barrier of unknown rate is named, and H that is undecided is told."""
    rows = tuple(row for k in (2.0, 3.0) for row in (exact(k, "sharp", k, 4.0), exact(k, "flat", k, 1.0)))
    lost = replace(rows[3], rare=UNKNOWN)
    told = [verdict((crossing_of(0.5, some, lambda k: 0.0, math.inf),))
            for some in (rows, rows[:2], (*rows[:3], lost), (rows[2], lost))]  # fmt: skip
    assert told == [
        "H = 0.5: the sharp well empties first behind every barrier from k = 2 to 3 that was run.",
        "H = 0.5: the sharp well empties first at k = 2, the only barrier run.",
        "H = 0.5: the sharp well empties first at k = 2; unknown at k = 3.",
        "H = 0.5: undecided. Take more --paths, a smaller --until-relative-error or higher --barriers.",
    ]


def test_few_exits_make_no_rate():
    """One of 2000 paths that leaves at once looks like a rate a hundred times too high; ten exits make one."""
    settings = RatesSettings((0.3,), (2.0,), 4.0, 1.0, 2.0, "quadratic", {}, "both", 2000, 0.1, 0)
    wells = wells_of("quadratic", {"sharp": 4.0, "flat": 1.0, "height": 2.0}, {})
    sharp = points_of(settings, wells, wells)[0]
    times = np.full(2000, 0.25)
    rates = []
    for exits in (1, 10):
        times[:exits] = 0.376
        rates.append(plain_rate(sharp, {sharp.plain_name: PassageTimes(times, times < 0.0, 1.0, 1e-4)}))
    assert (rates[0].value, rates[0].exits) == (UNKNOWN, 0)
    assert rates[0].note == (
        "plain paths: 1 of 2000 paths left after 0.375, and a rate needs 10 exits. Take more paths or a higher barrier."
    )
    assert rates[1].exits == 10 and rates[1].value.value > 900.0


@pytest.mark.slow
def test_interval_of_a_ratio_of_few_exits_holds():
    """Rates of 3 and of 1000 exits, 20 000 times: the ends of the interval of the ratio are each missed in 2.5 %. Half
    the width of the logarithm on either side would miss the lower one in 7 %."""
    rng = np.random.default_rng(1)
    unit = {n: (n, *scipy.stats.chi2.ppf((0.025, 0.975), 2 * n) / 2.0) for n in (3, 1000)}
    exposures = zip(*(rng.gamma(n, size=20_000) for n in unit), strict=True)
    ratios = [log_ratio(*(Estimate(*(part / time for part in unit[n])) for n, time in zip(unit, both, strict=True)))
              for both in exposures]  # fmt: skip
    _, low, high = np.array(ratios).T
    error = threshold(2) * math.sqrt(0.025 * 0.975 / 20_000)
    assert abs(np.mean(low > 0.0) - 0.025) < error and abs(np.mean(high < 0.0) - 0.025) < error


def test_interrupted_study_says_nothing_of_noise_that_was_not_run(monkeypatch):
    """At H = 0.2 no path stays long enough for anything to be run, which is no finding before the study ends."""

    def interrupted(problem, *args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(RareProblem, "replicas", interrupted)
    with pytest.raises(InterruptedStudyError) as caught:
        escape_rates([0.2, 0.7], barriers=[2.5], n_paths=100, n_jobs=1)
    assert len(caught.value.study.rows) == 2
    assert caught.value.study.crossings == () and "undecided." not in caught.value.study.table


SMALL = {"barriers": [2.5], "n_paths": 1000, "relative_error": 0.5, "seed": 1}


@pytest.mark.slow
@pytest.mark.parametrize("kind, method", [(PassageProblem, "ends"), (RareProblem, "replicas")])
def test_study_goes_on_in_its_store(tmp_path, monkeypatch, kind, method):
    """After an interruption in plain paths or in a rare escape the rest is run alone, and the numbers are those of a
    study in one piece."""
    work, run = getattr(kind, method), []

    def flat_interrupted(problem, *args, **options):
        if problem.landscape.params == (1.0,):
            raise KeyboardInterrupt
        return work(problem, *args, **options)

    def counted(problem, *args, **options):
        run.append(problem.landscape.params)
        return work(problem, *args, **options)

    with monkeypatch.context() as patch, pytest.raises(InterruptedStudyError, match="of 42 blocks are safe in"):
        patch.setattr(kind, method, flat_interrupted)
        escape_rates([0.5], store=tmp_path, n_jobs=1, **SMALL)
    monkeypatch.setattr(kind, method, counted)
    resumed = escape_rates([0.5], store=tmp_path, n_jobs=2, **SMALL)
    assert set(run) == {(1.0,)}
    whole = escape_rates([0.5], n_jobs=1, **SMALL)
    assert [(row.plain, row.rare) for row in resumed.rows] == [(row.plain, row.rare) for row in whole.rows]


def test_barriers_in_standard_deviations():
    """At equal height the barrier of the sharper well is higher by the ratio of curvatures to the power H - 1/2, and
    the strength of the noise is that which makes the flat one so high."""
    settings = RatesSettings((0.7,), (3.0,), 4.0, 1.0, 0.7, "quadratic", {}, "both", 10, 0.1, 0)
    for name in ("quadratic", "double_well"):
        wells = wells_of(name, {"sharp": 4.0, "flat": 1.0, "height": 0.7}, {})
        sharp, flat = points_of(settings, wells, wells)
        assert flat.own_barrier == 3.0
        assert sharp.own_barrier == pytest.approx(3.0 * 4.0**0.2, rel=1e-6)
        assert flat.sigma == pytest.approx(math.sqrt(2.0 * 0.7 / fou_stationary_variance(0.7)) / 3.0, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"hurst": [0.1]}, "hurst must be at least 0.2"), ({"barriers": [0.5]}, r"barriers must lie in \[1, 20\]"),
     ({"barriers": []}, "barriers must hold at least one value"),
     ({"start": "top"}, "start must be one of both, sharp, flat"),
     ({"relative_error": 0.0}, "relative_error must lie in"), ({"barriers": 0.5}, r"\[1, 20\], .*, got \[0.5\]"),
     ({"sharp": 1.0}, "sharp must exceed flat")],
)  # fmt: skip
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        escape_rates(**options)


def test_formulas_scale_with_the_curvature():
    one, four = parabola_rates(0.7, 3.0), parabola_rates(0.7, 3.0, 4.0)
    assert set(one) == {"kramers_brownian_prefactor", "pickands", "fou_exit_hazard"}
    np.testing.assert_allclose([four[name] for name in one], [4.0 * rate for rate in one.values()])
