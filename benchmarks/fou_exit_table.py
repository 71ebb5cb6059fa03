"""Tabulate the exit rate R(H, k, a t) of the fractional Ornstein-Uhlenbeck process, node by node, and resume.

``python benchmarks/fou_exit_table.py FILE.jsonl [--minutes M] [--error 0.0035] [--sides 1,2] [--times 10,2,100]``
leaves out what needs more than ``--steps`` steps, 2^21 by default.

The process ``dX = -a X dt + sigma dB_H`` starts at its minimum, and k is the barrier in stationary standard deviations.
R is the hazard of the exit over a, averaged over a window around the time, in continuous time; by scaling it is a
function of H, k and a t alone. A node is computed on two grids of exact paths with the shifted barrier, and what the
shift leaves is extrapolated. Exits are counted on plain paths up to k = 2; beyond, the chance that the first exit falls
into the window comes from conditioned paths, and plain paths tell how many are left at its beginning. One JSON line is
written for each node; nodes that stand in the file are not computed again.

``--publish fbmsde/laws/fou_exits.json`` writes the table of the package from the file instead. The 500 nodes took 72
minutes of one core; ``fou_exit_checks.jsonl`` holds nodes between them, which the table leaves out. A node at H = 0.3
costs up to a minute; at H = 0.2 and k = 3 paths need a step of 1e-4, and one of 1e-6 at k = 8.

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
from numpy.typing import NDArray

from fbmsde.core import checks
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.laws.fou_exits import log_moving_pickands, settled
from fbmsde.rare.conditioned import conditioned_exits
from fbmsde.rare.linear_process import LinearProcess, fou_process
from fbmsde.results.estimates import NoEstimateError
from fbmsde.results.rare_estimate import RareEstimate

Values = NDArray[np.float64]

WINDOWS = {  # of a t; those at 3, 7, 17 and 55 only check the interpolation
    2.0: (1.5, 2.5),
    5.0: (4.0, 6.0),
    10.0: (8.0, 12.0),
    30.0: (27.0, 33.0),
    100.0: (90.0, 110.0),
    3.0: (2.5, 3.5),
    7.0: (6.5, 7.5),
    17.0: (15.5, 18.5),
    55.0: (50.0, 60.0),
}
HURSTS = (0.7, 0.5, 0.3, 0.6, 0.4, 0.8, 0.9, 0.2, 0.1)
BARRIERS = (3.0, 4.0, 5.0, 6.0, 8.0, 2.0, 2.5, 3.5, 7.0, 1.0, 1.5)
COARSE, FINE = (1.0, 0.06), (0.5, 0.015)  # k dt^H / sqrt(Gamma(2H+1)), and the longest step, of the two grids
PUBLISHED_TIMES = (2.0, 5.0, 10.0, 30.0, 100.0)  # a t in the table of the package
PUBLISHED = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # H in the table of the package
DOUBLE = 4.0  # from this barrier on two sides are twice one side
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


def nodes(hursts: list[float], barriers: list[float], sides: list[int], times: list[float]) -> Iterator[Node]:
    """All nodes, the most valuable first; from k = 5 on two sides are twice one side."""
    for side in sides:
        for at in times:
            for k in barriers:
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


def log_ratio(node: Node, rate: float) -> float:
    """Logarithm of a rate over the mean of `log_moving_pickands` over the window, for one of its sides."""
    begin, end = WINDOWS[node.at]
    x, weights = np.polynomial.legendre.leggauss(16)
    base = np.exp(log_moving_pickands(node.hurst, node.k, begin + (end - begin) * (x + 1.0) / 2.0))
    return float(math.log(rate / node.sides) - np.log(base @ weights / 2.0))


def measured(lines: list[str]) -> tuple[Values, Values]:
    """Logarithms of the ratios and their errors by side, time, H and barrier of the published table; NaN for no node.

    From k = 4 on two sides are twice one side. Where the hazard has settled by a t = 10, which is at H = 1/2, and for
    smaller H from k = 3.5 on, the mean of all later times stands at each.
    """
    shape = (2, len(PUBLISHED_TIMES), len(PUBLISHED), len(BARRIERS))
    value, error = np.full(shape, np.nan), np.full(shape, np.nan)
    for line in map(json.loads, lines):
        node = Node(*(line[name] for name in ("hurst", "k", "sides", "at")))
        here = node.hurst in PUBLISHED and node.k in BARRIERS and node.at in PUBLISHED_TIMES
        if line["rate"] and here:
            place = (node.sides - 1, PUBLISHED_TIMES.index(node.at), PUBLISHED.index(node.hurst),
                     sorted(BARRIERS).index(node.k))  # fmt: skip
            value[place], error[place] = log_ratio(node, line["rate"]), line["error"]
    high = np.array(sorted(BARRIERS)) >= DOUBLE
    value[1][..., high], error[1][..., high] = value[0][..., high], error[0][..., high]
    late = np.array(PUBLISHED_TIMES) >= 10.0
    for side, j, i in np.ndindex(2, len(PUBLISHED), len(BARRIERS)):
        there = late & ~np.isnan(error[side, :, j, i])
        if settled(PUBLISHED[j], sorted(BARRIERS)[i]) and there.any():
            weight = error[side, there, j, i] ** -2
            value[side, late, j, i] = np.average(value[side, there, j, i], weights=weight)
            error[side, late, j, i] = weight.sum() ** -0.5
    return value, error


def filled(value: Values) -> Values:
    """The values with guesses for missing ones: those of the time before, moved to join where they begin.

    Where a whole row is missing, it is that of the time before, or for two sides that of one side.
    """
    out = value.copy()
    out[1, 0] = np.where(np.isnan(out[1, 0]), out[0, 0], out[1, 0])
    for side, i, j in np.ndindex(*out.shape[:3]):
        row, before = out[side, i, j], out[side, i - 1, j]
        gap = np.isnan(row)
        if i and gap.any():
            first = int(np.argmin(gap))
            row[gap] = before[gap] + (0.0 if gap.all() else row[first] - before[first])
    return out


def publish(lines: list[str], path: Path) -> None:
    """Write the table that the package ships."""
    value, error = measured(lines)
    table = {
        "hursts": PUBLISHED,
        "barriers": sorted(BARRIERS),
        "times": PUBLISHED_TIMES,
        "log_ratio": np.round(filled(value), 4).tolist(),
        "error": [[[[None if math.isnan(e) else round(e, 4) for e in row] for row in at] for at in side]
                  for side in error.tolist()],
    }  # fmt: skip
    path.write_text(json.dumps(table) + "\n")


def main() -> None:
    """Compute the nodes that the file does not have, until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--publish", type=Path, help="write the table of the package from the file, compute nothing")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--error", type=float, default=0.0035, help="relative standard error of the finer grid")
    parser.add_argument("--steps", type=float, default=2**21, help="largest number of steps of a path")
    parser.add_argument("--sides", default="1,2")
    parser.add_argument("--times", default="10,2,100")
    parser.add_argument("--hursts", default=",".join(map(str, HURSTS)))
    parser.add_argument("--barriers", default=",".join(map(str, BARRIERS)))
    given = parser.parse_args()
    lines = given.file.read_text().splitlines() if given.file.exists() else []
    if given.publish:
        publish(lines, given.publish)
        return
    names = ("hurst", "k", "sides", "at")
    done = {tuple(json.loads(line)[name] for name in names) for line in lines}
    end = time.monotonic() + 60.0 * given.minutes
    texts = (given.hursts, given.barriers, given.times)
    hursts, barriers, times = ([float(x) for x in text.split(",")] for text in texts)
    for node in nodes(hursts, barriers, [int(s) for s in given.sides.split(",")], times):
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
