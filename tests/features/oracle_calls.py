"""Oracles of the views on single calls: volume, durations and pace."""

from __future__ import annotations

import polars as pl

from simbox.identifiers import PERSON_CLASSES, NumberClass

MOC, MTC = pl.col("type") == "MOC", pl.col("type") == "MTC"
SMS_MO, SMS_MT = pl.col("type") == "SMS_MO", pl.col("type") == "SMS_MT"
CALL, INCOMING = MOC | MTC, MTC | SMS_MT
UNANSWERED = MOC & ~pl.col("answered")


def volume(events: pl.DataFrame) -> pl.DataFrame:
    of_class = pl.col("party_class")
    people = of_class.is_in([int(c) for c in PERSON_CLASSES])
    short = of_class.is_in([NumberClass.SHORT, NumberClass.SERVICE])
    untold = of_class.is_in([NumberClass.UNKNOWN, NumberClass.HASHED, NumberClass.WITHHELD])
    talked = pl.col("duration").filter(pl.col("answered").fill_null(value=True))
    return events.group_by("line").agg(
        moc=MOC.sum(),
        mtc=MTC.sum(),
        sms_mo=SMS_MO.sum(),
        sms_mt=SMS_MT.sum(),
        moc_answered=(MOC & pl.col("answered")).sum(),
        moc_unanswered=(MOC & ~pl.col("answered")).sum(),
        mtc_answered=(MTC & pl.col("answered")).sum(),
        mtc_unanswered=(MTC & ~pl.col("answered")).sum(),
        moc_onnet=(MOC & (of_class == NumberClass.ONNET)).sum(),
        moc_offnet=(MOC & (of_class == NumberClass.OFFNET)).sum(),
        moc_fixed=(MOC & (of_class == NumberClass.FIXED)).sum(),
        moc_international=(MOC & (of_class == NumberClass.INTERNATIONAL)).sum(),
        moc_service=(MOC & short).sum(),
        moc_classed=(MOC & ~untold).sum(),
        sms_mt_people=(SMS_MT & people).sum(),
        moc_caused=(MOC & pl.col("cause").is_not_null()).sum(),
        moc_dead=(MOC & pl.col("cause").is_in([1, 3, 22, 28])).sum(),
        talk_out_s=talked.filter(MOC.filter(pl.col("answered").fill_null(value=True))).sum(),
        talk_in_s=talked.filter(MTC.filter(pl.col("answered").fill_null(value=True))).sum(),
    )


def abilities(events: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Which of the feeds that a line came through can show what; feeds as the store counts them."""
    event_type, answer = pl.col("kind") % 4, pl.col("kind") // 4 % 4
    able = stored.group_by(feed=pl.col("kind") // 256).agg(
        can_incoming=(event_type == 1).any(),
        can_attempts=((event_type == 0) & (answer == 0)).any(),
        can_offered=((event_type == 1) & (answer == 0)).any(),
        can_sms=(event_type == 3).any(),
        can_sms_out=(event_type == 2).any(),
        can_causes=(pl.col("cause") != 0).any(),
    )
    return events.join(able, on="feed").group_by("line").agg(pl.col("^can_.*$").any())


def durations(events: pl.DataFrame) -> pl.DataFrame:
    talked = events.filter(
        MOC & (pl.col("duration") > 0) & pl.col("answered").fill_null(value=True)
    )
    seconds = pl.col("duration")
    return talked.group_by("line").agg(
        talked=pl.len(),
        talked_s=seconds.sum(),
        talk_sd_s=seconds.std(),
        talk_median_s=seconds.median(),
        talked_short=(seconds < 15).sum(),
        talked_long=(seconds > 180).sum(),
    )


def pace(events: pl.DataFrame) -> pl.DataFrame:
    calls = events.filter(MOC)
    parts = [
        _gaps(calls),
        _busiest_hour(calls).rename({"most": "moc_hour_max", "talk": "moc_hour_talk_s"}),
        _busiest_hour(events.filter(SMS_MO)).select("line", sms_mo_hour_max="most"),
        _at_once(events),
    ]
    lines = events.select("line").unique()
    for part in parts:
        lines = lines.join(part, on="line", how="left")
    return lines


def _gaps(calls: pl.DataFrame) -> pl.DataFrame:
    end = pl.col("start") + pl.col("duration").fill_null(0)
    idle = (pl.col("start") - end.shift()).over("line", order_by="row").clip(0)
    inside = pl.col("idle").filter(pl.col("idle") < 3600)
    return (
        calls.with_columns(idle=idle)
        .group_by("line")
        .agg(
            successions=pl.col("idle").count(),
            gaps=inside.count(),
            gap_median_s=inside.median(),
            gap_cv=pl.when(inside.count() >= 3, inside.sum() > 0).then(
                inside.std() / inside.mean()
            ),
            back_to_back_calls=(pl.col("idle") <= 30).sum(),
        )
    )


def _busiest_hour(rows: pl.DataFrame) -> pl.DataFrame:
    """The fullest hour that ends with an event, its first second excluded."""
    talk = pl.when(pl.col("answered").fill_null(value=True)).then(pl.col("duration")).fill_null(0)
    rolled = (
        rows.with_columns(at=pl.from_epoch("start"), talk=talk)
        .sort("line", "row")
        .rolling("at", period="1h", group_by="line", closed="right")
        .agg(calls=pl.len(), talk=pl.col("talk").sum())
    )
    return rolled.group_by("line").agg(most=pl.col("calls").max(), talk=pl.col("talk").max())


def _at_once(events: pl.DataFrame) -> pl.DataFrame:
    """A call ends before another begins in the same second."""
    calls = events.filter(CALL & (pl.col("duration") > 0))
    begins = calls.select("line", at="start", change=pl.lit(1))
    ends = calls.select("line", at=pl.col("start") + pl.col("duration"), change=pl.lit(-1))
    open_calls = pl.col("change").cum_sum().over("line", order_by=["at", "change"])
    marks = pl.concat([begins, ends]).with_columns(open=open_calls)
    return marks.group_by("line").agg(at_once=pl.col("open").max())
