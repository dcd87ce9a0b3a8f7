"""The features as a good user of polars would write them, from a carrier's raw Parquet export.

One sorted table, then ``over``, ``shift``, ``rolling`` and ``group_by`` as the user guide has
them, all on the streaming engine.  Numbers are cast to integers, which is cheaper than text keys.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars.selectors as cs
from compare import compared

from simbox.features.declaration import ABILITIES, features

DAY_S, HOUR_S = 86_400, 3_600
TYPES = pl.Enum(["MOC", "MTC", "SMS_MO", "SMS_MT"])
MOC, MTC, SMS_MO, SMS_MT = (pl.col("t") == name for name in TYPES.categories)
KEY = ("start", "t", "duration", "other")


def measure(export: str, out: Path) -> None:
    """Read an export and write the table of features."""
    events = _events(export).collect(engine="streaming")
    calls = _calls(events.lazy()).collect(engine="streaming")
    tables = [
        _totals(events.lazy()),
        _days(events.lazy()),
        *_places(events.lazy()),
        _outgoing(calls.lazy()),
        *_shifts(calls.lazy()),
        _busiest_texts(events.lazy()),
        _at_once(events.lazy()),
        _contacts(events.lazy(), calls.lazy()),
        *_devices(events.lazy()),
        *_passed(events.lazy()),
    ]
    lines, *others = pl.collect_all(tables, engine="streaming")
    for table in others:
        lines = lines.join(table, on="line", how="left")
    first, last = events.select(pl.col("start").min(), last=pl.col("start").max()).row(0)
    _features(lines, first, last).write_parquet(out)


def _events(export: str) -> pl.LazyFrame:
    """Events in order, duplicates dropped: a duplicate follows its twin."""
    number = {"line": "msisdn", "other": "other", "imei": "imei", "sim": "imsi"}
    typed = pl.scan_parquet(export).select(
        *(pl.col(source).cast(pl.UInt64).alias(name) for name, source in number.items()),
        pl.col("event_type").cast(TYPES).alias("t"),
        pl.col("start").dt.epoch("s").cast(pl.Int32),
        "duration",
        pl.col("answered") == 1,
        "cell",
    )
    ordered = typed.sort("line", *KEY)
    repeats = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift()) for c in ("line", *KEY))
    return ordered.filter(~repeats).with_columns(
        handset=pl.col("imei") // 10, pos=pl.int_range(pl.len()), day=pl.col("start") // DAY_S
    )


def _totals(events: pl.LazyFrame) -> pl.LazyFrame:
    return events.group_by("line").agg(
        events=pl.len(),
        moc=MOC.sum(),
        mtc=MTC.sum(),
        sms_mo=SMS_MO.sum(),
        sms_mt=SMS_MT.sum(),
        moc_answered=(MOC & pl.col("answered")).sum(),
        moc_unanswered=(MOC & ~pl.col("answered")).sum(),
        mtc_answered=(MTC & pl.col("answered")).sum(),
        mtc_unanswered=(MTC & ~pl.col("answered")).sum(),
        talk_out_s=pl.col("duration").filter(MOC).sum(),
        talk_in_s=pl.col("duration").filter(MTC).sum(),
        first_s=pl.col("start").min(),
        last_s=pl.col("start").max(),
        out_s=pl.col("start").filter(MOC).min(),
        moc_first_day=(MOC & (pl.col("start") - pl.col("start").min() < DAY_S)).sum(),
    )


def _days(events: pl.LazyFrame) -> pl.LazyFrame:
    of_day = events.group_by("line", "day").agg(
        moc=MOC.sum(), incoming=(MTC | SMS_MT).any(), texts=(SMS_MO | SMS_MT).any()
    )
    worked = pl.col("moc") > 0
    return of_day.group_by("line").agg(
        days=pl.len(),
        moc_days=worked.sum(),
        moc_days_with_incoming=(worked & pl.col("incoming")).sum(),
        sms_days=pl.col("texts").sum(),
        moc_day_max=pl.col("moc").max(),
    )


def _places(events: pl.LazyFrame) -> list[pl.LazyFrame]:
    cells = events.group_by("line", "cell").agg(n=pl.len(), days=pl.col("day").n_unique())
    of_line = cells.group_by("line").agg(
        cells=pl.len(),
        cell_top_events=pl.col("n").max(),
        top_cell=pl.col("cell").filter(pl.col("n") == pl.col("n").max()).min(),
        cell_entropy_bit=_entropy(pl.col("n")),
        cell_days=pl.col("days").sum(),
    )
    moved = pl.col("cell") != pl.col("cell").shift().over("line")
    moves = events.filter(moved.fill_null(value=True)).with_columns(
        back=pl.col("cell") == pl.col("cell").shift(2).over("line")
    )
    changes = moves.group_by("line").agg(
        cell_changes=pl.len() - 1, cell_returns=pl.col("back").sum()
    )
    return [of_line, changes]


def _calls(events: pl.LazyFrame) -> pl.LazyFrame:
    """Outgoing calls, each beside the one before."""
    before = pl.col("other").shift().over("line")
    digits = pl.col("other").cast(pl.Int64)
    return (
        events.filter(MOC)
        .with_columns(one=pl.lit(1))
        .with_columns(
            gap=(pl.col("start") - (pl.col("start") + pl.col("duration")).shift().over("line"))
            .clip(0),
            other_before=before.cast(pl.Int64),
            rank=pl.int_range(pl.len()).over("line"),
            hour_calls=pl.col("one").rolling_sum_by("start", "3600i").over("line"),
            hour_talk_s=pl.col("duration").rolling_sum_by("start", "3600i").over("line"),
            talked=pl.col("answered") & (pl.col("duration") > 0),
            hour=pl.col("start") // HOUR_S,
        )
        .with_columns(
            step=pl.when(
                (pl.col("other").cast(pl.String).str.len_bytes()
                == pl.col("other_before").cast(pl.String).str.len_bytes())
                & (digits >= 10**6)
            ).then(digits - pl.col("other_before")),
            same_block=digits // 10_000 == pl.col("other_before") // 10_000,
        )
    )  # fmt: skip


def _outgoing(calls: pl.LazyFrame) -> pl.LazyFrame:
    talk = pl.col("duration").filter(pl.col("talked"))
    gap = pl.col("gap").filter(pl.col("gap") < HOUR_S)
    step, clock = pl.col("step"), pl.col("start") % DAY_S
    return calls.group_by("line").agg(
        talked=talk.len(),
        talked_s=talk.sum(),
        talk_sd_s=talk.std(),
        talk_median_s=talk.median(),
        talked_short=(talk < 15).sum(),
        talked_long=(talk > 180).sum(),
        successions=pl.col("gap").count(),
        gaps=gap.len(),
        gap_s=gap.sum(),
        gap_sd_s=gap.std(),
        gap_median_s=gap.median(),
        back_to_back_calls=(pl.col("gap") <= 30).sum(),
        dial_steps=(step != 0).sum(),
        dial_near=((step != 0) & (step.abs() <= 100)).sum(),
        dial_same_block=((step != 0) & pl.col("same_block")).sum(),
        dial_up=(step > 0).sum(),
        moc_night=((clock >= 1800) & (clock < 19800)).sum(),
        moc_hour_max=pl.col("hour_calls").max(),
        moc_hour_talk_s=pl.col("hour_talk_s").max(),
    )


def _shifts(calls: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Clock hours, and the longest run of consecutive ones of each day."""
    hours = calls.group_by("line", "hour").agg(
        calls=pl.len(), begins=pl.col("start").min(), ends=pl.col("start").max()
    )
    of_day = hours.group_by("line", hour_of_day=pl.col("hour") % 24).agg(
        calls=pl.col("calls").sum(), hours=pl.len()
    )
    clock = of_day.group_by("line").agg(
        out_hours=pl.col("hours").sum(),
        hours_of_day=pl.len(),
        hour_entropy_bit=_entropy(pl.col("calls")),
    )
    island = pl.col("hour") - pl.int_range(pl.len(), dtype=pl.Int32).over("line")
    runs = (
        hours.sort("line", "hour")
        .group_by("line", island=island)
        .agg(
            begins=pl.col("begins").min(), ends=pl.col("ends").max(),
            calls=pl.col("calls").sum(), hours=pl.len(),
        )
        .with_columns(day=pl.col("begins") // DAY_S)
    )  # fmt: skip
    blocks = runs.sort(
        "hours", "calls", "begins", descending=[True, True, False]
    ).group_by("line", "day").agg(pl.col("begins", "ends", "calls", "hours").first())  # fmt: skip
    at = pl.col("begins") % DAY_S
    shifts = blocks.group_by("line").agg(
        block_days=pl.len(),
        block_hours_sum=pl.col("hours").clip(upper_bound=24).sum(),
        block_calls=pl.col("calls").sum(),
        shift_start_sd_min=at.std() / 60,
        shift_end_sd_min=(pl.col("ends") - pl.col("begins") + at).std() / 60,
    )
    return [clock, shifts, _edges(blocks, calls)]


def _edges(blocks: pl.LazyFrame, calls: pl.LazyFrame) -> pl.LazyFrame:
    length = pl.col("ends") - pl.col("begins")
    wide = blocks.filter((pl.col("calls") >= 10) & (length >= 2 * HOUR_S))
    near_start = pl.col("start") - pl.col("begins") <= 1800
    near_end = pl.col("ends") - pl.col("start") <= 1800
    sides = (
        calls.select("line", "start")
        .join(wide, on="line")
        .filter(pl.col("start").is_between("begins", "ends"))
        .group_by("line", "begins")
        .agg(pl.col("calls").first(), length=length.first(), edge=(near_start | near_end).sum())
    )
    expected = (pl.col("calls").cast(pl.Int64) - 2) * 2000 * 1800 // pl.col("length")
    return sides.group_by("line").agg(
        edge_calls=(pl.col("edge").cast(pl.Int64) - 2).sum(), edge_expected_milli=expected.sum()
    )


def _busiest_texts(events: pl.LazyFrame) -> pl.LazyFrame:
    texts = events.filter(SMS_MO).with_columns(one=pl.lit(1))
    hour = pl.col("one").rolling_sum_by("start", "3600i").over("line")
    counted = texts.with_columns(n=hour)
    return counted.group_by("line").agg(sms_mo_hour_max=pl.col("n").max())


def _at_once(events: pl.LazyFrame) -> pl.LazyFrame:
    talks = events.filter(pl.col("duration") > 0)
    ends = pl.col("start") + pl.col("duration")
    marks = pl.concat(
        [
            talks.select("line", at="start", delta=pl.lit(1, pl.Int8)),
            talks.select("line", at=ends, delta=pl.lit(-1, pl.Int8)),
        ]
    ).sort("line", "at", "delta")
    running = marks.with_columns(n=pl.col("delta").cast(pl.Int32).cum_sum().over("line"))
    return running.group_by("line").agg(at_once=pl.col("n").max())


def _contacts(events: pl.LazyFrame, calls: pl.LazyFrame) -> pl.LazyFrame:
    pairs = _pairs(events)
    middle = calls.filter(
        pl.col("rank") == (pl.len().over("line") + 1) // 2, pl.len().over("line") > 1
    ).select("line", middle="pos")
    called, moc = pl.col("moc") > 0, pl.col("moc")
    long = called & (pl.col("other") >= 10**6)
    late = pl.col("first_pos") >= pl.col("middle")
    return pairs.join(middle, on="line", how="left").group_by("line").agg(
        called=called.sum(),
        called_calls=moc.sum(),
        called_once=(moc == 1).sum(),
        called_top1=moc.max(),
        called_top5=moc.top_k(5).sum(),
        called_entropy_bit=_entropy(moc.filter(called)),
        called_who_return=(called & (pl.col("calls_in") | pl.col("texts_in"))).sum(),
        callers=pl.col("calls_in").sum(),
        texted=pl.col("texted").sum(),
        texted_who_text=(pl.col("texted") & pl.col("texts_in")).sum(),
        texted_and_called=(pl.col("texted") & called).sum(),
        called_missed=pl.col("missed").sum(),
        redials=pl.col("redials").sum(),
        called_after_incoming=pl.col("after_incoming").sum(),
        moc_day_contacts=pl.col("moc_days").sum(),
        called_who_call_back=pl.col("returned").sum(),
        missed_who_call_back=pl.col("missed_returned").sum(),
        late_calls_new=moc.filter(late).sum(),
        called_digits=long.sum(),
        called_blocks=(pl.col("other") // 10_000).filter(long).n_unique(),
    )  # fmt: skip


def _entropy(counts: pl.Expr) -> pl.Expr:
    """Shannon entropy in bits."""
    n = counts.cast(pl.Float64)
    return n.sum().log(2) - (n * n.log(2)).sum() / n.sum()


def _pairs(events: pl.LazyFrame) -> pl.LazyFrame:
    """Each line and party, with what passed between them in order of time."""
    pair = ("line", "other")
    missed = MOC & ~pl.col("answered")
    met = (
        events.select(*pair, "pos", "t", "start", "day", "answered")
        .with_columns(
            call=pl.when(MOC).then("start").forward_fill().shift().over(pair),
            call_missed=pl.when(MOC).then(missed).forward_fill().shift().over(pair),
            known=(MTC | SMS_MT).cum_max().shift().over(pair),
        )
        .with_columns(since=pl.col("start") - pl.col("call"))
    )
    soon = MTC & (pl.col("since") <= DAY_S)
    return met.group_by(pair).agg(
        first_pos=pl.col("pos").min(),
        moc=MOC.sum(),
        moc_days=pl.col("day").filter(MOC).n_unique(),
        calls_in=MTC.any(),
        texted=SMS_MO.any(),
        texts_in=SMS_MT.any(),
        missed=missed.any(),
        redials=(MOC & pl.col("call_missed") & (pl.col("since") <= HOUR_S)).sum(),
        after_incoming=(MOC & pl.col("known")).sum(),
        returned=soon.any(),
        missed_returned=(soon & pl.col("call_missed")).any(),
    )


def _devices(events: pl.LazyFrame) -> list[pl.LazyFrame]:
    uses = events.group_by("line", "handset", "sim").agg(pl.col("imei").first(), n=pl.len())
    handsets = (
        uses.group_by("handset")
        .agg(pl.col("imei").first(), handset_sims=pl.col("sim").n_unique())
        .sort("handset")
        .with_columns(invalid=_invalid(pl.col("imei")), neighbours=_neighbours())
    )
    of_line = uses.group_by("line", "handset").agg(pl.col("n").sum()).join(handsets, on="handset")
    changed = pl.col("handset") != pl.col("handset").shift().over("line")
    top = pl.col("handset").filter(pl.col("n") == pl.col("n").max()).min()
    return [
        of_line.group_by("line").agg(
            pl.col("handset_sims").max(), handset_neighbours=pl.col("neighbours").max(),
            handsets_invalid=pl.col("invalid").sum(),
            handsets=pl.len(), top_imei=top.cast(pl.String).str.zfill(14),
        ),
        uses.group_by("line").agg(sims=pl.col("sim").n_unique()),
        events.select("line", changed=changed).group_by("line").agg(
            handset_changes=pl.col("changed").sum()
        ),
    ]  # fmt: skip


def _neighbours() -> pl.Expr:
    """Other handsets within 8 of the serial under the TAC, handsets sorted."""
    serial, tac = pl.col("handset").cast(pl.Int64), pl.col("handset") // 10**6
    near = [
        (serial.shift(k).over(tac) - serial).abs() <= 8 for k in range(-8, 9) if k
    ]  # serials differ, so no more than eight a side can be near
    return pl.sum_horizontal(n.fill_null(value=False).cast(pl.Int64) for n in near)


def _invalid(imei: pl.Expr) -> pl.Expr:
    """A wrong check digit, a zero TAC, or one repeated digit."""
    digits = [imei // 10 ** (15 - place) % 10 for place in range(1, 15)]
    doubled = [d if i % 2 == 0 else d * 2 // 10 + d * 2 % 10 for i, d in enumerate(digits)]
    check = (10 - pl.sum_horizontal(doubled) % 10) % 10
    wrong = imei % 10 != check
    return wrong | (imei // 10 < 10**6) | (imei // 10 % 11111111111111 == 0)


def _passed(events: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Turns and overlaps of the SIMs that share a handset."""
    sims = events.group_by("handset").agg(sims=pl.col("sim").n_unique())
    calls = (
        events.filter(MOC | MTC)
        .join(sims.filter(pl.col("sims") > 1), on="handset", how="semi")
        .select("line", "handset", "sim", "start", ends=pl.col("start") + pl.col("duration"))
        .sort("handset", "start", "sim")
        .with_row_index("call")
    )
    turn = pl.col("sim") != pl.col("sim").shift().over("handset")
    talks = calls.filter(pl.col("ends") > pl.col("start"))
    both = talks.join(talks, on="handset", suffix="_b").filter(
        pl.col("sim") != pl.col("sim_b"),
        pl.col("start") < pl.col("ends_b"),
        pl.col("start_b") < pl.col("ends"),
    )
    return [
        calls.with_columns(turn=turn).group_by("line").agg(handset_turns=pl.col("turn").sum()),
        both.group_by("line").agg(handset_overlaps=pl.col("call").n_unique()),
    ]


def _features(lines: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """One row a line: what it is, then the ratios that simbox declares, on the counts above."""
    counts = cs.by_dtype(pl.UInt32, pl.Int32, pl.Int64) - cs.ends_with("_s")
    gap_cv = pl.col("gap_sd_s") * pl.col("gaps") / pl.col("gap_s")
    measures = lines.with_columns(counts.fill_null(0).cast(pl.Int64)).with_columns(
        pl.lit(value=True).alias(f"can_{name}") for name in ABILITIES
    ).with_columns(
        pl.col("talked_s").fill_null(0),
        placed="events",
        placed_days="days",
        handset_events="events",
        handset_calls=pl.col("moc") + pl.col("mtc"),
        handsets_digits="handsets",
        late_calls=pl.col("called_calls") // 2,
        at_once=pl.col("at_once").clip(1),
        gap_cv=pl.when((pl.col("gaps") >= 3) & (pl.col("gap_s") > 0)).then(gap_cv),
        shift_start_sd_min=pl.when(pl.col("block_days") >= 3).then("shift_start_sd_min"),
        shift_end_sd_min=pl.when(pl.col("block_days") >= 3).then("shift_end_sd_min"),
        after_start_s=pl.col("first_s") - first,
        before_end_s=last - pl.col("last_s"),
        first_out_s=pl.col("out_s") - pl.col("first_s"),
        out_after_start_s=pl.col("out_s") - first,
        window_days=pl.lit(max(last - first, 1) / DAY_S),
    )  # fmt: skip
    return measures.select(
        pl.col("line").cast(pl.String),
        pl.lit("mobile").alias("segment"),
        "events", "moc", "mtc", "sms_mo", "sms_mt",
        pl.from_epoch("first_s").alias("first_seen"),
        pl.from_epoch("last_s").alias("last_seen"),
        pl.col("days").alias("active_days"),
        "top_cell", "top_imei",
        *(features()[name].expression() for name in compared()),
    )  # fmt: skip
