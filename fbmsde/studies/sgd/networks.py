"""PyTorch behind a guard, the small networks and the data of the experiments, and derivatives of their loss."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import linalg

from ...core import checks
from ...core.types import Array

Loss = Callable[[Any, Any], Any]

DATA = ("digits", "synthetic")
KINDS = ("mlp", "cnn")
_CHUNK_NUMBERS = 2**23  # gradient components or activations held at once: 32 MB in single precision


def optional(name: str) -> Any:
    """A module of the extra `sgd`, or ImportError that says how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ImportError("sgd needs PyTorch and scikit-learn: pip install torch scikit-learn") from None


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
    """Training and test set as tensors: inputs (n, n_features) single precision, targets (n,) classes."""

    inputs: Any
    targets: Any
    test_inputs: Any
    test_targets: Any

    @property
    def train(self) -> tuple[Any, Any]:
        """Inputs and targets of the training set."""
        return self.inputs, self.targets


def load_samples(name: str, seed: int, n_samples: int = 2000, label_noise: float = 0.0) -> Samples:
    """Four fifths to train on, one fifth to test; `label_noise`: share of training labels drawn anew at random."""
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


def make_network(kind: str, width: int, depth: int, seed: int, smooth: bool = False) -> Any:
    """A network from 64 inputs to 10 classes: `depth` hidden layers of `width` units, or 3 x 3 convolutions so wide."""
    nn, torch = optional("torch.nn"), optional("torch")
    checks.choice("kind", kind, KINDS)
    activation = nn.Tanh if smooth else nn.ReLU
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[Any] = [] if kind == "mlp" else [nn.Unflatten(1, (1, 8, 8))]
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


def accuracy(model: Any, inputs: Any, targets: Any) -> float:
    """Share of the samples whose class the model finds."""
    with optional("torch").no_grad():
        return float((model(inputs).argmax(dim=1) == targets).double().mean())


def flat(tensors: Any) -> Any:
    """Tensors one after the other in a single vector."""
    return optional("torch").cat([t.reshape(-1) for t in tensors])


def chunks(n: int, numbers_per_sample: int) -> list[slice]:
    """The samples in slices small enough for memory."""
    size = max(1, _CHUNK_NUMBERS // numbers_per_sample)
    return [slice(first, min(first + size, n)) for first in range(0, n, size)]


def loss_of(model: Any, loss: Loss) -> tuple[dict[str, Any], Callable[[Any, Any, Any], Any]]:
    """Detached parameters, and the mean loss as a function of (parameters, inputs, targets)."""
    call = optional("torch.func").functional_call
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def mean_loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        return loss(call(model, (p, buffers), (x,)), y)

    return parameters, mean_loss


def sample_gradients(model: Any, loss: Loss, data: tuple[Any, Any]) -> Iterator[tuple[slice, Any]]:
    """Gradients of single samples, (chunk, n_parameters), chunk by chunk."""
    func, torch = optional("torch.func"), optional("torch")
    parameters, mean_loss = loss_of(model, loss)
    one = func.vmap(func.grad(lambda p, x, y: mean_loss(p, x[None], y[None])), in_dims=(None, 0, 0))
    inputs, targets = data
    for rows in chunks(len(inputs), sum(p.numel() for p in parameters.values())):
        gradients = one(parameters, inputs[rows], targets[rows])
        yield rows, torch.cat([g.reshape(len(g), -1) for g in gradients.values()], dim=1)


def full_gradient(model: Any, loss: Loss, data: tuple[Any, Any]) -> Any:
    """Gradient of the mean loss over all samples, (n_parameters,), in double precision where chunks are added."""
    torch, (inputs, targets) = optional("torch"), data
    parameters = list(model.parameters())
    total = torch.zeros(sum(p.numel() for p in parameters), dtype=torch.float64)
    for rows in chunks(len(inputs), _numbers_per_sample(model, inputs)):
        mean = loss(model(inputs[rows]), targets[rows])
        share = len(inputs[rows]) / len(inputs)
        total += share * flat(torch.autograd.grad(mean, parameters)).double()
    return total


def _numbers_per_sample(model: Any, inputs: Any) -> int:
    """A bound of the activations of one sample: every unit of a layer has a bias or 64 positions of one."""
    return 64 * math.prod(inputs.shape[1:]) + 64 * sum(p.shape[0] for p in model.parameters())


@dataclass(frozen=True, eq=False)
class SharpestDirection:
    """Largest Hessian eigenvalue, its unit vector (n_parameters,), and whether its residual says that it is one."""

    eigenvalue: float
    vector: Array
    iterations: int
    converged: bool


def sharpest_direction(
    model: Any, loss: Loss, data: tuple[Any, Any], *, seed: int = 0, tolerance: float = 1e-4, max_iterations: int = 200
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

    operator = linalg.LinearOperator((size, size), matvec=counted, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(size)
    vector = _top_vector(operator, start / np.linalg.norm(start), tolerance, max_iterations)
    image = counted(vector)
    value = float(vector @ image)
    residual = float(np.linalg.norm(image - value * vector))
    return SharpestDirection(value, vector, n_products, residual <= math.sqrt(tolerance) * abs(value))


def _top_vector(operator: Any, start: Array, tolerance: float, max_iterations: int) -> Array:
    """Unit eigenvector of the largest eigenvalue; the best within reach when the iterations do not suffice."""
    if start.size == 1:
        return np.ones(1)
    width = min(start.size, 20)  # a restart costs at most so many products
    options = {"k": 1, "which": "LA", "v0": start, "ncv": width, "maxiter": max(1, max_iterations // width)}
    try:
        vectors = linalg.eigsh(operator, tol=tolerance, **options)[1]
    except linalg.ArpackNoConvergence:
        vectors = linalg.eigsh(operator, tol=1e30, **options)[1]
    return np.ascontiguousarray(vectors[:, 0])


def _hessian_product(model: Any, loss: Loss, data: tuple[Any, Any]) -> tuple[int, Callable[[Array], Array]]:
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
