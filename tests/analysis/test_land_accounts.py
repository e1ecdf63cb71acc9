"""应拆, 增减挂钩 and rights of a made-up county, added up by hand."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from analysis.demolition import demolition, judged
from analysis.homesteads import crowded, done_beyond, with_houses
from analysis.laws import check_laws
from analysis.quota import project_ids, quota, worth
from analysis.rights import double_claims, rights
from layers.houses import HOUSES, match
from tests.flatland import CATALOG

MU = 2000 / 3


def houses(**columns):
    n = len(next(iter(columns.values())))
    table = pd.DataFrame({name: [""] * n for name in HOUSES})
    table["house_id"] = [f"J{i}" for i in range(n)]
    table["households_n"], table["file"], table["row"] = 1, "旧房.xlsx", range(2, n + 2)
    table["stage"] = "standing"
    for name in ("old_house", "should_demolish", "reclaim_req", "accepted", "registered", "certified"):
        table[name] = pd.array([pd.NA] * n, dtype="boolean")
    table["move_in_date"] = None
    for name, values in columns.items():
        table[name] = pd.array(values, dtype="boolean") if table[name].dtype == "boolean" else values
    return table


def test_who_must_go_and_who_may_stay():
    table = houses(
        exception=["", "production", "production", "heritage", "joined", "none", ""],
        approval=["", "样批1号", "", "", "", "", ""],
        old_house=[None, None, None, None, None, None, False],
        should_demolish=[True, False, False, True, None, None, None],
    )
    found, problems = judged(table, CATALOG, as_of=dt.date(2026, 6, 30))
    assert found["should_demolish"].tolist() == [True, False, True, False, False, False, False]
    assert found["may_stay"].tolist() == [False, True, False, True, True, False, False]
    assert found["differs"].tolist() == [False, False, True, True, False, False, False]
    told = {(p.code, p.row or dict(p.params)["n"]) for p in problems}
    assert told == {("retained_without_approval", 4), ("should_demolish_differs", "2"), ("move_in_unknown", "2"),
                    ("exception_unproved", "2")}  # fmt: skip


@pytest.mark.parametrize(("moved_in", "as_of", "late"), [
    (dt.date(2020, 2, 29), dt.date(2022, 2, 28), False), (dt.date(2020, 2, 29), dt.date(2022, 3, 1), True),
    (dt.date(2024, 6, 30), dt.date(2026, 6, 30), False), (dt.date(2024, 6, 29), dt.date(2026, 6, 30), True),
    (None, dt.date(2026, 6, 30), None), (dt.date(2000, 1, 1), None, None),
])  # fmt: skip
def test_two_years_after_moving_in_is_not_late_and_a_day_more_is(moved_in, as_of, late):
    table = houses(move_in_date=[moved_in, moved_in], stage=["standing", "demolished"])
    found, _ = judged(table, CATALOG, as_of=as_of)
    assert found["overdue"].astype("object").where(found["overdue"].notna(), None).tolist() == [late, False]


def test_villages_towns_and_the_county_count_the_same():
    table = houses(
        stage=["standing", "demolished", "reclaimed", "accepted", "certified", "standing"],
        exception=["", "", "", "", "", "heritage"],
        households_n=[1, 2, 1, 1, 3, 1],
        village=["甲", "甲", "甲", "乙", "乙", "乙"], town=["东", "东", "东", "东", "西", "西"],
    )  # fmt: skip
    found, _ = judged(table, CATALOG, as_of=dt.date(2026, 6, 30))
    own = found.assign(county="县", area_mu=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], way=[""] * 5 + ["retained"])
    out = demolition(own).set_index(["unit_level", "unit_id"])
    county = out.loc[("county", "县")]
    assert county[["houses_n", "should_demolish_n", "demolished_n", "reclaimed_n", "accepted_n"]].tolist() == [
        6,
        5,
        4,
        3,
        2,
    ]
    assert county[["households_n", "should_demolish_households_n", "demolished_households_n"]].tolist() == [
        9,
        8,
        7,
    ]
    assert county[["area_mu", "should_demolish_mu", "demolished_mu", "accepted_mu"]].tolist() == pytest.approx(
        [2.1, 1.5, 1.4, 0.9]
    )
    assert county["overdue_unknown_n"] == 1
    assert out.loc[("village", "县/东/乙"), "should_demolish_n"] == 1  # two villages of one name are two
    assert check_laws({"demolition": out.reset_index()}, catalog=CATALOG)["held"].all()
    wrong = out.reset_index().assign(demolished_n=lambda t: t["demolished_n"].where(t["unit_level"] != "town", 0))
    assert not check_laws({"demolition": wrong}, catalog=CATALOG)["held"].all()


def county():
    """Six plots of one mu and half a mu; what each earns stands beside it."""
    rows = [
        # project, stage, way, done, mu, quota mu, ledger's reclaimed mu, ledger's new farmland mu
        ("X1", "accepted", "reclaim", "0103", 1.0, 1.0, np.nan, 0.9),      # 0.9 farmland
        ("X1", "certified", "consolidate", "0103", 1.0, 0.5, 0.8, np.nan),     # target 0103: 0.8 · 0.9 · half = 0.36
        ("X1", "changed", "regreen", "0301", 1.0, 1.0, np.nan, np.nan),    # 1.0 other agricultural
        ("X1", "accepted", "regreen", "0404", 1.0, 1.0, np.nan, np.nan),   # nothing: unused land
        ("X2", "accepted", "reclaim", "0103", 0.5, 0.0, np.nan, np.nan),   # nothing: no construction land
        ("X2", "reclaimed", "reclaim", "0103", 0.5, 0.5, np.nan, np.nan),  # nothing yet
        ("", "standing", "retained", "", 0.5, 0.5, np.nan, np.nan),        # no potential
        ("", "standing", "hold", "", 0.5, 0.5, np.nan, np.nan),
        ("X1", "demolished", "reclaim", "", 0.5, 0.25, np.nan, np.nan),    # a potential of 0.25
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["project_id", "stage", "way", "done_class", "area_m2", "quota_area_m2",
                                        "reclaimed_m2", "new_farmland_m2"])  # fmt: skip
    for name in ("area_m2", "quota_area_m2", "reclaimed_m2", "new_farmland_m2"):
        table[name] *= MU
    ids = [f"Z{n}" for n in range(len(table))]
    return table.assign(homestead_id=ids, county="县", ridge_rate=0.1, quality=[8.0, 8.0, *[np.nan] * 7], regreened_m2=np.nan,
                        slope_source="terrain", overlap_m2=0.0, construction_area_m2=table["quota_area_m2"],
                        way_done=table["way"].where(table["done_class"] != "", ""))  # fmt: skip


def ledger(**columns):
    table = pd.DataFrame({"project_id": ["X1", "X2"], "project": ["一区", "二区"], "approval_no": ["甲", "乙"],
                          "county": ["县", "县"], "return_due": [dt.date(2027, 12, 31), None]})  # fmt: skip
    areas = {"resettlement": [0.5, 0.2], "other_new_use": [0.1, 0.0], "farmland_occupied": [1.0, 0.4],
             "reserved": [0.06, 0.0], "sold_in_province": [0.3, 0.0], "sold_cross_province": [0.2, 0.0]}  # fmt: skip
    return table.assign(**{name: np.array(v) * MU for name, v in areas.items()}, **columns)


def test_the_quota_of_a_county_is_the_sum_done_by_hand():
    table, problems = quota(county(), ledger(), CATALOG)
    assert [p.code for p in problems] == ["farmland_beyond", "quality_unknown"]
    by = table.set_index(["unit_level", "unit_id"])
    one = by.loc[("project", "X1")]
    assert one["accepted_farmland_net_mu"] == pytest.approx(0.9 + 0.36)
    assert one["accepted_ridges_mu"] == pytest.approx(0.1 + 0.04)
    assert one["unit_name"] == "一区"
    assert one["accepted_other_agri_mu"] == pytest.approx(1.0)
    assert one["excluded_unused_mu"] == pytest.approx(1.0)
    assert one["excluded_unmapped_mu"] == pytest.approx(0.4)  # half of the 0.8 that the ledger says
    assert one["accepted_mu"] == pytest.approx(1.0 + 0.8 + 1.0 + 1.0)
    assert one["demolished_mu"] == pytest.approx(4.5)
    assert one["potential_mu"] == pytest.approx(1 + 0.5 + 1 + 1 + 0.25)
    assert one["surplus_mu"] == pytest.approx(2.26 - 0.5 - 0.1 - 0.06)
    assert one["remaining_mu"] == pytest.approx(1.6 - 0.5)
    assert one["farmland_balance_mu"] == pytest.approx(0.26)
    assert bool(one["usable"])
    assert one["return_due_date"] == dt.date(2027, 12, 31)
    two = by.loc[("project", "X2")]
    assert two["surplus_mu"] == pytest.approx(-0.2)
    assert two["farmland_balance_mu"] == pytest.approx(-0.4)
    assert not two["usable"]
    whole = by.loc[("county", "县")]
    assert whole["surplus_mu"] == pytest.approx(1.6 - 0.2)
    assert whole["farmland_balance_mu"] == pytest.approx(-0.14)  # what one project lacks stops the county
    assert not whole["usable"]
    assert whole["potential_mu"] == pytest.approx(3.75 + 0 + 0.5)
    none = by.loc[("project", "")]
    assert none["potential_mu"] == 0
    lone = county().assign(project_id=["", *county()["project_id"][1:]])
    table_, _ = quota(lone, ledger(), CATALOG)
    without = table_.set_index(["unit_level", "unit_id"])
    assert without.loc[("project", ""), "excluded_no_project_mu"] == pytest.approx(0.9)
    assert without.loc[("county", "县"), "surplus_mu"] == pytest.approx(1.4 - 0.9)
    strange = county().assign(project_id=[*county()["project_id"][:8], "三区"])
    unknown = quota(strange, ledger(), CATALOG)[0].set_index(["unit_level", "unit_id"])
    assert np.isnan(unknown.loc[("county", "县"), "surplus_mu"])  # what the third used nobody says
    assert unknown.loc[("project", "X1"), "surplus_mu"] == pytest.approx(1.6)
    assert np.isnan(none["surplus_mu"])
    assert check_laws({"quota": table}, catalog=CATALOG)["held"].all()
    assert {p.code: dict(p.params).get("names") for p in problems}["farmland_beyond"] == "X1、X2"
    some_less = table.assign(accepted_ridges_mu=0.0)
    laws = check_laws({"quota": some_less}, catalog=CATALOG).set_index("law")
    assert not laws.loc["accepted_adds_up", "held"]
    wrong = table.assign(surplus_mu=table["surplus_mu"] + 0.01)
    assert not check_laws({"quota": wrong}, catalog=CATALOG)["held"].all()


def test_worse_land_than_was_taken_stops_the_quota():
    better, worse = (quota(county(), ledger(occupied_quality=[grade, np.nan]), CATALOG)[0] for grade in (9.0, 7.0))
    for table, balance, usable in ((better, 1.0, True), (worse, -1.0, False)):
        row = table[(table["unit_id"] == "X1")].iloc[0]
        assert row["quality_balance"] == pytest.approx(balance)
        assert bool(row["usable"]) == usable


def test_what_is_not_known_is_no_surplus():
    table, _ = quota(county(), None, CATALOG)
    assert table["surplus_mu"].isna().all()
    assert table["usable"].isna().all()
    unsurveyed = county().assign(quota_area_m2=np.nan)
    table, _ = quota(unsurveyed, ledger(), CATALOG)
    assert table["accepted_farmland_net_mu"].isna().all()
    assert table["surplus_mu"].isna().all()
    assert table.set_index("unit_id").loc["X1", "unknown_n"] == 5
    partly = ledger()
    partly.loc[1, "resettlement"] = np.nan
    table, _ = quota(county(), partly, CATALOG)
    by = table.set_index("unit_id")["surplus_mu"]
    assert by["X1"] == pytest.approx(1.6)
    assert by[["X2", "县"]].isna().all()


def test_projects_go_by_their_names_too_and_strange_ones_are_told():
    said = pd.Series(["一区", "X2", "", "三区"])
    assert project_ids(said, ledger()).tolist() == ["X1", "X2", "", "三区"]
    _, problems = quota(county().assign(project_id="三区"), ledger(), CATALOG)
    assert ("project_unknown", "三区") in {(p.code, dict(p.params).get("names")) for p in problems}


def test_money_is_a_scenario_of_what_may_be_used():
    table, _ = quota(county(), ledger(), CATALOG)
    out = worth(table, {"in_province": 30.0}).set_index("unit_id")["worth"]
    assert out["X1"] == pytest.approx(1.1 * 30)
    assert out[["X2", "县", ""]].isna().all()


def test_rights_go_by_collective_over_accepted_land():
    table = county().assign(
        collective=["甲", "甲", "甲", "乙", "乙", "乙", "甲", "乙", ""], owner_level="32", exception="production", disputed=[False] * 7 + [True, False],
        crossing=False, registered=pd.array([True] * 9, dtype="boolean"),
        certified=pd.array([None, True, *[None] * 7], dtype="boolean"), changed=pd.array([None] * 9, dtype="boolean"),
    )  # fmt: skip
    out = rights(table).set_index("collective")
    one = out.loc["甲"]
    assert one[["plots", "homestead_right_cancelled_n"]].tolist() == [4, 3]
    numbers = ["accepted_mu", "retained_mu", "contract_registered_mu", "contract_certified_mu"]
    assert one[numbers].tolist() == pytest.approx([2.8, 0.5, 2.8, 0.8])
    assert np.isnan(one["ownership_updated_mu"])  # no ledger has that column
    assert out.loc["乙", "disputed_mu"] == pytest.approx(0.5)
    assert out["plots"].sum() == len(table)
    laws = check_laws({"rights": out.reset_index(), "homesteads": table.assign(area_mu=table["area_m2"] / MU,
                       construction_area_m2=np.nan, other_area_m2=np.nan, unmapped_area_m2=np.nan)}, catalog=CATALOG)  # fmt: skip
    assert laws.set_index("law").loc["rights_add_up", "held"]
    both = {"rights": out.reset_index(), "homesteads": table, "quota": quota(table, ledger(), CATALOG)[0]}
    for tables, held in ((both, True), (both | {"rights": both["rights"].assign(accepted_mu=1.0)}, False)):
        assert check_laws(tables | {"homesteads": table.assign(area_mu=table["area_m2"] / MU, construction_area_m2=np.nan,
                          other_area_m2=np.nan, unmapped_area_m2=np.nan)}, catalog=CATALOG)["held"].all() == held  # fmt: skip


def test_what_is_registered_of_no_accepted_plot_is_not_known_and_names_of_one_collective_are_one():
    table = county().iloc[:4].assign(
        collective=["上坡村", "上坡村农民集体", "上坡村", "下沟村"], owner_level="32", disputed=False, crossing=False,
        exception=["", "", "", "heritage"], way=["reclaim", "consolidate", "regreen", "retained"], stage=["accepted", "accepted", "standing", "standing"],
        registered=pd.array([True, None, False, None], dtype="boolean"), certified=pd.array([None] * 4, dtype="boolean"),
        changed=pd.array([None, None, True, None], dtype="boolean"),
    )  # fmt: skip
    out = rights(table).set_index("collective")
    assert out.index.tolist() == ["上坡村", "下沟村"]
    one, other = out.loc["上坡村"], out.loc["下沟村"]
    assert one["accepted_mu"] == pytest.approx(1.8)
    assert one[["contract_registered_mu", "contract_unknown_mu"]].tolist() == pytest.approx([1.0, 0.8])
    # only of a plot that is not accepted is it told that it was updated
    assert np.isnan(one["ownership_updated_mu"])
    assert one["ownership_unknown_mu"] == pytest.approx(1.8)
    assert other[["retained_mu", "retained_other_mu", "contract_registered_mu"]].tolist() == [0, 1, 0]


def test_a_subsidy_that_is_not_drawn_is_no_second_one():
    rows = [("上坡村", "耕地", 10.0, "种粮补贴、未享受退耕还林"), ("上坡村集体", "耕地", 5.0, "种粮补贴"), ("上坡村", " 耕地", 5.0, "退耕还林（未到期）"),
            ("乙", "耕地", 5.0, "无退耕还林")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["collective", "kind", "area", "subsidy"])
    found, problems = double_claims(table.assign(file="承包地.xlsx", row=range(2, 6)))
    assert [(p.row) for p in problems] == [3, 4]
    assert found["why"].tolist() == ["same", "same"]


def test_land_that_draws_two_subsidies_is_told():
    rows = [("甲", "承包地", 10.0, "耕地地力保护补贴"), ("甲", "承包地", 10.0, "退耕还林补助"), ("乙", "承包地", 5.0, "退耕还林、种粮补贴"),
            ("丙", "林地", 4.0, "公益林补偿"), ("丙", "承包地", 4.0, "种粮补贴")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["collective", "kind", "area", "subsidy"])
    found, problems = double_claims(table.assign(file="承包地.xlsx", row=range(2, 7)))
    assert found["why"].tolist() == ["same", "same", "both"]
    assert [p.row for p in problems] == [2, 3, 4]
    assert len(double_claims(table.iloc[:0])[0]) == 0


def test_what_is_given_back_to_green_is_no_farmland_and_what_became_unknown_is_neither():
    table = county().iloc[[0]].assign(reclaimed_m2=0.5 * MU, regreened_m2=0.5 * MU, new_farmland_m2=np.nan)
    one = quota(table, ledger(), CATALOG)[0].set_index("unit_id").loc["X1"]
    assert one["accepted_farmland_net_mu"] == pytest.approx(0.45)
    assert one["accepted_other_agri_mu"] == pytest.approx(0.5)
    lost = quota(table.assign(done_class=""), ledger(), CATALOG)[0].set_index("unit_id").loc["X1"]
    assert np.isnan(lost["accepted_farmland_net_mu"])
    assert lost["unknown_n"] == 1
    steep = quota(table.assign(way="regreen"), ledger(), CATALOG)[0].set_index("unit_id").loc["X1"]
    assert steep["accepted_barred_mu"] == pytest.approx(0.45)


def test_one_figure_of_new_land_tells_what_it_leaves_out_and_never_less_than_nothing():
    rows = pd.DataFrame({"project_id": ["A", "B", "C"], "new_use": [80.0, 10.0, 7.0], "resettlement": [50.0, np.nan, np.nan],
                         "other_new_use": [np.nan, 30.0, np.nan], "farmland_occupied": 0.0})  # fmt: skip
    for name in ("new_use", "resettlement", "other_new_use"):
        rows[name] *= MU
    out = quota(county().iloc[:0], rows, CATALOG)[0].set_index("unit_id")
    assert out["other_new_use_mu"][["A", "B", "C"]].tolist() == pytest.approx([30, 30, 0])
    assert out["resettlement_in_project_mu"][["A", "C"]].tolist() == pytest.approx([50, 7])
    assert np.isnan(out.loc["B", "surplus_mu"])


def test_projects_whose_numbers_differ_in_brackets_are_two_and_without_numbers_go_by_name():
    projects = pd.DataFrame(
        {"project_id": ["川增减挂(2019)12号", "川增减挂(2020)12号"], "project": ["一区(甲)", "一区(乙)"]}
    )
    said = pd.Series(["川增减挂（2019）12号", "一区（乙）", "", "别处"])
    assert project_ids(said, projects).tolist() == ["川增减挂(2019)12号", "川增减挂(2020)12号", "", "别处"]
    named = projects.drop(columns="project_id")
    assert project_ids(said, named).tolist() == ["川增减挂（2019）12号", "一区(乙)", "", "别处"]
    table, _ = quota(county(), named.assign(project=["P1", "P2"]), CATALOG)
    assert {"P1", "P2"} <= set(table["unit_id"])


def test_a_house_that_is_gone_was_one_and_of_a_house_of_unknown_stage_nobody_knows_whether_it_is_late():
    day = dt.date(2020, 1, 1)
    table = houses(old_house=[False, False, None], stage=["demolished", "standing", ""], move_in_date=[day] * 3)
    found, _ = judged(table, CATALOG, as_of=dt.date(2026, 6, 30))
    assert found["should_demolish"].tolist() == [True, False, True]
    assert found["overdue"].astype("object").where(found["overdue"].notna(), None).tolist() == [False, False, None]


def test_what_was_done_with_a_house_is_parted_by_the_area_of_its_plots_and_too_much_is_told():
    plots = gpd.GeoDataFrame({"file": "旧宅.shp", "homestead_id": ["A", "B", "C"]}, geometry=[None] * 3)
    table = houses(reclaim_area=[400.0, 500.0], plot_area=[np.nan] * 2, project_twice=[False] * 2)
    for name in ("regreen_area", "new_farmland_area"):
        table[name] = np.nan
    table[["may_stay", "overdue", "land_changed"]] = pd.array([False] * 2, dtype="boolean")[0]
    matched = pd.DataFrame({"plot": [0, 1, 2], "house": [0, 0, 1], "matched_by": "house_id"})
    area = pd.Series([100.0, 300.0, 120.0])
    told = with_houses(plots, table, matched, CATALOG, area_m2=area)
    assert told["reclaimed_m2"].tolist() == pytest.approx([100, 300, 500])
    unknown = with_houses(plots, table, matched, CATALOG, area_m2=area.mask(area == 100))
    assert unknown["reclaimed_m2"].tolist() == pytest.approx([200, 200, 500])
    problems = done_beyond(plots, told.assign(area_m2=area, homestead_id=plots["homestead_id"]), pct=10)
    assert [dict(p.params)["ids"] for p in problems] == ["C"]


def test_more_sold_than_there_is_and_a_day_of_return_that_passed_are_told():
    sold = ledger().assign(sold_cross_province=np.array([2.0, 0.0]) * MU)
    _, problems = quota(county(), sold, CATALOG, as_of=dt.date(2028, 1, 1))
    told = {p.code: dict(p.params)["names"] for p in problems}
    assert told["quota_oversold"] == "X1"
    assert "quota_return_overdue" not in told  # its surplus is not below zero
    owed = ledger().assign(reserved=np.array([3.0, 0.0]) * MU)
    for day, late in ((dt.date(2027, 12, 31), False), (dt.date(2028, 1, 1), True)):
        codes = {p.code for p in quota(county(), owed, CATALOG, as_of=day)[1]}
        assert ("quota_return_overdue" in codes) == late


def test_a_house_that_is_gone_does_not_stay():
    found, _ = judged(houses(exception=["joined"] * 2, stage=["demolished", "standing"]), CATALOG, as_of=None)
    assert found["may_stay"].tolist() == [False, True]


def test_a_house_of_very_many_plots_is_told():
    both = houses(stage=["standing"] * 2, plot_area=100.0, household_keys="", lon=np.nan, lat=np.nan)
    both["ledger_id"] = both["house_id"]
    for name in ("town", "village", "group"):
        both[name] = ""
    plots = gpd.GeoDataFrame({"house_id": ["J0"] * 11 + ["J1"], "household_key": "", "town": "", "village": "",
                              "group": ""}, geometry=[None] * 12)  # fmt: skip
    problems = crowded(plots, both)
    # none of the eleven is the plot of that house
    assert match(plots, both, area_m2=np.full(12, 100.0))["plot"].tolist() == [11]
    assert [(p.code, dict(p.params)["ids"], dict(p.params)["most"]) for p in problems] == [
        ("house_many_plots", "J0", "11")
    ]


def test_a_layer_appended_twice_changes_no_sum():
    one = county()
    again = pd.concat([one, one.assign(overlap_m2=one["area_m2"], quota_area_m2=0.0)], ignore_index=True)
    whole, twice = (quota(table, ledger(), CATALOG)[0].drop(columns="unknown_n") for table in (one, again))
    pd.testing.assert_frame_equal(whole, twice)


def test_a_county_is_the_sum_of_its_projects_and_of_its_plots_of_none():
    table = county().assign(county=["甲县", "甲县", "甲县", "乙县", "乙县", "乙县", "甲县", "", "乙县"])
    rows = pd.concat([ledger(), ledger().iloc[[1]].assign(project_id="X9", county="")], ignore_index=True)
    found, problems = quota(table, rows, CATALOG, county="某县")
    told = {p.code: dict(p.params).get("names") for p in problems}
    assert told["project_in_counties"] == "X1"
    by = found.set_index(["unit_level", "unit_id"])
    assert by.loc["project"]["county"].to_dict() == {
        "X1": "甲县",
        "X2": "乙县",
        "X9": "某县",
        "": by.loc[("project", ""), "county"],
    }
    assert by.loc[("county", "甲县"), "surplus_mu"] == pytest.approx(by.loc[("project", "X1"), "surplus_mu"])
    assert by.loc[("county", "某县"), "surplus_mu"] == pytest.approx(by.loc[("project", "X9"), "surplus_mu"])
    for name in (
        "potential_mu",
        "demolished_mu",
        "accepted_mu",
        "accepted_farmland_net_mu",
        "resettlement_in_project_mu",
    ):
        assert by.loc["county"][name].sum() == pytest.approx(by.loc["project"][name].sum())
    assert check_laws({"quota": found}, catalog=CATALOG)["held"].all()
    for wrong in (found.assign(potential_mu=found["potential_mu"].where(found["unit_id"] != "X1", 0.0)),
                  found.assign(county=found["county"].replace("甲县", "乙县"))):  # fmt: skip
        assert not check_laws({"quota": wrong}, catalog=CATALOG).set_index("law").loc["counties_are_sums", "held"]
    # one of two may not be used: nor may the county's
    assert not by.loc[("county", "乙县"), "usable"]
    assert by.loc[("county", "甲县"), "usable"]


def test_what_was_accepted_and_nobody_can_read_is_no_deficit():
    unread = county().assign(done_class=["", *county()["done_class"][1:]], way_done=["", *county()["way_done"][1:]],
                             new_farmland_m2=np.nan)  # fmt: skip
    by = quota(unread, ledger(), CATALOG)[0].set_index("unit_id")
    assert by.loc["X1", "accepted_unknown_n"] == 1
    assert by.loc["X1", "accepted_unknown_mu"] == pytest.approx(1)
    assert by.loc[["X1", "县"], ["surplus_mu", "farmland_balance_mu"]].isna().all(axis=None)
    assert by.loc["X1", "usable"] is pd.NA
    assert not by.loc["县", "usable"]  # whatever X1 is, X2 may not
    assert by.loc["X2", "surplus_mu"] == pytest.approx(-0.2)
    # a road is no farmland, and that is known
    road = county().assign(done_class=["1006", *county()["done_class"][1:]], way_done=["other", *county()["way_done"][1:]],
                           new_farmland_m2=np.nan)  # fmt: skip
    assert quota(road, ledger(), CATALOG)[0].set_index("unit_id").loc[
        "X1", "accepted_farmland_net_mu"
    ] == pytest.approx(0.36)


def test_a_cell_of_what_was_sold_that_nobody_can_read_is_not_nothing():
    unread = ledger().assign(sold_in_province=[np.nan, 0.0], unread=["sold_in_province;", ""])
    by = quota(county(), unread, CATALOG)[0].set_index("unit_id")
    assert by.loc[["X1", "县"], "remaining_mu"].isna().all()
    assert by.loc["X2", "remaining_mu"] == pytest.approx(-0.2)
    empty = ledger().assign(sold_in_province=[np.nan, 0.0])
    assert quota(county(), empty, CATALOG)[0].set_index("unit_id").loc["X1", "remaining_mu"] == pytest.approx(
        1.6 - 0.2
    )
    without, problems = quota(
        county(), ledger().drop(columns=["sold_in_province", "sold_cross_province", "reserved"]), CATALOG
    )
    assert without[["remaining_mu", "surplus_mu"]].isna().all(axis=None)
    assert "quota_columns_missing" in {p.code for p in problems}


def test_one_grade_does_not_speak_for_a_project():
    graded = county().assign(quality=[8.0, *[np.nan] * 8])
    table, problems = quota(graded, ledger(occupied_quality=[7.0, np.nan]), CATALOG)
    row = table.set_index("unit_id").loc["X1"]
    assert np.isnan(row["quality_balance"])  # 0.9 of 1.26 mu
    assert bool(row["usable"])  # by area, which a doubt says
    assert "X1" in {dict(p.params).get("names", "") for p in problems if p.code == "quality_unknown"}.pop()


def test_a_project_without_plots_has_earned_nothing_and_its_county_counts_what_it_took():
    rows = pd.concat([ledger(), ledger().iloc[[1]].assign(project_id="X4", project="四区")], ignore_index=True)
    table = county().assign(stage=[*county()["stage"][:8], ""], project_id=[*county()["project_id"][:8], ""])
    found, _ = quota(table, rows, CATALOG)
    by = found.set_index("unit_id")["surplus_mu"]
    assert by["X4"] == pytest.approx(-0.2)
    assert by["县"] == pytest.approx(by[["X1", "X2", "X4"]].sum())
    assert check_laws({"quota": found}, catalog=CATALOG)["held"].all()
    # where no plot says whose it is nobody knows what any project earned
    found, _ = quota(table.assign(project_id=""), rows, CATALOG)
    assert found["surplus_mu"].isna().all()
    assert check_laws({"quota": found}, catalog=CATALOG)["held"].all()


def test_a_row_of_a_project_said_twice_is_one_and_its_name_is_still_its_own():
    whole = quota(county(), ledger(), CATALOG)[0]
    twice = pd.concat([ledger(), ledger().iloc[[0]].assign(project_id="X1@台账.xlsx#4")], ignore_index=True)
    pd.testing.assert_frame_equal(quota(county(), twice, CATALOG)[0], whole)
    # a second row that says something else is counted, and houses that name the project go to its first
    other = twice.assign(resettlement=[*(ledger()["resettlement"]), 0.1 * MU])
    assert project_ids(pd.Series(["一区"]), other).tolist() == ["X1"]
    found, problems = quota(county(), other, CATALOG)
    by = found.set_index("unit_id")["surplus_mu"]
    assert by["县"] == pytest.approx(1.4 - 0.1 - 0.1 - 0.06)
    assert by["X1"] == pytest.approx(1.6 - 0.1 - 0.1 - 0.06)
    assert found["unit_id"].tolist() == ["X1", "X2", "", "县"]
    approved = other.assign(approval_no=["甲", "乙", "甲"])
    assert project_ids(pd.Series(["甲"]), approved).tolist() == ["X1"]
    assert "project_unknown" not in {p.code for p in problems}


def test_an_accepted_house_without_a_plot_leaves_its_project_open_and_no_other():
    lone = pd.DataFrame({"project_id": ["X1", ""], "county": "县", "area_m2": [0.6 * MU, MU]})
    found, problems = quota(county(), ledger(), CATALOG, without_plot=lone)
    by = found.set_index("unit_id")
    assert by.loc["X1", ["accepted_unknown_mu", "accepted_unknown_n"]].tolist() == pytest.approx([0.6, 1])
    assert by.loc[["X1", "县"], "surplus_mu"].isna().all()
    assert by.loc["X2", "surplus_mu"] == pytest.approx(-0.2)
    assert "quota_oversold" not in {p.code for p in problems}
    assert check_laws({"quota": found}, catalog=CATALOG)["held"].all()


def test_a_whole_that_nobody_can_read_leaves_its_parts_open_and_counties_may_be_written_shorter():
    unread = ledger().assign(new_use=np.nan, unread=["new_use;", ""]).drop(columns="other_new_use")
    by = quota(county(), unread, CATALOG)[0].set_index("unit_id")
    assert np.isnan(by.loc["X1", "surplus_mu"])
    named = county().assign(county="昭觉县")
    rows = pd.concat([ledger(), ledger().iloc[[1]].assign(project_id="X4", project="四区")], ignore_index=True)
    found = quota(named, rows.assign(county="昭觉"), CATALOG)[0]
    assert found.loc[found["unit_level"] == "county", "unit_id"].tolist() == ["昭觉县"]


def test_what_is_on_hold_and_what_is_below_zero_is_not_said_to_be_usable():
    held = county().assign(way=["hold", *county()["way"][1:]])
    one = quota(held, ledger(), CATALOG)[0].set_index("unit_id").loc["X1"]
    assert one[["accepted_hold_mu", "farmland_balance_open_mu"]].tolist() == pytest.approx([0.9, 0.26 - 0.9])
    assert one["usable"] is pd.NA
    sold = ledger().assign(sold_in_province=np.array([2.0, 0.1]) * MU)
    found, problems = quota(county(), sold, CATALOG)
    assert not found.set_index("unit_id").loc["X1", "usable"]
    names = {p.code: dict(p.params)["names"] for p in problems}
    assert names["quota_oversold"] == "X1、X2"
    assert names["quota_sold_stopped"] == "X2"


def test_first_groups_of_two_villages_are_two_collectives():
    table = county().iloc[:2].assign(collective=["第一村民小组", "1组"], village=["甲村", "乙村"], town="丙乡",
                                     owner_level="31", exception="", disputed=False, crossing=False)  # fmt: skip
    for name in ("registered", "certified", "changed"):
        table[name] = pd.array([True, True], dtype="boolean")
    assert rights(table)["collective"].tolist() == ["丙乡乙村1组", "丙乡甲村第一村民小组"]


def test_a_road_is_neither_garden_nor_forest_nor_grass():
    road = county().assign(done_class=["1006", *county()["done_class"][1:]], new_farmland_m2=np.nan)
    one = quota(road, ledger(), CATALOG)[0].set_index("unit_id").loc["X1"]
    assert one[["accepted_other_agri_mu", "excluded_unused_mu"]].tolist() == pytest.approx([1.0, 2.0])


def test_a_plot_drawn_twice_has_no_right_of_its_own():
    table = county().iloc[:1].assign(collective="甲", owner_level="32", exception="", disputed=True, crossing=False,
                                     registered=pd.array([True], dtype="boolean"), certified=pd.array([None], dtype="boolean"),
                                     changed=pd.array([None], dtype="boolean"))  # fmt: skip
    twice = pd.concat([table, table.assign(overlap_m2=table["area_m2"])], ignore_index=True)
    one, two = (rights(t).drop(columns="plots") for t in (table, twice))
    pd.testing.assert_frame_equal(one, two)


def test_houses_may_call_a_project_by_its_approval_and_an_unknown_one_is_one_however_it_is_written():
    said = pd.Series(["川〔2019〕1号", "川[2019]1号", "川（2019）1号", "别〔2020〕2号", "别[2020]2号", ""])
    projects = ledger().assign(approval_no=["川〔2019〕1号", "乙"])
    assert project_ids(said, projects).tolist() == ["X1"] * 3 + ["别〔2020〕2号"] * 2 + [""]


def test_a_balance_that_rests_on_fields_where_only_green_may_grow_is_not_known_to_do():
    barred = county().assign(way=["regreen", *county()["way"][1:]])
    one = quota(barred, ledger(), CATALOG)[0].set_index("unit_id").loc["X1"]
    assert one[["farmland_balance_mu", "farmland_balance_open_mu"]].tolist() == pytest.approx([0.26, 0.26 - 0.9])
    assert one["usable"] is pd.NA


def test_of_a_collective_of_which_no_stage_is_told_nothing_is_accepted_that_is_known():
    table = county().iloc[:2].assign(collective="甲", owner_level="", exception="", disputed=False, crossing=False, stage="",
                                     registered=pd.array([None] * 2, dtype="boolean"), certified=pd.array([None] * 2, dtype="boolean"),
                                     changed=pd.array([None] * 2, dtype="boolean"))  # fmt: skip
    assert rights(table)[["accepted_mu", "contract_registered_mu"]].isna().all(axis=None)
