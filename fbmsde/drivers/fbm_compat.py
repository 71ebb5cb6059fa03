"""A stand-in for the package ``fbm``: the same classes, functions, signatures and texts, with a seed.

``from fbmsde import fbm_compat as fbm`` replaces ``import fbm``. Three things differ. NumPy's global generator plays no
part, so ``seed=`` fixes a result and ``np.random.seed`` does not. Davies-Harte never falls back to Hosking's method,
because its embedding is non-negative definite at every length. Errors say what was wrong.
"""

from __future__ import annotations

import math
import os
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import cloudpickle
import numpy as np

from ..core import checks
from ..core.types import Array, Key
from ._running_sums import running_sums
from .exact.generators import Generator, Triangular, make_generator

__all__ = ["FBM", "MBM", "fbm", "fgn", "mbm", "mgn", "times"]

_AHEAD = 2**18  # how many numbers are generated at once, for paths that later calls will ask for


FbmMethod = Literal["daviesharte", "cholesky", "hosking"]
MbmMethod = Literal["riemannliouville"]


class _Process:
    """A process on [0, length] in n steps whose call number i returns path i of the seed."""

    _METHODS: ClassVar[dict[str, str]]

    n: int
    length: float
    method: str
    hurst: Any
    _key: Key
    _calls: int
    _changed: bool
    _source: Generator
    _rows: Array
    _first: int

    def __init__(self, n: int, hurst: Any, length: float, method: str, seed: checks.Seed | None) -> None:
        for name, value in (("n", n), ("length", length), ("hurst", hurst), ("method", method)):
            self._check(name, value)
            self.__dict__[name] = value
        key = _chance_key() if seed is None else checks.as_seed(seed)
        self.__dict__.update(_key=key, _calls=0, _changed=True)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            self._check(name, value)
            self.__dict__["_changed"] = True
        self.__dict__[name] = value

    def _check(self, name: str, value: Any) -> None:
        """Raise unless the value may be that of the attribute."""
        if name == "n":
            checks.count("n", value)
        elif name == "hurst":
            self._check_hurst(value)
        elif name == "length":
            checks.positive("length", value)
        elif name == "method":
            checks.choice("method", value, self._METHODS)

    def __getstate__(self) -> dict[str, Any]:
        kept = {k: v for k, v in self.__dict__.items() if k not in ("_source", "_rows")}
        return kept | {"_changed": True, "hurst": cloudpickle.dumps(self.hurst)}  # hurst may be a lambda

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"hurst": cloudpickle.loads(state["hurst"])})

    @abstractmethod
    def _check_hurst(self, value: Any) -> Any:
        """Raise unless the value may be the Hurst parameter or function."""

    @abstractmethod
    def _generator(self) -> Generator:
        """The generator that fills rows with paths for the present attributes."""

    def times(self) -> Array:
        """The times of a path, (n + 1,), from 0 to `length`."""
        return times(self.n, self.length)

    def _next(self) -> Array:
        """The next row of the generator, (n,).

        The first call makes one path; later calls take theirs from a block of paths that was made at once.
        """
        if self._changed:
            self._draw(self._generator(), 1)
        elif self._calls - self._first >= self._rows.shape[0]:
            block = self._source.block_paths - self._calls % self._source.block_paths
            self._draw(self._source, max(1, min(block, _AHEAD // self.n)))
        row = self._calls - self._first
        self.__dict__["_calls"] += 1  # past the checks of attributes, which would take a tenth of a short path's time
        return self._rows[row]

    def _draw(self, source: Generator, ahead: int) -> None:
        """Draw so many paths from the number of the next call on."""
        rows = np.empty((ahead, self.n))
        source.fill(self._key, self._calls, 0, rows)
        self.__dict__.update(_source=source, _rows=rows, _first=self._calls, _changed=False)


def _chance_key() -> Key:
    """A key (4,) of paths that nobody has seen, from the source of chance of the system."""
    return np.frombuffer(os.urandom(32), np.uint64).copy()


class FBM(_Process):
    """Realisations of fractional Brownian motion on [0, length], one a call: a drop-in for ``fbm.FBM``.

    The parameters are those of ``fbm.FBM``, in its order: the number `n` of increments, `hurst` in (0, 1), the `length`
    of the interval, and `method`, one of daviesharte, cholesky and hosking. They are attributes that can be set anew.
    `seed` is new: without one the object draws its own, and NumPy's global generator is neither read nor advanced.
    Every call of :meth:`fbm` or :meth:`fgn` takes the next path. Call number i gives path i of the seed, so that two
    objects with the same arguments give the same sequence.

    >>> walk = FBM(16, 0.7, length=2, seed=1)
    >>> walk.fbm().shape, walk.fgn().shape, walk.times().shape
    ((17,), (16,), (17,))
    """

    _METHODS: ClassVar = {"daviesharte": "davies_harte", "cholesky": "cholesky", "hosking": "hosking"}

    def __init__(
        self,
        n: int,
        hurst: float,
        length: float = 1,
        method: FbmMethod = "daviesharte",
        *,
        seed: checks.Seed | None = None,
    ) -> None:
        super().__init__(n, hurst, length, method, seed)

    def __str__(self) -> str:
        return f"fBm ({self.method}) on [0, {self.length}] with Hurst value {self.hurst} and {self.n} increments"

    def __repr__(self) -> str:
        return f'FBM(n={self.n}, hurst={self.hurst}, length={self.length}, method="{self.method}")'

    def fbm(self) -> Array:
        """The next realisation of fractional Brownian motion at :meth:`times`, (n + 1,), starting at 0."""
        path = np.empty((1, self.n + 1))
        running_sums(self._next()[None], self._unit, 1.0, path)
        return path[0]

    def fgn(self) -> Array:
        """The increments of the next realisation, (n,), of standard deviation ``(length / n)^H``."""
        return self._next() * self._unit

    @property
    def _unit(self) -> float:
        """The standard deviation of an increment."""
        return float((self.length / self.n) ** self.hurst)

    def _check_hurst(self, value: Any) -> float:
        return checks.hurst_parameter(value)

    def _generator(self) -> Generator:
        return make_generator(self._METHODS[self.method], self.hurst, self.n)


class MBM(_Process):
    """Realisations of multifractional Brownian motion on [0, length], one a call: a drop-in for ``fbm.MBM``.

    `hurst` is a function of time with values in (0, 1). The process is that of ``fbm.MBM``: the Riemann-Liouville
    integral up to t with the Hurst value at t, in which each step of white noise keeps its exact share of the variance,

        X(t_k) = sum_{i=1}^k z_i w_{k-i+1}(h(t_k)),   w_m(h)^2 = (t_m^2h - t_{m-1}^2h) / (2h Gamma(h + 1/2)^2),

    with independent standard normals z, so that ``Var X(t) = t^2h / (2h Gamma(h + 1/2)^2)`` is exact at every t_k. It
    starts at 0 and, unlike fBm, has no stationary increments; with h = 1/2 it is Brownian motion. The triangular factor
    w takes 8 n^2 bytes.

    `seed` and the numbering of the calls are those of :class:`FBM`.

    >>> walk = MBM(16, lambda t: 0.25 + 0.5 * t, seed=1)
    >>> walk.mbm().shape, walk.mgn().shape
    ((17,), (16,))
    """

    _METHODS: ClassVar = {"riemannliouville": "riemannliouville"}

    def __init__(
        self,
        n: int,
        hurst: Callable[[float], float],
        length: float = 1,
        method: MbmMethod = "riemannliouville",
        *,
        seed: checks.Seed | None = None,
    ) -> None:
        super().__init__(n, hurst, length, method, seed)

    def __str__(self) -> str:
        return (
            f"mBm ({self.method}) on [0, {self.length}] with Hurst function {self._hurst_name} and {self.n} increments"
        )

    def __repr__(self) -> str:
        return f'MBM(n={self.n}, hurst={self._hurst_name}, length={self.length}, method="{self.method}")'

    @property
    def _hurst_name(self) -> str:
        return str(getattr(self.hurst, "__name__", repr(self.hurst)))

    def mbm(self) -> Array:
        """The next realisation of multifractional Brownian motion at :meth:`times`, (n + 1,), starting at 0."""
        path = np.zeros(self.n + 1)
        path[1:] = self._next()
        return path

    def mgn(self) -> Array:
        """The increments of the next realisation, (n,)."""
        return np.diff(self.mbm())

    def _check_hurst(self, hurst: Any) -> Array:
        """The values of the function at :meth:`times`, (n + 1,); ValueError unless each lies in (0, 1)."""
        if not callable(hurst):
            raise ValueError(f"hurst must be a function of one argument, the time, got {hurst!r}.")
        try:
            values = [hurst(t) for t in self.times().tolist()]
        except TypeError as error:
            raise ValueError(f"hurst must be a function of one argument, the time, got {error}.") from error
        return np.array([checks.hurst_parameter(value) for value in values])

    def _generator(self) -> Generator:
        checks.fits_memory("the factor of multifractional noise", 8.0 * self.n**2)
        return Triangular(_riemann_liouville(self._check_hurst(self.hurst)[1:], self.length / self.n))


def _riemann_liouville(hurst: Array, dt: float) -> Array:
    """The lower-triangular factor (n, n) of :class:`MBM` for the Hurst values (n,) at its times but the first."""
    n = hurst.size
    log_times = np.log(np.arange(1.0, n + 1.0))
    log_shares = np.empty(n)  # log of t_{m-1} / t_m
    log_shares[0] = -math.inf
    log_shares[1:] = np.log1p(-1.0 / np.arange(2.0, n + 1.0))
    factor = np.zeros((n, n))
    for k, h in enumerate(hurst.tolist()):
        shares = -np.expm1(2.0 * h * log_shares[: k + 1]) / (2.0 * h)
        weights = np.exp(h * log_times[: k + 1]) * np.sqrt(shares) * (dt**h / math.gamma(h + 0.5))
        factor[k, : k + 1] = weights[::-1]
    return factor


def fbm(
    n: int, hurst: float, length: float = 1, method: FbmMethod = "daviesharte", *, seed: checks.Seed | None = None
) -> Array:
    """One path of :class:`FBM`, (n + 1,).

    >>> fbm(4, 0.7, seed=1).shape
    (5,)
    """
    return FBM(n, hurst, length, method, seed=seed).fbm()


def fgn(
    n: int, hurst: float, length: float = 1, method: FbmMethod = "daviesharte", *, seed: checks.Seed | None = None
) -> Array:
    """The increments of one path of :class:`FBM`, (n,).

    >>> fgn(4, 0.7, seed=1).shape
    (4,)
    """
    return FBM(n, hurst, length, method, seed=seed).fgn()


def mbm(
    n: int,
    hurst: Callable[[float], float],
    length: float = 1,
    method: MbmMethod = "riemannliouville",
    *,
    seed: checks.Seed | None = None,
) -> Array:
    """One path of :class:`MBM`, (n + 1,).

    >>> mbm(4, lambda t: 0.3 + 0.4 * t, seed=1).shape
    (5,)
    """
    return MBM(n, hurst, length, method, seed=seed).mbm()


def mgn(
    n: int,
    hurst: Callable[[float], float],
    length: float = 1,
    method: MbmMethod = "riemannliouville",
    *,
    seed: checks.Seed | None = None,
) -> Array:
    """The increments of one path of :class:`MBM`, (n,).

    >>> mgn(4, lambda t: 0.3 + 0.4 * t, seed=1).shape
    (4,)
    """
    return MBM(n, hurst, length, method, seed=seed).mgn()


def times(n: int, length: float = 1) -> Array:
    """The times of a path of `n` increments on [0, length], (n + 1,).

    >>> times(2, 3.0)
    array([0. , 1.5, 3. ])
    """
    return np.linspace(0.0, checks.positive("length", length), checks.count("n", n) + 1)
