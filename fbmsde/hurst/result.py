"""The result of `estimate_hurst`: estimates, their errors, tests and notes, most of them computed when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..core import checks
from ..core.blocks import run_blocks
from ..core.types import Array
from . import notes, residuals, spectral
from .batch import BLOCK_VALUES, Fault, _Batch
from .registry import ESTIMATORS, NULLS, _sign_flipped

_CLUSTERING_LEVEL = 0.01  # of the test that makes an interval robust
_CLUSTERING_FACTOR = 1.02  # and by how much more than this it must widen the interval


@dataclass(frozen=True, eq=False, repr=False)
class HurstEstimate:
    """Hurst estimates with what is needed to doubt them: floats for one series, (n_series,) arrays for several.

    hurst, sigma : the estimate and the standard deviation of an increment (of unit-step fGn with that H).
    omitted : True where a series was left out under ``nan_policy="omit_series"``; everything else is NaN there.
    interval : "fgn" or "robust", what `standard_error`, `confidence_interval` and `p_fgn` allow for.
    standard_error : standard deviation of the estimate if the series has the spectrum of fGn with the estimated H, and
        Gaussian values ("fgn"), or residuals of any size with random signs ("robust").
    p_clustering : p-value of "the sizes of the residuals are in random order"; small for volatility in clusters.
    null_model : "shuffle", "sign_flip" or None, how `null` was made.
    null : the same estimator on copies without memory, (n_surrogates,) or (n_series, n_surrogates).
    p_no_memory : two-sided p-value from `null`: of "the order of the increments does not matter" by shuffling, of "the
        signs of the increments are independent of each other and of the sizes" by flipping signs.
    p_fgn : p-value of "the increments have the spectrum of fGn".
    note : what the estimate means when it lies outside (0, 1), and what in the series no fGn has; often empty.

    All but the first three are computed when first asked for. With gaps, `null`, `p_no_memory`, `p_fgn` and
    `p_clustering` are NaN and `interval` is "fgn".
    """

    hurst: Any
    sigma: Any
    omitted: Any
    method: str
    kind: str
    null_model: str | None
    n_surrogates: int
    _interval: str = field(repr=False)
    _gap_widening: Array = field(repr=False)
    _batch: _Batch = field(repr=False)
    _key: NDArray[np.uint64] = field(repr=False)

    def __repr__(self) -> str:
        found = _spread("hurst", self.hurst) + ", " + _spread("sigma", self.sigma)
        series = f"{np.size(self.hurst)} series, " if np.ndim(self.hurst) else ""
        return f"HurstEstimate({series}{found}, method={self.method!r}, kind={self.kind!r})"

    @cached_property
    def _clustering(self) -> tuple[Array, Array]:
        """p-values of random order of the residuals' sizes, and errors over Gaussian ones, (n_series,) each."""
        rows = max(1, BLOCK_VALUES // self._batch.n)
        parts = self._batch.map(self._clustering_of, rows)
        p_values, factors = (np.concatenate(part) for part in zip(*parts, strict=True))
        return p_values, factors

    @cached_property
    def p_clustering(self) -> Any:
        """One-sided p-value of residuals whose sizes come in random order, NaN for series left out.

        The residuals are the series divided by the root of the fitted spectrum. The test weighs the autocovariance of
        their bounded squares at each lag by what it adds to the variance of the estimate; see the source. Measured
        rejections at 1 % (n = 2000): 1 to 1.8 % of fGn and of independent Student t3 values, 1 to 3.5 % of t1.5 and
        exponential ones, 12 % of values of which 98 % are zero.
        """
        return self._out(self._clustering[0])

    @cached_property
    def _robust(self) -> NDArray[np.bool_]:
        """Which series have the robust interval, (n_series,)."""
        if self._interval != "auto":
            return (self._interval == "robust") & (self._gap_widening == 1.0)  # no residuals where there are gaps
        p_values, factors = self._clustering
        return (p_values < _CLUSTERING_LEVEL) & (factors > _CLUSTERING_FACTOR)

    @property
    def interval(self) -> Any:
        """What the errors allow for, "fgn" or "robust": a text for one series, an array of texts for several."""
        names = np.where(self._robust, "robust", "fgn")
        return str(names[0]) if np.ndim(self.hurst) == 0 else names

    @cached_property
    def _widening(self) -> Array:
        """Standard error over that of fGn without gaps, (n_series,): 1 where the interval is that of such fGn."""
        if not self._robust.any():
            return self._gap_widening
        if ESTIMATORS[self.method].score is None:
            return np.concatenate(self._batch.map(self._surrogate_widening, 1)) * self._gap_widening
        return np.where(self._robust, self._clustering[1], self._gap_widening)

    @cached_property
    def _fgn_error(self) -> Any:
        """Standard error if the series is Gaussian fGn."""
        return np.interp(self.hurst, spectral.GRID, ESTIMATORS[self.method].standard_error(self._batch.n))

    @cached_property
    def standard_error(self) -> Any:
        """Standard deviation of the estimate, a float or (n_series,); see `interval`."""
        return self._out(np.atleast_1d(self._fgn_error) * self._widening)

    def confidence_interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """Lower and upper confidence limits of H, floats or (n_series,) arrays, valid if the spectrum is that of fGn.

        Where `interval` is "fgn" the values must be Gaussian or at least not clustered in size. Where it is "robust"
        the error is that over all signs of the residuals given their sizes, which allows for volatility that comes in
        clusters or drifts. Measured coverage of 95 % intervals under "auto", H = .2, .5 and .8, twice 400 series of
        n = 2000: fGn 93 to 96 %, GARCH(.2, .78) 92 to 97 % (67 to 73 % under "fgn"), stochastic volatility 92 to 96 %
        (71 to 78 %), a falling standard deviation 94 to 97 % (86 to 90 %).

        Normal in ``int dh / se(h)``, the scale on which the standard error is the same for all H, hence not symmetric
        about the estimate; between 0 and 1 for an estimate there. About an estimate outside (0, 1), which no fGn has,
        the limits are those of the exponent that the method reads, with the error of the nearest H; see `note`. The
        limits hold the bias of the method against it: small for "whittle", "exact" and "quadratic_variations" only.

        >>> from fbmsde import estimate_hurst
        >>> estimate = estimate_hurst(np.random.default_rng(0).standard_normal(1000), kind="increments")
        >>> low, high = estimate.confidence_interval(0.99)
        >>> low < 0.5 < high
        True
        """
        z = special.ndtri(0.5 + checks.fraction("level", level) / 2.0) * self._widening
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
    def note(self) -> Any:
        """What is odd about a series, in whole sentences, str or (n_series,) array of str; empty where nothing is.

        It says what an estimate at or outside the ends of (0, 1) means, and which kind gives another; whether a few
        increments carry the sum of squares (their number, ``(sum x^2)^2 / sum x^4``, is at most 10); and, each with
        p < .001, whether a cycle or a trend stands out and whether the spectrum is that of fGn. Measured: something is
        said of .2 to .5 % of fGn with H = .3 ... .7, n = 64 ... 2000; in white noise of n = 500 a trend or a step of
        one standard deviation and a cycle of amplitude 1 are seen in 99.5 % of series or more, a cycle of amplitude .5
        in 3 of 4. Volatility in clusters is allowed for where `interval` is "robust".

        >>> from fbmsde import estimate_hurst
        >>> walk = np.cumsum(np.random.default_rng(0).standard_normal(1000))
        >>> estimate_hurst(walk, kind="increments").note.split(":")[0]
        'An H at or above 1 is what a path gives, not its increments'
        """
        rows = max(1, BLOCK_VALUES // self._batch.n)
        notes = np.concatenate(self._batch.map(partial(self._notes, np.atleast_1d(self.p_fgn)), rows))
        return str(notes[0]) if np.ndim(self.hurst) == 0 else notes

    def _notes(self, p_fgn: Array, rows: slice) -> NDArray[np.str_]:
        """Notes of some series, empty for those left out."""
        increments, _, faults = self._batch.increments(rows)
        hurst, good = np.atleast_1d(self.hurst)[rows], np.flatnonzero(faults == Fault.NONE)
        whittle = spectral.whittle(increments[good])[0]
        out = [""] * len(faults)
        for i, own in zip(good, whittle, strict=True):
            if np.isfinite(hurst[i]):
                out[i] = notes.note(increments[i], hurst[i], own, p_fgn[rows][i], self.kind)
        for i in np.flatnonzero((faults == Fault.NOT_FINITE) & np.isfinite(hurst)):
            out[i] = notes.note_of_gaps(self._batch.values[rows][i])
        return np.array(out)

    @cached_property
    def null(self) -> Array:
        """Estimates on copies without memory, (n_surrogates,) or (n_series, n_surrogates), none if the model is None.

        Shuffling keeps the values, tails and all, and kills every order: memory, clusters of volatility, drifts of
        mean and size. Flipping signs at random keeps the size of every deviation from the mean in its place and kills
        the correlations; it takes for granted that the signs do not depend on the sizes, as in symmetric laws. Skewed
        values hardly matter to most methods, but "rs_noise_as_path" reads the law of the values: shuffle for it.
        """
        total = len(self._batch.values)
        if self.null_model is None:
            return np.empty((0,) if np.ndim(self.hurst) == 0 else (total, 0))
        control, estimates = np.zeros((total, 2), np.int64), np.empty((total, self.n_surrogates))

        def fill(row: int) -> None:
            def report(copies: int) -> None:
                control[row, 1] += copies

            estimates[row] = self._null_estimates(report, row)

        run_blocks(fill, self._batch.n_jobs, control, estimates.size, self._batch.progress, "copy")
        return estimates[0] if np.ndim(self.hurst) == 0 else estimates

    @cached_property
    def p_no_memory(self) -> Any:
        """Two-sided p-value of no memory from `null`, NaN without one.

        Twice the smaller share of estimates, the observed one included, at or beyond the observed one. With "shuffle"
        it is exact for exchangeable increments of any law, and finds what breaks exchangeability, which volatility in
        clusters does without memory. With "sign_flip" it is exact for increments whose signs are fair coins whatever
        their sizes, hence for GARCH and for noise of drifting strength. Measured rejections at 5 %
        (400 series, n = 2000): of GARCH(.2, .78) and stochastic volatility 24 % by shuffling, 3 % by flipping signs; of
        independent values of five laws 3 to 6 % by either; of fGn with H = .55, 93 % by either.
        """
        if self.null_model is None:
            return self._out(np.full(len(self._batch.values), np.nan))
        observed = np.asarray(self.hurst)[..., None]
        below = 1 + np.sum(~(self.null > observed + 1e-9), axis=-1)
        above = 1 + np.sum(~(self.null < observed - 1e-9), axis=-1)
        p = np.minimum(2.0 * np.minimum(below, above) / (self.n_surrogates + 1), 1.0)
        return self._out(np.where(np.isnan(self.null).any(axis=-1), np.nan, p))

    @cached_property
    def p_fgn(self) -> Any:
        """p-value of the spectrum of fGn against that spectrum times a smooth factor, about the Whittle estimate.

        Score test against ``f(l) exp(sum_k theta_k cos(k l))``, k = 1 ... 8, on the normalised periodogram, with the
        estimation of H projected out; chi-square with 8 degrees of freedom (``n // 2 - 2`` of both below n = 20). It
        sees short-range deviations and trends; single spectral lines and non-Gaussian values it hardly sees. Measured
        rejections at 5 %: 4.2 to 5.7 % of fGn of n = 512 ... 16384, 3.5 % at n = 64, 2.4 to 3.4 % at n = 16 ... 19,
        11 % of independent values of which 98 % are zero. Where `interval` is "robust", the covariance of the scores is
        that over all signs of the residuals.
        """
        rows = max(1, BLOCK_VALUES // self._batch.n)
        return self._out(np.concatenate(self._batch.map(self._fgn_p_values, rows)))

    def _out(self, values: Array) -> Any:
        """A float for one series, the array for several."""
        return float(values.reshape(-1)[0]) if np.ndim(self.hurst) == 0 else values

    def _fgn_p_values(self, rows: slice) -> Array:
        """Goodness-of-fit p-values of some series, NaN for those left out."""
        increments, _, faults = self._batch.increments(rows)
        good = faults == Fault.NONE
        out = np.full(len(good), np.nan)
        if good.any():
            kept = increments[good]
            hurst = spectral.whittle(kept)[0]
            out[good] = residuals.fgn_p_values(kept, hurst, self._robust[rows][good])
        return out

    def _clustering_of(self, rows: slice) -> tuple[Array, Array]:
        """What `_clustering` holds of some series, NaN and 1 for those left out."""
        increments, _, faults = self._batch.increments(rows)
        good = faults == Fault.NONE
        p_values, factors = np.full(len(good), np.nan), np.ones(len(good))
        if good.any():
            kept, n = increments[good], self._batch.n
            hurst = spectral.whittle(kept)[0]
            white = residuals.residuals(kept, hurst)
            score = ESTIMATORS[self.method].score or residuals.whittle_score
            forms = residuals.quadratic_forms(score(hurst, n), n)
            p_values[good] = residuals.clustering_p_values(white, forms)
            factors[good] = residuals.widening(forms, residuals.square_products(white))
        return p_values, factors

    def _rng(self, *place: int) -> np.random.Generator:
        """The random numbers of one purpose: a function of the seed and of `place`."""
        return np.random.default_rng(np.random.SeedSequence([int(word) for word in self._key], spawn_key=place))

    def _null_estimates(self, report: Callable[[int], Any], row: int) -> Array:
        """Estimates on copies of one series without memory, (n_surrogates,): a function of seed and row."""
        increments, _, faults = self._batch.increments(slice(row, row + 1))
        if faults[0] != Fault.NONE:
            report(self.n_surrogates)
            return np.full(self.n_surrogates, np.nan)
        make = partial(NULLS[str(self.null_model)], self._rng(row))
        return self._on_copies(increments, make, report)

    def _on_copies(self, series: Array, make: Callable[[Array], Array], report: Callable[[int], Any]) -> Array:
        """Estimates on what is made of copies of a series (1, n), (n_surrogates,), a cache full at a time."""
        out, at_once = np.empty(self.n_surrogates), max(1, BLOCK_VALUES // self._batch.n)
        for first in range(0, self.n_surrogates, at_once):
            part = out[first : first + at_once]
            part[:] = ESTIMATORS[self.method].fit(make(np.repeat(series, part.size, axis=0)))[0]
            report(part.size)
        return out

    def _surrogate_widening(self, rows: slice) -> Array:
        """Spread of estimates on fGn made of the residuals with random signs over the error of fGn, (1,)."""
        row = rows.start
        increments, _, faults = self._batch.increments(rows)
        if faults[0] != Fault.NONE or not self._robust[row]:
            return np.ones(1)
        hurst, rng = spectral.whittle(increments)[0], self._rng(row, 1)
        white = residuals.residuals(increments, hurst)
        estimates = self._on_copies(
            white, lambda copies: residuals.coloured(_sign_flipped(rng, copies), hurst[0]), lambda _: None
        )
        return np.array([np.nanstd(estimates) / np.atleast_1d(self._fgn_error)[row]])


def _spread(name: str, values: Any) -> str:
    """A number, or the range of several, in words."""
    known = np.ravel(values)[np.isfinite(np.ravel(values))]
    if known.size == 0:
        return f"{name} = nan"
    if known.min() == known.max():
        return f"{name} = {known[0]:.4g}"
    return f"{name} from {known.min():.4g} to {known.max():.4g}"
