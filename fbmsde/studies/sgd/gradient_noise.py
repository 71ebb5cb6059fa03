"""The noise of mini-batch gradients of a PyTorch model, as series whose memory and tails can be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import scipy
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...core import checks, seeds
from ...core.bars import bar
from ...core.choices import asks_for
from ...core.show import Shown
from ...core.types import Array
from ...hurst.estimate import HurstEstimate, estimate_hurst
from ...hurst.registry import EstimatorName, NullName
from ...hurst.result import IntervalKind
from ...hurst.rows import series_rows
from .networks import Loss, flat, full_gradient, optional, sample_gradients

if TYPE_CHECKING:  # PyTorch is an extra
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

Rate = float | Callable[[int], float]

Mode = Literal["frozen", "training"]
Sampling = Literal["with_replacement", "without_replacement", "epochs"]
MODES: tuple[Mode, ...] = get_args(Mode)
SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)


@dataclass(frozen=True, eq=False)
class GradientNoise(Shown):
    """Mini-batch gradient minus full gradient, step by step.

    noise : (n_coordinates, n_steps), one row per coordinate or direction.
    coordinates : (n_coordinates,), the places in the vector of all parameters, or -1 for directions that were given.
    mode, sampling, batch_size : how the noise was taken, as in `collect_gradient_noise`.

    >>> import torch
    >>> from fbmsde import collect_gradient_noise
    >>> data = torch.randn(50, 3), torch.randn(50, 1)
    >>> noise = collect_gradient_noise(torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, data, batch_size=5,
    ...                                n_steps=200, mode="frozen", seed=0)
    >>> noise.noise.shape, noise.mode
    ((4, 200), 'frozen')
    """

    noise: Array
    coordinates: NDArray[np.int64]
    mode: Mode
    sampling: Sampling
    batch_size: int

    def __repr__(self) -> str:
        coordinates, steps = self.noise.shape
        how = f"{self.mode}, {self.sampling}, batches of {self.batch_size}"
        return f"GradientNoise({coordinates} coordinates, {steps} steps, {how})"

    def _facts(self) -> Mapping[str, object]:
        return {"coordinates": len(self.noise), "steps": self.noise.shape[1], "mode": self.mode,
                "sampling": self.sampling, "batch size": self.batch_size, "standard deviations": self.std}  # fmt: skip

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.noise, dtype, copy=copy)

    @property
    def std(self) -> Array:
        """Standard deviation of each coordinate about the full gradient, (n_coordinates,)."""
        return np.sqrt(np.mean(self.noise**2, axis=1))

    @property
    def tail_index(self) -> Array:
        """Hill's tail index of each coordinate, (n_coordinates,); see `hill_index`."""
        return np.atleast_1d(hill_index(self.noise))

    def hurst(
        self,
        method: EstimatorName = "whittle",
        null: NullName | None = "sign_flip",
        *,
        interval: IntervalKind = "auto",
        n_surrogates: int = 199,
        seed: checks.Seed = 0,
        n_jobs: int | None = None,
        progress: bool = False,
    ) -> HurstEstimate:
        """What `estimate_hurst` says of all coordinates as increments; those that never vary are marked in `omitted`.

        The copies without memory have flipped signs, because the size of gradient noise drifts and comes in clusters.
        "rs_noise_as_path" reads the law of the values, so that skewed noise alone sets it apart from such copies.
        """
        return estimate_hurst(
            self.noise, kind="increments", method=method, nan_policy="omit_series", null=null, interval=interval,
            n_surrogates=n_surrogates, seed=seed, n_jobs=n_jobs, progress=progress,
        )  # fmt: skip


def hill_index(x: ArrayLike, share: float = 0.05) -> float | Array:
    """Hill's estimate of the tail index from the largest `share` of the absolute values of a series.

    `x` is one series (n,), which gives a float, or several (n_series, n), which give (n_series,), as `estimate_hurst`
    takes them. For independent values with a tail ``P(|X| > x) = c x^-a`` the standard error is the index over the
    root of the number of values used, ``share * n`` (Hill 1975); memory widens it.

    The index is small for heavy tails: about 1.5 for a stable law of index 1.5. It is finite for light tails as well:
    1000 normal values give about 6 at a share of .05. It is NaN in rows where fewer than two values differ from zero or
    one is missing.

    >>> values = np.random.default_rng(0).pareto(2.0, 100_000) + 1.0
    >>> round(hill_index(values), 1)
    2.0
    """
    values = series_rows(x)
    sizes = np.sort(np.abs(np.atleast_2d(values)), axis=1)[:, ::-1]
    count = max(2, int(checks.fraction("share", share) * sizes.shape[1]))
    if sizes.shape[1] <= count:
        raise ValueError(f"x must hold more than {count} values per series, got {sizes.shape[1]}.")
    with np.errstate(divide="ignore", invalid="ignore"):
        index = count / np.sum(np.log(sizes[:, :count] / sizes[:, count : count + 1]), axis=1)
    index = np.where(sizes[:, count] > 0, index, np.nan)
    return float(index[0]) if values.ndim == 1 else index


@asks_for("mode", MODES, "Weights are held fixed, or moved by the optimizer.")
def collect_gradient_noise(
    model: Module,
    loss: Loss,
    data: tuple[ArrayLike | Tensor, ArrayLike | Tensor],
    *,
    batch_size: int,
    n_steps: int,
    mode: Mode,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    sampling: Sampling = "without_replacement",
    n_coordinates: int = 100,
    directions: ArrayLike | None = None,
    learning_rate: Rate | None = None,
    optimizer: Optimizer | None = None,
    progress: bool = False,
) -> GradientNoise:
    """Mini-batch gradients minus the gradient over all samples, as `GradientNoise`.

    Parameters
    ----------
    model : a ``torch.nn.Module`` whose outputs for one sample do not depend on the others: no batch normalisation and
        no dropout in training mode.
    loss : ``loss(outputs, targets)``, the **mean** over the samples.
    data : inputs (n_samples, ...) and targets (n_samples, ...), tensors or arrays. All of them make the full gradient.
    mode : "frozen" holds the weights fixed; "training" takes a step of the optimizer after each gradient, moves the
        weights of `model`, and subtracts the full gradient at the weights of each step.
    sampling : "with_replacement" and "without_replacement" draw every batch afresh, so that frozen noise has no memory
        by construction; "epochs" cuts one shuffle of the data after the other into batches and drops what is left
        over, as data loaders do: the noise of an epoch then sums to nearly zero, which is memory.
    seed, rng : one of them: an int, or a numpy Generator, which is advanced, or what else makes one.
    n_coordinates : how many coordinates, a random subset; all if there are fewer.
    directions : (n_directions, n_parameters): the noise along these vectors instead of coordinates.
    learning_rate, optimizer : what makes the steps of "training", and nothing in "frozen": plain SGD with this rate, or
        a ``torch.optim`` optimizer of the model's parameters. A rate that is a function of the step number sets the
        optimizer's rate before each step.

    The memory needed is that of the result (8 bytes per coordinate and step) and of chunks of at most 32 MB of
    gradients. "frozen" takes the gradient of each sample once, whatever `n_steps`; "training" takes a full gradient
    per step.

    Raises
    ------
    ImportError without PyTorch; ValueError for arguments outside their range; ArithmeticError when the weights leave
    the finite numbers.

    >>> import torch
    >>> model = torch.nn.Linear(3, 1)
    >>> inputs, targets = torch.randn(50, 3), torch.randn(50, 1)
    >>> noise = collect_gradient_noise(model, torch.nn.functional.mse_loss, (inputs, targets), batch_size=5,
    ...                                n_steps=200, mode="frozen", seed=0)
    >>> noise.noise.shape, noise.std.shape
    ((4, 200), (4,))
    """
    torch = optional("torch")
    checks.choice("mode", mode, MODES)
    checks.choice("sampling", sampling, SAMPLINGS)
    _require_independent_samples(model)
    tensors = _as_tensors(data)
    n_samples, n_steps = len(tensors.targets), checks.count("n_steps", n_steps)
    size = checks.count("batch_size", batch_size)
    if size > n_samples and sampling != "with_replacement":
        raise ValueError(f"batch_size must be at most the {n_samples} samples, got {size}.")
    pick, draw = (np.random.default_rng(s) for s in _seed_sequence(seed, rng).spawn(2))
    places, project = _projection(model, n_coordinates, directions, pick)
    checks.fits_memory("gradient noise", 8.0 * len(places) * n_steps)
    batches = draw_batches(draw, n_samples, size, sampling)
    if mode == "frozen":
        noise = _frozen(sample_gradients(model, loss, tensors), project, batches, _Shape(n_samples, n_steps, size))
    else:
        steps = _Steps(model, loss, tensors, _optimizer(torch, model, learning_rate, optimizer), learning_rate)
        noise = np.empty((len(places), n_steps))
        for k in bar(range(n_steps), disable=not progress, unit="step"):
            noise[:, k] = project(steps.noise(k, next(batches))[None])[0]
    return GradientNoise(noise, places, mode, sampling, size)


def _seed_sequence(seed: checks.Seed | None, rng: seeds.Rng | None) -> np.random.SeedSequence:
    """The seed in the one form that can be split."""
    return np.random.SeedSequence([int(word) for word in seeds.as_key(seed, rng)])


class _Labelled(NamedTuple):
    """Samples as tensors: their inputs and their targets."""

    inputs: Tensor
    targets: Tensor


def _as_tensors(data: tuple[ArrayLike | Tensor, ArrayLike | Tensor]) -> _Labelled:
    """Inputs and targets as tensors of equal length."""
    torch = optional("torch")
    inputs, targets = (torch.as_tensor(part) for part in data)
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise ValueError(f"data must hold as many targets as inputs, got {len(targets)} and {len(inputs)}.")
    return _Labelled(inputs, targets)


def _require_independent_samples(model: Module) -> None:
    """ValueError if the gradient of a batch is not the mean of the gradients of its samples."""
    for module in model.modules():
        name = type(module).__name__
        if module.training and ("BatchNorm" in name or ("Dropout" in name and getattr(module, "p", 0.0) > 0)):
            raise ValueError(f"model must treat samples independently, got {name} in training mode. Call model.eval().")


def _projection(
    model: Module, n_coordinates: int, directions: ArrayLike | None, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Callable[[Tensor], Array]]:
    """Places of the coordinates, and the map from gradients (n, n_parameters) to (n, n_coordinates)."""
    torch, total = optional("torch"), sum(p.numel() for p in model.parameters())
    if directions is not None:
        vectors = np.atleast_2d(np.asarray(directions, dtype=float))
        if vectors.shape[1:] != (total,):
            raise ValueError(f"directions must have {total} columns, one per parameter, got shape {vectors.shape}.")
        across = torch.from_numpy(np.ascontiguousarray(vectors.T))
        return np.full(len(vectors), -1), lambda g: (g.detach().double() @ across).numpy()
    count = min(checks.count("n_coordinates", n_coordinates), total)
    places = np.sort(rng.choice(total, count, replace=False))
    columns = torch.from_numpy(places)
    return places, lambda g: g.detach()[:, columns].double().numpy()


def draw_batches(rng: np.random.Generator, n_samples: int, size: int, sampling: str) -> Iterator[NDArray[np.int64]]:
    """Endless batches of sample numbers, (size,) each; `sampling` is one of `SAMPLINGS`.

    >>> next(draw_batches(np.random.default_rng(0), 4, 4, "epochs")).sum()
    np.int64(6)
    """
    while True:
        if sampling == "with_replacement":
            yield rng.integers(0, n_samples, size)
        elif sampling == "without_replacement":
            yield rng.choice(n_samples, size, replace=False, shuffle=False)
        else:
            order = rng.permutation(n_samples)
            yield from (order[first : first + size] for first in range(0, n_samples - size + 1, size))


class _Shape(NamedTuple):
    """How many samples there are, and how many batches of which size are taken from them."""

    n_samples: int
    n_steps: int
    size: int


def _frozen(
    gradients: Iterator[tuple[slice, Tensor]],
    project: Callable[[Tensor], Array],
    batches: Iterator[NDArray[np.int64]],
    shape: _Shape,
) -> Array:
    """Noise at fixed weights: batch means of the samples' gradients minus their mean over all samples."""
    n_samples, n_steps, size = shape
    noise = mean = np.zeros(1)
    drawn = np.concatenate([next(batches) for _ in range(n_steps)])
    steps = np.repeat(np.arange(n_steps), size)
    weights = scipy.sparse.csr_matrix((np.full(drawn.size, 1.0 / size), (drawn, steps)), (n_samples, n_steps))
    for rows, chunk in gradients:
        values = project(chunk)
        noise = noise + (weights[rows].T @ values)
        mean = mean + values.sum(axis=0) / n_samples
    if not np.isfinite(noise).all():
        raise ArithmeticError("gradients must be finite, got nan or inf at the weights of the model.")
    return np.ascontiguousarray((noise - mean).T)


def _optimizer(torch: ModuleType, model: Module, learning_rate: Rate | None, optimizer: Optimizer | None) -> Optimizer:
    """The given optimizer, or plain SGD with the rate."""
    if optimizer is not None:
        return optimizer
    if learning_rate is None:
        raise ValueError("learning_rate must be given for mode='training', got None. Or pass an optimizer.")
    rate = learning_rate(0) if callable(learning_rate) else learning_rate
    return torch.optim.SGD(model.parameters(), lr=checks.positive("learning_rate", rate))


@dataclass(frozen=True, eq=False)
class _Steps:
    """Steps of the optimizer, each of which tells the noise of its gradient."""

    model: Module
    loss: Loss
    data: _Labelled
    optimizer: Optimizer
    learning_rate: Rate | None

    def noise(self, k: int, batch: NDArray[np.int64]) -> Tensor:
        """Batch gradient minus full gradient, (n_parameters,), at the weights before step k, which is then taken."""
        whole = full_gradient(self.model, self.loss, self.data)
        self.descend(k, batch)
        noise = flat(p.grad for p in self.model.parameters() if p.grad is not None).double() - whole
        if not bool(noise.isfinite().all()):
            raise ArithmeticError(f"the weights must stay finite, got nan or inf at step {k}. Take a smaller rate.")
        self.optimizer.step()
        return noise

    def descend(self, k: int, batch: NDArray[np.int64]) -> None:
        """Set the rate of step k and leave the gradient of the batch in the parameters."""
        if callable(self.learning_rate):
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate(k)
        rows = optional("torch").from_numpy(batch)
        self.optimizer.zero_grad()
        self.loss(self.model(self.data.inputs[rows]), self.data.targets[rows]).backward()


def train(
    model: Module,
    loss: Loss,
    data: tuple[ArrayLike | Tensor, ArrayLike | Tensor],
    *,
    batch_size: int,
    n_steps: int,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    optimizer: Optimizer,
    learning_rate: Rate | None = None,
) -> None:
    """Move the weights of the model by `n_steps` steps of the optimizer on batches cut from shuffles of the data.

    `data`, `rng` and a `learning_rate` that is a function of the step number mean what they mean in
    `collect_gradient_noise`.

    >>> import torch
    >>> model = torch.nn.Linear(1, 1)
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> train(model, torch.nn.functional.mse_loss, (x, 3 * x), batch_size=5, n_steps=300, seed=0,
    ...       optimizer=torch.optim.SGD(model.parameters(), lr=0.3))
    >>> round(model.weight.item(), 3)
    3.0
    """
    tensors = _as_tensors(data)
    steps = _Steps(model, loss, tensors, optimizer, learning_rate)
    batches = draw_batches(np.random.default_rng(_seed_sequence(seed, rng)), len(tensors.targets), batch_size, "epochs")
    for k in range(checks.count("n_steps", n_steps)):
        steps.descend(k, next(batches))
        optimizer.step()
