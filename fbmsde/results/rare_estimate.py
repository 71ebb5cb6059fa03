"""`RareEstimate`: a small probability or rate from independent weighted paths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import scipy

from ..core import checks
from ..core.show import Shown
from ..core.types import Array

_LARGEST_SHARE = 0.05  # a path that has more than this share of the whole estimate makes it untrustworthy
_FEWEST = 30.0  # effective paths below which the normal law says little about the error

Pair = tuple[float, float]


@dataclass(frozen=True, repr=False)
class RareEstimate(Shown):
    """An estimate of a small probability or rate, with what tells whether to trust it.

    log_value : its natural logarithm, -inf for an estimate of 0.
    relative_error : its standard error over its value, inf for an estimate of 0.
    n_paths : the number of independent paths that it is made of.
    effective : the effective number of paths ``(sum w)^2 / sum w^2``.
    largest_share : the largest share that one path has of the sum, NaN for an estimate of 0.

    >>> RareEstimate(-50.0, 0.1, 1000, 900.0, 0.002).trusted
    True
    """

    log_value: float
    relative_error: float
    n_paths: int
    effective: float
    largest_share: float

    def _facts(self) -> Mapping[str, object]:
        doubt = None if self.trusted else "not to be trusted"
        return {"value": self.value, "relative error": self.relative_error, "paths": self.n_paths,
                "effective paths": self.effective, "largest share": self.largest_share, "warning": doubt}  # fmt: skip

    @classmethod
    def of(cls, weights: Array, log_unit: float = 0.0) -> RareEstimate:
        """The mean of independent weights (n_paths,) of at least 0, in units of ``exp(log_unit)``.

        >>> import numpy as np
        >>> RareEstimate.of(np.array([1.0, 0.5, 0.0, 0.5])).value
        0.5
        """
        total, n = float(weights.sum()), weights.size
        if total <= 0.0:
            return cls(-math.inf, math.inf, n, 0.0, math.nan)
        squares = float(weights @ weights)
        error = math.sqrt(max(squares / total**2 - 1.0 / n, 0.0) * n / max(n - 1, 1))
        return cls(math.log(total / n) + log_unit, error, n, total**2 / squares, float(weights.max()) / total)

    @property
    def value(self) -> float:
        """The estimate; 0 below about 5e-324, where `log_value` still tells it."""
        return math.exp(self.log_value)

    @property
    def standard_error(self) -> float:
        """The standard error of the value; NaN for an estimate of 0."""
        return self.value * self.relative_error if self.log_value > -math.inf else math.nan

    @property
    def trusted(self) -> bool:
        """Whether it has 30 effective paths, and none that has more than 5 % of the sum."""
        return self.effective >= _FEWEST and self.largest_share <= _LARGEST_SHARE

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Lower and upper confidence limit of the value, by the normal law; `level` lies in (0, 1).

        An estimate of 0 has no upper limit, which then is inf.

        >>> low, high = RareEstimate(math.log(0.5), 0.01, 1000, 900.0, 0.002).confidence_interval()
        >>> round(low, 4), round(high, 4)
        (0.4902, 0.5098)
        """
        if self.log_value == -math.inf:
            return 0.0, math.inf
        reach = float(scipy.stats.norm.isf((1.0 - checks.fraction("level", level)) / 2.0)) * self.relative_error
        return self.value * max(1.0 - reach, 0.0), self.value * (1.0 + reach)
