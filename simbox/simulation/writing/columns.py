"""Which columns a file of a profile has, in their order, and what each of them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simbox.ingest.cdr.profile import Profile, normal_name

_CELL_PARTS = ("mcc", "mnc", "lac", "ci")


@dataclass(frozen=True)
class Column:
    """One column of a file."""

    name: str  # the source's own
    says: tuple[str, ...]  # canonical columns that are read from it; none for the others

    @property
    def key(self) -> str:
        """The name as names are compared."""
        return normal_name(self.name)


def columns_of(profile: Profile) -> tuple[Column, ...]:
    """The columns of a file of this profile, in order."""
    if profile.layout.names:
        return tuple(Column(n, _all_that_say(profile, n)) for n in profile.layout.names)
    found: dict[str, list[str]] = {}
    for canonical in _chosen(profile):
        found.setdefault(_name(profile, canonical), []).append(canonical)
    have = {normal_name(name) for name in found}
    extra = [name for name in profile.match.headers if normal_name(name) not in have]
    return tuple(Column(name, tuple(found.get(name, ()))) for name in (*found, *extra))


def named(columns: Sequence[Column]) -> dict[str, tuple[str, ...]]:
    """Canonical column -> the names it stands under."""
    found: dict[str, tuple[str, ...]] = {}
    for column in columns:
        for canonical in column.says:
            found[canonical] = (*found.get(canonical, ()), column.name)
    return found


def _all_that_say(profile: Profile, name: str) -> tuple[str, ...]:
    wanted = normal_name(name)
    return tuple(
        canonical
        for canonical, names in profile.columns.items()
        if wanted in {normal_name(n) for n in names} and canonical not in profile.match.absent
    )


def _name(profile: Profile, canonical: str) -> str:
    """The first of a column's names, or the one that files are recognised by."""
    names = profile.columns[canonical]
    headers = {normal_name(name) for name in profile.match.headers}
    return next((name for name in names if normal_name(name) in headers), names[0])


def _chosen(profile: Profile) -> list[str]:
    """The canonical columns that are written, each thing once unless the profile wants it twice."""
    absent = set(profile.match.absent)
    can = [c for c in profile.columns if c not in absent]
    needed = {c for entry in profile.match.columns for c in entry.split("|")}
    wanted = [
        *_parties(profile, can),
        *("imsi", "imei"),
        *(("cell",) if "cell" in can else _CELL_PARTS),
        *(("b_imsi", "b_imei", "b_cell", "call_ref") if profile.form == "call" else ()),
        *(("start",) if "start" in can else ("start_date", "start_time")),
        *_types(profile, can, needed),
        "duration",
        *({"values": ("answered",), "answer": ("answer",)}.get(profile.answered, ())),
        *(("cause",) if profile.causes != "none" else ()),
    ]
    return [c for c in wanted if c in can]


def _parties(profile: Profile, can: Sequence[str]) -> tuple[str, ...]:
    if profile.line_from_file:
        return ("other",)
    pairs = (("a", "b"), ("line", "other"))
    if profile.form == "served":
        pairs = (("line", "other"), ("a", "b"))
    return next((pair for pair in pairs if pair[0] in can), ())


def _types(profile: Profile, can: Sequence[str], needed: set[str]) -> tuple[str, ...]:
    if profile.form == "call":
        return ("service",)
    if "event_type" in can:
        both = "service" in needed and "event_type" in needed
        return ("event_type", "service") if both else ("event_type",)
    return ("direction", "service")
