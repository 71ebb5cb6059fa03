"""Drivers by name, as the command line takes them: ``epoch:n_samples=1437,batch_size=128``."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable

import numpy as np

from ..core import checks
from .arma import ArmaNoise, anti_pgd
from .base import Driver
from .epoch import EpochNoise
from .finite_population import PopulationNoise
from .fractional import FractionalNoise
from .mixed import MixedNoise
from .presets import OrnsteinUhlenbeckNoise, arfima, tempered_fgn
from .stable import StableNoise

Value = bool | int | float | str | tuple[float, ...] | None


def white(sigma: float = 1.0) -> FractionalNoise:
    """Independent Gaussian increments of variance ``sigma^2 dt``.

    >>> white(2.0).hurst
    0.5
    """
    return FractionalNoise(0.5, sigma)


def population(
    samples: str, batch_size: int, replacement: bool = False, sigma: float = 1.0, phase: int | None = None
) -> PopulationNoise:
    """A :class:`PopulationNoise` whose samples, (N,) or (N, d), stand in a file of the format .npy."""
    if not str(samples).endswith(".npy"):
        raise ValueError(f"samples must name a file that ends in .npy, got {samples!r}.")
    return PopulationNoise(np.load(str(samples), allow_pickle=False), batch_size, replacement, sigma, phase)


NOISES: dict[str, Callable[..., Driver]] = {
    "fractional": FractionalNoise,
    "white": white,
    "epoch": EpochNoise,
    "population": population,
    "stable": StableNoise,
    "arma": ArmaNoise,
    "anti_pgd": anti_pgd,
    "ornstein_uhlenbeck": OrnsteinUhlenbeckNoise,
    "arfima": arfima,
    "tempered_fgn": tempered_fgn,
}


def named_noise(text: str) -> Driver:
    """The driver that a text describes: a name of ``NOISES``, and its parameters behind a colon, separated by commas.

    A parameter is a number, ``true``, ``false``, ``none``, a word, or numbers that are separated, or followed, by
    semicolons. Noises joined by + are added as independent ones. Raises ValueError, with what there is, for unknown
    names and parameters, and what the driver raises for values that it does not take.

    >>> named_noise("epoch:n_samples=1437,batch_size=128")
    EpochNoise(n_samples=1437, batch_size=128, sigma=1.0, phase=None)
    >>> named_noise("white:sigma=0.5+stable:alpha=1.5").increment_scale(1.0)
    1.118033988749895
    """
    parts = [_one_noise(part.strip()) for part in re.split(r"\+(?=\s*[a-z])", checks.kind("noise", text, str, _HOW))]
    return parts[0] if len(parts) == 1 else MixedNoise(*parts)


_HOW = "Write NAME:key=value,key=value."


def _one_noise(text: str) -> Driver:
    """The driver of a text without a sum."""
    name, _, rest = text.partition(":")
    build = NOISES[checks.choice("noise", name.strip(), NOISES)]
    known = inspect.signature(build).parameters
    given: dict[str, Value] = {}
    for part in filter(None, (piece.strip() for piece in rest.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in known or key in given:
            raise ValueError(f"noise {name} must have each of the parameters {', '.join(known)} at most once, got "
                             f"{part!r}. {_HOW}")  # fmt: skip
        given[key] = _value(value)
    missing = [key for key, found in known.items() if found.default is found.empty and key not in given]
    if missing:
        raise ValueError(f"noise {name} must have {', '.join(missing)}, got {text!r}. {_HOW}")
    return build(**given)


def _value(text: str) -> Value:
    """The value of a parameter: a number, a truth, nothing, several numbers, or else a word."""
    words: dict[str, Value] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    if ";" in text:
        return tuple(_number(piece) for piece in text.split(";") if piece.strip())
    number = _number(text, math.nan)
    return text if math.isnan(number) else int(number) if re.fullmatch(r"[+-]?\d+", text) else number


def _number(text: str, otherwise: float | None = None) -> float:
    """The text as a float; if it is none, `otherwise`, or ValueError without it."""
    try:
        return float(text)
    except ValueError:
        if otherwise is None:
            raise ValueError(f"noise must have numbers between semicolons, got {text!r}.") from None
        return otherwise
