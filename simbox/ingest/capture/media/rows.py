"""States of RTP streams as rows of tables.SEGMENTS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.ingest.capture.media.codecs import COMFORT_NOISE, DYNAMIC, STATIC
from simbox.ingest.capture.media.state import CLOCKS, UNIT
from simbox.ingest.capture.packets.columns import Index
from simbox.tables import UTC

NS_PER_US = 1000
TICK = 1e9 / (1 << UNIT)  # units of deviation a tick
DIGITS = 6  # of figures in ticks: what is behind depends on the order of additions
NOISE = [kind for kind, codec in STATIC.items() if codec.name == COMFORT_NOISE]
G729 = 18
G729_FRAME, G729_SID = 10, 2  # octets (RFC 3551 section 4.5.6)
AMR_SID = 7  # octets of the payload, AMR and AMR-WB, in both formats (RFC 4867 section 4)
AMR_SIZES = (13, 62)  # of a payload with one speech frame, 4.75 to 23.85 kbit/s


def segments(states: npt.NDArray[Any], text: Callable[[int], str]) -> pl.DataFrame:
    """Rows of tables.SEGMENTS without their source; ``text`` spells address keys."""
    media, event = _kinds(states)
    ticks = _most_frequent(states, "step")[0]
    size, of_size = _most_frequent(states, "size")
    packets = states["packets"]
    frame = pl.DataFrame(
        {
            "src": _texts(states["src"], text),
            "src_port": states["sport"],
            "dst": _texts(states["dst"], text),
            "dst_port": states["dport"],
            "ssrc": states["ssrc"],
            "payload_type": media,
            "event_type": _or_null(event),
            "start": states["first_time"] // NS_PER_US,
            "end": states["last_time"] // NS_PER_US,
            "first_frame": states["first_frame"],
            "last_frame": states["last_frame"],
            "packets": packets,
            "octets": states["octets"],
            "first_seq": states["first_sequence"],
            "extended_seq": states["highest"],
            "disordered": states["late"],
            "ticks": _or_null(ticks),
            "size": size,
            "size_share": of_size / np.maximum(packets, 1),
            "markers": states["markers"],
            "comfort": _comfort(states, media),
            "tunnelled": states["depth"],
            "announced": states["announced"],
        }
    )
    frame = frame.with_columns(pl.col("start", "end").cast(UTC))
    return frame.with_columns(_jitter(states, frame.select(clock_rate())["clock"].to_numpy()))


def clock_rate() -> pl.Expr:
    """The rate of the RTP timestamp in rows of SEGMENTS, Hz: column ``clock``; null if unknown.

    By RFC 3551 where the payload type tells it.  Else the lowest of the usual rates at which the
    most frequent step of the timestamp is no longer than the time between packets: a pause makes
    that time longer, never shorter.
    """
    interval = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    slowest = pl.col("ticks") / interval * pl.col("extended_seq") * 0.9  # arrival varies
    measured = pl.coalesce(*(pl.when(slowest <= rate).then(rate) for rate in CLOCKS))
    told = pl.col("payload_type").replace_strict(
        {kind: codec.rate for kind, codec in STATIC.items()}, default=None, return_dtype=pl.Int32
    )
    return pl.coalesce(told, measured).alias("clock")


def _texts(keys: npt.NDArray[np.uint64], text: Callable[[int], str]) -> pl.Series:
    unique, inverse = np.unique(keys, return_inverse=True)
    spelt = pl.Series([text(key) for key in unique.tolist()], dtype=pl.String)
    return spelt.gather(inverse)


def _or_null(values: npt.NDArray[Any]) -> pl.Series:
    """Integers of which negative ones mean not known."""
    column = pl.Series(values)
    return column.set(column < 0, None)


def _most_frequent(states: npt.NDArray[Any], name: str) -> tuple[Index, Index]:
    """The most frequent value of a tally and its count; -1 and 0 where there is none."""
    best = states[f"{name}_count"].argmax(axis=1)[:, None]
    value = np.take_along_axis(states[name], best, 1)[:, 0]
    return value, np.take_along_axis(states[f"{name}_count"], best, 1)[:, 0]


def _kinds(states: npt.NDArray[Any]) -> tuple[Index, Index]:
    """Payload types of media and of telephone events (-1: none) of each stream.

    Events are told by RFC 4733: a dynamic payload type whose packets all have four octets.
    """
    shape, count = states["shape"], states["shape_count"].astype(np.int64)
    kind = shape >> 1
    long = (kind[:, :, None] == kind[:, None, :]) & (shape & 1 == 0)[:, None, :]
    events = (shape & 1 == 1) & (kind >= DYNAMIC[0]) & ~long.any(axis=2)
    ranked = np.where(events | np.isin(kind, NOISE), count, count << np.int64(32))
    totals = (ranked[:, None, :] * (kind[:, :, None] == kind[:, None, :])).sum(axis=2)
    totals[shape < 0] = -1
    rows = np.arange(len(states))
    media = kind[rows, totals.argmax(axis=1)]
    most = np.where(events, count, -1)
    event = np.where(events.any(axis=1), kind[rows, most.argmax(axis=1)], -1)
    return media, event


def _comfort(states: npt.NDArray[Any], media: Index) -> Index:
    """Comfort noise packets (RFC 3389), and silence descriptors of G.729 and AMR by their size."""
    noise = np.isin(states["shape"] >> 1, NOISE)
    found: Index = (states["shape_count"] * noise).sum(axis=1)
    sizes, counts = states["size"], states["size_count"]
    annex_b = (media == G729)[:, None] & (sizes % G729_FRAME == G729_SID)
    fits = (sizes <= AMR_SIZES[1]) & ((sizes >= AMR_SIZES[0]) | (sizes <= AMR_SID))
    speech = fits.all(axis=1) & (sizes >= AMR_SIZES[0]).any(axis=1)
    adaptive = (speech & (media >= DYNAMIC[0]))[:, None] & (sizes == AMR_SID)
    found += (counts * (annex_b | adaptive)).sum(axis=1)
    return found


def _jitter(states: npt.NDArray[Any], clock: npt.NDArray[Any]) -> list[pl.Series]:
    """Jitter and mean deviation in ticks; null where the clock is none that was measured."""
    told = states["clock"]
    number = np.where(told > 0, 0, np.searchsorted(CLOCKS, np.nan_to_num(clock)))
    number = np.minimum(number, len(CLOCKS) - 1)
    measured = np.where(told > 0, told, np.array(CLOCKS)[number])
    known = (measured == clock) & (states["packets"] > 1)
    rows = np.arange(len(states))
    jitter = states["jitter"][rows, number] / TICK
    mean = states["deviation"][rows, number] / TICK / np.maximum(states["packets"] - 1, 1)
    return [
        pl.Series(name, np.round(values, DIGITS)).set(pl.Series(~known), None)
        for name, values in (("jitter", jitter), ("mean_deviation", mean))
    ]
