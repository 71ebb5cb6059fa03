"""Rare escapes: CPU seconds up to a relative error of 10 %, and the exact rates at H = 1/2."""

from __future__ import annotations

import math
from functools import partial
from importlib import import_module

import fbmsde
from fbmsde import FractionalNoise, first_passage

from ..measure import Peer, Row, Run, repeated

WANTED = 0.1  # relative standard error


def unit_noise(hurst: float) -> FractionalNoise:
    """Noise that gives the well of curvature 1 unit variance: V = sigma^2 Gamma(2H + 1) / 2."""
    return FractionalNoise(hurst, math.sqrt(2.0 / math.gamma(2.0 * hurst + 1.0)))


def escapes(
    hurst: float, k: float, dt: float, method: str = "auto", *, n_jobs: int = 1, wanted: float = WANTED
) -> Run:  # fmt: skip
    """Escapes from the quadratic well through k standard deviations.

    The numbers are runs that would have the error that is wanted: a run of error e counts (wanted / e)^2.
    """
    def run(pieces: int) -> float:
        done = 0.0
        for seed in range(1, pieces + 1):
            found = fbmsde.rare_escape(fbmsde.quadratic(1.0), unit_noise(hurst), 0.0, (None, k), horizon=4.0, dt=dt,
                                       relative_error=wanted, seed=seed, method=method, n_jobs=n_jobs)  # fmt: skip
            done += (wanted / found.relative_error) ** 2
        return done

    return run


def plain(hurst: float, k: float, dt: float, paths: int = 2000) -> Run:
    """The same by plain paths: n paths of which a share p leaves have the error sqrt((1 - p) / (n p))."""
    def run(pieces: int) -> float:
        done = 0.0
        for seed in range(1, pieces + 1):
            found = first_passage(fbmsde.quadratic(1.0), unit_noise(hurst), 0.0, (-math.inf, k), horizon=4.0, dt=dt,
                                  solver="heun", monitoring="shifted", n_paths=paths, seed=seed, n_jobs=1)  # fmt: skip
            left = float((~found.censored).sum())
            done += WANTED**2 * left / (1.0 - left / paths)
        return done

    return run


def exact_rate(k: float) -> Run:
    """The smallest eigenvalue of the Ornstein-Uhlenbeck process with an absorbing end."""
    rate = import_module("fbmsde.laws.diffusions").ou_exit_rate
    return repeated(lambda: rate(k, sigma=math.sqrt(2.0)))


def kramers_rate(k: float) -> Run:
    """The same by `kramers`."""
    problem = import_module("kramers").FirstPassage1D
    return repeated(
        lambda: problem(lambda x: x * x / 2.0, domain=(-math.inf, k), left="natural", right="absorbing").decay_rate()
    )


def rows() -> list[Row]:
    """Three H, three methods, and the exact rate."""
    unit, found = "CPU seconds to a relative error of 10 %", []
    for hurst, k, dt in ((0.3, 5.0, 1 / 256), (0.5, 5.0, 1 / 64), (0.7, 5.0, 1 / 64)):
        call = f"rare_escape(quadratic(1), FractionalNoise({hurst}, s), 0, (None, {k:g}), ...)"
        found.append(Row(f"conditioned, H = {hurst}", f"{k:g} standard deviations", unit, 1.0, call,
                         partial(escapes, hurst, k, dt), 1))  # fmt: skip
    for method in ("splitting", "subset"):
        call = f"rare_escape(..., method='{method}')"
        found.append(Row(f"{method}, H = 0.7", "4 standard deviations", unit, 1.0, call,
                         partial(escapes, 0.7, 4.0, 1 / 16, method), 1))  # fmt: skip
    rival = Peer("kramers", "FirstPassage1D(...).decay_rate()", partial(kramers_rate, 5.0))
    found.append(Row("exact rate, H = 1/2", "5 standard deviations", "microseconds a rate", 1e6, "ou_exit_rate(5)",
                     partial(exact_rate, 5.0), 50, (rival,)))  # fmt: skip
    return found
