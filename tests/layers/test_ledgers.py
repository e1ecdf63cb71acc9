from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geo import crs
from geo.io import RawTable, read_table
from geo.problems import Stop
from layers import catalog
from layers.ledgers import name_columns, parse_number, positions, unique_ids, without_personal

HEADERS = catalog.load().headers
BOX = (101.0, 27.0, 104.0, 29.0)
SECTIONS = ("settlement", "common")


def ledger(*rows, sections=SECTIONS):
    return name_columns(RawTable("台账.xlsx", "安置点", tuple(rows)), HEADERS, sections=sections)


def located(*rows, crs_name="CGCS2000", box=BOX):
    return positions(ledger(*rows), crs=crs_name, box=box)


def test_the_heading_row_is_found_under_titles():
    found = ledger(
        ("样例县台账", "", ""), ("单位：人",), ("序号", "安置点 名称", "安置人口（人）"), ("1", "新村", "12")
    )
    assert found.frame.columns.tolist() == ["row_number", "name", "pop"]
    assert found.frame.index.tolist() == [4]  # the row a person sees in the file
    assert found.headings["pop"] == "安置人口（人）"


def test_totals_signatures_and_empty_rows_are_left_out_and_counted():
    found = ledger(
        ("安置点名称", "安置人口"), ("新村", "12"), ("", ""), ("小计", "12"), ("旧村", "7"), ("合 计", "19"), ("合计", "19"),
        ("填表人：某", "审核人："),
    )  # fmt: skip
    assert found.frame["name"].tolist() == ["新村", "旧村"]
    assert [(p.code, dict(p.params)["n"]) for p in found.problems] == [("totals_left_out", "4")]


def test_of_two_columns_for_a_field_the_first_is_taken():
    found = ledger(("安置点名称", "人口", "搬迁人口"), ("新村", "12", "13"))
    assert found.frame["pop"].tolist() == ["12"]


def test_what_stands_in_a_cell_of_several_rows_is_said_of_each_and_a_number_of_the_first(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "旧房.xlsx")) as book:
        page = book.add_worksheet()
        page.merge_range("A1:E1", "旧房台账（单位：㎡）")
        for column, heading in ((0, "旧房编号"), (1, "村"), (4, "是否拆除")):
            page.merge_range(1, column, 2, column, heading)
        page.merge_range("C2:D2", "面积")
        page.write_row("C3", ["宅基地面积", "复垦面积"])
        page.merge_range("A4:A5", 17)
        page.merge_range("B4:B7", "甲村")
        page.merge_range("C4:C5", 120)
        for row, cells in enumerate(
            [["", "", "", 60, "是"], ["", "", "", 40, "是"], [18, "", 90, 90, "否"], [], ["合计"]], 3
        ):
            for column, cell in enumerate(cells):
                if cell != "":
                    page.write(row, column, cell)
    found = name_columns(read_table(tmp_path / "旧房.xlsx"), HEADERS, sections=("house", "common"))
    assert found.frame.index.tolist() == [4, 5, 6]  # a row that has only what is joined is none
    assert found.frame["house_id"].tolist() == ["17", "17", "18"]
    assert found.frame["village"].tolist() == ["甲村"] * 3
    assert found.frame["plot_area"].tolist() == ["120", "", "90"]
    assert found.frame["reclaim_area"].tolist() == ["60", "40", "90"]
    assert found.frame["demolished"].tolist() == ["是", "是", "否"]
    assert dict(found.problems[0].params) == {"n": "1", "rows": "8"}


def test_short_rows_are_filled():
    found = ledger(("安置点名称", "安置人口"), ("新村",))
    assert found.frame.loc[2].tolist() == ["新村", ""]


def test_personal_columns_do_not_come_in():
    found = ledger(("安置点名称", "户主姓名", "身份证号", "联系电话"), ("新村", "某", "510000", "130"))
    assert found.frame.columns.tolist() == ["name"]


def test_a_table_without_known_headings_stops():
    with pytest.raises(Stop) as stop:
        ledger(("甲", "乙"), ("1", "2"))
    assert stop.value.problems[0].code == "no_headings"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12),
        ("1,200", 1200),
        ("１２．５", 12.5),
        ("3 200人", 3200),
        ("-7", -7),
        ("1e3", 1000),
        ("28.01°", 28.01),
    ],
)
def test_numbers_as_people_type_them(cell, number):
    assert parse_number(cell) == number


@pytest.mark.parametrize("cell", ["", "/", "—", "无", "NaN", " - "])
def test_nothing_is_nan(cell):
    assert math.isnan(parse_number(cell))


@pytest.mark.parametrize("cell", ["约3", "3-5", "12人3", "abc", "1.2.3", "3个多"])
def test_what_is_no_number_is_none(cell):
    assert parse_number(cell) is None


def test_a_cell_that_is_no_number_is_a_fault_with_its_place():
    numbers, problems = ledger(("安置点名称", "安置人口"), ("甲", "12"), ("乙", "约20")).numbers("pop")
    assert numbers.tolist()[0] == 12
    assert math.isnan(numbers.tolist()[1])
    (problem,) = problems
    assert (problem.code, problem.file, problem.sheet, problem.row, problem.column, problem.value) == (
        "not_a_number", "台账.xlsx", "安置点", 3, "安置人口", "约20",
    )  # fmt: skip


def test_positions_in_degrees():
    lon, lat, problems = located(("名称", "经度", "纬度"), ("甲", "102.84", "28.01"))
    assert (lon.tolist(), lat.tolist(), problems) == ([102.84], [28.01], [])


def test_swapped_positions_are_a_fault_and_not_used():
    lon, _, problems = located(("名称", "经度", "纬度"), ("甲", "102.84", "28.01"), ("乙", "28.01", "102.84"))
    assert np.isnan(lon).tolist() == [False, True]
    assert [(p.code, p.row) for p in problems] == [("position_swapped", 3)]


def test_missing_and_zero_positions_are_told_once():
    rows = [("名称", "经度", "纬度"), ("甲", "", ""), ("乙", "0", "0"), ("丙", "102.8", ""), ("丁", "东边", "28")]
    lon, _, problems = located(*rows)
    assert np.isnan(lon).all()
    assert [(p.code, p.row) for p in problems] == [
        ("not_a_number", 5), ("position_missing", 2), ("position_missing", 3), ("position_missing", 4),
    ]  # fmt: skip


def test_a_declared_shift_is_undone():
    east, north = crs.wgs84_to_gcj02(102.84, 28.01)
    lon, lat, _ = located(
        ("名称", "经度", "纬度"), ("甲", repr(float(east)), repr(float(north))), crs_name="GCJ-02"
    )
    assert lon[0] == pytest.approx(102.84, abs=1e-9)
    assert lat[0] == pytest.approx(28.01, abs=1e-9)


@pytest.mark.parametrize(
    ("heading", "swapped"),
    [
        (("东坐标", "北坐标"), False),
        *(((a, b), s) for a, b in ("XY", "YX", ("横坐标", "纵坐标")) for s in (False, True)),
    ],
)
def test_metres_of_a_zone_in_either_order(heading, swapped):
    east, north = crs.project([102.84], [28.01], CRS.from_epsg(4543))
    pair = (repr(float(east[0])), repr(float(north[0])))
    lon, lat, problems = located(
        ("名称", *heading), ("甲", *(pair[::-1] if swapped else pair)), crs_name="EPSG:4543"
    )
    assert lon[0] == pytest.approx(102.84, abs=1e-8)
    assert lat[0] == pytest.approx(28.01, abs=1e-8)
    if heading[0] != "东坐标":
        assert [p.code for p in problems] == ["xy_order"]
        assert dict(problems[0].params)["east"] == heading[1 if swapped else 0]


def test_metres_without_a_system_stop():
    with pytest.raises(Stop) as stop:
        located(("名称", "东坐标", "北坐标"), ("甲", "580000", "3100000"))
    assert stop.value.problems[0].code == "metres_without_crs"


def test_no_positions_stop():
    with pytest.raises(Stop) as stop:
        located(("安置点名称", "安置人口"), ("甲", "1"))
    assert stop.value.problems[0].code == "no_positions"


@pytest.mark.parametrize(
    "name", ["总数坪安置点", "小计湾", "合计村", "联系电话局安置点", "负责人小区", "制表厂安置点"]
)
def test_a_name_that_begins_like_a_total_is_a_record(name):
    assert ledger(("安置点名称", "安置人口"), (name, "12")).frame["name"].tolist() == [name]


@pytest.mark.parametrize(
    "line", [("合 计", "12"), ("", "总计：", "12"), ("填表人：某", ""), ("审核人", ""), ("安置点名称", "安置人口")]
)
def test_totals_signatures_and_headings_are_no_records(line):
    found = ledger(("安置点名称", "安置人口", ""), ("新村", "12", ""), (*line, "")[:3])
    assert found.frame["name"].tolist() == ["新村"]
    assert [dict(p.params) for p in found.problems] == [{"n": "1", "rows": "3"}]


def test_positions_outside_the_data_are_used_and_told():
    lon, _, problems = located(("名称", "经度", "纬度"), ("甲", "102.84", "28.01"), ("乙", "105.84", "28.01"))
    assert lon.tolist() == [102.84, 105.84]
    assert [(p.code, p.severity, dict(p.params)) for p in problems] == [
        ("position_outside", "doubt", {"n": "1", "rows": "3"})
    ]


def test_a_zone_before_the_easting_is_a_fault_unless_the_system_has_it():
    rows = [("名称", "东坐标", "北坐标"), ("甲", "34582600.5", "3099500.5")]
    lon, _, problems = located(*rows, crs_name="EPSG:4543")
    assert np.isnan(lon[0])
    assert [(p.code, p.row) for p in problems] == [("position_impossible", 2)]
    lon, _, problems = located(*rows, crs_name="EPSG:4522")
    assert lon[0] == pytest.approx(102.84, abs=0.01)
    assert problems == []


def test_ids_stay_unique_whatever_people_gave():
    given = pd.Series(["A1", "A1", "A1#3", "", "510000000001.0"], index=[2, 3, 4, 5, 6], dtype="str")
    ids, repeated = unique_ids(given, otherwise=pd.Series("表:" + given.index.astype("str"), index=given.index))
    assert ids.is_unique
    assert ids.tolist() == ["A1", "A1#3", "A1#3#", "表:5", "510000000001"]
    assert repeated.tolist() == [False, True, False, False, False]


@given(st.lists(st.sampled_from(["A", "A#1", "A#2", "A#", "", "A#1#"]), max_size=6))
def test_ids_are_always_unique(given_ids):
    given_ = pd.Series(given_ids, dtype="str")
    ids, _ = unique_ids(given_, otherwise=given_.index.astype("str").to_series(index=given_.index))
    assert ids.is_unique
    assert len(ids) == len(given_ids)


def test_id_and_mobile_numbers_stop_at_the_door():
    found = ledger(
        ("安置点名称", "安置人口"), ("新村 13800138000", "12"), ("11010519491231002X", "约3人 13912345678")
    )
    assert found.frame["name"].tolist() == ["新村 ***", "***"]
    _, problems = found.numbers("pop")
    assert [p.value for p in problems] == ["约3人 ***"]


@pytest.mark.parametrize(
    "code", ["513431200001010001", "110105194912310021", "102.84123456789", "513431001001", "91510000000000000X"]
)
def test_codes_that_are_nobodys_number_are_kept(code):
    assert without_personal(code) == code


def test_only_what_is_inside_when_exchanged_is_called_exchanged():
    rows = [
        ("名称", "经度", "纬度"),
        ("甲", "28.01", "102.84"),
        ("乙", "200", "28.05"),
        ("丙", "102.7", "128.05"),
        ("丁", "582600", "3099500"),
    ]
    lon, _, problems = located(*rows)
    assert np.isnan(lon).all()
    assert [(p.code, p.row) for p in problems] == [
        ("position_swapped", 2), ("position_impossible", 3), ("position_impossible", 4), ("position_impossible", 5),
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["1e400", "-1e999"])
def test_a_number_without_end_is_none(cell):
    assert parse_number(cell) is None


@pytest.mark.parametrize(
    "text",
    [
        "+8613800138000",
        "8613800138000",
        "138-0013-8000",
        "138 0013 8000",
        "１３８００１３８０００",
        "110105 19491231 002X",
    ],
)
def test_a_number_of_a_person_is_blotted_out_however_it_is_written(text):
    assert without_personal(text) == "***"
    assert without_personal(f"张某 {text}") == "张某 ***"


def test_headings_that_a_shapefile_cut_are_known_if_they_are_of_one_field():
    known = catalog.load().headers

    def fields(*heads, is_layer=True):
        raw = RawTable("旧宅.shp", "", (heads, ("1",) * len(heads)), is_layer=is_layer)
        return set(name_columns(raw, known, sections=("plot", "common")).headings.items())

    assert fields("旧房编", "村") == {("house_id", "旧房编"), ("village", "村")}
    # the number or the area: nobody knows
    assert fields("宅基地", "村") == {("village", "村")}
    # a workbook cuts nothing
    assert fields("旧房编", "村", "乡镇", is_layer=False) == {("village", "村"), ("town", "乡镇")}
