"""Millions of invented CDRs for the benchmarks, one file a slice of a day, in bounded memory.

``python tests/benchmarks/generate.py --rows 10000000 --out DIR --format both`` writes a carrier's
served-party export into DIR/parquet and DIR/csv: identities and cells as text, ordered by time.

The population has what makes per-line work hard: log-normal activity, a symmetric graph of
contacts (so that people really ring back), homes, work places and journeys, shared handsets, and
a few gateway lines.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rng = np.random.Generator

START = datetime(2025, 3, 3)  # noqa: DTZ001  # a Monday, local time
DAYS = 7
ROWS_A_LINE_AND_DAY = 8.0
ROWS_A_SLICE = 1_000_000  # what stands in memory at once

ACTIVITY_SIGMA = 1.15
SMS_SHARE = 0.30
ON_NET_SHARE = 0.62  # of calls and texts: both parties are served, so two rows
ANSWERED_SHARE = 0.69
TWO_HANDSETS_SHARE = 0.04
DUAL_SIM_SHARE = 0.06
GATEWAY_SHARE = 0.0005
GATEWAY_CALLS_A_DAY = 140
GATEWAY_ANSWERED_SHARE = 0.45
GATEWAY_SIMS_A_HANDSET = 4
CIRCLE = 40  # contacts a line can have on each side of the graph
CLOSEST = 1.35  # exponent: how much of the traffic goes to the closest contacts
LINES_A_CELL = 400
WEEKEND = (1, 1, 1, 1, 1.05, 0.82, 0.74)

HOURS = np.array(
    [5, 3, 2, 1, 2, 5, 16, 44, 70, 84, 92, 95, 90, 76, 80, 86, 90, 100, 110, 106, 90, 60, 30, 12],
    dtype=np.float64,
)
GATEWAY_HOURS = np.where((np.arange(24) >= 9) & (np.arange(24) < 19), 1.0, 0.0)

COUNTRY = 999 * 10**11  # a country code that is assigned to nobody
ON_NET, OFF_NET = COUNTRY + 13 * 10**9, COUNTRY + 15 * 10**9
IMSI = 1_01 * 10**10  # 001-01, the test network
TAC = 100100  # 001001xx: test type codes


@dataclass(frozen=True)
class Population:
    """All lines, one array element a line."""

    number: Ints
    imsi: pl.Series
    imei: pl.Series
    second_imei: pl.Series  # the same handset for most
    home: Ints
    work: Ints
    activity: Floats  # mean 1
    gateways: Ints  # which lines are gateways
    is_gateway: Bools
    circle: Ints  # distances, around the ring of lines, of a line's contacts
    cells: pl.Series


@dataclass(frozen=True)
class Attempts:
    """Calls and texts before they become legs; `other` is a line's index, or -1 with a number."""

    line: Ints
    other: Ints
    stranger: Ints  # the number, where `other` is -1
    outgoing: Bools
    text: Bools
    answered: Bools
    gateway: Bools

    def __len__(self) -> int:
        return len(self.line)


def population(rng: Rng, count: int) -> Population:
    """Lines with their cards, handsets, whereabouts and activity."""
    handset, second = _handsets(rng, count)
    cells = max(60, count // LINES_A_CELL)
    home = (cells * rng.beta(1.2, 1.6, count)).astype(np.int64)
    activity = np.exp(rng.normal(0, ACTIVITY_SIGMA, count))
    gateways = np.sort(rng.choice(count, max(4, int(count * GATEWAY_SHARE)), replace=False))
    handset[gateways] = handset[gateways[np.arange(len(gateways)) // GATEWAY_SIMS_A_HANDSET]]
    second[gateways] = handset[gateways]
    activity[gateways] = 0
    return Population(
        number=ON_NET + rng.permutation(count) * 7 + rng.integers(0, 7, count),
        imsi=_fifteen_digits(IMSI + rng.permutation(count) * 11),
        imei=_fifteen_digits(handset),
        second_imei=_fifteen_digits(second),
        home=home,
        work=np.where(rng.random(count) < 0.6, rng.integers(0, cells, count), home),
        activity=activity / activity.mean(),
        gateways=gateways,
        is_gateway=np.isin(np.arange(count), gateways),
        circle=_circle(rng, count),
        cells=pl.Series([f"001-01-{5000 + c // 60}-{10000 + c % 60 * 3}" for c in range(cells)]),
    )


def _handsets(rng: Rng, count: int) -> tuple[Ints, Ints]:
    """First and second handset of each line."""
    serial = rng.permutation(count * 2)
    handset = _with_check_digit((TAC + serial % 90) * 10**6 + serial // 90 * 37 % 10**6)
    first, second = handset[:count].copy(), handset[:count].copy()
    two = rng.random(count) < TWO_HANDSETS_SHARE
    second[two] = handset[count:][two]
    dual = np.flatnonzero(rng.random(count - 1) < DUAL_SIM_SHARE) + 1
    first[dual], second[dual] = first[dual - 1], second[dual - 1]
    return first, second


def _with_check_digit(imei: Ints) -> Ints:
    """The IMEI with its Luhn digit (TS 23.003 annex B) behind the fourteen digits."""
    total = np.zeros(len(imei), dtype=np.int64)
    rest = imei
    for place in range(14):
        rest, digit = np.divmod(rest, 10)
        doubled = digit * 2
        total += digit if place % 2 else doubled // 10 + doubled % 10
    return imei * 10 + (-total) % 10


def _fifteen_digits(values: Ints) -> pl.Series:
    return pl.Series(values).cast(pl.String).str.zfill(15)


def _circle(rng: Rng, count: int) -> Ints:
    """Who knows whom: neighbours on a ring of lines first, then lines far away."""
    near = np.arange(1, CIRCLE // 4 + 1)
    far = rng.integers(CIRCLE, max(CIRCLE + 1, count // 2), CIRCLE - len(near))
    mixed: Ints = rng.permutation(np.concatenate([near, far]))
    return mixed


def attempts(rng: Rng, who: Population, share_of_day: float) -> Attempts:
    """What happens in a slice of a day."""
    people = _of_people(rng, who, share_of_day)
    machines = _of_gateways(rng, who, share_of_day)
    fields = Attempts.__dataclass_fields__
    return Attempts(
        **{f: np.concatenate([getattr(people, f), getattr(machines, f)]) for f in fields}
    )


def _of_people(rng: Rng, who: Population, share_of_day: float) -> Attempts:
    """Calls and texts along ties: either end begins them, so that both ends know each other."""
    each = ROWS_A_LINE_AND_DAY / (1 + ON_NET_SHARE) * share_of_day
    line = np.repeat(np.arange(len(who.number)), rng.poisson(each * who.activity))
    count = len(line)
    rank = np.minimum((rng.random(count) ** -(1 / CLOSEST)).astype(np.int64) - 1, CIRCLE - 1)
    side = rng.integers(0, 2, count) * 2 - 1
    contact = (line + side * who.circle[rank]) % len(who.number)
    on_net = (rng.random(count) < ON_NET_SHARE) & ~who.is_gateway[contact]
    return Attempts(
        line=line,
        other=np.where(on_net, contact, -1),
        stranger=_friend_off_net(line, rank),
        outgoing=rng.random(count) < 0.5,
        text=rng.random(count) < SMS_SHARE,
        answered=rng.random(count) < ANSWERED_SHARE,
        gateway=np.zeros(count, dtype=bool),
    )


def _friend_off_net(line: Ints, rank: Ints) -> Ints:
    """The same number each time for the same line and rank of friendship."""
    mixed = (line * CIRCLE + rank).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return OFF_NET + (mixed >> np.uint64(34)).astype(np.int64) % 10**9


def _of_gateways(rng: Rng, who: Population, share_of_day: float) -> Attempts:
    """Calls to strangers."""
    each = np.full(len(who.gateways), GATEWAY_CALLS_A_DAY * share_of_day)
    line = np.repeat(who.gateways, rng.poisson(each))
    count = len(line)
    on_net = rng.random(count) < ON_NET_SHARE
    return Attempts(
        line=line,
        other=np.where(on_net, rng.integers(0, len(who.number), count), -1),
        stranger=OFF_NET + rng.integers(0, 10**9, count),
        outgoing=np.ones(count, dtype=bool),
        text=np.zeros(count, dtype=bool),
        answered=rng.random(count) < GATEWAY_ANSWERED_SHARE,
        gateway=np.ones(count, dtype=bool),
    )


def seconds_of_day(rng: Rng, hours: Floats, count: int, part: tuple[float, float]) -> Ints:
    """Times between two quantiles of the day's activity."""
    share = np.concatenate([[0.0], np.cumsum(hours) / hours.sum()])
    quantile = rng.uniform(*part, count)
    return np.asarray(np.interp(quantile, share, np.arange(25) * 3600), dtype=np.int64)


def legs(rng: Rng, who: Population, day: int, part: tuple[float, float]) -> pl.DataFrame:
    """The rows of a slice of a day, in the order of time."""
    did = attempts(rng, who, (part[1] - part[0]) * WEEKEND[day % 7])
    second = np.where(
        did.gateway,
        seconds_of_day(rng, GATEWAY_HOURS, len(did), part),
        seconds_of_day(rng, HOURS, len(did), part),
    )
    talk = np.clip(45 * np.exp(rng.normal(0, 1.1, len(did))), 1, 7200).astype(np.int32)
    shared = {
        "second": second,
        "duration": np.where(did.answered & ~did.text, talk, 0),
        "answered": did.answered & ~did.text,
        "text": did.text,
    }
    number = np.where(did.other >= 0, who.number[did.other], did.stranger)
    own = _side(shared, did.line, number, did.outgoing)
    met = did.other >= 0
    far = _side(
        {name: values[met] for name, values in shared.items()},
        did.other[met],
        who.number[did.line[met]],
        ~did.outgoing[met],
    )
    return _export(rng, who, pl.concat([own, far]).sort("second", "line"), day)


def _side(shared: dict[str, Ints], line: Ints, other: Ints, outgoing: Bools) -> pl.DataFrame:
    return pl.DataFrame({**shared, "line": line, "other": other, "outgoing": outgoing})


def _export(rng: Rng, who: Population, rows: pl.DataFrame, day: int) -> pl.DataFrame:
    """The rows with identities and cells in text, as a carrier writes them."""
    line = rows["line"].to_numpy()
    changed = pl.Series(rng.random(len(rows)) < 0.3)
    kind = (
        pl.when("text", "outgoing").then(pl.lit("SMS_MO"))
        .when("text").then(pl.lit("SMS_MT"))
        .when("outgoing").then(pl.lit("MOC"))
        .otherwise(pl.lit("MTC"))
    )  # fmt: skip
    midnight = START + timedelta(days=day)
    return rows.select(
        msisdn=pl.Series(who.number[line]).cast(pl.String),
        event_type=kind,
        start=pl.lit(midnight) + pl.duration(seconds="second"),
        duration=pl.when(~pl.col("text")).then(pl.col("duration").cast(pl.Int32)),
        other=pl.col("other").cast(pl.String),
        answered=pl.when(~pl.col("text")).then(pl.col("answered").cast(pl.Int8)),
        imsi=who.imsi.gather(line),
        imei=pl.when(changed).then(who.second_imei.gather(line)).otherwise(who.imei.gather(line)),
        cell=who.cells.gather(_cells(rng, who, line, rows["second"].to_numpy(), day)),
    )


def _cells(rng: Rng, who: Population, line: Ints, second: Ints, day: int) -> Ints:
    """At work in working hours, at home else, now and then under way; gateways never."""
    working = (second >= 9 * 3600) & (second < 18 * 3600) & (day % 7 < 5)
    usual = np.where(working, who.work[line], who.home[line])
    chance = rng.random(len(line))
    step = rng.integers(1, 30, len(line))
    cell = np.where(chance < 0.12, usual + step, np.where(chance < 0.2, usual + 1, usual))
    room = who.home[line] + (chance < 0.1)
    return np.asarray(np.where(who.is_gateway[line], room, cell) % len(who.cells), dtype=np.int64)


def write(rows: pl.DataFrame, path: Path, formats: tuple[str, ...]) -> None:
    """The slice as Parquet, CSV or both."""
    if "parquet" in formats:
        rows.write_parquet(path.with_suffix(".parquet"), compression="zstd")
    if "csv" in formats:
        rows.write_csv(path.with_suffix(".csv"), datetime_format="%Y-%m-%d %H:%M:%S")


def generate(
    rows: int, out: Path, formats: tuple[str, ...], days: int = DAYS, seed: int = 1
) -> int:
    """Write about `rows` rows, each format in its own folder, and return how many there are."""
    lines = int(rows / (ROWS_A_LINE_AND_DAY * sum(WEEKEND[d % 7] for d in range(days))))
    who = population(np.random.default_rng([seed]), max(lines, 200))
    slices = max(1, round(rows / days / ROWS_A_SLICE))
    for name in formats:
        (out / name).mkdir(parents=True, exist_ok=True)
    written = 0
    for day in range(days):
        for piece in range(slices):
            rng = np.random.default_rng([seed, day, piece])
            part = (piece / slices, (piece + 1) / slices)
            frame = legs(rng, who, day, part)
            stem = f"cdr_{START + timedelta(days=day):%Y%m%d}_{piece:02}"
            for name in formats:
                write(frame, out / name / stem, (name,))
            written += len(frame)
    return written


def main() -> None:
    """Generate what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--format", choices=["parquet", "csv", "both"], default="parquet")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    formats = ("parquet", "csv") if given.format == "both" else (given.format,)
    written = generate(given.rows, given.out, formats, given.days, given.seed)
    print(f"{written:,} rows in {given.out}")


if __name__ == "__main__":
    main()
