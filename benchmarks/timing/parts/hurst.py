"""Hurst estimation: many series, one series, long ones, and the test against no memory."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import fbmsde

from ..measure import Peer, Row, Run, batches, repeated

HURST, LENGTH = 0.7, 1000
UNIT, PER_SECOND = "microseconds a series", 1e6
SHUFFLES = 99
NO_INTERVAL = (
    "no interval, no test; root-mean-square error at n = 1000 and H = .1, .5, .9: .0135, .0203, .0229, ours .0127, "
    ".0203, .0224"
)


def together(method: str, n: int = LENGTH, most: int = 1024, n_jobs: int = 1) -> Run:
    """Series in one call."""
    series = fbmsde.fgn(HURST, n, most, seed=1)
    return batches(lambda k: fbmsde.estimate_hurst(series[:k], kind="increments", method=method, n_jobs=n_jobs))


def alone(n: int = LENGTH) -> Run:
    """A call for one series."""
    series = fbmsde.fgn(HURST, n, seed=1)[0]
    return repeated(lambda: fbmsde.estimate_hurst(series, kind="increments", n_jobs=1))


def memory(n: int = LENGTH, most: int = 64, n_jobs: int = 1) -> Run:
    """Series tested against no memory by shuffling."""
    series = fbmsde.fgn(HURST, n, most, seed=1)

    def test(k: int) -> object:
        found = fbmsde.estimate_hurst(series[:k], kind="increments", n_surrogates=SHUFFLES, n_jobs=n_jobs)
        return found.p_no_memory

    return batches(test)


def theirs(module: str, function: str, n: int = LENGTH) -> Run:
    """A call of a function of another package for one series."""
    series, call = fbmsde.fgn(HURST, n, seed=1)[0], getattr(import_module(module), function)
    return repeated(lambda: call(series))


def rows() -> list[Row]:
    """Whittle together, alone and long; the other estimators; the test."""
    whittle = Peer("whittlehurst", "whittle(x)", partial(theirs, "whittlehurst", "whittle"), NO_INTERVAL)
    many, call = f"{LENGTH} x 1024", "estimate_hurst(x, kind='increments', n_jobs=1)"
    found = [
        Row("Whittle, many series", many, UNIT, PER_SECOND, call, partial(together, "whittle"), 1024, (whittle,)),
        Row("Whittle, one series a call", f"{LENGTH} x 1", UNIT, PER_SECOND, call, alone, 30, (whittle,)),
        Row("Whittle, long series", f"{2**17} x 1", UNIT, PER_SECOND, call, partial(alone, 2**17), 5,
            (whittle._replace(make=partial(theirs, "whittlehurst", "whittle", 2**17)),)),
    ]  # fmt: skip
    dfa = (
        Peer("antropy", "detrended_fluctuation(x)", partial(theirs, "antropy", "detrended_fluctuation")),
        Peer("nolds", "dfa(x)", partial(theirs, "nolds", "dfa")),
    )
    for method, peers in (("dfa", dfa), ("quadratic_variations", ()), ("exact", ())):
        n = 256 if method == "exact" else LENGTH
        pieces = 16 if method == "exact" else 512
        found.append(Row(f"{method}, many series", f"{n} x {pieces}", UNIT, PER_SECOND,
                         f"estimate_hurst(x, method='{method}', ...)", partial(together, method, n), pieces, peers))
    found.append(Row("Whittle with the test against no memory", f"{LENGTH} x 64", UNIT, PER_SECOND,
                     f"estimate_hurst(x, n_surrogates={SHUFFLES}, ...).p_no_memory", memory, 64))
    return found
