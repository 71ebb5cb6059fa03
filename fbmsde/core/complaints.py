"""Messages about a user's function that cannot be compiled: the reason, the user's line, and what to write instead."""

from __future__ import annotations

import functools
import inspect
import itertools
import linecache
import re
from typing import Any

from numba import types

_NOISE = ("Failed in", "During:", "This error", "To see", "Enable", "Overload of", "- Of which", "All templates")
_END = ('File "', "There are", "- Resolution failure", "[1] During", "Traceback")  # the reason ends before such a line
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')

_ADVICE = {
    r"numpy\.ufunc|Unknown attribute .* of type Module\((?!<module '(math|numpy)')": (
        "Numba knows the functions of math and numpy: write this one out, or look it up with np.interp in an array."
    ),
    r"Cannot determine Numba type of": "Pass its numbers in `params`, or put them in an array.",
    r"NameError|is not defined": "Define this name before the function is given away.",
    r"index out of range": "Count the coordinates of x and the numbers in `params`.",
    r"getitem.*float64|float64.*getitem": "In one dimension x is a float, not a tuple: write x for x[0].",
    r"Unknown attribute .* of type float64": "In one dimension x is a float, not an array.",
    r"UniTuple\(float64|Unknown attribute .* of type UniTuple": (
        "In several dimensions x is a tuple of floats: compute with its coordinates x[0], x[1], ..."
    ),
}


def explain(error: Exception, function: Any, dim: int) -> str:
    """The end of a message about a function that does not compile: the reason, the place, and what to do about it.

    >>> def slope(x):
    ...     return speed * x
    >>> explain(NameError("name 'speed' is not defined"), slope, 1).split(". ")[-1]
    'Define this name before the function is given away.'
    """
    reason = _reason(error)
    advice = next((text for pattern, text in _ADVICE.items() if re.search(pattern, reason)), "")
    if not advice:
        advice = "Use numbers, math, numpy and other such functions only."
    return f"{reason.rstrip('.')}{_place(error, function)}. {advice}"


def about_returned(returned: types.Type, function: Any, as_point: bool) -> str:
    """The end of a message about a function that returns a value of the wrong kind: the place and what to write.

    >>> about_returned(types.none, short, False).split(". ")[-1]
    'It lacks a `return`.'
    """
    place = _place(None, function)
    if as_point and isinstance(returned, (types.Array, types.List)):
        return f"{place}. Return a tuple, (g0, g1, ...), for it."
    if isinstance(returned, types.Array):
        return f"{place}. np.where and the like return arrays: write `a if x > 0 else b` for numbers."
    if isinstance(returned, types.NoneType):
        return f"{place}. It lacks a `return`."
    if isinstance(returned, types.BaseTuple) and not as_point:
        return f"{place}. Return the number alone."
    return f"{place}."


def short(value: Any) -> str:
    """The value as text on one line, cut off at 80 characters.

    >>> short("x" * 100)[-5:]
    'xx...'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def signature_problem(function: Any, points: tuple[str, ...], n_params: int) -> str:
    """The reason why the function cannot be called with its points and `n_params` numbers, empty if it can.

    >>> signature_problem(lambda x, a: a * x, ("x",), 1)
    ''
    """
    plain = getattr(function, "py_func", function)
    signature = inspect.signature(plain)
    first, *others = [*signature.parameters.values(), None]
    try:
        signature.bind(*[0.0] * (len(points) + n_params))
        reason = "the point has no name of its own" if first is None or first.kind is first.VAR_POSITIONAL else ""
    except TypeError as error:
        reason = str(error)
    if not reason and any(p is not None and p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in others):
        reason = "" if isinstance(function, functools.partial) else "keywords cannot be compiled"
    names = ", ".join([*points, *"abcdefgh"[:n_params]]) + ", ..." * (n_params > 8)
    return f"got {signature}: {reason}{_place(None, function)}. Write ({names}) for it." if reason else ""


def _reason(error: Exception) -> str:
    """The first lines of a numba error that are about the user's code."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in str(error).splitlines()]
    told = [line.removeprefix(">>> ") for line in lines if line and not line.startswith(_NOISE)]
    reason = list(itertools.takewhile(lambda line: not line.startswith(_END), told))
    return " ".join(reason[:4]) or " ".join(told[:2]) or type(error).__name__


def _place(error: Exception | None, function: Any) -> str:
    """The file and line of a fault: those that the error names if it is in the function's file, else its first line."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "py_func", function).__code__
    lines = [int(line) for file, line in _PLACE.findall(str(error)) if code.co_filename.endswith(file.lstrip("./"))]
    known = getattr(error, "loc", None)
    if known is not None and known.filename == code.co_filename:
        lines.insert(0, known.line)
    number = lines[-1] if lines else code.co_firstlineno
    text = linecache.getline(code.co_filename, number).strip()
    return f" (in {code.co_filename}, line {number}{f': {text}' if text else ''})"
