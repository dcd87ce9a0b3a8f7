"""The manifest: one section for each script, so that none writes over another's."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from lab.scene import TruthLine

HEAD = "# What we made ourselves; invented numbers only.  README.md says what is in it.\n"
SECTION = re.compile(r"^\[\[?([\w-]+)", re.MULTILINE)

Value = str | int | float


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def table(name: str, values: dict[str, Value], *, many: bool = False) -> str:
    """A TOML table."""
    spelled = {k: f'"{v}"' if isinstance(v, str) else str(v) for k, v in values.items()}
    opened = f"[[{name}]]" if many else f"[{name}]"
    return "\n".join([opened, *(f"{k} = {v}" for k, v in spelled.items())]) + "\n"


def write(path: Path, name: str, section: str) -> None:
    """Put a section into the manifest, in the place of the one of that name, sorted by name."""
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    found: dict[str, str] = {}
    starts = [*SECTION.finditer(text)]
    ends = [*(m.start() for m in starts[1:]), len(text)]
    for match, end in zip(starts, ends, strict=False):
        part = text[match.start() : end].strip() + "\n"
        found[match[1]] = "\n".join(filter(None, [found.get(match[1]), part]))
    found[name] = section.strip() + "\n"
    whole = "\n".join([HEAD, *(found[key] for key in sorted(found))])
    path.write_text(whole, encoding="utf-8")


def write_truth(path: Path, rows: Iterable[tuple[str, TruthLine]]) -> None:
    """One CSV row for each host or line of a capture."""
    with path.open("w", encoding="utf-8", newline="") as out:
        names = ["capture", *(f.name for f in fields(TruthLine))]
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        for capture, line in rows:
            writer.writerow({"capture": capture, **asdict(line)})
