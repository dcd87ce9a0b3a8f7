"""One frozen, typed configuration, loaded once and passed down.

``configs/default.toml`` is the single source of every knob: meaning, default and bounds stand
there.  A user's file is laid over it key by key; nothing else supplies a value.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeGuard

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simbox.errors import ConfigError, did_you_mean

DEFAULTS = "default.toml"
PER_MILLE = 1000
SCORES = ("scoring", "hosts", "sites")  # sections that describe a score
NO_TABLE = ("model_type", "model_attributes_type", "mapping_type", "dict_type")

Probability = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=100)]
Nats = Annotated[float, Field(ge=0, le=50)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
Pair = Annotated[tuple[float, float], Field(strict=False)]
Anchor = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """A table of the configuration: fixed once read, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ingest(Section):
    """How CDR files and captures are read."""

    max_reject_share: Share
    profile_folders: Names
    signature_folders: Names
    access_networks: Names


class Time(Section):
    """Clocks and zones."""

    local_zone: str


class Family(Section):
    """What features of one kind are worth together."""

    p: Probability
    q: Probability
    doc: str
    exposed: bool = True

    @model_validator(mode="after")
    def _gateways_fire_more(self) -> Self:
        if self.q >= self.p:
            raise ValueError(f"q must be below p; found q = {self.q}, p = {self.p}")
        return self

    def nats(self, q_times: float = 1.0) -> tuple[float, float]:
        """Nats at grade 1 and at grade 0, with q taken so many times as large, but below p."""
        q = min(self.q * q_times, max(self.q, 0.9 * self.p))
        return math.log(self.p / q), math.log((1 - self.p) / (1 - q))


class ScoredFeature(Section):
    """The ramp of a feature from ordinary to gateway, and its weight in its family."""

    legit: Anchor
    gateway: Anchor
    scale: Literal["linear", "log"] = "linear"
    weight: Weight = 1.0

    @model_validator(mode="after")
    def _is_a_ramp(self) -> Self:
        if self.legit == self.gateway:
            raise ValueError(f"legit and gateway must differ; both are {self.legit}")
        if self.scale == "log" and min(self.legit, self.gateway) <= 0:
            raise ValueError("a log scale needs legit and gateway above 0")
        return self


class LookalikeWeight(Section):
    """What a look-alike takes off the score at grade 1, and the ramps of its conditions."""

    weight: Annotated[float, Field(ge=0, le=12)]
    anchors: Mapping[str, Pair]

    @model_validator(mode="after")
    def _are_ramps(self) -> Self:
        for name, (none, full) in self.anchors.items():
            if none == full or not math.isfinite(none + full):
                raise ValueError(f"the two anchors of {name} must be numbers that differ")
        return self


class Scoring(Section):
    """A score of lines or hosts: prior, exposure, limits, families, features and look-alikes."""

    prior: Probability
    exposure_n0: Annotated[float, Field(ge=0, le=10_000)]
    min_outgoing: Annotated[int, Field(ge=0, le=100_000)]
    reference_outgoing: Annotated[int, Field(ge=0, le=100_000)]
    uncompared_q: Annotated[float, Field(ge=1, le=10)]
    alert_probability: Probability
    watch_probability: Probability
    full_coverage: Share
    fired_grade: Annotated[float, Field(gt=0, le=1)]
    min_families: Annotated[int, Field(ge=0, le=20)]
    direction_volume: Names
    sufficient: Names
    percentile_low: Share
    percentile_high: Share
    min_segment: Annotated[int, Field(ge=1)]
    max_left_out: Annotated[float, Field(ge=0, le=0.5)]
    families: Mapping[str, Family]
    features: Mapping[str, ScoredFeature]
    lookalikes: Mapping[str, LookalikeWeight]

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> Self:
        if self.watch_probability >= self.alert_probability:
            raise ValueError(
                "watch_probability must be below alert_probability; "
                f"found {self.watch_probability} and {self.alert_probability}"
            )
        low, high = round(self.percentile_low * PER_MILLE), round(self.percentile_high * PER_MILLE)
        if low >= high:
            raise ValueError(
                "percentile_low must be below percentile_high by 0.001 or more; "
                f"found {self.percentile_low} and {self.percentile_high}"
            )
        for key, names in (
            ("direction_volume", self.direction_volume), ("sufficient", self.sufficient)
        ):  # fmt: skip
            for name in names:
                if name not in self.families:
                    hint = did_you_mean(name, self.families)
                    raise ValueError(f"{key} names no family '{name}'.{hint}")
        return self

    @property
    def levels(self) -> range:
        """The percentile knots, in thousandths."""
        low, high = round(self.percentile_low * PER_MILLE), round(self.percentile_high * PER_MILLE)
        return range(low, high + 1)


class SiteScoring(Scoring):
    """The score of sites, and which lines sites are looked for among."""

    suspect_nats: Annotated[float, Field(ge=-50, le=50)]
    suspect_calls: Annotated[int, Field(ge=1, le=100_000)]
    most_suspects: Annotated[int, Field(ge=10, le=10_000_000)]
    most_false: Share
    inherited_nats: Nats


class Lists(Section):
    """Hot, white and grey lists."""

    files: Names
    hot_nats: Nats
    incomplete_white: Literal["refuse", "warn"]
    incomplete_other: Literal["refuse", "warn"]


class Outputs(Section):
    """What is shown."""

    top: Annotated[int, Field(ge=1, le=1_000_000)]
    mask_digits: Annotated[int, Field(ge=0, le=15)]


class Config(Section):
    """Every knob of a run."""

    ingest: Ingest
    time: Time
    scoring: Scoring
    hosts: Scoring
    sites: SiteScoring
    lists: Lists
    outputs: Outputs

    def digest(self) -> str:
        """A short hash that is the same for the same configuration."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def configs_folder() -> Path:
    """The folder of shipped configuration: inside the installed package, or beside it.

    Raises:
        ConfigError: neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "configs", package.parent / "configs"):
        if (folder / DEFAULTS).is_file():
            return folder
    raise ConfigError(f"{package / 'configs'}: no {DEFAULTS} there; reinstall simbox")


def load(path: Path | None = None) -> Config:
    """The configuration: the shipped defaults, with the keys of a user's file laid over them.

    Raises:
        ConfigError: the file is not TOML, or has an unknown key or a value that does not fit.
    """
    default_path = configs_folder() / DEFAULTS
    values = _read(default_path)[1]
    if path is None:
        return _validated(default_path, "", values)
    text, overlay = _read(path)
    for key in _keys(overlay):
        _check_key(path, text, key, values)
    return _validated(path, text, _laid_over(values, overlay))


def check_names(config: Config, feature_families: Mapping[str, str]) -> None:
    """Make sure that every feature and family that the line score names exists.

    Args:
        config: what was loaded.
        feature_families: every known feature of lines with its family.

    Raises:
        ConfigError: a name that is not known, with the nearest one that is.
    """
    check_score(config.scoring, "scoring", feature_families)


def check_score(scoring: Scoring, section: str, feature_families: Mapping[str, str]) -> None:
    """The same for one score, of lines or of hosts, that stands in a section."""
    named = [(f"{section}.features.{name}", name) for name in scoring.features]
    for lookalike, weight in scoring.lookalikes.items():
        named += [(f"{section}.lookalikes.{lookalike}.anchors.{n}", n) for n in weight.anchors]
    for key, name in named:
        if name not in feature_families:
            hint = did_you_mean(name, feature_families) or " See 'simbox catalogue'."
            raise ConfigError(f"configuration: {key}: no feature '{name}'.{hint}")
    families = set(feature_families.values())
    for name in scoring.families:
        if name not in families:
            hint = did_you_mean(name, families)
            raise ConfigError(f"configuration: {section}.families.{name}: no such family.{hint}")
    for name, scored in scoring.features.items():
        if scored.weight > 0 and feature_families[name] not in scoring.families:
            raise ConfigError(
                f"configuration: {section}.features.{name}: its family "
                f"'{feature_families[name]}' has no {section}.families entry; add p and q for it"
            )


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors put a mark at the start
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; a configuration is a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None


def _keys(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key of a table, tables before what they hold."""
    for key, value in table.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _keys(value, (*above, key))


def _check_key(path: Path, text: str, key: tuple[str, ...], defaults: Mapping[str, Any]) -> None:
    """Refuse a key that no section has, naming the line and the nearest key that there is."""
    section: object = Config
    for depth, part in enumerate(key):
        if not _is_section(section):
            section = _entry_type(section)
            if section is None:
                return
            continue
        fields = section.model_fields
        if part not in fields:
            raise ConfigError(
                f"{path}: {_where(text, key[: depth + 1])}"
                f"unknown key '{'.'.join(key[: depth + 1])}'.{did_you_mean(part, fields)}"
            )
        section = fields[part].annotation
    _check_new_entry(path, text, key, defaults)


def _is_section(annotation: object) -> TypeGuard[type[Section]]:
    """A table with keys of its own, not one whose keys are names."""
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _entry_type(annotation: object) -> object:
    """What a table of names holds under each name."""
    if typing.get_origin(annotation) in {Mapping, dict}:
        return typing.get_args(annotation)[1]
    return None


def _check_new_entry(
    path: Path, text: str, key: tuple[str, ...], defaults: Mapping[str, Any]
) -> None:
    """Refuse a look-alike that the program does not have: the file can weigh, not declare."""
    if len(key) == 3 and key[0] in SCORES and key[1] == "lookalikes":
        known = defaults[key[0]]["lookalikes"]
        if key[2] not in known:
            hint = did_you_mean(key[2], known) or f" There are: {', '.join(known)}."
            raise ConfigError(f"{path}: {_where(text, key)}no look-alike '{key[2]}'.{hint}")


def _laid_over(base: dict[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _laid_over(below, value)
        else:
            merged[key] = value
    return merged


def _validated(path: Path, text: str, values: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
    key = tuple(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    hint = ""
    if first["type"] == "missing":
        message, hint = "is missing", _hint_for_missing(key, values)
    elif first["type"] in NO_TABLE:
        message = f"a table is needed; found {first['input']!r}"
    elif first["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}; found {first['input']!r}"
    raise ConfigError(f"{path}: {_where(text, key)}{'.'.join(key)}: {message}.{hint}")


def _hint_for_missing(key: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """A value is missing where a name was misspelt: the shipped name nearest to it."""
    if len(key) < 3 or key[0] not in SCORES:
        return ""
    known = [name for name in values[key[0]].get(key[1], {}) if name != key[2]]
    return did_you_mean(key[2], known)


def _where(text: str, key: tuple[str, ...]) -> str:
    number = line_of(text, key)
    return f"line {number}: " if number else ""


def line_of(text: str, key: tuple[str, ...]) -> int | None:
    """The line of a TOML text that states a key, or the nearest table or key above it."""
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        stated = re.match(r"\s*([\w.\"'-]+?)\s*=", line)
        if header:
            table = _parts(header[1])
            here = table
        elif stated:
            here = table + _parts(stated[1])
            inline = key[len(here) : len(here) + 1]
            if here == key[: len(here)] and inline and inline[0] in line.partition("=")[2]:
                here = key[: len(here) + 1]
        else:
            continue
        if here == key[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
