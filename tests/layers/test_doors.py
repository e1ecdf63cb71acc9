"""Where one comes into what is drawn as an area."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import crs as systems
from geo import osm
from layers import catalog, doors, facilities
from tests.flatland import PLANE, degrees

CATALOG = catalog.load()


def square(x, y, side=2.0):
    return shapely.Polygon(np.column_stack(degrees([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])))


def drawn(path, areas, gates):
    """An OSM file of square areas (corner, tags) with gates (area, corner number, tags)."""
    nodes, ways = [], []
    for number, ((x, y), tags) in enumerate(areas):
        lon, lat = degrees([(x, y), (x + 2, y), (x + 2, y + 2), (x, y + 2)])
        own = {corner: t for area, corner, t in gates if area == number}
        ids = [10 * number + k + 1 for k in range(4)]
        nodes += [osm.Node(i, a, b, own.get(k, {})) for k, (i, a, b) in enumerate(zip(ids, lon, lat, strict=True))]
        ways.append(osm.Way(number + 1, [*ids, ids[0]], tags))
    osm.write_osm(path, nodes, ways)
    frame = osm.read_features(path, facilities.osm_rules(CATALOG), keys=facilities.KEYS)
    return facilities.from_osm(frame, CATALOG, file=path.name)[0].set_index(["facility_id", "category"])


def blocks(text):
    """The points of doors in blocks, sorted."""
    at = shapely.get_coordinates(shapely.from_wkt(text))
    xy = np.column_stack(systems.project(at[:, 0], at[:, 1], PLANE)) / 100
    return sorted((round(x, 3) + 0.0, round(y, 3) + 0.0) for x, y in xy.tolist())


SCHOOL = {"amenity": "school", "name": "甲小学"}


def test_a_school_is_come_to_by_the_gates_on_its_outline(tmp_path):
    gates = [(0, 0, {"barrier": "gate"}), (0, 2, {"entrance": "main"})]
    found = drawn(tmp_path / "a.osm.pbf", [((0, 0), SCHOOL), ((5, 0), SCHOOL | {"name": "乙小学"})], gates)
    assert blocks(found["doors"]["w1", "primary_school"]) == [(0, 0), (2, 2)]
    assert found["doors"]["w2", "primary_school"] == ""
    assert len(found) == 2  # a gate is no facility


@pytest.mark.parametrize("tags", [
    {"barrier": "gate", "access": "private"}, {"entrance": "yes", "foot": "no"}, {"entrance": "emergency"},
    {"barrier": "wall"}, {"entrance": "exit"},
])  # fmt: skip
def test_what_nobody_may_pass_is_no_door(tmp_path, tags):
    found = drawn(tmp_path / "a.osm.pbf", [((0, 0), SCHOOL)], [(0, 1, tags)])
    assert found["doors"].tolist() == [""]


def test_a_park_is_come_to_along_its_outline_and_a_fenced_one_by_its_gates(tmp_path):
    park = {"leisure": "park", "name": "园"}
    found = drawn(tmp_path / "a.osm.pbf", [((0, 0), park), ((5, 0), park)], [(1, 0, {"barrier": "gate"})])
    around = blocks(found["doors"]["w1", "park_green"])
    assert len(around) == 16  # 800 m, one every 50 m
    assert all(min(x % 2, y % 2) == pytest.approx(0, abs=1e-3) for x, y in around)
    apart = np.array(around)
    gaps = np.hypot(*(apart[:, None] - apart[None]).T) + 9 * np.eye(16)
    np.testing.assert_allclose(gaps.min(axis=0), 0.5, atol=2e-3)
    assert blocks(found["doors"]["w2", "park_green"]) == [(5, 0)]


def test_a_large_outline_has_wider_marks_and_holes_have_none():
    large = square(0, 0, 300)  # 120 km around
    assert doors.STEPS_N <= len(blocks(doors.outline_doors(np.array([large]))[0])) <= doors.STEPS_N + 1
    holed = square(0, 0).difference(square(0.5, 0.5, 1))
    text, none, bare = doors.outline_doors(np.array([holed, None, shapely.Point(102.75, 28)]))
    assert len(blocks(text)) == 16
    assert (none, bare) == ("", "")


def test_an_island_park_has_doors_on_both_parts():
    both = shapely.MultiPolygon([square(0, 0, 0.1), square(5, 0, 0.1)])
    assert len(blocks(doors.outline_doors(np.array([both]))[0])) == 2


def test_the_table_of_doors_is_in_the_order_of_facilities():
    frame = pd.DataFrame({"lon": [1.0, np.nan, 3.0], "lat": [2.0, np.nan, 4.0],
                          "doors": ["MULTIPOINT (5 6, 7 8)", "", ""]})  # fmt: skip
    found = doors.door_table(frame)
    assert found["facility"].tolist() == [0, 0, 1, 2]
    np.testing.assert_array_equal(found["lon"], [5, 7, np.nan, 3])
    np.testing.assert_array_equal(found["lat"], [6, 8, np.nan, 4])
    assert doors.door_table(frame.drop(columns="doors"))["facility"].tolist() == [0, 1, 2]
    assert len(doors.door_table(frame.iloc[:0])) == 0


def rows(*named, category="primary_school"):
    frame = pd.DataFrame({column: [""] * len(named) for column in facilities.COLUMNS})
    frame["facility_id"] = [f"S{i}" for i in range(len(named))]
    frame["code"], frame["facility_name"], frame["category"] = frame["facility_id"], named, category
    frame["lon"], frame["lat"] = 102.75, 28.0
    frame["operating"], frame["capacity"], frame["runs_a_day"] = True, np.nan, np.nan
    frame["row"], frame["file"], frame["merged_n"], frame["merged_ids"] = (
        range(2, len(named) + 2),
        "校.xlsx",
        1,
        frame["facility_id"],
    )
    return frame


def layer(*given):
    names, shapes = zip(*given, strict=True)
    return gpd.GeoDataFrame({"名称": names}, geometry=list(shapes), crs=4326)


def point(x, y):
    (lon,), (lat,) = degrees([(x, y)])
    return shapely.Point(lon, lat)


def test_a_layer_of_gates_is_matched_by_name_or_code():
    given = layer(("甲", point(1, 0)), ("甲", point(0, 1)), ("S1", square(0, 0)), ("丁", point(0, 0)))
    found, problems = facilities.with_shapes(
        rows("甲", "乙"), given.rename(columns={"名称": "设施名称"}), CATALOG, file="门.gpkg"
    )
    assert blocks(found["doors"][0]) == [(0, 1), (1, 0)]
    assert found["doors"][1] == ""
    assert [(p.code, dict(p.params)["rows"]) for p in problems] == [("shape_of_nobody", "3、4")]
    by_code, _ = facilities.with_shapes(
        rows("甲", "乙"), layer(("S1", point(1, 1))).rename(columns={"名称": "设施编号"}), CATALOG, file="门.gpkg"
    )
    assert by_code["doors"].map(bool).tolist() == [False, True]


def test_an_outline_of_a_park_has_doors_around_and_one_of_a_school_has_none():
    given = layer(("甲", square(0, 0)))
    park, _ = facilities.with_shapes(rows("甲", category="park_green"), given, CATALOG, file="园.gpkg")
    school, _ = facilities.with_shapes(rows("甲"), given, CATALOG, file="园.gpkg")
    assert len(blocks(park["doors"][0])) == 16
    assert school["doors"].tolist() == [""]


def test_a_position_far_from_its_gates_is_doubted_and_a_missing_one_filled():
    frame = rows("甲", "乙", "丙")
    frame.loc[1, ["lon", "lat"]] = np.nan
    given = layer(("甲", point(6, 0)), ("乙", point(1, 0)), ("丙", point(4.9, 0)))
    found, problems = facilities.with_shapes(frame, given, CATALOG, file="门.gpkg")
    assert [(p.code, p.row, dict(p.params)["distance"]) for p in problems] == [("position_off_shape", 2, "600")]
    at = np.column_stack(systems.project(found["lon"], found["lat"], PLANE)) / 100
    np.testing.assert_allclose(at, [[6, 0], [1, 0], [0, 0]], atol=1e-3)
    assert frame["lon"].isna().tolist() == [False, True, False]


def test_one_facility_of_two_sources_keeps_the_gates_that_either_knows():
    ledger, mapped = (
        rows("甲小学"),
        rows("甲小学").assign(code="", facility_id="w1", doors="MULTIPOINT (102.75 28)"),
    )
    whole, _ = facilities.merged([ledger, mapped])
    assert whole["facility_id"].tolist() == ["S0"]
    assert whole["doors"].tolist() == ["MULTIPOINT (102.75 28)"]
