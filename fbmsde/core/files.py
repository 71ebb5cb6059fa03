"""Files that are written whole or not at all, and folders in which one study works at a time."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

LOCK = ".fbmsde.lock"
_PATIENCE = 0.2  # seconds to wait for a folder, at which `is_claimed` may just be looking


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A binary file to write in a `with` block. It takes the place of `path` when it is complete and on disk.

    If anything goes wrong before, `path` is as it was and nothing is left beside it. Raises FileExistsError if `path`
    exists at the end and `overwrite` is False, and OSError with the reason if the file cannot be written.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> with replacing(path) as file:
    ...     _ = file.write(b"1,2")
    >>> path.read_text()
    '1,2'
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _move(part, target, overwrite)
    except FileExistsError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"{path} must be written whole, got: {reason}. What was there before is as it was.") from error
    finally:
        part.unlink(missing_ok=True)


def _move(part: Path, target: Path, overwrite: bool) -> None:
    """Put the finished file in its place, with the access rights of the file that it replaces."""
    if overwrite:
        if target.exists():
            shutil.copymode(target, part)
        os.replace(part, target)
        return
    try:
        os.link(part, target)  # in one step: it fails if another process has made the file meanwhile
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise _taken(target) from None
        os.replace(part, target)


def _taken(target: Path) -> FileExistsError:
    """The error about a file that another process has made meanwhile."""
    return FileExistsError(f"out must not hold earlier results, got {target}. Choose another place.")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all; an existing file is replaced.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_text(path, "σ = 1")
    >>> path.read_text(encoding="utf-8")
    'σ = 1'
    """
    with replacing(path) as file:
        file.write(text.encode())


def write_figure(path: Path, draw: Callable[[], Any], dpi: int) -> None:
    """Write the matplotlib figure that `draw` returns as a PNG file. If that fails, an earlier picture is removed."""
    try:
        with replacing(path) as file:
            draw().savefig(file, format="png", dpi=dpi)
    except BaseException:
        path.unlink(missing_ok=True)  # an earlier picture shows other data than the new tables beside it
        raise


@contextmanager
def claimed(folder: Path, name: str = "out") -> Iterator[None]:
    """Keep a folder for this process in a `with` block. The folder is made if it is missing.

    A process that dies gives its folder back. `name` is that of the argument in messages. Raises ValueError if the
    folder cannot be written or if another study works in it.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with claimed(folder), claimed(folder):
    ...     pass
    Traceback (most recent call last):
        ...
    ValueError: out must be a folder of its own, got ... where another study is running. Choose another or wait for it.
    """
    import filelock  # not needed to write a file

    lock = filelock.FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_PATIENCE)
    except filelock.Timeout:
        raise ValueError(f"{name} must be a folder of its own, got {folder} where another study is running. "
                         "Choose another or wait for it.") from None  # fmt: skip
    except OSError as error:
        raise ValueError(f"{name} must be a folder that can be written, got {folder} ({error.strerror}).") from None
    try:
        yield
    finally:
        lock.release()


def is_claimed(folder: Path) -> bool:
    """Whether a process keeps the folder for itself now; False also where this process may not ask.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with claimed(folder):
    ...     is_claimed(folder)
    True
    >>> is_claimed(folder)
    False
    """
    import filelock  # not needed to write a file

    lock = filelock.FileLock(folder / LOCK)
    try:
        if (folder / LOCK).exists():
            lock.acquire(timeout=0)
            lock.release()
    except filelock.Timeout:
        return True
    except OSError:  # a folder that cannot be written
        return False
    return False
