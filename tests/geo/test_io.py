from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
import xlsxwriter
from affine import Affine

from geo import crs, io
from geo.problems import Stop

ROWS = (("安置点名称", "安置人口", "经度"), ("幸福社区", "12", "102.5"), ("新村", "", "102.6"))


def stopped(work) -> list[str]:
    with pytest.raises(Stop) as stop:
        work()
    return [problem.code for problem in stop.value.problems]


# --- tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_in_what_encoding_it_comes(tmp_path: Path, encoding, mark):
    path = tmp_path / "台账.csv"
    text = "安置点 台账\r\n" + "\r\n".join(mark.join(row) for row in ROWS)
    path.write_bytes(text.encode(encoding))
    assert io.read_table(path).rows == (("安置点 台账",), *ROWS)


def test_cells_in_quotes_may_hold_marks_and_lines(tmp_path: Path):
    path = tmp_path / "台账.csv"
    path.write_text('名称,说明\n"甲,乙","一行\n两行"\n', "utf-8")
    assert io.read_table(path).rows == (("名称", "说明"), ("甲,乙", "一行\n两行"))


def test_workbook_cells_come_as_they_are_seen(tmp_path: Path):
    path = tmp_path / "台账.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("空")
        sheet = book.add_worksheet("安置点")
        sheet.write_row(2, 1, ["名称", "人口", "面积"])
        sheet.write_row(3, 1, ["新村", 12, 0.5])
    table = io.read_table(path)
    assert table.sheet == "安置点"  # the first that holds anything
    assert table.rows[2:] == (
        ("", "名称", "人口", "面积"),
        ("", "新村", "12", "0.5"),
    )  # row 1 of the file is rows[0]
    assert io.sheet_names(path) == ["空", "安置点"]
    assert stopped(lambda: io.read_table(path, sheet="无此页")) == ["sheet_missing"]
    assert stopped(lambda: io.read_table(path, sheet="空")) == ["table_empty"]


@pytest.mark.parametrize("name", ["台账.csv", "台账.xlsx"])
def test_what_is_written_is_read_back(tmp_path: Path, name):
    io.write_table(ROWS, tmp_path / name, sheet="页")
    assert io.read_table(tmp_path / name).rows == ROWS


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", b"PK\x03\x04 broken", "table_unreadable"),
        ("a.xls", b"not an old workbook", "table_unreadable"),
        ("a.csv", b"\xff\xfe\x00\x80\xff", "table_encoding"),
        ("a.csv", b"a,b\n\x00,2\n", "table_unreadable"),
        ("a.csv", b"\n\n,\n", "table_empty"),
        ("a.csv", b"", "file_empty"),
        ("a.docx", b"x", "file_kind"),
    ],
)
def test_a_table_that_cannot_be_read_is_said(tmp_path: Path, name, content, code):
    (tmp_path / name).write_bytes(content)
    assert stopped(lambda: io.read_table(tmp_path / name)) == [code]


def test_missing_and_folder(tmp_path: Path):
    assert stopped(lambda: io.read_table(tmp_path / "a.csv")) == ["file_missing"]
    (tmp_path / "b.csv").mkdir()
    assert stopped(lambda: io.read_table(tmp_path / "b.csv")) == ["file_is_folder"]


# --- vectors ----------------------------------------------------------------------------------------------

POINTS = gpd.GeoDataFrame(
    {"名称": ["甲", "乙"]}, geometry=[shapely.Point(102.84, 28.01), shapely.Point(102.9, 28.1)], crs="EPSG:4490"
)


@pytest.mark.parametrize("name", ["点.gpkg", "点.shp", "点.geojson"])
@pytest.mark.parametrize("code", ["EPSG:4490", "EPSG:4326", "EPSG:4543"])
def test_vectors_come_in_degrees(tmp_path: Path, name, code):
    path = tmp_path / name
    frame = POINTS.to_crs(code)
    if name.endswith(".geojson"):
        frame = frame.to_crs("EPSG:4326")  # the format knows no other
    driver = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON"}[path.suffix]
    pyogrio.write_dataframe(frame, path, driver=driver)
    read = io.read_vector(path)
    assert read["名称"].tolist() == ["甲", "乙"]
    assert read.crs.to_epsg() == 4326
    # a Shapefile's WKT of the zone gives centimetres; GeoJSON writes seven decimals
    np.testing.assert_allclose(
        shapely.get_coordinates(read.geometry), shapely.get_coordinates(POINTS.geometry), atol=1e-7
    )


def test_a_shapefile_in_gbk_is_read(tmp_path: Path):
    io.write_vector(POINTS, tmp_path / "点.shp")
    assert io.read_vector(tmp_path / "点.shp")["名称"].tolist() == ["甲", "乙"]


def test_a_declared_shift_is_undone(tmp_path: Path):
    lon, lat = crs.wgs84_to_gcj02(POINTS.geometry.x, POINTS.geometry.y)
    shifted = POINTS.set_geometry(shapely.points(lon, lat), crs="EPSG:4326")
    pyogrio.write_dataframe(shifted, tmp_path / "poi.gpkg", driver="GPKG")
    read = io.read_vector(tmp_path / "poi.gpkg", crs="GCJ-02")
    np.testing.assert_allclose(
        shapely.get_coordinates(read.geometry), shapely.get_coordinates(POINTS.geometry), atol=1e-9
    )


def test_layers_are_listed_and_chosen(tmp_path: Path):
    path = tmp_path / "多层.gpkg"
    io.write_layer(POINTS, path, layer="一")
    io.write_layer(POINTS.iloc[:1], path, layer="二")
    assert [(layer.name, layer.fields, layer.geometry) for layer in io.list_layers(path)] == [
        ("一", ("名称",), "Point"), ("二", ("名称",), "Point"),
    ]  # fmt: skip
    assert len(io.read_vector(path)) == 2
    assert len(io.read_vector(path, layer="二")) == 1
    assert stopped(lambda: io.read_vector(path, layer="三")) == ["layer_missing"]
    assert pyogrio.read_info(path, layer="一")["crs"] == "EPSG:4490"


def test_vectors_that_cannot_be_read_are_said(tmp_path: Path):
    (tmp_path / "a.gpkg").write_bytes(b"no database")
    assert stopped(lambda: io.read_vector(tmp_path / "a.gpkg")) == ["vector_unreadable"]
    io.write_vector(POINTS, tmp_path / "b.shp")
    (tmp_path / "b.prj").unlink()
    assert stopped(lambda: io.read_vector(tmp_path / "b.shp")) == ["crs_missing"]
    assert len(io.read_vector(tmp_path / "b.shp", crs="CGCS2000")) == 2
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), tmp_path / "c.gpkg", driver="GPKG")
    assert stopped(lambda: io.read_vector(tmp_path / "c.gpkg")) == ["vector_without_geometry"]
    pyogrio.write_dataframe(POINTS.set_crs("EPSG:4610", allow_override=True), tmp_path / "d.gpkg", driver="GPKG")
    assert stopped(lambda: io.read_vector(tmp_path / "d.gpkg")) == ["crs_needs_parameters"]


# --- rasters ----------------------------------------------------------------------------------------------


def grid(rows: int = 4, columns: int = 6) -> np.ndarray:
    return np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)


def test_a_raster_is_read_cell_by_cell(tmp_path: Path):
    values = grid()
    values[1, 2] = np.nan
    io.write_raster(values, tmp_path / "高程.tif", west=102.0, north=28.0, step=0.01)
    read = io.read_raster([tmp_path / "高程.tif"])
    np.testing.assert_array_equal(read.values, values)
    np.testing.assert_allclose(read.bounds, (102.0, 27.96, 102.06, 28.0))
    np.testing.assert_allclose(read.cell_centres()[0][0], 102.005)


def test_a_box_cuts_whole_cells(tmp_path: Path):
    io.write_raster(grid(), tmp_path / "a.tif", west=102.0, north=28.0, step=0.01)
    read = io.read_raster([tmp_path / "a.tif"], within=(102.015, 27.975, 102.025, 27.985))
    np.testing.assert_array_equal(read.values, grid()[1:3, 1:3])
    np.testing.assert_allclose(read.bounds, (102.01, 27.97, 102.03, 27.99))
    outside = io.read_raster([tmp_path / "a.tif"], within=(10, 10, 11, 11))
    assert np.isnan(outside.values).all()


def test_tiles_are_one_raster(tmp_path: Path):
    io.write_raster(grid()[:, :3], tmp_path / "a.tif", west=102.0, north=28.0, step=0.01)
    io.write_raster(grid()[:, 3:], tmp_path / "b.tif", west=102.03, north=28.0, step=0.01)
    read = io.read_raster([tmp_path / "b.tif", tmp_path / "a.tif"])
    np.testing.assert_array_equal(read.values, grid())


@pytest.mark.parametrize("zipped", [False, True])
def test_srtm_tiles_are_read_zipped_or_not(tmp_path: Path, zipped):
    # 1201² big-endian int16 from the north-west corner; -32768 is a void
    cells = np.full((1201, 1201), 7, ">i2")
    cells[0, 0], cells[0, 1] = 3000, -32768
    path = tmp_path / "N28E102.hgt"
    path.write_bytes(cells.tobytes())
    if zipped:
        with zipfile.ZipFile(tmp_path / "N28E102.hgt.zip", "w") as archive:
            archive.write(path, "N28E102.hgt")
        path.unlink()
        path = tmp_path / "N28E102.hgt.zip"
    read = io.read_raster([path])
    assert read.values[0, 0] == 3000
    assert np.isnan(read.values[0, 1])
    assert read.bounds[3] == pytest.approx(29.0, abs=0.001)
    assert read.bounds[0] == pytest.approx(102.0, abs=0.001)


def test_rasters_that_cannot_be_used_are_all_said(tmp_path: Path):
    (tmp_path / "bad.tif").write_bytes(b"no raster")
    io.write_raster(grid(), tmp_path / "good.tif", west=102.0, north=28.0, step=0.01)
    profile = {"driver": "GTiff", "width": 6, "height": 4, "count": 1, "dtype": "float32"}
    with rasterio.open(tmp_path / "metric.tif", "w", **profile, crs="EPSG:4543",
                       transform=Affine(10, 0, 5e5, 0, -10, 3e6)) as out:  # fmt: skip
        out.write(grid(), 1)
    with rasterio.open(tmp_path / "upside.tif", "w", **profile, crs="EPSG:4326",
                       transform=Affine(0.01, 0, 102, 0, 0.01, 28)) as out:  # fmt: skip
        out.write(grid(), 1)
    with rasterio.open(
        tmp_path / "nocrs.tif", "w", **profile, transform=Affine(0.01, 0, 102, 0, -0.01, 28)
    ) as out:
        out.write(grid(), 1)
    names = ("good.tif", "bad.tif", "gone.tif", "metric.tif", "upside.tif", "nocrs.tif")
    found = stopped(lambda: io.read_raster([tmp_path / name for name in names]))
    assert sorted(found) == sorted(
        ["raster_unreadable", "file_missing", "raster_crs_differs", "raster_not_north_up", "raster_without_crs"]
    )


def test_touching_needs_a_cell_with_data(tmp_path: Path):
    values = grid()
    values[:, :3] = np.nan
    io.write_raster(values, tmp_path / "a.tif", west=102.0, north=28.0, step=0.01)
    read = io.read_raster([tmp_path / "a.tif"])
    assert io.touches(read, (102.03, 27.9, 102.1, 28.1))
    assert not io.touches(read, (101.9, 27.9, 102.029, 28.1))
    assert io.touches(read, (102.041, 27.981, 102.041, 27.981))  # a single point in a cell


def test_relief_is_a_picture_of_the_place(tmp_path: Path):
    io.write_raster(grid(40, 60), tmp_path / "a.tif", west=102.0, north=28.0, step=0.01)
    png, box = io.shaded_png(io.read_raster([tmp_path / "a.tif"]))
    assert png.startswith(b"\x89PNG")
    np.testing.assert_allclose(box, (102.0, 27.6, 102.6, 28.0), atol=0.02)


# --- results ----------------------------------------------------------------------------------------------


def test_json_refuses_what_is_no_json(tmp_path: Path):
    io.write_json({"甲": 1.5}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text("utf-8") == '{\n  "甲": 1.5\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        io.write_json({"a": float("nan")}, tmp_path / "b.json")


def test_parquet_keeps_every_bit(tmp_path: Path):
    frame = pd.DataFrame({"time_min": [0.1, np.nan], "met": pd.array([True, pd.NA], dtype="boolean")})
    io.write_parquet(frame, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), frame)


# --- what bureaus send ------------------------------------------------------------------------------------


def test_long_text_of_a_shapefile_is_cut_between_characters_and_what_gbk_has_not_is_a_question_mark(
    tmp_path: Path,
):
    told = ["土层过薄" * 40, "x" + "土层过薄" * 40, "面积²𠮷", None]
    frame = gpd.GeoDataFrame({"理由": told, "n": [1, 2, 3, 4]}, geometry=[shapely.Point(102, 28)] * 4, crs=4326)
    io.write_vector(frame, tmp_path / "点.shp")
    read = io.read_vector(tmp_path / "点.shp")["理由"].tolist()
    assert read[:2] == [("土层过薄" * 40)[:126] + "…", "x" + ("土层过薄" * 40)[:125] + "…"]
    assert read[2] == "面积??"
    assert pd.isna(read[3])


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("with_cpg", [True, False])
@pytest.mark.filterwarnings("ignore:Could not decode error message")  # pyogrio, of the name it cuts
def test_shapefiles_in_gbk_and_utf8_with_and_without_cpg(tmp_path: Path, encoding, with_cpg):
    path = tmp_path / "点.shp"
    frame = POINTS.rename(columns={"名称": "安置点名称"}).assign(编码=pd.array([510000000001, None], "Int64"))
    pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile", encoding=encoding)
    if not with_cpg:
        path.with_suffix(".cpg").unlink()
    # a dBase name holds ten bytes: five characters in GBK, three and a third in UTF-8
    name = "安置点名称" if encoding == "GBK" else "安置点"
    read = io.read_vector(path)
    assert read.columns.tolist() == [name, "编码", "geometry"]
    assert read[name].tolist() == ["甲", "乙"]
    assert io.list_layers(path)[0].fields == (name, "编码")


def test_whole_numbers_stay_whole_where_some_are_missing(tmp_path: Path):
    frame = POINTS.assign(编码=pd.array([513431200001010001, None], "Int64"))
    pyogrio.write_dataframe(frame, tmp_path / "a.gpkg", driver="GPKG")
    assert io.read_vector(tmp_path / "a.gpkg")["编码"].astype("str").tolist()[0] == "513431200001010001"


def test_tiles_of_different_grids_are_refused(tmp_path: Path):
    io.write_raster(grid(), tmp_path / "a.tif", west=102.0, north=28.0, step=0.01)
    io.write_raster(grid(), tmp_path / "b.tif", west=102.06, north=28.0, step=0.005)
    io.write_raster(grid(), tmp_path / "c.tif", west=102.0625, north=28.0, step=0.01)
    for other in ("b.tif", "c.tif"):
        assert stopped(lambda other=other: io.read_raster([tmp_path / "a.tif", tmp_path / other])) == [
            "raster_grid_differs"
        ]


def test_a_tile_that_was_cut_short_is_said(tmp_path: Path):
    path = tmp_path / "a.tif"
    io.write_raster(
        np.random.default_rng(1).random((400, 400)).astype(np.float32), path, west=102.0, north=28.0, step=0.01
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert stopped(lambda: io.read_raster([path])) == ["raster_unreadable"]


def test_a_layer_of_nothing_can_be_written(tmp_path: Path):
    io.write_layer(
        POINTS.assign(geometry=None).set_geometry("geometry", crs=4326), tmp_path / "a.gpkg", layer="空"
    )
    assert len(io.read_vector(tmp_path / "a.gpkg")) == 2


def test_a_system_tied_to_no_place_is_refused():
    with pytest.raises(Stop) as stop:
        crs.system('LOCAL_CS["site",UNIT["metre",1]]')
    assert stop.value.problems[0].code == "crs_unknown"


# --- every vector format ----------------------------------------------------------------------------------

FORMATS = ("a.gpkg", "a.gdb", "a.shp", "a.geojson", "a.fgb", "a.parquet")
PLOTS = gpd.GeoDataFrame(
    {
        "名称": ["甲村", None, "丙村，“东头”"], "编码": pd.array([513431200001010001, None, 7], "Int64"),
        "户数": pd.array([3, None, -1], "Int32"), "面积": [1.5, np.nan, 0.25],
    },
    geometry=[shapely.LineString([(102.84, 28.01), (102.85, 28.02)]), None, shapely.LineString([(102.9, 28.1), (103, 28)])],
    crs="EPSG:4490",
)  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("code", ["EPSG:4490", "EPSG:4326", "EPSG:4543"])
def test_every_format_keeps_text_whole_numbers_shapes_and_system(tmp_path: Path, name, code):
    path = tmp_path / name
    given = PLOTS.to_crs(code)
    io.write_vector(given, path)
    assert io.kind(path) == "vector"
    (layer,) = io.list_layers(path)
    assert (layer.name, layer.fields, layer.has_crs) == ("a", ("名称", "编码", "户数", "面积"), True)
    # a geodatabase knows lines only as lines of several parts
    assert layer.geometry == ("MultiLineString" if name == "a.gdb" else "LineString")
    read = io.read_vector(path)
    assert read["名称"].fillna("").tolist() == ["甲村", "", "丙村，“东头”"]
    for column in ("编码", "户数"):
        # a code of 18 digits is more than a float holds, so it has come through none
        assert read[column].astype("str").tolist() == PLOTS[column].astype("str").tolist()
    np.testing.assert_array_equal(read["面积"], PLOTS["面积"])
    assert read.geometry.isna().tolist() == [False, True, False]
    # a Shapefile's WKT of the zone gives centimetres; GeoJSON writes seven decimals
    np.testing.assert_allclose(
        shapely.get_coordinates(read.geometry), shapely.get_coordinates(PLOTS.geometry), atol=1e-7
    )
    assert given.equals(PLOTS.to_crs(code))


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_vector_file_is_said(tmp_path: Path, name):
    path = tmp_path / name
    assert stopped(lambda: io.read_vector(path)) == ["file_missing"]
    if name == "a.gdb":
        path.mkdir()
        (path / "gdb").write_bytes(b"")
        assert stopped(lambda: io.read_vector(path)) == ["file_empty"]
        assert stopped(lambda: io.read_table(path)) == ["file_empty"]
        (path / "a00000001.gdbtable").write_bytes(b"no table")
    else:
        path.write_bytes(b"")
        assert stopped(lambda: io.read_vector(path)) == ["file_empty"]
        path.write_bytes(b"no such file at all")
    for work in (io.read_vector, io.list_layers):
        assert stopped(lambda work=work: work(path)) == ["vector_unreadable"]
    assert stopped(lambda: io.read_table(path)) == ["file_kind"]


def test_a_folder_of_another_name_is_no_file(tmp_path: Path):
    (tmp_path / "a.gpkg").mkdir()
    assert stopped(lambda: io.read_vector(tmp_path / "a.gpkg")) == ["file_is_folder"]


@pytest.mark.parametrize("name", ["a.gpkg", "a.gdb"])
def test_a_layer_is_put_beside_the_others_and_over_its_old_self(tmp_path: Path, name):
    path = tmp_path / name
    for layer, frame in (("一", POINTS), ("二", PLOTS), ("一", POINTS.iloc[:1])):
        io.write_vector(frame, path, layer=layer)
    assert {layer.name for layer in io.list_layers(path)} == {"一", "二"}
    assert [len(io.read_vector(path, layer=layer)) for layer in ("一", "二")] == [1, 3]
    assert stopped(lambda: io.read_vector(path, layer="三")) == ["layer_missing"]


def test_small_whole_numbers_need_no_new_arcgis(tmp_path: Path):
    frame = POINTS.assign(户数=[1, 2], 编码=[1, 2**31])
    io.write_vector(frame, tmp_path / "a.gdb")
    assert pyogrio.read_info(tmp_path / "a.gdb")["dtypes"].tolist() == ["object", "int32", "int64"]
    assert io.files_of(tmp_path / "a.gdb") == sorted((tmp_path / "a.gdb").iterdir())


@pytest.mark.parametrize("cpg", [True, False])
def test_a_shapefile_may_be_written_without_cpg(tmp_path: Path, cpg):
    io.write_vector(POINTS, tmp_path / "点.shp", cpg=cpg)
    assert (tmp_path / "点.cpg").exists() == cpg
    assert "甲".encode("gbk") in (tmp_path / "点.dbf").read_bytes()
    assert io.read_vector(tmp_path / "点.shp")["名称"].tolist() == ["甲", "乙"]
    assert len(io.files_of(tmp_path / "点.shp")) == 4 + cpg


def test_a_parquet_table_without_shapes_is_said(tmp_path: Path):
    io.write_parquet(pd.DataFrame({"a": [1]}), tmp_path / "a.parquet")
    for work in (io.read_vector, io.list_layers):
        assert stopped(lambda work=work: work(tmp_path / "a.parquet")) == ["vector_without_geometry"]
    POINTS.set_crs(None, allow_override=True).to_parquet(tmp_path / "b.parquet")
    assert not io.list_layers(tmp_path / "b.parquet")[0].has_crs
    assert stopped(lambda: io.read_vector(tmp_path / "b.parquet")) == ["crs_missing"]
    assert len(io.read_vector(tmp_path / "b.parquet", crs="CGCS2000")) == 2


def test_arcs_come_as_lines(tmp_path: Path):
    # half a circle of radius 1 about (1, 0); GDAL writes a file of this kind from no frame, so its text is read
    (tmp_path / "arc.csv").write_text('编码,WKT\n9007199254740993,"CIRCULARSTRING(0 0,1 1,2 0)"\n', "utf-8")
    frame = io._through_arrow(tmp_path / "arc.csv", "arc", encoding=None)
    assert frame["编码"].astype("str").tolist() == ["9007199254740993"]
    assert frame.geometry[0].length == pytest.approx(np.pi, rel=1e-3)


def test_what_cannot_be_written_is_said(tmp_path: Path):
    assert stopped(lambda: io.write_vector(POINTS, tmp_path / "a.dxf")) == ["file_kind"]
    for name in FORMATS:
        assert stopped(lambda name=name: io.write_vector(POINTS, tmp_path / "gone" / name)) == [
            "vector_unwritable"
        ]
