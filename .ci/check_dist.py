"""Whether the distributions in a folder hold what they should: ``python .ci/check_dist.py FOLDER``.

The source distribution holds every file under version control, and the wheel every file of the package and no others.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def compare(what: str, found: set[str], wanted: set[str]) -> None:
    """Leave with a message that names the files that are missing or too many."""
    for fault, files in (("lacks", wanted - found), ("should not hold", found - wanted)):
        if files:
            sys.exit(f"{what} {fault} {len(files)} files: {', '.join(sorted(files)[:20])}")
    print(f"{what} holds its {len(found)} files")


def main() -> None:
    """Check the one source distribution and the one wheel in the folder."""
    folder = Path(sys.argv[1])
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    tracked = set(listed.stdout.splitlines())
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    with tarfile.open(source) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    made = {name for name in names if name == "PKG-INFO" or ".egg-info/" in name}
    compare("the source distribution", names - made, tracked)
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    made = {name for name in names if ".dist-info/" in name}
    compare("the wheel", names - made, {name for name in tracked if name.startswith("fbmsde/")})


if __name__ == "__main__":
    main()
