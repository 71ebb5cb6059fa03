"""`PassageProblem`: what `first_passage` is asked, of which any range of paths can be run anywhere."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.described import Described, Plain, content_digest, described
from ..core.machine import machine, versions
from ..core.telling import says_when_compiling
from ..core.types import Key
from ..drivers.base import Driver
from ..drivers.certified import Certified
from ..dynamics.base import Dynamics, takes_arrays
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..results.passage_times import PassageTimes
from .beginning import waiting_steps
from .domains import Domain
from .ended import Ended
from .grid import steps_up_to
from .monitoring import Grid, Monitoring
from .problem import MOST_NUMBERED, Crowd, Problem, RunOptions
from .regions import Below, Region, region_of, require_inside
from .starts import Drawing, Points, Start, Stationary, n_starts, points_known, start_of
from .wide import WideProblem, require_below, wide_ends, wide_region


@brief
@dataclass(frozen=True, eq=False)
class PassageProblem(Described):
    """A first-passage problem without the number of its paths. Path i is a pure function of the problem and i.

    The arguments are those of `first_passage`. `monitoring` is an object such as `Grid(dt)`, and an array of starts
    `x0` has a row for each path from path 0 on. A `seed` that is a numpy Generator is advanced once, when the problem
    is made, and `key` is what came of the seed. `ends` runs any range of paths, bit for bit as in the whole run, in
    memory and time that depend on the length of the range alone. A problem can be pickled, by cloudpickle also where
    it holds functions without a name.

    Raises ValueError for arguments outside their range and TypeError for those of the wrong kind. What a monitoring
    asks of a noise is checked when paths are run.

    >>> from fbmsde import FractionalNoise, Grid, quadratic
    >>> problem = PassageProblem(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), horizon=9.0, seed=1,
    ...                          monitoring=Grid(dt=0.01))
    >>> whole, part = problem.passages(30), problem.passages(10, first=20)
    >>> bool((part.times == whole.times[20:]).all())
    True
    """

    landscape: Landscape | Dynamics
    noise: Driver
    x0: ArrayLike | Drawing | Stationary
    domain: Domain
    _: KW_ONLY
    horizon: float
    seed: checks.Seed
    monitoring: Monitoring
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checks.kind("monitoring", self.monitoring, Monitoring, "Write Grid(dt).")
        checks.kind("noise", self.noise, Driver, "Write FractionalNoise(hurst, sigma).")
        object.__setattr__(self, "horizon", checks.number("horizon", self.horizon))
        object.__setattr__(self, "key", checks.as_seed(self.seed))
        start = self._start(range(self.n_starts or 1))
        if isinstance(start, Points) and not callable(self.x0):
            self._require_inside(start, 0)
        assert self._region

    def ends(self, n_paths: int, first: int = 0, **options: Unpack[RunOptions]) -> Ended:
        """How the paths first ... first + n_paths - 1 end, as `Ended`; see `RunOptions` for the options.

        Raises ValueError for a range beyond an array of starts or beyond 2^40 paths, and, unless `first` is 0, for a
        monitoring that ends when a share of all paths has left.
        """
        n_paths, first = checks.count("n_paths", n_paths), checks.count("first", first, 0)
        checks.fits_memory("passage times", (26.0 + 8.0 * self.n_positions) * n_paths)
        checks.count("first + n_paths", first + n_paths, 1, MOST_NUMBERED)
        crowd = Crowd.of(n_paths, first, **options)
        problem = self._problem(crowd.paths)
        if isinstance(problem.start, Points) and callable(self.x0):
            self._require_inside(problem.start, first)
        if not takes_arrays(self._equation):
            return self.monitoring.ends(problem, crowd)
        assert isinstance(problem.region, Below)
        origins = points_known(problem.start, "where points are arrays").rows
        wide = WideProblem(self._equation, self.noise, origins, problem.region, self.horizon, self.key, first)
        return wide_ends(wide, self.monitoring, crowd)

    @says_when_compiling
    def passages(self, n_paths: int, first: int = 0, **options: Unpack[RunOptions]) -> PassageTimes:
        """The passage times of the paths first ... first + n_paths - 1; PathError if one of them broke."""
        told = self._told(n_paths, first)
        return self.ends(n_paths, first, **options).passages(told | self.provenance())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides through which paths leave."""
        return self._region.names

    @property
    def n_positions(self) -> int:
        """The number of coordinates of a place of exit."""
        return self._equation.n_positions

    @property
    def n_starts(self) -> int | None:
        """The number of paths for which an array of starts has a row, None if there is no such array."""
        if callable(self.x0) or isinstance(self.x0, (str, Stationary)):
            return None
        return n_starts(checks.reals("x0", self.x0), self._equation)

    @property
    def dt(self) -> float:
        """The step of the grid of exit times; ValueError where `reached` is not known."""
        return self._clock[0]

    @property
    def reached(self) -> float:
        """The horizon that is reached: the end of the last step.

        Raises ValueError for a monitoring that ends when a share of the paths has left.
        """
        return self._clock[1]

    def provenance(self) -> dict[str, Plain]:
        """What results are made with: versions, the machine, and the certificates of the noise, as plain data.

        Certificates are those of the noise's models on a grid with a fixed end, for starts at points and with a
        burn-in. In continuous time the error budget tells of the noise.
        """
        return {"versions": dict(versions()), "machine": dict(machine()), "certificates": self._certificates()}

    def origin(self, n_paths: int, first: int = 0) -> dict[str, Plain]:
        """The `PassageTimes.provenance` of the paths first ... first + n_paths - 1, as plain data.

        It is this problem, its digest, the range of the paths, and `provenance`. Where the content of a part cannot be
        told, "problem" and "digest" are None and "untold" says why.
        """
        return self._told(n_paths, first) | self.provenance()

    def _told(self, n_paths: int, first: int) -> dict[str, Plain]:
        """The problem, its digest and the range of paths. Functions are told with what they capture now."""
        paths: list[Plain] = [[first, n_paths]]
        try:
            problem = self.description()
        except ValueError as error:
            return {"problem": None, "digest": None, "untold": str(error), "paths": paths}
        return {"problem": problem, "digest": content_digest(problem), "paths": paths}

    def _certificates(self) -> list[Plain]:
        """The certificates of the noise's models, none where the run takes no model of a length that is known."""
        watched, exact = self.monitoring, isinstance(self.x0, str) or (
            isinstance(self.x0, Stationary) and self.x0.burn_in is None
        )
        if exact or not isinstance(watched, Grid) or watched.until is not None or not isinstance(self.noise, Certified):
            return []
        wait = waiting_steps(self.x0, watched.dt) if isinstance(self.x0, Stationary) else 0
        n_steps, _ = steps_up_to(self.horizon, watched.dt)
        return [described(found) for found in self.noise.certificates(n_steps + wait)]

    def _parts(self) -> dict[str, object]:
        """The parameters by name, with the key of all paths in place of a generator."""
        given = super()._parts()
        return given | {"seed": self.key} if isinstance(self.seed, np.random.Generator) else given

    @cached_property
    def _equation(self) -> Dynamics:
        """The equation of the paths."""
        return as_equation(self.landscape)

    @cached_property
    def _region(self) -> Region:
        """The region that paths leave."""
        if takes_arrays(self._equation):
            return wide_region(self.n_positions, self.domain)
        return region_of(self.domain, self.n_positions)

    @cached_property
    def _clock(self) -> tuple[float, float]:
        """The step and the horizon that is reached."""
        return self.monitoring.clock(self._problem(range(1)))

    def _start(self, paths: range) -> Start:
        """The start of a range of paths."""
        return start_of(self.x0, self._equation, paths, self.key)

    def _problem(self, paths: range) -> Problem:
        """The problem of a range of paths, as monitorings take it."""
        start = self._start(paths)
        return Problem(self._equation, self.noise, start, self._region, self.horizon, self.key, paths.start)

    def _require_inside(self, points: Points, first: int) -> None:
        """Raise ValueError unless all points are inside the domain."""
        if isinstance(self._region, Below) and takes_arrays(self._equation):
            require_below(self._region, points.rows, first=first)
        else:
            require_inside(self._region, points.rows[:, : self.n_positions], first)
