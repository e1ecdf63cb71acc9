"""``yike site``, ``yike run --scenario`` and ``yike compare`` as a planner types them, one after the other."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import yike
import yike.run
from geo import io
from tests.flatland import Town, degrees
from tests.yike.test_cli import stopped, yike_

HEADING = ("编号", "安置点名称", "安置方式", "安置人口", "6-8岁", "经度", "纬度")


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """Two settlements along a road; clinic and school (a class of 45) at the first."""
    folder = tmp_path / "某县"
    folder.mkdir()
    Town().street((0, 0), (90, 0)).write(folder / "路.osm")
    (lon_a, lon_b), (lat_a, lat_b) = degrees([(0, 0), (60, 0)])
    rows = [HEADING, ("A1", "新村", "农村", 600, 60, lon_a, lat_a), ("A2", "远村", "农村", 300, 30, lon_b, lat_b)]
    io.write_table(rows, folder / "安置点.xlsx", sheet="安置点")
    schools = [("学校标识码", "学校名称", "学校类型", "核定学位", "班级数", "经度", "纬度"),
               ("S1", "样例小学", "小学", 45, 1, lon_a, lat_a)]  # fmt: skip
    io.write_table(schools, folder / "学校.xlsx", sheet="学校")
    clinics = [
        ("机构代码", "机构名称", "机构类别", "执业医师", "经度", "纬度"),
        ("H1", "卫生室", "村卫生室", 1, lon_a, lat_a),
    ]
    io.write_table(clinics, folder / "医疗.xlsx", sheet="医疗")
    (lon,), (lat,) = degrees([(70, 0)])
    io.write_table([("名称", "经度", "纬度"), ("旧粮站", lon, lat)], folder / "闲置.csv")
    (folder / "某县.toml").write_text(
        '[project]\nname = "某县"\n[layers]\nsettlements = "安置点.xlsx"\ncandidates = "闲置.csv"\n'
        'facilities = [{ path = "学校.xlsx" }, { path = "医疗.xlsx" }]\n[network]\nosm = "路.osm"\n'
        "[costs]\nnew = 300\nunit = 40\nbed = 2\n", "utf-8",
    )  # fmt: skip
    return folder


def test_from_the_gap_to_the_proposal_to_the_difference(county: Path):
    project = county / "某县.toml"
    done = yike_("site", project, "--category", "村卫生室", "--new", 1)
    assert done.exit_code == 0, done.output
    assert "新建村卫生室" in done.output
    assert "新增 300 人" in done.output
    assert "已证明最优" in done.output
    folder = county / "某县-site-village_clinic-1"
    remedies = pd.read_parquet(folder / "remedies.parquet")
    assert remedies["people_gained"].tolist() == [300]
    assert remedies["cost"].tolist() == [300]
    assert (folder / "remedies.xlsx").is_file()
    for words in (("run", project), ("run", project, "--scenario", folder / "scenario.toml")):
        result = yike_(*words)
        assert result.exit_code == 0, result.output
    after = county / "某县-site-village_clinic-1-run"
    told = yike_("compare", county / "某县-run", after)
    assert told.exit_code == 0, told.output
    assert "村卫生室：新达标 300 人，不再达标 0 人" in told.output
    assert "情景费用 300 万元" in told.output
    compared = county / f"{after.name}-compared"
    sums = pd.read_parquet(compared / "tables" / "change_sums.parquet").set_index("category")
    assert sums.loc["village_clinic", "cost_per_person"] == 1
    assert (compared / "workbook.xlsx").is_file()
    assert "新达标" in (compared / "map.html").read_text("utf-8")


def test_a_school_is_enlarged_or_built_whichever_is_cheaper(county: Path):
    project = county / "某县.toml"
    done = yike_("site", project, "--category", "primary_school", "--new", 1, "--grow", "--out", county / "方案")
    assert done.exit_code == 0, done.output
    table = pd.read_parquet(county / "方案" / "remedies.parquet").set_index("action")
    assert table.loc["enlarge", ["units", "people_gained", "cost"]].tolist() == [1, 15, 40]
    assert table.loc["build", ["units", "people_gained", "cost"]].tolist() == [1, 30, 340]
    done = yike_("--language", "en", "site", project, "--category", "primary_school", "--new", 0, "--grow")
    assert "enlarge 样例小学" in done.output
    # of those who are 9 to 11 nothing is known
    assert "Of 2 places the pupils are not known" in done.output


def test_what_cannot_be_is_told_in_a_sentence(county: Path):
    project = county / "某县.toml"
    stopped(yike_("site", project, "--category", "没有的", "--new", 1), "没有的")
    stopped(yike_("site", project, "--category", "primary_school", "--goal", "median"), "median", "cover")
    stopped(yike_("run", project, "--scenario", county / "无.toml"), "没有这个情景文件")
    (county / "错.toml").write_text('[[edit]]\ndo = "close"\nfacility = "H9"\n', "utf-8")
    stopped(yike_("run", project, "--scenario", county / "错.toml"), "H9", "H1")
    (county / "错.toml").write_text('[[edit]]\ndo = "standard"\nkey = "x.rural.walk_min"\nvalue = 3\n', "utf-8")
    stopped(yike_("run", project, "--scenario", county / "错.toml"), "x.rural.walk_min")
    stopped(yike_("compare", county, county / "无"), "不是一个结果文件夹")
    # nobody near lacks a clinic when both have one
    (lon,), (lat,) = degrees([(60, 0)])
    (county / "好.toml").write_text(
        f'[[edit]]\ndo = "add"\ncategory = "village_clinic"\nname = "新"\nlon = {lon}\nlat = {lat}\n', "utf-8"
    )
    assert yike_("run", project, "--scenario", county / "好.toml").exit_code == 0
    text = project.read_text("utf-8")
    project.write_text(text + '[standards]\n"village_clinic.rural.walk_min" = 500\n', "utf-8")
    assert "没有什么可加的" in yike_("site", project, "--category", "village_clinic").output


def test_what_a_scenario_edits_is_what_is_explained_sited_and_read(county: Path):
    project = county / "某县.toml"
    (lon,), (lat,) = degrees([(60, 0)])
    edits = (
        f'[[edit]]\ndo = "add"\ncategory = "village_clinic"\nname = "新"\nlon = {lon}\nlat = {lat}\n'
        f'[[edit]]\ndo = "add_place"\nname = "新点"\npeople = 90\nlon = {lon}\nlat = {lat}\n'
    )
    (county / "情景.toml").write_text(edits, "utf-8")
    was, now = (yike.open(project, scenario=path) for path in (None, county / "情景.toml"))
    assert len(now.read().places) == len(was.read().places) + 1
    assert len(now.read().facilities) == len(was.read().facilities) + 1
    assert [problem.code for problem in now.read().problems] == [problem.code for problem in was.read().problems]
    far, near = (one.explain("远村", "village_clinic")[0] for one in (was, now))
    assert (far.nearest["facility_id"].iloc[0], near.nearest["facility_id"].iloc[0]) == ("H1", "new:1")
    assert was.site("village_clinic", new=1).proposal.remedies["people_gained"].tolist() == [300]
    assert len(now.site("village_clinic", new=1).proposal.remedies) == 0


def test_what_an_edit_costs_is_of_its_facility_by_name_too_and_of_each_stage_once(county: Path):
    project = county / "某县.toml"
    edits = '[[edit]]\ndo = "enlarge"\nfacility = "样例小学"\nadd_classes = 1\ncost = 40\n'
    (lon,), (lat,) = degrees([(0, 0)])
    rows = [(*HEADING, "9-11岁"), ("A1", "新村", "农村", 600, 60, lon, lat, 0)]
    io.write_table(rows, county / "安置点.xlsx", sheet="安置点")
    (county / "情景.toml").write_text(edits, "utf-8")
    for words in (("run", project), ("run", project, "--scenario", county / "情景.toml")):
        assert yike_(*words).exit_code == 0
    found = yike.run.Run(county / "某县-run").compare(yike.run.Run(county / "某县-情景-run"))
    assert found.cost == 40
    seats = found.tables["seat_changes"].set_index(["stage", "view", "year"])
    own = seats.loc[("primary", "free_optimum", 0)]
    assert (own["seated_more"], own["cost"], own["cost_per_pupil"]) == (15, 40, 40 / 15)
    assert seats.loc["junior", "cost"].isna().all()


def test_a_name_with_a_sign_that_toml_forbids_is_written_so_that_it_can_be_read(county: Path):
    (lon,), (lat,) = degrees([(70, 0)])
    io.write_table([("名称", "经度", "纬度"), ("旧\x7f粮站", lon, lat)], county / "闲置.csv")
    project = county / "某县.toml"
    assert yike_("site", project, "--category", "village_clinic", "--out", county / "方案").exit_code == 0
    assert "旧\x7f粮站" in tomllib.loads((county / "方案" / "scenario.toml").read_text("utf-8"))["edit"][0]["name"]


def test_a_new_settlement_takes_nobody_from_its_neighbours(county: Path):
    project = county / "某县.toml"
    (lon,), (lat,) = degrees([(60, 0)])
    people = np.full((30, 30), 7.0, np.float32)
    io.write_raster(people, county / "人口.tif", west=lon - 0.03, north=lat + 0.03, step=0.002)
    rows = [HEADING, ("A2", "远村", "农村", "", 30, lon, lat)]
    io.write_table(rows, county / "安置点.xlsx", sheet="安置点")
    text = project.read_text("utf-8").replace("candidates =", 'people = "人口.tif"\ncandidates =')
    project.write_text(text, "utf-8")
    edit = f'[[edit]]\ndo = "add_place"\nname = "新点"\npeople = 90\nlon = {lon + 0.01}\nlat = {lat}\n'
    (county / "情景.toml").write_text(edit, "utf-8")
    was, now = (yike.open(project, scenario=path).run() for path in (None, county / "情景.toml"))
    before, after = (run.places.set_index("place_name")["pop"] for run in (was, now))
    assert before["远村"] > 0
    assert (after["远村"], after["新点"]) == (before["远村"], 90)
    totals = [run.table("balance").set_index("item").loc["raster_total", "number"] for run in (was, now)]
    assert totals[0] == totals[1]
