"""Addresses have keys, and keys are turned into text again."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest

from simbox.ingest.capture.packets.addresses import AddressBook


@pytest.mark.parametrize("text", ["0.0.0.0", "192.0.2.1", "255.255.255.255", "2001:db8::9", "::"])  # noqa: S104
def test_an_address_comes_back_from_its_key(text: str) -> None:
    book = AddressBook()
    assert book.text(book.key(text)) == text


def test_an_ipv4_key_is_its_number_and_an_ipv6_key_has_the_top_bit() -> None:
    book = AddressBook()
    assert book.key("192.0.2.1") == 0xC0000201
    assert book.key("2001:db8::1") >> 63 == 1


def test_many_addresses_have_as_many_keys() -> None:
    book = AddressBook()
    first = int(ipaddress.ip_address("2001:db8::"))
    packed = b"".join((first + n * 0x10001).to_bytes(16) for n in range(20_000))
    octets = np.frombuffer(packed, np.uint8).reshape(-1, 16)
    keys = book.keys(octets)
    assert len(set(keys.tolist())) == 20_000
    assert book.text(keys[77]) == str(ipaddress.ip_address(first + 77 * 0x10001))


def test_a_full_book_forgets_the_oldest_and_meets_it_anew() -> None:
    book = AddressBook(most=3)
    keys = [book.key(f"2001:db8::{n}") for n in range(1, 5)]
    assert book.counts == {"address|forgotten": 1}
    assert book.text(keys[0]) == f"ipv6:{keys[0]:016x}"
    assert book.text(keys[3]) == "2001:db8::4"
    assert book.key("2001:db8::1") == keys[0]


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        AddressBook().key("gateway")
