from __future__ import annotations

import numpy as np

from simulation.gateway_week import week


def test_a_rack_keeps_the_place_and_handset_of_the_stay_before() -> None:
    gang = week("rotation").gang
    stays = gang.rack.tenures
    twice = np.flatnonzero(
        (stays.sim[1:] == stays.sim[:-1]) & (stays.begins[1:] > stays.ends[:-1] + 9)
    )
    sim, between = stays.sim[twice], stays.ends[twice] + 4
    assert (gang.rack.stay(sim, between) == twice).all()
    assert not gang.rack.reachable(sim, between).any()
    assert gang.rack.reachable(sim, stays.begins[twice] + 1).all()
    assert (gang.rack.in_port(stays.port[twice], stays.begins[twice] + 1) == twice).all()
    assert (gang.rack.stay(sim, np.full(len(sim), -1.0)) == np.searchsorted(stays.sim, sim)).all()
