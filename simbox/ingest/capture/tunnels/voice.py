"""Voice inside encrypted tunnels: told by the size, the rate and the symmetry of its packets.

A call in a tunnel is one packet of one size every 20 or 30 ms, as many up as down; k calls are k
times as many.  So the number of calls over time shows without a key, and with it when they start
and end.  Data hides it: a tunnel that carries both fails the share of the most frequent size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from simbox.ingest.capture.access import private
from simbox.ingest.capture.tunnels.windows import WINDOW_NS, FlowWindows
from simbox.tables import TUNNELS, UTC

__all__ = ["FlowWindows", "voice_tunnels"]

WINDOW_S = WINDOW_NS // 1_000_000_000
WINDOW_US = WINDOW_S * 1_000_000
SHARE = 0.85  # of the most frequent size, in both directions
RATIO = 0.85  # of the packets of the two directions, least over most
RATE_ERROR = 0.07  # from a whole number of calls
CHANGING = 0.06  # by which a window's busy seconds exceed its mean rate when calls come and go
SIZE_ERROR = 16  # octets: another tag length, IPv6 inside, an RTP extension
SIZE_COST = 0.003  # of an octet off a codec's size, against the error of the rate
MISFIT = 2.0  # of a codec that a window does not fit
LEAST_SPAN_S = 2.0  # a rate over less is noise
EXACT_SHARE = 0.5  # of the windows with voice, whose rate must be a whole number of calls
SILENT_RATIO = 0.3  # of the two directions where silence is not sent: one talks, one listens
SILENT_WINDOWS = 3  # with two sizes before they count
UNKNOWN_CALLS = 2  # at a time before a flow of no known kind is called a tunnel ...
UNKNOWN_WINDOWS = 6  # ... and so many windows of them: radio access links frame data evenly, too
MOST_WINDOWS = 60_480  # of a flow's calls over time: a week; clocks of captures can lie
SERVER_PORTS = (51820, 1194, 4500, 500)


@dataclass(frozen=True)
class Speech:
    """A codec at a packet time: octets of its IP packet and packets a second each way."""

    name: str
    inner: int
    rate: float
    gaps: bool = False  # it is commonly sent without the silence


#: RFC 3551 frame sizes with 40 octets of IP, UDP and RTP headers.
SPEECH = (
    Speech("G.711 20 ms", 200, 50.0),
    Speech("G.711 30 ms", 280, 100 / 3),
    Speech("G.729 20 ms", 60, 50.0, gaps=True),
    Speech("G.729 30 ms", 70, 100 / 3, gaps=True),
    Speech("G.723.1 30 ms", 64, 100 / 3, gaps=True),
    Speech("GSM or AMR 20 ms", 73, 50.0, gaps=True),
)
FLOW = ("src", "src_port", "dst", "dst_port", "protocol")
PAIR = ("end_a", "port_a", "end_b", "port_b", "protocol")

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]


def outer_size(inner: int, kind: str | None) -> tuple[int, ...]:
    """Octets of the transport payload that an IP packet becomes in a tunnel.

    WireGuard pads to 16 and adds 32; OpenVPN with AES-GCM over UDP adds about 24; ESP in tunnel
    mode with AES-CBC and SHA1-96 pads two octets more to 16 and adds 36.  For an unknown kind all
    of them.
    """
    sizes = {
        "wireguard": _padded(inner) + 32,
        "openvpn": inner + 24,
        "esp": _padded(inner + 2) + 36,
        "ipip": inner,
    }
    return (sizes[kind],) if kind in sizes else tuple(sizes.values())


def voice_tunnels(windows: pl.DataFrame, sides: pl.DataFrame | None = None) -> pl.DataFrame:
    """The flows that carry voice inside a tunnel, with their calls over time.

    Args:
        windows: opaque flows by window (table WINDOWS, ``span_ms`` where there is one), of all
            files of a run.
        sides: columns host and side (access, far, unknown), to tell the ends apart; without it a
            private address, then the end with fewer peers, is the host.

    Returns:
        Rows of table TUNNELS, by host, peer and start.
    """
    if windows.is_empty():
        return TUNNELS.empty()
    directions = _directions(windows)
    judged = _judged(_both_ways(directions))
    flows = _flows(judged, directions)
    if flows.is_empty():
        return TUNNELS.empty()
    named = _with_hosts(flows, windows, sides)
    return TUNNELS.conform(named).sort("host", "peer", "start", "host_port", "peer_port")


def _padded(octets: int) -> int:
    return -(-octets // 16) * 16


def _directions(windows: pl.DataFrame) -> pl.DataFrame:
    """One row a direction of a flow in a window: its two most frequent sizes, and all packets."""
    if "span_ms" not in windows.columns:
        windows = windows.with_columns(span_ms=pl.lit(WINDOW_S * 1000, pl.UInt16))
    if "peak" not in windows.columns:
        windows = windows.with_columns(peak=pl.col("packets") / (pl.col("span_ms") / 1000))
    sizes = windows.group_by(*FLOW, "window", "size").agg(
        pl.col("packets").cast(pl.Int64).sum(),
        pl.col("span_ms", "peak", "kind").max(),
        pl.col("first_frame", "source").sort_by("source", "first_frame").first(),
    )
    counted = sizes.sort("packets", "size", descending=[True, False]).group_by(
        *FLOW, "window", maintain_order=True
    ).agg(
        pl.col("packets").sum().alias("total"),
        pl.col("kind").drop_nulls().first(),
        pl.col("first_frame", "source").sort_by("source", "first_frame").first(),
        *(
            pl.col(name).filter(pl.col("size") > 0).get(place, null_on_oob=True).fill_null(0)
            .alias(f"{name}_{place}")
            for name in ("size", "packets", "span_ms", "peak") for place in (0, 1)
        ),
    )  # fmt: skip
    return counted.with_columns(_ends()).sort(*PAIR, "window", "forward")


def _ends() -> tuple[pl.Expr, ...]:
    """The two ends of a flow in one order whichever way a packet goes, and that way."""
    source = (pl.col("src"), pl.col("src_port"))
    target = (pl.col("dst"), pl.col("dst_port"))
    forward = (source[0] < target[0]) | ((source[0] == target[0]) & (source[1] <= target[1]))
    chosen = zip(("end_a", "port_a"), source, target, strict=True)
    other = zip(("end_b", "port_b"), target, source, strict=True)
    named = [pl.when(forward).then(x).otherwise(y).alias(n) for n, x, y in (*chosen, *other)]
    return (forward.alias("forward"), *named)


def _both_ways(directions: pl.DataFrame) -> pl.DataFrame:
    """Windows in which a flow has packets both ways: one row, the columns of the way back `_r`."""
    there, back = directions.filter("forward"), directions.filter(~pl.col("forward"))
    return there.join(back, on=[*PAIR, "window"], suffix="_r").sort(*PAIR, "window")


def _judged(windows: pl.DataFrame) -> pl.DataFrame:
    """The windows with the number of calls that they carry, and which test they passed."""
    parts = [
        _of_kind(part, kind)
        for (kind,), part in windows.with_columns(
            pl.coalesce("kind", "kind_r").alias("kind")
        ).group_by("kind", maintain_order=True)
    ]
    columns = {"speech": pl.Int64, "calls": pl.Int64, "exact": pl.Boolean, "gaps": pl.Boolean,
               "top_share": pl.Float64}  # fmt: skip
    if not parts:
        return windows.with_columns(pl.lit(None, dtype).alias(n) for n, dtype in columns.items())
    return pl.concat(parts).filter(pl.col("calls") > 0)


def _of_kind(windows: pl.DataFrame, kind: object) -> pl.DataFrame:
    """The same windows of one kind of tunnel, judged."""
    known = kind if isinstance(kind, str) else None
    steady = _steady(windows, known)
    silent = _silent(windows, known)
    use_silent = (steady[1] == 0) & (silent[1] > 0)
    share = windows.select(
        pl.mean_horizontal(
            pl.col("packets_0") / pl.col("total"), pl.col("packets_0_r") / pl.col("total_r")
        ).alias("share")
    )["share"]
    return windows.with_columns(
        speech=pl.Series(np.where(use_silent, silent[0], steady[0])),
        calls=pl.Series(np.where(use_silent, silent[1], steady[1])),
        exact=pl.Series(steady[2] & ~use_silent),
        gaps=pl.Series(use_silent),
        top_share=share,
    )


def _numbers(windows: pl.DataFrame, name: str) -> tuple[Floats, Floats]:
    """A column of both ways."""
    there, back = (windows[n].cast(pl.Float64).to_numpy() for n in (name, f"{name}_r"))
    return there, back


def _distance(size: Floats, kind: str | None) -> Floats:
    """Octets from each codec's size in a kind of tunnel; shape (windows, codecs)."""
    distance = [
        np.min([np.abs(size - outer) for outer in outer_size(speech.inner, kind)], axis=0)
        for speech in SPEECH
    ]
    return np.stack(distance, axis=1)


def _chosen(cost: Floats, windows: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The codec of each window: that of its flow where it fits, for one rate fits several.

    400 packets a second are 8 calls at 20 ms or 12 at 30; the flow's other windows tell.
    """
    flow = windows.select(pl.struct(PAIR).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    total = np.zeros((int(flow.max(initial=-1)) + 1, len(SPEECH)))
    np.add.at(total, flow, np.minimum(cost, MISFIT))
    best = total.argmin(axis=1)[flow]
    fits = np.isfinite(cost[np.arange(len(cost)), best])
    chosen: npt.NDArray[np.int64] = np.where(fits, best, cost.argmin(axis=1))
    return chosen


def _rates(windows: pl.DataFrame, place: int) -> tuple[Floats, Floats, Masks]:
    """Packets a second of a size both ways, and where it passed long enough to tell."""
    (there, back), spans = (
        _numbers(windows, f"packets_{place}"),
        [span / 1000 for span in _numbers(windows, f"span_ms_{place}")],
    )
    enough = (spans[0] >= LEAST_SPAN_S) & (spans[1] >= LEAST_SPAN_S)
    up, down = (
        np.divide(np.maximum(n - 1, 0), s, out=np.zeros(len(n)), where=s > 0)
        for n, s in zip((there, back), spans, strict=True)
    )
    return up, down, enough


def _steady(
    windows: pl.DataFrame, kind: str | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Masks]:
    """Codec, calls (0: no voice), and whether the rate is a whole number of calls."""
    (total, total_r), (top, top_r) = _numbers(windows, "total"), _numbers(windows, "packets_0")
    up, down, enough = _rates(windows, 0)
    size, size_r = _numbers(windows, "size_0")
    distance = np.maximum(_distance(size, kind), _distance(size_r, kind))
    peaks = sum(_numbers(windows, "peak_0")) / 2
    mean = (up + down) / 2
    changing = peaks > (1 + CHANGING) * mean + 1  # calls came or went: their most is what counts
    rate = np.where(changing, peaks, mean)[:, None] / np.array([s.rate for s in SPEECH])
    calls = np.rint(rate)
    fits = (distance <= SIZE_ERROR) & (calls >= 1)
    error = np.where(fits, np.abs(rate - calls) / np.maximum(calls, 1), np.inf)
    speech = _chosen(error + SIZE_COST * distance, windows)
    rows = np.arange(len(speech))
    voice = (
        enough
        & (top >= SHARE * total)
        & (top_r >= SHARE * total_r)
        & (np.minimum(total, total_r) >= RATIO * np.maximum(total, total_r))
        & np.isfinite(error[rows, speech])
    )
    exact = voice & (error[rows, speech] <= RATE_ERROR)
    return speech, np.where(voice, calls[rows, speech], 0).astype(np.int64), exact


def _silent(
    windows: pl.DataFrame, kind: str | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same where silence is not sent: speech and silence descriptors are two sizes."""
    rows = windows.height
    if kind is None:
        return np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    (total, total_r), (top, top_r) = _numbers(windows, "total"), _numbers(windows, "packets_0")
    second, second_r = _numbers(windows, "packets_1")
    (size, size_r), (other, other_r) = _numbers(windows, "size_0"), _numbers(windows, "size_1")
    up, down, enough = _rates(windows, 0)
    larger = (np.maximum(size, other), np.maximum(size_r, other_r))
    fits = np.logical_and(*(_distance(s, kind) <= SIZE_ERROR for s in larger))
    fits &= np.array([s.gaps for s in SPEECH])
    speech = fits.argmax(axis=1)
    voice = (
        enough
        & fits.any(axis=1)
        & (top + second >= SHARE * total)
        & (top_r + second_r >= SHARE * total_r)
        & (np.minimum(total, total_r) >= SILENT_RATIO * np.maximum(total, total_r))
    )
    rate = np.maximum(up, down) / np.array([s.rate for s in SPEECH])[speech]
    return speech, np.where(voice, np.maximum(np.ceil(rate - RATE_ERROR), 1), 0).astype(np.int64)


def _flows(judged: pl.DataFrame, directions: pl.DataFrame) -> pl.DataFrame:
    """One row a flow that carries voice, its ends not yet told apart."""
    all_windows = directions.group_by(*PAIR).agg(
        pl.col("window").n_unique().alias("all_windows"),
        pl.col("source", "first_frame").sort_by("source", "first_frame").first(),
    )
    speech = pl.Series([s.name for s in SPEECH])
    steady = pl.col("exact").sum() >= EXACT_SHARE * (~pl.col("gaps")).sum().clip(1)
    found = judged.sort("window").group_by(*PAIR, maintain_order=True).agg(
        pl.col("kind").drop_nulls().first(),
        pl.col("speech").mode().min().replace_strict(dict(enumerate(speech)), default=None,
                                                     return_dtype=pl.String).alias("codec"),
        pl.col("window").min().alias("first"),
        pl.col("window").max().alias("last"),
        pl.len().alias("windows"),
        pl.col("calls").filter("exact").max().fill_null(pl.col("calls").max()).alias("calls_max"),
        pl.col("calls").mean().alias("calls_mean"),
        pl.struct("window", "calls").alias("each"),
        pl.col("top_share").mean().alias("size_share"),
        (steady | (pl.col("gaps").sum() >= SILENT_WINDOWS)).alias("voice"),
    )  # fmt: skip
    many = (pl.col("calls_max") >= UNKNOWN_CALLS) & (pl.col("windows") >= UNKNOWN_WINDOWS)
    told = pl.col("kind").is_not_null() | many
    found = found.filter(pl.col("voice") & told).join(all_windows, on=PAIR)
    each = [_over_time(e, f, t) for e, f, t in found.select("each", "first", "last").iter_rows()]
    return found.with_columns(
        (pl.col("first") * WINDOW_US).cast(UTC).alias("start"),
        ((pl.col("last") + 1) * WINDOW_US).cast(UTC).alias("end"),
        (pl.col("windows") / pl.col("all_windows")).alias("share"),
        pl.Series("calls", each, dtype=pl.List(pl.UInt16)),
    )


def _over_time(each: list[dict[str, int]], first: int, last: int) -> list[int]:
    """Calls window by window from the first, 0 where there is no voice."""
    calls = [0] * min(last - first + 1, MOST_WINDOWS)
    for window in each:
        if window["window"] - first < MOST_WINDOWS:
            calls[window["window"] - first] = window["calls"]
    return calls


def _with_hosts(
    flows: pl.DataFrame, windows: pl.DataFrame, sides: pl.DataFrame | None
) -> pl.DataFrame:
    """The flows with their end on the access side as host, the other as peer."""
    side = {} if sides is None else dict(sides.select("host", "side").iter_rows())
    peers = dict(windows.group_by("src").agg(pl.col("dst").n_unique()).iter_rows())

    def outwardness(address: str, port: int) -> tuple[int, bool, int, bool]:
        """Small on the access side."""
        told = {"access": 0, "far": 2}.get(side.get(address, ""), 1)
        return told, not private(address), peers.get(address, 0), port in SERVER_PORTS

    ends = flows.select("end_a", "port_a", "end_b", "port_b").rows()
    turned = pl.Series([outwardness(b, q) < outwardness(a, p) for a, p, b, q in ends])
    picked = {"host": "end", "host_port": "port", "peer": "end", "peer_port": "port"}
    columns = []
    for name, column in picked.items():
        first, second = ("a", "b") if name.startswith("host") else ("b", "a")
        columns.append(
            pl.when(turned).then(f"{column}_{second}").otherwise(f"{column}_{first}").alias(name)
        )
    return flows.with_columns(columns).select(n for n in TUNNELS.schema)
