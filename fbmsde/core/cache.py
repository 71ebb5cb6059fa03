"""Machine code is kept on disk between processes, at a place that tells everything it was made from.

Numba's own cache looks at one source file only, and raises where it cannot write. Here the name of the folder is a hash
of all sources of the package and of the versions that compile them, so that outdated code is never found. A file or
folder that is missing, full, damaged or closed costs time and is never an error. No locks are needed: a file appears as
a whole, and the last of several processes that write the same one wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import pickle
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

import llvmlite.binding
import numba
import numpy as np
from numba import config, njit
from numba.core import compiler, sigutils
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import _Cache
from platformdirs import user_cache_path

from .loaded import LOADED_NS

FOLDER_VARIABLE = "FBMSDE_CACHE_DIR"
SUFFIX, RESULT_SUFFIX = ".code", ".result"

Result = TypeVar("Result")

_PACKAGE = Path(__file__).parents[1]
_VERSION = re.compile("[0-9a-f]{32}")
_MOST_VERSIONS = 10
_MOST_FILES = 500  # of one version: users' functions may be many
_CLOCK_TICK = 20_000_000  # nanoseconds by which the times of files may lag behind the clock
_FLAGS = (  # numba's settings that change machine code
    *("BOUNDSCHECK", "DEBUGINFO_DEFAULT", "DEBUG_NRT", "ENABLE_AVX", "ENABLE_PROFILING", "EXTEND_VARIABLE_LIFETIMES"),
    *("LLVM_REFPRUNE_FLAGS", "LLVM_REFPRUNE_PASS", "LOOP_VECTORIZE", "NRT_STATS", "OPT", "SLP_VECTORIZE", "USING_SVML"),
)


def folder() -> Path:
    """Return the folder of all kept machine code and results.

    It is the environment's ``FBMSDE_CACHE_DIR``, else `fbmsde` in its ``NUMBA_CACHE_DIR``, else in the user's cache.

    >>> folder().is_absolute()
    True
    """
    chosen = os.environ.get(FOLDER_VARIABLE) or (config.CACHE_DIR and os.path.join(config.CACHE_DIR, "fbmsde"))
    return Path(chosen).absolute() if chosen else user_cache_path("fbmsde", appauthor=False)


def versions() -> list[Path]:
    """Return the folders of the versions of the package that have kept code, the one used last first."""
    found = [(_stamp(path), path) for path in folder().glob("*") if _VERSION.fullmatch(path.name)]
    return [path for _, path in sorted(found, reverse=True)]


def kernels() -> list[Path]:
    """Return the files of all versions; each holds one function compiled for one signature."""
    return [path for version in versions() for path in sorted(version.glob(f"*{SUFFIX}"))]


def results() -> list[Path]:
    """Return the files of the results of all versions that `remembered` has kept."""
    return [path for version in versions() for path in sorted(version.glob(f"*{RESULT_SUFFIX}"))]


def size() -> int:
    """Return the bytes of kept machine code and results, of every version."""
    return sum(_bytes(path) for path in (*kernels(), *results()))


def clear() -> int:
    """Delete all kept machine code and results, of every version, and return the bytes that this has freed.

    Only the folders that the cache has made are deleted, whatever else there is beside them.
    """
    before = size()
    for version in versions():
        shutil.rmtree(version, ignore_errors=True)
    return before - size()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of the package for the loops: no checks of division, no GIL, machine code kept on disk.

    ValueError for a function from elsewhere, or one within another function: its name does not tell its content.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    if "<locals>" in name or name.partition(".")[0] != _PACKAGE.name:
        raise ValueError(f"function must stand in a module of {_PACKAGE.name}, got {name}. Pass it to `kept` instead.")
    return kept(njit(error_model="numpy", nogil=True)(function), name)


def kept(dispatcher: Any, name: str) -> Any:
    """Return the dispatcher, told to keep its machine code on disk under `name`.

    Apart from the package's sources and the types of the arguments, `name` must tell everything that the code depends
    on: a closure's name contains the values that it captures.
    """
    if not config.DISABLE_JIT:
        dispatcher._cache = _Kept(name)
    return dispatcher


def remembered(compute: Callable[..., Result]) -> Callable[..., Result]:
    """Keep the results of a function of the package in memory, 256 of them, and on disk.

    Its arguments are numbers, nested tuples of numbers, and frozen records whose text tells their content. Apart from
    them, the result may depend on the package's sources and the machine only. It must not be changed by those who get
    it.
    """

    @lru_cache(maxsize=256)
    @wraps(compute)
    def look_up(*args: object) -> Result:
        path = _result_path(f"{compute.__module__}.{compute.__qualname__}", args)
        found: Result | None = None
        with contextlib.suppress(Exception):  # files of a cache may be damaged in any manner
            found = pickle.loads(_read(path)) if path else None
        if found is None:
            found = compute(*args)
            with contextlib.suppress(Exception):  # no place, or no right
                if path:
                    _write(path, pickle.dumps(found))
        elif path:
            _note_use(path)
        return found

    return look_up


def _result_path(name: str, args: tuple[object, ...]) -> Path | None:
    """The file of a result, None where it must not be kept."""
    version = fingerprint()
    if version is None:
        return None
    machine = llvmlite.binding.get_host_cpu_name(), config.DISABLE_JIT, os.environ.get("OPENBLAS_CORETYPE")
    key = hashlib.sha256(repr((name, args, machine)).encode()).hexdigest()[:32]
    return folder() / version / f"{name}-{key}{RESULT_SUFFIX}"


def fingerprint() -> str | None:
    """Return a hash of all sources of the package and of the versions that compile them.

    None where it does not tell what is in memory: without sources, or when one has changed since it could be loaded.
    """
    found = _hash_of_sources()  # before the look at their times, so that no change can come in between
    changed = max((_stamp(path) for path in _sources()), default=sys.maxsize)
    return None if changed > LOADED_NS - _CLOCK_TICK else found


@lru_cache(maxsize=1)
def _hash_of_sources() -> str:
    whole = hashlib.sha256(repr((sys.version, numba.__version__, llvmlite.__version__, np.__version__)).encode())
    for path in _sources():
        content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        whole.update(f"{os.path.relpath(path, _PACKAGE)} {content}\n".encode())
    return whole.hexdigest()[:32]


def _sources() -> list[str]:
    found = (os.path.join(place, name) for place, _, names in os.walk(_PACKAGE) for name in names)
    return sorted(path for path in found if path.endswith(".py"))


def _stamp(path: str | Path) -> int:
    """The time in ns of the last change of a file or its place; 0 for one that another process has deleted."""
    try:
        status = os.stat(path)
    except OSError:
        return 0
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _Kept(_Cache):
    """What numba asks for the machine code of a dispatcher, one file for each signature."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def cache_path(self) -> str:
        """The folder of this version of the package."""
        return str(folder() / (fingerprint() or "none"))

    def _path(self, args: Any, codegen: Any) -> Path | None:
        """The file of a signature, None where its code must not be kept."""
        version = fingerprint()
        if version is None or " at 0x" in str(args):  # a type that is known by its address is another one tomorrow
            return None
        flags = [(flag, str(getattr(config, flag, None))) for flag in _FLAGS]
        key = hashlib.sha256(repr((self._name, str(args), codegen.magic_tuple(), flags)).encode()).hexdigest()[:32]
        return folder() / version / f"{re.sub('[^A-Za-z0-9_.-]', '_', self._name)[:120]}-{key}{SUFFIX}"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function for a signature, or None when it must be compiled."""
        target_context.refresh()
        args, _ = sigutils.normalize_signature(sig)
        try:
            path = self._path(args, target_context.codegen())
            if path is None:
                return None
            found = compiler.CompileResult._rebuild(target_context, *pickle.loads(_read(path)))
        except Exception:  # files of a cache may be damaged in any manner
            return None
        _note_use(path)
        return found if tuple(found.signature.args) == tuple(args) else None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled function, if the folder allows it."""
        if data.library.has_dynamic_globals or any(not lifted.can_cache for lifted in data.lifted):
            return
        with contextlib.suppress(Exception):  # no place, no right, or nothing that can be pickled
            path = self._path(sigutils.normalize_signature(sig)[0], data.codegen)
            if path is not None:
                _write(path, pickle.dumps(data._reduce()))

    def enable(self) -> None:
        """Do nothing: keeping is on from the beginning."""

    def disable(self) -> None:
        """Do nothing: a dispatcher that shall not keep its code has no cache."""

    def flush(self) -> None:
        """Do nothing: outdated code is never found."""


def _note_use(path: Path) -> None:
    """Let the file and its version count as used now."""
    for used in (path, path.parent):
        with contextlib.suppress(OSError):
            os.utime(used)


def _make_room(version: Path) -> None:
    """Delete the files of the version, and the versions, that were used longest ago, where there are too many."""
    for suffix in (SUFFIX, RESULT_SUFFIX):
        for old in sorted(version.glob(f"*{suffix}"), key=_stamp, reverse=True)[_MOST_FILES:]:
            old.unlink(missing_ok=True)
    for old in versions()[_MOST_VERSIONS:]:
        shutil.rmtree(old, ignore_errors=True)


def _read(path: Path) -> bytes:
    """Return what `_write` has written; ValueError if the file is damaged."""
    raw = path.read_bytes()
    if hashlib.sha256(raw[32:]).digest() != raw[:32]:
        raise ValueError(f"path must hold what was written, got damaged {path}.")
    return raw[32:]


def _write(path: Path, content: bytes) -> None:
    """Write a file beside its place, then move it there, and make room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    _make_room(path.parent)


def _number_functions() -> None:
    """Let numba number its functions from a random number on.

    The number is a part of the names of all machine code. Closures of one factory have no other name; if every process
    began with 1, the code of two of them from two processes could be taken for the same.
    """
    FunctionIdentity._unique_ids = itertools.count(secrets.randbits(48))


_number_functions()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_number_functions)
