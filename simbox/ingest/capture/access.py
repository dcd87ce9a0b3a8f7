"""Which addresses stand on the access side: subscribers' hosts, and not what serves them.

Only firm ground calls an address far, for what is far is not scored: a network given by the
operator, a registrar of several hosts, a server of many callers, or an end that speaks with
nobody but devices that showed themselves.  Where the traffic does not tell, both ends stay
candidates.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from functools import lru_cache

import polars as pl

ACCESS, FAR, UNKNOWN = "access", "far", "unknown"
DEVICE = (ACCESS, "device")
SIDES: dict[str, pl.DataType | type[pl.DataType]] = {
    "host": pl.String,
    "side": pl.Enum((ACCESS, FAR, UNKNOWN)),
    "reason": pl.String,
}
REGISTRANTS = 3  # hosts that register at one address; gateways take one or two trunks
SERVED = 16  # callers or called hosts of one address; a gateway has a few customers
SERVED_TIMES = 4  # and as many times more than its typical peer has
MOST_REMEMBERED = 1 << 16  # addresses that are remembered as private or not, about 10 MB

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                "169.254.0.0/16", "fc00::/7", "fe80::/10")
)  # fmt: skip
_PRIVATE_IPV4 = [
    (int(net.network_address), int(net.netmask)) for net in _PRIVATE if net.version == 4
]


@lru_cache(maxsize=MOST_REMEMBERED)
def private(host: str) -> bool:
    """An address behind a router or a carrier's NAT (RFC 1918, 4193, 6598)."""
    try:
        number = int.from_bytes(socket.inet_pton(socket.AF_INET, host))  # the fast way
    except (OSError, ValueError):
        return within(host, _PRIVATE)
    return any(number & mask == first for first, mask in _PRIVATE_IPV4)


def within(host: str, networks: Sequence[Network]) -> bool:
    """The address is in one of the networks; False for what is no address."""
    address = _address(host)
    return address is not None and any(
        address.version == net.version and address in net for net in networks
    )


def access_side(
    tables: Mapping[str, pl.DataFrame], networks: Sequence[Network] | None = None
) -> pl.DataFrame:
    """Every address of a run with its side and the reason.

    Args:
        tables: canonical tables by name; of dialogs, streams, sightings, evidence and windows
            those that there are.
        networks: the access networks as the operator tells them; what is outside is far.

    Returns:
        Columns of SIDES, by host.
    """
    pairs = _pairs(tables)
    hosts = sorted({*pairs["a"].unique(), *_devices(tables)})
    if networks:
        told = {h: (ACCESS if within(h, networks) else FAR, "told") for h in hosts}
        return _frame(told)
    sides = _by_role(tables, hosts)
    of_each = pairs.group_by("a").agg("b")
    peers = dict(zip(of_each["a"].to_list(), of_each["b"].to_list(), strict=True))
    sides |= _by_address(peers, sides)
    sides |= _by_company(peers, sides)
    return _frame({h: sides.get(h, (UNKNOWN, "the traffic does not tell")) for h in hosts})


def _frame(sides: Mapping[str, tuple[str, str]]) -> pl.DataFrame:
    rows = [(host, side, reason) for host, (side, reason) in sorted(sides.items())]
    return pl.DataFrame(rows, schema=SIDES, orient="row")


def _address(host: str) -> Address | None:
    try:
        return ipaddress.IPv4Address(socket.inet_pton(socket.AF_INET, host))  # the fast way
    except (OSError, ValueError):
        pass
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _pairs(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Which addresses speak with each other, each pair both ways."""
    ends = [("dialogs", "src", "dst"), ("streams", "src", "dst"), ("windows", "src", "dst"),
            ("sightings", "host", "peer"), ("evidence", "host", "peer")]  # fmt: skip
    found = [
        tables[name].select(pl.col(a).alias("a"), pl.col(b).alias("b")).drop_nulls().unique()
        for name, a, b in ends
        if name in tables
    ]
    if not found:
        return pl.DataFrame(schema={"a": pl.String, "b": pl.String})
    there = pl.concat(found).filter(pl.col("a") != "", pl.col("b") != "")
    return pl.concat([there, there.select(a="b", b="a")]).unique().sort("a", "b")


def _devices(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """Hosts that showed themselves as a gateway: by its protocols, or by a sure signature."""
    hosts: list[str] = []
    if "sightings" in tables:
        hosts += tables["sightings"]["host"].drop_nulls().unique().to_list()
    if "evidence" in tables:
        sure = pl.col("grade").cast(pl.String).is_in(["conclusive", "strong"])
        if "kind" in tables["evidence"].columns:
            sure &= pl.col("kind").fill_null("gateway") == "gateway"
        hosts += tables["evidence"].filter(sure)["host"].drop_nulls().unique().to_list()
    return hosts


def _by_role(
    tables: Mapping[str, pl.DataFrame], hosts: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Sides by what a host does: the later reason is the stronger."""
    sides: dict[str, tuple[str, str]] = {}
    dialogs = tables.get("dialogs")
    if dialogs is not None and not dialogs.is_empty():
        registered = dialogs.filter(
            pl.col("method") == "REGISTER",
            pl.col("status_code").is_null() | pl.col("status_code").is_between(200, 299),
        ).select("src", "dst").unique()  # fmt: skip
        sides |= dict.fromkeys(registered["src"].to_list(), (ACCESS, "registers"))
        sides |= {h: (FAR, f"serves {n} hosts") for h, n in _servers(dialogs)}
        for host, registrants in registered.group_by("dst").agg("src").iter_rows():
            strangers = [r for r in registrants if not private(r) or private(host)]
            inside = (
                host in sides
                and sides[host][1] == "registers"
                and len(strangers) < len(registrants)
            )
            if len(strangers) >= REGISTRANTS and not inside:
                sides[host] = (FAR, f"registrar of {len(registrants)} hosts")
    known = set(hosts)
    sides |= {h: DEVICE for h in _devices(tables) if h in known}
    return sides


def _servers(dialogs: pl.DataFrame) -> list[tuple[str, int]]:
    """Hosts with many answered peers in signalling, each of which has few."""
    heard = dialogs.filter(pl.col("status_code").is_null() | (pl.col("status_code") < 400))
    there = heard.select(a="src", b="dst")
    both = pl.concat([there, there.select(a="b", b="a")]).unique()
    own = both.group_by("a").agg(pl.len().alias("peers"))
    of_peers = both.join(own.select(b="a", others="peers"), on="b")
    typical = of_peers.group_by("a").agg(pl.len().alias("peers"), pl.col("others").median())
    many = (pl.col("peers") >= SERVED) & (pl.col("peers") >= SERVED_TIMES * pl.col("others"))
    return typical.filter(many).sort("a").select("a", "peers").rows()


def _by_address(
    peers: Mapping[str, Sequence[str]], sides: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """Private addresses that speak with public ones: the router stands between."""
    found: dict[str, tuple[str, str]] = {}
    for host, others in peers.items():
        if host not in sides and private(host) and not all(map(private, others)):
            found[host] = (ACCESS, "private address")
    return found


def _by_company(
    peers: Mapping[str, Sequence[str]], sides: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """Hosts whose peers are all devices are on the other side.

    A peer that registers, or has a private address, is not enough: there are gateways at which
    the far side registers, and customers of a network call each other.
    """
    found: dict[str, tuple[str, str]] = {}
    for host, met in peers.items():
        others = [p for p in met if p != host] if host not in sides else []
        if others and all(sides.get(p) == DEVICE for p in others):
            found[host] = (FAR, "speaks only with devices")
    return found
