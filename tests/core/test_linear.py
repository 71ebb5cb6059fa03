"""Linear algebra in an order of its own: against the library's numbers, and the same bits under every kernel of it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from fbmsde.core.linear import gauss_legendre, product, symmetric_eigen, triangular_root

SCRIPT = """
import hashlib
import numpy as np
from fbmsde import FractionalNoise, Landscape, LevelSet, first_passage, fbm, fgn, quadratic
from fbmsde.fou import fractional_ornstein_uhlenbeck
from fbmsde.streaming import StreamingNoise
blas = np.random.default_rng(0).standard_normal((60, 60))
values = {"BLAS": blas @ blas}
for method in ("davies_harte", "cholesky", "hosking"):
    values[method] = fgn(0.3, 300, 5, method=method, seed=1)
values["fbm"] = fbm(0.7, 3000, 3, seed=1)
values["fou"] = fractional_ornstein_uhlenbeck(0.7, 300, 3, dt=0.01, seed=1)
options = {"horizon": 4.0, "n_paths": 40, "seed": 3, "n_jobs": JOBS}
for hurst in (0.3, 0.7):
    values["certificate", hurst] = np.array(StreamingNoise(hurst, 2000).certificate.kl)
    for monitoring in ({"monitoring": "continuous", "fine_steps": 2**12}, {"dt": 0.01}):
        passages = first_passage(quadratic(), FractionalNoise(hurst), 0.0, (-1.0, 1.0), **options, **monitoring)
        values[hurst, len(monitoring)] = passages.times
noise = FractionalNoise(0.3, correlation=[[1.0, 0.6], [0.6, 1.0]])
disc = LevelSet(lambda x: x[0] ** 2 + x[1] ** 2 - 2.0)
bowl = Landscape(lambda x: (x[0] ** 2 + x[1] ** 2) / 2.0, lambda x: (x[0], x[1]), dim=2)
values["plane"] = first_passage(bowl, noise, (0.0, 0.0), disc, dt=0.01, **options).times
for name, value in values.items():
    print(name, hashlib.sha1(np.ascontiguousarray(value).tobytes()).hexdigest())
"""


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_eigenvectors_of_a_graded_matrix(n):
    """Condition numbers up to 10^26: the matrix is reproduced entry by entry, to rounding of its diagonal."""
    scale = np.exp(-np.arange(n) * 1.0)
    mix = np.random.default_rng(n).standard_normal((n, n))
    matrix = mix @ mix.T * scale * scale[:, None]
    values, vectors = symmetric_eigen(matrix)
    root = np.sqrt(np.diag(matrix))
    assert np.abs((vectors * values @ vectors.T - matrix) / np.outer(root, root)).max() < 1e-13 * n
    assert np.abs(vectors.T @ vectors - np.eye(n)).max() < 1e-13
    assert np.all(np.diff(values) >= 0)
    assert np.allclose(values, np.linalg.eigvalsh(matrix), rtol=1e-12, atol=1e-14 * values[-1])


def test_eigenvalues_of_an_indefinite_matrix():
    values, _ = symmetric_eigen([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    assert np.allclose(values, [-2.0, -1.0, 2.0], atol=1e-15)


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_triangular_root_of_a_matrix_of_any_rank(rank):
    root = np.zeros((6, 6))
    root[:, :rank] = np.random.default_rng(rank).standard_normal((6, rank))
    lower = triangular_root(root)
    assert np.allclose(lower @ lower.T, root @ root.T, atol=1e-14)
    assert np.array_equal(np.triu(lower, 1), np.zeros((6, 6)))
    assert np.all(np.diag(lower) >= 0)


def test_triangular_root_of_what_is_almost_triangular():
    """A reflection that cancelled would be off by 1e-9."""
    root = np.array([[-1.0, 1e-9], [0.5, 0.5]])
    lower = triangular_root(root)
    assert np.allclose(lower @ lower.T, root @ root.T, rtol=0.0, atol=1e-15)


def test_product_multiplies_from_the_left():
    a, b, c = (np.random.default_rng(4).standard_normal((4, 5, 5)))[:3]
    assert np.allclose(product(a, b, c), a @ b @ c, rtol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 8, 200])
def test_gauss_rule_is_exact_for_polynomials(n):
    nodes, weights = gauss_legendre(n)
    assert np.allclose(nodes, np.polynomial.legendre.leggauss(n)[0], rtol=0.0, atol=1e-15)
    for power in (0, 2, 2 * n - 2):
        assert np.sum(weights * nodes**power) == pytest.approx(2.0 / (power + 1), rel=1e-13)


def outputs(core, jobs):
    """What the script prints under one kernel of OpenBLAS, with as many threads of the library as jobs."""
    environment = os.environ | {"OPENBLAS_CORETYPE": core, "OPENBLAS_NUM_THREADS": str(jobs)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("JOBS", str(jobs))],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of OpenBLAS's kernels are those of x86-64")
def test_same_bits_under_other_kernels_and_threads():
    """Paths, exit times and certificates under kernels of which the library's own product shows that they differ."""
    new, old = outputs("Haswell", 1), outputs("Prescott", 3)
    if new.pop("BLAS") == old.pop("BLAS"):
        pytest.skip("NumPy was built with a library that has one kernel")
    assert new == old
