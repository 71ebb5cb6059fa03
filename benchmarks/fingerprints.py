"""Hashes of a fixed list of runs: two versions of the package that print the same lines compute the same numbers.

    python benchmarks/fingerprints.py > before.txt        (another version) > after.txt        diff before.txt after.txt

The list has every kind of noise, solver, monitoring and landscape, whole paths and a small study, with names and
arguments that all versions since 0.1.0 know.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fbmsde
from fbmsde import FractionalNoise, LevelSet, first_passage, simulate_paths

RUN = {"dt": 0.01, "horizon": 20.0, "n_paths": 600, "seed": 11}


def exits() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Runs of `first_passage`, named."""
    quartic = fbmsde.Landscape(lambda x, a: a * x**4 / 4, lambda x, a: a * x**3, params=(2.0,))
    wells = {
        "quadratic": (fbmsde.quadratic(2.0), 0.0, (-1.5, 1.5)),
        "double_well": (fbmsde.double_well(4.0, 1.0, 0.5), -1.0, (-math.inf, 0.0)),
        "tilted": (fbmsde.tilted_double_well(1.0, 1.0, 0.2), -1.0, (-math.inf, 0.0)),
        "rippled": (fbmsde.rippled_well(1.0, 0.5, 1.0), 0.0, (-2.0, 2.0)),
        "own": (quartic, 0.0, (-1.0, 1.0)),
    }
    for hurst in (0.3, 0.5, 0.7):
        for name, (well, x0, domain) in wells.items():
            noise = FractionalNoise(hurst, 0.7)
            yield f"{name} H={hurst}", lambda w=well, n=noise, x=x0, d=domain: first_passage(w, n, x, d, **RUN)
    well, x0, domain = wells["quadratic"]
    for options in ({"solver": "heun"}, {"monitoring": "shifted"}):
        rough = FractionalNoise(0.3)
        yield f"quadratic {options}", lambda n=rough, o=options: first_passage(well, n, x0, domain, **RUN, **o)
    for method in ("davies_harte", "cholesky", "hosking"):
        noise = FractionalNoise(0.7, method=method)
        yield f"quadratic {method}", lambda n=noise: first_passage(well, n, x0, domain, **RUN | {"n_paths": 200})
    single = FractionalNoise(0.3, dtype=np.float32)
    yield "quadratic float32", lambda: first_passage(well, single, x0, domain, **RUN)
    yield "until", lambda: first_passage(well, FractionalNoise(0.3), x0, domain, **RUN | {"horizon": 1e3}, until=0.5)
    plane = fbmsde.double_well_2d(4.0, 1.0, 0.5)
    correlated = FractionalNoise(0.3, 0.7, correlation=[[1.0, 0.5], [0.5, 1.0]])
    half = LevelSet(lambda x: x[0])
    yield "two dimensions", lambda: first_passage(plane, correlated, plane.minima[0], half, **RUN)


def jumps() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Runs of `first_passage` in continuous time, named."""
    options = {"horizon": 5.0, "n_paths": 300, "seed": 11, "monitoring": "continuous"}
    for hurst in (0.3, 0.5, 0.7):
        noise = FractionalNoise(hurst)
        yield (
            f"continuous H={hurst}",
            lambda n=noise: first_passage(fbmsde.quadratic(1.0), n, 0.0, (-math.inf, 1.5), **options),
        )


def whole() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Arrays of noise and paths, named."""
    well = fbmsde.double_well(4.0, 1.0, 0.5)
    for solver in ("euler", "heun"):
        yield (
            f"paths {solver}",
            lambda s=solver: simulate_paths(
                well, FractionalNoise(0.3), -1.0, dt=0.01, n_steps=500, n_paths=150, seed=3, save_every=7, solver=s
            ).values,
        )
    for method in ("davies_harte", "cholesky", "hosking"):
        yield f"fgn {method}", lambda m=method: fbmsde.fgn(0.7, 301, 40, method=m, seed=5)
    exact = fbmsde.fractional_ornstein_uhlenbeck
    yield "fractional OU", lambda: exact(0.3, 200, 9, dt=0.01, x0=0.5, seed=5)


def study() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The escape study in small: its table."""
    yield "escape study", lambda: fbmsde.escape_study((0.3, 0.7), n_paths=300, horizon=10.0, seed=1).table


def digest(result: Any) -> str:
    """A short hash of times and censoring, of an array, or of text."""
    parts = (result.times, result.censored) if hasattr(result, "censored") else (result,)
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()[:16]


def main() -> None:
    """Print a line for every run."""
    for runs in (exits, jumps, whole, study):
        for name, run in runs():
            print(f"{name:<28} {digest(run())}", flush=True)


if __name__ == "__main__":
    main()
