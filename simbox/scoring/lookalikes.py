"""Legitimate lines that look like gateways, and the evidence that speaks for them.

A look-alike holds as far as its weakest condition.  So a gateway that wants to pass for one has
to fake the dearest condition, and each declaration says what that would cost.  The conditions'
ramps and the weights stand in the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simbox.config import LookalikeWeight
from simbox.errors import ConfigError, did_you_mean
from simbox.scoring.grades import Floats, column


@dataclass(frozen=True)
class Lookalike:
    """A kind of ordinary line that shares signals with gateways."""

    name: str
    doc: str
    cost: str  # what a gateway would pay to fake it
    needs: tuple[str, ...]  # features without which nothing is said
    checks: tuple[str, ...] = ()  # features that must agree where they are measured

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every feature that it looks at."""
        return self.needs + self.checks


LOOKALIKES = (
    Lookalike(
        "called_back",
        "Called people ring back within a day, are answered, and talk.",
        "Victims cannot be made to ring back; a gang's own SIMs are a few dozen against hundreds "
        "of called numbers, and every minute they talk to each other a port earns nothing.",
        needs=("callback_share", "answered_in_share"),
        checks=("out_talk_share",),
    ),
    Lookalike(
        "answers",
        "Several people call in, and are answered.",
        "A port that answers earns nothing meanwhile; a gang's own SIMs can call each other, which "
        "shows as calls inside a site.",
        needs=("callers_share", "answered_in_share"),
    ),
    Lookalike(
        "dispatcher",
        "Many different people call in, are answered, and are called in return.",
        "Distinct callers cannot be bought, and outgoing calls that answer earlier incoming ones "
        "carry no sold traffic.",
        needs=("callers_share", "answered_in_share", "prior_incoming_share"),
        checks=("out_talk_share",),
    ),
    Lookalike(
        "acquaintances",
        "A circle of people who call and are called, and who get most of the calls.",
        "Each part is cheap among a gang's own SIMs; together they mean that hardly any call went "
        "to a stranger.",
        needs=("reciprocity", "callers_share", "top5_share"),
    ),
    Lookalike(
        "steady_contacts",
        "Most calls go to numbers that the line has called before, as a firm's do.",
        "A family list that makes up most of the calls costs most of the traffic.",
        needs=("new_contact_share", "calls_per_contact"),
        checks=("imei_turns_per_day",),
    ),
    Lookalike(
        "tiny_called_set",
        "A machine that calls one to five numbers and nobody else.",
        "No traffic can be sold over five numbers.",
        needs=("top5_share", "distinct_per_day"),
    ),
    Lookalike(
        "moves_about",
        "Many cells a day along a way, with pauses between calls, on one handset.",
        "A box can be driven about, and SIMs can be dealt to far ports; but not with idle ports, "
        "without flapping between two sectors and without jumps.",
        needs=("cells_per_day", "cell_change_share"),
        checks=(
            "cell_return_share", "erlang_active", "back_to_back", "sims_per_imei",
            "impossible_hops",
        ),
    ),
    Lookalike(
        "redials",
        "Unanswered calls are tried again and people are called repeatedly, by a line that stays.",
        "Redials are cheap, so they count only with contacts that recur and with a long life; "
        "the weight is what a gateway may gain by it.",
        needs=("redial_share", "calls_per_contact", "life_share"),
        checks=("imei_turns_per_day",),
    ),
    Lookalike(
        "broadcast",
        "One announcement on one or two days: calls of nearly equal length that are heard out.",
        "Conversations that strangers pay for differ in length.",
        needs=("burst_share", "duration_cv", "answer_ratio"),
        checks=("short_share",),
    ),
    Lookalike(
        "shared_phone",
        "A payphone or a village's phone: its callers' own contacts, who pick up, with pauses.",
        "Recurring contacts cost traffic and pauses cost port time.",
        needs=("calls_per_contact", "answer_ratio", "gap_median", "new_contact_share"),
        checks=("imei_turns_per_day",),
    ),
    Lookalike(
        "two_way_texting",
        "Texts go both ways with people who also call and are called.",
        "Mutual texts among a gang's SIMs are cheap, so the calls must go to the same people.",
        needs=("sms_two_way", "sms_person_share", "sms_called_overlap", "reciprocity"),
    ),
)  # fmt: skip


def check_lookalike(lookalike: Lookalike, weight: LookalikeWeight, where: str) -> None:
    """Make sure that the configuration anchors just the conditions of a look-alike.

    Raises:
        ConfigError: an anchor is missing, or stands for another feature.
    """
    where = f"{where}.anchors"
    for name in lookalike.conditions:
        if name not in weight.anchors:
            raise ConfigError(f"{where}: '{name}' is missing; add {name} = [none, full]")
    for name in weight.anchors:
        if name not in lookalike.conditions:
            hint = did_you_mean(name, lookalike.conditions)
            raise ConfigError(f"{where}: '{name}' is no condition of it.{hint}")


def lookalike_grade(frame: pl.DataFrame, lookalike: Lookalike, weight: LookalikeWeight) -> Floats:
    """The grade of a look-alike's weakest condition; NaN where a needed feature is missing."""
    weakest = np.ones(frame.height)
    for name in lookalike.conditions:
        none, full = weight.anchors[name]
        held = np.clip((column(frame, name) - none) / (full - none), 0.0, 1.0)
        if name in lookalike.checks:
            held = np.where(np.isnan(held), 1.0, held)
        weakest = np.minimum(weakest, held)
    return np.asarray(weakest)
