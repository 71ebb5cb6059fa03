"""The study that asks whether gradient noise has memory: small networks in groups, measured in four ways."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import scipy

from ...campaigns.zarr_store import ZarrStore
from ...core import checks
from ...core.bars import bar
from ...core.types import Array
from ...drivers.sample import fgn
from ...hurst.estimate import estimate_hurst
from ...hurst.registry import EstimatorName
from ...results.estimates import Estimate
from ...results.gradient_runs import MeasuredNoise, Memory, Run, RunResult
from .gradient_noise import GradientNoise, collect_gradient_noise, hill_index, train
from .laws import describe
from .networks import accuracy, load_samples, make_network, one_thread, optional, sharpest_direction
from .nulls import later_nulls
from .runs import FIRST_METHODS, GROUPS, LATER, SETTINGS, Effort, Experiment, SgdStudy, protocol_of
from .stored import Task, kept, require_same_settings, warn_of_earlier_runs
from .tails import tails

REFERENCES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "Gaussian white noise": lambda rng, shape: rng.standard_normal(shape),
    "Student t1.5, independent": lambda rng, shape: rng.standard_t(1.5, shape),
    "stable 1.5, independent": lambda rng, shape: scipy.stats.levy_stable.rvs(1.5, 0.0, size=shape, random_state=rng),
    "2 % non-zero, independent": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.02),
    "fGn, H = 0.7": lambda rng, shape: fgn(0.7, shape[1], shape[0], seed=rng),
}
_WITHOUT_TAILS = ("2 % non-zero, independent", "fGn, H = 0.7")  # logarithms of zero; dependent steps


def sgd_study(
    store: str | os.PathLike[str],
    *,
    groups: Sequence[str] = tuple(GROUPS),
    data: str = "digits",
    n_samples: int = 2000,
    effort: Effort | None = None,
    seed: int = 0,
    progress: bool = False,
) -> SgdStudy:
    """The runs of the groups, each kept in the store in the folder `store` when it is finished and not run again.

    Every run trains a network, then takes its gradient noise in the four ways of `SETTINGS` and measures it on
    `n_coordinates` random coordinates: H by Whittle and by the simplified rescaled range with the noise taken for the
    path. Both are also taken on copies without memory, and all coordinates of a step are treated alike there, so that
    the p-value of the median over coordinates is exact although the coordinates share their batches. Noise of shuffled
    epochs is also described by the laws of `laws.describe`, and that of fresh batches by `tails.tails`.

    For Whittle's estimator every step gets a random sign. The size of every step stays in its place, so that noise
    whose size drifts during training, or comes in clusters, is not taken for memory. For the rescaled range the steps
    are shuffled, because it follows the law of the values, which flipping signs would make symmetric. Shuffling tests
    exchangeable steps: during training a small p of the rescaled range may mean that the size drifts.

    The group "protocol-2022" reads three times as many steps by the rescaled range in windows of 50 to 445 steps, and
    `nulls` of the result says what that estimator returns for series without long memory.

    Parameters
    ----------
    store : a folder, which is made if it is missing.
    groups : keys of `GROUPS`.
    data : "digits", or "synthetic" for `n_samples` points in ten clouds.
    effort : how much work goes into each run, `Effort()` if None; `QUICK` is for trying the study out.
    seed : of the networks, the batches, the coordinates and the copies.

    An interrupt ends the study after the finished runs with ``complete=False``. Raises ImportError without PyTorch or
    scikit-learn or zarr, ValueError if the store holds runs with other settings.

    >>> import tempfile
    >>> tiny = Effort(n_train=20, n_steps=100, n_coordinates=4, n_surrogates=19)
    >>> study = sgd_study(tempfile.mkdtemp(), groups=["batch size"], data="synthetic", n_samples=700, effort=tiny)
    >>> len(study.runs), study.complete
    (4, True)
    """
    for package in ("torch", "sklearn"):
        optional(package)
    if not groups:
        raise ValueError(f"groups must hold at least one of {', '.join(GROUPS)}, got none.")
    effort, seed = effort or Effort(), checks.count("seed", seed, 0, math.inf)
    tasks = [Task(name, experiment, data, n_samples, seed, _longer(effort, name))
             for name in groups for experiment in _chosen(checks.choice("groups", name, GROUPS), effort)]  # fmt: skip
    warn_of_earlier_runs(Path(store))
    runs: list[Run] = []
    run, complete = _once(_run), True
    with ZarrStore(store) as opened, one_thread():
        require_same_settings(opened, tasks)
        references = _references(effort, seed)
        try:
            for task in bar(tasks, disable=not progress, unit="run"):
                runs.append(Run(task.group, task.experiment.name, kept(opened, task, run)))
        except KeyboardInterrupt:
            complete = False
    nulls = later_nulls(effort, seed) if complete and LATER in groups else {}
    return SgdStudy(tuple(runs), references, complete, nulls)


def _chosen(group: str, effort: Effort) -> tuple[Experiment, ...]:
    """The experiments of a group that are run."""
    experiments = GROUPS[group]
    return (experiments[0], experiments[-1]) if effort.ends_only else experiments


def _longer(effort: Effort, group: str) -> Effort:
    """The effort with as many steps as the protocol of the group asks for."""
    return replace(effort, n_steps=effort.n_steps * protocol_of(group).lengths)


def _once(run: Callable[[Task], RunResult]) -> Callable[[Task], RunResult]:
    """The function that runs experiments which differ in group and name alone only once."""
    made: dict[tuple[Experiment, Effort], RunResult] = {}

    def run_or_recall(task: Task) -> RunResult:
        key = replace(task.experiment, name=task.protocol.published), task.effort
        if key not in made:
            made[key] = run(task)
        return made[key]

    return run_or_recall


def _run(task: Task) -> RunResult:
    """The result of a task that the store does not keep yet."""
    return run_experiment(task.experiment, data=task.data, n_samples=task.n_samples, seed=task.seed,
                          effort=task.effort, methods=task.protocol.methods)  # fmt: skip


def run_experiment(
    experiment: Experiment,
    *,
    data: str,
    n_samples: int,
    seed: int,
    effort: Effort,
    methods: Mapping[EstimatorName, str] = FIRST_METHODS,
) -> RunResult:
    """Accuracy, sharpness and the measured noise in each setting of one trained network.

    `methods` are the estimators of memory, each with the kind of copies that it is held against.

    >>> tiny = Effort(n_train=20, n_steps=100, n_coordinates=4, n_surrogates=19)
    >>> small = Experiment("small", width=4, depth=1)
    >>> result = run_experiment(small, data="synthetic", n_samples=200, seed=0, effort=tiny)
    >>> list(result.noise)
    ['frozen, fresh batches', 'frozen, epochs', 'training, fresh batches', 'training, epochs']
    """
    loss = optional("torch.nn.functional").cross_entropy
    samples = load_samples(data, seed, n_samples, experiment.label_noise)
    model = make_network(experiment.kind, experiment.width, experiment.depth, seed)
    optimizer = optional("torch.optim").SGD(model.parameters(), lr=experiment.learning_rate,
                                            momentum=experiment.momentum,
                                            weight_decay=experiment.weight_decay)  # fmt: skip
    rate = partial(_rate, experiment, effort.n_train + effort.n_steps)
    size = min(experiment.batch_size, len(samples.inputs))
    train(model, loss, samples.train, batch_size=size, n_steps=effort.n_train, seed=seed, optimizer=optimizer,
          learning_rate=rate)  # fmt: skip
    top = sharpest_direction(model, loss, samples.train)
    noise = {}
    for how, (mode, sampling) in SETTINGS.items():
        moving, its_optimizer = copy.deepcopy((model, optimizer))
        taken = collect_gradient_noise(
            moving, loss, samples.train, batch_size=size, n_steps=effort.n_steps, mode=mode, sampling=sampling,
            n_coordinates=effort.n_coordinates, seed=seed + 1,
            optimizer=its_optimizer, learning_rate=lambda k: rate(effort.n_train + k),
        )  # fmt: skip
        noise[how] = _measured(taken, len(samples.inputs), methods, effort.n_surrogates, seed)
    scores = (accuracy(model, samples.test_inputs, samples.test_targets), accuracy(model, *samples.train))
    return RunResult(*scores, top.eigenvalue, top.converged, noise)


def _measured(
    taken: GradientNoise, n_samples: int, methods: Mapping[EstimatorName, str], n_surrogates: int, seed: int
) -> MeasuredNoise:
    """Memory of the noise, with the laws that describe it if an epoch has several batches, and otherwise its tails."""
    found = measure(taken.noise, n_surrogates, seed, methods)
    series = taken.noise[np.ptp(taken.noise, axis=1) > 0]
    if taken.sampling == "epochs" and n_samples // taken.batch_size > 1:
        return replace(found, laws=describe(series, n_samples, taken.batch_size))
    return replace(found, tails=tails(series))


def _rate(experiment: Experiment, n_total: int, k: int) -> float:
    """Learning rate of step k of `n_total`."""
    fall = 0.5 * (1.0 + math.cos(math.pi * k / n_total)) if experiment.cosine else 1.0
    return experiment.learning_rate * fall


def _references(effort: Effort, seed: int) -> dict[str, MeasuredNoise]:
    """The same measurement on series whose memory and tails are known."""
    shape, found = (effort.n_coordinates, effort.n_steps), {}
    for place, (name, draw) in enumerate(REFERENCES.items()):
        noise = draw(np.random.default_rng([seed, place]), shape)
        found[name] = measure(noise, effort.n_surrogates, seed)
        if name not in _WITHOUT_TAILS:
            found[name] = replace(found[name], tails=tails(noise))
    return found


def measure(
    noise: Array, n_surrogates: int, seed: int, methods: Mapping[EstimatorName, str] = FIRST_METHODS
) -> MeasuredNoise:
    """Size, tail index and memory of noise (n_coordinates, n_steps), as medians over the coordinates that vary.

    The interval of each H is that of a single coordinate and allows for clustered volatility. `methods` names the
    estimators, each with the kind of its `n_surrogates` copies without memory, "sign_flip" or "shuffle", which are
    drawn from `seed` and make its null. Raises ValueError if no coordinate varies.

    >>> found = measure(np.random.default_rng(0).standard_normal((5, 500)), n_surrogates=19, seed=0)
    >>> found.constant, round(found.memory["whittle"].hurst.value, 1)
    (0, 0.5)
    """
    varying = np.ptp(noise, axis=1) > 0
    series = noise[varying]
    if not len(series):
        raise ValueError(f"noise must vary in a coordinate or more, got {len(noise)} constant ones.")
    std, tail_index = float(np.median(series.std(axis=1))), _median(hill_index(series))
    memory = {str(method): _memory(series, method, kind, n_surrogates, seed) for method, kind in methods.items()}
    return MeasuredNoise(std, tail_index, int(np.count_nonzero(~varying)), memory)


def _memory(series: Array, method: EstimatorName, kind: str, n_surrogates: int, seed: int) -> Memory:
    """H of the series by one method, beside that of copies without memory."""
    estimate = estimate_hurst(series, kind="increments", method=method, nan_policy="omit_series", n_jobs=1)
    hurst = Estimate(*(_median(values) for values in (estimate.hurst, *estimate.confidence_interval())))
    null = np.array([
        _median(estimate_hurst(copies, kind="increments", method=method, nan_policy="omit_series", n_jobs=1).hurst)
        for copies in _copies(series, kind, n_surrogates, seed)
    ])  # fmt: skip
    below, above = np.count_nonzero(null <= hurst.value), np.count_nonzero(null >= hurst.value)
    low, middle, high = (float(q) for q in np.quantile(null, [0.025, 0.5, 0.975]))
    p = min(1.0, 2.0 * float(1 + min(below, above)) / (len(null) + 1))
    return Memory(hurst, Estimate(middle, low, high), p)


def _copies(series: Array, kind: str, n_surrogates: int, seed: int) -> Iterator[Array]:
    """Copies without memory, in which all coordinates of a step are treated alike."""
    rng, deviations = np.random.default_rng([seed, 7]), series - series.mean(axis=1, keepdims=True)
    for _ in range(n_surrogates):
        if kind == "shuffle":
            yield series[:, rng.permutation(series.shape[1])]
        else:
            yield deviations * rng.choice([-1.0, 1.0], series.shape[1])


def _median(values: float | Array) -> float:
    """Median of the values that are not NaN, NaN if there are none."""
    return float(np.nanmedian(values)) if not np.isnan(values).all() else math.nan
