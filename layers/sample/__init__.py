"""
The sample county: a made-up county of mountains, written as the files a real one would send.

Made from a seed, in code, at the latitude of Liangshan; no place and no person in it exists. It knows its own
truth: what is planted in its files, and who lacks what, worked out on its own streets (see ``truth``), so that
what a run finds can be held against it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geo.problems import Problem, Stop
from layers import catalog as catalogue
from layers.sample import files, land
from layers.sample.ground import lay_ground
from layers.sample.people import hosts, name_villages, scatter, settle
from layers.sample.roads import lay_roads
from layers.sample.services import SHIFTED, serve
from layers.sample.truth import Truth, verdicts_of

SEED = 15
PROJECT = "样例县.toml"
PROFILES = {
    "城镇集中安置": "urban",
    "产业园区安置": "park",
    "农村安置": "rural",
    "分散安置": "rural",
    "城镇": "urban",
    "农村": "rural",
}
"""The profile of each kind of home, as its ledger's words mean it."""

TRUE_ELSEWHERE = ("cut_off", "high_up", "swapped", "unplaced", "no_position")
"""Homes that do not stand where their row says, or at no street: no gap is told of them."""


def write_county(folder: Path, *, seed: int = SEED, scale: float = 1.0) -> Truth:
    """
    Write the county's files and its project file into a folder.

    Files of an older sample county there are written over, its project file is kept.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    seed
        Another seed is another county.
    scale
        1 is 1,100 km² with 46 settlements, 600 households and 6,000 homesteads; a part of 1 is a smaller one.

    Raises
    ------
    Stop
        The folder holds other things.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PROJECT).is_file():
        raise Stop(Problem.stop("folder_not_ours", file=folder, path=folder))
    folder.mkdir(parents=True, exist_ok=True)
    # first, because the folder is known by it; it invites to be changed, so a changed one is kept
    if not (folder / PROJECT).exists():
        (folder / PROJECT).write_text(PROJECT_TEXT, "utf-8")
    rng = np.random.default_rng(seed)
    catalog, planted = catalogue.load(), files.Planted()
    sides = max(2, round(12 * scale))
    village_n = max(10, round(90 * scale))
    # so long that villages lie some 1,400 m apart: 12.5 km in the whole county
    side_m = 100.0 * round((1_200 + 1_412 * -(-village_n // sides)) / 100)
    ground = lay_ground(rng, sides=sides, side_m=side_m)
    layout = lay_roads(ground, rng, towns=max(3, round(12 * scale)), villages=village_n)
    villages = name_villages(layout)
    settlements = settle(layout, villages, rng, max(18, round(46 * scale)))
    households = scatter(villages, rng, max(30, round(600 * scale)))
    residents = hosts(layout, villages, rng)
    services = serve(layout, villages, [(h.name, h.people, h.node) for h in settlements if not h.trait], rng)
    plots = land.plots_of(villages, rng)
    files.write_streets(folder / "道路.osm.pbf", ground, layout, services, planted)
    files.write_survey_roads(folder / "道路中心线.shp", layout)
    files.write_settlements(folder / "安置点台账.xlsx", settlements, layout, ground, planted)
    files.write_shapes(folder / "安置点范围.gpkg", settlements, layout)
    files.write_households(folder / "分散户.csv", households, layout, villages, planted)
    files.write_hosts(folder / "原住居民点.xlsx", residents, layout, planted)
    files.write_facilities(folder, services, layout, catalog, planted)
    terrain = files.write_ground(folder / "高程.tif", ground)
    files.write_land(folder, ground, layout, villages, plots, settlements, planted)
    gone = files.write_house_ledgers(folder / "旧房台账", plots, settlements, rng, planted)
    files.write_ledgers(folder, settlements, villages, plots, planted)
    told = [h for h in (*settlements, *households, *residents) if h.trait not in TRUE_ELSEWHERE and not h.shape]
    counted = [service for service in services if service.source != SHIFTED]
    verdicts = verdicts_of(told, counted, layout.roads, catalog, profiles=PROFILES, terrain=terrain)
    ids = {home.id: files.settlement_id(home, settlements) for home in settlements}
    verdicts["place_id"] = verdicts["place_id"].map(lambda name: ids.get(name, name))
    numbers = {
        "settlements": len(settlements), "households": len(households), "hosts": len(residents),
        "villages": len(villages), "towns": len(layout.towns), "facilities": len(services), "homesteads": len(plots),
        "schools": sum(s.source == "school" for s in services), "clinics": sum(s.source == "health" for s in services), **gone,
    }  # fmt: skip
    return Truth(
        faults=frozenset(planted.faults), doubts=frozenset(planted.doubts), verdicts=verdicts, numbers=numbers,
    )  # fmt: skip


PROJECT_TEXT = """\
# 样例县：由程序按固定种子编造，没有一处是真的。改一改再运行：yike run 样例县.toml
[project]
name = "样例县"
language = "zh"
adcode = "519901"
as_of = 2026-06-30
crs = "EPSG:4543"

[area]
service = "县边界.gpkg"

[layers]
settlements = { path = "安置点台账.xlsx", sheet = "安置点", crs = "CGCS2000" }
settlement_shapes = "安置点范围.gpkg"
households = { path = "分散户.csv", crs = "GCJ-02" }
hosts = { path = "原住居民点.xlsx", crs = "CGCS2000" }
facilities = [
  { path = "学校台账.xlsx", crs = "CGCS2000" },
  { path = "医疗机构台账.xlsx", crs = "CGCS2000" },
  { path = "服务设施台账.xlsx", crs = "CGCS2000" },
  { path = "就业载体台账.xlsx", crs = "CGCS2000" },
  { path = "高德POI.csv", crs = "GCJ-02", code = "amap" },
  { path = "便民回收.csv" },
  { osm = true },
]
homesteads = "旧宅基地.shp"
slope_map = "坡度图.gpkg"
house_ledger = "旧房台账/"
survey = "三调.gdb:DLTB"
villages = "行政村.shp"
collectives = "集体土地所有权.gpkg"
permanent_farmland = "永久基本农田.fgb"
redline = "生态保护红线.parquet"
reserves = "自然保护地.gpkg"
hazards = "地灾隐患.geojson"
plan_parcels = "规划用地.gpkg"
urban_boundary = "城镇开发边界.gpkg"
rivers = "河流.gpkg"
pipes = "管网.gpkg"
school_districts = "学区.gpkg"
care_grids = "医疗网格.gpkg"
labour = "劳动力台账.xlsx"
vacancies = "岗位清单.xlsx"
housing = "住房台账.xlsx"
utilities = "基础设施台账.xlsx"
contract_land = "承包地台账.xlsx"
assets = "资产台账.xlsx"
quota_projects = "增减挂钩项目.xlsx"
work_relief = "以工代赈.xlsx"

[network]
osm = "道路.osm.pbf"

[terrain]
dem = ["高程.tif"]

[strata]
"样例县" = "national"
"""
