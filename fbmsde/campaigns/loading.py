"""`load`: results that were saved in a file, or the campaign in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from ..results.archive import Archive, unreadable
from ..results.passage_times import PassageTimes
from ..simulation.paths import Paths
from .stored import StoredCampaign


def load(path: str | os.PathLike[str]) -> PassageTimes | Paths | StoredCampaign:
    """What `PassageTimes.save` or `Paths.save` has written to a file, or the campaign that is stored in a folder.

    A folder comes back as a mapping of the names of its problems to their passage times; nothing is changed there, and
    the campaign may still be running. It asks for ``pip install "fbmsde[store]"``.

    Raises FileNotFoundError where there is nothing, OSError for what cannot be read, and ValueError, with the reason,
    for a file that is damaged or holds something else.

    >>> import tempfile
    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), dt=0.01, horizon=9.0, n_paths=5,
    ...                          seed=1)
    >>> file = Path(tempfile.mkdtemp()) / "passages.npz"
    >>> passages.save(file)
    >>> bool((load(file).times == passages.times).all())
    True
    """
    if Path(path).is_dir():
        return StoredCampaign(path)
    archive = Archive.read(path)
    try:
        if archive.kind == "Paths":
            return Paths.of_archive(archive)
        if archive.kind == "PassageTimes":
            return PassageTimes.of_archive(archive)
        raise ValueError(f"it holds a result of the kind {archive.kind!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(path, error) from None
