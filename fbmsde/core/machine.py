"""What a result was made with: versions and the machine, as plain data."""

from __future__ import annotations

import platform
from functools import lru_cache

import llvmlite.binding
import numba
import numpy as np
import scipy

from .. import __version__


def versions() -> dict[str, str]:
    """The versions of this package, of Python, and of what the numbers depend on.

    >>> sorted(versions())
    ['fbmsde', 'numba', 'numpy', 'python', 'scipy']
    """
    others = {"numpy": np.__version__, "numba": numba.__version__, "scipy": scipy.__version__}
    return {"fbmsde": __version__, "python": platform.python_version(), **others}


def machine() -> dict[str, str]:
    """The operating system and the kind of processor; no name of a person or of a computer is told.

    >>> sorted(machine())
    ['processor', 'system']
    """
    return dict(_machine())


@lru_cache(maxsize=1)
def _machine() -> dict[str, str]:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return {"system": system, "processor": llvmlite.binding.get_host_cpu_name()}
