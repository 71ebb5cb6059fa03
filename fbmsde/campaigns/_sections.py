"""The tables of a configuration that say what a problem is, and what they are made into."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ..core import checks
from ..core.captured import packaged
from ..core.points import Point
from ..drivers.base import Driver
from ..drivers.fractional import FractionalNoise
from ..drivers.mixed import MixedNoise
from ..drivers.registry import NOISES
from ..dynamics.base import Dynamics
from ..dynamics.descent import sgd
from ..dynamics.equation import as_equation
from ..dynamics.inertia import langevin
from ..dynamics.landscapes import LANDSCAPES, Landscape
from ..dynamics.wide_landscapes import hessian_spectrum, linear_network, rosenbrock, valley
from ..rare.methods import METHODS, MethodName
from ..rare.problem import RareProblem
from ..rare.runs import Method
from ..results.accuracy import Accuracy
from ..simulation.domains import Domain, Level, LevelSet
from ..simulation.monitoring import MONITORING, Grid, Monitoring, Shifted
from ..simulation.passage_problem import PassageProblem
from ..simulation.posed import posed_solver
from ..simulation.starts import Stationary
from ..simulation.wide import ball
from ._tables import Choice, Table, at, require_keys, table_of
from .problems import Problem


def overdamped(landscape: Landscape) -> Landscape:
    """The landscape itself, which stands for its equation."""
    return landscape


def auto() -> MethodName:
    """The best of the rare-event methods."""
    return "auto"


_OWN = " For one of your own write a script in Python: Campaign({name: PassageProblem(...)}, n_paths=...)."
_WIDE = (hessian_spectrum, rosenbrock, valley, linear_network)
_LANDSCAPES: dict[str, Callable[..., Landscape]] = {**LANDSCAPES, **{build.__name__: build for build in _WIDE}}
_EQUATIONS: dict[str, Callable[..., Landscape | Dynamics]] = {
    "overdamped": overdamped,
    "langevin": langevin,
    "sgd": sgd,
}

LANDSCAPE = Choice(_LANDSCAPES, otherwise=_OWN)
EQUATION = Choice(_EQUATIONS, default="overdamped", hidden=("landscape", "amplitude"))
NOISE = Choice(NOISES, otherwise=_OWN)
_MONITORING = {str(name): make for name, make in MONITORING.items()}
MONITOR = Choice(_MONITORING, default="grid", hidden=("until",), extra=("horizon",))
_METHODS: dict[str, Callable[..., Method | MethodName]] = {str(name): make for name, (make, _) in METHODS.items()}
RARE = Choice({"auto": auto, **_METHODS}, default="auto")
ACCURACY = Choice({"accuracy": Accuracy}, default="accuracy")
START = ("x0", "burn_in", "minimum")
DOMAIN = ("lower", "upper", "axis", "height", "radius", "center")
UNTIL = ("relative_error", "quantity", "most_paths", "after")
TOP = ("paths", "replicas", "block_paths", "seed", "store")

KEYS: dict[str, set[str]] = {
    "landscape": LANDSCAPE.every_key(),
    "equation": EQUATION.every_key(),
    "noise": NOISE.every_key(),
    "start": set(START),
    "domain": set(DOMAIN),
    "monitoring": MONITOR.every_key(),
    "rare": RARE.every_key(),
}
_OPTIONAL = ("equation", "rare")


def homes(key: str) -> str:
    """Where a key belongs if it is one of another table, as a sentence behind a space; empty for an unknown key.

    >>> homes("friction")
    ' It belongs into [equation].'
    """
    if key == "until":
        return " A campaign ends by a table [until] with a relative_error."
    if key in TOP:
        return " It belongs to the top of the file, above all tables."
    tables = {**KEYS, "until": set(UNTIL)}
    found = [f"[{name}]" for name, keys in tables.items() if key in keys]
    return f" It belongs into {' or '.join(found)}." if found and key != "name" else ""


def problem_of(tables: Table, seed: int, folder: Path) -> Problem:
    """The problem that the tables of a configuration stand for; `folder` is where files named in it are looked for.

    Raises ValueError, TypeError or MemoryError, with the table in front, for what cannot stand in it.
    """
    for section in KEYS:
        if section not in tables and section not in _OPTIONAL:
            raise ValueError(f"[{section}] must be given, got none.")
    given = {section: tables.get(section, {}) for section in KEYS}
    with at("[landscape]"):
        landscape = LANDSCAPE.build(table_of(given["landscape"]), homes)
    with at("[equation]"):
        equation = EQUATION.build(table_of(given["equation"]), homes, landscape)
        moves = as_equation(equation)
    noise = _noise(given["noise"], folder)
    with at("[start]"):
        x0 = _start(table_of(given["start"]), landscape, moves)
    with at("[domain]"):
        domain = _domain(table_of(given["domain"]), landscape, x0)
    with at("[monitoring]"):
        monitoring, horizon = _monitoring(table_of(given["monitoring"]), moves)
        if isinstance(monitoring, Grid):
            posed_solver(moves, noise, monitoring.solver, monitoring.dt)
        if isinstance(monitoring, Shifted):
            checks.kind("noise", noise, FractionalNoise, 'Only its shift is known. Take name = "grid".')
    make = _maker(tables, x0, monitoring)
    problem = make(equation, noise, x0, domain, horizon=horizon, seed=seed)
    assert problem.reached > 0.0  # which is refused where steps and horizon do not go together
    return problem


def _maker(tables: Table, start: Stationary | tuple[float, ...], monitoring: Monitoring) -> Callable[..., Problem]:
    """What makes the problem: a first passage, or with a table [rare] a rare escape."""
    if "rare" not in tables:
        return partial(PassageProblem, monitoring=monitoring)
    with at("[rare]"):
        method = RARE.build(table_of(tables["rare"]), homes)
        grid = checks.kind("monitoring", monitoring, Grid, 'Take name = "shifted", or "grid".')
        if isinstance(start, Stationary):
            raise ValueError("x0 must be one point for a rare escape, got a stationary start. Give x0 or minimum.")
    return partial(RareProblem, monitoring=grid, method=method)


def _noise(given: object, folder: Path) -> Driver:
    """The noise of one table, or the sum of the noises of several."""
    if not isinstance(given, list):
        with at("[noise]"):
            return _one_noise(table_of(given), folder)
    if not given:
        raise ValueError("[noise] must be one table or several, got none.")
    parts = []
    for number, each in enumerate(given, 1):
        with at(f"[[noise]] number {number}:"):
            parts.append(_one_noise(table_of(each), folder))
    with at("[[noise]]"):
        return parts[0] if len(parts) == 1 else MixedNoise(*parts)


def _one_noise(table: Table, folder: Path) -> Driver:
    """The noise of one table. A file of samples is looked for beside the configuration."""
    samples = table.get("samples")
    if isinstance(samples, str):
        table = {**table, "samples": str(folder / samples)}
    return NOISE.build(table, homes)


def _start(table: Table, landscape: Landscape, equation: Dynamics) -> Stationary | tuple[float, ...]:
    """The point at which all paths start, or the stationary start."""
    require_keys(table, START, homes)
    x0 = table.get("x0")
    burn_in = checks.positive("burn_in", table["burn_in"]) if "burn_in" in table else None
    if "minimum" in table:
        if x0 is not None:
            raise ValueError("minimum must not be given with x0, which says the same. Leave out one of them.")
        n = len(landscape.minima)
        if n == 0:
            raise ValueError(f"minimum must be left out for {landscape.name}, which has none that is known. Give x0.")
        number = checks.count("minimum", table["minimum"], maximum=n)
        x0 = np.atleast_1d(landscape.minima[number - 1]).tolist()
    elif x0 == "stationary":
        return Stationary(burn_in)
    elif x0 is None and burn_in is None:
        raise ValueError("x0, minimum or burn_in must be given, got none.")
    elif isinstance(x0, str):
        raise ValueError(f'x0 must be a number, a list of them or "stationary", got {x0!r}.')
    if x0 is None:
        return Stationary(burn_in)
    point = tuple(checks.finite("x0", value) for value in (x0 if isinstance(x0, list) else [x0]))
    if len(point) not in (equation.n_positions, equation.n_shown):
        raise ValueError(f"x0 must have {equation.n_positions} coordinates for {equation.name}, got {len(point)}.")
    return point if burn_in is None else Stationary(burn_in, point)


def _domain(table: Table, landscape: Landscape, start: Stationary | tuple[float, ...]) -> Domain:
    """The interval, the slab between two walls, the ball or the well below a height."""
    require_keys(table, DOMAIN, homes)
    kinds = [keys for keys in (("lower", "upper", "axis"), ("height",), ("radius", "center")) if set(keys) & set(table)]
    if len(kinds) != 1 or set(table) <= {"axis", "center"}:
        raise ValueError(f"keys must be lower or upper, or height, or radius, got {', '.join(table) or 'none'}.")
    if "height" in table:
        return _rims(table["height"], landscape)
    if "radius" in table:
        if landscape.dim == 1:
            raise ValueError("radius must be left out in one dimension. Give lower and upper.")
        center = checks.reals("center", table["center"]) if "center" in table else None
        return ball(checks.positive("radius", table["radius"]), center)
    point = start.point if isinstance(start, Stationary) else np.array(start)
    axis = checks.count("axis", table.get("axis", 0), minimum=0, maximum=landscape.dim - 1)
    places = [float(np.atleast_1d(saddle)[axis]) for saddle in landscape.saddles]
    at_start = float(point[axis]) if axis < point.size else 0.0
    below, above = [x for x in places if x < at_start], [x for x in places if x > at_start]
    lower = _wall("lower", table.get("lower", -math.inf), max(below, default=None))
    upper = _wall("upper", table.get("upper", math.inf), min(above, default=None))
    ends = checks.interval("lower and upper", (lower, upper))
    if math.isinf(lower) and math.isinf(upper):
        raise ValueError("lower or upper must be finite, got none that is.")
    return ends if landscape.dim == 1 else _slab(axis, *ends)


def _rims(height: object, landscape: Landscape) -> tuple[float, float]:
    """The two points of a quadratic well that lie this far above its minimum: ``a x^2 / 2`` is the height there."""
    if landscape.name != "quadratic":
        raise ValueError(f"height must be left out for {landscape.name}: only a quadratic well has rims. "
                         "Give lower and upper.")  # fmt: skip
    rim = math.sqrt(2.0 * checks.positive("height", height) / landscape.params[0])
    return -rim, rim


def _wall(name: str, given: object, saddle: float | None) -> float:
    """Where a wall stands: at a number, or at the saddle next to the start."""
    if given != "saddle":
        if isinstance(given, str):
            raise ValueError(f'{name} must be a number or "saddle", got {given!r}.')
        return checks.number(name, given)
    if saddle is None:
        side = "below" if name == "lower" else "above"
        raise ValueError(f"{name} must be a number: no saddle is known {side} the start.")
    return saddle


@packaged
def _below(x: Point, axis: float, wall: float) -> float:
    """How far a coordinate lies beyond a wall below it."""
    return wall - x[int(axis)]


@packaged
def _above(x: Point, axis: float, wall: float) -> float:
    """How far a coordinate lies beyond a wall above it."""
    return x[int(axis)] - wall


def _slab(axis: int, lower: float, upper: float) -> Mapping[str, Level]:
    """The points of which one coordinate lies between two walls, by the names of the walls that there are."""
    walls = {"lower": (_below, lower), "upper": (_above, upper)}
    return {name: LevelSet(level, (float(axis), wall), steepness=1.0)
            for name, (level, wall) in walls.items() if math.isfinite(wall)}  # fmt: skip


def _monitoring(table: Table, equation: Dynamics) -> tuple[Monitoring, float]:
    """The monitoring and the horizon."""
    if "horizon" not in table:
        raise ValueError("horizon must be given, the time after which a path is given up.")
    if "accuracy" in table:
        with at("accuracy:"):
            table = {**table, "accuracy": ACCURACY.build(table_of(table["accuracy"]), homes)}
    step = {"dt": 1.0} if equation.unit_step else {}
    return MONITOR.build(table, homes, **step), checks.number("horizon", table["horizon"])
