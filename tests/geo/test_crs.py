from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geo import crs
from geo.problems import CRSUnitError, Stop

CHINA = st.tuples(st.floats(73.0, 136.0), st.floats(4.0, 54.0))
STEPS = {
    ("wgs84", "gcj02"): [crs.wgs84_to_gcj02],
    ("wgs84", "bd09"): [crs.wgs84_to_gcj02, crs.gcj02_to_bd09],
    ("gcj02", "bd09"): [crs.gcj02_to_bd09],
    ("gcj02", "wgs84"): [crs.gcj02_to_wgs84],
    ("bd09", "gcj02"): [crs.bd09_to_gcj02],
    ("bd09", "wgs84"): [crs.bd09_to_gcj02, crs.gcj02_to_wgs84],
}
FORWARD = (("wgs84", "gcj02"), ("wgs84", "bd09"), ("gcj02", "bd09"))


@given(CHINA)
def test_inverses_are_exact(point):
    lon, lat = point
    for forward, backward in (
        (crs.wgs84_to_gcj02, crs.gcj02_to_wgs84),
        (crs.gcj02_to_bd09, crs.bd09_to_gcj02),
    ):
        back = backward(*forward(lon, lat))
        assert np.hypot(back[0] - lon, back[1] - lat) <= 1e-9


@given(CHINA)
def test_a_shift_is_some_hundreds_of_metres(point):
    moved = crs.wgs84_to_gcj02(*point)
    assert 20 < crs.geodesic_m(*point, *moved) < 1200


def test_outside_its_box_nothing_moves():
    lon, lat = crs.wgs84_to_gcj02([43.3, 2.35], [-11.7, 48.86])
    assert lon.tolist() == [43.3, 2.35]
    assert lat.tolist() == [-11.7, 48.86]


@pytest.mark.data
def test_published_pairs(data: Path):
    pairs = pd.read_csv(data / "coords" / "published_pairs.csv")
    read = pairs[pairs["from"] != "bd09mc"]  # BD-09 in metres is not a system that is read here
    assert len(read) == 16
    for row in read.to_dict("records"):
        way = (row["from"], row["to"])
        point = row["in_x_or_lon"], row["in_y_or_lat"]
        for step in STEPS[way]:
            point = step(*point)
        published = row["out_lon"], row["out_lat"]
        if way == ("bd09", "wgs84"):
            # these two contradict the published forward shift: it takes them 10 and 40 m away from their input,
            # and brings ours back to it
            miss, ours = (
                np.abs(
                    np.array(crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(*p))) - [row["in_x_or_lon"], row["in_y_or_lat"]]
                )
                for p in (published, point)
            )
            assert miss.max() > 5e-5
            assert ours.max() <= 1e-9
            continue
        # a published inverse is the one-step one, off by up to 2 m
        tolerance = 1e-5 if way in FORWARD else 2e-5
        assert point == pytest.approx(published, abs=tolerance), row


@pytest.mark.data
def test_chinese_cities(data: Path):
    cities = pd.read_csv(data / "coords" / "gcoord_china_cities.csv")
    assert len(cities) == 664
    bd = np.array(crs.gcj02_to_bd09(cities["gcj02_lon"], cities["gcj02_lat"]))
    assert np.abs(bd - cities[["bd09_lon", "bd09_lat"]].to_numpy().T).max() <= 1e-7
    wgs = np.array(crs.gcj02_to_wgs84(cities["gcj02_lon"], cities["gcj02_lat"]))
    # the file's WGS-84 was made by a one-step inverse, good to 7e-6°
    assert np.abs(wgs - cities[["wgs84_lon", "wgs84_lat"]].to_numpy().T).max() <= 8e-6
    again = np.array(crs.wgs84_to_gcj02(*wgs))
    assert np.abs(again - cities[["gcj02_lon", "gcj02_lat"]].to_numpy().T).max() <= 1e-9


def test_metres_of_a_zone_come_back():
    x, y = crs.project([102.84, 102.0], [28.01, 27.5], CRS.from_epsg(4543))
    assert 500_000 < x[0] < 700_000 < 3_000_000 < y[0]  # east first, whatever the system declares
    lon, lat = crs.to_degrees(x, y, crs.system("EPSG:4543"))
    # PROJ's own inverse of the projection is good to far below a millimetre
    np.testing.assert_allclose([lon, lat], [[102.84, 102.0], [28.01, 27.5]], atol=1e-9)


@pytest.mark.parametrize("name", ["WGS-84", "wgs84", "CGCS2000", "EPSG:4490", "EPSG:4326"])
def test_degrees_of_both_datums_are_taken_as_they_are(name):
    lon, lat = crs.to_degrees([102.84], [28.01], crs.system(name))
    assert (lon[0], lat[0]) == (102.84, 28.01)


@pytest.mark.parametrize("name", ["Xian 1980", "EPSG:2334", "EPSG:2412", "EPSG:4214", "EPSG:4610"])
def test_old_datums_need_parameters(name):
    with pytest.raises(Stop) as stop:
        crs.system("EPSG:4610" if name == "Xian 1980" else name)
    assert stop.value.problems[0].code == "crs_needs_parameters"


def test_an_unknown_system_is_said():
    with pytest.raises(Stop) as stop:
        crs.system("火星")
    assert stop.value.problems[0].code == "crs_unknown"


@pytest.mark.parametrize("lying", ["EPSG:3857", "EPSG:3395", "EPSG:4326", "EPSG:4490", "EPSG:2263"])
def test_metres_or_nothing(lying):
    with pytest.raises(CRSUnitError, match="homes"):
        crs.require_metres(lying, what="homes")


def test_true_metres_are_accepted():
    assert crs.require_metres("EPSG:4543", what="homes").to_epsg() == 4543


def test_zones_meet_at_their_rim():
    assert crs.zone(103.499).to_epsg() == 4543
    assert crs.zone(103.5).to_epsg() == 4544
    assert crs.zone(43.3).coordinate_operation.params[1].value == 42


@given(st.floats(-60, 60), st.floats(100.6, 103.4), st.floats(5.0, 400.0))
def test_a_square_has_the_area_of_its_sides(lat, lon, side_m):
    # drawn in a plane true at its middle, so the area is the square of the side up to (side / earth)²
    plane = CRS.from_proj4(f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +ellps=GRS80")
    half = side_m / 2
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    ring = np.column_stack(crs.to_degrees(corners[:, 0], corners[:, 1], plane.to_wkt()))
    for turned in (ring, ring[::-1]):
        # 1e-9 of a degree is a tenth of a millimetre: on the side of a square a relative 4e-5 at 5 m
        assert crs.area_m2(np.array([shapely.Polygon(turned)]))[0] == pytest.approx(side_m**2, rel=1e-4)


def test_holes_and_parts_add_up():
    outer, hole, apart = (
        shapely.box(102, 28, 102.01, 28.01),
        shapely.box(102.002, 28.002, 102.004, 28.004),
        shapely.box(102.05, 28, 102.06, 28.01),
    )
    ring = shapely.difference(outer, hole)
    whole, cut, two = crs.area_m2(np.array([outer, ring, shapely.MultiPolygon([outer, apart])]))
    assert cut == pytest.approx(whole - crs.area_m2(np.array([hole]))[0])
    assert two == pytest.approx(2 * whole)


def test_what_is_no_polygon_has_no_area():
    areas = crs.area_m2(np.array([None, shapely.Point(1, 1), shapely.LineString([(0, 0), (1, 1)])]))
    assert np.isnan(areas[0])
    assert areas[1:].tolist() == [0, 0]


def test_nan_stays_nan():
    lon, lat = crs.to_degrees([np.nan, 102.8], [28.0, 28.0], "GCJ-02")
    assert np.isnan(lon[0])
    assert np.isfinite(lon[1])
    assert np.isfinite(lat[1])
    assert np.isnan(crs.geodesic_m([np.nan], [28], [102], [28])[0])


def trapezoid_m2(ring):
    """
    The land survey's own formula: strips between edges and a meridian, as a series in the eccentricity.

    Coefficients as in ``shared/facts/standards.md``, section 4.7.
    """
    a, flat = 6378137.0, 1 / 298.257222101
    b = a * (1 - flat)
    e2 = 1 - (b / a) ** 2
    series = (
        1 + 3 / 6 * e2 + 30 / 80 * e2**2 + 35 / 112 * e2**3 + 630 / 2304 * e2**4,
        1 / 6 * e2 + 15 / 80 * e2**2 + 21 / 112 * e2**3 + 420 / 2304 * e2**4,
        3 / 80 * e2**2 + 7 / 112 * e2**3 + 180 / 2304 * e2**4,
        1 / 112 * e2**3 + 45 / 2304 * e2**4,
        5 / 2304 * e2**4,
    )
    lon, lat = np.radians(np.asarray(ring)).T
    middle, apart = (lat[1:] + lat[:-1]) / 2, np.diff(lat)
    reach = (lon[1:] + lon[:-1]) / 2 - lon[0]
    terms = [
        (-1) ** n * factor * np.sin((2 * n + 1) * apart / 2) * np.cos((2 * n + 1) * middle)
        for n, factor in enumerate(series)
    ]
    return abs((2 * b**2 * reach * sum(terms)).sum())


SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
ODD = np.array([(-1, -1), (0.2, -0.9), (1, -1), (1.1, 0.3), (0.9, 1), (-0.1, 0.6), (-1, 1)])


@pytest.mark.parametrize(("corners", "side_m", "within_m2"), [
    (SQUARE, 20, 0.001), (SQUARE, 200, 0.001), (SQUARE, 5000, 1.0),
    # an edge is a geodesic here and straight in degrees there: where those of two sides do not cancel, a ten-millionth
    (ODD, 20, 0.001), (ODD, 200, 0.002), (ODD, 5000, 25.0),
])  # fmt: skip
@pytest.mark.parametrize("lat", [26.0, 28.5, 31.0, 34.0])
def test_an_area_is_that_of_the_survey_and_of_another_library(lat, corners, side_m, within_m2):
    plane = CRS.from_proj4(f"+proj=tmerc +lat_0={lat} +lon_0=102.3 +k=1 +ellps=GRS80")
    at = corners * side_m / 2
    ring = np.column_stack(crs.to_degrees(at[:, 0], at[:, 1], plane.to_wkt()))
    own = crs.area_m2(np.array([shapely.Polygon(ring)]))[0]
    other = Geodesic(6378137.0, 1 / 298.257222101).Polygon()
    for lon, north in ring:
        other.AddPoint(north, lon)
    # that library adds up from the equator on: the last digits of what lies below are lost
    assert own == pytest.approx(abs(other.Compute(False, True)[2]), abs=0.002)
    assert own == pytest.approx(trapezoid_m2([*ring, ring[0]]), abs=within_m2)


def test_the_formula_of_the_survey_is_as_it_is_printed():
    cell = [(102, 28), (103, 28), (103, 29), (102, 29), (102, 28)]
    assert trapezoid_m2(cell) == pytest.approx(10_850_336_759.03, abs=0.01)
