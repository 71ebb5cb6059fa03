"""Noise of the streaming model as arrays, as one path without end, and without memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import fbmsde

from ..measure import Peer, Row, Run, batches
from .exact_noise import ARRAYS, peers_of

N_STEPS, N_PATHS, CHUNK = 4096, 512, 4096
UNIT, PER_SECOND = "ns an increment", 1e9


def array(hurst: float) -> Run:
    """Paths in one new array on one thread."""
    return batches(
        lambda paths: fbmsde.fgn(hurst, N_STEPS, paths, method="streaming", seed=0, n_jobs=1), N_STEPS
    )


def stream(hurst: float) -> Run:
    """Chunks of one path."""
    chunks: Iterator[object] = fbmsde.StreamingNoise(hurst, 2**20).stream(seed=0, chunk=CHUNK)

    def run(pieces: int) -> float:
        for _ in range(pieces):
            next(chunks)
        return float(pieces * CHUNK)

    return run


def torch_stream(hurst: float) -> Run:
    """The first 200 steps of `torchfbm`'s stream."""
    torch, cached = import_module("torch"), import_module("torchfbm").CachedFGNGenerator
    torch.set_num_threads(1)

    def run(pieces: int) -> float:
        for _ in range(pieces):
            source = cached(hurst)
            for _ in range(200):
                source.step()
        return pieces * 200.0

    return run


def rows() -> list[Row]:
    """Arrays for three H, then one path."""
    shape = f"{N_STEPS} x {N_PATHS}"
    call = "fgn(h, n, paths, method='streaming', n_jobs=1)"
    found = [
        Row(f"array, H = {h}", shape, UNIT, PER_SECOND, call, partial(array, h), N_PATHS,
            peers_of(ARRAYS[:1], N_STEPS) if h == 0.7 else ())
        for h in (0.3, 0.5, 0.7)
    ]  # fmt: skip
    grows = "a step costs as much as it has predecessors, squared: here the first 200"
    peer = Peer("torchfbm", "CachedFGNGenerator(h).step()", partial(torch_stream, 0.7), grows)
    stream_call = f"next(StreamingNoise(h, n).stream(chunk={CHUNK}))"
    found.append(Row("one path in chunks, H = 0.7", f"{CHUNK} x 1", UNIT, PER_SECOND, stream_call,
                     partial(stream, 0.7), 30, (peer,)))  # fmt: skip
    return found
