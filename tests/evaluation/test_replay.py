from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_store
from polars.testing import assert_frame_equal
from small_store import DAY, HOUR, MIDNIGHT, call, random_rows, store, table

from simbox.config import load
from simbox.evaluation import replay_events
from simbox.evaluation.replay import Moment, Replay, knots_at, replay
from simbox.evaluation.replay_events import Sampling, parties_of, record
from simbox.features import compute, features
from simbox.scoring import Scorecard, score_frame, scorecard
from simbox.store import Store

EVERYONE = Sampling(lines=10**6)
END = MIDNIGHT + 30 * DAY


def card_with(**settings: object) -> Scorecard:
    config = load()
    scoring = config.scoring.model_copy(update=settings)
    changed = config.model_copy(update={"scoring": scoring})
    return scorecard(changed, {name: f.family for name, f in features().items()})


def measured(whole: Store, folder: Path) -> pl.DataFrame:
    return compute(whole, folder).table().collect()


def moments(
    whole: Store, watched: list[str], how: Replay, cuts: list[int], sampling: Sampling = EVERYONE
) -> list[Moment]:
    return list(replay(record(whole, watched, sampling), cuts, how))


@pytest.mark.parametrize("buckets", [1, 4])
@pytest.mark.parametrize("days", [1, 2, 4])
def test_scores_at_a_cut_are_those_of_a_run_that_ended_there(
    tmp_path: Path, days: int, buckets: int
) -> None:
    rows = random_rows(days)
    cut = MIDNIGHT + days * DAY + 3 * HOUR
    whole = store(tmp_path / "whole", rows, buckets)
    part = store(tmp_path / "part", rows.filter(pl.col("start") < cut), 1)
    card = card_with(min_segment=10)
    expected = measured(part, tmp_path / "features")
    lines = expected["line"].to_list()

    [moment] = moments(whole, lines, Replay(card, refresh_s=1), [cut])
    assert_frame_equal(moment.features, expected, check_exact=True)
    scored = score_frame(expected, card)
    assert not scored.knots.empty
    assert_frame_equal(
        moment.lines.sort("line"), scored.lines.drop("rank").sort("line"), check_exact=True
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_small_sample_leaves_the_features_of_the_watched_lines_as_they_are(
    tmp_path: Path, seed: int
) -> None:
    whole = store(tmp_path / "whole", random_rows(seed), 2)
    expected = measured(whole, tmp_path / "features")
    assert expected["sims_per_imei"].max() > 3
    assert expected["imei_turns_per_day"].max() > 1
    lines = expected["line"].gather_every(7)

    [moment] = moments(whole, lines.to_list(), Replay(card_with()), [END], Sampling(3, seed))
    expected = expected.filter(pl.col("line").is_in(lines.implode()))
    # cells are named by texts that a replay does not carry; neighbours are counted among its lines
    left = ["top_cell", "imei_neighbours"]
    assert_frame_equal(moment.features.drop(left), expected.drop(left), check_exact=True)


def test_an_event_is_known_when_it_is_over_and_not_before(tmp_path: Path) -> None:
    rows = [call("1001", 60), call("1001", 100, 500), call("1001", 700)]
    whole = store(tmp_path / "s", table(rows))
    cuts = [MIDNIGHT + s for s in (60, 61, 600, 601, 700, 701)]
    found = moments(whole, ["1001"], Replay(card_with()), cuts)
    # the second call ends at 600; at 600 and 700 there is nothing new
    assert [(m.cut - MIDNIGHT, m.features["moc"].item()) for m in found] == [
        (61, 1), (601, 2), (701, 3),
    ]  # fmt: skip


def test_a_line_is_looked_at_when_it_has_something_new_until_it_is_done(tmp_path: Path) -> None:
    often = [call("1001", hour * HOUR) for hour in range(6)]
    once = [call("1002", 2 * HOUR), call("1003", 0)]
    whole = store(tmp_path / "s", table([*often, *once]))
    how = Replay(card_with(), done=lambda m: (m.features["moc"] >= 3).to_numpy())
    found = moments(whole, ["1001", "1002"], how, [MIDNIGHT + h * HOUR + 1 for h in range(6)])
    seen = [((m.cut - MIDNIGHT) // HOUR, sorted(m.lines["line"])) for m in found]
    assert seen == [(0, ["1001"]), (1, ["1001"]), (2, ["1001", "1002"])]


def test_lines_that_send_too_little_wait(tmp_path: Path) -> None:
    whole = store(tmp_path / "s", table([call("1001", s) for s in (0, 10, 20, 30)]))
    how = Replay(card_with(), least_outgoing=3)
    found = moments(whole, ["1001"], how, [MIDNIGHT + s + 1 for s in (0, 10, 20, 30)])
    assert [m.cut - MIDNIGHT for m in found] == [21, 31]


def test_handsets_of_lines_without_news_are_still_neighbours(tmp_path: Path) -> None:
    serial = 35_000_000_000_000 + (14 << 50)
    rows = [call("1001", 0, imei=serial), call("1002", HOUR, imei=serial + 1)]
    whole = store(tmp_path / "s", table(rows))
    cuts = [MIDNIGHT + 1, MIDNIGHT + HOUR + 1]
    found = moments(whole, ["1001", "1002"], Replay(card_with()), cuts)
    assert [m.lines["line"].to_list() for m in found] == [["1001"], ["1002"]]
    assert [m.features["imei_neighbours"].item() for m in found] == [0, 1]


def test_accounts_are_found_by_their_names(tmp_path: Path) -> None:
    rows = table([call("1001", 0), {**call("1001", 5), "line": small_store.named("ann")}])
    whole = store(tmp_path / "s", rows)
    recording = record(whole, ["1001"], EVERYONE)
    [name] = recording.store.texts(rows["line"].slice(1) % (1 << 60))["text"]
    assert name.startswith("account-")
    assert parties_of(["1001"])[0] in recording.watched


def test_the_sample_depends_on_the_seed_and_not_on_the_buckets(tmp_path: Path) -> None:
    rows = random_rows(9)
    stores = [store(tmp_path / str(n), rows, n) for n in (1, 8)]
    drawn = [record(s, [], Sampling(10, seed)).sampled.tolist() for s in stores for seed in (1, 2)]
    assert drawn[0] == drawn[2]
    assert drawn[1] == drawn[3]
    assert drawn[0] != drawn[1]
    assert [len(d) for d in drawn] == [10] * 4


def test_percentiles_of_a_sample_begin_when_it_has_its_share_of_a_segment(tmp_path: Path) -> None:
    rows = [call(f"1{n:03d}", s) for n in range(200) for s in range(10)]
    whole = store(tmp_path / "s", table(rows))
    cases = {
        (200, 200): True,
        (200, 201): False,
        (100, 150): True,
        (100, 250): False,
        (30, 60): False,
    }
    for (sampled, segment), there in cases.items():
        recording = record(whole, [], Sampling(sampled))
        knots = knots_at(recording, END, Replay(card_with(min_segment=segment)))
        assert knots.empty is not there, (sampled, segment)


def test_a_handset_that_everybody_shares_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_events, "MOST_BESIDE", 5)
    clone = 35_000_000_000_000 + (14 << 50)
    rows = [call(f"1{n:03d}", n, imei=clone) for n in range(200)]
    whole = store(tmp_path / "s", table(rows), 16)
    recording = record(whole, ["1007"], Sampling(1))
    assert recording.uses.known.rows.height < 50
    assert np.isin(parties_of(["1007"]), recording.watched).any()
