"""Tables of text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_WIDTH = 80  # of a terminal


def aligned(head: Sequence[str], lines: Iterable[Sequence[str]], keys: int = 2) -> str:
    """Columns as wide as they need, heads broken at their underscores so that they stay narrow.

    A table that is too wide goes on below, where the first `keys` columns stand again.

    >>> print(aligned(("H", "exit_rate"), [("0.3", "0.25"), ("0.5", "1.5")], keys=1))
         exit
    H    rate
    ---  ----
    0.3  0.25
    0.5  1.5
    """
    rows = list(lines)
    parts = [_broken(name) for name in head]
    depth = max(map(len, parts))
    heads = [[""] * (depth - len(p)) + p for p in parts]
    widths = [max(*map(len, h), *(len(row[i]) for row in rows), 1) for i, h in enumerate(heads)]
    top = [[h[level] for h in heads] for level in range(depth)]
    body = [*top, ["-" * width for width in widths], *rows]
    blocks = [list(range(keys))]
    for i in range(keys, len(head)):
        if len(blocks[-1]) > keys and sum(widths[j] + 2 for j in (*blocks[-1], i)) - 2 > _WIDTH:
            blocks.append(list(range(keys)))
        blocks[-1].append(i)
    return "\n\n".join("\n".join(_padded_line(row, widths, block) for row in body if any(row[i] for i in block))
                       for block in blocks)  # fmt: skip


def _padded_line(row: Sequence[str], widths: Sequence[int], block: Sequence[int]) -> str:
    """Some columns of a row, padded."""
    return "  ".join(row[i].ljust(widths[i]) for i in block).rstrip()


def _broken(name: str) -> list[str]:
    """A head as lines: at underscores, but spaces stay."""
    return name.split("_")
