"""`RareProblem`: what `rare_escape` is asked, of which any range of replicas can be run anywhere."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.described import Described, Plain
from ..core.machine import machine, versions
from ..core.telling import says_when_compiling
from ..core.types import Key
from ..drivers.base import Driver
from ..dynamics.base import Dynamics
from ..dynamics.landscapes import Landscape
from ..results.rare import RareEscape
from ..simulation.domains import Domain
from ..simulation.monitoring import Grid
from ..simulation.problem import Crowd, RunOptions
from .methods import MethodName, method_of
from .posed import Escape, escape_of
from .runs import Method


@brief
@dataclass(frozen=True, eq=False)
class RareProblem(Described):
    """A rare escape without the number of its replicas. Replica i is a pure function of the problem and i.

    The arguments are those of `rare_escape`. `monitoring` is an object, ``Shifted(dt)`` or ``Grid(dt)``. `method` is
    "auto", "conditioned", "splitting" or "subset", or one with its settings: `Conditioned`, `Splitting` or
    `SubsetSimulation` of ``fbmsde.rare.methods``; it is then what was chosen, and `why` says why. A `seed` that is a
    numpy Generator is advanced once, when the problem is made, and `seed` then is the SeedSequence that came of it.
    `replicas` runs any range of replicas, bit for bit as in the whole run. A problem can be pickled as a
    `PassageProblem` can.

    Raises ValueError for arguments outside their range and TypeError for those of the wrong kind.

    >>> from fbmsde import FractionalNoise, Shifted, quadratic
    >>> problem = RareProblem(quadratic(), FractionalNoise(0.3), 0.0, (None, 3.0), horizon=4.0, seed=1,
    ...                       monitoring=Shifted(0.01))
    >>> whole, part = problem.replicas(3), problem.replicas(1, first=2)
    >>> bool(part.values[0] == whole.values[2]), problem.method.name
    (True, 'conditioned')
    """

    landscape: Landscape | Dynamics
    noise: Driver
    x0: ArrayLike
    domain: Domain
    _: KW_ONLY
    horizon: float
    seed: checks.Seed
    monitoring: Grid
    method: Method | MethodName = "auto"
    key: Key = field(init=False, repr=False)
    why: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.seed, np.random.Generator):
            words = checks.as_seed(self.seed)
            object.__setattr__(self, "seed", np.random.SeedSequence([int(word) for word in words]))
        object.__setattr__(self, "key", checks.as_seed(self.seed))
        method, why = method_of(self.method, self.posed)
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "why", why)

    @says_when_compiling
    def replicas(self, n_replicas: int, first: int = 0, **options: Unpack[RunOptions]) -> RareEscape:
        """The replicas first ... first + n_replicas - 1; see `RunOptions`, whose progress counts replicas.

        Raises PathError if a path leaves the finite numbers.
        """
        n_replicas, first = checks.count("n_replicas", n_replicas), checks.count("first", first, 0)
        escape, method = self.posed, self._method
        sides, path_steps = method.run(escape, Crowd.of(n_replicas, first, **options))
        return RareEscape(method.name, sides, escape.horizon, escape.dt, escape.shift, path_steps, self.why)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides through which paths leave."""
        return self.posed.names

    @property
    def dt(self) -> float:
        """The length of a step."""
        return self.posed.dt

    @property
    def reached(self) -> float:
        """The horizon that is reached: the end of the last step."""
        return self.posed.horizon

    @property
    def shift(self) -> float:
        """The length by which the boundary is moved inwards, 0 on a grid."""
        return self.posed.shift

    def provenance(self) -> dict[str, Plain]:
        """What results are made with: versions and the machine, as plain data."""
        return {"versions": dict(versions()), "machine": dict(machine())}

    @property
    def _method(self) -> Method:
        """The method that was chosen."""
        assert not isinstance(self.method, str)
        return self.method

    @cached_property
    def posed(self) -> Escape:
        """What the methods make of the problem."""
        return escape_of(
            self.landscape, self.noise, self.x0, self.domain, monitoring=self.monitoring, horizon=self.horizon,
            key=self.key,
        )  # fmt: skip
