"""Packages that are not needed by everybody and come with an extra."""

from __future__ import annotations

import importlib
from types import ModuleType


def optional(name: str, extra: str) -> ModuleType:
    """A module of an extra of this package; if it is not installed, the ImportError says how to get it.

    >>> optional("json", "store").__name__
    'json'
    >>> optional("no_such_module", "store")
    Traceback (most recent call last):
        ...
    ImportError: no_such_module is not installed. Install it with: pip install "fbmsde[store]"
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise ImportError(f'{package} is not installed. Install it with: pip install "fbmsde[{extra}]"') from None
