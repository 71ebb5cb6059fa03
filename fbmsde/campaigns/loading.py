"""`load`: results that were saved in a file, or the campaign in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.complaints import short
from ..results.archive import Archive, unreadable
from ..results.passage_times import PassageTimes
from ..simulation.paths import Paths
from .stored import StoredCampaign
from .zarr_layout import ROOT

_READ = "a file (.npz) that `save` of passage times or paths has written, or the folder that a campaign has as `store`"


def load(path: str | os.PathLike[str]) -> PassageTimes | Paths | StoredCampaign:
    """What `PassageTimes.save` or `Paths.save` has written to a file, or the campaign that is stored in a folder.

    A folder comes back as a mapping of the names of its problems to their passage times; nothing is changed there, and
    the campaign may still be running. It asks for ``pip install "fbmsde[store]"``.

    Raises FileNotFoundError where there is nothing, OSError for what cannot be read, and ValueError, with the reason,
    for a file that is damaged or holds something else, and for a folder in which there is no campaign; TypeError for
    what is no path.

    >>> import tempfile
    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), dt=0.01, horizon=9.0, n_paths=5,
    ...                          seed=1)
    >>> file = Path(tempfile.mkdtemp()) / "passages.npz"
    >>> passages.save(file)
    >>> bool((load(file).times == passages.times).all())
    True
    """
    place = Path(_pathlike(path))
    if place.is_dir():
        if not (place / ROOT).exists():
            raise ValueError(f"path must be {_READ}, got the folder {place}, in which no campaign is.{_nearer(place)}")
        return StoredCampaign(place)
    if not place.exists():
        raise FileNotFoundError(f"path must be {_READ}, got {place}, which is not there.")
    archive = Archive.read(place)
    try:
        if archive.kind == "Paths":
            return Paths.of_archive(archive)
        if archive.kind == "PassageTimes":
            return PassageTimes.of_archive(archive)
        raise ValueError(f"it holds a result of the kind {archive.kind!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(path, error) from None


def _pathlike(path: object) -> str | os.PathLike[str]:
    """The path; TypeError for anything else."""
    if isinstance(path, (str, os.PathLike)):
        return path
    raise TypeError(f"path must be {_READ}, got {short(path)}.")


def _nearer(place: Path) -> str:
    """What to give in place of a folder inside of a campaign's or beside one."""
    around = next((folder for folder in place.absolute().parents if (folder / ROOT).exists()), None)
    inside = sorted(found.parent for found in place.glob(f"*/{ROOT}"))
    known = ([around] if around else []) + inside[:1]
    return f" Write load({str(known[0])!r})." if known else ""
