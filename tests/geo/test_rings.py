"""Rings on made-up towns: diamonds, lines and holes whose areas follow from first principles."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import crs as systems
from geo.grades import grades_of
from geo.network import use_streets
from geo.rings import CELL_M, Surface
from geo.snap import Snapper
from tests.flatland import ADULT, CAR, PLANE, Town, degrees
from tests.geo.test_grades import incline


def surface(town, *, profile=ADULT, grades=None, **more):
    streets = town.streets()
    usage = use_streets(streets, profile, None if grades is None else grades_of(streets, grades))
    made = Surface(streets, usage, profile=profile, plane=PLANE, **more)
    return made, Snapper(streets, usage, profile=profile, plane=PLANE)


def rings(town, at, *, minutes=(5, 10, 15), inward=False, **more):
    made, snapper = surface(town, **more)
    found = made.rings(snapper.snap(*degrees(at)), minutes=minutes, inward=inward)

    def plane(lonlat):
        return np.column_stack(systems.project(*lonlat.T, PLANE))

    shapes = [shapely.transform(shape, plane) for shape in found.geometry]
    return found, np.array(shapes, object)


def test_an_open_grid_of_streets_gives_diamonds():
    # blocks of 50 m, so that no cell is far from a street; along them one gets 1,000 m in a quarter of an hour
    town = Town()
    for k in np.arange(-12, 12.5, 0.5):
        town.street(*((x, k) for x in np.arange(-12, 12.5, 0.5))).street(
            *((k, y) for y in np.arange(-12, 12.5, 0.5))
        )
    found, shapes = rings(town, [(0, 0)])
    assert found[["row", "minutes"]].values.tolist() == [[0, 5], [0, 10], [0, 15]]
    for minutes, shape in zip((5, 10, 15), shapes, strict=True):
        r = minutes * 4000 / 60
        # the ball of the taxicab: 2 r² and not the circle's π r²; off the street one loses up to a quarter of a block
        assert 2 * (r - 25) ** 2 < shape.area < 2 * (r + 12.5) ** 2
        west, south, east, north = shape.bounds
        # the tips are narrower than a cell
        np.testing.assert_allclose([-west, -south, east, north], r, atol=1.5 * CELL_M)
        assert len(shape.geoms) == 1


def test_rings_of_one_place_nest_and_holes_stay():
    # a ring road around a lake without streets
    town = Town().street((0, 0), (8, 0), (8, 8), (0, 8), (0, 0))
    _, shapes = rings(town, [(0, 0)], off_road_m=100.0, minutes=(5, 10, 15, 30))
    for small, large in itertools.pairwise(shapes):
        assert large.buffer(1e-6).covers(small)
    assert len(shapes[-1].geoms[0].interiors) == 1
    hole = shapely.Polygon(shapes[-1].geoms[0].interiors[0])
    assert hole.area == pytest.approx(600 * 600, rel=0.05)
    assert not shapes[-1].covers(shapely.Point(400, 400))


@given(st.floats(-10, 10), st.floats(-0.4, 0.4), st.sampled_from([5.0, 10.0]))
def test_off_a_straight_street_the_ring_is_what_the_legs_leave(x, aside, minutes):
    town = Town()
    for block in range(-30, 30):
        town.street((block, 0), (block + 1, 0))
    _, (shape,) = rings(town, [(x, aside)], minutes=(minutes,))
    # |dx| + |dy| + the leg of the home make up the minutes, no further than 250 m from the street
    r = minutes * 4000 / 60 - abs(aside) * 100
    cap = min(250.0, r)
    area = 4 * (r * cap - cap * cap / 2)
    assert shape.area == pytest.approx(area, rel=0.03)


def test_a_one_way_street_has_another_ring_to_the_place_than_from_it():
    town = Town()
    for block in range(-60, 60):
        town.street((block, 0), (block + 1, 0), oneway="yes")
    for block in range(-60, 60):  # back a kilometre to the north
        town.street((block + 1, 10), (block, 10), oneway="yes")
    for x in (-60, 60):
        town.street((x, 0), (x, 10))
    (_, (out,)), (_, (into,)) = (
        rings(town, [(0.5, 0)], minutes=(5,), profile=CAR, inward=inward) for inward in (False, True)
    )
    assert out.bounds[2] > 1_500
    assert out.bounds[0] > -30 - CELL_M
    assert into.bounds[0] < -1_400
    assert into.bounds[2] < 130 + CELL_M


def test_a_ring_up_a_hill_is_shorter_than_down_it():
    town = Town()
    for block in range(-20, 20):
        town.street((block, 0), (block + 1, 0))
    _, (shape,) = rings(town, [(0, 0)], minutes=(15,), grades=incline(0.2))
    west, _, east, _ = shape.bounds
    assert east < 850
    assert -west > east + 50
    (_, (into,)) = rings(town, [(0, 0)], minutes=(15,), grades=incline(0.2), inward=True)
    np.testing.assert_allclose(into.bounds[2], -west, atol=CELL_M)


def test_a_place_off_every_street_has_no_ring():
    town = Town().street((0, 0), (30, 0))
    found, shapes = rings(town, [(0, 50), (1, 0)], minutes=(5, 10))
    assert [shape.is_empty for shape in shapes] == [True, True, False, False]
    assert found.crs.to_epsg() == 4326


@given(st.integers(0, 2**31))
def test_random_points_lie_in_the_ring_where_the_engine_reaches_them_in_time(seed):
    rng = np.random.default_rng(seed)
    town = Town().street((0, -20), (0, 20))
    for x, y in rng.integers(-8, 8, (30, 2)):
        town.street((x, y), (x + 1, y)) if rng.random() < 0.5 else town.street((x, y), (x, y + 1))
    profile = dataclasses.replace(ADULT, off_street_limit_min=250 * 60 / 4000)
    made, snapper = surface(town, profile=profile)
    home = snapper.snap(*degrees([(0, 0)]))
    shape = made.rings(home, minutes=(10,)).geometry[0]
    points = rng.uniform(-8, 8, (300, 2))
    found = town.journey([(0, 0)], points, profile=profile)
    time = np.array([found.nearest([f], rank=[0], direction="to_facility").to_min[0] for f in range(len(points))])
    reached = np.nan_to_num(time, nan=np.inf)
    inside = shapely.contains_xy(shape, *degrees(points))
    # a cell is 25 m wide: who is sure by more than a minute is on the right side, but at borders between streets
    wrong = (inside & (reached > 11)) | (~inside & (reached < 9))
    assert wrong.mean() < 0.03
