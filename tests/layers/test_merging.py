"""One facility of several sources is one, and what does not operate on the day is none."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import crs as systems
from geo.io import RawTable
from geo.problems import Stop
from layers import catalog, facilities

CATALOG = catalog.load()
BOX = (101.0, 27.0, 104.0, 29.0)
LON, LAT = 102.8, 28.0


def ledger(*rows, file="甲.csv", category="primary_school", heading=None, **more):
    heading = heading or ("学校标识码", "学校名称", "核定学位", "经度", "纬度")
    raw = RawTable(file, "", (heading, *(tuple(str(cell) for cell in row) for row in rows)))
    return facilities.from_table(raw, CATALOG, crs="CGCS2000", box=BOX, category=category, **more)


def north(metres: float) -> float:
    """A latitude so many metres north of ``LAT``."""
    one = float(systems.geodesic_m([LON], [LAT], [LON], [LAT + 0.001])[0])
    return LAT + 0.001 * metres / one


def merge(*parts):
    return facilities.merged([frame for frame, _ in parts])


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


def test_a_code_makes_two_rows_one_wherever_they_stand():
    whole, problems = merge(
        ledger(("5101", "第一小学", 400, LON, LAT)), ledger(("5101", "一小", "", LON + 0.1, LAT), file="乙.csv")
    )
    assert whole["facility_id"].tolist() == ["5101"]
    assert (whole.loc[0, "lon"], whole.loc[0, "capacity"], whole.loc[0, "merged_n"]) == (LON, 400, 2)
    assert codes(problems) == ["facility_merged"]
    assert problems[0].file == "乙.csv"


@pytest.mark.parametrize(("metres", "n"), [(0, 1), (149.99, 1), (150.01, 2), (151, 2)])
def test_a_name_makes_two_rows_one_within_150_metres(metres, n):
    whole, _ = merge(
        ledger(("", "第一小学", 400, LON, LAT)), ledger(("", "第一小学", "", LON, north(metres)), file="乙.csv")
    )
    assert len(whole) == n


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [
        ("上坝乡第一小学", "第一小学", 1),
        ("第一小学", "第二小学", 2),
        ("小学", "第一小学", 2),
        ("第一 小学", "第一小学", 1),
        ("", "", 2),
    ],
)
def test_a_name_may_have_its_town_before_it(one, other, n):
    whole, _ = merge(ledger(("", one, "", LON, LAT)), ledger(("", other, "", LON, LAT), file="乙.csv"))
    assert len(whole) == n


def test_another_category_is_another_facility():
    whole, _ = merge(
        ledger(("N1", "九年制学校", 400, LON, LAT)),
        ledger(("N1", "九年制学校", 300, LON, LAT), file="乙.csv", category="junior_middle_school"),
    )
    # one school of two kinds keeps its one id
    assert whole["facility_id"].tolist() == ["N1", "N1"]
    assert whole["capacity"].tolist() == [400, 300]


def test_two_codes_of_one_file_stay_two_and_those_of_two_registers_may_be_one():
    whole, _ = merge(ledger(("A", "第一小学", "", LON, LAT), ("B", "第一小学", "", LON, LAT)))
    assert len(whole) == 2
    whole, _ = merge(
        ledger(("A", "第一小学", "", LON, LAT)), ledger(("B07", "第一小学", "", LON, LAT), file="乙.csv")
    )
    assert whole["facility_id"].tolist() == ["A"]


def test_a_row_typed_twice_is_counted_once_and_told():
    whole, problems = merge(ledger(("", "第一小学", "", LON, LAT), ("", "第一小学", "", LON, north(20))))
    assert len(whole) == 1
    assert [(p.code, p.row, dict(p.params)["other"]) for p in problems] == [("facility_twice", 3, "2")]


def test_two_capacities_are_told_and_the_coded_one_is_kept():
    whole, problems = merge(
        ledger(("", "第一小学", 450, LON, LAT), file="乙.csv"), ledger(("5101", "第一小学", 400, LON, LAT))
    )
    assert whole["capacity"].tolist() == [400]
    told = next(p for p in problems if p.code == "capacity_differs")
    assert (told.file, dict(told.params)) == (
        "乙.csv",
        {"file": "甲.csv", "kept": "400", "name": "第一小学", "other": "450"},
    )


def test_what_one_file_lacks_is_taken_from_the_other():
    whole, _ = merge(
        ledger(("5101", "第一小学", "", "", "")), ledger(("5101", "一小", 380, LON, LAT), file="乙.csv")
    )
    row = whole.loc[0]
    assert (row["lon"], row["lat"], row["capacity"], row["facility_name"]) == (LON, LAT, 380, "第一小学")


def test_one_that_a_file_says_is_closed_is_closed():
    heading = ("学校标识码", "学校名称", "办学状态", "经度", "纬度")
    whole, _ = merge(
        ledger(("5101", "第一小学", "", LON, LAT)),
        ledger(("5101", "一小", "停办", LON, LAT), file="乙.csv", heading=heading),
    )
    assert whole["operating"].tolist() == [False]
    assert whole["why_not"].tolist() == ["停办"]


@given(st.permutations(range(5)), st.lists(st.integers(0, 60), min_size=5, max_size=5))
def test_the_order_of_sources_changes_no_count_and_no_chain_is_one(order, places):
    metres = 7.0 * np.array(places)  # none is 150 m from another
    parts = [ledger((f"N{n}", "第一小学", "", LON, north(m)), file=f"{n}.csv") for n, m in enumerate(metres)]
    one, two = merge(*parts)[0], merge(*(parts[n] for n in order))[0]
    groups = [{int(name[1]) for name in ids.split(";")} for ids in one["merged_ids"]]
    assert {frozenset(group) for group in groups} == {
        frozenset(int(name[1]) for name in ids.split(";")) for ids in two["merged_ids"]
    }
    assert sorted(n for group in groups for n in group) == [0, 1, 2, 3, 4]

    def span(group):
        return np.ptp(metres[list(group)])

    assert all(span(group) < 150 for group in groups)
    # and no two that could be one are left
    assert all(span(a | b) > 150 for number, a in enumerate(groups) for b in groups[:number])


def test_a_third_row_joins_no_two_codes_of_one_file():
    whole, _ = merge(
        ledger(("A", "第一小学", "", LON, north(0)), ("B", "第一小学", "", LON, north(100))),
        ledger(("", "第一小学", "", LON, north(40)), file="乙.csv"),
    )
    assert whole["facility_id"].tolist() == ["A", "B"]
    assert whole["merged_n"].tolist() == [2, 1]  # with the nearer


def test_two_names_of_two_towns_are_not_joined_by_a_third_without_one():
    whole, _ = merge(
        ledger(("", "上坝乡第一小学", "", LON, LAT), ("", "下坝乡第一小学", "", LON, north(100))),
        ledger(("", "第一小学", "", LON, north(60)), file="乙.csv"),
    )
    assert whole["facility_name"].tolist() == ["上坝乡第一小学", "下坝乡第一小学"]
    assert whole["merged_n"].tolist() == [1, 2]


def test_a_code_typed_twice_for_one_facility_still_joins_and_one_of_two_facilities_does_not():
    rows = ("5101", "第一小学", "", LON, LAT), ("5101", "第一小学", "", LON, north(10))
    whole, _ = merge(ledger(*rows), ledger(("5101", "一小", 380, LON, north(900)), file="乙.csv"))
    assert (len(whole), whole.loc[0, "merged_n"], whole.loc[0, "capacity"]) == (1, 3, 380)
    rows = ("5101", "第一小学", "", LON, LAT), ("5101", "第二小学", "", LON, north(10))
    whole, _ = merge(ledger(*rows), ledger(("5101", "一小", 380, LON, north(900)), file="乙.csv"))
    assert whole["merged_n"].tolist() == [1, 1, 1]


@given(st.permutations([(0, 300), (20, 400), (55, "")]))
def test_the_order_of_rows_does_not_say_where_a_duplicate_stands(rows):
    whole, _ = merge(ledger(*(("", "第一小学", seats, LON, north(m)) for m, seats in rows)))
    assert whole[["lat", "capacity"]].to_numpy().tolist() == [[north(0), 300]]


def test_a_row_without_a_name_takes_that_of_the_other():
    whole, _ = merge(ledger(("5101", "", "", LON, LAT)), ledger(("5101", "第一小学", "", "", ""), file="乙.csv"))
    assert whole[["facility_id", "facility_name", "lon"]].to_numpy().tolist() == [["5101", "第一小学", LON]]


def test_one_id_at_two_places_is_two_facilities_and_at_one_place_two_kinds():
    far, near = (
        merge(
            ledger(("5101", "第一小学", "", LON, LAT)),
            ledger(("5101", "第一小学", "", LON, north(m)), file="乙.csv", category="junior_middle_school"),
        )
        for m in (400, 100)
    )
    assert far[0]["facility_id"].tolist() == ["5101", "5101@乙.csv#2"]
    assert codes(far[1]) == ["id_in_two_sources"]
    assert near[0]["facility_id"].tolist() == ["5101", "5101"]
    assert near[0]["lat"].tolist() == [LAT, LAT]
    assert near[1] == []


@pytest.mark.parametrize(("metres", "n"), [(150.0, 1), (np.nextafter(150.0, 151), 2)])
def test_the_rim_of_150_metres_belongs_to_one_facility(monkeypatch, metres, n):
    parts = ledger(("", "第一小学", "", LON, LAT)), ledger(("", "第一小学", "", LON, north(140)), file="乙.csv")
    monkeypatch.setattr(systems, "geodesic_m", lambda lon, *_: np.full(len(lon), metres))
    assert len(merge(*parts)[0]) == n


def test_nothing_given_is_changed_and_nothing_gives_nothing():
    frame, _ = ledger(("5101", "第一小学", 400, LON, LAT))
    before = frame.copy()
    facilities.merged([frame, frame.assign(file="乙.csv")])
    pd.testing.assert_frame_equal(frame, before)
    assert facilities.merged([])[0].columns.tolist() == list(facilities.COLUMNS)


# --- operating on a day -----------------------------------------------------------------------------------

DAY = dt.date(2026, 6, 30)
HEADING = ("设施编号", "设施名称", "状态", "建成时间", "停用时间", "经度", "纬度")


@pytest.mark.parametrize(
    ("status", "built", "closed", "operating"),
    [
        ("", "", "", True), ("正常", "2019.5", "", True), ("在建", "", "", False), ("未运营", "", "", False), ("否", "", "", False),
        ("", "2026-06-30", "", True), ("", "2026-07-01", "", False), ("", "2027", "", False), ("正常", "2026年", "", False),
        ("", "", "2026-06-30", False), ("", "", "2026-07-01", True), ("看情况", "", "", True), ("闲置", "2010", "", False),
    ],
)  # fmt: skip
def test_a_facility_operates_on_the_day_or_it_does_not(status, built, closed, operating):
    row = ("F1", "甲", status, built, closed, LON, LAT)
    frame, problems = ledger(row, heading=HEADING, category="cultural_room", as_of=DAY)
    assert frame["operating"].tolist() == [operating]
    assert ("not_operating" in codes(problems)) == (not operating)
    assert ("status_unknown" in codes(problems)) == (status == "看情况")


def test_without_a_day_only_the_status_speaks():
    frame, _ = ledger(("F1", "甲", "", "2999", "", LON, LAT), heading=HEADING, category="cultural_room")
    assert frame["operating"].all()


def test_a_date_that_is_none_is_a_fault_of_its_cell():
    frame, problems = ledger(
        ("F1", "甲", "", "去年", "", LON, LAT), heading=HEADING, category="cultural_room", as_of=DAY
    )
    assert frame["operating"].all()
    assert [(p.code, p.column, p.value) for p in problems] == [("not_a_date", "建成时间", "去年")]


# --- a map provider's table -------------------------------------------------------------------------------


def provider(*rows):
    heading = ("poi_id", "名称", "typecode", "经度", "纬度")
    return ledger(*(("B1", *row, LON, LAT) for row in rows), heading=heading, category=None, code="amap")


@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("上坝村卫生室", "090300", ["village_clinic"]), ("幸福社区卫生服务站", "090300", ["community_health_station"]),
        ("城关镇卫生院", "090102", ["township_hospital"]), ("康民药房", "090601", ["pharmacy"]),
        ("加油站", "010100", [""]), ("某某疗养院", "080402", [""]), ("红旗敬老院", "080402", ["elderly_home"]),
        ("老面馆", "050300|050100", ["breakfast_shop", "restaurant"]), ("城关一小（小学部）", "141203", ["primary_school"]),
    ],
)  # fmt: skip
def test_a_type_code_and_a_name_sort_a_row(name, code, found):
    frame, problems = provider((name, code))
    assert frame["category"].tolist() == found
    assert ("amap_unsorted" in codes(problems)) == (found == [""])


def test_a_provider_without_type_codes_stops():
    with pytest.raises(Stop) as stop:
        ledger(("甲", LON, LAT), heading=("名称", "经度", "纬度"), category=None, code="amap")
    assert dict(stop.value.problems[0].params) == {"wanted": "typecode"}


@pytest.mark.parametrize(
    "status",
    [
        "暂停营业",
        "停止运营",
        "不开放",
        "尚未正式运营",
        "非运营",
        "待投用",
        "即将开放",
        "已停止办学",
        "建设中",
        "已关停",
        "废弃",
    ],
)
def test_a_yes_within_a_no_is_a_no(status):
    frame, _ = ledger(("F1", "甲", status, "", "", LON, LAT), heading=HEADING, category="cultural_room")
    assert frame["operating"].tolist() == [False]


def test_what_was_blotted_out_is_no_code():
    whole, _ = merge(
        ledger(("13000000001", "甲小学", "", LON, LAT)),
        ledger(("13000000002", "乙小学", "", LON, north(700)), file="乙.csv"),
    )
    assert len(whole) == 2
