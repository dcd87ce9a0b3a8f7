"""Events of captures into the event store: identities, clocks and kinds in their coded form."""

from __future__ import annotations

import numpy as np
import polars as pl

from simbox.identifiers import CLASS_SHIFT, MAX_DIGITS, NumberClass, digits_id, text_id, with_class
from simbox.ingest.capture.calls import NUMBER_DIGITS
from simbox.ingest.capture.recorded import recorded
from simbox.ingest.cdr.clock import quarters, zone_table
from simbox.ingest.cdr.devices import encode_imei, encode_imsi
from simbox.store import StoreWriter
from simbox.tables import EVENT_TYPES, HOST_PREFIX, STORED, Kind

FEED = "capture"

_ANSWER = {False: Kind.NO, True: Kind.YES}
_WITHHELD = int(NumberClass.WITHHELD) << CLASS_SHIFT


def store_events(events: pl.DataFrame, writer: StoreWriter, zone: str) -> int:
    """Append rows of tables.EVENTS, whose local clock is that of a zone, to a store.

    Returns:
        How many were left out, as records in the store tell of the same calls.
    """
    if events.is_empty():
        return 0
    feed = writer.feed_code(FEED)
    sources = {path: writer.add_source(path, FEED) for path in events["source"].unique().sort()}
    ids = events.select(
        line=party_id(pl.col("line")),
        other=pl.when(pl.col("other").is_null())
        .then(_WITHHELD)
        .otherwise(party_id(pl.col("other"))),
        place=text_id(HOST_PREFIX + pl.col("host")),
    )
    seconds = events["start"].dt.epoch("s").to_numpy()
    imsi, imei = encode_imsi(events["imsi"], ()), encode_imei(events["imei"], ())
    stored = pl.DataFrame(
        {
            "line": ids["line"],
            "other": ids["other"],
            "imsi": imsi.ids,
            "imei": imei.ids,
            "place": ids["place"],
            "start": seconds.astype(np.uint32),
            "offset": quarters(seconds, zone_table(zone)),
            "duration": events["duration_s"].fill_null(-1),
            "kind": _kinds(events, feed),
            "cause": events["cause"].fill_null(0),
            "call_ref": np.zeros(events.height, np.uint64),
            "source": events["source"].replace_strict(sources, return_dtype=pl.UInt16),
            "row": events["row"].fill_null(0),
        },
        schema=STORED.schema,
    )
    known = recorded(stored, writer.sealed())
    texts = pl.concat([_texts(events, ids), imsi.texts, imei.texts]).unique("id")
    writer.append(stored.filter(pl.Series(~known)), texts)
    return int(known.sum())


def party_id(user: pl.Expr) -> pl.Expr:
    """Ids of telephone numbers, and of accounts with their class."""
    digits = user.str.extract(f"^([0-9]{{1,{MAX_DIGITS}}})$", 1)
    account = pl.lit(int(NumberClass.ACCOUNT))
    return (
        pl.when(digits.str.len_bytes() >= NUMBER_DIGITS)
        .then(digits_id(digits))
        .when(digits.is_not_null())
        .then(with_class(digits_id(digits), account))
        .otherwise(with_class(text_id(user), account))
    )


def _kinds(events: pl.DataFrame, feed: int) -> pl.Series:
    codes = {name: code for code, name in enumerate(EVENT_TYPES)}
    answer = events["answered"].replace_strict(
        _ANSWER, default=Kind.NOT_KNOWN, return_dtype=pl.UInt16
    )
    kind = events["event_type"].cast(pl.String).replace_strict(codes, return_dtype=pl.UInt16)
    return kind | (answer * (1 << Kind.ANSWER_SHIFT)) | (feed << Kind.FEED_SHIFT)


def _texts(events: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """The texts of the ids that are not digits."""
    named = [
        pl.DataFrame({"id": ids[name] % (1 << CLASS_SHIFT), "text": events[name]})
        for name in ("line", "other")
    ]
    named.append(pl.DataFrame({"id": ids["place"], "text": HOST_PREFIX + events["host"]}))
    return pl.concat(named).filter(
        pl.col("text").is_not_null() & ~pl.col("text").str.contains(f"^[0-9]{{1,{MAX_DIGITS}}}$")
    )
