from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from simbox.config import Config, load
from simbox.features import features
from simbox.scoring import Scorecard, scorecard

FAMILIES = {name: feature.family for name, feature in features().items()}


@pytest.fixture(scope="session")
def config() -> Config:
    return load()


@pytest.fixture(scope="session")
def card(config: Config) -> Scorecard:
    return scorecard(config, FAMILIES)


@pytest.fixture(scope="session")
def card_with(config: Config) -> Callable[..., Scorecard]:
    """The default score with some keys of [scoring] changed."""

    def changed(**keys: Any) -> Scorecard:
        scoring = config.scoring.model_copy(update=keys)
        return scorecard(config.model_copy(update={"scoring": scoring}), FAMILIES)

    return changed


@pytest.fixture(scope="session")
def population(card: Scorecard) -> Callable[..., pl.DataFrame]:
    """Lines whose every signal is spread between ordinary and, for some lines, gateway-like."""

    def made(ordinary: int, gateways: int = 0, seed: int = 7) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        count = ordinary + gateways
        columns: dict[str, Any] = {
            "line": [f"22501{number:07d}" for number in range(count)],
            "segment": ["mobile"] * count,
            "moc": np.full(count, 200, dtype=np.uint32),
            "sms_mo": np.zeros(count, dtype=np.uint32),
        }
        for name, feature in card.features.items():
            # How far along the ramp: ordinary lines mostly before it, gateways at its end.
            along = np.concatenate(
                [rng.normal(-0.5, 0.35, ordinary), rng.normal(0.95, 0.15, gateways)]
            )
            span = feature.gateway - feature.legit
            if feature.scale == "log":
                columns[name] = feature.legit * (feature.gateway / feature.legit) ** along
            else:
                columns[name] = feature.legit + span * along
        return pl.DataFrame(columns)

    return made
