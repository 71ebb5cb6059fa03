"""Checks of the arguments of public functions.

Each check returns the value in a standard type. It raises TypeError for an argument of the wrong kind and ValueError
for a value that is not allowed; the message always reads ``name must rule, got value.``
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from .conforming import conforms

Interval = tuple[float | None, float | None]  # None is an open side
Seed = int | np.random.SeedSequence | np.random.Generator

Kind = TypeVar("Kind")
Name = TypeVar("Name", bound=str)


def number(name: str, value: Any) -> float:
    """The value as a float, which may be inf or nan.

    A size below the smallest normal number is refused, because precision is lost there and 1 / value overflows.

    >>> number("sigma", 2)
    2.0
    """
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain and (isinstance(value, (str, bytes, bool, np.bool_)) or value is None or np.ndim(value) != 0):
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
    """The value as a finite float.

    >>> finite("x0", -1)
    -1.0
    """
    x = number(name, value)
    if not math.isfinite(x):
        raise ValueError(f"{name} must be finite, got {x}.")
    return x


def numbers(name: str, values: Any) -> tuple[float, ...]:
    """The values as a tuple of finite floats.

    >>> numbers("params", [1, 2.5])
    (1.0, 2.5)
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable) or np.asarray(values).ndim > 1:
        raise TypeError(f"{name} must be a tuple of numbers, got {values!r}. Write ({values!r},) for a single one.")
    return tuple(finite(name, value) for value in values)


def kind(name: str, value: object, wanted: type[Kind], advice: str) -> Kind:
    """The value, or TypeError with the advice at its end unless it is an object of the class or protocol `wanted`.

    >>> kind("name", "fou", str, "Write it in quotes.")
    'fou'
    >>> kind("name", 3, str, "Write it in quotes.")
    Traceback (most recent call last):
        ...
    TypeError: name must be a str, got 3. Write it in quotes.

    A class has the methods of its protocol too, and is refused:

    >>> kind("name", str, str, "Write it in quotes.")
    Traceback (most recent call last):
        ...
    TypeError: name must be a str, got <class 'str'>. Write it in quotes.
    """
    if isinstance(value, type) or not conforms(value, wanted):
        article = "an" if wanted.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{name} must be {article} {wanted.__name__}, got {value!r}. {advice}")
    return value


def positive(name: str, value: Any) -> float:
    """The value as a finite float above 0.

    >>> positive("dt", 0.0)
    Traceback (most recent call last):
        ...
    ValueError: dt must be positive and finite, got 0.0.
    """
    x = number(name, value)
    if not 0.0 < x < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {x}.")
    return x


def squarable(name: str, value: Any) -> float:
    """The value as a float above 0 whose square is finite and not rounded to 0.

    >>> squarable("sigma", 2)
    2.0
    """
    x = positive(name, value)
    if not 1e-150 <= x <= 1e150:
        raise ValueError(f"{name} must lie in [1e-150, 1e150], got {x}.")
    return x


def moderate(name: str, value: Any) -> float:
    """The value as a float whose square is finite.

    >>> moderate("x0", -2)
    -2.0
    """
    x = finite(name, value)
    if abs(x) > 1e150:
        raise ValueError(f"{name} must be at most 1e150 in size, got {x}.")
    return x


def fraction(name: str, value: Any) -> float:
    """The value as a float strictly between 0 and 1.

    >>> fraction("level", 0.95)
    0.95
    """
    x = number(name, value)
    if not 0.0 < x < 1.0:
        raise ValueError(f"{name} must lie in (0, 1), got {x}.")
    return x


def stable(name: str, value: Any) -> float:
    """The value as a float strictly between -1 and 1, the factor of a linear chain that has a stationary state.

    >>> stable("phi", -0.5)
    -0.5
    """
    x = number(name, value)
    if not -1.0 < x < 1.0:
        raise ValueError(f"{name} must lie in (-1, 1), got {x}. Beyond, the chain has no stationary state.")
    return x


def truth(name: str, value: Any) -> bool:
    """The value as a bool. A text is refused, because every text but the empty one counts as true.

    >>> truth("nesterov", "false")
    Traceback (most recent call last):
        ...
    TypeError: nesterov must be True or False, got 'false'.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def hurst_parameter(value: Any) -> float:
    """The Hurst parameter as a float strictly between 0 and 1.

    >>> hurst_parameter(1.0)
    Traceback (most recent call last):
        ...
    ValueError: hurst must lie in (0, 1), got 1.0.
    """
    return fraction("hurst", value)


def count(name: str, value: Any, minimum: int = 1, maximum: float = 2**62) -> int:
    """The value as an int from `minimum` to `maximum`. A float is accepted if it is whole.

    The default maximum is the largest number that the kernels can count to.

    >>> count("n_paths", 1e6)
    1000000
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
    """The values as an array of floats, which may hold inf and nan. The shape is kept.

    >>> reals("times", [1, 2])
    array([1., 2.])
    """
    try:
        found = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise TypeError(f"{name} must be real numbers, got {values!r}.") from None
    if found.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be real numbers, got {values!r}.")
    return found.astype(float, copy=False)


def rows(name: str, values: Any, fewest: int) -> np.ndarray:
    """The values as a contiguous array of two axes, which may hold inf and nan, with `fewest` or more in a row.

    >>> rows("normals", [[1, 2]], 2)
    array([[1., 2.]])
    """
    found = np.ascontiguousarray(reals(name, values))
    if found.ndim != 2 or found.shape[1] < fewest:
        raise ValueError(f"{name} must have shape (n_paths, {fewest} or more), got {found.shape}.")
    return found


def array(name: str, values: Any) -> np.ndarray:
    """The values as an array of floats, which may hold inf but not nan. The shape is kept.

    >>> array("edges", [0, float("nan")])
    Traceback (most recent call last):
        ...
    ValueError: edges must not hold nan, got it at index 1.
    """
    found = reals(name, values)
    if np.isnan(found).any():
        raise ValueError(f"{name} must not hold nan, got it at index {int(np.isnan(found).argmax())}.")
    return found


def lags(name: str, values: Any) -> np.ndarray:
    """The sizes of whole numbers as an array of int64 of the same shape: an autocovariance is even.

    >>> lags("lags", [0, -1, 2.0])
    array([0, 1, 2])
    """
    found = reals(name, values)
    if not np.all(np.isfinite(found)) or not np.all(found == np.rint(found)):
        raise ValueError(f"{name} must be whole numbers, got {values!r}.")
    return np.abs(found).astype(np.int64)


def interval(name: str, value: Any, otherwise: str = "") -> tuple[float, float]:
    """The lower and the upper bound of an interval as floats. None, like -inf below and inf above, is an open side.

    `otherwise` is put into the error message and tells what else may be given.

    >>> interval("domain", (None, 1))
    (-inf, 1.0)
    >>> interval("domain", "up")
    Traceback (most recent call last):
        ...
    TypeError: domain must be (lower, upper), got 'up'.
    """
    try:
        low, high = () if isinstance(value, str) else tuple(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be (lower, upper){otherwise}, got {value!r}.") from None
    lower = -math.inf if low is None else number(name, low)
    upper = math.inf if high is None else number(name, high)
    if not lower < upper:
        raise ValueError(f"{name} must have lower < upper, got ({lower}, {upper}).")
    return lower, upper


def whole_steps(dt: float, horizon: float) -> int:
    """The number of whole steps of `dt` up to the horizon. A last step that misses the horizon by rounding counts.

    Numbers may have been rounded to single precision, which moves their ratio by 1.2e-7 of it. Of a step it is a
    hundredth at most.

    >>> whole_steps(0.1, 0.3), whole_steps(0.1, 0.35), whole_steps(float(np.float32(0.1)), 1.0)
    (3, 3, 10)
    """
    exact = horizon / dt
    ratio = exact + max(min(1.2e-7 * exact, 0.01), 1e-12 * exact, 1e-9)
    if ratio < 1.0:
        raise ValueError(f"horizon must be at least dt = {dt}, got {horizon}.")
    if ratio >= 2**62:
        raise ValueError(f"horizon / dt must be below 2^62, got {ratio:.3g}.")
    return math.floor(ratio)


def reached(dt: float, n_steps: int, horizon: float) -> float:
    """The time at the end of `n_steps` steps. It is the horizon itself if the two differ by rounding alone.

    >>> reached(0.1, 3, 0.3), reached(0.1, 3, 0.35)
    (0.3, 0.30000000000000004)
    """
    end = n_steps * dt
    return horizon if math.isclose(end, horizon, rel_tol=1e-9) else end


def choice(name: str, value: object, choices: Iterable[Name]) -> Name:
    """The choice that equals the value; ValueError that lists the choices if there is none.

    >>> choice("solver", "rk4", ["euler", "heun"])
    Traceback (most recent call last):
        ...
    ValueError: solver must be one of euler, heun, got 'rk4'.
    """
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}.")
    return known[known.index(value)]


def float_type(name: str, value: Any) -> np.dtype:
    """The dtype float64 or float32 that the value names.

    >>> float_type("dtype", "float32")
    dtype('float32')
    """
    try:
        dtype = np.dtype(value)
    except TypeError:
        raise TypeError(f"{name} must be float64 or float32, got {value!r}.") from None
    if dtype not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"{name} must be float64 or float32, got {dtype}.")
    return dtype


def workers(n_jobs: Any) -> int:
    """The number of threads, which for None is the number of cores.

    >>> workers(2)
    2
    """
    return _cores() if n_jobs is None else count("n_jobs", n_jobs)


@lru_cache(maxsize=1)
def _cores() -> int:
    """The number of cores, which takes longer to ask for than a short path to draw."""
    return os.cpu_count() or 1


def fits_memory(what: str, n_bytes: float) -> None:
    """Raise MemoryError, whose message names `what` and its size, if `n_bytes` exceed the machine's memory.

    >>> fits_memory("paths", 1e6)
    """
    available = _memory()
    if n_bytes > available:
        raise MemoryError(
            f"{what} must fit in memory, got {n_bytes / 1e9:.3g} GB on a machine with {available / 1e9:.3g} GB."
        )


@lru_cache(maxsize=1)
def _memory() -> float:
    """The bytes of the machine's memory, infinite where the system does not tell."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return math.inf
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def as_seed(seed: Any) -> np.ndarray:
    """The key of all paths, (4,) uint64, from an int, a SeedSequence or a Generator, which is advanced.

    >>> as_seed(1).shape, as_seed(1).dtype
    ((4,), dtype('uint64'))
    """
    if isinstance(seed, np.random.Generator):
        return seed.integers(0, 2**64, size=4, dtype=np.uint64)
    if isinstance(seed, np.random.SeedSequence):
        return seed.generate_state(4, np.uint64)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an int, a numpy SeedSequence or a numpy Generator, got {seed!r}.")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}.")
    return np.random.SeedSequence(int(seed)).generate_state(4, np.uint64)
