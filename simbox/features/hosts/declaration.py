"""How a host is measured: views over the tables of captures, and features as expressions on them.

A host is an address that is not known to be far; :class:`simbox.features.declaration.Feature` says
what one number about it is.  A column that a view has no row for is null: not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from simbox.features.declaration import Feature, collect, declared
from simbox.features.hosts.seen import Seen


@dataclass(frozen=True)
class HostView:
    """A named pass over what was seen and the columns that it yields, one row a host."""

    name: str
    doc: str
    columns: Mapping[str, str]
    compute: Callable[[Seen], pl.DataFrame]


@cache
def views() -> tuple[HostView, ...]:
    """All views of hosts, in the order of their names."""
    found = declared("simbox.features.hosts.views", "VIEW")
    return tuple(sorted(found, key=lambda view: view.name))


@cache
def features() -> Mapping[str, Feature]:
    """All features of hosts by name, each checked against the columns of the views."""
    known = {name for view in views() for name in view.columns}
    return collect("simbox.features.hosts.families", known)
