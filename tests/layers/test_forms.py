"""Ledgers and layers beside settlements: every row comes out typed, and what is wrong with it is told."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import crs as systems
from geo.io import RawTable
from geo.problems import Stop
from layers import catalog, forms
from layers.houses import houses
from layers.ledgers import parse_date

CATALOG = catalog.load()
NAMED = forms.Names({}, {"甲安置点": "A1", "a1": "A1", "乙安置点": "A2", "两处同名": ""})


def read(name, *rows, settlements=NAMED, file="台账.xlsx"):
    raw = RawTable(file, "一", tuple(tuple(str(cell) for cell in row) for row in rows))
    return forms.read_table_form(raw, CATALOG.ledgers[name], CATALOG, settlements=settlements)


def told(problems):
    return [(p.code, p.row, p.column, p.value) for p in problems]


HOUSE = (
    "旧房编号",
    "户主姓名",
    "身份证号",
    "安置点",
    "宅基地面积（㎡）",
    "是否拆除",
    "拆除时间",
    "复垦面积（亩）",
)


def test_a_house_ledger_is_typed_and_forgets_who():
    frame, problems = read(
        "house_ledger", HOUSE, ("J1", "张三", "x", "甲安置点", "160", "已拆", "2020.06", "0.24")
    )
    assert problems == []
    row = frame.loc[0]
    assert not {"householder", "id_no"} & set(frame.columns)
    assert (row["house_id"], row["place_id"], row["plot_area"], row["demolished"]) == ("J1", "A1", 160, True)
    assert row["demolish_date"] == dt.date(2020, 6, 30)
    assert row["reclaim_area"] == pytest.approx(0.24 * systems.M2_PER_MU)
    assert (row["file"], row["row"]) == ("台账.xlsx", 2)


def test_one_bad_row_is_told_cell_by_cell_and_comes_out():
    frame, problems = read(
        "house_ledger", HOUSE, ("J1", "", "", "甲安置点", "0.24", "拆了一半", "哪天", "若干"),
        ("J1", "", "", "丙安置点", "180", "否", "", ""), ("J2", "", "", "两处同名", "", "", "", ""),
    )  # fmt: skip
    assert set(told(problems)) == {
        ("area_in_mu", 2, "宅基地面积（㎡）", "0.24"), ("not_yes_or_no", 2, "是否拆除", "拆了一半"),
        ("not_a_date", 2, "拆除时间", "…"), ("not_a_number", 2, "复垦面积（亩）", "…"),
        ("settlement_unknown", 3, "安置点", "丙安置点"),
        ("settlement_ambiguous", 4, "安置点", "两处同名"),
    }  # fmt: skip
    assert len(frame) == 3
    assert frame["plot_area"].isna().tolist() == [True, False, True]
    assert frame["demolished"].astype("object").where(frame["demolished"].notna(), None).tolist() == [
        None,
        False,
        None,
    ]
    assert frame["place_id"].tolist() == ["A1", "", ""]


@pytest.mark.parametrize(
    ("heading", "title", "value", "m2"),
    [
        ("宅基地面积（㎡）", "", "160", 160), ("宅基地面积（亩）", "", "0.3", 200), ("宅基地面积", "", "160", 160),
        ("宅基地面积", "单位：亩", "0.3", 200), ("宅基地面积（平方米）", "单位：亩", "160", 160), ("宅基地面积（公顷）", "", "0.02", 200),
        ("宅基地面积", "单位：亩、人", "0.3", 200), ("宅基地面积", "单位：人", "160", 160),
    ],
)  # fmt: skip
def test_an_area_is_in_the_unit_of_its_heading_or_its_title(heading, title, value, m2):
    rows = [("旧房台账",), (title,), ("旧房编号", heading)] if title else [("旧房编号", heading)]
    frame, problems = read("house_ledger", *rows, ("J1", value))
    assert frame["plot_area"].tolist() == [pytest.approx(m2)]
    assert problems == []


@pytest.mark.parametrize("value", ["0.06", "3", "0.9"])
def test_square_metres_that_look_like_mu_are_not_used(value):
    frame, problems = read("house_ledger", ("旧房编号", "宅基地面积（㎡）"), ("J1", value))
    assert frame["plot_area"].isna().all()
    assert [p.code for p in problems] == ["area_in_mu"]
    frame, problems = read("house_ledger", ("旧房编号", "旧房面积（㎡）"), ("J1", value))  # a hut may be small
    assert frame["house_area"].tolist() == [float(value)]


def test_a_ledger_of_another_county_is_left_out_whole():
    frame, problems = read("labour", ("安置点", "劳动力人数"), ("丙安置点", 5), ("丁安置点", 7), ("戊安置点", 9))
    assert [(p.code, p.severity, dict(p.params)) for p in problems] == [
        ("ledger_other_county", "doubt", {"n": "3"})
    ]
    assert len(frame) == 0
    assert {"labour", "place_id"} <= set(frame.columns)


def test_a_mistyped_id_number_among_others_is_one_and_a_cell_that_says_too_much_is_cut():
    frame, problems = read(
        "house_ledger", ("旧房编号", "宅基地面积（㎡）", "拆除时间"), ("11010519491231002X", "约百余", "李四妹家未拆"),
        ("110105194912310021", "", "2020年13月"),
    )  # fmt: skip
    assert frame["house_id"].str.startswith("***").all()
    assert "110105" not in str(problems) + frame.to_csv()
    assert {(p.code, p.value) for p in problems} >= {("not_a_date", "…"), ("not_a_date", "2020年13月")}
    assert "李四" not in str(problems)
    alone, _ = read("house_ledger", ("旧房编号", "村"), ("513431200001010001", "甲"))
    assert alone["house_id"].tolist() == ["513431200001010001"]


def test_personal_numbers_in_any_column_are_blotted_out():
    frame, _ = read("labour", ("安置点", "劳动力人数", "备注"), ("甲安置点", 5, "电话 13800138000"))
    assert frame["remark"].tolist() == ["电话 ***"]


@pytest.mark.parametrize("name", [n for n, form in CATALOG.ledgers.items() if form.form == "table"])
def test_every_ledger_reads_its_own_headings(name):
    form = CATALOG.ledgers[name]
    words = CATALOG.headers[form.section]
    row = {
        field: "200" if field in (*form.numbers, *form.areas) else "2020.1" if field in form.dates else "是" if field in form.flags
        else "甲安置点" if field == form.settlement else f"某{field}"
        for field in words
    }  # fmt: skip
    unit = dict.fromkeys(form.areas, "（亩）") if form.units_needed else {}
    frame, problems = read(
        name, tuple(words[field][0] + unit.get(field, "") for field in words), tuple(row.values())
    )
    assert problems == []
    if form.units_needed:  # without a unit nobody knows
        frame, problems = read(name, tuple(words[field][0] for field in words), tuple(row.values()))
        assert {p.code for p in problems} == {"area_unit_missing"}
        assert frame[list(form.areas)].isna().all(axis=None)
        assert set(frame["unread"][0].split(";")) == {*form.areas, ""}
    assert set(words) - set(form.personal) <= set(frame.columns)
    assert (frame[[*form.numbers, *form.areas]].dtypes == "float64").all()
    if form.settlement:
        assert frame["place_id"].tolist() == ["A1"]


# --- layers -----------------------------------------------------------------------------------------------

SQUARE = shapely.box(102, 28, 102.001, 28.001)


def shapes(*geometry, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(geometry), crs=4326)


def layer(name, frame):
    return forms.read_layer_form(frame, CATALOG.ledgers[name], CATALOG, file="图层.gpkg")


def test_a_land_survey_is_read_with_its_scheme():
    frame, problems = layer(
        "survey", shapes(SQUARE, SQUARE, SQUARE, DLBM=["0702", "0201K", "99"], TBMJ=[1, 2, None], KCXS=[0.1, 0, 0])
    )
    assert frame["land_use"].tolist() == ["construction", "garden", ""]
    assert set(frame["scheme"]) == {"third_survey"}
    assert frame["patch_area"].tolist()[:2] == [1, 2]
    assert told(problems) == [("land_class_unknown", 3, "DLBM", "99")]
    assert frame["row"].tolist() == [1, 2, 3]


def test_shapes_are_checked_and_kept():
    bow = shapely.Polygon([(102, 28), (102.001, 28.001), (102.001, 28), (102, 28.001)])
    frame, problems = layer("redline", shapes(SQUARE, None, bow, shapely.Point(102, 28), 编号=list("abcd")))
    assert [(p.code, p.row) for p in problems] == [("shape_missing", 2), ("shape_crossing", 3), ("shape_kind", 4)]
    assert len(frame) == 4
    assert frame.geometry[2].is_valid
    assert dict(problems[2].params) == {"wanted": "Polygon"}


def test_a_layer_without_attributes_is_a_layer():
    frame, problems = layer("hazards", shapes(SQUARE))
    assert (len(frame), problems) == (1, [])


def test_a_layer_keeps_all_rows_whatever_they_are_called():
    # a feature named as a total is a feature
    frame, problems = layer("redline", shapes(SQUARE, SQUARE, 名称=["合计", ""]))
    assert (len(frame), problems) == (2, [])


def test_villages_make_a_gazetteer():
    frame, _ = layer(
        "villages", shapes(SQUARE, SQUARE, None, XZQDM=["519901100201", "519901100202", "x"], XZQMC=["新村", "老村", "空村"],
                           乡镇=["上坝乡"] * 3, 曾用名=["", "旧村", ""])
    )  # fmt: skip
    found = forms.gazetteer(frame)
    assert found["name"].tolist() == ["新村", "老村", "旧村"]
    assert found["code"].tolist() == ["519901100201", "519901100202", ""]
    area = systems.area_m2(np.array([SQUARE], object))[0]
    assert found["error_m"].tolist() == [pytest.approx(np.sqrt(area / np.pi))] * 3


def test_a_name_of_two_settlements_names_none():
    at = pd.DataFrame(
        {"place_kind": "settlement", "place_name": ["甲", "甲", "乙"], "place_id": ["A1", "A2", "A3"]}
    )
    evened = {"甲": "", "乙": "A3", "a1": "A1", "a2": "A2", "a3": "A3"}
    assert forms.names_of(at) == forms.Names({"A1": "A1", "A2": "A2", "A3": "A3"}, evened)


def test_ids_that_even_out_to_one_are_told_apart_as_they_stand():
    at = pd.DataFrame(
        {"place_kind": "settlement", "place_name": ["甲", "乙", "丙"], "place_id": ["A_1", "a1", "丁"]}
    )
    more = pd.DataFrame({"place_kind": "settlement", "place_name": ["丁"], "place_id": ["A9"]})
    named = forms.names_of(pd.concat([at, more], ignore_index=True))
    heading = ("安置点", "劳动力人数")
    cells = ("A_1", "a1", "A 1", "乙", "丁", "A9", "戊")
    frame, problems = read("labour", heading, *((cell, 3) for cell in cells), settlements=named)
    # the id of one is the name of another; and of two ids only the very letters tell which
    assert frame["place_id"].tolist() == ["A_1", "a1", "", "a1", "", "A9", ""]
    assert [(p.code, p.value) for p in problems] == [
        ("settlement_ambiguous", "A 1"), ("settlement_ambiguous", "丁"), ("settlement_unknown", "戊"),
    ]  # fmt: skip


def test_a_project_of_two_townships_is_told_and_kept_twice():
    rows = [("项目编号", "拆旧面积（㎡）"), ("H1", 120), ("H2", 90)]
    frames = [read("quota_projects", *rows, file=file)[0] for file in ("甲乡.xlsx", "乙乡.xlsx")]
    whole, problems = forms.together(frames, CATALOG.ledgers["quota_projects"])
    assert whole["project_id"].tolist() == ["H1", "H2", "H1@乙乡.xlsx#2", "H2@乙乡.xlsx#3"]
    assert [(p.code, p.file, p.row, p.value) for p in problems] == [
        ("id_repeated", "乙乡.xlsx", 2, "H1"), ("id_repeated", "乙乡.xlsx", 3, "H2"),
    ]  # fmt: skip
    assert forms.together([], CATALOG.ledgers["quota_projects"])[1] == []
    # several rows of one house are households that share it
    houses = [
        read("house_ledger", ("旧房编号", "村"), ("H1", "甲"), file=file)[0] for file in ("甲乡.xlsx", "乙乡.xlsx")
    ]
    assert forms.together(houses, CATALOG.ledgers["house_ledger"])[0]["house_id"].tolist() == ["H1", "H1"]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2020-02-30", None), ("2020.13", None), ("2020", "2020-12-31"), ("20200305", "2020-03-05"), ("202003", "2020-03-31"),
        ("2020-03-05 00:00:00", "2020-03-05"), ("１９９９年", "1999-12-31"), ("", None), ("12.5", None),
    ],
)  # fmt: skip
def test_a_day_is_read_as_people_write_it(cell, day):
    found = parse_date(cell)
    assert (None if found is None else str(found)) == day


def test_a_whole_column_in_mu_is_told_once():
    rows = [(f"J{n}", "0.3") for n in range(30)]
    frame, problems = read("house_ledger", ("旧房编号", "宅基地面积（㎡）"), *rows, ("J99", "180"))
    assert [(p.code, p.severity, dict(p.params)["n"]) for p in problems] == [("area_column_in_mu", "doubt", "30")]
    assert frame["plot_area"].notna().sum() == 1


def test_headings_in_two_rows_are_refused_in_a_sentence():
    title, upper, lower = ("劳动力台账",), ("安置点", "劳动力情况", ""), ("", "劳动力人数", "已就业")
    with pytest.raises(Stop) as stop:
        read("labour", title, upper, lower, ("甲安置点", "5", "3"))
    assert [(p.code, dict(p.params)["rows"]) for p in stop.value.problems] == [("headings_in_two_rows", "2、3")]
    with pytest.raises(Stop):
        read("labour", ("安置点", "劳动力", "", ""), ("", "", "已就业", "培训人次"), ("甲安置点", "5", "3", "1"))
    # a row of headings that a page break repeats is no second row
    frame, _ = read("labour", ("安置点", "劳动力人数"), ("安置点", "劳动力人数"), ("甲安置点", "5"))
    assert frame["labour"].tolist() == [5]


def test_workbooks_with_other_columns_are_one_ledger():
    one, _ = read(
        "house_ledger", ("旧房编号", "是否拆除", "拆除时间", "宅基地面积（㎡）"), ("1", "是", "2020-05-01", 100)
    )
    two, _ = read("house_ledger", ("旧房编号", "保留原因", "复垦类型"), ("2", "文物", "旱地"), file="另一册.xlsx")
    whole, _ = forms.together([one, two], CATALOG.ledgers["house_ledger"])
    assert whole["demolished"].tolist() == [True, pd.NA]
    assert whole["demolish_date"].tolist() == [dt.date(2020, 5, 1), None]
    assert whole["exception"].tolist() == ["", "文物"]
    assert np.isnan(whole["plot_area"][1])
    table, _ = houses(whole, CATALOG)
    assert table["stage"].tolist() == ["demolished", ""]
    assert table["exception"].tolist() == ["", "heritage"]


def test_a_cell_that_nobody_can_read_is_told_apart_from_an_empty_one():
    frame, _ = read(
        "quota_projects",
        ("项目编号", "省内交易面积（亩）", "预留面积（亩）"),
        ("X1", "约三十", ""),
        ("X2", "", "5"),
    )
    assert frame["unread"].tolist() == ["sold_in_province;", ""]
    assert frame["reserved"].tolist()[1] == pytest.approx(5 * 2000 / 3)


def test_a_heading_of_two_fields_leaves_one_to_the_other_column_and_unknown_ones_are_told():
    heading = ("项目编号", "安置用地（亩）", "建新面积（亩）", "备注", "李工填", "空列")
    for order in ((0, 1, 2, 3, 4, 5), (5, 2, 4, 1, 3, 0)):
        rows = [tuple(row[at] for at in order) for row in (heading, ("X1", "3", "8", "无误", "是", ""))]
        frame, problems = read("quota_projects", *rows)
        mu = (frame[["resettlement", "new_use"]] * 3 / 2000).to_numpy()
        assert mu.tolist() == [pytest.approx([3, 8])]
        assert [(p.code, dict(p.params)["names"]) for p in problems] == [("headings_unused", "李工填")]
    alone, _ = read("quota_projects", ("项目编号", "安置用地（亩）"), ("X1", "3"))
    assert alone["new_use"].tolist() == pytest.approx([2000])
