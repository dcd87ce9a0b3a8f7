"""A profile made to fit a world: its zone, its numbering plan, and the columns that are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from simbox.errors import ConfigError
from simbox.ingest.cdr.profile import Profile
from simbox.simulation.numbering import (
    COUNTRY,
    NATIONAL,
    OPERATOR_TEXTS,
    OTHER_FIXED,
    OWN_FIXED,
    OWN_MOBILE,
    SERVICES,
)
from simbox.simulation.writing.columns import columns_of, named

SHORT_MAX = 8  # digits of the longest short code; E.164 numbers here have twelve and more
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def adapted(profile: Profile, zone: str) -> Profile:
    """The profile as the files of a world are read: nothing is left to be known elsewhere.

    Args:
        profile: whose layout, columns, codes and spelling are kept.
        zone: of the world's local time.

    Raises:
        ConfigError: the profile has no columns for a party or a time.
    """
    columns = columns_of(profile)
    kept = named(columns)
    party = {"line", "a"} & kept.keys() or profile.line_from_file
    if not party or not {"start", "start_date"} & kept.keys():
        raise ConfigError(f"profile {profile.name}: names no column for a line and a start")
    rules = profile.numbers
    numbers = {
        "country": str(COUNTRY),
        "own": tuple(f"{COUNTRY}{head}" for head in (OWN_MOBILE, OWN_FIXED)),
        "fixed": (f"{COUNTRY}{OTHER_FIXED}",),
        "service": tuple(map(str, sorted({*SERVICES, *OPERATOR_TEXTS}))),
        "short_max": SHORT_MAX,
        "routing": (),
        "national_lengths": (len(str(NATIONAL)) - 1,) if rules.national_lengths else (),
    }
    return profile.model_copy(
        update={
            "name": f"{profile.name}-world",
            "columns": kept,
            "b_leg": "own",
            "time": profile.time.model_copy(update={"zone": zone}),
            "numbers": rules.model_copy(update=numbers),
        }
    )


def as_toml(profile: Profile) -> str:
    """The text of a profile file."""
    told = profile.model_dump(mode="json", exclude_defaults=True)
    return "\n".join(_section("", told)).strip() + "\n"


def _section(path: str, values: Mapping[str, object]) -> list[str]:
    plain = {k: v for k, v in values.items() if not isinstance(v, dict)}
    lines = [f"{_key(k)} = {_value(v)}" for k, v in plain.items()]
    if path and lines:
        lines = ["", f"[{path}]", *lines]
    for key, inner in values.items():
        if isinstance(inner, dict):
            lines += _section(f"{path}.{_key(key)}" if path else _key(key), inner)
    return lines


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(v) for v in value)}]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and truths as TOML has them
