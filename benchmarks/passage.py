"""Escape from a double well: this package beside the published ones. Run: python benchmarks/passage.py"""

from __future__ import annotations

from fbmsde.bench.passage import passage_table

if __name__ == "__main__":
    print(passage_table().table())
