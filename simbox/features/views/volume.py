"""How much a line calls and texts, with whom by class of number, and how its calls end."""

from __future__ import annotations

import numpy as np

from simbox.features.context import Context
from simbox.features.declaration import Measures, View
from simbox.features.events import Events
from simbox.features.segments import Array, count, count_where, total
from simbox.identifiers import PERSON_CLASSES, NumberClass
from simbox.tables import Kind

_CLASSES = 16
#: Q.850: unallocated number, no route to destination, number changed, invalid number format.
DEAD_CAUSES = (1, 3, 22, 28)


def _by_kind(events: Events) -> Measures:
    answer_and_type = (events.kind & 15).astype(np.int64)
    table = count(events.line * np.int64(16) + answer_and_type, events.lines * 16)
    table = table.reshape(events.lines, 4, 4)  # [line, answer, type]
    totals = table.sum(axis=1)
    return {
        "moc": totals[:, Kind.MOC],
        "mtc": totals[:, Kind.MTC],
        "sms_mo": totals[:, Kind.SMS_MO],
        "sms_mt": totals[:, Kind.SMS_MT],
        "moc_answered": table[:, Kind.YES, Kind.MOC],
        "moc_unanswered": table[:, Kind.NO, Kind.MOC],
        "mtc_answered": table[:, Kind.YES, Kind.MTC],
        "mtc_unanswered": table[:, Kind.NO, Kind.MTC],
    }


def _by_class(events: Events) -> Measures:
    moc = events.moc
    key = events.line[moc] * np.int64(_CLASSES) + events.party_class[moc]
    called = count(key, events.lines * _CLASSES).reshape(events.lines, _CLASSES)
    texts = np.flatnonzero(events.event_type == Kind.SMS_MT)
    people = np.isin(events.party_class[texts], PERSON_CLASSES)
    told = called.sum(axis=1) - called[:, NumberClass.HASHED] - called[:, NumberClass.WITHHELD]
    short = called[:, NumberClass.SHORT] + called[:, NumberClass.SERVICE]
    return {
        "moc_onnet": called[:, NumberClass.ONNET],
        "moc_offnet": called[:, NumberClass.OFFNET],
        "moc_fixed": called[:, NumberClass.FIXED],
        "moc_international": called[:, NumberClass.INTERNATIONAL],
        "moc_service": short,
        "moc_classed": told - called[:, NumberClass.UNKNOWN],
        "sms_mt_people": count_where(events.line[texts], people, events.lines),
    }


def _causes(events: Events) -> Measures:
    moc = events.moc
    cause = events.cause[moc]
    line = events.line[moc]
    return {
        "moc_caused": count_where(line, cause > 0, events.lines),
        "moc_dead": count_where(line, np.isin(cause, DEAD_CAUSES), events.lines),
    }


def _talk(events: Events, event_type: int) -> Array:
    talked = (events.duration > 0) & (events.answer != Kind.NO)  # else it rang that long
    rows = np.flatnonzero((events.event_type == event_type) & talked)
    return total(events.line[rows], events.duration[rows], events.lines)


def _able(events: Events, context: Context) -> Measures:
    abilities = context.abilities()
    if len(context.feeds) < 2:
        return {f"can_{n}": np.full(events.lines, bool(a.any())) for n, a in abilities.items()}
    feeds = np.bitwise_or.reduceat(np.uint32(1) << events.feed, events.first_row)
    powers = np.uint32(1) << np.arange(len(context.feeds), dtype=np.uint32)
    return {f"can_{n}": (feeds & powers[able].sum()) > 0 for n, able in abilities.items()}


def compute(events: Events, context: Context) -> Measures:
    """Counts by event type, answer, class of the called number and release cause."""
    return {
        **_by_kind(events),
        **_by_class(events),
        **_causes(events),
        "talk_out_s": _talk(events, Kind.MOC),
        "talk_in_s": _talk(events, Kind.MTC),
        **_able(events, context),
    }


VIEW = View(
    name="volume",
    doc="Counts of a line's events by type, answer, class of number and cause.",
    columns={
        "moc": "outgoing calls",
        "mtc": "incoming calls",
        "sms_mo": "texts sent",
        "sms_mt": "texts received",
        "moc_answered": "outgoing calls that were answered",
        "moc_unanswered": "outgoing calls known not to be answered",
        "mtc_answered": "incoming calls that were answered",
        "mtc_unanswered": "incoming calls known not to be answered",
        "moc_onnet": "outgoing calls to the own network",
        "moc_offnet": "outgoing calls to other mobile networks of the country",
        "moc_fixed": "outgoing calls to fixed lines",
        "moc_international": "outgoing calls abroad",
        "moc_service": "outgoing calls to short codes and service numbers",
        "moc_classed": "outgoing calls whose number the profile can class",
        "sms_mt_people": "texts received from numbers that people have",
        "moc_caused": "outgoing calls with a release cause",
        "moc_dead": "outgoing calls to numbers that do not exist (Q.850 causes 1, 3, 22, 28)",
        "talk_out_s": "seconds talked in outgoing calls",
        "talk_in_s": "seconds talked in incoming calls",
    },
    compute=compute,
)
