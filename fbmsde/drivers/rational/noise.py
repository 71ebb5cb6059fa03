"""The noise of a fitted rational model: its parts, its increments, and the linear map of normals that makes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...core import checks, seeds
from ...core.types import Array, Floats
from ..exact.generators import Progress
from ..feed_rows import fill_from_feed, stream_from_feed
from ..rational_stream import ModelFeed
from .certified import Certificate, Fitted
from .model import RationalModel
from .normals import pull_back, run_recursion

_MOST_PATHS = 2**40  # so many paths have random numbers of their own


class _Options(TypedDict, total=False):
    """Options of `RationalNoise.sample` that do not change the type of what it returns."""

    seed: checks.Seed | None
    rng: seeds.Rng | None
    n_jobs: int | None
    progress: Progress


class RationalNoise:
    """A rational model of a noise of variance 1 over a horizon of `n_steps`, with its certificate.

    A path y is made from K normals z for the start, one normal for the level, and one normal e for each step:

        x = start @ z,  level = level_sd * normal;  each step:  y = level + d * e + sum_k c_k x_k,  x_k <- rho_k x_k + e

    `rho` and `c` are (K,) and `start` is (K, K) and lower triangular, with the slowest pole first.
    """

    n_steps: int
    _fitted: Fitted

    @property
    def model(self) -> RationalModel:
        """The rational model itself."""
        return self._fitted.model

    @property
    def certificate(self) -> Certificate:
        """The distance of the model from the exact law."""
        return self._fitted.certificate

    @property
    def poles(self) -> Array:
        """Poles rho (K,) in (-1, 1), largest first."""
        return self._fitted.model.poles

    rho = poles

    @property
    def decay(self) -> Array:
        """``1 - rho`` (K,) with full relative accuracy."""
        return self._fitted.model.decay

    @property
    def zeros(self) -> Array:
        """Zeros (K,) in (-1, 1)."""
        return self._fitted.model.zeros

    @property
    def gain(self) -> float:
        """Weight of the newest normal, which is the standard deviation of the one-step prediction error."""
        return self._fitted.model.gain

    d = gain

    @property
    def c(self) -> Array:
        """Weights (K,) of the states."""
        return self._fitted.model.weights

    @property
    def level_sd(self) -> float:
        """Standard deviation of the level that is constant along a path; 0 for H <= 1/2."""
        return float(np.sqrt(self._fitted.model.level_variance))

    @property
    def start(self) -> Array:
        """Lower-triangular factor (K, K) of the stationary covariance of the states."""
        return self._fitted.model.start

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Autocovariance of the model at integer lags with the level, same shape as `lags`."""
        return self._fitted.model.autocovariance(lags)

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density of the model at angular frequencies, same shape; the level, a mass at 0, is left out."""
        return self._fitted.model.spectrum(frequencies)

    def n_normals(self, n_steps: int) -> int:
        """The number of normals from which `n_steps` increments are made: K for the start, one for the level, and n.

        >>> from fbmsde import StreamingNoise
        >>> StreamingNoise(0.7, 1024).n_normals(100)
        110
        """
        return self.start.shape[0] + 1 + checks.count("n_steps", n_steps)

    def increments(self, normals: Array) -> Array:
        """Unit-step increments (n_paths, n) as the linear map of independent normals (n_paths, n_normals).

        >>> from fbmsde import StreamingNoise
        >>> model = StreamingNoise(0.7, 1024)
        >>> model.increments(np.zeros((2, model.n_normals(5)))).shape
        (2, 5)
        """
        return run_recursion(checks.rows("normals", normals, self.n_normals(1)), *self._recursion)

    def pull_back(self, weights: Array) -> Array:
        """The transpose of :meth:`increments`: weights (n_paths, n) of increments become those of the normals.

        The result (n_paths, n_normals) is the gradient of the sum of weights times increments, and costs as much as
        they do.

        >>> from fbmsde import StreamingNoise
        >>> model, weights = StreamingNoise(0.7, 1024), np.ones((1, 5))
        >>> normals = np.arange(15.0).reshape(1, -1)
        >>> bool(np.isclose((model.increments(normals) * weights).sum(), (normals * model.pull_back(weights)).sum()))
        True
        """
        return pull_back(checks.rows("weights", weights, 1), *self._recursion)

    @property
    def _recursion(self) -> tuple[Array, Array, float, float, Array]:
        """Poles, weights, gain, standard deviation of the level, and factor of the start."""
        return np.ascontiguousarray(self.rho), np.ascontiguousarray(self.c), float(self.d), self.level_sd, self.start

    @overload
    def sample(
        self, n_paths: int = 1, *, dtype: type[np.float32], **options: Unpack[_Options]
    ) -> NDArray[np.float32]: ...
    @overload
    def sample(self, n_paths: int = 1, *, dtype: type[float] = ..., **options: Unpack[_Options]) -> Array: ...
    @overload
    def sample(self, n_paths: int = 1, *, dtype: DTypeLike = ..., **options: Unpack[_Options]) -> Floats: ...
    def sample(
        self,
        n_paths: int = 1,
        *,
        seed: checks.Seed | None = None,
        rng: seeds.Rng | None = None,
        dtype: DTypeLike = float,
        n_jobs: int | None = None,
        progress: Progress = False,
    ) -> Floats:
        """Unit-step increments of independent paths, an array (n_paths, n_steps).

        Row i is a function of the model and (seed, i) alone. To the bit, it is what :meth:`stream` yields for path i,
        and what `first_passage` and `simulate_paths` feed to path i of a run of `n_steps` steps with the driver of the
        model and the strength 1, such as ``FractionalNoise(hurst, tolerance=tolerance)``. `rng` may take the place of
        `seed`, as for `fgn`. `dtype` is float64 or float32. `n_jobs` is the number of threads, None for all cores.
        `progress`: True shows a bar; a function is called with the number of paths newly finished. Raises MemoryError,
        saying how much was asked for, when the result would not fit.

        >>> from fbmsde import StreamingNoise
        >>> StreamingNoise(0.7, 1000).sample(3, seed=1).shape
        (3, 1000)
        """
        n_paths, real = checks.count("n_paths", n_paths), checks.float_type("dtype", dtype)
        checks.fits_memory("the increments", float(n_paths) * self.n_steps * real.itemsize)
        feed, threads = ModelFeed(self.model, seeds.as_key(seed, rng), dtype=real), checks.workers(n_jobs)
        out = np.empty((n_paths, self.n_steps), real)
        fill_from_feed(feed, out[:, :, None], threads, progress)
        return out

    def stream(
        self, *, seed: checks.Seed | None = None, rng: seeds.Rng | None = None, path: int = 0, chunk: int = 4096,
        dtype: DTypeLike = float,
    ) -> Iterator[Floats]:  # fmt: skip
        """An endless iterator over one path's unit-step increments, in arrays of length `chunk`.

        The first `n_steps` increments are, to the bit, row `path` of :meth:`sample`, whatever the `chunk`, and the
        certificate speaks of them alone. Beyond them the recursion goes on for ever with the law of the model, whose
        distance from that of the noise nothing bounds there. The memory in use is O(K + chunk), however far one
        goes. An increment costs some ten times more than in a `sample` of many paths, which are advanced side by side.

        >>> from fbmsde import StreamingNoise
        >>> pieces = StreamingNoise(0.7, 1000).stream(seed=1, chunk=300)
        >>> next(pieces).shape, next(pieces).shape
        ((300,), (300,))
        """
        number, length = checks.count("path", path, 0, _MOST_PATHS - 1), checks.count("chunk", chunk)
        real = checks.float_type("dtype", dtype)
        checks.fits_memory("a chunk", 3.0 * length * real.itemsize)
        return stream_from_feed(ModelFeed(self.model, seeds.as_key(seed, rng), dtype=real), number, length, real)


@dataclass(frozen=True)
class FittedNoise(RationalNoise):
    """The noise of any fitted model; see `RationalNoise`."""

    n_steps: int
    _fitted: Fitted
