"""The run folder: made under a temporary name beside its target, and renamed when it is whole."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from simbox.config import Config
from simbox.errors import InputError, UsageError, did_you_mean
from simbox.outputs.record import RunRecord
from simbox.outputs.wording import plural
from simbox.scoring import Knots
from simbox.store import Store

RUN_FILE = "run.json"  # what tells a run folder from any other
LINES = "lines.parquet"
LINES_CSV = "lines.csv"
FEATURES = "features.parquet"
CONTRIBUTIONS = "contributions.parquet"
REJECTS = "rejects.parquet"
PERCENTILES = "percentiles.parquet"
EVENTS = "events.parquet"
REPORT = "report.html"
STORE = "store"
HOSTS = "hosts.parquet"
HOSTS_CSV = "hosts.csv"
HOST_FEATURES = "host_features.parquet"
HOST_CONTRIBUTIONS = "host_contributions.parquet"
HOST_PERCENTILES = "host_percentiles.parquet"
SITES = "sites.parquet"
SITES_CSV = "sites.csv"
SITE_LINES = "site_lines.parquet"
SITE_FEATURES = "site_features.parquet"
SITE_CONTRIBUTIONS = "site_contributions.parquet"
BY_HOUR = "by_hour.parquet"
CAPTURES = "captures"  # the tables of captures, one Parquet file each
OURS = {RUN_FILE, LINES, LINES_CSV, FEATURES, CONTRIBUTIONS, REJECTS, PERCENTILES, EVENTS, REPORT,
        STORE, HOSTS, HOSTS_CSV, HOST_FEATURES, HOST_CONTRIBUTIONS, HOST_PERCENTILES,
        SITES, SITES_CSV, SITE_LINES, SITE_FEATURES, SITE_CONTRIBUTIONS, BY_HOUR,
        CAPTURES}  # fmt: skip
SHOWN_PATH = 80  # characters of an impossible path in a message
SITE_PREFIX = "site:"  # what may be put before the id of a site to ask for it
SITE_ID = re.compile(r"S-[0-9a-f]{8}", re.IGNORECASE)
MOST_COMPARED = 5_000  # lines that a mistyped one is compared with: a moment's work


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new folder to fill; it takes the target's place at the end, or vanishes on any error.

    Raises:
        UsageError: the target exists and is no run folder.
    """
    target = _resolved(target)
    refuse_foreign(target)
    work = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        work.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{target}: cannot write here ({error.strerror}); try --out") from None
    try:
        yield work
        _swap(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def refuse_foreign(target: Path) -> None:
    """Make sure that nothing but an earlier run would be replaced.

    Raises:
        UsageError: the target exists and holds anything that no run has written.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target}: is a file; --out names a folder")
    try:
        held = sorted(entry.name for entry in target.iterdir())
    except OSError as error:
        raise UsageError(f"{target}: cannot write here ({error.strerror}); try --out") from None
    foreign = [name for name in held if name not in OURS] if RUN_FILE in held else held
    if foreign:
        raise UsageError(
            f"{target}: holds other things than a simbox run ({foreign[0]}), which are not ours "
            "to replace; move them away or name another folder with --out"
        )


def _resolved(target: Path) -> Path:
    """Where a folder really is, behind links; so a link to a run stays one."""
    try:
        target.exists()  # a name that no file system takes, or a folder closed to us
        return target.resolve() if target.is_symlink() else target
    except OSError as error:
        shown = str(target)[:SHOWN_PATH]
        raise UsageError(f"{shown}: cannot write here ({error.strerror}); try --out") from None


def _swap(work: Path, target: Path) -> None:
    old = work.with_name(f"{work.name}.old")
    if target.exists():
        target.rename(old)
    work.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, value: object) -> None:
    """A JSON file that is the same for the same value."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True)
class RunFolder:
    """A finished run, opened for reading."""

    path: Path
    record: RunRecord

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run in a folder.

        Raises:
            InputError: there is none.
        """
        try:
            data = json.loads((path / RUN_FILE).read_text(encoding="utf-8"))
            record = RunRecord.from_dict(data)
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}: no simbox run here; run 'simbox detect PATHS --out {path}' first, "
                "or name the run's folder with --run"
            ) from None
        return cls(path, record)

    @property
    def config(self) -> Config:
        """The configuration that the run was made with.

        Raises:
            InputError: another version wrote it, whose keys are not those of this one.
        """
        try:
            return Config.model_validate(self.record.config)
        except ValidationError:
            raise InputError(
                f"{self.path}: made by another version of simbox ({self.record.version}), with "
                "other settings; run detect again"
            ) from None

    def table(self, name: str) -> pl.LazyFrame:
        """One of the run's Parquet tables."""
        if not (self.path / name).is_file():
            raise InputError(f"{self.path / name}: missing; run detect again")
        table = pl.scan_parquet(self.path / name)
        try:
            table.collect_schema()
        except (OSError, pl.exceptions.PolarsError):
            raise InputError(f"{self.path / name}: damaged; run detect again") from None
        return table

    def rows(self, name: str, lines: Sequence[str]) -> pl.DataFrame:
        """The rows of some lines in one of the run's tables."""
        return self.table(name).filter(pl.col("line").is_in(lines)).collect()

    def knots(self) -> Knots:
        """The percentiles that the lines were compared with."""
        return Knots(self.table(PERCENTILES).collect())

    def store(self) -> Store | None:
        """The events behind the run; null when it was made with --no-store."""
        return Store.open(self.path / STORE) if (self.path / STORE).is_dir() else None

    def find(self, wanted: str) -> str:
        """The line that a text means: as written in the run, or with +, 00, blanks and hyphens.

        Raises:
            UsageError: the run has no such line.
        """
        known = self.table(LINES).select("line").collect()["line"]
        for spelled in _spellings(wanted):
            if spelled in known:
                return spelled
        hosts = self.hosts()
        among = plural(known.len(), "line")
        among += f" and {plural(hosts.len(), 'host')}" if hosts.len() else ""
        listed = f"{self.path / LINES_CSV}" + (f" and {HOSTS_CSV}" if hosts.len() else "")
        near = _nearest(_spellings(wanted)[-1], known) or did_you_mean(wanted.strip(), hosts)
        raise UsageError(
            f"{_subject(wanted)} {wanted}: not among the {among} of {self.path}.{near} "
            f"All of them are in {listed}"
        )

    def hosts(self) -> pl.Series:
        """The hosts of the run by their addresses; none where no captures were read."""
        if not (self.path / HOSTS).is_file():
            return pl.Series("host", [], dtype=pl.String)
        return self.table(HOSTS).select("host").collect()["host"]

    def find_host(self, wanted: str) -> str | None:
        """The host that a text means, however its address is written; none if it is no host."""
        hosts = self.hosts()
        for spelled in (wanted.strip(), _address(wanted)):
            if spelled in hosts:
                return spelled
        return None

    def sites(self) -> pl.Series:
        """The sites of the run by their ids; none where no lines stand together."""
        if not (self.path / SITES).is_file():
            return pl.Series("site", [], dtype=pl.String)
        return self.table(SITES).select("site").collect()["site"]

    def sites_of(self, lines: Sequence[str]) -> dict[str, str]:
        """The site of each of some lines that stands in one."""
        if not (self.path / SITE_LINES).is_file():
            return {}
        return dict(self.rows(SITE_LINES, lines).select("line", "site").iter_rows())

    def find_site(self, wanted: str) -> str | None:
        """The site that a text means: its id, with or without 'site:'; none if it means none.

        Raises:
            UsageError: it means a site, and the run has no such.
        """
        bare = wanted.strip()
        told = bare.lower().startswith(SITE_PREFIX)
        bare = bare[len(SITE_PREFIX) :].strip() if told else bare
        if not told and not SITE_ID.fullmatch(bare):
            return None
        known = self.sites()
        spelled = "S-" + bare[2:].lower() if bare[:2].upper() == "S-" else bare.lower()
        for name in (bare, spelled, f"S-{spelled}"):
            if name in known:
                return name
        if not known.len():
            raise UsageError(
                f"site {bare}: {self.path} has no sites: no lines of it stand together"
            )
        near = did_you_mean(spelled, known)
        raise UsageError(
            f"site {bare}: not among the {plural(known.len(), 'site')} of {self.path}.{near} "
            f"All of them are in {self.path / SITES_CSV}"
        )


def _spellings(wanted: str) -> list[str]:
    bare = wanted.strip()
    digits = bare.translate(str.maketrans("", "", " +-()./"))
    return [bare, digits, digits.removeprefix("00")]


def _address(wanted: str) -> str:
    """An IP address in its usual spelling; empty for what is none."""
    try:
        return str(ipaddress.ip_address(wanted.strip().strip("[]")))
    except ValueError:
        return ""


def _subject(wanted: str) -> str:
    return "host" if _address(wanted) else "line"


def _nearest(wanted: str, known: pl.Series) -> str:
    """A hint at the line that shares its beginning or its end with what was asked for."""
    half = max(len(wanted) // 2, 1)
    alike = known.str.starts_with(wanted[:half]) | known.str.ends_with(wanted[-half:])
    return did_you_mean(wanted, known.filter(alike).head(MOST_COMPARED))
