from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import crs, io, osm
from geo.grades import grades_of
from geo.network import build_streets, use_streets
from geo.reach import OFF_STREET, Journeys, decided_min
from geo.snap import Snapper
from geo.walking import WALK_FUNCTIONS
from tests.flatland import ADULT, BLOCK_MIN, CAR, PLANE, Town, degrees

CORNER = st.tuples(st.integers(0, 6), st.integers(0, 6))
POINT = st.tuples(st.floats(-0.4, 6.4).map(lambda v: round(v, 2)), st.integers(0, 6)).flatmap(
    lambda p: st.sampled_from([p, (p[1], p[0])])
)
DIRECTIONS = ("to_facility", "from_facility", "round_trip_mean", "round_trip_worse")


def ask(town, homes, facilities, *, profile=ADULT, direction="to_facility", rank=None):
    rows = np.arange(len(facilities))
    return town.journey(homes, facilities, profile=profile).nearest(
        rows, rank=rows if rank is None else rank, direction=direction
    )


@given(CORNER, CORNER)
def test_on_an_open_grid_time_is_blocks(home, facility):
    found = ask(Town().grid(6, 6), [home], [facility])
    blocks = abs(home[0] - facility[0]) + abs(home[1] - facility[1])
    assert found.to_min[0] == blocks * BLOCK_MIN
    assert found.distance_m[0] == pytest.approx(100 * blocks, abs=1e-3)


def test_reach_counts_the_diamond():
    # corners within k blocks of a centre on an open grid: 2k(k+1) + 1
    corners = [(x, y) for x in range(21) for y in range(21)]
    found = ask(Town().grid(20, 20), corners, [(10, 10)])
    for k in (1, 4, 9):
        assert (found.to_min <= k * BLOCK_MIN).sum() == 2 * k * (k + 1) + 1


def test_both_legs_are_walked_and_counted():
    # 50 m to the street, 4.5 blocks along it, 80 m off it: 45,000 + 405,000 + 72,000 ms
    found = ask(Town().street((0, 0), (30, 0)), [(2, 0.5)], [(6.5, 0.8)])
    assert found.to_min[0] == pytest.approx((0.5 + 4.5 + 0.8) * BLOCK_MIN, abs=1 / 60_000)
    assert found.distance_m[0] == pytest.approx(580.0, abs=1e-3)


def test_two_points_on_one_edge_go_straight_along_it():
    found = ask(Town().street((0, 0), (30, 0)), [(11.25, 0)], [(11.75, 0)])
    assert found.distance_m[0] == pytest.approx(50.0, abs=1e-3)


def test_neighbours_beyond_the_street_need_not_walk_to_it():
    # both 3 blocks off the street and half a block apart
    found = ask(Town().street((0, 0), (30, 0)), [(10, 3)], [(10.5, 3)])
    assert found.to_min[0] == pytest.approx(0.5 * BLOCK_MIN, abs=1 / 60_000)
    assert found.distance_m[0] == pytest.approx(50.0, abs=1e-3)


def test_a_street_between_two_points_is_not_crossed_in_the_air():
    # on both sides of the street; 30 m + 30 m, not less
    found = ask(Town().street((0, 0), (30, 0)), [(10, 0.3)], [(10, -0.3)])
    assert found.to_min[0] == pytest.approx(0.6 * BLOCK_MIN, abs=2 / 60_000)


def test_the_nearest_wins_and_ties_go_to_the_smallest_rank():
    town = Town().grid(6, 6)
    homes, facilities = [(0, 0), (3, 0), (6, 0)], [(0, 0), (6, 0)]
    assert ask(town, homes, facilities).facility.tolist() == [0, 0, 1]
    assert ask(town, homes, facilities, rank=[1, 0]).facility.tolist() == [0, 1, 1]


def test_what_cannot_be_reached_is_nan():
    town = Town().grid(21, 1).street((0, 50), (30, 50))
    found = ask(town, [(0, 0), (0, 50)], [(5, 0)])
    assert found.facility.tolist() == [0, -1]
    assert np.isnan(found.to_min[1])
    assert np.isnan(found.back_min[1])
    assert np.isnan(found.distance_m[1])


def test_no_facilities_and_no_homes():
    town = Town().grid(21, 1)
    assert ask(town, [(0, 0)], []).facility.tolist() == [-1]
    assert len(ask(town, [], [(0, 0)]).facility) == 0


def ring() -> Town:
    """
    A one-way ring of 4 by 1 blocks, driven (0,0) → (4,0) → (4,1) → (0,1) → (0,0).

    A block takes a car 18 s. From (1,0) to (3,0) it is 2 blocks; back it is 8, all the way round.
    """
    return Town(margin=30).street(
        (0, 0), (1, 0), (3, 0), (4, 0), (4, 1), (0, 1), (0, 0), oneway="yes"
    ).street((0, 0), (-20, 0))  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "blocks"),
    [("to_facility", 2), ("from_facility", 8), ("round_trip_mean", 5), ("round_trip_worse", 8)],
)
def test_direction_on_a_one_way_ring(direction, blocks):
    found = ask(ring(), [(1, 0)], [(3, 0)], profile=CAR, direction=direction)
    assert found.to_min[0] == pytest.approx(2 * 0.3)
    assert found.back_min[0] == pytest.approx(8 * 0.3)
    assert decided_min(found, direction)[0] == pytest.approx(blocks * 0.3)
    metres = {"to_facility": 200, "from_facility": 800, "round_trip_mean": 500, "round_trip_worse": 800}
    assert found.distance_m[0] == pytest.approx(metres[direction], abs=1e-3)


def test_a_round_trip_is_to_one_and_the_same_facility():
    # there: F0 at 2 blocks (back 8), back: F1 at 1 block behind (there 9); each round trip takes all 10
    town = ring()
    found = ask(town, [(1, 0)], [(3, 0), (0, 0)], profile=CAR, direction="round_trip_mean")
    assert found.to_min[0] + found.back_min[0] == pytest.approx(10 * 0.3)
    worse = ask(town, [(1, 0)], [(3, 0), (0, 0)], profile=CAR, direction="round_trip_worse")
    assert worse.facility[0] == 0
    assert decided_min(worse, "round_trip_worse")[0] == pytest.approx(8 * 0.3)


def test_points_at_one_place_of_a_one_way_street_are_together():
    found = ask(ring(), [(2, 0)], [(2, 0)], profile=CAR)
    assert found.to_min[0] == 0
    assert found.back_min[0] == 0


def test_two_who_face_each_other_across_a_one_way_street_need_not_drive_round():
    for x in np.linspace(1.01, 2.99, 25):
        found = ask(ring(), [(x, 0.2)], [(x, -0.2)], profile=CAR)
        # 40 m on foot, and not the ring
        assert found.to_min[0] == pytest.approx(0.4 * BLOCK_MIN, abs=0.01)
        assert found.back_min[0] == pytest.approx(0.4 * BLOCK_MIN, abs=0.01)


def test_a_place_cut_off_stays_cut_off_though_somebody_lives_near():
    # two parts of the network 10 blocks apart, and a home and a clinic between them, nearer to each other
    town = Town().street((0, 0), (30, 0)).street((0, 10), (30, 10))
    found = ask(town, [(5, 3)], [(5, 7)])
    assert found.facility[0] == -1


# --- laws -------------------------------------------------------------------------------------------------

TOWN = Town().grid(6, 6).street((0, 0), (0, 30))
ONE_WAYS = (
    Town().grid(6, 6, oneway="yes").street((0, 0), (0, -30)).street((6, 6), (6, 7), (-1, 7), (-1, 0), (0, 0))
)


@given(st.lists(POINT, min_size=1, max_size=4), st.lists(POINT, min_size=1, max_size=3), POINT)
def test_another_facility_never_makes_it_longer(homes, facilities, extra):
    before = ask(TOWN, homes, facilities)
    after = ask(TOWN, homes, [*facilities, extra])
    assert (after.to_min <= before.to_min).all()


@given(st.lists(POINT, min_size=1, max_size=4), st.lists(POINT, min_size=1, max_size=3))
def test_the_way_is_never_shorter_than_the_straight_line(homes, facilities):
    found = ask(TOWN, homes, facilities)
    (a, b), (c, d) = degrees(homes), degrees(facilities)
    straight = crs.geodesic_m(a, b, c[found.facility], d[found.facility])
    # walked along the plane's lines, which differ from geodesics by far less than a millimetre here
    assert (found.distance_m >= straight - 1e-3).all()


@given(st.lists(POINT, min_size=1, max_size=3), st.lists(POINT, min_size=1, max_size=3))
def test_turning_every_street_round_exchanges_there_and_back(homes, facilities):
    turned = Town().grid(6, 6, oneway="-1").street((0, 0), (0, -30)).street(
        (6, 6), (6, 7), (-1, 7), (-1, 0), (0, 0))  # fmt: skip
    for home in homes:
        for facility in facilities:
            one = ask(ONE_WAYS, [home], [facility], profile=CAR)
            other = ask(turned, [facility], [home], profile=CAR, direction="to_facility")
            assert one.to_min[0] == other.to_min[0] or (math.isnan(one.to_min[0]) and math.isnan(other.to_min[0]))


@given(st.lists(POINT, min_size=2, max_size=4, unique=True), st.lists(POINT, min_size=1, max_size=3), st.randoms())
def test_the_order_of_rows_changes_nothing(homes, facilities, random):
    order = list(range(len(homes)))
    random.shuffle(order)
    straight, mixed = ask(TOWN, homes, facilities), ask(TOWN, [homes[i] for i in order], facilities)
    np.testing.assert_array_equal(straight.to_min[order], mixed.to_min)
    np.testing.assert_array_equal(straight.facility[order], mixed.facility)


@given(st.lists(POINT, min_size=1, max_size=3), POINT, st.lists(POINT, max_size=3))
def test_what_else_is_asked_for_changes_no_time(homes, facility, others):
    alone = ask(TOWN, homes, [facility])
    journey = TOWN.journey([*homes, *others], [facility, *others])
    together = journey.nearest([0], rank=[0], direction="to_facility")
    # more cuts on an edge: each part is rounded from the start of the edge, so the sums stay
    np.testing.assert_array_equal(alone.to_min, together.to_min[: len(homes)])


@given(st.integers(1, 29), CORNER, CORNER)
def test_splitting_an_edge_changes_at_most_a_millisecond(at, home, facility):
    whole = Town().grid(6, 6).street((0, 0), (0, -30))
    split = Town().grid(6, 6).street((0, 0), (0, -at)).street((0, -at), (0, -30))
    ends = [(0, -30), home], [facility]
    np.testing.assert_allclose(ask(whole, *ends).to_min, ask(split, *ends).to_min, atol=1.01 / 60_000, rtol=0)


@given(st.lists(POINT, min_size=1, max_size=3), st.lists(POINT, min_size=1, max_size=3))
def test_on_one_ways_a_round_trip_is_no_shorter_than_its_legs(homes, facilities):
    there = ask(ONE_WAYS, homes, facilities, profile=CAR, direction="to_facility")
    for direction in ("round_trip_mean", "round_trip_worse"):
        both = ask(ONE_WAYS, homes, facilities, profile=CAR, direction=direction)
        reached = both.facility >= 0
        assert (both.to_min[reached] >= there.to_min[reached]).all()


STREET = st.tuples(
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.booleans(),
    st.sampled_from(["", "yes", "-1"]),
    st.sampled_from(["", "yes", "-1"]),
)


@given(
    st.lists(STREET, min_size=4, max_size=24),
    st.lists(POINT, min_size=1, max_size=3),
    st.lists(POINT, min_size=1, max_size=3),
    st.randoms(),
)
def test_every_direction_equals_a_search_pair_by_pair(drawn, homes, facilities, random):
    """Random towns of one-way streets: the best pair by hand, from all times between pairs of points."""
    town = Town().street((0, 0), (0, -30))
    for (x, y), across, oneway, foot in drawn:
        town.street((x, y), (x + 1, y) if across else (x, y + 1), oneway=oneway, oneway_foot=foot)
    rank = list(range(len(facilities)))
    random.shuffle(rank)
    for profile in (ADULT, CAR):
        journeys = town.journey(homes, facilities, profile=profile)
        pairs = [journeys.nearest([f], rank=[0], direction="to_facility").to_min for f in range(len(facilities))]
        backs = [
            journeys.nearest([f], rank=[0], direction="from_facility").back_min for f in range(len(facilities))
        ]
        there, back = np.round(np.array(pairs) * 60_000), np.round(np.array(backs) * 60_000)
        keys = {
            "to_facility": there,
            "from_facility": back,
            "round_trip_mean": there + back,
            "round_trip_worse": np.maximum(there, back),
        }
        for direction, key in keys.items():
            found = journeys.nearest(np.arange(len(facilities)), rank=rank, direction=direction)
            for home in range(len(homes)):
                reached = [
                    (key[f, home], (there + back)[f, home] * (direction == "round_trip_worse"), rank[f], f)
                    for f in range(len(facilities))
                    if not np.isnan(key[f, home])
                ]
                best = min(reached)[-1] if reached else -1
                assert found.facility[home] == best, (profile.mode, direction)
                if best >= 0:
                    legs = np.round(np.array([found.to_min[home], found.back_min[home]]) * 60_000)
                    np.testing.assert_array_equal(legs, [there[best, home], back[best, home]])


# --- oracle -----------------------------------------------------------------------------------------------


def share(grades, function, edge, fraction, sign):
    """How much of an edge's time lies before a place on it, step by step."""
    if grades is None:
        return fraction
    heights = grades.height_m[grades.offset[edge] : grades.offset[edge + 1]].astype(float)
    n = len(heights) - 1
    grade = sign * np.diff(heights) / (grades.length_m[edge] / n)
    taken = np.append(0.0, np.cumsum(function.on_path_kmh(0.0) / function.on_path_kmh(np.clip(grade, -1, 1))))
    return float(np.interp(fraction * n, np.arange(n + 1), taken / taken[-1]))


def oracle(streets, usage, snaps, grades=None, function=None):
    """A networkx graph of the same streets, cut at the points; weights are whole numbers, so sums are exact."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(usage.node_n))
    cuts: dict[int, set[float]] = {}
    for edge, fraction in zip(snaps.edge, snaps.fraction, strict=True):
        if edge >= 0:
            cuts.setdefault(int(edge), set()).add(float(fraction))
    node_of = {}
    for e in range(streets.edge_n):
        inner = sorted(f for f in cuts.get(e, ()) if 0 < f < 1)
        stops = [(0.0, int(usage.u[e])), *((f, (e, f)) for f in inner), (1.0, int(usage.v[e]))]
        node_of |= {(e, f): node for f, node in stops}
        for (f, a), (g, b) in itertools.pairwise(stops):
            metres = (g - f) * streets.length_m[e]
            for tail, head, open_, total, sign in (
                (a, b, usage.forward[e], usage.forward_ms[e], 1),
                (b, a, usage.backward[e], usage.backward_ms[e], -1),
            ):
                if open_:
                    ends = [round(share(grades, function, e, part, sign) * total) for part in (f, g)]
                    ms = ends[1] - ends[0]
                    # time decides and metres break ties: one whole number for both
                    graph.add_edge(tail, head, weight=ms * 10**15 + round(metres * 10**6))
    return graph, [node_of.get((int(e), float(f))) for e, f in zip(snaps.edge, snaps.fraction, strict=True)]


def held_against_networkx(path: Path, box, *, homes_n: int, facilities_n: int, profile, dem=()) -> int:
    """Compare time and metres of every pair with networkx on the same graph; the number of pairs with a way."""
    streets = build_streets(osm.read_ways(path))
    grades = grades_of(streets, io.read_raster(list(dem))) if dem else None
    usage = use_streets(streets, profile, grades)
    rng = np.random.default_rng(2)
    n = homes_n + facilities_n
    lon, lat = rng.uniform(box[0], box[2], n), rng.uniform(box[1], box[3], n)
    snapper = Snapper(streets, usage, profile=profile, plane=crs.zone(box[0]))
    at_home, at_facility = (lon[:homes_n], lat[:homes_n]), (lon[homes_n:], lat[homes_n:])
    homes, facilities = snapper.snap(*at_home), snapper.snap(*at_facility)
    journeys = Journeys.straight(
        streets,
        usage,
        profile=profile,
        homes=homes,
        facilities=facilities,
        homes_at=at_home,
        facilities_at=at_facility,
    )
    function = WALK_FUNCTIONS[profile.walk_function]
    graph, nodes = oracle(streets, usage, snapper.snap(lon, lat), grades, function)
    met = 0
    for row in range(facilities_n):
        found = journeys.nearest([row], rank=[0], direction="from_facility")
        start = nodes[homes_n + row]
        known = {} if start is None else nx.single_source_dijkstra_path_length(graph, start)
        for home in range(homes_n):
            legs_m = homes.distance_m[home] + facilities.distance_m[row]
            straight = crs.geodesic_m(
                [at_home[0][home]], [at_home[1][home]], [at_facility[0][row]], [at_facility[1][row]]
            )
            if profile.mode == "walk" and straight[0] < legs_m:
                continue  # neighbours off the street, who need none
            total = known.get(nodes[home]) if nodes[home] is not None else None
            if total is None:
                assert found.facility[home] == -1
                continue
            ms, micrometres = divmod(total, 10**15)
            legs_ms = sum(
                round(m / profile.flat_kmh * 3600) for m in (homes.distance_m[home], facilities.distance_m[row])
            )
            assert found.back_min[home] * 60_000 == pytest.approx(ms + legs_ms, abs=1e-6)  # the same whole number
            assert found.distance_m[home] == pytest.approx(
                micrometres / 1e6 + legs_m, abs=1e-3
            )  # to the millimetre
            met += 1
    return met


@pytest.mark.data
@pytest.mark.parametrize("profile", [ADULT, CAR], ids=["walk", "drive"])
def test_monaco_equals_networkx(data: Path, profile):
    box = (7.409, 43.724, 7.440, 43.752)
    met = held_against_networkx(
        data / "monaco" / "monaco.osm.gz", box, homes_n=60, facilities_n=25, profile=profile
    )
    assert met >= 500


@pytest.mark.data
def test_five_hundred_pairs_of_the_comoros_equal_networkx(data: Path):
    path = data / "comoros" / "comores-latest.osm.pbf"
    met = held_against_networkx(path, (43.22, -11.93, 43.52, -11.37), homes_n=90, facilities_n=20, profile=ADULT)
    assert met >= 500


@pytest.mark.data
@pytest.mark.parametrize("function", ["irmischer_clarke", "tobler"])
def test_five_hundred_pairs_over_the_mountains_equal_networkx(data: Path, function):
    path = data / "comoros" / "comores-latest.osm.pbf"
    tiles = sorted((data / "comoros").glob("*.hgt.zip"))
    met = held_against_networkx(
        path, (43.22, -11.93, 43.52, -11.37), homes_n=90, facilities_n=20, dem=tiles,
        profile=dataclasses.replace(ADULT, walk_function=function),
    )  # fmt: skip
    assert met >= 500


def test_the_plane_of_flatland_is_true():
    # what all predictions here stand on: a block is 100 m within a micrometre near the middle
    lon, lat = degrees([(0, 0), (1, 0), (0, 1)])
    blocks = crs.geodesic_m(lon[[0, 0]], lat[[0, 0]], lon[1:], lat[1:])
    np.testing.assert_allclose(blocks, 100.0, atol=1e-5)
    assert PLANE.is_projected


# --- all pairs within a limit ------------------------------------------------------------------------------


@given(
    st.lists(STREET, min_size=4, max_size=24), st.lists(POINT, min_size=1, max_size=4),
    st.lists(POINT, min_size=1, max_size=4), st.floats(0, 12), st.booleans(),
)  # fmt: skip
def test_all_pairs_within_a_limit_are_those_of_single_searches(drawn, homes, facilities, limit, inward):
    town = Town().street((0, 0), (0, -30))
    for (x, y), across, oneway, foot in drawn:
        town.street((x, y), (x + 1, y) if across else (x, y + 1), oneway=oneway, oneway_foot=foot)
    for profile in (ADULT, CAR):
        journeys = town.journey(homes, facilities, profile=profile)
        rows = list(range(len(facilities)))[::-1]
        table = journeys.within(rows, limit_min=limit, inward=inward)
        found = {(r.home, r.facility): (r.time_min, r.distance_m) for r in table.itertuples()}
        due = {}
        for f in rows:
            one = journeys.nearest([f], rank=[0], direction="to_facility" if inward else "from_facility")
            time = one.to_min if inward else one.back_min
            due |= {(h, f): (time[h], one.distance_m[h]) for h in range(len(homes)) if time[h] <= limit}
        assert found.keys() == due.keys()
        for pair, (time, metres) in due.items():
            assert found[pair] == (time, pytest.approx(metres, abs=1e-6))
        assert table["home"].is_monotonic_increasing
        assert table.groupby("home")["time_min"].apply(lambda t: t.is_monotonic_increasing).all()


# --- the way itself ---------------------------------------------------------------------------------------


def test_a_way_is_told_stretch_by_stretch():
    town = Town().street((0, 0), (2, 0)).street((2, 0), (2, 2)).street((2, 2), (5, 2))
    journeys = town.journey([(1, 0)], [(4, 2)])
    way = journeys.way(0, 0)
    assert way["edge"].tolist() == [OFF_STREET, 0, 1, 2, OFF_STREET]
    ends = [[0, 0], [0.5, 1], [0, 1], [0, 2 / 3], [0, 0]]
    np.testing.assert_allclose(way[["from_fraction", "to_fraction"]], ends, atol=1e-4)
    np.testing.assert_allclose(way["m"], [0, 100, 200, 200, 0], atol=0.02)
    back = journeys.way(0, 0, inward=False)
    assert back["edge"].tolist() == [OFF_STREET, 2, 1, 0, OFF_STREET]
    np.testing.assert_allclose(back["from_fraction"], way["to_fraction"].to_numpy()[::-1])


def test_no_way_has_no_stretches():
    apart = Town().street((0, 0), (30, 0)).street((0, 9), (30, 9))
    assert len(apart.journey([(1, 0)], [(1, 9)]).way(0, 0)) == 0
    same = apart.journey([(1, 0)], [(1, 0)]).way(0, 0)
    assert set(same["edge"]) == {OFF_STREET}
    assert same["m"].sum() == pytest.approx(0, abs=1e-6)


@given(
    st.lists(STREET, min_size=4, max_size=24), st.lists(POINT, min_size=1, max_size=3),
    st.lists(POINT, min_size=1, max_size=3),
)  # fmt: skip
def test_the_stretches_of_a_way_join_and_add_up_to_its_time(drawn, homes, facilities):
    town = Town().street((0, 0), (0, -30))
    for (x, y), across, oneway, foot in drawn:
        town.street((x, y), (x + 1, y) if across else (x, y + 1), oneway=oneway, oneway_foot=foot)
    for profile in (ADULT, CAR):
        journeys = town.journey(homes, facilities, profile=profile)
        for f in range(len(facilities)):
            there = journeys.nearest([f], rank=[0], direction="to_facility")
            for home in range(len(homes)):
                way = journeys.way(home, f)
                if not len(way):
                    assert np.isnan(there.to_min[home])
                    continue
                assert way["ms"].sum() == round(there.to_min[home] * 60_000)
                assert way["m"].sum() == pytest.approx(there.distance_m[home], abs=1e-6)
                # each stretch begins where the last ended
                for a, b in itertools.pairwise(way.itertuples()):
                    assert a.edge != b.edge or a.to_fraction == b.from_fraction
