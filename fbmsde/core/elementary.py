"""Elementary functions for loops over lanes: no calls of a library, so that LLVM turns the loops into vector code.

They are the same bit for bit on every machine. The coefficients interpolate at Chebyshev points, highest power first;
the largest relative error of each polynomial form is below 3e-17, to which some roundings of 1.1e-16 are added.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .random import log_quotient, multiply_add, polynomial, split_at_one

_HALF_OVER_LN_2 = 0.7213475204444817  # 1 / (2 ln 2)
_QUARTER = 1.5707963267948966  # pi / 2
_SHIFT = 1.5 * 2.0**52  # added to a number below 2^51 in size, it leaves the nearest whole number in the last bits
_LARGEST_POWER = 1021.0

_SINE = (  # (sin(pi q / 2) / q - pi / 2) / q^2 in powers of q^2, |q| < 1
    *(5.894274162895108e-12, -6.685242204324938e-10, 5.692149342223677e-08, -3.5988431248215753e-06),
    *(0.00016044118475928187, -0.00468175413531518, 0.07969262624616688, -0.6459640975062463),
)
_POWER = (  # (2^f - 1) / f in powers of f, |f| < 1/2
    *(4.454960598186518e-10, 7.072585949269223e-09, 1.0178062445845774e-07, 1.321544258792169e-06),
    *(1.525273382983612e-05, 0.0001540353044173605, 0.0013333558146416936, 0.009618129107606888),
    *(0.0555041086648216, 0.24022650695910097, 0.6931471805599453),
)


@njit(error_model="numpy", forceinline=True)
def sine_of_turn(q: float) -> float:
    """``sin(pi q / 2)`` for -1 <= q <= 1, with a relative error below 4e-16.

    >>> round(sine_of_turn(1 / 3), 12), sine_of_turn(-(2.0**-53)) == -np.pi / 2 * 2.0**-53
    (0.5, True)
    """
    z = q * q
    return q * multiply_add(z, polynomial(_SINE, z), _QUARTER)


@njit(error_model="numpy", forceinline=True)
def log2(x: float) -> float:
    """The logarithm to base 2 of a normal number x > 0, with a relative error below 4e-16, also next to x = 1.

    >>> log2(8.0), log2(1.0)
    (3.0, 0.0)
    """
    exponent, mantissa = split_at_one(x)
    return multiply_add(-_HALF_OVER_LN_2, log_quotient(mantissa), exponent)


@njit(error_model="numpy", forceinline=True)
def exp2(y: float) -> float:
    """``2^y`` with a relative error below 3e-16; y beyond -1021 ... 1021 is taken as the nearer end.

    >>> exp2(-3.0), exp2(2000.0) == 2.0**1021
    (0.125, True)
    """
    y = min(max(y, -_LARGEST_POWER), _LARGEST_POWER)
    shifted = y + _SHIFT
    whole = np.float64(shifted).view(np.int64) - np.float64(_SHIFT).view(np.int64)
    f = y - (shifted - _SHIFT)
    scale = np.int64((whole + np.int64(1023)) << np.int64(52)).view(np.float64)
    return scale * multiply_add(f, polynomial(_POWER, f), 1.0)
