"""What has become of a path: the codes that kernels write."""

from __future__ import annotations

RUNNING, LEFT, CENSORED, BROKEN, NO_LEVEL, UNRESOLVED = 0, 1, 2, 3, 4, 5
