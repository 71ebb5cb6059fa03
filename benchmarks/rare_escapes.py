"""Rare escapes beside exact laws, beside plain simulation, and one method beside another.

Run: python benchmarks/rare_escapes.py [PART ...] [--quick]

A line holds the value to be met, the estimate, its relative standard error, their difference z in standard errors
(of the logarithms, with the error of both), the CPU seconds on one thread and the millions of steps of all paths. The
seed of a run is a checksum of its name: runs are independent, and no seed was chosen. The program fails if an estimate
misses at 99.9 %, where Student's quantiles replace those of z, or if a trap returns a wrong number. An estimate that
was refused is NaN.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import scipy

from fbmsde import (
    Continuous,
    EpochNoise,
    FractionalNoise,
    Grid,
    Landscape,
    LevelSet,
    NoEstimateError,
    PassageTimes,
    RareProblem,
    Shifted,
    StableNoise,
    double_well,
    first_passage,
    langevin,
    quadratic,
    sgd,
)
from fbmsde.drivers.base import Driver
from fbmsde.dynamics.base import Dynamics
from fbmsde.laws.diffusions import mean_exit_time, ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.rare.bending import Conditioned
from fbmsde.rare.runs import Method
from fbmsde.rare.splitting import Splitting
from fbmsde.rare.subset import SubsetSimulation
from fbmsde.results.rare import RareEscape

LEVEL = 0.999
class Found(NamedTuple):
    """An estimate: its value, the standard error of its logarithm, how far its interval at 99.9 % reaches there, the
    CPU seconds and the number of steps. An estimate that was refused is NaN, and `note` says why."""

    value: float
    error: float
    reach: float
    seconds: float = 0.0
    steps: float = 0.0
    note: str = ""


class Line(NamedTuple):
    """A comparison: what is found and what it should be, with the error of that."""

    name: str
    law: Found
    found: Found

    @property
    def z(self) -> float:
        """The difference of the logarithms in standard errors."""
        return math.log(self.found.value / self.law.value) / math.hypot(self.found.error, self.law.error)

    @property
    def fails(self) -> bool:
        """Whether the two differ by more than their intervals at 99.9 % allow; without a number there is nothing to."""
        gap = abs(math.log(self.found.value / self.law.value))
        return gap > math.hypot(self.found.reach, self.law.reach)

    def __str__(self) -> str:
        law, found = self.law, self.found
        return (
            f"{self.name:58s} {law.value:.4e} +- {law.error:5.1%}  {found.value:.4e} +- {found.error:5.1%} "
            f"z {self.z:+5.2f}  {found.seconds:6.1f} s {found.steps / 1e6:8.1f} M  "
            f"{'FAILS ' if self.fails else ''}{found.note or law.note}"
        )


def seed_of(*names: object) -> int:
    """A seed for a run that is described by these words and numbers."""
    return zlib.crc32(repr(names).encode())


def exact(value: float) -> Found:
    """A value without error."""
    return Found(value, 0.0, 0.0)


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """What a function returns, and the CPU seconds that it took."""
    start = time.process_time()
    return run(), time.process_time() - start


class Case(NamedTuple):
    """An equation, its start and its domain, with a step and a time."""

    equation: Landscape | Dynamics
    x0: float
    domain: Any
    dt: float
    after: float
    horizon: float


def monitoring_of(case: Case, noise: Driver) -> Grid:
    """Continuous time where the shift is known, and the steps themselves otherwise."""
    if isinstance(case.equation, Landscape) and isinstance(noise, FractionalNoise):
        return Shifted(case.dt, "heun")
    return Grid(case.dt, "heun" if case.dt < 1.0 else "euler")


def rare(case: Case, noise: Driver, method: Method, side: str | None = None) -> Found:
    """The rate after a time by as many replicas as `rare_escape` runs at first, through one side or any."""
    common = isinstance(case.domain, LevelSet)
    domain = "level set" if common else case.domain  # the address of its function changes
    seed = seed_of(method, case.equation.name, noise, domain, case.horizon)
    problem = RareProblem(case.equation, noise, case.x0, case.domain, horizon=case.horizon, seed=seed,
                          monitoring=monitoring_of(case, noise), method=method)  # fmt: skip
    found, seconds = timed(lambda: problem.replicas(32 if common else 10, n_jobs=1))
    try:
        rate = (found if side is None else found.by_side(side)).rate(case.after, LEVEL)
    except NoEstimateError as refusal:
        return Found(math.nan, math.nan, math.nan, seconds, found.path_steps, str(refusal))
    reach = math.log(rate.high / rate.value)
    error = reach / float(scipy.stats.t.isf((1.0 - LEVEL) / 2.0, found.n_replicas - 1))
    return Found(rate.value, error, reach, seconds, found.path_steps)


def plain(passages: PassageTimes, after: float, seconds: float = 0.0) -> Found:
    """The mean rate after a time, as `RareEscape.rate` has it, from plain paths."""
    inside = passages.survival().at([after, passages.horizon])
    n, share = passages.n_paths, 1.0 - inside[1] / inside[0]
    rate = -math.log1p(-share) / (passages.horizon - after)
    error = math.sqrt(share / ((1.0 - share) * n * inside[0])) / -math.log1p(-share)
    return Found(rate, error, float(scipy.stats.norm.isf((1.0 - LEVEL) / 2.0)) * error, seconds)


def unit(hurst: float) -> float:
    """The strength of the noise that gives the well of curvature 1 unit variance."""
    return float(fou_stationary_variance(hurst) ** -0.5)


def well(hurst: float, k: float, dt: float) -> tuple[Case, Driver]:
    """The quadratic well of unit variance, to be left through k."""
    return Case(quadratic(1.0), 0.0, (None, k), dt, 4.0, 8.0), FractionalNoise(hurst, unit(hurst))


def ou(share: float) -> Iterator[Line]:
    """The Ornstein-Uhlenbeck process against its exact eigenvalues."""
    for k in (3.0, 4.0, 5.0, 6.0, 8.0):
        case, noise = well(0.5, k, 1 / 256)
        for method in (Conditioned(int(2000 * share)), Splitting(8192), SubsetSimulation(512)):
            law = exact(ou_exit_rate(k, sigma=unit(0.5)))
            yield Line(f"OU, u = {k}, {method.name}", law, rare(case, noise, method))


def fou(share: float) -> Iterator[Line]:
    """Fractional wells against plain simulation in continuous time, and three methods against each other."""
    for hurst, dt in ((0.3, 1 / 1024), (0.7, 1 / 128)):
        for k in (3.0, 3.5):
            (case, noise), name = well(hurst, k, dt), f"fOU, H = {hurst}, u = {k}"
            law = brute(case, noise, int(100_000 * share), name, Continuous())
            found = rare(case, noise, Conditioned(int(2000 * share)))
            yield Line(f"{name}, conditioned, plain ({law.seconds:.0f} s)", law, found)
        for k in (6.0, 8.0):
            (case, noise), name = well(hurst, k, dt), f"fOU, H = {hurst}, u = {k}"
            law = rare(case, noise, Conditioned(int(2000 * share)))
            for method in (Splitting(4096), SubsetSimulation(256)):
                found = rare(case, noise, method)
                yield Line(f"{name}, {method.name}, conditioned ({law.seconds:.0f} s)", law, found)


def _quartic(x: float) -> float:
    return 0.25 * x * x * x * x


def _cubed(x: float) -> float:
    return x * x * x


QUARTIC = Landscape(_quartic, _cubed, name="quartic", minima=(0.0,))
DOUBLE = double_well(8.0, 2.0, 1.0)


CASES = {
    "quartic": Case(QUARTIC, 0.0, (None, 1.5), 1 / 128, 4.0, 8.0),
    "double well": Case(DOUBLE, -1.0, (None, 0.5), 1 / 128, 1.0, 3.0),
    "langevin": Case(langevin(quadratic(1.0), 1.0), 0.0, (None, 1.5), 1 / 32, 6.0, 12.0),
    "epochs": Case(sgd(quadratic(1.0), learning_rate=0.1), 0.0, (None, 1.0), 1.0, 40.0, 80.0),
}


def noise_of(name: str, hurst: float, sigma: float) -> Driver:
    """The noise of a case."""
    return EpochNoise(1437, 128, sigma, phase=0) if name == "epochs" else FractionalNoise(hurst, sigma)


def sigma_at(case: Case, rate: float) -> float:
    """The strength of white noise at which a case has this exact rate."""

    def gap(log_sigma: float) -> float:
        return math.log(mean_exit_time(case.equation, case.x0, case.domain, sigma=math.exp(log_sigma)) * rate)

    return math.exp(scipy.optimize.brentq(gap, math.log(0.1), math.log(3.0)))


# The strengths of noise at which the probability is about 1e-3, and 1e-8.
STRENGTHS = {
    ("quartic", 0.3): (0.42, 0.30),
    ("quartic", 0.5): (0.53, 0.36),
    ("quartic", 0.7): (0.60, 0.40),
    ("double well", 0.3): (0.50, 0.33),
    ("double well", 0.5): (0.54, 0.35),
    ("double well", 0.7): (0.54, 0.33),
    ("langevin", 0.3): (0.70, 0.45),
    ("langevin", 0.7): (0.52, 0.32),
    ("epochs", 0.5): (2.4, 1.4),
}


def wells(share: float) -> Iterator[Line]:
    """Splitting against subset simulation, both against plain simulation where it sees escapes."""
    for (name, hurst), strengths in STRENGTHS.items():
        case = CASES[name]
        for sigma, seen in zip(strengths, (True, False), strict=True):
            noise, title = noise_of(name, hurst, sigma), f"{name}, H = {hurst}, sigma = {sigma}"
            methods = Splitting(2048 if seen else 8192), SubsetSimulation(512)
            two = {method.name: rare(case, noise, method) for method in methods}
            yield Line(f"{title}, subset, splitting", two["splitting"], two["subset"])
            if seen:
                law = brute(case, noise, int(2_000_000 * share), title, monitoring_of(case, noise))
                for method, found in two.items():
                    yield Line(f"{title}, {method}, plain ({law.seconds:.0f} s)", law, found)


def brute(case: Case, noise: Driver, n_paths: int, name: str, monitoring: Grid | Continuous) -> Found:
    """The rate of a case by plain paths."""
    passages, seconds = timed(lambda: first_passage(
        case.equation, noise, case.x0, case.domain, horizon=case.horizon, monitoring=monitoring, n_paths=n_paths,
        seed=seed_of(name), n_jobs=1))  # fmt: skip
    return plain(passages, case.after, seconds)


def diffusions(share: float) -> Iterator[Line]:
    """White noise in wells that are not quadratic against the exact mean exit time, and the sides of two wells."""
    for name, dt in (("quartic", 1 / 1024), ("double well", 1 / 512)):
        case = CASES[name]._replace(dt=dt, after=4.0, horizon=8.0)  # paths take some time from the saddle to the end
        for rate in (1e-4, 1e-8, 1e-12):
            noise = FractionalNoise(0.5, sigma_at(case, rate))
            for method in (Splitting(8192), SubsetSimulation(512)):
                yield Line(f"{name}, H = 0.5, {method.name}", exact(rate), rare(case, noise, method))
    for domain in ((-1.5, 1.5), (-1.5, 1.6)):
        case, sigma = CASES["quartic"]._replace(domain=domain, dt=1 / 512), 0.45
        total, (low, high) = 1.0 / mean_exit_time(QUARTIC, 0.0, domain, sigma=sigma), climbs(domain, sigma)
        for side, part in (("lower", high / (low + high)), ("upper", low / (low + high))):
            for method in (Splitting(4096), SubsetSimulation(512)):
                found = rare(case, FractionalNoise(0.5, sigma), method, side)
                yield Line(f"quartic, H = 0.5, {domain}, {side}, {method.name}", exact(total * part), found)


def climbs(domain: tuple[float, float], sigma: float) -> list[float]:
    """The scale function of white noise in the quartic well from 0 to either end."""
    each = (scipy.integrate.quad(lambda y: math.exp(y**4 / (2.0 * sigma**2)), 0.0, abs(end)) for end in domain)
    return [float(value) for value, _ in each]


class Coverage(NamedTuple):
    """How many of the runs have an interval of 95 % that holds the probability, and how many leave doubts."""

    name: str
    covered: int
    doubted: int
    n_runs: int
    mean: float

    @property
    def fails(self) -> bool:
        """Whether the intervals that are given cover less than 80 %, beyond what chance does at 99.9 %."""
        given = self.n_runs - self.doubted
        return bool(scipy.stats.binom.cdf(self.covered, given, 0.8) < 1.0 - LEVEL)

    def __str__(self) -> str:
        return (
            f"{self.name:40s} covered {self.covered} of {self.n_runs - self.doubted}, {self.doubted} runs left doubts, "
            f"mean over the probability {self.mean:.3f}{' FAILS' if self.fails else ''}"
        )


def coverage(share: float) -> Iterator[Coverage]:
    """Intervals of ten small replicas over 100 runs at 1e-4, beside 25 large replicas of splitting."""
    ou, ou_noise = Case(quadratic(1.0), 0.0, (None, 4.2), 1 / 128, 0.0, 2.0), FractionalNoise(0.5, unit(0.5))
    wells = CASES["double well"]._replace(after=0.0)
    settings = [(ou, ou_noise, method) for method in (Conditioned(100), Splitting(256), SubsetSimulation(256))]
    settings += [(wells, FractionalNoise(0.3, 0.45), method) for method in (Splitting(256), SubsetSimulation(256))]
    for case, noise, method in settings:
        law = probabilities(case, noise, Splitting(4096), 25)
        found = [probabilities(case, noise, method, 10, run) for run in range(int(100 * share))]
        given = [each.probability() for each in found if not each.doubts]
        covered = sum(each.low < law.values.mean() < each.high for each in given)
        mean = sum(each.values.mean() for each in found) / len(found) / law.values.mean()
        name = f"{case.equation.name}, H = {noise.hurst}, {method}"
        yield Coverage(name, covered, len(found) - len(given), len(found), mean)


def probabilities(case: Case, noise: Driver, method: Method, n_replicas: int, run: int = 0) -> RareEscape:
    """Replicas of a method, of one of several runs."""
    seed = seed_of("coverage", method, noise, run)
    problem = RareProblem(case.equation, noise, case.x0, case.domain, horizon=case.horizon, seed=seed,
                          monitoring=monitoring_of(case, noise), method=method)  # fmt: skip
    return problem.replicas(n_replicas, n_jobs=1)


class Trap(NamedTuple):
    """A case that is built to mislead a method: what came back, and whether that is a wrong number."""

    name: str
    answer: str
    fails: bool

    def __str__(self) -> str:
        return f"{self.name:58s} {'FAILS ' if self.fails else ''}{self.answer}"


def traps(share: float) -> Iterator[Trap]:
    """Cases in which each method is wrong, which its diagnostics have to notice."""
    hidden, white = Landscape(two_ways, uphill, (6.0,), name="two ways"), FractionalNoise(0.5)
    law = 1.0 / mean_exit_time(hidden, 0.0, (-3.0, 3.0), sigma=1.0)
    common = Case(hidden, 0.0, LevelSet(lambda x: abs(x) - 3.0), 1 / 128, 5.0, 10.0)
    for method in (Splitting(1024), SubsetSimulation(512)):
        yield trap(f"hidden way, one score for both sides, {method.name}", common, white, method, law)
        sides = common._replace(domain=(-3.0, 3.0))
        yield trap(f"hidden way, a score for each side, {method.name}", sides, white, method, law)
    steep = Case(quadratic(1.0), 0.0, (None, 4.0), 1 / 128, 4.0, 8.0)
    yield trap("one jump leads beyond, splitting", steep, StableNoise(1.2, 1e-4), Splitting(256), math.nan)
    rough, sigma = CASES["quartic"], STRENGTHS["quartic", 0.3][1]
    for method in (Splitting(16), Splitting(128), SubsetSimulation(128, sweeps=1)):
        law = rare(rough, FractionalNoise(0.3, sigma), SubsetSimulation(1024)).value
        yield trap(f"quartic, H = 0.3, {method}", rough, FractionalNoise(0.3, sigma), method, law)
    for k, dt, n_paths in ((8.0, 1 / 16, 1000), (6.0, 1 / 256, 10), (0.5, 1 / 256, 1000)):
        case, noise = well(0.3, k, dt)
        law = rare(case._replace(dt=1 / 1024), noise, Conditioned()).value
        yield trap(f"conditioned, u = {k}, dt = {dt}, {n_paths} paths", case, noise, Conditioned(n_paths), law)


def two_ways(x: float, height: float) -> float:
    """To the right a parabola with a wall beyond 2; to the left a steep rise to `height` at -1 and then a plateau."""
    y = min(-x, 1.0)
    return 0.5 * x * x + 8.0 * max(x - 2.0, 0.0) ** 2 if x > 0.0 else height * y * y * (3.0 - 2.0 * y)


def uphill(x: float, height: float) -> float:
    """The slope of `two_ways`."""
    y = min(-x, 1.0)
    return x + 16.0 * max(x - 2.0, 0.0) if x > 0.0 else -6.0 * height * y * (1.0 - y)


def trap(name: str, case: Case, noise: Driver, method: Method, law: float) -> Trap:
    """What a method answers to a trap: a number is right if its interval at 99.9 % holds the law."""
    try:
        found = rare(case, noise, method)
    except ValueError as error:
        return Trap(name, f"refused: {error}", False)
    if math.isnan(found.value):
        return Trap(name, f"no number: {found.note}", False)
    wrong = not abs(math.log(found.value / law)) <= found.reach
    return Trap(name, f"{found.value:.3e} +- {found.error:.0%}, right is {law:.3e}", wrong)


PARTS: dict[str, Callable[[float], Iterator[Line | Coverage | Trap]]] = {
    "ou": ou, "fou": fou, "wells": wells, "diffusions": diffusions, "coverage": coverage, "traps": traps,
}  # fmt: skip


def main() -> None:
    """Print the lines of some parts; exit status 1 if one fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a tenth of the plain and of the conditioned paths")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {min(unknown)}.")
    failed = 0
    for part in options.parts or PARTS:
        for line in PARTS[part](0.1 if options.quick else 1.0):
            print(line, flush=True)
            failed += line.fails
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
