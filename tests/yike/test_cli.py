"""The command line as a planner meets it: exit codes, one clear sentence, no traceback, no half-written folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from geo import io, osm
from tests.flatland import Town, degrees
from yike import cli
from yike.recognise import PROJECT_FILE

HEADING = ("编号", "安置点名称", "安置方式", "安置人口", "经度", "纬度")


def yike_(*words: object) -> Result:
    return CliRunner().invoke(cli.cli, [str(word) for word in words])


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A town with one settlement, a clinic and a school, in a folder with a project file."""
    folder = tmp_path / "某县"
    folder.mkdir()
    things = [
        ((2, 0), {"amenity": "doctors", "name": "村卫生室"}),
        ((3, 0), {"amenity": "school", "name": "样例小学"}),
    ]
    Town().street((0, 0), (30, 0)).write(folder / "路.osm", things=things)
    (lon,), (lat,) = degrees([(1, 0)])
    io.write_table([HEADING, ("A1", "新村", "农村", 128, lon, lat)], folder / "安置点.xlsx", sheet="安置点")
    io.write_raster(np.full((60, 60), 500, np.float32), folder / "高程.tif", west=102.7, north=28.05, step=0.002)
    (folder / "某县.toml").write_text(
        '[project]\nname = "某县"\n[layers]\nsettlements = "安置点.xlsx"\nfacilities = [{ osm = true }]\n'
        '[network]\nosm = "路.osm"\n[terrain]\ndem = ["高程.tif"]\n', "utf-8",
    )  # fmt: skip
    return folder


def broken(folder: Path, old: str, new: str) -> Path:
    path = folder / "某县.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return path


def stopped(result: Result, *said: str) -> None:
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    for text in said:
        assert text in result.output


def test_a_run_says_where_the_map_is(county: Path):
    result = yike_("run", county / "某县.toml")
    assert result.exit_code == 0, result.output
    assert (county / "某县-run" / "map.html").is_file()
    assert str(county / "某县-run" / "map.html") in result.output
    assert {path.name for path in (county / "某县-run").iterdir()} == {
        "map.html", "workbook.xlsx", "results.gpkg", "run.json", "tables",
    }  # fmt: skip


def test_a_number_is_explained_by_its_way(county: Path):
    for words in (
        ("--place", "A1", "--category", "village_clinic"),
        ("--place", "新村", "--category", "村卫生室"),
    ):
        result = yike_("explain", county / "某县.toml", *words)
        assert result.exit_code == 0, result.output
        said = result.stdout.splitlines()
        assert said[0] == "新村 → 村卫生室（成人，步行）"
        assert said[1] == "结论：达标；用时 1.5 分钟，限值 30.0 分钟"
        assert "路程 100 米" in said[2]
        assert any(line.strip().startswith("residential 1：100 米，1.5 分钟，升 +0 米") for line in said)
        assert said[-1].strip() == "村卫生室（村卫生室）：1.5 分钟；去 1.5 分钟，回 1.5 分钟"
    english = yike_("--language", "en", "explain", county / "某县.toml", "--place", "A1", "--category", "bus stop")
    assert "verdict: no data" in english.stdout
    wrong = yike_("explain", county / "某县.toml", "--place", "新", "--category", "村卫生")
    assert wrong.exit_code == 1
    assert "新村" in wrong.output
    assert "村卫生室" in wrong.output
    assert "Traceback" not in wrong.output


def test_check_changes_nothing(county: Path):
    before = sorted(path.name for path in county.iterdir())
    result = yike_("check", county / "某县.toml")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in county.iterdir()) == before
    assert "1 处安置点" in result.output


def test_english_on_demand(county: Path):
    result = yike_("--language", "en", "run", county / "某县.toml")
    assert result.exit_code == 0
    assert "Map:" in result.output
    assert "Internal working map" in (county / "某县-run" / "map.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"安置点.xlsx"', '"没有.xlsx"', ("没有.xlsx", "找不到这个文件")),
        ('"路.osm"', '"安置点.xlsx"', ("安置点.xlsx", "不是这里能读的文件类型", ".osm.pbf")),
        ('"安置点.xlsx"', '"高程.tif"', ("高程.tif", "不是这里能读的文件类型")),
        ("[terrain]", "[terain]", ("terain", "terrain")),
        ('name = "某县"', 'nam = "某县"', ("project.nam", "name")),
        ('"某县"\n', '"某县\n', ("某县.toml", "写法有误")),
    ],
)
def test_bad_input_is_one_clear_sentence_and_no_folder(county: Path, old, new, said):
    path = broken(county, old, new)
    for command in ("run", "check"):
        stopped(yike_(command, path), *said)
    assert not (county / "某县-run").exists()
    assert not [p for p in county.iterdir() if p.name.startswith(".")]


def test_a_missing_tile_of_terrain_is_a_fault_and_the_rest_goes_on(county: Path):
    path = broken(county, '["高程.tif"]', '["高程.tif", "缺.hgt"]')
    done = yike_("run", path)
    assert done.exit_code == 0, done.output
    problems = pd.read_parquet(county / "某县-run" / "tables" / "problems.parquet")
    told = problems[problems["file"] == "缺.hgt"]
    assert (told["severity"] == "fault").all()
    assert len(told) == 1
    stopped(yike_("run", broken(county, '["高程.tif", "缺.hgt"]', '["缺.hgt"]')), "缺.hgt", "找不到")


def test_every_missing_file_is_told_at_once(county: Path):
    broken(county, '"路.osm"', '"甲.osm"')
    path = broken(county, '"安置点.xlsx"', '"乙.xlsx"')
    stopped(yike_("run", broken(county, '"高程.tif"', '"丙.tif"')), "甲.osm", "乙.xlsx", "丙.tif")
    assert path.is_file()


def test_a_network_that_touches_no_place(county: Path):
    osm.write_osm(
        county / "路.osm",
        [osm.Node(1, 43.3, -11.6), osm.Node(2, 43.4, -11.6)],
        [osm.Way(1, [1, 2], {"highway": "path"})],
    )
    stopped(yike_("run", county / "某县.toml"), "路.osm", "1 个安置点没有一个在路网附近")
    assert not (county / "某县-run").exists()


def test_a_network_without_streets(county: Path):
    osm.write_osm(county / "路.osm", [osm.Node(1, 102.75, 28.0)], [])
    stopped(yike_("run", county / "某县.toml"), "路.osm", "没有一条道路")


def test_a_raster_that_covers_none(county: Path):
    io.write_raster(np.full((9, 9), 500, np.float32), county / "高程.tif", west=43, north=-11, step=0.01)
    stopped(yike_("run", county / "某县.toml"), "高程.tif", "没有盖住任何一个")
    people = broken(county, "[network]", 'people = "人口.tif"\n[network]')
    io.write_raster(np.full((9, 9), 5, np.float32), county / "人口.tif", west=43, north=-11, step=0.01)
    stopped(yike_("run", people), "人口.tif", "高程.tif")


def test_a_ledger_without_settlements(county: Path):
    io.write_table([HEADING], county / "安置点.xlsx", sheet="安置点")
    stopped(yike_("run", county / "某县.toml"), "没有一个安置点")


def test_an_empty_folder(tmp_path: Path):
    stopped(yike_("init", tmp_path), "里面没有能读的文件")
    stopped(yike_("init", tmp_path / "none"), "没有这个文件夹")
    stopped(yike_("run", tmp_path / "none.toml"), "找不到项目文件")
    stopped(yike_("run", tmp_path), "找不到项目文件")
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_folder_is_not_written_over(county: Path):
    foreign = county / "重要"
    foreign.mkdir()
    (foreign / "信.txt").write_text("x", "utf-8")
    stopped(yike_("run", county / "某县.toml", "--out", foreign), "不是本程序写出的内容")
    assert [p.name for p in foreign.iterdir()] == ["信.txt"]
    stopped(yike_("demo", foreign), "里面有别的文件")
    stopped(yike_("run", county / "某县.toml", "--out", foreign / "信.txt" / "里面"), "写不了运行文件夹")


def test_one_bad_row_does_not_stop_the_run(county: Path):
    (lon,), (lat,) = degrees([(1, 0)])
    rows = [
        HEADING,
        ("A1", "新村", "农村", 128, lon, lat),
        ("A2", "旧村", "农村", "好多", lat, lon),
        ("", "", "", "", "", ""),
    ]
    io.write_table(rows, county / "安置点.xlsx", sheet="安置点")
    result = yike_("check", county / "某县.toml")
    assert result.exit_code == 0
    assert "安置点.xlsx 〔安置点〕 第 3 行 经度" in result.output
    assert "经纬度疑似颠倒" in result.output
    assert yike_("run", county / "某县.toml").exit_code == 0
    places = pd.read_parquet(county / "某县-run" / "tables" / "places.parquet")
    assert places["place_id"].tolist() == ["A1", "A2"]


def test_wrong_use_is_two(county: Path):
    assert yike_("run").exit_code == 2
    assert yike_("fly").exit_code == 2
    assert yike_("--language", "fr", "doctor").exit_code == 2


def test_an_inner_fault_is_told_without_a_traceback(county: Path, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("an inner fault")

    monkeypatch.setattr("yike.run.computing_stages", fails)
    result = yike_("run", county / "某县.toml")
    stopped(result, "程序内部出错（RuntimeError）")
    report = Path(result.output.split("请把 ")[1].split(" ")[0])
    assert "an inner fault" in report.read_text("utf-8")
    report.unlink()
    assert not (county / "某县-run").exists()


def test_init_proposes_a_project_that_runs(county: Path):
    (county / "某县.toml").unlink()
    (county / "说明.docx").write_bytes(b"x")
    result = yike_("init", county)
    assert result.exit_code == 0, result.output
    text = (county / PROJECT_FILE).read_text("utf-8")
    assert "猜测" in text
    assert "说明.docx" in text
    assert yike_("run", county / PROJECT_FILE).exit_code == 0
    again = yike_("init", county)
    stopped(again, "未改动")
    assert (county / PROJECT_FILE).read_text("utf-8") == text


def test_doctor_looks_round():
    result = yike_("doctor")
    assert result.exit_code in (0, 1)  # 1 where no Chinese font is found
    assert "numba" in result.output
    assert "数据驱动: 正常" in result.output


def test_the_console_command_is_there():
    done = subprocess.run(
        [Path(sys.executable).with_name("yike"), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("yike, version")


def test_what_a_person_put_into_the_run_folder_stays(county: Path):
    assert yike_("run", county / "某县.toml").exit_code == 0
    out = county / "某县-run"
    (out / "批注.docx").write_bytes(b"x")
    (out / "照片").mkdir()
    assert yike_("run", county / "某县.toml").exit_code == 0
    assert (out / "批注.docx").read_bytes() == b"x"
    assert (out / "照片").is_dir()
    assert (out / "map.html").is_file()


def test_a_run_json_of_somebody_else_does_not_make_a_folder_ours(county: Path):
    foreign = county / "别的"
    foreign.mkdir()
    (foreign / "run.json").write_text('{"a": 1}', "utf-8")
    stopped(yike_("run", county / "某县.toml", "--out", foreign), "不是本程序写出的内容")


def test_a_settlement_beyond_the_data_does_not_stop_the_run(county: Path):
    path = broken(county, '"路.osm"', '"裁.osm.pbf"')
    Town(cut=True, margin=1).street((0, 0), (30, 0)).write(county / "裁.osm.pbf")
    (lon, near), (lat, by) = degrees([(1, 0), (5, 2)])
    io.write_table(
        [HEADING, ("A1", "新村", "农村", 1, lon, lat), ("A2", "边村", "农村", 2, near, by)],
        county / "安置点.xlsx",
        sheet="安置点",
    )
    result = yike_("run", path)
    assert result.exit_code == 0, result.output
    access = pd.read_parquet(county / "某县-run" / "tables" / "access.parquet")
    assert set(access.loc[access["place_id"] == "A2", "status"]) <= {"outside_data", "no_data"}


def test_an_area_without_polygons(county: Path):
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy([102.75], [28.0]), crs=4326)
    io.write_layer(frame, county / "界.gpkg", layer="界")
    stopped(yike_("run", broken(county, "[layers]", '[area]\nservice = "界.gpkg"\n[layers]')), "界.gpkg", "没有面")


def test_an_undeclared_void_is_no_height(county: Path):
    values = np.full((60, 60), 500, np.float32)
    values[25, 26] = 32767
    io.write_raster(values, county / "高程.tif", west=102.7, north=28.05, step=0.002)
    result = yike_("check", county / "某县.toml")
    assert result.exit_code == 0
    assert "有 1 格高程不在 -500 至 9000 米之间" in result.output


def test_a_layer_nobody_chose_is_said(county: Path):
    frame = gpd.GeoDataFrame({"安置点名称": ["新村"]}, geometry=gpd.points_from_xy([102.75], [28.0]), crs=4326)
    for layer in ("甲", "乙"):
        io.write_layer(frame, county / "点.gpkg", layer=layer)
    result = yike_("check", broken(county, '"安置点.xlsx"', '"点.gpkg"'))
    assert result.exit_code == 0, result.output
    assert "有 2 个图层（甲、乙），读了第一个“甲”" in result.output


def test_no_number_of_a_person_reaches_any_file(county: Path):
    id_number, mobile = "11010519491231002X", "13800138000"
    (lon,), (lat,) = degrees([(1, 0)])
    rows = [HEADING, (id_number, f"新村 {mobile}", "农村", f"128人 {mobile}", lon, lat)]
    io.write_table(rows, county / "安置点.xlsx", sheet="安置点")
    square = gpd.GeoDataFrame(
        {"编号": [id_number]}, geometry=[gpd.points_from_xy([lon], [lat])[0].buffer(1e-4)], crs=4326
    )
    io.write_layer(square, county / "旧宅.gpkg", layer="旧宅")
    result = yike_("run", broken(county, "[network]", 'homesteads = "旧宅.gpkg"\n[network]'))
    assert result.exit_code == 0, result.output
    assert id_number not in result.output
    assert mobile not in result.output
    out = county / "某县-run"
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) > 10
    for path in written:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = pd.read_parquet(path).to_csv().encode()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                content = b"".join(book.read(name) for name in book.namelist())
        assert id_number.encode() not in content, path.name
        assert mobile.encode() not in content, path.name


def test_when_no_row_can_be_used_the_rows_are_named(county: Path):
    (lon,), (lat,) = degrees([(1, 0)])
    io.write_table(
        [HEADING, ("A1", "新村", "农村", 1, lat, lon), ("A2", "旧村", "农村", 1, "", "")],
        county / "安置点.xlsx",
        sheet="安置点",
    )
    stopped(
        yike_("run", county / "某县.toml"),
        "2 个安置点没有一个有可用的坐标",
        "第 2 行",
        "经纬度疑似颠倒",
        "第 3 行",
    )


def test_a_table_in_china_that_names_no_system_is_a_doubt(county: Path):
    assert "安置点.xlsx：没有写明坐标系" in yike_("check", county / "某县.toml").output
    path = broken(county, '"安置点.xlsx"', '{ path = "安置点.xlsx", crs = "WGS-84" }')
    assert "没有写明坐标系" not in yike_("check", path).output


def test_a_fault_of_one_file_is_told_once(county: Path):
    (county / "路.osm").write_bytes(b"<osm")
    result = yike_("run", county / "某县.toml")
    stopped(result, "路.osm：OSM 文件打不开")
    assert result.output.count("OSM 文件打不开") == 1


def test_a_wrong_value_is_shown(county: Path):
    stopped(yike_("check", broken(county, 'name = "某县"', "name = 7")), "project.name 的写法不对（7）")


@pytest.mark.parametrize(
    ("name", "layer"),
    [("pop_raster.tif", "people"), ("ASTGTM2_N28.tif", "dem"), ("aster_gdem.tif", "dem"), ("raster01.tif", "")],
)
def test_rasters_are_told_apart_by_name(tmp_path: Path, name, layer):
    (tmp_path / "a.osm").write_bytes(b"x")
    io.write_raster(np.zeros((3, 3), np.float32), tmp_path / name, west=102.7, north=28.05, step=0.002)
    yike_("init", tmp_path)
    text = (tmp_path / PROJECT_FILE).read_text("utf-8")
    assert (f'people = "{name}"' in text) == (layer == "people")
    assert (f'dem = ["{name}"]' in text) == (layer == "dem")


def test_people_without_any_place_are_no_inner_fault(county: Path):
    io.write_table([HEADING, ("A2", "旧村", "农村", 1, "", "")], county / "安置点.xlsx", sheet="安置点")
    io.write_raster(np.ones((9, 9), np.float32), county / "人口.tif", west=102.7, north=28.05, step=0.01)
    stopped(
        yike_("run", broken(county, "[network]", 'people = "人口.tif"\n[network]')),
        "1 个安置点没有一个有可用的坐标",
    )


def test_a_geodatabase_is_found_measured_and_signed(county: Path):
    (lon,), (lat,) = degrees([(1, 0)])
    frame = gpd.GeoDataFrame(
        {"安置点名称": ["新村"], "安置人口": [128]}, geometry=gpd.points_from_xy([lon], [lat]), crs=4326
    )
    io.write_vector(frame, county / "安置点.gdb", layer="安置点")
    (county / "安置点.xlsx").unlink()
    (county / "某县.toml").unlink()
    result = yike_("init", county)
    assert result.exit_code == 0, result.output
    text = (county / PROJECT_FILE).read_text("utf-8")
    assert "安置点.gdb" in text
    assert "gdbtable" not in text
    result = yike_("run", county / PROJECT_FILE)
    assert result.exit_code == 0, result.output
    (record,) = county.rglob("run.json")
    assert "安置点.gdb" in record.read_text("utf-8")
