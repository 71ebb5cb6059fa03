"""PyTorch behind a guard, the small networks and the data of the experiments, and derivatives of their loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import scipy
from numpy.typing import NDArray

from ...core import checks, extras
from ...core.types import Array

if TYPE_CHECKING:  # PyTorch is an extra
    from torch import Tensor
    from torch.nn import Module

Loss: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
Parameters: TypeAlias = "dict[str, Tensor]"
MeanLoss: TypeAlias = "Callable[[Parameters, Tensor, Tensor], Tensor]"

DATA = ("digits", "synthetic")
KINDS = ("mlp", "cnn")
_CHUNK_NUMBERS = 2**23  # gradient components or activations held at once: 32 MB in single precision


def optional(name: str) -> ModuleType:
    """A module of the extra `sgd`; if it is not installed, the ImportError says how to get it."""
    return extras.optional(name, "sgd")


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: small networks run fastest so, and sums do not depend on the machine."""
    torch = optional("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, eq=False)
class Samples:
    """Training and test set as tensors: inputs (n, n_features) in single precision, targets (n,) are classes."""

    inputs: Tensor
    targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor

    @property
    def train(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the training set."""
        return self.inputs, self.targets


def load_samples(name: str, seed: int, n_samples: int = 2000, label_noise: float = 0.0) -> Samples:
    """Labelled samples, four fifths of them to train on and one fifth to test with.

    `name` is one of `DATA`; "digits" has its own size, so that `n_samples` counts for "synthetic" only. The share
    `label_noise` of the training labels is drawn anew at random.
    """
    torch, rng = optional("torch"), np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    checks.choice("data", name, DATA)
    x, y = _digits() if name == "digits" else _clouds(rng, n_samples)
    order, cut = rng.permutation(len(x)), len(x) * 4 // 5
    x, y = x[order].astype(np.float32), y[order].astype(np.int64)
    test_targets = y[cut:].copy()
    drawn = rng.random(cut) < label_noise
    y[:cut][drawn] = rng.integers(0, 10, drawn.sum())
    parts = (x[:cut], y[:cut], x[cut:], test_targets)
    return Samples(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


def _digits() -> tuple[Array, NDArray[np.int64]]:
    """The 1797 images of 8 x 8 pixels that come with scikit-learn, grey values in [0, 1]."""
    images = optional("sklearn.datasets").load_digits()
    return images.data / 16.0, images.target


def _clouds(rng: np.random.Generator, n: int) -> tuple[Array, NDArray[np.int64]]:
    """Ten Gaussian clouds in 64 dimensions that overlap a little."""
    targets = rng.integers(0, 10, n)
    centres = 0.35 * rng.standard_normal((10, 64))
    return centres[targets] + 0.7 * rng.standard_normal((n, 64)), targets


def make_network(kind: str, width: int, depth: int, seed: int, smooth: bool = False) -> Module:
    """A ``torch.nn.Module`` from 64 inputs to 10 classes.

    An "mlp" has `depth` hidden layers of `width` units, a "cnn" has `depth` layers of 3 x 3 convolutions with `width`
    channels. Its units are ReLU, or tanh if `smooth`.
    """
    nn, torch = optional("torch.nn"), optional("torch")
    checks.choice("kind", kind, KINDS)
    activation = nn.Tanh if smooth else nn.ReLU
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[Module] = [] if kind == "mlp" else [nn.Unflatten(1, (1, 8, 8))]
        inputs = 64 if kind == "mlp" else 1
        for level in range(depth):
            if kind == "mlp":
                layers += [nn.Linear(inputs, width), activation()]
            else:  # strides of 2 after the first layer stand in for pooling
                layers += [nn.Conv2d(inputs, width, 3, padding=1, stride=1 + (level > 0)), activation()]
            inputs = width
        side = 8 if kind == "cnn" else 1
        for _ in range(depth - 1 if kind == "cnn" else 0):
            side = (side + 1) // 2
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side * side, 10))


def accuracy(model: Module, inputs: Tensor, targets: Tensor) -> float:
    """Share of the samples whose class the model finds."""
    with optional("torch").no_grad():
        return float((model(inputs).argmax(dim=1) == targets).double().mean())


def flat(tensors: Iterable[Tensor]) -> Tensor:
    """All tensors one after the other in a single vector."""
    return optional("torch").cat([t.reshape(-1) for t in tensors])


def chunks(n: int, numbers_per_sample: int) -> list[slice]:
    """Slices of `n` samples, each small enough for memory."""
    size = max(1, _CHUNK_NUMBERS // numbers_per_sample)
    return [slice(first, min(first + size, n)) for first in range(0, n, size)]


def loss_of(model: Module, loss: Loss) -> tuple[Parameters, MeanLoss]:
    """Detached parameters, and the mean loss as a function of (parameters, inputs, targets)."""
    call = optional("torch.func").functional_call
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def mean_loss(p: Parameters, x: Tensor, y: Tensor) -> Tensor:
        return loss(call(model, (p, buffers), (x,)), y)

    return parameters, mean_loss


def sample_gradients(model: Module, loss: Loss, data: tuple[Tensor, Tensor]) -> Iterator[tuple[slice, Tensor]]:
    """Gradients of single samples, chunk by chunk: the samples' places and their gradients (chunk, n_parameters)."""
    func, torch = optional("torch.func"), optional("torch")
    parameters, mean_loss = loss_of(model, loss)
    one = func.vmap(func.grad(lambda p, x, y: mean_loss(p, x[None], y[None])), in_dims=(None, 0, 0))
    inputs, targets = data
    for rows in chunks(len(inputs), sum(p.numel() for p in parameters.values())):
        gradients = one(parameters, inputs[rows], targets[rows])
        yield rows, torch.cat([g.reshape(len(g), -1) for g in gradients.values()], dim=1)


def full_gradient(model: Module, loss: Loss, data: tuple[Tensor, Tensor]) -> Tensor:
    """Gradient of the mean loss over all samples, (n_parameters,); its chunks are added in double precision."""
    torch, (inputs, targets) = optional("torch"), data
    parameters = list(model.parameters())
    total = torch.zeros(sum(p.numel() for p in parameters), dtype=torch.float64)
    for rows in chunks(len(inputs), _numbers_per_sample(model, inputs)):
        mean = loss(model(inputs[rows]), targets[rows])
        share = len(inputs[rows]) / len(inputs)
        total += share * flat(torch.autograd.grad(mean, parameters)).double()
    return total


def _numbers_per_sample(model: Module, inputs: Tensor) -> int:
    """A bound of the activations of one sample: every unit of a layer has a bias, or 64 positions that share one."""
    return 64 * math.prod(inputs.shape[1:]) + 64 * sum(p.shape[0] for p in model.parameters())


@dataclass(frozen=True, eq=False)
class SharpestDirection:
    """The largest Hessian eigenvalue and its unit vector (n_parameters,), found in so many products.

    `converged` says whether the residual of the two is small enough for an eigenvalue.
    """

    eigenvalue: float
    vector: Array
    iterations: int
    converged: bool


def sharpest_direction(
    model: Module,
    loss: Loss,
    data: tuple[Tensor, Tensor],
    *,
    seed: int = 0,
    tolerance: float = 1e-4,
    max_iterations: int = 200,
) -> SharpestDirection:
    """The algebraically largest eigenvalue of the Hessian of the mean loss, by Lanczos on Hessian-vector products.

    SciPy's ``eigsh(which="LA")`` runs to the relative `tolerance`, in at most about `max_iterations` products. The
    result counts as converged when its residual ``|H v - lambda v|`` is at most ``sqrt(tolerance) |lambda|``: the error
    of the eigenvalue is of second order in the residual, so that it is of the order of the tolerance.
    """
    size, product = _hessian_product(model, loss, data)
    n_products = 0

    def counted(vector: Array) -> Array:
        nonlocal n_products
        n_products += 1
        return product(np.ravel(vector))

    operator = scipy.sparse.linalg.LinearOperator((size, size), matvec=counted, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(size)
    vector = _top_vector(operator, start / np.linalg.norm(start), tolerance, max_iterations)
    image = counted(vector)
    value = float(vector @ image)
    residual = float(np.linalg.norm(image - value * vector))
    return SharpestDirection(value, vector, n_products, residual <= math.sqrt(tolerance) * abs(value))


def _top_vector(
    operator: scipy.sparse.linalg.LinearOperator, start: Array, tolerance: float, max_iterations: int
) -> Array:
    """Unit eigenvector of the largest eigenvalue; the best within reach when the iterations do not suffice."""
    if start.size == 1:
        return np.ones(1)
    width = min(start.size, 20)  # a restart costs at most so many products
    solve = partial(scipy.sparse.linalg.eigsh, operator, k=1, which="LA", v0=start, ncv=width,
                    maxiter=max(1, max_iterations // width))  # fmt: skip
    try:
        _, vectors = solve(tol=tolerance)
    except scipy.sparse.linalg.ArpackNoConvergence:
        _, vectors = solve(tol=1e30)
    return np.ascontiguousarray(vectors[:, 0])


def _hessian_product(model: Module, loss: Loss, data: tuple[Tensor, Tensor]) -> tuple[int, Callable[[Array], Array]]:
    """Number of parameters and the map from a vector to Hessian times vector."""
    func, torch = optional("torch.func"), optional("torch")
    parameters, mean_loss = loss_of(model, loss)
    inputs, targets = data
    sizes = [p.numel() for p in parameters.values()]
    rows_of = chunks(len(inputs), _numbers_per_sample(model, inputs))

    def product(vector: Array) -> Array:
        pieces = torch.from_numpy(vector).split(sizes)
        shaped = zip(parameters.items(), pieces, strict=True)
        tangent = {name: piece.to(p.dtype).reshape(p.shape) for (name, p), piece in shaped}
        total = np.zeros_like(vector)
        for rows in rows_of:
            slope = func.grad(lambda p, rows=rows: mean_loss(p, inputs[rows], targets[rows]))
            image = func.jvp(slope, (parameters,), (tangent,))[1]
            total += len(inputs[rows]) / len(inputs) * flat(image.values()).double().numpy()
        return total

    return sum(sizes), product
