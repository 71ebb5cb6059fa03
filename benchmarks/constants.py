"""Compute the constants of fractional Brownian motion's extremes and print them as the module ``fbmsde/_tables.py``.

Three tables over the Hurst parameter, each from exact paths (circulant embedding), each with its standard error:

* ``beta_H``, the mean amount by which the maximum on a unit grid misses the maximum in continuous time. Around its
  maximum a path looks the same on every scale, so that the grids of spacing 1 and 2 differ by ``(2^H - 1) beta_H`` on
  average. The difference is taken on one path, averaged over both positions of the coarse grid, and only where the
  maximum falls in the middle half of the window; a window of L points leaves a correction that falls like L^-H and is
  fitted away. At H = 1/2 the known value ``-zeta(1/2)/sqrt(2 pi)`` is the check.
* Pickands' constant on grids, by the estimator of Dieker & Yakir (2014): the mean of ``max e^Z / (delta sum e^Z)`` with
  ``Z = sqrt(2) B_H - |t|^2H`` over the two-sided grid. What is tabulated is the smooth remainder ``-log(delta P^delta)
  - 2 sum_k Psi(s k^H / sqrt(2)) / k``, ``s = delta^H``: it vanishes at H = 1/2 and for wide grids.
* The mean of the maximum of fBm on [0, 1], from the maximum and minus the minimum of paths on a grid, each raised by
  ``beta_H n^-H``.
* The law of that maximum, ``c(z)`` in ``P(max < z) = erf(c(z) z)^(1/H - 1)``. By self-similarity the probability that
  a path has not passed 1 by the time ``z^(-1/H)`` is ``P(max < z)``, so that one run in continuous time gives all z. A
  run up to z = 0.1 fixes the values; a longer one adds ratios of survivors below z = 0.4, on which a bias at its early
  times, where its steps are coarse, has no influence. A polynomial in ``w = z^e / (1 + z^e)`` is fitted to ``log c``:
  it tends to a constant for small z, as the exponent ``1/H - 1`` (Molchan 1999) demands. Shares below
  2e-4 (5e-3 up to H = 0.2) are left out for H < 1/2, where crossings that a run misses would show; the power law goes
  on from there.

    python benchmarks/constants.py --write fbmsde/_tables.py    # about 30 minutes on one core; without --write: prints
    python benchmarks/constants.py --law --write fbmsde/_tables.py    # the law alone, about 15 minutes
    python benchmarks/constants.py --quick                      # half a minute: fresh estimates beside the table
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
import sys
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import numba
import numpy as np
from scipy import fft, optimize, special

from fbmsde import Accuracy, FractionalNoise, Landscape, first_passage
from fbmsde.laws import _extremes_tables
from fbmsde.laws.extremes import barrier_shift, fbm_maximum_mean, pickands_constant
from fbmsde.laws.fgn import fgn_autocovariance

HURST = np.array([0.02, 0.05, *np.arange(10, 100, 5) / 100, 0.98])
SPACINGS = np.array([0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0])  # s = delta^H
LEVELS = np.concatenate([np.geomspace(1e-3, 0.1, 11)[:-1], np.geomspace(0.1, 5.0, 18)])
COUNTED = np.geomspace(1e-3, 8.0, 157)[::4]
LOWEST = {0.1: 1.0, 0.15: 0.5, 0.2: 0.3, 0.25: 0.2, 0.3: 0.02, 0.35: 0.007, 0.4: 0.002}  # below, too few are left
WINDOWS = np.array([128, 512, 2048, 8192, 32768])
REACH = 6.5  # beyond s k^H = 6.5 the drift has taken Z below -42 + 9 N(0, 1)
LAW_HURST = HURST[2:-2]  # 0.1 ... 0.9
PICKANDS_HURST = HURST[4:]  # from 0.2: below, the grid that reaches far enough is too wide to extrapolate from
SEED = 1  # for every H: common random numbers make the tables smoother in H than their standard errors
FLAT = Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x, name="flat")
KNOWN_AT_HALF = (np.log(0.5) / 2.0, np.sqrt(2.0 / np.pi))  # log c and E max
BATCHES = {"beta": 500, "pickands": 120, "maximum": 800}


def paths(hurst: float, n: int, rng: np.random.Generator, batch: int) -> Iterator[np.ndarray]:
    """Endless batches of exact fBm paths on the unit grid, (2 * batch, n), without their start at 0."""
    gamma = fgn_autocovariance(hurst, np.arange(n + 1))
    row = np.concatenate([gamma, gamma[-2:0:-1]])
    roots = np.sqrt(np.maximum(fft.fft(row).real, 0.0) / (2 * n))
    while True:
        normals = rng.standard_normal((batch, 2 * n, 2)).view(complex)[..., 0]
        noise = fft.fft(normals * roots, axis=1, overwrite_x=True)[:, :n]
        yield np.cumsum(np.concatenate([noise.real, noise.imag]), axis=1)


@numba.njit(error_model="numpy")
def _coarsening(path, window, sums):
    """Add count and sum of the maximum's mean loss when every second point goes."""
    for start in range(0, path.size - window + 1, window):
        top = start
        for i in range(start, start + window):
            if path[i] > path[top]:
                top = i
        if window // 4 <= top - start < 3 * window // 4:
            other = -np.inf
            for i in range(start + (top - start + 1) % 2, start + window, 2):
                other = max(other, path[i])
            sums[0] += 1.0
            sums[1] += (path[top] - other) / 2.0


@numba.njit(error_model="numpy")
def _dieker_yakir(path, hurst, spacing, centres, half):
    """Mean over the centres of ``max e^Z / sum e^Z`` on the grid of `half` points to either side."""
    drift = spacing**2 * np.arange(half + 1) ** (2.0 * hurst)
    scale, total = np.sqrt(2.0) * spacing, 0.0
    for c in centres:
        top, mass = 0.0, 1.0
        for k in range(1, half + 1):
            for z in (scale * (path[c + k] - path[c]) - drift[k], scale * (path[c - k] - path[c]) - drift[k]):
                if z > -30.0:
                    mass += np.exp(z)
                    top = max(top, z)
        total += np.exp(top) / mass
    return total / centres.size


def naive_beta(hurst: float) -> float:
    """``-zeta(1-H)/sqrt(2 pi)``, what Spitzer's identity would give if it held for H other than 1/2."""
    return float(-special.zeta(1.0 - hurst) / np.sqrt(2 * np.pi))


def beta_windows(hurst: float, batches: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """beta_H from each window of `WINDOWS`, in units of `naive_beta`, and what each path adds to it, (n_paths, n)."""
    source = paths(hurst, 2**15, np.random.default_rng(seed), 4)
    sums = []
    for path in itertools.chain.from_iterable(itertools.islice(source, batches)):
        sums.append(np.zeros((WINDOWS.size, 2)))
        for window, total in zip(WINDOWS, sums[-1], strict=True):
            _coarsening(path, window, total)
    count, loss = np.moveaxis(np.array(sums), -1, 0)
    mean = loss.sum(axis=0) / count.sum(axis=0)
    unit = (2.0**hurst - 1.0) * naive_beta(hurst)
    return mean / unit, (loss - mean * count) / count.sum(axis=0) / unit


def beta_ratio(hurst: float, batches: int, seed: int) -> tuple[float, float]:
    """beta_H in units of `naive_beta`, windows extrapolated like L^-sqrt(2H) (found empirically), and its error.

    The error adds a quarter of the extrapolation beyond the widest window to the scatter between paths.
    """
    ratio, influence = beta_windows(hurst, batches, seed)
    decay = WINDOWS ** -np.sqrt(2.0 * hurst)
    design = np.stack([np.ones(WINDOWS.size), decay], axis=1)
    solve = _fit(design, np.sqrt(np.sum(influence**2, axis=0)))
    value = solve @ ratio
    scatter = np.sqrt(np.sum((influence @ solve[0]) ** 2))
    return float(value[0]), float(np.hypot(scatter, 0.25 * value[1] * decay[-1]))


def _fit(design: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The matrix that takes data with these errors to the coefficients of weighted least squares."""
    weighted = design / error[:, None]
    return np.linalg.solve(weighted.T @ weighted, weighted.T) / error


def spitzer_sum(spacing: float, hurst: float) -> float:
    """``2 sum_k Psi(s k^H / sqrt(2)) / k`` term by term."""
    k = np.arange(1.0, min((14.0 / spacing) ** (1.0 / hurst), 3e7) + 2.0)
    return 2.0 * float(np.sum(special.ndtr(-spacing * k**hurst / np.sqrt(2.0)) / k))


def pickands_remainder(hurst: float, batches: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``-log(delta P^delta) - spitzer_sum`` at each spacing, NaN out of reach, and what each path adds to it."""
    n, widest = 2**17, 2**15
    halves = np.ceil((REACH / SPACINGS) ** (1.0 / hurst))
    within = np.flatnonzero(halves <= widest)
    means: list[np.ndarray] = []
    for path in itertools.chain.from_iterable(
        itertools.islice(paths(hurst, n, np.random.default_rng(seed), 1), batches)
    ):
        row = np.full(SPACINGS.size, np.nan)
        for i in within:
            half = int(halves[i])
            centres = np.linspace(half, n - half - 1, int(np.clip(2**20 // half, 32, 512))).astype(np.int64)
            row[i] = _dieker_yakir(path, hurst, SPACINGS[i], centres, half)
        means.append(row)
    q = np.mean(means, axis=0)
    naive = [spitzer_sum(s, hurst) if np.isfinite(v) else np.nan for s, v in zip(SPACINGS, q, strict=True)]
    return -np.log(q) - naive, (np.array(means) / q - 1.0) / len(means)


def remainder_fit(hurst: float, beta: float, batches: int, seed: int) -> tuple[np.ndarray, float, float]:
    """Coefficients of ``exp(-s^2/4) (c0 + c1 s + ... + c5 s^5)``, error of c0 and mean squared misfit in errors.

    The slope at 0 is known: ``P^delta = P exp(-sqrt(2) beta_H s)`` fixes c1. Where small spacings are out of reach, c5
    stays 0.
    """
    data, influence = pickands_remainder(hurst, batches, seed)
    use = np.isfinite(data)
    s, error = SPACINGS[use], np.sqrt(np.sum(influence[:, use] ** 2, axis=0))
    damp = np.exp(-(s**2) / 4.0)
    slope = np.sqrt(2.0) * (beta - naive_beta(hurst))
    powers = np.array([0, 2, 3, 4, 5] if s.size == SPACINGS.size else [0, 2, 3, 4])
    design, rest = s[:, None] ** powers * damp[:, None], data[use] - slope * s * damp
    solve = _fit(design, error)
    coefficients = np.zeros(6)
    coefficients[1], coefficients[powers] = slope, solve @ rest
    misfit = np.mean(((rest - design @ coefficients[powers]) / error) ** 2)
    return coefficients, float(np.sqrt(np.sum((influence[:, use] @ solve[0]) ** 2))), float(misfit)


def maximum_mean(hurst: float, beta: float, batches: int, seed: int) -> tuple[float, float]:
    """Mean of the maximum of fBm on [0, 1] and its error."""
    n, size, values = (2**12, 32, []) if hurst < 0.3 else (2**10, 128, [])  # the shift is the limit of fine grids
    for batch in itertools.islice(paths(hurst, n, np.random.default_rng(seed), size), batches):
        values += [np.maximum(batch.max(axis=1), 0.0), np.maximum(-batch.min(axis=1), 0.0)]
    tops = (np.stack(values) + beta) * n**-hurst  # (2 * batches, 2 * size)
    error = float(np.std(tops.mean(axis=1).reshape(-1, 2).mean(axis=1), ddof=1) / np.sqrt(batches))
    return float(tops.mean()), error


class Survivors(NamedTuple):
    """How many of n_paths have a maximum below each level; `anchored`: the share is used, not only the ratios."""

    levels: np.ndarray
    counts: np.ndarray
    n_paths: int
    anchored: bool


def survivors(hurst: float, lowest: float, n_paths: int, seed: int) -> Survivors:
    """Paths of fBm that have not passed 1 at the times ``z^(-1/H)``, for levels z from `lowest` on."""
    accuracy = Accuracy(tolerance=1e-4, miss=1e-8 if hurst < 0.5 else 5e-7)
    horizon, counts = lowest ** (-1.0 / hurst), np.zeros(COUNTED.size)
    for k, size in enumerate([500_000] * (n_paths // 500_000) + [n_paths % 500_000]):
        if size:
            run = first_passage(
                FLAT, FractionalNoise(hurst), 0.0, (-np.inf, 1.0), horizon=horizon, n_paths=size, seed=seed + k,
                monitoring="continuous", fine_steps=2**30 if hurst < 0.5 else 2**28, accuracy=accuracy, n_jobs=1,
            )  # fmt: skip
            times = np.sort(np.where(run.censored, np.inf, run.times))
            counts += times.size - np.searchsorted(times, COUNTED ** (-1.0 / hurst), side="right")
    return usable(hurst, Survivors(COUNTED, counts, n_paths, lowest >= 0.1), lowest)


def usable(hurst: float, found: Survivors, lowest: float) -> Survivors:
    """The counts that the fit takes."""
    share = found.counts / found.n_paths
    take = (found.levels >= lowest * 0.9999) & (found.counts >= 30) & (found.n_paths - found.counts >= 100)
    take &= share > (5e-3 if hurst <= 0.2 else 2e-4 if hurst < 0.5 else 0.0)
    take &= found.anchored | (found.levels < 0.4)
    return found._replace(levels=found.levels[take], counts=found.counts[take])


def law_basis(hurst: float, levels: np.ndarray) -> np.ndarray:
    """Chebyshev polynomials in ``w = z^e / (1 + z^e)``: e = 1/2 and degree 8 from H = 1/2, e = 1 and degree 3 below."""
    power, degree = (1.0, 3) if hurst < 0.5 else (0.5, 8)
    w = levels**power / (1.0 + levels**power)
    return np.polynomial.chebyshev.chebvander(w / 0.36 - 1.0, degree)


def log_law(hurst: float, levels: np.ndarray, log_scale: np.ndarray) -> np.ndarray:
    """``log P(max < z)``."""
    return (1.0 / hurst - 1.0) * np.log(special.erf(np.exp(log_scale) * levels))


def law_row(hurst: float, runs: list[Survivors]) -> tuple[np.ndarray, np.ndarray, float]:
    """``log c`` at `LEVELS`, the relative standard error of the probabilities there, chi2 per degree of freedom.

    The residuals are the numbers that are lost between neighbouring levels, which are independent.
    """

    def residuals(coefficients: np.ndarray) -> np.ndarray:
        out = []
        for levels, counts, n_paths, anchored in runs:
            logs = log_law(hurst, levels, law_basis(hurst, levels) @ coefficients)
            off = logs[:-1] - logs[1:] - np.log(counts[:-1] / counts[1:])
            out.append(off / np.sqrt(1.0 / counts[:-1] - 1.0 / counts[1:]))
            if anchored:
                out.append([(logs[-1] - np.log(counts[-1] / n_paths)) / np.sqrt(1.0 / counts[-1] - 1.0 / n_paths)])
        return np.concatenate(out)

    basis = law_basis(hurst, LEVELS)
    found = optimize.least_squares(residuals, [-0.4] + [0.0] * (basis.shape[1] - 1), method="lm", max_nfev=5000)
    log_scale = basis @ found.x
    slope = (log_law(hurst, LEVELS, log_scale + 1e-6) - log_law(hurst, LEVELS, log_scale))[:, None] / 1e-6 * basis
    error = np.sqrt(np.sum((slope @ np.linalg.inv(found.jac.T @ found.jac)) * slope, axis=1))
    lowest = min(run.levels[0] for run in runs) if hurst < 0.3 else 0.0  # too few levels to extrapolate a slope
    highest = max(run.levels[-1] for run in runs if run.anchored)
    chi2 = 2.0 * found.cost / (found.fun.size - found.x.size)
    return nearest_known(np.where((highest < LEVELS) | (lowest > LEVELS), np.nan, log_scale)), error, float(chi2)


def erf_remainder() -> np.ndarray:
    """The coefficients at H = 1, where ``delta P^delta = erf(s / 2)``, s < 3, exactly."""
    s = np.linspace(0.02, 3.0, 150)
    damp = np.exp(-(s**2) / 4.0)
    data = -np.log(special.erf(s / 2.0)) - [spitzer_sum(x, 1.0) for x in s]
    level, slope = (np.log(np.pi) - np.euler_gamma) / 2.0, -np.sqrt(2.0) * naive_beta(1.0)
    design = s[:, None] ** np.arange(2, 6) * damp[:, None]
    return np.array([level, slope, *(_fit(design, np.ones(s.size)) @ (data - (level + slope * s) * damp))])


def nearest_known(row: np.ndarray) -> np.ndarray:
    """The row with unknown values replaced by the nearest known one: the power laws of both tails."""
    known = np.flatnonzero(np.isfinite(row))
    return row[known[np.abs(np.arange(row.size)[:, None] - known).argmin(axis=1)]]


def compute() -> dict[str, np.ndarray]:
    """All tables, by the names they have in the module."""
    beta = np.array([beta_ratio(h, BATCHES["beta"], SEED) for h in HURST])
    half = HURST == 0.5
    print(f"# check at H = 1/2: beta ratio {beta[half][0]}, exactly 1", file=sys.stderr, flush=True)
    beta[half] = (1.0, 0.0)
    size = {h: beta[i, 0] * naive_beta(h) for i, h in enumerate(HURST)}
    fits = []
    for h in PICKANDS_HURST:
        coefficients, error, misfit = remainder_fit(h, size[h], BATCHES["pickands"] * (3 if h < 0.3 else 1), SEED)
        print(f"# H = {h}: remainder {coefficients[0]:.4f}, misfit {misfit:.2f}", file=sys.stderr, flush=True)
        fits.append((coefficients * (h != 0.5), error * (h != 0.5)))
    means = np.array([maximum_mean(h, size[h], BATCHES["maximum"], SEED) for h in LAW_HURST])
    print(f"# check at H = 1/2: E max {means[LAW_HURST == 0.5][0]}, exactly 0.79788", file=sys.stderr, flush=True)
    means[LAW_HURST == 0.5] = (KNOWN_AT_HALF[1], 0.0)
    return {
        "HURST": HURST,
        "BETA_RATIO": beta[:, 0],
        "BETA_RATIO_ERROR": beta[:, 1],
        "PICKANDS_HURST": np.append(PICKANDS_HURST, 1.0),
        "PICKANDS_REMAINDER": np.array([c for c, _ in fits] + [erf_remainder()]),
        "PICKANDS_ERROR": np.array([e for _, e in fits] + [0.0]),
        **law_tables(),
        "MAXIMUM_MEAN": means[:, 0],
        "MAXIMUM_MEAN_ERROR": means[:, 1],
    }


def law_tables() -> dict[str, np.ndarray]:
    """The tables of the law of the maximum, with what is known at H = 1/2 in place of what was measured there."""
    rows = []
    for hurst in LAW_HURST:
        runs = [survivors(hurst, lowest, n_paths, SEED) for lowest, n_paths in law_runs(hurst)]
        row, error, chi2 = law_row(hurst, runs)
        known = KNOWN_AT_HALF[0]
        off = f", exactly {known:.4f}" if hurst == 0.5 else ""
        print(f"# H = {hurst}: log c {row[0]:.4f}{off}, error {error[0]:.4f}, chi2 {chi2:.2f}", file=sys.stderr)
        rows.append(np.full(LEVELS.size, known) if hurst == 0.5 else row)
    return {
        "LAW_HURST": LAW_HURST,
        "LAW_LEVELS": LEVELS,
        "LAW_LOG_SCALE": np.array(rows),
    }


def law_runs(hurst: float) -> list[tuple[float, int]]:
    """Lowest level and number of paths of each run: about a minute of one core a Hurst value."""
    lowest = max(0.1, LOWEST.get(hurst, 0.0))
    short = (lowest, int(2e6 * hurst**2))
    return [short] if hurst < 0.3 else [short, (LOWEST.get(hurst, 1e-3), 2_000_000)]


DOCS = {
    "HURST": "grid of BETA_RATIO",
    "BETA_RATIO": "beta_H / (-zeta(1 - H) / sqrt(2 pi))",
    "BETA_RATIO_ERROR": "standard error, with a quarter of the extrapolation",
    "PICKANDS_HURST": "grid of PICKANDS_REMAINDER",
    "PICKANDS_REMAINDER": "c0 ... c5 of exp(-s^2/4) sum_j c_j s^j",
    "PICKANDS_ERROR": "standard error of c0, that is of log P",
    "LAW_HURST": "grid of the law of the maximum",
    "LAW_LEVELS": "levels z",
    "LAW_LOG_SCALE": "log c(z), one row for each H",
    "MAXIMUM_MEAN": "E max of fBm on [0, 1]",
    "MAXIMUM_MEAN_ERROR": "standard error",
}


def module(tables: dict[str, np.ndarray]) -> str:
    """The text of the module that holds the tables."""
    lines = [
        '"""Constants of the extremes of fBm: output of ``benchmarks/constants.py``, where the method is described."""',
        "",
        "# fmt: off",
    ]
    for name, table in tables.items():
        rows = [_row(table)] if table.ndim == 1 else [f"({_row(row)})," for row in table]
        wrapped = [textwrap.wrap(row, 110, initial_indent="    ", subsequent_indent="    ") for row in rows]
        lines += [f"# {DOCS[name]}", f"{name} = (", *itertools.chain.from_iterable(wrapped), ")"]
    return "\n".join(lines) + "\n"


def _row(values: np.ndarray) -> str:
    """Numbers with five digits, the exact ones with all, as the inside of a tuple."""
    return ", ".join(repr(float(x)) if x in KNOWN_AT_HALF else f"{x:.5g}" for x in values)


def quick() -> None:
    """Print fresh estimates beside the table at three values of H."""
    for h in (0.3, 0.5, 0.7):
        ratio, error = beta_ratio(h, 60, SEED + 1)
        unit = naive_beta(h)
        print(f"H = {h}: beta_H {ratio * unit:.4f} +- {error * unit:.4f}, table {barrier_shift(h):.4f}")
        coefficients, error, _ = remainder_fit(h, barrier_shift(h), 20, SEED + 1)
        log_p = np.euler_gamma * (0.5 / h - 1.0) - coefficients[0]
        print(f"  Pickands {np.exp(log_p):.4f} +- {np.exp(log_p) * error:.4f}, table {pickands_constant(2 * h):.4f}")
        mean, error = maximum_mean(h, barrier_shift(h), 100, SEED + 1)
        print(f"  E max {mean:.4f} +- {error:.4f}, table {fbm_maximum_mean(h):.4f}")


def main() -> None:
    """Print or write the tables, or check them."""
    parser = argparse.ArgumentParser(description="constants of the extremes of fractional Brownian motion")
    parser.add_argument("--quick", action="store_true", help="compare fresh estimates with the table")
    parser.add_argument("--law", action="store_true", help="compute the law of the maximum, keep the other tables")
    parser.add_argument("--write", metavar="FILE", help="write the module there instead of printing it")
    arguments = parser.parse_args()
    if arguments.quick:
        quick()
        return
    kept = {name: np.array(getattr(_extremes_tables, name)) for name in DOCS if hasattr(_extremes_tables, name)}
    text = module({**kept, **law_tables()} if arguments.law else compute())
    if arguments.write:
        pathlib.Path(arguments.write).write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
