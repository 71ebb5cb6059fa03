"""`FractionalNoise`: the driving noise of an equation, and the feeds that bring it to the kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..core import checks
from ..core.types import Array, Key
from ..laws.fgn import fgn_autocovariance
from ._stored import stored_lanes
from .base import LANES, Feed, Lanes, correlation_factor
from .exact.generators import Generator, make_generator
from .jumping import JumpSource
from .rational.jump_tables import jumps
from .rational.streaming import StreamingNoise, default_tolerance, step_limit
from .rational_stream import ModelFeed
from .sample import METHODS, sample

MAX_KL = 1e-5  # the largest divergence per path of the model in continuous time, unless the caller chooses
_STORED_NUMBERS = 2**22  # an exact generator holds so many increments at once: 32 MiB


Matrix = tuple[tuple[float, ...], ...]


class Options(TypedDict, total=False):
    """What can be said of a `FractionalNoise` besides its Hurst parameter and its strength."""

    method: str
    tolerance: float | None
    correlation: ArrayLike | None
    dtype: DTypeLike


@dataclass(frozen=True)
class FractionalNoise:
    """Fractional Gaussian noise ``sigma dB_H``, with the way in which it is generated.

    hurst, sigma : the Hurst parameter in (0, 1), and the strength: increments over dt have standard deviation
        ``sigma dt^H``.
    method : "streaming" for a certified rational model, which needs O(1) memory in the number of steps and hurst in
        [0.02, 0.98], or an exact generator of whole paths: "davies_harte", "cholesky" or "hosking".
    tolerance : the largest KL divergence per path of the streaming model, None for its default.
    correlation : the (d, d) correlation matrix of the components of a d-dimensional noise, None for independent ones.
    dtype : float64, or float32 for the states and the increments. Single precision takes half the memory, is no faster
        for the streaming model, and has an error of B_H below 4e-5 n^H after n = 2^20 steps.

    A path is the same to the bit for every number of threads and every kernel of BLAS and LAPACK. It may differ between
    processors on which NumPy takes other instructions for exp and powers (with or without AVX-512). These enter the
    covariance of the exact generators in the last bit, and can move the fit of a streaming model within its tolerance.

    >>> FractionalNoise(0.7, sigma=0.5).method
    'streaming'
    """

    hurst: float
    sigma: float = 1.0
    method: str = "streaming"
    tolerance: float | None = None
    correlation: ArrayLike | None = None
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
    def from_sgd(
        cls, learning_rate: float, noise_std: float, hurst: float, **options: Unpack[Options]
    ) -> FractionalNoise:
        """The noise of SGD with step `learning_rate` and gradient noise of standard deviation `noise_std`.

        SGD, ``w' = w - eta grad f + eta s xi``, is the Euler scheme of ``dX = -grad f dt + sigma dB_H`` with the step
        ``dt = eta`` if ``sigma dt^H = eta s``. So ``sigma = eta^(1-H) s`` (in the spirit of Tan, Zhang & Liu,
        arXiv:2105.02062).

        >>> round(FractionalNoise.from_sgd(0.01, 2.0, hurst=0.5).sigma, 12)
        0.2
        """
        eta, s = checks.positive("learning_rate", learning_rate), checks.positive("noise_std", noise_std)
        return cls(hurst, eta ** (1.0 - checks.hurst_parameter(hurst)) * s, **options)

    def increment_scale(self, dt: float) -> float:
        """Standard deviation ``sigma dt^H`` of one increment over a step of `dt`."""
        return float(self.sigma * dt**self.hurst)

    scale = increment_scale

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance of a component's increments over steps of `dt` at integer lags, same shape as `lags`.

        It is ``sigma^2 dt^2H`` times :func:`fbmsde.laws.fgn.fgn_autocovariance`.

        >>> FractionalNoise(0.5, 2.0).autocovariance([0, 1], dt=0.25).tolist()
        [1.0, 0.0]
        """
        step = checks.positive("dt", dt)
        return self.increment_scale(step) ** 2 * fgn_autocovariance(self.hurst, checks.lags("lags", lags))

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components over `n_steps` steps of `dt`, for the loops."""
        mixing, scale = self._mixing(channels), self.increment_scale(dt)
        real = checks.float_type("dtype", self.dtype)
        if self.method == "streaming":
            model = StreamingNoise(self.hurst, max(2, n_steps), self.tolerance)
            return ModelFeed(model.model, key, channels, real, mixing, scale)
        checks.fits_memory(f"two paths of {n_steps} steps", 16.0 * n_steps * channels)
        generator = make_generator(self.method, float(self.hurst), n_steps)
        return _Stored(generator, n_steps, channels, key, mixing, scale, real)

    def sample(self, n_steps: int, n_paths: int = 1, *, dt: float = 1.0, seed: checks.Seed) -> Array:
        """Increments over steps of `dt`, (n_paths, n_steps), as the simulations use them; see `drivers.sample.sample`.

        >>> FractionalNoise(0.7, sigma=0.5).sample(1000, 3, dt=0.01, seed=1).shape
        (3, 1000)
        """
        return sample(self, n_steps, n_paths, dt=dt, seed=seed)

    def most_steps(self) -> int:
        """The largest number of steps of a streamed path; ValueError for exact generators, which make whole paths."""
        if self.method != "streaming":
            raise ValueError(
                f"method must be 'streaming' for `until`, got {self.method!r}: whole paths have a fixed end."
            )
        return step_limit(self.hurst, self.tolerance)

    def jump_source(self, n_steps: int, longest: int, channels: int, tolerance: float | None) -> JumpSource:
        """The jumps of up to `longest` of `n_steps` steps, of the streaming model in double precision.

        `tolerance` is the largest divergence per path of the model. None stands for that of the noise; if the noise has
        none, it is the default, but at most 1e-5. Raises ValueError for exact generators, for single precision and for
        a tolerance that is given twice.
        """
        if self.method != "streaming":
            raise ValueError(f"method must be 'streaming' in continuous time, got {self.method!r}.")
        if None not in (tolerance, self.tolerance):
            raise ValueError(
                f"tolerance must be given once, got {self.tolerance} of the noise and {tolerance} of `accuracy`."
            )
        if self.dtype != np.dtype(float):
            raise ValueError(f"dtype must be float64 in continuous time, got {self.dtype}. It computes in no other.")
        chosen = tolerance if tolerance is not None else self.tolerance
        if chosen is None:
            chosen = min(default_tolerance(n_steps), MAX_KL)
        model = StreamingNoise(self.hurst, max(2, n_steps), chosen)
        tables = jumps(model.model, max(1, min(n_steps, longest).bit_length()))
        return JumpSource(model, tables, self._mixing(channels))

    @property
    def rows(self) -> Matrix | None:
        """Rows of the correlation matrix, None for independent components."""
        return None if self.correlation is None else tuple(map(tuple, np.asarray(self.correlation).tolist()))

    @property
    def factor(self) -> Matrix | None:
        """Rows of the lower-triangular factor of the correlation, None for independent components."""
        return None if self.correlation is None else tuple(map(tuple, correlation_factor(self.correlation).tolist()))

    @property
    def largest_deviation(self) -> float:
        """An upper bound, in units of sigma, of the standard deviation of a unit-step increment in any direction."""
        if self.correlation is None:
            return 1.0
        return math.sqrt(max(math.fsum(map(abs, row)) for row in self.rows or ()))

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

    generator: Generator
    n_steps: int
    dim: int
    key: Key
    mixing: Array
    scale: float
    dtype: np.dtype

    @property
    def max_paths(self) -> int:
        """Paths that one set of lanes may serve."""
        return max(2, min(8 * LANES, _STORED_NUMBERS // (self.n_steps * self.dim)) // 2 * 2)

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Lanes that read the increments of a range of paths, which are generated here."""
        increments = np.empty((self.dim, n_paths, self.n_steps), self.dtype)
        for j in range(self.dim):
            self.generator.fill(self.key, first, j, increments[j])
        if self.mixing.size:
            increments = np.einsum("jk,kpt->jpt", self.mixing.astype(self.dtype), increments)
        return stored_lanes(increments, first, self.scale)
