"""The names of cells in a carrier's table, however its columns spell them.

A table may spell a cell as one text or in columns, in decimal or hexadecimal digits.  Which of the
two holds for a whole column: 1234 among 12AB is hexadecimal too.  Every other spelling that events
may use for the cell is kept beside the one that is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from simbox.ingest.cdr.devices import cell_name, cell_text

NAMES = {
    "cell": "cell cgi ecgi cell_id cellid cell_tower_id celltowerid antenna_id antenna location_id "
    "tower_id site_id id 小区 小区编号 基站编号",
    "plmn": "plmn plmn_id mccmnc mcc_mnc",
    "mcc": "mcc",
    "mnc": "mnc net",
    "lac": "lac tac area lac_tac",
    "ci": "ci eci cell_identity cell cid",
    "enb": "enb enb_id e_node_b e_node_b_id enodeb enodeb_id enbid gnb gnb_id",
    "sector": "sector sector_id local_cell_id lcid",
}
SPLIT = ("mcc", "mnc", "lac", "ci")
WHOLE = "name"  # the column of the spelling that is chosen; others are other_1, other_2 and so on
LONGEST_CI = 0xFFFF  # of GSM and UMTS; longer ones are E-UTRAN's, TS 23.003 clauses 4.3.1, 19.6
SECTORS = 256  # cells of an eNodeB, TS 36.413 clause 9.2.1.37

#: Countries whose networks have three digits, ITU-T E.212 annex; elsewhere two.
LONG_MNC = ("302", *map(str, range(310, 317)), "334", "338", "342", "344", "346", "348", "405",
            "708", "722", "732", "750")  # fmt: skip
_SIGN = r"[-:_ /.|;]"
_COUNTRY = r"(00[01]|[2-7][0-9][0-9]|90[0-9]|99[0-9])"
_HEX = r"([0-9A-Fa-f]+)"
_RUN_ON = rf"^({_COUNTRY[1:-1]})([0-9]{{2,8}}){_SIGN}([0-9]{{1,9}})$"
_HEX_FORMS = (
    rf"^{_COUNTRY}([0-9]{{2}})([0-9A-Fa-f]{{7}})()$",
    rf"^{_COUNTRY}([0-9]{{3}})([0-9A-Fa-f]{{7}})()$",
    rf"^{_COUNTRY}{_SIGN}?([0-9]{{2,3}}){_SIGN}{_HEX}{_SIGN}{_HEX}$",
    rf"^{_COUNTRY}{_SIGN}?([0-9]{{2,3}}){_SIGN}{_HEX}()$",
)
_LETTERS = r"[0-9A-Fa-f]*[A-Fa-f][0-9A-Fa-f]*$"
_NEARLY_ALL = 0.9  # of a column that must have one form


def cell_names(raw: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """The spelling of each row's cell, and others that events may use for it.

    Args:
        raw: the table as texts.
        names: the column of each of NAMES that it has.
    """
    split = _split(raw, names)
    whole = set(SPLIT) <= split.keys()
    if not whole and "cell" in names:  # a text, though the name of its column may mean a CI too
        split = {name: e for name, e in split.items() if names.get(name) != names["cell"]}
    chosen: list[pl.Expr] = []
    if whole or ("cell" not in names and "ci" in split):
        chosen.append(_of_numbers(split) if whole else cell_text(cell_name(split)))
        written = {n: pl.col(names[n]) for n in SPLIT if n in names and n in split}
        if written.keys() == split.keys() and _differ(raw, cell_name(split), cell_name(written)):
            chosen.append(cell_text(cell_name(written)))
    if {"mcc", "mnc", "ci"} <= split.keys():
        chosen.append(_of_eutran(split))
    if "cell" in names and not (whole and names["cell"] == names.get("ci")):
        chosen += _of_text(raw, names["cell"])
    return raw.select(e.alias(f"other_{n}" if n else WHOLE) for n, e in enumerate(chosen))


def enough(names: Mapping[str, str]) -> bool:
    """Whether columns tell which cell a row is about."""
    return bool({"cell", "ci"} & names.keys()) or {"enb", "sector"} <= names.keys()


def _split(raw: pl.DataFrame, names: Mapping[str, str]) -> dict[str, pl.Expr]:
    """MCC, MNC, LAC and CI in decimal digits, as far as columns tell them."""
    found = {name: _decimal(raw, names[name]) for name in SPLIT if name in names}
    if "plmn" in names and not {"mcc", "mnc"} & found.keys():
        digits = pl.col(names["plmn"]).str.replace_all(r"\.0$|[^0-9]", "")
        found = {"mcc": digits.str.head(3), "mnc": digits.str.slice(3)} | found
    if {"enb", "sector"} <= names.keys() and "ci" not in found:
        node, sector = (
            _decimal(raw, names[n]).cast(pl.Int64, strict=False) for n in ("enb", "sector")
        )
        found["ci"] = (node * SECTORS + sector).cast(pl.String)
    return found


def _decimal(raw: pl.DataFrame, column: str) -> pl.Expr:
    """A column of numbers in decimal digits; of hexadecimal ones if any has a letter or 0x."""
    text = pl.col(column).str.strip_chars().str.strip_suffix(".0")
    bare = text.str.strip_prefix("0x").str.strip_prefix("0X")
    letters = raw.select((text.str.contains(_LETTERS) | (text != bare)).any()).item()
    if not letters:
        return text
    return bare.str.to_integer(base=16, strict=False).cast(pl.String)


def _of_numbers(split: Mapping[str, pl.Expr]) -> pl.Expr:
    """MCC-MNC-LAC-CI as ``cell_text`` spells it, without its patterns: tables are large."""
    area, cell = (split[name].cast(pl.Int64, strict=False) for name in ("lac", "ci"))
    repeated = (cell > LONGEST_CI) & (cell // (LONGEST_CI + 1) == area)
    bare = pl.when(repeated).then(cell % (LONGEST_CI + 1)).otherwise(cell)
    named = cell_name({**split, "lac": area.cast(pl.String), "ci": bare.cast(pl.String)})
    known = split["mcc"].str.zfill(3).str.contains(f"^{_COUNTRY}$")
    return pl.coalesce(pl.when(known).then(named), cell_name(dict(split)))


def _differ(raw: pl.DataFrame, one: pl.Expr, other: pl.Expr) -> bool:
    return bool(raw.select(one.ne_missing(other).any()).item())


def _of_eutran(split: Mapping[str, pl.Expr]) -> pl.Expr:
    """MCC-MNC-ECI where the cell's number is one of E-UTRAN, whatever its area."""
    number = split["ci"].cast(pl.Int64, strict=False)
    whole = {"mcc": split["mcc"], "mnc": split["mnc"], "ci": number.cast(pl.String)}
    return pl.when((number > LONGEST_CI) | pl.lit("lac" not in split)).then(cell_name(whole))


def _of_text(raw: pl.DataFrame, column: str) -> list[pl.Expr]:
    """Spellings of a column that names the whole cell, the likeliest first."""
    text = pl.col(column).str.strip_chars()
    usual = cell_text(text)
    found = [pl.coalesce(_run_on(text), usual)]
    forms = [text.str.contains(form) for form in _HEX_FORMS]
    share, letters = raw.select(
        pl.any_horizontal(forms).mean().alias("share"),
        text.str.contains(rf"^[0-9]{{3}}{_SIGN}?[0-9]{{2}}.*[A-Fa-f]").any().alias("letters"),
    ).row(0)
    if letters and (share or 0) >= _NEARLY_ALL:
        found.insert(0, pl.coalesce(*(_hexadecimal(text, form) for form in _HEX_FORMS), usual))
    return [*found, usual]


def _hexadecimal(text: pl.Expr, form: str) -> pl.Expr:
    """MCC-MNC and one or two numbers from hexadecimal digits."""
    first, second = (
        text.str.extract(form, n).str.to_integer(base=16, strict=False) for n in (3, 4)
    )
    plmn = pl.concat_str(text.str.extract(form, 1), text.str.extract(form, 2), separator="-")
    one = plmn + "-" + first.cast(pl.String)
    return pl.coalesce(one + "-" + second.cast(pl.String), one)


def _run_on(text: pl.Expr) -> pl.Expr:
    """MCC, MNC and area without a sign between them, then the cell: 001011234 5678.

    Without digits for an area the cell is one of E-UTRAN: 00101 12345678.
    """
    country, digits, cell = (text.str.extract(_RUN_ON, n) for n in (1, 2, 3))
    long = pl.when(country.is_in(LONG_MNC)).then(3).otherwise(2)
    area = digits.str.slice(long)
    plmn = country + "-" + digits.str.slice(0, long)
    number = cell.cast(pl.Int64, strict=False).cast(pl.String)
    placed = area.cast(pl.Int64, strict=False).cast(pl.String)
    return (
        pl.when(area == "").then(plmn + "-" + number).otherwise(plmn + "-" + placed + "-" + number)
    )
