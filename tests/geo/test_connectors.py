"""Ways over open ground, from first principles and against the full search of streets and cells together."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from geo._kernels.hill import GRADE_STEPS, MOVES
from geo.connectors import BY_THE_STREET_M, OpenGround, _Net, _Points, cross_open_ground, snaps_of
from geo.grades import grades_of
from geo.hillside import PAD, lay_hillside, walking_grid
from geo.network import use_streets
from geo.reach import Crossing, Journeys
from geo.snap import MAIN_COMPONENT_M, Snapper
from geo.walking import DEFAULT, WALK_FUNCTIONS
from tests.flatland import ADULT, CAR, CATALOG, PLANE, Town, degrees
from tests.geo.test_grades import ground

WALK = WALK_FUNCTIONS[DEFAULT]
OFF = float(WALK.off_path_slowness(0.0))
"""How many times longer a level metre takes off a path."""
CHILD = CATALOG.travel_profile("child", "walk")


def level(_x, _y):
    return 2000.0 + 0 * _x


def crossed(town, homes, facilities, *, height=level, closed=(), profile=ADULT, reach_m=3_000.0, factor=None):
    streets = town.streets()
    raster = ground(height, reach_m=reach_m)
    grades = grades_of(streets, raster)
    grid = walking_grid(raster)
    hillside = lay_hillside(grid, closed=[shapely.LineString(np.column_stack(degrees(line))) for line in closed],
                            factor=None if factor is None else np.full(grid.values.shape, factor, np.float32))  # fmt: skip
    usage = use_streets(streets, ADULT, grades)
    at = degrees(homes), degrees(facilities)
    found = cross_open_ground(streets, usage, hillside, profile=ADULT, car=use_streets(streets, CAR, grades),
                              plane=PLANE, homes_at=at[0], facilities_at=at[1], least_m=1500.0)  # fmt: skip
    own = use_streets(streets, profile, grades)
    foot = profile.mode != "drive"
    ways = (found.homes, found.facilities) if foot else (found.car_homes, found.car_facilities)
    ways = tuple(w.within(profile.off_street_limit_m) for w in ways)
    crossing = Crossing(len(homes), len(facilities), *ways, found.pairs)
    return found, Journeys(streets, own, profile=profile, crossing=crossing), (streets, usage, hillside, at)


def minutes(journeys, f=0, direction="to_facility"):
    return journeys.nearest([f], rank=[0], direction=direction).to_min


LONG = Town().street((-25, 0), (25, 0))


def test_who_stands_by_the_street_has_the_straight_way_off_a_path():
    found, journeys, _ = crossed(LONG, [(0, 0.2)], [(10, 0.1)])
    assert (len(found.homes.point), len(found.facilities.point), len(found.pairs.home)) == (2, 2, 0)
    assert minutes(journeys)[0] == pytest.approx((1000 + 30 * OFF) / 1000 * 15, abs=2e-3)


def test_over_level_ground_the_way_to_the_street_is_straight_and_slower_than_a_path():
    for blocks in (0.5, 2, 6):
        _, journeys, _ = crossed(LONG, [(0, blocks)], [(10, 0)])
        # straight down to the street and along it, or aslant: off a path is 1.41 times slower, so at 45° it pays
        sine = 1 / OFF
        aslant = blocks * OFF / np.sqrt(1 - sine**2) + 10 - blocks * sine / np.sqrt(1 - sine**2)
        down = blocks * OFF + 10
        time = minutes(journeys)[0] / 1.5
        assert aslant - 1e-3 <= time <= down + 1e-3
        assert time <= aslant * 1.03 + 0.1


def test_up_the_slope_takes_longer_than_down():
    found, journeys, _ = crossed(LONG, [(0, 5)], [(0, 0)], height=lambda _, y: 2000 - 0.2 * y)
    to = minutes(journeys)[0]
    back = journeys.nearest([0], rank=[0], direction="from_facility").back_min[0]
    # the home lies lower, in the north; it climbs to the street
    assert to == pytest.approx(7.5 * float(WALK.off_path_slowness(0.2)), rel=5e-3)
    assert back == pytest.approx(7.5 * float(WALK.off_path_slowness(-0.2)), rel=5e-3)
    assert found.homes.outward.any()


def test_a_river_is_walked_around_or_ends_the_way():
    river = [(-4, 2), (4, 2)]
    _, around, _ = crossed(LONG, [(0, 4)], [(0, 0)], closed=[river])
    _, free, _ = crossed(LONG, [(0, 4)], [(0, 0)])
    assert minutes(free)[0] == pytest.approx(6 * OFF, rel=2e-2)
    assert minutes(around)[0] >= 1.5 * OFF * (np.hypot(4, 2) + 2) * 0.999
    _, shut, _ = crossed(LONG, [(0, 4)], [(0, 0)], closed=[[(-40, 2), (40, 2)]])
    assert np.isnan(minutes(shut)[0])


def test_by_the_river_one_does_not_step_across_to_the_street_on_the_other_bank():
    both = Town().street((-25, 0), (25, 0)).street((-25, 3), (25, 3)).street((25, 0), (25, 3))
    bank = [[(-40, 0.1), (40, 0.1)]]
    found, journeys, _ = crossed(both, [(0, 0.2)], [(0, 0)], closed=bank)
    # the nearest street is 20 m away over the water; the other one 280 m, and round by the end
    assert set(found.homes.edge) == {1}
    assert np.isnan(minutes(journeys)[0]) or minutes(journeys)[0] > 50


def test_a_bridge_carries_who_walks_on_it_and_nobody_gets_onto_its_middle():
    town = Town().street((-25, 0), (0, 0)).street((0, 0), (0, 8), bridge="yes").street((0, 8), (25, 8))
    found, journeys, (streets, *_) = crossed(town, [(1, 4)], [(0, 8)], closed=[[(-40, 5), (40, 5)]])
    assert not set(found.homes.edge) & set(np.flatnonzero(streets.raised).tolist())
    assert minutes(journeys)[0] >= 1.5 * (OFF * np.hypot(1, 4) + 8) * 0.999


def test_two_points_off_the_street_are_joined_over_the_field():
    ring = Town().street((-8, 0), (-8, 10), (8, 10), (8, 0))
    found, journeys, _ = crossed(ring, [(-5, 0)], [(5, 0)])
    assert minutes(journeys)[0] == pytest.approx(15 * OFF, rel=2e-2)
    assert set(found.pairs.outward.tolist()) == {True, False}
    assert journeys.way(0, 0)["edge"].tolist() == [-2]
    _, parted, _ = crossed(ring, [(-5, 0)], [(5, 0)], closed=[[(0, -40), (0, 40)]])
    # straight to where the street crosses the river, and straight back
    assert minutes(parted)[0] == pytest.approx(1.5 * 2 * np.hypot(5, 10) * OFF, rel=2e-2)


def test_further_than_half_an_hour_from_every_street_is_off_the_network():
    found, _, (streets, usage, *_rest) = crossed(LONG, [(0, 13), (0, 15)], [(0, 0)])
    placed = np.ones(2, bool)
    assert snaps_of(found.homes.within(2000.0), placed, streets, usage).status.tolist() == ["ok", "off_network"]
    assert snaps_of(found.homes.within(1500.0), placed, streets, usage).status.tolist() == ["off_network"] * 2


def test_a_short_part_of_the_network_is_met_only_for_want_of_better():
    town = Town().street((-25, 0), (25, 0)).street((0, 12), (3, 12))
    found, _, (streets, usage, *_rest) = crossed(town, [(0, 11), (0, 20)], [(0, 0)])
    snaps = snaps_of(found.homes.within(2000.0), np.ones(2, bool), streets, usage)
    assert snaps.status.tolist() == ["ok", "minor"]
    assert snaps.edge.tolist() == [0, 1]
    # who walks slower comes no further than the short one
    slow = snaps_of(found.homes.within(1500.0), np.ones(2, bool), streets, usage)
    assert slow.status.tolist() == ["minor", "minor"]


def test_to_a_car_one_walks_along_the_path_to_the_road():
    town = Town().street((-25, 0), (0, 0), (25, 0), highway="tertiary").street((0, 0), (0, 6), highway="path")
    found, journeys, _ = crossed(town, [(0, 6), (5, 0)], [(20, 0)], profile=CAR)
    leg = found.car_homes.rows(found.car_homes.outward)
    assert leg.level_m[leg.point == 0] == pytest.approx([600.0], abs=1)
    assert leg.level_m[leg.point == 1] == pytest.approx([0.0], abs=1e-3)
    assert minutes(journeys)[0] == pytest.approx(9.0 + 2.0 / CATALOG_KMH * 60, rel=1e-3)


CATALOG_KMH = {rule.name: rule.drive_kmh for rule in CAR.roads}["tertiary"]


def test_terrain_that_covers_nobody_leaves_the_straight_way():
    far = ground(level, reach_m=300.0)
    streets = LONG.streets()
    grades = grades_of(streets, far)
    usage = use_streets(streets, ADULT, grades)
    at = degrees([(20, 4)]), degrees([(0, 0)])
    found = cross_open_ground(streets, usage, lay_hillside(far), profile=ADULT, car=use_streets(streets, CAR, grades),
                              plane=PLANE, homes_at=at[0], facilities_at=at[1], least_m=1500.0)  # fmt: skip
    assert found.homes.level_m == pytest.approx([400 * OFF] * 2, rel=1e-5)


def test_a_place_in_a_lake_comes_to_no_street():
    lake = [(-1, 2), (1, 2), (1, 4), (-1, 4), (-1, 2)]
    found, journeys, _ = crossed(LONG, [(0, 3)], [(0, 0)], closed=[lake])
    assert len(found.homes.point) == 0
    assert np.isnan(minutes(journeys)[0])


def joint(found, built):  # noqa: C901  one loop for each kind of arc
    """Streets and two floors of cells in one graph, nothing pruned: off the street before and after, not between."""
    streets, usage, hillside, at = built
    real = np.flatnonzero((usage.forward | usage.backward) & (usage.component_m >= MAIN_COMPONENT_M))
    net = _Net(streets, usage, hillside, real)
    snapper = Snapper(streets, usage, profile=ADULT, plane=PLANE)
    own, other = (_Points.of(points, snapper, hillside, ADULT) for points in at)
    graph = nx.DiGraph()

    def arc(a, b, cost):
        if np.isfinite(cost) and cost < graph.get_edge_data(a, b, {"weight": np.inf})["weight"]:
            graph.add_edge(a, b, weight=float(cost))

    for a, b, cost in zip(*net._arc[:3], strict=True):
        arc(("street", a), ("street", b), cost)
    columns = hillside.height.shape[1]
    open_ = hillside.factor.ravel() > 0
    height, shut = hillside.height.ravel(), hillside.shut.ravel()
    for cell in np.flatnonzero(open_).tolist():
        row = cell // columns
        for m, (down, right) in enumerate(MOVES.tolist()):
            there = cell + down * columns + right
            if not open_[there] or (int(shut[cell]) >> m) & 1:
                continue
            length = float(np.hypot(down * hillside.height_m[row], right * hillside.width_m[row]))
            rise = float(np.nan_to_num(height[there] - height[cell]))
            cost = length * float(WALK.off_path_slowness(round(rise / length * GRADE_STEPS) / GRADE_STEPS))
            for floor in ("before", "after"):
                arc((floor, cell), (floor, there), cost)
    for cell, node, there, back in zip(*net._door[:4], strict=True):
        arc(("before", cell), ("street", node), there)
        arc(("street", node), ("after", cell), back)
    for points, name in ((own, "home"), (other, "facility")):
        for row in range(len(points.placed)):
            free = not points.by_the_street[row]
            for cell, out, back in zip(
                points.cell[row], points.cell_out_m[row], points.cell_back_m[row], strict=True
            ):
                if free and name == "home":
                    arc((name, row), ("before", cell), out)
                elif free:
                    arc(("before", cell), (name, row), back)
                    arc(("after", cell), (name, row), back)
        met = np.flatnonzero(points.snaps.status == "ok")
        place, node, to_m, from_m, _, go, come = net.beside(points.snaps.edge[met], points.snaps.fraction[met])
        for p, n, to, fro, out, back in zip(met[place], node, to_m, from_m, go, come, strict=True):
            if name == "home" and out:
                arc((name, p), ("street", n), points.out_m[p] + to)
            elif name == "facility" and back:
                arc(("street", n), (name, p), fro + points.back_m[p])
    for h, f, outward, cost in zip(
        found.pairs.home, found.pairs.facility, found.pairs.outward, found.pairs.level_m, strict=True
    ):
        if outward:  # the straight ones; those over cells are in the graph anyhow
            arc(("home", h), ("facility", f), cost)
    # who faces the same edge may meet between two doors of it
    a, b = own.snaps, other.snaps
    for h, f in itertools.product(np.flatnonzero(a.status == "ok"), np.flatnonzero(b.status == "ok")):
        edge = a.edge[[h]]
        if edge[0] == b.edge[f]:
            (up, down), (up_there, down_there) = (net.so_far(edge, s.fraction[[r]]) for s, r in ((a, h), (b, f)))
            ahead = b.fraction[f] >= a.fraction[h]
            along = (up_there - up) if ahead else (down - down_there)
            open_ = (usage.forward if ahead else usage.backward)[edge[0]] or a.fraction[h] == b.fraction[f]
            arc(("home", h), ("facility", f), own.out_m[h] + along[0] + other.back_m[f] if open_ else np.inf)
    return graph


AT = st.tuples(st.floats(-7, 7).map(lambda v: round(v, 2)), st.floats(-7, 7).map(lambda v: round(v, 2)))


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.lists(AT, min_size=2, max_size=4, unique=True), st.lists(AT, min_size=2, max_size=4, unique=True),
    st.lists(st.tuples(AT, AT), max_size=2), st.floats(0, 60), st.booleans(),
)  # fmt: skip
def test_the_ways_kept_give_the_times_of_the_full_search_of_streets_and_cells(
    homes, facilities, rivers, rough, oneway
):
    town = Town().street((-8, -8), (8, -8)).street((8, -8), (8, 8)).street((8, 8), (-8, 8))
    town.street((-8, -8), (-3, 0), (-8, 8), **({"oneway_foot": "yes"} if oneway else {}))

    def height(x, y):
        return 2000 + rough * np.sin(x / 150) * np.cos(y / 210) + 0.05 * x

    found, journeys, built = crossed(town, homes, facilities, height=height, closed=rivers, reach_m=1100.0)
    graph = joint(found, built)
    speed = ADULT.flat_kmh * 1000 / 60
    for f in range(len(facilities)):
        got = minutes(journeys, f)
        if ("facility", f) not in graph:
            assert np.isnan(got).all()
            continue
        known = nx.single_source_dijkstra_path_length(graph.reverse(copy=False), ("facility", f))
        due = np.array([known.get(("home", h), np.inf) for h in range(len(homes))]) / speed
        # what takes over half an hour off the street is out of bounds
        near = due < 30
        np.testing.assert_allclose(got[near], due[near], atol=2e-3)
        assert (np.isnan(got) | (got >= due - 2e-3)).all()


@given(st.lists(AT, min_size=1, max_size=3, unique=True), st.lists(AT, min_size=1, max_size=3, unique=True))
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_no_point_matters_to_another_and_who_is_slower_takes_as_much_longer(homes, facilities):
    town = Town().street((-8, -8), (8, -8)).street((8, -8), (8, 8))

    def height(x, y):
        return 2000 + 30 * np.sin(x / 150) * np.cos(y / 210)

    _, all_, _ = crossed(town, homes, facilities, height=height, reach_m=1100.0)
    _, one, _ = crossed(town, homes[:1], facilities[-1:], height=height, reach_m=1100.0)
    _, slow, _ = crossed(town, homes, facilities, height=height, reach_m=1100.0, profile=CHILD)
    for direction in ("to_facility", "from_facility", "round_trip_worse"):
        whole = all_.nearest([len(facilities) - 1], rank=[0], direction=direction)
        alone = one.nearest([0], rank=[0], direction=direction)
        assert np.array_equal(whole.to_min[:1], alone.to_min, equal_nan=True)
        assert np.array_equal(whole.back_min[:1], alone.back_min, equal_nan=True)
        child = slow.nearest([len(facilities) - 1], rank=[0], direction=direction)
        both = np.isfinite(child.to_min) & np.isfinite(whole.to_min)
        assert (child.to_min[both] >= whole.to_min[both] * 4 / 3.6 - 1e-3).all()
        near = both & (whole.to_min < 27)  # so nothing off the street is beyond the child's half an hour
        np.testing.assert_allclose(child.to_min[near], whole.to_min[near] * 4 / 3.6, atol=1e-3)


def test_terrain_in_metres_gives_the_times_of_terrain_in_degrees():
    at = degrees([(-3, 4), (2, 6)]), degrees([(6, 5)])
    lake = [shapely.Polygon(np.column_stack(degrees([(1, 2), (4, 2), (4, 5), (1, 5)])))]
    streets = LONG.streets()
    told = []
    for cell_m in (None, 30.0, 10.0):
        raster = ground(lambda x, y: 2000 + 0.1 * x - 0.05 * y, reach_m=1500.0, cell_m=cell_m)
        grades = grades_of(streets, raster)
        usage = use_streets(streets, ADULT, grades)
        found = cross_open_ground(
            streets, usage, lay_hillside(walking_grid(raster), closed=lake), profile=ADULT,
            car=use_streets(streets, CAR, grades), plane=PLANE, homes_at=at[0], facilities_at=at[1], least_m=1500.0,
        )  # fmt: skip
        crossing = Crossing(2, 1, found.homes, found.facilities, found.pairs)
        journeys = Journeys(streets, usage, profile=ADULT, crossing=crossing)
        told.append(journeys.nearest([0], rank=[0], direction="round_trip_mean"))
    for other in told[1:]:
        np.testing.assert_allclose(other.to_min, told[0].to_min, rtol=0.02)
        np.testing.assert_allclose(other.back_min, told[0].back_min, rtol=0.02)


def test_tables_and_back():
    found, _, _ = crossed(LONG, [(0, 4), (3, 3)], [(5, 4)])
    again = OpenGround.of(found.frames())
    for name, frame in found.frames().items():
        assert frame.equals(again.frames()[name])
    assert PAD == 2
    assert BY_THE_STREET_M == 30.0
