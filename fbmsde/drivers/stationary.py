"""Noises whose past can be drawn given what a lane remembers, as stationary starts of linear equations need."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from ..core.types import Array


class LinearStart(NamedTuple):
    """The law of the stationary value X of the chain ``x' = phi x + xi`` given the beginning of the noise's path.

    ``X = weights . numbers + sd z`` with a standard normal z of its own. `numbers` is what `Branch.save` writes for one
    component of a lane just started, and X is in units of the numbers drawn: the `scale` of the lanes multiplies it.

    weights : the weights of what one component of a lane remembers, (n_numbers / n_components,).
    sd : the standard deviation of X given that.
    """

    weights: Array
    sd: float


@runtime_checkable
class Stationary(Protocol):
    """A feed whose past is known in law, so that a linear chain can start in its stationary state.

    The chain is ``x' = phi x + xi`` with the increments xi of one component, and X is its value before the first one:
    ``X = sum_{j>=1} phi^(j-1) xi_{-j}``. A certificate of the noise that holds for n increments covers X and the path
    after it if n exceeds the number of steps by some multiples of ``1 / (1 - phi)``.
    """

    def linear_start(self, phi: float) -> LinearStart:
        """The law of X given a lane, for a chain with -1 < phi < 1; ValueError outside."""
