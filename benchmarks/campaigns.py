"""Costs of campaigns, and the bias of stopping by relative error. Run: python benchmarks/campaigns.py [--part NAME]

threads : two threads against one on the streaming kernel.
million : 10^6 paths kept in a store: time, resident memory, size of the store; and 10^8 paths from these numbers.
dask : a Dask cluster of two workers against two threads, for blocks of 0.1, 1 and 10 s of work, and how long a worker
    that starts anew takes for its first block.
stopping : many small campaigns of a known law: mean of the estimate and coverage of its 95 % interval, stopped by
    relative error and with fixed numbers of paths.
"""

from __future__ import annotations

import argparse
import math
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from fbmsde import Campaign, Chain, FractionalNoise, Grid, PassageProblem, Precision, Shifted, quadratic
from fbmsde.campaigns.base import Plan
from fbmsde.campaigns.rounds import Track
from fbmsde.campaigns.zarr_store import ZarrStore
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.results.campaign import Summary

HURST, BARRIER, DT, HORIZON = 0.3, 3.0, 1 / 1024, 24.0


def deep_well(seed: int, horizon: float = HORIZON) -> PassageProblem:
    """Escape through both sides of the quadratic well, at three stationary standard deviations from its minimum."""
    edge = BARRIER * math.sqrt(fou_stationary_variance(HURST))
    return PassageProblem(
        quadratic(1.0), FractionalNoise(HURST), 0.0, (-edge, edge), horizon=horizon, seed=seed, monitoring=Shifted(DT)
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """CPU time and wall time, in seconds."""
    begin = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begin[0], time.perf_counter() - begin[1]


def run(n_paths: int, block_paths: int, seed: int, n_jobs: int = 2, executor: Executor | None = None) -> None:
    """A campaign of the deep well in memory, on threads or in an executor."""
    campaign = Campaign({"well": deep_well(seed)}, n_paths=n_paths, block_paths=block_paths)
    campaign.run(executor or "threads", n_jobs=None if executor else n_jobs)


def threads(n_paths: int = 100_000, repeats: int = 7) -> None:
    """Campaigns on one thread and on two in turns; the ratio of medians, and that of CPU time to wall time on two."""
    run(2000, 1000, 0)
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for turn in range(repeats):
        for n_jobs, times in found.items():
            times.append(timed(lambda n_jobs=n_jobs, turn=turn: run(n_paths, n_paths // 20, turn, n_jobs=n_jobs)))
    (one_cpu, one), (two_cpu, two) = (map(median, zip(*times, strict=True)) for times in found.values())
    pairs = median(a[1] / b[1] for a, b in zip(*found.values(), strict=True))
    print(f"{n_paths} paths: one thread {one:.2f} s (CPU {one_cpu:.2f}), two {two:.2f} s (CPU {two_cpu:.2f}): "
          f"{one / two:.2f} times as fast, {pairs:.2f} by pairs; two threads kept {two_cpu / two:.2f} cores busy and "
          f"spent {two_cpu / one_cpu:.2f} times the CPU time")  # fmt: skip


def million(n_paths: int = 10**6, block_paths: int = 20_000) -> None:
    """Time, memory and store of a large campaign, and what a hundred times as many paths would take."""
    run(2000, 1000, 0)
    before = resident()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign({"well": deep_well(1)}, n_paths=n_paths, block_paths=block_paths, store=folder)
        begin = time.process_time(), time.perf_counter()
        results = campaign.run(n_jobs=2)
        cpu, wall = time.process_time() - begin[0], time.perf_counter() - begin[1]
        files = [path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()]
        again = timed(lambda: campaign.run(n_jobs=2))[0]
    print(results.summaries[0])
    n_blocks, keeping = -(-n_paths // block_paths), keeping_time(block_paths)
    print(f"{n_paths} paths in {n_blocks} blocks on two threads: {wall:.0f} s, CPU {cpu:.0f} s, of which "
          f"{1000 * keeping:.1f} ms a block to keep and count it; read again in {again:.1f} s of CPU; "
          f"resident memory {resident():.0f} MB at most, {before:.0f} MB before; "
          f"store {sum(files) / n_paths:.1f} bytes a path in {len(files)} files")  # fmt: skip
    scale = 10**8 / n_paths
    print(f"on paper, 10^8 paths in blocks of {block_paths}: {scale * sum(files) / 1e9:.1f} GB, "
          f"{scale * len(files):.0f} files, {scale * cpu / 3600:.2f} core hours: "
          f"{scale * (cpu - n_blocks * keeping) / 1000:.0f} s on a thousand cores, beside "
          f"{scale * n_blocks * keeping:.0f} s in the process that keeps the blocks")  # fmt: skip


def keeping_time(block_paths: int, n_blocks: int = 20) -> float:
    """CPU time that the process of a campaign needs to keep and count a block, in seconds."""
    plan = Plan("well", deep_well(1), n_blocks * block_paths, block_paths)
    block = plan.problem.ends(block_paths)
    with tempfile.TemporaryDirectory() as folder, ZarrStore(folder) as store:
        store.begin({})
        track, times = Track(plan, store, Precision()), []
        for number in range(n_blocks):
            begin = time.thread_time()
            track.put(number, replace(block, first=number * block_paths), 1.0)
            times.append(time.thread_time() - begin)
    return median(times)


def resident() -> float:
    """The largest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def dask() -> None:
    """The overhead of a Dask cluster by the length of blocks, and the time of a worker's first block."""
    from distributed import Client, LocalCluster

    run(2000, 1000, 0)
    rate = 20_000 / timed(lambda: run(20_000, 20_000, 0, n_jobs=1))[0]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        executor = client.get_executor()
        before = sum(client.run(time.process_time).values())
        first = timed(lambda: run(2, 1, 0, executor=executor))[1]
        work = (sum(client.run(time.process_time).values()) - before) / 2
        later = median(timed(lambda seed=seed: run(2, 1, seed, executor=executor))[1] for seed in range(1, 6))
        print(f"the first blocks of two new workers are done after {first:.2f} s, later ones after {later:.3f} s; "
              f"the first one took {work:.2f} s of CPU a worker", flush=True)  # fmt: skip
        for seconds, n_blocks, repeats in ((0.1, 50, 5), (1.0, 10, 5), (10.0, 2, 3)):
            block_paths, costs = round(rate * seconds), []
            for turn in range(repeats):
                task = partial(run, n_blocks * block_paths, block_paths, turn)
                before = sum(client.run(time.process_time).values())
                there = timed(partial(task, executor=executor))
                workers = sum(client.run(time.process_time).values()) - before
                costs.append((there[0] + workers, there[1], *timed(task)))
            told_overhead(f"{n_blocks} blocks of {seconds:g} s ({block_paths} paths)", costs)


def told_overhead(what: str, costs: Sequence[tuple[float, float, float, float]]) -> None:
    """Print how much more a cluster takes than threads: CPU and wall time there and here, by pairs in turns."""
    there_cpu, there, here_cpu, here = map(median, zip(*costs, strict=True))
    more_cpu, more = (100.0 * (median(row[i] / row[i + 2] for row in costs) - 1.0) for i in (0, 1))
    print(f"{what}: Dask {there:.2f} s (CPU {there_cpu:.2f}), threads {here:.2f} s (CPU {here_cpu:.2f}): "
          f"{more:+.1f} % (CPU {more_cpu:+.1f} %)", flush=True)  # fmt: skip


class Forgetful(NamedTuple):
    """A chain whose state is the last increment of white noise: the exit time is geometric, and sides are independent.

    With p the probability to leave at a step, the rate is ``-ln(1 - p)``, the mean of min(T, n) is
    ``(1 - (1 - p)^n) / p``, and a side of probability q at a step is left through with ``q / p (1 - (1 - p)^n)``.
    """

    lower: float
    upper: float
    n_steps: int
    n_paths: int  # needed for a tenth, about

    def problem(self, seed: int) -> PassageProblem:
        """What a campaign runs."""
        chain, sides = Chain(_last, name="forgetful"), (self.lower, self.upper)
        return PassageProblem(
            chain, FractionalNoise(0.5), 0.0, sides, horizon=self.n_steps, seed=seed, monitoring=Grid(1.0)
        )

    def truth(self, quantity: str) -> float:
        """The exact value of what a campaign estimates."""
        above = float(ndtr(-self.upper))
        leaves = above + float(ndtr(self.lower))
        seen = 1.0 - (1.0 - leaves) ** self.n_steps
        known = {"exit_rate": -math.log1p(-leaves), "mean": seen / leaves, "split:upper": above / leaves * seen}
        return known[quantity]


def _last(_k: float, _x: float, noise: float) -> float:
    """The increment itself."""
    return noise


COMMON, RARE = Forgetful(-1.5, 1.2, 60, 320), Forgetful(-3.1, 2.9, 40, 4000)  # all paths leave; a tenth of them leaves
CASES = ((RARE, "exit_rate"), (COMMON, "mean"), (RARE, "split:upper"))


def stopping(repetitions: int = 2000) -> None:
    """Campaigns stopped at a relative half-width, and as many of their mean number of paths, by law and quantity.

    The first round, and each block, has an eighth of the paths that are needed, about.
    """
    print(f"{repetitions} campaigns, standard error of the coverage {math.sqrt(0.0475 / repetitions):.4f}", flush=True)
    for (law, quantity), target in product(CASES, (0.1, 0.05)):
        until = Precision(target, quantity, most_paths=10**6, after=0.0 if quantity == "exit_rate" else None)
        block_paths = round(law.n_paths / 8 * (0.1 / target) ** 2)
        found = [small(law, block_paths, seed, until) for seed in range(repetitions)]
        told("stopped", law, found, target)
        paths = round(np.mean([summary.paths for summary in found]))
        others = range(repetitions, 2 * repetitions)
        told("fixed", law, [small(law, paths, seed, until, fixed=True) for seed in others], target)


def small(law: Forgetful, n_paths: int, seed: int, until: Precision, fixed: bool = False) -> Summary:
    """What a campaign of one problem says in the end."""
    asked = replace(until, relative_error=None) if fixed else until
    campaign = Campaign({"chain": law.problem(seed)}, n_paths=n_paths, block_paths=n_paths, until=asked)
    return campaign.run(n_jobs=1).summaries[0]


def told(label: str, law: Forgetful, found: Sequence[Summary], target: float) -> None:
    """Print the bias of the estimates and the coverage of their intervals."""
    quantity, truth = found[0].quantity, law.truth(found[0].quantity)
    values, low, high = np.array([summary.estimate for summary in found]).T
    bias, error = values.mean() / truth - 1.0, values.std() / truth / math.sqrt(len(found))
    covers = np.mean((low <= truth) & (truth <= high))
    paths, exits = (np.mean([getattr(summary, name) for summary in found]) for name in ("paths", "exits"))
    print(f"{quantity:12} {target:5g} {label:8} {paths:7.0f} paths, {exits:5.0f} exits: bias {100 * bias:+.2f} % "
          f"(standard error {100 * error:.2f}), {bias / target:+.3f} half-widths; covers {covers:.3f}",
          flush=True)  # fmt: skip


PARTS = {"threads": threads, "million": million, "dask": dask, "stopping": stopping}


def main() -> None:
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    for name in parser.parse_args().part or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
