"""Compiled kernels that are kept on disk between processes where that is possible: a help, never a condition."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache


class _ForgivingCache(FunctionCache):
    """The cache of a function that compiles anew when files are damaged, and does without when none can be written.

    Whatever damaged files raise is met in the same way: they are pickles, which may fail in any manner.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled code of a signature, or None; a damaged index is emptied."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            with contextlib.suppress(Exception):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code of a signature, if there is room."""
        with contextlib.suppress(Exception):
            super().save_overload(sig, data)


def cached_kernel(function: Callable[..., Any]) -> Any:
    """The function compiled without the interpreter's lock, from disk where an earlier process has left it there."""
    kernel = njit(error_model="numpy", nogil=True)(function)
    if hasattr(kernel, "enable_caching"):
        with contextlib.suppress(RuntimeError, OSError):  # neither the package's folder nor the home can be written
            kernel._cache = _ForgivingCache(function)
    return kernel
