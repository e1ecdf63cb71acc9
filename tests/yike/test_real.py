"""Real input, through every floor of the house: Monaco, and Grande Comore with terrain, people and buildings."""

from __future__ import annotations

from pathlib import Path

import exactextract
import exactextract.raster
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import yike
from analysis.access import STATUSES
from geo import io
from geo.terrain import slope_deg
from layers import catalog
from yike.run import Run

pytestmark = pytest.mark.data

MONACO = """
[project]
name = "Monaco"
[layers]
settlements = {{ osm = true }}
facilities = [{{ osm = true }}]
homesteads = {{ osm = "building=*" }}
[network]
osm = "{data}/monaco/monaco.osm.gz"
[terrain]
dem = ["{data}/monaco/N43E007.hgt.zip"]
"""

COMOROS = """
[project]
name = "大科摩罗岛"
[area]
service = [43.2, -11.95, 43.55, -11.3]
[layers]
settlements = {{ osm = true }}
facilities = [{{ osm = true }}]
homesteads = {{ osm = "building=*" }}
people = "{data}/comoros/com_ppp_2020_UNadj.tif"
[network]
osm = "{data}/comoros/comores-latest.osm.pbf"
[terrain]
dem = ["{data}/comoros/S12E043.SRTMGL1.hgt.zip", "{data}/comoros/S13E043.SRTMGL1.hgt.zip",
       "{data}/comoros/S13E044.SRTMGL1.hgt.zip"]
[categories]
"primary_school.osm" = ["amenity=school"]
"""


def run_of(text: str, data: Path, folder: Path) -> Run:
    path = folder / "real.toml"
    path.write_text(text.format(data=data.as_posix()), "utf-8")
    return yike.open(path).run()


@pytest.fixture(scope="module")
def monaco(data, tmp_path_factory):
    return run_of(MONACO, data, tmp_path_factory.mktemp("monaco"))


@pytest.fixture(scope="module")
def comoros(data, tmp_path_factory):
    return run_of(COMOROS, data, tmp_path_factory.mktemp("comoros"))


def complete(run: Run) -> pd.DataFrame:
    """Every place has one deciding status for every category; the deciding rows."""
    deciding = run.access[run.access["deciding"]]
    wanted = {c.id for c in catalog.load().in_access()}
    assert deciding["status"].isin(STATUSES).all()
    assert deciding.groupby("place_id")["category"].agg(set).map(lambda found: found == wanted).all()
    assert len(deciding) == len(run.places) * len(wanted)
    assert run.table("laws")["held"].all()
    return deciding


def test_monaco(monaco):
    deciding = complete(monaco)
    assert len(monaco.places) == 3
    # the OSM file has shops and no village clinic of any kind; what it lacks is unknown, not missing
    status = deciding.groupby("category")["status"].agg(set)
    assert status["village_clinic"] == {"no_data"}
    assert status["bakery"] <= {"served", "beyond_limit"}
    assert (deciding["status"] == "unreachable").sum() == 0
    # a bakery is some minutes away on foot, and no way is shorter than the straight line
    bakery = deciding[deciding["category"] == "bakery"]
    assert bakery["time_min"].between(1, 30).all()
    assert (bakery["distance_m"] >= bakery["straight_m"] - 0.01).all()
    assert monaco.table("homesteads")["slope_deg_mean"].notna().mean() > 0.9


def test_grande_comore_is_whole_and_alone(comoros):
    deciding = complete(comoros)
    assert len(comoros.places) == 110
    # the other two islands lie south of 12° S; nothing of theirs is ever reached
    snaps = comoros.table("snaps")
    at = snaps[snaps["kind"] == "facility"].drop_duplicates("point_id").set_index("point_id")["snap_lat"]
    reached = deciding.loc[deciding["facility_id"] != "", "facility_id"]
    assert len(reached) > 3000
    assert (at[reached.unique()] > -12.0).all()
    assert (at < -12.0).sum() > 100  # they are there
    school = deciding[deciding["category"] == "primary_school"]
    assert set(school["status"]) == {"served", "beyond_limit"}
    # 40 minutes of a child at 3.6 km/h are 2,400 m, and no way is shorter than the straight line
    assert (school.loc[school["status"] == "served", "straight_m"] <= 2400).all()
    assert (school.loc[school["straight_m"] > 2400, "status"] == "beyond_limit").all()


def test_grande_comore_says_no_data_where_osm_carries_nothing(comoros):
    deciding = comoros.access[comoros.access["deciding"]]
    known = deciding.groupby("category")["status"].agg(lambda s: not (s == "no_data").all())
    mixed = deciding.groupby("category")["status"].agg(
        lambda s: (s == "no_data").any() and not (s == "no_data").all()
    )
    # of what the names leave half unsorted only who has one is known: nobody is told to lack it
    half = deciding[deciding["category"].isin(mixed.index[mixed])]
    assert set(half["status"]) <= {"no_data", "served", "no_standard"}
    assert "village_clinic" in set(half["category"])
    assert not known["housekeeping"]  # a category without any OSM tag
    assert known["pharmacy"]
    assert 30 < known.sum() < 70


def test_people_of_grande_comore_are_all_accounted_for(comoros):
    balance = comoros.table("balance").set_index("item")["number"]
    # WorldPop: about 449,000 on the island
    assert balance["raster_total"] == pytest.approx(449_425, abs=1)
    assert balance["at_places"] + balance["nowhere"] == pytest.approx(balance["raster_total"])
    assert comoros.places["pop"].sum() == pytest.approx(balance["at_places"])


def test_buildings_of_grande_comore_are_measured(comoros):
    plots = comoros.table("homesteads")
    outlines = plots[plots["area_m2"].notna()]
    assert len(outlines) == 33_988
    # the zone stretches by up to 1.0007 here, 140 km from its meridian
    np.testing.assert_allclose(outlines["area_m2"], outlines["area_planar_m2"], rtol=2e-3, atol=0.01)
    assert 30 < outlines["area_m2"].median() < 150  # houses, neither sheds nor halls
    assert outlines["slope_deg_mean"].notna().all()
    # the island's mean is 10.1°; people build on the gentler ground
    assert 2 < outlines["slope_deg_mean"].mean() < 10.1
    assert comoros.table("slopes")["plots_n"].sum() == len(plots)


def test_slopes_of_grande_comore_are_those_of_another_computation(comoros, data):
    """Slope under buildings: by exactextract called directly, and by cutting every outline with every cell."""
    files = [data / "comoros" / f"{name}.SRTMGL1.hgt.zip" for name in ("S12E043", "S13E043", "S13E044")]
    table = comoros.table("homesteads").set_index("homestead_id")
    plots = gpd.read_file(comoros.folder / "results.gpkg", layer="homesteads", columns=["homestead_id"])
    plots = plots[plots.geometry.geom_type.isin(["Polygon", "MultiPolygon"])].set_crs(4326, allow_override=True)
    own = table.loc[plots["homestead_id"]]
    slope = slope_deg(
        io.read_raster(files, within=(*(plots.total_bounds[:2] - 0.01), *(plots.total_bounds[2:] + 0.01)))
    )
    source = exactextract.raster.NumPyRasterSource(
        slope.values, *slope.bounds, nodata=np.nan, name="slope", srs_wkt=slope.crs.to_wkt()
    )
    direct = exactextract.exact_extract(source, plots[["geometry"]], ["mean"], output="pandas")["mean"]
    np.testing.assert_allclose(own["slope_deg_mean"], direct, atol=1e-4)
    step, (west, _, _, north) = slope.transform.a, slope.bounds
    # the cells under the box of each outline
    box = shapely.bounds(plots.geometry.to_numpy())
    left, right = ((box[:, at] - west) // step for at in (0, 2))
    top, bottom = ((north - box[:, at]) // step for at in (3, 1))
    rows = [(n, r, c) for n, (t, b, lo, hi) in enumerate(zip(top, bottom, left, right, strict=True))
            for r in range(int(t), int(b) + 1) for c in range(int(lo), int(hi) + 1)]  # fmt: skip
    plot, row, column = np.array(rows).T
    cells = shapely.box(
        west + column * step, north - (row + 1) * step, west + (column + 1) * step, north - row * step
    )
    weight = shapely.area(shapely.intersection(plots.geometry.to_numpy()[plot], cells))
    value = slope.values[row, column].astype(float)
    whole = np.bincount(plot, weight)
    np.testing.assert_allclose(own["slope_deg_mean"], np.bincount(plot, weight * value) / whole, atol=1e-3)
    over = np.bincount(plot, weight * (value > 25)) / whole
    np.testing.assert_allclose(own["slope_over_25_share"], over, atol=1e-4)
    # what the law says of them, counted from the raster
    steep = (over > 0.5) | (np.bincount(plot, weight * value) / whole > 25)
    assert (own["way"] == "regreen").sum() == steep.sum() == 1
    lost = table[~table.index.isin(plots["homestead_id"])]
    assert (lost["way"] == "hold").all()
    assert comoros.table("ways")["area_m2"].sum() == pytest.approx(table["area_m2"].sum(), abs=0.01)
