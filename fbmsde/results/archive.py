"""Files that hold the arrays and the facts of one result: an ``.npz`` that NumPy alone can read."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.files import replacing
from ..core.types import AnyArray

SUFFIX = ".npz"
_FACTS = "facts"  # the name of the array that holds all that is no array, as the bytes of a JSON text
_FORMAT = 1  # the version of this form


@dataclass(frozen=True, eq=False)
class Archive:
    """What a file of a result holds: the kind of the result, its arrays by name, and facts that JSON can hold."""

    kind: str
    arrays: Mapping[str, AnyArray]
    facts: Mapping[str, object]

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the file whole or not at all.

        Raises ValueError unless the path ends in ``.npz`` and for facts that JSON cannot hold, FileExistsError for a
        file that is there already unless `overwrite` is True, and OSError, with the reason, if it cannot be written.
        """
        target = Path(path)
        if target.suffix != SUFFIX:
            raise ValueError(f"path must end in {SUFFIX}, got {os.fspath(path)!r}. Write {target.name + SUFFIX!r}.")
        try:
            facts = json.dumps({"format": _FORMAT, "kind": self.kind, **self.facts}, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise ValueError(f"provenance must be data that JSON can hold, got a problem: {error}.") from None
        try:
            with replacing(target, overwrite=overwrite) as file:
                arrays: dict[str, Any] = {**self.arrays, _FACTS: np.frombuffer(facts, np.uint8)}
                np.savez(file, **arrays)
        except FileExistsError:
            raise _taken(path) from None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Archive:
        """Read a file and check that nothing in it is damaged.

        Raises FileNotFoundError where there is no file, OSError for one that cannot be read, and ValueError, with the
        reason, for one that is damaged, of another kind, or of a later form.
        """
        try:
            with zipfile.ZipFile(path) as whole:
                damaged = whole.testzip()
                if damaged is not None:
                    raise ValueError(f"{damaged} in it is damaged")
                arrays = {Path(name).stem: _array(whole, name) for name in whole.namelist()}
            facts = json.loads(arrays.pop(_FACTS).tobytes())
            form, kind = facts.pop("format"), facts.pop("kind")
        except OSError:
            raise
        except Exception as error:  # files may be damaged in any manner
            raise unreadable(path, error) from None
        if form != _FORMAT:
            raise ValueError(f"path must hold a file of form {_FORMAT}, got {path} of form {form!r}. Update fbmsde.")
        return cls(str(kind), arrays, facts)


def _array(whole: zipfile.ZipFile, name: str) -> AnyArray:
    """One array of an open file."""
    with whole.open(name) as file:
        found: AnyArray = np.lib.format.read_array(file, allow_pickle=False)
    return found


def _taken(path: str | os.PathLike[str]) -> FileExistsError:
    """The error about a file that is there already."""
    return FileExistsError(f"path must be new, got {path}, which exists. Choose another, or say overwrite=True.")


def unreadable(path: str | os.PathLike[str], error: Exception) -> ValueError:
    """The error about a file that is not what `Archive.write` has written, with the first line of the reason.

    >>> unreadable("a.npz", KeyError("facts"))
    ValueError("path must hold what `save` has written, got a.npz: 'facts'.")
    """
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return ValueError(f"path must hold what `save` has written, got {path}: {reason.rstrip('.')}.")
