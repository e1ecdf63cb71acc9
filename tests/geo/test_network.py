from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo import crs, osm
from geo.grades import grades_of
from geo.network import allowed, beside_a_footway, build_streets, ferries_adrift, in_scope, left_out, use_streets
from geo.osm import WAY_TAGS, OsmWays
from geo.reach import Journeys
from geo.snap import Snapper
from tests.flatland import ADULT, CAR, CATALOG, PLANE, Town, degrees
from tests.geo.test_grades import incline

EBIKE = CATALOG.travel_profile("adult", "ebike")


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


# --- barriers ---------------------------------------------------------------------------------------------


def barred(tmp_path, kind, **tags):
    """A street of two blocks with a barrier on its middle node, read from a file."""
    lon, lat = degrees([(0, 0), (1, 0), (2, 0)])
    nodes = [osm.Node(n, x, y, {"barrier": kind, **tags} if n == 2 else {}) for n, (x, y) in
             enumerate(zip(lon, lat, strict=True), start=1)]  # fmt: skip
    fence = osm.Way(2, [1, 3], {"barrier": "fence"})
    osm.write_osm(tmp_path / "a.osm", nodes, [osm.Way(1, [1, 2, 3], {"highway": "residential"}), fence])
    return build_streets(osm.read_ways(tmp_path / "a.osm"))


@pytest.mark.parametrize(
    ("kind", "tags", "walk", "drive"),
    [
        ("gate", {}, True, True),
        ("gate", {"access": "private"}, False, False),
        ("gate", {"access": "private", "foot": "yes"}, True, False),
        ("gate", {"motor_vehicle": "no"}, True, False),
        ("bollard", {}, True, False),
        ("bollard", {"motorcar": "yes"}, True, True),
        ("kissing_gate", {}, True, False),
        ("wall", {}, False, False),
        ("wall", {"foot": "yes"}, True, False),
        ("toll_booth", {}, True, True),
        ("kerb", {}, True, True),
    ],
)
def test_a_barrier_on_a_street_stops_whom_it_stops(tmp_path, kind, tags, walk, drive):
    streets = barred(tmp_path, kind, **tags)
    assert streets.edge_n == 2
    assert streets.tags["way_id"].tolist() == [1]  # a fence is no street
    for profile, passes in ((ADULT, walk), (EBIKE, walk), (CAR, drive)):
        usage = use_streets(streets, profile)
        # both blocks are there, and hang together only for whom the barrier lets through
        assert usage.forward.all()
        assert len(set(usage.component.tolist())) == (1 if passes else 2), profile.mode
        at = degrees([(0, 0)]), degrees([(2, 0)])
        snapper = Snapper(streets, usage, profile=profile, plane=PLANE)
        journeys = Journeys.straight(
            streets, usage, profile=profile, homes=snapper.snap(*at[0]), facilities=snapper.snap(*at[1]),
            homes_at=at[0], facilities_at=at[1],
        )  # fmt: skip
        reached = journeys.nearest(np.array([0]), rank=np.array([0]), direction="to_facility").facility[0]
        assert (reached == 0) == passes, profile.mode


def test_a_barrier_beside_the_streets_stops_nobody(tmp_path):
    lon, lat = degrees([(0, 0), (1, 0), (0.5, 0.5)])
    nodes = [
        osm.Node(1, lon[0], lat[0]),
        osm.Node(2, lon[1], lat[1]),
        osm.Node(3, lon[2], lat[2], {"barrier": "wall"}),
    ]
    osm.write_osm(tmp_path / "a.osm", nodes, [osm.Way(1, [1, 2], {"highway": "path"})])
    streets = build_streets(osm.read_ways(tmp_path / "a.osm"))
    assert len(streets.barriers) == 0
    assert use_streets(streets, ADULT).node_n == 2


# --- sidewalks of their own -------------------------------------------------------------------------------


def test_a_carriageway_with_a_sidewalk_beside_it_is_not_walked_on():
    for apart, walked in ((0.1, [False, True]), (0.5, [True, True])):
        town = Town().street((0, 0), (5, 0), highway="primary", sidewalk="separate")
        streets = town.street((0, apart), (5, apart), highway="footway").streets()
        assert use_streets(streets, ADULT).forward.tolist() == walked
        assert use_streets(streets, CAR).forward[0]


@pytest.mark.parametrize(("blocks", "beside"), [(0, False), (2, False), (3, True), (5, True)])
def test_where_no_sidewalk_is_mapped_one_walks_on_the_carriageway(blocks, beside):
    town = Town().street((0, 0), (5, 0), highway="primary", foot="use_sidewalk")
    if blocks:
        town.street((0, 0.1), (blocks, 0.1), highway="footway")
    town.street((2, -1), (2, -0.05), highway="footway")  # one that only meets it is none
    assert beside_a_footway(town.streets())[0] == beside


def test_a_sidewalk_that_is_closed_is_none():
    town = (
        Town().street((0, 0), (5, 0), sidewalk="separate").street((0, 0.1), (5, 0.1), highway="footway", foot="no")
    )
    assert not beside_a_footway(town.streets()).any()


# --- what is left out -------------------------------------------------------------------------------------


def test_what_is_left_out_is_told_with_its_reason_and_its_kilometres():
    town = Town().street((0, 0), (10, 0)).street((0, 1), (30, 1), highway="motorway")
    town.street((0, 2), (20, 2), highway="trunk", motorroad="yes").street((0, 3), (5, 3), access="private")
    town.street((0, 4), (4, 4), highway="proposed").street((0, 5), (3, 5), highway="path")
    town.street((0, 6), (2, 6), highway="service", access="private").street(
        (0, 7), (2, 7), highway="service", access="no"
    )
    walk, drive = (left_out(town.streets(), profile) for profile in (ADULT, CAR))

    def rows(table):
        return [(row.why, row.highway, row.ways_n, round(row.length_km, 3)) for row in table.itertuples()]

    assert rows(walk) == [
        ("class", "motorway", 1, 3.0), ("motorroad", "trunk", 1, 2.0), ("access", "residential", 1, 0.5),
        ("access", "service", 2, 0.4), ("class", "proposed", 1, 0.4),
    ]  # fmt: skip
    assert rows(drive) == [
        ("access", "residential", 1, 0.5), ("access", "service", 2, 0.4), ("class", "proposed", 1, 0.4),
        ("class", "path", 1, 0.3),
    ]  # fmt: skip
    streets = town.streets()
    for profile, table in ((ADULT, walk), (CAR, drive)):
        usage = use_streets(streets, profile)
        closed = streets.length_m[~(usage.forward | usage.backward)].sum() / 1000
        assert table["length_km"].sum() == pytest.approx(closed)


def two_shores(**tags):
    """Two streets of 5 km on both sides of a water of 2 km that a ferry crosses."""
    town = Town().street((-50, 0), (0, 0)).street((20, 0), (70, 0))
    return town.street((0, 0), (10, 0), (20, 0), highway="ferry", **tags)


FERRIED = CATALOG.with_ferries()


@pytest.mark.parametrize(("tags", "minutes"), [
    ({}, 10 + 20),  # 12 km/h and the wait of the catalogue
    ({"duration": "00:30"}, 30 + 20), ({"duration": "45"}, 45 + 20), ({"duration": "1:00:30"}, 60.5 + 20),
    ({"duration": "00:30", "interval": "01:00"}, 30 + 30), ({"interval": "00:10"}, 10 + 5),
    ({"duration": "about an hour"}, 10 + 20), ({"duration": "00:00"}, 10 + 20),
    ({"duration": "00:01"}, 2 + 20),  # no ferry goes at 120 km/h
])  # fmt: skip
@pytest.mark.parametrize("persona", ["adult", "elderly"])
def test_a_ferry_takes_its_time_whoever_walks(tags, minutes, persona):
    profile = FERRIED.travel_profile(persona, "walk")
    found = two_shores(**tags).journey([(-1, 0)], [(21, 0)], profile=profile)
    reached = found.nearest(np.array([0]), rank=np.array([0]), direction="to_facility")
    walk = 2 * 100 / profile.flat_kmh * 0.06
    assert reached.to_min[0] == pytest.approx(minutes + walk, abs=1e-3)
    assert reached.distance_m[0] == pytest.approx(2200, abs=0.1)


def test_a_ferry_is_taken_only_if_asked_for_and_not_against_its_tags():
    for profile, tags in [(ADULT, {}), (FERRIED.travel_profile("adult", "walk"), {"foot": "no"}),
                          (FERRIED.travel_profile("adult", "drive"), {})]:  # fmt: skip
        reached = (
            two_shores(**tags)
            .journey([(-1, 0)], [(21, 0)], profile=profile)
            .nearest(np.array([0]), rank=np.array([0]), direction="to_facility")
        )
        assert np.isnan(reached.to_min).all(), (profile.mode, tags)
    car = FERRIED.travel_profile("adult", "drive")
    driven = two_shores(motor_vehicle="yes").journey([(-1, 0)], [(21, 0)], profile=car)
    assert driven.nearest(np.array([0]), rank=np.array([0]), direction="to_facility").to_min[0] == pytest.approx(
        30.6, abs=0.01
    )


def test_nobody_boards_in_the_middle_and_grades_do_not_slow_a_ferry():
    profile = FERRIED.travel_profile("adult", "walk")
    streets, _, snaps = two_shores().snapped([(10, 0), (-3, 1)], profile=profile)
    assert snaps.status.tolist() == ["ok", "ok"]
    assert not streets.ferry[snaps.edge].any()
    sloped = use_streets(streets, profile, grades_of(streets, incline(0.2)))
    level = use_streets(streets, profile)
    np.testing.assert_array_equal(sloped.forward_ms[streets.ferry], level.forward_ms[streets.ferry])
    assert (sloped.forward_ms[~streets.ferry] > level.forward_ms[~streets.ferry]).any()
    half = sloped.part_ms(np.flatnonzero(streets.ferry)[:1], np.array([0.5]))
    assert half[0][0] == pytest.approx(level.forward_ms[streets.ferry][0] / 2, abs=1)


def test_a_ferry_that_meets_no_street_is_named():
    town = two_shores().street((30, 30), (30, 50), highway="ferry").street((0, 0), (0, 40), highway="ferry")
    assert ferries_adrift(town.streets()) == ["w4", "w5"]
    assert ferries_adrift(Town().street((0, 0), (1, 0)).streets()) == []


def test_ferries_of_a_file_are_read_only_if_asked_for(tmp_path):
    nodes = [osm.Node(n, 102.75 + n / 100, 28.0) for n in range(1, 5)]
    ways = [osm.Way(1, [1, 2], {"highway": "residential"}), osm.Way(2, [2, 3], {"route": "ferry", "duration": "00:20"}),
            osm.Way(3, [3, 4], {"route": "bus"}), osm.Way(4, [3, 4], {"route": "ferry", "highway": "track"})]  # fmt: skip
    osm.write_osm(tmp_path / "a.osm.pbf", nodes, ways)
    assert osm.read_ways(tmp_path / "a.osm.pbf").tags["way_id"].tolist() == [1, 4]
    read = osm.read_ways(tmp_path / "a.osm.pbf", ferries=True).tags
    assert read["highway"].tolist() == ["residential", "ferry", "track"]
    assert read["duration"].tolist() == ["", "00:20", ""]
