"""Drivers made of other drivers: their functions call the compiled functions of the parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.captured import content_of, digest, frozen
from ..core.compile import lasting_name, locked


def composed(
    function: Callable[..., None], parts: tuple[Callable[..., None], ...], signature: Any, *values: int
) -> Any:
    """A closure over compiled functions of other drivers, itself compiled for one signature.

    `parts` are the functions and `values` the numbers that it captures. Its machine code is kept between processes if
    that of the parts is known by what they were made from; all else must be told by its own code or by its signature.
    """
    name = digest(f"{function.__module__}.{function.__qualname__}", tuple(map(_content, parts)), values)
    return frozen(locked(function, signature, name), name)


def _content(function: Any) -> str | None:
    """What a compiled function of a driver was made from, None where none can be told."""
    return content_of(function) or lasting_name(getattr(function, "py_func", function))
