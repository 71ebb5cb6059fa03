"""Simulations through the public functions of the package, beside the laws that they must obey.

Run: python benchmarks/oracles.py [NAME ...] [--quick]

It prints a table in Markdown with the value of the law, the measured one, its standard error and their difference z in
standard errors. The seed of a row is a checksum of what it runs: rows are independent, and no seed was chosen.

For a law of the kind "exact", z is that of a correct program up to the errors of the step that is named in the row.
"asymptotic" and "approximate" laws have errors of their own, which z shows where the runs are long enough.

Measured in two and a half minutes on one thread: the largest |z| of 47 comparisons with exact laws is 2.5. Rates of the
turnover are 4 to 14 % below their formula at a barrier of five temperatures, and largest at the middle friction. The
formula for the upper end under fBm is too large by 0.005 at x = 0.3, H = 0.33 and 0.67 (standard error 0.001).
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from fbmsde import (
    Continuous,
    EpochNoise,
    Equation,
    FractionalNoise,
    GaussianNoise,
    Landscape,
    PassageTimes,
    Shifted,
    StableNoise,
    Stationary,
    anti_pgd,
    arfima,
    ball,
    double_well,
    first_passage,
    langevin,
    quadratic,
    reflected,
    resetting,
    residence_times,
    sgd,
    simulate_paths,
)
from fbmsde.drivers.base import Driver
from fbmsde.dynamics.base import Dynamics
from fbmsde.laws.diffusions import mean_exit_time
from fbmsde.laws.epochs import epoch_autocorrelation
from fbmsde.laws.extremes import barrier_shift
from fbmsde.laws.fgn import fgn_autocovariance
from fbmsde.laws.inertia import langevin_variance, turnover_escape_rate
from fbmsde.laws.linear_chains import chain_autocovariance, chain_variance
from fbmsde.laws.momentum import momentum_variance
from fbmsde.laws.splitting import (
    ball_mean_exit_time,
    brownian_exit_at_top,
    brownian_resetting_mean_time,
    exit_at_top,
    ou_exit_at_top,
)
from fbmsde.laws.stable import stable_exit_at_top, stable_exit_rate, stable_mean_exit_time

Array = NDArray[np.float64]
N_SAMPLES, BATCH = 1437, 128
QUICK = 0.1  # the share of the paths under --quick
FREE = Equation(lambda t, x: 0.0, name="free")
BROWNIAN = FractionalNoise(0.5)


class Row(NamedTuple):
    """A law's value, the measured one and its standard error."""

    name: str
    law: float
    measured: float
    error: float
    kind: str = "exact"

    @property
    def z(self) -> float:
        """The difference in standard errors."""
        return (self.measured - self.law) / self.error


def mean_row(name: str, law: float, values: Array, kind: str = "exact") -> Row:
    """The mean of independent values."""
    return Row(name, law, float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)), kind)


def share_row(name: str, law: float, passages: PassageTimes, side: str, kind: str = "exact") -> Row:
    """The share of the paths that left through one side."""
    share = passages.split()[side].value
    return Row(name, law, share, math.sqrt(law * (1.0 - law) / passages.n_paths), kind)


def seed_of(*names: object) -> int:
    """A seed for a run that is described by these words and numbers."""
    return zlib.crc32(repr(names).encode())


def squares(
    equation: Dynamics | Landscape, noise: Driver, n_paths: float, *, burn_in: float, seed: int, dt: float | None = None
) -> Array:
    """Squared positions of stationary paths, each averaged over nine times in a stretch as long as the burn-in."""
    n_steps = 8 * round(burn_in / (dt or 1.0) / 8)
    paths = simulate_paths(equation, noise, Stationary(burn_in), dt=dt, n_steps=n_steps, save_every=n_steps // 8,
                           n_paths=int(n_paths), seed=seed, solver="heun" if dt else "euler", n_jobs=1)  # fmt: skip
    values = paths.values if paths.values.ndim == 2 else paths.values[:, :, 0]
    return np.mean(values**2, axis=1)


def epoch_chain(share: float) -> Iterator[Row]:
    """Spread of gradient descent under epochs, over that with replacement."""
    for drift in (0.1, 0.8):
        phi, finite = 1.0 - drift, (N_SAMPLES - BATCH) / (N_SAMPLES - 1.0)
        unit = finite * (1.0 - phi * phi)
        law = unit * chain_variance(phi, lambda lags: epoch_autocorrelation(lags, N_SAMPLES, BATCH))
        found = squares(sgd(quadratic(drift), 1.0), EpochNoise(N_SAMPLES, BATCH), 1e5 * share, burn_in=160.0,
                        seed=seed_of("epochs", drift))  # fmt: skip
        square = mean_row("", law, unit * found)
        deviation = math.sqrt(square.measured)
        yield Row(f"epochs over replacement, standard deviation, drift {drift}", math.sqrt(law), deviation,
                  square.error / (2.0 * deviation))  # fmt: skip


def anticorrelated(share: float) -> Iterator[Row]:
    """The moving average of Anti-PGD in the chain with phi = 0.9."""
    found = squares(sgd(quadratic(0.1), 1.0), anti_pgd(), 1e5 * share, burn_in=160.0, seed=seed_of("Anti-PGD"))
    yield mean_row("Anti-PGD, variance 1/(1 + phi), phi = 0.9", 1.0 / 1.9, found)


def any_gaussian(share: float) -> Iterator[Row]:
    """Stationary Gaussian noise by its autocovariance in the same chain."""
    noises = {"(1 + k/10)^-2": GaussianNoise(lambda k: 1.0 / (1.0 + 0.1 * k) ** 2), "ARFIMA, d = 0.3": arfima(0.3)}
    for name, noise in noises.items():
        found = squares(sgd(quadratic(0.1), 1.0), noise, 6e4 * share, burn_in=160.0, seed=seed_of(name))
        yield mean_row(f"Gaussian noise, variance, {name}", chain_variance(0.9, noise.autocovariance), found)


def heavy_ball(share: float) -> Iterator[Row]:
    """Momentum 0.9 at learning rate 0.1 and curvature 2."""
    numbers = {"learning_rate": 0.1, "momentum": 0.9, "curvature": 2.0}
    chain = sgd(quadratic(2.0), learning_rate=0.1, momentum=0.9)
    for hurst in (0.5, 0.3, 0.7):
        law = momentum_variance(lambda lags, h=hurst: fgn_autocovariance(h, lags), **numbers)
        found = squares(chain, FractionalNoise(hurst), 6e4 * share, burn_in=400.0, seed=seed_of("momentum", hurst))
        yield mean_row(f"heavy ball, variance, H = {hurst}", law, found)
    law = momentum_variance(lambda lags: epoch_autocorrelation(lags, N_SAMPLES, BATCH), **numbers)
    found = squares(chain, EpochNoise(N_SAMPLES, BATCH), 6e4 * share, burn_in=400.0, seed=seed_of("momentum, epochs"))
    yield mean_row("heavy ball, variance, epochs of 11", law, found)


def inertia(share: float) -> Iterator[Row]:
    """The spread of a particle with inertia in a quadratic well."""
    for hurst in (0.3, 0.5, 0.7):
        found = squares(langevin(quadratic(1.0), friction=1.0), FractionalNoise(hurst), 2e4 * share, burn_in=40.0,
                        seed=seed_of("langevin", hurst), dt=0.02)  # fmt: skip
        yield mean_row(f"Langevin, variance, H = {hurst}, dt = 0.02", langevin_variance(hurst, friction=1.0), found)


def turnover(share: float) -> Iterator[Row]:
    """Escape from a minimum of a symmetric double well: the rate is largest at the middle one of three frictions.

    All paths begin at the left minimum. With p the share on the right, ``1 - 2p`` falls like ``exp(-2 rate t)``.
    """
    well, temperature, early, late = double_well(4.0, 4.0, 1.0), 0.2, 100.0, 400.0
    for friction in (0.05, 1.0, 10.0):
        sigma = math.sqrt(2.0 * friction * temperature)
        law = turnover_escape_rate(height=1.0, curvature=4.0, friction=friction, sigma=sigma)
        paths = simulate_paths(langevin(well, friction), FractionalNoise(0.5, sigma), well.minima[0], dt=0.05,
                               n_steps=8000, save_every=400, n_paths=int(16_000 * share),
                               seed=seed_of("turnover", friction), solver="heun", n_jobs=1)  # fmt: skip
        times, signs = paths.times, -np.sign(paths.values[:, :, 0])
        first, last = signs[:, np.searchsorted(times, early)], signs[:, -1]
        rate = math.log(first.mean() / last.mean()) / (2.0 * (late - early))
        influence = (first / first.mean() - last / last.mean()) / (2.0 * (late - early))
        error = float(influence.std()) / math.sqrt(len(signs))
        yield Row(f"turnover, escape rate, friction {friction:g}", law, rate, error, "asymptotic")


def getoor(share: float) -> Iterator[Row]:
    """Mean exit time of stable motion from (-1, 1), from two steps whose error is taken as ``dt^(1/alpha)``."""
    for alpha in (1.0, 1.3, 1.5, 1.8):
        ratio = 4.0 ** (1.0 / alpha)
        times = [first_passage(FREE, StableNoise(alpha), 0.0, (-1.0, 1.0), dt=dt, horizon=60.0,
                               n_paths=int(200_000 * share), seed=seed_of("Getoor", alpha, dt), n_jobs=1).times
                 for dt in (1e-3, 2.5e-4)]  # fmt: skip
        coarse, fine = (mean_row("", 0.0, found) for found in times)
        law, measured = stable_mean_exit_time(alpha, (-1.0, 1.0)), ratio * fine.measured - coarse.measured
        error = math.hypot(ratio * fine.error, coarse.error)
        yield Row(f"Getoor, mean exit time, alpha = {alpha}", law, measured / (ratio - 1.0), error / (ratio - 1.0))


def weak_jumps(share: float) -> Iterator[Row]:
    """Exit from (-1, 2) of the harmonic well under weak stable noise: rate times mean time, and the side."""
    domain = (-1.0, 2.0)
    for alpha in (1.2, 1.5, 1.8):
        for eps in (0.2, 0.1, 0.05):
            rate = stable_exit_rate(alpha, domain, sigma=eps)
            n_paths = int(share * min(20_000, 1e6 * rate + 2000))
            exits = first_passage(quadratic(1.0), StableNoise(alpha, eps), 0.0, domain, dt=0.02, horizon=16.0 / rate,
                                  n_paths=n_paths, seed=seed_of("weak", alpha, eps), n_jobs=1)  # fmt: skip
            yield mean_row(f"weak stable noise, rate x mean, alpha = {alpha}, eps = {eps}", 1.0, rate * exits.times,
                           "asymptotic")  # fmt: skip
        yield share_row(f"weak stable noise, P(lower), alpha = {alpha}, eps = {eps}",
                        1.0 - stable_exit_at_top(alpha, domain), exits, "lower", "asymptotic")  # fmt: skip


def wiese_exit_at_top(x: float, hurst: float) -> float:
    """Probability that fBm from x leaves [0, 1] at 1, to first order in eps = H - 1/2 (Wiese 2019).

    Its derivative by x is ``[x(1-x)]^(1/H-2) exp(16 eps (C-1) (x-1/2)^2)`` up to a factor, with Catalan's constant C.
    """
    power, bend = 1.0 / hurst - 2.0, 16.0 * (hurst - 0.5) * (0.915965594177219 - 1.0)

    def below(end: float) -> float:
        """The integral of the density from 0 to an end below 1; the root at 0 is the weight of the quadrature."""
        smooth = scipy.integrate.quad(lambda y: (1.0 - y) ** power * math.exp(bend * (y - 0.5) ** 2), 0.0, end,
                                      weight="alg", wvar=(power, 0.0))  # fmt: skip
        return float(smooth[0])

    return below(x) / (2.0 * below(0.5))


def sides(share: float) -> Iterator[Row]:
    """Exits at the upper end in continuous time."""
    flat = Landscape(lambda x, pull: -pull * x, lambda x, pull: -pull, (0.0,), name="slope")
    slope = Landscape(flat.potential, flat.gradient, (1.0,), name="slope")
    well, narrow = double_well(4.0, 1.0, 0.5), (-1.2, 1.5)
    cases: list[tuple[str, float, Landscape, float, tuple[float, float], float, str]] = [
        ("Brownian", brownian_exit_at_top(0.3, (0.0, 1.0)), flat, 0.3, (0.0, 1.0), 0.5, "exact"),
        ("drift 1", brownian_exit_at_top(0.3, (0.0, 1.0), drift=1.0), slope, 0.3, (0.0, 1.0), 0.5, "exact"),
        ("Ornstein-Uhlenbeck", ou_exit_at_top(0.2, narrow), quadratic(1.0), 0.2, narrow, 0.5, "exact"),
        ("double well", exit_at_top(well, -0.2, narrow), well, -0.2, narrow, 0.5, "exact"),
        ("fBm, H = 0.33", wiese_exit_at_top(0.3, 0.33), flat, 0.3, (0.0, 1.0), 0.33, "approximate"),
        ("fBm, H = 0.67", wiese_exit_at_top(0.3, 0.67), flat, 0.3, (0.0, 1.0), 0.67, "approximate"),
    ]
    for name, law, landscape, x0, domain, hurst, kind in cases:
        exits = first_passage(landscape, FractionalNoise(hurst), x0, domain, monitoring=Continuous(), horizon=30.0,
                              n_paths=int(40_000 * share), seed=seed_of(name), n_jobs=1)  # fmt: skip
        yield share_row(f"P(upper), {name}", law, exits, "upper", kind)


def balls(share: float) -> Iterator[Row]:
    """Exit of Brownian motion from the unit ball: the mean time from distance 1/2, and the place from the centre."""

    def nothing(t: float, x: Array, out: Array) -> None:
        out[:] = 0.0

    spaces = {3: (Equation(lambda t, x: (0.0, 0.0, 0.0), dim=3), 2e-4), 16: (Equation(nothing, dim=16), 1e-4)}
    for d, (equation, dt) in spaces.items():
        inside = np.zeros(d)
        inside[0] = 0.5
        off, centred = (
            first_passage(equation, BROWNIAN, x0, ball(1.0), monitoring=Shifted(dt), horizon=10.0,
                          n_paths=int(10_000 * share), seed=seed_of("ball", d, x0[0]), n_jobs=1)
            for x0 in (inside, np.zeros(d))
        )  # fmt: skip
        yield mean_row(f"ball, mean exit time, d = {d}", ball_mean_exit_time(1.0, distance=0.5, dim=d), off.times)
        units = centred.place / np.linalg.norm(centred.place, axis=1)[:, None]
        rayleigh = d * len(units) * float(np.sum(units.mean(axis=0) ** 2))
        yield Row(f"ball, Rayleigh's statistic of the place, d = {d}", d, rayleigh, math.sqrt(2.0 * d))


def wall(share: float) -> Iterator[Row]:
    """A path at a reflecting wall after 1024 steps, beside the running maximum of a free one: Kolmogorov's distance.

    Under the law, the distance times ``sqrt(n/2)`` has the mean ``sqrt(pi/2) log 2`` and the variance
    ``pi^2/12 - pi/2 (log 2)^2`` of the Kolmogorov distribution.
    """
    n_paths, n_steps = int(20_000 * share), 1024
    mean, variance = math.sqrt(math.pi / 2.0) * math.log(2.0), math.pi**2 / 12.0 - math.pi / 2.0 * math.log(2.0) ** 2
    for hurst in (0.3, 0.7):
        noise, unit = FractionalNoise(hurst), math.sqrt(2.0 / n_paths)
        held = simulate_paths(reflected(FREE, lower=0.0), noise, 0.0, dt=1.0, n_steps=n_steps, save_every=n_steps,
                              n_paths=n_paths, seed=seed_of("wall", hurst), n_jobs=1).values[:, -1]  # fmt: skip
        free = simulate_paths(FREE, noise, 0.0, dt=1.0, n_steps=n_steps, n_paths=n_paths, seed=seed_of("free", hurst),
                              n_jobs=1).values  # fmt: skip
        found = scipy.stats.ks_2samp(held, free.max(axis=1))
        yield Row(f"wall and maximum, Kolmogorov's distance, H = {hurst} (p = {found.pvalue:.2f})", mean * unit,
                  float(found.statistic), math.sqrt(variance) * unit)  # fmt: skip


def resets(share: float) -> Iterator[Row]:
    """Brownian motion to 1, put back at rate 1; the boundary is moved by the mean overshoot of the grid."""
    dt = 1e-3
    near = 1.0 - barrier_shift(0.5) * math.sqrt(dt)
    exits = first_passage(resetting(FREE, 1.0), BROWNIAN, 0.0, (None, near), dt=dt, horizon=100.0,
                          n_paths=int(40_000 * share), seed=seed_of("resetting"), n_jobs=1)  # fmt: skip
    yield mean_row("resetting, mean passage time, dt = 0.001", brownian_resetting_mean_time(1.0, 1.0), exits.times)


def stationary_start(share: float) -> Iterator[Row]:
    """The chain of the quadratic well started in its stationary law: variance and autocovariance."""
    dt, n_paths = 0.1, int(200_000 * share)
    for hurst in (0.3, 0.5, 0.7):
        noise = FractionalNoise(hurst)
        law = chain_autocovariance(31, 1.0 - dt, lambda lags, noise=noise: noise.autocovariance(lags, dt))
        values = simulate_paths(quadratic(1.0), noise, "stationary", dt=dt, n_steps=30, n_paths=n_paths,
                                seed=seed_of("stationary", hurst), n_jobs=1).values  # fmt: skip
        for k in (0, 1, 5, 30):
            yield mean_row(f"stationary start, Var X at step {k}, H = {hurst}", float(law[0]), values[:, k] ** 2)
        for k in (5, 30):
            product = values[:, 0] * values[:, k]
            yield mean_row(f"stationary start, Cov(X_0, X_{k}), H = {hurst}", float(law[k]), product)


def residence(share: float) -> Iterator[Row]:
    """Mean residence from core to core at H = 1/2; cores and entries are moved by the mean overshoot of the grid."""
    well, radius, sigma, dt = double_well(4.0, 1.0, 0.5), 0.3, 0.7, 2e-3
    found = residence_times(well, FractionalNoise(0.5, sigma), radius=radius, dt=dt, n_steps=500_000,
                            n_paths=int(512 * share), seed=seed_of("residence"), n_jobs=1)  # fmt: skip
    past = barrier_shift(0.5) * sigma * math.sqrt(dt)
    left, right = well.minima[0] + radius - past, well.minima[1] - radius + past
    laws = (
        mean_exit_time(well, left, (-math.inf, right), sigma=sigma),
        mean_exit_time(well, right, (left, math.inf), sigma=sigma),
    )
    for minimum, law in enumerate(laws):
        mean = found.mean(minimum)
        name = ("sharp", "flat")[minimum]
        yield Row(f"residence, mean at the {name} minimum, dt = {dt}", law, mean.value, mean.standard_error)


ORACLES: dict[str, Callable[[float], Iterator[Row]]] = {
    "epochs": epoch_chain,
    "anti-pgd": anticorrelated,
    "gaussian": any_gaussian,
    "momentum": heavy_ball,
    "langevin": inertia,
    "turnover": turnover,
    "getoor": getoor,
    "weak-jumps": weak_jumps,
    "sides": sides,
    "balls": balls,
    "wall": wall,
    "resets": resets,
    "stationary": stationary_start,
    "residence": residence,
}


def main() -> None:
    """Print the table, and the largest |z| of the exact laws."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(ORACLES)}; all by default")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:.0%} of the paths")
    options = parser.parse_args()
    unknown = set(options.names) - set(ORACLES)
    if unknown:
        parser.error(f"NAME must be one of {', '.join(ORACLES)}, got {min(unknown)}.")
    print("| oracle | law | value of the law | measured | standard error | z |\n|---|---|---|---|---|---|")
    exact = []
    for name in options.names or ORACLES:
        for row in ORACLES[name](QUICK if options.quick else 1.0):
            exact += [abs(row.z)] if row.kind == "exact" else []
            print(f"| {row.name} | {row.kind} | {row.law:.5g} | {row.measured:.5g} | {row.error:.2g} | {row.z:+.1f} |",
                  flush=True)  # fmt: skip
    if exact:
        print(f"\nThe largest |z| of {len(exact)} comparisons with exact laws is {max(exact):.1f}.")


if __name__ == "__main__":
    main()
