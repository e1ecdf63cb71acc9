from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.io import RawTable
from geo.problems import Stop
from layers import catalog, facilities
from layers.homesteads import plots

CATALOG = catalog.load()
BOX = (101.0, 27.0, 104.0, 29.0)


def table(*rows, category=None):
    return facilities.from_table(
        RawTable("设施.csv", "", tuple(rows)), CATALOG, crs="CGCS2000", box=BOX, category=category
    )


def osm(**things: tuple[str, ...]) -> gpd.GeoDataFrame:
    rows = list(things.items())
    return gpd.GeoDataFrame(
        {"osm_id": [f"n{i}" for i in range(len(rows))], "name": [name for name, _ in rows], "rules": [r for _, r in rows],
         "access": "", "foot": ""},
        geometry=shapely.points([(102 + i / 100, 28) for i in range(len(rows))]), crs=4326,
    )  # fmt: skip


def test_a_column_names_the_category_by_word_or_id():
    frame, problems = table(
        ("名称", "类别", "经度", "纬度"), ("甲店", "便民商店", "102.8", "28.0"), ("乙店", "convenience_store", "102.8", "28.0"),
        ("丙店", "小卖部", "102.8", "28.0"),
    )  # fmt: skip
    assert frame["category"].tolist() == ["convenience_store", "convenience_store", ""]
    assert frame["facility_id"].tolist() == ["设施:甲店", "设施:乙店", "设施:丙店"]
    assert [(p.code, p.row, p.value) for p in problems] == [("category_unknown", 4, "小卖部")]


def test_a_declared_category_needs_no_column():
    frame, _ = table(
        ("学校标识码", "学校名称", "经度", "纬度"), ("S1", "甲小学", "102.8", "28.0"), ("S1", "乙小学", "102.8", "28.0"),
        category="primary_school",
    )  # fmt: skip
    assert frame["category"].tolist() == ["primary_school"] * 2
    assert frame["facility_id"].tolist() == ["S1", "S1#3"]
    with pytest.raises(Stop) as stop:
        table(("学校名称", "经度", "纬度"), ("甲小学", "102.8", "28.0"))
    assert stop.value.problems[0].code == "column_missing"


def test_the_longest_rule_of_a_family_wins():
    rules = {"学": ("amenity=school", "amenity=school + name~小学"), "院": ("amenity=hospital",),
             "卫": ("amenity=hospital", "amenity=hospital|clinic + name~卫生院")}  # fmt: skip
    frame, _, _ = facilities.from_osm(osm(**rules), CATALOG, file="a.osm")
    found = frame.groupby("facility_name")["category"].agg(list).to_dict()
    assert found == {"学": ["primary_school"], "院": ["county_hospital"], "卫": ["township_hospital"]}


def test_what_a_name_does_not_sort_is_a_doubt():
    frame, problems, _ = facilities.from_osm(
        osm(School=("amenity=school",), Ecole=("amenity=school",)), CATALOG, file="a"
    )
    assert len(frame) == 0
    assert [(p.code, dict(p.params)) for p in problems] == [("osm_unsorted", {"n": "2", "tag": "amenity=school"})]


def test_one_thing_may_be_two_facilities():
    (both,) = [rule.text for rule in CATALOG.categories["cultural_centre"].osm]
    frame, _, _ = facilities.from_osm(osm(中心=(both, "amenity=community_centre")), CATALOG, file="a")
    assert set(frame["facility_id"]) == {"n0"}
    assert len(frame) >= 2


def test_the_rules_ask_for_plain_tags_too():
    texts = {rule.text for rule in facilities.osm_rules(CATALOG)}
    assert {"amenity=school", "amenity=school + name~小学", "shop=supermarket"} <= texts


def test_ranks_follow_the_ids():
    frame, _ = table(
        ("编码", "学校代码", "学校名称", "经度", "纬度"), *((c, c, c, "102.8", "28.0") for c in ("C", "A", "B")),
        category="primary_school",
    )  # fmt: skip
    assert facilities.ranks(frame).tolist() == [2, 0, 1]


def test_equal_ids_of_two_sources_stay_apart():
    one, _ = table(
        ("学校代码", "学校名称", "经度", "纬度"), ("S1", "甲小学", "102.8", "28.0"), category="primary_school"
    )
    two, _ = table(
        ("学校代码", "学校名称", "经度", "纬度"),
        ("S1", "甲中学", "102.8", "28.0"),
        category="junior_middle_school",
    )
    whole, problems = facilities.merged([one, two.assign(file="初中.csv")])
    assert whole["facility_id"].tolist() == ["S1", "S1@初中.csv#2"]
    assert [(p.code, p.value) for p in problems] == [("id_in_two_sources", "S1")]
    assert len(facilities.merged([])[0]) == 0


def test_one_thing_of_osm_in_two_categories_is_one_facility():
    both = pd.concat(
        [
            table(("学校代码", "学校名称", "经度", "纬度"), ("n1", "甲", "102.8", "28.0"), category=c)[0]
            for c in ("primary_school", "kindergarten")
        ]
    )
    whole, problems = facilities.merged([both])
    assert whole["facility_id"].tolist() == ["n1", "n1"]
    assert problems == []


def test_what_has_no_outline_is_told():
    features = osm(甲=("amenity=school + name~小学",))
    frame, problems, _ = facilities.from_osm(features.set_geometry([None], crs=4326), CATALOG, file="a.osm")
    assert frame["lon"].isna().all()
    assert [(p.code, dict(p.params)["ids"]) for p in problems] == [("osm_shapeless", "n0")]


# --- homesteads -------------------------------------------------------------------------------------------


def shapes(*geometry, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(geometry), crs=4326)


def test_plots_keep_their_ids_and_every_row():
    square = shapely.box(102, 28, 102.001, 28.001)
    bow = shapely.Polygon([(102, 28), (102.001, 28.001), (102.001, 28), (102, 28.001)])
    frame = shapes(square, bow, None, square, 编号=["H1", "H1", None, "H4"])
    out, problems = plots(frame, CATALOG, file="旧宅.shp")
    assert out["homestead_id"].tolist() == ["H1", "H1#2", "3", "H4"]
    assert [(p.code, p.row) for p in problems] == [("id_repeated", 2), ("shape_missing", 3), ("shape_crossing", 2)]
    assert out.geometry[1].is_valid
    assert not frame.geometry[1].is_valid  # nothing given is changed
    assert out.geometry[1].geom_type == "MultiPolygon"


def test_points_are_told_to_have_no_area():
    out, problems = plots(
        shapes(shapely.Point(102, 28), shapely.box(102, 28, 102.1, 28.1)), CATALOG, file="旧宅.shp"
    )
    assert len(out) == 2
    assert [(p.code, p.severity, dict(p.params)["n"]) for p in problems] == [("shape_without_area", "doubt", "1")]


def test_plots_without_an_id_field_are_numbered():
    out, _ = plots(shapes(shapely.box(102, 28, 102.1, 28.1)), CATALOG, file="a.shp")
    assert out["homestead_id"].tolist() == ["1"]


def test_a_mended_outline_keeps_its_area():
    spiked = shapely.Polygon(
        [(102, 28), (102.001, 28), (102.002, 28), (102.001, 28), (102.001, 28.001), (102, 28.001)]
    )
    out, problems = plots(shapes(spiked), CATALOG, file="a.shp")
    assert out.geometry[0].geom_type in ("Polygon", "MultiPolygon")
    assert out.geometry[0].area == pytest.approx(1e-6)
    assert [p.code for p in problems] == ["shape_crossing"]


def test_long_codes_and_persons_in_the_id_field():
    square = shapely.box(102, 28, 102.001, 28.001)
    codes = pd.array([513431200001010001, None], dtype="Int64")
    assert plots(shapes(square, square, 编号=codes), CATALOG, file="a.shp")[0]["homestead_id"].tolist() == [
        "513431200001010001",
        "2",
    ]
    people = ["11010519491231002X", "H2"]
    assert plots(shapes(square, square, 编号=people), CATALOG, file="a.shp")[0]["homestead_id"].tolist() == [
        "***",
        "H2",
    ]


def test_a_kind_that_names_leave_half_unsorted_is_not_carried_whole():
    sorted_ = {f"第{n}小学": ("amenity=school", "amenity=school + name~小学") for n in range(9)}
    one = osm(**sorted_, 某校=("amenity=school",))
    _, problems, partial = facilities.from_osm(one, CATALOG, file="a.osm")
    assert "osm_unsorted" in {p.code for p in problems}
    assert "primary_school" not in partial  # one in ten is not more than a tenth
    two = osm(**sorted_, 某校=("amenity=school",), 另校=("amenity=school",))
    assert "primary_school" in facilities.from_osm(two, CATALOG, file="a.osm")[2]
    assert facilities.from_osm(osm(**sorted_), CATALOG, file="a.osm")[2] == set()
