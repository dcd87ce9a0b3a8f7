"""Labels: what each line really is, as a simulated world or a carrier's fraud desk writes it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from simbox.errors import InputError, did_you_mean
from simbox.outputs.wording import plural

GATEWAY, LOOKALIKE, ORDINARY = GROUPS = ("gateway", "lookalike", "ordinary")
TRUTH = "truth.csv"  # what a simulated world calls its labels

#: Names of the columns in files of carriers, beside those of our own.
COLUMNS = {
    "line": ("line", "msisdn", "number", "subscriber"),
    "kind": ("kind", "label", "class", "fraud", "is_fraud", "isfraud", "truth"),
    "site": ("site",),
}

_WORDS = {
    GATEWAY: "1 1.0 true yes y fraud fraudulent fraudster simbox sim_box sim_box_fraud goip "
    "positive bad confirmed",
    ORDINARY: "0 0.0 false no n normal legit legitimate genuine negative good benign clean person "
    "non_fraud not_fraud",
    LOOKALIKE: "look_alike",
}
#: Kinds that people write without their group.
_NAMES = {
    ORDINARY: "second_sim tourist",
    LOOKALIKE: "call_centre call_center courier dispatcher taxi trader agent machine alarm lift "
    "pos probe school broadcast campaign payphone village_phone office_gateway repair_shop",
}
#: Every kind that is known by a word of its own, in lower case and with underscores.
KINDS = (
    {group: group for group in GROUPS}
    | {word: group for group, words in _WORDS.items() for word in words.split()}
    | {name: f"{group}/{name}" for group, names in _NAMES.items() for name in names.split()}
)


def read_labels(path: Path) -> pl.DataFrame:
    """The labels of a CSV or Parquet file: columns line, kind (group/name) and site.

    Kind and site are null where the file leaves them empty; a line that stands twice with the
    same kind counts once.

    Raises:
        InputError: the file cannot be read, lacks a column, holds a kind that is not known, labels
            a line in two ways, or holds no gateway.
    """
    raw = _read(path)
    found = {
        name: next((c for c in raw.columns if c.strip().lower() in known), None)
        for name, known in COLUMNS.items()
    }
    for name in ("line", "kind"):
        if found[name] is None:
            told = ", ".join(raw.columns[:8])
            raise InputError(f"{path}: no column '{name}'; found {told}; labels want line and kind")
    site = _text(found["site"]) if found["site"] else pl.lit(None, pl.String)
    table = raw.select(line=_line(found["line"]), kind=_text(found["kind"]), site=site)
    table = table.filter(pl.col("line").is_not_null())
    table = table.with_columns(kind=pl.col("kind").replace_strict(_kinds(path, table["kind"])))
    table = _each_once(path, table)
    if not (table["kind"].str.split("/").list.first() == GATEWAY).any():
        raise InputError(f"{path}: no gateway among its {plural(table.height, 'line')}; label some")
    return table


def group_of(kind: pl.Expr) -> pl.Expr:
    """The group of kinds: gateway, lookalike or ordinary."""
    return kind.str.split("/").list.first()


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; --labels names a CSV with line and kind") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as labels ({said})") from None


def _text(name: str | None) -> pl.Expr:
    text = pl.col(name or "").cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _line(name: str | None) -> pl.Expr:
    """A line as runs write it: numbers without +, blanks and hyphens; accounts as they are."""
    text = _text(name)
    digits = text.str.replace_all(r"[ +\-()./]", "")
    return pl.when(digits.str.contains(r"^\d+$")).then(digits).otherwise(text)


def _kinds(path: Path, column: pl.Series) -> dict[str | None, str | None]:
    """Each kind in a column as group/name, or as the group alone."""
    return {
        kind: None if kind is None else _kind(path, kind)
        for kind in column.unique().sort().to_list()
    }


def _kind(path: Path, text: str) -> str:
    plain = text.lower().replace(" ", "_").replace("-", "_")
    if plain in KINDS:
        return KINDS[plain]
    group, slash, name = plain.partition("/")
    group = KINDS.get(group, group)
    if slash and name and group in GROUPS:
        return f"{group}/{name}"
    hint = did_you_mean(plain, KINDS) or f" Write {GATEWAY}/NAME, {LOOKALIKE}/NAME or {ORDINARY}."
    raise InputError(f"{path}: kind '{text}' is not known.{hint}")


def _each_once(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    once = table.unique(["line", "kind"], keep="first", maintain_order=True)
    twice = once.filter(pl.col("line").is_duplicated())
    if twice.height:
        line = twice["line"][0]
        kinds = twice.filter(pl.col("line") == line)["kind"].fill_null("nothing").to_list()
        raise InputError(f"{path}: line {line} is labelled {' and '.join(kinds[:2])}; choose one")
    return once
