"""The codes of a profile turned round: how it spells event types, directions, answers, causes."""

from __future__ import annotations

from collections.abc import Mapping

from simbox.ingest.cdr.profile import Profile
from simbox.ingest.cdr.vocabulary import (
    ANSWERED_WORDS,
    BUILT_IN,
    CAUSE_NAMES,
    SIP_CAUSES,
    WORDS,
)
from simbox.simulation.attempts import ABSENT, BUSY, CLEARED, GAVE_UP, NO_ANSWER, UNALLOCATED

#: Causes that a source without a name for one prints in its place.
NEAREST = {
    CLEARED: (CLEARED,),
    UNALLOCATED: (UNALLOCATED, 28, 41, 34, NO_ANSWER),
    BUSY: (BUSY, NO_ANSWER),
    ABSENT: (ABSENT, 18, NO_ANSWER, 41),
    NO_ANSWER: (NO_ANSWER, 18, 102, GAVE_UP),
    GAVE_UP: (GAVE_UP, NO_ANSWER, 18),
}
#: Words that some columns are known by, where the built-in map of their codes knows several.
HABITS = {"interaction": {"sms": "text"}}
TEXT_SENT = "22"  # TS 29.002 clause 17.7.9: teleservice of a short message that a mobile sends


def spellings(profile: Profile, column: str, name: str = "") -> dict[int, str]:
    """Code of a vocabulary column -> the spelling that a source uses for it.

    Args:
        profile: whose words are taken.
        column: 'event_type', 'direction', 'service' or 'answered'.
        name: the source's own name of the column.
    """
    chosen = profile.values.get(column)
    if chosen is None:
        chosen = {"event_type": "event_type", "answered": "answered"}.get(column, column)
    words = BUILT_IN[chosen] if isinstance(chosen, str) else chosen
    codes = WORDS[column]
    found: dict[int, str] = {}
    for spelling, word in words.items():
        if word in codes:
            found.setdefault(codes[word], spelling)
    habits = HABITS.get(name, {})
    return found | {codes[word]: spelling for word, spelling in habits.items()}


def text_sent(profile: Profile) -> str | None:
    """The spelling of a text's service on the sender's side, where it has one of its own."""
    return TEXT_SENT if profile.values.get("service") == "teleservice" else None


def cause_spellings(profile: Profile, *, with_answers: bool) -> dict[int, str]:
    """Q.850 cause -> what the source prints for it, or for the nearest cause that it can name.

    Args:
        profile: whose causes are taken.
        with_answers: the column says whether the call was answered too.
    """
    if profile.causes == "q850":
        return {cause: str(cause) for cause in NEAREST}
    names = _names_of(profile)
    if with_answers:
        names = _telling(names, profile)
    by_code: dict[int, str] = {}
    for name, code in names.items():
        by_code.setdefault(code, name)
    found: dict[int, str] = {}
    for cause, nearest in NEAREST.items():
        hit = next((by_code[code] for code in nearest if code in by_code), None)
        if hit is not None:
            found[cause] = hit
    return found


def _names_of(profile: Profile) -> dict[str, int]:
    if profile.causes == "sip":
        return SIP_CAUSES
    own = profile.values.get("cause", {})
    stated = {name: int(code) for name, code in own.items()} if isinstance(own, dict) else {}
    return stated | CAUSE_NAMES


def _telling(names: Mapping[str, int], profile: Profile) -> dict[str, int]:
    """The names of causes that are words of the answer too, and agree with it."""
    answers = profile.value_map("answered")
    yes, no = ANSWERED_WORDS["yes"], ANSWERED_WORDS["no"]
    return {
        name: code
        for name, code in names.items()
        if answers.get(name.lower()) == (yes if code == CLEARED else no)
    }
