"""The states of a path, as the codes that kernels write.

RUNNING : it is still inside and not at the horizon. LEFT : it has left. CENSORED : it was inside up to the horizon.
BROKEN : it reached inf or nan. NO_LEVEL : the level function returned nan. UNRESOLVED : it left by a step that the
equation does not take, because dt is too large for the drift there.
"""

from __future__ import annotations

RUNNING, LEFT, CENSORED, BROKEN, NO_LEVEL, UNRESOLVED = 0, 1, 2, 3, 4, 5
