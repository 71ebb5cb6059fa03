"""Series prepared for the estimators: blocks of rows on a common scale, with the fault of each series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import counters, run_blocks
from ..core.types import Array, SeriesKind
from .registry import ESTIMATORS, EstimatorName

NanPolicy = Literal["raise", "omit_series", "gaps"]
KINDS: tuple[SeriesKind, ...] = get_args(SeriesKind)
TELL_KIND = 'Say "increments" if `x` is the noise, "path" if its differences are the noise.'
NAN_POLICIES: tuple[NanPolicy, ...] = get_args(NanPolicy)
BLOCK_VALUES = 2**17  # values that are worked on at once: 1 MB, about the second cache of a core


class Fault(IntEnum):
    """Why a series cannot be fitted."""

    NONE = 0
    NOT_FINITE = 1
    CONSTANT = 2
    FEW_SCALES = 3
    FEW_VALUES = 4


FAULTS = {
    Fault.NOT_FINITE: "x must be finite, got nan, inf or a masked value in series {}.",
    Fault.CONSTANT: "x must have increments that vary, got constant ones in series {}.",
    Fault.FEW_SCALES: "x must vary on two of the scales that the method reads or more, got fewer in series {}.",
    Fault.FEW_VALUES: (
        "x must hold as many known values between its gaps as the shortest series without, got fewer in series {}."
    ),
}


@dataclass(frozen=True)
class _Batch:
    """The series (n_series, n_values) behind an estimate, with the threads and the progress bar to use on them."""

    values: Array
    kind: SeriesKind
    n_jobs: int
    progress: bool

    @property
    def n(self) -> int:
        """Number of increments of a series."""
        return self.values.shape[1] - (self.kind == "path")

    def increments(self, rows: slice) -> tuple[Array, Array, NDArray[np.int8]]:
        """Increments of the series in `rows` in units of a power of two, that unit, and the fault of each series.

        The power of two that is next above the largest value keeps squares from overflowing and costs no rounding.
        """
        block = self.values[rows]
        high, low = block.max(axis=1), block.min(axis=1)
        finite = np.isfinite(high) & np.isfinite(low)
        if not finite.all():
            block = np.where(finite[:, None], block, 0.0)
            high, low = np.where(finite, (high, low), 0.0)
        exponent = np.clip(np.frexp(np.maximum(high, -low))[1], -1000, 1000)
        unit = np.ldexp(1.0, -exponent)
        block = block * unit[:, None]
        if self.kind == "path":
            block = np.diff(block, axis=1)
            extent = block.max(axis=1) - block.min(axis=1)
        else:
            extent = high * unit - low * unit
        # the increments of a straight path differ by rounding alone, which is not a variation
        constant = extent <= 8.0 * np.finfo(float).eps
        faults = np.where(finite, np.where(constant, Fault.CONSTANT, Fault.NONE), Fault.NOT_FINITE).astype(np.int8)
        return block, np.ldexp(1.0, exponent), faults

    def map(self, work: Callable[[slice], Any], rows_at_once: int) -> list[Any]:
        """Results of ``work(rows)`` for successive slices of `rows_at_once` series, in order, computed on threads."""
        total = len(self.values)
        rows = [slice(first, min(first + rows_at_once, total)) for first in range(0, total, rows_at_once)]
        control, results = counters(len(rows)), [None] * len(rows)

        def fill(i: int) -> None:
            results[i] = work(rows[i])
            control[i, 1] = 1

        squared = float(self.values.size) ** 2  # as many as the exact likelihood works through
        run_blocks(fill, self.n_jobs, control, len(rows), self.progress, "block", numbers=squared)
        return results


def _as_batch(values: Array, kind: SeriesKind, method: EstimatorName, n_jobs: int | None, progress: bool) -> _Batch:
    """The batch of one or several series; ValueError if they are too short for the method."""
    batch = _Batch(np.atleast_2d(values), kind, checks.workers(n_jobs), bool(progress))
    shortest = ESTIMATORS[method].min_length
    if batch.n < shortest:
        raise ValueError(
            f"x must hold at least {shortest} increments per series for method {method!r}, got {batch.n}. "
            "Take longer series (one series per row) or another method."
        )
    return batch
