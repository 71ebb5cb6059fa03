"""When the package was loaded, in nanoseconds since 1970: the package imports this file before all others."""

import time

LOADED_NS = time.time_ns()
