from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace

import polars as pl
import pytest

from simbox.errors import SimboxError
from simbox.features import Feature, declaration, features
from simbox.features.declaration import ABILITIES, COMMON, views


def feature(**changes: object) -> Feature:
    plain: dict[str, object] = {
        "name": "made_up",
        "family": "direction",
        "unit": "share",
        "doc": "A sentence.",
        "source": "nobody",
        "suspicious": "high",
        "expr": pl.col("moc"),
    }
    return Feature(**(plain | changes))  # type: ignore[arg-type]


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> object:
    def declared(*made_up: Feature) -> object:
        modules = declaration._modules
        extra = SimpleNamespace(FEATURES=made_up)
        monkeypatch.setattr(
            declaration,
            "_modules",
            lambda name: [extra] if name.endswith("families") else modules(name),
        )
        return features.__wrapped__()  # type: ignore[attr-defined]

    return declared


def test_a_sound_feature_is_found(declare: object) -> None:
    assert list(declare(feature())) == ["made_up"]  # type: ignore[operator]


def test_a_feature_that_reads_an_unknown_column_is_refused_with_a_hint(declare: object) -> None:
    with pytest.raises(
        SimboxError, match=r"made_up reads 'called_onse'.*Did you mean 'called_once'\?"
    ):
        declare(feature(expr=pl.col("called_onse") / pl.col("mtc")))  # type: ignore[operator]


def test_a_feature_that_needs_an_unknown_ability_is_refused_with_a_hint(declare: object) -> None:
    with pytest.raises(SimboxError, match=r"made_up needs 'incomming'.*Did you mean 'incoming'\?"):
        declare(feature(needs=("incomming",)))  # type: ignore[operator]


def test_a_name_given_twice_is_refused(declare: object) -> None:
    with pytest.raises(SimboxError, match="made_up is declared twice"):
        declare(feature(), feature(unit="calls"))  # type: ignore[operator]


def test_there_are_many_features_in_many_families() -> None:
    assert len(features()) >= 50
    assert len({f.family for f in features().values()}) >= 10


def test_no_column_is_measured_by_two_views() -> None:
    counted = Counter([*COMMON, *(name for view in views() for name in view.columns)])
    assert [name for name, times in counted.items() if times > 1] == []


def test_every_column_serves_a_feature_or_says_what_a_line_is() -> None:
    about = {"sms_mo", "sms_mt", "first_s", "last_s", "days", "handset_top", "cell_top", "sims"}
    read = {c for f in features().values() for c in f.expr.meta.root_names()}
    idle = {name for view in views() for name in view.columns} - read - about
    assert idle <= {"moc_answered", "called_top1"}


@pytest.mark.parametrize("name", features())
def test_a_feature_is_declared_in_full(name: str) -> None:
    declared = features()[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert declared.doc[0].isupper()
    assert declared.doc.endswith(".")
    assert "\n" not in declared.doc
    assert declared.unit
    assert declared.source
    assert declared.suspicious in {"high", "low", "none"}


@pytest.mark.parametrize("view", views(), ids=lambda view: view.name)
def test_a_view_says_what_each_of_its_columns_means(view: declaration.View) -> None:
    assert view.doc.endswith(".")
    assert [name for name, doc in view.columns.items() if len(doc.split()) < 2] == []


@pytest.mark.parametrize("need", ABILITIES)
def test_a_feature_is_null_where_the_feed_cannot_show_what_it_needs(need: str) -> None:
    frame = pl.DataFrame({"moc": [3, 3], f"can_{need}": [True, False]})
    assert frame.select(feature(needs=(need,)).expression())["made_up"].to_list() == [3.0, None]


def test_a_ratio_over_nothing_is_null_and_never_infinite() -> None:
    frame = pl.DataFrame({"a": [1, 0, 1], "b": [0, 0, 2]})
    assert frame.select(declaration.ratio("a", "b")).to_series().to_list() == [None, None, 0.5]


def test_a_number_that_was_not_measured_becomes_null() -> None:
    frame = pl.DataFrame({"moc": [float("nan"), 1.0]})
    assert frame.select(feature().expression())["made_up"].to_list() == [None, 1.0]
