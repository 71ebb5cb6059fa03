"""One short path a call, in a loop, as programs written for the package `fbm` draw them."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import fbmsde

from ..measure import Peer, Row, Run, repeated
from .exact_noise import HURST, PATH_BY_PATH, peers_of

LENGTHS = (100, 1000, 10_000)
UNIT, PER_SECOND = "microseconds a path", 1e6


def noise(n_steps: int) -> Run:
    """Calls of `fgn` for one path."""
    return repeated(lambda: fbmsde.fgn(HURST, n_steps, seed=0))


def noise_of_one(n_steps: int) -> Run:
    """Calls of the method of an object that is made once."""
    return repeated(fbmsde.FBM(n_steps, HURST).fgn)


def rs_anew(n_steps: int) -> Run:
    """An object of `stochastic-rs` that is made anew for each path, and its method."""
    make = import_module("stochastic_rs").PyFgn
    return repeated(lambda: make(HURST, n_steps).sample())


def motion(n_steps: int) -> Run:
    """The same for motion."""
    return repeated(fbmsde.FBM(n_steps, HURST).fbm)


def theirs(n_steps: int) -> Run:
    """The same of the package `fbm`."""
    return repeated(import_module("fbm").FBM(n_steps, HURST).fbm)


def new_motion(n_steps: int, module: str = "fbmsde") -> Run:
    """An object that is made anew for each path, and its method."""
    source = import_module(module)
    return repeated(lambda: source.FBM(n_steps, HURST).fbm())


def per_path(peer: Peer, n_steps: int) -> Peer:
    """A peer whose numbers are paths instead of increments."""

    def make() -> Run:
        run = peer.make()
        return lambda pieces: run(pieces) / n_steps

    return peer._replace(make=make)


def rows() -> list[Row]:
    """Noise and motion, of one object and of new ones, at each length."""
    found = []
    for n in LENGTHS:
        peers = tuple(per_path(peer, n) for peer in peers_of(PATH_BY_PATH, n) if peer.package != "fbm")
        pieces, fbm = 300 if n < 5000 else 100, Peer("fbm", "FBM(n, h).fbm()", partial(theirs, n))
        new = Peer("stochastic-rs", "PyFgn(h, n).sample(), a new object each", partial(rs_anew, n))
        found.append(Row("noise", f"n = {n}", UNIT, PER_SECOND, "fgn(h, n)", partial(noise, n), pieces, (new,)))
        found.append(Row("noise of one object", f"n = {n}", UNIT, PER_SECOND, "FBM(n, h).fgn()",
                         partial(noise_of_one, n), 10 * pieces, peers))  # fmt: skip
        found.append(Row("motion", f"n = {n}", UNIT, PER_SECOND, "FBM(n, h).fbm()", partial(motion, n), 10 * pieces,
                         (fbm,)))  # fmt: skip
        anew = Peer("fbm", "FBM(n, h).fbm(), a new object each", partial(new_motion, n, "fbm"))
        found.append(Row("motion of a new object", f"n = {n}", UNIT, PER_SECOND, "FBM(n, h).fbm()",
                         partial(new_motion, n), pieces, (anew,)))  # fmt: skip
    return found
