"""Choices that have no default, so that a call must name one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


def asks_for(
    name: str, choices: Iterable[str], advice: str
) -> Callable[[Callable[Asked, Result]], Callable[Asked, Result]]:
    """Decorator of a function with a keyword that has no default: TypeError that lists its choices if it is left out.

    >>> @asks_for("kind", ("path", "increments"), "A path is a running sum.")
    ... def read(*, kind: str) -> str:
    ...     return kind
    >>> read()
    Traceback (most recent call last):
        ...
    TypeError: kind must be one of path, increments, got nothing. A path is a running sum.
    """
    message = f"{name} must be one of {', '.join(choices)}, got nothing. {advice}"

    def decorated(function: Callable[Asked, Result]) -> Callable[Asked, Result]:
        @wraps(function)
        def asked(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
            if name not in kwargs:
                raise TypeError(message)
            return function(*args, **kwargs)

        return asked

    return decorated
