from __future__ import annotations

import pytest

from simbox.outputs.wording import nats, number, probability, shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.500"), (0.99991, ">0.999"), (0.00001, "<0.001"), (0.0, "0.000"), (0.999, "0.999")],
)
def test_probability_claims_no_more_than_a_score_can_know(value: float, shown: str) -> None:
    assert probability(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(1.234, "+1.23"), (-9.21, "-9.21"), (0.004, "0.00"), (-0.004, "0.00")]
)
def test_evidence_carries_its_sign_unless_there_is_none(value: float, shown: str) -> None:
    assert nats(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (3.0, "3"),
        (0.256, "0.26"),
        (1234.5, "1,234"),
        (-2.5, "-2.50"),
        (99.96, "99.96"),
    ],
)
def test_measured_value_is_short(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_text_of_the_data_cannot_command_a_terminal() -> None:
    assert shown("2001\x1b[2J\r\n é") == "2001?[2J?? é"
