from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.network import use_streets
from geo.snap import Snapper, nearest_line_m
from tests.flatland import ADULT, CAR, PLANE, Town, degrees

LONG = [(0.0, 0.0), (30.0, 0.0)]
POINT = st.tuples(st.floats(-5, 35), st.floats(-5, 12))


def town() -> Town:
    """A main street of 3 km, a lane of 300 m beside it, and a lane far off at y = 60 blocks."""
    return Town().street(*LONG).street((10, 4), (13, 4)).street((10, 60), (13, 60))


def test_a_point_meets_the_middle_of_its_edge():
    _, _, snaps = Town().street(*LONG).snapped([(7.5, 2.0)])
    assert snaps.fraction[0] == pytest.approx(0.25, abs=1e-5)
    assert snaps.distance_m[0] == pytest.approx(200.0, abs=1e-3)
    lon, lat = degrees([(7.5, 0.0)])
    assert (snaps.lon[0], snaps.lat[0]) == pytest.approx((lon[0], lat[0]), abs=1e-8)


def test_a_short_part_is_passed_over_while_a_long_one_is_in_the_limit():
    _, _, snaps = town().snapped([(11, 3.9), (11, 59.9), (11, 25)])
    # 390 m to the main street beats 10 m to a lane of 300 m; at the far lane nothing else is within 2 km
    assert snaps.edge.tolist() == [0, 2, -1]
    assert snaps.status.tolist() == ["ok", "minor", "off_network"]
    assert snaps.component.tolist() == [0, 2, -1]
    assert np.isnan(snaps.distance_m[2])


@pytest.mark.parametrize(("metres", "main"), [(2001.0, True), (1999.0, False)])
def test_two_kilometres_make_a_part_a_network(metres, main):
    # the rim is 2,000 m; a metre beside it, because a made-up kilometre is true to some micrometres only
    made = Town().street((0, 0), (metres / 100, 0)).street((10, 3), (11, 3))
    _, _, snaps = made.snapped([(10.5, 2.5)])
    assert snaps.edge[0] == (0 if main else 1)


def test_the_limit_is_half_an_hour_and_its_rim_counts():
    assert ADULT.off_street_limit_m == 2000.0
    _, _, snaps = Town().street(*LONG).snapped([(15, 19.9999), (15, 20.01)])
    assert snaps.status.tolist() == ["ok", "off_network"]


def test_of_equally_near_edges_the_first_of_the_file_is_taken():
    # beyond the corner both streets are nearest at the corner itself
    for one, other in ((LONG, [(0.0, 0.0), (0.0, 10.0)]), ([(0.0, 0.0), (0.0, 10.0)], LONG)):
        _, _, snaps = Town().street(*one).street(*other).snapped([(-1, -1)])
        assert snaps.edge[0] == 0
        assert snaps.fraction[0] == 0.0


def test_a_car_is_not_put_on_a_footway():
    made = (
        Town().street(*LONG).street((0, 1), (30, 1), highway="footway").street((0, 0), (0, 1), highway="footway")
    )
    assert made.snapped([(5, 0.9)])[2].edge[0] == 1
    assert made.snapped([(5, 0.9)], profile=CAR)[2].edge[0] == 0


def test_no_position_is_said():
    streets = town().streets()
    snapper = Snapper(streets, use_streets(streets, ADULT), profile=ADULT, plane=PLANE)
    snaps = snapper.snap([np.nan, 102.75], [28.0, np.nan])
    assert snaps.status.tolist() == ["no_position", "no_position"]


def test_no_points_and_no_streets():
    assert len(town().snapped([])[2].edge) == 0
    nobody = Town().street((0, 0), (1, 0), highway="proposed")
    assert nobody.snapped([(0, 0)])[2].status.tolist() == ["off_network"]


@given(st.lists(POINT, min_size=2, max_size=6))
def test_no_point_depends_on_another(points):
    made = town()
    together = made.snapped(points)[2]
    for row, point in enumerate(points):
        alone = made.snapped([point])[2]
        for field in ("edge", "fraction", "distance_m", "component", "status"):
            np.testing.assert_array_equal(getattr(alone, field)[0], getattr(together, field)[row])


@given(POINT)
def test_the_edge_is_the_nearest(point):
    # straight streets along the axes: the distance can be worked out in the head
    _, _, snaps = Town().street(*LONG).street((0, 0), (0, 10)).snapped([point])
    x, y = point
    to_main = np.hypot(x - np.clip(x, 0, 30), y)
    to_side = np.hypot(x, y - np.clip(y, 0, 10))
    # three kilometres from its middle the plane stretches by 1e-7
    assert snaps.distance_m[0] == pytest.approx(100 * min(to_main, to_side), abs=1e-2)


def test_the_distance_to_a_line_is_true_metres_and_nothing_where_there_is_none():
    lon, lat = degrees([(0, 3), (12, 4), (0, 0)])
    pipe = shapely.LineString(np.column_stack(degrees([(-5, 0), (9, 0)])))
    field = shapely.Polygon(np.column_stack(degrees([(11, 3), (13, 3), (13, 5), (11, 5)])))
    far = nearest_line_m([*lon, np.nan], [*lat, 0.0], [pipe, None, shapely.LineString()])
    np.testing.assert_allclose(far, [300, 500, 0, np.nan], atol=1e-3)
    assert nearest_line_m(lon, lat, [pipe, field])[1] == pytest.approx(0, abs=1e-6)
    assert np.isnan(nearest_line_m(lon, lat, [])).all()
    assert len(nearest_line_m([], [], [pipe])) == 0


def line(*points):
    return shapely.LineString(np.column_stack(degrees(points)))


def walled(town, points, *closed):
    streets = town.streets()
    usage = use_streets(streets, ADULT)
    return Snapper(streets, usage, profile=ADULT, plane=PLANE, closed=np.array([*closed, None], object)[:-1]).snap(
        *degrees(points)
    )


def test_a_river_sends_one_to_the_street_of_the_own_bank():
    town = Town().street((0, 0), (30, 0)).street((0, 8), (30, 8))
    river = line((-90, 2), (90, 2))
    free, barred = (walled(town, [(5, 3), (5, 1)], *closed) for closed in ((), (river,)))
    assert free.edge.tolist() == [0, 0]
    assert barred.edge.tolist() == [1, 0]
    np.testing.assert_allclose(barred.distance_m, [500, 100], atol=0.01)
    # a short wall that ends beside the shortest way
    assert walled(town, [(5, 3)], line((0, 2), (4.9, 2))).edge.tolist() == [0]


def test_one_in_a_lake_or_walled_in_has_no_street():
    town = Town().street((0, 0), (30, 0))
    lake = shapely.Polygon(np.column_stack(degrees([(4, 1), (9, 1), (9, 5), (4, 5)])))
    found = walled(town, [(5, 3), (5, 6), (12, 3)], lake)
    assert found.status.tolist() == ["off_network", "off_network", "ok"]  # the second looks across the lake
    beside = Town().street((0, 0), (30, 0)).street((0, 0), (0, 6))
    assert walled(beside, [(5, 6)], lake).edge.tolist() == [1]


def test_a_street_on_the_own_bank_goes_before_a_better_one_on_the_other_only_if_it_is_no_dead_piece():
    town = Town().street((0, 0), (30, 0)).street((3, 4), (7, 4)).street((0, 12), (30, 12))
    found = walled(town, [(5, 3)], line((-90, 2), (90, 2)))
    assert (found.edge[0], found.status[0]) == (2, "ok")
    alone = walled(Town().street((0, 0), (30, 0)).street((3, 4), (7, 4)), [(5, 3)], line((-90, 2), (90, 2)))
    assert (alone.edge[0], alone.status[0]) == (1, "minor")


SOME = st.tuples(st.integers(-4, 34), st.integers(-4, 14)).map(lambda p: (p[0] + 0.31, p[1] + 0.17))


@given(st.lists(SOME, min_size=1, max_size=4), st.lists(st.tuples(SOME, SOME), min_size=1, max_size=5))
def test_past_walls_the_edge_is_the_nearest_that_is_open(points, walls):
    """Against looking at every edge."""
    town = Town().grid(3, 1).street((0, 1), (0, 12), (30, 12)).street((3, 0), (30, 0))
    closed = [line(a, b) for a, b in walls if a != b]
    found = walled(town, points, *closed)
    lines = town.streets().lines(PLANE)
    wall = shapely.union_all([shapely.LineString(np.array([a, b]) * 100) for a, b in walls if a != b])
    for row, point in enumerate(points):
        legs = shapely.shortest_line(shapely.Point(np.array(point) * 100), lines)
        open_ = ~shapely.intersects(legs, wall) & (shapely.length(legs) <= ADULT.off_street_limit_m)
        least = shapely.length(legs)[open_].min(initial=np.inf)
        if np.isinf(least):
            assert found.status[row] == "off_network"
        else:
            assert found.distance_m[row] == pytest.approx(least, abs=1e-2)
