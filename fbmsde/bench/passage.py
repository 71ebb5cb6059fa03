"""CPU time of the escape from a double well, beside that of programs made of published packages."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..core import checks
from ..core.types import Array
from ..drivers.fractional import FractionalNoise
from ..drivers.sample import NoiseMethod
from ..dynamics.landscapes import double_well
from ..simulation.passage import first_passage

SHARP, FLAT, HEIGHT, SIGMA, DT = 4.0, 1.0, 1.0, 0.8, 1e-3
START = -math.sqrt(8.0 * HEIGHT / SHARP)
REFERENCE = "fbmsde, streaming"
HURST_VALUES = (0.3, 0.5, 0.7)

if TYPE_CHECKING:  # peers, which need not be installed
    from jax import Array as JaxArray
    from torch import Tensor

Steps = int  # steps that the paths took up to their exits or the horizon
Task = Callable[[float, int, int, int], Steps]  # (hurst, n_steps, n_paths, seed)


class Contestant(NamedTuple):
    """How to build its task, how many paths it takes in a turn of 2^16 steps, and whether it knows H = 1/2 only."""

    build: Callable[[], Task]
    n_paths: int
    brownian: bool = False


class _Entrant(NamedTuple):
    """A contestant that is ready: its task, and how many paths it takes in a turn."""

    task: Task
    n_paths: int


@dataclass(frozen=True)
class PassageTiming:
    """Median CPU time of one contestant: nanoseconds per step of a path up to its exit, and relative to `REFERENCE`."""

    contestant: str
    hurst: float
    n_paths: int
    mean_steps: float
    nanoseconds: float
    ratio: float


@dataclass(frozen=True)
class PassageTable:
    """What `passage_table` returns: `rows`, the horizon `n_steps`, and one sentence for each contestant `left_out`."""

    rows: tuple[PassageTiming, ...]
    n_steps: int
    left_out: tuple[str, ...]

    def table(self) -> str:
        """The rows as text, one line each, then what was left out."""
        head = f"{'H':>4}  {'contestant':<34} {'paths':>6} {'mean steps':>10} {'ns per path-step':>16} {'ratio':>8}"
        lines = [f"escape from a double well, horizon {self.n_steps} steps of {DT:g}, CPU time", head]
        for r in self.rows:
            numbers = f"{r.n_paths:6d} {r.mean_steps:10.0f} {r.nanoseconds:16.4g} {r.ratio:8.4g}"
            lines.append(f"{r.hurst:4.2f}  {r.contestant:<34} {numbers}")
        return "\n".join([*lines, *self.left_out])


def _ours(method: NoiseMethod, dtype: type = float, n_jobs: int = 1) -> Task:
    """Take first passages by this package."""

    def task(hurst: float, n_steps: int, n_paths: int, seed: int) -> Steps:
        noise, well = FractionalNoise(hurst, SIGMA, method, dtype=dtype), double_well(SHARP, FLAT, HEIGHT)
        passages = first_passage(well, noise, START, (-math.inf, 0.0), dt=DT, horizon=n_steps * DT, n_paths=n_paths,
                                 seed=seed, n_jobs=n_jobs)  # fmt: skip
        return round(float(passages.times.sum()) / DT)

    return task


def _slope(x: float) -> float:
    """The gradient of the left side of the well, for plain Python floats."""
    return -0.5 * SHARP * x * (1.0 - x * x * SHARP / (8.0 * HEIGHT))


def _fbm_loop() -> Task:
    """Take the noise of each path from ``fbm.FBM``, and its steps in a loop of Python."""
    source = import_module("fbm").FBM

    def task(hurst: float, n_steps: int, n_paths: int, _seed: int) -> Steps:
        generator, taken = source(n_steps, hurst, n_steps * DT), 0
        for _ in range(n_paths):
            increments, x = SIGMA * generator.fgn(), START
            for step in range(n_steps):
                x += -DT * _slope(x) + increments[step]
                taken += 1
                if x >= 0.0:
                    break
        return taken

    return task


def _numpy_euler(increments: Array) -> Steps:
    """Count the steps to the exits of all paths at once by NumPy in place; `increments` are (n_steps, n_paths)."""
    n_steps, n_paths = increments.shape
    x, work = np.full(n_paths, START), np.empty(n_paths)
    exits = np.full(n_paths, n_steps)
    inside = np.ones(n_paths, dtype=bool)
    for step in range(n_steps):
        np.multiply(x, x, out=work)
        work *= -SHARP / (8.0 * HEIGHT)
        work += 1.0
        work *= x
        work *= 0.5 * SHARP * DT
        x += work
        x += increments[step]
        left = inside & (x >= 0.0)
        if left.any():
            exits[left] = step + 1
            inside &= ~left
            x[left] = START
            if not inside.any():
                break
    return int(exits.sum())


def _stochastic_rs_numpy() -> Task:
    """Take the noise from ``stochastic_rs.PyFgn``, and the steps of all paths at once by NumPy."""
    source = import_module("stochastic_rs").PyFgn

    def task(hurst: float, n_steps: int, n_paths: int, seed: int) -> Steps:
        noise = np.asarray(source(hurst, n_steps, seed=seed).sample_par(n_paths))
        noise *= SIGMA * DT**hurst / noise.std()
        return _numpy_euler(np.ascontiguousarray(noise.T))

    return task


def _torchsde() -> Task:
    """Take Euler steps by ``torchsde.sdeint`` to the horizon, since it has no events; it knows H = 1/2 only."""
    torch, torchsde = import_module("torch"), import_module("torchsde")

    class Well(torch.nn.Module):  # type: ignore[name-defined]  # torch is imported late
        noise_type, sde_type = "additive", "ito"

        def f(self, _t: Tensor, x: Tensor) -> Tensor:
            return 0.5 * SHARP * x * (1.0 - x * x * SHARP / (8.0 * HEIGHT))

        def g(self, _t: Tensor, x: Tensor) -> Tensor:
            return torch.full((len(x), 1, 1), SIGMA)

    def task(_hurst: float, n_steps: int, n_paths: int, seed: int) -> Steps:
        torch.manual_seed(seed)
        times = torch.linspace(0.0, n_steps * DT, n_steps + 1)
        with torch.no_grad():
            x = torchsde.sdeint(Well(), torch.full((n_paths, 1), START), times, method="euler", dt=DT)[1:, :, 0]
        left = x.numpy() >= 0.0
        return int(np.where(left.any(axis=0), left.argmax(axis=0) + 1, n_steps).sum())

    return task


def _diffrax() -> Task:
    """Take Euler steps by ``diffrax.diffeqsolve`` up to an Event, mapped over the paths; it knows H = 1/2 only."""
    jax, diffrax = import_module("jax"), import_module("diffrax")

    def drift(_t: JaxArray, x: JaxArray, _args: None) -> JaxArray:
        return 0.5 * SHARP * x * (1.0 - x * x * SHARP / (8.0 * HEIGHT))

    def one(key: JaxArray, end: float, n_steps: int) -> JaxArray:
        motion = diffrax.UnsafeBrownianPath(shape=(), key=key)
        terms = diffrax.MultiTerm(diffrax.ODETerm(drift), diffrax.ControlTerm(lambda *_: SIGMA, motion))
        event = diffrax.Event(lambda _t, x, _args, **_options: x >= 0.0)
        solution = diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, end, DT, START, event=event,
                                       adjoint=diffrax.ForwardMode(), max_steps=n_steps + 1)  # fmt: skip
        return solution.stats["num_steps"]

    many = jax.jit(jax.vmap(one, in_axes=(0, None, None)), static_argnums=(1, 2))

    def task(_hurst: float, n_steps: int, n_paths: int, seed: int) -> Steps:
        return int(many(jax.random.split(jax.random.PRNGKey(seed), n_paths), n_steps * DT, n_steps).sum())

    return task


CONTESTANTS = {
    REFERENCE: Contestant(lambda: _ours("streaming"), 4000),
    "fbmsde, streaming, float32": Contestant(lambda: _ours("streaming", np.float32), 4000),
    "fbmsde, davies_harte": Contestant(lambda: _ours("davies_harte"), 128),
    "fbm + Python loop": Contestant(_fbm_loop, 1),
    "stochastic-rs + NumPy Euler": Contestant(_stochastic_rs_numpy, 512),
    "diffrax, Event": Contestant(_diffrax, 64, brownian=True),
    "torchsde": Contestant(_torchsde, 8, brownian=True),
}


def passage_table(
    hurst: tuple[float, ...] = HURST_VALUES, *, n_steps: int = 2**16, repeats: int = 3, scale: float = 1.0
) -> PassageTable:
    """CPU time per step of a path up to its exit, for this package and the peers that are installed.

    The contestants take turns `repeats` times and the median counts; compilation and fits are not counted. `scale`
    multiplies the number of paths of every contestant. Raises ValueError for arguments outside their range.

    >>> passage_table((0.5,), n_steps=64, repeats=1, scale=0.01).rows[0].contestant
    'fbmsde, streaming'
    """
    repeats, n_steps = checks.count("repeats", repeats), checks.count("n_steps", n_steps, 2)
    scale = checks.positive("scale", scale)
    rows: list[PassageTiming] = []
    left_out: list[str] = []
    for h in hurst:
        rows += _race(checks.hurst_parameter(h), n_steps, repeats, scale, left_out)
    return PassageTable(tuple(rows), n_steps, tuple(dict.fromkeys(left_out)))


def _race(hurst: float, n_steps: int, repeats: int, scale: float, left_out: list[str]) -> list[PassageTiming]:
    """Time the contestants in turn for one H."""
    entrants = _ready(hurst, n_steps, scale, left_out)
    costs: dict[str, list[float]] = {name: [] for name in entrants}
    steps: dict[str, list[float]] = {name: [] for name in entrants}
    for turn in range(repeats):
        for name, (task, n_paths) in entrants.items():
            begin = time.process_time()
            taken = task(hurst, n_steps, n_paths, turn + 1)
            costs[name].append((time.process_time() - begin) / taken * 1e9)
            steps[name].append(taken / n_paths)
    cost = {name: median(times) for name, times in costs.items()}
    return [
        PassageTiming(name, hurst, n_paths, sum(steps[name]) / repeats, cost[name], cost[name] / cost[REFERENCE])
        for name, (_, n_paths) in entrants.items()
    ]


def _ready(hurst: float, n_steps: int, scale: float, left_out: list[str]) -> dict[str, _Entrant]:
    """The contestants for one H, each warmed up; why the others do not take part is added to `left_out`."""
    entrants: dict[str, _Entrant] = {}
    for name, contestant in CONTESTANTS.items():
        if contestant.brownian and hurst != 0.5:
            continue
        try:
            entrant = _Entrant(contestant.build(), max(1, round(contestant.n_paths * scale)))
            entrant.task(hurst, n_steps, entrant.n_paths, 0)
        except ImportError:
            left_out.append(f"{name}: not installed.")
        except RecursionError:
            left_out.append(f"{name}: does not reach {n_steps} steps (RecursionError).")
        else:
            entrants[name] = entrant
    return entrants
