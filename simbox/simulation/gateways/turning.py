"""Rooms whose cards take turns: rotation, an IMEI a card, SIM banks, and people imitated."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from simbox.simulation.attempts import DAY_S, HOUR_S, MINUTE_S, Ints, Rng
from simbox.simulation.gateways.gang import gather
from simbox.simulation.gateways.seating import Recipe, seat
from simbox.simulation.gateways.standing import flaps, hours_of, one, room_cells, some_scam
from simbox.simulation.gateways.stock import DISGUISED
from simbox.simulation.gateways.strategy import habits
from simbox.simulation.geography import SECTORS
from simbox.simulation.group import Group
from simbox.simulation.surroundings import Surroundings

MOST_CARDS = 200


def far_cells(rng: Rng, around: Surroundings, places: int, ports: int) -> Ints:
    """Cells of ports at several places: in one district, or all over the country.

    Every place has a port at least, so `ports` must not be less than `places`.
    """
    country = around.country
    if rng.random() < 0.5:
        home = int(country.homes(rng, 1)[0]) // SECTORS
        masts = rng.choice(np.r_[home, country.near[home]], places, replace=False)
    else:
        masts = rng.choice(country.masts, places, replace=False, p=country.pull)
    cells = masts * SECTORS + rng.integers(0, SECTORS, places)
    share = np.r_[np.arange(places), rng.integers(0, places, ports - places)]
    return np.asarray(cells[share])


def _rotating(rng: Rng, around: Surroundings, *, scam: bool) -> Recipe:
    """Few ports and several times as many cards."""
    ports = int(one(rng, 2, 9))
    return Recipe(
        cells=room_cells(rng, around, ports),
        sessions=hours_of(rng, around, scam=scam),
        slots=min(MOST_CARDS, int(ports * rng.uniform(2, 8))),
        every_s=one(rng, 8, 240) * MINUTE_S,
        order="robin" if rng.random() < 0.5 else "chance",
        life_s=one(rng, 2, 30) * DAY_S,
        rests=rng.uniform(0, 0.1),
        flap=flaps(rng),
        lent=rng.uniform(0, 0.3),
        together_s=one(rng, 20, 1200),
    )


def build_rotation(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Cards in turn on few ports, each with the identity of the port that it is in."""
    scam = some_scam(rng, count, 0.45)
    recipes = [_rotating(rng, around, scam=strangers) for strangers in scam.tolist()]
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.1, 0.9), (0.0, 0.2))
    return gather("gateway/rotation", manners, seats, around, first)


def build_imei_per_sim(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Cards in turn on few ports, an identity of its own written for each."""
    scam = some_scam(rng, count, 0.45)
    recipes = []
    for strangers in scam.tolist():
        base = _rotating(rng, around, scam=strangers)
        imei: Literal["card", "turn"] = "card" if rng.random() < 0.75 else "turn"
        recipes.append(replace(base, imei=imei, sources=DISGUISED))
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.1, 0.9), (0.0, 0.2))
    return gather("gateway/imei_per_sim", manners, seats, around, first)


def build_sim_bank(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Cards in a bank, radio ports in three and more cells, cards sent from one to another."""
    scam = some_scam(rng, count, 0.35)
    recipes = []
    for strangers in scam.tolist():
        ports = int(one(rng, 8, 49))
        places = int(rng.integers(3, min(9, ports // 2 + 1)))
        recipes.append(
            Recipe(
                cells=far_cells(rng, around, places, ports),
                sessions=hours_of(rng, around, scam=strangers),
                slots=min(MOST_CARDS, int(ports * rng.uniform(1.2, 4))),
                every_s=one(rng, 0.7, 12) * HOUR_S,
                order="robin" if rng.random() < 0.4 else "chance",
                imei="card" if rng.random() < 0.5 else "port",
                life_s=one(rng, 3, 40) * DAY_S,
                rests=rng.uniform(0, 0.2),
                flap=flaps(rng),
                lent=rng.uniform(0, 0.3),
                together_s=one(rng, 20, 1800),
            )
        )
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.1, 0.9), (0.0, 0.3))
    return gather("gateway/sim_bank", manners, seats, around, first)


def _imitating(rng: Rng, around: Surroundings, *, scam: bool, places: int) -> Recipe:
    """Cards that go to another place some times a day, at people's pace."""
    ports = max(places, int(one(rng, 4, 25)))
    return Recipe(
        cells=far_cells(rng, around, places, ports),
        sessions=hours_of(rng, around, scam=scam),
        slots=int(ports * rng.uniform(1, 3)),
        every_s=one(rng, 1.5, 10) * HOUR_S,
        order="chance",
        imei="card" if rng.random() < 0.8 else "port",
        sources=DISGUISED,
        life_s=one(rng, 6, 60) * DAY_S,
        rests=rng.uniform(0.05, 0.35),
        flap=flaps(rng),
        lent=rng.uniform(0.05, 0.5),
        together_s=one(rng, 120, 7200),
    )


def build_human_like(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Rooms that simulate people: mutual calls and texts, family lists, moves, few calls a day."""
    scam = some_scam(rng, count, 0.5)
    recipes = [
        _imitating(rng, around, scam=strangers, places=int(rng.integers(1, 5)))
        for strangers in scam.tolist()
    ]
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.5, 1.0), (0.55, 1.0))
    return gather("gateway/human_like", manners, seats, around, first)


def build_combined(rng: Rng, count: int, around: Surroundings, first: int) -> Group:
    """Every evasion at once: bank, places, identities of phones, people's pace and company."""
    scam = some_scam(rng, count, 0.5)
    recipes = []
    for strangers in scam.tolist():
        base = _imitating(rng, around, scam=strangers, places=int(rng.integers(3, 7)))
        every = one(rng, 0.5, 6) * HOUR_S
        slots = min(MOST_CARDS, int(base.ports * rng.uniform(2, 6)))
        recipes.append(replace(base, imei="card", slots=slots, every_s=every))
    seats = [seat(rng, recipe, around) for recipe in recipes]
    manners = habits(rng, recipes, scam, (0.75, 1.0), (0.7, 1.0))
    return gather("gateway/combined", manners, seats, around, first)
