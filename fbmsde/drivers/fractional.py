"""`FractionalNoise`: the driving noise of an equation, and the feeds that bring it to the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..core import checks
from ..core.brief import brief
from ..core.types import Array, Key
from ..laws.fgn import fgn_autocovariance
from .axes import Axes
from .base import Feed
from .exact.generators import make_generator
from .jumping import JumpSource
from .mixture import Matrix, is_several
from .rational.certified import Certificate
from .rational.jump_tables import jumps
from .rational.streaming import StreamingNoise, default_tolerance, step_limit
from .rational_stream import ModelFeed
from .sample import METHODS, NoiseMethod, Sampled
from .stored_feed import StoredFeed

MAX_KL = 1e-5  # the largest divergence per path of the model in continuous time, unless the caller chooses


class Options(TypedDict, total=False):
    """What can be said of a `FractionalNoise` besides its Hurst parameter and its strength."""

    method: NoiseMethod
    tolerance: float | None
    correlation: ArrayLike | None
    dtype: DTypeLike


@brief
@dataclass(frozen=True)
class FractionalNoise(Sampled):
    """Fractional Gaussian noise ``sigma dB_H``, with the way in which it is generated.

    hurst : the Hurst parameter in (0, 1), or one for each axis, (d,).
    sigma : the strength: increments over dt have standard deviation ``sigma dt^H``. It is a number; or one for each
        axis, (d,); or a matrix factor L (d, m), which makes the increments ``L xi`` of independent ones xi. With one
        Hurst parameter only the covariance ``L L' dt^2H`` matters, and L is replaced by the lower-triangular root of
        it. With several, xi_k has the Hurst parameter k, and L is (d, d).
    method : "streaming" for a certified rational model, which needs O(1) memory in the number of steps and hurst in
        [0.02, 0.98], or an exact generator of whole paths: "davies_harte", "cholesky" or "hosking".
    tolerance : the largest KL divergence per path of the streaming model, None for its default.
    correlation : the (d, d) correlation matrix of the components of a d-dimensional noise, None for independent ones.
        A matrix factor and several Hurst parameters have none.
    dtype : float64, or float32 for the states and the increments. Single precision takes half the memory, is no faster
        for the streaming model, and has an error of B_H below 4e-5 n^H after n = 2^20 steps.

    A path is the same to the bit for every number of threads and every kernel of BLAS and LAPACK. It may differ between
    processors on which NumPy takes other instructions for exp and powers (with or without AVX-512). These enter the
    covariance of the exact generators in the last bit, and can move the fit of a streaming model within its tolerance.
    Component j of a noise without matrix or correlation is the one that a noise of its sigma and Hurst parameter alone
    would have.

    >>> FractionalNoise(0.7, sigma=0.5).method
    'streaming'
    >>> FractionalNoise((0.3, 0.7), sigma=(1.0, 2.0)).sample(100, 3, seed=1).shape
    (3, 100, 2)
    """

    hurst: float | Sequence[float]
    sigma: ArrayLike = 1.0
    method: NoiseMethod = "streaming"
    tolerance: float | None = None
    correlation: ArrayLike | None = None
    dtype: DTypeLike = float

    def __post_init__(self) -> None:
        axes = Axes.of(self.hurst, self.sigma, self.correlation)
        if is_several(self.hurst):
            object.__setattr__(self, "hurst", axes.hursts)
        if is_several(self.sigma):
            object.__setattr__(self, "sigma", axes.sigma)
        object.__setattr__(self, "correlation", axes.correlation)
        checks.choice("method", self.method, METHODS)
        object.__setattr__(self, "dtype", checks.float_type("dtype", self.dtype))
        if self.tolerance is not None:
            checks.positive("tolerance", self.tolerance)
            if self.method != "streaming":
                raise ValueError(f"tolerance must be None for {self.method!r}, got {self.tolerance}. It is exact.")

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

    @cached_property
    def axes(self) -> Axes:
        """Hurst parameter, strength and correlation of the components."""
        return Axes.of(self.hurst, self.sigma, self.correlation)

    @property
    def common_hurst(self) -> float:
        """The Hurst parameter that all components share; ValueError if they differ."""
        return self.axes.common_hurst

    @property
    def components(self) -> int | None:
        """The number of components that sigma, hurst or correlation prescribe, None for any number."""
        return self.axes.dim

    def increment_scale(self, dt: float) -> float:
        """Standard deviation ``sigma dt^H`` of one increment over a step of `dt`, the largest of those of the axes."""
        return float(self.axes.deviations(dt).max())

    scale = increment_scale

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance of the increments over steps of `dt` at integer lags, same shape as `lags`.

        It is ``sigma^2 dt^2H`` times :func:`fbmsde.laws.fgn.fgn_autocovariance`. Where sigma, hurst or correlation
        prescribe d components it is the covariance of all with all, of the shape of `lags` and (d, d).

        >>> FractionalNoise(0.5, 2.0).autocovariance([0, 1], dt=0.25).tolist()
        [1.0, 0.0]
        >>> FractionalNoise(0.5, [[1.0, 0.0], [1.0, 1.0]]).autocovariance(0).tolist()
        [[1.0, 1.0], [1.0, 2.0]]
        """
        step, places = checks.positive("dt", dt), checks.lags("lags", lags)
        if self.components is None:
            return self.increment_scale(step) ** 2 * fgn_autocovariance(self.common_hurst, places)
        root, hursts = self.axes.root(step), self.axes.of_each(self.components)
        each = np.stack([fgn_autocovariance(hurst, places) for hurst in hursts], axis=-1)
        return np.einsum("jk,...k,ik->...ji", root, each, root)

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components over `n_steps` steps of `dt`, for the loops."""
        hursts = self.axes.of_each(channels)
        mixture, scale = self.axes.mixture(channels, dt), self.increment_scale(dt)
        real = checks.float_type("dtype", self.dtype)
        if self.method == "streaming":
            models = {h: StreamingNoise(h, max(2, n_steps), self.tolerance).model for h in set(hursts)}
            return ModelFeed(tuple(models[h] for h in hursts), key, channels, real, mixture, scale)
        checks.fits_memory(f"two paths of {n_steps} steps", 16.0 * n_steps * channels)
        generators = {h: make_generator(self.method, h, n_steps) for h in set(hursts)}
        return StoredFeed(tuple(generators[h] for h in hursts), n_steps, key, mixture, scale, real)

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal: yes."""
        return True

    def certificates(self, n_steps: int) -> tuple[Certificate, ...]:
        """The certificates of the streaming models for paths of `n_steps` steps, one for each Hurst parameter.

        There are none for the exact generators.

        >>> FractionalNoise(0.3).certificates(1000)[0].kl < 1e-8, FractionalNoise(0.3, method="hosking").certificates(9)
        (True, ())
        """
        if self.method != "streaming":
            return ()
        hursts = sorted(set(self.axes.hursts))
        return tuple(StreamingNoise(h, max(2, n_steps), self.tolerance).certificate for h in hursts)

    def most_steps(self) -> int:
        """The largest number of steps of a streamed path; ValueError for exact generators, which make whole paths."""
        if self.method != "streaming":
            raise ValueError(
                f"method must be 'streaming' for `until`, got {self.method!r}: whole paths have a fixed end."
            )
        return min(step_limit(h, self.tolerance) for h in self.axes.hursts)

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
        model = StreamingNoise(self.common_hurst, max(2, n_steps), chosen)
        tables = jumps(model.model, max(1, min(n_steps, longest).bit_length()))
        self.axes.of_each(channels)
        return JumpSource(model, tables, np.empty((0, 0)) if self.factor is None else np.array(self.factor))

    @property
    def rows(self) -> Matrix | None:
        """Rows of the covariance of the components, in units of `increment_scale`; None for equal, independent ones."""
        return self.axes.covariance

    @property
    def factor(self) -> Matrix | None:
        """Rows of a lower-triangular root of the covariance; None for independent components of equal strength."""
        return self.axes.factor

    @property
    def largest_deviation(self) -> float:
        """An upper bound of the standard deviation of an increment in any direction, in units of `increment_scale`."""
        return self.axes.largest_deviation
