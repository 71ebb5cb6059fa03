"""Notes in words: what a Hurst estimate outside (0, 1) means, and which features of a series no fGn has."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy

from ..core.types import Array, SeriesKind
from ..laws.fgn import fgn_autocovariance
from ..laws.likeness import contradiction, levels_off
from .ordinates import expected_periodogram, ordinate_weights, periodogram
from .spectral import GRID, whittle
from .words import p_text

LEVEL = 1e-3  # a test leads to a note if its p-value is below this
_EDGE = 1e-4  # an estimate so close to an end of GRID means that the likelihood has no minimum inside
_SHORT = 512  # with fewer increments the estimate of H = .95 is often at the edge
_FEW = 10  # a note is written if so many increments or fewer carry the sum of squares
_NEAR = 12  # a spectral line is compared with so many ordinates on either side
_LINES = 5  # cycles that are taken out, of which most are overtones of the first
_FIRST_LINE = 3  # the smallest number of cycles in a series that is told from a trend


def note(increments: Array, hurst: float, whittle_hurst: float, p_fgn: float, kind: SeriesKind) -> str:
    """Sentences about one series of increments (n,) and its estimate, empty if nothing is odd.

    `whittle_hurst` is the Whittle estimate and `p_fgn` the p-value of `fgn_p_values`; each test is made at `LEVEL`. A
    series that looks like a path has a trend and another spectrum anyway, so neither is mentioned.

    >>> increments = np.random.default_rng(0).standard_normal(100)
    >>> increments[7] = 30.0
    >>> note(increments, 0.5, 0.5, 0.5, "increments").split(":")[0]
    'About 1 of 100 increments carry the sum of squares, the largest is number 7'
    """
    line = _about_line(increments, whittle_hurst)
    if line and whittle_hurst > GRID[-1] - _EDGE:
        return " ".join(filter(None, [line, _without_lines(increments, kind), _about_few(increments)]))
    range_said = _about_range(increments, hurst, kind)
    if not range_said and (by_whittle := _about_range(increments, whittle_hurst, kind)):
        range_said = f"By whittle: {by_whittle}"
    said = [range_said or _about_kind(increments, kind), _about_few(increments), line]
    if max(hurst, whittle_hurst) < GRID[-1] - _EDGE:
        said += [_about_trend(increments), _about_spectrum(p_fgn)]
    return " ".join(filter(None, said))


def note_of_gaps(values: Array, kind: SeriesKind) -> str:
    """The note on a series (length,) with gaps, whose longest stretch without one is looked at.

    >>> note_of_gaps(np.array([1.0, np.nan, 2.0]), "path").split(":")[0]
    '1 of 3 values are missing'
    """
    missing = int(np.isnan(values).sum())
    said = f"{missing} of {values.size} values are missing: no null, no test against fGn and no look for oddities."
    return f"{contradiction('x', values, kind)} {said}".strip()


def _about_kind(increments: Array, kind: SeriesKind) -> str:
    """A sentence if the series looks like one of the other kind, else an empty text."""
    values = increments if kind == "increments" else np.append(0.0, np.cumsum(increments))
    return contradiction("x", values, kind)


def _about_spectrum(p_fgn: float) -> str:
    """A sentence if the spectrum is not that of fGn, else an empty text."""
    if not p_fgn < LEVEL:
        return ""
    return f"The spectrum is not that of fGn (p_fgn {p_text(p_fgn)}), or the variance changes in time."


def _about_range(increments: Array, hurst: float, kind: SeriesKind) -> str:
    """A sentence on what an estimate at an edge or outside of (0, 1) says about the kind of the series, else empty."""
    if GRID[0] + _EDGE < hurst < GRID[-1] - _EDGE:
        return ""
    smooth = hurst > 0.5
    if kind == "increments" and smooth and levels_off(increments):
        return _about_return(increments)
    if kind == "increments" and smooth:
        cause = "a path gives, not its increments: if x is one, pass kind='path'"
    elif smooth:
        cause = "a path gives whose increments are one: if x was summed twice, difference it once"
    elif kind == "increments":
        cause = "increments give that were differenced once too often: pass them as they were before"
    else:
        cause = "a series about a level gives, which is no path: pass kind='increments'"
    other = np.diff(increments) if smooth else np.cumsum(increments)
    short = ", or the series is too short to tell" if increments.size < _SHORT else ""
    return f"An H at or {'above 1' if smooth else 'below 0'} is what {cause}{_instead(other)}{short}."


def _about_return(increments: Array) -> str:
    """The sentence on a series that returns to its mean too slowly for an H below 1, and yet is no path."""
    deviations = increments - increments.mean()
    power = np.abs(scipy.fft.rfft(deviations, 2 * deviations.size)) ** 2
    correlation = scipy.fft.irfft(power)[: deviations.size]
    time = max(1, int(np.argmax(correlation < correlation[0] / math.e)))
    return (f"An H at or above 1 is what a path gives, but this series is none: its spectrum levels off at low "
            f"frequencies. It returns to its mean within about {time} values, as an AR(1) does. That is short memory, "
            f"which no H describes: for long memory look at means over {10 * time} values or more.")  # fmt: skip


def _without_lines(increments: Array, kind: SeriesKind) -> str:
    """What is odd about the range of H when the cycle and others beside it are taken out; H where nothing is."""
    rest, hurst = increments, GRID[-1]
    for _ in range(_LINES):
        if not _about_line(rest, float(hurst)):
            break
        rest = _without_line(rest, float(hurst))
        hurst = whittle(rest[None]).hurst[0]
    said = _about_range(rest, float(hurst), kind) or _about_kind(rest, kind)
    return f"Without it: {said}" if said else f"Without it H = {hurst:.2f} by whittle."


def _without_line(increments: Array, hurst: float) -> Array:
    """The increments less the sine, at the best frequency about the line that stands out, that fits them best.

    It is fitted to their differences, in which low frequencies do not hide it.
    """
    steps = np.diff(increments)
    n, peak = increments.size, _line(increments, hurst).place + 1
    time = np.arange(n - 1.0) - n / 2.0

    def rest(place: float) -> Array:
        angle = 2.0 * np.pi * place / n * time
        waves = np.column_stack([np.ones(n - 1), np.cos(angle), np.sin(angle)])
        left: Array = steps - waves[:, 1:] @ np.linalg.lstsq(waves, steps, rcond=None)[0][1:]
        return left

    # above one half of a cycle a step the same sines come back
    ends = (peak - 1.0, min(peak + 1.0, n / 2.0))
    found = scipy.optimize.minimize_scalar(lambda place: float(np.sum(rest(place) ** 2)), bounds=ends, method="bounded")
    return np.append(0.0, np.cumsum(rest(float(found.x))))


def _instead(increments: Array) -> str:
    """The Whittle estimate for other increments in brackets, empty if it does not lie inside the range."""
    if np.ptp(increments) <= 1e-12 * np.abs(increments).max():
        return ""
    hurst = float(whittle(increments[None]).hurst[0])
    return f" (H = {hurst:.2f} then)" if GRID[0] + _EDGE < hurst < GRID[-1] - _EDGE else ""


def _about_few(increments: Array) -> str:
    """A sentence if a few increments carry the sum of squares, else empty.

    The square of that sum over the sum of fourth powers counts them.
    """
    squares = (increments - np.median(increments)) ** 2
    squares /= squares.max()
    count, n = squares.sum() ** 2 / (squares @ squares), increments.size
    if count > min(_FEW, n / 10):
        return ""
    return (
        f"About {count:.0f} of {n} increments carry the sum of squares, the largest is number {squares.argmax()}: the "
        "estimate hardly depends on the others. Look whether they are faults."
    )


class _Line(NamedTuple):
    """The ordinate, counted from 0, that stands out most, its p-value and its share of the variance."""

    place: int
    p_value: float
    share: float


def _line(increments: Array, hurst: float) -> _Line:
    """The spectral line: an F test of the largest ordinate against its neighbours, each over its expected value."""
    power = periodogram(increments[None])[0]
    ratios = power / expected_periodogram(hurst, increments.size)
    peak = _FIRST_LINE - 1 + int(ratios[_FIRST_LINE - 1 :].argmax())
    distance = np.abs(np.arange(ratios.size) - peak)
    near = ratios[(distance > 1) & (distance <= _NEAR)]
    weights = ordinate_weights(increments.size)
    with np.errstate(divide="ignore"):  # the series may hold nothing but the line
        p = ratios.size * scipy.stats.f.sf(ratios[peak] / near.mean(), weights[peak], 2 * near.size)
    return _Line(peak, float(p), float(weights[peak] * power[peak] / (weights @ power)))


def _about_line(increments: Array, hurst: float) -> str:
    """A sentence if a spectral line stands out, else empty."""
    place, p, share = _line(increments, hurst)
    if p >= LEVEL:
        return ""
    period = increments.size / (place + 1)
    return f"A cycle of period {period:.3g} holds {share:.0%} of the variance, as in no fGn: take it out first."


def _about_trend(increments: Array) -> str:
    """A sentence if a line through the increments is steeper than fGn fitted to the rest allows, else empty.

    Increments that lie on a line never get here: their Whittle estimate is at the upper edge.
    """
    n = increments.size
    time = np.arange(n) - (n - 1) / 2.0
    slope = time @ increments / (time @ time)
    rest = increments - increments.mean() - slope * time
    hurst, sigma = (float(value[0]) for value in whittle(rest[None]))
    z = slope * (time @ time) / (sigma * math.sqrt(_moment_variance(hurst, n)))
    p = 2.0 * scipy.stats.t.sf(abs(z), n / 8.0)  # H is fitted: the variance is as uncertain as from n / 8 values
    if p >= LEVEL:
        return ""
    return f"The increments have a trend of {abs(z):.0f} standard errors: without it H = {hurst:.2f} by whittle."


def _moment_variance(hurst: float, n: int) -> float:
    """Variance of ``sum_t (t - (n - 1) / 2) x_t`` for unit fGn x: the sum over lags of covariances times products."""
    lag = np.arange(float(n))
    products = (n - lag) * (((n - lag) ** 2 - 1.0) / 12.0 - lag**2 / 4.0)
    return float(2.0 * (fgn_autocovariance(hurst, lag) @ products) - products[0])
