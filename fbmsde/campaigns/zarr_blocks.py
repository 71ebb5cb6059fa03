"""Blocks as the arrays of a store, and back, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from ..core.states import CENSORED, LEFT
from ..core.types import AnyArray, Array
from ..results.error_budget import ErrorBudget
from ..results.rare import RareEscape, Replica
from ..simulation.ended import Ended
from .problems import Block
from .replicas import ReplicaBlock
from .zarr_layout import NUMBERS, SERIES, Card

Arrays = Mapping[str, AnyArray]


def card_with(card: Card, block: Block) -> Card:
    """The card of the problem of a block with what only its blocks tell."""
    if isinstance(block, ReplicaBlock):
        escape = block.escape
        longest = max(getattr(each, name).size for each in _replicas(escape) for name in SERIES)
        facts = {"method": escape.method, "why": escape.why, "shift": escape.shift}
        return replace(card, facts=facts, longest=max(card.longest, longest))
    return replace(card, budget=tuple(block.budget.record()) if block.budget else ())


def arrays_of(block: Block) -> dict[str, AnyArray]:
    """The arrays of a block."""
    if isinstance(block, ReplicaBlock):
        return _of_replica(block.escape)
    record = block.budget.record() if block.budget else {}
    return {
        "time": block.times,
        "side": block.sides,
        "place": block.places,
        "budget": np.array([[*record.values()]]),
        "state": block.states,
    }


def block_of(card: Card, number: int, n: int, arrays: Arrays) -> Block:
    """The block of this number with n paths; ValueError if the arrays do not belong together."""
    if card.kind == "replicas":
        return ReplicaBlock(_escape(card, arrays), number)
    if not np.all(np.isfinite(arrays["time"][:n])):
        raise ValueError("times of fewer paths")
    places = arrays["place"] if card.n_positions else np.empty((card.block_paths, 0))
    record = dict(zip(card.budget, arrays["budget"][0].tolist(), strict=True)) if card.budget else None
    return Ended(
        times=arrays["time"][:n],
        states=arrays["state"][:n],
        sides=arrays["side"][:n],
        places=places.reshape(card.block_paths, card.n_positions)[:n],
        names=card.sides,
        dt=card.dt,
        horizon=card.horizon,
        budget=ErrorBudget.of_record(record) if record else None,
        first=number * card.block_paths,
    )


def _replicas(escape: RareEscape) -> list[Replica]:
    """The one replica of each side."""
    return [replicas[0] for replicas in escape.sides.values()]


def _of_replica(escape: RareEscape) -> dict[str, AnyArray]:
    """The arrays of a replica, (1, n_sides) or (1, n_sides, n_values)."""
    found = _replicas(escape)
    lengths = np.array([[[getattr(each, name).size for name in SERIES] for each in found]], np.uint32)
    arrays: dict[str, AnyArray] = {name: np.array([[getattr(r, name) for r in found]], float) for name in NUMBERS}
    for place, name in enumerate(SERIES):
        arrays[name] = np.full((1, len(found), lengths[..., place].max()), np.nan)
        for side, replica in enumerate(found):
            arrays[name][0, side, : lengths[0, side, place]] = getattr(replica, name)
    state = LEFT if escape.values.any() else CENSORED
    steps, states = np.array([escape.path_steps], float), np.array([state], np.uint8)
    return {**arrays, "length": lengths, "path_steps": steps, "state": states}


def _escape(card: Card, arrays: Arrays) -> RareEscape:
    """The escape of one replica."""
    sides = {name: (_replica(arrays, side),) for side, name in enumerate(card.sides)}
    facts = cast("Mapping[str, float | str]", card.facts)
    return RareEscape(
        method=str(facts["method"]),
        sides=sides,
        horizon=card.horizon,
        dt=card.dt,
        shift=float(facts["shift"]),
        path_steps=int(arrays["path_steps"][0]),
        why=str(facts["why"]),
    )


def _replica(arrays: Arrays, side: int) -> Replica:
    """The replica of one side."""
    lengths = arrays["length"][0, side]
    series: dict[str, Array] = {name: arrays[name][0, side, :n] for name, n in zip(SERIES, lengths, strict=True)}
    numbers = {name: float(arrays[name][0, side]) for name in NUMBERS}
    ancestors = int(numbers.pop("ancestors"))
    return Replica(**series, **numbers, ancestors=ancestors)  # type: ignore[arg-type]  # arrays and numbers by name
