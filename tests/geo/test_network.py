from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo import crs
from geo.network import allowed, build_streets, in_scope, use_streets
from geo.osm import WAY_TAGS, OsmWays
from tests.flatland import ADULT, CAR, CATALOG, Town, degrees


def tags(**given: str) -> pd.DataFrame:
    named = {key.replace("__", ":"): value for key, value in given.items()}
    row = dict.fromkeys(WAY_TAGS, "") | {"highway": "residential"} | named
    return pd.DataFrame([row])


@pytest.mark.parametrize(
    ("given", "walk", "drive"),
    [
        ({}, "both", "both"),
        ({"highway": "motorway"}, "none", "forward"),
        ({"highway": "motorway", "oneway": "no"}, "none", "both"),
        ({"highway": "trunk", "motorroad": "yes"}, "none", "both"),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, "both", "both"),
        ({"highway": "footway"}, "both", "none"),
        ({"highway": "steps"}, "both", "none"),
        ({"highway": "proposed"}, "none", "none"),
        ({"highway": "construction"}, "none", "none"),
        ({"access": "private"}, "none", "none"),
        ({"access": "no", "foot": "yes"}, "both", "none"),
        ({"access": "private", "motorcar": "yes"}, "none", "both"),
        ({"foot": "no"}, "none", "both"),
        ({"motor_vehicle": "no"}, "both", "none"),
        ({"vehicle": "no", "motorcar": "yes"}, "both", "both"),
        ({"access": "destination"}, "both", "both"),
        ({"oneway": "yes"}, "both", "forward"),
        ({"oneway": "-1"}, "both", "backward"),
        ({"junction": "roundabout"}, "both", "forward"),
        ({"oneway__foot": "yes"}, "forward", "both"),
        ({"oneway": "yes", "oneway__foot": "-1"}, "backward", "forward"),
    ],
)
def test_who_may_go_where(given, walk, drive):
    for profile, wanted in ((ADULT, walk), (CAR, drive)):
        forward, backward = allowed(tags(**given), profile)
        found = {(True, True): "both", (True, False): "forward", (False, True): "backward", (False, False): "none"}
        assert found[bool(forward[0]), bool(backward[0])] == wanted, profile.mode


def test_a_grid_has_its_corners_and_blocks():
    streets = Town().grid(4, 3).streets()
    assert len(streets.node_id) == 5 * 4
    assert streets.edge_n == 4 * 4 + 5 * 3
    np.testing.assert_allclose(streets.length_m, 100.0, atol=1e-4)


def test_a_block_takes_whole_milliseconds():
    streets = Town().grid(2, 2).streets()
    for persona, ms in (("adult", 90_000), ("child", 100_000), ("elderly", 120_000)):
        usage = use_streets(streets, CATALOG.travel_profile(persona, "walk"))
        assert set(usage.forward_ms) == set(usage.backward_ms) == {ms}
    assert set(use_streets(streets, CAR).forward_ms) == {18_000}  # 20 km/h on residential streets


def test_bends_are_kept_and_measured():
    streets = Town().street((0, 0), (3, 0), (3, 4)).streets()
    assert streets.edge_n == 1
    assert streets.length_m[0] == pytest.approx(700.0, abs=1e-3)


def test_lengths_are_geodesic():
    streets = Town().street((0, 0), (7, 11)).streets()
    (lon_a, lon_b), (lat_a, lat_b) = degrees([(0, 0), (7, 11)])
    assert streets.length_m[0] == crs.geodesic_m([lon_a], [lat_a], [lon_b], [lat_b])[0]


def test_streets_that_cross_without_a_corner_do_not_meet():
    streets = Town().street((0, 1), (2, 1)).street((1, 0), (1, 2), bridge="yes").streets()
    assert streets.edge_n == 2
    assert len(streets.node_id) == 4


def test_a_way_that_meets_itself_is_cut_there():
    # a six: the loop closes in the middle of the way
    streets = Town().street((0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (1, 0)).streets()
    assert sorted(np.round(streets.length_m)) == [100, 400]


def test_all_parts_are_kept_and_numbered_in_file_order():
    town = Town().street((0, 0), (30, 0)).street((0, 5), (1, 5)).street((0, 9), (2, 9), (2, 10))
    usage = use_streets(town.streets(), ADULT)
    assert usage.component.tolist() == [0, 1, 2]
    np.testing.assert_allclose(usage.component_m, [3000, 100, 300], atol=1e-2)


def test_a_dead_end_street_of_one_way_is_in_no_strong_part():
    town = Town().grid(2, 2).street((2, 2), (5, 2), oneway="yes")
    usage = use_streets(town.streets(), CAR)
    assert usage.component[-1] == -1
    assert usage.component_m[-1] == 0
    assert use_streets(town.streets(), ADULT).component[-1] == 0  # people walk back


def test_symmetry_is_seen():
    town = Town().grid(2, 2, oneway="yes")
    assert use_streets(town.streets(), ADULT).symmetric
    assert not use_streets(town.streets(), CAR).symmetric


def test_an_edge_nobody_may_use_takes_nothing():
    usage = use_streets(Town().street((0, 0), (1, 0), highway="proposed").streets(), ADULT)
    assert not usage.forward.any()
    assert usage.forward_ms.tolist() == [0]


def test_no_ways_make_no_streets():
    empty = OsmWays(
        pd.DataFrame(columns=["way_id", *WAY_TAGS]), np.zeros(1, np.int64), np.zeros(0, np.int64),
        np.zeros(0), np.zeros(0), None,
    )  # fmt: skip
    streets = build_streets(empty)
    assert streets.edge_n == 0
    assert np.isnan(streets.box).all()
    assert not use_streets(streets, ADULT).forward.any()


def test_scope_takes_edges_with_a_vertex_inside():
    streets = Town().street((0, 0), (1, 0)).street((5, 0), (6, 0)).streets()
    (west, east), (south, north) = degrees([(-1, -1), (2, 1)])
    assert in_scope(streets, (west, south, east, north)).tolist() == [True, False]
    assert in_scope(streets, None).all()
