"""Hurst estimators: bias and error beside the Cramer-Rao bound, coverage, false memory, other packages.

OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/hurst_estimators.py [accuracy] [coverage] [memory]
[volatility] [bands] [peers]: all without arguments, about 10 minutes. Other packages, if installed: antropy,
hurst, MFDFA, nolds.
"""

import importlib
import sys
import time
import warnings

import numpy as np
from scipy import signal, stats

from fbmsde.drivers.sample import fgn
from fbmsde.hurst import ordinates, residuals, spectral
from fbmsde.hurst.estimate import estimate_hurst
from fbmsde.hurst.registry import ESTIMATORS, NULLS
from fbmsde.hurst.spectral import GRID
from fbmsde.hurst.standard_errors import exact_error

HURST = (0.1, 0.3, 0.5, 0.7, 0.9)
SHORT = (16, 64)
LENGTHS = (512, 2048, 16384)
LAWS = {
    "Gaussian": lambda rng, shape: rng.standard_normal(shape),
    "Student t3": lambda rng, shape: rng.standard_t(3, shape),
    "Student t1.5": lambda rng, shape: rng.standard_t(1.5, shape),
    "Laplace": lambda rng, shape: rng.laplace(size=shape),
    "sparse (2 % non-zero)": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.02),
}


def accuracy(n_series: int = 400, longest_exact: int = 512) -> None:
    """Bias and root-mean-square error of every estimator; in brackets the error over the Cramer-Rao bound."""
    print(f"\n## bias, root-mean-square error (over the Cramer-Rao bound), {n_series} series of fGn")
    for n in LENGTHS:
        bounds = np.interp(HURST, GRID, exact_error(n))
        print(f"\nn = {n:<16}" + "".join(f"H = {hurst:<22}" for hurst in HURST))
        print(f"{'Cramer-Rao bound':<20}" + "".join(f"{'':8}{bound:<18.4f}" for bound in bounds))
        series = [fgn(hurst, n, n_series, seed=n + k) for k, hurst in enumerate(HURST)]
        for method in ESTIMATORS:
            if method == "exact" and n > longest_exact:
                continue
            cells = []
            for hurst, x, bound in zip(HURST, series, bounds, strict=True):
                error = estimate_hurst(x, kind="increments", method=method).hurst - hurst
                root = np.sqrt(np.mean(error**2))
                cells.append(f"{error.mean():+.4f} {root:.4f} ({root / bound:.2f})".ljust(26))
            print(f"{method:<20}" + "".join(cells))


def coverage(n_series: int = 4000) -> None:
    """Share of 95 % intervals that hold the true H, and of p_fgn below 5 % on fGn."""
    print(f"\n## Whittle: coverage of the 95 % interval (share of p_fgn < 5 %), {n_series} series")
    print(f"{'n':<10}" + "".join(f"H = {hurst:<16}" for hurst in HURST))
    for n in (*SHORT, *LENGTHS):
        cells = []
        for k, hurst in enumerate(HURST):
            held, misfit = [], []
            for block in range(n_series // 500):
                estimate = estimate_hurst(fgn(hurst, n, 500, seed=(n + k) * 1000 + block), kind="increments")
                low, high = estimate.confidence_interval()
                held.append(np.mean((low <= hurst) & (hurst <= high)))
                misfit.append(np.mean(estimate.p_fgn < 0.05))
            cells.append(f"{np.mean(held):.4f} ({np.mean(misfit):.3f})".ljust(20))
        print(f"{n:<10}" + "".join(cells))


def memory(n_series: int = 1000, n: int = 1000) -> None:
    """Rate of "memory" found at the 5 % level in series without memory, and what the estimators return on them."""
    low, high = stats.binom.interval(0.95, n_series, 0.05)
    print(f"\n## series without memory, {n_series} of n = {n}: p_no_memory <= .05, due {low:g} to {high:g} times")
    methods = ("whittle", "dfa", "rs_noise_as_path")
    print(f"{'law':<24}" + "".join(f"{method + ': times, estimate':<36}" for method in methods))
    for k, (law, draw) in enumerate(LAWS.items()):
        x = draw(np.random.default_rng(k), (n_series, n))
        cells = []
        for method in methods:
            estimate = estimate_hurst(x, kind="increments", method=method)
            found = int(np.sum(estimate.p_no_memory <= 0.05))
            cells.append(f"{found:<4d} {estimate.hurst.mean():.3f} +- {estimate.hurst.std():.3f}".ljust(36))
        print(f"{law:<24}" + "".join(cells))


def _garch(rng, shape, shock, stay):
    """Uncorrelated values of mean variance 1 with ``variance' = 1 - shock - stay + shock x^2 + stay variance``."""
    out, variance = np.empty((shape[0], shape[1] + 500)), np.ones(shape[0])
    for t in range(out.shape[1]):
        out[:, t] = np.sqrt(variance) * rng.standard_normal(shape[0])
        variance = 1.0 - shock - stay + shock * out[:, t] ** 2 + stay * variance
    return out[:, 500:]


def _stochastic_volatility(rng, shape, stay=0.98, spread=0.25):
    """Normal values whose log-variance is an autoregression of order 1."""
    shocks = spread * rng.standard_normal((shape[0], shape[1] + 500))
    return np.exp(signal.lfilter([1.0], [1.0, -stay], shocks)[:, 500:] / 2.0) * rng.standard_normal(shape)


VOLATILE = {
    "Gaussian": LAWS["Gaussian"],
    "Student t3": LAWS["Student t3"],
    "Student t1.5": LAWS["Student t1.5"],
    "sparse (2 % non-zero)": LAWS["sparse (2 % non-zero)"],
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "GARCH(.2, .78)": lambda rng, shape: _garch(rng, shape, 0.2, 0.78),
    "GARCH(.1, .85)": lambda rng, shape: _garch(rng, shape, 0.1, 0.85),
    "stochastic volatility": _stochastic_volatility,
    "s.d. falls 1 ... .05": lambda rng, shape: rng.standard_normal(shape) * np.linspace(1.0, 0.05, shape[1]),
}


def volatility(n_series: int = 400, n: int = 2000) -> None:
    """Coverage of the intervals, share of robust ones, p_fgn and false memory where the size of the noise varies."""
    print(f"\n## {n_series} series of n = {n}: coverage of 95 % intervals as fgn / auto / robust, share of robust ones")
    print("   under auto, p_fgn < 5 % as fgn / auto; at H = .5 rejections at 5 % by shuffling / by flipping signs")
    for k, (law, draw) in enumerate(VOLATILE.items()):
        cells = []
        for hurst in (0.2, 0.5, 0.8):
            x = draw(np.random.default_rng([k, int(10 * hurst)]), (n_series, n))
            cells.append(_volatile_cell(residuals.coloured(x, hurst) if hurst != 0.5 else x, hurst))
        rejected = _memory_found(draw(np.random.default_rng([k, 5]), (n_series, n)))
        print(f"{law:<24}" + "".join(cells) + rejected, flush=True)
    print(f"power at H = .55: {_memory_found(fgn(0.55, n, n_series, seed=0))}")


def _memory_found(x) -> str:
    """Shares of series in which memory is found at 5 % by each null."""
    found = (estimate_hurst(x, kind="increments", null=null, n_surrogates=99).p_no_memory for null in NULLS)
    return " / ".join(f"{np.mean(p <= 0.05):.3f}" for p in found)


def _volatile_cell(x, hurst: float) -> str:
    """Coverage, share of robust intervals and misfits of series."""
    estimates = {name: estimate_hurst(x, kind="increments", interval=name) for name in ("fgn", "auto", "robust")}
    held = [np.mean((low <= hurst) & (hurst <= high)) for low, high in
            (e.confidence_interval() for e in estimates.values())]  # fmt: skip
    share = np.mean(estimates["auto"].interval == "robust")
    misfit = [np.mean(estimates[name].p_fgn < 0.05) for name in ("fgn", "auto")]
    covered = "/".join(f"{c:.3f}" for c in held)
    return f"H={hurst:g} {covered} {share:.2f} {misfit[0]:.3f}/{misfit[1]:.3f}".ljust(46)


def bands(longest: int = 2**17, values: int = 2**24) -> None:
    """Bias and root-mean-square error from every ordinate and from bands of them, on the same series."""
    print("\n## Whittle from every ordinate | from bands: 1000 bias, 1000 root-mean-square error; largest difference")
    print(f"{'n (series)':<18}" + "".join(f"H = {hurst:<36}" for hurst in HURST))
    for n in 2 ** np.arange(11, int(np.log2(longest)) + 1):
        n_series, cells = min(4000, values // n), []
        for k, hurst in enumerate(HURST):
            errors = [], []
            for first in range(0, n_series, 128):
                x = fgn(hurst, n, min(128, n_series - first), seed=np.random.SeedSequence([n, k, first]))
                for found, longest_single in zip(errors, (longest, n // 2), strict=True):
                    found.append(_estimates(x, longest_single) - hurst)
            every, banded = (np.concatenate(found) for found in errors)
            sizes = [f"{1e3 * e.mean():+.3f} {1e3 * np.sqrt(np.mean(e**2)):.3f}" for e in (every, banded)]
            cells.append(f"{sizes[0]} | {sizes[1]}; {1e3 * np.abs(every - banded).max():.3f}".ljust(40))
        print(f"{f'{n} ({n_series})':<18}" + "".join(cells), flush=True)


def _estimates(x, longest_single: int):
    """Whittle estimates where series up to `longest_single` values have no bands."""
    ordinates.LONGEST_SINGLE = longest_single
    for table in (ordinates.bands, spectral._log_shapes, spectral._whittle_matrix):
        table.cache_clear()
    return spectral.whittle(x)[0]


def _peer_calls(n: int) -> dict:
    """Name -> (package, function of the package that returns an estimate of one series of increments)."""
    lags = np.unique(np.geomspace(8, n // 4, 20).astype(int))

    def mfdfa(package, x):
        return np.polyfit(np.log(lags), np.log(package.MFDFA(x, lag=lags, q=2.0, order=1)[1][:, 0]), 1)[0]

    return {
        "antropy DFA": ("antropy", lambda package, x: package.detrended_fluctuation(x)),
        "nolds DFA": ("nolds", lambda package, x: package.dfa(x)),
        "nolds R/S": ("nolds", lambda package, x: package.hurst_rs(x)),
        "MFDFA, q = 2": ("MFDFA", mfdfa),
        "hurst, simplified R/S of the noise as path": (
            "hurst",
            lambda package, x: package.compute_Hc(x, kind="random_walk", simplified=True)[0],
        ),
        "hurst, R/S of the increments": (
            "hurst",
            lambda package, x: package.compute_Hc(x, kind="change", simplified=False)[0],
        ),
    }


def peers(n_series: int = 60, n: int = 1000) -> None:
    """Bias, error and time per series of other packages and of ours on the same fGn."""
    print(f"\n## beside other packages, {n_series} series of n = {n}: bias, root-mean-square error; time per series")
    series = [fgn(hurst, n, n_series, seed=k) for k, hurst in enumerate(HURST)]
    print(f"{'':<44}" + "".join(f"H = {hurst:<14}" for hurst in HURST) + "microseconds")
    for name, (module, call) in _peer_calls(n).items():
        try:
            package = importlib.import_module(module)
        except (ImportError, TypeError) as error:
            print(f"{name:<44}not available: {error}")
            continue
        call(package, series[0][0])
        _peer_row(name, series, lambda x, call=call, package=package: np.array([call(package, row) for row in x]))
    for method in ESTIMATORS:
        _peer_row(
            f"fbmsde {method}",
            series,
            lambda x, method=method: estimate_hurst(x, kind="increments", method=method, n_jobs=1).hurst,
        )


def _peer_row(name: str, series: list, estimate) -> None:
    """Print one row of the comparison."""
    cells, seconds = [], 0.0
    for hurst, x in zip(HURST, series, strict=True):
        estimate(x[:2])
        start = time.perf_counter()
        error = estimate(x) - hurst
        seconds += time.perf_counter() - start
        cells.append(f"{error.mean():+.3f} {np.sqrt(np.mean(error**2)):.3f}".ljust(18))
    print(f"{name:<44}" + "".join(cells) + f"{1e6 * seconds / (len(HURST) * len(series[0])):.1f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sections = {f.__name__: f for f in (accuracy, coverage, memory, volatility, bands, peers)}
    for section in sys.argv[1:] or sections:
        sections[section]()
