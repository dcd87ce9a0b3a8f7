"""Signatures of devices: what gives a product away in what it sends, as data.

A signature holds patterns for named fields of one protocol.  Those that come with simbox stand in
``configs/signatures``, one file a product family; an operator adds its own in folders of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simbox.config import configs_folder
from simbox.errors import ConfigError, did_you_mean
from simbox.ingest.capture.signatures.matching import (
    FIELDS,
    LEAD,
    Conditions,
    Grade,
    Kind,
    Protocol,
    Signature,
    Signatures,
)


class _Statement(BaseModel):
    """A signature as its file states it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    product: str = Field(min_length=1)
    kind: Kind = "gateway"
    grade: Grade
    protocol: str
    device: Literal["sender", "receiver"] = "sender"  # which end of the message it gives away
    source: str = Field(min_length=1)
    all: Conditions = {}  # every one must fit
    some: Conditions = {}  # at_least of them must fit
    at_least: Annotated[int, Field(ge=0)] = 0
    none: Conditions = {}  # none may fit
    reveals: tuple[str, ...] = ()  # fields that are shown beside those with a condition
    match: tuple[dict[str, str], ...] = Field(min_length=1)
    no_match: tuple[dict[str, str], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.protocol not in FIELDS:
            hint = did_you_mean(self.protocol, FIELDS)
            raise ValueError(f"protocol: '{self.protocol}' is not known.{hint}")
        for key in ("all", "some", "none"):
            for field, pattern in getattr(self, key).items():
                self._check_field(f"{key}.{field}", field)
                _check_pattern(f"{key}.{field}", pattern)
        for field in self.reveals:
            self._check_field("reveals", field)
        for key in ("match", "no_match"):
            for example in getattr(self, key):
                for field in example:
                    self._check_field(f"{key}.{field}", field)
        self._check_weight()
        self._check_lead()
        return self

    def _check_field(self, where: str, field: str) -> None:
        known = FIELDS[self.protocol]
        if field not in known:
            hint = did_you_mean(field, known)
            raise ValueError(f"{where}: {self.protocol} has no field '{field}'.{hint}")

    def _check_weight(self) -> None:
        if not self.all and not self.some:
            raise ValueError("all: no condition; state a pattern for a field")
        if bool(self.some) != bool(self.at_least) or self.at_least > len(self.some):
            raise ValueError(f"at_least: must be 1 to {len(self.some)}, the conditions of 'some'")
        if self.kind != "gateway" and self.grade != "weak":
            raise ValueError(f"grade: a {self.kind} is no gateway; its signature is 'weak'")

    def _check_lead(self) -> None:
        if self.protocol not in ("udp", "tcp"):
            return
        pattern = self.all.get("payload", "")
        if not LEAD.match(pattern) or "|" in re.sub(r"\(.*\)", "", pattern):
            raise ValueError("all.payload: must begin with ^ and two octets or more in hex digits")


def _check_pattern(where: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{where}: '{pattern}' is no pattern: {error}") from None


def signatures_folder() -> Path:
    """The folder of the signatures that come with simbox."""
    return configs_folder() / "signatures"


def load_signatures(folders: Sequence[Path] = ()) -> Signatures:
    """Those that come with simbox and those of an operator's folders, which win by name.

    Raises:
        ConfigError: a folder or file is wrong, two signatures of one folder share a name, or a
            signature does not tell its own examples.
    """
    found: dict[str, Signature] = {}
    for folder in (signatures_folder(), *folders):
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder of signatures")
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("*.toml")):
            for signature in _load(path, path.stat().st_mtime_ns):
                if signature.name in here:
                    other = here[signature.name].name
                    raise ConfigError(
                        f"{path}: signature name '{signature.name}' is taken in {other}"
                    )
                here[signature.name] = path
                found[signature.name] = signature
    return Signatures(found.values())


@cache
def _load(path: Path, _modified: int) -> tuple[Signature, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors write a mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as signatures: {error}") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> tuple[Signature, ...]:
    """The signatures that a TOML text spells out, proved on their own examples.

    Raises:
        ConfigError: the text is no TOML, a key or value does not fit, or an example fails.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}; see configs/signatures") from None
    for key in content:
        if key != "signature":
            raise ConfigError(f"{where}: no such key '{key}'.{did_you_mean(key, ['signature'])}")
    entries = content.get("signature", [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise ConfigError(f"{where}: signature: write each as [[signature]]")
    found = tuple(_signature(entry, where) for entry in entries)
    names = [s.name for s in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: signature name '{name}' stands there twice")
    return found


def _signature(entry: dict[str, Any], where: str) -> Signature:
    name = str(entry.get("name", "without name"))
    try:
        stated = _Statement.model_validate(entry)
    except ValidationError as error:
        raise ConfigError(f"{where}: signature '{name}': {_describe(error)}") from None
    values = {key: getattr(stated, key) for key in type(stated).model_fields}
    signature = Signature(**values)
    alone = Protocol([signature])
    for example in signature.match:
        if not alone.match(example):
            raise ConfigError(f"{where}: signature '{name}': match: does not match {example}")
    for example in signature.no_match:
        if alone.match(example):
            raise ConfigError(f"{where}: signature '{name}': no_match: matches {example}")
    return signature


def _describe(error: ValidationError) -> str:
    # a key that is missing may be one that is misspelt: say that first
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    key = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"no such key '{key}'.{did_you_mean(key, _Statement.model_fields)}"
    if first["type"] == "missing":
        return f"{key}: is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
