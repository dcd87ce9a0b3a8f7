"""Party numbers, IMEIs, IMSIs and cells in the spellings that exports hold them in."""

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
    NumberClass,
    class_of,
    digits_text,
    handset,
    length_of,
)
from simbox.ingest.cdr.devices import CellBook, cell_name, cell_text, encode_imei, encode_imsi
from simbox.ingest.cdr.numbers import encode
from simbox.ingest.cdr.profile import Numbers

NULLS = ("NULL", "\\N")
HOME = Numbers(
    country="33", trunk=("0",), own=("336",), fixed=("331",), service=("338", "3000"), short_max=5
)


def digits_and_class(value: str, rules: Numbers, role: str = "other") -> tuple[str | None, str]:
    parties = encode(pl.Series([value, "33600000001"]), rules, role, NULLS)  # type: ignore[arg-type]
    ids = pl.DataFrame({"id": parties.ids[:1] & np.uint64((1 << 60) - 1)})
    text = ids.select(digits_text(pl.col("id"))).item()
    if text is None and parties.texts.height:
        text = parties.texts["text"][0]
    return text, NumberClass(int(class_of(parties.ids)[0])).name


@pytest.mark.parametrize(
    ("written", "digits", "number_class"),
    [
        ("33612345678", "33612345678", "ONNET"),
        ("+33612345678", "33612345678", "ONNET"),
        ("0033612345678", "33612345678", "ONNET"),
        ("0612345678", "33612345678", "ONNET"),
        ("06 12 34 56 78", "33612345678", "ONNET"),
        ("+33 (6) 12-34-56-78", "33612345678", "ONNET"),
        ("sip:+33612345678@ims.example;user=phone", "33612345678", "ONNET"),
        ("tel:+33-612345678", "33612345678", "ONNET"),
        ("33612345678.0", "33612345678", "ONNET"),
        ("3.3612345678E+10", "33612345678", "ONNET"),
        ("0712345678", "33712345678", "OFFNET"),
        ("0112345678", "33112345678", "FIXED"),
        ("0812345678", "33812345678", "SERVICE"),
        ("3000", "3000", "SERVICE"),
        ("112", "112", "SHORT"),
        ("004912345678", "4912345678", "INTERNATIONAL"),
        ("+4912345678", "4912345678", "INTERNATIONAL"),
        ("MYBANK", "MYBANK", "ALPHANUMERIC"),
        ("*100#", "*100#", "SERVICE"),
        ("anonymous", None, "WITHHELD"),
        ("sip:anonymous@anonymous.invalid", None, "WITHHELD"),
        ("sip:alice@pbx.example", "alice", "ACCOUNT"),
        ("a1" * 16, "a1" * 16, "HASHED"),
        ("01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef", "HASHED"),
        ("NULL", None, "UNKNOWN"),
        ("3.36E+10", None, "UNKNOWN"),
    ],
)
def test_number_is_e164_with_its_class_by_the_numbering_plan(
    written: str, digits: str | None, number_class: str
) -> None:
    assert digits_and_class(written, HOME) == (digits, number_class)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("0612345678", "0612345678"),
        ("33612345678", "33612345678"),
        ("+33612345678", "33612345678"),
        ("0033612345678", "33612345678"),
        ("0", "0"),
    ],
)
def test_without_a_home_country_digits_stay_as_written(written: str, digits: str) -> None:
    assert digits_and_class(written, Numbers())[0] == digits


def test_national_lengths_complete_numbers_without_trunk_prefix() -> None:
    rules = Numbers(country="91", national_lengths=(10,))
    assert digits_and_class("9112345678", rules) == ("919112345678", "DOMESTIC")
    assert digits_and_class("919112345678", rules) == ("919112345678", "DOMESTIC")


def test_routing_digits_are_taken_off_first() -> None:
    rules = Numbers(country="33", trunk=("0",), routing=("1601",))
    assert digits_and_class("16010612345678", rules)[0] == "33612345678"


def test_line_that_is_a_name_is_unreadable_unless_accounts_are_expected() -> None:
    assert digits_and_class("alice", Numbers(), "line") == (None, "UNKNOWN")
    assert digits_and_class("alice", Numbers(accounts=True), "line") == ("alice", "ACCOUNT")


def test_base64_digests_are_recognised_by_the_whole_column() -> None:
    digests = pl.Series([f"q{i:03d}Zk+/tR9sVb2mWxYcDeFg{i:03d}=" for i in range(50)])
    ids = encode(digests, Numbers(), "line", ()).ids
    assert set(class_of(ids)) == {NumberClass.HASHED}
    assert len(set(ids.tolist())) == 50


@given(
    st.lists(st.integers(0, 10**15 - 1), min_size=1),
    st.sampled_from([HOME, Numbers(), Numbers(country="33", national_lengths=(9,))]),
)
def test_integers_and_digit_strings_are_the_same_party(numbers: list[int], rules: Numbers) -> None:
    as_text = encode(pl.Series([str(n) for n in numbers]), rules, "other", ())
    as_integer = encode(pl.Series(numbers, dtype=pl.Int64), rules, "other", ())
    assert as_text.ids.tolist() == as_integer.ids.tolist()


@settings(deadline=None)  # a loaded machine is slow, not wrong
@given(st.lists(st.text("0123456789+ -", min_size=1, max_size=17), min_size=1))
def test_fast_and_slow_path_agree(numbers: list[str]) -> None:
    plain = [n for n in numbers if n.isdecimal() and len(n) <= 15]
    if not plain:
        return
    fast = encode(pl.Series(plain), HOME, "other", ()).ids
    slow = encode(pl.Series([f" {n} " for n in plain]), HOME, "other", ()).ids
    assert fast.tolist() == slow.tolist()


@pytest.mark.parametrize(
    ("written", "digits", "check"),
    [
        ("350000010000017", "35000001000001", 7),
        ("35000001000001", "35000001000001", CHECK_ABSENT),
        ("3500000100000105", "35000001000001", CHECK_SV),
        ("35-000001-000001-7", "35000001000001", 7),
        ("350000010000017.0", "35000001000001", 7),
        ("3.50000010000017E+14", "35000001000001", 7),
        ("1234567", "1234567", CHECK_ABSENT),
    ],
)
def test_imei_is_fourteen_digits_with_what_followed(written: str, digits: str, check: int) -> None:
    ids = encode_imei(pl.Series([written, None]), NULLS).ids
    bare = pl.DataFrame({"id": handset(ids)}).select(digits_text(pl.col("id"))).to_series()
    assert bare.to_list() == [digits, None]
    assert int(ids[0]) >> CHECK_SHIFT & 15 == check


@pytest.mark.parametrize("written", ["000000000000000", "0", "", "NULL", "3.5E+14", None])
def test_imei_that_says_nothing_is_absent(written: str | None) -> None:
    assert encode_imei(pl.Series([written], dtype=pl.String), NULLS).ids.tolist() == [0]


def test_imsi_keeps_its_leading_zeros() -> None:
    ids = encode_imsi(pl.Series(["001010000000001"]), NULLS).ids
    assert length_of(ids).tolist() == [15]


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("001-01-1234-5678", "001-01-1234-5678"),
        ("001-01-01234-05678", "001-01-1234-5678"),
        ("001/01/1234/5678", "001-01-1234-5678"),
        ("00101-1234-5678", "001-01-1234-5678"),
        ("001-01-4D2-162E", "001-01-1234-5678"),
        ("001010123405678", "001-01-1234-5678"),
        ("0010104D2162E", "001-01-1234-5678"),
        (f"001-01-1234-{1234 * 65536 + 5678}", "001-01-1234-5678"),
        ("001-01-43F812", "001-01-4454418"),
        ("001-01-12345678", "001-01-12345678"),
        ("0010104d2043f812", "001-01-4454418"),
        (" Hill North ", "Hill North"),
        ("167006.0", "167006"),
    ],
)
def test_cell_has_one_spelling(written: str, cell: str) -> None:
    assert pl.select(cell_text(pl.lit(written))).item() == cell


def test_split_columns_give_the_same_cell_as_one() -> None:
    frame = pl.DataFrame({"mcc": [1], "mnc": [1], "lac": [1234], "ci": [5678]})
    parts = {c: pl.col(c) for c in frame.columns}
    name = frame.select(cell_text(cell_name(parts))).item()
    assert name == "001-01-1234-5678"


def test_known_cells_and_new_ones_get_the_ids_of_their_spelling() -> None:
    book = CellBook()
    first = book.encode(pl.Series([f"site {i}" for i in range(5000)] + [None, ""]), ()).ids
    again = book.encode(pl.Series(["site 4999", "001-01-01-1", "site 0", None]), ())
    assert again.ids[[0, 2, 3]].tolist() == first[[4999, 0, 5000]].tolist()
    assert len(set(first.tolist())) == 5001
    assert "001-01-1-1" in again.texts["text"].to_list()
