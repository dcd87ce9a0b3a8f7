from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from simbox import store as store_module
from simbox.errors import InputError, SimboxError
from simbox.identifiers import CLASS_SHIFT, NumberClass, mix
from simbox.store import (
    DAY_S,
    FORMAT_VERSION,
    ROWS_PER_BUCKET,
    Store,
    StoreWriter,
    bucket_of,
    buckets_for,
)
from simbox.tables import STORED, Kind

MOC_YES, MOC_NO, SMS_MT = Kind.MOC | Kind.YES << 2, Kind.MOC, Kind.SMS_MT | Kind.NOT_KNOWN << 2
SECOND_FEED = 1 << Kind.FEED_SHIFT


def rows(count: int = 1, **columns: object) -> pl.DataFrame:
    """Rows of tables.STORED; what is not given is zero, lines are numbered."""
    zeros = {name: pl.zeros(count, dtype, eager=True) for name, dtype in STORED.schema.items()}
    frame = pl.DataFrame(zeros).with_columns(
        line=pl.int_range(1, count + 1), start=DAY_S, kind=MOC_YES
    )
    given = [
        pl.lit(pl.Series(name, values)) if isinstance(values, list) else pl.lit(values).alias(name)
        for name, values in columns.items()
    ]
    return frame.with_columns(given).cast(STORED.schema)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def written(
    folder: Path, *frames: pl.DataFrame, buckets: int = 1, texts: pl.DataFrame | None = None
) -> Store:
    with Store.create(folder, buckets).writer() as writer:
        writer.add_source("one.csv", "first")
        writer.add_source("two.csv", "second")
        for frame in frames:
            writer.append(frame, texts)
    return Store.open(folder)


def all_rows(store: Store) -> pl.DataFrame:
    return pl.concat(store.each_bucket(list(STORED.schema))).sort("line", "start")


@pytest.mark.parametrize("buckets", [1, 2, 16])
def test_what_was_written_is_read_back_whatever_the_buckets(folder: Path, buckets: int) -> None:
    frame = rows(50, start=[DAY_S * (n % 3) + n for n in range(50)], duration=-1, offset=-14)
    store = written(folder, frame[:20], frame[20:], buckets=buckets)
    assert_frame_equal(all_rows(store), frame.sort("line", "start"))
    assert_frame_equal(store.scan().collect().sort("line", "start"), frame.sort("line", "start"))


def test_buckets_part_the_lines(folder: Path) -> None:
    frame = pl.concat([rows(200), rows(200, start=5 * DAY_S)])
    store = written(folder, frame, buckets=8)
    lines = [set(bucket["line"]) for bucket in store.each_bucket(["line"])]
    assert sum(map(len, lines)) == 200
    assert set.union(*lines) == set(range(1, 201))
    assert all(lines)


def test_buckets_in_order_keep_the_order_of_line_hashes() -> None:
    lines = np.arange(1, 3000, dtype=np.uint64)
    in_order = lines[np.argsort(mix(lines))]
    for buckets in (1, 2, 64):
        assert (np.diff(bucket_of(in_order, buckets).astype(np.int64)) >= 0).all()


def test_a_line_stays_in_its_bucket_whatever_its_class() -> None:
    line = np.array([999_555_000_001], dtype=np.uint64)
    account = line | np.uint64(NumberClass.ACCOUNT << CLASS_SHIFT)
    assert bucket_of(line, 256).tolist() == bucket_of(account, 256).tolist()


def test_rows_stand_in_folders_of_their_day(folder: Path) -> None:
    written(folder, rows(2, start=[DAY_S - 1, DAY_S]))
    days = sorted(path.name for path in folder.glob("day=*"))
    assert days == ["day=1970-01-01", "day=1970-01-02"]


def test_only_the_columns_asked_for_are_read(folder: Path) -> None:
    store = written(folder, rows(3))
    assert store.bucket(0, ["start", "line"]).columns == ["start", "line"]


def test_an_empty_bucket_and_an_empty_store_have_no_rows_of_the_right_type(folder: Path) -> None:
    store = written(folder, buckets=2)
    assert store.bucket(1, ["line", "kind"]).schema == {"line": pl.UInt64, "kind": pl.UInt16}
    assert store.scan().collect().schema == STORED.empty().schema
    assert store.manifest.first is None


def test_the_manifest_knows_the_period_and_the_rows(folder: Path) -> None:
    store = written(folder, rows(2, start=[900, 50]), rows(1, start=4000), rows(0))
    assert (store.manifest.rows, store.manifest.first, store.manifest.last) == (3, 50, 4000)


def test_sources_are_numbered_in_the_order_they_came(folder: Path) -> None:
    with Store.create(folder, 1).writer() as writer:
        assert [writer.add_source(name, "feed") for name in ("a", "b")] == [0, 1]
    assert Store.open(folder).manifest.sources == ["a", "b"]
    assert [feed.name for feed in Store.open(folder).manifest.feeds] == ["feed"]


def test_feeds_count_what_came_through_them(folder: Path) -> None:
    first = rows(5, kind=[MOC_YES, MOC_YES, MOC_NO, SMS_MT, SMS_MT], cause=[16, 0, 17, 0, 0])
    second = rows(1, kind=SMS_MT + SECOND_FEED)
    feeds = written(folder, first, second).manifest.feeds
    one, two = feeds
    assert (one.count(Kind.MOC), one.count(Kind.MOC, Kind.NO), one.count(Kind.SMS_MT)) == (3, 1, 2)
    assert (one.causes, two.causes) == (2, 0)
    assert (two.count(Kind.MOC), two.count(Kind.SMS_MT)) == (0, 1)


@pytest.mark.parametrize(
    ("frame", "reference", "partial"),
    [
        (rows(2), False, False),
        (rows(2, call_ref=[0, 7]), True, False),
        (rows(2, kind=[MOC_YES, MOC_YES | Kind.PARTIAL]), False, True),
    ],
    ids=["plain", "call references", "partial records"],
)
def test_the_manifest_says_what_joining_needs(
    folder: Path, frame: pl.DataFrame, reference: bool, partial: bool
) -> None:
    manifest = written(folder, frame, rows(1)).manifest
    assert (manifest.has_call_ref, manifest.has_partial) == (reference, partial)


def test_texts_are_found_by_id_once_each(folder: Path) -> None:
    texts = pl.DataFrame({"id": [7, 5], "text": ["cell seven", "cell five"]}).cast(
        {"id": pl.UInt64}
    )
    store = written(folder, rows(1), rows(1), texts=texts)
    found = store.texts(pl.Series([5, 5, 7, 99], dtype=pl.UInt64))
    assert found.to_dict(as_series=False) == {"id": [5, 7], "text": ["cell five", "cell seven"]}


def test_texts_of_a_store_without_any_are_none(folder: Path) -> None:
    found = written(folder, rows(1)).texts(pl.Series([5], dtype=pl.UInt64))
    assert found.is_empty()
    assert found.schema == {"id": pl.UInt64, "text": pl.String}


def test_texts_of_a_later_writer_join_those_of_the_first(folder: Path) -> None:
    def texts(id: int) -> pl.DataFrame:
        return pl.DataFrame({"id": [id], "text": [str(id)]}, {"id": pl.UInt64, "text": pl.String})

    written(folder, rows(1), texts=texts(1))
    with Store.open(folder).writer() as writer:
        writer.append(rows(1), texts(2))
    store = Store.open(folder)
    assert store.texts(pl.Series([1, 2], dtype=pl.UInt64))["text"].to_list() == ["1", "2"]
    assert store.manifest.rows == all_rows(store).height == 2


def test_texts_of_a_batch_without_rows_are_kept(folder: Path) -> None:
    texts = pl.DataFrame({"id": [7], "text": ["cell seven"]}).cast({"id": pl.UInt64})
    with Store.create(folder, 1).writer() as writer:
        writer.add_source("one.csv", "first")
        writer.append(rows(1).clear(), texts)
        writer.append(rows(1), texts.clear())
    found = Store.open(folder).texts(pl.Series([7], dtype=pl.UInt64))
    assert found["text"].to_list() == ["cell seven"]


def test_rows_are_written_when_too_many_are_held(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "FLUSH_ROWS", 10)
    store = written(folder, *[rows(4)] * 7)
    assert len(store.files()) == 3  # after 12, after 24 and at the end
    assert all_rows(store).height == 28


def test_a_writer_that_fails_leaves_no_manifest(folder: Path) -> None:
    def fail(writer: StoreWriter) -> None:
        writer.append(rows(3, kind=5 << Kind.FEED_SHIFT))  # a feed that nobody registered

    with pytest.raises(IndexError), Store.create(folder, 1).writer() as writer:
        fail(writer)
    with pytest.raises(InputError):
        Store.open(folder)


@pytest.mark.parametrize("buckets", [0, 3, 12, -1, 8192])
def test_a_number_of_buckets_that_is_no_power_of_two_is_refused(folder: Path, buckets: int) -> None:
    with pytest.raises(SimboxError, match=f"{buckets} buckets: take a power of two"):
        Store.create(folder, buckets)


def test_a_folder_that_holds_something_is_not_overwritten(folder: Path) -> None:
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(SimboxError, match="not empty"):
        Store.create(folder, 1)
    assert (folder / "letter.txt").read_text() == "mine"


def test_a_folder_without_a_store_is_said_to_have_none(folder: Path) -> None:
    with pytest.raises(InputError, match="no event store here"):
        Store.open(folder)


def test_a_damaged_manifest_is_no_store(folder: Path) -> None:
    written(folder, rows(1))
    (folder / "manifest.json").write_text('{"buckets": 1,')
    with pytest.raises(InputError, match="no event store here"):
        Store.open(folder)


def test_a_store_of_another_version_is_refused(folder: Path) -> None:
    written(folder, rows(1))
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    with pytest.raises(InputError, match=f"store version 99, this simbox reads {FORMAT_VERSION}"):
        Store.open(folder)


def test_too_many_feeds_are_refused(folder: Path) -> None:
    with Store.create(folder, 1).writer() as writer:
        codes = [writer.feed_code(f"profile {n}") for n in range(Kind.MAX_FEEDS)]
        assert codes == list(range(Kind.MAX_FEEDS))
        assert writer.feed_code("profile 7") == 7
        with pytest.raises(SimboxError, match="more than 32 profiles"):
            writer.feed_code("one more")


def test_a_removed_store_is_gone(folder: Path) -> None:
    written(folder, rows(1)).remove()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("count", "buckets"),
    [
        (0, 1),
        (1, 1),
        (ROWS_PER_BUCKET, 1),
        (2 * ROWS_PER_BUCKET, 2),
        (10 * ROWS_PER_BUCKET, 8),
        (10**13, 4096),
    ],
)
def test_buckets_suit_the_rows(count: int, buckets: int) -> None:
    assert buckets_for(count) == buckets
