"""The text of problems, equations and noises: one line, whatever they hold."""

from __future__ import annotations

import numpy as np
import pytest

import fbmsde
from fbmsde import FractionalNoise, GaussianNoise, Grid, PassageProblem, RareProblem, Shifted, quadratic
from fbmsde.core.brief import LONGEST

NOISE, MANY = FractionalNoise(0.3), np.linspace(-0.5, 0.5, 500)


def problem(x0):
    return PassageProblem(quadratic(), NOISE, x0, (-1.0, 1.0), horizon=20.0, seed=1, monitoring=Grid(0.01))


def slope(t, x, a):
    return -a * x


LINES = {
    "Landscape(params=(4.0, 1.0, 0.5, 0.125), name='double_well')": fbmsde.double_well,
    "Landscape(dim=500, name='hessian_spectrum')": lambda: fbmsde.hessian_spectrum(MANY + 1.0),
    "GaussianNoise(NoiseCovariance(GaussianLaw(<500 numbers>, None), 1.0))": lambda: GaussianNoise(np.exp(-20 * MANY)),
    "AnisotropicNoise(noise=StableNoise(alpha=1.5, sigma=1.0), factor=<500 numbers>)": lambda: fbmsde.AnisotropicNoise(
        fbmsde.StableNoise(1.5), MANY + 1.0
    ),
    "Equation(slope, (1.0,), calculus='additive')": lambda: fbmsde.Equation(slope, (1.0,)),
    "PassageProblem(<quadratic (1.0,)>, FractionalNoise(0.3), 0.0, (-1.0, 1.0), horizon=20.0, seed=1, "
    "monitoring=Grid(0.01))": lambda: problem(0.0),
    "PassageProblem(<quadratic>, FractionalNoise(0.3), <array (500,)>, ": lambda: problem(MANY),
    "RareProblem(<quadratic>, FractionalNoise(0.3), 0.0, (None, 3.0), horizon=4.0, seed=1, ": lambda: RareProblem(
        quadratic(), NOISE, 0.0, (None, 3.0), horizon=4.0, seed=1, monitoring=Shifted(0.01)
    ),
}


@pytest.mark.parametrize("begins", LINES)
def test_a_record_is_one_line_that_tells_what_matters(begins):
    text = repr(LINES[begins]())
    assert text.startswith(begins) and "\n" not in text and len(text) <= LONGEST
    if not text.endswith(" ...)"):
        assert text.endswith(")")


def test_what_fits_is_told_as_before():
    assert repr(NOISE) == (
        "FractionalNoise(hurst=0.3, sigma=1.0, method='streaming', tolerance=None, correlation=None, "
        "dtype=dtype('float64'))"
    )
    assert repr(fbmsde.ArmaNoise([0.5], [0.25])) == "ArmaNoise(ar=(0.5,), ma=(0.25,), sigma=1.0)"


def test_the_text_is_no_part_of_what_a_problem_is():
    """Two problems of one text are told apart by what they hold."""
    one, other = problem(MANY), problem(-MANY)
    assert repr(one) == repr(other) and one.digest() != other.digest()
