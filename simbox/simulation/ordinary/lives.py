"""Ways of life: how common each is and what it changes in a person's habits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simbox.simulation.attempts import Ints, Rng


@dataclass(frozen=True)
class Life:
    """One way of life; all but name and share multiply or shift what everybody draws."""

    name: str
    share: float  # of ordinary mobile lines
    activity: float = 1.0  # calls and texts
    spread: float = 0.85  # of the activity, natural logarithm
    circle: float = 1.0  # how many people one knows
    eager: float = 0.0  # above zero one rather calls than is called (log odds)
    writes: float = 1.0  # texts
    works: float = 0.62  # chance of a work place away from home
    roams: float = 1.0  # how often one is neither at home nor at work
    shift: float = 0.0  # hours that the day begins later
    errands: float = 1.0  # calls to shops and offices


LIVES: tuple[Life, ...] = (
    Life("person", 0.0),
    Life("second_sim", 0.022, activity=0.9, spread=1.2, writes=0.15, errands=1.5),
    Life("dual_sim", 0.075, circle=0.8),
    Life("rarely_called", 0.03, activity=0.8, spread=1.1, eager=3.8, circle=0.7),
    Life("rarely_calling", 0.02, activity=0.8, eager=-2.4),
    Life("homebody", 0.05, activity=0.8, works=0.0),
    Life("elderly", 0.06, activity=0.45, spread=0.9, circle=0.35, writes=0.1, works=0, roams=0.15),
    Life("child", 0.02, activity=0.4, circle=0.3, eager=-0.4, works=0.95, roams=0.4),
    Life("new_customer", 0.028, activity=1.1),
    Life("leaver", 0.02, activity=0.7),
    Life("heavy_user", 0.014, activity=7.5, spread=0.5, circle=1.8),
    Life("small_trader", 0.009, activity=1.8, circle=1.4, roams=1.6, errands=3),
    Life("job_seeker", 0.006, works=0.2, roams=1.5, errands=2),
    Life("night_worker", 0.014, works=0.95, shift=9.5),
    Life("traveller", 0.015, activity=1.2, roams=1.5),
    Life("new_phone", 0.022),
    Life("handed_on", 0.008),
    Life("organiser", 0.01, activity=1.2, circle=1.3),
)
NAMES: tuple[str, ...] = tuple(f"ordinary/{life.name}" for life in LIVES)
PLACE = {life.name: place for place, life in enumerate(LIVES)}
PERSON, SECOND_SIM, DUAL_SIM = PLACE["person"], PLACE["second_sim"], PLACE["dual_sim"]


def draw(rng: Rng, count: int) -> tuple[Ints, Ints]:
    """The life of each line, and the line whose owner it shares (itself for most).

    Second SIMs and the second lines of dual-SIM phones stand behind their owner's first line.
    """
    share = np.array([life.share for life in LIVES])
    share[DUAL_SIM] /= 2  # drawn for the second line of the pair
    share[PERSON] = 1 - share.sum()
    life = rng.choice(len(LIVES), count, p=share)
    twin = (life == SECOND_SIM) | (life == DUAL_SIM)
    alone = np.r_[True, twin[:-1]] & twin
    life[alone] = PERSON
    twin &= ~alone
    second = np.flatnonzero(life == DUAL_SIM)
    plain = life[second - 1] == PERSON
    life[second[plain] - 1] = DUAL_SIM
    return life, np.where(twin, np.arange(count) - 1, np.arange(count))


def habit(name: str, life: Ints) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """One habit of each line's way of life."""
    return np.array([float(getattr(each, name)) for each in LIVES])[life]
