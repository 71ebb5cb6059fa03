"""Stochastic gradient descent as it is run: the chain itself, with momentum, weight decay and schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.captured import OPTIONS
from ..core.compile import Form, by_content, compiled, lifted, require_compiles
from ..core.points import Point, add, scaled, times
from .array_steps import descent_into
from .chain import Chain, Stability
from .curvature import sharpness
from .landscapes import Coordinates, Landscape
from .schedules import tabulated

Rate = float | Callable[[float], float] | ArrayLike


def sgd(
    landscape: Landscape, learning_rate: Rate, momentum: float = 0.0, nesterov: bool = False,
    weight_decay: float = 0.0, *, amplitude: Callable[..., Coordinates] | None = None,
) -> Chain:  # fmt: skip
    """The chain ``v' = momentum v - rate (gradient(x) + weight_decay x + s xi)``, ``x' = x + v'``, as a `Chain`.

    xi is the increment of the driver over a step of length 1: the noise of the gradient, of strength `sigma`. It keeps
    its strength when the learning rate changes.

    learning_rate : a positive number; or a function of the number k = 0, 1, ... of the step, such as those of
        `schedules`; or an array with the rate of each step, which no run may outlast. It multiplies the gradient before
        the momentum is added; for PyTorch, whose `momentum_buffer` is ``-v / rate``, that is the same while the rate is
        constant.
    momentum : at least 0 and below 1. With 0 the state is x; otherwise it is (x, v), of which domains see x. A start
        may be given by x alone, and v then is 0.
    nesterov : True for ``x' = x + momentum v' - rate g`` with the same v' and gradient g, as in PyTorch.
    weight_decay : at least 0. It moves the minima towards 0.
    amplitude : ``s = amplitude(x, *landscape.params)``, a float in one dimension, a tuple of d floats in d dimensions;
        None for 1. Where points are arrays it is one float for all coordinates.

    ``chain.stability`` tells for a constant rate at each minimum of the landscape whether the chain stays there, which
    it does where ``rate (curvature + weight_decay) < 2 (1 + momentum)``, with Nesterov's gradient
    ``2 (1 + momentum) / (1 + 2 momentum)`` (the roots of the linear chain then lie within the unit circle). In several
    dimensions the curvature is the largest eigenvalue of the Hessian. Raises ValueError if that holds at no minimum,
    and for numbers outside their range.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> chain = sgd(quadratic(2.0), learning_rate=0.1, momentum=0.9)
    >>> chain.dim, chain.stability[0].bound
    (2, 3.8)
    >>> exits = first_passage(chain, FractionalNoise(0.5), 0.0, (-1.0, 1.0), horizon=1000, n_paths=100, seed=1)
    >>> float(exits.times.min()) % 1.0
    0.0
    """
    ahead = checks.truth("nesterov", nesterov)
    beta, decay = _momentum(momentum, ahead), checks.number("weight_decay", weight_decay)
    if not 0.0 <= decay < float("inf"):
        raise ValueError(f"weight_decay must be finite and at least 0, got {decay}.")
    inert, d, rate = beta > 0.0, landscape.dim, _rate(learning_rate)
    size = _amplitude(landscape, amplitude)
    if landscape.wide:
        update = descent_into(landscape.array_gradient, size, d, inert, ahead)
    else:
        update = _update(_fall(landscape.point_gradient, size, d), d, inert, ahead)
    params, name = (beta, decay, *landscape.params), f"sgd {landscape.name}"
    if not isinstance(rate, float):
        return Chain(update, params, (1 + inert) * d, d, d, name, rate)
    stability = _stability(landscape, rate, decay, _bound(beta, ahead))
    return Chain(update, (*params, rate), (1 + inert) * d, d, d, name, stability=stability)


def _momentum(momentum: float, nesterov: bool) -> float:
    """The momentum, checked."""
    beta = checks.number("momentum", momentum)
    if not 0.0 <= beta < 1.0:
        raise ValueError(f"momentum must lie in [0, 1), got {beta}.")
    if nesterov and beta == 0.0:
        raise ValueError("momentum must be positive for nesterov=True, got 0.0.")
    return beta


def _rate(learning_rate: Rate) -> float | Callable[[float], float]:
    """The learning rate as a positive number or as a function of the step."""
    if callable(learning_rate):
        return learning_rate
    if np.ndim(learning_rate) > 0:
        return tabulated(learning_rate)
    return checks.positive("learning_rate", learning_rate)


def _bound(momentum: float, nesterov: bool) -> float:
    """What the learning rate times the curvature must stay below."""
    return 2.0 * (1.0 + momentum) / (1.0 + 2.0 * momentum * nesterov)


def _stability(landscape: Landscape, rate: float, decay: float, bound: float) -> tuple[Stability, ...]:
    """The stability at each minimum; ValueError if there are minima and none is stable."""
    curvatures = [sharpness(landscape, x) for x in landscape.minima]
    found = tuple(
        Stability(x, h, rate * (h + decay), bound) for x, h in zip(landscape.minima, curvatures, strict=True)
    )
    if found and not any(each.stable for each in found):
        mildest = min(found, key=lambda each: each.product)
        raise ValueError(
            f"learning_rate must be below {bound / (mildest.curvature + decay):.6g} for a stable chain, got {rate:g}: "
            f"rate * (curvature + weight_decay) = {mildest.product:.6g} must be less than {bound:.6g} at one minimum "
            f"at least, and {mildest.minimum} has the smallest curvature, {mildest.curvature:.6g}."
        )
    return found


def _amplitude(landscape: Landscape, amplitude: Callable[..., Coordinates] | None) -> Any:
    """The amplitude as a function from tuples to tuples, None for 1."""
    if amplitude is None:
        return None
    if landscape.wide:
        require_compiles("amplitude", amplitude, Form.of_value(landscape.dim, len(landscape.params), arrays=True))
        return compiled(amplitude)
    require_compiles("amplitude", amplitude, Form.of_vector(landscape.dim, len(landscape.params)))
    return lifted(amplitude, landscape.dim)


@by_content
def _fall(gradient: Any, amplitude: Any, dim: int) -> Any:
    """Minus the rate, which is the last of the numbers, times the sum of gradient, decay and noise."""

    @njit(**OPTIONS)
    def as_it_is(x: Point, noise: Point, params: tuple[float, ...]) -> Point:
        return noise

    @njit(**OPTIONS)
    def amplified(x: Point, noise: Point, params: tuple[float, ...]) -> Point:
        return times(amplitude(x, *params), noise)

    @njit(**OPTIONS)
    def one(value: float) -> Point:
        return (value,)

    @njit(**OPTIONS)
    def several(values: Point) -> Point:
        return values

    push, point = as_it_is if amplitude is None else amplified, one if dim == 1 else several

    def fall(x: Point, noise: Coordinates, decay: float, numbers: tuple[float, ...]) -> Point:
        params, rate = numbers[:-1], numbers[-1]
        steep = add(add(gradient(x, *params), decay, x), 1.0, push(x, point(noise), params))
        return scaled(-rate, steep)

    return njit(**OPTIONS)(fall)


@by_content
def _update(fall: Any, dim: int, inert: bool, nesterov: bool) -> Any:
    """The update of a chain of gradient descent."""

    def plain_number(k: float, x: float, noise: float, beta: float, decay: float, *numbers: float) -> float:
        return x + fall((x,), noise, decay, numbers)[0]

    def plain(k: float, x: Point, noise: Point, beta: float, decay: float, *numbers: float) -> Point:
        return add(x, 1.0, fall(x, noise, decay, numbers))

    def heavy(k: float, y: Point, noise: Coordinates, beta: float, decay: float, *numbers: float) -> Point:
        x = y[:dim]
        v = add(fall(x, noise, decay, numbers), beta, y[dim:])
        return add(x, 1.0, v) + v

    def ahead(k: float, y: Point, noise: Coordinates, beta: float, decay: float, *numbers: float) -> Point:
        x = y[:dim]
        move = fall(x, noise, decay, numbers)
        v = add(move, beta, y[dim:])
        return add(add(x, beta, v), 1.0, move) + v

    return njit(**OPTIONS)(ahead if nesterov else heavy if inert else plain if dim > 1 else plain_number)
