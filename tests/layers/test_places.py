from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import crs as systems
from geo.io import RawTable
from geo.problems import Stop
from layers import catalog, places

CATALOG = catalog.load()
BOX = (101.0, 27.0, 104.0, 29.0)
PLANE = systems.CRS.from_proj4("+proj=tmerc +lat_0=28 +lon_0=102.8 +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m")
HEADING = ("编号", "安置点名称", "乡镇", "安置方式", "安置人口", "常住人口", "主要出行方式", "经度", "纬度")


def read(*rows, heading=HEADING):
    raw = RawTable("安置点台账.xlsx", "安置点", (heading, *rows))
    return places.from_ledger(raw, CATALOG, crs="CGCS2000", box=BOX)


def test_every_row_comes_out_with_its_facts():
    frame, problems = read(
        ("A1", "甲村", "上坝乡", "城镇集中安置", "3200", "2900", "步行", "102.8", "28.0"),
        ("A2", "乙村", "下坝乡", "农村安置", "", "", "", "", ""),
    )
    assert tuple(frame.columns) == places.COLUMNS
    first, second = frame.to_dict("records")
    assert first["place_id"] == "A1"
    assert (first["profile"], first["size_class"], first["pop"], first["pop_resident"]) == (
        "urban",
        "large",
        3200,
        2900,
    )
    assert (first["lon"], first["lat"], first["position_source"], first["row"]) == (102.8, 28.0, "surveyed", 2)
    assert np.isnan(second["pop"])
    assert (second["size_class"], second["position_source"]) == ("", "none")
    assert [p.code for p in problems] == ["position_missing"]


def test_repeated_and_missing_ids_stay_apart():
    frame, problems = read(
        ("A1", "甲", "", "农村", "1", "", "", "102.8", "28.0"), ("A1", "乙", "", "农村", "2", "", "", "102.8", "28.0"),
        ("", "丙", "", "农村", "4", "", "", "102.8", "28.0"),
    )  # fmt: skip
    assert frame["place_id"].tolist() == ["A1", "A1#3", "安置点台账:安置点:丙"]
    assert [(p.code, p.row) for p in problems] == [("id_repeated", 3)]


def test_people_below_zero_are_unknown():
    frame, problems = read(("A1", "甲", "", "农村", "-5", "", "", "102.8", "28.0"))
    assert frame["pop"].isna().all()
    assert [p.code for p in problems] == ["people_negative"]


def test_an_unknown_kind_is_rural_with_a_doubt():
    frame, problems = read(("A1", "甲", "", "是", "5", "", "", "102.8", "28.0"))
    assert frame["profile"].tolist() == ["rural"]
    assert [(p.code, p.severity, dict(p.params)["rows"]) for p in problems] == [("profile_assumed", "doubt", "2")]


def test_a_ledger_without_names_stops():
    with pytest.raises(Stop) as stop:
        read(("1", "102.8", "28.0"), heading=("安置人口", "经度", "纬度"))
    assert stop.value.problems[0].code == "column_missing"


def from_layer(layer):
    raw = places.as_rows(layer, CATALOG, file="安置点.gpkg")
    return places.from_ledger(raw, CATALOG, crs="WGS-84", box=BOX)


def test_polygons_stand_at_a_point_inside():
    # the centroid of a horseshoe lies outside of it
    horseshoe = shapely.Polygon([(102, 28), (102.3, 28), (102.3, 28.3), (102.2, 28.3), (102.2, 28.1), (102.1, 28.1),
                                 (102.1, 28.3), (102, 28.3)])  # fmt: skip
    layer = gpd.GeoDataFrame(
        {"安置点名称": ["甲", "乙"], "安置人口": [12, None]}, geometry=[horseshoe, None], crs=4326
    )
    frame, problems = from_layer(layer)
    assert shapely.contains_xy(horseshoe, frame["lon"][0], frame["lat"][0])
    assert frame["pop"].tolist()[0] == 12
    assert np.isnan(frame["lon"][1])
    assert "position_missing" in {p.code for p in problems}


def test_osm_places_have_a_profile_and_no_people():
    layer = gpd.GeoDataFrame(
        {"osm_id": ["n1", "n2", "n3"], "name": ["城", "", "城"], "rules": [(places.OSM_RULE,)] * 2 + [()],
         "place": ["town", "hamlet", "city"]},
        geometry=shapely.points([(102, 28), (102.1, 28), (102, 28)]), crs=4326,
    )  # fmt: skip
    frame, problems = places.from_osm(layer, CATALOG, file="a.osm")
    assert frame["place_id"].tolist() == ["n1", "n2"]
    assert frame["place_name"].tolist() == ["城", "n2"]
    assert frame["profile"].tolist() == ["urban", "rural"]
    assert frame["pop"].isna().all()
    assert problems == []


def test_one_place_mapped_twice_is_a_doubt():
    layer = gpd.GeoDataFrame(
        {"osm_id": ["n1", "w2"], "name": ["城", "城"], "rules": [(places.OSM_RULE,)] * 2, "place": ["town"] * 2},
        geometry=shapely.points([(102, 28), (102.001, 28)]), crs=4326,
    )  # fmt: skip
    _, problems = places.from_osm(layer, CATALOG, file="a.osm")
    assert [p.code for p in problems] == ["place_twice"]


def test_counted_people_fill_only_what_is_empty():
    frame, _ = read(
        ("A1", "甲", "", "农村", "5", "", "", "102.8", "28.0"),
        ("A2", "乙", "", "农村", "", "", "", "102.8", "28.0"),
    )
    filled = places.with_people(frame, np.array([100.0, 900.0]), CATALOG)
    assert filled["pop"].tolist() == [5, 900]
    assert filled["pop_source"].tolist() == ["ledger", "raster_nearest"]
    assert filled["size_class"].tolist() == ["micro", "medium"]
    assert frame["pop"].isna().tolist() == [False, True]  # nothing given is changed


def test_the_rim_of_an_area_belongs_to_it():
    frame, _ = read(
        ("A1", "甲", "", "农村", "5", "", "", "103", "28.5"), ("A2", "乙", "", "农村", "5", "", "", "103.0001", "28.5"),
        ("A3", "丙", "", "农村", "5", "", "", "", ""),
    )  # fmt: skip
    assert places.within(frame, shapely.box(102, 28, 103, 29)).tolist() == [True, False, False]


@pytest.mark.parametrize("column", ["经度", "lng", "longitude", "中心经度", "东经", "X坐标", "东坐标"])
def test_a_features_shape_says_where_it_is(column):
    layer = gpd.GeoDataFrame(
        {"安置点名称": ["甲"], column: [103.9], "纬度": [28.9]}, geometry=[shapely.Point(102.75, 28)], crs=4326
    )
    frame, _ = from_layer(layer)
    assert (frame["lon"][0], frame["lat"][0]) == (102.75, 28.0)


# --- households, hosts, villages --------------------------------------------------------------------------


def gazetteer(*rows):
    return pd.DataFrame(rows, columns=["code", "town", "name", "lon", "lat", "error_m"])


VILLAGES = gazetteer(
    ("519901100201", "上坝乡", "新村", 102.1, 28.1, 900.0), ("519901101201", "下坝乡", "新村", 102.2, 28.2, 700.0),
    ("519901101202", "下坝乡", "老村", 102.3, 28.3, 800.0), ("", "下坝乡", "旧名村", 102.3, 28.3, 800.0),
)  # fmt: skip


def households(*rows, villages=VILLAGES):
    heading = ("户编号", "户主姓名", "乡镇", "村", "行政区划代码", "家庭人口", "经度", "纬度")
    raw = RawTable("分散户.csv", "", (heading, *rows))
    return places.from_ledger(raw, CATALOG, crs="CGCS2000", box=BOX, kind="household", villages=villages)


@pytest.mark.parametrize(
    ("town", "village", "code", "at"),
    [
        ("上坝乡", "新村", "", (102.1, 28.1)), ("下坝乡", "新村", "", (102.2, 28.2)), ("", "老村", "", (102.3, 28.3)),
        ("", "新村", "", None), ("", "", "519901101201", (102.2, 28.2)), ("下坝乡", "旧名村", "", (102.3, 28.3)),
        ("上坝乡", "老村", "", None), ("下坝 乡", "老村", "", (102.3, 28.3)),
    ],
)  # fmt: skip
def test_a_row_without_position_stands_in_its_village(town, village, code, at):
    frame, problems = households(("H1", "某某", town, village, code, "4", "", ""))
    found = frame.loc[0]
    assert (found["place_kind"], found["pop"], found["profile"]) == ("household", 4, "rural")
    if at is None:
        assert np.isnan(found["lon"])
        assert found["position_source"] == "none"
        assert "position_missing" in {p.code for p in problems}
        return
    assert (found["lon"], found["lat"], found["position_source"]) == (*at, "village_centre")
    assert found["position_error_m"] > 0
    assert {p.code for p in problems} - {"profile_assumed"} == {"placed_at_village"}


def test_a_surveyed_position_goes_before_the_village():
    frame, _ = households(("H1", "某某", "上坝乡", "新村", "", "4", "102.8", "28.0"))
    assert (frame.loc[0, "lon"], frame.loc[0, "position_source"]) == (102.8, "surveyed")
    assert np.isnan(frame.loc[0, "position_error_m"])


def test_a_wrong_position_stays_a_fault_where_the_village_helps():
    frame, problems = households(("H1", "某某", "上坝乡", "新村", "", "4", "28.0", "102.8"))
    assert frame.loc[0, "position_source"] == "village_centre"
    assert {"position_swapped", "placed_at_village"} <= {p.code for p in problems}


def test_a_ledger_of_villages_alone_needs_a_layer_of_villages():
    raw = RawTable("分散户.csv", "", (("户编号", "乡镇", "村", "家庭人口"), ("H1", "上坝乡", "新村", "4")))
    frame, _ = places.from_ledger(raw, CATALOG, crs="CGCS2000", box=BOX, kind="household", villages=VILLAGES)
    assert frame["position_source"].tolist() == ["village_centre"]
    with pytest.raises(Stop) as stop:
        places.from_ledger(raw, CATALOG, crs="CGCS2000", box=BOX, kind="household")
    assert stop.value.problems[0].code == "no_positions"


def test_the_people_of_hosts_are_their_own():
    heading = ("编号", "居民点名称", "类型", "常住人口", "经度", "纬度")
    raw = RawTable("居民点.csv", "", (heading, ("Z1", "城关居民", "城镇", "900", "102.8", "28.0")))
    frame, _ = places.from_ledger(raw, CATALOG, crs="CGCS2000", box=BOX, kind="host")
    row = frame.loc[0]
    assert (row["place_kind"], row["pop"], row["pop_host"], row["profile"]) == ("host", 900, 0, "urban")


@pytest.mark.parametrize(("words", "mode"), [("摩托车", "ebike"), ("步行", "walk"), ("公交车", "bus"), ("", "")])
def test_a_usual_mode_is_read(words, mode):
    frame, problems = read(("A1", "甲", "", "农村", "5", "", words, "102.8", "28.0"))
    assert frame["usual_mode"].tolist() == [mode]
    assert problems == []


def test_an_unknown_mode_is_a_doubt_and_walks():
    frame, problems = read(("A1", "甲", "", "农村", "5", "", "骑马", "102.8", "28.0"))
    assert frame["usual_mode"].tolist() == [""]
    assert [(p.code, dict(p.params)["rows"]) for p in problems] == [("mode_unknown", "2")]


def test_two_files_that_disagree_are_told_apart():
    one, _ = read(
        ("A1", "甲", "", "农村", "500", "", "", "102.8", "28.0"),
        ("A2", "乙", "", "农村", "7", "", "", "102.8", "28"),
    )
    two, _ = read(
        ("A1", "甲", "", "农村", "650", "", "", "102.9", "28.0"),
        ("A2", "乙", "", "农村", "7", "", "", "102.8", "28"),
    )
    whole, problems = places.joined([one, two.assign(file="另一份.xlsx")])
    assert whole["place_id"].tolist() == ["A1", "A2"]
    assert whole.loc[0, "pop"] == 500
    told = [(p.code, p.file, p.row, p.column, dict(p.params).get("other")) for p in problems]
    assert told == [
        ("sources_disagree", "另一份.xlsx", 2, "pop", "650"),
        ("sources_disagree", "另一份.xlsx", 2, "lon", "102.90000, 28.00000"),
        ("place_in_two_files", "另一份.xlsx", 3, "", None),
    ]


def home(file, number, *, kind="household", name="", village="", lon="", lat="", people="4"):
    raw = RawTable(file, "", (("id", "name", "village", "pop", "lon", "lat"),
                              (number, name, village, people, lon, lat)))  # fmt: skip
    return places.from_ledger(raw, CATALOG, crs="CGCS2000", box=BOX, kind=kind)[0]


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [
        ({"lon": "102.8", "lat": "28.0"}, {"lon": "102.8", "lat": "28.004"}, 1),  # 443 m
        ({"lon": "102.8", "lat": "28.0"}, {"lon": "102.8", "lat": "28.005"}, 2),  # 554 m
        ({"village": "甲村"}, {"village": "乙村"}, 2),
        ({"village": "甲村"}, {"village": "甲村"}, 1),
        ({"name": "甲"}, {"name": "乙"}, 2),
        ({"name": "甲"}, {"name": "上坝乡甲"}, 1),
        ({"name": "甲", "lon": "102.8", "lat": "28.0"}, {"name": "乙", "lon": "102.8", "lat": "28.001"}, 1),
        ({"kind": "settlement"}, {"kind": "household"}, 2),
    ],
)
def test_one_number_in_two_ledgers_may_be_two_places(one, other, n):
    kind = {"kind": "settlement"} if "name" in one else {}  # a household's name is a person's
    whole, problems = places.joined([home("甲.csv", "1", **(kind | one)), home("乙.csv", "1", **(kind | other))])
    assert len(whole) == n
    assert whole["place_id"].is_unique
    assert whole["pop"].sum() == 4 * n
    shared = [dict(p.params) for p in problems if p.code == "place_ids_shared"]
    assert shared == ([{"n": "1", "other": "甲.csv", "ids": "1"}] if n == 2 else [])


def test_people_that_neither_ledger_knows_are_no_disagreement():
    one, other = home("甲.csv", "1", people=""), home("乙.csv", "1", people="")
    assert [p.code for p in places.joined([one, other])[1]] == ["place_in_two_files"]


# --- shapes of settlements --------------------------------------------------------------------------------


def settlements(*ids):
    rows = [(name, name, "", "农村", "100", "", "", "102.8", "28.0") for name in ids]
    return read(*rows)[0]


def metres(*xy):
    """Points in metres around 102.8 E, 28 N as degrees."""
    lon, lat = systems.to_degrees([x for x, _ in xy], [y for _, y in xy], PLANE.to_wkt())
    return list(zip(lon, lat, strict=True))


def layer(*rows):
    return gpd.GeoDataFrame({"安置点编号": [n for n, _ in rows]}, geometry=[g for _, g in rows], crs=4326)


def test_one_polygon_is_ground_and_its_people_are_spread_evenly():
    square = shapely.Polygon(metres((0, 0), (500, 0), (500, 300), (0, 300)))
    at, shapes, problems = places.with_shapes(settlements("A1"), layer(("A1", square)), CATALOG, file="范围.gpkg")
    points = places.points_of(at, shapes)
    # 11 by 7 points in a grid of 50 m, less those on the rim
    assert len(points) in range(54, 78)
    assert points["share"].sum() == pytest.approx(1)
    assert shapely.contains_xy(square, points["lon"], points["lat"]).all()
    middle = points[["lon", "lat"]].mean()
    assert systems.geodesic_m([middle["lon"]], [middle["lat"]], [square.centroid.x], [square.centroid.y])[0] < 15
    assert [p.code for p in problems] == []


@given(st.floats(20, 400), st.floats(20, 400), st.floats(-1, 1), st.floats(-1, 1))
def test_people_of_any_ground_stand_on_it(width, depth, dx, dy):
    corners = metres((dx, dy), (dx + width, dy), (dx + width, dy + depth), (dx, dy + depth))
    at, shapes, _ = places.with_shapes(
        settlements("A1"), layer(("A1", shapely.Polygon(corners))), CATALOG, file="a"
    )
    points = places.points_of(at, shapes)
    assert points["share"].sum() == pytest.approx(1)
    assert shapely.intersects_xy(shapes.geometry[0], points["lon"], points["lat"]).all()


def test_several_polygons_are_buildings_and_points_are_entrances():
    houses = [("A1", shapely.Point(p).buffer(0.0001, quad_segs=2)) for p in metres((0, 0), (60, 0), (0, 60))]
    gates = [("A2", shapely.Point(p)) for p in metres((0, 0), (100, 0))]
    at, shapes, _ = places.with_shapes(settlements("A1", "A2", "A3"), layer(*houses, *gates), CATALOG, file="a")
    points = places.points_of(at, shapes)
    assert points.groupby("place_id", sort=False)["share"].agg(list).to_dict() == {
        "A1": [1 / 3] * 3, "A2": [0.5, 0.5], "A3": [1.0],
    }  # fmt: skip
    assert points["place_id"].tolist() == ["A1"] * 3 + ["A2"] * 2 + ["A3"]
    assert points["point_id"].is_unique


def test_shapes_of_nobody_and_positions_off_their_shape_are_told():
    here, far = metres((0, 0), (5_000, 0))
    shapes = layer(("A1", shapely.Point(far)), ("B9", shapely.Point(here)), ("A2", None))
    at, kept, problems = places.with_shapes(settlements("A1", "A2"), shapes, CATALOG, file="范围.gpkg")
    assert {p.code for p in problems} == {"shape_of_nobody", "position_off_shape"}
    told = dict(next(p for p in problems if p.code == "shape_of_nobody").params)
    assert (told["n"], told["rows"]) == ("2", "2、3")
    assert at.loc[0, "position_source"] == "shape"
    assert at.loc[0, "lon"] == pytest.approx(far[0])
    assert kept["place_id"].tolist() == ["A1"]


def test_an_outline_that_crosses_itself_is_mended_and_told():
    bow = shapely.Polygon(metres((0, 0), (400, 300), (400, 0), (0, 300)))
    at, shapes, problems = places.with_shapes(settlements("A1"), layer(("A1", bow)), CATALOG, file="范围.gpkg")
    assert [(p.code, p.severity, p.row) for p in problems] == [("shape_crossing", "fault", 1)]
    # two triangles of one settlement: ground, whose people are spread over both
    points = places.points_of(at, shapes)
    assert len(points) > 10
    assert shapely.contains_xy(shapes.geometry[0], points["lon"], points["lat"]).all()


@pytest.mark.parametrize("ids", [[1.0, 2.0], ["1", "2"], [1, 2]])
def test_ids_of_shapes_may_be_numbers(ids):
    shapes = gpd.GeoDataFrame({"编号": ids}, geometry=gpd.points_from_xy(*zip((102.8, 28), (102.8, 28), strict=True)),
                              crs=4326)  # fmt: skip
    _, kept, problems = places.with_shapes(settlements("1", "2"), shapes, CATALOG, file="a")
    assert kept["place_id"].tolist() == ["1", "2"]
    assert problems == []


def test_a_shape_says_better_than_the_middle_of_the_village():
    at = settlements("A1").assign(position_source="village_centre", position_error_m=900.0)
    for metre in (200, 1500):
        point = shapely.Point(*metres((metre, 0))[0])
        found, _, problems = places.with_shapes(at, layer(("A1", point)), CATALOG, file="a")
        assert found.loc[0, ["position_source", "lon"]].tolist() == ["shape", pytest.approx(point.x)]
        assert np.isnan(found.loc[0, "position_error_m"])
        assert problems == []


def test_a_feature_with_nothing_at_all_is_a_row_all_the_same():
    shapes = gpd.GeoDataFrame({"安置点名称": ["甲", None]}, geometry=[shapely.Point(102.8, 28), None], crs=4326)
    frame, problems = from_layer(shapes)
    assert frame["row"].tolist() == [1, 2]
    assert ("position_missing", 2) in [(p.code, p.row) for p in problems]


def test_a_shape_gives_a_position_to_a_settlement_without():
    at = settlements("A1").assign(lon=np.nan, lat=np.nan, position_source="none")
    found, _, problems = places.with_shapes(
        at, layer(("A1", shapely.Point(*metres((10, 10))[0]))), CATALOG, file="a"
    )
    assert found.loc[0, "position_source"] == "shape"
    assert problems == []
    assert at["lon"].isna().all()  # nothing given is changed


def test_one_settlement_under_two_ids_in_two_files_is_doubted():
    one, _ = read(("A1", "甲安置点", "", "农村", "500", "", "", "102.8", "28.0"))
    two, _ = read(
        ("B7", "甲安置点", "", "农村", "650", "", "", "102.801", "28.0"),
        ("B8", "甲安置点", "", "农村", "9", "", "", "103.5", "28.0"),
    )
    whole, problems = places.joined([one, two.assign(file="另一份.xlsx")])
    assert len(whole) == 3
    assert [(p.code, p.file, dict(p.params)["ids"]) for p in problems] == [
        ("place_twice", "另一份.xlsx", "A1、B7")
    ]
