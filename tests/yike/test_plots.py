"""Old homesteads from files to tables: a project's own limits, bad layers, and what goes to the field."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine

import yike
from geo import io
from layers import catalog
from outputs.field import not_gbk_n, write_layers
from tests.flatland import Town, degrees
from tests.yike.test_cli import stopped, yike_
from yike.fieldwork import _with_key

PERSON = "11010519491231002X"


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A road, a settlement, ground that rises to the east ever more steeply, and forty plots along it."""
    folder = tmp_path / "某县"
    folder.mkdir()
    Town().street((0, 0), (40, 0)).write(folder / "路.osm")
    (lon,), (lat,) = degrees([(0, 0)])
    io.write_table([("编号", "安置点名称", "安置方式", "安置人口", "经度", "纬度"), ("A1", "新村", "农村", 600, lon, lat)],
                   folder / "安置点.xlsx", sheet="安置点")  # fmt: skip
    grade = np.tan(np.radians(np.linspace(8, 34, 400)))
    rise = np.cumsum(grade * 0.0002777 * 98_000).astype(np.float32)
    io.write_raster(
        np.tile(rise, (60, 1)), folder / "高程.tif", west=lon - 0.005, north=lat + 0.01, step=0.0002777
    )
    at = lon + np.arange(40) * 0.0025
    boxes = [shapely.box(x, lat, x + 0.00015, lat + 0.00012) for x in at]
    ids = [f"Z{n:02d}" for n in range(40)]
    plots = gpd.GeoDataFrame(
        {"宅基地编号": ids, "旧房编号": [f"J{n:02d}" for n in range(40)]}, geometry=boxes, crs=4490
    )
    io.write_vector(plots, folder / "旧宅.gpkg")
    rows = [
        ("旧房编号", "户主姓名", "身份证号", "村", "是否拆除"),
        *((f"J{n:02d}", "张某", PERSON, "甲村", "否") for n in range(40)),
    ]
    io.write_table(rows, folder / "旧房.xlsx")
    (folder / "某县.toml").write_text(
        '[project]\nname = "某县"\nas_of = 2026-06-30\n[layers]\nsettlements = "安置点.xlsx"\nfacilities = []\n'
        'homesteads = "旧宅.gpkg"\nhouse_ledger = "旧房.xlsx"\n[network]\nosm = "路.osm"\n[terrain]\ndem = ["高程.tif"]\n',
        "utf-8",
    )
    return folder


def with_limits(folder: Path, text: str) -> Path:
    path = folder / "自定.toml"
    path.write_text((folder / "某县.toml").read_text("utf-8") + f"[reclamation]\n{text}\n", "utf-8")
    return path


ONLY = ["reclamation", "quota", "demolition"]


def test_an_own_limit_moves_the_plots_between_and_the_run_says_which(county: Path):
    base = yike.open(county / "某县.toml").run(only=ONLY).table("homesteads")
    done = yike_("run", with_limits(county, '"steep.over" = 20'), "--only", ",".join([*ONLY, "workbook"]))
    assert done.exit_code == 0, done.output
    run = yike.run.Run(county / "自定-run")
    head, *rows = io.read_table(run.folder / "workbook.xlsx", sheet="改限值后变动的宅基地").rows
    assert {row[head.index("触发的限制")] for row in rows} == {"坡度超过20度"}
    moved = run.table("ways_moved")
    between = base.loc[(base["slope_deg_mean"] > 20) & (base["way"] == "reclaim"), "homestead_id"]
    assert moved["homestead_id"].tolist() == between.tolist()
    assert len(moved) > 3
    assert f"{len(moved)} 宗宅基地的去向与默认不同" in done.output
    assert moved["homestead_id"].iloc[0] in done.output
    # the limit that a province may announce, which is none by default
    local = yike_("run", with_limits(county, '"steep_local.over" = 20'), "--only", ",".join(ONLY))
    assert local.exit_code == 0, local.output
    assert run.table("ways_moved")["homestead_id"].tolist() == between.tolist()
    stopped(yike_("run", with_limits(county, '"steep.ovr" = 20')), "reclamation.steep.ovr", "steep.over")
    stopped(yike_("run", with_limits(county, '"steep.over" = "二十"')), "steep.over", "二十")


def test_an_own_limit_inside_a_class_of_the_slope_map_moves_what_terrain_says_of_that_class(county: Path):
    """A map of classes 15-25 and over 25 over ground from 8 to 34 degrees, and a limit of 20."""
    (lon,), (lat,) = degrees([(0, 0)])
    rim = lon + 0.065  # about 25 degrees
    classes = gpd.GeoDataFrame(
        {"坡度级别": [4, 5]}, crs=4490,
        geometry=[shapely.box(lon - 1, lat - 1, rim, lat + 1), shapely.box(rim, lat - 1, lon + 1, lat + 1)],
    )  # fmt: skip
    io.write_vector(classes, county / "坡度图.gpkg")
    text = (county / "某县.toml").read_text("utf-8").replace("[network]", 'slope_map = "坡度图.gpkg"\n[network]')
    (county / "某县.toml").write_text(text, "utf-8")
    base = yike.open(county / "某县.toml").run(only=ONLY).table("homesteads")
    run = yike.open(with_limits(county, '"steep.over" = 20')).run(only=ONLY)
    inside = base["slope_source"].eq("survey") & base["way"].eq("reclaim")
    over = base.loc[inside & (base["slope_terrain_deg"] > 20), "homestead_id"]
    assert 3 < len(over) < inside.sum()
    assert run.table("ways_moved")["homestead_id"].tolist() == over.tolist()


def test_terrain_of_the_old_villages_alone_serves_the_plots_and_no_walk(county: Path):
    (lon,), (lat,) = degrees([(0, 0)])
    rows = io.read_table(county / "安置点.xlsx").rows
    far = [rows[0], (*rows[1][:4], str(lon), str(lat - 0.5))]
    io.write_table(far, county / "安置点.xlsx", sheet="安置点")
    Town().street((0, -550), (40, -550)).write(county / "路.osm")
    run = yike.open(county / "某县.toml").run(only=[*ONLY, "access", "map"])
    assert "terrain_only_of_plots" in set(run.table("problems")["code"])
    assert run.table("homesteads")["slope_deg_mean"].notna().all()
    assert len(run.access)


def test_a_plot_is_explained_gate_by_gate(county: Path):
    by_plot = yike_("explain", county / "某县.toml", "--plot", "Z39")
    assert by_plot.exit_code == 0, by_plot.output
    assert by_plot.stdout == yike_("explain", county / "某县.toml", "--plot", "J39").stdout
    said = by_plot.stdout.splitlines()
    assert said[0].startswith("宅基地 Z39")
    assert said[1] == "旧房 J39（按旧房编号匹配，1 户）：待拆"
    gates = {line.strip().split("：")[0]: line for line in said if "【" in line}
    assert len(gates) == len(catalog.load().reclamation.gates)
    steep = gates["【触发】 坡度超过25度"]
    assert "（限值 > 25°, > 50%）→ 只可复绿（已核对来源：水土保持法 第二十条）" in steep
    assert "【未触发】 坡度超过本省公布的限值" in gates
    assert "【无数据】 紧邻耕地" in gates  # no survey
    assert "去向：复绿" in by_plot.stdout
    assert PERSON not in by_plot.stdout
    english = yike_("--language", "en", "explain", county / "某县.toml", "--plot", "Z00")
    assert "[passes] over 25 degrees" in english.stdout
    stopped(yike_("explain", county / "某县.toml", "--plot", "Z9"), "Z9", "Z39")
    assert "距耕地 不明 米" in by_plot.stdout
    assert "最差因子：道路" in by_plot.stdout  # of those that score nothing the first
    looked = yike_("explain", county / "某县.toml", "--plot", "Z28").stdout
    assert "须现场核查：坡度接近限值（平均 2" in looked
    assert "，限值 25°）" in looked
    rows = [*io.read_table(county / "旧房.xlsx").rows, ("J99", "张某", PERSON, "甲村", "否")]
    io.write_table(rows, county / "旧房.xlsx")
    stopped(yike_("explain", county / "某县.toml", "--plot", "J99"), "旧房.xlsx 第 42 行", "没有与它对应的宅基地")
    for words in (("--plot", "Z39", "--place", "A1"), ("--place", "A1"), ()):
        assert yike_("explain", county / "某县.toml", *words).exit_code == 2


def test_reasons_stand_in_words_and_nobody_is_named(county: Path):
    run = yike.open(county / "某县.toml").run(only=[*ONLY, "workbook"])
    table = run.table("homesteads")
    steep = table[table["way"] == "regreen"]
    assert len(steep) > 5
    assert steep["reasons"].str.contains("坡度超过25度（").all()
    assert (table["matched_by"] == "house_id").all()
    with zipfile.ZipFile(run.folder / "workbook.xlsx") as book:
        told = b"".join(book.read(name) for name in book.namelist()).decode()
    assert "复绿" in told
    for path in run.folder.rglob("*.parquet"):
        text = pd.read_parquet(path).to_csv()
        assert PERSON not in text
        assert "张某" not in text
    assert PERSON not in told


@pytest.mark.parametrize(("make", "code"), [
    (lambda f: f.set_crs(None, allow_override=True), "crs_missing"),
    (lambda f: f.to_crs(4490).set_crs(4610, allow_override=True), "crs_needs_parameters"),
    (lambda f: f.to_crs(4543).set_crs(4490, allow_override=True), "shapes_not_degrees"),
])  # fmt: skip
def test_a_layer_that_cannot_be_placed_is_told_and_the_rest_is_computed(county: Path, make, code):
    frame = gpd.read_file(county / "旧宅.gpkg")
    (county / "旧宅.gpkg").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no system is the point
        make(frame).to_file(county / "旧宅.gpkg", layer="旧宅", engine="pyogrio")
    run = yike.open(county / "某县.toml").run(only=["demolition", "access"])
    problems = run.table("problems")
    assert code in set(problems["code"]), problems[["code", "what"]]
    assert run.table("demolition").set_index("unit_level").loc["county", "houses_n"] == 40
    assert len(run.access)
    # its plots come out with their houses, on hold, and nothing is counted as nothing
    whole = yike.open(county / "某县.toml").run(only=[*ONLY, "map", "workbook"])
    plots = whole.table("homesteads")
    assert plots["way"].tolist() == ["hold"] * 40
    assert (plots["matched_by"] == "house_id").all()
    assert plots["area_m2"].isna().all()
    assert whole.table("quota")["potential_mu"].isna().all()
    assert yike_("field", whole.folder).exit_code == 0


def test_bad_plots_are_named_and_the_others_computed(county: Path):
    frame = gpd.read_file(county / "旧宅.gpkg")
    shapes = list(frame.geometry)
    x, y = shapes[0].bounds[:2]
    shapes[0] = shapely.Polygon([(x, y), (x + 0.0002, y + 0.0002), (x + 0.0002, y), (x, y + 0.0002)])
    shapes[1] = None
    shapes[2] = shapely.LineString([(x, y), (x + 0.001, y)])
    shapes[3] = shapely.difference(shapes[3], shapely.centroid(shapes[3]).buffer(0.00002))
    shapes[4] = shapely.box(102.0, 20.0, 102.0001, 20.0001)  # beyond the terrain
    frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=4490))
    (county / "旧宅.gpkg").unlink()
    io.write_vector(frame, county / "旧宅.gpkg")
    run = yike.open(county / "某县.toml").run(only=ONLY)
    table = run.table("homesteads").set_index("homestead_id")
    assert table.loc[["Z01", "Z02", "Z04"], "way"].tolist() == ["hold"] * 3
    assert table.loc["Z04", "reasons"] == "坡度不明：坡度图和地形都未覆盖"
    told = run.table("problems").set_index("code")["what"]
    assert told["plots_without_slope"] == "1 宗不在任何一幅地形内（Z04）。"
    assert told["plots_far"] == "1 宗离其余宅基地两度以上（Z04）。"
    assert (table["way"] != "hold").sum() == 37
    assert {"shape_crossing", "shape_missing", "shape_without_area"} <= set(run.table("problems")["code"])


def test_ten_thousand_plots_of_one_id_come_out_one_by_one(county: Path):
    (lon,), (lat,) = degrees([(0, 0)])
    boxes = [shapely.box(lon + n % 100 * 2e-4, lat + n // 100 * 1e-4, lon + n % 100 * 2e-4 + 1e-4, lat + n // 100 * 1e-4 + 5e-5)
             for n in range(10_000)]  # fmt: skip
    (county / "旧宅.gpkg").unlink()
    io.write_vector(
        gpd.GeoDataFrame({"宅基地编号": "Z"}, geometry=boxes, crs=4490, index=range(10_000)), county / "旧宅.gpkg"
    )
    run = yike.open(county / "某县.toml").run(only=["reclamation"])
    table = run.table("homesteads")
    assert len(table) == table["homestead_id"].nunique() == 10_000
    assert (run.table("problems")["code"] == "id_repeated").sum() == 9_999


def test_workbooks_of_one_folder_need_not_have_the_same_columns(county: Path):
    (county / "旧房").mkdir()
    (county / "旧房.xlsx").rename(county / "旧房" / "一.xlsx")
    heading = ("旧房编号", "村", "是否拆除", "拆除时间", "是否复垦", "复垦面积（㎡）", "保留原因")
    io.write_table([heading, ("K1", "乙村", "是", "2024-05-01", "是", 120, "")], county / "旧房" / "二.xlsx")
    text = (county / "某县.toml").read_text("utf-8").replace('"旧房.xlsx"', '"旧房"')
    (county / "某县.toml").write_text(text, "utf-8")
    run = yike.open(county / "某县.toml").run(only=ONLY)
    table = run.table("demolition").set_index("unit_level")
    assert table.loc["county", ["houses_n", "demolished_n", "reclaimed_n"]].tolist() == [41, 1, 1]


def test_the_field_gets_lists_sheets_and_layers(county: Path):
    yike.open(county / "某县.toml").run(only=ONLY)
    key = [("旧房编号", "户主", "电话"), *((f"J{n:02d}", f"户{n}", "13800138000") for n in range(40))]
    io.write_table(key, county / "钥匙.xlsx")
    done = yike_("field", county / "某县-run", "--seed", 7, "--key", county / "钥匙.xlsx", "--margin", 20)
    assert done.exit_code == 0, done.output
    out = county / "某县-run-field"
    table = pd.read_parquet(county / "某县-run" / "tables" / "homesteads.parquet")
    doubtful = set(table.loc[table["field_check"], "homestead_id"])
    listed = io.read_table(out / "check_list.xlsx").rows
    ids = [row[0] for row in listed[1:]]
    assert doubtful < set(ids)
    assert len(ids) == len(set(ids))
    again = yike_("field", county / "某县-run", "--seed", 7, "--margin", 20, "--out", county / "再")
    assert again.exit_code == 0
    assert [row[0] for row in io.read_table(county / "再" / "check_list.xlsx").rows[1:]] == ids
    for name in ("plots.kml", "plots.gpx", "plots.shp"):
        layer = "waypoints" if name.endswith("gpx") else None
        assert len(gpd.read_file(out / name, layer=layer)) == len(ids)
    assert gpd.read_file(out / "plots.shp", encoding="GBK")["去向"].isin(["复垦", "复绿", "待定"]).all()
    for path in out.iterdir():
        content = path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                content = b"".join(book.read(name) for name in book.namelist())
        # names are on what is printed and nowhere else
        assert ("户3".encode() in content) == (path.name == "field_sheets.xlsx"), path.name
    stopped(
        yike_("field", county / "某县-run", "--out", county / "某县-run" / "外业"), "外业"
    )  # names stay out of it
    stopped(yike_("field", county), "不是一个结果文件夹")
    io.write_table(key, county / "某县-run" / "钥匙.xlsx")
    stopped(yike_("field", county / "某县-run", "--key", county / "某县-run" / "钥匙.xlsx"), "钥匙")
    stopped(yike_("field", county / "某县-run", "--out", county / "某县-run"), "某县-run")


def test_a_run_without_plots_has_nothing_for_the_field(county: Path):
    none = gpd.read_file(county / "旧宅.gpkg").iloc[:0]
    (county / "旧宅.gpkg").unlink()
    none.to_file(county / "旧宅.gpkg", layer="旧宅", engine="pyogrio")
    run = yike.open(county / "某县.toml").run(only=ONLY)
    assert len(run.table("homesteads")) == 0
    stopped(yike_("field", run.folder), "宅基地")


def test_names_are_joined_to_their_own_house_whatever_the_key_looks_like(tmp_path: Path):
    table = pd.DataFrame({"homestead_id": ["A", "B", "C", "D"], "house_id": ["J(1)", "J（2）", "3@甲乡乙村", "4"],
                          "town": "", "village": ["甲村", "甲村", "乙村", "丙村"]})  # fmt: skip
    (tmp_path / "钥匙.csv").write_text(
        "旧房编号,村,户主,电话,电话\nj(1),甲村,张,1,2\nJ(2),甲村,李,3\nJ(2),甲村,赵\n3,乙村,王,5,6\n3,丁村,孙,7,8\n",
        "utf-8",
    )
    bare = table.assign(house_id=["3", "3", "3", "3"], village=["丁村", "乙村", "丙村", ""])
    # a number of several villages is nobody's without its village
    assert _with_key(bare, tmp_path / "钥匙.csv")[0]["户主"].tolist() == ["孙", "王", "", ""]
    joined, extra = _with_key(table, tmp_path / "钥匙.csv")
    assert extra == ["村", "户主", "电话", "电话 "]
    assert joined["户主"].tolist() == ["张", "李、赵", "王", ""]
    assert joined[["电话", "电话 "]].to_numpy().tolist() == [["1", "2"], ["3", ""], ["5", "6"], ["", ""]]
    # two villages of one name
    (tmp_path / "镇.csv").write_text(
        "旧房编号,乡镇,村,户主\n1,东乡,上坡村,张\n1,西乡,上坡村,李\n2,东乡,上坡村,王\n3,,上坡村,赵\n", "utf-8"
    )
    ids = [
        "1@东乡上坡村",
        "1@西乡上坡村",
        "1@上坡村",
        "2@东乡上坡村",
        "2@西乡上坡村",
        "3@东乡上坡村",
        "3@西乡上坡村",
    ]
    towns = ["东乡", "西乡", "", "东乡", "西乡", "东乡", "西乡"]
    both = pd.DataFrame({"homestead_id": ids, "house_id": ids, "town": towns, "village": "上坡"})
    assert _with_key(both, tmp_path / "镇.csv")[0]["户主"].tolist() == ["张", "李", "", "王", "", "", ""]


def test_each_kind_of_shape_has_a_file_and_what_is_not_there_has_none(tmp_path: Path):
    about = {"homestead_id": ["A\x0b", "B"], "house_id": "", "town": "", "village": "", "area_m2": 100.0,
             "slope_terrain_deg": 5.0, "way": "复垦", "why": "抽样", "reasons": "", "checks": ""}  # fmt: skip
    both = gpd.GeoDataFrame(
        about, geometry=[shapely.box(102, 28, 102.001, 28.001), shapely.Point(102, 28)], crs=4326
    )
    assert not_gbk_n(both.assign(area_m2=float("nan"))) == 0
    assert not_gbk_n(both.assign(village=["㛃村", "甲村"])) == 1
    for frame, names in (
        (both, ["plots.kml", "plots.gpx", "plots.shp", "plots_points.shp"]),
        (both.iloc[1:], ["plots.kml", "plots.gpx", "plots_points.shp"]), (both.iloc[:0], []),
        (both.set_geometry(gpd.GeoSeries([None, None], crs=4326)), []),
    ):  # fmt: skip
        assert [path.name for path in write_layers(frame, tmp_path)] == names
        assert sorted(p.name for p in tmp_path.iterdir() if p.suffix in (".kml", ".gpx", ".shp")) == sorted(names)
        for name in names:
            read = gpd.read_file(tmp_path / name, layer="waypoints" if name.endswith("gpx") else None)
            assert len(read) == (1 if name.endswith("shp") else len(frame))


def test_tiles_of_another_system_are_named_and_the_rest_is_read(county: Path):
    grid = Affine(30, 0, 500_000, 0, -30, 3_100_000)
    with rasterio.open(county / "另一幅.tif", "w", driver="GTiff", width=60, height=60, count=1, dtype="float32",
                       crs="EPSG:4544", transform=grid) as out:  # fmt: skip
        out.write(np.tile(np.arange(60, dtype=np.float32), (60, 1)), 1)
    broken = (
        (county / "某县.toml").read_text("utf-8").replace('dem = ["高程.tif"]', 'dem = ["高程.tif", "另一幅.tif"]')
    )
    (county / "某县.toml").write_text(broken, "utf-8")
    run = yike.open(county / "某县.toml").run(only=ONLY)
    assert run.table("homesteads")["slope_deg_mean"].notna().sum() > 30
    told = run.table("problems")
    assert told.loc[told["code"] == "raster_crs_differs", "file"].unique().tolist() == ["另一幅.tif"]


def test_a_ledger_without_rows_and_prices_that_nobody_knows(county: Path):
    io.write_table([("旧房编号", "户主姓名", "村", "是否拆除")], county / "旧房.xlsx")
    done = yike_("run", county / "某县.toml", "--only", ",".join(ONLY))
    assert done.exit_code == 0, done.output
    text = (county / "某县.toml").read_text("utf-8")
    (county / "价.toml").write_text(text + "[quota]\nin_provnce = 30\n", "utf-8")
    stopped(yike_("run", county / "价.toml"), "quota.in_provnce", "in_province")
