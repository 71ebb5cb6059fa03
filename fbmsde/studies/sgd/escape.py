"""Escape of real SGD along the sharpest direction beside the escape of a model fed with the measured noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from ...core import checks
from ...core.types import Array
from ...drivers.fractional import FractionalNoise
from ...dynamics.landscapes import quadratic
from ...results.estimates import Estimate
from ...results.passage_times import PassageTimes
from ...results.sgd_escape import BARRIERS, Basin, Ends, EscapeCase
from ...simulation.passage import first_passage
from .cases import SgdEscape
from .gradient_noise import collect_gradient_noise, draw_batches
from .networks import Loss, Parameters, flat, full_gradient, load_samples, loss_of, make_network, one_thread, optional
from .networks import sharpest_direction as find_sharpest

if TYPE_CHECKING:  # PyTorch is an extra
    from torch import Tensor
    from torch.nn import Module

SAMPLINGS = ("with_replacement", "epochs")
DRIFTS = (0.1, 0.8)  # learning rate times curvature: many steps per relaxation, and hardly more than one

_DECAY = 0.01  # weight decay: without it the loss of a network that separates the classes has no minimum


class _Measured(NamedTuple):
    """Standard deviation and H of frozen noise along the sharpest direction."""

    std: float
    hurst: Estimate


def sgd_escape(
    *,
    data: str = "digits",
    n_samples: int = 2000,
    batch_size: int = 128,
    n_steps: int = 600,
    n_replicas: int = 100,
    n_paths: int = 20_000,
    seed: int = 0,
    progress: bool = False,
) -> SgdEscape:
    """Escape times of SGD from a minimum along the sharpest direction, beside those of ``dX = -aX dt + sigma dB_H``.

    A small smooth network with weight decay is brought to a minimum. `n_replicas` copies start there and run SGD for
    `n_steps`, in all dimensions; a copy has escaped when its distance from the minimum along the sharpest direction
    reaches a barrier. The model has the curvature of a parabola fitted to the loss along that direction, H and the
    standard deviation measured on frozen noise along it, and the step dt = learning rate.

    Raises ImportError without PyTorch or scikit-learn, ValueError for arguments outside their range.

    >>> found = sgd_escape(data="synthetic", n_samples=200, batch_size=40, n_steps=20, n_replicas=4, n_paths=200)
    >>> len(found.cases), found.basin.curvature > 0
    (4, True)
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
        setup = _Setup(model, loss, tensors, top.vector, batch_size, n_steps, n_replicas, n_paths, seed)
        noises = {sampling: setup.measured_noise(sampling) for sampling in SAMPLINGS}
        unit = noises["with_replacement"].std
        basin = setup.basin(curvature, BARRIERS[-1] * unit * math.sqrt(DRIFTS[-1] / 2.0) / curvature)
        tasks = [(sampling, drift) for sampling in SAMPLINGS for drift in DRIFTS]
        cases = [
            setup.case(basin, noises[sampling], unit, sampling, drift)
            for sampling, drift in tqdm(tasks, disable=not progress, unit="case")
        ]
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
    n_paths: int
    seed: int

    def measured_noise(self, sampling: str) -> _Measured:
        """What frozen noise along the direction says when its batches are sampled in this way."""
        taken = collect_gradient_noise(
            self.model, self.loss, self.data, batch_size=self.batch_size, n_steps=4096, mode="frozen",
            sampling=sampling, directions=self.direction, seed=self.seed + 1,
        )  # fmt: skip
        estimate = taken.hurst()
        hurst = Estimate(*(float(values[0]) for values in (estimate.hurst, *estimate.confidence_interval())))
        return _Measured(float(taken.std[0]), hurst)

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

    def case(self, basin: Basin, noise: _Measured, unit: float, sampling: str, drift: float) -> EscapeCase:
        """Exit times of SGD and of the model; barriers in units of the spread under memoryless noise of std `unit`."""
        rate = drift / basin.curvature
        # stationary variance of u' = (1 - drift) u + rate s xi
        spread = rate * unit / math.sqrt(drift * (2.0 - drift))
        barriers = tuple(k * spread for k in BARRIERS)
        places = np.abs(self.trajectories(rate, sampling))
        sgd = tuple(_exits(places, barrier, rate) for barrier in barriers)
        model, lower, upper, memoryless = (
            tuple(self.predicted(basin.curvature, rate, noise.std, hurst, barrier) for barrier in barriers)
            for hurst in np.clip((*noise.hurst, 0.5), 0.02, 0.98).tolist()
        )
        late = places[:, self.n_steps // 2 :]
        own = float(np.sqrt(np.mean(late**2))) / spread
        return EscapeCase(
            sampling=sampling, learning_rate=rate, drift=drift, noise_std=noise.std, hurst=noise.hurst, spread=own,
            barriers=barriers, sgd=sgd, model=model, model_ends=tuple(map(Ends, lower, upper)), memoryless=memoryless,
        )  # fmt: skip

    def predicted(self, curvature: float, rate: float, std: float, hurst: float, barrier: float) -> PassageTimes:
        """Exit times of the model from the parabola."""
        driven = FractionalNoise.from_sgd(rate, std, hurst)
        return first_passage(
            quadratic(curvature), driven, 0.0, (-barrier, barrier), dt=rate, horizon=self.n_steps * rate,
            n_paths=self.n_paths, seed=self.seed, n_jobs=1,
        )  # fmt: skip

    def trajectories(self, rate: float, sampling: str) -> Array:
        """Distance from the minimum along the direction after each step of SGD, (n_replicas, n_steps)."""
        func, torch = optional("torch.func"), optional("torch")
        parameters, mean_loss = loss_of(self.model, self.loss)
        gradient = func.vmap(func.grad(mean_loss))
        copies = {name: p.expand(self.n_replicas, *p.shape).clone() for name, p in parameters.items()}
        origin, along = flat(parameters.values()), torch.from_numpy(self.direction)
        inputs, targets = self.data
        seeds = np.random.SeedSequence([self.seed, 3]).spawn(self.n_replicas)
        sources = [draw_batches(np.random.default_rng(s), len(inputs), self.batch_size, sampling) for s in seeds]
        out = np.empty((self.n_replicas, self.n_steps))
        for k in range(self.n_steps):
            rows = torch.from_numpy(np.stack([next(source) for source in sources]))
            slopes = gradient(copies, inputs[rows], targets[rows])
            copies = {name: p - rate * (slopes[name] + _DECAY * p) for name, p in copies.items()}
            places = torch.cat([p.reshape(self.n_replicas, -1) for p in copies.values()], dim=1)
            out[:, k] = ((places - origin) @ along).numpy()
        return out


def _shaped(vector: Tensor, parameters: Parameters) -> Parameters:
    """A vector of all parameters as the dictionary of tensors it came from."""
    pieces = vector.split([p.numel() for p in parameters.values()])
    return {name: piece.reshape(p.shape) for (name, p), piece in zip(parameters.items(), pieces, strict=True)}


def _exits(places: Array, barrier: float, dt: float) -> PassageTimes:
    """First steps at or beyond the barrier as passage times."""
    out = places >= barrier
    left = np.asarray(out.any(axis=1))
    horizon = places.shape[1] * dt
    return PassageTimes(np.where(left, (out.argmax(axis=1) + 1) * dt, horizon), ~left, horizon, dt)
