"""The result of `estimate_hurst`: estimates, their errors, tests and notes, most of them computed when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import counters, run_blocks
from ..core.pictures import picture
from ..core.show import Shown, Table, line
from ..core.types import Array, SeriesKind
from . import notes, residuals, spectral
from .batch import BLOCK_VALUES, Fault, _Batch
from .registry import ESTIMATORS, NULLS, EstimatorName, NullName, _sign_flipped
from .words import p_text, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Under "auto" an interval is robust if `p_clustering` is below the level and the robust error over the Gaussian one is
# above the factor.
_CLUSTERING_LEVEL = 0.01
_CLUSTERING_FACTOR = 1.02

IntervalKind = Literal["auto", "fgn", "robust"]
_SERIES_TOLD = 20  # in a table
# To show a result about a second is spent unasked: on notes of several series of so many values, on copies of so many.
_NOTED_UNASKED = 2**18
_COPIED_UNASKED = 2**22


class _Clustering(NamedTuple):
    """`p_clustering`, and the ratio of the robust to the Gaussian standard error, (n_series,) each."""

    p_values: Array
    widenings: Array


@dataclass(frozen=True, eq=False, repr=False)
class HurstEstimate(Shown):
    """Hurst estimates with their errors and tests: floats for one series, (n_series,) arrays for several.

    hurst : the estimate of H.
    sigma : the standard deviation of an increment, as that of unit-step fGn with the estimated H. Where that is near 1
        the mean of a series hides most of it, and sigma has a heavy tail: for 64 values of fGn of H = 0.9 and strength
        1 its median is 0.97, its mean 2.3 and its 90 % quantile 8.6; for 512 values 0.99, 1.04 and 1.24.
    omitted : True where a series was left out under ``nan_policy="omit_series"``. Its numbers are all NaN.
    interval : "fgn" or "robust". It says which series `standard_error`, `confidence_interval` and `p_fgn` allow for.
    standard_error : standard deviation of the estimate for series that have the spectrum of fGn with the estimated H.
        Their values are Gaussian under "fgn"; under "robust" their residuals have any sizes and random signs.
    p_clustering : p-value of the hypothesis that the sizes of the residuals come in random order. It is small for
        volatility in clusters.
    null_model : "shuffle", "sign_flip" or None: how the copies behind `null` were made.
    null : the same estimator on copies without memory, (n_surrogates,) or (n_series, n_surrogates).
    p_no_memory : two-sided p-value from `null`. Shuffling tests that the order of the increments does not matter;
        flipping signs tests that the signs are independent of each other and of the sizes of the increments.
    p_fgn : p-value of the hypothesis that the increments have the spectrum of fGn.
    note : sentences about an estimate outside (0, 1) and about features that no fGn has. It is often empty.

    `hurst`, `sigma` and `omitted` are computed at once, everything else when it is first asked for. For a series with
    gaps `null`, `p_no_memory`, `p_fgn` and `p_clustering` are NaN and `interval` is "fgn".

    >>> from fbmsde import estimate_hurst
    >>> estimate_hurst(np.random.default_rng(0).standard_normal((2, 1000)), kind="increments").standard_error.round(3)
    array([0.02, 0.02])
    """

    hurst: float | Array
    sigma: float | Array
    omitted: bool | NDArray[np.bool_]
    method: EstimatorName
    kind: SeriesKind
    null_model: NullName | None
    n_surrogates: int
    _interval: IntervalKind = field(repr=False)
    _gap_widening: Array = field(repr=False)
    _batch: _Batch = field(repr=False)
    _key: NDArray[np.uint64] = field(repr=False)
    _spacing: tuple[str, ...] = field(repr=False)

    def __repr__(self) -> str:
        several = np.ndim(self.hurst) > 0
        parts = [f"{np.size(self.hurst)} series", spread("H", self.hurst)] if several else [f"H {self._told(0)}"]
        parts += [spread("sigma", self.sigma), self.method, self.kind]
        if not several or self._batch.values.size <= _NOTED_UNASKED:
            noted = np.count_nonzero(np.atleast_1d(self.note) != "")
            parts += [f"{noted} with a note" if several else "with a note"] if noted else []
        return line("HurstEstimate", parts)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the estimates with their 95 % intervals on `ax`, None for Axes of its own, which come back.

        Where copies without memory were asked for, the range that holds 95 % of those of each series is shaded.

        >>> from fbmsde import estimate_hurst, fgn
        >>> estimate_hurst(fgn(0.7, 200, 3, seed=1), kind="increments", n_surrogates=19).plot().get_xlabel()
        'Hurst parameter H'
        """
        return picture("plot_hurst")(self, ax)

    def _facts(self) -> Mapping[str, object]:
        facts = {"method": self.method, "kind": self.kind, "increments": self._batch.n}
        if np.ndim(self.hurst):
            return facts
        return facts | {"H [95 %]": self._told(0), "interval": self.interval, "p(no memory)": self._p_memory_told()[0],
                        "p(fGn)": p_text(float(self.p_fgn)), "note": self.note}  # fmt: skip

    def _lines(self) -> Table | None:
        if np.ndim(self.hurst) == 0:
            return None
        sigmas, likeness = np.atleast_1d(self.sigma), np.atleast_1d(self.p_fgn)
        memory, said = self._p_memory_told(), self._notes(likeness, slice(0, _SERIES_TOLD))
        rows = [(str(i), self._told(i), f"{sigmas[i]:.4g}", memory[i], p_text(likeness[i]), said[i])
                for i in range(len(memory))]  # fmt: skip
        more = sigmas.size - len(rows)
        return ("series", "H [95 %]", "sigma", "p(no memory)", "p(fGn)", "note"), [
            *rows, *[(f"and {more} more", "", "", "", "", "")] * (more > 0)]  # fmt: skip

    def _p_memory_told(self) -> list[str]:
        """`p_no_memory` of the first series as texts; where the copies are neither there nor made soon, how to ask."""
        count = min(np.size(self.hurst), _SERIES_TOLD)
        known = np.atleast_2d(self.null) if "null" in self.__dict__ or self.null_model is None else None
        if known is None and count * self.n_surrogates * self._batch.n > _COPIED_UNASKED:
            return ["ask for p_no_memory"] * count
        if known is None:
            known = np.array([self._null_estimates(lambda _: None, row) for row in range(count)])
        p_values = self._memory_p_values(np.atleast_1d(self.hurst)[:count], known[:count])
        return [p_text(p, self.p_floor) for p in p_values]

    def _told(self, series: int) -> str:
        """The estimate of one series with its interval."""
        low, high = (np.atleast_1d(end)[series] for end in self.confidence_interval())
        return f"{np.atleast_1d(self.hurst)[series]:.4g} [{low:.4g}, {high:.4g}]"

    @cached_property
    def _clustering(self) -> _Clustering:
        """The test for clusters of volatility, and its consequence for the errors, for all series."""
        rows = max(1, BLOCK_VALUES // self._batch.n)
        parts = self._batch.map(self._clustering_of, rows)
        return _Clustering(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    @cached_property
    def p_clustering(self) -> float | Array:
        """One-sided p-value of the hypothesis that the sizes of the residuals come in random order.

        It is a float or (n_series,), NaN for series left out. The residuals are the series divided, in frequency, by
        the root of the fitted spectrum. The test sums the autocovariance of their bounded squares over all lags and
        weighs each lag by what it adds to the variance of the estimate (Moran's statistic; Cliff & Ord 1981).
        Measured rejections at 1 % (n = 2000): 1 to 1.8 % of fGn and of independent Student t3 values, 1 to 3.5 % of
        t1.5 and exponential ones, 12 % of values of which 98 % are zero.
        """
        return self._out(self._clustering.p_values)

    @cached_property
    def _robust(self) -> NDArray[np.bool_]:
        """True for the series that have the robust interval, (n_series,)."""
        if self._interval != "auto":
            return (self._interval == "robust") & (self._gap_widening == 1.0)  # no residuals where there are gaps
        p_values, factors = self._clustering
        return (p_values < _CLUSTERING_LEVEL) & (factors > _CLUSTERING_FACTOR)

    @property
    def interval(self) -> str | NDArray[np.str_]:
        """Which series the errors allow for, "fgn" or "robust": a str for one series, an array of str for several."""
        names = np.where(self._robust, "robust", "fgn")
        return str(names[0]) if np.ndim(self.hurst) == 0 else names

    @cached_property
    def _widening(self) -> Array:
        """Ratio of the standard error to that of Gaussian fGn without gaps, (n_series,)."""
        if not self._robust.any():
            return self._gap_widening
        if ESTIMATORS[self.method].score is None:
            return np.concatenate(self._batch.map(self._surrogate_widening, 1)) * self._gap_widening
        return np.where(self._robust, self._clustering.widenings, self._gap_widening)

    @cached_property
    def _fgn_error(self) -> float | Array:
        """Standard error for Gaussian fGn without gaps, a float or (n_series,)."""
        return np.interp(self.hurst, spectral.GRID, ESTIMATORS[self.method].standard_error(self._batch.n))

    @cached_property
    def standard_error(self) -> float | Array:
        """Standard deviation of the estimate, a float or (n_series,). `interval` says under which assumptions."""
        return self._out(np.atleast_1d(self._fgn_error) * self._widening)

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float] | tuple[Array, Array]:
        """Lower and upper confidence limits of H, floats or (n_series,) arrays. `level` lies in (0, 1).

        The limits are valid if the spectrum is that of fGn. Where `interval` is "fgn", the sizes of the values must
        not come in clusters either. Where it is "robust", the error is that of the estimate over all signs of the
        residuals with their sizes held fixed, which allows for volatility that comes in clusters or drifts. Measured
        coverage of 95 % intervals under "auto", H = .2, .5 and .8, twice 400 series of n = 2000: fGn 93 to 96 %,
        GARCH(.2, .78) 92 to 97 % (67 to 73 % under "fgn"), stochastic volatility 92 to 96 % (71 to 78 %), a falling
        standard deviation 94 to 97 % (86 to 90 %).

        The limits are normal quantiles on the scale ``int dh / se(h)``, on which the standard error is the same for
        all H. They are therefore not symmetric about the estimate, and they lie between 0 and 1 if the estimate does.
        No fGn has an H outside (0, 1): the limits about such an estimate are those of the exponent that the method
        reads, with the standard error at the nearest H (see `note`). Nothing corrects for the bias of a method, which
        is small for "whittle", "exact" and "quadratic_variations" only. Raises ValueError for a level outside (0, 1).

        >>> from fbmsde import estimate_hurst
        >>> estimate = estimate_hurst(np.random.default_rng(0).standard_normal(1000), kind="increments")
        >>> low, high = estimate.confidence_interval(0.99)
        >>> low < 0.5 < high
        True
        """
        z = scipy.special.ndtri(0.5 + checks.fraction("level", level) / 2.0) * self._widening
        z = z[0] if np.ndim(self.hurst) == 0 else z
        errors = ESTIMATORS[self.method].standard_error(self._batch.n)
        hurst = np.asarray(self.hurst)
        reach = 2.0 + np.max(np.abs(hurst), initial=0.0, where=np.isfinite(hurst)) + np.max(z) * errors.max()
        nodes = np.concatenate([[-reach], spectral.GRID, [reach]])
        rates = 1.0 / errors[np.clip(np.arange(nodes.size) - 1, 0, errors.size - 1)]
        stable = np.concatenate([[0.0], np.cumsum(np.diff(nodes) * (rates[1:] + rates[:-1]) / 2.0)])
        place = np.interp(hurst, nodes, stable)
        low, high = np.interp(place - z, stable, nodes), np.interp(place + z, stable, nodes)
        inside = (hurst >= 0.0) & (hurst <= 1.0)
        low, high = np.where(inside, np.maximum(low, 0.0), low), np.where(inside, np.minimum(high, 1.0), high)
        return (float(low), float(high)) if np.ndim(self.hurst) == 0 else (low, high)

    @cached_property
    def note(self) -> str | NDArray[np.str_]:
        """Sentences about what is odd in a series, a str or an (n_series,) array of str, empty where nothing is.

        A note says what an estimate at or outside the ends of (0, 1) means and which `kind` would give another one.
        It says when at most 10 increments carry the sum of squares; ``(sum x^2)^2 / sum x^4`` counts them. At
        p < .001 each, it says that a cycle or a trend stands out and that the spectrum is not that of fGn, with
        volatility in clusters allowed for where `interval` is "robust". Measured: .2 to .5 % of fGn with H = .3 ... .7
        and n = 64 ... 2000 get a note. In white noise of n = 500 a trend or a step of one standard deviation and a
        cycle of amplitude 1 are seen in 99.5 % of series or more, a cycle of amplitude .5 in 3 of 4.

        >>> from fbmsde import estimate_hurst
        >>> walk = np.cumsum(np.random.default_rng(0).standard_normal(1000))
        >>> estimate_hurst(walk, kind="increments").note.split(":")[0]
        'An H at or above 1 is what a path gives, not its increments'
        """
        rows = max(1, BLOCK_VALUES // self._batch.n)
        notes = np.concatenate(self._batch.map(partial(self._notes, np.atleast_1d(self.p_fgn)), rows))
        return str(notes[0]) if np.ndim(self.hurst) == 0 else notes

    def _notes(self, p_fgn: Array, rows: slice) -> NDArray[np.str_]:
        """Notes of the series in `rows`, empty for those left out; what is said of the times is said of each series."""
        increments, _, faults = self._batch.increments(rows)
        hurst, good = np.atleast_1d(self.hurst)[rows], np.flatnonzero(faults == Fault.NONE)
        whittle = spectral.whittle(increments[good]).hurst
        out = [""] * len(faults)
        for i, own in zip(good, whittle, strict=True):
            if np.isfinite(hurst[i]):
                out[i] = notes.note(increments[i], hurst[i], own, p_fgn[rows][i], self.kind)
        for i in np.flatnonzero((faults == Fault.NOT_FINITE) & np.isfinite(hurst)):
            out[i] = notes.note_of_gaps(self._batch.values[rows][i], self.kind)
        times = "".join(f"{sentence[0].upper()}{sentence[1:]}. " for sentence in self._spacing)
        return np.array([said if np.isnan(h) else (times + said).strip() for said, h in zip(out, hurst, strict=True)])

    @cached_property
    def null(self) -> Array:
        """Estimates on copies without memory, (n_surrogates,) or (n_series, n_surrogates); empty if the model is None.

        Shuffling keeps the values with their tails and destroys everything that depends on their order: memory,
        clusters of volatility, drifts of mean and size. Flipping signs at random keeps the size of every deviation
        from the mean in its place and destroys the correlations. It assumes that the signs do not depend on the sizes,
        as in symmetric laws. Skewed values hardly matter to most methods, but the result of "rs_noise_as_path" depends
        on the law of the values: use "shuffle" with it.
        """
        total = len(self._batch.values)
        if self.null_model is None:
            return np.empty((0,) if np.ndim(self.hurst) == 0 else (total, 0))
        control, estimates = counters(total), np.empty((total, self.n_surrogates))

        def fill(row: int) -> None:
            def report(copies: int) -> None:
                control[row, 1] += copies

            estimates[row] = self._null_estimates(report, row)

        run_blocks(fill, self._batch.n_jobs, control, estimates.size, self._batch.progress, "copy")
        return estimates[0] if np.ndim(self.hurst) == 0 else estimates

    @cached_property
    def p_no_memory(self) -> float | Array:
        """Two-sided p-value of no memory, a float or (n_series,); NaN if there is no `null`.

        It is twice the smaller of two shares: that of the estimates (the copies' and the observed one) at or below the
        observed one, and that at or above it. With "shuffle" it is exact for exchangeable increments of any law. It
        then also reacts to volatility in clusters, which breaks exchangeability without being memory. With "sign_flip"
        it is exact for increments whose signs are fair coins whatever their sizes, hence for GARCH and for noise of
        drifting strength. Measured rejections at 5 % (400 series, n = 2000): of GARCH(.2, .78) and stochastic
        volatility 24 % by shuffling, 3 % by flipping signs; of independent values of five laws 3 to 6 % by either; of
        fGn with H = .55, 93 % by either.
        """
        return self._out(self._memory_p_values(np.atleast_1d(self.hurst), np.atleast_2d(self.null)))

    @property
    def p_floor(self) -> float:
        """The smallest `p_no_memory` that so many copies can give, ``2 / (n_surrogates + 1)``."""
        return 2.0 / (self.n_surrogates + 1)

    def _memory_p_values(self, hurst: Array, null: Array) -> Array:
        """`p_no_memory` of series with these estimates (n,) and copies (n, n_surrogates), NaN where there are none."""
        if self.null_model is None:
            return np.full(hurst.size, np.nan)
        below = 1 + np.sum(~(null > hurst[:, None] + 1e-9), axis=-1)
        above = 1 + np.sum(~(null < hurst[:, None] - 1e-9), axis=-1)
        p = np.minimum(2.0 * np.minimum(below, above) / (self.n_surrogates + 1), 1.0)
        return np.where(np.isnan(null).any(axis=-1), np.nan, p)

    @cached_property
    def p_fgn(self) -> float | Array:
        """p-value of the hypothesis that the spectrum is that of fGn, a float or (n_series,); NaN for series left out.

        It is a score test against ``f(l) exp(sum_k theta_k cos(k l))``, k = 1 ... 8, where f is the spectrum at the
        Whittle estimate. The scores are those of the normalised periodogram, made orthogonal to the slope of log f in
        H because H is estimated; their statistic is chi-square with 8 degrees of freedom (below n = 20 there are
        ``n // 2 - 2`` cosines and degrees of freedom). Where `interval` is "robust", the covariance of the scores is
        that over all signs of the residuals. The test sees short-range deviations and trends; it hardly sees single
        spectral lines and non-Gaussian values. Measured rejections at 5 %: 4.2 to 5.7 % of fGn of n = 512 ... 16384,
        3.5 % at n = 64, 2.4 to 3.4 % at n = 16 ... 19, 11 % of independent values of which 98 % are zero.
        """
        rows = max(1, BLOCK_VALUES // self._batch.n)
        return self._out(np.concatenate(self._batch.map(self._fgn_p_values, rows)))

    def _out(self, values: Array) -> float | Array:
        """Return a float if there is one series, else the array."""
        return float(values.reshape(-1)[0]) if np.ndim(self.hurst) == 0 else values

    def _fgn_p_values(self, rows: slice) -> Array:
        """`p_fgn` of the series in `rows`, NaN for those left out."""
        increments, _, faults = self._batch.increments(rows)
        good = faults == Fault.NONE
        out = np.full(len(good), np.nan)
        if good.any():
            kept = increments[good]
            hurst = spectral.whittle(kept).hurst
            out[good] = residuals.fgn_p_values(kept, hurst, self._robust[rows][good])
        return out

    def _clustering_of(self, rows: slice) -> _Clustering:
        """`_clustering` of the series in `rows`, NaN and 1 for those left out."""
        increments, _, faults = self._batch.increments(rows)
        good = faults == Fault.NONE
        p_values, factors = np.full(len(good), np.nan), np.ones(len(good))
        if good.any():
            kept, n = increments[good], self._batch.n
            hurst = spectral.whittle(kept).hurst
            white = residuals.residuals(kept, hurst)
            score = ESTIMATORS[self.method].score or residuals.whittle_score
            forms = residuals.quadratic_forms(score(hurst, n), n)
            p_values[good] = residuals.clustering_p_values(white, forms)
            factors[good] = residuals.widening(forms, residuals.square_products(white))
        return _Clustering(p_values, factors)

    def _rng(self, *place: int) -> np.random.Generator:
        """A generator of random numbers that depends on the seed and on `place` only."""
        return np.random.default_rng(np.random.SeedSequence([int(word) for word in self._key], spawn_key=place))

    def _null_estimates(self, report: Callable[[int], Any], row: int) -> Array:
        """`null` of series number `row`, (n_surrogates,): it depends on the series, the seed and the row only."""
        increments, _, faults = self._batch.increments(slice(row, row + 1))
        if faults[0] != Fault.NONE:
            report(self.n_surrogates)
            return np.full(self.n_surrogates, np.nan)
        make = partial(NULLS[checks.choice("null_model", self.null_model, NULLS)], self._rng(row))
        return self._on_copies(increments, make, report)

    def _on_copies(self, series: Array, make: Callable[[Array], Array], report: Callable[[int], Any]) -> Array:
        """Estimates on ``make(copies)`` of a series (1, n), (n_surrogates,), made as many at once as fit the cache."""
        out, at_once = np.empty(self.n_surrogates), max(1, BLOCK_VALUES // self._batch.n)
        for first in range(0, self.n_surrogates, at_once):
            part = out[first : first + at_once]
            part[:] = ESTIMATORS[self.method].fit(make(np.repeat(series, part.size, axis=0))).hurst
            report(part.size)
        return out

    def _surrogate_widening(self, rows: slice) -> Array:
        """The robust over the Gaussian error of the one series in `rows`, (1,), for methods without a score.

        It is the spread of the estimates on copies whose residuals have random signs, over the standard error of fGn.
        """
        row = rows.start
        increments, _, faults = self._batch.increments(rows)
        if faults[0] != Fault.NONE or not self._robust[row]:
            return np.ones(1)
        hurst, rng = spectral.whittle(increments).hurst, self._rng(row, 1)
        white = residuals.residuals(increments, hurst)
        estimates = self._on_copies(
            white, lambda copies: residuals.coloured(_sign_flipped(rng, copies), hurst[0]), lambda _: None
        )
        return np.array([np.nanstd(estimates) / np.atleast_1d(self._fgn_error)[row]])
