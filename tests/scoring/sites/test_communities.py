from __future__ import annotations

import numpy as np

from simbox.scoring.sites.communities import LARGEST, Links, communities


def clique(first: int, size: int, nats: float) -> list[tuple[int, int, float]]:
    return [(a, b, nats) for a in range(first, first + size) for b in range(a + 1, first + size)]


def links(rows: list[tuple[int, int, float]]) -> Links:
    low, high, nats = zip(*sorted(rows), strict=True)
    return Links(np.array(low), np.array(high), np.array(nats))


def test_two_rooms_that_hang_on_one_chance_link_are_two() -> None:
    found = communities(links([*clique(0, 6, 5.0), *clique(6, 5, 5.0), (5, 6, 4.0)]), 12)
    assert found.tolist() == [0] * 6 + [1] * 5 + [-1]


def test_a_line_that_one_member_alone_knows_is_left_out() -> None:
    found = communities(links([*clique(0, 8, 4.0), (0, 8, 3.0)]), 9)
    assert found.tolist() == [0] * 8 + [-1]


def test_links_below_the_bar_join_nothing() -> None:
    assert communities(links([(0, 1, -0.5), (1, 2, 0.0)]), 3).tolist() == [-1] * 3


def test_a_large_room_is_one_and_a_long_chain_is_not() -> None:
    size = LARGEST + 30
    rows = clique(0, size, 6.0) + [(n, n + 1, 1.5) for n in range(size, size + 50)]
    found = communities(links(rows), size + 51)
    assert len(set(found[:size].tolist())) == 1
    assert max(np.bincount(found[size:][found[size:] >= 0])) < 6


def test_the_order_of_the_links_does_not_matter() -> None:
    rows = [*clique(0, 6, 5.0), *clique(6, 5, 2.0), (2, 8, 1.0)]
    mixed = links(rows)
    order = np.random.default_rng(1).permutation(len(rows))
    assert communities(mixed, 11).tolist() == communities(mixed.where(order), 11).tolist()
