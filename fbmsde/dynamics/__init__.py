"""Landscapes and the one-step schemes that follow them."""

from importlib import import_module as _import_module
from types import ModuleType as _ModuleType


def __getattr__(name: str) -> _ModuleType:
    """The module of schedules, which is public as `fbmsde.schedules`, imported now."""
    if name == "schedules":
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
