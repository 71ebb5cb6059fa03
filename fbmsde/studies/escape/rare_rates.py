"""The rare escape at a point of the study of exit rates: its problem in the campaign, and its rate."""

from __future__ import annotations

from collections.abc import Mapping

from ...campaigns.rounds import Precision
from ...core import checks
from ...drivers.fractional import FractionalNoise
from ...rare.bending import Conditioned
from ...rare.problem import RareProblem
from ...results.escape_rates import RatesSettings
from ...results.passage_times import PassageTimes
from ...results.rare import RareEscape
from ...simulation.errors import PathError
from ...simulation.monitoring import Shifted
from ...simulation.starts import substream
from .points import Point, Rate

REPLICAS = 20  # of the first round
_MOST = 400  # replicas
_PATHS, _DRAWS = 200, 8  # of a replica of conditioned paths


def rare_problem(point: Point, settings: RatesSettings) -> dict[str, RareProblem]:
    """The rare escape under its name, none where it is of no use: of a parabola by conditioned paths of the exact
    process, which is what a shifted boundary means there, of other wells by the method that `rare_escape` tries first.
    """
    window, well = point.rare_window(settings), point.well
    if window is None:
        return {}
    n_steps, parabola = point.n_steps(window), well.barrier is not None
    dt = window.end / well.curvature / n_steps
    problem = RareProblem(
        well.landscape, FractionalNoise(point.hurst, point.sigma), well.x0, well.domain, horizon=n_steps * dt,
        seed=substream(checks.as_seed(settings.seed), point.name), monitoring=Shifted(dt, "heun"),
        method=Conditioned(_PATHS, _DRAWS) if parabola else "auto",
    )  # fmt: skip
    return {point.name: problem}


def precision(point: Point, settings: RatesSettings) -> Precision:
    """When there are replicas enough of the rare escape at a point, which has one."""
    window = point.window
    assert window is not None
    return Precision(settings.relative_error, most_paths=_MOST, after=window.begin / point.well.curvature)


def rare_rate(point: Point, found: Mapping[str, PassageTimes | RareEscape]) -> Rate:
    """The rate from the rare escape at a point; where its replicas are in doubt, a note that says why."""
    window = point.window
    if window is None or point.name not in found:
        return Rate()
    try:
        escape = found[point.name]
        assert isinstance(escape, RareEscape)
        return Rate(escape.rate(window.begin / point.well.curvature), escape.method)
    except (ValueError, PathError) as error:
        return Rate(note=f"rare escapes: {error}")
