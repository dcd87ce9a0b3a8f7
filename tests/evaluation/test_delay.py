from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_store import DAY, HOUR, MIDNIGHT, call, store, table

from simbox.config import load
from simbox.errors import InputError
from simbox.evaluation.delay import Asked, Delays, delays, hours_of_traffic
from simbox.evaluation.replay import Replay
from simbox.evaluation.replay_events import Sampling
from simbox.features import features
from simbox.features.events import arrange
from simbox.scoring import Scorecard, scorecard
from simbox.tables import Kind

MINUTE = 60


def alerting_at(calls: int) -> Scorecard:
    """A score under which every line alerts as soon as it has sent so many calls and texts."""
    config = load()
    always = {"alert_probability": 2e-30, "watch_probability": 1e-30, "min_families": 0}
    scoring = config.scoring.model_copy(update={**always, "min_outgoing": calls})
    changed = config.model_copy(update={"scoring": scoring})
    return scorecard(changed, {name: f.family for name, f in features().items()})


def labels(**kinds: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"line": [k.removeprefix("n") for k in kinds], "kind": list(kinds.values())}
    )


def found(
    folder: Path, rows: list[dict[str, int]], truth: pl.DataFrame, calls: int, **asked: Any
) -> Delays:
    # a line of its own keeps the clock of the data going
    rows = [*rows, call("5000", 0), call("5000", 6 * DAY)]
    return delays(
        store(folder / "s", table(rows)), truth, Replay(alerting_at(calls)), Asked(**asked)
    )


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(MIDNIGHT, UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("calls", "alerted", "hours"),
    [
        (1, 8 * HOUR + 15 * MINUTE, 0.25),
        (3, 10 * HOUR + 15 * MINUTE, 0.75),
        # the fourth call runs from 11:00 to 12:05: known at the cut of 12:15; five more quarters
        (4, 12 * HOUR + 15 * MINUTE, 2.0),
        # the fifth ends on the stroke of 13:15, so it is known a quarter later, in one quarter
        (5, 13 * HOUR + 30 * MINUTE, 2.25),
        (6, None, None),
    ],
)
def test_a_line_alerts_at_the_cut_after_its_kth_call(
    tmp_path: Path, calls: int, alerted: int | None, hours: float | None
) -> None:
    rows = [call("1001", h * HOUR + 5, 60) for h in (8, 9, 10)]
    rows += [call("1001", 11 * HOUR, 65 * MINUTE), call("1001", 13 * HOUR, 15 * MINUTE)]
    result = found(tmp_path, rows, labels(n1001="gateway/classic"), calls)
    expected = {
        "line": "1001",
        "kind": "gateway/classic",
        "early": True,
        "alerted_at": None if alerted is None else at(alerted),
        "calls": None if alerted is None else calls,
        "hours": hours,
    }
    assert result.lines.row(0, named=True) == expected


def test_texts_make_a_line_alert_and_are_no_calls(tmp_path: Path) -> None:
    text = {"kind": Kind.SMS_MO | Kind.NOT_KNOWN << Kind.ANSWER_SHIFT}
    rows = [call("1001", HOUR), call("1001", 2 * HOUR, **text), call("1001", 2 * HOUR + 9, **text)]
    line = found(tmp_path, rows, labels(n1001="gateway/scam"), 3).lines.row(0, named=True)
    assert (line["alerted_at"], line["calls"], line["hours"]) == (at(2 * HOUR + 900), 1, 0.5)


def test_a_call_that_the_files_hold_twice_counts_once(tmp_path: Path) -> None:
    rows = [call("1001", HOUR, 30)] * 2 + [call("1001", 2 * HOUR, 30)]
    line = found(tmp_path, rows, labels(n1001="gateway/classic"), 2).lines.row(0, named=True)
    assert (line["alerted_at"], line["calls"]) == (at(2 * HOUR + 900), 2)


def test_lines_that_begin_in_the_warm_up_stand_apart(tmp_path: Path) -> None:
    starts = {"1001": 2 * DAY - 1, "1002": 2 * DAY, "1003": 5 * DAY}
    rows = [call(line, start + n * 60) for line, start in starts.items() for n in range(3)]
    truth = labels(**{f"n{line}": "gateway/classic" for line in starts})
    result = found(tmp_path, rows, truth, 3)
    assert result.warm_up_days == 2.0
    assert result.lines["early"].to_list() == [True, False, False]
    shorter = found(tmp_path / "b", rows, truth, 3, warm_up_days=1.5)
    assert shorter.lines["early"].to_list() == [False, False, False]


def test_the_warm_up_is_a_third_of_short_data(tmp_path: Path) -> None:
    rows = [call("1001", 0), call("1002", 8 * HOUR), call("1002", 24 * HOUR)]
    truth = labels(n1001="gateway/classic", n1002="gateway/classic")
    result = delays(store(tmp_path / "s", table(rows)), truth, Replay(alerting_at(1)))
    assert result.warm_up_days == pytest.approx(1 / 3)
    assert result.lines["early"].to_list() == [True, False]


def test_quantiles_count_a_missed_line_as_infinitely_late(tmp_path: Path) -> None:
    # one alerts after 2 calls, one sends both in one quarter after a pause, one never sends enough
    rows = [call("1001", 3 * DAY), call("1001", 3 * DAY + HOUR)]
    rows += [call("1002", 4 * DAY), call("1002", 4 * DAY + 60), call("1003", 4 * DAY)]
    kinds = labels(n1001="gateway/classic", n1002="gateway/classic", n1003="gateway/quiet")
    summary = found(tmp_path, rows, kinds, 2).summary()
    inf = float("inf")
    assert summary.rows() == [
        ("all", False, 3, 2, 1, 2.0, inf, 0.5, inf),
        ("gateway/classic", False, 2, 2, 0, 2.0, 2.0, 0.25, 0.5),
        ("gateway/quiet", False, 1, 0, 1, inf, inf, inf, inf),
    ]
    assert summary.columns == [
        "kind", "early", "lines", "alerted", "missed",
        "calls_median", "calls_p90", "hours_median", "hours_p90",
    ]  # fmt: skip


def test_only_gateways_are_followed_and_those_without_events_are_counted(tmp_path: Path) -> None:
    rows = [call("1001", HOUR), call("1002", HOUR)]
    kinds = labels(n1001="gateway/classic", n1002="lookalike/taxi", n1003="gateway/silent")
    result = found(tmp_path, rows, kinds, 1)
    assert result.lines["line"].to_list() == ["1001"]
    assert (result.unseen, result.left_out) == (1, 0)


def test_more_gateways_than_are_followed_are_drawn_by_the_seed(tmp_path: Path) -> None:
    lines = [f"{n}" for n in range(1000, 1040)]
    rows = [call(line, HOUR) for line in lines]
    truth = labels(**{f"n{line}": "gateway/classic" for line in lines})
    drawn = [
        found(tmp_path / str(n), rows, truth, 1, most_lines=10, sampling=Sampling(seed=seed))
        for n, seed in enumerate((1, 1, 2))
    ]
    assert [(d.lines.height, d.left_out) for d in drawn] == [(10, 30)] * 3
    assert drawn[0].lines.equals(drawn[1].lines)
    assert not drawn[0].lines.equals(drawn[2].lines)


def test_labels_without_a_gateway_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no gateway among them"):
        found(tmp_path, [], labels(n1001="ordinary/person"), 1)


def test_a_store_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no event; nothing to replay"):
        delays(store(tmp_path / "s", table([])), labels(n1="gateway/x"), Replay(alerting_at(1)))


def test_hours_of_traffic_count_quarters_once_however_many_calls_share_them() -> None:
    rows = [
        call("1001", 0, 899), call("1001", 10, 20), call("1001", 880, 40),  # quarters 0 and 1
        call("1001", 7_200, 0), {**call("1001", 9_000), "kind": Kind.MTC},
        call("1002", 5, 3 * 900),
    ]  # fmt: skip
    events = arrange(table(rows).drop("source", "row"))
    assert sorted(hours_of_traffic(events).tolist()) == [0.75, 1.0]
