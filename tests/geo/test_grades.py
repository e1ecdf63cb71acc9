"""What a grade costs, predicted on made-up ground: inclined planes, valleys, bridges and holes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geo import crs as systems
from geo.grades import Grades, grades_of
from geo.io import Raster
from geo.network import use_streets
from geo.problems import CRSUnitError
from geo.reach import Journeys
from geo.snap import Snapper
from geo.walking import DEFAULT, OFF_PATH, WALK_FUNCTIONS
from tests.flatland import ADULT, CAR, CATALOG, PLANE, Town, degrees

WALK = WALK_FUNCTIONS[DEFAULT]
EBIKE = CATALOG.travel_profile("adult", "ebike")


def ground(height, *, reach_m=3_000.0, cell_m=None, hole=None) -> Raster:
    """Terrain around the town: ``height`` of metres east and north, in cells of a second of arc or of metres."""
    if cell_m is not None:
        n = int(2 * reach_m / cell_m)
        x = -reach_m + (np.arange(n) + 0.5) * cell_m
        values = height(x[None, :], -x[:, None])
        transform, crs = Affine(cell_m, 0, -reach_m, 0, -cell_m, reach_m), PLANE
        xx, yy = np.broadcast_arrays(x[None, :], -x[:, None])
    else:
        step = 1 / 3600
        n = int(2 * reach_m / 30)
        west, north = 102.75 - n / 2 * step, 28 + n / 2 * step
        lon, lat = west + (np.arange(n) + 0.5) * step, north - (np.arange(n) + 0.5) * step
        xx, yy = systems.project(np.tile(lon, (n, 1)), np.tile(lat[:, None], n), PLANE)
        values = height(xx, yy)
        transform, crs = Affine(step, 0, west, 0, -step, north), CRS.from_epsg(4326)
    values = np.broadcast_to(np.asarray(values, np.float64), xx.shape).astype(np.float32).copy()
    if hole is not None:
        values[hole(xx, yy)] = np.nan
    return Raster(values, transform, crs)


def incline(grade_x, grade_y=0.0):
    return ground(lambda x, y: 2000.0 + grade_x * x + grade_y * y)


def grade_of(found: Grades) -> np.ndarray:
    return found.steps()[1]


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_averaging_leaves_an_inclined_plane_as_it_is(gx, gy):
    streets = Town().street((-3, 0), (3, 0)).street((0, -3), (0, 3)).streets()
    found = grades_of(streets, incline(gx, gy))
    edge, grade = found.steps()
    along = np.where(streets.way[edge] == 0, gx, gy)
    np.testing.assert_allclose(grade, along, atol=2e-3)
    assert found.void_m.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("cell_m", [None, 10.0, 90.0])
@pytest.mark.parametrize("name", [name for name in WALK_FUNCTIONS if name != "naismith_langmuir"])
def test_up_and_down_take_as_much_longer_as_the_function_says(name, cell_m):
    # a kilometre up a tenth, from west to east
    streets = Town().street((-5, 0), (5, 0)).streets()
    profile = dataclasses.replace(ADULT, walk_function=name)
    hill = ground(lambda x, _: 2000.0 + 0.1 * x, cell_m=cell_m)
    usage = use_streets(streets, profile, grades_of(streets, hill))
    kmh = WALK_FUNCTIONS[name].on_path_kmh
    for ms, grade in ((usage.forward_ms, 0.1), (usage.backward_ms, -0.1)):
        assert ms[0] / 60_000 == pytest.approx(15.0 * float(kmh(0.0)) / float(kmh(grade)), rel=2e-3)


def test_a_kilometre_of_level_ground_is_a_quarter_of_an_hour():
    streets = Town().street((-5, 0), (5, 0)).streets()
    usage = use_streets(streets, ADULT, grades_of(streets, ground(lambda *_: 1234.0)))
    assert usage.forward_ms.tolist() == usage.backward_ms.tolist() == [900_000]


def test_raw_walks_at_the_functions_own_speed():
    assert CATALOG.walking("tobler", raw=True).travel_profile("child", "walk").flat_kmh == pytest.approx(
        5.04, abs=5e-3
    )
    assert CATALOG.walking("tobler").travel_profile("child", "walk").flat_kmh == 3.6


@given(st.floats(-1.5, 1.5), st.sampled_from(sorted(WALK_FUNCTIONS)))
def test_a_field_never_beats_a_path_and_no_walk_is_negative(grade, name):
    function = WALK_FUNCTIONS[name]
    on, off = float(function.on_path_kmh(grade)), float(function.off_path_kmh(grade))
    assert 0 <= off <= on <= function.flat_kmh * function.peak + 1e-9
    if function.own_off_path_kmh is None:
        assert off == pytest.approx(OFF_PATH * on)


@pytest.mark.parametrize(("grade", "minutes"), [(0.2, 20.4), (None, 15.2)])
def test_the_published_times_for_a_kilometre_of_irmischer_and_clarke(grade, minutes):
    # own speed: the facts have 20.4 minutes for a kilometre up a fifth
    assert 60 / float(WALK.on_path_kmh(grade or 0.0)) == pytest.approx(minutes, abs=0.05)


def test_no_time_of_a_car_or_of_a_ride_heeds_the_grade_and_pushing_does():
    streets = Town().street((-5, 0), (0, 0)).street((0, 0), (5, 0), highway="path").streets()
    grades = grades_of(streets, incline(0.15))
    car, flat_car = use_streets(streets, CAR, grades), use_streets(streets, CAR)
    assert car.forward_ms.tolist() == flat_car.forward_ms.tolist()
    ridden, flat = use_streets(streets, EBIKE, grades), use_streets(streets, EBIKE)
    assert ridden.forward_ms[0] == flat.forward_ms[0]
    assert ridden.forward_ms[1] / flat.forward_ms[1] == pytest.approx(float(WALK.slowness(0.15)), rel=2e-3)


def valley(x, y):
    return 2000.0 + np.maximum(0.0, np.abs(x) - 20.0) * 0.5 + 0 * y


def test_a_bridge_is_straight_between_its_ends_and_a_road_through_the_valley_is_not():
    for tags, longer in (({}, True), ({"bridge": "yes"}, False), ({"tunnel": "yes"}, False)):
        streets = Town().street((-3, 0), (3, 0), **tags).streets()
        usage = use_streets(streets, ADULT, grades_of(streets, ground(valley)))
        assert (usage.forward_ms[0] > 1.2 * 540_000) == longer
        if not longer:
            assert usage.forward_ms[0] == pytest.approx(540_000, rel=2e-3)


def test_a_junction_in_the_middle_of_a_bridge_does_not_hang_down_to_the_river():
    town = Town().street((-5, 0), (-3, 0)).street((-3, 0), (-1, 0), bridge="yes")
    town.street((-1, 0), (3, 0), bridge="yes").street((3, 0), (5, 0))
    streets = town.streets()
    found = grades_of(streets, ground(lambda x, y: valley(x, y) + 0.05 * x))
    edge, grade = found.steps()
    deck = grade[np.isin(streets.way[edge], (1, 2))]
    # as straight from bank to bank as if it were one
    np.testing.assert_allclose(deck, 0.05, atol=2e-3)


def test_a_hole_under_the_road_is_filled_straight_and_told():
    streets = Town().street((-10, 0), (10, 0)).streets()
    whole = incline(0.1)
    holed = ground(lambda x, _: 2000.0 + 0.1 * x, hole=lambda x, _: np.abs(x) < 300)
    found = grades_of(streets, holed)
    np.testing.assert_allclose(grade_of(found), grade_of(grades_of(streets, whole)), atol=0.03)
    assert 400 < found.void_m[0] < 700
    # and where nothing is known the ground is level
    nowhere = grades_of(streets, ground(lambda x, _: 2000.0 + x, hole=lambda x, _: x < 9e9))
    assert np.abs(grade_of(nowhere)).max() == 0.0
    assert nowhere.void_m[0] == pytest.approx(streets.length_m[0])


def test_a_street_outside_the_terrain_is_level_and_told():
    streets = Town().street((200, 0), (210, 0)).streets()
    found = grades_of(streets, incline(0.3))
    assert grade_of(found).tolist() == [0.0] * 33
    assert found.void_m[0] == pytest.approx(1000.0, abs=0.1)


def test_terrain_in_feet_is_no_terrain_in_metres():
    hill = incline(0.1)
    feet = Raster(hill.values, Affine(100, 0, 0, 0, -100, 0), CRS.from_epsg(2225))
    with pytest.raises(CRSUnitError):
        grades_of(Town().street((0, 0), (1, 0)).streets(), feet)


def rough(x, y):
    return 2000.0 + 60 * np.sin(x / 90.0) + 40 * np.cos(y / 70.0 + x / 150.0)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4))
def test_cutting_an_edge_anywhere_changes_no_time(cuts):
    streets = Town().street((-9, 0), (9, 1)).streets()
    for profile in (ADULT, EBIKE, CAR):
        usage = use_streets(streets, profile, grades_of(streets, ground(rough)))
        at = np.array(sorted(cuts))
        ahead, against = usage.part_ms(np.zeros(len(at), np.int64), at)
        for part, whole in ((ahead, usage.forward_ms[0]), (against, usage.backward_ms[0])):
            assert (np.diff(np.concatenate(([0], part, [whole]))) >= 0).all()


def test_what_lies_between_is_spent_where_it_is_steep():
    # level to the west of the middle, a fifth up to the east of it
    streets = Town().street((-9, 0), (9, 0)).streets()
    usage = use_streets(streets, ADULT, grades_of(streets, ground(lambda x, _: 2000.0 + 0.2 * np.maximum(x, 0))))
    half, _ = usage.part_ms(np.zeros(1, np.int64), np.array([0.5]))
    assert half[0] / 60_000 == pytest.approx(13.5, rel=0.01)
    assert (usage.forward_ms[0] - half[0]) / 60_000 == pytest.approx(13.5 * float(WALK.slowness(0.2)), rel=0.01)


def hill_journey(grades, direction):
    streets = Town().street((0, 0), (10, 0)).streets()
    usage = use_streets(streets, ADULT, grades(streets))
    snapper = Snapper(streets, usage, profile=ADULT, plane=PLANE)
    home, school = degrees([(1, 0)]), degrees([(9, 0)])
    made = Journeys.straight(
        streets, usage, profile=ADULT, homes=snapper.snap(*home), facilities=snapper.snap(*school),
        homes_at=home, facilities_at=school,
    )  # fmt: skip
    return made.nearest(np.array([0]), rank=np.array([0]), direction=direction)


def test_the_way_to_school_up_the_hill_and_back_differs_as_predicted():
    # 800 m at three in twenty: up to school in the morning, down in the afternoon
    on = hill_journey(lambda streets: grades_of(streets, incline(0.15)), "round_trip_worse")
    assert on.to_min[0] == pytest.approx(12.0 * float(WALK.slowness(0.15)), rel=2e-3)
    assert on.back_min[0] == pytest.approx(12.0 * float(WALK.slowness(-0.15)), rel=2e-3)
    assert on.to_min[0] > on.back_min[0] > 12.0
    # the terrain is on: without it both ways take twelve minutes
    off = hill_journey(lambda _: None, "round_trip_worse")
    assert (off.to_min[0], off.back_min[0]) == (12.0, 12.0)
    mean = hill_journey(lambda streets: grades_of(streets, incline(0.15)), "round_trip_mean")
    assert (mean.to_min[0], mean.back_min[0]) == (on.to_min[0], on.back_min[0])


def test_a_loop_and_a_street_of_no_length_have_grades_too():
    town = Town().street((0, 0), (0, 0), (1, 0)).street((1, 0), (1, 1), (2, 1), (2, 0), (1, 0))
    streets = town.streets()
    found = grades_of(streets, incline(0.15))
    assert np.isfinite(grade_of(found)).all()
    usage = use_streets(streets, ADULT, found)
    assert (usage.forward_ms >= 0).all()
