"""Escape of real SGD along the sharpest direction, beside that of models of its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ...core import checks
from ...core.bars import bar
from ...core.types import Array
from ...results.estimates import Estimate
from ...results.passage_times import PassageTimes
from ...results.sgd_escape import BARRIERS, Basin, EscapeCase
from .cases import SgdEscape
from .gradient_noise import Sampling, collect_gradient_noise, draw_batches
from .models import Models, Run
from .networks import (
    Loss,
    Parameters,
    flat,
    full_gradient,
    load_samples,
    loss_of,
    make_network,
    one_thread,
    optional,
    sample_gradients,
)
from .networks import sharpest_direction as find_sharpest

if TYPE_CHECKING:  # PyTorch is an extra
    from torch import Tensor
    from torch.nn import Module

SAMPLINGS: tuple[Sampling, ...] = ("with_replacement", "epochs")
MOMENTA = (0.0, 0.9)
DRIFTS = (0.1, 0.8)  # rate times curvature over 1 - momentum: many steps per relaxation, and hardly more than one

_DECAY = 0.01  # weight decay: without it the loss of a network that separates the classes has no minimum


def sgd_escape(
    *,
    data: str = "digits",
    n_samples: int = 2000,
    batch_size: int = 128,
    n_steps: int = 600,
    n_replicas: int = 200,
    n_paths: int = 10_000,
    seed: int = 0,
    progress: bool = False,
) -> SgdEscape:
    """Escape times of SGD from a minimum along the sharpest direction, beside those of four models of its noise.

    A small smooth network with weight decay is brought to a minimum. `n_replicas` copies start there and run SGD for
    `n_steps`, in all dimensions, with and without momentum; a copy has escaped when its distance from the minimum along
    the sharpest direction reaches a barrier. The models run the same chain in the parabola that is fitted to the loss
    along that direction. Their noise is white; fractional with the H that is measured on frozen noise; that of shuffled
    epochs, `EpochNoise`; and `PopulationNoise` of the gradients of all samples at the minimum. All have the exact
    standard deviation of batches at the minimum. Where batches are drawn with replacement there are no epochs.

    Raises ImportError without PyTorch or scikit-learn, ValueError for arguments outside their range.

    >>> found = sgd_escape(data="synthetic", n_samples=200, batch_size=40, n_steps=20, n_replicas=4, n_paths=200)
    >>> len(found.cases), found.basin.curvature > 0
    (8, True)
    """
    for name, value in {"n_steps": n_steps, "n_replicas": n_replicas, "n_paths": n_paths}.items():
        checks.count(name, value, 2)
    loss = optional("torch.nn.functional").cross_entropy
    with one_thread():
        samples = load_samples(data, seed, n_samples)
        tensors = samples.inputs.double(), samples.targets
        model = make_network("mlp", 16, 1, seed, smooth=True).double()
        _descend_fully(model, loss, tensors)
        top = find_sharpest(model, loss, tensors, seed=seed, tolerance=1e-8, max_iterations=1000)
        curvature = top.eigenvalue + _DECAY
        setup = _Setup(model, loss, tensors, top.vector, batch_size, n_steps, n_replicas, seed)
        population = setup.population()
        unit = float(population.std()) / math.sqrt(batch_size)
        hursts = {sampling: setup.hurst(sampling) for sampling in SAMPLINGS}
        basin = setup.basin(curvature, BARRIERS[-1] * unit * math.sqrt(DRIFTS[-1] / 2.0) / curvature)
        cases = []
        for sampling, beta, drift in bar([*product(SAMPLINGS, MOMENTA, DRIFTS)], disable=not progress, unit="case"):
            models = Models(population, batch_size, sampling, hursts[sampling], basin.curvature, n_steps, n_paths, seed)
            cases.append(setup.case(models, Run(sampling, (1.0 - beta) * drift / basin.curvature, beta)))
    return SgdEscape(basin, tuple(cases))


def _descend_fully(model: Module, loss: Loss, data: tuple[Tensor, Tensor]) -> None:
    """Bring the model to a minimum of the loss with weight decay by L-BFGS."""
    (inputs, targets), parameters = data, list(model.parameters())
    optimizer = optional("torch.optim").LBFGS(
        parameters, max_iter=2000, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(model(inputs), targets) + _DECAY / 2.0 * flat(parameters).square().sum()
        value.backward()
        return value

    optimizer.step(closure)


@dataclass(frozen=True, eq=False)
class _Setup:
    """A network at its minimum and how long to run from there."""

    model: Module
    loss: Loss
    data: tuple[Tensor, Tensor]
    direction: Array
    batch_size: int
    n_steps: int
    n_replicas: int
    seed: int

    def population(self) -> Array:
        """Gradients of all samples along the direction, at the minimum, (n_samples,)."""
        gradients = sample_gradients(self.model, self.loss, self.data)
        return np.concatenate([chunk.numpy() @ self.direction for _, chunk in gradients])

    def hurst(self, sampling: Sampling) -> Estimate:
        """H of frozen noise along the direction whose batches are sampled in this way."""
        taken = collect_gradient_noise(
            self.model, self.loss, self.data, batch_size=self.batch_size, n_steps=4096, mode="frozen",
            sampling=sampling, directions=self.direction, seed=self.seed + 1,
        )  # fmt: skip
        found = taken.hurst()
        return Estimate(*(float(values[0]) for values in (found.hurst, *found.confidence_interval())))

    def basin(self, eigenvalue: float, widest: float) -> Basin:
        """The loss along the direction out to the widest barrier, and its parabola."""
        torch = optional("torch")
        parameters, mean_loss = loss_of(self.model, self.loss)
        start = flat(parameters.values())
        offsets = np.linspace(-widest, widest, 41)
        losses = []
        for offset in offsets:
            moved = start + offset * torch.from_numpy(self.direction)
            value = mean_loss(_shaped(moved, parameters), *self.data) + _DECAY / 2.0 * moved.square().sum()
            losses.append(float(value))
        fit = np.polynomial.Polynomial.fit(offsets, losses, 2)
        misfit = float(np.max(np.abs(fit(offsets) - losses)) / np.ptp(losses))
        gradient = full_gradient(self.model, self.loss, self.data) + _DECAY * start
        curvature = float(2.0 * fit.convert().coef[2])
        return Basin(eigenvalue, curvature, float(gradient.norm()), offsets, np.array(losses), misfit)

    def case(self, models: Models, run: Run) -> EscapeCase:
        """Exit times of SGD and of the models; barriers in units of the spread under white noise of fresh batches."""
        spread = models.white_spread(run)
        barriers = tuple(k * spread for k in BARRIERS)
        places = np.abs(self.trajectories(run))
        own = float(np.sqrt(np.mean(places[:, self.n_steps // 2 :] ** 2))) / spread
        return EscapeCase(
            sampling=run.sampling, momentum=run.momentum, learning_rate=run.rate,
            drift=run.rate * models.curvature / (1.0 - run.momentum), noise_std=models.std, hurst=models.hurst,
            spread=own, barriers=barriers, sgd=tuple(_exits(places, barrier) for barrier in barriers),
            models=models.exits(run, barriers),
        )  # fmt: skip

    def trajectories(self, run: Run) -> Array:
        """Distance from the minimum along the direction after each step of SGD in single precision.

        The shape is (n_replicas, n_steps).
        """
        func, torch = optional("torch.func"), optional("torch")
        parameters, mean_loss = loss_of(self.model, self.loss)
        gradient = func.vmap(func.grad(mean_loss))
        copies = {name: p.float().expand(self.n_replicas, *p.shape).clone() for name, p in parameters.items()}
        momenta = {name: torch.zeros_like(p) for name, p in copies.items()}
        origin, along = flat(parameters.values()), torch.from_numpy(self.direction)
        inputs, targets = self.data[0].float(), self.data[1]
        seeds = np.random.SeedSequence([self.seed, 3]).spawn(self.n_replicas)
        sources = [draw_batches(np.random.default_rng(s), len(inputs), self.batch_size, run.sampling) for s in seeds]
        out = np.empty((self.n_replicas, self.n_steps))
        for k in range(self.n_steps):
            rows = torch.from_numpy(np.stack([next(source) for source in sources]))
            slopes = gradient(copies, inputs[rows], targets[rows])
            for name, p in copies.items():
                momenta[name] = run.momentum * momenta[name] + slopes[name] + _DECAY * p
                copies[name] = p - run.rate * momenta[name]
            places = torch.cat([p.reshape(self.n_replicas, -1) for p in copies.values()], dim=1)
            out[:, k] = ((places - origin) @ along).numpy()
        return out


def _shaped(vector: Tensor, parameters: Parameters) -> Parameters:
    """A vector of all parameters as the dictionary of tensors it came from."""
    pieces = vector.split([p.numel() for p in parameters.values()])
    return {name: piece.reshape(p.shape) for (name, p), piece in zip(parameters.items(), pieces, strict=True)}


def _exits(places: Array, barrier: float) -> PassageTimes:
    """First steps at or beyond the barrier as passage times."""
    out = places >= barrier
    left = np.asarray(out.any(axis=1))
    n_steps = places.shape[1]
    return PassageTimes(np.where(left, out.argmax(axis=1) + 1.0, float(n_steps)), ~left, float(n_steps), 1.0)
