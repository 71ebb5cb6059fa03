"""How a result finds its picture: by name, and not before it is asked for.

Results lie below the folder of pictures and import nothing from it. Whoever asks ``result.plot()`` needs both.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def picture(name: str) -> Callable[..., Any]:
    """The function of `fbmsde.plots` with this name.

    >>> picture("plot_survival").__name__
    'plot_survival'
    """
    found: Callable[..., Any] = getattr(import_module("..plots", __package__), name)
    return found
