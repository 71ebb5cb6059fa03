"""`FractionalNoise`: the driving noise of an equation, and the feeds that bring it to the kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..core import checks
from ..core.types import Key
from ._recursion import recursion_kit
from ._stored import stored_kit
from .base import LANES, Feed, correlation_factor
from .exact.generators import make_generator
from .rational.streaming import StreamingNoise
from .sample import METHODS

_STORED_NUMBERS = 2**22  # increments held at once by an exact generator: 32 MiB


@dataclass(frozen=True)
class FractionalNoise:
    """Fractional Gaussian noise ``sigma dB_H`` and how it is generated.

    `method` is "streaming" (a certified rational model, O(1) memory in the number of steps, hurst in [0.02, 0.98]) or
    an exact generator of whole paths: "davies_harte", "cholesky", "hosking". `tolerance`: KL divergence per path of the
    streaming model, None for its default. `correlation`: (d, d) correlation matrix of the components of a d-dimensional
    noise, None for independent ones. `dtype`: float64, or float32 for the states and the increments: half the memory,
    no faster for the streaming model, with an error of B_H below 4e-5 n^H after n = 2^20 steps.

    A path is the same to the bit for every number of threads and every kernel of BLAS and LAPACK. It may differ between
    processors on which NumPy takes other instructions for exp and powers (AVX-512 or not): those enter the covariance
    of the exact generators in the last bit, and can move the fit of a streaming model within its tolerance.

    >>> FractionalNoise(0.7, sigma=0.5).method
    'streaming'
    """

    hurst: float
    sigma: float = 1.0
    method: str = "streaming"
    tolerance: float | None = None
    correlation: Any = None
    dtype: DTypeLike = float

    def __post_init__(self) -> None:
        checks.hurst_parameter(self.hurst)
        checks.positive("sigma", self.sigma)
        checks.choice("method", self.method, METHODS)
        object.__setattr__(self, "dtype", checks.float_type("dtype", self.dtype))
        if self.tolerance is not None:
            checks.positive("tolerance", self.tolerance)
            if self.method != "streaming":
                raise ValueError(f"tolerance must be None for {self.method!r}, got {self.tolerance}. It is exact.")
        if self.correlation is not None:
            matrix = np.asarray(self.correlation, dtype=float)
            correlation_factor(matrix)
            object.__setattr__(self, "correlation", tuple(map(tuple, matrix.tolist())))

    @classmethod
    def from_sgd(cls, learning_rate: float, noise_std: float, hurst: float, **options: Any) -> FractionalNoise:
        """The noise of SGD with step `learning_rate` and gradient noise of standard deviation `noise_std`.

        ``w' = w - eta grad f + eta s xi`` is the Euler scheme with ``dt = eta`` of ``dX = -grad f dt + sigma dB_H`` for
        ``sigma dt^H = eta s``, so ``sigma = eta^(1-H) s`` (in the spirit of Tan, Zhang & Liu, arXiv:2105.02062).

        >>> round(FractionalNoise.from_sgd(0.01, 2.0, hurst=0.5).sigma, 12)
        0.2
        """
        eta, s = checks.positive("learning_rate", learning_rate), checks.positive("noise_std", noise_std)
        return cls(hurst, eta ** (1.0 - checks.hurst_parameter(hurst)) * s, **options)

    def scale(self, dt: float) -> float:
        """Standard deviation ``sigma dt^H`` of one increment over a step of `dt`."""
        return float(self.sigma * dt**self.hurst)

    def feed(self, n_steps: int, dim: int, key: Key) -> Feed:
        """Unit-step increments of `dim` components over `n_steps` for the kernels."""
        mixing = self._mixing(dim)
        if self.method == "streaming":
            return _Recursion(StreamingNoise(self.hurst, max(2, n_steps), self.tolerance), dim, key, mixing, self.dtype)
        checks.fits_memory(f"two paths of {n_steps} steps", 16.0 * n_steps * dim)
        return _Stored(make_generator(self.method, float(self.hurst), n_steps), n_steps, dim, key, mixing, self.dtype)

    @property
    def factor(self) -> tuple[tuple[float, ...], ...] | None:
        """Rows of the lower-triangular factor of the correlation, None for independent components."""
        return None if self.correlation is None else tuple(map(tuple, correlation_factor(self.correlation).tolist()))

    @property
    def largest_deviation(self) -> float:
        """An upper bound, in units of sigma, of the standard deviation of a unit-step increment in any direction."""
        if self.correlation is None:
            return 1.0
        return math.sqrt(max(math.fsum(map(abs, row)) for row in self.correlation))

    def _mixing(self, dim: int) -> NDArray[np.float64]:
        """Lower-triangular factor of the correlation, empty for independent components."""
        if self.correlation is None:
            return np.empty((0, 0))
        factor = correlation_factor(self.correlation)
        if factor.shape[0] != dim:
            raise ValueError(f"correlation must be a {dim} x {dim} matrix, got {factor.shape[0]} x {factor.shape[0]}.")
        return factor


@dataclass(frozen=True)
class _Stored:
    """Whole paths of an exact generator, a block of them in memory at a time."""

    generator: Any
    n_steps: int
    dim: int
    key: Key
    mixing: NDArray[np.float64]
    dtype: Any

    @property
    def max_paths(self) -> int:
        """Paths that one kit may hold."""
        return max(2, min(8 * LANES, _STORED_NUMBERS // (self.n_steps * self.dim)) // 2 * 2)

    def kit(self, first: int, n_paths: int) -> tuple[Any, Any, Any]:
        """Generate the increments of a range of paths."""
        increments = np.empty((self.dim, n_paths, self.n_steps), self.dtype)
        for j in range(self.dim):
            self.generator.fill(self.key, first, j, increments[j])
        if self.mixing.size:
            increments = np.einsum("jk,kpt->jpt", self.mixing.astype(self.dtype), increments)
        return stored_kit(increments, first)


@dataclass(frozen=True)
class _Recursion:
    """The rational model, run path by path as far as each path goes."""

    model: StreamingNoise
    dim: int
    key: Key
    mixing: NDArray[np.float64]
    dtype: Any
    max_paths: None = None

    def kit(self, first: int, n_paths: int) -> tuple[Any, Any, Any]:
        """Empty lanes: the recursion starts anywhere and goes as far as each path does."""
        return recursion_kit(self.model, self.key, self.dim, self.mixing, self.dtype)
