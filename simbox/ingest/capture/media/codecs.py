"""Names and clock rates of RTP payload types: the static ones of RFC 3551, section 6."""

from __future__ import annotations

from typing import NamedTuple

TELEPHONE_EVENT = "telephone-event"  # RFC 4733, always a dynamic payload type
COMFORT_NOISE = "CN"  # RFC 3389


class Codec(NamedTuple):
    """An encoding as SDP names it, and the rate at which its RTP timestamp runs."""

    name: str
    rate: int  # Hz


#: What a payload type means when signalling does not say.
STATIC: dict[int, Codec] = {
    0: Codec("PCMU", 8000),
    3: Codec("GSM", 8000),
    4: Codec("G723", 8000),
    5: Codec("DVI4", 8000),
    6: Codec("DVI4", 16000),
    7: Codec("LPC", 8000),
    8: Codec("PCMA", 8000),
    9: Codec("G722", 8000),  # samples at 16 kHz, but its timestamp runs at 8 kHz
    10: Codec("L16", 44100),
    11: Codec("L16", 44100),
    12: Codec("QCELP", 8000),
    13: Codec(COMFORT_NOISE, 8000),
    14: Codec("MPA", 90000),
    15: Codec("G728", 8000),
    16: Codec("DVI4", 11025),
    17: Codec("DVI4", 22050),
    18: Codec("G729", 8000),
    19: Codec(COMFORT_NOISE, 8000),  # reserved, yet old devices send comfort noise with it
    25: Codec("CELB", 90000),
    26: Codec("JPEG", 90000),
    28: Codec("NV", 90000),
    31: Codec("H261", 90000),
    32: Codec("MPV", 90000),
    33: Codec("MP2T", 90000),
    34: Codec("H263", 90000),
}
#: First and last payload type whose meaning only signalling can tell.
DYNAMIC = (96, 127)


def codec_name(written: str) -> str:
    """The one spelling of an encoding name: capitals, but for telephone-event."""
    name = written.strip()[:32]
    return TELEPHONE_EVENT if name.lower() == TELEPHONE_EVENT else name.upper()


def static_name(payload_type: str) -> str:
    """The codec of a payload type in decimal digits by RFC 3551; empty when it has none."""
    codec = STATIC.get(int(payload_type)) if payload_type.isdecimal() else None
    return codec.name if codec else ""
