from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geo.io import Raster
from geo.people import count_people
from tests.flatland import degrees

STEP = 1 / 1200
EVERYWHERE = shapely.box(-180, -90, 180, 90)


def raster(values) -> Raster:
    return Raster(np.asarray(values, np.float32), Affine(STEP, 0, 102.75, 0, -STEP, 28.0), CRS.from_epsg(4326))


def centre(row: int, column: int) -> tuple[float, float]:
    return 102.75 + (column + 0.5) * STEP, 28.0 - (row + 0.5) * STEP


def points(*cells: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = zip(*(centre(*cell) for cell in cells), strict=True)
    return np.array(lon), np.array(lat)


def test_each_cell_goes_to_its_nearest_point():
    # people are powers of two, so a sum names its cells
    counted = count_people(
        raster([[1, 2, 4, 8, 16]]), *points((0, 0), (0, 4)), limit_m=10_000.0, within=EVERYWHERE
    )
    assert counted.at_point.tolist() == [1 + 2 + 4, 8 + 16]  # the middle is equally near: the first point's
    assert (counted.total, counted.nowhere) == (31, 0)


def test_beyond_the_limit_is_nowhere():
    # cells are about 82 m wide here; 170 m hold the two to each side
    counted = count_people(raster([[1, 2, 4, 8, 16]]), *points((0, 0)), limit_m=170.0, within=EVERYWHERE)
    assert counted.at_point.tolist() == [1 + 2 + 4]
    assert counted.nowhere == 8 + 16


def test_the_rim_belongs_to_the_limit():
    from geo import crs

    lon, lat = points((0, 0), (0, 3))
    away = float(crs.geodesic_m(lon[:1], lat[:1], lon[1:], lat[1:])[0])
    for limit, people in ((away, 15), (np.nextafter(away, 0), 7)):
        counted = count_people(raster([[1, 2, 4, 8]]), lon[:1], lat[:1], limit_m=limit, within=EVERYWHERE)
        assert counted.at_point.tolist() == [people]


def test_only_the_people_of_the_area_count():
    west = shapely.box(102.75, 27, 102.75 + 2 * STEP, 29)
    counted = count_people(raster([[1, 2, 4, 8]]), *points((0, 3)), limit_m=10_000.0, within=west)
    assert counted.at_point.tolist() == [3]
    assert counted.total == 3


def test_voids_and_negative_cells_are_nobody():
    counted = count_people(raster([[np.nan, -9999, 4]]), *points((0, 0)), limit_m=1e4, within=EVERYWHERE)
    assert counted.at_point.tolist() == [4]


def test_a_point_without_position_has_no_number():
    lon, lat = points((0, 0), (0, 1))
    lon[1] = np.nan
    counted = count_people(raster([[1, 2]]), lon, lat, limit_m=1e4, within=EVERYWHERE)
    assert counted.at_point[0] == 3
    assert np.isnan(counted.at_point[1])


def test_nobody_and_nowhere():
    assert count_people(raster([[0]]), *points((0, 0)), limit_m=1.0, within=EVERYWHERE).at_point.tolist() == [0]
    counted = count_people(raster([[5]]), np.array([np.nan]), np.array([np.nan]), limit_m=1.0, within=EVERYWHERE)
    assert counted.nowhere == 5


@given(
    st.lists(st.lists(st.integers(0, 100), min_size=4, max_size=4), min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=4),
    st.floats(1, 500),
)
def test_nobody_is_lost_or_doubled(values, cells, limit_m):
    counted = count_people(raster(values), *points(*cells), limit_m=limit_m, within=EVERYWHERE)
    assert counted.at_point.sum() + counted.nowhere == pytest.approx(np.sum(values))
    assert counted.total == np.sum(values)


def test_metres_of_a_zone_are_read_too():
    lon, lat = degrees([(0, 0)])
    metric = Raster(np.ones((3, 3), np.float32), Affine(100, 0, 573_000, 0, -100, 3_098_500), CRS.from_epsg(4543))
    counted = count_people(metric, lon, lat, limit_m=5_000.0, within=EVERYWHERE)
    assert counted.at_point.tolist() == [9]
