"""Argument checks of the public faces: one message style, ``name must rule, got value.``"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

Seed = int | np.random.SeedSequence | np.random.Generator


def number(name: str, value: Any) -> float:
    """The value as a float, TypeError unless it is one real number."""
    if isinstance(value, (str, bytes, bool)) or value is None:
        raise TypeError(f"{name} must be a number, got {value!r}.")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}.") from None


def finite(name: str, value: Any) -> float:
    """The value as a finite float."""
    x = number(name, value)
    if not math.isfinite(x):
        raise ValueError(f"{name} must be finite, got {x}.")
    return x


def numbers(name: str, values: Any) -> tuple[float, ...]:
    """The values as a tuple of finite floats, TypeError unless they are a sequence of numbers."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable) or np.ndim(values) > 1:  # type: ignore[arg-type]
        raise TypeError(f"{name} must be a tuple of numbers, got {values!r}. Write ({values!r},) for a single one.")
    return tuple(finite(name, value) for value in values)


def kind(name: str, value: Any, wanted: type, advice: str) -> None:
    """TypeError with the advice unless the value is of the wanted class."""
    if not isinstance(value, wanted):
        raise TypeError(f"{name} must be a {wanted.__name__}, got {value!r}. {advice}")


def positive(name: str, value: Any) -> float:
    """The value as a finite float above zero."""
    x = number(name, value)
    if not 0.0 < x < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {x}.")
    return x


def fraction(name: str, value: Any) -> float:
    """The value as a float strictly between 0 and 1."""
    x = number(name, value)
    if not 0.0 < x < 1.0:
        raise ValueError(f"{name} must lie in (0, 1), got {x}.")
    return x


def hurst_parameter(value: Any) -> float:
    """The Hurst parameter as a float strictly between 0 and 1."""
    return fraction("hurst", value)


def count(name: str, value: Any, minimum: int = 1) -> int:
    """The value as an int of at least `minimum`; floats are refused unless they are whole."""
    whole = isinstance(value, (int, np.integer)) or (isinstance(value, (float, np.floating)) and value == int(value))
    if isinstance(value, bool) or not whole:
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if int(value) < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {int(value)}.")
    return int(value)


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """The value, ValueError with the list of choices unless it is one of them."""
    known = list(choices)
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}.")
    return str(value)


def float_type(name: str, value: Any) -> np.dtype:
    """float64 or float32 as a dtype."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        raise TypeError(f"{name} must be float64 or float32, got {value!r}.") from None
    if dtype not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"{name} must be float64 or float32, got {dtype}.")
    return dtype


def workers(n_jobs: Any) -> int:
    """The number of threads: all cores for None."""
    return (os.cpu_count() or 1) if n_jobs is None else count("n_jobs", n_jobs)


def fits_memory(what: str, n_bytes: float) -> None:
    """MemoryError, saying how much was asked for, when `n_bytes` exceed the machine's memory."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if n_bytes > available:
        raise MemoryError(
            f"{what} must fit in memory, got {n_bytes / 1e9:.3g} GB on a machine with {available / 1e9:.3g} GB."
        )


def as_seed(seed: Any) -> np.ndarray:
    """The key of all paths, (4,) uint64, from an int, a SeedSequence or a Generator (which moves on)."""
    if isinstance(seed, np.random.Generator):
        return seed.integers(0, 2**64, size=4, dtype=np.uint64)
    if isinstance(seed, np.random.SeedSequence):
        return seed.generate_state(4, np.uint64)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an int, a numpy SeedSequence or a numpy Generator, got {seed!r}.")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}.")
    return np.random.SeedSequence(int(seed)).generate_state(4, np.uint64)
