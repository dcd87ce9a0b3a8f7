"""Sites as rows of features for the site score, each given by what sets it apart."""

from __future__ import annotations

import polars as pl

from simbox.config import load
from simbox.pipeline.sites import site_families
from simbox.scoring.sites.score import ScoredSites, score_sites, site_scorecard

CONFIG = load()
CARD = site_scorecard(CONFIG, site_families())

#: A gateway room of sixteen cards; what a row of another kind does not name is as here.
GATEWAY: dict[str, float | None] = {
    "calls": 4000.0,
    "member_evidence": 25.0, "member_share": 1.0,
    "link_nats": 14.0, "site_lines": 16.0,
    "site_distinct_share": 0.97, "site_again_share": 0.01, "site_redial_share": 0.01,
    "site_incoming_share": 0.01, "site_answered_in_share": 0.0,
    "site_called_back_share": 0.0, "site_known_share": 0.0,
    "handset_nats": 7.0, "rhythm_nats": 6.0, "turn_nats": 6.0, "list_nats": 7.0, "move_nats": 0.0,
}  # fmt: skip
CALL_CENTRE = GATEWAY | {
    "member_evidence": 12.0, "handset_nats": 0.0, "list_nats": 2.0, "rhythm_nats": 5.0,
    "site_distinct_share": 0.70, "site_again_share": 0.20, "site_redial_share": 0.35,
    "site_incoming_share": 0.12, "site_answered_in_share": 0.80,
    "site_called_back_share": 0.06, "site_known_share": 0.05,
}  # fmt: skip
OFFICE = GATEWAY | {
    "member_evidence": 6.0, "member_share": 0.2, "handset_nats": 0.0, "list_nats": 0.0,
    "site_distinct_share": 0.40, "site_again_share": 0.50, "site_redial_share": 0.10,
    "site_incoming_share": 0.45, "site_answered_in_share": 0.90,
    "site_called_back_share": 0.25, "site_known_share": 0.30,
}  # fmt: skip
HOUSEHOLD = GATEWAY | {
    "calls": 60.0, "site_lines": 2.0, "member_evidence": 5.0, "handset_nats": 1.5,
    "site_distinct_share": 0.40, "site_again_share": 0.50, "list_nats": 0.0, "turn_nats": 2.0,
}  # fmt: skip
CROWD = GATEWAY | {
    "calls": 60.0, "member_evidence": 2.0, "member_share": 0.0, "link_nats": 5.0,
    "handset_nats": 0.0, "turn_nats": 1.0, "list_nats": 0.0, "rhythm_nats": 1.0,
}  # fmt: skip


def frame(**rows: dict[str, float | None]) -> pl.DataFrame:
    """The features of some sites by name."""
    data = [{"site": name, "segment": "site", **row} for name, row in rows.items()]
    schema = {"site": pl.String, "segment": pl.String, **dict.fromkeys(GATEWAY, pl.Float64)}
    return pl.DataFrame(data, schema=schema)


def scored(**rows: dict[str, float | None]) -> ScoredSites:
    return score_sites(frame(**rows), CARD)


def verdict(row: dict[str, float | None]) -> str:
    return str(scored(one=row).sites["status"].item())
