"""Does gradient noise have memory? Four groups of experiments on small networks, each run measured in four ways."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ...core import checks
from ...core.files import claimed, write_text
from ...core.types import Array
from ...drivers.sample import fgn
from ...hurst.estimate import estimate_hurst
from .gradient_noise import collect_gradient_noise, hill_index, train
from .networks import Samples, accuracy, load_samples, make_network, one_thread, optional, sharpest_direction
from .runs import GROUPS, METHODS, SETTINGS, Effort, Experiment, Run, SgdStudy

REFERENCES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "Gaussian white noise": lambda rng, shape: rng.standard_normal(shape),
    "Student t1.5, independent": lambda rng, shape: rng.standard_t(1.5, shape),
    "2 % non-zero, independent": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.02),
    "fGn, H = 0.7": lambda rng, shape: fgn(0.7, shape[1], shape[0], seed=rng),
}


def sgd_study(
    out: str | os.PathLike[str],
    *,
    groups: Sequence[str] = tuple(GROUPS),
    data: str = "digits",
    n_samples: int = 2000,
    effort: Effort | None = None,
    seed: int = 0,
    progress: bool = False,
) -> SgdStudy:
    """The runs of the groups, each stored in the folder `out` as JSON when it is finished and not run again.

    Every run trains a network, then takes its gradient noise in the four ways of `SETTINGS` and measures it on
    `n_coordinates` random coordinates: H by Whittle and by the simplified rescaled range with the noise taken for the
    path. Both are also taken on copies without memory, and all coordinates of a step are treated alike there, so that
    the p-value of the median over coordinates is exact although the coordinates share their batches.

    For Whittle's estimator every step gets a random sign. The size of every step stays in its place, so that noise
    whose size drifts during training, or comes in clusters, is not taken for memory. For the rescaled range the steps
    are shuffled, because it follows the law of the values, which flipping signs would make symmetric. Shuffling tests
    exchangeable steps: during training a small p of the rescaled range may mean that the size drifts.

    Parameters
    ----------
    out : folder, made if missing. data : "digits" or "synthetic" (`n_samples` points in ten clouds).
    effort : steps and counts, `Effort()` if None; `QUICK` is for trying.

    An interrupt ends the study after the finished runs with ``complete=False``. Raises ImportError without PyTorch or
    scikit-learn, ValueError when the folder holds runs with other settings.

    >>> import tempfile
    >>> tiny = Effort(n_train=20, n_steps=100, n_coordinates=4, n_surrogates=19)
    >>> study = sgd_study(tempfile.mkdtemp(), groups=["batch size"], data="synthetic", n_samples=700, effort=tiny)
    >>> len(study.runs), study.complete
    (4, True)
    """
    for package in ("torch", "sklearn"):
        optional(package)
    folder, effort = Path(out), effort or Effort()
    for name in groups:
        checks.choice("groups", name, GROUPS)
    wanted = {"data": data, "n_samples": n_samples, "seed": checks.count("seed", seed, 0, math.inf), **asdict(effort)}
    del wanted["ends_only"]
    stride = {name: len(GROUPS[name]) - 1 if effort.ends_only else 1 for name in groups}
    tasks = [(name, experiment) for name in groups for experiment in GROUPS[name][:: stride[name]]]
    runs: list[Run] = []
    references = _references(effort, seed)
    try:
        with claimed(folder), one_thread():
            for name, experiment in tqdm(tasks, disable=not progress, unit="run"):
                runs.append(Run(name, experiment.name, _stored(folder, name, experiment, wanted)))
    except KeyboardInterrupt:
        return SgdStudy(tuple(runs), references, complete=False)
    return SgdStudy(tuple(runs), references)


def _stored(folder: Path, group: str, experiment: Experiment, wanted: dict[str, Any]) -> dict[str, Any]:
    """The result of a run from its file, made and stored first if it is not there."""
    plain = f"{group} {experiment.name}".replace(" ", "_").replace("%", "percent")
    file = folder / f"run_{plain}.json"
    settings = {**wanted, **asdict(experiment), "null": METHODS}
    if file.exists():
        held: dict[str, Any] = json.loads(file.read_text())
        if held["settings"] != settings:
            raise ValueError(f"out must hold runs with the same settings, got others in {file}. Choose another folder.")
        return held
    begin = time.perf_counter()
    result = {"settings": settings, **run_experiment(experiment, **wanted), "seconds": 0.0}
    result["seconds"] = round(time.perf_counter() - begin, 2)
    write_text(file, json.dumps(result, indent=1))
    return result


def run_experiment(
    experiment: Experiment,
    *,
    data: str,
    n_samples: int,
    seed: int,
    n_train: int,
    n_steps: int,
    n_coordinates: int,
    n_surrogates: int,
) -> dict[str, Any]:
    """Accuracy, sharpness and the measured noise in each setting of one trained network.

    >>> result = run_experiment(Experiment("small", width=4, depth=1), data="synthetic", n_samples=200, seed=0,
    ...                         n_train=20, n_steps=100, n_coordinates=4, n_surrogates=19)
    >>> sorted(result)
    ['accuracy', 'noise', 'sharpness', 'sharpness_converged', 'train_accuracy']
    """
    torch, loss = optional("torch"), optional("torch.nn.functional").cross_entropy
    samples = load_samples(data, seed, n_samples, experiment.label_noise)
    model = make_network(experiment.kind, experiment.width, experiment.depth, seed)
    rates = dict(lr=experiment.learning_rate, momentum=experiment.momentum, weight_decay=experiment.weight_decay)
    optimizer = torch.optim.SGD(model.parameters(), **rates)
    rate = partial(_rate, experiment, n_train + n_steps)
    size = min(experiment.batch_size, len(samples.inputs))
    train(model, loss, samples.train, batch_size=size, n_steps=n_train, seed=seed, optimizer=optimizer,
          learning_rate=rate)  # fmt: skip
    top = sharpest_direction(model, loss, samples.train)
    collect = partial(collect_gradient_noise, loss=loss, data=samples.train, batch_size=size, n_steps=n_steps,
                      n_coordinates=n_coordinates, seed=seed + 1)  # fmt: skip
    noise = {}
    for how, (mode, sampling) in SETTINGS.items():
        moving, its_optimizer = copy.deepcopy((model, optimizer))
        options = {} if mode == "frozen" else {"optimizer": its_optimizer, "learning_rate": lambda k: rate(n_train + k)}
        taken = collect(moving, mode=mode, sampling=sampling, **options)
        noise[how] = measure(taken.noise, n_surrogates, seed)
    sharpness = {"sharpness": top.eigenvalue, "sharpness_converged": top.converged}
    return {**_scores(model, samples), **sharpness, "noise": noise}


def _rate(experiment: Experiment, n_total: int, k: int) -> float:
    """Learning rate of step k."""
    fall = 0.5 * (1.0 + math.cos(math.pi * k / n_total)) if experiment.cosine else 1.0
    return experiment.learning_rate * fall


def _scores(model: Any, samples: Samples) -> dict[str, float]:
    """Accuracy on both sets."""
    return {
        "accuracy": accuracy(model, samples.test_inputs, samples.test_targets),
        "train_accuracy": accuracy(model, *samples.train),
    }


def _references(effort: Effort, seed: int) -> dict[str, dict[str, Any]]:
    """The same measurement on series whose memory and tails are known."""
    shape = (effort.n_coordinates, effort.n_steps)
    return {
        name: measure(draw(np.random.default_rng([seed, place]), shape), effort.n_surrogates, seed)
        for place, (name, draw) in enumerate(REFERENCES.items())
    }


def measure(noise: Array, n_surrogates: int, seed: int) -> dict[str, Any]:
    """Medians over the coordinates of noise (n_coordinates, n_steps): std, tail index, and H by both methods.

    For each method: `hurst`, the interval `low`, `high` of a single coordinate, which allows for clustered volatility,
    and `null`, `null_low`, `null_high`, `p` from copies without memory. Coordinates that never vary are left out
    and counted in `constant`.

    >>> found = measure(np.random.default_rng(0).standard_normal((5, 500)), n_surrogates=19, seed=0)
    >>> found["constant"], round(found["whittle"]["hurst"], 1)
    (0, 0.5)
    """
    varying = np.ptp(noise, axis=1) > 0
    series = noise[varying]
    if not len(series):
        raise ValueError(f"noise must vary in a coordinate or more, got {len(noise)} constant ones.")
    found: dict[str, Any] = {
        "std": float(np.median(series.std(axis=1))),
        "tail_index": _median(hill_index(series)),
        "constant": int(np.count_nonzero(~varying)),
    }
    for method, kind in METHODS.items():
        estimate = estimate_hurst(series, kind="increments", method=method, nan_policy="omit_series", n_jobs=1)
        low, high = estimate.confidence_interval()
        hurst, *interval = (_median(v) for v in (estimate.hurst, low, high))
        null = np.array(list(_null_medians(series, method, kind, (n_surrogates, seed))))
        found[method] = {"hurst": hurst, "low": interval[0], "high": interval[1], **_against(null, hurst)}
    return found


def _null_medians(series: Array, method: str, kind: str, effort: tuple[int, int]) -> Iterator[float]:
    """Medians over the coordinates of copies without memory, (number, seed) of them, whole steps treated alike."""
    n_surrogates, seed = effort
    rng, deviations = np.random.default_rng([seed, 7]), series - series.mean(axis=1, keepdims=True)
    for _ in range(n_surrogates):
        if kind == "shuffle":
            copies = series[:, rng.permutation(series.shape[1])]
        else:
            copies = deviations * rng.choice([-1.0, 1.0], series.shape[1])
        values = estimate_hurst(copies, kind="increments", method=method, nan_policy="omit_series", n_jobs=1).hurst
        yield _median(values)


def _median(values: Array) -> float:
    """Median of the values that are not NaN, NaN if there are none."""
    return float(np.median(values[~np.isnan(values)])) if not np.isnan(values).all() else math.nan


def _against(null: Array, observed: float) -> dict[str, float]:
    """Median and 95 % range of the null, and the two-sided permutation p-value of the observed median."""
    tail = 1 + min(np.count_nonzero(null <= observed), np.count_nonzero(null >= observed))
    low, middle, high = (float(q) for q in np.quantile(null, [0.025, 0.5, 0.975]))
    return {"null": middle, "null_low": low, "null_high": high, "p": min(1.0, 2.0 * float(tail) / (len(null) + 1))}
