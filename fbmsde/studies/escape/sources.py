"""The noises that a study compares: fractional noise of several Hurst values, or any noises under names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...core import checks
from ...drivers.base import Driver, Shaped
from ...drivers.fractional import METHODS, FractionalNoise
from ...drivers.jumping import Jumping
from ...drivers.sample import NoiseMethod


class Source(NamedTuple):
    """A noise under its name.

    hurst : the Hurst parameter of fractional noise, None for any other noise.
    jumps : whether exits in continuous time can be run with it.
    """

    name: str
    noise: Driver
    hurst: float | None
    jumps: bool

    def continuous_paths(self, asked: int) -> int:
        """The number of paths that run in continuous time if `asked` are asked for: none where the noise cannot."""
        return asked if self.jumps else 0


class Noises(NamedTuple):
    """The noises of a study, and what its settings say of them.

    hurst, sigma, method : what was asked of fractional noise; empty, empty and None where noises have names.
    names : the text of each noise by its name, None for fractional noise of several Hurst values.
    """

    sources: list[Source]
    hurst: tuple[float, ...]
    sigma: tuple[float, ...]
    method: NoiseMethod | None
    names: dict[str, str] | None

    def title(self, source: Source) -> str:
        """What tells a noise from the others: its Hurst value, or its name where noises have names."""
        return f"H = {source.hurst!r}" if self.names is None else source.name


def fractional_noises(hurst: Sequence[float], sigma: float | Sequence[float], method: NoiseMethod) -> Noises:
    """Fractional noise of each Hurst value, made by `method`, under the text that `named_noise` takes for it.

    `sigma` is one strength, or one for each Hurst value. ValueError for no Hurst value, for one out of range, for equal
    ones, and for a strength that is not positive.

    >>> [source.name for source in fractional_noises([0.3], 2.0, "streaming").sources]
    ['fractional:hurst=0.3,sigma=2.0']
    """
    values = _hurst_values(hurst)
    given = np.broadcast_to(np.asarray(sigma, dtype=object), len(values)).tolist()
    strengths = [checks.positive("sigma", s) for s in given]
    how = "" if checks.choice("method", method, METHODS) == "streaming" else f",method={method}"
    sources = []
    for h, s in zip(values, strengths, strict=True):
        name = f"fractional:hurst={h!r},sigma={s!r}{how}"
        sources.append(Source(name, FractionalNoise(h, s, method), h, method == "streaming"))
    return Noises(sources, tuple(values), tuple(strengths), method, None)


def noises_by_name(noises: Mapping[str, Driver]) -> Noises:
    """The noises under their names; ValueError for none, TypeError for what is no noise and no name.

    >>> from fbmsde import StableNoise
    >>> [(source.hurst, source.jumps) for source in noises_by_name({"stable": StableNoise(1.5)}).sources]
    [(None, False)]
    """
    checks.kind("noises", noises, Mapping, "Write {'stable': StableNoise(1.5)}.")
    if not noises:
        raise ValueError("noises must hold at least one noise, got none.")
    for name, noise in noises.items():
        checks.kind("noises", name, str, "Its keys are the names of the noises.")
        checks.kind("noises", noise, Driver, "Write {'stable': StableNoise(1.5)}.")
    sources = [Source(name, noise, hurst_of(noise), _jumps(noise)) for name, noise in noises.items()]
    return Noises(sources, (), (), None, {name: str(noise) for name, noise in noises.items()})


def hurst_of(noise: Driver) -> float | None:
    """The Hurst parameter of fractional noise whose components share one, None for any other noise.

    >>> hurst_of(FractionalNoise(0.3)), hurst_of(FractionalNoise((0.3, 0.7)))
    (0.3, None)
    """
    if not isinstance(noise, FractionalNoise) or len(set(noise.axes.hursts)) > 1:
        return None
    return noise.common_hurst


def _jumps(noise: Driver) -> bool:
    """Whether the noise can jump as it stands: fractional noise of several Hurst values cannot, for one."""
    channels = noise.components if isinstance(noise, Shaped) else None
    try:
        return isinstance(noise, Jumping) and bool(noise.jump_source(2, 1, channels or 1, None))
    except ValueError:
        return False


def _hurst_values(given: Sequence[float]) -> list[float]:
    """The Hurst values as floats; ValueError for none, for one out of range and for equal ones."""
    values = np.atleast_1d(np.asarray(given, dtype=object)).tolist()
    if not values:
        raise ValueError("hurst must hold at least one value, got none.")
    checked = [checks.hurst_parameter(h) for h in values]
    if len(set(checked)) < len(checked):
        raise ValueError(f"hurst must hold different values, got {checked}.")
    return checked
