"""Exits in continuous time against exact laws, exact paths and theory; figures.

OMP_NUM_THREADS=1 python benchmarks/continuous.py [SECTION ...]: all sections without arguments, about 20 minutes on one
core. Sections: brownian grid beyond hidden shift drift pickands persistence flip figures.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

import fbmsde
from fbmsde import FractionalNoise, Landscape, first_passage, quadratic
from fbmsde.core import checks
from fbmsde.drivers.rational.streaming import StreamingNoise
from fbmsde.laws import extremes
from fbmsde.laws.diffusions import brownian_survival, ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.results.accuracy import Accuracy
from fbmsde.simulation._jump_kernel import _is_safe, _next_half, _proposed
from fbmsde.simulation._jump_state import Source, begin, carry, drawn, room_of, split, tables_of
from fbmsde.simulation.bridge import bridge_passage
from fbmsde.simulation.budget import drift_error, hidden_between, hidden_excursion
from fbmsde.simulation.continuous import Jumper, Plan, exits
from fbmsde.simulation.exact_ou import fractional_ornstein_uhlenbeck
from fbmsde.simulation.levels import interval_clearance
from fbmsde.simulation.problem import Crowd
from fbmsde.simulation.scan import no_scan
from fbmsde.simulation.watch import interval_watch
from fbmsde.theory import registry

HURST = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
BARRIERS = (0.1, 0.5, 1.0, 2.0)
FLAT = Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x, name="flat")
ALPHA = 1e-6
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe & Ito


def threshold(comparisons: int) -> float:
    """Largest |z| of one of so many comparisons."""
    return float(stats.norm.isf(ALPHA / (2 * comparisons)))


def on_grid(
    landscape: Landscape, hurst: float, barrier: float, n_steps: int, n_paths: int, *, horizon: float = 1.0,
    seed: Any = 1, accuracy: Accuracy | None = None, x0: float = 0.0,
) -> Any:  # fmt: skip
    """Exits through an upper barrier on the grid of n_steps itself, by jumps, the barrier where it is."""
    motion = (landscape.point_gradient, landscape.params)
    region = interval_watch(-math.inf, barrier), interval_clearance
    plan = Plan(motion, *region, np.array([[x0]]), horizon / n_steps, n_steps, n_steps, 0.0)
    key = checks.as_seed(seed)
    return exits(FractionalNoise(hurst), plan, accuracy or Accuracy(), key, Crowd(n_paths, 1))


def continuous(landscape: Landscape, hurst: float, barrier: float, n_paths: int, **options: Any) -> Any:
    """Exits from below an upper barrier in continuous time."""
    settings = {"horizon": 1.0, "seed": 1, "monitoring": "continuous", "n_jobs": 1} | options
    return first_passage(landscape, FractionalNoise(hurst), 0.0, (-math.inf, barrier), n_paths=n_paths, **settings)


def brownian(n_paths: int = 1_000_000) -> None:
    """H = 1/2: exact laws, inside the 99 % interval."""
    print(f"\n## H = 1/2 against exact laws, {n_paths} paths, 99 % interval is |z| < 2.58")
    for barrier in (0.5, 1.0):
        left = continuous(FLAT, 0.5, barrier, n_paths).n_left / n_paths
        exact = 2.0 * stats.norm.sf(barrier)
        z = (left - exact) / math.sqrt(exact * (1 - exact) / n_paths)
        print(f"plain, barrier {barrier}: {left:.5f}, exact {exact:.5f}, z = {z:5.2f}")
    for drift in (-1.0, 1.0):
        slope = Landscape(lambda x, m: -m * x, lambda x, m: -m + 0.0 * x, (drift,))
        left = continuous(slope, 0.5, 1.0, n_paths).n_left / n_paths
        exact = 1.0 - float(brownian_survival(1.0, 1.0, drift=drift))
        z = (left - exact) / math.sqrt(exact * (1 - exact) / n_paths)
        print(f"drift {drift:4.1f}, barrier 1: {left:.5f}, exact {exact:.5f}, z = {z:5.2f}")
    k, after = 2.0, 3.0
    barrier = k * math.sqrt(fou_stationary_variance(0.5))
    passages = continuous(quadratic(), 0.5, barrier, n_paths, horizon=20.0)
    rate, exact = passages.exit_rate(after=after), ou_exit_rate(barrier)
    low, high = rate.confidence_interval(0.99)
    z = (rate.value - exact) / (rate.value / math.sqrt(rate.events))
    print(
        f"OU, k = 2, after t = 3: rate {rate.value:.6f} [{low:.6f}, {high:.6f}], eigenvalue {exact:.6f}, z = {z:5.2f}"
    )
    print(passages.error_budget)
    bridge = bridge_passage(quadratic(), 1.0, 0.0, (-math.inf, barrier), dt=5e-3, horizon=20.0, n_paths=n_paths // 5,
                            seed=2, n_jobs=1).exit_rate(after=after)  # fmt: skip
    print(
        f"bridge, dt = .005, {n_paths // 5} paths: rate {bridge.value:.6f} "
        f"+- {bridge.value / math.sqrt(bridge.events):.6f}"
    )


def exact_maxima(hurst: float, n_steps: int, n_paths: int) -> Any:
    """Largest value of each Davies-Harte path on the grid, (n_paths,)."""
    batch = max(2, 2**22 // n_steps)
    rows = [fbmsde.fbm(hurst, n_steps, batch, seed=s).max(axis=1) for s in range(-(-n_paths // batch))]
    return np.concatenate(rows)[:n_paths]


def grid() -> None:
    """Exit probabilities against Davies-Harte on the same grid, and two broken variants."""
    for n_steps, n_exact, n_paths in ((2**12, 100_000, 100_000), (2**16, 10_000, 40_000)):
        limit, worst = threshold(len(HURST) * len(BARRIERS)), 0.0
        print(
            f"\n## P(exit by 1) on {n_steps} steps: Davies-Harte, {n_exact} paths / jumps, {n_paths} paths (z); "
            f"|z| < {limit:.2f}"
        )
        print(f"a difference of {limit * math.sqrt(0.25 / n_exact + 0.25 / n_paths):.4f} at P = 1/2 is always rejected")
        print("   H   " + "".join(f"barrier {b:<22}" for b in BARRIERS) + "z with miss = .2, .02 at barrier 1")
        for hurst in HURST:
            maxima = exact_maxima(hurst, n_steps, n_exact)
            cells, zs = [], []
            for barrier, accuracy in [(b, Accuracy()) for b in BARRIERS] + [
                (1.0, Accuracy(miss=m)) for m in (0.2, 0.02)
            ]:
                exact = float(np.mean(maxima >= barrier))
                found = on_grid(FLAT, hurst, barrier, n_steps, n_paths, seed=7, accuracy=accuracy)
                p = 1.0 - float(np.mean(found.censored))
                pooled = (exact * n_exact + p * n_paths) / (n_exact + n_paths)
                z = (p - exact) / math.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n_exact + 1 / n_paths))
                cells.append(f"{exact:.4f} / {p:.4f} ({z:5.2f})     ")
                zs.append(z)
            worst = max(worst, *(abs(z) for z in zs[: len(BARRIERS)]))
            print(f"{hurst:5.2f}  " + "".join(cells[: len(BARRIERS)]) + f"{zs[-2]:7.1f} {zs[-1]:7.1f}")
        print(f"largest |z| {worst:.2f}")


def beyond() -> None:
    """Exit probabilities in continuous time beside the tabulated law of the maximum."""
    print(
        "\n## P(exit by 1) in continuous time, 40 000 paths, beside the table of the law of the maximum (error < .004)"
    )
    print("   H  log2 n " + "".join(f"barrier {b:<20}" for b in BARRIERS) + "missed (largest)")
    for hurst in HURST:
        cells, missed, fine = [], 0.0, 0
        for barrier in BARRIERS:
            below = barrier < 15.0 * (0.2 - hurst)  # the table of the law of the maximum ends there
            if below or extremes.barrier_shift(hurst) * 2.0 ** (-26 * hurst) > barrier / 2:
                cells.append("out of reach                 ")
                continue
            passages = continuous(FLAT, hurst, barrier, 40_000, seed=3)
            p = passages.n_left / passages.n_paths
            cells.append(
                f"{1 - float(extremes.fbm_maximum_cdf(hurst, barrier)):.4f} / {p:.4f} "
                f"+- {math.sqrt(p * (1 - p) / 4e4):.4f}  "
            )
            missed = max(missed, passages.error_budget.missed_crossings)
            fine = passages.error_budget.fine_steps
        print(f"{hurst:5.2f} {int(math.log2(fine)):4}   " + "".join(cells) + f"{missed:.1e}")


def hidden() -> None:
    """The estimates of what a jump hides beside simulated values (rank-one conditioning on one point above)."""
    print("\n## hidden excursion of a jump, r standard deviations away, made if it ends d inside: estimate / simulated")
    for hurst in (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9):
        print(f"H = {hurst}")
        for steps in (2, 16, 128, 1024):
            factor = jump_factor(hurst, steps)
            cells = []
            for r, d in ((3.0, 0.0), (4.0, 0.0), (5.0, 0.0), (3.0, 1.0), (3.5, 1.5)):
                bound, found = float(hidden_excursion(hurst, steps, r, d)), simulated_excursion(factor, r, d)
                cells.append(f"r = {r}, d = {d:.0f}: {bound:7.1e} / {found:7.1e}  ")
            for r in (2.5, 3.0):
                bound, found = float(hidden_between(hurst, steps, r)), simulated_between(factor, r)
                cells.append(f"both ends {r}: {bound:7.1e} / {found:7.1e}  ")
            print(f"  M = {steps:4}  " + "".join(cells))


def jump_factor(hurst: float, steps: int) -> Any:
    """The factor (steps, steps) of the covariance of the noise within a jump, in standard deviations of the jump."""
    model = StreamingNoise(hurst, max(steps, 1024))
    lag = np.arange(steps)[:, None]
    weights = model.d + np.sum(model.c * (1.0 - model.rho**lag) / model.decay, axis=1)
    factor = np.array([np.concatenate([weights[i::-1], np.zeros(steps - 1 - i)]) for i in range(steps)])
    return factor / np.sqrt(np.sum(factor[-1] ** 2))


def simulated_between(factor: Any, reach: float) -> float:
    """P(above at some step) of the noise of one jump that ends where it began (Adler, Blanchet & Liu 2012)."""
    pinned = (factor - np.outer(factor @ factor[-1], factor[-1]))[:-1]
    return _simulated(pinned, reach, math.inf)


def simulated_excursion(factor: Any, reach: float, left: float = 0.0) -> float:
    """P(above at some step, `left` below at the last) of the noise of one jump (Adler, Blanchet & Liu 2012)."""
    return _simulated(factor, reach, reach - left)


def _simulated(factor: Any, level: float, last: float, n_paths: int = 4000) -> float:
    """P(above the level at some step, below `last` at the last one) of a Gaussian walk with this factor."""
    covariance = factor @ factor.T
    sd = np.sqrt(np.diag(covariance))
    tails = stats.norm.sf(level / sd)
    rng = np.random.default_rng(0)
    when = rng.choice(len(sd), n_paths, p=tails / tails.sum())
    paths = rng.standard_normal((n_paths, factor.shape[1])) @ factor.T
    high = sd[when] * stats.norm.isf(tails[when] * rng.random(n_paths))
    rows = np.arange(n_paths)
    paths += covariance[when] / sd[when, None] ** 2 * (high - paths[rows, when])[:, None]
    above = np.maximum(1, (paths > level).sum(axis=1))
    return float(tails.sum() * np.mean((paths[:, -1] < last) / above))


def shift() -> None:
    """How much of the overshoot the moved barrier leaves, on coarse grids."""
    print("\n## P(exit by 1) at barrier 1: raw and shifted grids, 200 000 paths, minus the value of 2^22 steps")
    print("   H   fine        " + "".join(f"2^{k}: raw    shifted (left over)     " for k in (6, 10, 14)))
    for hurst in (0.2, 0.3, 0.4, 0.6, 0.7, 0.8):
        n_paths = 200_000 if hurst > 0.25 else 60_000
        fine = continuous(FLAT, hurst, 1.0, n_paths, seed=5, fine_steps=2**22).n_left / n_paths
        cells = []
        for k in (6, 10, 14):
            raw = 1.0 - float(np.mean(on_grid(FLAT, hurst, 1.0, 2**k, n_paths, seed=6).censored)) - fine
            moved = continuous(FLAT, hurst, 1.0, n_paths, seed=6, fine_steps=2**k).n_left / n_paths - fine
            cells.append(f"{raw:+.4f} {moved:+.4f} ({moved / raw:+.3f} +- {math.sqrt(0.5 / n_paths) / abs(raw):.3f})  ")
        print(f"{hurst:5.2f} {fine:.4f}  " + "".join(cells))


def drift() -> None:
    """The drift between jumps against exact fractional Ornstein-Uhlenbeck paths on the same grid."""
    n_steps, horizon, n_paths = 2**12, 8.0, 20_000
    print(
        f"\n## survival in the quadratic well, k = 2, {n_steps} steps up to t = 8: exact paths / jumps (z), "
        f"{n_paths} paths each"
    )
    times = (1.0, 2.0, 4.0, 8.0)
    print("   H  drift_step  variance error" + "".join(f"{'t = ' + str(t):>24}" for t in times))
    for hurst in (0.1, 0.3, 0.5, 0.7, 0.9):
        barrier = 2.0 * math.sqrt(fou_stationary_variance(hurst))
        inside = []
        for s in range(10):
            x = fractional_ornstein_uhlenbeck(hurst, n_steps, n_paths // 10, dt=horizon / n_steps, x0=0.0, seed=s)
            out = np.maximum.accumulate(x, axis=1) >= barrier
            inside.append([np.count_nonzero(~out[:, int(t / horizon * n_steps)]) for t in times])
        exact = np.sum(inside, axis=0) / n_paths
        for step in (0.02, 0.2):
            found = on_grid(
                quadratic(), hurst, barrier, n_steps, n_paths, horizon=horizon, accuracy=Accuracy(drift_step=step)
            )
            when = np.where(found.censored, np.inf, found.ends.steps * horizon / n_steps)
            got = np.array([np.mean(when > t) for t in times])
            z = (got - exact) / np.sqrt(2 * got * (1 - got) / n_paths)
            cells = "".join(f"{e:9.4f} / {g:.4f} ({v:5.2f})" for e, g, v in zip(exact, got, z, strict=True))
            print(f"{hurst:5.2f} {step:8.2f} {drift_error(hurst, step):14.1e}  " + cells)


def pickands() -> None:
    """Exit rates of the quadratic well in continuous time beside theory and the grid."""
    print("\n## exit rate / a of the quadratic well: grid of dt = 1/512, shifted grid, continuous time; Pickands")
    print("   H    k  grid      shifted   continuous +- s.e.   Pickands  ratio   eigenvalue (H = 1/2)")
    for hurst, k, horizon, n_paths in (
        (0.3, 2.5, 12.0, 40_000), (0.3, 3.0, 24.0, 40_000), (0.3, 3.5, 40.0, 20_000), (0.5, 3.0, 60.0, 20_000),
        (0.7, 2.5, 60.0, 20_000), (0.7, 3.0, 100.0, 20_000),
    ):  # fmt: skip
        barrier = k * math.sqrt(fou_stationary_variance(hurst))
        coarse = {
            name: first_passage(quadratic(), FractionalNoise(hurst), 0.0, (-math.inf, barrier), dt=1 / 512, seed=2,
                                horizon=horizon, n_paths=8000, monitoring=name, n_jobs=1).exit_rate(after=2.0).value
            for name in ("grid", "shifted")
        }  # fmt: skip
        rate = continuous(quadratic(), hurst, barrier, n_paths, horizon=horizon).exit_rate(after=2.0)
        limit = registry.FORMULAS["pickands"].evaluate(hurst=hurst, curvature=1.0, sigma=1.0, barrier=barrier, sides=1)
        exact = f"{ou_exit_rate(barrier):.5f}" if hurst == 0.5 else ""
        print(
            f"{hurst:5.2f} {k:4} {coarse['grid']:.5f}   {coarse['shifted']:.5f}   {rate.value:.5f} +- "
            f"{rate.value / math.sqrt(rate.events):.5f}   {float(limit):.5f}   {rate.value / float(limit):.3f}   "
            f"{exact}"
        )


def persistence() -> None:
    """Exponent of the survival of fBm, by maximum likelihood of a power law beyond the time at which S = .03."""
    print("\n## persistence: S ~ t^-(1-H) of the passage of 1, 10^6 paths on 2^30 steps")
    print("   H   1 - H   S = .3 to .03       .03 to the end     smallest S")
    for hurst, horizon in ((0.3, 3e5), (0.4, 5e6), (0.5, 3e7), (0.7, 1e8)):
        passages = continuous(FLAT, hurst, 1.0, 1_000_000, horizon=horizon, fine_steps=2**30)
        times = np.sort(passages.times)
        begin, end = times[int(0.7 * times.size)], times[int(0.97 * times.size)]
        cells = []
        for low, high in ((begin, end), (end, horizon)):
            events = np.count_nonzero((times > low) & (times < high))
            exponent = events / np.sum(np.log(np.clip(times, low, high) / low))
            cells.append(f"{exponent:.4f} +- {exponent / math.sqrt(events):.4f}")
        print(
            f"{hurst:5.2f} {1 - hurst:5.2f}   {cells[0]}    {cells[1]}    {np.mean(passages.censored):.1e}", flush=True
        )


def flip() -> None:
    """Sharp against flat wells of one height in continuous time."""
    print("\n## exit rate of a sharp (a = 4) and a flat (a = 1) well of the same height dV in continuous time")
    print("   H    dV   sharp              flat              sharp / flat")
    for hurst, height in ((0.3, 1.5), (0.5, 2.0), (0.6, 2.0), (0.7, 2.0), (0.8, 2.0)):
        rates = []
        for a in (4.0, 1.0):
            barrier = math.sqrt(2.0 * height / a)
            r = continuous(quadratic(a), hurst, barrier, 20_000, horizon=40.0 if hurst > 0.4 else 10.0).exit_rate()
            rates.append((r.value, r.value / math.sqrt(r.events)))
        (s, es), (f, ef) = rates
        print(f"{hurst:5.2f} {height:5} {s:.4f} +- {es:.4f}   {f:.4f} +- {ef:.4f}   {s / f:.3f}")


def traced_path(hurst: float, barrier: float, log_n: int, seed: int) -> list[tuple[float, float]]:
    """Times and places at which one path of fBm stands between its jumps, until it leaves or time 1."""
    n_steps, noise = 2**log_n, FractionalNoise(hurst)
    jumper = Jumper.of(noise, n_steps, n_steps, 1, checks.as_seed(seed), Accuracy())
    clock = (1.0 / n_steps, noise.increment_scale(1.0 / n_steps))
    limits, scan, tables = jumper.limits(clock[1], math.inf), no_scan(), tables_of(jumper.tables)
    source = Source(jumper.key, np.ascontiguousarray(jumper.model.start), jumper.model.level_sd, jumper.source.mixing)
    fixed = (FLAT.point_gradient, (), interval_clearance, (-math.inf, barrier), tables, scan.line,
             scan.stiffness(limits.far), limits, clock)  # fmt: skip
    room = room_of(source, tables, 1)
    begin(source, 0, room)
    x, now, m, position = (0.0,), 0, len(tables.rank) - 1, room.normals.size
    half, offset, pending, places = 0, 0, 0, [(0.0, 0.0)]
    while now < n_steps and x[0] < barrier:
        m = m if half else min(m + 1, len(tables.rank) - 1, (n_steps - now).bit_length() - 1)
        fits, m, shock, clear, _, position = _proposed(*fixed, x, m, half, room, source.mixing, position)
        deviation = clock[1] * tables.deviation[m]
        y = (x[0] + drawn(shock, room, deviation, m * tables.n_pair + offset, tables.n_pair)[0],)
        inside = fits and y[0] < barrier
        if _is_safe(interval_clearance, (-math.inf, barrier), limits, y, m, half, inside, clear)[0]:
            carry(room, tables, m, offset)
            x, now = y, now + 2**m
            places.append((now / n_steps, x[0]))
            half, m, pending = _next_half(pending, m)
            offset = half * tables.rank[m]
        else:
            position = split(room, tables, m, offset, position)
            m, half, offset = m - 1, 1, 0
            pending |= 1 << m
    return places


def path_figure(axes: Any) -> None:
    """One path and its jumps, the approach to the barrier enlarged."""
    barrier, hurst = 1.0, 0.3
    traces = (traced_path(hurst, barrier, 20, seed) for seed in range(50))
    t, x = np.array(next(trace for trace in traces if 0.2 < trace[-1][0] < 0.8)).T
    sizes = np.round(np.log2(np.diff(t) * 2**20))
    for axis, first in zip(axes, (0, np.searchsorted(t, t[-1] - 2e-3)), strict=True):
        t = t if first == 0 else 1e3 * (t - t[-1])
        axis.plot(t[first:], x[first:], "-", color="#BBBBBB", linewidth=0.6)
        dots = axis.scatter(
            t[first + 1 :], x[first + 1 :], s=6, c=sizes[first:], cmap="viridis_r", vmin=0, vmax=sizes.max()
        )
        axis.axhline(barrier, color=COLOURS[1], linewidth=1)
    axes[0].set(xlabel="time", title=f"H = {hurst}, 2^20 fine steps: {len(t) - 1} jumps")
    axes[1].set(xlabel="thousandths before the exit", title="the end of it")
    axes[0].set_ylabel("x")
    axes[1].figure.colorbar(dots, ax=list(axes), label="log2 of the steps jumped")


def jumps_figure(axis: Any) -> None:
    """Jumps per path against the effective grid."""
    for hurst, colour in zip((0.2, 0.3, 0.5, 0.7), COLOURS, strict=False):
        logs = np.arange(8, 31, 2)
        counts = [on_grid(FLAT, hurst, 1.0, 2 ** int(k), 300).budget.jumps_per_path for k in logs]
        axis.plot(logs, counts, "o-", markersize=3, color=colour, label=f"H = {hurst}")
    axis.plot(logs, 2.0**logs, ":", color="black", label="every step")
    axis.set(yscale="log", ylim=(3, 1e5), xlabel="log2 of the effective grid", ylabel="jumps per path")
    axis.set_title("fBm to a barrier at 1 within time 1")
    axis.legend()


def law_figures(axes: Any) -> None:
    """Law of the maximum, first-passage density and time of the maximum beside their perturbative formulas."""
    for hurst, colour in zip((0.33, 0.5, 0.67), COLOURS, strict=False):
        passages = continuous(FLAT, hurst, 1.0, 60_000, horizon=30.0, seed=11)
        times = passages.times[~passages.censored]
        level = (
            times**-hurst
        )  # by self-similarity the maximum on [0, 1] exceeds y when the passage of 1 is before y^(-1/H)
        edges = np.linspace(0.4, 3.5, 32)
        weights = np.full(level.size, 1.0 / passages.n_paths / np.diff(edges)[0])
        axes[0].hist(level, edges, weights=weights, histtype="step", color=colour)
        y = np.linspace(0.4, 3.5, 200)
        axes[0].plot(y, extremes.fbm_maximum_density(hurst, y), "--", color=colour, label=f"H = {hurst}")
        bins = np.geomspace(0.02, 30.0, 30)
        density = np.histogram(times, bins)[0] / passages.n_paths / np.diff(bins)
        middle = np.sqrt(bins[1:] * bins[:-1])
        axes[1].plot(middle, density, "o", markersize=3, color=colour)
        formula = extremes.fbm_maximum_density(hurst, middle**-hurst) * hurst * middle ** (-hurst - 1.0)
        axes[1].plot(middle, formula, "--", color=colour, label=f"H = {hurst}")
        paths = np.concatenate([fbmsde.fbm(hurst, 2**12, 5000, seed=s).argmax(axis=1) for s in range(6)]) / 2**12
        axes[2].hist(paths, 40, density=True, histtype="step", color=colour)
        inner = np.linspace(0.005, 0.995, 200)
        axes[2].plot(inner, extremes.fbm_argmax_density(hurst, inner), "--", color=colour, label=f"H = {hurst}")
    axes[0].set(xlabel="maximum on [0, 1]", ylabel="density")
    axes[1].set(xscale="log", yscale="log", xlabel="first passage of 1", ylabel="density", ylim=(1e-5, 5))
    axes[2].set(xlabel="time of the maximum", ylabel="density", ylim=(0, 4))
    for axis in axes:
        axis.legend(title="formula dashed")


def figures() -> None:
    """The three figures, as PNG files in the working directory."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    path_figure(axes)
    figure.savefig("continuous_path.png", dpi=130)
    figure, axis = plt.subplots(figsize=(6, 4.5), layout="constrained")
    jumps_figure(axis)
    figure.savefig("continuous_jumps.png", dpi=130)
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    law_figures(axes)
    figure.savefig("continuous_laws.png", dpi=130)


_ALL = (brownian, grid, beyond, hidden, shift, drift, pickands, persistence, flip, figures)
SECTIONS = {f.__name__: f for f in _ALL}


def main(arguments: list[str]) -> None:
    """Run the sections named, all without arguments."""
    for name in arguments or SECTIONS:
        begin = time.time()
        SECTIONS[name]()
        print(f"({name}: {time.time() - begin:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
