from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.io import RawTable
from geo.problems import Stop
from layers import catalog, places

CATALOG = catalog.load()
BOX = (101.0, 27.0, 104.0, 29.0)
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
