"""A profile says how one kind of CDR file is read: its layout, columns, codes, clock and numbers.

Profiles are data: one TOML file each.  Those that come with simbox stand in ``configs/profiles``;
a carrier adds its own by writing another file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simbox.config import configs_folder
from simbox.errors import ConfigError, UsageError, did_you_mean
from simbox.ingest.cdr.clock import check_zone
from simbox.ingest.cdr.vocabulary import BUILT_IN, CAUSE_NAMES, IGNORE, WORDS

Format = Literal["delimited", "jsonl", "parquet"]

#: The columns that a source can be mapped to, and what each is.
SOURCE_COLUMNS = {
    "line": "the served party's number or account",
    "other": "the other party",
    "a": "the calling party",
    "b": "the called party",
    "imsi": "IMSI of the served SIM (of A in a row a call)",
    "imei": "IMEI of the served SIM (of A in a row a call)",
    "cell": "cell of the served SIM (of A in a row a call)",
    "mcc": "mobile country code of the cell",
    "mnc": "mobile network code of the cell",
    "lac": "location or tracking area code of the cell",
    "ci": "cell identity",
    "b_imsi": "IMSI of B",
    "b_imei": "IMEI of B",
    "b_cell": "cell of B",
    "start": "start of the leg",
    "start_date": "date of the start, where the time stands in a column of its own",
    "start_time": "time of day of the start, with start_date",
    "answer": "time of the answer; empty for an attempt",
    "duration": "conversation time",
    "event_type": "MOC, MTC, SMS_MO or SMS_MT in one code",
    "direction": "outgoing or incoming",
    "service": "call or text",
    "answered": "whether the call was answered",
    "cause": "release cause",
    "call_ref": "reference that partial records of one call share",
    "partial": "mark of a partial record (TS 32.298 causeForTerm)",
    "other_class": "class of the other party as the source knows it",
}


_BARE_TIMES = ("epoch", "epoch_s", "epoch_ms", "epoch_us", "seconds")
_STRPTIME = (
    r"(?:[^%]|%[-_0]?(?:[aAbBcCdDeFgGhHIjklmMnpPrRsStTuUvVwWxXyYzZf+%]|:{1,3}z|#z|\.?[369]?f))*"
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Layout(_Section):
    """How the records of a text file are laid out."""

    delimiter: str = ""  # empty: found by content
    quote: str = '"'
    header: bool = True
    names: tuple[str, ...] = ()  # by position, for files without a header
    comment: str = ""
    skip: int = Field(0, ge=0)  # lines before the header
    type_line: bool = False  # a line of SQL types after the header or in its place
    encodings: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ("NULL", "null", "\\N", "None", "NaN", "nan", "N/A", "-")


class Match(_Section):
    """What a file must look like for the profile to be chosen by content."""

    headers: tuple[str, ...] = ()  # names that must stand in the header
    columns: tuple[str, ...] = ()  # canonical columns that must be found; "a|b" is either
    absent: tuple[str, ...] = ()  # canonical columns that must not be found
    counts: tuple[int, ...] = ()  # numbers of columns, for files without a header
    patterns: dict[str, str] = {}  # position (from 1) -> regular expression

    @model_validator(mode="after")
    def _compiled(self) -> Self:
        for position, pattern in self.patterns.items():
            if not re.fullmatch("[1-9][0-9]*", position):
                raise ValueError(f"patterns: '{position}' is no position; the first column is 1")
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"patterns: '{pattern}' is no pattern: {error}") from None
        return self


class Time(_Section):
    """The source's clock."""

    formats: tuple[str, ...] = ()  # strptime, epoch_s, epoch_ms, epoch_us, seconds; empty: usual
    zone: str | None = None
    base: str = ""  # with "seconds": the instant they count from

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for name in self.formats:
            wrong = "%" not in name and name not in _BARE_TIMES
            if wrong or not re.fullmatch(_STRPTIME, name):
                raise ValueError(f"formats: '{name}' is no time format; see strptime")
        return self


class Duration(_Section):
    """How conversation time is written."""

    unit: Literal["s", "ms", "tenths", "us"] = "s"
    unanswered: tuple[str, ...] = ()  # values that say: not answered


class Numbers(_Section):
    """The numbering rules of the source."""

    country: str = Field("", pattern=r"^[0-9]{0,3}$")
    international: tuple[str, ...] = ("00",)
    trunk: tuple[str, ...] = ()
    national_lengths: tuple[int, ...] = ()
    routing: tuple[str, ...] = ()  # leading digits to take off, as in portability routing
    own: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    short_max: int = Field(6, ge=0, le=15)
    accounts: bool = False  # parties may be names, as in SIP
    withheld: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _digits(self) -> Self:
        for key in ("international", "trunk", "routing", "own", "fixed", "service"):
            for prefix in getattr(self, key):
                if not re.fullmatch(r"[0-9]{1,15}", prefix):
                    raise ValueError(f"{key}: '{prefix}' is no prefix; write 1 to 15 digits")
        for length in self.national_lengths:
            if not 1 <= length <= 15:
                raise ValueError(f"national_lengths: {length} is no number of digits from 1 to 15")
        return self


class Profile(_Section):
    """How one kind of CDR file is read."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str = ""
    format: tuple[Format, ...] = ("delimited",)
    form: Literal["served", "call"] = "served"
    b_leg: Literal["own", "always", "never"] = "own"
    line_from_file: bool = False  # the served line is the file's name
    layout: Layout = Layout()
    match: Match = Match()
    columns: dict[str, tuple[str, ...]] = {}
    values: dict[str, str | dict[str, str]] = {}
    direction: Literal["out", "in"] | None = None  # where no column tells
    service: Literal["call", "sms"] = "call"  # where no column tells
    time: Time = Time()
    duration: Duration = Duration()
    answered: Literal["values", "duration", "answer", "always", "unknown"] = "unknown"
    causes: Literal["q850", "sip", "names", "none"] = "q850"
    partial: tuple[str, ...] = ("1",)
    numbers: Numbers = Numbers()

    @model_validator(mode="before")
    @classmethod
    def _told_delimiter(cls, data: Any) -> Any:  # noqa: ANN401  # whatever TOML held
        layout = data.get("layout", {}) if isinstance(data, dict) else {}
        if isinstance(layout, dict) and layout.get("delimiter") == "":
            raise ValueError("layout.delimiter: is empty; leave it out to have it found")
        return data

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:  # noqa: ANN401  # pydantic hands over whatever TOML held
        if not isinstance(data, dict):
            return data
        columns = data.get("columns", {})
        if isinstance(columns, dict):
            one = {k: (v,) if isinstance(v, str) else v for k, v in columns.items()}
            data = {**data, "columns": one}
        if isinstance(data.get("format"), str):
            data = {**data, "format": (data["format"],)}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in self.columns:
            if name not in SOURCE_COLUMNS:
                hint = did_you_mean(name, SOURCE_COLUMNS)
                raise ValueError(f"columns.{name}: not a column that simbox knows.{hint}")
        for name in self.values:
            self.value_map(name)
        if self.layout.type_line and not self.layout.names:
            raise ValueError("layout.type_line: needs layout.names for files without the header")
        if len(self.layout.delimiter) > 1 or len(self.layout.quote) > 1:
            raise ValueError("layout: delimiter and quote are single characters")
        self._one_name_each()
        if self.time.zone is not None:
            check_zone(self.time.zone)
        return self

    def _one_name_each(self) -> None:
        taken: dict[str, str] = {}
        for column, names in self.columns.items():
            # one column of codes may say several things, as Asterisk's disposition does
            if len(names) != 1 or column in WORDS or column in ("cause", "partial"):
                continue
            name = normal_name(names[0])
            if name in taken:
                raise ValueError(
                    f"columns.{column}: '{names[0]}' is taken by columns.{taken[name]} already"
                )
            taken[name] = column

    def value_map(self, column: str) -> dict[str, int | None]:
        """Spelling (lower case) -> code of a vocabulary column; None where rows are ignored.

        Raises:
            ValueError: the column is no vocabulary, or a word or built-in map is not known.
        """
        if column == "cause":
            return _cause_map(self.values.get("cause", {}))
        if column not in WORDS:
            hint = did_you_mean(column, WORDS)
            raise ValueError(f"values.{column}: no such value map.{hint}")
        chosen = self.values.get(column, _DEFAULT_MAPS[column])
        if isinstance(chosen, str):
            if chosen not in BUILT_IN:
                hint = did_you_mean(chosen, BUILT_IN)
                raise ValueError(f"values.{column}: no built-in map '{chosen}'.{hint}")
            chosen = BUILT_IN[chosen]
        words = WORDS[column]
        for word in chosen.values():
            if word != IGNORE and word not in words:
                hint = did_you_mean(word, words)
                raise ValueError(
                    f"values.{column}: '{word}' is not one of {', '.join(words)}.{hint}"
                )
        return {k.lower(): None if v == IGNORE else words[v] for k, v in chosen.items()}


_DEFAULT_MAPS = {
    "event_type": "event_type",
    "direction": "direction",
    "service": "service",
    "answered": "answered",
    "other_class": "party_class",
}


def _cause_map(chosen: str | dict[str, str]) -> dict[str, int | None]:
    if isinstance(chosen, str):
        raise ValueError("values.cause: a table of spelling = Q.850 number")  # noqa: TRY004  # pydantic
    own: dict[str, int | None] = {}
    for spelling, number in chosen.items():
        if not number.isdecimal() or int(number) > 127:
            raise ValueError(f"values.cause: '{number}' is no Q.850 cause (0..127)")
        own[spelling.lower()] = int(number)
    return {name.lower(): code for name, code in CAUSE_NAMES.items()} | own


def _fields(path: Sequence[int | str]) -> list[str]:
    """The keys allowed where a validation error points."""
    model: Any = Profile
    for step in path[:-1]:
        field = model.model_fields.get(step) if hasattr(model, "model_fields") else None
        model = field.annotation if field else None
    return list(model.model_fields) if hasattr(model, "model_fields") else []


def _describe(error: ValidationError) -> str:
    first = error.errors()[0]
    path = first["loc"]
    where = ".".join(str(step) for step in path)
    if first["type"] == "extra_forbidden":
        return f"no such key '{where}'.{did_you_mean(str(path[-1]), _fields(path))}"
    message = first["msg"].removeprefix("Value error, ")
    if where and first["type"] == "value_error":
        return f"{where}.{message}"  # of a section: the message begins with the key
    return f"{where}: {message}" if where else message


def parse(text: str, where: str) -> Profile:
    """The profile that a TOML text spells out.

    Raises:
        ConfigError: the text is no TOML, or a key or value does not fit.
    """
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}; see configs/profiles") from None
    except ValidationError as error:
        raise ConfigError(f"{where}: {_describe(error)}") from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


@cache
def _load(path: Path, _modified: int) -> Profile:
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors write a mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a profile: {error}") from None
    return parse(text, str(path))


def load(path: Path) -> Profile:
    """The profile in a TOML file.

    Raises:
        ConfigError: there is no such file, or it is no profile.
    """
    try:
        modified = path.stat().st_mtime_ns
    except OSError:
        raise ConfigError(f"{path}: no such profile file") from None
    return _load(path, modified)


def profiles_folder() -> Path:
    """The folder of the profiles that come with simbox."""
    return configs_folder() / "profiles"


def load_all(folders: Iterable[Path] = ()) -> dict[str, Profile]:
    """All profiles by name: those that come with simbox, and those of a carrier's own folders.

    Raises:
        ConfigError: a folder or file is wrong, or two profiles of one folder share a name.
    """
    found: dict[str, Profile] = {}
    for folder in (profiles_folder(), *folders):
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder of profiles")
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("*.toml")):
            profile = load(path)
            if profile.name in here:
                other = here[profile.name].name
                raise ConfigError(f"{path}: profile name '{profile.name}' is taken by {other}")
            here[profile.name] = path
            found[profile.name] = profile
    return found


def choose(wanted: str | Path, known: dict[str, Profile]) -> tuple[Profile, ...]:
    """The profiles that ``--profile`` names: one by name or file, or all of a folder.

    Raises:
        UsageError: no profile, file or folder of that name.
    """
    if isinstance(wanted, str) and wanted in known:
        return (known[wanted],)
    path = Path(wanted)
    if path.is_dir():
        chosen = tuple(load(p) for p in sorted(path.glob("*.toml")))
        if not chosen:
            raise UsageError(f"{path}: holds no profile (*.toml)")
        return chosen
    if path.is_file():
        return (load(path),)
    names = ", ".join(sorted(known))
    hint = did_you_mean(str(wanted), known)
    raise UsageError(f"profile '{wanted}': no such profile or file; there are {names}.{hint}")


def normal_name(name: str) -> str:
    """A column name as names are compared: lower case, words divided by one underscore."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[\W_]+", "_", words.lower()).strip("_")


def resolve(profile: Profile, names: Sequence[str]) -> dict[str, int]:
    """Canonical column -> position of the source column that the profile takes it from."""
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        positions.setdefault(normal_name(name), position)
    found: dict[str, int] = {}
    for column, alternatives in profile.columns.items():
        for name in alternatives:
            if normal_name(name) in positions:
                found[column] = positions[normal_name(name)]
                break
    return found


def missing(profile: Profile, found: Iterable[str]) -> list[str]:
    """What a file lacks to be read by the profile: canonical columns, alternatives by ``|``."""
    have = set(found)
    if profile.line_from_file:
        have.add("line")
    needed = ["start|start_date"]
    if profile.form == "call":
        needed += ["a|line", "b|other"]
    else:
        # an IMSI stands in for a line only where the source has no numbers at all
        needed.append("line|a" if "line" in profile.columns else "line|imsi|a")
        if profile.direction is None:
            needed.append("event_type|direction")
    needed += [c for c in profile.match.columns if c not in needed]
    return [need for need in needed if have.isdisjoint(need.split("|"))]
