from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbox.identifiers import (
    CHECK_ABSENT,
    CHECK_SHIFT,
    CHECK_SV,
    CLASS_SHIFT,
    PERSON_CLASSES,
    TEXT_BIT,
    NumberClass,
    class_of,
    digits_id,
    digits_of,
    digits_text,
    handset,
    length_of,
    mix,
    party,
    text_id,
    with_class,
)

digit_strings = st.text("0123456789", min_size=1, max_size=15)
classes = st.sampled_from(list(NumberClass))
some = settings(max_examples=30, deadline=None)


def ids(*texts: str | None) -> pl.Series:
    return pl.select(digits_id(pl.lit(pl.Series(texts, dtype=pl.String)))).to_series()


def texts(*names: str) -> pl.Series:
    return pl.select(text_id(pl.lit(pl.Series(names)))).to_series()


def array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


@some
@given(st.lists(digit_strings, min_size=1, max_size=8))
def test_digits_come_back_with_their_leading_zeros(numbers: list[str]) -> None:
    back = pl.select(digits_text(pl.lit(ids(*numbers)))).to_series()
    assert back.to_list() == numbers


@some
@given(digit_strings, digit_strings)
def test_two_numbers_have_one_id_only_when_they_are_the_same(one: str, other: str) -> None:
    found = ids(one, other).to_list()
    assert (found[0] == found[1]) == (one == other)


@some
@given(digit_strings)
def test_digits_and_their_count_are_read_from_the_id(number: str) -> None:
    found = ids(number).to_numpy()
    assert digits_of(found).tolist() == [int(number)]
    assert length_of(found).tolist() == [len(number)]


@pytest.mark.parametrize(
    "word", ["", "+49123", "12a", "1234567890123456", "-5", " 12", "1.5", "BANK", None]
)
def test_what_is_no_number_of_fifteen_digits_has_no_digits_id(word: str | None) -> None:
    assert ids(word).to_list() == [None]


def test_fifteen_nines_fit() -> None:
    assert pl.select(digits_text(pl.lit(ids("9" * 15)))).item() == "9" * 15


@some
@given(digit_strings, classes)
def test_a_class_is_stamped_and_stripped_without_a_trace(number: str, kind: NumberClass) -> None:
    plain = ids(number)
    stamped = pl.select(with_class(pl.lit(plain), pl.lit(int(kind)))).to_series().to_numpy()
    assert class_of(stamped).tolist() == [kind]
    assert party(stamped).tolist() == plain.to_list()
    assert pl.select(digits_text(pl.Series(stamped))).item() == number


@some
@given(st.text(min_size=1, max_size=20), classes)
def test_a_text_has_a_stable_id_without_digits(name: str, kind: NumberClass) -> None:
    plain = texts(name)
    stamped = pl.select(with_class(pl.lit(plain), pl.lit(int(kind)))).to_series().to_numpy()
    assert plain.to_list() == texts(name).to_list()
    assert plain[0] >> TEXT_BIT == 1
    assert digits_of(stamped).tolist() == [-1]
    assert party(stamped).tolist() == plain.to_list()
    assert class_of(stamped).tolist() == [kind]
    assert pl.select(digits_text(pl.Series(stamped))).item() is None


def test_the_id_of_a_text_is_the_same_on_every_machine() -> None:
    # the top 59 bits of XXH3 (64 bits, seed 0), whose value for the empty text is in its manual
    assert texts("")[0] == (0x2D06800538D394C2 >> 5) + (1 << TEXT_BIT)


def test_many_texts_have_as_many_ids() -> None:
    assert texts(*(f"cell {n}" for n in range(20_000))).n_unique() == 20_000


def test_absent_and_withheld_parties_are_nobody() -> None:
    nobody = array(0, NumberClass.WITHHELD << CLASS_SHIFT)
    assert party(nobody).tolist() == [0, 0]
    assert class_of(nobody).tolist() == [NumberClass.UNKNOWN, NumberClass.WITHHELD]


def test_digits_of_nothing_are_not_zero() -> None:
    assert digits_of(array(0)).tolist() == [-1]


@pytest.mark.parametrize("check", [0, 1, 9, CHECK_SV, CHECK_ABSENT])
def test_a_handset_is_the_same_whatever_check_digit_was_sent(check: int) -> None:
    plain = ids("35209900176148").to_numpy()
    sent = plain | np.uint64(check << CHECK_SHIFT)
    assert handset(sent).tolist() == plain.tolist()
    assert digits_of(sent).tolist() == [35209900176148]
    assert length_of(sent).tolist() == [14]


def test_the_hash_of_a_handset_is_left_whole() -> None:
    hashed = texts("a", "b", "c").to_numpy()
    assert handset(hashed).tolist() == hashed.tolist()


def test_a_zero_stands_apart_from_a_number_of_one_zero() -> None:
    assert ids("0")[0] != 0
    assert pl.select(digits_text(pl.lit(pl.Series([0], dtype=pl.UInt64)))).item() is None


@some
@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=50, unique=True))
def test_mixing_keeps_different_keys_different(keys: list[int]) -> None:
    assert len(set(mix(array(*keys)).tolist())) == len(keys)


def test_mixing_leaves_its_argument_alone() -> None:
    keys = array(1, 2, 3)
    mix(keys)
    assert keys.tolist() == [1, 2, 3]


def test_mixed_serial_numbers_fill_all_buckets() -> None:
    serial = np.arange(4096, dtype=np.uint64) + np.uint64(999_555_000_000)
    assert np.bincount((mix(serial) >> np.uint64(60)).astype(np.int64), minlength=16).min() > 180


@pytest.mark.parametrize(
    "service",
    [NumberClass.SHORT, NumberClass.SERVICE, NumberClass.ALPHANUMERIC, NumberClass.WITHHELD],
)
def test_services_are_no_people(service: NumberClass) -> None:
    assert service not in PERSON_CLASSES
