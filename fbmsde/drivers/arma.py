"""Autoregressive moving averages as driving noise, exact at any order: `ArmaNoise`, and the noise of Anti-PGD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.linear import product, symmetric_eigen, triangular_root
from ..core.types import Array, Key
from ._arma import System, arma_lanes, load_arma, pull_back_arma, reseed_arma, run_arma, save_arma
from .base import LANES, Feed, Lanes
from .branching import Branch, Copying, branch_of
from .sample import Sampled
from .stationary import LinearStart

MAX_ORDER = 32
_MOST_STEPS = 2**62  # what the counters of the kernels hold
_DOUBLINGS = 64  # sums over the past double their length so often, which is enough for a root at 1 - 1e-16
_SINGULAR = 1e-13  # eigenvalues of a covariance below so much of the largest one are rounding


@brief
@dataclass(frozen=True)
class ArmaNoise(Sampled):
    """The autoregressive moving average ``x_k = sum_i ar_i x_(k-i) + e_k + sum_j ma_j e_(k-j)`` with Gaussian e.

    The variance of the innovations e is such that an increment x has standard deviation `sigma`. A path starts in its
    stationary state, and its law is exact at every length. This is the noise of a chain: an increment belongs to a step
    and does not depend on `dt`.

    ar, ma : the coefficients, up to 32 of each. The roots of ``z^p - ar_1 z^(p-1) - ...`` must lie inside the unit
        circle, and may be complex. Those of the moving average may lie anywhere, on the circle too.

    Components of a path are independent. A step costs about two multiplications and additions for each coefficient.

    >>> ArmaNoise(ar=(0.5,)).autocovariance([0, 1, 2])
    array([1.  , 0.5 , 0.25])
    """

    ar: Sequence[float] = ()
    ma: Sequence[float] = ()
    sigma: float = 1.0

    def __post_init__(self) -> None:
        for name in ("ar", "ma"):
            found = checks.numbers(name, getattr(self, name))
            if len(found) > MAX_ORDER:
                raise ValueError(f"{name} must have at most {MAX_ORDER} coefficients, got {len(found)}.")
            object.__setattr__(self, name, found)
        largest = np.abs(np.roots([1.0, *(-a for a in self.ar)])).max(initial=0.0)
        if largest >= 1.0:
            raise ValueError(
                f"ar must have all roots of z^p - ar_1 z^(p-1) - ... inside the unit circle, got one of modulus "
                f"{largest:.6g}. Such a noise has no stationary law."
            )
        checks.positive("sigma", self.sigma)

    @property
    def _system(self) -> System:
        return _system(tuple(self.ar), tuple(self.ma))

    def increment_scale(self, dt: float) -> float:
        """Standard deviation of an increment, which is `sigma` for every step `dt`."""
        return float(self.sigma)

    @property
    def innovation(self) -> float:
        """Standard deviation of the innovations e.

        >>> round(ArmaNoise(ma=(-1.0,)).innovation, 6)
        0.707107
        """
        return float(self.sigma * self._system.gain)

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance at integer lags, same shape as `lags`, for every step `dt`.

        >>> ArmaNoise(ma=(-1.0,), sigma=2.0).autocovariance([0, 1, 2]).round(12)
        array([ 4., -2.,  0.])
        """
        k, system = checks.lags("lags", lags), self._system
        later = system.back * system.covariance[0, 0] + np.append(system.covariance[1:, 0], 0.0)
        later = later + (system.ahead + system.back * system.gain) * system.gain  # Cov(y, the states after it)
        poles = np.concatenate([[1.0], -system.back])
        r = scipy.signal.lfilter([1.0], poles, np.zeros(int(k.max(initial=0))), zi=later)[0]
        return self.sigma**2 * np.concatenate([[1.0], r])[k]

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density at angular frequencies, same shape, normalised to ``(1/2pi) int f = sigma^2``.

        >>> ArmaNoise(ma=(-1.0,)).spectrum([0.0, np.pi]).round(12).tolist()
        [0.0, 2.0]
        """
        back = np.exp(-1j * np.asarray(frequencies, dtype=float))
        zeros = np.polynomial.polynomial.polyval(back, [1.0, *self.ma])
        poles = np.polynomial.polynomial.polyval(back, [1.0, *(-a for a in self.ar)])
        return self.innovation**2 * np.abs(zeros / poles) ** 2

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal: yes."""
        return True

    def most_steps(self) -> int:
        """The largest number of steps of a path."""
        return _MOST_STEPS

    def n_normals(self, n_steps: int) -> int:
        """The number of normals from which `n_steps` increments are made: one a state for the start, and one a step.

        >>> ArmaNoise(ar=(0.5,), ma=(0.2, 0.1)).n_normals(10)
        12
        """
        return self._system.back.size + checks.count("n_steps", n_steps)

    def increments(self, normals: Array) -> Array:
        """Increments (n_paths, n) as the linear map of independent normals (n_paths, n_normals).

        >>> ArmaNoise(ar=(0.5,)).increments(np.zeros((2, 6))).shape
        (2, 5)
        """
        rows = checks.rows("normals", normals, self.n_normals(1))
        return self.sigma * run_arma(rows, *self._map)

    def pull_back(self, weights: Array) -> Array:
        """The transpose of :meth:`increments`: weights (n_paths, n) of increments become those of the normals.

        >>> ArmaNoise(ar=(0.5,)).pull_back(np.ones((2, 5))).shape
        (2, 6)
        """
        return self.sigma * pull_back_arma(checks.rows("weights", weights, 1), *self._map)

    @property
    def _map(self) -> tuple[Array, Array, float, Array]:
        """What the kernels of the linear map need of the recursion."""
        system = self._system
        return system.back, system.ahead, system.gain, system.factor

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components, for the loops."""
        return ArmaFeed(self._system, channels, key, self.increment_scale(dt))


def anti_pgd(sigma: float = 1.0) -> ArmaNoise:
    """The noise of anticorrelated perturbed gradient descent, ``x_k = (e_k - e_(k-1)) sigma / sqrt 2``.

    It is the difference of white noise, with correlation -1/2 between neighbours, which drives gradient descent to flat
    minima (Orvieto, Kersting, Proske, Bach & Lucchi 2022, arXiv:2202.02831). An increment has standard deviation
    `sigma`.

    >>> anti_pgd().autocovariance([0, 1, 2]).round(12)
    array([ 1. , -0.5,  0. ])
    """
    return ArmaNoise(ma=(-1.0,), sigma=sigma)


@dataclass(frozen=True)
class ArmaFeed:
    """Lanes that serve any path, over any number of steps: the increments of `system` times `scale`."""

    system: System
    channels: int
    key: Key
    scale: float
    max_paths: None = None

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Empty lanes, which serve any path; normals are drawn for the first `width` of them."""
        return arma_lanes(self.system, self.key, self.channels, width, spread=0, scale=self.scale)

    def coordinates(self, rows: int, width: int, paths: int = 1) -> Lanes | None:
        """Lanes of which each is a component of a path: see `Spreading`."""
        return arma_lanes(self.system, self.key, rows, width, spread=width // paths, scale=self.scale)

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        copying = Copying(save_arma, load_arma, reseed_arma)
        return branch_of(lanes, copying, self.channels * self.system.back.size, 4 * self.channels)

    def linear_start(self, phi: float) -> LinearStart:
        """The start of a stationary linear chain: see `Stationary`.

        The chain is one more state of the noise's own linear system; its law given the others is the regression on
        them.
        """
        moved, pushed = _transition(self.system)
        p, n = checks.stable("phi", phi), moved.shape[0]
        whole = np.zeros((n + 1, n + 1))
        whole[0, 0], whole[0, 1], whole[1:, 1:] = p, 1.0, moved
        joint = _stationary_covariance(whole, np.append(self.system.gain, pushed))
        values, vectors = symmetric_eigen(joint[1:, 1:])
        kept = values > _SINGULAR * values.max()
        along = product(vectors[:, kept].T, joint[1:, :1])[:, 0]
        weights = product(vectors[:, kept], (along / values[kept])[:, None])[:, 0]
        return LinearStart(weights, float(np.sqrt(max(0.0, joint[0, 0] - np.sum(along**2 / values[kept])))))


@lru_cache(maxsize=64)
def _system(ar: tuple[float, ...], ma: tuple[float, ...]) -> System:
    """The recursion of the coefficients, with increments of variance 1."""
    back, ahead = np.zeros((2, max(1, len(ar), len(ma))))
    back[: len(ar)], ahead[: len(ma)] = ar, ma
    unscaled = System(back, ahead, 1.0, np.empty((0, 0)), np.empty((0, 0)))
    covariance = _stationary_covariance(*_transition(unscaled))
    gain = 1.0 / np.sqrt(1.0 + covariance[0, 0])
    covariance *= gain**2
    values, vectors = symmetric_eigen(covariance)
    factor = triangular_root(vectors * np.sqrt(np.maximum(values, 0.0)))
    return System(back, ahead * gain, float(gain), covariance, factor)


def _transition(system: System) -> tuple[Array, Array]:
    """The matrix F (m, m) and the vector g (m,) of the states' own recursion ``s <- F s + g e``."""
    moved = np.eye(system.back.size, k=1)
    moved[:, 0] += system.back
    return moved, system.back * system.gain + system.ahead


def _stationary_covariance(moved: Array, pushed: Array) -> Array:
    """The covariance ``sum_j F^j g g' F'^j`` of ``s <- F s + g e``; each step doubles the number of terms."""
    total = np.outer(pushed, pushed)
    for _ in range(_DOUBLINGS):
        more = product(moved, total, moved.T)
        total, moved = total + more, product(moved, moved)
        if np.abs(more).max() <= 1e-18 * np.abs(total).max():
            break
    return (total + total.T) / 2.0
