"""Make captures/county/: a week of CDRs of a country that `simbox simulate` invents.

Run ``python captures/make_county.py``; the same seed gives the same rows. The script runs one
command, the one in the manifest, and packs its records again so that they take half the room.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import manifest

#: The smallest seed that gives a cottage of more than 24 ports (four boxes of eight) with three
#: sessions or more, the other rooms on two days or more, and four megabytes at most.
SEED = 34
COMMAND = (
    f"simbox simulate county --lines 2000 --seed {SEED} --format csv.gz --without 'gateway/*' "
    "--count gateway/shift=1 --count gateway/rotation=1 --count gateway/human_like=1 "
    "--count gateway/vehicle=1 --count gateway/fxo=1"
)
SMALLEST = 9  # level of gzip; the simulator takes the fastest


def pack(path: Path) -> None:
    """Pack a gzip file again, as small as gzip can."""
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), SMALLEST, mtime=0))


def simulated(folder: Path) -> Path:
    """What the command makes in the folder, packed."""
    _, *arguments = shlex.split(COMMAND)
    command = [sys.executable, "-m", "simbox", *arguments]
    subprocess.run(command, check=True, cwd=folder)  # noqa: S603  # our own command
    made = folder / "county"
    for path in made.glob("*.gz"):
        pack(path)
    return made


def section(folder: Path) -> str:
    """The manifest's section: how it was made, and the digest of each file."""
    world = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    head: dict[str, manifest.Value] = {
        "what": "seven days of served-party CDRs of an invented country with five rooms of "
        "gateways and a unit or more of every look-alike",
        "made_by": "captures/make_county.py",
        "command": COMMAND,
        "seed": SEED,
        "zone": world["plan"]["zone"],
        "rows": world["counts"]["rows"],
        "ingest": "county/cdr*",
        "profile": "county/profile.toml",
        "cells": "county/cells.csv",
        "labels": "county/truth.csv",
        "sites": "county/sites.csv",
    }
    files = [
        manifest.table(
            "county.files",
            {"path": f"county/{path.name}", "sha256": manifest.digest(path)},
            many=True,
        )
        for path in sorted(folder.iterdir())
    ]
    return "\n".join([manifest.table("county", head), *files])


def make(folder: Path) -> None:
    """Write the whole sample into the folder."""
    target = folder / "county"
    with tempfile.TemporaryDirectory() as work:
        made = simulated(Path(work))
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)
    manifest.write(folder / "manifest.toml", "county", section(target))


def main() -> None:
    """Make the sample where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="target folder")
    make(parser.parse_args().out)


if __name__ == "__main__":
    main()
