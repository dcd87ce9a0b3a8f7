from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from capture_generate import MIXES, write

from plain_captures import Frame, frames


def kind(frame: Frame) -> str:
    octets = frame[1]
    if octets[23] == 6:
        return "tcp"
    if b"SIP/2.0" in octets:
        return "sip"
    if len(octets) == 214 and octets[42] == 0x80:
        return "rtp"
    return "quic" if len(octets) in {1292, 83} else "rest"


@pytest.fixture(scope="module", params=MIXES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mix") / f"{request.param}.pcap"
    with path.open("wb") as out:
        write(out, MIXES[request.param], 30_000_000)
    return path


def test_mix_has_the_shares_that_it_says(made: Path) -> None:
    seen = Counter(map(kind, frames(made)))
    shares = {name: count / seen.total() for name, count in seen.items()}
    mix = MIXES[made.stem]
    for name in ("rtp", "sip", "tcp", "quic"):
        wanted = getattr(mix, name)
        assert shares[name] == pytest.approx(wanted, rel=0.1, abs=0.002)


def test_records_are_whole_and_in_the_order_of_time(made: Path) -> None:
    read = list(frames(made))
    assert 24 + sum(16 + len(octets) for _, octets, _ in read) == made.stat().st_size
    times = [at for at, *_ in read]
    assert times == sorted(times)


def test_file_is_as_large_as_asked_to_the_last_record() -> None:
    out = BytesIO()
    written = write(out, MIXES["voice"], 1_000_000)
    assert written == len(out.getvalue())
    assert 1_000_000 - 1600 < written <= 1_000_000


def test_same_seed_gives_the_same_octets() -> None:
    first, second, third = BytesIO(), BytesIO(), BytesIO()
    for out, seed in ((first, 1), (second, 1), (third, 2)):
        write(out, MIXES["broadband"], 1_000_000, seed)
    assert first.getvalue() == second.getvalue() != third.getvalue()
