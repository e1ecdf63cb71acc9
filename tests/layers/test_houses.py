"""Old houses of a ledger: households that share one, stages, exceptions, keys, and whose plot is whose."""

from __future__ import annotations

import datetime as dt
import tracemalloc

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from analysis.demolition import judged
from geo.io import RawTable
from layers import forms
from layers.homesteads import plots as read_plots
from layers.houses import by_number, grade_of, houses, key_maker, match, with_towns
from layers.ledgers import village_core
from tests.flatland import CATALOG

FORM = CATALOG.ledgers["house_ledger"]
HEADING = ("旧房编号", "身份证号", "村", "宅基地面积（㎡）", "是否拆除", "是否复垦", "是否验收", "是否变更", "保留原因", "批准文号",
           "增减挂钩项目", "拆除时间")  # fmt: skip
PERSON, OTHER = "11010519491231002X", "110105194912310038"
KEY = key_maker(b"secret of a test")


def ledger(*rows, heading=HEADING, file="旧房.xlsx"):
    raw = RawTable(file, "旧房", (heading, *(tuple(str(cell) for cell in row) for row in rows)))
    frame, problems = forms.read_table_form(raw, FORM, CATALOG, settlements=forms.Names({}, {}), key_of=KEY)
    assert not [p for p in problems if p.severity == "stop"]
    return frame


def test_households_that_share_a_house_are_one_house():
    frame = ledger(
        ("J1", PERSON, "甲村", 120, "是", "是", "是", "", "", "", "一区", "2020-03-01"),
        ("J1", OTHER, "甲村", 120, "是", "是", "否", "", "", "", "一区", "2020-05-01"),
        ("J2", PERSON, "甲村", 80, "否", "", "", "", "", "", "一区", ""),
        ("J2", PERSON, "甲村", 80, "否", "", "", "", "", "", "一区", ""),
        ("", "", "乙村", "", "", "", "", "", "", "", "", ""),
    )  # fmt: skip
    table, problems = houses(frame, CATALOG)
    assert table["house_id"].tolist() == ["J1", "J2", "旧房.xlsx#6"]
    assert table["households_n"].tolist() == [2, 1, 1]
    assert table["plot_area"].tolist()[:2] == [120, 80]
    assert table["stage"].tolist() == ["reclaimed", "standing", ""]  # the earliest; nothing said
    assert table["demolish_date"].tolist() == [dt.date(2020, 5, 1), None, None]
    assert [(p.code, p.row or dict(p.params)["n"]) for p in problems] == [
        ("household_in_houses", "1"), ("household_twice", 5), ("house_rows_differ", 2), ("house_shared", "1"),
    ]  # fmt: skip
    assert PERSON not in table.to_json(force_ascii=False, date_format="iso")


def test_who_leaves_a_cell_empty_or_has_no_house_does_not_speak_for_the_others():
    frame = ledger(
        ("J1", PERSON, "有", "是", "是", ""), ("J1", OTHER, "", "", "", ""), ("J2", PERSON, "有", "否", "", ""),
        ("J2", OTHER, "无", "", "", "无旧房"), ("J3", PERSON, "无", "", "", ""), ("J3", OTHER, "", "", "", "无旧房"),
        heading=("旧房编号", "身份证号", "有无旧房", "是否拆除", "是否复垦", "保留原因"),
    )  # fmt: skip
    table, problems = houses(frame, CATALOG)
    assert table["stage"].tolist() == ["reclaimed", "standing", ""]
    assert table["exception"].tolist() == ["", "", "none"]
    assert table["old_house"].tolist() == [True, True, False]
    assert table["households_n"].tolist() == [2, 1, 2]  # who has no house is none of its households
    assert [(p.code, p.row) for p in problems if p.code.startswith("house_rows")] == [("house_rows_differ", 4)]
    judged_, _ = judged(table, CATALOG, as_of=None)
    assert judged_["should_demolish"].tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("cells", "stage"),
    [(("否", "", "", ""), "standing"), (("是", "", "", ""), "demolished"), (("是", "是", "", ""), "reclaimed"),
     (("是", "是", "是", ""), "accepted"), (("是", "是", "是", "2023"), "changed"), (("", "", "", ""), ""),
     (("否", "是", "是", ""), "standing"), (("是", "是", "否", "否"), "reclaimed"), (("是", "是", "否", "2023"), "reclaimed"),
     (("是", "是", "是", "否"), "accepted")],
)  # fmt: skip
def test_a_stage_is_the_last_thing_that_happened(cells, stage):
    table, problems = houses(ledger(("J1", "", "甲", 100, *cells, "", "", "", "")), CATALOG)
    assert table["stage"].tolist() == [stage]
    broken = (cells[0] == "否" and cells[1] == "是") or (cells[2] == "否" and cells[3] == "2023")
    assert ("stage_order" in {p.code for p in problems}) == broken


@pytest.mark.parametrize(("words", "exception", "known"), [
    ("保留生产用房", "production", True), ("两户连体房", "joined", True), ("传统村落", "heritage", True), ("无旧房", "none", True),
    ("", "", True), ("否", "", True), ("是", "production", True), ("户主不同意", "", False), ("不属于传统村落", "", False),
    ("户主在外养殖未回", "", False), ("连片拆除", "", False),
])  # fmt: skip
def test_a_reason_to_stay_is_read_from_its_words(words, exception, known):
    table, problems = houses(ledger(("J1", "", "甲", 100, "否", "", "", "", words, "", "", "")), CATALOG)
    assert table["exception"].tolist() == [exception]
    assert table["exception_known"].tolist() == [known]
    assert ("exception_unknown" in {p.code for p in problems}) == (not known)


def test_a_key_tells_households_apart_and_nothing_else():
    assert KEY(PERSON) == KEY("110105 19491231 002x") == KEY("１１０１０５１９４９１２３１００２Ｘ")
    assert KEY(PERSON) != KEY(OTHER)
    assert KEY(PERSON) != key_maker(b"another")(PERSON)
    assert KEY("") == KEY("无") == KEY("******************") == KEY("110105********002X") == ""
    assert len(KEY(PERSON)) == 20


def plots(*shapes, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)
    return read_plots(frame, CATALOG, file="旧宅.shp", key_of=KEY)[0]


def box(n):
    return shapely.box(102 + n / 1000, 28, 102.0001 + n / 1000, 28.0001)


def test_plots_and_houses_match_by_number_then_household_then_position_then_area():
    given_ = plots(*(box(n) for n in range(6)), 旧房编号=["J1", "", "", "", "J9", "J1"], 身份证号=["", PERSON, "", "", "", ""],
                   村=["甲村"] * 6)  # fmt: skip
    heading = ("旧房编号", "身份证号", "村", "宅基地面积（㎡）", "经度", "纬度")
    frame = ledger(
        ("J1", "", "甲村", 100, "", ""), ("J2", PERSON, "甲村", 100, "", ""),
        ("J3", "", "甲 村", 100, 102.00205, 28.00005), ("J4", "", "甲村", 141, "", ""), ("J5", "", "丙村", 140, "", ""),
        heading=heading,
    )  # fmt: skip
    table, _ = houses(frame, CATALOG)
    matched = match(given_, table, area_m2=np.array([100.0, 100, 100, 140, 90, 100]))
    assert matched.to_dict("list") == {
        "plot": [0, 1, 2, 3, 5], "house": [0, 1, 2, 3, 0],
        "matched_by": ["house_id", "household", "position", "area", "house_id"],
    }  # fmt: skip


def test_a_position_in_a_plot_of_another_village_may_be_of_another_datum():
    heading = ("旧房编号", "村", "宅基地面积（㎡）", "经度", "纬度")
    for village, n in (("甲村", 1), ("", 1), ("乙村", 0)):
        table, _ = houses(ledger(("J1", village, 100, 102.00005, 28.00005), heading=heading), CATALOG)
        assert len(match(plots(box(0), 村=["甲村"]), table, area_m2=np.array([140.0]))) == n


def test_what_could_be_two_is_matched_with_neither():
    given_ = plots(box(0), box(1), 村=["甲村", "甲村"])
    table, _ = houses(ledger(("J1", "", "甲村", 100, *[""] * 8)), CATALOG)
    assert len(match(given_, table, area_m2=np.array([100.0, 101.0]))) == 0
    assert match(given_, table, area_m2=np.array([100.0, 103.0]))["plot"].tolist() == [0]
    two = plots(box(0), 身份证号=[PERSON])
    table, _ = houses(ledger(("J1", PERSON, *[""] * 10), ("J2", PERSON, *[""] * 10)), CATALOG)
    assert len(match(two, table, area_m2=np.array([100.0]))) == 0


@given(st.lists(st.tuples(st.sampled_from(["J1", "J2", ""]), st.sampled_from([PERSON, OTHER, ""]),
                          st.sampled_from(["是", "否", ""])), max_size=8))  # fmt: skip
def test_no_row_vanishes_whatever_a_ledger_says(rows):
    frame = ledger(*((house, person, "甲", 90, done, *[""] * 7) for house, person, done in rows))
    table, problems = houses(frame, CATALOG)
    twice = sum(p.code == "household_twice" for p in problems)
    assert table["households_n"].sum() + twice == len(rows) if len(rows) else len(table) == 0
    assert table["house_id"].is_unique
    again, _ = houses(frame.iloc[::-1].reset_index(drop=True), CATALOG)
    columns = ["house_id", "households_n", "stage"]
    pd.testing.assert_frame_equal(
        *(t[columns].sort_values("house_id", ignore_index=True) for t in (table, again)), check_dtype=False
    )


def test_ids_are_not_evened_out_like_headings():
    given_ = plots(*(box(n) for n in range(4)), 旧房编号=["12(东)", "12(西)", "1_12", 3.0])
    heading = ("旧房编号", "村")
    table, _ = houses(
        ledger(*((name, "甲") for name in ("12(西)", "12(东)", "11_2", "3")), heading=heading), CATALOG
    )
    matched = match(given_, table, area_m2=np.full(4, 100.0))
    assert matched[["plot", "house"]].to_numpy().tolist() == [[0, 1], [1, 0], [3, 3]]


def test_a_house_of_two_projects_and_an_approval_that_is_none_are_told():
    cells = ["甲", 100, "是", "是", "是", ""]
    table, _ = houses(ledger(("J1", PERSON, *cells, "", "", "P1", ""), ("J1", OTHER, *cells, "", "", "P2", ""),
                             ("J2", "", *cells, "保留生产用房", "暂无", "P1", "")), CATALOG)  # fmt: skip
    assert table["project_twice"].tolist() == [True, False]
    assert table["approval"].tolist() == ["", ""]


def test_one_number_in_two_villages_is_two_houses():
    heading = ("旧房编号", "乡镇", "村", "是否拆除")
    table, problems = houses(ledger(("1", "乙镇", "乙村", "是"), ("1", "丙镇", "甲村", "否"), ("2", "乙镇", "乙村", "否"),
                                    ("1", "", "", ""), heading=heading), CATALOG)  # fmt: skip
    assert table["house_id"].tolist() == ["1@乙镇乙村", "1@丙镇甲村", "2", "1"]
    assert table["stage"].tolist() == ["demolished", "standing", "standing", ""]
    assert [p.code for p in problems] == ["house_number_in_villages"]


def test_a_plot_that_could_be_of_two_houses_is_of_none():
    # a house of two households, and a plot of each: which is whose is not told
    given_ = plots(box(0), box(1), 身份证号=[PERSON, OTHER])
    table, _ = houses(ledger(("J1", PERSON, *[""] * 10), ("J1", OTHER, *[""] * 10)), CATALOG)
    assert len(match(given_, table, area_m2=np.array([100.0, 100.0]))) == 0
    # two groups with a plot as large each, and a house that names no group
    given_ = plots(box(0), box(1), 村=["甲村", "甲村"], 组=["一组", "二组"])
    table, _ = houses(ledger(("J1", "", "甲村", 120.5, *[""] * 8)), CATALOG)
    assert len(match(given_, table, area_m2=np.array([120.5, 120.5]))) == 0


def test_a_number_of_several_villages_belongs_to_the_plot_of_its_village():
    heading = ("旧房编号", "乡镇", "村", "是否拆除")
    table, _ = houses(ledger(("1", "乙镇", "甲村", "是"), ("1", "丙镇", "乙村", "否"), heading=heading), CATALOG)
    matched = match(plots(box(0), box(1), box(2), 旧房编号=["1", "1", "1"], 村=["乙村", "甲村", ""]), table,
                    area_m2=np.full(3, 100.0))  # fmt: skip
    assert matched[["plot", "house"]].to_numpy().tolist() == [[0, 1], [1, 0]]


def test_workbooks_that_number_from_one_have_houses_of_their_own():
    heading = ("旧房编号", "是否拆除")
    both = pd.concat([ledger(("1", "是"), ("2", "否"), heading=heading, file=f"{name}.xlsx") for name in "甲乙"],
                     ignore_index=True)  # fmt: skip
    table, problems = houses(both, CATALOG)
    assert table["house_id"].tolist() == ["1@甲.xlsx", "2@甲.xlsx", "1@乙.xlsx", "2@乙.xlsx"]
    assert [p.code for p in problems] == ["house_number_in_villages"] * 2


def test_a_number_is_one_however_rows_write_it_and_an_id_number_is_none():
    heading = ("旧房编号", "村", "是否拆除")
    rows = [("J01", "甲村", "是"), ("ｊ01", "甲村", "是"), ("12", "甲村", "否"), ("12.0", "甲村", "否"),
            (PERSON, "甲村", "否"), (OTHER, "甲村", "否")]  # fmt: skip
    table, problems = houses(ledger(*rows, heading=heading), CATALOG)
    assert table["house_id"].tolist() == ["J01", "12", "旧房.xlsx#6", "旧房.xlsx#7"]
    assert table["households_n"].tolist() == [2, 2, 1, 1]
    assert [p.row for p in problems if p.code == "id_is_personal"] == [6, 7]
    matched = match(plots(box(0), 旧房编号=["j01"]), table, area_m2=np.array([100.0]))
    assert matched["house"].tolist() == [0]


def test_what_is_dated_after_the_day_has_not_happened():
    heading = ("旧房编号", "是否拆除", "拆除时间", "是否复垦", "是否验收", "验收时间")
    frame = ledger(("1", "是", "2027-01-01", "是", "是", "2027-06-01"), ("2", "是", "2025-01-01", "是", "是", "2027-06-01"),
                   ("3", "", "2026-06-30", "", "", ""), heading=heading)  # fmt: skip
    table, problems = houses(frame, CATALOG, as_of=dt.date(2026, 6, 30))
    assert table["stage"].tolist() == ["standing", "reclaimed", "demolished"]
    assert [(p.code, dict(p.params)["rows"]) for p in problems] == [("date_to_come", "2、3")]
    assert houses(frame, CATALOG)[0]["stage"].tolist() == ["accepted", "accepted", "demolished"]


@pytest.mark.parametrize("word", ["是", "有", "已批", "暂无", "待补", "—"])
def test_what_holds_no_figure_is_no_number_of_an_approval(word):
    table, _ = houses(ledger(("1", "保留生产用房", word), heading=("旧房编号", "保留原因", "批准文号")), CATALOG)
    assert table["approval"].tolist() == [""]
    found, problems = judged(table, CATALOG, as_of=None)
    assert found["should_demolish"].tolist() == [True]
    assert problems[0].code == "retained_without_approval"


def test_one_heading_for_registered_and_certified_speaks_of_both_and_an_odd_word_is_told():
    heading = ("旧房编号", "确权颁证情况", "县级自验", "是否变更")
    frame = ledger(("1", "是", "", ""), ("2", "否", "户主李四妹正在办", "2023"), heading=heading)
    table, problems = houses(frame, CATALOG)
    told = [(p.code, p.value) for p in problems]
    assert table["registered"].tolist() == table["certified"].tolist() == [True, False]
    # certified, and nobody says whether it was accepted
    assert told == [("not_yes_or_no", "…"), ("accepted_unsaid", "")]


def test_a_reason_to_stay_that_is_not_known_is_told_without_its_words():
    frame = ledger(("1", "户主李四妹不同意"), heading=("旧房编号", "保留原因"))
    _, problems = houses(frame, CATALOG)
    assert [(p.code, p.value) for p in problems] == [("exception_unknown", "")]


def numbered(n, village, **columns):
    return plots(*(box(i) for i in range(n)), 旧房编号=[str(i + 1) for i in range(n)], 村=village, **columns)


def test_a_plot_does_not_take_the_only_house_of_its_number_from_another_village():
    heading = ("旧房编号", "村")
    table, _ = houses(ledger(("1", "乙村"), ("2", "甲村"), ("3", ""), heading=heading), CATALOG)
    own = by_number(numbered(3, ["甲村", "甲村委会", "甲村"]), table)
    assert own.to_numpy().tolist() == [[1, 1], [2, 2]]
    # where most villages differ the files call them otherwise
    many = ledger(*((str(i + 1), f"第{i}村") for i in range(30)), heading=heading)
    assert len(by_number(numbered(30, [f"{i}号" for i in range(30)]), houses(many, CATALOG)[0])) == 30


@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["甲村", "甲村委会", "乙村", ""])), max_size=6),
       st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["甲村", "乙", "丙村", ""])), min_size=1, max_size=6))  # fmt: skip
def test_no_plot_is_matched_with_a_house_of_another_village(rows, own):
    table, _ = houses(ledger(*rows, heading=("旧房编号", "村")), CATALOG)
    given_ = plots(
        *(box(n) for n in range(len(own))),
        旧房编号=[number for number, _ in own],
        村=[village for _, village in own],
    )
    pairs = by_number(given_, table) if len(table) else pd.DataFrame({"plot": [], "house": []})
    for plot, house in pairs.itertuples(index=False):
        one, other = given_["village"].iloc[plot], table["village"].iloc[house]
        assert not one or not other or village_core(one) == village_core(other)
        assert table["ledger_id"].iloc[house] == given_["house_id"].iloc[plot]
    assert pairs["plot"].is_unique


def test_two_villages_of_one_name_are_told_apart_by_their_towns():
    heading = ("旧房编号", "乡镇", "村")
    table, _ = houses(ledger(("1", "东镇", "上坡村"), ("1", "西乡", "上坡村"), heading=heading), CATALOG)
    one = numbered(1, ["上坡"], 乡镇=["西乡"])
    assert by_number(one, table)["house"].tolist() == [1]
    lone = numbered(1, ["上坡"])
    assert len(by_number(lone, table)) == 0  # it may be either's
    assert by_number(lone.assign(ground_town="西乡"), table)["house"].tolist() == [1]
    two = pd.concat([lone.assign(ground_town="东镇"), lone.assign(ground_town="西乡")], ignore_index=True)
    assert by_number(two, table.iloc[1:].reset_index(drop=True))["plot"].tolist() == [1]
    # a plot of one village on the ground of another of its name is still that of its number
    assert by_number(lone.assign(ground_town="南镇"), table.iloc[:1])["house"].tolist() == [0]


def test_seventy_thousand_numbers_that_start_again_in_each_village_need_no_memory_of_all_pairs():
    villages, each = 740, 100
    name = np.repeat([f"第{i}村" for i in range(villages)], each)
    number = np.tile([str(i + 1) for i in range(each)], villages)
    table = pd.DataFrame({"ledger_id": number, "house_id": number, "town": "", "village": name})
    given_ = gpd.GeoDataFrame({"house_id": number, "town": "", "village": name}, geometry=[None] * len(name))
    tracemalloc.start()
    pairs = by_number(given_, table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (pairs["plot"] == pairs["house"]).all()
    assert len(pairs) == len(name)
    assert peak < 400e6  # all pairs of a number would be 55 million rows


def test_rows_of_one_village_in_two_workbooks_are_one_house_unless_something_tells_them_apart():
    heading = ("旧房编号", "身份证号", "村", "宅基地面积（㎡）")
    for person, area, n in ((PERSON, 300, 1), (OTHER, 100, 1), (OTHER, 300, 2), (OTHER, "", 1)):
        frame = pd.concat([ledger(("1", PERSON, "甲村", 100), heading=heading, file="甲.xlsx"),
                           ledger(("1", person, "甲村", area), heading=heading, file="乙.xlsx")], ignore_index=True)  # fmt: skip
        assert len(houses(frame, CATALOG)[0]) == n


def test_two_villages_of_one_name_in_two_workbooks_are_told_apart_by_owner_or_by_most_of_their_areas():
    owner = CATALOG.headers["house"]["collective"][0]
    heading = ("旧房编号", "村", "宅基地面积（㎡）", owner)

    def both(sizes, owners=("", "")):
        one, other = (ledger(*((str(n), "上坝村", size, of) for n, size in enumerate(own)), heading=heading, file=f"{town}旧房.xlsx")
                      for own, of, town in zip(sizes, owners, ("城关镇", "石门乡"), strict=True))  # fmt: skip
        return pd.concat([one, other], ignore_index=True)

    # one of four agrees by chance, one is not told
    sizes = ([100, 200, 300, ""], [100, 150, 250, 90])
    assert len(houses(both(sizes), CATALOG)[0]) == 8
    assert len(houses(both(([100, 200], [100, 200])), CATALOG)[0]) == 2
    assert len(houses(both(([100, 200], [100, 200]), ("城关镇上坝村集体", "石门乡上坝村集体")), CATALOG)[0]) == 4
    # the name of the file bears the town
    named = with_towns(both(([100], [100])), {"城关镇", "石门乡"})
    assert named["town"].tolist() == ["城关镇", "石门乡"]
    assert houses(named, CATALOG)[0]["house_id"].tolist() == ["0@城关镇上坝村", "0@石门乡上坝村"]
    assert (with_towns(both(([100], [100])), {"城关镇", "旧房"})["town"] == "").sum() == 1


def test_what_follows_acceptance_does_not_show_it_and_a_no_with_a_day_is_told():
    heading = ("旧房编号", "是否拆除", "拆除时间", "是否复垦", "是否验收", "验收时间", "是否变更", "是否确权")
    rows = [("1", "是", "", "是", "", "", "是", ""), ("2", "是", "", "是", "", "", "", "是"), ("3", "是", "", "是", "是", "", "是", ""),
            ("4", "否", "2020-05-01", "", "", "", "", ""), ("5", "是", "", "是", "否", "2021-05-01", "", ""),
            ("6", "是", "", "是", "否", "", "是", "")]  # fmt: skip
    table, problems = houses(ledger(*rows, heading=heading), CATALOG)
    assert table["stage"].tolist() == ["reclaimed", "reclaimed", "changed", "standing", "reclaimed", "reclaimed"]
    told = [(p.code, p.row or dict(p.params).get("ids")) for p in problems]
    assert told == [("no_but_dated", 5), ("no_but_dated", 6), ("stage_order", 7), ("accepted_unsaid", "1、2")]
    assert dict(problems[2].params)["no_zh"] == "是否验收"


def test_a_household_in_two_houses_is_told_and_one_without_a_house_is_in_none():
    heading = ("旧房编号", "身份证号", "有无旧房")
    table, problems = houses(ledger(("1", PERSON, "有"), ("2", PERSON, "有"), ("3", OTHER, "有"), ("4", OTHER, "无"),
                                    heading=heading), CATALOG)  # fmt: skip
    told = [(p.code, dict(p.params)["ids"]) for p in problems]
    assert told == [("household_in_houses", "1、2")]
    assert table["households_n"].tolist() == [1, 1, 1, 1]


def test_a_second_row_of_a_household_adds_no_area_and_one_project_in_two_spellings_is_one():
    heading = ("旧房编号", "身份证号", "宅基地面积（㎡）", "复垦面积（㎡）", "增减挂钩项目")
    rows = [
        ("1", PERSON, 100, "", "川〔2019〕1号"),
        ("1", PERSON, 90, 80, "川[2019]1号"),
        ("1", OTHER, "", "", "川〔2019〕1号"),
    ]
    table, _ = houses(ledger(*rows, heading=heading), CATALOG)
    assert table[["plot_area", "reclaim_area"]].to_numpy().tolist() == [[100, 80]]
    assert table["project_twice"].tolist() == [False]


def test_reasons_under_other_headings_are_read():
    for heading in ("未拆原因", "不拆除原因", "保留理由"):
        table, _ = houses(ledger(("1", "文物保护"), heading=("旧房编号", heading)), CATALOG)
        assert table["exception"].tolist() == ["heritage"]


def test_a_grade_is_a_number_and_what_is_none_is_told():
    words = ("8", "8等", "较好")
    table, problems = houses(
        ledger(*((str(n), word) for n, word in enumerate(words)), heading=("旧房编号", "耕地等别")), CATALOG
    )
    assert [grade_of(word) for word in table["quality"]] == pytest.approx([8, 8, float("nan")], nan_ok=True)
    assert [(p.code, dict(p.params)["ids"]) for p in problems] == [("grade_unknown", "2")]


def test_a_ledger_in_two_workbooks_with_other_columns_is_one_of_the_same_houses():
    first = ledger(("1", PERSON, "甲村", 100, "是"), ("2", OTHER, "甲村", 90, "是"),
                   heading=("旧房编号", "身份证号", "村", "宅基地面积（㎡）", "是否拆除"), file="拆除.xlsx")  # fmt: skip
    second = ledger(("1", "甲村", "是", "是", 95), ("2", "甲村", "是", "否", ""),
                    heading=("旧房编号", "村", "是否复垦", "是否验收", "复垦面积（㎡）"), file="验收.xlsx")  # fmt: skip
    both, _ = forms.together([first, second], FORM)
    for frame in (both, both.iloc[::-1].reset_index(drop=True)):
        table, problems = houses(frame, CATALOG)
        table = table.set_index("house_id").sort_index()
        assert table["households_n"].tolist() == [1, 1]
        assert table["stage"].tolist() == ["accepted", "reclaimed"]
        assert table[["plot_area", "reclaim_area"]].iloc[0].tolist() == [100, 95]
        assert [(p.code, dict(p.params)["n"]) for p in problems] == [("house_in_files", "2")]


def test_a_day_to_come_makes_no_other_day_a_contradiction():
    heading = ("旧房编号", "是否拆除", "拆除时间", "验收时间")
    found, problems = houses(
        ledger(("1", "是", "2027-05", "2020-05"), heading=heading), CATALOG, as_of=dt.date(2026, 6, 30)
    )
    assert found["stage"].tolist() == ["standing"]
    assert [p.code for p in problems] == ["date_to_come", "dates_out_of_order"]


@pytest.mark.parametrize("day", ["2026", "2026年6月", "2026-12", "2026年底"])
def test_a_year_that_is_not_over_takes_no_yes_back(day):
    heading = ("旧房编号", "是否拆除", "拆除时间")
    as_of = dt.date(2026, 6, 15)
    found, _ = houses(ledger(("1", "是", day), ("2", "", day), heading=heading), CATALOG, as_of=as_of)
    assert found["stage"].tolist() == ["demolished", "standing"]


def test_spellings_of_a_village_are_one_and_a_village_is_no_community():
    heading = ("旧房编号", "身份证号", "乡镇", "村", "是否拆除")
    rows = (
        ("1", PERSON, "云台乡", "上坡村", "是"),
        ("1", OTHER, "云台", "上坡", "是"),
        ("1", "", "", "上坡村", "是"),
    )
    found, _ = houses(ledger(*rows, heading=heading), CATALOG)
    assert found[["house_id", "households_n", "town", "village"]].to_numpy().tolist() == [
        ["1", 3, "云台乡", "上坡村"]
    ]
    two = (("1", PERSON, "云台乡", "上坡村", "是"), ("1", OTHER, "云台乡", "上坡社区", "是"))
    assert len(houses(ledger(*two, heading=heading), CATALOG)[0]) == 2


def test_a_workbook_without_villages_is_of_other_houses_if_its_households_or_its_town_are():
    with_, without = (
        ("旧房编号", "身份证号", "乡镇", "村", "是否拆除"),
        ("旧房编号", "身份证号", "乡镇", "是否拆除"),
    )

    def both(one, other):
        first = ledger(("1", *one, "甲村", "是"), heading=with_, file="甲.xlsx")
        second = ledger(("1", *other, "否"), heading=without, file="乙.xlsx")
        return len(houses(forms.together([first, second], FORM)[0], CATALOG)[0])

    assert both((PERSON, ""), (OTHER, "")) == 2
    assert both((PERSON, ""), (PERSON, "")) == 1
    assert both(("", "东乡"), ("", "西乡")) == 2
    assert both(("", "东乡"), ("", "东")) == 1
    assert both(("", ""), ("", "")) == 1


def test_a_file_that_is_there_twice_has_its_households_once_and_an_owner_that_is_a_person_is_not_read():
    heading = ("旧房编号", "村", "是否拆除", "所有权人")
    rows = (("1", "甲村", "是", "李四妹"), ("2", "甲村", "是", "甲村农民集体"))
    whole = forms.together([ledger(*rows, heading=heading, file=f"{n}.xlsx") for n in "ab"], FORM)[0]
    found, problems = houses(whole, CATALOG)
    assert found["households_n"].tolist() == [1, 1]
    assert found["collective"].tolist() == ["", "甲村农民集体"]
    told = [p.code for p in problems]
    assert told.count("household_twice") == 2
    assert told.count("owner_no_collective") == 2


def test_where_numbers_start_again_a_plot_is_of_the_village_on_whose_ground_it_lies():
    given_ = plots(box(0), box(1), box(2), 旧房编号=["1", "1", "9"]).assign(
        ground_village=["甲村", "乙村", "乙村"]
    )
    found, _ = houses(ledger(("1", "甲村", "是"), ("1", "乙村", "否"), ("9", "甲村", "否"),
                             heading=("旧房编号", "村", "是否拆除")), CATALOG)  # fmt: skip
    pairs = by_number(given_, found)
    assert [found["village"][h] for h in pairs["house"]] == ["甲村", "乙村"]
    assert pairs["plot"].tolist() == [0, 1]


def test_a_ledger_without_numbers_of_houses_says_so():
    rows = ledger(("", "是"), ("", "否"), heading=("旧房编号", "是否拆除"))
    found, problems = houses(rows, CATALOG)
    assert len(found) == 2
    assert [(p.code, dict(p.params)["n"]) for p in problems] == [("house_ids_missing", "2")]


def test_a_day_of_moving_in_to_come_is_told():
    frame = ledger(("1", "2029-12"), ("2", "2020-12"), heading=("旧房编号", "入住时间"))
    _, problems = houses(frame, CATALOG, as_of=dt.date(2026, 6, 30))
    assert [(p.code, dict(p.params)["rows"]) for p in problems] == [("date_to_come", "2")]
