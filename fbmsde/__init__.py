"""Simulation of stochastic differential equations driven by fractional Brownian motion.

A name is imported when it is used first; `__init__.pyi` beside this file lists them all and where they are.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

import lazy_loader as _lazy_loader

from ._former_paths import FORMER as _FORMER
from .core import loaded as _loaded  # noqa: F401 - it notes the time before the other files load

__version__ = "0.2.0"

_FOLDERS = ("bench", "campaigns", "cli", "core", "drivers", "dynamics", "hurst", "io", "laws", "plots", "rare")
_FOLDERS += ("results", "simulation", "studies", "theory")
_public, _, __all__ = _lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> _Any:
    """A public name, a folder, the module at a former path, or a registered landscape, imported now."""
    if name in _FOLDERS or name in _FORMER:
        return _import_module(f".{name}", __name__)
    if name not in __all__ and not name.startswith("_"):
        landscapes = _import_module(".dynamics.landscapes", __name__).LANDSCAPES
        if name in landscapes:
            return landscapes[name]
    return _public(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_FOLDERS, "__version__"})
