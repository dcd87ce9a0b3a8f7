"""Hot, white and grey lists: what a carrier already knows about lines, devices and cells.

A hot entry adds evidence.  A grey entry keeps a line from alerting while its score goes on being
shown.  A white entry takes a line out of the findings, the score kept beside it.  Every entry
ends: one that has expired by the end of the data has no effect and is reported, because lists
that nobody owns are where fraudsters hide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import polars as pl

from simbox.config import Lists
from simbox.errors import ConfigError, did_you_mean

LIST_NAMES = ("hot", "white", "grey")
COLUMNS = ("value", "kind", "reason", "owner", "expires")
NOTES_SHOWN = 3  # entries named in a note; the rest are counted

#: The kind of an entry, with the columns of features that it is looked up in and the digits that
#: its value must have; a prefix is compared with the head of the line.
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "line": (("line",), r"^.+$"),
    "prefix": (("line",), r"^[0-9]{1,14}$"),
    "imsi": (("imsi", "top_imsi"), r"^[0-9]{14,15}$"),
    "imei": (("imei", "top_imei"), r"^[0-9]{14,16}$"),
    "tac": (("imei", "top_imei"), r"^[0-9]{8}$"),
    "cell": (("cell", "top_cell"), r"^.+$"),
}
HEADS = {"imei": 14, "tac": 8}  # digits that are compared
ENTRIES: dict[str, pl.DataType | type[pl.DataType]] = {
    "list": pl.String, "value": pl.String, "kind": pl.String, "reason": pl.String,
    "owner": pl.String, "expires": pl.Date,
}  # fmt: skip


@dataclass(frozen=True)
class ListEntries:
    """The entries that are in force, and what is to be said about the others."""

    entries: pl.DataFrame
    notes: tuple[str, ...] = ()

    def match(self, frame: pl.DataFrame) -> pl.DataFrame:
        """For every row of a frame: is it on each list, and the first entry that says so.

        Returns:
            Columns hot, white, grey (Boolean) and listed (String, null when on none).
        """
        kinds = self.entries.group_by("kind", maintain_order=True)
        found = [_matches(frame, str(kind), entries) for (kind,), entries in kinds]
        by_row = (
            pl.concat([NO_MATCH, *found])
            .sort("row", pl.col("list").replace_strict(_ORDER), "text")
            .group_by("row", maintain_order=True)
            .agg(
                *((pl.col("list") == name).any().alias(name) for name in LIST_NAMES),
                pl.col("text").first().alias("listed"),
            )
        )
        rows = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
        return rows.join(by_row, on="row", how="left", maintain_order="left").select(
            *(pl.col(name).fill_null(value=False) for name in LIST_NAMES), "listed"
        )


_ORDER = {name: rank for rank, name in enumerate(LIST_NAMES)}
NO_MATCH = pl.DataFrame(schema={"row": pl.UInt32, "list": pl.String, "text": pl.String})
NO_LISTS = ListEntries(pl.DataFrame(schema=ENTRIES))


def _matches(frame: pl.DataFrame, kind: str, entries: pl.DataFrame) -> pl.DataFrame:
    """Rows of a frame with the list and the text of each entry of one kind that names them."""
    columns, _ = KINDS[kind]
    said = pl.format(
        "{}: {} ({})",
        "list",
        pl.col("reason").fill_null("no reason"),
        pl.col("owner").fill_null("no owner"),
    )
    found = [NO_MATCH]
    for length, same in entries.group_by(pl.col("value").str.len_chars()):
        digits = int(str(length[0])) if kind == "prefix" else HEADS.get(kind)
        wanted = same.select("value", "list", said.alias("text"))
        for name in columns:
            if name in frame.columns:
                key = frame[name].cast(pl.String)
                head = key if digits is None else key.str.head(digits)
                rows = pl.DataFrame({"value": head}).with_row_index("row")
                found.append(rows.join(wanted, on="value").select("row", "list", "text"))
    return pl.concat(found)


def load_lists(paths: Sequence[Path], config: Lists, as_of: dt.date | None) -> ListEntries:
    """The entries of list files that are in force on a day, the last of the data.

    Raises:
        ConfigError: a file that is no list, or an entry that does not fit.
    """
    frames, notes = [], []
    for path in paths:
        entries = _read(path)
        notes += _check_complete(path, entries, config)
        expired = pl.lit(value=False) if as_of is None else pl.col("expires") < as_of
        gone = entries.filter(expired)
        if gone.height:
            notes.append(
                f"{path}: {gone.height} expired by {as_of}, without effect: {_named(gone)}"
            )
        frames.append(entries.filter(expired.not_() | pl.col("expires").is_null()))
    if not frames:
        return NO_LISTS
    return ListEntries(pl.concat(frames).select(*ENTRIES), tuple(notes))


def _read(path: Path) -> pl.DataFrame:
    """The entries of one file, checked and brought to the form of the features."""
    try:
        raw = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=False)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such list file") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ConfigError(f"{path}: cannot be read as a CSV list: {reason}") from None
    raw = raw.rename({name: name.strip().lower() for name in raw.columns})
    for name in raw.columns:
        if name not in {*COLUMNS, "list"}:
            hint = did_you_mean(name, (*COLUMNS, "list"))
            raise ConfigError(
                f"{path}: line 1: unknown column '{name}'.{hint} A list has {', '.join(COLUMNS)}"
            )
    missing = [name for name in ("value", "kind") if name not in raw.columns]
    if missing:
        raise ConfigError(f"{path}: line 1: no column '{missing[0]}'; found {_listed(raw.columns)}")
    text = raw.with_columns(pl.all().str.strip_chars().replace("", None)).with_row_index("row", 2)
    text = text.remove(pl.all_horizontal(pl.col(raw.columns).is_null()))  # blank lines
    return _checked(path, _with_list(path, text))


def _with_list(path: Path, text: pl.DataFrame) -> pl.DataFrame:
    """The entries with the list that each belongs to, by its column or by the file's name."""
    absent = [name for name in COLUMNS if name not in text.columns]
    text = text.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    named = next((name for name in LIST_NAMES if name in path.stem.lower()), None)
    if "list" in text.columns:
        return text.with_columns(pl.col("list").str.to_lowercase().fill_null(pl.lit(named)))
    if named is None:
        raise ConfigError(
            f"{path}: says nowhere which list it is; add a column 'list' (hot, white or grey) or "
            "put one of these words into the file's name"
        )
    return text.with_columns(pl.lit(named).alias("list"))


def _checked(path: Path, text: pl.DataFrame) -> pl.DataFrame:
    """The entries with typed values; the first that does not fit is an error with its line."""
    kinds = pl.col("kind").str.to_lowercase()
    digits = kinds.is_in(["line", "prefix", "imsi", "imei", "tac"])
    plain = pl.col("value").str.replace_all(r"^\+|[ ()./-]", "")
    dialled = kinds.is_in(["line", "prefix"])  # an IMEI may begin with 00
    bare = pl.when(dialled).then(plain.str.strip_prefix("00")).otherwise(plain)
    text = text.with_columns(
        pl.col("kind").str.to_lowercase(),
        pl.col("expires").str.to_date("%Y-%m-%d", strict=False).alias("day"),
    ).with_columns(
        value=pl.when(digits & bare.str.contains(r"^[0-9]*$")).then(bare).otherwise("value")
    )
    _refuse(path, text, pl.col("value").is_null(), "value", "an entry needs a value")
    unknown = pl.col("kind").is_in(list(KINDS)).not_() | pl.col("kind").is_null()
    _refuse(path, text, unknown, "kind", f"a kind is one of {', '.join(KINDS)}")
    for kind, (_, shape) in KINDS.items():
        wrong = (pl.col("kind") == kind) & ~pl.col("value").str.contains(shape)
        _refuse(path, text, wrong, "value", f"is no {kind}")
    foreign = pl.col("list").is_in(LIST_NAMES).not_() | pl.col("list").is_null()
    _refuse(path, text, foreign, "list", f"a list is one of {', '.join(LIST_NAMES)}")
    undated = pl.col("day").is_null() & pl.col("expires").is_not_null()
    _refuse(path, text, undated, "expires", "a day is written 2026-12-31")
    head = pl.when(pl.col("kind") == "imei").then(pl.col("value").str.head(HEADS["imei"]))
    return text.with_columns(value=head.otherwise(pl.col("value")), expires=pl.col("day")).select(
        "row", *ENTRIES
    )


def _refuse(path: Path, text: pl.DataFrame, wrong: pl.Expr, column: str, wanted: str) -> None:
    bad = text.filter(wrong)
    if bad.height:
        found = bad[column][0]
        shown = "nothing" if found is None else f"'{found}'"
        raise ConfigError(
            f"{path}: line {bad['row'][0]}: {column}: found {shown}; {wanted}"
            + (f" ({bad.height} such entries)" if bad.height > 1 else "")
        )


def _check_complete(path: Path, entries: pl.DataFrame, config: Lists) -> list[str]:
    """Refuse or report entries without reason, owner or expiry."""
    absent = reduce(pl.Expr.or_, (pl.col(n).is_null() for n in ("reason", "owner", "expires")))
    notes = []
    for white, rule in ((True, config.incomplete_white), (False, config.incomplete_other)):
        bad = entries.filter(absent & ((pl.col("list") == "white") == white))
        if not bad.height:
            continue
        first = bad.row(0, named=True)
        lacking = next(n for n in ("reason", "owner", "expires") if first[n] is None)
        if rule == "refuse":
            raise ConfigError(
                f"{path}: line {first['row']}: a {first['list']} entry without {lacking}; "
                f'add it, or set lists.incomplete_{"white" if white else "other"} = "warn"'
            )
        notes.append(f"{path}: {bad.height} entries without reason, owner or expiry: {_named(bad)}")
    return notes


def _named(entries: pl.DataFrame) -> str:
    """The first entries by list and line of the file, and how many more there are."""
    some = entries.head(NOTES_SHOWN).select(pl.format("{} entry in line {}", "list", "row"))
    more = entries.height - NOTES_SHOWN
    return ", ".join(some.to_series()) + (f" and {more} more" if more > 0 else "")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
