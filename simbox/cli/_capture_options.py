"""Options about packet captures and the hosts in them, and about what is ranked."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Ranking(StrEnum):
    """What is printed as CSV or JSON."""

    lines = "lines"
    hosts = "hosts"
    sites = "sites"


Access = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CIDR", help="Network of the access side, in captures; may be given several times."
    ),
]
Ranked = Annotated[
    Ranking | None,
    typer.Option("--ranking", help="What CSV and JSON hold. Default: lines; of captures, hosts."),
]
Evidence = Annotated[
    Path | None,
    typer.Option(
        "--evidence-pcap",
        metavar="FILE",
        help="Write the frames behind the reasons for hosts here, as pcapng without contents.",
    ),
]
Frame = Annotated[
    int | None,
    typer.Option("--frame", min=1, help="Take this frame of one capture apart instead."),
]
Map = Annotated[
    Path | None,
    typer.Option(
        "--geojson", metavar="FILE", help="Also write the sites as points of a map, with --cells."
    ),
]
