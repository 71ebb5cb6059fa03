"""Argument checks of the public faces: one message style, ``name must rule, got value.``"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

Interval = tuple[float | None, float | None]  # None is an open side
Seed = int | np.random.SeedSequence | np.random.Generator


def number(name: str, value: Any) -> float:
    """The value as a float, inf and nan included; TypeError unless it is one real number.

    ValueError below the smallest normal number, where precision is lost and 1 / value overflows.
    """
    if isinstance(value, (str, bytes, bool, np.bool_)) or value is None or np.ndim(value) != 0:
        raise TypeError(f"{name} must be a number, got {value!r}.")
    try:
        x = float(value)
    except OverflowError:
        raise ValueError(f"{name} must be at most {sys.float_info.max:.3g} in size, got a larger integer.") from None
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}.") from None
    if 0.0 < abs(x) < sys.float_info.min:
        raise ValueError(f"{name} must be 0 or at least {sys.float_info.min:.3g} in size, got {x}.")
    return x


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


def squarable(name: str, value: Any) -> float:
    """The value as a float above zero whose square is finite."""
    x = positive(name, value)
    if x > 1e150:
        raise ValueError(f"{name} must be at most 1e150, got {x}.")
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


def count(name: str, value: Any, minimum: int = 1, maximum: float = 2**62) -> int:
    """The value as an int of at least `minimum`; floats are refused unless they are whole.

    The default maximum is what the kernels can count.
    """
    if isinstance(value, (float, np.floating)) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    whole = isinstance(value, (int, np.integer)) or (isinstance(value, (float, np.floating)) and value == int(value))
    if isinstance(value, bool) or not whole:
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if int(value) < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {int(value)}.")
    if int(value) > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got a larger number.")
    return int(value)


def reals(name: str, values: Any) -> np.ndarray:
    """The values as an array of floats, inf and nan included; TypeError unless they are real numbers."""
    try:
        found = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise TypeError(f"{name} must be real numbers, got {values!r}.") from None
    if found.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be real numbers, got {values!r}.")
    return found.astype(float, copy=False)


def array(name: str, values: Any) -> np.ndarray:
    """The values as an array of floats, infinite ones included; TypeError unless they are real, ValueError for nan."""
    found = reals(name, values)
    if np.isnan(found).any():
        raise ValueError(f"{name} must not hold nan, got it at index {int(np.isnan(found).argmax())}.")
    return found


def interval(name: str, value: Any, otherwise: str = "") -> tuple[float, float]:
    """The two bounds of an interval as floats; None, like -inf below and inf above, is an open side.

    `otherwise` tells in the error message what else may be given.
    """
    try:
        low, high = value
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be (lower, upper){otherwise}, got {value!r}.") from None
    lower = -math.inf if low is None else number(name, low)
    upper = math.inf if high is None else number(name, high)
    if not lower < upper:
        raise ValueError(f"{name} must have lower < upper, got ({lower}, {upper}).")
    return lower, upper


def whole_steps(dt: float, horizon: float) -> int:
    """The number of steps up to the horizon; one that misses it by rounding counts."""
    ratio = horizon / dt * (1.0 + 1e-12) + 1e-9
    if ratio < 1.0:
        raise ValueError(f"horizon must be at least dt = {dt}, got {horizon}.")
    if ratio >= 2**62:
        raise ValueError(f"horizon / dt must be below 2^62, got {ratio:.3g}.")
    return math.floor(ratio)


def reached(dt: float, n_steps: int, horizon: float) -> float:
    """The end of a run of `n_steps`: the horizon, unless it lies further than rounding beyond the last step."""
    end = n_steps * dt
    return horizon if math.isclose(end, horizon, rel_tol=1e-9) else end


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """The value, ValueError with the list of choices unless it is one of them."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
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
