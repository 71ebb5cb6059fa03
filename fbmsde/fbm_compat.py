"""``FBM``: the class of the ``fbm`` package, with a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _checks
from .generators import make_generator

_METHODS = {"daviesharte": "davies_harte", "cholesky": "cholesky", "hosking": "hosking"}

Array = NDArray[np.float64]


class FBM:
    """Realisations of fractional Brownian motion on [0, length], one a call: a drop-in for ``fbm.FBM``.

    Parameters are those of ``fbm.FBM``, in its order: `n` increments, `hurst` in (0, 1), `length` of the interval,
    `method` one of daviesharte, cholesky, hosking; they are attributes that can be set anew. `seed` is the addition:
    without one the object draws its own, as the original does. Every call of :meth:`fbm` or :meth:`fgn` takes the next
    path: call number i is path i of the seed, so that two objects made alike give the same sequence.

    >>> walk = FBM(16, 0.7, length=2, seed=1)
    >>> walk.fbm().shape, walk.fgn().shape, walk.times().shape
    ((17,), (16,), (17,))
    """

    n: int
    hurst: float
    length: float
    method: str

    def __init__(
        self, n: int, hurst: float, length: float = 1, method: str = "daviesharte", *, seed: _checks.Seed | None = None
    ) -> None:
        self.n, self.hurst, self.length, self.method = n, hurst, length, method
        self._key = _checks.as_seed(np.random.default_rng() if seed is None else seed)
        self._calls = 0

    def __setattr__(self, name: str, value: Any) -> None:
        check = {
            "n": lambda: _checks.count("n", value),
            "hurst": lambda: _checks.hurst_parameter(value),
            "length": lambda: _checks.positive("length", value),
            "method": lambda: _checks.choice("method", value, _METHODS),
        }.get(name, lambda: value)
        super().__setattr__(name, check())

    def __repr__(self) -> str:
        return f'FBM(n={self.n}, hurst={self.hurst}, length={self.length}, method="{self.method}")'

    def fbm(self) -> Array:
        """The next realisation of fractional Brownian motion at :meth:`times`, (n + 1,), starting at 0."""
        return np.concatenate([[0.0], np.cumsum(self.fgn())])

    def fgn(self) -> Array:
        """The increments of the next realisation, (n,), of standard deviation ``(length / n)^H``."""
        out = np.empty((1, self.n))
        generator = make_generator(_METHODS[self.method], self.hurst, self.n)
        generator.fill(self._key, self._calls, 0, out)
        self._calls += 1
        return out[0] * (self.length / self.n) ** self.hurst

    def times(self) -> Array:
        """The times of :meth:`fbm`, (n + 1,), from 0 to `length`."""
        return np.linspace(0.0, self.length, self.n + 1)
