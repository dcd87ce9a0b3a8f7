"""Addresses as 64-bit keys, and the book that turns keys into text again."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter

import numpy as np

from simbox.ingest.capture.packets.columns import Index, Keys, Octets

MOST_ADDRESSES = 1 << 18  # IPv6 addresses that are remembered, about 40 MB
_V6 = 1 << 63
_ODD = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F  # multipliers of splitmix64 and xxHash64
_SLOTS = 1 << 14


class AddressBook:
    """The IPv6 addresses of a capture by their keys; an IPv4 address is its own key."""

    def __init__(self, most: int = MOST_ADDRESSES) -> None:
        """An empty book that forgets its oldest addresses beyond so many."""
        self.counts: Counter[str] = Counter()
        self._most = most
        self._octets: dict[int, bytes] = {}
        self._texts: dict[int, str] = {}
        self._seen = np.zeros(_SLOTS, np.uint64)  # keys met lately, each in the slot of its end

    def keys(self, octets: Octets) -> Keys:
        """The keys of IPv6 addresses, shape (addresses, 16), which are remembered."""
        halves = np.ascontiguousarray(octets).view(">u8").astype(np.uint64)
        keys = _mix(halves[:, 0], halves[:, 1])
        slots = (keys & np.uint64(_SLOTS - 1)).astype(np.int64)
        unseen = np.flatnonzero(self._seen[slots] != keys)
        if len(unseen):
            self._seen[slots[unseen]] = keys[unseen]
            self._remember(keys, octets, unseen)
        return keys

    def _remember(self, keys: Keys, octets: Octets, rows: Index) -> None:
        fresh, first = np.unique(keys[rows], return_index=True)
        for key, row in zip(fresh.tolist(), rows[first].tolist(), strict=True):
            if key not in self._octets:
                if len(self._octets) >= self._most:
                    self.counts["address|forgotten"] += 1
                    oldest = next(iter(self._octets))
                    del self._octets[oldest]
                    self._seen[oldest & (_SLOTS - 1)] = 0
                self._octets[key] = octets[row].tobytes()

    def text(self, key: int) -> str:
        """The address of a key as text, RFC 5952; a key where the address is forgotten."""
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= self._most:
                self._texts.clear()
            text = self._texts[key] = self._written(int(key))
        return text

    def _written(self, key: int) -> str:
        if key < _V6:
            return socket.inet_ntoa(key.to_bytes(4))
        octets = self._octets.get(key)
        return f"ipv6:{key:016x}" if octets is None else str(ipaddress.IPv6Address(octets))

    def key(self, text: str) -> int:
        """The key of an address as text; an IPv6 address is remembered.

        Raises:
            ValueError: it is no address.
        """
        try:
            return int.from_bytes(socket.inet_pton(socket.AF_INET, text))
        except (OSError, UnicodeEncodeError):
            address = ipaddress.ip_address(text)  # of IPv6, or it says that it is none
        octets = np.frombuffer(address.packed, np.uint8).reshape(1, 16)
        return int(self.keys(octets)[0])


def _mix(high: Keys, low: Keys) -> Keys:
    """A 64-bit hash of the halves of addresses, with the top bit set."""
    mixed = high * np.uint64(_ODD[0])
    mixed ^= mixed >> np.uint64(32)
    mixed += low
    mixed *= np.uint64(_ODD[1])
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(_ODD[0])
    mixed ^= mixed >> np.uint64(32)
    return mixed | np.uint64(_V6)
