"""CPU time of the generators beside that of published packages, where these are installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from statistics import median
from typing import NamedTuple

import numpy as np

from ..core import checks
from ..core.random import fill_normals
from ..core.types import AnyArray
from ..drivers.exact.generators import GENERATORS, DaviesHarte, make_generator
from ..drivers.sample import fgn

SHAPES = ((1024, 4096), (16384, 256), (2**20, 4), (10007, 256))  # (n_steps, n_paths)
REFERENCE = "davies_harte"
_TURN = 0.2  # seconds of CPU time that a turn of a contestant takes at most, unless its fewest paths take longer

Draw = Callable[[int], object]  # draws that many paths


class Contestant(NamedTuple):
    """How to set up a generator for (hurst, n_steps), and the most steps for which it takes a reasonable time."""

    build: Callable[[float, int], Draw]
    most_steps: int


@dataclass(frozen=True)
class GeneratorTiming:
    """Median CPU time of one generator, in nanoseconds per increment and relative to `REFERENCE`."""

    generator: str
    n_steps: int
    n_paths: int
    nanoseconds: float
    ratio: float


@dataclass(frozen=True)
class GeneratorTable:
    """What :func:`generator_table` returns: `rows`, and `left_out`, one sentence for each generator not timed."""

    rows: tuple[GeneratorTiming, ...]
    left_out: tuple[str, ...]

    def table(self) -> str:
        """The rows as text, one line each, then what was left out."""
        lines = [f"{'n_steps':>8} {'paths':>6}  {'generator':<34} {'ns per increment':>16} {'ratio':>8}"]
        for row in self.rows:
            name, cost = f"{row.generator:<34}", f"{row.nanoseconds:16.4g}"
            lines.append(f"{row.n_steps:8d} {row.n_paths:6d}  {name} {cost} {row.ratio:8.3g}")
        return "\n".join([*lines, *self.left_out])

    def __str__(self) -> str:
        return self.table()


@dataclass(frozen=True)
class ShareRow:
    """Nanoseconds per increment that Davies-Harte spends on normals, on their transforms, and on writing the paths."""

    n_steps: int
    noise: float
    transforms: float
    writing: float

    def __str__(self) -> str:
        total = self.noise + self.transforms + self.writing
        parts = (("noise", self.noise), ("transforms", self.transforms), ("writing", self.writing))
        return f"{self.n_steps:8d}  " + "  ".join(f"{name} {t:.2f} ns ({t / total:.0%})" for name, t in parts)


def _blocks(method: str, dtype: type, hurst: float, n_steps: int) -> Draw:
    """Draw paths by this package, block after block into the same memory, as the simulations do."""
    generator, key = make_generator(method, hurst, n_steps), checks.as_seed(0)
    block: AnyArray = np.empty((generator.block_paths, n_steps), dtype)

    def draw(n_paths: int) -> None:
        for first in range(0, n_paths, generator.block_paths):
            generator.fill(key, first, 0, block[: n_paths - first])

    return draw


def _array(hurst: float, n_steps: int) -> Draw:
    """Draw paths by this package, all into one new array."""
    return lambda n_paths: fgn(hurst, n_steps, n_paths, seed=0)


def _fbm_package(hurst: float, n_steps: int) -> Draw:
    """Draw paths by ``fbm.FBM``, which has no batches, one call a path."""
    source = import_module("fbm").FBM(n_steps, hurst)
    return lambda n_paths: [source.fgn() for _ in range(n_paths)]


def _stochastic_rs(hurst: float, n_steps: int) -> Draw:
    """Draw paths by ``stochastic_rs.PyFgn`` on one thread, one call a path."""
    source = import_module("stochastic_rs").PyFgn(hurst, n_steps, seed=0)
    return lambda n_paths: [source.sample() for _ in range(n_paths)]


def _stochastic_rs_batch(hurst: float, n_steps: int) -> Draw:
    """Draw paths by ``stochastic_rs.PyFgn`` in one call; the CPU times of its own threads add up."""
    return import_module("stochastic_rs").PyFgn(hurst, n_steps, seed=0).sample_par


def _stochastic(hurst: float, n_steps: int) -> Draw:
    """Draw paths by ``stochastic.processes.noise``, which has no batches, one call a path."""
    source = import_module("stochastic.processes.noise").FractionalGaussianNoise(hurst)
    return lambda n_paths: [source.sample(n_steps) for _ in range(n_paths)]


CONTESTANTS: dict[str, Contestant] = {
    **{name: Contestant(partial(_blocks, name, np.float64), 2**24 if name == REFERENCE else 2**11)
       for name in GENERATORS},
    f"{REFERENCE}, float32": Contestant(partial(_blocks, REFERENCE, np.float32), 2**24),
    f"{REFERENCE}, one array": Contestant(_array, 2**24),
    "fbm": Contestant(_fbm_package, 2**15),
    "stochastic-rs": Contestant(_stochastic_rs, 2**24),
    "stochastic-rs, one array": Contestant(_stochastic_rs_batch, 2**24),
    "stochastic": Contestant(_stochastic, 2**15),
}  # fmt: skip


def generator_table(
    shapes: Sequence[tuple[int, int]] = SHAPES, *, repeats: int = 5, hurst: float = 0.7
) -> GeneratorTable:
    """CPU time per increment of every generator here and of the peers that are installed.

    `shapes` are pairs (n_steps, n_paths). What a generator does once (eigenvalues, factors, compilation) is not
    counted. The contestants take turns `repeats` times and the median turn counts, so that a busy machine slows all
    alike; slow ones draw fewer paths a turn. CPU time is that of all threads of the process.
    Raises ValueError for arguments outside their range.

    >>> print(generator_table([(16, 8)], repeats=1).rows[0].generator)
    davies_harte
    """
    hurst, repeats = checks.hurst_parameter(hurst), checks.count("repeats", repeats)
    rows: list[GeneratorTiming] = []
    left_out: list[str] = []
    for n_steps, n_paths in shapes:
        draws = _ready(hurst, checks.count("n_steps", n_steps), left_out)
        rows += _race(draws, n_steps, checks.count("n_paths", n_paths), repeats)
    return GeneratorTable(tuple(rows), tuple(dict.fromkeys(left_out)))


def davies_harte_shares(
    shapes: Sequence[tuple[int, int]] = SHAPES, *, repeats: int = 5, hurst: float = 0.7
) -> tuple[ShareRow, ...]:
    """Where Davies-Harte spends its CPU time, one row per shape, the median of `repeats` fillings.

    >>> len(davies_harte_shares([(16, 8)], repeats=1))
    1
    """
    return tuple(_shares(hurst, n_steps, n_paths, repeats) for n_steps, n_paths in shapes)


def _ready(hurst: float, n_steps: int, left_out: list[str]) -> dict[str, Draw]:
    """The contestants for one n_steps, each warmed up; why the others do not take part is added to `left_out`."""
    draws: dict[str, Draw] = {}
    for name, contestant in CONTESTANTS.items():
        if n_steps > contestant.most_steps:
            left_out.append(f"{name}: not timed above {contestant.most_steps} steps.")
            continue
        try:
            draws[name] = contestant.build(hurst, n_steps)
        except ImportError:
            left_out.append(f"{name}: not installed.")
            continue
        draws[name](1)
    return draws


def _race(draws: dict[str, Draw], n_steps: int, n_paths: int, repeats: int) -> list[GeneratorTiming]:
    """Time the contestants in turn, `repeats` times."""
    few = min(n_paths, 64)  # the lanes of the triangular generators: fewer would leave some idle
    paths = {name: min(n_paths, few * max(1, int(_TURN / _cpu_time(draw, few)))) for name, draw in draws.items()}
    times: dict[str, list[float]] = {name: [] for name in draws}
    for _ in range(repeats):
        for name, draw in draws.items():
            times[name].append(_cpu_time(draw, paths[name]) / (n_steps * paths[name]) * 1e9)
    reference = median(times[REFERENCE])
    return [GeneratorTiming(name, n_steps, paths[name], median(t), median(t) / reference) for name, t in times.items()]


def _shares(hurst: float, n_steps: int, n_paths: int, repeats: int) -> ShareRow:
    """Time the normals alone, with their transforms of which nothing is written, and the whole."""
    generator, key = DaviesHarte(hurst, n_steps), checks.as_seed(0)
    rows = min(n_paths, generator.block_paths)
    normals, out, nothing = np.empty((1, 2 * generator.scale.size)), np.empty((rows, n_steps)), np.empty((rows, 0))
    parts: tuple[Draw, ...] = (
        lambda first: fill_normals(key, first, 0, normals),
        lambda first: generator.fill(key, first, 0, nothing),
        lambda first: generator.fill(key, first, 0, out),
    )
    turns = np.empty((repeats, 3))
    for part in parts:
        part(0)
    for turn in turns:
        for i, part in enumerate(parts):
            start = time.process_time()
            for first in range(0, n_paths, 2 if i == 0 else rows):
                part(first)
            turn[i] = (time.process_time() - start) / (n_paths * n_steps) * 1e9
    alone, transformed, total = np.median(turns, axis=0).tolist()
    return ShareRow(n_steps, alone, transformed - alone, total - transformed)


def _cpu_time(draw: Draw, n_paths: int) -> float:
    """Seconds of CPU time of one call."""
    start = time.process_time()
    draw(n_paths)
    return time.process_time() - start
