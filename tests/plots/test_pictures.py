"""What every picture does: draw on its own figure or on the Axes that it is given, say what it shows, and be written.

`PICTURES` has one example for each function of `fbmsde.plots`; a new picture needs a line there and nothing else.
"""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fbmsde import (
    Departures,
    FractionalNoise,
    Paths,
    RareEscape,
    ResidenceTimes,
    estimate_hurst,
    fgn,
    most_likely_escape,
    plots,
    quadratic,
    rolling_hurst,
)
from fbmsde.results import converge as converging
from fbmsde.results import views as viewing
from fbmsde.results.campaign import Summary
from fbmsde.results.escape import UNKNOWN, Curve, EscapeData, EscapeRow, EscapeSettings
from fbmsde.results.escape_rates import Crossing, RateRow, RatesData, RatesSettings
from fbmsde.results.estimates import Estimate
from fbmsde.results.gradient_runs import Curves, GradientRuns, Laws, MeasuredNoise, Memory, Run, RunResult
from fbmsde.results.passage_times import PassageTimes
from fbmsde.results.rare import Replica
from fbmsde.results.residence import Visits
from fbmsde.results.sgd_escape import BARRIERS, Basin, Ends, EscapeCase, EscapeComparison, ModelExits
from fbmsde.studies.sgd.runs import SETTINGS
from fbmsde.theory import FORMULAS

BOTH = ("sharp", "flat")


def escapes(hursts, wells=BOTH, exits=9, names=False):
    """A study of so many noises: exponential curves, or paths that all stay inside; theory for H above 1/2 alone."""
    rows = []
    for hurst in hursts:
        for well in wells:
            value = 10.0 * hurst if well == "flat" else 1.0 / hurst
            rate = Estimate(value, 0.8 * value, 1.3 * value) if exits else UNKNOWN
            times = np.linspace(0.0, 4.0, 50) if exits else np.array([0.0, 4.0])
            curve = Curve(times, np.exp(-value * times) if exits else np.ones(2))
            predicted = {"pickands_euler": value} if hurst > 0.5 else {}
            noise = f"fractional:hurst={hurst},sigma=1.25" if names else f"{hurst:g}"
            rows.append(EscapeRow(hurst, noise, well, 1.0, 1.0, 10, exits, rate, False, rate, rate, predicted, {}, "",
                                  curve))  # fmt: skip
    noises = {row.noise: "" for row in rows} if names else None
    settings = EscapeSettings(tuple(hursts), (1.0,) * len(hursts), 4.0, 1.0, 2.0, 0.1, 4.0, 10, 10, 0, "quadratic", {},
                              "both", None, "euler", noises)  # fmt: skip
    return EscapeData(settings, tuple(rows))


@cache
def windows():
    return rolling_hurst(np.random.default_rng(0).standard_normal(400), kind="increments", window=100, n_surrogates=19)


def gradient_runs():
    memory = Memory(Estimate(0.5, 0.4, 0.6), Estimate(0.51, 0.45, 0.55), 0.3)
    gain = Estimate(0.1, 0.05, 0.15)
    laws = Laws(11, -0.1, 0.3, gain, gain, gain, 0.13, Curves((-0.1,) * 22, (-0.2,) * 22, (-0.1,) * 22))
    noise = MeasuredNoise(1.0, 4.0, 0, {"whittle": memory, "rs_noise_as_path": memory}, laws=laws)
    result = RunResult(0.9, 1.0, 12.0, True, dict.fromkeys(SETTINGS, noise))
    runs = tuple(Run("batch size", name, result) for name in ("8", "a long name"))
    return GradientRuns(runs, {"Gaussian white noise": noise})


def comparison():
    times = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
    every, ends = (times,) * len(BARRIERS), (Ends(times, times),) * len(BARRIERS)
    models = {"white": ModelExits(1.0, every), "fGn": ModelExits(0.8, every, ends)}
    case = EscapeCase("epochs", 0.9, 0.1, 0.8, 1.0, Estimate(0.3, 0.2, 0.4), 1.0, BARRIERS, every, models)
    offsets = np.linspace(-1.0, 1.0, 5)
    return EscapeComparison(Basin(8.0, 8.0, 0.0, offsets, 4.0 * offsets**2, 0.0), (case,) * 4)


def views():
    settings = viewing.ViewsSettings(("one", "another"), 4.0, 1.0, 2.0, 1.0, 0.02, 100.0, 10, 0)
    curve, mean = Curve(np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.5, 0.0])), Estimate(2.0, 1.5, 2.5)
    rows = tuple(
        viewing.ViewRow(view, matching, well, 1.0, 2.0, 2.0, 1.0, 10, mean, False, 2.1, "", curve)
        for view in settings.views for matching in ("step", "spread") for well in ("sharp", "flat")
    )  # fmt: skip
    exponents = tuple(viewing.Dependence(view, "height", "width", (), mean, 1.9) for view in settings.views)
    return viewing.ViewsData(settings, rows, exponents)


def converge():
    settings = converging.ConvergeSettings(("one",), 1.0, 1.0, 3.0, 0.1, 0.9, 100, 10, 0)
    x, value = np.array([1.0, 2.0, 4.0]), Estimate(0.3, 0.2, 0.4)
    curves = tuple(
        converging.LossCurve("one", landscape, beta, "mean", x, x, x / 9, x, value, 0.3, value)
        for landscape, beta in (("parabola", 0.0), ("parabola", 0.9), ("double_well", 0.0))
    )
    names = ("plateau against learning rate", "variance of the time average against time")
    found = tuple(converging.Dependence("one", name, 0.0, x, x, x / 9, x, value, (1.0, 4.0), 1.0) for name in names)
    return converging.ConvergeData(settings, curves, found, (converging.ScheduleRow("one", "cosine", value, 0.3),))


def summaries(n=9):
    curve = Curve(np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.0, 0.5, 0.1, 0.0]))
    rates = [Estimate(0.1 * 1.3**i, 0.09 * 1.3**i, 0.12 * 1.3**i) for i in range(n - 1)]
    run = [Summary(f"hurst={i / n:.3g}", 10, 10, 9, 0, 0.1, 4.0, estimate=e, curve=curve) for i, e in enumerate(rates)]
    return [*run, Summary("not begun", 10, 0, 0, 0, 0.1, 4.0)]


def rates():
    settings = RatesSettings((0.7,), (3.0, 4.0), 4.0, 1.0, 2.0, "quadratic", {}, "both", 10, 0.1, 0)
    rate, rows = Estimate(1e-3, 9e-4, 1.1e-3), []
    for k in settings.barriers:
        for well, curvature, plain in (("sharp", 4.0, UNKNOWN), ("flat", 1.0, rate)):
            rows.append(RateRow(0.7, 0.5, k, well, curvature, k * curvature**0.2, 10.0, plain, 5, rate, "conditioned",
                                {"pickands": 2e-3}, ""))  # fmt: skip
    return RatesData(settings, tuple(rows), (Crossing(0.7, "flips", Estimate(3.5, 3.4, 3.6), 3.3),))


@cache
def passages():
    rng = np.random.default_rng(1)
    times, sides = np.minimum(rng.exponential(2.0, 300), 5.0), rng.integers(1, 3, 300)
    codes = np.where(times < 5.0, sides, 0)
    places = np.where(times < 5.0, 1.0, np.nan)
    return PassageTimes(times, times == 5.0, 5.0, 0.01, departures=Departures(codes, ("lower", "upper"), places))


@cache
def walks():
    steps = np.random.default_rng(2).standard_normal((100, 64)) / 8.0
    return Paths(np.linspace(0.0, 1.0, 65), np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0))), 1 / 64)


def rare():
    runs = [Replica(p, np.linspace(1.0, 4.0, 9), np.ones(9), np.ones(1), np.ones(1), np.empty(0), 9, 0.1)
            for p in (1e-6, 2e-6, 3e-6)]  # fmt: skip
    return RareEscape("splitting", {"upper": tuple(runs)}, 4.0, 0.1, 0.0, 1000)


def visits():
    entries = np.array([[0, step, step // 7 % 2] for step in range(0, 700, 7)])
    cores = (np.array([[-1.0], [1.0]]), np.full(2, 0.1), np.array([[9, 9, 100]]))
    return ResidenceTimes(Visits.of(entries, 0.1, 710), *cores, 0.1, 71.0, 1)


@cache
def instanton():
    return most_likely_escape(quadratic(), FractionalNoise(0.5), 0.0, 2.0, horizon=2.0, dt=0.1)


PICTURES: dict[str, Callable[..., Axes | Figure]] = {
    "plot_campaign": lambda: plots.plot_campaign(summaries()),
    "plot_problem_estimates": lambda ax=None: plots.plot_problem_estimates(summaries(), ax),
    "plot_problem_survival": lambda ax=None: plots.plot_problem_survival(summaries(), ax),
    "plot_escape": lambda: plots.plot_escape(escapes([0.6])),
    "plot_escape_rates": lambda: plots.plot_escape_rates(rates()),
    "plot_over_pickands": lambda ax=None: plots.plot_over_pickands(rates(), ax),
    "plot_rate_ratio": lambda ax=None: plots.plot_rate_ratio(rates(), ax),
    "plot_rates_of_barriers": lambda ax=None: plots.plot_rates_of_barriers(rates(), 0.7, ax),
    "plot_most_likely_escape": lambda ax=None: plots.plot_most_likely_escape(instanton(), np.ones((5, 11)), ax),
    "plot_density": lambda ax=None: plots.plot_density(passages().density(), ax),
    "plot_displacement": lambda ax=None: plots.plot_displacement(
        walks().mean_squared_displacement(age=[0.0, 0.5]), ax, theory=lambda t: t
    ),
    "plot_formula": lambda ax=None: plots.plot_formula(
        FORMULAS["pickands"], {"hurst": np.linspace(0.1, 0.9, 9), "barrier": 2.5}, ax
    ),
    "plot_hazard": lambda ax=None: plots.plot_hazard(passages().hazard(np.linspace(0.0, 5.0, 11)), ax),
    "plot_hurst": lambda ax=None: plots.plot_hurst(
        estimate_hurst(fgn(0.7, 200, 3, seed=1), kind="increments", n_surrogates=19), ax
    ),
    "plot_passages": lambda ax=None: plots.plot_passages(passages(), ax, theory={"exact": 0.5}, label="paths"),
    "plot_paths": lambda ax=None: plots.plot_paths(walks().times, walks().values, ax),
    "plot_rare_escape": lambda ax=None: plots.plot_rare_escape(rare(), ax),
    "plot_residence": lambda ax=None: plots.plot_residence(visits(), ax),
    "plot_split": lambda ax=None: plots.plot_split(passages().split(), ax),
    "plot_survival_curve": lambda ax=None: plots.plot_survival_curve(
        passages().survival(), ax, theory=lambda t: np.exp(-t / 2)
    ),
    "plot_order": lambda ax=None: plots.plot_order(escapes([0.3, 0.6]), ax),
    "plot_rates": lambda ax=None: plots.plot_rates(escapes([0.3, 0.6]), ax),
    "plot_rolling_hurst": lambda ax=None: plots.plot_rolling_hurst(windows(), ax),
    "plot_sgd_escape": lambda: plots.plot_sgd_escape(comparison()),
    "plot_sgd_group": lambda: plots.plot_sgd_group(gradient_runs(), "batch size"),
    "plot_sgd_laws": lambda: plots.plot_sgd_laws(gradient_runs()),
    "plot_survival": lambda ax=None: plots.plot_survival(escapes([0.6]).rows, ax),
    "plot_converge": lambda: plots.plot_converge(converge()),
    "plot_dependence": lambda ax=None: plots.plot_dependence(converge(), "plateau against learning rate", (0.0,), ax),
    "plot_loss": lambda ax=None: plots.plot_loss(converge(), "parabola", 0.0, ax),
    "plot_schedules": lambda ax=None: plots.plot_schedules(converge(), ax),
    "plot_view_exponents": lambda ax=None: plots.plot_view_exponents(views(), ax),
    "plot_view_order": lambda ax=None: plots.plot_view_order(views(), ax),
    "plot_view_survival": lambda ax=None: plots.plot_view_survival(views(), "sharp", ax),
    "plot_views": lambda: plots.plot_views(views()),
}


def test_every_picture_has_an_example():
    assert set(PICTURES) == set(plots.__all__)


@pytest.mark.parametrize("name", PICTURES)
def test_picture_can_be_written(name):
    found = PICTURES[name]()
    figure, file = found.figure if isinstance(found, Axes) else found, io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    assert file.getvalue().startswith(b"\x89PNG")
    assert any(ax.get_xlabel() or ax.get_ylabel() or ax.get_title() for ax in figure.axes)


@pytest.mark.parametrize("name", [name for name, draw in PICTURES.items() if draw.__defaults__])
def test_picture_draws_on_the_axes_that_it_is_given(name):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert PICTURES[name](left) is left
    assert left.has_data() and left.get_xlabel() and left.get_ylabel()
    assert not right.has_data() and figure.axes == [left, right]


def test_pictures_leave_the_figures_of_the_user_alone(monkeypatch):
    """pyplot keeps figures open until someone closes them: it hears of no picture where nobody has imported it."""
    for path in Path(plots.__file__).parent.glob("*.py"):
        assert "pyplot" not in path.read_text() or path.name == "style.py"
    before = pyplot.get_fignums()
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    for name in ("plot_paths", "plot_escape"):
        PICTURES[name]()
    assert pyplot.get_fignums() == before


def test_survival_axis_is_linear_within_a_decade_and_theory_belongs_to_its_curve():
    """Each line of theory has a darker colour of its curve and its label; a chain counts steps."""
    chain = {"problem": {"landscape": {"kind": "Chain"}}}
    times = np.arange(1.0, 101.0)
    full, empty = (PassageTimes(times, times > last, 100.0, 1.0, provenance=chain) for last in (40.0, 99.0))
    ax = full.plot(theory=0.01, label="full")
    assert ax.get_yscale() == "linear" and 0.3 < ax.get_ylim()[0] < 0.4 and ax.get_xlabel() == "time (steps)"
    empty.plot(ax, theory=0.02, label="empty")
    assert ax.get_yscale() == "log"
    (one, first), (two, second) = ax.lines[:2], ax.lines[2:]
    assert [line.get_label() for line in (first, second)] == ["theory, full", "theory, empty"]
    for curve, line in ((one, first), (two, second)):
        assert line.get_color() == pytest.approx([part / 2 for part in to_rgb(curve.get_color())])


def test_script_saves_the_picture_with_pyplot(tmp_path):
    """Axes without a figure of the user are those that pyplot saves and shows, and a second picture has its own."""
    first = PICTURES["plot_paths"]()
    assert pyplot.gca() is first
    pyplot.savefig(tmp_path / "paths.png", dpi=40)
    assert np.ptp(pyplot.imread(tmp_path / "paths.png")) > 0.0  # not blank
    assert PICTURES["plot_hazard"]() is not first and len(pyplot.get_fignums()) == 2


def test_notebooks_show_pictures(monkeypatch):
    """Axes by pyplot, which a notebook shows at the end of a cell and closes; a figure where it is the value of one."""
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    ax = PICTURES["plot_paths"]()
    assert pyplot.gcf() is ax.figure
    assert PICTURES["plot_paths"](ax) is ax and len(pyplot.get_fignums()) == 1
    pyplot.close("all")
    figure = PICTURES["plot_escape"]()
    assert figure._repr_png_().startswith(b"\x89PNG") and not pyplot.get_fignums()


@pytest.mark.parametrize("n", [1, 2, 8, 9, 40])
def test_a_campaign_has_one_row_a_problem_in_the_colour_of_its_curve(n):
    figure = plots.plot_campaign(summaries(n))
    figure.draw_without_rendering()
    survival, estimates = figure.axes
    names = [label.get_text() for label in estimates.get_yticklabels()]
    assert names == [summary.name for summary in summaries(n)]
    assert [line.get_label() for line in survival.lines] == names[:-1], "the last one has no paths"
    curves = [line.get_color() for line in survival.lines]
    assert [label.get_color() for label in estimates.get_yticklabels()][:-1] == curves
    assert len(set(curves)) == n - 1
    assert [text.get_text() for text in estimates.texts] == ["not determined"]
    tops = [label.get_window_extent().y1 for label in estimates.get_yticklabels()]
    assert np.all(np.diff(tops) < -6.0), "the names overlap"
    widths = [ax.get_window_extent().width / figure.bbox.width for ax in figure.axes]
    assert min(widths) > 0.25


def test_a_campaign_shows_which_estimates_are_not_final():
    whole = Summary("whole", 10, 10, 9, 0, 0.1, 4.0, estimate=Estimate(2.0, 1.0, 3.0))
    short, wide = replace(whole, paths=5), replace(whole, target=0.1)
    ax = plots.plot_problem_estimates([whole, short, wide])
    hollow = [line.get_markerfacecolor() == "white" for line in ax.lines if line.get_marker() == "o"]
    assert hollow == [False, True, True]
    assert "hollow" in ax.get_title() and "hollow" not in plots.plot_problem_estimates([whole]).get_title()
    unknown = replace(whole, estimate=UNKNOWN, target=0.1)
    assert "hollow" not in plots.plot_problem_estimates([whole, unknown]).get_title()  # no symbol to explain
    split = plots.plot_problem_estimates([replace(whole, quantity="split:upper")])
    assert split.get_xlabel() == "probability to leave through upper"


def apart(texts, axis):
    """Whether texts that follow each other along an axis, 0 or 1, do not overlap."""
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    ends = sorted(box.get_points()[:, axis].tolist() for box in boxes)
    return all(one[1] <= other[0] for one, other in itertools.pairwise(ends))


@pytest.mark.parametrize(
    ("n", "names", "wells", "exits"),
    [(1, False, BOTH, 9), (3, False, BOTH, 0), (5, False, BOTH[:1], 9), (12, False, BOTH, 9), (12, True, BOTH, 9)],
)
def test_the_figure_of_escapes_holds_for_many_noises_and_for_none_left(n, names, wells, exits):
    """At most 1200 pixels wide, all texts apart and inside, a curve in every panel, no winner without rates."""
    study = escapes(np.linspace(0.25, 0.75, n), wells, exits, names)
    figure = plots.plot_escape(study)
    figure.draw_without_rendering()
    survival, others = figure.axes[:n], figure.axes[n:]
    assert figure.get_figwidth() <= 12.0
    told = len(wells) == 2 and (exits or n > 2)
    assert [ax.get_title() for ax in others] == ["Exit rate", "Sharp against flat"][: 1 + bool(told)]
    for ax in figure.axes:
        low, high = ax.get_xlim()
        drawn = [line for line in ax.lines if np.size(line.get_xdata())]
        inside = [np.any((line.get_xdata() >= low) & (line.get_xdata() <= high)) for line in drawn]
        assert any(inside) or ax.texts
        if not names or ax in survival:
            assert apart(ax.xaxis.get_ticklabels(which="both"), 0), ax.get_title()
        assert ax.get_legend() is None
    for row in {ax.get_subplotspec().rowspan.start for ax in survival}:
        assert apart([ax.title for ax in survival if ax.get_subplotspec().rowspan.start == row], 0)
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert box.x0 >= 0.0 and box.x1 <= figure.bbox.width


def test_an_order_without_rates_names_no_winner():
    for study in (escapes([0.3], ("sharp",)), escapes([0.3], exits=0)):
        texts = [text.get_text() for text in plots.plot_order(study).texts]
        assert texts == ["no noise has rates of both wells"]
    assert "empties first" in plots.plot_order(escapes([0.3])).texts[0].get_text()
    late = replace(escapes([0.3]).rows[0], curve=Curve(np.array([0.0, 3.9, 4.0]), np.array([1.0, 0.5, 0.2])))
    assert np.divide(*plots.plot_survival([late]).get_xlim()[::-1]) > 10.0  # a short axis has numbers on one another
    bound = plots.plot_rates(escapes([0.3], ("sharp",), exits=0))
    assert np.isclose(bound.containers[0].lines[0].get_ydata()[0], -np.log(0.05) / 40.0)


@pytest.mark.parametrize(
    ("draw", "why"),
    [
        (plots.plot_rate_ratio, "no barrier has rates of both wells"),
        (plots.plot_over_pickands, "no rate has Pickands' rate beside it"),
    ],
)
def test_where_no_ratio_can_be_drawn_nothing_is_shaded(draw, why):
    """The sharp well has no rates here, and no formula is known."""
    given = rates()
    unknown = [replace(row, rare=UNKNOWN, predicted={}) for row in given.rows]
    ax = draw(replace(given, rows=tuple(row for row in unknown if row.well == "sharp" or row.plain.value > 0.0)))
    assert [text.get_text() for text in ax.texts] == [why]
    assert not ax.patches and not ax.lines and ax.get_legend() is None


def rates_of(predicted):
    """Rows of some H with one prediction each, of which the first well of the last one alone has plain paths."""
    given, rows = rates(), []
    for hurst, name in predicted.items():
        rows += [replace(row, hurst=hurst, plain=UNKNOWN, predicted={name: 1.2e-3}) for row in given.rows]
    rows[-1] = replace(rows[-1], plain=rows[-1].rare)
    settings = replace(given.settings, hurst=tuple(predicted))
    return replace(given, settings=settings, rows=tuple(rows), crossings=())


def test_one_legend_tells_what_all_panels_of_rates_show():
    """Plain paths and the exact line are in the last of five panels alone, and each label is told once."""
    predicted = {**dict.fromkeys((0.3, 0.4, 0.6, 0.7), "pickands"), 0.5: "ou_eigenvalue"}
    figure = plots.plot_escape_rates(rates_of(predicted))
    told = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert set(told) >= {"sharp, rare escapes", "flat, plain paths", "exact (smallest eigenvalue)"}
    assert len(told) == len(set(told))
    assert not [ax for ax in figure.axes[:5] if ax.get_legend()]
    assert figure.get_figwidth() < 12.0


def test_rates_of_one_hurst_fill_the_figure_and_short_axes_have_plain_numbers():
    figure = plots.plot_escape_rates(rates_of({0.7: "pickands"}))
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    assert figure.axes[0].get_position().width > 0.7
    over = [label.get_text() for label in figure.axes[-1].get_yticklabels(which="both")]
    assert "1" in over and not [label for label in over if "times" in label]


def test_one_hurst_estimate_is_a_point_without_a_number():
    """Its axis of rows has no ticks, and the figure is low."""
    one = estimate_hurst(fgn(0.7, 200, seed=1)[0], kind="increments", n_surrogates=19).plot()
    assert one.get_ylabel() == "" and not len(one.get_yticks()) and one.figure.get_figheight() < 2.0
    assert one.get_xlim()[0] < one.patches[0].get_x()
    two = estimate_hurst(fgn(0.7, 200, 2, seed=1), kind="increments", null=None).plot()
    assert two.get_ylabel() == "series" and two.figure.get_figheight() > 2.0
