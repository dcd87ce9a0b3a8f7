"""Gateways: rooms, cars and flats that pass calls of others off as subscribers' calls."""

from simbox.simulation.gateways.flats import build_audio_cable, build_fxo
from simbox.simulation.gateways.standing import build_burner, build_classic, build_shift
from simbox.simulation.gateways.turning import (
    build_combined,
    build_human_like,
    build_imei_per_sim,
    build_rotation,
    build_sim_bank,
)
from simbox.simulation.gateways.vehicle import build_vehicle
from simbox.simulation.group import Kind

GATEWAYS: tuple[Kind, ...] = (
    Kind("gateway/classic", "static boxes, a card in each port", "rooms", 5.0, build_classic),
    Kind("gateway/shift", "rented cottages, eight hours a session", "rooms", 4.0, build_shift),
    Kind("gateway/rotation", "cards in turn on few ports", "rooms", 5.0, build_rotation),
    Kind(
        "gateway/imei_per_sim",
        "cards in turn, a handset identity written for each",
        "rooms",
        5.0,
        build_imei_per_sim,
    ),
    Kind("gateway/sim_bank", "cards sent to ports in several cells", "rooms", 4.0, build_sim_bank),
    Kind("gateway/human_like", "rooms that imitate people", "rooms", 5.0, build_human_like),
    Kind("gateway/vehicle", "boxes in cars", "rooms", 5.0, build_vehicle),
    Kind("gateway/burner", "cards thrown away within days", "rooms", 5.0, build_burner),
    Kind("gateway/audio_cable", "phones on an audio cable", "rooms", 20.0, build_audio_cable),
    Kind("gateway/fxo", "boxes on residents' fixed lines", "rooms", 12.0, build_fxo),
    Kind("gateway/combined", "all evasions at once", "rooms", 4.0, build_combined),
)
