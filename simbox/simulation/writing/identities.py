"""Numbers, SIM cards and handsets as a source writes them.

Inside the world they are integers; they become text here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import polars_hash  # noqa: F401  # registers the digests as expressions

from simbox.ingest.cdr.profile import Numbers, Profile
from simbox.simulation.numbering import COUNTRY, NATIONAL
from simbox.simulation.writing.columns import Column

SHORT = 10**8  # numbers below are short codes
IMSI_DIGITS, IMEI_DIGITS = 15, 15
MASKED = "_m"  # end of the names of columns that hold digests, as in Chinese exports


@dataclass(frozen=True)
class Identities:
    """The spelling of all identities of one world in one profile."""

    numbers: Numbers
    masked: bool  # digests in the place of identities
    bare_imei: bool  # fourteen digits
    seed: int
    lines: pl.Series  # of own lines, by index in the world
    imsis: pl.Series  # null where the line is a fixed one

    def parties(self, party: pl.Series) -> pl.Series:
        """Parties: own lines by index (0 and up), others as minus their number."""
        frame = party.alias("party").to_frame()
        own = frame.select(pl.when(pl.col("party") >= 0).then(pl.col("party")).cast(pl.UInt32))
        others = frame.select(_spelled(-pl.col("party"), self.numbers).alias("other")).to_series()
        if self.masked:
            others = digests(others, self.seed)
        known = self.lines.gather(own.to_series())
        return pl.select(pl.coalesce(known, others)).to_series()

    def handsets(self, imei: pl.Series) -> pl.Series:
        """IMEIs; null where there is none (-1)."""
        number = pl.col("imei")
        digits = number // 10 if self.bare_imei else number
        size = IMEI_DIGITS - self.bare_imei
        text = pl.when(number >= 0).then(digits.cast(pl.String).str.pad_start(size, "0"))
        found = imei.alias("imei").to_frame().select(text).to_series()
        return digests(found, self.seed) if self.masked else found

    def sims(self, party: pl.Series) -> pl.Series:
        """IMSIs of own lines; null for anybody else and for fixed lines."""
        frame = party.alias("party").to_frame()
        own = pl.when(pl.col("party") >= 0).then(pl.col("party")).cast(pl.UInt32)
        return self.imsis.gather(frame.select(own).to_series())


def identities(
    lines: pl.DataFrame, profile: Profile, columns: tuple[Column, ...], seed: int
) -> Identities:
    """The spelling of a world's identities.

    Args:
        lines: one row an own line in the order of the index: number, imsi, fixed.
        profile: whose numbering rules hold.
        columns: of the file; names that end in '_m' are those of digests.
        seed: of the world; digests of two worlds do not agree.
    """
    party = {"line", "other", "a", "b"}
    masked = any(c.key.endswith(MASKED) and party.intersection(c.says) for c in columns)
    number = lines.select(_spelled(pl.col("number"), profile.numbers)).to_series()
    padded = pl.col("imsi").cast(pl.String).str.pad_start(IMSI_DIGITS, "0")
    imsi = lines.select(pl.when(~pl.col("fixed")).then(padded)).to_series()
    if masked:
        number, imsi = digests(number, seed), digests(imsi, seed)
    # TS 32.298 keeps the IMEI of TS 29.002, whose check digit is not transmitted
    bare = profile.values.get("event_type") == "ts32298_record_type"
    return Identities(profile.numbers, masked, bare, seed, number, imsi)


def as_read(identities_: Identities, lines: pl.DataFrame) -> pl.Series:
    """The names that own lines go by once the files are read: E.164 digits, or digests."""
    if identities_.masked:
        return identities_.lines
    return lines["number"].cast(pl.String)


def digests(texts: pl.Series, seed: int) -> pl.Series:
    """SHA-256 in hexadecimal digits; null stays null."""
    salted = pl.lit(f"{seed}:") + pl.col("text")
    digest: pl.Expr = salted.chash.sha2_256()  # type: ignore[attr-defined]
    return texts.alias("text").to_frame().select(digest).to_series()


def _spelled(number: pl.Expr, rules: Numbers) -> pl.Expr:
    """Numbers (E.164 digits or a short code, positive) as this source writes them."""
    digits = number.cast(pl.String)
    if rules.accounts:  # as SIP spells them: a plus tells numbers from extensions
        return pl.when(number < SHORT).then(digits).otherwise("+" + digits)
    if not rules.trunk and not rules.national_lengths:
        return digits
    home = number // NATIONAL == COUNTRY
    trunk = rules.trunk[0] if rules.trunk else ""
    prefix = rules.international[0] if rules.international else ""
    return (
        pl.when(home)
        .then(trunk + digits.str.slice(len(str(COUNTRY))))
        .when(number < SHORT)
        .then(digits)
        .otherwise(prefix + digits)
    )
