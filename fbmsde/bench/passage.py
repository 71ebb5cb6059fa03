"""CPU time of escape from a double well, beside what is written with published packages."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import Any

import numpy as np

from ..core import checks
from ..drivers.fractional import FractionalNoise
from ..dynamics.landscapes import double_well
from ..simulation.passage import first_passage

SHARP, FLAT, HEIGHT, SIGMA, DT = 4.0, 1.0, 1.0, 0.8, 1e-3
START = -math.sqrt(8.0 * HEIGHT / SHARP)
REFERENCE = "fbmsde, streaming"
HURST_VALUES = (0.3, 0.5, 0.7)

Steps = int  # steps that the paths took up to their exits or the horizon
Task = Callable[[float, int, int, int], Steps]  # (hurst, n_steps, n_paths, seed)


@dataclass(frozen=True)
class PassageTiming:
    """Median CPU time of one contestant: nanoseconds per step of a path up to its exit, and relative to streaming."""

    contestant: str
    hurst: float
    n_paths: int
    mean_steps: float
    nanoseconds: float
    ratio: float


@dataclass(frozen=True)
class PassageTable:
    """What `passage_table` returns: `rows`, the horizon in steps, and why others were left out."""

    rows: tuple[PassageTiming, ...]
    n_steps: int
    left_out: tuple[str, ...]

    def table(self) -> str:
        """The rows as text."""
        head = f"{'H':>4}  {'contestant':<34} {'paths':>6} {'mean steps':>10} {'ns per path-step':>16} {'ratio':>8}"
        lines = [f"escape from a double well, horizon {self.n_steps} steps of {DT:g}, CPU time", head]
        for r in self.rows:
            numbers = f"{r.n_paths:6d} {r.mean_steps:10.0f} {r.nanoseconds:16.4g} {r.ratio:8.4g}"
            lines.append(f"{r.hurst:4.2f}  {r.contestant:<34} {numbers}")
        return "\n".join([*lines, *self.left_out])


def _ours(method: str, dtype: type = float, n_jobs: int = 1) -> Task:
    """First passage by this package."""

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
    """``fbm.FBM`` for the noise of each path, a Python loop over its steps."""
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


def _numpy_euler(increments: np.ndarray) -> Steps:
    """Steps to the exit of all paths at once, `increments` (n_steps, n_paths): NumPy in place."""
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
    """``stochastic_rs.PyFgn`` for the noise, NumPy Euler over all paths at once."""
    source = import_module("stochastic_rs").PyFgn

    def task(hurst: float, n_steps: int, n_paths: int, seed: int) -> Steps:
        noise = np.asarray(source(hurst, n_steps, seed=seed).sample_par(n_paths))
        noise *= SIGMA * DT**hurst / noise.std()
        return _numpy_euler(np.ascontiguousarray(noise.T))

    return task


def _torchsde() -> Task:
    """``torchsde.sdeint``, Euler, to the horizon (it has no events), H = 1/2 only."""
    torch, torchsde = import_module("torch"), import_module("torchsde")

    class Well(torch.nn.Module):  # type: ignore[name-defined]
        noise_type, sde_type = "additive", "ito"

        def f(self, _t: Any, x: Any) -> Any:
            return 0.5 * SHARP * x * (1.0 - x * x * SHARP / (8.0 * HEIGHT))

        def g(self, _t: Any, x: Any) -> Any:
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
    """``diffrax.diffeqsolve``, Euler with an Event, mapped over the paths, H = 1/2 only."""
    jax, diffrax = import_module("jax"), import_module("diffrax")

    def drift(_t: Any, x: Any, _args: Any) -> Any:
        return 0.5 * SHARP * x * (1.0 - x * x * SHARP / (8.0 * HEIGHT))

    def one(key: Any, end: float, n_steps: int) -> Any:
        motion = diffrax.UnsafeBrownianPath(shape=(), key=key)
        terms = diffrax.MultiTerm(diffrax.ODETerm(drift), diffrax.ControlTerm(lambda *_: SIGMA, motion))
        event = diffrax.Event(lambda _t, x, _args, **_options: x >= 0.0)
        options = {"event": event, "adjoint": diffrax.ForwardMode(), "max_steps": n_steps + 1}
        return diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, end, DT, START, **options).stats["num_steps"]

    many = jax.jit(jax.vmap(one, in_axes=(0, None, None)), static_argnums=(1, 2))

    def task(_hurst: float, n_steps: int, n_paths: int, seed: int) -> Steps:
        return int(many(jax.random.split(jax.random.PRNGKey(seed), n_paths), n_steps * DT, n_steps).sum())

    return task


# name -> (how to build the task, paths in a turn for 2^16 steps, only for H = 1/2)
CONTESTANTS: dict[str, tuple[Callable[[], Task], int, bool]] = {
    REFERENCE: (lambda: _ours("streaming"), 4000, False),
    "fbmsde, streaming, float32": (lambda: _ours("streaming", np.float32), 4000, False),
    "fbmsde, davies_harte": (lambda: _ours("davies_harte"), 128, False),
    "fbm + Python loop": (_fbm_loop, 1, False),
    "stochastic-rs + NumPy Euler": (_stochastic_rs_numpy, 512, False),
    "diffrax, Event": (_diffrax, 64, True),
    "torchsde": (_torchsde, 8, True),
}


def passage_table(
    hurst: tuple[float, ...] = HURST_VALUES, *, n_steps: int = 2**16, repeats: int = 3, scale: float = 1.0
) -> PassageTable:
    """CPU time per step of a path up to its exit, for this package and the peers that are installed.

    The contestants take turns `repeats` times and the median counts; compilation and fits are not counted. `scale`
    multiplies the number of paths of every contestant.

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
    """The contestants in turn for one H."""
    tasks: dict[str, tuple[Task, int]] = {}
    for name, (build, paths, brownian) in CONTESTANTS.items():
        if brownian and hurst != 0.5:
            continue
        try:
            task, few = build(), max(1, round(paths * scale))
            task(hurst, n_steps, few, 0)
        except ImportError:
            left_out.append(f"{name}: not installed.")
        except RecursionError:
            left_out.append(f"{name}: does not reach {n_steps} steps (RecursionError).")
        else:
            tasks[name] = task, few
    costs: dict[str, list[float]] = {name: [] for name in tasks}
    steps: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(repeats):
        for name, (task, paths) in tasks.items():
            begin = time.process_time()
            taken = task(hurst, n_steps, paths, turn + 1)
            costs[name].append((time.process_time() - begin) / taken * 1e9)
            steps[name].append(taken / paths)
    reference = median(costs[REFERENCE])
    return [
        PassageTiming(name, hurst, paths, sum(steps[name]) / repeats, median(c), median(c) / reference)
        for (name, c), (_, paths) in zip(costs.items(), tasks.values(), strict=True)
    ]
