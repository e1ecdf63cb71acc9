"""Candidates: where something could be built, each once, and what forbids it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from pyproj import CRS

from geo.io import Raster, RawTable
from layers.candidates import apart, from_table, gathered, judged
from tests.flatland import CATALOG, degrees, places


def square(x, y, half):
    lon, lat = degrees([(x - half, y - half), (x + half, y + half)])
    return shapely.box(lon[0], lat[0], lon[1], lat[1])


def test_ones_own_come_first_and_two_within_fifty_metres_are_one():
    homes = places([(0, 0), (10, 0), (30, 0)])
    homes.loc[2, "place_kind"] = "household"
    parcels = gpd.GeoDataFrame({"name": ["一号地"]}, geometry=[square(10, 0, 0.2)], crs=4326)
    villages = gpd.GeoDataFrame({"name": ["甲村", ""]}, geometry=[square(0.3, 0, 1), square(50, 0, 1)], crs=4326)
    lon, lat = degrees([(0, 0.2)])
    own = pd.DataFrame(
        {"candidate_id": ["own-2"], "candidate_name": ["旧粮站"], "lon": lon, "lat": lat, "source": "own"}
    )
    found = apart(gathered(homes, villages, parcels, own), least_m=50)
    assert found["candidate_name"].tolist() == ["旧粮站", "一号地", "village-2"]
    assert found["source"].tolist() == ["own", "parcel", "village"]


def test_zones_and_steep_ground_forbid():
    homes = places([(0, 0), (10, 0), (20, 0)])
    found = gathered(homes, None, None, None)
    zone = gpd.GeoDataFrame(geometry=[square(10, 0, 1)], crs=4326)
    # a slope of 100 m in about 98 m to the east, from 18 blocks on
    west, north = degrees([(-10, 10)])[0][0], degrees([(-10, 10)])[1][0]
    columns, rows, step = 45, 25, 0.001
    height = np.tile(np.maximum(0, np.arange(columns) - 27) * 100.0, (rows, 1)).astype(np.float32)
    terrain = Raster(height, Affine(step, 0, west, 0, -step, north), CRS.from_epsg(4326))
    out = judged(found, {"redline": zone}, terrain, limit_deg=25)
    assert out["forbidden"].tolist() == ["", "redline", "slope"]
    assert judged(found, {}, None, limit_deg=25)["forbidden"].tolist() == ["", "", ""]


def test_a_list_of_ones_own_is_read_with_every_row():
    rows = (("名称", "经度", "纬度"), ("旧粮站", "102.75", "28.0"), ("", "102.76", "x"))
    found, problems = from_table(RawTable("闲置.csv", "", rows), CATALOG, crs="WGS-84", box=(100, 26, 104, 30))
    assert found["candidate_name"].tolist() == ["旧粮站", "own-3"]
    assert found["lon"].notna().tolist() == [True, False]
    assert [p.code for p in problems] == ["not_a_number"]


def test_what_is_forbidden_takes_no_place_of_what_is_allowed():
    lon, lat = degrees([(0, 0), (0.44, 0), (0.88, 0), (5, 0)])
    given = pd.DataFrame({"lon": lon, "lat": lat, "forbidden": ["redline", "", "", "slope"]})
    assert apart(given, least_m=50)["lon"].tolist() == [lon[1], lon[3]]
    assert apart(given.assign(forbidden=""), least_m=50)["lon"].tolist() == [lon[0], lon[2], lon[3]]
