"""The strengths and Hurst parameters of the axes of a fractional noise, and how its components are made from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import checks
from ..core.linear import product, triangular_root
from ..core.types import Array
from .base import correlation_factor
from .mixture import Matrix, Mixture, Vector, is_several, strengths


@dataclass(frozen=True)
class Axes:
    """Axes of a noise whose component j has increments ``sigma_j dt^H_j`` times one of unit strength.

    hursts : the Hurst parameter of each axis, (d,), or a single one for all.
    sigma : the strength of all axes, that of each, (d,), or a matrix factor L (d, m) as rows, with which the increments
        are ``L (dt^H_k xi_k)``. With one Hurst parameter L is replaced by the lower-triangular root of ``L L'``.
    correlation : rows of the correlation matrix of the components, None for independent ones.

    >>> Axes((0.5,), (1.0, 2.0)).deviations(4.0)
    array([2., 4.])
    """

    hursts: Vector
    sigma: float | Vector | Matrix
    correlation: Matrix | None = None

    @classmethod
    def of(cls, hurst: Any, sigma: Any, correlation: Any) -> Axes:
        """The checked axes of the arguments of a noise; ValueError or TypeError unless they fit together."""
        hursts = tuple(map(checks.hurst_parameter, hurst)) if is_several(hurst) else (checks.hurst_parameter(hurst),)
        strength = strengths("sigma", sigma) if is_several(sigma) else checks.positive("sigma", sigma)
        rows = None
        if correlation is not None:
            matrix = np.asarray(correlation, dtype=float)
            correlation_factor(matrix)
            rows = tuple(map(tuple, matrix.tolist()))
        axes, several = cls(hursts, strength, rows), is_several(hurst)
        axes._require_fit(several)
        sizes = {"hurst": len(hursts)} if several else {}
        sizes |= {"sigma": len(axes._sigma)} if axes._sigma.ndim else {}
        sizes |= {} if rows is None else {"correlation": len(rows)}
        if len(set(sizes.values())) > 1:
            told = " and ".join(f"{size} of {name}" for name, size in sizes.items())
            raise ValueError(f"sigma, hurst and correlation must have as many entries as there are axes, got {told}.")
        return axes

    def _require_fit(self, several: bool) -> None:
        """ValueError for what has no meaning beside a matrix factor or several Hurst parameters."""
        shape = self._sigma.shape
        if several and not self.hursts:
            raise ValueError("hurst must be a number in (0, 1) or one for each axis, got none.")
        if self.correlation is not None and len(shape) == 2:
            raise ValueError("correlation must be None beside a matrix factor, got one. Put it into the factor.")
        if self.correlation is not None and len(set(self.hursts)) > 1:
            raise ValueError(f"correlation must be None beside several Hurst parameters, got {self.correlation}. "
                             "A matrix factor as sigma mixes motions of different Hurst parameters.")  # fmt: skip
        if len(set(self.hursts)) > 1 and len(shape) == 2 and shape[1] != len(self.hursts):
            raise ValueError(f"sigma must have a column for each of the {len(self.hursts)} Hurst parameters, got shape "
                             f"{shape}.")  # fmt: skip

    @property
    def dim(self) -> int | None:
        """The number of axes, None if there may be any number of them."""
        if self._sigma.ndim:
            return len(self._sigma)
        if self.correlation is not None:
            return len(self.correlation)
        return len(self.hursts) if len(self.hursts) > 1 else None

    @property
    def common_hurst(self) -> float:
        """The Hurst parameter that all axes share; ValueError if they differ.

        >>> Axes((0.3, 0.3), 1.0).common_hurst
        0.3
        """
        if len(set(self.hursts)) > 1:
            raise ValueError(
                f"hurst must be one number in continuous time and for a moved boundary, got {self.hursts}. What a path "
                "does between two steps is known for one only: take Grid(dt)."
            )
        return self.hursts[0]

    def of_each(self, dim: int) -> Vector:
        """The Hurst parameter of each of `dim` components; ValueError for another number of them than there are."""
        if self.dim not in (None, dim):
            raise ValueError(f"noise must have the {dim} components that the equation takes, got one of {self.dim}. "
                             "Give sigma, hurst and correlation an entry for each of them.")  # fmt: skip
        return self.hursts * dim if len(self.hursts) == 1 else self.hursts

    def deviations(self, dt: float) -> Array:
        """Standard deviations of the increments over `dt` of the components, (d,), or (1,) if all have the same."""
        if self._sigma.ndim < 2:
            return self._sigma * self._powers(dt)
        return np.sqrt(np.sum((self._sigma * self._powers(dt)) ** 2, axis=1))

    def root(self, dt: float) -> Array:
        """The matrix (d, d) that makes the increments over `dt` of independent ones of unit strength.

        It is lower-triangular if there is one Hurst parameter.
        """
        if self._sigma.ndim == 2:
            sigma = self._sigma if len(set(self.hursts)) > 1 else _triangular(self._sigma)
            return sigma * self._powers(dt)
        deviations = np.broadcast_to(self.deviations(dt), (self.dim or 1,))
        independent = np.eye(len(deviations)) if self.correlation is None else correlation_factor(self.correlation)
        return deviations[:, None] * independent

    def mixture(self, dim: int, dt: float) -> Mixture:
        """How `dim` components over steps of `dt` are made, in units of the largest of their standard deviations."""
        deviations = self.deviations(dt)
        if self.correlation is None and self._sigma.ndim < 2:
            return Mixture(np.broadcast_to(deviations / deviations.max(), (dim,)), np.empty((0, 0)))
        return Mixture.of(np.array(self.factor) if len(set(self.hursts)) == 1 else self.root(dt) / deviations.max())

    @property
    def factor(self) -> Matrix | None:
        """Rows of a lower-triangular root of the covariance, in units of the largest standard deviation.

        None for independent components of equal strength, ValueError for several Hurst parameters.
        """
        _ = self.common_hurst
        if self._sigma.ndim == 0:
            return None if self.correlation is None else _rows(correlation_factor(self.correlation))
        return _rows(self.root(1.0) / self.deviations(1.0).max())

    @property
    def covariance(self) -> Matrix | None:
        """Rows of the covariance of which `factor` is a root."""
        if self._sigma.ndim == 0 or self.factor is None:
            return self.correlation
        factor = np.array(self.factor)
        return _rows(product(factor, factor.T))

    @property
    def largest_deviation(self) -> float:
        """An upper bound of the standard deviation in any direction, in units of the largest one of a component."""
        rows = self.covariance
        return 1.0 if rows is None else math.sqrt(max(math.fsum(map(abs, row)) for row in rows))

    def _powers(self, dt: float) -> Array:
        """``dt^H`` of each Hurst parameter."""
        return np.array([float(dt) ** hurst for hurst in self.hursts])

    @property
    def _sigma(self) -> Array:
        """Sigma as an array."""
        return np.asarray(self.sigma, dtype=float)


def _rows(matrix: Array) -> Matrix:
    """The rows of a matrix."""
    return tuple(map(tuple, matrix.tolist()))


def _triangular(factor: Array) -> Array:
    """Lower-triangular root (d, d) of the covariance ``factor factor'`` of a matrix factor (d, m)."""
    dim, width = factor.shape
    padded = np.zeros((dim, max(dim, width)))
    padded[:, :width] = factor
    return triangular_root(padded)[:, :dim]
