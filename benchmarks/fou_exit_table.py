"""Tabulate the exit rate R(H, k, a t) of the fractional Ornstein-Uhlenbeck process, node by node, and resume.

``python benchmarks/fou_exit_table.py FILE.jsonl [--minutes M] [--error 0.0035] [--sides 1,2] [--times 10,2,100]``
leaves out what needs more than ``--steps`` steps, 2^21 by default.

The process ``dX = -a X dt + sigma dB_H`` starts at its minimum, and k is the barrier in stationary standard deviations.
R is the hazard of the exit over a, averaged over a window around the time, in continuous time; by scaling it is a
function of H, k and a t alone. A node is computed on two grids of exact paths with the shifted barrier, and what the
shift leaves is extrapolated. Exits are counted on plain paths up to k = 2; beyond, the chance that the first exit falls
into the window comes from conditioned paths, and plain paths tell how many are left at its beginning. One JSON line is
written for each node; nodes that stand in the file are not computed again.

A line has `rate` (null with `why` where too few paths are left), its relative standard `error`, by how much of it the
extrapolation has moved the finer grid's rate (`extrapolated`), and both grids. At H = 1/2 the exact rates lie within
0.4 % of the finer grid's and 1.4 % of the coarser one's. At a t = 2 the variance has not settled, which matters for
k >= 4: from there to a t = 10 R grows for H >= 1/2 and falls for H < 1/2.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fbmsde.core import checks
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.rare.conditioned import conditioned_exits
from fbmsde.rare.linear_process import LinearProcess, fou_process
from fbmsde.results.estimates import NoEstimateError
from fbmsde.results.rare_estimate import RareEstimate

WINDOWS = {2.0: (1.5, 2.5), 10.0: (8.0, 12.0), 100.0: (90.0, 110.0)}  # of a t
HURSTS = (0.7, 0.5, 0.3, 0.6, 0.4, 0.8, 0.9, 0.2, 0.1)
BARRIERS = (3.0, 4.0, 5.0, 6.0, 8.0, 2.0, 2.5, 3.5, 7.0, 1.0, 1.5)
COARSE, FINE = (1.0, 0.06), (0.5, 0.015)  # k dt^H / sqrt(Gamma(2H+1)), and the longest step, of the two grids
PLAIN = 2.0  # up to this barrier exits are counted on plain paths
FEWEST_LEFT = 0.05  # a window at whose beginning fewer paths are left is not tried
PILOT = 1000


@dataclass(frozen=True)
class Node:
    """A place in the table."""

    hurst: float
    k: float
    sides: int
    at: float


@dataclass(frozen=True)
class Found:
    """The rate on one grid, its relative standard error, the step, the number of paths, and seconds of one core."""

    rate: float
    error: float
    dt: float
    n_paths: int
    seconds: float


def nodes(hursts: list[float], sides: list[int], times: list[float]) -> Iterator[Node]:
    """All nodes, the most valuable first; from k = 5 on two sides are twice one side."""
    for side in sides:
        for at in times:
            for k in BARRIERS:
                for hurst in hursts:
                    if side == 1 or k <= 5.0:
                        yield Node(hurst, k, side, at)


def step_of(node: Node, grid: tuple[float, float]) -> float:
    """The step of a grid, which divides 1/2, of which the ends of all windows are multiples."""
    strength = math.sqrt(math.gamma(2.0 * node.hurst + 1.0)) / node.k
    return 0.5 / math.ceil(0.5 / min((grid[0] * strength) ** (1.0 / node.hurst), grid[1]))


def process_of(node: Node, grid: tuple[float, float]) -> tuple[LinearProcess, int]:
    """The process of unit stationary variance on a grid, and the last step before the window."""
    begin, end = WINDOWS[node.at]
    h, dt = node.hurst, step_of(node, grid)
    process = fou_process(h, round(end / dt), dt=dt, sigma=fou_stationary_variance(h) ** -0.5)
    return process, round(begin / dt)


def plain_counts(node: Node, process: LinearProcess, last: int, n_paths: int, seed: int) -> tuple[int, int]:
    """How many plain paths are inside up to a step, and up to the end."""
    upper = node.k - process.shift
    lower = -upper if node.sides == 2 else -math.inf
    key, left, over = checks.as_seed(seed), 0, 0
    block = max(2, 2**20 // process.n_steps // 2 * 2)
    for first in range(0, n_paths, block):
        rows = np.empty((min(block, n_paths - first), process.n_steps + 1))
        process.fill(key, first, rows)
        x = process.from_start(rows)
        inside = (x < upper) & (x > lower)
        before = inside[:, : last + 1].all(axis=1)
        left += int(before.sum())
        over += int((before & inside[:, last + 1 :].all(axis=1)).sum())
    return left, over


def plain_rate(node: Node, process: LinearProcess, last: int, error: float, seed: int) -> tuple[float, float, int]:
    """The hazard in the window from plain paths, its relative error, and the number of paths."""
    left, over = plain_counts(node, process, last, PILOT, seed)
    if left - over < 5 or left < FEWEST_LEFT * PILOT:
        raise ValueError(f"too few paths left: {left} and {over} of {PILOT}")
    n = int(min(400 * PILOT, PILOT / (left - over) / error**2 * max(over / left, 0.1)))
    left, over = plain_counts(node, process, last, n, seed + 1)
    length = (process.n_steps - last) * process.dt
    log = math.log(left / over)
    return log / length, math.sqrt(1.0 / over - 1.0 / left) / log, n


def conditioned_rate(
    node: Node, process: LinearProcess, last: int, error: float, seed: int
) -> tuple[float, float, int]:
    """The hazard in the window from conditioned paths, its relative error, and the number of paths."""
    domain = (-node.k if node.sides == 2 else None, node.k)

    def estimate(n_paths: int, seed: int) -> RareEstimate:
        exits = conditioned_exits(process, domain, first=last + 1, n_paths=n_paths, n_draws=3, seed=seed, n_jobs=1)
        return exits.rate()

    pilot = estimate(PILOT, seed)
    if pilot.relative_error > 1.0:
        raise ValueError(f"too few paths left for a pilot: relative error {pilot.relative_error:.2g}")
    n = max(PILOT, int(PILOT * (pilot.relative_error / error) ** 2))
    run = estimate(n, seed + 1)
    return run.value, run.relative_error, n


def rate_on(node: Node, grid: tuple[float, float], error: float, seed: int) -> Found:
    """The rate of a node on one grid."""
    start = time.process_time()
    process, last = process_of(node, grid)
    method = plain_rate if node.k <= PLAIN else conditioned_rate
    rate, spread, n = method(node, process, last, error, seed)
    return Found(rate, spread, process.dt, n, round(time.process_time() - start, 2))


def computed(node: Node, error: float) -> dict[str, object]:
    """The line of a node: the rate in continuous time and all that it is made of."""
    seed = int(1e4 * node.hurst) * 10**6 + int(1e2 * node.k) * 1000 + node.sides * 100 + int(node.at) % 97
    try:
        coarse = rate_on(node, COARSE, error / 2.0, 10 * seed)
        fine = rate_on(node, FINE, error, 10 * seed + 5)
    except (ValueError, NoEstimateError) as reason:
        return {**asdict(node), "rate": None, "why": str(reason)}
    return {**asdict(node), **limit(node.hurst, coarse, fine), "fine": asdict(fine), "coarse": asdict(coarse)}


def limit(hurst: float, coarse: Found, fine: Found) -> dict[str, float]:
    """The rate for a step of 0, its relative standard error, and by how much it differs from that on the finer grid.

    What the shift leaves of the bias falls like the third power of ``dt^H``: so does the remainder of Pickands'
    constant on a grid (`fbmsde.laws.extremes.pickands_constant`), by factors of 4 to 8 for H = 0.2 to 0.9.
    """
    q = (fine.dt / coarse.dt) ** (3.0 * hurst)
    weight = q / (1.0 - q)
    rate = fine.rate + weight * (fine.rate - coarse.rate)
    spread = math.hypot((1.0 + weight) * fine.error * fine.rate, weight * coarse.error * coarse.rate) / rate
    return {"rate": rate, "error": spread, "extrapolated": (rate - fine.rate) / rate}


def main() -> None:
    """Compute the nodes that the file does not have, until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--error", type=float, default=0.0035, help="relative standard error of the finer grid")
    parser.add_argument("--steps", type=float, default=2**21, help="largest number of steps of a path")
    parser.add_argument("--sides", default="1,2")
    parser.add_argument("--times", default="10,2,100")
    parser.add_argument("--hursts", default=",".join(map(str, HURSTS)))
    given = parser.parse_args()
    lines = given.file.read_text().splitlines() if given.file.exists() else []
    names = ("hurst", "k", "sides", "at")
    done = {tuple(json.loads(line)[name] for name in names) for line in lines}
    end = time.monotonic() + 60.0 * given.minutes
    hursts, times = ([float(x) for x in text.split(",")] for text in (given.hursts, given.times))
    for node in nodes(hursts, [int(s) for s in given.sides.split(",")], times):
        if time.monotonic() > end:
            break
        affordable = WINDOWS[node.at][1] / step_of(node, FINE) <= given.steps
        if affordable and (node.hurst, node.k, node.sides, node.at) not in done:
            line = json.dumps(computed(node, given.error))
            with given.file.open("a") as file:
                file.write(line + "\n")
            print(line, flush=True)


if __name__ == "__main__":
    main()
