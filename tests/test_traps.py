"""
The traps of this field that concern time, each by its name: what the error would be, and that it is not made.

Sizes of the errors elsewhere are those of ``facts/traps.md``, section C.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from analysis.access import cross, measure_access
from geo import crs as systems
from geo.grades import grades_of
from geo.hillside import lay_hillside, walking_grid
from geo.network import left_out, use_streets
from geo.problems import CRSUnitError
from geo.rings import Surface
from geo.snap import Snapper
from geo.terrain import cell_m
from geo.walking import DEFAULT, WALK_FUNCTIONS
from tests.flatland import ADULT, BLOCK_MIN, CAR, CATALOG, PLANE, Town, degrees, facilities, places
from tests.geo.test_grades import ground
from tests.geo.test_grades import incline as slope

WALK = WALK_FUNCTIONS[DEFAULT]
CLINIC, SCHOOL = "village_clinic", "primary_school"


def minutes(town, home, facility, *, direction="to_facility", profile=ADULT):
    return float(
        town.journey([home], [facility], profile=profile).nearest([0], rank=[0], direction=direction).to_min[0]
    )


def measured(town, homes, served, *, terrain=None, category=CLINIC, closed=(), **more):
    """The deciding rows of ``access``, with grades and open ground where there is terrain."""
    streets, at, there = town.streets(), places(homes, **more), facilities(*served)
    given = {"streets": streets, "catalog": CATALOG}
    if terrain is not None:
        given["grades"] = grades_of(streets, terrain)
        points = pd.DataFrame({"lon": at["lon"], "lat": at["lat"]})
        hillside = lay_hillside(walking_grid(terrain), closed=closed)
        given["open_ground"] = cross(points, there, hillside=hillside, **given)
    access = measure_access(at, there, sourced=frozenset(there["category"]), **given).access
    return access[access["deciding"] & (access["category"] == category)].reset_index(drop=True)


LONG = Town().street((-25, 0), (25, 0))


def test_points_on_disconnected_bits_go_to_the_main_part_if_it_is_in_reach():
    town = Town().street((-25, 0), (25, 0)).street((0, 1), (2, 1))
    assert minutes(town, (1, 1), (5, 0)) == pytest.approx(5 * BLOCK_MIN, abs=1e-3)
    # one cut off for good stays so and is said
    far = Town().street((-25, 0), (25, 0)).street((-15, 60), (15, 60))
    assert measured(far, [(0, 60)], [(CLINIC, (0, 0))])["status"].tolist() == ["unreachable"]


def test_a_snap_distance_too_far_is_off_the_network():
    found = measured(LONG, [(0, 19.9), (0, 20.1)], [(CLINIC, (0, 0))])
    assert found["status"].tolist() == [
        "served" if found["threshold_min"][0] >= 29.85 else "beyond_limit",
        "off_network",
    ]


def test_the_access_leg_is_not_dropped_at_either_end():
    assert minutes(LONG, (0, 2), (10, 3)) == pytest.approx(15 * BLOCK_MIN, abs=1e-3)


def test_points_meet_the_middle_of_an_edge_and_not_its_nearer_node():
    town = Town().street((0, 0), (10, 0)).street((10, 0), (40, 0))
    # by nodes the two would be none or ten blocks apart
    assert minutes(town, (4, 0), (6, 0)) == pytest.approx(2 * BLOCK_MIN, abs=1e-3)
    assert minutes(town, (4, 0), (12, 0)) == pytest.approx(8 * BLOCK_MIN, abs=1e-3)


def test_two_points_on_one_edge_do_not_walk_to_its_end_and_back():
    ring = Town().street((0, 0), (20, 0), (20, 10), (0, 10), (0, 0))
    assert minutes(ring, (3, 0), (5, 0)) == pytest.approx(2 * BLOCK_MIN, abs=1e-3)


def test_a_boundary_that_is_buffered_by_the_limit_gives_the_truth_back():
    homes, clinics = [(0, 0), (8, 0)], [(CLINIC, (11, 0)), (CLINIC, (-9, 0))]
    whole = measured(Town(cut=True, margin=40).street((-25, 0), (0, 0), (25, 0)), homes, clinics)
    clipped = measured(Town(cut=True, margin=0.5).street((-25, 0), (0, 0), (9, 0)), homes, clinics[1:])
    # what is cut too near finds another clinic, and says that the edge may hide a nearer one
    assert whole["time_min"].tolist() == pytest.approx([13.5, 4.5], abs=1e-2)
    assert clipped["time_min"].tolist() == pytest.approx([13.5, 25.5], abs=1e-2)
    assert not whole["edge_affected"].any()
    assert clipped["edge_affected"].all()


def test_a_ring_is_no_circle_and_no_hull_and_rings_nest():
    town = Town().grid(20, 2)
    streets, usage, snaps = town.snapped([(10, 1)])
    rings = Surface(streets, usage, profile=ADULT, plane=PLANE).rings(snaps)
    small, middle, large = rings.geometry
    assert large.contains(middle)
    assert middle.contains(small)
    circle = np.pi * 1000**2
    assert systems.area_m2(np.array([large], object))[0] < 0.6 * circle


def test_no_ring_across_what_has_no_road():
    _, _, snaps = LONG.snapped([(0, 0)])
    streets, usage, _ = LONG.snapped([(0, 0)])
    ring = Surface(streets, usage, profile=ADULT, plane=PLANE).rings(snaps).geometry.iloc[-1]
    lon, lat = degrees([(0, 2.4), (0, 2.6)])
    assert shapely.contains_xy(ring, lon, lat).tolist() == [True, False]


def test_the_direction_is_not_reversed():
    ring = Town().street((0, 0), (10, 0), oneway="yes").street((10, 0), (10, 5), (0, 5), (0, 0), oneway="yes")
    there = ring.journey([(2, 0)], [(8, 0)], profile=CAR)
    to, back = (getattr(there.nearest([0], rank=[0], direction=d), n)[0] for d, n in (
        ("to_facility", "to_min"), ("from_facility", "back_min")))  # fmt: skip
    assert back / to == pytest.approx(24 / 6, rel=1e-3)


def test_walkers_go_both_ways_along_a_one_way_street():
    town = Town().street((0, 0), (25, 0), oneway="yes")
    assert minutes(town, (10, 0), (5, 0)) == pytest.approx(5 * BLOCK_MIN, abs=1e-3)


@pytest.mark.parametrize(
    "tags", [{"highway": "motorway"}, {"motorroad": "yes"}, {"foot": "no"}, {"access": "private"}]
)
def test_nobody_walks_on_motorways_or_where_it_is_forbidden_and_it_is_told(tags):
    town = Town().street((0, 0), (10, 0), **tags).street((0, 0), (0, 10), (10, 10), (10, 0))
    assert minutes(town, (0, 0), (10, 0)) == pytest.approx(30 * BLOCK_MIN, abs=1e-3)
    assert left_out(town.streets(), ADULT)["length_km"].tolist() == pytest.approx([1.0], abs=1e-3)


def test_a_carriageway_stays_where_its_separate_sidewalk_is_not_mapped():
    town = Town().street((0, 0), (25, 0), sidewalk="separate")
    assert minutes(town, (0, 0), (5, 0)) == pytest.approx(5 * BLOCK_MIN, abs=1e-3)


def test_a_square_is_walked_around_its_outline():
    square = [(5, -1), (7, -1), (7, 1), (5, 1), (5, 0), (5, -1)]
    town = Town().street((0, 0), (5, 0)).street(*square, highway="pedestrian", area="yes").street((7, 1), (30, 1))
    assert minutes(town, (0, 0), (10, 1)) == pytest.approx((5 + 1 + 2 + 3) * BLOCK_MIN, abs=1e-3)


def level(x, _):
    return 2000.0 + 0 * x


def test_no_step_leaks_across_a_river_aslant():
    river = shapely.LineString(np.column_stack(degrees([(-30, -29), (30, 31)])))
    found = measured(LONG, [(0, 4)], [(CLINIC, (0, 0))], terrain=ground(level), closed=[river])
    # the way round by the street's crossing of the river, a block to the west, and not straight through
    assert found["time_min"][0] >= BLOCK_MIN * (np.hypot(1, 4) * float(WALK.off_path_slowness(0)) + 1) * 0.999


def test_sixteen_moves_are_at_most_a_fortieth_too_long():
    hillside = lay_hillside(walking_grid(ground(level, reach_m=1500.0)))
    found = hillside.times([102.75], [28.0], function=WALK, flat_kmh=4.0)
    lon, lat = np.meshgrid(*found.cell_centres())
    away = systems.geodesic_m(np.full(lon.shape, 102.75), np.full(lon.shape, 28.0), lon, lat)
    far = (away > 600) & np.isfinite(found.values)
    ratio = found.values[far] / (away[far] * float(WALK.off_path_slowness(0.0)) * 0.015)
    assert ratio.min() > 0.96
    assert ratio.max() < 1.028 + 0.04  # and half a cell at the start


@pytest.mark.parametrize(
    ("grade", "kmh"), [(0.0, 5.04), (0.10, 3.55), (-0.05, 6.00), (0.05, 4.23), (0.2, 2.5), (0.3, 1.76)]
)
def test_the_grade_has_its_sign_and_is_rise_over_run(grade, kmh):
    assert float(WALK_FUNCTIONS["tobler"].on_path_kmh(grade)) == pytest.approx(kmh, abs=0.006)
    town, hill = Town().street((0, 0), (30, 0)), slope(grade)
    up = measured(town, [(5, 0)], [(CLINIC, (15, 0))], terrain=hill)
    down = measured(town, [(15, 0)], [(CLINIC, (5, 0))], terrain=hill)
    assert up["time_min"][0] == pytest.approx(15 * float(WALK.slowness(grade)), rel=2e-3)
    assert down["time_min"][0] == pytest.approx(15 * float(WALK.slowness(-grade)), rel=2e-3)


def test_noise_of_the_terrain_does_not_make_short_edges_steep():
    rng = np.random.default_rng(3)
    noisy = ground(lambda x, _: 2000 + rng.normal(0, 3, np.shape(x)))
    town = Town().street(*((x / 5, 0) for x in range(100)))  # corners every 20 m
    flat = measured(town, [(0, 0)], [(CLINIC, (10, 0))])["time_min"][0]
    rough = measured(town, [(0, 0)], [(CLINIC, (10, 0))], terrain=noisy)["time_min"][0]
    assert rough / flat < 1.02


def test_time_is_not_rounded_at_the_limit_and_the_rim_is_served():
    limit = CATALOG.standard(CLINIC, "rural").walk_min
    half = int(limit / BLOCK_MIN) // 2
    town = Town().street(*((x, 0) for x in range(-half - 2, half + 3)))
    found = measured(town, [(-half, 0), (-half - 0.01, 0)], [(CLINIC, (half, 0))])
    assert found["time_min"].tolist() == pytest.approx([limit, limit + 0.015], abs=1e-4)
    assert found["status"].tolist() == ["served", "beyond_limit"]


def test_the_speed_is_the_personas_and_a_kilometre_of_an_adult_is_a_quarter_of_an_hour():
    due = {"adult": 15.0, "child": 16.667, "elderly": 20.0}
    for persona, time in due.items():
        profile = CATALOG.travel_profile(persona, "walk")
        assert minutes(LONG, (0, 0), (10, 0), profile=profile) == pytest.approx(time, abs=2e-3)


def test_the_straight_line_stands_beside_the_network_and_never_for_it():
    town = Town().street((-25, 0), (25, 0)).street((25, 0), (25, 4)).street((25, 4), (-25, 4))
    found = measured(town, [(0, 0)], [(CLINIC, (0, 4))])
    assert found["straight_m"][0] == pytest.approx(400, abs=0.1)
    assert found["distance_m"][0] == pytest.approx(5400, abs=1)
    assert found["time_min"][0] == pytest.approx(81, abs=1e-2)


def test_what_is_not_reached_is_no_number():
    found = measured(Town().street((-25, 0), (25, 0)).street((-25, 60), (25, 60)), [(0, 60)], [(CLINIC, (0, 0))])
    assert found[["time_min", "time_to_min", "time_back_min", "distance_m"]].isna().all(axis=None)


def test_no_answer_depends_on_who_else_is_asked_for():
    town = Town().grid(12, 2)
    terrain = ground(lambda x, y: 2000 + 20 * np.sin(x / 200) * np.cos(y / 150))
    homes = [(1, 5), (9, 6), (4, 1), (6, 4)]
    served = [(CLINIC, (11, 5)), (CLINIC, (2, -3))]
    whole = measured(town, homes, served, terrain=terrain)
    for row, home in enumerate(homes):
        alone = measured(town, [home], served, terrain=terrain)
        assert alone["time_min"][0] == whole["time_min"][row]
        assert alone["facility_id"][0] == whole["facility_id"][row]


@pytest.mark.parametrize("epsg", [2225, 3857])
def test_no_length_in_feet_or_in_the_metres_of_a_web_map(epsg):
    raster = ground(level, reach_m=300.0)
    with pytest.raises(CRSUnitError):
        cell_m(type(raster)(raster.values, raster.transform, CRS.from_epsg(epsg)))


def test_parallel_streets_are_not_added_up_and_one_of_no_length_costs_nothing():
    town = (
        Town()
        .street((0, 0), (10, 0))
        .street((0, 0), (10, 0))
        .street((0, 0), (5, 5), (10, 0))
        .street((10, 0), (10, 0))
    )
    town.street((10, 0), (30, 0))
    assert minutes(town, (0, 0), (10, 0)) == pytest.approx(10 * BLOCK_MIN, abs=1e-3)


def test_a_street_that_crosses_itself_is_as_long_as_it_is_drawn():
    town = Town().street((0, 0), (10, 0), (10, 5), (5, 5), (5, -5)).street((5, -5), (30, -5))
    assert minutes(town, (0, 0), (5, -5)) == pytest.approx((10 + 5 + 5 + 10) * BLOCK_MIN, abs=1e-2)


def test_to_school_up_the_hill_and_back_differ_and_the_slower_decides():
    found = measured(LONG, [(0, 0)], [(SCHOOL, (10, 0))], terrain=slope(0.12), category=SCHOOL).iloc[0]
    level_min = 1000 / 60
    assert found["time_to_min"] == pytest.approx(level_min * float(WALK.slowness(0.12)), rel=2e-3)
    assert found["time_back_min"] == pytest.approx(level_min * float(WALK.slowness(-0.12)), rel=2e-3)
    assert found["time_min"] == max(found["time_to_min"], found["time_back_min"])


def test_switching_the_terrain_off_changes_the_answers():
    hill = slope(0.2)
    on = measured(LONG, [(0, 0), (0, 3)], [(CLINIC, (10, 0))], terrain=hill)
    off = measured(LONG, [(0, 0), (0, 3)], [(CLINIC, (10, 0))])
    assert (on["time_min"] > off["time_min"] * 1.2).all()
    assert (on["walk_function"] != off["walk_function"]).all()


def test_a_place_in_a_lake_or_outside_the_terrain_has_a_status_or_its_straight_leg():
    lake = shapely.Polygon(np.column_stack(degrees([(-1, 2), (1, 2), (1, 4), (-1, 4)])))
    found = measured(
        LONG, [(0, 3), (20, 4)], [(CLINIC, (0, 0))], terrain=ground(level, reach_m=1200.0), closed=[lake]
    )
    assert found["status"][0] == "off_network"
    assert found["time_min"][1] == pytest.approx((20 + 4 * float(WALK.off_path_slowness(0))) * BLOCK_MIN, rel=1e-3)


@pytest.mark.parametrize("kmh", [0.0, -4.0, float("nan")])
def test_a_speed_of_nothing_is_refused(kmh):
    with pytest.raises(ValueError, match="flat_kmh"):
        type(ADULT)("adult", "walk", kmh, ADULT.roads)


def test_a_tunnel_is_joined_at_its_ends_only():
    town = Town().street((-25, 0), (0, 0)).street((0, 0), (10, 0), tunnel="yes").street((10, 0), (30, 0))
    streets = town.streets()
    usage = use_streets(streets, ADULT)
    snaps = Snapper(streets, usage, profile=ADULT, plane=PLANE).snap(*degrees([(3, 1)]))
    assert streets.along(snaps.edge, snaps.fraction)[0][0] == pytest.approx(degrees([(0, 0)])[0][0], abs=1e-9)
