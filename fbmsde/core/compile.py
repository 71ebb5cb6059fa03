"""Compilation of users' functions: potentials, gradients and level functions.

A function is compiled with the values that it captures at the time of a run (see `captured`). Every function has the
form ``function(x, *params)``, where x is a float in one dimension and a tuple of floats in several. In many dimensions
x is an array, and a gradient or a drift writes its value into a second array, ``function(x, out, *params)``.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from numba import config, njit, typeof, types
from numba.extending import intrinsic

from . import complaints
from .cache import kept
from .captured import OPTIONS, CannotFollow, content_of, digest, frozen, is_frozen, made, name_of, recipe_of
from .points import Point, replaced

NUMERIC_STEP = 6e-6  # cube root of the machine epsilon, where truncation and rounding of a central difference balance
_SCALES = [sign * size for size in (0.71, 0.23, 1.9, 0.017, 6.1, 0.0013, 31.0) for sign in (1.0, -1.0)]  # of probes
_ARRAY = types.Array(types.float64, 1, "C")
_LONG = 2**63  # integers below this are of one type
_NUMBERS = (types.Integer, types.Float, types.Boolean)


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled with the present values of what it captures, to be inlined into the kernels that call it.

    The same function with equal values gives the same object, so that kernels need not be compiled again.

    >>> a = 3.0
    >>> compiled(lambda x: a * x)(2.0)
    6.0
    """
    return function if is_frozen(function) else made(recipe_of(function))


def by_content(build: Callable[..., Any]) -> Any:
    """Decorator of ``build(function, *rest)``, which makes a compiled function from another one: it keeps the results.

    A result is found again by the content of `function`: its code and the values that it captures.
    """
    name = f"{build.__module__}.{build.__qualname__}"

    @lru_cache(maxsize=256)
    def kept(inner: Any, *rest: Any) -> Any:
        content = content_of(inner)
        return frozen(build(inner, *rest), None if content is None else digest(name, content, rest))

    @functools.wraps(build)
    def look_up(function: Callable[..., Any], *rest: Any) -> Any:
        return kept(compiled(function), *rest)

    return look_up


def locked(function: Callable[..., Any], signature: Any, name: str | None) -> Any:
    """The function compiled for one signature alone, so that compiled code can take it as a value of a function type.

    Its machine code is kept between processes under `name`, which must tell it from all others; None to keep none.
    """
    if config.DISABLE_JIT:
        return function
    dispatcher = njit(error_model="numpy", nogil=True)(function)
    if name is not None:
        kept(dispatcher, name)
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    _found_at_once(dispatcher)
    return dispatcher


def _found_at_once(dispatcher: Any) -> None:
    """Keep what the compiler looks up whenever a function of one signature is passed to another one as a value.

    A search by the signature and two addresses by name take longer than short kernels.
    """
    (result,) = dispatcher.overloads.values()
    dispatcher.get_compile_result = lambda signature: result
    result.library.get_pointer_to_function = cache(result.library.get_pointer_to_function)


def kind_of(value: object) -> Any:
    """The type of a value for the compiler, as `typeof` tells it, which takes long for a tuple of many arrays.

    >>> kind_of((np.zeros(2), 1)) == typeof((np.zeros(2), 1))
    True
    """
    looks = _looks(value)
    return typeof(value) if looks is None else _kind(looks)


def _looks(value: Any) -> Any:
    """What of a value decides its type, hashable; None for values of other kinds than numbers, arrays and tuples."""
    if isinstance(value, np.ndarray):
        return (value.dtype, value.ndim) if value.flags.carray and type(value) is np.ndarray else None
    if isinstance(value, tuple):
        parts = tuple(map(_looks, value))
        return None if None in parts else (type(value), parts)
    return type(value) if type(value) in (bool, float) or (type(value) is int and abs(value) < _LONG) else None


@lru_cache(maxsize=256)
def _kind(looks: Any) -> Any:
    """The type of values that look so."""
    return typeof(_example(looks))


def _example(looks: Any) -> Any:
    """A small value that looks so."""
    if isinstance(looks, type):
        return looks()
    first, second = looks
    if isinstance(first, np.dtype):
        return np.empty((1,) * second, first)
    parts = tuple(map(_example, second))
    return parts if first is tuple else first(*parts)


def baked(build: Callable[..., Any], functions: tuple[Any, ...], arguments: tuple[Any, ...]) -> Any:
    """The kernel ``build(*functions)``, compiled for the types of its arguments and kept where all content is known.

    `build` is a function of a module that makes a kernel of compiled functions, which become part of it.
    """
    return _baked(build, functions, tuple(map(kind_of, arguments)))


@lru_cache(maxsize=256)
def _baked(build: Callable[..., Any], functions: tuple[Any, ...], kinds: tuple[types.Type, ...]) -> Any:
    return locked(build(*functions), types.void(*kinds), digest(f"{build.__module__}.{build.__qualname__}", functions))


def lasting_name(function: Callable[..., Any]) -> str | None:
    """A name of the function's content that is the same in every process, None where there is none.

    Functions of this package go by their name, as kept machine code depends on all sources of the package anyhow;
    others by the hash of their code and of what they capture.
    """
    name = name_of(function)
    if name is not None and name.startswith(f"{__package__.partition('.')[0]}."):
        return name
    try:
        return content_of(compiled(function))
    except CannotFollow:
        return None


@intrinsic
def _as_floats(typing_context: Any, point: Any) -> Any:
    """A tuple of numbers of any kinds, cast to a tuple of floats."""
    floats = types.UniTuple(types.float64, len(point))

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.cast(builder, arguments[0], signature.args[0], floats)

    return floats(point), emit


as_floats: Any = (lambda point: tuple(map(float, point))) if config.DISABLE_JIT else _as_floats


@by_content
def lifted(function: Callable[..., Any], dim: int) -> Any:
    """The compiled gradient as a function from tuples of `dim` floats to tuples of `dim` floats.

    In one dimension the user's function takes and returns a float instead. Here and below a product with 1.0 turns any
    number into a float, because `float` does not compile for a bool.

    >>> lifted(lambda x: 2 * x, 1)((3.0,))
    (6.0,)
    """
    def on_floats(x: Point, *params: float) -> Point:
        return (1.0 * function(x[0], *params),)

    def on_points(x: Point, *params: float) -> Point:
        return as_floats(function(x, *params))

    return njit(**OPTIONS)(on_points if dim > 1 else on_floats)


@by_content
def numeric_gradient(potential: Callable[..., float], dim: int) -> Any:
    """The compiled gradient of a potential by central differences, which takes and returns x as the potential takes it.

    The relative error is about 1e-10 where the potential is smooth.

    >>> round(numeric_gradient(lambda x: x**2, 1)(3.0), 6)
    6.0
    """

    def slope(x: float, *params: float) -> float:
        h = NUMERIC_STEP * max(1.0, abs(x))
        return (1.0 * potential(x + h, *params) - 1.0 * potential(x - h, *params)) / (2.0 * h)

    def slopes(x: Point, *params: float) -> Point:
        result = x
        for j in range(len(x)):
            h = NUMERIC_STEP * max(1.0, abs(x[j]))
            up = 1.0 * potential(replaced(x, j, x[j] + h), *params)
            down = 1.0 * potential(replaced(x, j, x[j] - h), *params)
            result = replaced(result, j, (up - down) / (2.0 * h))
        return result

    return njit(**OPTIONS)(slope if dim == 1 else slopes)


@dataclass(frozen=True)
class Form:
    """What a user's function takes and returns.

    points : the names of its arguments before the parameters, and the number of floats of each. A point of one float is
        a float, one of several is a tuple of floats.
    n_params : the number of parameters, all floats.
    returns : the number of floats of the point that it returns; 0 for a function that writes it into `out`.
    arrays : True for points of several floats that are arrays.
    """

    points: tuple[tuple[str, int], ...]
    n_params: int = 0
    returns: int = 1
    arrays: bool = False

    @classmethod
    def of_value(cls, dim: int, n_params: int, arrays: bool = False) -> Form:
        """The form of a potential ``function(x, *params)``, which returns one number."""
        return cls((("x", dim),), n_params, 1, arrays)

    @classmethod
    def of_vector(cls, dim: int, n_params: int, arrays: bool = False, timed: bool = False) -> Form:
        """The form of a gradient ``function(x, *params)``, or of a drift ``function(t, x, *params)`` if it is timed.

        It returns a point; if points are arrays, it writes it into `out`, the argument behind x.
        """
        points = (*((("t", 1),) * timed), ("x", dim), *((("out", dim),) * arrays))
        return cls(points, n_params, 0 if arrays else dim, arrays)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the points."""
        return tuple(name for name, _ in self.points)

    @property
    def arguments(self) -> tuple[types.Type, ...]:
        """The types of its arguments."""
        points = (
            types.float64 if n == 1 else _ARRAY if self.arrays else types.UniTuple(types.float64, n)
            for _, n in self.points
        )
        return (*points, *(types.float64,) * self.n_params)

    def __str__(self) -> str:
        kind = "an array" if self.arrays else "a tuple"
        points = [name if n == 1 else f"{name} ({kind} of {n} floats)" for name, n in self.points]
        return f"{', '.join(points)} and {self.n_params} number{'s' * (self.n_params != 1)} of params"


def require_compiles(name: str, function: Callable[..., Any], form: Form) -> Any:
    """The user's function `compiled`, or an error with the reason and the place unless it has the form.

    Raises TypeError for an object that is no function and for a function that captures what cannot be followed, and
    ValueError for one that does not compile or returns something else. `name` is that of the argument in the message.

    >>> require_compiles("gradient", lambda x, a: a * x, Form.of_vector(1, 1))(2.0, 3.0)
    6.0
    """
    _require_function(name, function, form)
    try:
        dispatcher = compiled(function)
    except CannotFollow as error:
        raise TypeError(
            f"{name} must capture nothing but numbers, strings, tuples, arrays and functions, got {error}. "
            "Pass its numbers in `params`, or put them in an array."
        ) from None
    _require_form(name, function, dispatcher, form)
    return dispatcher


@lru_cache(maxsize=512)
def _require_form(name: str, function: Any, dispatcher: Any, form: Form) -> None:
    """ValueError unless a function, compiled with the present values of what it captures, has the form."""
    _require_signature(name, function, form)
    if not config.DISABLE_JIT:
        _require_returned(name, dispatcher, form, function)


def _require_returned(name: str, dispatcher: Any, form: Form, function: Any) -> None:
    """ValueError with the reason and the place unless the function compiles and returns what it should."""
    try:
        returned = _returned(dispatcher, form)
    except Exception as error:  # the compiler raises of all kinds
        reason = complaints.explain(error, function, max((n for _, n in form.points), default=1))
        raise ValueError(f"{name} must compile with numba, got: {reason}") from None
    n = form.returns
    if n == 0:
        if not isinstance(returned, types.NoneType):
            raise ValueError(f"{name} must write its value into `out` and return nothing, got numba type {returned}.")
        return
    if not (_is_point(returned, n) if n > 1 else isinstance(returned, _NUMBERS)):
        wanted = f"a tuple of {n} floats" if n > 1 else "one number"
        advice = complaints.about_returned(returned, function, n > 1)
        raise ValueError(f"{name} must return {wanted}, got numba type {returned}{advice}")


@lru_cache(maxsize=512)
def _returned(dispatcher: Any, form: Form) -> types.Type:
    """The type that a compiled function returns for arguments of its form."""
    _, _, arguments, _ = dispatcher.get_call_template(form.arguments, {})
    return types.unliteral(dispatcher.overloads[tuple(arguments)].signature.return_type)


@lru_cache(maxsize=256)
def require_same_sign(potential: Any, gradient: Any, dim: int, params: tuple[float, ...]) -> None:
    """Raise ValueError if the gradient points down the potential at every probe, of which there must be three or more.

    A point is a probe if both functions can be computed there. They are evaluated as plain Python functions, which
    raise an error where compiled ones would read beyond the end of an array.

    >>> require_same_sign(lambda x: x**2, lambda x: 2 * x, 1, ())
    """
    height, slope = (getattr(function, "py_func", function) for function in (potential, gradient))
    probes = [tuple(scale * math.cos(j + i) for j in range(dim)) for i, scale in enumerate(_SCALES)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [(p, r) for p in probes if (r := _climb(height, slope, p, params)) is not None]
    if len(found) >= 3 and all(rate < 0.0 for _, rate in found):
        where = found[0][0] if dim > 1 else found[0][0][0]
        raise ValueError(
            f"gradient must point up the potential, got one that points down at x = {where} and everywhere else. "
            "The equation is dX = -gradient dt + noise: take the minus sign away."
        )


def _climb(potential: Any, gradient: Any, point: Point, params: tuple[float, ...]) -> float | None:
    """Slope of the potential along the gradient, over the length of the gradient: 1 if the two agree.

    It is None at a point where a function fails or where two step sizes give different slopes.
    """
    try:
        value = gradient(point if len(point) > 1 else point[0], *params)
        slope = np.atleast_1d(np.asarray(value, dtype=float))
        size = float(np.linalg.norm(slope))
        rates = []
        for h in (1e-4, 2e-5):
            step = h * np.linalg.norm(point) * slope / size
            ends = [tuple((np.asarray(point) + sign * step).tolist()) for sign in (1.0, -1.0)]
            up, down = (float(potential(x if len(x) > 1 else x[0], *params)) for x in ends)
            rates.append((up - down) / (2.0 * float(np.linalg.norm(step)) * size))
    except Exception:  # a landscape need not be defined everywhere, and its functions may raise any error elsewhere
        return None
    steady = 0.0 < size < math.inf and abs(rates[0] - rates[1]) < 0.1 * abs(rates[0])
    return rates[1] if steady else None


def _is_point(kind: types.Type, dim: int) -> bool:
    items = list(kind) if isinstance(kind, types.BaseTuple) else []
    return len(items) == dim and all(isinstance(types.unliteral(item), _NUMBERS) for item in items)


def _require_function(name: str, function: Any, form: Form) -> None:
    """Raise TypeError for an object that can be called but has no code that could be compiled."""
    inner = function.func if isinstance(function, functools.partial) else function
    if isinstance(getattr(inner, "py_func", inner), FunctionType):
        return
    arguments = ", ".join((*form.names, "*params"))
    advice = f"Write a function that computes its value from numbers: def f({arguments})."
    if isinstance(inner, MethodType):
        advice = "Write a function outside of the class and pass the object's numbers in `params`."
    elif isinstance(inner, np.poly1d):
        advice = "Write it as a function, with its coefficients in `params`: lambda x, a, b, c: (a * x + b) * x + c."
    elif callable(inner):
        advice = f"Objects of class {type(inner).__name__} cannot be compiled. {advice}"
    raise TypeError(f"{name} must be a function of ({arguments}), got {complaints.short(function)}. {advice}")


def _require_signature(name: str, function: Any, form: Form) -> None:
    """Raise ValueError unless the function can be called with its points and parameters."""
    problem = complaints.signature_problem(function, form.names, form.n_params)
    if problem:
        raise ValueError(f"{name} must take {form}, {problem}")
