"""Where and with what a run was made."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import fbmsde

PACKAGES = ("numpy", "numba", "llvmlite", "scipy")

_TRIM_THRESHOLD, _MMAP_MAX, _LARGEST = -1, -4, 2**31 - 1  # of mallopt


def machine() -> dict[str, str]:
    """Processor, cores, memory, system, and how busy it was when the run began."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    system = f"{platform.system()} {platform.machine()}"
    return {"processor": _processor(), "cores": str(os.cpu_count()), "system": system, "load": load}


def versions() -> dict[str, str]:
    """Python, and the packages that the work is made of."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def commit() -> str:
    """The commit of the package that was imported, if it is in a checkout, else nothing."""
    folder = Path(fbmsde.__file__).parents[1]
    command = ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"]
    if not (folder / ".git").exists():
        return ""
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:  # without git
        return ""


def keep_memory() -> None:
    """Let arrays that were freed be used again, where the C library can do so (that of Linux).

    Otherwise an array of some 32 MB is new memory at each call, which the system clears page by page. On a virtual
    machine this costs 1 to 16 ns a number, and the cost comes and goes.
    """
    try:
        settings = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another system
        return
    settings(_MMAP_MAX, 0)
    settings(_TRIM_THRESHOLD, _LARGEST)


def _processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
