"""Campaigns as they are written in a file: problems over a grid of parameters, in TOML."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core import checks
from ._grid import points_of
from ._sections import KEYS, TOP, UNTIL, homes, problem_of
from ._tables import Table, at, beginning_of, parsed, require_keys, table_of
from .problems import Problem
from .rounds import Precision


@dataclass(frozen=True, eq=False)
class Config:
    """A campaign that was read from a file.

    n_paths : the number of paths of each problem, or of replicas of a rare one.
    block_paths : the number of paths of a block, None if the file leaves it open.
    store : the folder of the results, None if the file names none.
    until : when a problem has enough paths, None if `n_paths` says so alone.
    points : the problems by the names of their points in the grid.
    """

    n_paths: int
    block_paths: int | None
    seed: int
    store: Path | None
    until: Precision | None
    points: Mapping[str, Problem]

    def problems(self) -> dict[str, Problem]:
        """The problems by the names of their points in the grid, as ``hurst=0.3,curvature=4``."""
        return dict(self.points)


def read_config(path: str | os.PathLike[str]) -> Config:
    """The campaign of a TOML file, checked as a whole: all problems of its grid are made before anything is run.

    The tables are [landscape], [noise] (or several [[noise]], which are added), [start], [domain] and [monitoring], and
    where they are wanted [equation], [until] and [grid]. Above them stand `paths` and, where wanted, `block_paths`,
    `seed` and `store`, a folder beside the file. With a table [rare] the problems are rare escapes by the method that
    is its `name`, "auto" if it has none, and `replicas` stands in place of `paths` and `block_paths`. The keys of a
    table are its `name` and the arguments of the landscape, noise, equation, monitoring or method of that name. A key
    of [grid] is a dotted key of another table, and its value a list, or a range as "0.3:0.7:0.1"; the problems are the
    product of all lists.

    Raises ValueError or TypeError, on one line with the file and the table in front, for everything that cannot stand
    in the file, with the nearest known name for an unknown one; OSError for a file that cannot be read.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "deep.toml"
    >>> written = file.write_text('''
    ... paths = 1000
    ... landscape.name = "quadratic"
    ... noise.name = "fractional"
    ... start.x0 = 0.0
    ... domain.height = 2.0
    ... monitoring = {dt = 0.01, horizon = 10.0}
    ... grid = {noise.hurst = [0.3, 0.7], landscape.curvature = "1,4"}
    ... ''')
    >>> list(read_config(file).problems())
    ['hurst=0.3,curvature=1', 'hurst=0.3,curvature=4', 'hurst=0.7,curvature=1', 'hurst=0.7,curvature=4']
    """
    file = Path(path)
    data = beginning_of(file)
    with at(f"{file.name}:"):
        tables = parsed(data)
        require_keys(tables, (*TOP, *KEYS, "until", "grid"), homes)
        n_paths = _number(tables, _grid(tables))
        block_paths = checks.count("block_paths", tables["block_paths"]) if "block_paths" in tables else None
        points = _points(tables, file.parent)
        until = _until(tables["until"], points.values()) if "until" in tables else None
        return Config(n_paths, block_paths, _seed(tables), _store(tables, file.parent), until, points)


def _number(tables: Table, grid: Table) -> int:
    """The number of paths of each problem, or of replicas of a rare one."""
    rare = "rare" in tables or any(key.split(".")[0] == "rare" for key in grid)
    key, others = ("replicas", ("paths", "block_paths")) if rare else ("paths", ("replicas",))
    for other in others:
        if other in tables:
            raise ValueError(f"{other} must be left out {'with' if rare else 'without'} [rare]. Give {key}.")
    return checks.count(key, _required(tables, key, "above all tables"), 2 if rare else 1)


def _required(table: Table, key: str, where: str) -> object:
    """The value of a key; ValueError without one."""
    if key not in table:
        raise ValueError(f"{key} must be given {where}, got none.")
    return table[key]


def _points(tables: Table, folder: Path) -> dict[str, Problem]:
    """The problems of the grid by name; one with the name of its landscape without a grid."""
    grid = _grid(tables)
    shared = {key: value for key, value in tables.items() if key in KEYS or key == "seed"}
    if not grid:
        problem = problem_of(shared, _seed(shared), folder)
        return {str(table_of(shared["landscape"])["name"]): problem}
    problems = {}
    for name, point in points_of(shared, grid):
        with at(f"at {name}:"):
            problems[name] = problem_of(point, _seed(point), folder)
    return problems


def _grid(tables: Table) -> Table:
    """The table [grid], empty without one."""
    with at("[grid]"):
        return table_of(tables.get("grid", {}))


def _seed(tables: Table) -> int:
    """The seed, by default 0."""
    return checks.count("seed", tables.get("seed", 0), 0, math.inf)


def _store(tables: Table, folder: Path) -> Path | None:
    """The folder of the results."""
    given = tables.get("store")
    if given is None:
        return None
    if not isinstance(given, str) or not given or "\0" in given:
        raise TypeError(f"store must be the name of a folder in quotes, got {given!r}.")
    return folder / Path(given).expanduser()


def _until(given: object, problems: Iterable[Problem]) -> Precision:
    """When a problem has enough paths; ValueError for a side that is not one of every problem."""
    with at("[until]"):
        table = table_of(given)
        require_keys(table, UNTIL, homes)
        if "most_paths" in table:
            _required(table, "relative_error", "beside most_paths")
        precision = Precision(**table)  # type: ignore[arg-type]  # it checks them
        for problem in problems:
            precision.require_fit(problem)
    return precision
