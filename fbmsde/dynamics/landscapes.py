"""Loss landscapes: a potential with its gradient and parameters, and the ones that are built in."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, ParamSpec

import numpy as np
import scipy
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.arrays import numeric_gradient_into, of_tuples, require_indices, writes_into, written
from ..core.brief import brief
from ..core.compile import Form, lifted, numeric_gradient, require_compiles, require_same_sign
from ..core.points import Point
from ..core.portable import Portable
from ..core.types import Array

Coordinates = float | Point  # of a place: a float in one dimension

WIDE = 16  # from so many dimensions on compiled tuples are slow, and points are arrays unless the gradient takes tuples


@brief
@dataclass(frozen=True)
class Landscape(Portable):
    """A loss landscape: functions ``potential(x, *params)`` and ``gradient(x, *params)``, plain or njit.

    potential, gradient : In one dimension `x` and the gradient are floats; in d dimensions both are tuples of d floats.
        Plain functions are compiled. A gradient that is left out is found by central differences, with a relative error
        of about 1e-10, at 2 d evaluations of the potential.
        In many dimensions x is an array (d,), and the gradient writes its value into a second one:
        ``gradient(x, out, *params)``. The name `out` tells this form, which serves 2 and more dimensions, from the
        other. Where the gradient is left out, x is an array from 16 dimensions on.
    params : the numbers that the functions take after x. They can change without compiling.
    dim : the dimension d.
    name : a name for tables and messages.
    minima, saddles : the points of rest if they are known. They are for reading only.
    finest : the smallest length over which the gradient changes, such as the standard deviation of a Gaussian bump. It
        matters for exits in continuous time. In one dimension the landscape is then scanned at least at half that
        distance (without it at a 2^15th of the range of paths); in several dimensions no jump reaches farther than
        twice the length.

    The functions may use numbers, tuples, arrays and other functions from outside, `functools.partial` included. Every
    run takes their present values, and compiles again when they have changed. A landscape can be pickled, lambdas and
    closures included, with the values that they have at that time.

    Raises TypeError for an object that is no such function and for captured objects whose changes cannot be seen, such
    as lists. Raises ValueError, with the reason and the line, for a function that does not compile, and for a gradient
    whose sign is opposite to the slope of the potential wherever the two can be compared.

    >>> well = Landscape(lambda x, a: a * x**4 / 4, lambda x, a: a * x**3, params=(2.0,), name="quartic")
    >>> well.energy([0.0, 1.0])
    array([0. , 0.5])
    >>> Landscape(lambda x: x**2 / 2).slope(3.0).round(6)
    np.float64(3.0)
    """

    potential: Callable[..., float]
    gradient: Callable[..., Coordinates | None] | None = None
    params: tuple[float, ...] = ()
    dim: int = 1
    name: str = "landscape"
    minima: tuple[Coordinates, ...] = field(default=(), compare=False)
    saddles: tuple[Coordinates, ...] = field(default=(), compare=False)
    finest: float | None = None

    _functions: ClassVar[tuple[str, ...]] = ("potential", "gradient")

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", checks.count("dim", self.dim))
        object.__setattr__(self, "params", checks.numbers("params", self.params))
        if self.finest is not None:
            object.__setattr__(self, "finest", checks.positive("finest", self.finest))
        potential = self._compiled("potential")
        if self.wide:
            require_indices("potential", potential, self.dim, self.params, vector=False)
        if self.gradient is not None:
            gradient = self._compiled("gradient")
            if self.wide:
                require_indices("gradient", gradient, self.dim, self.params, vector=True)
                potential, gradient = of_tuples(potential), written(gradient)
            require_same_sign(potential, gradient, self.dim, self.params)

    @property
    def wide(self) -> bool:
        """Whether points are arrays: the gradient writes into `out`, or it is left out in 16 or more dimensions.

        >>> Landscape(lambda x: x[0] ** 2 + x[1] ** 2, dim=2).wide
        False
        """
        if self.gradient is None:
            return self.dim >= WIDE
        return self.dim > 1 and writes_into(self.gradient)

    @property
    def array_gradient(self) -> Callable[..., None]:
        """The compiled ``gradient(x, out, *params)`` of a landscape that is `wide`, with what it captures now.

        >>> import numpy as np
        >>> out = np.empty(16)
        >>> Landscape(lambda x: x[3] ** 2, dim=16).array_gradient(np.ones(16), out)
        >>> out[2:5].round(6)
        array([0., 2., 0.])
        """
        if self.gradient is None:
            found: Callable[..., None] = numeric_gradient_into(self._compiled("potential"))
            return found
        return self._compiled("gradient")

    @property
    def point_gradient(self) -> Callable[..., Point]:
        """The compiled gradient as kernels take it: from a tuple of `dim` floats, and the parameters, to such a tuple.

        It is compiled with the present values of what the function captures.

        Raises ValueError if points are arrays.

        >>> quadratic(2.0).point_gradient((1.5,), 2.0)
        (3.0,)
        """
        if self.wide:
            raise ValueError(
                f"landscape must take points as tuples here, got {self.name!r}, which takes arrays. "
                "Write gradient(x, *params), which returns a tuple of floats, or see which steps take arrays."
            )
        gradient: Callable[..., Point] = lifted(self._compiled_gradient(), self.dim)
        return gradient

    def energy(self, x: ArrayLike) -> np.float64 | Array:
        """Potential at `x`, in the shape of `x`; in d dimensions without its last axis, which has length d."""
        points, shape = self._points(x)
        values: np.float64 | Array = _each(self._compiled("potential"), self.params, points).reshape(shape)[()]
        return values

    def slope(self, x: ArrayLike) -> np.float64 | Array:
        """Gradient at `x`, in the shape of `x`, whose last axis has length d in d dimensions."""
        points, _ = self._points(x)
        gradient = written(self.array_gradient) if self.wide else self._compiled_gradient()
        values: np.float64 | Array = _each(gradient, self.params, points).reshape(np.shape(x))[()]
        return values

    def _compiled_gradient(self) -> Callable[..., Coordinates]:
        """The gradient, or the central differences of the potential, as the kernels take it."""
        if self.gradient is not None:
            return self._compiled("gradient")
        gradient: Callable[..., Coordinates] = numeric_gradient(self._compiled("potential"), self.dim)
        return gradient

    def _compiled(self, name: str) -> Any:
        """The potential or the gradient, checked and compiled with the present values of what it captures."""
        function = getattr(self, name)
        form = Form.of_vector if name == "gradient" else Form.of_value
        return require_compiles(name, function, form(self.dim, len(self.params), self.wide))

    def _points(self, x: ArrayLike) -> tuple[list[Any], tuple[int, ...]]:
        """The points of an array in a list, and the shape of the array without the axis of coordinates."""
        array = np.asarray(x, dtype=float)
        if self.dim == 1:
            return array.ravel().tolist(), array.shape
        if array.shape[-1:] != (self.dim,):
            raise ValueError(f"x must have a last axis of length {self.dim}, got shape {array.shape}.")
        if self.wide:
            return list(array.reshape(-1, self.dim).copy()), array.shape[:-1]
        return [tuple(p) for p in array.reshape(-1, self.dim).tolist()], array.shape[:-1]


def _each(function: Callable[..., object], params: tuple[float, ...], points: list[Any]) -> Array:
    """The function at each point of a list."""
    return np.array([function(x, *params) for x in points], dtype=float)


Parameters = ParamSpec("Parameters")

LANDSCAPES: dict[str, Callable[..., Landscape]] = {}


def registered(build: Callable[Parameters, Landscape]) -> Callable[Parameters, Landscape]:
    """Enter a function that builds landscapes into `LANDSCAPES` under its own name, and return it unchanged."""
    LANDSCAPES[build.__name__] = build
    return build


def parameters(name: str) -> dict[str, float | None]:
    """Names and defaults of the parameters of the landscape called `name`, an entry of `LANDSCAPES`.

    >>> parameters("tilted_double_well")
    {'height': 1.0, 'width': 1.0, 'tilt': 0.2}
    """
    build = LANDSCAPES[checks.choice("landscape", name, LANDSCAPES)]
    return {key: parameter.default for key, parameter in inspect.signature(build).parameters.items()}


def named_landscape(name: str, values: Mapping[str, float]) -> Landscape:
    """The landscape called `name`, an entry of `LANDSCAPES`, with these parameters and defaults for the others.

    Raises ValueError, with the parameters that there are, for a name that is not one of them.

    >>> named_landscape("quadratic", {"curvature": 3.0}).params
    (3.0,)
    """
    known = parameters(name)
    for key in values:
        if key not in known:
            listed = ", ".join(f"{key} = {default}" for key, default in known.items())
            raise ValueError(f"landscape_params must be parameters of {name}, which are {listed}, got {key!r}.")
    return LANDSCAPES[name](**values)


@njit
def _quadratic(x: float, curvature: float) -> float:
    return 0.5 * curvature * x * x


@njit
def _quadratic_gradient(x: float, curvature: float) -> float:
    return curvature * x


@registered
def quadratic(curvature: float = 1.0) -> Landscape:
    """The well ``a x^2 / 2`` of curvature a > 0, in which X is a fractional Ornstein-Uhlenbeck process.

    >>> quadratic(2.0).energy(3.0)
    np.float64(9.0)
    """
    a = checks.positive("curvature", curvature)
    return Landscape(_quadratic, _quadratic_gradient, (a,), name="quadratic", minima=(0.0,))


@njit
def _double_well(x: float, left: float, right: float, left_inverse: float, right_inverse: float) -> float:
    inverse = left_inverse if x < 0.0 else right_inverse
    u = x * x * inverse
    return (left if x < 0.0 else right) / (8.0 * inverse) * u * (u - 2.0)


@njit
def _double_well_gradient(x: float, left: float, right: float, left_inverse: float, right_inverse: float) -> float:
    curvature = left if x < 0.0 else right
    inverse = left_inverse if x < 0.0 else right_inverse  # one over the squared width: a product is faster
    return -0.5 * curvature * x * (1.0 - x * x * inverse)


@registered
def double_well(
    sharp: float = 4.0, flat: float = 1.0, height: float = 1.0, flat_height: float | None = None
) -> Landscape:
    """A landscape with a sharp minimum on the left, a flat one on the right, and the saddle between them at 0.

    On either side ``V(x) = h ((1 - x^2/w^2)^2 - 1)`` with ``w^2 = 8 h / a``. The left minimum, at
    ``-sqrt(8 height / sharp)``, has curvature `sharp` and lies `height` below the saddle. The right one, at
    ``sqrt(8 flat_height / flat)``, has curvature `flat` and lies `flat_height` below it, by default as deep as the
    left one. The gradient is continuous; the second derivative jumps at the saddle from -sharp/2 to -flat/2.

    >>> well = double_well(sharp=8.0, flat=2.0, height=1.0)
    >>> well.minima, well.energy([-1.0, 2.0]).tolist()
    ((-1.0, 2.0), [-1.0, -1.0])
    """
    left, right = checks.positive("sharp", sharp), checks.positive("flat", flat)
    h = checks.positive("height", height)
    h_flat = h if flat_height is None else checks.positive("flat_height", flat_height)
    params = (left, right, left / (8.0 * h), right / (8.0 * h_flat))
    minima = (-math.sqrt(8.0 * h / left), math.sqrt(8.0 * h_flat / right))
    return Landscape(_double_well, _double_well_gradient, params, name="double_well", minima=minima, saddles=(0.0,))


@njit
def _tilted(x: float, height: float, width: float, tilt: float) -> float:
    u = x / width
    return height * (1.0 - u * u) ** 2 + tilt * u


@njit
def _tilted_gradient(x: float, height: float, width: float, tilt: float) -> float:
    u = x / width
    return (tilt - 4.0 * height * u * (1.0 - u * u)) / width


@registered
def tilted_double_well(height: float = 1.0, width: float = 1.0, tilt: float = 0.2) -> Landscape:
    """The quartic double well ``h (1 - u^2)^2 + c u`` with ``u = x / width`` and c = `tilt`.

    For c > 0 the left minimum is the deeper one. Two minima exist for ``|c| < 8 h / (3 sqrt 3)``; a larger tilt raises
    ValueError.

    >>> well = tilted_double_well(height=1.0, tilt=0.0)
    >>> [round(x, 12) for x in well.minima]
    [-1.0, 1.0]
    """
    h, w = checks.positive("height", height), checks.positive("width", width)
    c = checks.finite("tilt", tilt)
    limit = 8.0 * h / (3.0 * math.sqrt(3.0))
    if abs(c) >= limit:
        raise ValueError(f"tilt must lie in (-{limit:.6g}, {limit:.6g}) to leave two minima, got {c}.")
    left, saddle, right = sorted(float(w * u.real) + 0.0 for u in np.roots([4.0 * h, 0.0, -4.0 * h, c]))
    return Landscape(
        _tilted, _tilted_gradient, (h, w, c), name="tilted_double_well", minima=(left, right), saddles=(saddle,)
    )


@njit
def _rippled(x: float, curvature: float, amplitude: float, wavenumber: float) -> float:
    return 0.5 * curvature * x * x + amplitude * (1.0 - math.cos(wavenumber * x))


@njit
def _rippled_gradient(x: float, curvature: float, amplitude: float, wavenumber: float) -> float:
    return curvature * x + amplitude * wavenumber * math.sin(wavenumber * x)


@registered
def rippled_well(curvature: float = 1.0, amplitude: float = 0.5, wavelength: float = 1.0) -> Landscape:
    """A bowl with ripples, ``a x^2 / 2 + A (1 - cos(2 pi x / wavelength))``, whose global minimum is at 0.

    The sine is a call to the mathematical library, which makes kernels some five times slower than on the others.

    >>> rippled_well(1.0, 0.5, 2.0).energy([0.0, 1.0]).tolist()
    [0.0, 1.5]
    """
    a, amp = checks.positive("curvature", curvature), checks.positive("amplitude", amplitude)
    k = 2.0 * math.pi / checks.positive("wavelength", wavelength)
    params, saddles = (a, amp, k), _crests(a, amp, k)
    return Landscape(_rippled, _rippled_gradient, params, name="rippled_well", minima=(0.0,), saddles=saddles)


def _crests(curvature: float, amplitude: float, wavenumber: float) -> tuple[float, ...]:
    """The two maxima next to the middle of a rippled well, if there are any.

    The slope is lowest where ``cos(k x) = -a / (A k^2)``; a maximum lies before that point if it is negative there.
    """
    bend = curvature / (amplitude * wavenumber * wavenumber)
    if bend >= 1.0:
        return ()
    top, lowest = math.pi / wavenumber, (math.pi + math.acos(bend)) / wavenumber
    params = (curvature, amplitude, wavenumber)
    if _rippled_gradient(lowest, *params) >= 0.0:
        return ()
    crest = float(scipy.optimize.brentq(_rippled_gradient, top, lowest, args=params, xtol=1e-14 * top, rtol=1e-15))
    return -crest, crest


@njit
def _plane(x: tuple[float, float], left: float, right: float, left_inverse: float, right_inverse: float) -> float:
    across = _transverse(x[0], left, right, 1.0 / math.sqrt(left_inverse), 1.0 / math.sqrt(right_inverse))[0]
    return _double_well(x[0], left, right, left_inverse, right_inverse) + 0.5 * across * x[1] * x[1]


@njit
def _plane_gradient(
    x: tuple[float, float], left: float, right: float, left_inverse: float, right_inverse: float
) -> tuple[float, float]:
    across, change = _transverse(x[0], left, right, 1.0 / math.sqrt(left_inverse), 1.0 / math.sqrt(right_inverse))
    along = _double_well_gradient(x[0], left, right, left_inverse, right_inverse)
    return along + 0.5 * change * x[1] * x[1], across * x[1]


@njit
def _transverse(x: float, left: float, right: float, left_width: float, right_width: float) -> tuple[float, float]:
    """Curvature across the valley and its slope: between the minima a cubic goes smoothly from `left` to `right`."""
    span = left_width + right_width
    u = min(1.0, max(0.0, (x + left_width) / span))
    return left + (right - left) * u * u * (3.0 - 2.0 * u), (right - left) * 6.0 * u * (1.0 - u) / span


@registered
def double_well_2d(sharp: float = 4.0, flat: float = 1.0, height: float = 1.0) -> Landscape:
    """A sharp and a flat minimum in the plane, isotropic at their bottoms, with a saddle of the given height at (0, 0).

    Along the first axis it is `double_well`. Across it there is a parabola, whose curvature goes smoothly from `sharp`
    to `flat` between the minima.

    >>> double_well_2d(8.0, 2.0, 1.0).slope([2.0, 1.0]) + 0.0
    array([0., 2.])
    """
    line = double_well(sharp, flat, height)
    left, right = (float(x) for x in line.minima)  # type: ignore[arg-type]  # floats in one dimension
    return Landscape(
        _plane, _plane_gradient, line.params, 2, "double_well_2d", ((left, 0.0), (right, 0.0)), ((0.0, 0.0),)
    )
