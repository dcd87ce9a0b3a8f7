"""The cottage's four uplinks for ten minutes of its Wednesday shift, as its access node sees them.

The calls are those of the call records: the same cards, called numbers, starts and durations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from lab import gateway, goip, innocents, manifest
from lab.files import save
from lab.gateway import Gateway, Placed
from lab.identities import Line, line
from lab.innocents import Site
from lab.scene import Scene, rng_of
from lab.sip import Dial, place
from lab.wire import Link

from village.calls import BUSY, UNALLOCATED
from village.cottage import PORTS
from village.identities import Rng
from village.lines import DAY_S, HOUR_S, Lines

DAY, MINUTES = 2, 10.0
OPENS_S = round(10.5 * HOUR_S)  # after midnight, local time
UTC_OFFSET_S = 8 * HOUR_S
PORTS_A_BOX = 8
ADDRESSES = ("192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14")
NEIGHBOUR = "192.0.2.31"  # a household with a VoIP box
SETUP_S, BACK_S = 0.3, 12.0  # INVITE to the start of the leg; how long who rings back waits

Row = dict[str, object]


@dataclass(frozen=True)
class Uplink:
    """One box and the cards in its ports, by what the records call their lines."""

    box: Gateway
    cards: list[Line]


def access_link(folder: Path, midnight: datetime, group: Lines, rows: pl.DataFrame) -> list[Path]:
    """Write the capture, and the truth, of the cottage's lines out of the rows of everybody."""
    opens = midnight + timedelta(days=DAY, seconds=OPENS_S)
    epoch = (opens - datetime(1970, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001  # local time
    macs = {address: goip.mac(address) for address in ADDRESSES}
    scene = Scene(Link(macs=macs), epoch - UTC_OFFSET_S, MINUTES * 60)
    window = rows.filter(
        pl.col("start") >= opens, pl.col("start") < opens + timedelta(minutes=MINUTES)
    ).with_columns(at=(pl.col("start") - opens).dt.total_seconds())
    for uplink in _uplinks(group, rows):
        _play(scene, uplink, window)
    innocents.home_voip(scene, Site(NEIGHBOUR, MINUTES, 35))
    path, labels = folder / "fengxian" / "access-link.pcap.zst", folder / "fengxian-hosts-truth.csv"
    save(scene, path)
    manifest.write_truth(labels, ((path.name, told) for told in scene.truth))
    return [path, labels]


def _uplinks(group: Lines, rows: pl.DataFrame) -> Iterator[Uplink]:
    """The boxes with the cards that are in their ports on the day."""
    own = rows.filter(pl.col("msisdn").is_in(group.number.astype(str).tolist()))
    area, cell = own["cell"].drop_nulls().mode().sort()[0].split("-")[2:]
    cards = [_card(group, card) for card in range(PORTS)]
    for number, address in enumerate(ADDRESSES):
        mine = cards[number * PORTS_A_BOX : (number + 1) * PORTS_A_BOX]
        box = Gateway(
            ports=len(mine),
            minutes=MINUTES,
            seed=11 + number,
            address=address,
            rings_back=0.0,
            boots=False,
            cell=(int(area), int(cell)),
        )
        yield Uplink(box, mine)


def _card(group: Lines, card: int) -> Line:
    """A card in its port, with the IMEI that it shows on the day."""
    later = int(group.handset_change[card] <= DAY * DAY_S + OPENS_S)
    imei = f"{group.imei[card, later]:015d}"
    found = line(card + 1, str(group.number[card]), f"{group.imsi[card]:015d}", imei)
    return replace(found, port=card % PORTS_A_BOX + 1)


def _play(scene: Scene, uplink: Uplink, window: pl.DataFrame) -> None:
    """A box of eight ports, its calls and the people who ring its cards back."""
    rng = rng_of(uplink.box.seed, "uplink")
    calls: list[Placed] = []
    for card in uplink.cards:
        legs = window.filter(pl.col("msisdn") == card.number).sort("at")
        out = legs.filter(pl.col("event_type") == "MOC").to_dicts()
        calls += _calls(rng, card, out)
        for row in legs.filter(pl.col("event_type") == "MTC").to_dicts():
            caller = str(row["other"] or "anonymous")
            back = Dial(
                float(row["at"]),
                caller,
                card.account,
                0.3,
                BACK_S,
                outcome="cancelled",
                early=False,
            )
            place(scene, rng, (uplink.box.agent, uplink.box.softswitch(0)), back)
    gateway.run(scene, uplink.box, uplink.cards, calls)


def _calls(rng: Rng, card: Line, rows: list[Row]) -> Iterator[Placed]:
    """The card's calls out; ringing ends before the port is needed again."""
    following = [float(str(row["at"])) for row in rows[1:]] + [np.inf]
    for row, then in zip(rows, following, strict=False):
        at, talk = float(str(row["at"])), float(str(row["duration"] or 0))
        room = min(then - at - talk - 1, 38.0)
        setup = float(np.clip(np.exp(rng.normal(np.log(4.6), 0.25)), 1, max(room / 2, 1)))
        outcome = "answered" if talk else _outcome(rng, str(row["cause"]))
        dial = Dial(
            at=max(at - SETUP_S, 0.1),
            caller=str(int(rng.integers(10**7, 10**8))),
            called=str(row["other"]),
            setup=setup,
            ring=float(rng.uniform(1, max(room - setup, 2))),
            talk=talk,
            outcome=outcome,
            hangup="called" if rng.random() < 0.6 else "caller",
        )
        yield Placed(card.port, 0, dial)


def _outcome(rng: Rng, cause: str) -> str:
    """What a cause of the records looks like in SIP."""
    known = {str(BUSY): "busy", str(UNALLOCATED): "unknown"}
    return known.get(cause, str(rng.choice(["no answer", "cancelled"])))
