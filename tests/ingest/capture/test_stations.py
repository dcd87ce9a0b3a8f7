from pathlib import Path

import numpy as np
import polars as pl
import pytest
from capture_making import T0, ethernet, frames_of, ipv4, udp

from simbox.ingest.capture.packets.columns import Packets
from simbox.ingest.capture.packets.datagrams import datagrams, macs
from simbox.ingest.capture.packets.decode import Decoder
from simbox.ingest.capture.signatures.stations import Stations
from simbox.ingest.capture.sink import Sink

MAC = bytes.fromhex("02000000000a")


def frame(payload: bytes = b"hello", mac: bytes = MAC) -> bytes:
    whole = ethernet(ipv4(udp(payload)))
    return whole[:6] + mac + whole[12:]


def packets(octets: list[bytes], link: int = 1) -> tuple[Packets, Decoder]:
    decoder = Decoder()
    return decoder(frames_of(octets, link=link))[0], decoder


def test_station_is_noted_once_with_its_first_frame(tmp_path: Path) -> None:
    found, decoder = packets([frame(), frame(b"again")])
    stations = Stations()
    stations.add(found)
    stations.add(found)
    (station,) = stations.found(decoder.addresses)
    assert (station.mac, station.time, station.frame) == ("02:00:00:00:00:0a", T0, 1)
    out = Sink(tmp_path, "a.pcap")
    stations.write(decoder.addresses, out)
    out.close()
    written = pl.read_ipc(tmp_path / "stations-00000.arrow")
    assert written.rows() == [(station.mac, station.ip)]


def test_frames_without_ethernet_have_no_station() -> None:
    found, decoder = packets([ipv4(udp(b"hello"))], link=101)
    stations = Stations()
    stations.add(found)
    assert stations.found(decoder.addresses) == []
    assert macs(found, np.array([0])) == [""]


@pytest.mark.parametrize("rows", [[0, 1, 2], [2], [1, 0], []])
def test_datagrams_are_the_packets_asked_for_in_that_order(rows: list[int]) -> None:
    texts = [b"first", b"", b"third " * 30]
    found, decoder = packets([frame(text) for text in texts])
    read = list(datagrams(found, np.array(rows, np.int64), decoder.addresses))
    assert [d.payload for d in read] == [texts[row] for row in rows]
    assert [d.frame for d in read] == [row + 1 for row in rows]
    assert {(d.sport, d.dport, d.transport, d.mac) for d in read} <= {
        (5060, 5062, "udp", "02:00:00:00:00:0a")
    }
    assert [d.length for d in read] == [len(d.payload) for d in read]
