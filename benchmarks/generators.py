"""CPU time of the generators against published packages, one path a call, and where Davies-Harte spends it.

    OMP_NUM_THREADS=1 python benchmarks/generators.py

The second table takes the parts of Davies-Harte apart: normals, their transforms, the writing of the paths. The third
has kinds of arrays: in single precision, of several components, and at H = 1/2. The fourth is for programs written for
the package `fbm`: one path a call, in a loop, of an object made once, and of one made anew for each path, beside `fgn`.
The fifth puts paths of the streaming model beside Davies-Harte, in one array on one thread, and the increments of a
single streamed path.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import fbm as peer
import numpy as np

from fbmsde import fbm_compat, fgn
from fbmsde.bench import generators
from fbmsde.drivers.rational.streaming import StreamingNoise

ONE_PATH = (
    *(("FBM", n_steps, "daviesharte") for n_steps in (100, 1000, 10_000)),
    *(("FBM", 1000, "cholesky"), ("FBM", 300, "hosking"), ("MBM", 300, None)),
)
KINDS: dict[str, dict[str, Any]] = {
    "float64": {"hurst": 0.7},
    "float32": {"hurst": 0.7, "dtype": np.float32},
    "three components": {"hurst": 0.7, "dim": 3},
    "white noise": {"hurst": 0.5},
    "white noise, float32": {"hurst": 0.5, "dtype": np.float32},
}


def mean_time(call: Callable[[], Any], calls: int) -> float:
    """CPU microseconds a call, after a first one that prepares what is prepared once."""
    call()
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6


def one_path(module: Any, kind: str, n_steps: int, method: str | None, calls: int) -> float:
    """CPU microseconds of one path a call, the median of five loops."""
    hurst = 0.7 if kind == "FBM" else lambda t: 0.3 + 0.4 * t
    source = getattr(module, kind)(n_steps, hurst, **({} if method is None else {"method": method}))
    return float(np.median([mean_time(getattr(source, kind.lower()), calls) for _ in range(5)]))


def kinds(n_steps: int, n_paths: int) -> list[float]:
    """CPU nanoseconds a number of `fgn` in one array, on one thread, of each kind, the medians of five turns."""
    draws = [partial(fgn, n_steps=n_steps, n_paths=n_paths, seed=1, n_jobs=1, **kind) for kind in KINDS.values()]
    turns = [[mean_time(draw, 1) * 1e3 / draw().size for draw in draws] for _ in range(5)]
    return [float(median) for median in np.median(turns, axis=0)]


def new_each_time(n_steps: int) -> tuple[float, float, float]:
    """CPU microseconds of one path of `fgn`, of a new `FBM`, and of one of the package `fbm`."""
    ours = partial(fgn, 0.7, n_steps, seed=1), lambda: fbm_compat.FBM(n_steps, 0.7).fbm()
    times = [float(np.median([mean_time(call, 300) for _ in range(5)])) for call in ours]
    return times[0], times[1], mean_time(lambda: peer.FBM(n_steps, 0.7).fbm(), 3)


def streamed(n_steps: int, n_paths: int) -> tuple[float, float, float]:
    """CPU nanoseconds an increment: `fgn` by Davies-Harte, `fgn` by streaming, and one path streamed in chunks."""
    arrays = []
    for method in ("davies_harte", "streaming"):
        draw = partial(fgn, 0.7, n_steps, n_paths, seed=1, n_jobs=1, method=method)
        arrays.append(mean_time(draw, 5) * 1e3 / (n_steps * n_paths))
    pieces = StreamingNoise(0.7, n_steps).stream(seed=1)
    return arrays[0], arrays[1], mean_time(lambda: next(pieces), 200) * 1e3 / 4096


def main() -> None:
    """Print the five tables."""
    print(generators.generator_table())
    print(f"\n{'n_steps':>8}  Davies-Harte, ns per increment")
    print(*generators.davies_harte_shares(), sep="\n")
    print(f"\n{'n_steps':>8} {'paths':>6}  one array, ns per number: {', '.join(KINDS)}")
    for n_steps, n_paths in generators.SHAPES:
        print(f"{n_steps:8d} {n_paths:6d}  {'  '.join(f'{cost:.2f}' for cost in kinds(n_steps, n_paths))}")
    print(f"\n{'one path a call':<24} {'fbmsde':>10} {'fbm':>12}   microseconds")
    for kind, n_steps, method in ONE_PATH:
        ours, theirs = one_path(fbm_compat, kind, n_steps, method, 500), one_path(peer, kind, n_steps, method, 3)
        print(f"{kind} {method or '':<12} {n_steps:>6} {ours:>10.1f} {theirs:>12.1f}   {theirs / ours:.1f} times")
    print(f"\n{'n_steps':>8} {'fgn':>10} {'new FBM':>10} {'fbm':>12}   microseconds")
    for n_steps in (100, 1000, 10_000):
        print(f"{n_steps:8d} {'{:10.1f} {:10.1f} {:12.1f}'.format(*new_each_time(n_steps))}")
    print(f"\n{'n_steps':>8} {'paths':>6} {'davies_harte':>13} {'streaming':>10} {'one stream':>11}   ns per increment")
    for n_steps, n_paths in generators.SHAPES:
        print(f"{n_steps:8d} {n_paths:6d} {'{:13.2f} {:10.2f} {:11.1f}'.format(*streamed(n_steps, n_paths))}")


if __name__ == "__main__":
    main()
