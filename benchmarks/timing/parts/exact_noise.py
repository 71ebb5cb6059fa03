"""Exact fractional Gaussian noise of many paths: in one new array, and in blocks of memory that is used again."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import numpy as np

import fbmsde

from ..measure import Peer, Row, Run, batches, repeated

HURST = 0.7
SHAPES = ((1024, 4096), (16384, 256), (10007, 256), (2**20, 4))
MOST_FBM = 2**15  # steps, beyond which `fbm` takes too long
UNIT, PER_SECOND = "ns an increment", 1e9


def array(n_steps: int, hurst: float = HURST, **options: object) -> Run:
    """Paths by `fgn`, all into one new array on one thread."""
    numbers = n_steps * int(options.get("dim", 1))
    return batches(lambda paths: fbmsde.fgn(hurst, n_steps, paths, seed=0, n_jobs=1, **options), numbers)


def blocks(n_steps: int, method: str = "davies_harte") -> Run:
    """Paths block after block into the same memory, as the simulations draw them."""
    try:
        generators = import_module("fbmsde.drivers.exact.generators")
    except ModuleNotFoundError:  # version 0.1.0
        generators = import_module("fbmsde.generators")
    generator = generators.make_generator(method, HURST, n_steps)
    key = np.random.SeedSequence(0).generate_state(4, np.uint64)
    block = np.empty((generator.block_paths, n_steps))

    def draw(paths: int) -> None:
        for first in range(0, paths, generator.block_paths):
            generator.fill(key, first, 0, block[: paths - first])

    return batches(draw, n_steps)


def rs_path(n_steps: int) -> Run:
    """`stochastic-rs`, one call a path."""
    return repeated(import_module("stochastic_rs").PyFgn(HURST, n_steps, seed=0).sample, n_steps)


def rs_array(n_steps: int) -> Run:
    """`stochastic-rs`, one call for an array; the CPU times of its threads add up."""
    return batches(import_module("stochastic_rs").PyFgn(HURST, n_steps, seed=0).sample_par, n_steps)


def fbm_path(n_steps: int, method: str = "daviesharte") -> Run:
    """`fbm`, one call a path."""
    return repeated(import_module("fbm").FBM(n_steps, HURST, method=method).fgn, n_steps)


def stochastic_path(n_steps: int) -> Run:
    """`stochastic`, one call a path."""
    source = import_module("stochastic.processes.noise").FractionalGaussianNoise(HURST)
    return repeated(partial(source.sample, n_steps), n_steps)


def mfbm_path(n_steps: int) -> Run:
    """`mfbm`, one call a path of motion."""
    return repeated(import_module("mfbm").FBM(HURST, n_steps, 1.0).sample, n_steps)


def diffusionx_path(n_steps: int) -> Run:
    """`diffusionx`, one call a path of motion."""
    source = import_module("diffusionx.simulation").FBm(0.0, HURST)
    return repeated(lambda: source.simulate(1.0, 1.0 / n_steps), n_steps)


def torch_array(n_steps: int) -> Run:
    """`torchfbm` in double precision, one call for an array, on one thread."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    generate = import_module("torchfbm").generate_davies_harte
    return batches(lambda paths: generate(n_steps, HURST, size=(paths,), dtype=torch.float64), n_steps)


PATH_BY_PATH = (
    Peer("stochastic-rs", "PyFgn(h, n).sample(), a call a path", rs_path),
    Peer("stochastic", "FractionalGaussianNoise(h).sample(n), a call a path", stochastic_path),
    Peer("mfbm", "FBM(h, n, 1).sample(), a call a path", mfbm_path),
    Peer("diffusionx", "FBm(0, h).simulate(1, 1 / n), a call a path", diffusionx_path, "H = 1/2 alone works"),
    Peer("fbm", "FBM(n, h).fgn(), a call a path", fbm_path),
)
ARRAYS = (
    Peer("stochastic-rs", "PyFgn(h, n).sample_par(paths)", rs_array),
    Peer("torchfbm", "generate_davies_harte(n, h, size=(paths,), dtype=float64)", torch_array),
)


def peers_of(peers: tuple[Peer, ...], n_steps: int) -> tuple[Peer, ...]:
    """The peers for so many steps."""
    fit = (peer for peer in peers if n_steps <= MOST_FBM or peer.package != "fbm")
    return tuple(peer._replace(make=partial(peer.make, n_steps)) for peer in fit)


def rows() -> list[Row]:
    """Both call styles at each shape, then other kinds of it at the first one."""
    found = []
    for n, paths in SHAPES:
        shape, peers = f"{n} x {paths}", (peers_of(PATH_BY_PATH, n), peers_of(ARRAYS, n))
        found.append(Row("blocks of memory used again", shape, UNIT, PER_SECOND, "make_generator(...).fill(...)",
                         partial(blocks, n), paths, peers[0]))  # fmt: skip
        found.append(Row("one new array", shape, UNIT, PER_SECOND, "fgn(h, n, paths, n_jobs=1)", partial(array, n),
                         paths, peers[1]))  # fmt: skip
    n, shape = 1024, "1024 x 2048"
    kinds = {"float32": {"dtype": np.float32}, "three components": {"dim": 3}, "white noise": {"hurst": 0.5}}
    for name, options in kinds.items():
        call = f"fgn(h, n, paths, {', '.join(options)}=...)" if name != "white noise" else "fgn(0.5, n, paths)"
        found.append(Row(name, shape, UNIT, PER_SECOND, call, partial(array, n, **options), 2048))
    for method, peer, paths in (("cholesky", "cholesky", 256), ("hosking", "hosking", 256)):
        rival = Peer("fbm", f"FBM(n, h, method='{peer}').fgn()", partial(fbm_path, 300, peer))
        found.append(Row(method, f"300 x {paths}", UNIT, PER_SECOND, f"make_generator('{method}', ...).fill(...)",
                         partial(blocks, 300, method), paths, (rival,)))  # fmt: skip
    return found
