"""CPU time of the exact generators against published packages, and where Davies-Harte spends it.

    OMP_NUM_THREADS=1 python benchmarks/generators.py

The second table takes the parts of Davies-Harte apart: scaled normals, the transforms of scipy.fft, the rest (last
butterflies and writing of the result).
"""

from __future__ import annotations

from fbmsde import bench


def main() -> None:
    """Print both tables."""
    print(bench.generator_table())
    print(f"\n{'n_steps':>8}  Davies-Harte, ns per increment")
    print(*bench.davies_harte_shares(), sep="\n")


if __name__ == "__main__":
    main()
